"""A populated world seen through Django's client."""

from collections.abc import Callable

import pytest
from django.test import Client

from registry.actors import Actor
from registry.models import User
from tests.cast import Cast, assemble
from tests.logistics.road import Road, build_road

SignIn = Callable[[Actor], Client]
NOWHERE = "http://127.0.0.1:9"
"""A courier that does not answer: waybills are registered by hand here."""


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def road(cast: Cast, objects: None) -> Road:
    """A submitted case at the Zhuji window for the Taizhou office, two originals at the window."""
    return build_road(cast, NOWHERE)


@pytest.fixture
def sign_in() -> SignIn:
    def enter(actor: Actor) -> Client:
        client = Client()
        client.force_login(User.objects.get(pk=actor.id))
        return client

    return enter
