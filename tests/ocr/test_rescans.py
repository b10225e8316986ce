"""Two readings of one page side by side: where they agree, where not, and that word order and cuts decide nothing."""

from ocr.lines import Char, Line
from ocr.rescans import beside


def line(text: str, top: float, *, confidence: float = 0.99) -> Line:
    """Letters of ten pixels each."""
    width = 10.0 * len(text)
    chars = tuple(
        Char(letter, at / len(text), (at + 1) / len(text), confidence) for at, letter in enumerate(text)
    )
    return Line(text, ((0, top), (width, top), (width, top + 12), (0, top + 12)), confidence, chars)


def test_the_digit_that_was_read_otherwise_is_marked_in_its_line() -> None:
    signed = [line("法定代表人", 0), line("330681199001011234", 20)]
    found = beside(signed, [line("330681199001071234", 5), line("法定代表人", 30)])
    assert found.otherwise == ((130.0, 20.0, 140.0, 32.0),)
    assert (0.0, 0.0, 50.0, 12.0) in found.alike
    assert found.likeness > 0.9


def test_what_only_the_rescan_has_marks_the_letters_around_it() -> None:
    found = beside([line("施文远签字处", 0)], [line("施文小远签字处", 0)])
    assert found.otherwise == ((10.0, 0.0, 30.0, 12.0),)


def test_a_doubtful_line_that_was_read_alike_says_nothing() -> None:
    found = beside([line("看不清的字", 0, confidence=0.5)], [line("看不清的字", 0)])
    assert (found.alike, found.otherwise) == ((), ())


def test_lines_without_a_partner_and_seals_are_left_to_the_picture() -> None:
    seal = Line("某某公章", ((0, 0), (40, 0), (40, 12), (0, 12)), 0.9, seal=True)
    found = beside([line("完全不同的一行文字", 0), seal], [line("ABCDEFG", 0)])
    assert (found.likeness, found.alike, found.otherwise) == (0.0, (), ())


def test_two_pages_without_text_are_as_like_as_can_be() -> None:
    assert beside([], []).likeness == 1.0
    assert beside([line("一页字", 0)], []).likeness == 0.0
