"""First accounts: one person for each role, with generated passwords."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from registry.models import Office, ServiceCentre, User, Window
from registry.terms import Role


@dataclass(frozen=True)
class Login:
    username: str
    password: str
    role: str
    place: str


PEOPLE: tuple[tuple[str, Role, str], ...] = (
    ("clerk-zhuji", Role.CLERK, "330681-01"),
    ("clerk-taizhou", Role.CLERK, "331000-01"),
    ("officer-taizhou", Role.OFFICER, "331000-zjj"),
    ("officer-zhuji", Role.OFFICER, "330681-rsj"),
    ("finance-taizhou", Role.FINANCE, "centre-331000"),
    ("finance-taizhou-2", Role.FINANCE, "centre-331000"),
    ("finance-zhuji", Role.FINANCE, "centre-330681"),
    ("administrator", Role.ADMINISTRATOR, ""),
    ("auditor", Role.AUDITOR, ""),
)


def make_accounts() -> list[Login]:
    """Give each of these accounts a new password, making those that are missing. Needs the reference data."""
    logins = []
    with transaction.atomic():
        for username, role, code in PEOPLE:
            user = User.objects.filter(username=username).first() or User(username=username)
            user.role = role.value
            user.is_staff = role is Role.ADMINISTRATOR
            user.is_superuser = role is Role.ADMINISTRATOR
            place = _assign(user, role, code)
            password = secrets.token_urlsafe(9)
            user.set_password(password)
            user.save()
            logins.append(Login(username, password, role.label, place))
    return logins


def _assign(user: User, role: Role, code: str) -> str:
    if role is Role.CLERK:
        user.window = Window.objects.get(code=code)
        return user.window.name
    if role is Role.OFFICER:
        user.office = Office.objects.get(code=code)
        return user.office.name
    if role is Role.FINANCE:
        user.centre = ServiceCentre.objects.get(code=code)
        return user.centre.name
    return ""
