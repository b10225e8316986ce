"""Who acts in the demonstration, and the pass words with which anyone may go on in their names."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.accounts import PEOPLE, Login, make_accounts
from registry.actors import Actor
from registry.models import Office, ServiceCentre, User, Window

KNOWN = frozenset(username for username, _, _ in PEOPLE)


@dataclass(frozen=True)
class People:
    """A clerk in Zhuji, an officer and two finance officers in Taizhou (one prepares, one approves), and where they work."""

    clerk: Actor
    officer: Actor
    finance: Actor
    second_finance: Actor
    window: Window
    office: Office
    centre: ServiceCentre


def assemble(folder: Path) -> tuple[People, list[Login]]:
    """One account for each role. Their pass words are made once and kept in `logins.json` for the owner alone."""
    logins = _kept(folder / "logins.json")
    office = Office.objects.select_related("centre__region", "region").get(code="331000-zjj")
    people = People(
        clerk=_actor("clerk-zhuji"),
        officer=_actor("officer-taizhou"),
        finance=_actor("finance-taizhou"),
        second_finance=_actor("finance-taizhou-2"),
        window=Window.objects.select_related("region", "centre").get(code="330681-01"),
        office=office,
        centre=office.centre,
    )
    return people, logins


def _kept(path: Path) -> list[Login]:
    if path.exists():
        logins = [Login(**row) for row in json.loads(path.read_text())]
        if {login.username for login in logins} == KNOWN and all(_opens(login) for login in logins):
            return logins
    logins = make_accounts()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump([asdict(login) for login in logins], file, ensure_ascii=False, indent=1)
    return logins


def _opens(login: Login) -> bool:
    user = User.objects.filter(username=login.username, is_active=True).first()
    return user is not None and user.check_password(login.password)


def _actor(username: str) -> Actor:
    return Actor.of(User.objects.get(username=username))
