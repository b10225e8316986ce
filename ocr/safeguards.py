"""Which rows of reading the database itself keeps as they were written (see `storage.append_only`)."""

from storage.append_only import Guards

READING_GUARDS: Guards = {"ocr_reading": ("", ()), "ocr_correction": ("", ())}
"""A reading and a correction are never changed and never deleted; doing it again makes another."""
