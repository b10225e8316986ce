"""Where a process of the simulation dies: at each commit that anything comes to, the first time that it does."""

import importlib
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from config.simulation.crashes import CommitPoints, Crash, Survived
from config.simulation.points import known_places
from registry.models import NumberSequence


@pytest.fixture
def points(transactional_db: None) -> Iterator[CommitPoints]:
    yield CommitPoints(lambda share: False)
    assert "_commit" not in vars(connection)


def _two_commits() -> None:
    with transaction.atomic():
        NumberSequence.objects.create(name="made")
    NumberSequence.objects.update(value=7)


def _one_after_another() -> None:
    for number in range(4):
        NumberSequence.objects.create(name=f"made-{number}")


def _until_it_comes_through(points: CommitPoints, act: Callable[[], None]) -> list[list[int]]:
    """What each death left of the values."""
    left = []
    while True:
        NumberSequence.objects.all().delete()
        try:
            with points.during("act"):
                act()
        except Crash:
            left.append(list(NumberSequence.objects.order_by("pk").values_list("value", flat=True)))
        else:
            return left


def test_a_process_dies_before_and_after_each_commit(points: CommitPoints) -> None:
    assert _until_it_comes_through(points, _two_commits) == [[], [0], [0], [7]]
    assert [(point.turn, point.side) for point in points.struck] == 2 * [
        ("first", "before"),
        ("first", "after"),
    ]
    assert {point.place.rpartition(".")[2] for point in points.struck} == {"_two_commits"}
    assert points.never_struck() == []


def test_the_first_turn_of_a_loop_is_told_from_those_that_follow(points: CommitPoints) -> None:
    assert _until_it_comes_through(points, _one_after_another) == [[], [0], [0], [0, 0]]
    assert len({point.way for point in points.reached}) == 1
    assert {(point.turn, point.side) for point in points.struck} == {
        (turn, side) for turn in ("first", "again") for side in ("before", "after")
    }


def test_one_function_reached_on_two_ways_is_struck_on_both(points: CommitPoints) -> None:
    def by_one_way() -> None:
        _two_commits()

    def by_another() -> None:
        NumberSequence.objects.all().delete()
        _two_commits()

    assert len(_until_it_comes_through(points, by_one_way)) == 4
    assert len(_until_it_comes_through(points, by_another)) == 2 + 4


def test_where_a_process_died_already_another_dies_by_chance(points: CommitPoints) -> None:
    fates: list[bool] = []
    points._unlucky = lambda share: bool(fates) and fates.pop(0)
    left = []
    for fate in ([], [False, False, True]):
        fates[:] = fate
        left.append(_until_it_comes_through(points, _two_commits))
    assert left == [[[], [0], [0], [7]], [[0]]]
    assert sorted(points.struck.values()) == [1, 1, 1, 2]


def test_a_dead_process_writes_nothing_more(points: CommitPoints) -> None:
    def act() -> None:
        try:
            NumberSequence.objects.create(name="made")
        finally:
            with transaction.atomic():
                NumberSequence.objects.create(name="made by the dead")

    with pytest.raises(Crash), points.during("act"):
        act()
    assert not NumberSequence.objects.exists()


def test_whoever_goes_on_after_the_end_of_the_process_is_told_of(points: CommitPoints) -> None:
    def act() -> None:
        try:
            _two_commits()
        except BaseException:  # noqa: BLE001 — the fault that is to be found
            return

    with pytest.raises(Survived, match="_two_commits"), points.during("act"):
        act()


def test_every_place_on_the_list_is_one_of_the_code() -> None:
    """When this fails, a function was renamed: `manage.py simulate --learn` adds the new name, the old line goes."""
    gone = []
    for line in known_places():
        place = line.partition(" @ ")[2].partition(".<locals>")[0]
        if place != "the play" and not _is_there(place):
            gone.append(line)
    assert gone == []


def _is_there(place: str) -> bool:
    names = place.split(".")
    for length in range(len(names) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(names[:length]))
        except ModuleNotFoundError:
            continue
        for name in names[length:]:
            found = getattr(found, name, None)
        return found is not None
    return False
