"""A seal platform by the API of the Cloud Signature Consortium (CSC 1.0.4.0): a digest goes out, a signature comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
    CSCSigner,
    fetch_certs_in_csc_credential,
)

from dossier.signers.unusable import SealUnusable

SECONDS = 30
"""How long one answer of the platform may take."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SILENT = (aiohttp.ClientError, asyncio.TimeoutError)
_UNREADABLE = (SigningError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class PlatformSeal:
    """One credential of a signing service.

    `service` is what stands before `/csc/v1/`. The client asks for a token by `oauth2/token` (client credentials);
    without a client the service knows us by other means, and no token is asked for. `pin` releases the credential
    (authorisation mode "explicit"); a credential released by the service itself ("implicit") has none.
    """

    service: str
    credential: str
    client: str = ""
    secret: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)


def platform_seal(reference: str, secret: str) -> PlatformSeal:
    """The seal that a directory entry names: `https://service#credential` and `client:secret:pin`.

    Parts that contain a colon are percent-encoded; each may be empty. Digests and tokens travel encrypted: anything
    but https is only taken on the loopback. Raises SealUnusable.
    """
    service, _, credential = reference.partition("#")
    address = urlsplit(service)
    safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
    if not safe or not credential:
        raise SealUnusable
    client, word, pin = (unquote(part) for part in ([*secret.split(":", 2), "", ""])[:3])
    return PlatformSeal(service.rstrip("/"), credential, client, word, pin)


@asynccontextmanager
async def platform_signer(seal: PlatformSeal) -> AsyncIterator[CSCSigner]:
    """A signer that lasts as long as the block. Raises SealUnusable; what may pass by itself can be retried.

    A refusal by the platform is final: credentials are locked after a few wrong PINs, so nobody may ask again on
    their own.
    """
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        token = await _token(session, seal)
        service = CSCServiceSessionInfo(seal.service, seal.credential, token)
        credential = await _credential(session, service)
        release = _Release(session, service, credential, seal.pin)
        yield _PlatformSigner(session, release, sign_timeout=SECONDS)


async def _token(session: aiohttp.ClientSession, seal: PlatformSeal) -> str | None:
    if not seal.client:
        return None
    grant = {"grant_type": "client_credentials", "client_id": seal.client, "client_secret": seal.secret}
    address = CSCServiceSessionInfo(seal.service, seal.credential).endpoint_url("oauth2/token")
    answer = await _post(session, address, data=grant)  # a form, as OAuth 2 has it (RFC 6749, section 4.4.2)
    token = answer.get("access_token")
    if not isinstance(token, str):
        raise SealUnusable(can_retry=True)
    return token


async def _credential(session: aiohttp.ClientSession, service: CSCServiceSessionInfo) -> CSCCredentialInfo:
    try:
        return await fetch_certs_in_csc_credential(session, service, timeout=SECONDS)
    except (*_SILENT, *_UNREADABLE) as error:
        raise _unusable(error) from error


async def _post(session: aiohttp.ClientSession, address: str, **what: Any) -> dict[str, Any]:
    try:
        async with session.post(address, raise_for_status=True, **what) as response:
            answer = await response.json()
    except (*_SILENT, *_UNREADABLE) as error:
        raise _unusable(error) from error
    if not isinstance(answer, dict):
        raise SealUnusable(can_retry=True)
    return answer


class _Release(CSCAuthorizationManager):
    """Has the credential released for exactly the digests that are about to be signed."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: CSCServiceSessionInfo,
        credential: CSCCredentialInfo,
        pin: str,
    ) -> None:
        super().__init__(service, credential)
        self._session = session
        self._pin = pin

    async def authorize_signature(self, hash_b64s: list[str]) -> CSCAuthorizationInfo:
        request = self.format_csc_auth_request(pin=self._pin or None, hash_b64s=hash_b64s)
        address = self.csc_session_info.endpoint_url("credentials/authorize")
        answer = await _post(self._session, address, json=request, headers=self.auth_headers)
        return self.parse_csc_auth_response(answer)


class _PlatformSigner(CSCSigner):
    """Says in our words that a platform does not sign, and why: further up pyHanko knows only that it did not."""

    async def commit(self) -> None:
        try:
            await super().commit()  # type: ignore[no-untyped-call]
        except (*_SILENT, *_UNREADABLE) as error:
            raise _unusable(error) from error


def _unusable(error: BaseException) -> SealUnusable:
    """Whether it is worth another try: a platform that said no to us (4xx) will say no again."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientResponseError):
            refused = HTTPStatus.BAD_REQUEST <= cause.status < HTTPStatus.INTERNAL_SERVER_ERROR
            return SealUnusable(can_retry=not refused or cause.status == HTTPStatus.TOO_MANY_REQUESTS)
        cause = cause.__cause__
    return SealUnusable(can_retry=True)
