"""A paper is handed out in the moment in which it is chased: no incident stays open about what has left the desk."""

import pytest

from config.simulation.rivals import Hold, Rivals
from ingest.models import Original
from logistics.models import Incident
from logistics.services.chasing import chase_overdue
from logistics.services.endings import hand_to_applicant
from registry.models import MaterialRequirement
from tests.cast import NOW
from tests.logistics.road import Road
from tests.logistics.test_chasing import ANSWERED, fresh, on, until

pytestmark = pytest.mark.usefixtures("objects")


@pytest.mark.parametrize(
    "hold", [Hold(commit=2), Hold(commit=3), *(Hold(statement=at) for at in range(14, 26, 2))]
)
def test_what_leaves_while_it_is_chased_is_answered_for_by_nobody(
    rivals: Rivals, road: Road, hold: Hold
) -> None:
    MaterialRequirement.objects.update(mailed=True)
    Original.objects.update(moved_at=NOW)
    until(ANSWERED - 1)
    first, second = road.originals

    def chase() -> str:
        chase_overdue(now=on(ANSWERED))
        return "done"

    def hand_out() -> str:
        hand_to_applicant(original=fresh(first), actor=road.cast.clerk, now=on(ANSWERED))
        return "done"

    assert rivals.meet((chase, hand_out), hold) == ("done", "done")
    assert fresh(first).place == Original.Place.APPLICANT
    assert [told.original for told in Incident.objects.filter(state="open")] == [second]
