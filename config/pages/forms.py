"""The forms of the counter: what the applicant tells, checked while the applicant is still there."""

import re

from django import forms
from stdnum.cn import ric, uscc

from ingest.services.intake import Applicant
from registry.terms import Delivery

_PHONE = re.compile(r"\+?[0-9][0-9\- ]{6,18}[0-9]")


class ApplicantForm(forms.Form):
    """Who applies and how the result is to come."""

    name = forms.CharField(label="姓名或单位名称", max_length=100)
    id_number = forms.CharField(label="证件号码", max_length=40, required=False)
    phone = forms.CharField(label="联系电话", max_length=20)
    address = forms.CharField(label="送达地址", max_length=200, required=False)
    delivery = forms.ChoiceField(
        label="结果送达方式",
        choices=Delivery.choices(),
        widget=forms.RadioSelect,
        initial=Delivery.MAIL.value,
    )
    agent_consent = forms.BooleanField(label="申请人同意窗口代为提交和寄递材料", required=False)

    def clean_id_number(self) -> str:
        """Identity numbers and social credit codes carry a check digit; other documents are taken as told."""
        number: str = self.cleaned_data["id_number"].strip().upper()
        if len(number) == 18 and not (ric.is_valid(number) or uscc.is_valid(number)):
            raise forms.ValidationError("证件号码的校验位不对，请与证件核对。", code="check_digit")
        return number

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"].strip()
        if not _PHONE.fullmatch(phone):
            raise forms.ValidationError("请填写手机号码或带区号的固定电话。", code="phone")
        return phone

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        if cleaned.get("delivery") == Delivery.MAIL.value and not str(cleaned.get("address", "")).strip():
            self.add_error("address", "选择邮寄时必须填写送达地址。")
        return cleaned

    def applicant(self) -> Applicant:
        told = self.cleaned_data
        return Applicant(
            name=told["name"], id_number=told["id_number"], phone=told["phone"], address=told["address"]
        )
