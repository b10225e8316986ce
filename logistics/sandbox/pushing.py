"""How the sandbox pushes: neutral events and kuaidi100 snapshots, with repetition until they are acknowledged.

What EMS, SF and kdniao push stands with their desks.
"""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import httpx

from logistics.couriers import standard_webhooks
from logistics.couriers.kuaidi100.adapter import push_sign
from logistics.couriers.neutral.wire import EventWire
from logistics.couriers.wall_clock import as_carriers_write
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.faults import FaultKind, Faults
from logistics.sandbox.world import Follower, Shipment

STATES: dict[TrackingKind, str] = {
    TrackingKind.ORDERED: "101",
    TrackingKind.COLLECTED: "103",
    TrackingKind.IN_TRANSIT: "1002",
    TrackingKind.ARRIVED_CITY: "1001",
    TrackingKind.OUT_FOR_DELIVERY: "5",
    TrackingKind.AT_LOCKER: "501",
    TrackingKind.DELIVERED: "301",
    TrackingKind.FAILED_ATTEMPT: "204",
    TrackingKind.REFUSED: "203",
    TrackingKind.RETURNING: "6",
    TrackingKind.RETURNED: "4",
    TrackingKind.CUSTOMS: "8",
    TrackingKind.DAMAGED: "209",
    TrackingKind.CANCELLED: "210",
    TrackingKind.EXCEPTION: "2",
    TrackingKind.LOST: "2",
}
"""Our vocabulary as kuaidi100's advanced states. kuaidi100 has no state for a loss: only "疑难"."""


@dataclass(frozen=True)
class Push:
    """One push as it goes over the wire. `forged`: the same with its proof spoiled; empty where nothing is signed.

    `accepts` reads the body of the answer: only a neutral push is content with a 2xx.
    """

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    forged: bytes = field(default=b"", repr=False)
    accepts: Callable[[bytes], bool] = field(default=lambda _: True, repr=False)

    def acknowledged(self, response: httpx.Response) -> bool:
        """Whether the receiver said that it has it, in the words that this courier wants."""
        return response.is_success and self.accepts(response.content)


@dataclass
class Postman:
    """Sends pushes one after another and keeps the unacknowledged ones for a later round."""

    faults: Faults
    client: httpx.Client
    waits: tuple[float, ...] = (1.0, 3.0, 10.0)
    sent: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=1000))
    _held: list[Push] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)
    _repeating: list[threading.Thread] = field(default_factory=list)

    def close(self) -> None:
        """Gives up the repetitions that are still waiting."""
        self._closed.set()
        self.finish()

    def finish(self) -> None:
        """Waits until no repetition is left to send."""
        for thread in self._repeating:
            thread.join()

    def deliver(self, push: Push) -> list[dict[str, object]]:
        """Pushes once, faults applied; what was answered. An unacknowledged push is repeated in the background."""
        if self.faults.take(FaultKind.SILENCE, "push"):
            return []
        if self.faults.take(FaultKind.REORDERED, "push"):
            with self._lock:
                self._held.append(push)
            return []
        if push.forged and self.faults.take(FaultKind.WRONG_SIGNATURE, "push"):
            return [self._once(replace(push, body=push.forged))[1]]
        with self._lock:
            late, self._held = self._held, []
        batch = [push, *([push] if self.faults.take(FaultKind.DUPLICATE, "push") else []), *late]
        outcomes = []
        for one in batch:
            done, outcome = self._once(one)
            outcomes.append(outcome)
            if not done:
                thread = threading.Thread(target=self._repeat, args=(one,), daemon=True)
                with self._lock:
                    self._repeating = [*(known for known in self._repeating if known.is_alive()), thread]
                    thread.start()
        return outcomes

    def release(self) -> list[dict[str, object]]:
        """Sends what a `reordered` fault held back."""
        with self._lock:
            late, self._held = self._held, []
        return [self._once(push)[1] for push in late]

    def _repeat(self, push: Push) -> None:
        for wait in self.waits:
            if self._closed.wait(wait) or self._once(push)[0]:
                return

    def _once(self, push: Push) -> tuple[bool, dict[str, object]]:
        outcome: dict[str, object] = {"digest": hashlib.sha256(push.body).hexdigest()[:12]}
        try:
            response = self.client.post(push.url, headers=push.headers, content=push.body)
        except httpx.HTTPError as error:
            done = False
            outcome |= {"status": 0, "error": type(error).__name__}
        else:
            done = push.acknowledged(response)
            outcome |= {"status": response.status_code, "acknowledged": done}
        self.sent.append(outcome)
        return done, outcome


def neutral_push(shipment: Shipment, event: EventWire, *, secrets: list[str], timestamp: int) -> Push:
    """One event, signed with every secret of the account."""
    expected = shipment.expected_at()
    data = {
        "waybill": shipment.number,
        "reference": shipment.reference,
        "events": [event.model_dump(mode="json")],
        "expected_at": expected.isoformat() if expected else None,
    }
    payload = {"type": "tracking.updated", "timestamp": event.at.isoformat(), "data": data}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    headers = standard_webhooks.headers_for(
        secrets=secrets, message_id=f"msg_{event.id}", timestamp=timestamp, body=body
    )
    return Push(
        url=shipment.callback_url,
        headers={"content-type": "application/json", **headers},
        body=body,
        # One changed byte inside the signed text, so that the shape stays right and only the signature is wrong.
        forged=body.replace(b'"tracking.updated"', b'"tracking.updated" '),
    )


def kuaidi100_listing(shipment: Shipment, *, company: str) -> dict[str, object]:
    """The full list, newest first. What was taken back is left out; a line says that something was corrected."""
    lines = []
    held = {event.id for event in shipment.held()}
    for event in sorted(shipment.events, key=lambda event: (event.at, event.id), reverse=True):
        if event.id not in held and event.kind is not TrackingKind.REVERSAL:
            continue
        local = as_carriers_write(event.at)
        lines.append(
            {
                "time": local,
                "ftime": local,
                "context": event.words,
                "status": event.kind.label,
                "statusCode": STATES.get(event.kind, "1002"),
                "areaName": event.place,
                "location": "",
            }
        )
    state = str(lines[0]["statusCode"]) if lines else "0"
    delivered = state.startswith("3")
    expected = shipment.expected_at()
    return {
        "message": "ok",
        "arrivalTime": as_carriers_write(expected)[:13] if expected else "",  # to the hour
        "state": state,
        "status": "200",
        "condition": "F00",
        "ischeck": "1" if delivered else "0",
        "com": company,
        "nu": shipment.number,
        "data": lines,
    }


def kuaidi100_pushes(shipment: Shipment, follower: Follower) -> list[Push]:
    """The next push to a subscriber; two when the company it named is wrong and not yet corrected."""
    params: list[dict[str, object]] = []
    wrong = follower.company != shipment.company
    if wrong and not follower.corrected:
        follower.corrected = True
        announcement = {
            "com": follower.company,
            "nu": shipment.number,
            "status": "200",
            "state": "0",
            "data": [],
        }
        params.append(
            {
                "status": "abort",
                "message": "3天查询无记录",
                "autoCheck": "0",
                "comOld": "",
                "comNew": shipment.company,
                "lastResult": announcement,
            }
        )
    listing = kuaidi100_listing(shipment, company=shipment.company)
    params.append(
        {
            "status": "shutdown" if listing["ischeck"] == "1" else "polling",
            "billstatus": "got",
            "message": "",
            "autoCheck": "1" if wrong else "0",
            "comOld": follower.company if wrong else "",
            "comNew": shipment.company if wrong else "",
            "lastResult": listing,
        }
    )
    return [_signed(follower, param) for param in params]


def _signed(follower: Follower, param: dict[str, object]) -> Push:
    text = json.dumps(param, ensure_ascii=False, separators=(",", ":"))
    body = urlencode({"param": text, "sign": push_sign(text, follower.salt)}).encode()
    return Push(
        url=follower.callback_url,
        headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
        body=body,
        forged=body.replace(b"sign=", b"sign=0"),
        accepts=lambda answer: answer == '{"result":true,"returnCode":"200","message":"成功"}'.encode(),
    )
