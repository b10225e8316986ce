"""`foreign_zebrafy.py PICTURES`: drawn labels to ZPL by zebrafy; run by the peers' interpreter."""

import importlib
import json
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    convert = importlib.import_module("zebrafy").ZebrafyImage
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
    convert(pictures[0], dither=False).to_zpl()
    begun = time.monotonic()
    sizes = [len(convert(picture, dither=False).to_zpl()) for picture in pictures]
    pace = len(pictures) / (time.monotonic() - begun)
    print(json.dumps({"zpl": pace, "zpl_kilobytes": sum(sizes) / len(sizes) / 1000}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
