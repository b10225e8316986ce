"""What people and events do with dossiers: build, sign for receipt, hand out, renew."""

from dossier.services.arriving import compare_arrival, judge_arrival, take_rescan
from dossier.services.building import build
from dossier.services.checking import check_file, check_in_hand
from dossier.services.countersigning import confirm_result, countersign, seal_document
from dossier.services.handing_out import authorise_download, stamped_copy
from dossier.services.leafing import differences, known_leaves, material_copy, materials_of
from dossier.services.proving import proof_bundle
from dossier.services.public_checking import check_for_anyone
from dossier.services.renewing import renew, renew_due

__all__ = [
    "authorise_download",
    "build",
    "check_file",
    "check_for_anyone",
    "check_in_hand",
    "compare_arrival",
    "confirm_result",
    "countersign",
    "differences",
    "judge_arrival",
    "known_leaves",
    "material_copy",
    "materials_of",
    "proof_bundle",
    "renew",
    "renew_due",
    "seal_document",
    "stamped_copy",
    "take_rescan",
]
