"""A stored file as an answer over HTTP, whoever asked for it."""

from django.http import StreamingHttpResponse

from storage.models import StoredObject
from storage.services import stream_verified


def download(stored: StoredObject, name: str, *, inline: bool = False) -> StreamingHttpResponse:
    """A stored file for its reader, checked on its way out. `name` holds no personal data."""
    response = StreamingHttpResponse(stream_verified(stored), content_type=stored.media_type)
    response["Content-Length"] = str(stored.size)
    response["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
