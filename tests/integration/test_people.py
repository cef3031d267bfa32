# SPDX-License-Identifier: Apache-2.0
"""The board of people: enrolled, rotated, suspended, brought back; what a signature is worth on each day of it."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from gate import BIN, until


def who(name):
    return f"{name}@demo.invalid"


class Board:
    def __init__(self, gate):
        self.gate = gate
        self.keys = {name: os.path.join(gate.root, "people", name) for name in ("alice", "bob")}

    def key(self, name):
        path = os.path.join(self.gate.dir, f"key-{len(self.keys)}-{name}")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        self.keys[name] = path
        return path + ".pub"

    def propose(self, *change, by=None, out=None, ok=(0,)):
        where = ["-o", out] if out else []
        sign = ["--sign", self.keys[by]] if by else []
        return self.gate.cli("people", "propose", *change, *where, *sign, ok=ok)

    def marks(self, *change, out):
        """What a person is shown of a set before signing it: who is new, changes, comes back or leaves."""
        said = self.gate.tool("fotagate", "-C", os.path.join(self.gate.root, "run"), "people", "propose", *change, "-o", out)
        return re.findall(r"(?m)^(new|changed|was|back|out|suspended) +(\w+)@", said.stderr)

    def sign(self, path, name):
        sig = f"{path}.{name}.sig"
        with open(path, "rb") as f, open(sig, "wb") as out:
            subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-signers@v1", "-f", self.keys[name]],
                           stdin=f, stdout=out, check=True)
        return sig

    def list(self):
        return self.gate.cli("people", "list")

    def states(self):
        return {p["principal"].split("@")[0]: [k["state"] for k in p["keys"]] for p in self.list()["people"]}

    def approve(self, review, *names):
        for name in names:
            done = self.gate.cli("review", "statement", review, "--approver", who(name), "--reason",
                                 "read the report, looks right", "--sign", self.keys[name])
        return done


def have(gate, review):
    r = gate.cli("review", "show", review)
    return r["have"], r["need"]


def test_a_board_and_its_life(gate):
    board = Board(gate)
    actor = "root" if os.getuid() == 0 else None
    gate.offer()
    gate.offer(version="1.2.0")
    gate.start()

    # Enrol: a third person, by the two there are. A key that runs out soon is told of.
    done = board.propose("--add", f"{who('carol')} {board.key('carol')}", "--valid-days", "20", by="alice")
    assert (done["state"], done["have"], done["need"], done["have_new"], done["need_new"]) == ("proposed", 1, 2, 1, 2)
    assert board.propose("--proposal", "ab" * 32, ok=(1,))["error"]["id"] == "NOT-FOUND"
    assert board.propose("--console", "https://Gate.example", ok=(2,))["error"]["id"] == "USAGE"
    open_now = board.list()["proposals"]
    assert [(p["number"], p["signed_by"]) for p in open_now] == [(1, [who("alice")])]
    assert board.list()["number"] == 0
    gate.kill_role("warden")
    until(lambda: gate.cli("status")["permitting"])
    done = board.propose("--proposal", open_now[0]["sha256"], by="bob")
    assert (done["state"], done["number"]) == ("in-force", 1)
    people = board.list()
    assert (people["number"], people["can_sign"], people["proposals"]) == (1, 3, [])
    assert [s["number"] for s in people["sets"]] == [0, 1]
    assert board.states()["carol"] == ["expires-soon"]
    assert [a["id"] for a in gate.cli("status")["alerts"]] == ["KEY-EXPIRY"]

    # Rotate: what bob has signed with the key of old counts until then, and no longer.
    gate.ask()
    gate.review(1)
    board.approve("R-1", "bob")
    assert have(gate, "R-1") == (1, 2)
    old = board.keys["bob"]
    path = os.path.join(gate.dir, "set2.json")
    fresh = board.key("fresh")
    assert board.marks("--replace", f"{who('bob')} {fresh}", "--renew", who("carol"), out=path) == [
        ("new", "bob"), ("changed", "carol"), ("was", "carol"), ("out", "bob")]
    signatures = [board.sign(path, "alice"), board.sign(path, "carol")]
    board.keys["mallory"] = board.key("mallory")[:-4]
    assert gate.cli("people", "submit", path, board.sign(path, "mallory"), ok=(1,))["error"]["id"] == "REFUSED"
    gate.text("people", "submit", path, *signatures)
    board.keys["bob"] = board.keys.pop("fresh")
    assert board.list()["number"] == 2 and board.states()["carol"] == ["counts"]
    assert have(gate, "R-1") == (0, 2)
    assert gate.cli("status")["alerts"] == []
    refused = gate.cli("review", "statement", "R-1", "--approver", who("bob"), "--reason", "with the key of old",
                       "--sign", old, ok=(1,))
    assert refused["error"]["id"] == "REFUSED"
    board.approve("R-1", "carol", "bob")
    gate.served()

    # Suspend: one person, with the log stopped; what is released stays, and is marked.
    audit = gate.roles()["audit"]
    os.kill(audit, signal.SIGSTOP)
    try:
        done = gate.cli("people", "suspend", who("carol"), "--reason", "her laptop is gone")
        assert (done["keys"], done["left"], done["warden"]) == (1, 2, True)
    finally:
        os.kill(audit, signal.SIGCONT)
    assert board.states()["carol"] == ["suspended"]
    refused = gate.cli("people", "suspend", who("bob"), "--reason", "his too", ok=(1,))
    assert refused["error"]["id"] == "FINAL"
    until(lambda: gate.cli("status")["permitting"])
    assert gate.ask()[0] == 200
    assert gate.cli("release", "list")["releases"][0]["signers_gone"] == [who("carol")]
    gate.ask(version="1.2.0")
    gate.review(2)
    refused = gate.cli("review", "statement", "R-2", "--approver", who("carol"), "--reason", "has it back, she says",
                       "--sign", board.keys["carol"], ok=(1,))
    assert refused["error"]["id"] == "REFUSED" and "suspended" in refused["error"]["text"]
    gate.kill_role("warden")
    gate.kill_role("control")
    until(lambda: gate.cli("status", ok=(0, 3)).get("permitting"), 30)
    assert board.states()["carol"] == ["suspended"]

    # Bring back: only by a set that says so, signed by the others.
    path = os.path.join(gate.dir, "set3.json")
    assert board.marks("--threshold", "1", out=path) == [("suspended", "carol")]
    assert who("carol") not in open(path).read()
    os.unlink(path)
    assert board.marks("--restore", who("carol"), out=path) == [("back", "carol")]
    assert who("carol") in open(path).read()
    assert gate.cli("people", "submit", path, board.sign(path, "carol"), ok=(1,))["error"]["id"] == "REFUSED"
    assert gate.cli("people", "submit", path, board.sign(path, "alice"))["state"] == "proposed"
    gate.kill_role("control")
    until(lambda: gate.cli("status", ok=(0, 3)).get("permitting"), 30)
    assert gate.cli("people", "submit", path, board.sign(path, "bob"))["number"] == 3
    assert board.states() == {"alice": ["counts"], "bob": ["counts"], "carol": ["counts"]}
    assert gate.cli("release", "list")["releases"][0]["signers_gone"] == []
    board.approve("R-2", "carol", "alice")
    gate.served(version="1.2.0")

    # The log has it all, and whoever checks it needs nothing else.
    out = gate.export()
    gate.verify(out)
    with open(os.path.join(out, "entries.jsonl")) as f:
        entries = [json.loads(line) for line in f]
    sets = [e for e in entries if e["ev"] == "authority.signers"]
    assert [(e["ref"]["number"], e["obj"], e["act"]) for e in sets] == [(n, f"signers:{n}", "warden") for n in (1, 2, 3)]
    for e in sets:
        assert e["doc"] == open(os.path.join(out, f"signers/{e['ref']['number']}.json")).read()
    gone = [e for e in entries if e["ev"] == "authz.key.suspended"]
    assert len(gone) == 1 and gone[0]["obj"].startswith("key:") and gone[0]["ref"]["principal"] == who("carol")
    assert actor in (None, gone[0]["act"])
    assert [e["act"] for e in entries if e["ev"] == "authority.signed"] == [
        who(n) for n in ("alice", "bob", "alice", "carol", "alice", "bob")]


def test_the_folder_put_back(gate):
    """Without the set in force, or with another of its number: who was replaced by it signs nothing, whoever wrote it."""
    board = Board(gate)
    gate.start()
    other = os.path.join(gate.dir, "other.json")
    board.propose("--add", f"{who('mallory')} {board.key('mallory')}", out=other)
    signatures = [board.sign(other, "alice"), board.sign(other, "bob")]
    del board.keys["mallory"]
    path = os.path.join(gate.dir, "set1.json")
    board.propose("--replace", f"{who('bob')} {board.key('fresh')}", out=path)
    gate.text("people", "submit", path, *[board.sign(path, name) for name in ("alice", "bob", "fresh")])
    assert board.list()["number"] == 1
    assert gate.stop() == 0
    sets = os.path.join(gate.root, "data/authority/signers")
    kept = os.path.join(gate.root, "data/images/approved/signers")
    remembered = open(kept, "rb").read()
    for what in ("shorter", "another"):
        for name in os.listdir(sets):
            os.unlink(os.path.join(sets, name))
        if what == "another":
            shutil.copyfile(other, os.path.join(sets, "1.json"))
            for n, sig in enumerate(signatures):
                shutil.copyfile(sig, os.path.join(sets, f"1.sig.{n}"))
            for name in os.listdir(sets):
                os.chmod(os.path.join(sets, name), 0o444)
        # The warden knows which it was.
        before = os.path.getsize(gate.log)
        gate.start(ready=False)
        until(lambda: "the folder does not end with signer set 1" in open(gate.log).read()[before:])
        if gate.process.poll() is None:
            gate.stop()
        # Should it have lost that too, control still reads the log.
        os.unlink(kept)
        gate.start(ready=False)
        until(lambda: "SIGNERS" in {a["id"] for a in gate.cli("status", ok=(0, 3)).get("alerts", [])}, 30)
        assert not gate.cli("status")["permitting"]
        refused = gate.cli("people", "submit", other, signatures[0], ok=(3,))
        assert refused["error"]["id"] == "SIGNERS"
        assert gate.stop() == 0
        os.unlink(kept)
        with open(kept, "wb") as f:
            f.write(remembered)
        os.chown(kept, os.stat(os.path.dirname(kept)).st_uid, os.stat(os.path.dirname(kept)).st_gid)


@pytest.mark.skipif(os.getuid() != 0, reason="takes root to become somebody else")
def test_nobody_permits_by_being_somebody(gate):
    """Each of uid 0, an account with every role and one with none: a permit without signatures is nothing, a restriction takes one."""
    gate.set('roles = { operator = "audio"; approver = "video"; admin = "tape"; };')
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    board = Board(gate)
    path = os.path.join(gate.dir, "next.json")
    board.propose("--threshold", "1", out=path)
    forged = path + ".forged"
    with open(forged, "w") as f:
        f.write(open(board.sign(path, "alice")).read().replace("A", "B", 20))
    everyone = {"root": [], "nobody with every role": ["--reuid=65534", "--regid=65534", "--groups=audio,video,tape"],
                "nobody": ["--reuid=65534", "--regid=65534", "--clear-groups"]}
    os.chmod(gate.root, 0o755)
    os.chmod(os.path.join(gate.root, "run/control.sock"), 0o666)

    def fotagate(means, *args):
        done = subprocess.run(["setpriv", *everyone[means], os.path.join(BIN, "fotagate"), "-C",
                               os.path.join(gate.root, "run"), *args, "--json"], capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout)

    for means in everyone:
        for noun in (("people", "submit"), ("review", "submit", "R-1"), ("resume", "submit")):
            status, said = fotagate(means, *noun, path, forged)
            assert status != 0 and "error" in said, (means, noun, said)
    assert board.list()["number"] == 0 and board.list()["proposals"] == []
    assert gate.reviews()[0]["state"] == "review" and gate.ask()[0] == 404

    status, said = fotagate("nobody", "people", "suspend", who("bob"), "--reason", "because I can", "--final")
    assert (status, said["error"]["id"]) == (1, "DENIED")
    status, said = fotagate("nobody with every role", "people", "suspend", who("bob"), "--reason", "a doubt", "--final")
    assert (status, said["keys"]) == (0, 1)
    status, said = fotagate("root", "review", "reject", "R-1", "--reason", "not this one")
    assert (status, said["state"]) == (0, "rejected")
    acts = {e["ev"]: e["act"] for e in gate.entries()}
    assert acts["approval.rejected"] == "root"
    assert acts["authz.key.suspended"] not in ("root", who("bob"))

    # Root belongs to no signer, by whatever name.
    status, said = fotagate("root", "people", "propose", "--add", f"{who('dave')}=root {board.key('dave')}",
                            "-o", os.path.join(gate.dir, "dave"))
    assert status == 1 and "root" in said["error"]["text"]
