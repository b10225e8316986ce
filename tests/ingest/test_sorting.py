"""How a stack falls apart: whatever is not a good separator ends the run of the one before it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sorting import WHY, Fate, Seen, Why, sort_pages
from registry.tokens import Keyring, Purpose, Token, check, write

RING = Keyring.of(["a secret for the tests of sorting"])
OTHERS = Keyring.of(["the secret of another installation"])
A, B, GONE, SHUT = "A" * 16, "B" * 16, "G" * 16, "S" * 16
PAPER = Seen(barred=False, texts=(), blank=False)
BLANK = Seen(barred=False, texts=(), blank=True)


def sheet(*names: str, ring: Keyring = RING, barred: bool = True, purpose: str = "material") -> Seen:
    return Seen(barred=barred, texts=tuple(write(purpose, name, ring).text for name in names), blank=False)


def homes(name: str) -> Why | None:
    return {A: None, B: None, SHUT: Why.CLOSED}.get(name, Why.ELSEWHERE)


def ours(text: str) -> Token:
    return check(text, RING)


def sort(pages: Sequence[Seen]) -> list[Fate]:
    return list(sort_pages(pages, check=ours, homes=homes))


def test_pages_follow_their_sheet() -> None:
    fates = sort([sheet(A), PAPER, PAPER, sheet(B), PAPER])
    assert [(fate.home, fate.separator) for fate in fates] == [
        ("", True),
        (A, False),
        (A, False),
        ("", True),
        (B, False),
    ]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Seen(barred=True, texts=(), blank=False), Why.UNREADABLE),
        (Seen(barred=True, texts=("https://example.cn/x",), blank=False), Why.FOREIGN),
        (sheet("P" * 16, purpose="parcel"), Why.FOREIGN),
        (sheet(A, ring=OTHERS), Why.FORGED),
        (sheet(A, B), Why.SEVERAL),
        (sheet(GONE), Why.ELSEWHERE),
        (sheet(SHUT), Why.CLOSED),
    ],
)
def test_a_bad_sheet_keeps_the_pages_behind_it_out_of_the_case_before(bad: Seen, why: Why) -> None:
    fates = sort([sheet(A), PAPER, bad, PAPER, BLANK, sheet(B), PAPER])
    assert fates[1].home == A
    assert fates[2] == Fate(separator=True, why=why)
    assert fates[3] == Fate(why=why)
    assert fates[4] == Fate(why=Why.BLANK)
    assert fates[6].home == B
    assert WHY[why]


def test_pages_before_any_sheet_wait() -> None:
    assert sort([PAPER, sheet(A)])[0] == Fate(why=Why.NO_SHEET)


@pytest.mark.parametrize(
    "texts", [("https://licence.example.cn/9133",), (write(Purpose.PARCEL, "P" * 16, RING).text,)]
)
def test_a_paper_that_bears_a_code_of_its_own_is_a_paper(texts: tuple[str, ...]) -> None:
    """A business licence has a QR code; so have our own slips and labels."""
    assert sort([sheet(A), Seen(barred=False, texts=texts, blank=False)])[1].home == A


def test_a_sheet_whose_bars_are_cut_off_still_counts() -> None:
    assert sort([sheet(B, barred=False), PAPER])[1].home == B


def test_a_blank_back_stays_with_its_front() -> None:
    assert sort([sheet(A), PAPER, BLANK])[2].home == A


PAGES = st.lists(
    st.sampled_from(
        [
            PAPER,
            BLANK,
            sheet(A),
            sheet(B),
            sheet(GONE),
            sheet(A, ring=OTHERS),
            Seen(barred=True, texts=(), blank=False),
        ]
    ),
    max_size=30,
)


@given(PAGES)
def test_no_page_gets_past_a_sheet(pages: list[Seen]) -> None:
    """A page's home is the name on the nearest sheet before it, and nothing else."""
    good = {sheet(A): A, sheet(B): B}
    nearest = ""
    for page, fate in zip(pages, sort(pages), strict=True):
        if page in (PAPER, BLANK):
            assert fate.home == nearest
        else:
            assert fate.separator
            nearest = good.get(page, "")
