"""The network between the courier and our inbox: it loses, repeats, delays, reorders, and lets forgers in."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from logistics.models.carriers import path_digest
from logistics.sandbox.pushing import Push
from logistics.services.inbox import accept_webhook

HOME, ELSEWHERE = "127.0.0.1", "203.0.113.9"
"""Where couriers push from, and where somebody else does; SF signs nothing, so that the place alone tells them apart."""
MOST_TRIES = 8
"""After so many the courier gives a push up; what it told must come to us by asking."""


@dataclass
class Message:
    """A push under way. `make` signs it at the moment it is sent."""

    label: str
    make: Callable[[datetime], Push]
    tries: int = 0


@dataclass
class Wire:
    """`under_way`: what the courier has not given up telling. `answered`: (path digest, digest of the body) of every
    push that we said we have.
    """

    under_way: list[Message] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    forgeries_taken: list[str] = field(default_factory=list)

    def post(self, label: str, make: Callable[[datetime], Push]) -> None:
        self.under_way.append(Message(label, make))

    def fail(self, message: Message) -> None:
        """Lost on the way: the courier hears nothing and will try again, but not for ever."""
        message.tries += 1
        if message.tries >= MOST_TRIES and message in self.under_way:
            self.under_way.remove(message)

    def hand_in(
        self, message: Message, *, now: datetime, old: timedelta = timedelta(0), keep: bool = False
    ) -> None:
        """The push arrives, signed `old` ago. With `keep` our answer is lost, so that the courier repeats itself."""
        push = message.make(now - old)
        if self._arrives(push, push.body, now) and not keep and message in self.under_way:
            self.under_way.remove(message)
        else:
            self.fail(message)

    def forge(self, message: Message, *, now: datetime) -> None:
        """Somebody who knows our address imitates the courier: without its secret, or, where it signs nothing, from
        another place than the courier's.
        """
        push = message.make(now)
        if self._arrives(push, push.forged or push.body, now, address=HOME if push.forged else ELSEWHERE):
            self.forgeries_taken.append(message.label)

    def _arrives(self, push: Push, body: bytes, now: datetime, *, address: str = HOME) -> bool:
        token = push.url.rstrip("/").rsplit("/", 1)[1]
        answer = accept_webhook(
            path_token=token,
            headers=push.headers,
            body=body,
            query="",
            remote_address=address,
            now=now,
        )
        taken = answer.status == 200 and push.accepts(answer.body)
        if taken:
            self.answered.append((path_digest(token), hashlib.sha256(body).hexdigest()))
        return taken
