"""May this window take in this item for that office today, and how: pure rules with their paragraphs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from registry.terms import Mode, Right, Scope
from storage.errors import Refused


class Unlawful(Refused):
    """A rule of the notices forbids the act."""


@dataclass(frozen=True)
class ItemFacts:
    """What the rules need to know of an item version."""

    name: str
    scope: str
    effective_from: date
    effective_to: date | None
    negative: bool
    modes: tuple[str, ...]
    stars: int
    unified_platform: bool
    source: str = ""


@dataclass(frozen=True)
class AgreementFacts:
    """Two region codes, and whether one signature serves the whole city."""

    region_a: str
    region_b: str
    shared_citywide: bool


@dataclass(frozen=True)
class GrantFacts:
    """One right that an office entrusts; `window` and `region` exclude each other; no item means every item."""

    right: str
    window: str | None
    region: str | None
    item: str | None


def city_of(region: str) -> str:
    return region[:4] + "00"


def county_of(region: str) -> str:
    """The county (or city) code that a nine-digit town lies in; six-digit codes answer themselves."""
    return region[:6]


def lies_within(region: str, area: str) -> bool:
    """Whether `region` is `area` or part of it, by the structure of GB/T 2260."""
    if area.endswith("0000") and len(area) == 6:
        return region[:2] == area[:2]
    if area.endswith("00") and len(area) == 6:
        return region[:4] == area[:4]
    return region.startswith(area)


def areas_of(region: str) -> tuple[str, ...]:
    """Every area within which a region lies, itself first: what `lies_within` says yes to."""
    return tuple(dict.fromkeys((region, region[:6], region[:4] + "00", region[:2] + "0000")))


def check_item(item: ItemFacts, day: date) -> None:
    """In force and not on the negative list (taizhou-2021 §二(一))."""
    if day < item.effective_from:
        raise Unlawful("item_not_yet", f"“{item.name}”自 {item.effective_from:%Y-%m-%d} 起才可通办。")
    if item.effective_to and day > item.effective_to:
        raise Unlawful(
            "item_expired", f"“{item.name}”的通办已于 {item.effective_to:%Y-%m-%d} 截止，请改选现行版本。"
        )
    if item.negative:
        raise Unlawful(
            "item_negative",
            f"“{item.name}”在负面清单内，不能通办{f'（依据：{item.source}）' if item.source else ''}，"
            "请先联系审批部门核实后答复申请人。",
        )


def check_scope(item: ItemFacts, *, window_region: str, office_region: str) -> None:
    """The item's scope covers both regions (zhuji §二(一)-(三), putian §三)."""
    same = {
        Scope.CROSS_PROVINCE: True,
        Scope.PROVINCE: window_region[:2] == office_region[:2],
        Scope.CITY: window_region[:4] == office_region[:4],
        Scope.COUNTY: window_region[:6] == office_region[:6],
    }[Scope(item.scope)]
    if not same:
        raise Unlawful(
            "scope", f"“{item.name}”只限{Scope(item.scope).label}，本窗口与审批部门不在同一范围内。"
        )


def needs_agreement(*, window_region: str, office_region: str) -> bool:
    """Only work across a province border rests on a cooperation agreement (zhuji §二(四))."""
    return window_region[:2] != office_region[:2]


def covers(agreement: AgreementFacts, *, window_region: str, office_region: str) -> bool:
    """一地签约、全市共享 (taizhou-2023 §二(一)): a shared agreement binds the whole city of either side."""

    def on_side(region: str, party: str) -> bool:
        if lies_within(region, party):
            return True
        return agreement.shared_citywide and city_of(region) == city_of(party)

    a, b = agreement.region_a, agreement.region_b
    return (on_side(window_region, a) and on_side(office_region, b)) or (
        on_side(window_region, b) and on_side(office_region, a)
    )


def check_agreement(agreements: Iterable[AgreementFacts], *, window_region: str, office_region: str) -> None:
    if not needs_agreement(window_region=window_region, office_region=office_region):
        return
    if not any(covers(a, window_region=window_region, office_region=office_region) for a in agreements):
        raise Unlawful("no_agreement", "两地之间没有生效的跨省通办合作协议，请联系政务服务办确认后再收件。")


def allowed_modes(item: ItemFacts, *, offices: int) -> tuple[Mode, ...]:
    """Which of the four ways are open (putian §四). The item's own list, when given, narrows them."""
    if offices > 1:
        open_modes = [Mode.JOINT]
    else:
        open_modes = []
        if item.stars >= 5:
            open_modes.append(Mode.ONLINE)
        if item.stars >= 3 and item.unified_platform:
            open_modes.append(Mode.WINDOW_ACCEPT)
        open_modes.append(Mode.WINDOW_FORWARD)
    return tuple(mode for mode in open_modes if not item.modes or mode.value in item.modes)


def check_mode(item: ItemFacts, mode: str, *, offices: int) -> None:
    if Mode(mode) not in allowed_modes(item, offices=offices):
        raise Unlawful(
            "mode", f"“{item.name}”不能按“{Mode(mode).label}”办理。{_why_not(item, mode, offices)}"
        )


def _why_not(item: ItemFacts, mode: str, offices: int) -> str:
    if offices > 1:
        return "涉及多个审批部门，应当多地联办（莆田 §四(四)）。"
    if mode == Mode.JOINT:
        return "只有一个审批部门，不需要多地联办（莆田 §四(四)）。"
    if mode == Mode.ONLINE and item.stars < 5:
        return "全程网办要求五星事项（莆田 §四(一)）。"
    if mode == Mode.WINDOW_ACCEPT and not item.unified_platform:
        return "自建系统事项应当收受分离（莆田 §四(三)）。"
    if mode == Mode.WINDOW_ACCEPT and item.stars < 3:
        return "受审分离要求三星以上事项（莆田 §四(二)）。"
    return "该事项没有开放这种模式。"


def granted(grant: GrantFacts, *, right: str, window: str, window_region: str, item: str) -> bool:
    if grant.right != right or (grant.item is not None and grant.item != item):
        return False
    if grant.window is not None:
        return grant.window == window
    return grant.region is not None and lies_within(window_region, grant.region)


def check_grant(
    grants: Iterable[GrantFacts], *, right: Right, window: str, window_region: str, item: str
) -> GrantFacts:
    """授权信任 (putian §五(六)). Answers the grant that was used, so that it can be recorded."""
    for grant in grants:
        if granted(grant, right=right, window=window, window_region=window_region, item=item):
            return grant
    raise Unlawful(f"no_grant_{right.value}", f"审批部门没有把“{right.label}”授予本窗口，请联系对方联络员。")
