"""Pages may load only what comes from here, and carry no script or style of their own."""

import re
from pathlib import Path

import pytest
from django.test import Client

from tests.shared import ROOT

TEMPLATES = sorted((ROOT / "config" / "templates").rglob("*.html"))


def test_the_policy_comes_with_every_page(db: None) -> None:
    policy = Client().get("/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_carries_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_tag_goes_over_the_end_of_its_line(path: Path) -> None:
    """Django shows such a tag as it stands instead of reading it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(r"\{[{%](?!.*[%}]\})", line)] == []
