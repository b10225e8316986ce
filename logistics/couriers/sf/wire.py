"""Shapes of SF's answers and route pushes, checked at the door."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from logistics.couriers.base import Booking
from logistics.couriers.sf.codes import kind_of
from logistics.couriers.wall_clock import shanghai_time
from logistics.rules.tracking import Scan, scan_key

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]


class Wire(BaseModel):
    """Unknown fields are ignored; `null` reads as empty, numbers as text."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Answer(Wire):
    """The outside of every answer: A1000 is good; the data is JSON in a string."""

    code: Text = Field(alias="apiResultCode")
    data: Text = Field("", alias="apiResultData")


class Result(Wire):
    """The inside: S0000 is good."""

    success: bool = False
    error_code: Text = Field("", alias="errorCode")
    data: Annotated[dict[str, object], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict, alias="msgData"
    )


class WaybillNumber(Wire):
    """`kind` 1 is the waybill itself, 2 a further piece, 3 the sign-back."""

    kind: Text = Field(alias="waybillType")
    number: Text = Field(alias="waybillNo")


class OrderWire(Wire):
    """An order as SF holds it. `filter_result` 3: cannot be delivered there."""

    reference: Text = Field(alias="orderId")
    filter_result: Text = Field("", alias="filterResult")
    numbers: Annotated[list[WaybillNumber], BeforeValidator(lambda value: value or [])] = Field(
        default_factory=list, alias="waybillNoInfoList"
    )

    def booking(self) -> Booking | None:
        """The waybill, when there is one."""
        number = next((one.number for one in self.numbers if one.kind == "1"), "")
        return Booking(waybill_number=number, reference=self.reference) if number else None


class Route(Wire):
    """One scan. `id`, `mailno` and `orderid` come in pushes."""

    mailno: Text = ""
    orderid: Text = ""
    accept_time: Text = Field(alias="acceptTime")
    accept_address: Text = Field("", alias="acceptAddress")
    remark: Text = ""
    op_code: Text = Field(alias="opCode")
    reason: Text = Field("", alias="reasonCode")

    def scan(self) -> Scan:
        """As a scan. Its id is no key: the same scan comes again under another id (field study: 75 % repetitions)."""
        return Scan(
            key=scan_key(self.op_code, self.accept_time, self.remark),
            kind=kind_of(self.op_code, self.reason),
            at=shanghai_time(self.accept_time),
            words=self.remark[:500],
            place=self.accept_address[:200],
            code=self.op_code[:40],
        )


class PushBody(Wire):
    """`Body` of a route push."""

    routes: list[Route] = Field(alias="WaybillRoute")


class Push(Wire):
    """A route push."""

    body: PushBody = Field(alias="Body")


class RouteAnswer(Wire):
    """One waybill of a route query."""

    mailno: Text = Field("", alias="mailNo")
    routes: Annotated[list[Route], BeforeValidator(lambda value: value or [])] = Field(default_factory=list)


class RouteAnswers(Wire):
    """`msgData` of a route query."""

    answers: list[RouteAnswer] = Field(default_factory=list, alias="routeResps")
