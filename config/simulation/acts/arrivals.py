"""An officer scans an original that arrived once more, the paper itself or a changed one, and judges what was found."""

import hashlib
import io

from config.simulation.acts.paperwork import DPI, draw_page, words_on
from config.simulation.world import Deed, World
from dossier.arrivals import ArrivalState, ArrivalVerdict
from dossier.models import ArrivalComparison, DossierState
from dossier.services import judge_arrival, take_rescan
from ingest.models import Material, Original
from registry.actors import Actor
from storage.scratch import scratch

CHANGED = 0.4
"""Share of the arrived papers that are not what was signed for."""


def look_at_arrival(world: World) -> Deed | None:
    """What was compared is judged; else a paper that lies here, and whose pages were signed, is scanned once."""
    if not world.on_paper:
        return None
    officer = world.dice.choice(world.people.officers)
    compared = ArrivalComparison.objects.filter(
        state=ArrivalState.COMPARED.value, dossier__handling__office=officer.office_id
    )
    comparison = world.one_row(compared)
    if comparison is not None:
        return _judge(world, comparison, officer)
    here = Original.objects.filter(
        place=Original.Place.OFFICE,
        place_id=officer.office_id or 0,
        material__isnull=False,
        comparisons__isnull=True,
        case__number__in=sorted(world.on_paper),
        case__handlings__office=officer.office_id,
        case__handlings__dossiers__state=DossierState.SIGNED.value,
    )
    original = world.one_row(here.distinct().select_related("case", "material__requirement"))
    if original is None or original.material is None:
        return None
    return _rescan(world, original, original.material, officer)


def _rescan(world: World, original: Original, material: Material, officer: Actor) -> Deed:
    changed = world.dice.random() < CHANGED
    picture = _scan(original, material, changed=changed)
    pk = original.pk

    def do() -> None:
        # Before it is handed in: the comparison may be made by another process, whatever becomes of this one.
        world.rescans[hashlib.sha256(picture).hexdigest()] = not changed
        with scratch("simulated") as folder:
            path = folder / "rescan.tif"
            path.write_bytes(picture)
            take_rescan(
                original=Original.objects.select_related("case", "material", "handling").get(pk=pk),
                path=path,
                actor=officer,
                now=world.clock.now(),
            )

    about = f"{original.case.number} {original.name}{', changed' if changed else ''}"
    return Deed(name="rescan original", who=officer.label, what=about, do=do)


def _scan(original: Original, material: Material, *, changed: bool) -> bytes:
    """All its pages as a scanner gives them, the first one changed or not."""
    pages = [
        draw_page(words_on(original.case, material, number), changed=changed and number == 1)
        for number in range(1, material.pages.count() + 1)
    ]
    written = io.BytesIO()
    pages[0].save(
        written,
        format="TIFF",
        save_all=True,
        append_images=pages[1:],
        compression="tiff_deflate",
        dpi=(DPI, DPI),
    )
    return written.getvalue()


def _judge(world: World, comparison: ArrivalComparison, officer: Actor) -> Deed:
    """The officer sees what the paper is, whatever the machine suggests."""
    pk, same = comparison.pk, world.rescans.get(comparison.sha256, False)
    plain = same and comparison.outcome.suggestion == ArrivalVerdict.SAME
    verdict = ArrivalVerdict.SAME if same else ArrivalVerdict.DIFFERS
    return Deed(
        name="judge arrival",
        who=officer.label,
        what=f"{comparison.original.case.number} {comparison.original.name} {verdict.value}",
        do=lambda: judge_arrival(
            comparison=ArrivalComparison.objects.select_related("original__case", "dossier__handling").get(
                pk=pk
            ),
            verdict=verdict,
            reason="" if plain else "到件与卷宗页内容不同",
            actor=officer,
            now=world.clock.now(),
        ),
    )
