import os


def pytest_gradcheck_finish_check(item, report):
    """Tell JUnit which mode a check of the test had."""
    item.user_properties.append(("gradient_mode", report.mode))


def pytest_gradcheck_update_record(config, record):
    """Add the commit to the record, and the team that owns each test."""
    record["extra"] = {"commit": os.environ.get("GITHUB_SHA", "unknown")}
    for test in record["tests"]:
        test["extra"] = {"team": test["file"].split("/")[0]}
