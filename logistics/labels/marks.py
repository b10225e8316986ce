"""The few marks a label is made of, in millimetres from its top left corner; every printer draws just these."""

from dataclasses import dataclass

from registry.paper.fonts import typeface


@dataclass(frozen=True)
class Text:
    """One line of text: `y` is the top of its em box, `size` the em in millimetres."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True)
class Plate:
    """White text centred on a black block."""

    x: float
    y: float
    width: float
    height: float
    size: float
    text: str


@dataclass(frozen=True)
class Rule:
    """A straight black line, horizontal or vertical, drawn as a filled rectangle; dashed for the tear."""

    x: float
    y: float
    width: float
    height: float
    dashed: bool = False


@dataclass(frozen=True)
class QrMark:
    """A QR code centred in a square of `side`, which includes the quiet zone."""

    x: float
    y: float
    side: float
    data: str


@dataclass(frozen=True)
class BarsMark:
    """Code 128 centred in the box, which includes the quiet zones."""

    x: float
    y: float
    width: float
    height: float
    data: str


_CLINGING = "*，。、；：）》」”"

Mark = Text | Plate | Rule | QrMark | BarsMark


def line_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line in millimetres."""
    return typeface(bold=bold).width(text) * size


def fit(
    text: str, *, width: float, size: float, smallest: float, lines: int, bold: bool = False
) -> tuple[float, list[str]]:
    """The largest size from `size` down to `smallest` at which `text` fits into `lines`, and those lines.

    What does not fit even then ends in “…”: a label is finite, and the carrier has the full text.
    """
    while True:
        broken = wrap(text, width=width, size=size, bold=bold)
        if len(broken) <= lines:
            return size, broken
        if size - 0.2 < smallest:
            break
        size = round(size - 0.2, 2)
    last = broken[lines - 1]
    while last and line_width(last + "…", size, bold=bold) > width:
        last = last[:-1]
    return size, [*broken[: lines - 1], last + "…"]


def wrap(text: str, *, width: float, size: float, bold: bool = False) -> list[str]:
    """Break anywhere between Chinese characters, but keep numbers and Latin words whole where they fit."""
    broken: list[str] = []
    line = ""
    for word in _words(text):
        if line_width(line + word, size, bold=bold) <= width:
            line += word
            continue
        if line_width(word, size, bold=bold) <= width and line:
            broken.append(line.rstrip())
            line = word.lstrip()
            continue
        for char in word:
            if line and line_width(line + char, size, bold=bold) > width:
                broken.append(line.rstrip())
                line = ""
            line += char
    return [*broken, line.rstrip()] if line.strip() or not broken else broken


def _words(text: str) -> list[str]:
    """Pieces that a line is not broken inside of: Latin words, and characters with what clings to them."""
    words: list[str] = []
    for char in text:
        if words and (char in _CLINGING or (_is_latin(char) and _is_latin(words[-1][-1]))):
            words[-1] += char
        else:
            words.append(char)
    return words


def _is_latin(char: str) -> bool:
    return char.isascii() and char != " "
