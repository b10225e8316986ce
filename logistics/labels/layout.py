"""Where everything goes on a label: courier's part above the tear, receiver's part with our QR below it."""

from dataclasses import dataclass

from logistics.labels.label import Label, Party, Size
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text, fit, line_width

MARGIN = 2.0
PANEL = (60.0, 76.0)
"""Our code by itself: width and height in millimetres."""
THIN = 0.25
PADDING = 1.5


@dataclass(frozen=True)
class _Heights:
    """Millimetres of each band, top to bottom; together they end at the tear."""

    header: float
    bars: float
    routing: float
    receiver: float
    sender: float
    payment: float
    qr: float


_HEIGHTS = {
    "100x150": _Heights(header=12, bars=20, routing=10, receiver=18, sender=14, payment=14, qr=34),
    "100x180": _Heights(header=14, bars=24, routing=14, receiver=22, sender=18, payment=16, qr=38),
    "76x130": _Heights(header=11, bars=17, routing=9, receiver=17, sender=13, payment=13, qr=28),
}


def marks(label: Label, size: Size) -> list[Mark]:
    """All marks of one label on one size of paper."""
    heights = _HEIGHTS[size.name]
    left, width = MARGIN, size.width - 2 * MARGIN
    top = MARGIN
    drawn: list[Mark] = [*_frame(left, top, width, size.height - 2 * MARGIN)]
    bands = (
        (heights.header, _header),
        (heights.bars, _bars),
        (heights.routing, _routing),
        (heights.receiver, _receiver),
        (heights.sender, _sender),
        (heights.payment, _payment),
    )
    for height, draw in bands:
        drawn += draw(label, left, top, width, height)
        top += height
        if top < size.tear:
            drawn.append(Rule(left, top, width, THIN))
    drawn.append(Rule(0, size.tear, size.width, THIN, dashed=True))
    drawn += _stub(label, left, size.tear, width, size.height - MARGIN - size.tear, heights.qr)
    return drawn


def panel(label: Label) -> list[Mark]:
    """Our code by itself, for a bag whose waybill label is the carrier's own: no name, no address."""
    width, height = PANEL
    left, room = MARGIN, width - 2 * MARGIN
    drawn: list[Mark] = [*_frame(0, 0, width, height), QrMark((width - 40) / 2, 10, 40, label.code)]
    lines = (
        (3.5, 5.0, "通办交接码", True),
        (52.0, 4.6, label.parcel_number, True),
        (58.5, 3.2, label.waybill_groups, False),
        (63.5, 3.2, label.carrier, False),
        (69.5, 2.8, "贴在承运商面单旁，交接与签收时扫此码", False),
    )
    for y, wanted, words, bold in lines:
        size, fitted = fit(words, width=room, size=wanted, smallest=2.2, lines=1, bold=bold)
        wide = line_width(fitted[0], size, bold=bold)
        drawn.append(Text(left + (room - wide) / 2, y, size, fitted[0], bold=bold))
    return drawn


def _frame(x: float, y: float, width: float, height: float) -> list[Mark]:
    return [
        Rule(x, y, width, THIN),
        Rule(x, y + height - THIN, width, THIN),
        Rule(x, y, THIN, height),
        Rule(x + width - THIN, y, THIN, height),
    ]


def _header(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    size = min(7.0, height - 4.5)
    plate = max(24.0, line_width(label.payment_term, size, bold=True) + 5)
    room = width - plate - 2 * PADDING
    name_size, name = fit(label.carrier, width=room, size=5.2, smallest=3.6, lines=1, bold=True)
    gap = (height - name_size - 2.8) / 3
    return [
        Text(x + PADDING, y + gap, name_size, name[0], bold=True),
        Text(x + PADDING, y + 2 * gap + name_size, 2.8, label.product),
        Plate(x + width - plate, y, plate, height, size, label.payment_term),
    ]


def _bars(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    size = 4.2 if width > 80 else 3.8
    number = label.waybill_groups
    wide = line_width(number, size, bold=True)
    return [
        BarsMark(x + 1, y + 1.5, width - 2, height - size - 3.2, label.waybill),
        Text(x + (width - wide) / 2, y + height - size - 1.0, size, number, bold=True),
    ]


def _routing(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    words = label.routing or label.leg
    size, line = fit(words, width=width - 2 * PADDING, size=height - 2.6, smallest=4.0, lines=1, bold=True)
    return [Text(x + PADDING, y + (height - size) / 2 - 0.2, size, line[0], bold=True)]


def _receiver(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    return _party("收", label.receiver, x, y, width, height, name_size=4.4, body_size=3.8)


def _sender(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    return _party("寄", label.sender, x, y, width, height, name_size=3.4, body_size=3.0)


def _party(
    sign: str,
    party: Party,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    name_size: float,
    body_size: float,
) -> list[Mark]:
    column = 9.0
    room = width - column - 2 * PADDING
    phone_size, phone = fit(
        party.phone, width=room * 0.45, size=name_size - 0.4, smallest=2.4, lines=1, bold=True
    )
    phone_wide = line_width(phone[0], phone_size, bold=True)
    name_room = room - phone_wide - 2
    first_size, names = fit(party.name, width=name_room, size=name_size, smallest=2.6, lines=1, bold=True)
    if names[0].endswith("…"):
        # A long office name takes two lines of its own and the phone goes beneath it.
        return _long_party(sign, party, x, y, width, height, body_size=body_size)
    lines = int((height - first_size - 2.4) // (body_size + 0.4))
    size, address = fit(party.address, width=room, size=body_size, smallest=2.4, lines=max(1, lines))
    used = first_size + 0.8 + len(address) * (size + 0.4)
    top = y + max(0.6, (height - used) / 2)
    drawn: list[Mark] = _sign(sign, x, y, column, height)
    left = x + column + PADDING
    drawn.append(Text(left, top, first_size, names[0], bold=True))
    drawn.append(
        Text(x + width - PADDING - phone_wide, top + first_size - phone_size, phone_size, phone[0], bold=True)
    )
    top += first_size + 0.8
    for index, line in enumerate(address):
        drawn.append(Text(left, top + index * (size + 0.4), size, line))
    return drawn


def _long_party(
    sign: str, party: Party, x: float, y: float, width: float, height: float, *, body_size: float
) -> list[Mark]:
    column = 9.0
    left, room = x + column + PADDING, width - column - 2 * PADDING
    step = min(body_size, (height - 1.6) / 4 - 0.4)
    name_size, names = fit(party.name, width=room, size=step, smallest=2.4, lines=2, bold=True)
    rest = f"{party.phone}　{party.address}"
    size, body = fit(rest, width=room, size=step, smallest=2.4, lines=4 - len(names))
    drawn = _sign(sign, x, y, column, height)
    top = y + (height - 4 * (step + 0.4)) / 2
    for line in names:
        drawn.append(Text(left, top, name_size, line, bold=True))
        top += step + 0.4
    for line in body:
        drawn.append(Text(left, top, size, line))
        top += step + 0.4
    return drawn


def _sign(sign: str, x: float, y: float, column: float, height: float) -> list[Mark]:
    return [
        Plate(x + 1.5, y + (height - 6) / 2, 6, 6, 4.2, sign),
        Rule(x + column, y, THIN, height),
    ]


def _payment(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    size = 6.4 if width > 80 else 5.4
    wide = line_width(label.payment_term, size, bold=True)
    left = x + PADDING + wide + PADDING
    room = x + width - PADDING - left - PADDING
    payer_size, payer = fit(f"付费方：{label.payer}", width=room, size=3.6, smallest=2.6, lines=2, bold=True)
    account = f"月结账号{label.account_tail}" if label.account else "现场结算"
    used = len(payer) * (payer_size + 0.4) + 3.2
    top = y + (height - used) / 2
    drawn: list[Mark] = [
        Text(x + PADDING, y + (height - size) / 2 - 0.3, size, label.payment_term, bold=True),
        Rule(left, y, THIN, height),
    ]
    for line in payer:
        drawn.append(Text(left + PADDING, top, payer_size, line, bold=True))
        top += payer_size + 0.4
    drawn.append(Text(left + PADDING, top, 3.0, account))
    return drawn


def _stub(label: Label, x: float, y: float, width: float, height: float, qr: float) -> list[Mark]:
    right = x + width - qr
    foot = max(13.0, height - qr - 5)
    middle = height - foot
    drawn: list[Mark] = [
        QrMark(right, y + 0.4, qr, label.code),
        *_centred("扫码交接", right, y + 0.4 + qr - 0.4, qr, 3.2),
        Rule(right, y, THIN, middle),
        Rule(x, y + middle, width, THIN),
        *_facts(label, x, y, right - x, middle),
        *_signature(label, x, y + middle, width, foot),
    ]
    return drawn


def _facts(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    rows = [
        ("环节", label.leg),
        ("寄件编号", label.parcel_number),
        ("装件", f"办件 {label.cases} 件　内件 {label.items} 份"),
        ("重量", label.weight_words),
        ("备注", label.notes),
    ]
    size = 3.2 if width > 50 else 2.7
    key = 4 * size + 1.5
    top = y + 1.2
    drawn: list[Mark] = []
    for index, (name, value) in enumerate(rows):
        last = index == len(rows) - 1
        left = y + height - top
        lines = max(1, int(left // (size + 0.5))) if last else 1
        value_size, broken = fit(
            value, width=width - key - 2 * PADDING, size=size, smallest=2.2, lines=min(2, lines)
        )
        drawn.append(Text(x + PADDING, top, size, name))
        for line in broken:
            drawn.append(Text(x + PADDING + key, top, value_size, line, bold=not last))
            top += size + 0.5
        top += (height / len(rows) - size - 0.5) * 0.45 if not last else 0
    return drawn


def _signature(label: Label, x: float, y: float, width: float, height: float) -> list[Mark]:
    bars = min(width * 0.62, 60.0)
    number = label.waybill_groups
    wide = line_width(number, 2.6)
    return [
        BarsMark(x + width - bars, y + 1.0, bars, height - 5.2, label.waybill),
        Text(x + width - bars + (bars - wide) / 2, y + height - 3.8, 2.6, number),
        Rule(x + width - bars, y, THIN, height),
        Text(x + PADDING, y + 1.2, 2.8, "签收人"),
        Text(x + PADDING, y + height - 4.2, 2.8, "日期"),
    ]


def _centred(text: str, x: float, y: float, width: float, size: float) -> list[Mark]:
    return [Text(x + (width - line_width(text, size)) / 2, y, size, text)]
