# SPDX-License-Identifier: Apache-2.0
"""A damaged log permits nothing, and the way out of it makes the log longer, never another."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from gate import Gate, until


@pytest.fixture
def gate():
    g = Gate()
    try:
        yield g
    finally:
        g.close()


def state(gate):
    return gate.cli("status", ok=(0, 3)).get("log", {}).get("state")


def test_the_way_out_of_a_tampered_log(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    export = gate.export()
    gate.stop()
    log = os.path.join(gate.root, "data/audit/log")
    remembered = open(os.path.join(log, "checkpoint")).read()
    entries = os.path.join(log, "tile/entries/000.p", os.listdir(os.path.join(log, "tile/entries/000.p"))[0])
    with open(entries, "r+b") as f:
        f.seek(300)
        byte = f.read(1)[0]
        f.seek(300)
        f.write(bytes([byte ^ 1]))
    gate.start(ready=False)
    until(lambda: state(gate) == "tampered")
    assert gate.ask()[0] == 404
    # Nothing is mended while it runs, nor with something else.
    gate.cli("audit", "repair", "--from", export, ok=(1,))
    gate.stop()
    gate.cli("audit", "repair", "--from", log, ok=(1,))
    gate.start(ready=False)
    until(lambda: state(gate) == "tampered")
    gate.stop()
    done = gate.cli("audit", "repair", "--from", export)
    assert done["size"] == int(remembered.split("\n")[1])
    gate.start()
    assert state(gate) == "ok"
    assert gate.served() == data
    out = gate.export()
    seen = os.path.join(gate.dir, "seen")
    with open(seen, "w") as f:
        f.write(remembered)
    gate.tool("fotagate-verify", out, "--trust", os.path.join(gate.root, "people/trust.txt"), "--seen", seen)
    assert any(e["ev"] == "log.recovered" and "repaired from an export" in e["msg"] for e in gate.entries())


def test_signer_sets_come_back_with_the_log(gate):
    """Only what the log has and people signed; the rest is named."""
    gate.start()
    before = gate.export()
    gate.enrol("carol")
    backup = os.path.join(gate.dir, "backup")
    assert gate.cli("backup", backup, ok=(2,))["error"]["id"] == "USAGE", "where the sockets are is not enough"
    gate.stop()
    data = lambda *names: os.path.join(gate.root, "data", *names)
    here, memory, whole = data("authority/signers"), data("images/approved/signers"), data("audit/log")
    kept = {name: open(os.path.join(here, name), "rb").read() for name in os.listdir(here)}
    assert sorted(kept) == ["1.json", "1.sig.0", "1.sig.1"]
    # What a backup looks like, but of the log's very end.
    bad = os.path.join(gate.dir, "bad")
    for to in (bad, os.path.join(backup, "log")):
        shutil.copytree(whole, to)
        shutil.copytree(here, os.path.join(to, "signers"))
    open(os.path.join(backup, "MANIFEST"), "w").close()
    remembered = open(memory, "rb").read()

    def sets():
        return {name: open(os.path.join(here, name), "rb").read() for name in os.listdir(here)}

    def repair(source, ok=(0,)):
        r = gate.tool("fotagate", "--dir", gate.root, "--json", "audit", "repair", "--from", source, ok=ok)
        done = json.loads(r.stdout)
        return done.get("sets"), done.get("sets_lacking"), r.stderr, done.get("error")

    # What an export says is looked at like anything that comes from elsewhere.
    for name in kept:
        os.unlink(os.path.join(here, name))
    other = lambda path: open(path, "wb").write(kept["1.json"].replace(b"carol", b"david"))
    for name, make, why in (("1.sig.1", lambda path: None, "too few persons"), ("1.json", other, "another statement"),
                            ("1.json", lambda path: os.symlink(os.path.join(backup, "log/signers/1.json"), path), "links"),
                            ("1.json", os.mkfifo, "limit")):
        path = os.path.join(bad, "signers", name)
        os.rename(path, path + ".away")
        make(path)
        put, lacking, said, error = repair(bad, ok=(1,))
        assert error["id"] == "SIGNERS" and error["text"].endswith("lacks signer set 1") and "newer export" in error["cure"]
        assert (put, lacking) == (0, 1) and "signers/1.json: the log has this signer set" in said and why in said, said
        os.replace(path + ".away", path)
    os.rename(os.path.join(bad, "signers"), os.path.join(bad, "other"))
    os.symlink("other", os.path.join(bad, "signers"))
    assert repair(bad, ok=(1,))[:2] == (0, 1)
    put, lacking, said, _ = repair(whole, ok=(1,))
    assert (put, lacking) == (0, 1) and "missing" in said
    assert os.listdir(here) == []

    # A set that nobody signed, a memory as old as the folder: all of it is put right.
    other(os.path.join(here, "1.json"))
    with open(os.path.join(here, "1.sig.2"), "w") as f:
        f.write("of that other one")
    with open(memory, "wb") as f:
        f.write(bytes(4) + hashlib.sha256(open(data("authority/genesis.json"), "rb").read()).digest())
    shutil.copy(os.path.join(backup, "log/signers/1.sig.0"), os.path.join(backup, "log/signers/1.sig.2"))
    with open(os.path.join(backup, "log/signers/1.sig.2"), "a") as f:
        f.write("junk")
    assert repair(backup)[:2] == (1, 0)
    assert sets() == kept and open(memory, "rb").read() == remembered
    assert repair(backup)[:2] == (0, 0)

    # Nothing is left of the log, and the export at hand is older than the set that is in force.
    for name in os.listdir(data("audit")):
        if name not in ("binding", "host"):
            path = data("audit", name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    assert "signer set 1 was put in force here" in repair(before, ok=(1,))[3]["text"]
    assert "larger size" in repair(before, ok=(1,))[3]["text"]
    assert repair(backup)[:2] == (0, 0)
    gate.start()
    assert gate.cli("people", "list")["number"] == 1
    assert any("repaired from an export" in e["msg"] for e in gate.entries() if e["ev"] == "log.recovered")


def flip(data, at=40):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def put(folder, content):
    for name in os.listdir(folder):
        if name.startswith("genesis"):
            os.unlink(os.path.join(folder, name))
    for name, data in content.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


def genesis_of(folder):
    found = {}
    for name in os.listdir(folder):
        if name.startswith("genesis"):
            with open(os.path.join(folder, name), "rb") as f:
                found[name] = f.read()
    return found


def lowered(gate, kept):
    """Signed anew by the same people, over lower floors: as good a genesis as any, and not this log's."""
    folder = os.path.join(gate.dir, "lowered")
    os.makedirs(folder)
    path = os.path.join(folder, "genesis.json")
    text = kept["genesis.json"].replace(b'"production":2', b'"production":1')
    assert text != kept["genesis.json"]
    with open(path, "wb") as f:
        f.write(text)
    for n, person in enumerate(("alice", "bob")):
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-signers@v1", "-f",
                        os.path.join(gate.root, "people", person), path], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        os.rename(path + ".sig", os.path.join(folder, f"genesis.sig.{n}"))
    return genesis_of(folder)


def test_genesis_comes_back(gate):
    """Only the one that the log begins with, from whoever has it; without that log there is nothing to know it by."""
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    export = gate.export()
    gate.stop()
    here = os.path.join(gate.root, "data/authority")
    kept = genesis_of(here)
    assert sorted(kept) == ["genesis.json", "genesis.sig.0", "genesis.sig.1"]
    other = lowered(gate, kept)
    without = lambda *names: {k: v for k, v in kept.items() if k not in names}

    def repair(source=export, ok=(0,)):
        return json.loads(gate.tool("fotagate", "--dir", gate.root, "--json", "audit", "repair", "--from", source, ok=ok).stdout)

    assert repair()["genesis"] is False and genesis_of(here) == kept
    losses = {
        "nothing left": {}, "genesis gone": without("genesis.json"), "a signature gone": without("genesis.sig.1"),
        "the first signature gone": without("genesis.sig.0"), "one bit": {**kept, "genesis.json": flip(kept["genesis.json"], 300)},
        "one bit of a signature": {**kept, "genesis.sig.0": flip(kept["genesis.sig.0"], 100)},
        "cut": {**kept, "genesis.json": kept["genesis.json"][:200]}, "empty": {**kept, "genesis.json": b""},
        "a stranger's beside them": {**without("genesis.sig.0"), "genesis.sig.2": other["genesis.sig.1"]},
        "another": other,
    }
    for what, left in losses.items():
        put(here, left)
        assert repair()["genesis"] is True, what
        assert genesis_of(here) == kept, what
    gate.start()
    assert gate.served() == data
    gate.verify()
    backup = os.path.join(gate.dir, "backup")
    gate.tool("fotagate", "--dir", gate.root, "backup", backup)
    gate.stop()
    put(here, {})
    assert repair(backup)["genesis"] is True and genesis_of(here) == kept

    # What is handed over is looked at; what does not count is not taken along.
    bad = os.path.join(gate.dir, "bad")
    shutil.copytree(export, bad)
    for content, why in ((other, "not proven to be what the log begins with"), ({}, "missing"),
                         ({**kept, "genesis.json": flip(kept["genesis.json"], 300)}, "genesis"),
                         (without("genesis.sig.1"), "signed by 1 of the 2")):
        put(os.path.join(bad, "signers"), content)
        for left in ({}, without("genesis.sig.0")):
            put(here, left)
            error = repair(bad, ok=(3,))["error"]
            assert error["id"] == "GENESIS" and why in error["text"] and "fotagate restore" in error["cure"], error
            assert "authority/genesis.json: " in error["text"]
            assert genesis_of(here) == left
    put(os.path.join(bad, "signers"), {**kept, "genesis.sig.2": other["genesis.sig.0"]})
    assert repair(bad)["genesis"] is True and genesis_of(here) == kept

    # A log that is not whole proves nothing; with genesis in place it is made anew as ever.
    log = os.path.join(gate.root, "data/audit/log")
    entries = os.path.join(log, "tile/entries/000.p", os.listdir(os.path.join(log, "tile/entries/000.p"))[0])
    for path, at in ((entries, 30), (os.path.join(log, "checkpoint"), 30), (os.path.join(log, "checkpoint"), -10)):
        with open(path, "rb") as f:
            whole = f.read()
        with open(path, "wb") as f:
            f.write(flip(whole, at))
        put(here, {})
        error = repair(backup, ok=(3,))["error"]
        assert error["id"] == "GENESIS" and "audit/log is not whole" in error["text"], error
        assert genesis_of(here) == {}
        with open(path, "wb") as f:
            f.write(whole)
    # Nor one whose first entry was written over, and its hash with it, to name the other.
    put(os.path.join(bad, "signers"), other)
    put(here, {})
    hashes = entries.replace("tile/entries/", "tile/0/")
    before = {path: open(path, "rb").read() for path in (entries, hashes)}
    was, now = (json.dumps(g["genesis.json"].decode())[1:-1].encode() for g in (kept, other))
    assert before[entries].count(was) == 1 and len(was) == len(now)
    forged = before[entries].replace(was, now)
    length = int.from_bytes(forged[:2], "big")
    after = {entries: forged, hashes: hashlib.sha256(b"\0" + forged[2:2 + length]).digest() + before[hashes][32:]}
    assert hashlib.sha256(b"\0" + before[entries][2:2 + length]).digest() == before[hashes][:32]
    for content in (after, before):
        assert genesis_of(here) == {}
        for path, written in content.items():
            with open(path, "wb") as f:
                f.write(written)
        assert repair(bad, ok=(3,))["error"]["id"] == "GENESIS" and genesis_of(here) == {}
    put(here, kept)
    copy = os.path.join(gate.dir, "copy")
    shutil.copytree(log, copy)
    with open(entries, "r+b") as f:
        f.write(b"\0")
    assert repair(copy)["genesis"] is False
    gate.start()
    assert gate.served() == data
