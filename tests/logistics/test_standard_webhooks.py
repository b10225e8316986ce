"""Standard Webhooks: the published vector, rotation, the clock, and what a forger may try."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.couriers.errors import Forged
from logistics.couriers.standard_webhooks import headers_for, key_of, signature, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
MESSAGE, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
THEN = datetime.fromtimestamp(TIMESTAMP, UTC)


def signed(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    return headers_for(secrets=secrets, message_id=MESSAGE, timestamp=TIMESTAMP, body=body)


def test_the_published_vector() -> None:
    assert signature(secret=SECRET, message_id=MESSAGE, timestamp=TIMESTAMP, body=BODY) == VECTOR
    headers = {
        "webhook-id": MESSAGE,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": f"v1a,b3RoZXI= {VECTOR}",
    }
    assert verify(headers, BODY, secrets=[SECRET], now=THEN) == MESSAGE


def test_during_a_rotation_either_secret_is_enough() -> None:
    assert verify(signed(OTHER), BODY, secrets=[SECRET, OTHER], now=THEN) == MESSAGE
    assert verify(signed(OTHER, SECRET), BODY, secrets=[SECRET], now=THEN) == MESSAGE
    with pytest.raises(Forged):
        verify(signed(OTHER), BODY, secrets=[SECRET], now=THEN)


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_push_from_another_time_is_refused(off: timedelta) -> None:
    with pytest.raises(Forged, match="时间戳"):
        verify(signed(SECRET), BODY, secrets=[SECRET], now=THEN + off)


def test_a_push_within_the_tolerance_is_taken() -> None:
    assert verify(signed(SECRET), BODY, secrets=[SECRET], now=THEN + timedelta(minutes=5)) == MESSAGE


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_header_may_be_missing(missing: str) -> None:
    headers = signed(SECRET)
    del headers[missing]
    with pytest.raises(Forged):
        verify(headers, BODY, secrets=[SECRET], now=THEN)


@pytest.mark.parametrize(
    "stamp", ["0" + str(TIMESTAMP), "１６１４２６５３３０", "-1", "1e9", " 1614265330", "9" * 40]
)
def test_the_timestamp_has_one_spelling(stamp: str) -> None:
    with pytest.raises(Forged):
        verify(signed(SECRET) | {"webhook-timestamp": stamp}, BODY, secrets=[SECRET], now=THEN)


def test_no_secret_accepts_nothing() -> None:
    with pytest.raises(Forged):
        verify(signed(SECRET), BODY, secrets=[], now=THEN)


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_seen(position: int, bit: int) -> None:
    body = bytearray(BODY)
    body[position] ^= 1 << bit
    with pytest.raises(Forged):
        verify(signed(SECRET), bytes(body), secrets=[SECRET], now=THEN)


@given(body=st.binary(max_size=300), message=st.from_regex(r"[a-zA-Z0-9_]{1,30}", fullmatch=True))
def test_what_is_signed_is_accepted(body: bytes, message: str) -> None:
    headers = headers_for(secrets=[OTHER], message_id=message, timestamp=TIMESTAMP, body=body)
    assert verify(headers, body, secrets=[OTHER], now=THEN) == message


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_c2hvcnQ=", "whsec_" + "QUFB" * 30])
def test_a_secret_has_24_to_64_bytes(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        key_of(secret)
