"""Shapes of EMS's answers and pushes, checked at the door."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from logistics.couriers.base import Report
from logistics.couriers.ems.codes import kind_of, voided_by
from logistics.couriers.wall_clock import shanghai_time
from logistics.rules.tracking import Scan, scan_key

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]


class Wire(BaseModel):
    """Unknown fields are ignored; `null` reads as empty, numbers as text."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Answer(Wire):
    """Every answer: `ret_code` 00000 is good; `ret_body` is JSON in a string."""

    ret_code: Text = Field(alias="retCode")
    ret_body: Text = Field("", alias="retBody")


class Created(Wire):
    """`retBody` of 020003. `waybill_no` holds several numbers, comma separated, for multi-piece orders."""

    order_no: Text = Field(alias="logisticsOrderNo")
    waybill_no: Text = Field(alias="waybillNo")
    route_code: Text = Field("", alias="routeCode")
    package_code: Text = Field("", alias="packageCode")
    package_name: Text = Field("", alias="packageCodeName")
    mark_code: Text = Field("", alias="markDestinationCode")
    mark_name: Text = Field("", alias="markDestinationName")


class Estimate(Wire):
    """`retBody` of 050005, in yuan."""

    total_fee: Text = Field(validation_alias=AliasChoices("totalFee", "realFee"))


class Operation(Wire):
    """One scan, of a push or of a query."""

    waybill_no: Text = Field("", alias="waybillNo")
    order_no: Text = Field("", alias="orderNo")
    op_time: Text = Field(alias="opTime")
    op_code: Text = Field(alias="opCode")
    op_name: Text = Field("", alias="opName")
    op_desc: Text = Field("", alias="opDesc")
    org_name: Text = Field("", alias="opOrgName")
    org_city: Text = Field("", alias="opOrgCity")
    attempt: Text = Field("", alias="attemptDeliveryCode")

    def scan(self) -> Scan:
        """As a scan; ValueError for a time without a known form."""
        return Scan(
            key=scan_key(self.op_code, self.op_time),
            kind=kind_of(self.op_code, attempt=self.attempt),
            at=shanghai_time(self.op_time),
            words=(self.op_desc or self.op_name)[:500],
            place=(self.org_city or self.org_name)[:200],
            code=self.op_code[:40],
            reverses_codes=voided_by(self.op_code),
        )

    def report(self) -> Report:
        """A push tells one scan."""
        return Report(waybill_number=self.waybill_no, reference=self.order_no, scans=(self.scan(),))


class Operations(Wire):
    """`retBody` of 040001."""

    items: list[Operation] = Field(alias="responseItems")


class PushEnvelope(Wire):
    """The outside of a push."""

    sealed: Text = Field(alias="logitcsInterface")
    method: Text = ""
    serial_no: Text = Field("", alias="serialNo")
    sender_no: Text = Field("", alias="senderNo")


class LabelBody(Wire):
    """`retBody` of 010004 with getURL 0: the PDF in Base64."""

    content: Text = Field(validation_alias=AliasChoices("content", "label", "pdf", "data"))
