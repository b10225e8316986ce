"""Places and items that somebody names in a form, by code or by their whole name."""

from typing import TypeVar

from django.db.models import Model, Q
from django.utils import timezone

from registry.models import Office, Region, ServiceItem, Window
from registry.time import local_day
from storage.errors import Refused

M = TypeVar("M", bound=Model)


def region_named(text: str) -> Region:
    return _one(Region, Q(code=text.strip()) | Q(name=text.strip()), text, "地区")


def office_named(text: str) -> Office:
    return _one(Office, Q(code=text.strip()) | Q(name=text.strip()), text, "审批部门")


def window_named(text: str) -> Window:
    return _one(Window, Q(code=text.strip()) | Q(name=text.strip()), text, "窗口")


def item_coded(text: str) -> ServiceItem:
    """The version of that code that is in force, else the newest."""
    rows = ServiceItem.objects.filter(code=text.strip()).order_by("-version")
    found = rows.in_force(local_day(timezone.now())).first() or rows.first()
    if found is None:
        raise Refused("item_unknown", f"没有编码为“{text.strip()[:40]}”的事项。")
    return found


def _one(model: type[M], named: Q, text: str, kind: str) -> M:
    found = list(model._default_manager.filter(named)[:2])
    if len(found) != 1:
        why = "没有找到" if not found else "不止一个"
        raise Refused("name_unknown", f"{why}{kind}“{text.strip()[:40]}”，请填写代码。")
    return found[0]
