"""Shapes of SF's answers and route pushes, checked at the door."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from logistics.couriers.base import Booking, ChargeLine, Payer, Settling
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


PAYERS = {"1": Payer.SENDER, "2": Payer.RECEIVER, "3": Payer.THIRD_PARTY}
SETTLINGS = {"1": Settling.CASH, "2": Settling.MONTHLY}


class Fee(Wire):
    """One fee of a waybill, in yuan; kind 1 is the freight."""

    kind: Text = Field(alias="type")
    yuan: Decimal = Field(alias="value")
    payer: Text = Field(alias="paymentTypeCode")
    settling: Text = Field(alias="settlementTypeCode")
    account: Text = Field("", alias="customerAcctCode")


class FeeWaybill(Wire):
    """`waybillInfo`: the billed weight in kilograms."""

    number: Text = Field(alias="waybillNo")
    weight_kg: Decimal = Field(Decimal(0), alias="meterageWeightQty")


class FeeAnswer(Wire):
    """`msgData` of a fee query."""

    waybill: FeeWaybill = Field(alias="waybillInfo")
    fees: Annotated[list[Fee], BeforeValidator(lambda value: value or [])] = Field(
        default_factory=list, alias="waybillFeeList"
    )

    def lines(self, *, charged_on: date) -> list[ChargeLine]:
        """As charge lines; ValueError for a payer or settlement without a known code, or a part of a fen."""
        return [self._line(fee, charged_on) for fee in self.fees]

    def _line(self, fee: Fee, charged_on: date) -> ChargeLine:
        fen, grams = fee.yuan * 100, self.waybill.weight_kg * 1000
        if fee.payer not in PAYERS or fee.settling not in SETTLINGS or fen != fen.to_integral_value():
            raise ValueError("no such payer, settlement or amount")
        return ChargeLine(
            waybill_number=self.waybill.number,
            kind="freight" if fee.kind == "1" else fee.kind,
            amount_fen=int(fen),
            billed_weight_g=int(grams.to_integral_value()),
            payer=PAYERS[fee.payer],
            settling=SETTLINGS[fee.settling],
            account=fee.account,
            charged_on=charged_on,
        )
