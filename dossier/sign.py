"""Seals on PDFs: PAdES B-B to B-LTA, the first one certifying, later ones as increments."""

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pkcs11 import PKCS11Error
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.validation.dss import DocumentSecurityStore, collect_validation_info
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError

from dossier.appearance import Appearance, stamp_style
from dossier.clean import NotSealable, clean_copy
from dossier.contents import Level
from dossier.signers import DIGEST, Seal, SealUnusable, open_signer
from dossier.trust import Trust
from storage.errors import Refused


class SealingFailed(Refused):
    """A signature or timestamp could not be made; the target is untouched."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def seal_pdf(
    *,
    source: Path,
    target: Path,
    signer: Seal,
    timestamper: TimeStamper | None,
    level: Level,
    field: str,
    appearance: Appearance | None,
    trust: Trust,
    reason: str = "",
    place: str = "",
    clean: bool = True,
    clock: Callable[[], datetime] = system_clock,
) -> None:
    """Sign `source` into `target`, whole or not at all.

    The first signature certifies: afterwards only further signatures are allowed (DocMDP 2), so every field that
    will be needed must exist by then. `field` is made if missing. An unsigned source is cleaned first unless the
    caller has just assembled it (`clean=False`). Levels from B-T need a timestamper, from B-LT trust.
    Raises NotSealable, SealUnusable, SealingFailed (all Refused).
    """
    if level is not Level.BASIC and timestamper is None:
        raise SealingFailed("timestamp-missing", "未配置时间戳服务，无法按要求的级别盖章。")
    working = target.with_name(f"{target.name}.sealing")
    cleaned = target.with_name(f"{target.name}.clean")
    try:
        first = not is_signed(source)
        if first and clean:
            clean_copy(source, cleaned)
            source = cleaned

        async def sign() -> None:
            async with open_signer(signer) as opened:
                job = _Job(opened, timestamper, level, field, appearance, trust, reason, place, first, clock)
                await job.run(source, working)

        asyncio.run(sign())
        working.replace(target)
    finally:
        working.unlink(missing_ok=True)
        cleaned.unlink(missing_ok=True)


def is_signed(path: Path) -> bool:
    """Whether any signature field of the file is filled. Raises NotSealable."""
    try:
        with path.open("rb") as file:
            return any(value is not None for _, value, _ in enumerate_sig_fields(PdfFileReader(file)))
    except (PdfError, ValueError, KeyError, AssertionError) as error:
        raise NotSealable("pdf-unreadable", "文件无法读取，无法盖章；请重新生成后再试。") from error


def renew_timestamp(
    *,
    source: Path,
    target: Path,
    timestamper: TimeStamper,
    trust: Trust,
    clock: Callable[[], datetime] = system_clock,
) -> None:
    """Add validation data for the last timestamp and a new timestamp over everything, before the old one expires."""
    working = target.with_name(f"{target.name}.sealing")
    try:
        shutil.copyfile(source, working)
        with working.open("r+b") as file:
            asyncio.run(_renew(file, timestamper, trust, clock))
            _sync(file)
        working.replace(target)
    except _FAILURES as error:
        raise _failed(error) from error
    finally:
        working.unlink(missing_ok=True)


_FAILURES = (
    SigningError,
    TimestampRequestError,
    PathBuildingError,
    PathValidationError,
    PdfError,
    PKCS11Error,
    ValueError,
    OSError,
)


class _Job:
    """One signature, from the field to the last timestamp."""

    def __init__(
        self,
        signer: Signer,
        timestamper: TimeStamper | None,
        level: Level,
        field: str,
        appearance: Appearance | None,
        trust: Trust,
        reason: str,
        place: str,
        first: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._signer = signer
        self._timestamper = timestamper
        self._level = level
        self._field = field
        self._appearance = appearance
        self._trust = trust
        self._reason = reason
        self._place = place
        self._first = first
        self._clock = clock

    async def run(self, source: Path, working: Path) -> None:
        try:
            with source.open("rb") as unsigned, working.open("w+b") as file:
                await self._sign(unsigned, file)
                if self._level in (Level.LONG_TERM, Level.ARCHIVED):
                    await self._keep_validatable(file)
                _sync(file)
        except _FAILURES as error:
            raise _failed(error) from error

    async def _sign(self, unsigned: BinaryIO, file: BinaryIO) -> None:
        writer = IncrementalPdfFileWriter(unsigned)
        names = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
        metadata = PdfSignatureMetadata(
            field_name=self._field,
            md_algorithm=DIGEST,
            subfilter=SigSeedSubFilter.PADES,
            certify=self._first,
            docmdp_permissions=MDPPerm.FILL_FORMS,
            reason=self._reason or None,
            location=self._place or None,
        )
        signer = PdfSigner(
            metadata,
            self._signer,
            timestamper=None if self._level is Level.BASIC else self._timestamper,
            stamp_style=stamp_style(self._appearance) if self._appearance else None,
            new_field_spec=None if self._field in names else self._new_field(),
        )
        await signer.async_sign_pdf(writer, output=file)

    def _new_field(self) -> SigFieldSpec:
        if self._appearance is None:
            return SigFieldSpec(self._field)
        left, bottom, right, top = (round(edge) for edge in self._appearance.box)
        return SigFieldSpec(self._field, on_page=self._appearance.page, box=(left, bottom, right, top))

    async def _keep_validatable(self, file: BinaryIO) -> None:
        """Validation data issued after the signature, so that it speaks for the signature's own time."""
        writer = IncrementalPdfFileWriter(file)
        signature = writer.prev.embedded_signatures[-1]
        context = self._trust.context(moment=self._clock())
        paths = await collect_validation_info(signature, context)
        if self._timestamper is None:
            raise SigningError("no timestamper")
        if self._level is Level.ARCHIVED:
            paths += [path async for path in self._timestamper.validation_paths(context)]
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            signature.pkcs7_content.hex().encode(),
            paths=paths,
            validation_context=context,
            embed_roots=False,
        )
        if self._level is Level.ARCHIVED:
            await PdfTimeStamper(self._timestamper).async_timestamp_pdf(writer, DIGEST, in_place=True)
        else:
            writer.write_in_place()


async def _renew(
    file: BinaryIO, timestamper: TimeStamper, trust: Trust, clock: Callable[[], datetime]
) -> None:
    writer = IncrementalPdfFileWriter(file)
    context = trust.context(moment=clock())
    paths = []
    for stamp in writer.prev.embedded_timestamp_signatures[-1:]:
        paths += await collect_validation_info(stamp, context, skip_timestamp=True)
    DocumentSecurityStore.supply_dss_in_writer(
        writer, None, paths=paths, validation_context=context, embed_roots=False
    )
    await PdfTimeStamper(timestamper).async_timestamp_pdf(writer, DIGEST, in_place=True)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _failed(error: Exception) -> Refused:
    if isinstance(error, PKCS11Error):
        return SealUnusable(can_retry=True)
    if isinstance(error, TimestampRequestError | OSError):
        return SealingFailed("timestamp-failed", "时间戳服务没有应答，请稍后重试。", can_retry=True)
    if isinstance(error, PathBuildingError | PathValidationError):
        return SealingFailed(
            "seal-not-trusted", "印章证书无法通过信任链或吊销检查，请管理员核对印章与信任根证书。"
        )
    return SealingFailed("sealing-failed", "盖章未能完成，原文件未改动；请重新生成文件后再试。")
