"""`python -m bench.work STEP …`: runs one step with the settings of the environment; its answer is the last line."""

import importlib
import json
import sys

import django

from bench.processes import own_peak

# The others are engines, which know no Django, and shall not be charged for it.
WITH_DJANGO = frozenset({"month", "inbox", "intake", "registry", "timelines", "first_text"})


def main() -> None:
    name, words = sys.argv[1], sys.argv[2:]
    if name in WITH_DJANGO:
        django.setup()
    step = importlib.import_module(f"bench.work.{name}")
    rest = own_peak()
    answer = step.main(words)
    print(json.dumps({**answer, "peak_bytes": own_peak(), "rest_bytes": rest}))


if __name__ == "__main__":
    main()
