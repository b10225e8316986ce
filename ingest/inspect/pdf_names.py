"""Names inside a PDF, as text where they are text."""

from pikepdf import Name


def spelt(value: object) -> str:
    """A name as text; empty for anything else and for names in another encoding (GBK font names, say)."""
    if not isinstance(value, Name):
        return ""
    try:
        return str(value)
    except UnicodeDecodeError:
        return ""
