#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A day of 50,000 modules in three minutes: what each role spends on it. It is the story that tests/integration/test_fleet.py
tells of 5,000 (tests/fleet/story.py), with all that it asserts. Modules share the machine with the gateway, so
how long anything takes says little; processor time a poll does."""
import os
import sys

from rows import SRC, figure

sys.path.insert(0, os.path.join(SRC, "tests/fleet"))
from story import Story  # noqa: E402

NAME = "fleet"
MODULES = int(os.environ.get("FG_FLEET", "50000"))


def main():
    story = Story(MODULES)
    try:
        for what, text in story.tell():
            figure(NAME, f"{MODULES:,}: {what}", text)
    finally:
        story.close()


main()
