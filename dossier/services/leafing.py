"""Reading in dossiers: one material by itself, and what differs between two versions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import pikepdf

from dossier.contents import Leaf
from dossier.differences import Difference, compare
from dossier.excerpt import Origin, write_excerpt
from dossier.models import Dossier, DossierDownload
from dossier.services.handing_out import NotReady, authorise_download
from dossier.verify.pages import MANIFEST_NAME
from registry.actors import Actor
from registry.permissions import NotYours, check_may
from registry.time import to_the_minute
from storage.errors import Refused
from storage.scratch import scratch
from storage.services import fetch_to


@dataclass(frozen=True, slots=True)
class Bound:
    """A material as it lies in a dossier: its place among the materials, from 1, and its pages of the PDF."""

    position: int
    name: str
    pages: tuple[int, ...]


def materials_of(leaves: Sequence[Leaf]) -> list[Bound]:
    """The materials that have pages, in the dossier's order."""
    groups = [
        (name, tuple(leaf.page for leaf in group))
        for name, group in groupby(leaves, key=lambda leaf: leaf.material)
    ]
    return [Bound(position, name, pages) for position, (name, pages) in enumerate(groups, 1)]


def known_leaves(dossier: Dossier) -> list[Leaf]:
    """The captured pages as the row tells them; empty for a dossier from before that was written down."""
    return [Leaf(*leaf) for leaf in dossier.leaves]


def material_copy(
    *, dossier: Dossier, position: int, actor: Actor, now: datetime, target: Path
) -> DossierDownload:
    """Write one material of the archived file to `target`, marked with whom and what it is for.

    The pages are those of the dossier, image and text untouched, behind a sheet that names dossier, version and
    checksum. Raises as `authorise_download`, and Refused for a position that the dossier does not have.
    """
    download = authorise_download(dossier=dossier, actor=actor, now=now, purpose="单项材料", stamped=True)
    if dossier.stored is None:
        raise NotReady
    office, item = dossier.handling.office, dossier.handling.case.item
    use = f"仅供{office.name}办理{item.name}使用"
    with scratch("excerpt") as folder:
        archived = folder / "archived.pdf"
        fetch_to(dossier.stored, archived)
        bound = _chosen(known_leaves(dossier) or leaves_in(archived), position)
        origin = Origin(
            case_number=dossier.handling.case.number,
            version=dossier.version,
            sha256=dossier.sha256,
            material=bound.name,
            pages=bound.pages,
            page_count=dossier.page_count,
            window=dossier.handling.case.window.name,
            office=office.name,
            made_at=now,
            use=use,
        )
        trace = f"{actor.label}　{to_the_minute(now)}　摘自 {origin.case_number} 卷宗第 {dossier.version} 版"
        write_excerpt(archived, target, origin=origin, marks=(use, trace))
    return download


def differences(*, earlier: Dossier, later: Dossier, actor: Actor) -> Difference:
    """What changed from one version to another of the same handling, page by page. Raises NotYours, Refused."""
    for dossier in (earlier, later):
        check_may(actor, "dossier.download", dossier)
    if earlier.handling_id != later.handling_id:
        raise Refused("other-handling", "只能比较同一办理环节的卷宗版本。")
    return compare(_leaves(earlier), _leaves(later))


def leaves_in(path: Path) -> list[Leaf]:
    """The captured pages as the file's own manifest lists them."""
    with pikepdf.open(path) as pdf:
        manifest = json.loads(pdf.attachments[MANIFEST_NAME].get_file().read_bytes())
    return [
        Leaf(entry["material"], entry["page"], entry["image"]["sha256"])
        for entry in manifest["pages"]
        if entry["kind"] == "material"
    ]


def _leaves(dossier: Dossier) -> list[Leaf]:
    if dossier.leaves:
        return known_leaves(dossier)
    if dossier.stored is None:
        raise NotReady
    with scratch("leaves") as folder:
        path = folder / "dossier.pdf"
        fetch_to(dossier.stored, path)
        return leaves_in(path)


def _chosen(leaves: Sequence[Leaf], position: int) -> Bound:
    for bound in materials_of(leaves):
        if bound.position == position:
            return bound
    raise NotYours
