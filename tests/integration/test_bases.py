# SPDX-License-Identifier: Apache-2.0
"""Deltas through the gate: tried on what was released or named, judged by what they make, signed for as that."""
import contextlib
import glob
import gzip
import hashlib
import json
import os
import random
import signal
import subprocess

from gate import PROFILE, SRC, until


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Maker:
    """Images of one family, and the deltas between them by the vendor's own tools."""

    def __init__(self, gate):
        self.gate = gate
        self.random = random.Random(7)
        self.image = {}

    def file(self, name, data):
        path = os.path.join(self.gate.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def make(self, version, size=300000, base=None):
        data = bytearray(self.image[base] if base else self.random.randbytes(size))
        for at in range(0, len(data) - 64, 4096):
            data[at:at + 64] = self.random.randbytes(64)
        self.image[version] = bytes(data)
        return bytes(data)

    def delta(self, old, new, tool="bsdiff"):
        a, b, out = self.file("old", self.image[old]), self.file("new", self.image[new]), os.path.join(self.gate.dir, "delta")
        how = ["bsdiff", a, b, out] if tool == "bsdiff" else ["xdelta3", "-e", "-f", "-S", "none", "-s", a, b, out]
        subprocess.run(how, check=True)
        return open(out, "rb").read()

    def base(self, version, product="FG100", ok=(0,), **kw):
        return self.gate.cli("base", "add", self.file("base", self.image[kw.get("of", version)]), "--profile", "story",
                             "--product", product, "--version", version, ok=ok)

    def offer(self, old, new, product="FG100", tool="bsdiff"):
        """The vendor has the delta, signed as it is; a module asks for it."""
        data = self.gate.offer(version=new, data=self.delta(old, new, tool), product=product)
        self.gate.ask(version=new, current=old, product=product)
        return data


def held(gate, number):
    """R-number, once it is held and says why."""
    def there():
        shown = gate.cli("review", "show", number, ok=(0, 1))
        return shown if shown.get("held") else None
    return until(there, 30)


def said(shown):
    return {f["id"]: f["severity"] for f in shown["findings"]}


def test_a_chain_of_deltas_from_a_release(gate):
    m = Maker(gate)
    gate.start()
    gate.offer(data=m.make("1.1.0"))
    gate.ask()
    gate.review(1)
    gate.approve()
    assert [(b["version"], b["source"], b["held"]) for b in gate.cli("base", "list")["bases"]] == [("1.1.0", "released", True)]
    m.make("1.2.0", base="1.1.0")
    delta = m.offer("1.1.0", "1.2.0")
    shown = gate.cli("review", "show", gate.review(2)["id"])
    proof = shown["delta"]
    assert shown["image"] == proof["patch"] == sha256(delta)
    assert proof["base"] == sha256(m.image["1.1.0"]) and proof["target"] == sha256(m.image["1.2.0"])
    assert proof["applier"] == "bsdiff40/1" and proof["outcome"] == "reconstructed"
    assert said(shown)["DELTA-NOT-PROVED"] == "warning" and said(shown)["FMT-DELTA"] == "notice"
    text = gate.text("review", "show", "R-2")
    assert "reconstructed, target not independently signed" in text and sha256(m.image["1.2.0"]) in text
    # Not a base before somebody let it through.
    assert len(gate.cli("base", "list")["bases"]) == 1
    gate.approve("R-2")
    assert gate.served(version="1.2.0", current="1.1.0") == delta
    # What it made is what the next one goes on from, compared with what modules have by then.
    m.make("1.3.0", base="1.2.0")
    m.offer("1.2.0", "1.3.0", tool="xdelta3")
    shown = gate.cli("review", "show", gate.review(3)["id"])
    assert shown["delta"]["base"] == sha256(m.image["1.2.0"]) and shown["delta"]["target"] == sha256(m.image["1.3.0"])
    assert shown["delta"]["checked"]
    # Who signed has signed for that, in the statement's own text; and the auditor's scripts find it in the record.
    out = gate.export()
    papers = [json.load(open(p)) for p in glob.glob(os.path.join(out, "statements/*.json"))]
    signed = [p["predicate"] for p in papers if p["predicate"]["review"] == "R-2"]
    assert [p["delta"] for p in signed] == 2 * [{"applier": "bsdiff40/1", "base": proof["base"], "target": proof["target"],
                                                 "made": "reconstructed, target not independently signed"}]
    assert all("delta" not in p["predicate"] for p in papers if p["predicate"]["review"] == "R-1")
    assert gate.verify(out).stdout.rstrip().endswith("ok")
    script = os.path.join(SRC, "gateway/audit/releases40.py")
    done = subprocess.run(["/usr/bin/python3", script, out], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # The log has the proof, word and all.
    entry = [e for e in gate.entries() if e["ev"] == "image.analysed" and e["obj"] == "R-2"][-1]["ref"]
    assert entry["base"] == "sha256:" + proof["base"] and entry["image"] == "sha256:" + proof["patch"]
    assert entry["target_image"] == "sha256:" + proof["target"] and entry["applier"] == "bsdiff40/1"
    assert entry["outcome"] == "reconstructed" and entry["target_report"] == "sha256:" + proof["target_report"]


def test_a_full_image_that_is_held_proves_the_delta(gate):
    m = Maker(gate)
    gate.start()
    m.make("1.0.0")
    m.base("1.0.0")
    gate.offer(data=m.make("1.1.0", base="1.0.0"))
    gate.ask()
    gate.review(1)
    # The same version as a delta, by another URL.
    gate.offer(data=m.delta("1.0.0", "1.1.0"), name="delta.bin")
    gate.ask(name="delta.bin")
    shown = gate.cli("review", "show", gate.review(2)["id"])
    assert shown["delta"]["outcome"] == "proved" and shown["delta"]["base"] == sha256(m.image["1.0.0"])
    assert not {i for i in said(shown) if i.startswith("DELTA")}
    named = [e for e in gate.entries() if e["ev"] == "image.base"]
    assert [e["obj"] for e in named] == ["base:FG100/1.0.0"] and named[0]["ref"]["image"] == "sha256:" + sha256(m.image["1.0.0"])
    # A base is nothing that a module could get, and nothing that waits for anybody.
    assert len(gate.reviews()) == 2
    assert gate.ask(version="1.0.0", current="0.9.0")[0] == 404


def test_missing_wrong_and_older(gate):
    m = Maker(gate)
    gate.start()
    m.make("1.0.0"), m.make("1.1.0", base="1.0.0"), m.make("9.0.0")
    m.offer("1.0.0", "1.1.0", tool="xdelta3")
    shown = held(gate, "R-1")
    assert shown["state"] == "judging" and shown["delta"] is None and "base" in shown["text"]
    assert [r["id"] for r in shown["reasons"]] == ["DELTA-NOT-SEEN"]
    gate.sign("R-1", "alice", ok=(1,))
    # The wrong one is found out by the delta's own checksum, and said with what it wants.
    m.base("1.0.0", of="9.0.0")
    shown = gate.cli("review", "show", gate.review(1, "blocked")["id"])
    assert said(shown)["DELTA-WRONG-BASE"] == "block" and shown["delta"]["outcome"] == "wrong-base"
    # The right one beside it: tried as well.
    m.base("1.0.0")
    gate.cli("review", "reopen", "R-1")
    shown = gate.cli("review", "show", gate.review(1)["id"])
    assert shown["delta"]["base"] == sha256(m.image["1.0.0"]) and shown["delta"]["outcome"] == "reconstructed"
    # Back to an older version by a delta: the name says so where the bytes do not.
    m.make("0.9.0", base="1.0.0")
    m.offer("1.0.0", "0.9.0", tool="xdelta3")
    shown = gate.cli("review", "show", gate.review(2)["id"])
    assert said(shown)["META-DOWNGRADE"] == "warning"


def test_a_killed_inspector_and_a_full_disk_hold(gate):
    m = Maker(gate)
    gate.start()
    m.make("1.0.0", size=24 << 20), m.make("1.1.0", base="1.0.0")
    m.base("1.0.0")
    data = m.delta("1.0.0", "1.1.0", tool="xdelta3")

    def inspector():
        return gate.roles().get("inspect")

    gate.offer(version="1.1.0", data=data)
    gate.ask()
    # The first one that is met may read the delta itself; whoever comes after it is killed, until nobody comes any more.
    first = until(inspector, 30, 0.001)

    def killed():
        pid = inspector()
        if pid and pid != first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return True
        return False
    until(killed, 30, 0.001)
    until(lambda: not killed() and gate.cli("review", "show", "R-1")["held"], 30, 0.001)
    shown = held(gate, "R-1")
    assert shown["state"] == "judging" and "gave no answer" in shown["text"] and "signal 9" in shown["text"]
    assert shown["have"] == 0
    gate.sign("R-1", "alice", ok=(1,))
    assert gate.ask()[0] == 404
    # Without room for what it makes nothing is said of it either.
    gate.set('quarantine = { reserve_bytes = "1000 TiB"; };')
    gate.stop()
    gate.start()
    m.make("1.0.1", size=1000)
    assert "disk is nearly full" in json.dumps(m.base("1.0.1", ok=(1,)))
    until(lambda: "disk is nearly full" in gate.cli("review", "show", "R-1")["text"], 30)
    assert gate.cli("review", "show", "R-1")["held"]
    gate.set("quarantine = { reserve_bytes = 0; };")
    gate.stop()
    gate.start()
    shown = gate.cli("review", "show", gate.review(1)["id"])
    assert shown["delta"]["target"] == sha256(m.image["1.1.0"])
    parts = [n for n in os.listdir(os.path.join(gate.root, "data/images/quarantine")) if n.endswith(".part")]
    assert not parts
    why = [e["msg"] for e in gate.entries() if e["ev"] == "image.quarantined" and e["out"] == "held"]
    assert any("gave no answer" in w for w in why) and any("disk" in w for w in why)


def test_a_delta_nobody_can_see_through(gate):
    """Held, but for its digest in the profile; for fewer days; and never two for one step."""
    m = Maker(gate)
    m.make("1.0.0"), m.make("1.1.0", base="1.0.0")
    first, second = m.delta("1.0.0", "1.1.0"), m.delta("1.0.0", "1.1.0", tool="xdelta3")
    deltas = 'deltas = { unseen = "pinned"; unseen_days = 5; pins = [ "%s" ]; };\n};'
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + deltas % sha256(first))
    gate.start()
    gate.offer(data=first)
    gate.ask()
    shown = gate.cli("review", "show", gate.review(1)["id"])
    assert shown["delta"] is None and "integrity by digest only, origin unverified" in shown["text"]
    analysed = [e for e in gate.entries() if e["ev"] == "image.analysed"][-1]
    assert analysed["msg"] == "integrity by digest only, origin unverified"
    gate.sign("R-1", "alice", "--days", "6", ok=(2,))
    gate.sign("R-1", "alice")
    # Another one for the same step: neither goes on, whatever was signed.
    gate.offer(data=second, name="other.bin")
    gate.ask(name="other.bin")
    assert [r["id"] for r in held(gate, "R-2")["reasons"]] == ["DELTA-SECOND", "DELTA-NOT-PINNED"]
    assert [r["id"] for r in held(gate, "R-1")["reasons"]] == ["DELTA-SECOND"]
    assert [e["obj"] for e in gate.entries() if e["ev"] == "image.incident"] == ["R-2"]
    gate.sign("R-1", "bob", ok=(1,))
    assert gate.ask()[0] == 404
    # Until a person says which is not the vendor's.
    gate.cli("review", "reject", "R-2", "--reason", "not the vendor's")
    gate.review(1)
    gate.approve()
    assert gate.served() == first


def test_a_delta_that_only_the_profile_tells(gate):
    """Bytes that fit no format are deltas where the profile says so: signed for as unseen, never two, never a full image."""
    first, second = random.Random(3).randbytes(3000), random.Random(4).randbytes(3000)
    deltas = 'deltas = { format = "detools"; unseen = "pinned"; pins = [ "%s", "%s" ]; };\n};'
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + deltas % (sha256(first), sha256(second)))
    gate.set('rules = ( { name = "opaque"; delta_at_best = "opaque"; outcome = "hold"; quorum = 3; } );')
    gate.start()
    gate.offer(data=first)
    gate.ask()
    shown = gate.cli("review", "show", gate.review(1)["id"])
    assert "FMT-DELTA" in [f["id"] for f in shown["findings"]] and "opaque" in shown["rule"]
    gate.offer(data=second, name="other.bin")
    gate.ask(name="other.bin")
    assert [r["id"] for r in held(gate, "R-2")["reasons"]] == ["DELTA-SECOND"]
    assert [r["id"] for r in held(gate, "R-1")["reasons"]] == ["DELTA-SECOND"]


def test_what_opens_a_vendors_words_and_a_trial(gate):
    """Of a delta that nobody sees through: what opens of it is told, notes stand beside it, a trial lets it before people."""
    m, rng = Maker(gate), random.Random(5)
    opens = gzip.compress(b"call home: http://203.0.113.77/c2 and then sleep\n" * 40)
    data = rng.randbytes(3000) + opens + rng.randbytes(3000)
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + 'deltas = { format = "detools"; unseen = "attested"; };\n};')
    gate.start()
    gate.offer(data=data)
    gate.ask()
    shown = held(gate, "R-1")
    assert [r["id"] for r in shown["reasons"]] == ["DELTA-NOT-ATTESTED"]
    assert said(shown)["CHG-CONTACT-URL"] == "warning" and "CHG-NO-OLD" in said(shown) and "CHG-NEARLY-ALL" not in said(shown)
    analysed = [e for e in gate.entries() if e["ev"] == "image.analysed"][-1]
    assert 0 < analysed["ref"]["opened.permille"] < 100
    # The vendor's words: in the report, named by their digest, and given once.
    words = m.file("notes.txt", b"1.1.0\r\n- moves to 203.0.113.77\n- \x1b[31mmore\n")
    told = gate.cli("review", "notes", "R-1", words)
    assert told["notes"] == sha256(open(words, "rb").read()) and told["lines"] == 3

    def report():
        r = gate.cli("review", "report", "R-1")
        return r if "notes" in r else None
    r = until(report, 30)
    assert r["notes"]["lines"] == ["1.1.0", "- moves to 203.0.113.77", "- <1B>[31mmore"]
    gate.cli("review", "notes", "R-1", words)
    gate.cli("review", "notes", "R-1", m.file("other.txt", b"nothing new"), ok=(1,))
    # Nobody's word yet; then somebody's, which is in the log before it counts.
    until(lambda: held(gate, "R-1"))
    gate.sign("R-1", "alice", ok=(1,))
    gate.cli("review", "attest", "R-1", "--before", "1.0.0", "--after", "1.1.0", "--reason", "module 3 of the laboratory",
             "--flash", "ab" * 32)
    shown = gate.cli("review", "show", gate.review(1)["id"])
    assert [(a["before"], a["after"], a["flash"]) for a in shown["attested"]] == [("1.0.0", "1.1.0", "ab" * 32)]
    assert shown["need"] == 3 # whoever attested it may be one of them
    entry = [e for e in gate.entries() if e["ev"] == "image.attested"][-1]
    assert entry["obj"] == "R-1" and entry["ref"]["image"] == "sha256:" + sha256(data) and entry["act"] == shown["attested"][0]["who"]
    # It is read back from the log, for the database has none of it; and one trial that ended otherwise takes it away.
    gate.stop()
    gate.start()
    assert gate.cli("policy", "explain", "R-1")["facts"]["attested"] == 1
    gate.sign("R-1", "alice")
    # The same bytes under another name rest on the same trial.
    gate.offer(product="FG200", data=data)
    gate.ask(product="FG200")
    gate.review(2)
    gate.cli("review", "attest", "R-1", "--before", "1.0.0", "--after", "1.0.0", "--reason", "module 4 went on as before")
    assert "delta makes was not seen" in gate.sign("R-2", "alice", ok=(1,))["error"]["text"]
    assert [r["id"] for r in held(gate, "R-1")["reasons"]] == ["DELTA-NOT-ATTESTED"]
    assert gate.cli("policy", "explain", "R-1")["facts"]["attested"] == 0
    gate.sign("R-1", "alice", ok=(1,))
    # Every decision made again, each with the words that there were then.
    again = gate.cli("replay", "R-1")["decisions"]
    assert len(again) > 2 and not any(d["drift"] for d in again), again
    # What was named a base is none any more when somebody says so, and its bytes go with it.
    m.make("1.0.0")
    m.base("1.0.0")
    name = os.path.join(gate.root, "data/images/quarantine", sha256(m.image["1.0.0"]) + ".img")
    assert os.path.exists(name) and len(gate.cli("base", "list")["bases"]) == 1
    drop = ["base", "drop", "--profile", "story", "--product", "FG100", "--version", "1.0.0"]
    gate.cli(*drop, "--image", "00" * 32, ok=(1,))
    assert gate.cli(*drop)["dropped"] == [sha256(m.image["1.0.0"])]
    assert not os.path.exists(name) and gate.cli("base", "list")["bases"] == []
    gate.cli(*drop, ok=(1,))


def test_a_proof_stands_for_a_signature(gate):
    """A delta without a signature, of which a full image with one says that it is right: where the profile lets it."""
    m = Maker(gate)
    m.make("1.0.0")
    gate.start()
    m.base("1.0.0")
    gate.offer(data=m.make("1.1.0", base="1.0.0"))
    gate.ask()
    gate.review(1)
    delta = m.file("unsigned.bin", m.delta("1.0.0", "1.1.0"))
    brought = ["import", delta, "--profile", "story", "--product", "FG100", "--version", "1.1.0", "--from", "1.0.0",
               "--url", "http://vendor.invalid/FG100/1.1.0/delta.bin"]
    gate.cli(*brought, ok=(1,))
    shown = gate.cli("review", "show", gate.review(2, "blocked")["id"])
    assert shown["delta"]["outcome"] == "proved" and said(shown)["SIG-ABSENT"] == "block"
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + "deltas = { proof_signs = true; };\n};")
    gate.cli("reload")
    gate.cli("review", "reopen", "R-2")
    shown = gate.cli("review", "show", gate.review(2)["id"])
    assert shown["delta"]["outcome"] == "proved" and said(shown)["SIG-ABSENT"] == "warning"


def test_two_at_once_are_both_held(gate):
    """One for which the log is about to say that its review opens does not open before the other is looked at."""
    m = Maker(gate)
    m.make("1.0.0"), m.make("1.1.0", base="1.0.0")
    first, second = m.delta("1.0.0", "1.1.0"), m.delta("1.0.0", "1.1.0", tool="xdelta3")
    deltas = 'deltas = { unseen = "pinned"; pins = [ "%s", "%s" ]; };\n};'
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + deltas % (sha256(first), sha256(second)))
    gate.start()

    def judged(number):
        return gate.cli("review", "show", number, ok=(0, 1)).get("report")
    audit = gate.roles()["audit"]
    os.kill(audit, signal.SIGSTOP)
    try:
        gate.offer(data=first)
        gate.ask()
        until(lambda: judged("R-1"))
        gate.offer(data=second, name="other.bin")
        gate.ask(name="other.bin")
        until(lambda: judged("R-2"))
    finally:
        os.kill(audit, signal.SIGCONT)
    assert [r["id"] for r in held(gate, "R-2")["reasons"]] == ["DELTA-SECOND"]
    assert [r["id"] for r in held(gate, "R-1")["reasons"]] == ["DELTA-SECOND"]


def test_what_let_a_delta_before_people_still_has_to_stand(gate):
    """A delta that waits for the full image of its version is signed for no more when a person has rejected that."""
    m = Maker(gate)
    m.make("1.0.0"), m.make("1.1.0", base="1.0.0")
    gate.write_profile(PROFILE.rstrip().removesuffix("};") + 'deltas = { unseen = "full"; };\n};')
    gate.start()
    gate.offer(data=m.image["1.1.0"], name="full.bin")
    gate.ask(name="full.bin")
    gate.review(1)
    gate.offer(data=m.delta("1.0.0", "1.1.0"))
    gate.ask()
    gate.review(2)
    # A second delta for the step takes nothing from the full image, which is a delta of nothing.
    gate.sign("R-1", "alice")
    gate.offer(data=m.delta("1.0.0", "1.1.0", tool="xdelta3"), name="other.bin")
    gate.ask(name="other.bin")
    assert [r["id"] for r in held(gate, "R-3")["reasons"]] == ["DELTA-SECOND"]
    assert [r["id"] for r in held(gate, "R-2")["reasons"]] == ["DELTA-SECOND"]
    assert [e["obj"] for e in gate.entries() if e["ev"] == "image.incident"] == ["R-3"]
    full = gate.cli("review", "show", "R-1")
    assert (full["state"], full["have"]) == ("review", 1)
    gate.cli("review", "reject", "R-3", "--reason", "not the vendor's")
    gate.review(2)
    gate.sign("R-2", "alice")
    gate.cli("review", "reject", "R-1", "--reason", "not what it says it is")
    gate.sign("R-2", "bob", ok=(1,))
    assert gate.cli("review", "show", "R-2")["release"] is None and gate.ask()[0] == 404
