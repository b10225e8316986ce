"""Shapes of kuaidi100's answers and pushes, checked at the door."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from logistics.couriers.base import Report
from logistics.couriers.kuaidi100.codes import kind_of
from logistics.couriers.wall_clock import expected_time, shanghai_time
from logistics.rules.tracking import Scan, TrackingKind, scan_key


def _text(value: object) -> object:
    # The feed mixes null, numbers and strings in the same field.
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_text)]


class Wire(BaseModel):
    """Unknown fields are ignored; `null` reads as empty."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Entry(Wire):
    """One line of the list. `statusCode` comes only when the subscription asked for advanced states."""

    time: Text = ""
    ftime: Text = ""
    context: Text = ""
    status_code: Text = Field("", alias="statusCode")
    area_name: Text = Field("", alias="areaName")
    location: Text = ""

    def scan(self, *, state: str) -> Scan:
        """As a scan; `state` is what the whole list says and is used where the line itself says nothing."""
        moment = self.ftime or self.time
        code = self.status_code or state
        return Scan(
            # The line is repeated in every push; its area may be filled in later, so it is no part of the key.
            key=scan_key(moment, self.context),
            kind=kind_of(code) if code else TrackingKind.IN_TRANSIT,
            at=shanghai_time(moment),
            words=self.context[:500],
            place=(self.location or self.area_name)[:200],
            code=code[:40],
        )


class Listing(Wire):
    """`lastResult` of a push, and the whole answer to a query: the full list, newest first."""

    status: Text = ""
    state: Text = ""
    com: Text = ""
    nu: Text = ""
    message: Text = ""
    result: bool = True
    return_code: Text = Field("", alias="returnCode")
    arrival_time: Text = Field("", alias="arrivalTime")
    data: Annotated[list[Entry], BeforeValidator(lambda value: value or [])] = []

    def scans(self) -> tuple[Scan, ...]:
        """The lines as scans, each once. Without advanced states only the newest line has the state of the list."""
        newest = max((entry.ftime or entry.time for entry in self.data), default="")
        found: dict[str, Scan] = {}
        for entry in self.data:
            is_newest = (entry.ftime or entry.time) == newest
            scan = entry.scan(state=self.state if is_newest else "")
            found.setdefault(scan.key, scan)
        return tuple(found.values())


class Push(Wire):
    """The form field `param`. `status`: polling, shutdown (signed for), abort (given up), updateall."""

    status: Text
    message: Text = ""
    auto_check: Text = Field("", alias="autoCheck")
    com_old: Text = Field("", alias="comOld")
    com_new: Text = Field("", alias="comNew")
    last_result: Annotated[Listing, BeforeValidator(lambda value: value or {})] = Field(
        default_factory=Listing, alias="lastResult"
    )

    def report(self) -> Report:
        """As a report.

        `abort` with `comNew` and no `autoCheck` announces that kuaidi100 goes on under the right company by itself;
        any other `abort` means that nothing was found (3 days) or nothing changed (60 days).
        """
        listing = self.last_result
        scans = listing.scans()
        corrected = self.com_new.lower()
        gave_up = self.status == "abort" and not (corrected and self.auto_check != "1")
        return Report(
            waybill_number=listing.nu.strip(),
            scans=scans,
            snapshot=bool(scans),
            company=corrected,
            ended=self.status == "shutdown" or gave_up,
            resubscribe=gave_up,
            expected_at=expected_time(listing.arrival_time),
        )


class SubscribeAnswer(Wire):
    """Answer to a subscription."""

    result: bool
    return_code: Text = Field(alias="returnCode")
    message: Text = ""
