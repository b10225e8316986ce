"""Which rows about arrived paper and anchors the database itself keeps as they were written (see `storage.append_only`)."""

from storage.append_only import Guards

ARRIVAL_GUARDS: Guards = {
    "dossier_arrivalcomparison": ("OLD.state = 'judged'", ()),
    "dossier_arrivedpage": ("", ()),
}

ANCHOR_GUARDS: Guards = {"dossier_auditanchor": ("", ())}
