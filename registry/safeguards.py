"""Which registry rows the database itself keeps as they were written (see `storage.append_only`)."""

from storage.append_only import Guards

EVENT_COLUMNS = (
    "id",
    "kind",
    "at",
    "actor_kind",
    "actor_id",
    "actor_label",
    "subject_type",
    "subject_id",
    "case_number",
    "data",
    "stream",
    "sequence",
    "previous_hash",
    "hash",
)
EVENT_GUARDS: Guards = {"registry_event": ("", EVENT_COLUMNS)}
