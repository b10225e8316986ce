"""The directory: who may open it is said by the table of rights, and every change is told."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from registry.actors import Actor
from registry.keys import check_key, make_key, revoke_key
from registry.models import ApiKey, Event, Office, User
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble

EDITED = ("serviceitem", "user", "region", "servicecentre", "office", "window", "seal", "contact", "apikey")


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def client(cast: Cast) -> Client:
    """The administrator, with the flags that `make_accounts` gives."""
    return signed_in(cast.administrator)


def signed_in(actor: Actor) -> Client:
    User.objects.filter(pk=actor.id).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(pk=actor.id))
    return client


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.INTEGRATION)]
)
def test_djangos_own_flags_open_nothing_to_another_role(cast: Cast, role: Role) -> None:
    client = signed_in(getattr(cast, role.value))
    for name in EDITED:
        assert client.get(reverse(f"admin:registry_{name}_changelist")).status_code == 403, name
        assert client.post(reverse(f"admin:registry_{name}_add"), {}).status_code == 403, name
    password = reverse("admin:auth_user_password_change", args=[cast.administrator.id])
    assert client.post(password, {}).status_code == 403


def test_the_administrator_opens_every_list_and_form(client: Client) -> None:
    for name in EDITED:
        assert client.get(reverse(f"admin:registry_{name}_changelist")).status_code == 200, name
        assert client.get(reverse(f"admin:registry_{name}_add")).status_code == 200, name


def test_an_account_that_changes_place_is_told_without_its_password(cast: Cast, client: Client) -> None:
    added = client.post(
        reverse("admin:registry_user_add"),
        {
            "username": "new-officer", "usable_password": "true", "password1": "长而难猜的口令-8157-甲", "password2": "长而难猜的口令-8157-甲",
            "role": "officer", "office": cast.taizhou.pk,
        },
    )  # fmt: skip
    assert added.status_code == 302
    made = User.objects.get(username="new-officer")
    new = {
        "password1": "另一句难猜的口令-9268-乙",
        "password2": "另一句难猜的口令-9268-乙",
        "usable_password": "true",
    }
    assert client.post(reverse("admin:auth_user_password_change", args=[made.pk]), new).status_code == 302
    told = Event.objects.filter(subject_type="registry.user", subject_id=str(made.pk)).order_by("pk")
    assert [(event.kind, event.actor_label) for event in told] == [
        ("directory.row_added", "administrator"),
        ("directory.row_changed", "administrator"),
    ]
    assert "难猜" not in str([event.data for event in told])


def test_rows_changed_and_removed_are_told_with_their_fields(cast: Cast, client: Client) -> None:
    office = Office.objects.create(
        code="331000-new",
        name="新设部门",
        level="city",
        region=cast.taizhou.region,
        centre=cast.taizhou.centre,
    )
    page = reverse("admin:registry_office_change", args=[office.pk])
    form = client.get(page).context["adminform"].form
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert client.post(page, {**typed, "name": "新名称"}).status_code == 302
    remove = {"action": "delete_selected", "_selected_action": [office.pk], "post": "yes"}
    assert client.post(reverse("admin:registry_office_changelist"), remove).status_code == 302
    told = Event.objects.filter(subject_type="registry.office").order_by("pk")
    assert [event.kind for event in told] == ["directory.row_changed", "directory.row_removed"]
    assert len(told[0].data["fields"]) == 1


def test_a_key_is_shown_once_opens_and_is_revoked_for_good(cast: Cast, client: Client) -> None:
    wish = {"name": "省平台", "scopes": ["platform"], "window": cast.zhuji.pk}
    page = client.post(reverse("admin:registry_apikey_add"), wish, follow=True).content.decode()
    (secret,) = set(re.findall(r"tb_[0-9a-f]{12}_[\w-]+", page))
    key = ApiKey.find(secret)
    assert key is not None
    assert key.window == cast.zhuji
    listed = reverse("admin:registry_apikey_changelist")
    assert secret not in client.get(listed).content.decode()
    assert client.post(listed, {"action": "revoke", "_selected_action": [key.pk]}).status_code == 302
    assert ApiKey.find(secret) is None
    told = Event.objects.filter(subject_type="registry.apikey").order_by("pk")
    assert [event.kind for event in told] == ["key.made", "key.revoked"]
    assert told[0].data == {"scopes": ["platform"], "at": cast.zhuji.code}
    with pytest.raises(Refused, match="已经撤销"):
        revoke_key(key=key, actor=cast.administrator, now=NOW)


def test_a_key_without_one_place_or_with_a_scope_of_nobody_is_not_made(cast: Cast, client: Client) -> None:
    wish = {"name": "省平台", "scopes": ["platform"]}
    assert "二者只选其一" in client.post(reverse("admin:registry_apikey_add"), wish).content.decode()
    with pytest.raises(Refused, match="权限范围"):
        check_key(scopes=["courier"], window=cast.zhuji, office=None)
    assert not ApiKey.objects.exists()


def test_only_who_edits_accounts_makes_and_revokes_keys(cast: Cast) -> None:
    key, _ = ApiKey.make(name="省平台", scopes=["platform"], now=NOW, window=cast.zhuji)
    for actor in (cast.clerk, cast.officer, cast.finance, cast.auditor, Actor.of_key(key)):
        with pytest.raises(NotYours):
            make_key(name="x", scopes=["platform"], window=cast.zhuji, office=None, actor=actor, now=NOW)
        with pytest.raises(NotYours):
            revoke_key(key=key, actor=actor, now=NOW)
