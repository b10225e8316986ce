"""The hand-over page as something that a browser installs: its manifest, its worker, and the page shown without network.

None of the three knows who asks: what a browser keeps of them holds no personal data.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse

from config.pages.policy import with_camera

FILES = ("tongban.css", "tongban.js", "camera.js", "icons.svg", "favicon.svg")
"""What the page without network is made of."""
OFFLINE = "parcel/hand_over_offline.html"
WORKER = "parcel/hand_over_worker.js"


def manifest(request: HttpRequest) -> JsonResponse:
    """What the browser shows of the installed page. Its scope is the hand-over page alone."""
    page = reverse("hand_over")
    told = {
        "name": "通办 · 扫码交寄",
        "short_name": "扫码交寄",
        "lang": "zh-Hans",
        "start_url": page,
        "scope": page,
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0d5a61",
        "icons": [{"src": static("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(
        told, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )


def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Its address gives it the hand-over page and what lies below, nothing else."""
    return HttpResponse(
        _worker(), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


def offline(request: HttpRequest) -> HttpResponse:
    """The page that opens while the network is away: a scan box, and what this browser has kept."""
    answer = with_camera(render(request, OFFLINE))
    answer["Cache-Control"] = "no-cache"
    return answer


@lru_cache(maxsize=1)
def _worker() -> str:
    """Its name for what it keeps changes with any of the files, so that a new version takes the old one's place."""
    parts = [Path(str(finders.find(name))).read_bytes() for name in FILES]
    parts.append(render_to_string(OFFLINE).encode())
    told = {
        "version": hashlib.sha256(b"\0".join(parts)).hexdigest()[:16],
        "page": reverse("hand_over"),
        "offline": reverse("hand_over_offline"),
        "files": json.dumps([static(name) for name in FILES]),
    }
    return render_to_string(WORKER, told)
