"""Who may want to do what: one table of acts with their weights."""

from collections.abc import Callable
from dataclasses import dataclass

from config.simulation.acts import counter, machines, offices, packing, receiving, road, sending, strangers
from config.simulation.world import Deed, World


@dataclass(frozen=True)
class Act:
    """`find` looks for something to be done now; None when there is nothing. The weight is how often it is asked."""

    name: str
    weight: int
    find: Callable[[World], Deed | None]


ACTS: tuple[Act, ...] = (
    Act("a new applicant", 6, counter.open_case),
    Act("a clerk at the window", 20, counter.work_at_window),
    Act("the counter hands out", 5, counter.hand_out),
    Act("an officer at the desk", 14, offices.work_at_office),
    Act("an office archives", 1, offices.archive),
    Act("somebody packs", 10, packing.pack_something),
    Act("somebody repacks", 2, packing.repack),
    Act("a sender at a bag", 14, sending.work_on_bag),
    Act("a sender looks after a bag", 7, sending.look_after_sent),
    Act("a receiver opens a bag", 7, receiving.open_bag),
    Act("something is found again", 1, receiving.find_again),
    Act("an incident is answered", 3, receiving.answer_incident),
    Act("the courier carries", 22, road.carry),
    Act("the courier's interface fails", 1, road.misbehave),
    Act("a push arrives", 20, road.push),
    Act("the relay", 9, machines.pass_on),
    Act("a worker", 34, machines.work),
    Act("upkeep", 5, machines.look_after),
    Act("an administrator", 1, machines.administer),
    Act("a stranger", 3, strangers.trespass),
)
