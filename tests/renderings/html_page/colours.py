"""The contrast of colours, as the Web Content Accessibility Guidelines define it."""

#: The least contrast of text, and of what is drawn.
TEXT, GRAPHICS = 4.5, 3.0


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours that are written in hexadecimal digits."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    values = [part / 255 for part in bytes.fromhex(digits)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
