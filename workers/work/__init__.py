"""The work that events ask for: each a thin, idempotent call of a room's service."""
