"""合作: signing agreements, keeping the address book up to date, colours, and the tables that are given out."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.models import Agreement, ColourPolicy, Contact, Region, RegionIndex, ServiceItem
from registry.permissions import check_may
from registry.rules.cooperation import (
    UPDATE_DAYS,
    Colour,
    Thresholds,
    colour_of,
    update_due,
    update_overdue,
)
from registry.rules.lawful import AgreementFacts
from registry.rules.talk import fitting
from registry.sheets.workbooks import Sheet, make_workbook
from registry.time import local_day
from storage.errors import Refused

LONGEST_CONTACT = 40
"""Characters of the name of a group or a person, and of a telephone number."""
_HIGHEST = 100


@dataclass(frozen=True)
class Connection:
    """What is told of a cooperation beside its regions and dates: 通办联络群 and one contact on either side."""

    group_name: str = ""
    contact_a: str = ""
    phone_a: str = ""
    contact_b: str = ""
    phone_b: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            fitting(getattr(self, each.name), longest=LONGEST_CONTACT, what="通办联络群、联络人和电话")

    @property
    def complete(self) -> bool:
        return all((self.group_name, self.contact_a, self.phone_a, self.contact_b, self.phone_b))


@dataclass(frozen=True)
class AgreementRow:
    """One row of 合作表. `late_days` counts the days beyond the third; either region has a colour of its own, or none yet."""

    agreement: Agreement
    in_force: bool
    due: date
    late_days: int
    colour_a: Colour | None
    colour_b: Colour | None


def sign_agreement(
    *,
    region_a: Region,
    region_b: Region,
    signed_on: date,
    effective_from: date,
    effective_to: date | None,
    shared_citywide: bool,
    items: list[ServiceItem],
    connection: Connection,
    actor: Actor,
    now: datetime,
) -> Agreement:
    """签订区域间“跨省通办”合作协议 (zhuji §二(四)); with `shared_citywide` it binds the whole city (taizhou-2023 §三(三)1)."""
    check_may(actor, "directory.edit")
    if region_a == region_b:
        raise Refused("agreement_sides", "协议双方不能是同一个地区。")
    if signed_on > local_day(now):
        raise Refused("agreement_signed", "签订日期不能晚于今天。")
    if effective_to and effective_to < effective_from:
        raise Refused("agreement_dates", "失效日期早于生效日期。")
    one, other = sorted((region_a.code, region_b.code))
    pairs = Agreement.objects.filter(region_a_id__in=(one, other), region_b_id__in=(one, other))
    with transaction.atomic():
        if pairs.filter(effective_from=effective_from).exists():
            raise Refused("agreement_known", "这两个地区在同一天生效的协议已经登记。")
        agreement = Agreement.objects.create(
            region_a=region_a,
            region_b=region_b,
            signed_on=signed_on,
            effective_from=effective_from,
            effective_to=effective_to,
            shared_citywide=shared_citywide,
            **vars(connection),
        )
        agreement.items.set(items)
        record(kind="agreement.signed", actor=actor, subject=agreement, now=now, data=_told(agreement))
    return agreement


def update_directory(
    *, agreement: Agreement, connection: Connection, actor: Actor, now: datetime
) -> Agreement:
    """3日内…在线更新合作情况，明确合作地联络人 (taizhou-2023 §三(三)1): group and both contacts, the day is kept."""
    check_may(actor, "directory.edit", agreement)
    if not connection.complete:
        raise Refused("directory_incomplete", "请填写通办联络群和双方联络人、电话后再登记更新。")
    with transaction.atomic():
        Agreement.objects.filter(pk=agreement.pk).update(
            directory_updated_on=local_day(now), **vars(connection)
        )
        record(kind="agreement.directory_updated", actor=actor, subject=agreement, now=now)
    agreement.refresh_from_db()
    return agreement


def tell_overdue_directories(*, now: datetime) -> int:
    """Say once of each cooperation whose three days are over that nobody updated group, address book and table."""
    today, said = local_day(now), 0
    untold = Agreement.objects.filter(
        directory_updated_on__isnull=True,
        overdue_told_at__isnull=True,
        signed_on__lt=today - timedelta(days=UPDATE_DAYS),
    )
    for agreement in untold.order_by("pk"):
        with transaction.atomic():
            if not untold.filter(pk=agreement.pk).update(overdue_told_at=now):
                continue
            record(
                kind="agreement.directory_overdue",
                actor=SYSTEM,
                subject=agreement,
                now=now,
                data={
                    "regions": [agreement.region_a_id, agreement.region_b_id],
                    "due": str(update_due(agreement.signed_on)),
                },
            )
        said += 1
    return said


def end_agreement(*, agreement: Agreement, on: date, actor: Actor, now: datetime) -> Agreement:
    """The last day of a cooperation; cases taken in before stay lawful."""
    check_may(actor, "directory.edit", agreement)
    if on < agreement.effective_from or on < local_day(now):
        raise Refused("agreement_end", "终止日期不能早于生效日期和今天。")
    with transaction.atomic():
        Agreement.objects.filter(pk=agreement.pk).update(effective_to=on)
        record(kind="agreement.ended", actor=actor, subject=agreement, now=now, data={"on": str(on)})
    agreement.refresh_from_db()
    return agreement


def set_thresholds(
    *, population: int, cooperation: int, valid_from: date, source: str, actor: Actor, now: datetime
) -> ColourPolicy:
    """New 四色 thresholds from a day on (taizhou-2023 §二(四)); what they replace stays on record."""
    check_may(actor, "directory.edit")
    _check_indices(population, cooperation)
    source = fitting(source, what="依据")
    if not source:
        raise Refused("colour_source", "请写明分类标准的依据。")
    with transaction.atomic():
        if ColourPolicy.objects.filter(valid_from=valid_from).exists():
            raise Refused("colour_known", "同一天生效的分类标准已经登记，请换一个生效日期。")
        policy = ColourPolicy.objects.create(
            population=population, cooperation=cooperation, valid_from=valid_from, source=source
        )
        data = {"population": population, "cooperation": cooperation, "from": str(valid_from)}
        record(kind="colour.thresholds_set", actor=actor, subject=policy, now=now, data=data)
    return policy


def set_index(
    *,
    region: Region,
    population: int,
    cooperation: int,
    valid_from: date,
    source: str,
    actor: Actor,
    now: datetime,
) -> RegionIndex:
    """The two indices of a partner region from a day on."""
    check_may(actor, "directory.edit")
    _check_indices(population, cooperation)
    source = fitting(source, what="依据")
    with transaction.atomic():
        index, _ = RegionIndex.objects.update_or_create(
            region=region,
            valid_from=valid_from,
            defaults={"population": population, "cooperation": cooperation, "source": source},
        )
        data = {"region": region.code, "population": population, "cooperation": cooperation}
        record(kind="colour.index_set", actor=actor, subject=index, now=now, data=data)
    return index


def colours(day: date) -> dict[str, Colour]:
    """The colour of each region that has indices on that day, by the thresholds of that day; two queries."""
    policy = ColourPolicy.objects.filter(valid_from__lte=day).order_by("-valid_from").first()
    if policy is None:
        return {}
    thresholds = Thresholds(policy.population, policy.cooperation)
    rows = RegionIndex.objects.filter(valid_from__lte=day).order_by("valid_from")
    return {
        row.region_id: colour_of(
            population=row.population, cooperation=row.cooperation, thresholds=thresholds
        )
        for row in rows
    }


def without_index(day: date) -> list[Region]:
    """Regions of agreements in force that no index speaks of yet, so that no thresholds can give them a colour."""
    pacts = Agreement.objects.in_force(day)
    named = Q(code__in=pacts.values("region_a")) | Q(code__in=pacts.values("region_b"))
    known = RegionIndex.objects.filter(valid_from__lte=day)
    return list(Region.objects.filter(named).exclude(code__in=known.values("region")).order_by("code"))


def agreement_rows(agreements: QuerySet[Agreement], *, day: date) -> list[AgreementRow]:
    """合作表, the latest first."""
    colour = colours(day)
    rows = agreements.select_related("region_a", "region_b").prefetch_related("items")
    return [
        AgreementRow(
            agreement=each,
            in_force=each.effective_from <= day and (each.effective_to is None or each.effective_to >= day),
            due=update_due(each.signed_on),
            late_days=update_overdue(
                signed_on=each.signed_on, updated_on=each.directory_updated_on, today=day
            ),
            colour_a=colour.get(each.region_a_id),
            colour_b=colour.get(each.region_b_id),
        )
        for each in rows.order_by("-signed_on", "pk")
    ]


def facts_in_force(day: date) -> list[AgreementFacts]:
    return [
        AgreementFacts(each.region_a_id, each.region_b_id, each.shared_citywide)
        for each in Agreement.objects.in_force(day)
    ]


def export_cooperation(*, actor: Actor, now: datetime) -> bytes:
    """一表 (agreements) and 一录 (address book of agreements and of items) as one workbook."""
    check_may(actor, "directory.see")
    rows = agreement_rows(Agreement.objects.all(), day=local_day(now))
    contacts = Contact.objects.select_related("item", "office__region").order_by(
        "office__region", "item__code"
    )
    return make_workbook(
        [
            Sheet(
                "合作表", [_TABLE, *map(_table_cells, rows)], widths=(18, 18, 12, 12, 12, 12, 14, 14, 12, 10)
            ),
            Sheet("通讯录", [_BOOK, *map(_book_cells, rows)], widths=(18, 18, 24, 14, 18, 14, 18)),
            Sheet(
                "事项联络员",
                [
                    ("事项编码", "事项名称", "地区", "责任部门", "联络员", "电话"),
                    *(
                        (c.item.code, c.item.name, c.office.region.name, c.office.name, c.name, c.phone)
                        for c in contacts
                    ),
                ],
                widths=(16, 36, 16, 32, 14, 18),
            ),
        ],
        made_at=now,
    )


_TABLE = ("甲方", "乙方", "签订", "生效", "失效", "全市共享", "甲方类别", "乙方类别", "登记更新", "超期天数")
_BOOK = ("甲方", "乙方", "通办联络群", "甲方联络人", "甲方电话", "乙方联络人", "乙方电话")


def _table_cells(row: AgreementRow) -> tuple[object, ...]:
    one = row.agreement
    return (
        one.region_a.name,
        one.region_b.name,
        one.signed_on.isoformat(),
        one.effective_from.isoformat(),
        one.effective_to.isoformat() if one.effective_to else "",
        "是" if one.shared_citywide else "否",
        row.colour_a.label if row.colour_a else "",
        row.colour_b.label if row.colour_b else "",
        one.directory_updated_on.isoformat() if one.directory_updated_on else "",
        row.late_days,
    )


def _book_cells(row: AgreementRow) -> tuple[object, ...]:
    one = row.agreement
    return (
        one.region_a.name,
        one.region_b.name,
        one.group_name,
        one.contact_a,
        one.phone_a,
        one.contact_b,
        one.phone_b,
    )


def _check_indices(population: int, cooperation: int) -> None:
    if not (0 <= population <= _HIGHEST and 0 <= cooperation <= _HIGHEST):
        raise Refused("index_range", "指数应为 0 到 100 的整数。")


def _told(agreement: Agreement) -> dict[str, object]:
    return {
        "regions": [agreement.region_a_id, agreement.region_b_id],
        "signed_on": str(agreement.signed_on),
        "from": str(agreement.effective_from),
        "shared_citywide": agreement.shared_citywide,
    }
