"""Item versions between their rows and the value that the rules compare."""

from collections.abc import Iterable, Mapping

from django.db.models import Prefetch, prefetch_related_objects

from registry.models import Contact, ItemOffice, MaterialRequirement, Office, ServiceItem
from registry.rules.catalogue import Entry, Paper, Responsible
from registry.rules.questionnaire import points_data, points_of

_BATCH = 500


def latest_versions(codes: list[str], *, lock: bool = False) -> dict[str, ServiceItem]:
    """The newest version of each code, in a few queries however many there are."""
    found: dict[str, ServiceItem] = {}
    for begin in range(0, len(codes), _BATCH):
        rows = ServiceItem.objects.filter(code__in=codes[begin : begin + _BATCH]).order_by("code", "version")
        found |= {item.code: item for item in (rows.select_for_update() if lock else rows)}
    return found


def entries_of(items: Iterable[ServiceItem]) -> dict[str, Entry]:
    """Each version whole, by code; four queries."""
    rows = list(items)
    prefetch_related_objects(
        rows,
        "requirements",
        Prefetch("offices", ItemOffice.objects.select_related("office").order_by("pk")),
        "contacts",
    )
    return {item.code: _entry(item) for item in rows}


def _entry(item: ServiceItem) -> Entry:
    contacts = {contact.office_id: contact for contact in item.contacts.all()}
    return Entry(
        code=item.code,
        name=item.name,
        region=item.region_id,
        scope=item.scope,
        batch=item.batch,
        lead_department=item.lead_department,
        scenario=item.scenario,
        effective_from=item.effective_from,
        effective_to=item.effective_to,
        negative=item.negative,
        modes=tuple(item.modes),
        stars=item.stars,
        unified_platform=item.unified_platform,
        promised_days=item.promised_days,
        source=item.source,
        offices=tuple(_responsible(row.office, contacts.get(row.office_id)) for row in item.offices.all()),
        papers=tuple(_paper(row) for row in item.requirements.all()),
        points=points_of(item.review_points),
    )


def _responsible(office: Office, contact: Contact | None) -> Responsible:
    return Responsible(office.code, contact.name if contact else "", contact.phone if contact else "")


def _paper(row: MaterialRequirement) -> Paper:
    return Paper(
        name=row.name,
        original=row.form == MaterialRequirement.Form.ORIGINAL,
        mailed=row.mailed,
        minimum_pages=row.minimum_pages,
        required=row.required,
        deferrable=row.deferrable,
        shared_data=row.shared_data,
        validity_rule=row.validity_rule,
        expected_fields=tuple(row.expected_fields),
    )


def write_version(entry: Entry, *, version: int, offices: Mapping[str, tuple[int, str]]) -> ServiceItem:
    """A new version with all its parts. `offices`: code → key and region."""
    item = ServiceItem.objects.create(
        code=entry.code,
        version=version,
        name=entry.name,
        region_id=entry.region,
        scope=entry.scope,
        batch=entry.batch,
        lead_department=entry.lead_department,
        scenario=entry.scenario,
        effective_from=entry.effective_from,
        effective_to=entry.effective_to,
        negative=entry.negative,
        modes=list(entry.modes),
        stars=entry.stars,
        unified_platform=entry.unified_platform,
        promised_days=entry.promised_days,
        review_points=points_data(entry.points),
        source=entry.source,
    )
    keys = [(row, *offices[row.office]) for row in entry.offices]
    ItemOffice.objects.bulk_create(
        ItemOffice(item=item, office_id=key, region_id=region) for _, key, region in keys
    )
    write_contacts(item, entry, offices=offices)
    MaterialRequirement.objects.bulk_create(
        MaterialRequirement(
            item=item,
            position=position,
            name=paper.name,
            form=MaterialRequirement.Form.ORIGINAL if paper.original else MaterialRequirement.Form.COPY,
            mailed=paper.mailed,
            minimum_pages=paper.minimum_pages,
            required=paper.required,
            deferrable=paper.deferrable,
            shared_data=paper.shared_data,
            validity_rule=paper.validity_rule,
            expected_fields=list(paper.expected_fields),
        )
        for position, paper in enumerate(entry.papers, start=1)
    )
    return item


def write_contacts(item: ServiceItem, entry: Entry, *, offices: Mapping[str, tuple[int, str]]) -> None:
    """The one contact of each office (taizhou-2021 §四(三)): who it is changes without a new version."""
    Contact.objects.bulk_create(
        [
            Contact(item=item, office_id=offices[row.office][0], name=row.contact, phone=row.phone)
            for row in entry.offices
        ],
        update_conflicts=True,
        unique_fields=["item", "office"],
        update_fields=["name", "phone"],
    )
