"""Where a webhook may go: https at public addresses, and inside the house only where the operator says so.

The name is resolved once, every address it has is judged, and the connection goes to one that was judged: a name that answers
differently the second time gains nothing.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence

import httpx

from storage.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST = 400
"""Characters of an address."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(Refused):
    """The address is not one to which webhooks may go."""

    def __init__(self, why: str) -> None:
        super().__init__("webhook_address", f"推送地址不可用：{why}。")


class Unresolved(Refused):
    """The name has no address just now."""

    def __init__(self) -> None:
        super().__init__("webhook_unresolved", "推送地址的主机名暂时无法解析。", can_retry=True)


def check_url(text: str, *, networks: Iterable[Network]) -> httpx.URL:
    """The form of an address: https with a host and nothing secret in it; http for a loopback that is allowed. Raises Forbidden."""
    if len(text) > LONGEST:
        raise Forbidden(f"至多 {LONGEST} 个字符，现有 {len(text)} 个")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as fault:
        raise Forbidden("不是完整的网址") from fault
    if not url.host or url.userinfo or url.fragment:
        raise Forbidden("须为完整网址，不含用户名、密码和 # 部分")
    literal = _literal(url.host)
    if literal is not None:
        _check(literal, networks)
    loopback = literal is not None and literal.is_loopback
    if url.scheme != "https" and not (url.scheme == "http" and loopback):
        raise Forbidden("须以 https:// 开头")
    return url


def addresses_of(url: httpx.URL, *, networks: Iterable[Network]) -> list[str]:
    """The addresses of its host, every one judged. Raises Forbidden when a single one may not be reached, Unresolved."""
    allowed = list(networks)
    try:
        found = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise Unresolved from fault
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _check(ipaddress.ip_address(address), allowed)
    return addresses


def parse_networks(text: str) -> Sequence[Network]:
    """The setting: networks separated by commas. ValueError for what is none."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check(address: Address, networks: Iterable[Network]) -> None:
    real = _inner(address)
    if any(real.version == network.version and real in network for network in networks):
        return
    if not real.is_global or real.is_multicast:
        raise Forbidden("指向内部网络，需要运维人员在 TONGBAN_WEBHOOK_NETWORKS 中允许")


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
