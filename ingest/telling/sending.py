"""One HTTP request to a platform: timeouts, no redirects, certificates checked, to an address that was judged."""

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

import httpx

from ingest.telling.address import Network, addresses_of, check_url
from ingest.telling.rules import Outcome, asked_wait
from storage.errors import Refused

TIMEOUT = httpx.Timeout(connect=5.0, read=15.0, write=10.0, pool=5.0)
AGENT = "tongban-webhooks/1"
MOST_ADDRESSES = 3


def send(
    *, url: str, headers: Mapping[str, str], body: bytes, networks: Iterable[Network], now: datetime
) -> Outcome:
    """Post it once. Whatever goes wrong is an outcome, never an exception; of the answer only status and Retry-After
    are read.
    """
    allowed = list(networks)
    try:
        target = check_url(url, networks=allowed)
        addresses = addresses_of(target, networks=allowed)[:MOST_ADDRESSES]
    except Refused as refused:
        return Outcome(None, refused.code)
    outcome = Outcome(None, "unreachable")
    with httpx.Client(
        timeout=TIMEOUT, trust_env=False, follow_redirects=False, verify=_certificates()
    ) as client:
        for address in addresses:
            request = client.build_request(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers={
                    **headers,
                    "host": target.netloc.decode("ascii"),
                    "content-type": "application/json",
                    "user-agent": AGENT,
                },
                # The certificate has to be that of the name, not of the number.
                extensions={"sni_hostname": target.host},
            )
            try:
                response = client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except httpx.TimeoutException:
                return Outcome(None, "timeout")
            except httpx.TransportError:
                return Outcome(None, "answer_lost")
            response.close()
            asked = asked_wait(response.headers.get("retry-after", ""), now=now)
            return Outcome.of_status(response.status_code, asked=asked)
    return outcome


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    # Reading the authorities takes longer than most requests: once for the process.
    return ssl.create_default_context()
