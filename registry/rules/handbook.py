"""一册 and 一集: which edition of the handbook a day belongs to, and what may stand in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from registry.terms import Term
from storage.errors import Refused

MAY, NOVEMBER = 5, 11


class EntryState(Term):
    """A question with its answer on its way into the handbook."""

    DRAFT = "draft", "待审定"
    READY = "ready", "已审定"
    DROPPED = "dropped", "不收录"


class ExampleState(Term):
    """A case on its way into the collection."""

    PROPOSED = "proposed", "待审定"
    APPROVED = "approved", "已收录"
    REJECTED = "rejected", "不收录"


@dataclass(frozen=True, order=True)
class Edition:
    """每年5月、11月编制更新 (taizhou-2023 §三(三)1)."""

    year: int
    month: int

    @property
    def label(self) -> str:
        return f"{self.year}年{self.month}月版"

    @property
    def key(self) -> str:
        return f"{self.year}-{self.month:02d}"


def edition_for(day: date) -> Edition:
    """The edition that is to be published on or before this day and not yet replaced by the next one."""
    if day.month < MAY:
        return Edition(day.year - 1, NOVEMBER)
    return Edition(day.year, MAY if day.month < NOVEMBER else NOVEMBER)


def is_late(edition: Edition, day: date) -> bool:
    """Whether the month in which the edition is to come out has passed."""
    return (day.year, day.month) > (edition.year, edition.month)


def check_nothing_personal(text: str, *, known: Iterable[str], what: str) -> None:
    """Raises Refused when the text repeats one of the applicant's own data, such as the name or the address.

    Numbers are looked for elsewhere by their shape; this finds what only the case knows.
    """
    plain = "".join(text.split()).upper()
    for value in known:
        folded = "".join(value.split()).upper()
        if len(folded) > 1 and folded in plain:
            raise Refused(
                "example_personal", f"{what}里有申请人的姓名、号码或地址，请改写为不能认出当事人的说法。"
            )
