"""What applicants in 全程网办 send, on the courier's bill: nothing where they pay, the contract where their office's centre does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from logistics.models import Charge, Statement
from logistics.postage.drafting import draft_month
from logistics.postage.reconciling import accruals
from logistics.postage.services import (
    add_tariff,
    dispute_all,
    import_statement,
    prepare_month,
    reconcile_statement,
)
from logistics.services.custody import receive_parcel
from registry.actors import SYSTEM, Actor
from registry.models import Event, ServiceCentre
from registry.terms import Role
from tests.cast import NOW, Cast, person
from tests.logistics.online import NUMBER, Online, build_online
from tests.logistics.planting import WRITERS, Row
from tests.logistics.postage_world import MONTH, open_account, tariff_of
from workers.reactions import find, jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
NOT_LISTENING = "http://127.0.0.1:9"
OTHER_ACCOUNT = "Z-331000-0001"
Writer = Callable[[Path, list[Row]], Path]


@pytest.fixture
def online(cast: Cast) -> Online:
    built = build_online(cast, NOT_LISTENING)
    for centre in (built.office.centre, cast.taizhou.centre):
        add_tariff(tariff=tariff_of(centre, carrier="neutral"), actor=SYSTEM, now=NOW)
    open_account(cast.taizhou.centre, built.account.carrier, OTHER_ACCOUNT)
    return built


@pytest.fixture
def finance(online: Online) -> Actor:
    return person("finance-zhuji", Role.FINANCE, centre=online.office.centre)


def charged(online: Online) -> Charge:
    """What the workers make of everything told so far."""
    for event in Event.objects.order_by("pk"):
        for name, part in jobs_of(event):
            if name == "charge_parcel":
                find(name).do(event, part, NOW)
    return Charge.objects.get()


def sent_at_the_offices_cost(online: Online) -> Charge:
    online.office_pays()
    keys = online.keys()
    receive_parcel(parcel=online.announced(), ticked=keys, weight_g=320, actor=online.officer, now=NOW)
    return charged(online)


def billed(
    path: Path, online: Online, finance: Actor, *, term: str, amount: str = "11.00", account: str = "",
    number: str = NUMBER, write: Writer = WRITERS[0],
) -> Statement:  # fmt: skip
    """A file with one line, handed in by the centre's finance and checked."""
    row = (
        "2026-03-10", number, "诸暨市", "320", amount, "0.00", amount, term, account or online.account.number, "", "",
    )  # fmt: skip
    statement = import_statement(
        path=write(path, [row]), carrier=online.account.carrier, month=MONTH, actor=finance, now=NOW
    ).statement
    reconcile_statement(statement=statement, actor=finance, now=NOW)
    return statement


def found(statement: Statement) -> list[tuple[str, str, int]]:
    return sorted(statement.discrepancies.values_list("code", "waybill_number", "stake_fen"))


def to_pay(centre: ServiceCentre, statement: Statement) -> tuple[int, int, int, int]:
    """How many lines of the month fall on a centre, what they bill, hold back and leave to pay."""
    draft = draft_month(centre=centre, carrier=statement.carrier, month=MONTH)
    return draft.count, draft.billed_fen, draft.withheld_fen, draft.payable_fen


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("term", "codes"),
    [
        ("寄付现结", ["wrong_amount"]),
        ("", ["wrong_amount"]),
        ("寄付月结", ["wrong_amount", "wrong_term"]),
        ("到付", ["wrong_amount", "wrong_term"]),
    ],
)
def test_what_the_applicant_paid_at_the_counter_is_billed_to_nobody(
    online: Online, finance: Actor, tmp_path: Path, term: str, codes: list[str], write: Writer
) -> None:
    online.announced()
    charge = charged(online)
    assert (charge.amount_fen, charge.centre, charge.term) == (0, None, "sender_cash")
    statement = billed(tmp_path / "bill", online, finance, term=term, write=write)
    assert found(statement) == [(code, NUMBER, 1100) for code in codes]
    difference = statement.discrepancies.get(code="wrong_amount")
    assert (difference.ours, difference.theirs) == ("0.00，由申请人寄付现结", "11.00")
    dispute_all(statement_id=statement.pk, reason="申请人已在柜台付清", actor=finance, now=NOW)
    assert to_pay(online.office.centre, statement) == (1, 1100, 1100, 0)
    for centre in ServiceCentre.objects.exclude(pk=online.office.centre_id):
        assert to_pay(centre, statement) == (0, 0, 0, 0)
    assert accruals(centre=None, carrier_id=statement.carrier_id, month=MONTH) == []
    proposal = prepare_month(
        centre=online.office.centre, carrier=statement.carrier, month=MONTH, actor=finance, now=NOW
    )
    assert proposal.payable_fen == 0


def test_a_weight_and_a_journey_that_are_nobodys_business_add_nothing(
    online: Online, finance: Actor, tmp_path: Path
) -> None:
    """Neither weighed by us nor delivered: what is wrong is that it is billed at all."""
    online.announced()
    charged(online)
    assert found(billed(tmp_path / "a", online, finance, term="寄付现结", amount="0.01")) == [
        ("wrong_amount", NUMBER, 1)
    ]


def test_a_number_that_is_only_shown_is_not_ours_to_pay(
    online: Online, finance: Actor, tmp_path: Path
) -> None:
    online.announced(company="跑腿", number="PT20260310")
    statement = billed(tmp_path / "a", online, finance, term="寄付现结", number="PT20260310")
    assert found(statement) == [("unknown_waybill", "PT20260310", 1100)]


@pytest.mark.parametrize("write", WRITERS)
def test_where_the_centre_takes_it_over_the_contracts_price_is_no_difference(
    online: Online, finance: Actor, tmp_path: Path, write: Writer
) -> None:
    charge = sent_at_the_offices_cost(online)
    assert (charge.amount_fen, charge.centre, charge.term) == (1100, online.office.centre, "collect")
    statement = billed(tmp_path / "bill", online, finance, term="到付", write=write)
    assert found(statement) == []
    assert to_pay(online.office.centre, statement) == (1, 1100, 0, 1100)
    for centre in ServiceCentre.objects.exclude(pk=online.office.centre_id):
        assert to_pay(centre, statement) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("term", "amount", "expected"),
    [
        ("到付", "15.00", ("wrong_amount", NUMBER, 400)),
        ("寄付现结", "11.00", ("wrong_term", NUMBER, 1100)),
        ("寄付月结", "11.00", ("wrong_term", NUMBER, 1100)),
    ],
)
def test_a_fen_too_much_or_the_wrong_end_is_found(
    online: Online, finance: Actor, tmp_path: Path, term: str, amount: str, expected: tuple[str, str, int]
) -> None:
    sent_at_the_offices_cost(online)
    assert found(billed(tmp_path / "a", online, finance, term=term, amount=amount)) == [expected]


def test_billed_to_another_centres_account_it_is_held_back_there_and_nobody_pays(
    online: Online, finance: Actor, tmp_path: Path
) -> None:
    sent_at_the_offices_cost(online)
    statement = billed(tmp_path / "a", online, online.cast.finance, term="到付", account=OTHER_ACCOUNT)
    assert found(statement) == [("wrong_account", NUMBER, 1100)]
    dispute_all(statement_id=statement.pk, reason="账号不符", actor=online.cast.finance, now=NOW)
    assert to_pay(online.cast.taizhou.centre, statement) == (1, 1100, 1100, 0)
    assert to_pay(online.office.centre, statement) == (0, 0, 0, 0)
