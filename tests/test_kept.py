"""Rows that are put back are those that the product made, and a world that is not the usual one is made by it."""

import pytest
from django.db import transaction

from registry.models import User
from tests import kept
from tests.cast import PLACES_AND_PEOPLE, assemble

pytestmark = pytest.mark.django_db


def laid_out() -> kept.Rows:
    with transaction.atomic():
        PLACES_AND_PEOPLE.lay_out()
        rows = kept.taken()
        transaction.set_rollback(True)
    return rows


def test_the_second_time_every_row_is_as_the_first_time() -> None:
    first = laid_out()
    assert len(first) > 10
    assert kept.same(laid_out(), first)
    assert kept.taken() == {}


def test_where_somebody_is_already_the_product_adds_the_rest() -> None:
    User.objects.create(username="early")
    cast = assemble()
    assert cast.clerk.window_id == cast.zhuji.pk
    assert User.objects.count() == 9
    assert assemble() == cast


def test_what_changes_rows_that_were_there_is_not_kept() -> None:
    assemble()
    meddling = kept.Kept(lambda: User.objects.update(first_name="another"), on=PLACES_AND_PEOPLE)
    with pytest.raises(AssertionError, match="have changed"):
        meddling.lay_out()
