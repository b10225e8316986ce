#!/usr/bin/env python
"""Entry point for every administrative command."""

import gc
import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    # A start makes some hundred thousand objects that stay; looking through them for rubbish takes a tenth of it.
    gc.set_threshold(50_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
