# SPDX-License-Identifier: Apache-2.0
"""A fleet that polls while releases go over their rings; see tests/fleet/story.py. With 50,000 modules: tests/fleet/run."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fleet"))
from story import Story  # noqa: E402


def test_five_thousand_modules():
    story = Story(5000)
    try:
        story.tell()
    except BaseException:
        print(open(story.gate.log).read()[-6000:])
        raise
    finally:
        for what, text in story.figures:
            print(f"{what}: {text}")
        story.close()
