"""The kinds of slips: their Chinese titles and the words of their numbers."""

from datetime import datetime

from registry.terms import Term
from registry.time import local_day


class SlipKind(Term):
    """Papers given to people (DOMAIN: Paper given to people)."""

    ACCEPTANCE = "acceptance", "受理承诺单"
    RECEIPT = "receipt", "收件凭证"
    NOTICE = "notice", "一次性告知书"
    PACKING_LIST = "packing_list", "材料移交清单"
    DELIVERY_PROOF = "delivery_proof", "送达回证"
    SETTLEMENT = "settlement", "寄递费用结算单"
    REFUSAL = "refusal", "不予受理决定书"
    DISPUTE = "dispute", "邮资账单争议函"
    HANDBOOK = "handbook", "通办常见问题解答知识手册"
    HANDOVER = "handover", "交接清单"
    SHORTFALL = "shortfall", "收件前一次性告知书"


_NUMBER_WORD = {
    SlipKind.ACCEPTANCE: "通办受字",
    SlipKind.RECEIPT: "通办收字",
    SlipKind.NOTICE: "通办告字",
    SlipKind.PACKING_LIST: "通办移字",
    SlipKind.DELIVERY_PROOF: "通办达字",
    SlipKind.SETTLEMENT: "通办结字",
    SlipKind.REFUSAL: "通办拒字",
    SlipKind.DISPUTE: "通办异字",
    SlipKind.HANDBOOK: "通办册字",
    SlipKind.HANDOVER: "通办交字",
    SlipKind.SHORTFALL: "通办补字",
}


def sequence_name(kind: SlipKind, now: datetime) -> str:
    """The counter behind the numbers of one kind in one calendar year."""
    return f"slip:{kind.value}:{local_day(now).year}"


def number_of(kind: SlipKind, count: int, now: datetime) -> str:
    """An official document number, e.g. “通办受字〔2026〕00012号”."""
    return f"{_NUMBER_WORD[kind]}〔{local_day(now).year}〕{count:05d}号"
