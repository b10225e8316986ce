"""What every page's frame needs: who is signed in and where that role works."""

from typing import Any

from django.http import HttpRequest


def chrome(request: HttpRequest) -> dict[str, Any]:
    return {"product_name": "通办"}
