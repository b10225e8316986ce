"""Issuing: numbered once, kept as it was, printed outside the transaction, seen by those it concerns."""

import hashlib
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.db import IntegrityError, transaction

from ingest.codes import read_codes
from registry.actors import SYSTEM
from registry.models import Event, NumberSequence, Slip
from registry.paper.engine import TEMPLATE_VERSION
from registry.paper.issue import issue, print_slip, slip_pdf
from registry.paper.kinds import SlipKind
from registry.paper.symbols import QR_QUIET_MODULES, qr_matrix
from registry.permissions import NotYours, check_may
from registry.tokens import ForgedCode, Purpose, check
from storage.models import Kind, StoredObject
from tests.cast import Cast, assemble
from tests.registry.paper import NOW, SECRETS, one_of_each

pytestmark = pytest.mark.django_db

CODE_MM = 24
"""The side of the code on a slip, its quiet zone with it."""
DRAFTS = {kind: slip.model_copy(update={"number": "", "code": ""}) for kind, slip in one_of_each().items()}
RECEIPT = DRAFTS[SlipKind.RECEIPT]


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def receipt(cast: Cast, **changes: object) -> Slip:
    values = {
        "kind": SlipKind.RECEIPT,
        "subject": cast.item,
        "data": RECEIPT,
        "actor": cast.clerk,
        "now": NOW,
        "window": cast.zhuji,
        "office": cast.taizhou,
    }
    return issue(**{**values, **changes})  # type: ignore[arg-type]


def test_numbers_run_by_kind_and_year(cast: Cast) -> None:
    first = receipt(cast)
    second = receipt(cast, subject=cast.zhuji)
    notice = receipt(cast, kind="notice", data=DRAFTS[SlipKind.NOTICE])
    next_year = receipt(cast, subject=cast.taizhou, now=NOW + timedelta(days=300))
    assert [slip.number for slip in (first, second, notice, next_year)] == [
        "通办收字〔2026〕00001号",
        "通办收字〔2026〕00002号",
        "通办告字〔2026〕00001号",
        "通办收字〔2027〕00001号",
    ]


def test_asking_twice_issues_once_and_wastes_no_number(cast: Cast) -> None:
    first = receipt(cast)
    again = receipt(cast, now=NOW + timedelta(hours=1))
    assert again == first
    assert again.issued_at == NOW
    assert Event.objects.filter(kind="slip.issued").count() == 1
    assert receipt(cast, subject=cast.zhuji).number == "通办收字〔2026〕00002号"


def test_a_new_revision_is_a_new_slip(cast: Cast) -> None:
    assert receipt(cast).number != receipt(cast, revision=2).number


def test_the_database_holds_one_slip_for_a_revision(cast: Cast) -> None:
    slip = receipt(cast)
    slip.pk, slip.number, slip.code = None, "other", "A" * 16
    with pytest.raises(IntegrityError), transaction.atomic():
        slip.save(force_insert=True)


def test_a_transaction_that_fails_leaves_neither_slip_nor_number(cast: Cast) -> None:
    with transaction.atomic():
        receipt(cast)
        transaction.set_rollback(True)
    assert not Slip.objects.exists()
    assert not NumberSequence.objects.filter(name__startswith="slip:", value__gt=0).exists()


def test_what_it_says_is_kept_encrypted_and_the_event_is_silent(cast: Cast) -> None:
    slip = receipt(cast)
    event = Event.objects.get(kind="slip.issued")
    assert event.case_number == RECEIPT.case_number
    assert event.data == {"slip_kind": "receipt", "number": slip.number, "revision": 1}
    assert Slip.objects.get(pk=slip.pk).data["applicant_name"] == "欧阳建国"
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT data FROM registry_slip")
        raw = str(cursor.fetchone()[0])
    assert "欧阳" not in raw
    assert "applicant_name" not in raw
    assert [secret for secret in SECRETS if secret in str(slip.data)] == []


def test_its_code_leads_back_to_it(cast: Cast) -> None:
    slip = receipt(cast)
    assert check(slip.data["code"], purpose=Purpose.SLIP).identifier == slip.code
    with pytest.raises(ForgedCode):
        check(slip.data["code"][:-1] + ("A" if slip.data["code"][-1] != "A" else "B"), purpose=Purpose.SLIP)


def test_the_link_of_an_ordinary_host_is_read_off_the_printed_page(cast: Cast, settings: Any) -> None:
    settings.PUBLIC_URL = "https://tongban.zhuji.gov.cn"
    slip = receipt(cast)
    link = slip.data["code"]
    assert link.startswith("HTTPS://TONGBAN.ZHUJI.GOV.CN/P/TB1-S-")
    with pypdfium2.PdfDocument(slip_pdf(slip)) as document:
        picture = document[0].render(scale=150 / 72, grayscale=True).to_pil()
    [code] = read_codes(picture)
    assert code.text == link
    assert check(code.text, purpose=Purpose.SLIP).identifier == slip.code
    assert CODE_MM / (qr_matrix(link).size + 2 * QR_QUIET_MODULES) >= 0.5


def test_printing_stores_what_anybody_can_make_again(cast: Cast, objects: None) -> None:
    slip = receipt(cast)
    made = slip_pdf(slip)
    printed = print_slip(slip=slip, now=NOW)
    assert printed.sha256 == hashlib.sha256(made).hexdigest()
    assert printed.stored is not None
    assert printed.stored.kind == Kind.SLIP
    assert printed.template_version == TEMPLATE_VERSION
    assert slip_pdf(printed) == made
    again = print_slip(slip=Slip.objects.get(pk=slip.pk), now=NOW + timedelta(days=1))
    assert again.stored_id == printed.stored_id
    assert StoredObject.objects.filter(kind=Kind.SLIP).count() == 1


def test_a_settlement_goes_where_settlements_are_kept(cast: Cast, objects: None) -> None:
    content = DRAFTS[SlipKind.SETTLEMENT]
    slip = issue(kind="settlement", subject=cast.taizhou.centre, data=content, actor=SYSTEM, now=NOW)
    stored = print_slip(slip=slip, now=NOW).stored
    assert stored is not None
    assert stored.kind == Kind.SETTLEMENT


def test_only_those_concerned_open_it(cast: Cast) -> None:
    slip = receipt(cast)
    for actor in (cast.clerk, cast.officer):
        check_may(actor, "slip.print", slip)
    for actor in (cast.other_clerk, cast.other_officer, cast.finance):
        with pytest.raises(NotYours):
            check_may(actor, "slip.print", slip)


def test_the_content_must_be_of_the_kind(cast: Cast) -> None:
    with pytest.raises(TypeError):
        receipt(cast, kind="refusal")
