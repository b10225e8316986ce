"""Our own processes: the relay, a broker that loses and repeats messages, workers, upkeep, and who looks after them."""

import base64
from datetime import timedelta

from django.db.models import Q

from config.simulation.acts.paperwork import ON_PAPER
from config.simulation.world import Deed, World
from logistics.models import CarrierAccount, WebhookDelivery
from logistics.services.accounts import rotate_credentials
from logistics.services.taking_in import replay
from registry.granting import give_grant, revoke_grant
from registry.models import Grant
from registry.terms import Right
from registry.time import local_day
from workers import reaper, relay
from workers.models import Job, JobState
from workers.running import run
from workers.services import retry
from workers.upkeep import DUTIES

PLAYED = frozenset(
    {
        "charge_parcel",
        "note_delivery_begun",
        "close_delivered",
        "ask_satisfaction",
        "offer_results",
        "close_fetched",
        "take_in_push",
        "recount_deadlines",
        "import_statement",
        "check_statement",
        "check_statement_again",
    }
)
"""The others print, read, build or seal, each for a second or more: but for the few cases with real pages, they count
as done elsewhere.
"""
MOST_MESSAGES = 2
ROUNDS = (
    "resume_waybills",
    "sweep_inbox",
    "tell_forgeries",
    "purge_inbox",
    "ask_couriers",
    "ask_fees",
    "watch_silence",
    "watch_promises",
    "watch_late_originals",
    "tell_passed_deadlines",
)


def pass_on(world: World) -> Deed:
    """The relay makes jobs of what happened and sends their messages."""

    def do() -> None:
        now = world.clock.now()
        relay.publish(now=now)
        played = Q(reaction__in=PLAYED) | Q(
            reaction__in=ON_PAPER, event__case_number__in=sorted(world.on_paper)
        )
        others = Job.objects.filter(state=JobState.QUEUED).exclude(played)
        others.update(state=JobState.DONE, finished_at=now)
        relay.send_due(send=lambda job_id: _sent(world, job_id), now=now)
        reaper.reap(now=now)

    return Deed("relay", "relay", f"{len(world.broker)} messages waiting", do)


def work(world: World) -> Deed | None:
    """A worker takes a message, not always the oldest; it may be lost, or come a second time later."""
    if not world.broker:
        return None
    index = 0 if world.calm or world.dice.random() < 0.5 else world.dice.randrange(len(world.broker))
    job_id = world.broker[index]
    if world.chance(0.04):
        return Deed("message lost", "broker", "", lambda: _taken(world, job_id))
    again = world.chance(0.08)
    reaction = Job.objects.filter(pk=job_id).values_list("reaction", flat=True).first() or ""

    def do() -> None:
        if not again:
            _taken(world, job_id)
        run(job_id=job_id, clock=world.clock.now, chance=world.dice.random)

    return Deed(f"job {reaction}", "worker", "comes again later" if again else "", do)


def _sent(world: World, job_id: int) -> None:
    """One message more about the job; a third finds the broker full, as it may be lost anywhere."""
    if world.broker.count(job_id) < MOST_MESSAGES:
        world.broker.append(job_id)


def _taken(world: World, job_id: int) -> None:
    """One message about the job less, if there is one."""
    if job_id in world.broker:
        world.broker.remove(job_id)


def look_after(world: World) -> Deed:
    """One duty that comes by the clock."""
    name = world.dice.choice(ROUNDS)
    duty = DUTIES[name]
    return Deed(f"upkeep {name}", "upkeep", "", lambda: duty(now=world.clock.now()))


def administer(world: World) -> Deed | None:
    """An administrator replays pushes, retries jobs, changes secrets, and takes a right back to give it again."""
    failed = world.one_row(Job.objects.filter(state=JobState.FAILED))
    if failed is not None:
        return _retry(world, failed)
    stuck = WebhookDelivery.objects.filter(state=WebhookDelivery.State.FAILED).order_by("pk").first()
    if stuck is not None:
        return _replay(world, stuck)
    if world.calm:
        return None
    some = world.dice.random()
    if some < 0.5:
        # The oldest ones may be empty by now, so that there is nothing to process again.
        order = world.dice.choice(("pk", "-pk"))
        done = WebhookDelivery.objects.filter(state__in=WebhookDelivery.REPLAYABLE).order_by(order)
        chosen = world.one_of(list(done[:20]))
        return _replay(world, chosen) if chosen else None
    return _rotate(world) if some < 0.75 else _regrant(world)


def _retry(world: World, job: Job) -> Deed:
    admin = world.people.administrator
    return Deed(
        "retry job",
        admin.label,
        f"{job.reaction} {job.last_error}",
        lambda: retry(job=Job.objects.get(pk=job.pk), actor=admin, now=world.clock.now()),
    )


def _replay(world: World, delivery: WebhookDelivery) -> Deed:
    admin = world.people.administrator
    pk = delivery.pk
    return Deed(
        "replay push",
        admin.label,
        delivery.state,
        lambda: replay(delivery=WebhookDelivery.objects.get(pk=pk), actor=admin, now=world.clock.now()),
    )


def _rotate(world: World) -> Deed:
    """Another secret; the courier's console is told first and signs with both until ours has it."""
    admin = world.people.administrator
    account = world.dice.choice(
        list(
            CarrierAccount.objects.filter(carrier=world.couriers.neutral())
            .select_related("centre")
            .order_by("pk")
        )
    )
    key = f"key-{account.centre.code}"
    fresh = "whsec_" + base64.b64encode(world.dice.randbytes(24)).decode()

    def do() -> None:
        world.courier.accounts[key] = [fresh, world.courier.accounts[key][-1]]
        held = CarrierAccount.objects.select_related("carrier").get(pk=account.pk)
        rotate_credentials(
            account=held, credentials={"webhook_secret": fresh}, actor=admin, now=world.clock.now()
        )
        world.courier.accounts[key] = [fresh]

    return Deed("rotate secrets", admin.label, account.centre.code, do)


def _regrant(world: World) -> Deed:
    """A right is revoked, and given again with the next day's date."""
    admin = world.people.administrator
    open_ones = Grant.objects.filter(
        revoked_at=None, office__in=[one.office_id for one in world.people.officers]
    )
    grant = world.dice.choice(list(open_ones.select_related("office", "region").order_by("pk")))

    def do() -> None:
        now = world.clock.now()
        held = Grant.objects.select_related("office", "region", "window", "item").get(pk=grant.pk)
        give_grant(
            office=held.office,
            rights=[Right(held.right)],
            window=held.window,
            region=held.region,
            item=held.item,
            effective_from=local_day(now + timedelta(days=1)),
            effective_to=None,
            reason="重新授权",
            actor=admin,
            now=now,
        )
        revoke_grant(grant=held, reason="重新授权", actor=admin, now=now)

    return Deed("revoke and give", admin.label, f"{grant.office.code} {grant.right}", do)
