"""Dossiers over the wire: what there is, the file itself (ranged and resumable), a verdict on any file."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from ninja import File, Router, Schema, UploadedFile

from dossier.differences import Row
from dossier.models import Dossier, DossierState
from dossier.services import (
    authorise_download,
    check_for_anyone,
    confirm_result,
    countersign,
    differences,
    known_leaves,
    material_copy,
    materials_of,
    proof_bundle,
    stamped_copy,
)
from registry.actors import Actor
from registry.auth import actor_of, session_or_key
from registry.callers import caller_address
from registry.permissions import NotYours, visible, yours
from storage.models import StoredObject
from storage.scratch import scratch
from storage.services import read_range

router = Router(tags=["卷宗"], auth=session_or_key)
PDF = "application/pdf"
CHUNK = 1 << 20
RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


class DossierOut(Schema):
    """One version; no personal data."""

    id: int
    version: int
    state: str
    sha256: str
    size: int
    pages: int
    signatures: int
    level: str
    signed_at: datetime | None


class MaterialOut(Schema):
    """A material as it lies in one version: its place and its pages of the PDF, from 1."""

    position: int
    name: str
    pages: list[int]


class SpotOut(Schema):
    """A page where it lies; `number` counts within the material, `page` in the PDF."""

    material: str
    number: int
    page: int
    sha256: str


class ChangeOut(Schema):
    """One page that is not the same in both versions: moved, changed, added or removed."""

    change: str
    before: SpotOut | None
    after: SpotOut | None


@router.get("/cases/{number}/dossiers", response=list[DossierOut], summary="办件的卷宗各版本")
def list_dossiers(request: HttpRequest, number: str) -> list[DossierOut]:
    rows = visible(
        actor_of(request), "dossier.download", Dossier.objects.filter(handling__case__number=number)
    )
    return [_shown(dossier) for dossier in rows.order_by("handling", "version")]


@router.get("/dossiers/{key}/file", summary="下载卷宗，支持断点续传", response=None)
def download(request: HttpRequest, key: int) -> HttpResponseBase:
    actor = actor_of(request)
    return file_response(request, _find(actor, "dossier.download", key), actor, timezone.now())


@router.get("/dossiers/{key}/copy", summary="下载加注使用范围的副本", response=None)
def download_copy(request: HttpRequest, key: int) -> HttpResponseBase:
    actor = actor_of(request)
    dossier = _find(actor, "dossier.download", key)
    return copy_response(dossier, actor, timezone.now())


@router.get("/dossiers/{key}/materials", response=list[MaterialOut], summary="卷宗中的材料")
def list_materials(request: HttpRequest, key: int) -> list[MaterialOut]:
    dossier = _find(actor_of(request), "dossier.download", key)
    found = materials_of(known_leaves(dossier))
    return [MaterialOut(position=item.position, name=item.name, pages=list(item.pages)) for item in found]


@router.get("/dossiers/{key}/materials/{position}", summary="下载单项材料，加注使用范围", response=None)
def download_material(request: HttpRequest, key: int, position: int) -> HttpResponseBase:
    actor = actor_of(request)
    return material_response(_find(actor, "dossier.download", key), position, actor, timezone.now())


@router.get("/dossiers/{key}/changes", response=list[ChangeOut], summary="与另一版次逐页比较")
def list_changes(request: HttpRequest, key: int, since: int) -> list[ChangeOut]:
    """`since` is the id of the earlier version; pages that did not change are left out."""
    actor = actor_of(request)
    later, earlier = _find(actor, "dossier.download", key), _find(actor, "dossier.download", since)
    found = differences(earlier=earlier, later=later, actor=actor)
    return [_changed(row) for row in found.changes]


@router.get("/dossiers/{key}/proof", summary="下载证明包，可脱离本系统核验", response=None)
def download_proof(request: HttpRequest, key: int) -> HttpResponseBase:
    actor = actor_of(request)
    return proof_response(_find(actor, "dossier.download", key), actor, timezone.now())


@router.post("/dossiers/{key}/receipt", response=DossierOut, summary="审批部门签收")
def sign_receipt(request: HttpRequest, key: int) -> DossierOut:
    actor = actor_of(request)
    dossier = _find(actor, "dossier.countersign", key)
    return _shown(countersign(dossier=dossier, actor=actor, now=timezone.now()))


@router.post("/dossiers/{key}/result", response=DossierOut, summary="加盖审批结果确认章")
def sign_result(request: HttpRequest, key: int) -> DossierOut:
    actor = actor_of(request)
    dossier = _find(actor, "dossier.countersign", key)
    return _shown(confirm_result(dossier=dossier, actor=actor, now=timezone.now()))


@router.post("/verify", auth=None, summary="核验任意卷宗文件，不留存")
def verify_file(request: HttpRequest, file: File[UploadedFile]) -> dict[str, Any]:
    checked = check_for_anyone(
        content=file.chunks(), size=file.size or 0, caller=caller_address(request), now=timezone.now()
    )
    return checked.verdict.as_json()


def file_response(request: HttpRequest, dossier: Dossier, actor: Actor, now: datetime) -> HttpResponseBase:
    """The archived file, or the part of it that the request asks for (206); recorded once, however often it resumes."""
    if dossier.stored is None:
        raise NotYours
    wanted = _wanted(request, dossier)
    if wanted is None:
        return _beyond(dossier)
    begins, ends = wanted
    authorise_download(dossier=dossier, actor=actor, now=now, resumes=begins > 0)
    partial = (begins, ends) != (0, dossier.size - 1)
    body = _chunks(dossier.stored, begins, ends)
    response = StreamingHttpResponse(body, content_type=PDF, status=206 if partial else 200)
    response["Content-Length"] = str(ends - begins + 1)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = _tag(dossier)
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = f'attachment; filename="dossier-{dossier.pk}-v{dossier.version}.pdf"'
    if partial:
        response["Content-Range"] = f"bytes {begins}-{ends}/{dossier.size}"
    return response


def copy_response(dossier: Dossier, actor: Actor, now: datetime) -> HttpResponse:
    """The marked copy, made for this request and kept nowhere."""
    with scratch("copy") as folder:
        target = folder / "copy.pdf"
        stamped_copy(dossier=dossier, actor=actor, now=now, target=target)
        response = HttpResponse(target.read_bytes(), content_type=PDF)
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = (
        f'attachment; filename="dossier-{dossier.pk}-v{dossier.version}-copy.pdf"'
    )
    return response


def material_response(dossier: Dossier, position: int, actor: Actor, now: datetime) -> HttpResponseBase:
    """One material, made for this request and kept nowhere."""
    with scratch("material") as folder:
        target = folder / "material.pdf"
        material_copy(dossier=dossier, position=position, actor=actor, now=now, target=target)
        return _sent(target, f"dossier-{dossier.pk}-v{dossier.version}-m{position}.pdf", PDF)


def proof_response(dossier: Dossier, actor: Actor, now: datetime) -> HttpResponseBase:
    """The proof bundle, made for this request; it leaves the disk when it was sent."""
    with scratch("proof") as folder:
        target = folder / "proof.zip"
        proof_bundle(dossier=dossier, actor=actor, now=now, target=target)
        return _sent(target, f"dossier-{dossier.pk}-v{dossier.version}-proof.zip", "application/zip")


def _sent(path: Path, name: str, media_type: str) -> HttpResponseBase:
    """A file that was made for one request; its open handle outlives its name."""
    response = FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=media_type)
    response["Cache-Control"] = "private, no-store"
    return response


def _wanted(request: HttpRequest, dossier: Dossier) -> tuple[int, int] | None:
    """First and last byte asked for (RFC 9110, section 14); None when the file has none of them.

    Everything when the header is absent, not a single range of bytes, or about an older file.
    """
    whole = (0, dossier.size - 1)
    asked = RANGE.match(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", _tag(dossier)) != _tag(dossier):
        return whole
    first, last = asked.groups()
    if not first and not last:
        return whole
    if not first:
        return (max(0, dossier.size - int(last)), dossier.size - 1) if int(last) else None
    begins, ends = int(first), int(last) if last else dossier.size - 1
    if begins > ends and last:
        return whole
    return (begins, min(ends, dossier.size - 1)) if begins < dossier.size else None


def _beyond(dossier: Dossier) -> HttpResponse:
    sentence = "续传位置超出文件末尾，请从头下载。"
    response = HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=416)
    response["Content-Range"] = f"bytes */{dossier.size}"
    response["Cache-Control"] = "private, no-store"
    return response


def _chunks(stored: StoredObject, begins: int, ends: int) -> Iterator[bytes]:
    for start in range(begins, ends + 1, CHUNK):
        yield read_range(stored, first=start, last=min(start + CHUNK - 1, ends))


def _tag(dossier: Dossier) -> str:
    return f'"{dossier.sha256}"'


def _find(actor: Actor, act: str, key: int) -> Dossier:
    rows = Dossier.objects.filter(pk=key, state=DossierState.SIGNED)
    return yours(
        visible(actor, act, rows.select_related("stored", "handling__case__item", "handling__office"))
    )


def _changed(row: Row) -> ChangeOut:
    before, after = (SpotOut(**asdict(spot)) if spot else None for spot in (row.before, row.after))
    return ChangeOut(change=row.change.value, before=before, after=after)


def _shown(dossier: Dossier) -> DossierOut:
    return DossierOut(
        id=dossier.pk,
        version=dossier.version,
        state=dossier.state,
        sha256=dossier.sha256,
        size=dossier.size,
        pages=dossier.page_count,
        signatures=dossier.signature_count,
        level=dossier.level,
        signed_at=dossier.signed_at,
    )
