# SPDX-License-Identifier: Apache-2.0
"""The README's first command, as a newcomer types it."""
import os
import re
import subprocess

import pytest

from gate import SRC

CODE = r"code +[A-Z2-7]{6}(-[A-Z2-7]{6}){3}\n"


def test_once_tells_the_whole_story_and_exits_0():
    # The folder must be open to the users the roles become; a test's own is not.
    env = {k: v for k, v in os.environ.items() if k != "TMPDIR"}
    done = subprocess.run([os.path.join(SRC, "gateway/quickstart"), "--once"], capture_output=True, text=True,
                          timeout=900, env=env)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    for said in ("nothing for you yet", "exactly the bytes that were signed for", "the vendor has not learnt who asked"):
        assert said in done.stdout
    assert done.stdout.rstrip().endswith("Done")
    # The console has answered by that name and certificate, or the script would not have gone on.
    said = done.stdout[done.stdout.index("== The console"):]
    assert "\nhttps://localhost:8443/\n" in said
    assert re.search(r"\n  ([0-9A-F]{2}:){31}[0-9A-F]{2}\n", said), said
    assert re.search(CODE, said), said


def test_attacks_are_shown_one_by_one():
    """Which they are, and that each is refused, is test_vendor.py's; here that the switch brings them all together."""
    env = {k: v for k, v in os.environ.items() if k != "TMPDIR"}
    done = subprocess.run([os.path.join(SRC, "gateway/quickstart"), "--attacks"], capture_output=True, text=True, timeout=900, env=env)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    for said in ("Endless data", "FETCH-SIZE", "Mix-and-match", "FETCH-CHANGED", "Freeze", "incident", "not one byte of any reached a module"):
        assert said in done.stdout
    assert done.stdout.rstrip().endswith("Done")


def test_an_unknown_switch_is_said():
    for wrong in (["--attack"], ["--attacks", "gopher"], ["--once", "--attacks"]):
        done = subprocess.run([os.path.join(SRC, "gateway/quickstart"), *wrong], capture_output=True, text=True)
        assert done.returncode == 2 and "usage" in done.stderr


def test_a_closed_folder_is_said_and_not_waited_for(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid():
        pytest.skip("not root: all roles are one user, who can reach it")
    done = subprocess.run([os.path.join(SRC, "gateway/quickstart"), "--once"], capture_output=True, text=True,
                          timeout=900, env=dict(os.environ, TMPDIR=str(closed)))
    assert done.returncode == 1 and "closed to other users" in done.stderr
