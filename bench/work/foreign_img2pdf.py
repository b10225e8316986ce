"""`foreign_img2pdf.py SCANS OUT.pdf`: the same scans by img2pdf's own library call; run by the peers' interpreter."""

import importlib
import json
import sys
import time
from pathlib import Path


def main(scans: Path, out: Path) -> None:
    img2pdf = importlib.import_module("img2pdf")
    files = [str(path) for path in sorted(scans.glob("*.jpg"))]
    begun = time.monotonic()
    with out.open("wb") as file:
        img2pdf.convert(files, outputstream=file)
    seconds = time.monotonic() - begun
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "size": out.stat().st_size, "peak_bytes": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
