"""The published description of the API: what callers were promised under its version, kept beside the code."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from config.api import api
from config.contract import Break, breaks
from storage.errors import Refused


class NotPublished(Refused):
    """There is no published description for this version."""

    def __init__(self, version: str) -> None:
        super().__init__(
            "api_not_published",
            f"接口版本 {version} 尚未发布：请运行 manage.py publish_api，并提交生成的文件。",
        )


class Breaking(Refused):
    """The code no longer keeps what was published."""

    def __init__(self, found: list[Break], version: str) -> None:
        listed = "\n".join(f"  {one}" for one in found)
        super().__init__(
            "api_breaking",
            f"与已发布的接口版本 {version} 不兼容，请保持兼容或提升版本号（config/api.py）：\n{listed}",
        )
        self.found = found


def published_at(version: str) -> Path:
    return Path(settings.BASE_DIR) / "docs" / "api" / f"v{version}.json"


def current_schema() -> dict[str, Any]:
    """As plain JSON data, like what was published."""
    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    return schema


def check_published() -> None:
    """Raises Breaking when callers of the published version would stumble, NotPublished when there is none."""
    path = published_at(api.version)
    if not path.exists():
        raise NotPublished(api.version)
    found = breaks(json.loads(path.read_text(encoding="utf-8")), current_schema())
    if found:
        raise Breaking(found, api.version)


def publish() -> Path:
    """Promise what the code does now. Under the same version only more may be promised, never less. Raises Breaking."""
    path = published_at(api.version)
    if path.exists():
        check_published()
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(current_schema(), ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path
