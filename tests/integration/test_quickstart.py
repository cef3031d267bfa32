# SPDX-License-Identifier: Apache-2.0
"""The README's first command, as a newcomer types it."""
import os
import subprocess

from gate import SRC


def test_once_tells_the_whole_story_and_exits_0(tmp_path):
    done = subprocess.run([os.path.join(SRC, "gateway/quickstart"), "--once"], capture_output=True, text=True,
                          timeout=900, env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    for said in ("nothing for you yet", "exactly the bytes that were signed for", "the vendor has not learnt who asked"):
        assert said in done.stdout
    assert done.stdout.rstrip().endswith("Done")
