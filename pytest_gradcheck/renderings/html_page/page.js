"use strict";
// Everything is there without this script: it adds search, filter and sorting.
(() => {
  const tables = [...document.querySelectorAll("table.checks")];
  if (!tables.length) return;
  const size = tables[0].tBodies[0].rows.length;
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
  let texts; // read when they are first needed, since a page has very many rows
  const failures = [...document.querySelectorAll("article.failure")];
  const form = document.getElementById("filter");
  const words = document.getElementById("words");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");

  const say = (count) => {
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} checks`;
  };
  const rearranged = () => {
    for (const table of tables) {
      table.caption.hidden = true; // it counted the rows in their first order
      table.parentElement.hidden = [...table.tBodies[0].rows].every((row) => row.hidden);
    }
  };
  const filter = () => {
    texts ??= new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isWanted = (text, found) =>
      (!verdict.value || found === verdict.value) && wanted.every((word) => text.includes(word));
    let count = 0;
    for (const row of rows) {
      const hit = isWanted(texts.get(row), row.cells[1].textContent.split(" ")[0]);
      row.hidden = !hit;
      count += hit;
    }
    for (const article of failures) {
      article.hidden = !isWanted(article.textContent.toLowerCase(), article.dataset.verdict);
    }
    rearranged();
    say(count);
  };

  const order = ["wrong", "inconclusive", "correct"];
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    if (column === 1) return order.indexOf(text.split(" ")[0]);
    if (column < 2 || column > 5) return text;
    const number = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(number) ? -1 : number;
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const sort = (heading, column) => {
    const isNumber = column > 1 && column < 6;
    const first = isNumber ? "descending" : "ascending";
    const other = isNumber ? "ascending" : "descending";
    const direction = heading.getAttribute("aria-sort") === first ? other : first;
    const sign = direction === "ascending" ? 1 : -1;
    const keys = new Map(rows.map((row) => [row, value(row, column)]));
    rows.sort((a, b) => sign * compare(keys.get(a), keys.get(b)));
    tables.forEach((table, k) => table.tBodies[0].append(...rows.slice(k * size, (k + 1) * size)));
    rearranged();
    for (const each of tables[0].tHead.rows[0].cells) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
  };

  [...tables[0].tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading, column));
    heading.replaceChildren(button);
  });
  words.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  say(rows.length);
})();
