"""The sample papers of the demonstration: made once, and made again when anything about them differs."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from config.demo.samples import Sample, make_samples

INDEX = "index.json"


def sample_papers(folder: Path) -> list[Sample]:
    """The samples in `folder`, taken as they are when every file is still what its index says."""
    kept = _kept(folder)
    if kept:
        return kept
    samples = make_samples(folder)
    rows = [asdict(sample) | {"path": sample.path.name, "sha256": _sha256(sample.path)} for sample in samples]
    (folder / INDEX).write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return samples


def _kept(folder: Path) -> list[Sample]:
    index = folder / INDEX
    if not index.exists():
        return []
    samples = []
    for row in json.loads(index.read_text(encoding="utf-8")):
        path, sha256 = folder / row.pop("path"), row.pop("sha256")
        if not path.exists() or _sha256(path) != sha256:
            return []
        samples.append(Sample(path=path, **row))
    return samples


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
