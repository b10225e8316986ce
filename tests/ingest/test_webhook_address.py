"""Where webhooks may go, as a table, and that the connection goes to the very address that was judged."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import ingest.telling.address as addressing
import ingest.telling.sending as sending
from ingest.telling.address import Forbidden, Unresolved, addresses_of, check_url, parse_networks
from ingest.telling.rules import Outcome
from tests.cast import NOW

LOOPBACK = parse_networks("127.0.0.0/8, ::1/128")
HOUSE = parse_networks("10.20.0.0/16")
NAME = "platform.example"
Resolve = Callable[..., None]


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example/told",
        "ftp://platform.example/told",
        "//platform.example/told",
        "/told",
        "https://",
        "https://user:word@platform.example/told",
        "https://platform.example/told#part",
        "https://127.0.0.1/told",
        "https://[::1]/told",
        "https://169.254.169.254/latest/meta-data",
        "https://10.20.0.9/told",
        "https://[::ffff:10.20.0.9]/told",
        "http://8.8.8.8/told",
        "not an address",
        "https://platform.example:port/",
    ],
)
def test_an_address_with_something_wrong_is_refused_when_it_is_entered(url: str) -> None:
    with pytest.raises(Forbidden):
        check_url(url, networks=[])


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        ("https://platform.example/told?of=cases", []),
        ("https://8.8.8.8/told", []),
        ("http://127.0.0.1:8100/told", LOOPBACK),
        ("https://10.20.0.9/told", HOUSE),
    ],
)
def test_public_https_and_what_the_operator_allows(url: str, networks: list[addressing.Network]) -> None:
    assert str(check_url(url, networks=networks)) == url


def test_plain_http_is_for_loopback_alone() -> None:
    with pytest.raises(Forbidden, match="https"):
        check_url("http://10.20.0.9/told", networks=HOUSE)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """What the name server says, for names of elsewhere."""

    real = socket.getaddrinfo

    def answer(*addresses: str) -> None:
        def found(host: str, port: int, *wishes: Any, **more: Any) -> list[Any]:
            if host != NAME:
                return real(host, port, *wishes, **more)
            if not addresses:
                raise socket.gaierror
            return [(socket.AF_UNSPEC, 1, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return answer


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:192.168.1.1",
        "64:ff9b::c0a8:101",
        "2002:c0a8:101::1",
    ],
)
def test_a_name_that_leads_inside_is_refused_wherever_the_address_hides(
    address: str, resolve: Resolve
) -> None:
    url = check_url(f"https://{NAME}/", networks=[])
    resolve(address)
    with pytest.raises(Forbidden):
        addresses_of(url, networks=[])
    resolve("8.8.8.8", address)
    with pytest.raises(Forbidden):
        addresses_of(url, networks=[])


def test_a_name_that_leads_outside_is_taken(resolve: Resolve) -> None:
    resolve("8.8.8.8", "2001:4860:4860::8888", "8.8.8.8")
    url = check_url(f"https://{NAME}/", networks=[])
    assert addresses_of(url, networks=[]) == ["8.8.8.8", "2001:4860:4860::8888"]


def test_a_name_without_an_address_is_tried_again_later(resolve: Resolve) -> None:
    resolve()
    with pytest.raises(Unresolved) as told:
        addresses_of(check_url(f"https://{NAME}/", networks=[]), networks=[])
    assert told.value.can_retry
    assert sending.send(url=f"https://{NAME}/", headers={}, body=b"", networks=[], now=NOW) == Outcome(
        None, "webhook_unresolved"
    )


def test_what_was_allowed_once_and_leads_inside_now_is_not_sent(resolve: Resolve) -> None:
    resolve("192.168.1.1")
    outcome = sending.send(url=f"https://{NAME}/", headers={}, body=b"", networks=[], now=NOW)
    assert outcome == Outcome(None, "webhook_address")


@pytest.mark.parametrize("text", ["10.0.0.0/40", "house", "10.0.0.1/8"])
def test_a_setting_that_names_no_network_is_refused_at_start(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits"):
        parse_networks(text)


class Secure:
    """An https server of this machine with a certificate for a name; the hosts that were asked for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.asked: list[str] = []
        certificate = folder / "certificate.pem"
        certificate.write_bytes(self_signed(name))
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                asked.append(self.headers["host"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.trusting = ssl.create_default_context(cafile=str(certificate))


def self_signed(name: str) -> bytes:
    """Key and certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def secure(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Secure]:
    made = Secure(tmp_path, request.param)
    monkeypatch.setattr(sending, "_certificates", lambda: made.trusting)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.mark.parametrize("secure", [NAME], indirect=True)
def test_the_certificate_is_checked_for_the_name_at_the_judged_address(
    secure: Secure, resolve: Resolve
) -> None:
    resolve("127.0.0.1")
    url = f"https://{NAME}:{secure.port}/told"
    assert sending.send(url=url, headers={}, body=b"{}", networks=LOOPBACK, now=NOW) == Outcome(204)
    assert secure.asked == [f"{NAME}:{secure.port}"]


@pytest.mark.parametrize("secure", ["other.example"], indirect=True)
def test_the_certificate_of_another_name_ends_it(secure: Secure, resolve: Resolve) -> None:
    resolve("127.0.0.1")
    url = f"https://{NAME}:{secure.port}/told"
    outcome = sending.send(url=url, headers={}, body=b"{}", networks=LOOPBACK, now=NOW)
    assert outcome == Outcome(None, "unreachable")
    assert secure.asked == []
