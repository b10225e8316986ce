"""One story out of scans in any order: reversals, snapshots, late feeds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from logistics.rules.tracking import (
    Scan,
    Snapshot,
    TrackingKind,
    reconcile,
    reversals,
    standing,
    whereabouts,
)

START = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
K = TrackingKind


def scan(key: str, kind: TrackingKind, hour: float = 0, **more: object) -> Scan:
    return Scan(key=key, kind=kind, at=START + timedelta(hours=hour), **more)  # type: ignore[arg-type]


def kinds(scans: list[Scan]) -> list[str]:
    return [one.kind.value for one in standing(scans)]


def now_at(scans: list[Scan]) -> str:
    said = whereabouts(scans)
    return said[0].value if said else ""


WAY = [
    scan("a", K.COLLECTED, 1),
    scan("b", K.IN_TRANSIT, 2),
    scan("c", K.OUT_FOR_DELIVERY, 3),
    scan("d", K.DELIVERED, 4),
]


@given(st.permutations(WAY))
def test_arrival_order_does_not_matter(scans: list[Scan]) -> None:
    assert kinds(scans) == ["collected", "in_transit", "out_for_delivery", "delivered"]
    assert now_at(scans) == "delivered"


def test_a_late_scan_does_not_undo_a_delivery() -> None:
    assert now_at([*WAY, scan("e", K.IN_TRANSIT, 9)]) == "delivered"


def test_a_reversal_undoes_it_and_its_own_reversal_restores_it() -> None:
    undone = [*WAY, scan("x", K.REVERSAL, 5, reverses_key="d")]
    assert now_at(undone) == "out_for_delivery"
    assert now_at([*undone, scan("y", K.REVERSAL, 6, reverses_key="x")]) == "delivered"


@given(st.permutations([*WAY, scan("x", K.REVERSAL, 5, reverses_key="d"), scan("e", K.DELIVERED, 7)]))
def test_delivered_again_after_a_reversal(scans: list[Scan]) -> None:
    assert whereabouts(scans) == (K.DELIVERED, START + timedelta(hours=7))


def test_a_reversal_that_comes_before_what_it_voids() -> None:
    assert now_at([scan("x", K.REVERSAL, 5, reverses_key="d"), *WAY[:3]]) == "out_for_delivery"


def test_reversals_in_a_circle_void_each_other_and_end() -> None:
    circle = [scan("x", K.REVERSAL, 1, reverses_key="y"), scan("y", K.REVERSAL, 2, reverses_key="x")]
    assert now_at([*WAY, *circle]) == "delivered"


def test_a_reversal_by_code_voids_the_latest_such_scan_before_it() -> None:
    scans = [
        scan("d1", K.DELIVERED, 4, code="704"),
        scan("d2", K.DELIVERED, 8, code="704"),
        scan("x", K.REVERSAL, 5, code="743", reverses_codes=("704",)),
    ]
    assert reversals(scans) == {"d1": "x"}
    assert reversals([*scans, scan("x2", K.REVERSAL, 9, reverses_codes=("704",))]) == {"d1": "x", "d2": "x2"}


def test_delivered_on_the_way_back_means_returned() -> None:
    assert now_at([scan("r", K.RETURNING, 3), scan("d", K.DELIVERED, 5)]) == "returned"
    assert now_at([scan("d", K.DELIVERED, 3), scan("r", K.RETURNING, 5)]) == "delivered"


def test_nothing_known_is_nothing_said() -> None:
    assert whereabouts([]) is None


def snapshot(*scans: Scan) -> tuple[Snapshot, list[Scan]]:
    return Snapshot(frozenset(one.key for one in scans), max(one.at for one in scans)), list(scans)


def merged(pushes: list[tuple[Snapshot, list[Scan]]]) -> list[Scan]:
    """What the service does with snapshots, without a database."""
    scans: dict[str, Scan] = {}
    leading: Snapshot | None = None
    for listed, content in pushes:
        scans |= {one.key: one for one in content if one.key not in scans}
        if listed.outranks(leading):
            leading = listed
        assert leading is not None
        scans |= {one.key: one for one in reconcile(list(scans.values()), leading)}
    return list(scans.values())


CORRECTED = scan("f", K.IN_TRANSIT, 6)
AGAIN = scan("g", K.DELIVERED, 8)
STORY = [
    snapshot(WAY[0]),
    snapshot(*WAY[:3]),
    snapshot(*WAY),
    snapshot(*WAY[:3], CORRECTED),
    snapshot(*WAY[:3], CORRECTED, AGAIN),
]


@given(st.lists(st.sampled_from(STORY), max_size=6).flatmap(lambda extra: st.permutations([*STORY, *extra])))
def test_snapshots_in_any_order_and_number_tell_the_same_story(
    pushes: list[tuple[Snapshot, list[Scan]]],
) -> None:
    assert kinds(merged(pushes)) == ["collected", "in_transit", "out_for_delivery", "in_transit", "delivered"]


def test_a_delivery_that_the_next_list_leaves_out_is_undone() -> None:
    assert now_at(merged(STORY[:3])) == "delivered"
    assert now_at(merged(STORY[:4])) == "in_transit"


def test_what_is_listed_again_holds_again() -> None:
    back = [*STORY[:4], snapshot(*WAY, CORRECTED, AGAIN)]
    assert kinds(merged(back)).count("delivered") == 2


HOURS = st.lists(st.integers(0, 6), min_size=1, max_size=6, unique=True)


@given(st.lists(HOURS, min_size=1, max_size=5), st.randoms())
def test_any_set_of_snapshots_ends_the_same_in_any_order(histories: list[list[int]], dice: object) -> None:
    pushes = [snapshot(*(scan(f"s{hour}", K.IN_TRANSIT, hour) for hour in hours)) for hours in histories]
    shuffled = list(pushes)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [one.key for one in standing(merged(pushes))] == [one.key for one in standing(merged(shuffled))]
