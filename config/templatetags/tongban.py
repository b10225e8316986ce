"""How values look on screen: icons, chips, dates, deadlines, money, masked people."""

import secrets
from datetime import date, datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from config.pages import chips
from config.pages.case_sheet import CaseSheet, lacks
from config.pages.chips import Chip, deadline_chip
from config.pages.frame import Fault
from config.pages.repeating import TOKEN
from ingest.inspect.sentences import FAULT_WORDS, FAULTS
from ingest.models import Case, HandbookEntry, Material
from ingest.services.choosing import may_still_choose
from logistics.models import Discrepancy, HandoverList, Parcel
from ocr.comparing import Trouble
from registry.masking import mask_address, mask_id_number, mask_name, mask_phone
from registry.paper.symbols import qr_svg
from registry.terms import Delivery, Mode
from registry.time import local_day, to_the_minute

register = template.Library()
ROW_FLAWS = frozenset({Trouble.EXPIRED, Trouble.NOT_SIGNED})

register.filter(mask_name)
register.filter(mask_phone)
register.filter(mask_id_number)
register.filter(mask_address)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon from the sprite; it never stands without a word beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def chip(shown: Chip) -> SafeString:
    return format_html('<span class="chip {}">{}{}</span>', shown.tone, icon(shown.icon), shown.label)


@register.simple_tag
def qr(text: str) -> SafeString:
    """The QR of a link, large enough for a phone held over the counter."""
    return mark_safe(qr_svg(text, side_mm=40))  # noqa: S308 - drawn by us from modules


@register.simple_tag
def entry_place(entry: HandbookEntry) -> str:
    """Where on the editor's desk this question's acts answer."""
    return f"entry-{entry.pk}"


@register.simple_tag
def case_chip(case: Case) -> SafeString:
    return chip(chips.case_chip(case.state))


@register.simple_tag
def parcel_chip(parcel: Parcel) -> SafeString:
    return chip(chips.parcel_chip(parcel.state))


@register.simple_tag
def handover_chip(handover: HandoverList) -> SafeString:
    return chip(chips.handover_chip(handover.state))


@register.simple_tag
def difference_chip(difference: Discrepancy) -> SafeString:
    return chip(chips.difference_chip(difference.state))


@register.simple_tag
def word_chip(tone: str, label: str) -> SafeString:
    return chip(Chip(label, tone))


@register.simple_tag
def has_text(values: list[str], value: object) -> bool:
    """Whether a submitted list holds this value."""
    return str(value) in values


@register.simple_tag
def choices_open(case: Case) -> list[tuple[str, str]]:
    """The ways in which the result may come, as long as the applicant may still choose; nothing afterwards."""
    return Delivery.choices() if may_still_choose(case) else []


@register.simple_tag
def lacks_chip(material: Material) -> SafeString:
    """What this row of the checklist still lacks, or that it is complete."""
    if missing := lacks(material):
        lapsed = material.deferred_until is not None and material.promise_kept_at is None
        return chip(Chip("容缺承诺已过期" if lapsed else missing, chips.LATE if lapsed else chips.ATTENTION))
    if material.deferred_until and material.promise_kept_at is None:
        return chip(Chip(f"容缺，承诺 {day(material.deferred_until)} 前补交", chips.ATTENTION))
    if not material.pages.all():
        return format_html('<span class="muted small">{}</span>', "未收")
    return chip(Chip("已收", chips.OK))


@register.simple_tag
def flaw_chips(sheet: CaseSheet, material: Material) -> SafeString:
    """A chip for each thing that the text of its pages says against this row's paper, until somebody looked at it."""
    flaws = dict.fromkeys(
        finding.trouble.label
        for finding in sheet.disagreeing
        if finding.trouble in ROW_FLAWS and any(place.material == material.name for place in finding.places)
    )
    return format_html_join("", " {}", ((chip(Chip(flaw, chips.ATTENTION)),) for flaw in flaws))


@register.simple_tag
def place_of(material: Material) -> str:
    """Where on the case page this material's acts answer."""
    return f"material-{material.position}"


@register.filter
def moment(value: datetime | None) -> str:
    """“2026-11-22 09:05” at Asia/Shanghai."""
    return to_the_minute(value) if value else ""


@register.filter
def day(value: date | datetime | None) -> str:
    if isinstance(value, datetime):
        value = local_day(value)
    return f"{value:%Y-%m-%d}" if value else ""


@register.simple_tag(takes_context=True)
def time_left(
    context: template.Context, deadline: date | None, paused: date | None = None
) -> SafeString | str:
    """“剩 3 个工作日” with icon and tone; empty without a deadline."""
    today, calendar = local_day(timezone.now()), context["calendar"]
    soon = context["deadline_rules"].amber_days
    shown = deadline_chip(deadline, paused=paused, today=today, calendar=calendar, soon=soon)
    return chip(shown) if shown else ""


@register.filter
def yuan(fen: int | None) -> str:
    """Fen as “12.00 元”, exact."""
    if fen is None:
        return "—"
    sign, amount = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{amount // 100:,}.{amount % 100:02d} 元"


@register.filter
def bytes_of(size: int) -> str:
    """A file's size in the unit a person would say."""
    if size < 1 << 10:
        return f"{size} 字节"
    if size < 1 << 20:
        return f"{size / (1 << 10):.0f} KB"
    return f"{size / (1 << 20):.1f} MB"


@register.filter
def entry(values: Any, key: Any) -> Any:
    """`values[key]` for keys that are not literals; None when absent."""
    return values.get(key) if values is not None else None


@register.simple_tag(takes_context=True)
def fault_at(context: template.Context, at: str) -> SafeString | str:
    """The refusal that belongs to this place on the page, or nothing."""
    fault = context.get("fault")
    return _told(fault) if fault is not None and fault.at == at else ""


@register.simple_tag(takes_context=True)
def fault_left(context: template.Context) -> SafeString | str:
    """The refusal whose place is not on the page any more, or nothing. Stands at the end of the page, in sight."""
    fault = context.get("fault")
    return _told(fault) if isinstance(fault, Fault) and not fault.told else ""


def _told(fault: Fault) -> SafeString:
    fault.told.append(fault.at)
    return format_html(
        '<div class="notice late" data-fault role="alert">{}<p>{}</p></div>', icon("attention"), fault.message
    )


@register.filter
def fault_words(faults: list[str]) -> str:
    """What is wrong with a page's picture, as short as it fits below a thumbnail."""
    return "、".join(FAULT_WORDS[fault] for fault in faults)


@register.filter
def fault_sentences(faults: list[str]) -> str:
    """The same in whole words."""
    return "；".join(FAULTS[fault] for fault in faults)


@register.simple_tag(takes_context=True)
def said_at(context: template.Context, at: str) -> SafeString | str:
    """What was just done here, said where the eye already is."""
    shown = [message for message in context.get("said") or () if message.extra_tags == at]
    if not shown:
        return ""
    said = format_html_join("", "<p>{}</p>", ((message.message,) for message in shown))
    return format_html('<div class="notice ok" role="status">{}<div>{}</div></div>', icon("ok"), said)


@register.simple_tag(takes_context=True)
def points_matter(context: template.Context, sheet: CaseSheet) -> bool:
    """Whether the review points have to be seen: where they hold back an acceptance, where one is answered, or in doubt."""
    refused = context.get("fault") is not None and context["fault"].at == "points"
    return refused or sheet.case.mode == Mode.WINDOW_ACCEPT or any(each.answer for each in sheet.asked)


@register.simple_tag(takes_context=True)
def typed(context: template.Context, at: str, name: str, otherwise: str = "") -> str:
    """What the person had typed into this field before the act was refused."""
    kept = context.get("typed")
    values = kept.at_place(at) if kept is not None else QueryDict()
    return str(values.get(name, otherwise))


@register.simple_tag
def once() -> SafeString:
    """What makes a form safe to send twice: it stands inside each form that makes something new."""
    return format_html('<input type="hidden" name="{}" value="{}">', TOKEN, secrets.token_urlsafe(18))


@register.simple_tag(takes_context=True)
def here(context: template.Context) -> str:
    """The address of this page, also where it is shown again at the address of an act that was refused."""
    fault = context.get("fault")
    return str(getattr(fault, "page", "") or context["request"].path)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page with its own filters and some of them changed; a None drops the name."""
    values = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"{here(context)}?{values.urlencode()}" if values else here(context)
