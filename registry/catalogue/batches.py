"""批次: what was announced beside what the catalogue holds of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Q

from registry.models import CatalogueBatch, ServiceItem
from registry.terms import Scope


@dataclass(frozen=True)
class BatchRow:
    """One batch on a day. `announced` None where the notice names no number; `due_on` None where it names no day."""

    region: str
    region_name: str
    name: str
    scope: str
    announced: int | None
    due_on: date | None
    source: str
    listed: int
    negative: int
    coming: int
    day: date

    @property
    def scope_label(self) -> str:
        return Scope(self.scope).label

    @property
    def missing(self) -> int:
        """How many announced items the catalogue does not hold; 0 where no number was announced."""
        return max((self.announced or 0) - self.listed, 0)

    @property
    def overdue(self) -> bool:
        """分批次分阶段对外公布 (putian §五(三)): the day has passed and items are missing, or there is none at all."""
        return self.due_on is not None and self.day > self.due_on and (self.missing > 0 or self.listed == 0)


def batch_rows(day: date) -> list[BatchRow]:
    """Every batch that was announced or that items name, in the order of regions and of batches; two queries."""
    counted = _counts(day)
    rows = [
        _row(
            counted.pop((batch.region_id, batch.name), {}),
            day,
            region=batch.region_id,
            region_name=batch.region.name,
            name=batch.name,
            scope=batch.scope,
            announced=batch.announced,
            due_on=batch.due_on,
            source=batch.source,
        )
        for batch in CatalogueBatch.objects.select_related("region")
    ]
    rows += [
        _row(
            counts,
            day,
            region=region,
            region_name=str(counts["region__name"]),
            name=name,
            scope=str(counts["scope"]),
            announced=None,
            due_on=None,
            source="",
        )
        for (region, name), counts in sorted(counted.items())
    ]
    return rows


def _row(counts: Mapping[str, object], day: date, **told: object) -> BatchRow:
    numbers = {name: int(str(counts.get(name, 0))) for name in ("listed", "negative", "coming")}
    return BatchRow(**told, **numbers, day=day)  # type: ignore[arg-type]


def _counts(day: date) -> dict[tuple[str, str], dict[str, object]]:
    """By region and batch, the items of today, those of them on the negative list, and those that come later."""
    today = Q(effective_from__lte=day) & (Q(effective_to__isnull=True) | Q(effective_to__gte=day))
    rows = (
        ServiceItem.objects.filter(today | Q(effective_from__gt=day))
        .values("region_id", "region__name", "batch")
        .annotate(
            listed=Count("code", filter=today, distinct=True),
            negative=Count("code", filter=today & Q(negative=True), distinct=True),
            coming=Count("code", filter=Q(effective_from__gt=day), distinct=True),
            scope=Min("scope"),
        )
        .order_by("region_id", "batch")
    )
    return {(row["region_id"], row["batch"]): dict(row) for row in rows}
