# SPDX-License-Identifier: Apache-2.0
"""The log judged by code that is not ours: Go's x/mod tlog as Debian packages it."""
import json
import os
import shutil
import subprocess

import pytest

from gate import SRC


def go(*args, ok=True):
    env = dict(os.environ, GO111MODULE="off", GOFLAGS="", GOPATH="/usr/share/gocode", GOTOOLCHAIN="local",
               GOCACHE=os.path.join(os.environ.get("FG_BUILD", "/tmp"), "gocache"))
    done = subprocess.run(["go", "run", os.path.join(SRC, "tests/vectors/tlogcheck.go"), *args], capture_output=True,
                          text=True, timeout=300, env=env)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("go") or not os.path.isdir("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog"),
                    reason="golang-go and golang-golang-x-mod-dev are not installed")
def test_go_tlog_accepts_checkpoint_export_and_receipt_and_nothing_else(gate):
    gate.offer(data=os.urandom(2000))
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    out = gate.export()
    key = json.load(open(os.path.join(out, "signers/genesis.json")))["predicate"]["log"]
    assert go(key, "checkpoint", os.path.join(out, "checkpoint")).startswith("ok")
    assert go(key, "export", out).startswith("ok")
    receipt = os.path.join(gate.dir, "3.tlog-proof")
    gate.text("audit", "proof", "3", "-o", receipt)
    assert go(key, "receipt", receipt).startswith("ok")
    lines = open(os.path.join(out, "entries.jsonl")).read()
    open(os.path.join(out, "entries.jsonl"), "w").write(lines.replace('"ok"', '"no"', 1))
    go(key, "export", out, ok=False)
