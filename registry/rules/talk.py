"""沟通: at which step of the three (通办前、通办中、通办后) something between window and office was said."""

from registry.masking import numbers_of_persons_in
from registry.terms import Term
from storage.errors import Refused

LONGEST = 1000
"""Characters of one message."""

LONGEST_REASON = 200
"""Characters of a reason, and of what a rule rests on."""


class Phase(Term):
    """三步闭环沟通机制 (taizhou-2023 §三(二)2)."""

    BEFORE = "before", "通办前"
    DURING = "during", "通办中"
    AFTER = "after", "通办后"


class Side(Term):
    """Who speaks; the system where nobody does: it chases what is overdue."""

    WINDOW = "window", "窗口"
    OFFICE = "office", "审批部门"
    SYSTEM = "system", "系统"


def phase_of(*, submitted: bool, over: bool) -> Phase:
    """Before a case is handed to its offices, while they work on it, or when it is decided or ended."""
    if over:
        return Phase.AFTER
    return Phase.DURING if submitted else Phase.BEFORE


def fitting(text: str, *, what: str, longest: int = LONGEST_REASON) -> str:
    """The text without blanks around it, whole: what is too long is refused, never cut."""
    words = text.strip()
    if len(words) > longest:
        raise Refused(
            "words_long", f"{what}至多 {longest} 个字，现有 {len(words)} 个字，请写短一些，或分开写。"
        )
    return words


def checked_words(
    text: str, *, keep_numbers: bool = False, longest: int = LONGEST, what: str = "内容"
) -> str:
    """The text as it may be kept. Raises Refused when it is empty, too long, or names numbers of persons.

    `keep_numbers` says that the writer was asked to take them out and left them on purpose.
    """
    words = text.strip()
    if not words:
        raise Refused("words_empty", f"请填写{what}。")
    fitting(words, longest=longest, what=what)
    if not keep_numbers and (found := numbers_of_persons_in(words)):
        raise Refused(
            "words_personal",
            f"{what}里有{'和'.join(found)}，请删去后再提交；办件页上已有申请人信息，不必再写。",
        )
    return words
