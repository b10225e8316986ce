"""Which change of the API breaks its callers, as a table; and the code keeps what was published."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from config.api import api
from config.contract import breaks
from config.publishing import Breaking, NotPublished, check_published, current_schema, publish, published_at

Doc = dict[str, Any]
PATH = "/cases"
PUBLISHED: Doc = {
    "paths": {
        PATH: {
            "post": {
                "security": [{"KeyAuth": []}, {"SessionActor": []}],
                "parameters": [
                    {"in": "query", "name": "dry", "required": False, "schema": {"type": "boolean"}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}}
                },
            },
            "get": {"parameters": [], "responses": {"200": {"content": {}}}},
        }
    },
    "webhooks": {
        "case.closed": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Told": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
            "In": {
                "type": "object",
                "required": ["item"],
                "properties": {
                    "item": {"type": "string", "maxLength": 40},
                    "mode": {"type": "string", "enum": ["online", "joint"]},
                    "pages": {"type": "array", "items": {"type": "integer", "minimum": 1}},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "Out": {
                "type": "object",
                "required": ["number", "state"],
                "properties": {
                    "number": {"type": "string"},
                    "state": {"type": "string", "enum": ["draft", "closed"]},
                    "deadline": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
            },
            "Part": {"type": "object", "required": ["office"], "properties": {"office": {"type": "string"}}},
        }
    },
}
Change = Callable[[Doc], object]


def operation(doc: Doc) -> Doc:
    found: Doc = doc["paths"][PATH]["post"]
    return found


def given(doc: Doc) -> Doc:
    found: Doc = doc["components"]["schemas"]["In"]
    return found


def told(doc: Doc) -> Doc:
    found: Doc = doc["components"]["schemas"]["Out"]
    return found


BREAKING: dict[str, Change] = {
    "path removed": lambda d: d["paths"].pop(PATH),
    "operation removed": lambda d: d["paths"][PATH].pop("get"),
    "parameter removed": lambda d: operation(d).update(parameters=[]),
    "parameter newly required": lambda d: operation(d)["parameters"][0].update(required=True),
    "another parameter newly required": lambda d: operation(d)["parameters"].append(
        {"in": "header", "name": "x", "required": True, "schema": {"type": "string"}}
    ),
    "body no longer taken": lambda d: operation(d).pop("requestBody"),
    "media type removed": lambda d: operation(d)["requestBody"].update(content={"text/csv": {}}),
    "way to authenticate removed": lambda d: operation(d).update(security=[{"SessionActor": []}]),
    "authentication newly demanded": lambda d: d["paths"][PATH]["get"].update(security=[{"KeyAuth": []}]),
    "status of success changed": lambda d: operation(d).update(
        responses={"200": operation(d)["responses"]["201"]}
    ),
    "field of the request newly required": lambda d: given(d)["required"].append("mode"),
    "new field of the request required": lambda d: (
        given(d)["properties"].update(extra={"type": "string"}),
        given(d)["required"].append("extra"),
    ),
    "field of the request removed": lambda d: given(d)["properties"].pop("mode"),
    "value no longer taken": lambda d: given(d)["properties"]["mode"].update(enum=["online"]),
    "limited to listed values": lambda d: given(d)["properties"]["item"].update(enum=["A"]),
    "shorter text taken": lambda d: given(d)["properties"]["item"].update(maxLength=20),
    "lower bound raised inside a list": lambda d: given(d)["properties"]["pages"]["items"].update(minimum=2),
    "type of the request changed": lambda d: given(d)["properties"]["item"].update(type="integer"),
    "null no longer taken": lambda d: given(d)["properties"].update(note={"type": "string"}),
    "field of the answer removed": lambda d: (
        told(d)["properties"].pop("state"),
        told(d)["required"].remove("state"),
    ),
    "field of the answer may be missing": lambda d: told(d)["required"].remove("number"),
    "answer may be null": lambda d: told(d)["properties"].update(
        number={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "type of the answer changed": lambda d: told(d)["properties"]["number"].update(type="integer"),
    "webhook removed": lambda d: d["webhooks"].pop("case.closed"),
    "field of a webhook removed": lambda d: d["components"]["schemas"]["Told"].update(
        required=[], properties={}
    ),
    "field removed inside a list": lambda d: d["components"]["schemas"]["Part"].update(
        required=[], properties={}
    ),
}
HARMLESS: dict[str, Change] = {
    "nothing": lambda d: None,
    "path added": lambda d: d["paths"].update({"/more": {"get": {"responses": {}}}}),
    "optional parameter added": lambda d: operation(d)["parameters"].append(
        {"in": "query", "name": "x", "required": False, "schema": {"type": "string"}}
    ),
    "optional field of the request added": lambda d: given(d)["properties"].update(extra={"type": "string"}),
    "field of the request no longer required": lambda d: given(d)["required"].remove("item"),
    "longer text taken": lambda d: given(d)["properties"]["item"].update(maxLength=400),
    "number taken where an integer was": lambda d: given(d)["properties"]["pages"]["items"].update(
        type="number"
    ),
    "value added to the request": lambda d: given(d)["properties"]["mode"]["enum"].append("window"),
    "field of the answer added": lambda d: told(d)["properties"].update(extra={"type": "string"}),
    "value added to the answer": lambda d: told(d)["properties"]["state"]["enum"].append("paused"),
    "answer never null any more": lambda d: told(d)["properties"].update(deadline={"type": "string"}),
    "words changed": lambda d: operation(d).update(summary="新的说明"),
    "schema renamed": lambda d: (
        d["components"]["schemas"].update(Piece=d["components"]["schemas"].pop("Part")),
        told(d)["properties"]["parts"].update(items={"$ref": "#/components/schemas/Piece"}),
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_seen(name: str) -> None:
    current = copy.deepcopy(PUBLISHED)
    BREAKING[name](current)
    assert len(breaks(PUBLISHED, current)) == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_let_through(name: str) -> None:
    current = copy.deepcopy(PUBLISHED)
    HARMLESS[name](current)
    assert breaks(PUBLISHED, current) == []


def test_a_break_says_where_and_what() -> None:
    current = copy.deepcopy(PUBLISHED)
    BREAKING["field removed inside a list"](current)
    assert [str(one) for one in breaks(PUBLISHED, current)] == [
        "POST /cases 201.parts[].office: field removed"
    ]


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    endless = copy.deepcopy(PUBLISHED)
    endless["components"]["schemas"]["Part"]["properties"]["inner"] = {"$ref": "#/components/schemas/Part"}
    assert breaks(endless, copy.deepcopy(endless)) == []


def test_the_code_keeps_what_was_published() -> None:
    check_published()


def test_every_changing_operation_of_the_published_api_takes_an_idempotency_key() -> None:
    published = json.loads(published_at(api.version).read_text(encoding="utf-8"))
    posting = [ways["post"] for ways in published["paths"].values() if "post" in ways]
    named = [
        {one["name"] for one in each["parameters"]} >= {"Idempotency-Key"}
        for each in posting
        if each.get("security")
    ]
    assert named
    assert all(named)


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Any) -> Path:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs" / "api"


def test_a_break_under_the_same_version_fails_the_check_and_cannot_be_published(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotPublished):
        check_published()
    promised = publish()
    more = current_schema()
    more["paths"]["/api/v1/gone"] = {"get": {"responses": {}}}
    promised.write_text(json.dumps(more), encoding="utf-8")
    with pytest.raises(Breaking, match="/api/v1/gone: path removed"):
        publish()
    with pytest.raises(SystemExit):
        call_command("publish_api", "--check")
    assert "提升版本号" in capsys.readouterr().err


def test_with_the_version_raised_it_is_published_anew(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    monkeypatch.setattr(api, "version", "2")
    with pytest.raises(NotPublished):
        check_published()
    call_command("publish_api")
    assert sorted(path.name for path in elsewhere.iterdir()) == ["v1.json", "v2.json"]
    check_published()
