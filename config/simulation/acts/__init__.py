"""Who may want to do what: one table of acts with their weights."""

from collections.abc import Callable
from dataclasses import dataclass

from config.simulation.acts import (
    arrivals,
    counter,
    finance,
    losses,
    machines,
    offices,
    online,
    packing,
    paperwork,
    receiving,
    results,
    road,
    sending,
    strangers,
)
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
    Act("an officer issues a file", 3, results.work_on_result),
    Act("an applicant fetches a file", 3, results.fetch),
    Act("somebody looks at a file", 1, results.look),
    Act("an applicant chooses otherwise", 2, results.choose),
    Act("an applicant sends papers", 5, online.send_papers),
    Act("an applicant sees to an envelope", 2, online.see_to_envelope),
    Act("an officer at a dossier", 2, paperwork.sign_dossier),
    Act("an officer at an arrived paper", 2, arrivals.look_at_arrival),
    Act("somebody packs", 10, packing.pack_something),
    Act("somebody repacks", 2, packing.repack),
    Act("a sender at a bag", 14, sending.work_on_bag),
    Act("a sender looks after a bag", 7, sending.look_after_sent),
    Act("a receiver opens a bag", 7, receiving.open_bag),
    Act("an office opens what nobody told of", 3, receiving.open_untold),
    Act("an office looks after an envelope", 2, receiving.look_after_coming),
    Act("something is found again", 1, receiving.find_again),
    Act("an incident is answered", 3, receiving.answer_incident),
    Act("a paper is not on its desk", 1, losses.report),
    Act("somebody gives up on an original", 2, losses.declare),
    Act("somebody else agrees", 2, losses.decide),
    Act("what was given up is found", 1, losses.find),
    Act("the courier carries", 22, road.carry),
    Act("an envelope is carried unseen", 4, road.carry_unseen),
    Act("the courier's interface fails", 1, road.misbehave),
    Act("a push arrives", 20, road.push),
    Act("the relay", 9, machines.pass_on),
    Act("a worker", 34, machines.work),
    Act("upkeep", 5, machines.look_after),
    Act("an administrator", 1, machines.administer),
    Act("somebody keeps the books", 4, finance.work_on_books),
    Act("a stranger", 3, strangers.trespass),
)
