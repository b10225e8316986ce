"""Statements against the world: nothing missed, nothing invented, the same again, in any order."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from logistics.models import Carrier, Discrepancy, Statement, StatementLine
from logistics.postage.services import (
    dispute_all,
    import_statement,
    preview_statement,
    reconcile_statement,
    remember_columns,
    resolve_discrepancy,
)
from logistics.postage.statements import Imported
from logistics.rules.checks import Code
from logistics.rules.disputes import DiscrepancyState, NotAllowed
from logistics.rules.money import fen_of
from logistics.rules.parcels import ParcelState
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, assemble, person
from tests.logistics.planting import AMOUNT, WRITERS, Planter, tally
from tests.logistics.postage_world import (
    ACCOUNT,
    DELIVERED,
    MONTH,
    PostageWorld,
    write_csv,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]

OTHER_ACCOUNT = "90000009999999"


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def take_in(world: PostageWorld, path: Path, *, month: str = MONTH) -> Imported:
    return import_statement(path=path, carrier=world.carrier, month=month, actor=world.cast.finance, now=NOW)


def bill(world: PostageWorld, path: Path, rows: list[tuple[str, ...]], *, month: str = MONTH) -> Statement:
    return take_in(world, write_csv(path, rows), month=month).statement


def check(world: PostageWorld, statement: Statement) -> list[tuple[str, str, int]]:
    reconcile_statement(statement=statement, actor=world.cast.finance, now=NOW)
    return findings(statement)


def findings(statement: Statement) -> list[tuple[str, str, int]]:
    rows = statement.discrepancies.exclude(state=DiscrepancyState.CLEARED.value)
    return sorted(rows.values_list("code", "waybill_number", "stake_fen"))


@pytest.mark.parametrize("chosen", ["anew", "7"])
def test_every_planted_fault_of_every_month_is_found_and_none_invented(
    world: PostageWorld, tmp_path: Path, chosen: str
) -> None:
    # Drawn here and not in the parameters: the processes of pytest-xdist must collect the same tests.
    seed = random.randrange(10**6) if chosen == "anew" else int(chosen)
    print(f"seed {seed}")
    months = Planter(world, seed).grow(each=2)
    assert set(tally(months[0].planted)) == set(Code.values())
    statements = [
        take_in(world, writer(tmp_path / f"{month.name}.bin", month.rows), month=month.name).statement
        for month, writer in zip(months, random.Random(seed).sample(WRITERS, len(months)), strict=True)
    ]
    for month, statement in zip(months, statements, strict=True):
        assert check(world, statement) == sorted(month.planted), f"seed {seed}, {month.name}"
        assert statement.amount_fen == sum(fen_of(row[AMOUNT]) for row in month.rows[:-1])


def test_checking_again_finds_the_same_and_adds_nothing(world: PostageWorld, tmp_path: Path) -> None:
    charge = world.charged()
    march = bill(
        world, tmp_path / "a.csv", [world.row(charge.waybill.number, "12.00"), world.row("999999", "5")]
    )
    first = check(world, march)
    before = list(Discrepancy.objects.order_by("pk").values())
    events = Event.objects.count()
    assert check(world, march) == first
    assert list(Discrepancy.objects.order_by("pk").values()) == before
    assert Event.objects.count() == events


def test_an_open_difference_follows_the_facts_and_a_decided_one_stays(
    world: PostageWorld, tmp_path: Path
) -> None:
    late, wrong = world.charged(), world.charged()
    for charge in (late, wrong):
        parcel = charge.parcel
        parcel.state, parcel.delivered_at = ParcelState.IN_TRANSIT.value, None
        parcel.save()
    march = bill(
        world, tmp_path / "a.csv", [world.row(charge.waybill.number, "11.00") for charge in (late, wrong)]
    )
    assert len(check(world, march)) == 2
    decided = Discrepancy.objects.get(waybill_number=wrong.waybill.number)
    resolve_discrepancy(
        discrepancy=decided, to=DiscrepancyState.DISPUTED, reason="未妥投", actor=world.cast.finance, now=NOW
    )
    for charge in (late, wrong):
        charge.parcel.delivered_at = DELIVERED
        charge.parcel.save()
    assert check(world, march) == [("not_delivered", wrong.waybill.number, 1100)]
    assert Discrepancy.objects.get(waybill_number=late.waybill.number).state == DiscrepancyState.CLEARED


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_order_of_imports_does_not_change_the_outcome(
    world: PostageWorld, tmp_path: Path, order: tuple[int, ...]
) -> None:
    numbers = [world.charged().waybill.number for _ in range(3)]
    files = [
        ("2026-01", [world.row(numbers[0], "11.00"), world.row(numbers[1], "11.00")]),
        ("2026-02", [world.row(numbers[1], "11.00"), world.row(numbers[2], "11.00")]),
        (
            "2026-03",
            [world.row(numbers[1], "11.00"), world.row(numbers[2], "-11.00"), world.row(numbers[0], "1")],
        ),
    ]
    for index in order:
        month, rows = files[index]
        check(world, bill(world, tmp_path / f"{index}.csv", rows, month=month))
    outcome = sorted(
        Discrepancy.objects.exclude(state=DiscrepancyState.CLEARED.value).values_list(
            "statement__month", "code", "waybill_number", "stake_fen", "state"
        )
    )
    assert outcome == [
        ("2026-02", "billed_before", numbers[1], 1100, "open"),
        ("2026-03", "billed_before", numbers[0], 100, "open"),
        ("2026-03", "billed_before", numbers[1], 1100, "open"),
    ]


def test_a_credit_in_a_later_statement_is_matched_back(world: PostageWorld, tmp_path: Path) -> None:
    charge = world.charged()
    number = charge.waybill.number
    march = bill(world, tmp_path / "a.csv", [world.row(number, "12.00")])
    check(world, march)
    dispute_all(statement_id=march.pk, reason="多收一元", actor=world.cast.finance, now=NOW)
    april = bill(world, tmp_path / "b.csv", [world.row(number, "-1.00")], month="2026-04")
    assert check(world, april) == []
    credited = Discrepancy.objects.get()
    assert (credited.state, credited.credited_by) == ("credited", april.lines.get())
    assert "2026-04" in credited.reason
    assert Event.objects.filter(kind="discrepancy.credited").count() == 1


def test_delivered_but_unbilled_is_accrued(world: PostageWorld, tmp_path: Path) -> None:
    billed, waiting = world.charged(), world.charged()
    world.charged(world.waybill(world.parcel(state=ParcelState.IN_TRANSIT, delivered_at=None)))
    march = bill(world, tmp_path / "a.csv", [world.row(billed.waybill.number, "11.00")])
    outcome = reconcile_statement(statement=march, actor=world.cast.finance, now=NOW)
    assert (outcome.differences, outcome.accrued, outcome.accrued_fen) == (0, 1, waiting.amount_fen)


def test_the_same_file_is_recognised_and_nothing_happens_twice(world: PostageWorld, tmp_path: Path) -> None:
    rows = [world.row(world.charged().waybill.number, "11.00")]
    first = take_in(world, write_csv(tmp_path / "a.csv", rows))
    again = take_in(world, write_csv(tmp_path / "copy.csv", rows))
    assert (first.known, again.known) == (False, True)
    assert again.statement == first.statement
    assert StatementLine.objects.count() == 1
    with pytest.raises(Refused, match="2026-03"):
        take_in(world, tmp_path / "a.csv", month="2026-04")
    other = Carrier.objects.create(code="sf", name="顺丰速运", adapter="neutral")
    with pytest.raises(Refused, match=world.carrier.name):
        import_statement(
            path=tmp_path / "a.csv", carrier=other, month=MONTH, actor=world.cast.finance, now=NOW
        )


def test_the_file_is_kept_as_evidence_and_accounts_are_masked(world: PostageWorld, tmp_path: Path) -> None:
    march = bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    assert march.stored.sha256 == march.sha256
    assert march.encoding == "gb18030"
    assert march.columns["waybill"] == "邮件号"
    line = march.lines.get()
    assert line.account == world.account
    assert ACCOUNT not in str(list(StatementLine.objects.values()))
    assert line.account_label.endswith("****4567")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["邮件号,重量(克)", "A1,320"], "缺少“金额”列"),
        (["邮件号,合计费用", "A1,11.00", "A2,十一元"], "第 3 行"),
        (["邮件号,合计费用", "A1,11.005"], "不能精确到分"),
        (["邮件号,合计费用"], "没有明细行"),
    ],
)
def test_a_statement_that_cannot_be_read_to_its_end_leaves_nothing(
    world: PostageWorld, tmp_path: Path, rows: list[str], message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(Refused, match=message):
        take_in(world, path)
    assert not Statement.objects.exists()
    assert not Event.objects.filter(kind__startswith="statement.").exists()


def test_unknown_names_are_told_once(world: PostageWorld, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("邮件编码,结账数\nA1,1\n", encoding="utf-8")
    preview = preview_statement(path=path, carrier=world.carrier, actor=world.cast.finance)
    assert "缺少" in preview.fault
    assert preview.sample[0] == ("邮件编码", "结账数")
    remember_columns(
        carrier=world.carrier,
        names={"邮件编码": "waybill", "结账数": "amount"},
        actor=world.cast.finance,
        now=NOW,
    )
    assert take_in(world, path).statement.line_count == 1


def test_only_the_centres_own_finance_officer_works_on_a_statement(
    world: PostageWorld, tmp_path: Path
) -> None:
    march = bill(world, tmp_path / "a.csv", [world.row("999999", "11.00")])
    check(world, march)
    stranger = person("other-finance", Role.FINANCE, centre=world.cast.wenling.centre)
    for actor in (stranger, world.cast.clerk, world.cast.officer, world.cast.auditor):
        with pytest.raises(NotYours):
            reconcile_statement(statement=march, actor=actor, now=NOW)
        with pytest.raises(NotYours):
            dispute_all(statement_id=march.pk, reason="x", actor=actor, now=NOW)
    with pytest.raises(NotYours):
        import_statement(
            path=tmp_path / "a.csv", carrier=world.carrier, month=MONTH, actor=world.cast.clerk, now=NOW
        )


def test_a_decision_carries_its_reason_and_follows_the_table(world: PostageWorld, tmp_path: Path) -> None:
    march = bill(world, tmp_path / "a.csv", [world.row("999999", "11.00")])
    check(world, march)
    found = march.discrepancies.get()

    def decide(to: DiscrepancyState, reason: str = "核实") -> Callable[[], Discrepancy]:
        return lambda: resolve_discrepancy(
            discrepancy=found, to=to, reason=reason, actor=world.cast.finance, now=NOW
        )

    with pytest.raises(NotAllowed, match="理由"):
        decide(DiscrepancyState.DISPUTED, "")()
    assert decide(DiscrepancyState.DISPUTED)().state == "disputed"
    assert decide(DiscrepancyState.ACCEPTED)().state == "accepted"
    with pytest.raises(NotAllowed, match="已认可"):
        decide(DiscrepancyState.DISPUTED)()
    kinds = Counter(Event.objects.filter(kind__startswith="discrepancy.").values_list("kind", flat=True))
    assert kinds == {"discrepancy.disputed": 1, "discrepancy.accepted": 1}
