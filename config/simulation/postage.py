"""One centre of a simulated world takes over what applicants in 全程网办 send; the others leave it to the applicant."""

from dataclasses import replace
from datetime import date

from config.simulation.clock import Clock
from logistics.postage.policies import add_policy
from logistics.rules.payers import PUTIAN, Bearer, Leg, PaymentTerm
from registry.actors import SYSTEM
from registry.models import Office

GENEROUS = "350300-ybj"
"""The office whose centre pays for applicants' envelopes, which are therefore weighed when they arrive."""


def take_over(clock: Clock) -> None:
    """The centre's own policy: 到付 for what applicants send, everything else as putian §五(七) says."""
    policy = replace(
        PUTIAN,
        code="simulated-online",
        source="本中心邮资规定",
        valid_from=date(2026, 1, 1),
        rules=tuple(
            replace(rule, bearer=Bearer.RECEIVER, term=PaymentTerm.COLLECT)
            if rule.leg == Leg.ONLINE_APPLICATION
            else rule
            for rule in PUTIAN.rules
        ),
    )
    centre = Office.objects.select_related("centre").get(code=GENEROUS).centre
    add_policy(policy=policy, centre=centre, actor=SYSTEM, now=clock.now())
