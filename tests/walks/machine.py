"""Random people do random things to cases at random times; after every step the cases must still make sense."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.models import (
    Case,
    Delay,
    Handling,
    IdentityCheck,
    Material,
    Message,
    Original,
    OriginalStop,
    Problem,
    ResultFile,
    ReviewAnswer,
    overdue,
)
from ingest.rules import ENDED, CaseState, open_handling_acts
from ingest.services.awaiting import awaited
from ingest.services.clock import end_delay, note_delay, tell_passed_deadlines
from ingest.services.intake import create_case
from ingest.services.promises import watch_promises
from logistics.models import CustodyEvent, Parcel, ParcelItem, Waybill
from logistics.rules.payers import Leg
from registry.actors import SYSTEM, Actor
from registry.events import verify_chains
from registry.granting import revoke_grant
from registry.models import Event, Grant
from registry.rules.deadlines import Delayer
from registry.terms import Delivery, Mode, Right
from registry.time import local_day
from registry.workdays import workdays_between
from storage.errors import Refused
from tests.cast import APPLICANT, NOW
from tests.walks.deeds import DEEDS
from tests.walks.endings import gather_if_open, parts_of, place_of, send_home, walk_out
from tests.walks.oracle import (
    Deed,
    Notebook,
    is_told_in_a_table,
    rightly,
    rightly_opened,
    told_by_events,
    working_days,
)
from tests.walks.world import PROMISED_DAYS, World, grant, rightful
from workers.reactions import find, jobs_of

MOST_CASES = 2
BACKWARD = {"withdraw", "refuse", "supplement", "reject", "void", "come_back", "unbag"}
OVER = {"decided", "refused", "withdrawn"}
STRANGERS = (
    "clerk", "other clerk", "first officer", "second officer", "third officer", "finance", "administrator", "auditor",
    "platform", "reader", "archive",
)  # fmt: skip
WATCHED = (
    Case, Handling, Material, Original, OriginalStop, ReviewAnswer, IdentityCheck, Delay, ResultFile, Message, Problem, Parcel,
    ParcelItem, Waybill, CustodyEvent,
)  # fmt: skip
OURS = frozenset({"note_delivery_begun", "close_delivered", "offer_results", "close_fetched"})
"""The work of our own processes that moves a case."""

any_number = st.integers(0, 11)
strangers = st.sampled_from(STRANGERS)


class Walk(RuleBasedStateMachine):
    """One walk. Everything it does is undone at its end; `known` keeps the places whose way out was walked before."""

    def __init__(self, world: World, known: set[object]) -> None:
        super().__init__()
        self.world, self.known = world, known
        self.now = NOW
        self.cases: list[int] = []
        self.book = Notebook({(office.pk, right.value) for office in world.offices for right in Right})
        self.heard = 0
        self.whole = transaction.atomic()
        self.whole.__enter__()

    def teardown(self) -> None:
        try:
            assert list(verify_chains()) == []
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    @initialize(mode=st.sampled_from(list(Mode)), ready=st.booleans())
    def somebody_comes_in(self, mode: Mode, ready: bool) -> None:
        self.open_case(mode, range(3) if mode == Mode.JOINT else [0], self.world.people["clerk"])
        if ready:
            gather_if_open(self.case(0), self.world, self.now)

    @precondition(lambda self: len(self.cases) < MOST_CASES)
    @rule(mode=st.sampled_from(list(Mode)), offices=st.lists(st.integers(0, 2), max_size=3), who=strangers)
    def somebody_opens_a_case(self, mode: Mode, offices: list[int], who: str) -> None:
        self.open_case(mode, offices, self.world.people[who])

    @rule(deed=st.sampled_from(sorted(DEEDS)), which=any_number, part=any_number, who=strangers)
    def somebody_tries_something(self, deed: str, which: int, part: int, who: str) -> None:
        self.attempt(deed, which, part, self.world.people[who])

    @rule(which=any_number, dice=st.lists(st.tuples(any_number, any_number), min_size=1, max_size=5))
    def the_right_people_go_on(self, which: int, dice: list[tuple[int, int]]) -> None:
        """Some of the acts that the tables of states hold open, by whoever may; mostly those that lead on."""
        for part, die in dice:
            case = self.case(which)
            handling = self.part(case, part)
            deeds = self.open_deeds(case, handling)
            forward = [deed for deed in deeds if deed not in BACKWARD]
            chosen = forward if forward and die < 9 else deeds
            deed = chosen[die % len(chosen)]
            self.attempt(deed, which, part, rightful(deed, handling, self.world))
            self.look_around()

    def open_deeds(self, case: Case, handling: Handling) -> list[str]:
        if case.state == CaseState.DRAFT:
            gather_if_open(case, self.world, self.now)
            return ["take_in", "submit"]
        if case.state in {CaseState.DECIDED, CaseState.DELIVERING}:
            return ["attach", "send", "arrive", "fetch", "hand_out", "deliver", "close", "come_back", "void"]
        acts = {act.removesuffix("_accepted") for act in open_handling_acts(handling.state, case.mode)}
        if awaited(case):
            acts |= {"receive_papers"}
        papers = ["send", "arrive"] if case.originals.exists() else []
        return [*sorted(acts - {"submit"}), *papers] or ["talk"]

    @rule(which=any_number)
    def the_window_gathers_what_is_missing(self, which: int) -> None:
        gather_if_open(self.case(which), self.world, self.now)

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        before, self.now = local_day(self.now), self.now + timedelta(days=days)
        for handling in Handling.objects.filter(
            case__in=self.cases, state="accepted", paused_on__isnull=True
        ):
            self.book.spent[handling.pk] += working_days(before, local_day(self.now))
        self.system_does(lambda: (tell_passed_deadlines(now=self.now), watch_promises(now=self.now)))
        silent = Handling.objects.filter(overdue(local_day(self.now)), state="accepted")
        assert not silent.filter(passed_deadline__isnull=True), "a promise ran out in silence"

    @rule(
        which=any_number,
        part=any_number,
        stops=st.booleans(),
        who=st.sampled_from([Delayer.COURIER, Delayer.OFFICE]),
    )
    def a_parcel_is_late(self, which: int, part: int, stops: bool, who: Delayer) -> None:
        handling = self.part(self.case(which), part)
        stops = stops and who == Delayer.COURIER
        since = local_day(self.now)
        self.system_does(
            lambda: note_delay(
                handling=handling, who=who, parcel="P1", since=since, stops=stops, now=self.now
            )
        )

    @rule()
    def our_processes_catch_up(self) -> None:
        """What events lead to, as far as it moves a case; at any time, and all that waits."""
        for event in Event.objects.filter(pk__gt=self.heard).order_by("pk"):
            for name, part in jobs_of(event):
                if name in OURS:
                    self.system_does(partial(find(name).do, event, part, self.now))
            self.heard = event.pk

    @rule()
    def the_parcels_come(self) -> None:
        for delay in Delay.objects.filter(ended_on__isnull=True).exclude(parcel=""):
            self.system_does(lambda late=delay: end_delay(delay=late, on=local_day(self.now), now=self.now))

    @rule(office=st.integers(0, 2), right=st.sampled_from(list(Right)))
    def an_office_changes_its_mind(self, office: int, right: Right) -> None:
        entrusted, key = self.world.offices[office], (self.world.offices[office].pk, right.value)
        if key in self.book.granted:
            held = Grant.objects.get(office=entrusted, right=right.value, revoked_at__isnull=True)
            revoke_grant(grant=held, reason="协议终止", actor=self.world.cast.administrator, now=self.now)
            self.book.granted.remove(key)
        else:
            grant(self.world, entrusted, [right], self.now)
            self.book.granted.add(key)

    @invariant()
    def nothing_is_accepted_twice(self) -> None:
        accepted = Counter(
            Event.objects.filter(kind="handling.accepted").values_list("subject_id", flat=True)
        )
        assert all(times == 1 for times in accepted.values()), "accepted twice"
        for handling in Handling.objects.filter(case__in=self.cases, accepted_at__isnull=False):
            assert handling.accepted_at is not None
            first = self.book.accepted_at.setdefault(handling.pk, handling.accepted_at)
            assert handling.accepted_at == first, "accepted anew"

    @invariant()
    def the_clock_counts_what_passed_and_never_runs_back(self) -> None:
        for handling in Handling.objects.filter(case__in=self.cases, deadline__isnull=False):
            waiting = handling.delays.filter(stopped=True, ended_on__isnull=True).exists()
            assert waiting == (handling.paused_on is not None), (
                "paused for nobody, or not paused for somebody"
            )
            if handling.state in OVER and handling.state != "decided":
                continue
            at = local_day(handling.decided_at) if handling.decided_at else handling.paused_on
            assert handling.deadline is not None
            left = workdays_between(at or local_day(self.now), handling.deadline)
            spent = self.book.spent.get(handling.pk, 0)
            assert PROMISED_DAYS - left == spent >= 0, f"{spent} days passed, {left} are left"

    @invariant()
    def joint_results_wait_for_each_other(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases, mode=Mode.JOINT.value):
            if all(part.state in OVER for part in case.handlings.all()):
                continue
            results = case.originals.filter(kind=Original.Kind.RESULT)
            among_offices = [Original.Place.OFFICE, Original.Place.ARCHIVE, Original.Place.PARCEL]
            assert not results.exclude(place__in=among_offices), "a result left before the others"
            packed = ParcelItem.objects.filter(original__in=results).exclude(parcel__leg=Leg.TRANSFER)
            assert not packed.exists(), "a result was packed before the others"
            files = ResultFile.objects.filter(handling__case=case, fetched_at__isnull=False)
            assert not files.exists(), "a file was fetched before the others"
            assert case.state not in {CaseState.DELIVERING, CaseState.CLOSED, CaseState.DECIDED}

    @invariant()
    def every_paper_is_where_its_last_scan_says(self) -> None:
        last = dict[int, tuple[str, int]]()
        for row in CustodyEvent.objects.filter(original__case__in=self.cases).order_by("sequence"):
            last[row.original_id] = (row.to_place, row.to_id)
        for original in Original.objects.filter(pk__in=last):
            assert (original.place, original.place_id) == last[original.pk], "a paper moved without a scan"

    @invariant()
    def nothing_is_delivered_in_another_way_than_chosen(self) -> None:
        results = ParcelItem.objects.filter(
            original__case__in=self.cases,
            original__kind=Original.Kind.RESULT,
            parcel__handed_over_at__isnull=False,
            holds=True,
        ).exclude(parcel__leg=Leg.TRANSFER)
        for item in results.select_related("parcel", "original__case"):
            wanted = {"mail": "applicant", "window": "window"}.get(item.original.case.delivery)
            assert wanted in (None, item.parcel.receiver_kind), "a result goes where nobody wants it"

    @invariant()
    def the_papers_of_an_ended_case_can_go_home(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases, state__in=["refused", "withdrawn"]):
            lying = tuple(sorted(case.originals.values_list("kind", "place", "place_id")))
            if lying and (place := ("home", case.mode, place_of(case), lying)) not in self.known:
                send_home(case, self.world, self.now)
                self.known.add(place)

    @invariant()
    def the_events_tell_the_same_story(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases):
            events = list(Event.objects.filter(stream=case.number).order_by("sequence"))
            told = told_by_events(events)
            are = (case.state, {part.office.code: part.state for part in parts_of(case)})
            assert told == are, f"the events say {told}, the rows {are}"

    @invariant()
    def every_case_can_end_well(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases).exclude(state__in=ENDED):
            promised = case.materials.filter(deferred_until__isnull=False).exists()
            lacking = case.materials.filter(pages__isnull=True).exists()
            place = (case.mode, place_of(case), case.delivery, promised, lacking, case.originals.count())
            if place not in self.known:
                walk_out(case, self.world, self.book, self.now)
                self.known.add(place)

    def look_around(self) -> None:
        """Everything that must hold after every step."""
        self.nothing_is_accepted_twice()
        self.the_clock_counts_what_passed_and_never_runs_back()
        self.joint_results_wait_for_each_other()
        self.every_paper_is_where_its_last_scan_says()
        self.nothing_is_delivered_in_another_way_than_chosen()
        self.the_papers_of_an_ended_case_can_go_home()
        self.the_events_tell_the_same_story()
        self.every_case_can_end_well()

    def case(self, which: int) -> Case:
        return Case.objects.select_related("item", "window").get(pk=self.cases[which % len(self.cases)])

    def part(self, case: Case, which: int) -> Handling:
        parts = parts_of(case)
        return parts[which % len(parts)]

    def open_case(self, mode: Mode, offices: Any, who: Actor) -> None:
        """At the window where this person stands, or at the Zhuji window."""
        before, asked = self.picture(), [self.world.offices[index] for index in offices]
        try:
            case = create_case(
                item=self.world.item,
                window=self.world.window,
                offices=asked,
                mode=mode,
                applicant=APPLICANT,
                delivery=Delivery.MAIL,
                agent_consent=True,
                actor=who,
                now=self.now,
            )
        except Refused as refused:
            self.rightly_refused("create", refused, before)
            return
        right = rightly_opened(who, self.world.window.pk, [office.pk for office in asked], self.book)
        assert right, f"{who.label} opened a case without the right"
        assert asked, "a case for nobody"
        assert len(asked) == 1 or mode == Mode.JOINT
        self.cases.append(case.pk)
        self.events_of(before, who)

    def attempt(self, name: str, which: int, part: int, who: Actor) -> None:
        """Somebody does something: if it is done, it was rightly done and is told; if not, nothing has changed."""
        case = self.case(which)
        handling = self.part(case, part)
        right = rightly(Deed(name, case, handling), who, self.book)
        before = self.picture()
        try:
            with transaction.atomic():
                DEEDS[name](case, handling, who, self.now)
        except Refused as refused:
            self.rightly_refused(name, refused, before)
            return
        assert right, f"{who.label} did {name} without the right"
        self.events_of(before, who)
        if name == "accept":
            self.book.spent[handling.pk] = 0
        if name == "submit" and case.mode != Mode.ONLINE and "platform" not in who.scopes:
            assert case.identity_checks.exists(), "paper went on from somebody whom nobody looked at"

    def rightly_refused(self, name: str, refused: Refused, before: dict[str, list[Any]]) -> None:
        """For a reason that the tables name, and without a trace."""
        assert self.picture() == before, "a refusal left something behind"
        assert is_told_in_a_table(name, refused), f"{refused.code} is no known reason to refuse {name}"

    def system_does(self, act: Any) -> None:
        before = self.picture()
        act()
        self.events_of(before, SYSTEM)

    def events_of(self, before: dict[str, list[Any]], who: Actor) -> None:
        """What changed was told, by whoever did it and when."""
        after = self.picture()
        known = set(before.pop("events"))
        fresh = [event for event in after.pop("events") if event not in known]
        assert fresh or before == after, "changed without a word"
        for event in Event.objects.filter(pk__in=fresh):
            assert (event.actor_label, event.at) == (who.label, self.now), (
                f"{event.kind} told in another's name"
            )

    def picture(self) -> dict[str, list[Any]]:
        """Every row that a step may change, and which events there are."""
        rows: dict[str, list[Any]] = {
            model.__name__: list(model._default_manager.order_by("pk").values_list()) for model in WATCHED
        }
        return rows | {"events": list(Event.objects.order_by("pk").values_list("pk", flat=True))}
