# SPDX-License-Identifier: Apache-2.0
"""The whole story without root: everything in one directory, every role the same user, every jail still on."""
import os
import shutil
import subprocess

import pytest

from gate import BIN, Gate, until

NOBODY = 65534
BECOME = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@pytest.fixture
def gate():
    if os.geteuid() != 0:
        g = Gate()  # somebody without rights already
    else:
        # Folders of root's home, for example, are closed to others.
        if subprocess.run([*BECOME, os.path.join(BIN, "fotagated"), "--version"], capture_output=True, cwd="/").returncode:
            pytest.skip("the build cannot be reached by another user")
        g = Gate()
        for top, folders, files in os.walk(g.root):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(top, name), NOBODY, NOBODY)
    try:
        yield g
    finally:
        g.close()


def start(gate):
    return gate.start(*(BECOME if os.geteuid() == 0 else ()), cwd="/")


def as_user(gate, *args, ok=(0,)):
    """The command line as the user that runs the gateway."""
    become = BECOME if os.geteuid() == 0 else []
    done = subprocess.run([*become, os.path.join(BIN, "fotagate"), "-C", os.path.join(gate.root, "run"), *args],
                          capture_output=True, text=True, timeout=60, cwd="/")
    assert done.returncode in ok, done.stdout + done.stderr
    return done.stdout


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_the_story_as_one_user(gate):
    data = gate.offer()
    start(gate)
    assert gate.ask()[0] == 404
    gate.review(1)
    for person in ("alice", "bob"):
        assert gate.ask()[0] == 404
        as_user(gate, "review", "statement", "R-1", "--approver", f"{person}@demo.invalid", "--reason", "read the report",
                "--sign", os.path.join(gate.root, "people", person))
    assert gate.served() == data
    assert gate.served(tls=True) == data
    as_user(gate, "halt")
    assert gate.ask()[0] == 404
    gate.verify()
    assert gate.stop() == 0
    start_halted = subprocess.Popen([*(BECOME if os.geteuid() == 0 else ()), *gate.command()], cwd="/",
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: subprocess.run([os.path.join(BIN, "fotagate"), "-C", os.path.join(gate.root, "run"), "status"],
                                     capture_output=True).returncode == 0)
        assert gate.cli("status")["halt"] and gate.ask()[0] == 404
    finally:
        start_halted.terminate()
        assert start_halted.wait(30) == 0


def test_every_role_is_that_user_and_jailed(gate):
    if "sanitizers: no" not in gate.tool("fotagated", "--version").stdout:
        pytest.skip("the filters are off in a sanitizer build")
    start(gate)
    with open(gate.log) as f:
        said = f.read()
    assert "could not be had" not in said and "without" not in said
    uid = str(NOBODY if os.geteuid() == 0 else os.geteuid())
    until(lambda: {"edge[0]", "edge[1]", "control", "warden", "audit"} <= set(gate.roles()))
    until(lambda: all(status_of(pid)["Seccomp"] == "2" for pid in gate.roles().values()))
    for name, pid in [*gate.roles().items(), ("supervisor", gate.process.pid)]:
        status = status_of(pid)
        assert status["Uid"].split() == [uid] * 4, name
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", name
        assert status["CapEff"].strip("0") == "", name


def test_nobody_elses_files_are_needed(gate):
    """Nothing outside the one directory was written, and nothing in it belongs to anybody else."""
    uid = NOBODY if os.geteuid() == 0 else os.geteuid()
    start(gate)
    gate.ask()
    assert gate.stop() == 0
    seen = 0
    for top, folders, files in os.walk(gate.root):
        for name in [*folders, *files]:
            info = os.lstat(os.path.join(top, name))
            assert info.st_uid == uid, os.path.join(top, name)
            assert not info.st_mode & 0o022, os.path.join(top, name)
            seen += 1
    assert seen > 20


def test_only_that_user_and_root_may_ask(gate):
    if os.geteuid() != 0:
        pytest.skip("takes root to become somebody else")
    start(gate)
    other = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
    tool = shutil.copy(os.path.join(BIN, "fotagate"), gate.dir)
    for verb in (["status"], ["halt"]):
        done = subprocess.run([*other, tool, "-C", os.path.join(gate.root, "run"), *verb], capture_output=True, cwd="/")
        assert done.returncode == 3
    assert gate.cli("status")["halt"] is None
