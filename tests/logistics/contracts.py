"""Every courier as the contract suite takes it: how its account is opened, and what its interface offers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from logistics.couriers.base import Account, Courier, Proof, Retired
from logistics.couriers.opening import open_courier
from logistics.sandbox.server import SandboxServer
from tests.logistics.couriers import KUAIDI100, NEUTRAL, caller

EMS_KEY = "TvaBgrhE46sft3nZlfe7xw=="
CARD = "T-331000"


@dataclass(frozen=True)
class Terms:
    """What one courier's interface promises.

    `register` is the wish that makes the sandbox know the account; `options` names its addresses below a base URL.
    `follows`: it carries waybills that others made, so none is ordered here. `secret`: the one that proves pushes,
    with another value of the same form; `right`: what a wrong value of which has every call refused. `says_when`: it names the
    expected arrival.
    """

    adapter: str
    number: str
    credentials: dict[str, str]
    options: Callable[[str], dict[str, str]]
    register: Callable[[dict[str, str], str], dict[str, Any]]
    proof: Proof
    secret: tuple[str, str]
    right: tuple[str, str]
    offers: frozenset[str] = frozenset()
    takes_back: bool = True
    says_when: bool = True
    follows: bool = False
    retries_lost_orders: bool = True
    company: str = field(default="ems")

    def account(self, url: str, *, changed: dict[str, str] | None = None, overlap: bool = False) -> Account:
        """The account, some secrets changed; with `overlap` the first ones are honoured for another day."""
        until = datetime.now(UTC) + timedelta(days=1)
        retired = (Retired(credentials=self.credentials, until=until),) if overlap else ()
        return Account(
            number=self.number,
            credentials={**self.credentials, **(changed or {})},
            options=self.options(url),
            retired=retired,
        )

    def courier(self, url: str, client: httpx.Client, **changes: Any) -> Courier:
        """The adapter as services open it, with retries that do not wait."""
        return open_courier(self.adapter, self.account(url, **changes), caller=caller(client))

    def tell(
        self, sandbox: SandboxServer, client: httpx.Client, *, push_url: str = "", **changed: str
    ) -> None:
        """Registers the account in the sandbox; `push_url` is what its console would say."""
        wish(client, sandbox, "accounts", **self.register({**self.credentials, **changed}, push_url))


def wish(client: httpx.Client, sandbox: SandboxServer, path: str, **body: Any) -> Any:
    """Asks the sandbox for something at its own controls."""
    answer = client.post(f"{sandbox.url}/sandbox/{path}", json=body)
    answer.raise_for_status()
    return answer.json()


def _contract(interface: str, name: str, secrets: dict[str, str], push_url: str) -> dict[str, Any]:
    return {"contract": {"interface": interface, "name": name, "secrets": secrets, "push_url": push_url}}


ORDERING = frozenset({"create", "cancel"})

TERMS = {
    terms.adapter: terms
    for terms in (
        Terms(
            adapter="neutral",
            number=CARD,
            credentials=NEUTRAL,
            options=lambda url: {"base_url": url},
            register=lambda secrets, _: {
                "api_key": secrets["api_key"],
                "webhook_secrets": [secrets["webhook_secret"]],
            },
            proof=Proof.SIGNED,
            secret=("webhook_secret", "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="),
            right=("api_key", "another-key"),
            offers=ORDERING | {"quote", "find", "label", "charges"},
        ),
        Terms(
            adapter="ems",
            number="90000000000",
            credentials={"key": EMS_KEY, "authorization": "auth-E1"},
            options=lambda url: {"base_url": f"{url}/ems/open"},
            register=lambda secrets, push: _contract("ems", "90000000000", secrets, push),
            proof=Proof.SIGNED,
            secret=("key", "AAECAwQFBgcICQoLDA0ODw=="),
            right=("authorization", "auth-E2"),
            offers=ORDERING | {"quote", "label"},
            says_when=False,
            retries_lost_orders=False,
        ),
        Terms(
            adapter="sf",
            number=CARD,
            credentials={"partner_id": "P0001", "checkword": "check-C3"},
            options=lambda url: {"service_url": f"{url}/sf/service"},
            register=lambda secrets, push: _contract(
                "sf", "P0001", {"checkword": secrets["checkword"], "card": CARD}, push
            ),
            proof=Proof.PATH,
            secret=("checkword", "check-C4"),
            right=("checkword", "check-C4"),
            offers=ORDERING | {"find", "charges"},
            says_when=False,
            takes_back=False,
            company="sf",
        ),
        Terms(
            adapter="kuaidi100",
            number="",
            credentials=KUAIDI100,
            options=lambda url: {"poll_url": f"{url}/poll", "query_url": f"{url}/poll/query.do"},
            register=lambda secrets, _: {
                "kuaidi100_key": secrets["key"],
                "kuaidi100_customer": secrets["customer"],
            },
            proof=Proof.SIGNED,
            secret=("salt", "salt-A2"),
            right=("key", "kd-other"),
            follows=True,
        ),
        Terms(
            adapter="kdniao",
            number="",
            credentials={"customer_id": "T0001", "app_key": "key-B2"},
            options=lambda url: {
                "subscribe_url": f"{url}/kdniao/api/dist",
                "query_url": f"{url}/kdniao/Ebusiness/EbusinessOrderHandle.aspx",
            },
            register=lambda secrets, push: _contract(
                "kdniao", "T0001", {"app_key": secrets["app_key"]}, push
            ),
            proof=Proof.SIGNED,
            secret=("app_key", "key-B3"),
            right=("app_key", "key-B3"),
            follows=True,
        ),
    )
}
