# SPDX-License-Identifier: Apache-2.0
"""The gate stands: one update from the vendor's server to a module, judged, approved, served, logged."""
import hashlib
import json
import os
import re
import subprocess

from gate import BIN, IMEI, SRC, luhn, until


def test_nothing_before_two_people_then_exactly_the_bytes(gate):
    data = gate.offer()
    gate.start()
    status, headers, body = gate.ask()
    assert status == 404 and body == b"" and headers["Connection"]
    review = gate.review(1)
    assert review["image"] == hashlib.sha256(data).hexdigest()
    gate.sign("R-1", "alice")
    assert gate.ask()[0] == 404
    gate.sign("R-1", "bob")
    assert gate.served() == data
    assert gate.served(tls=True) == data
    status, headers, body = gate.ask("HEAD")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) == len(data)
    status, headers, body = gate.ask(headers={"Range": "bytes=1000-1999"})
    assert status == 206 and body == data[1000:2000]
    assert headers["Content-Range"] == f"bytes 1000-1999/{len(data)}"
    assert gate.vendor.count["/FG100/1.1.0/rootfs.img"] == 1
    out = gate.export()
    verdict = gate.verify(out).stdout
    assert verdict.rstrip().endswith("ok")
    events = [json.loads(line)["ev"] for line in open(os.path.join(out, "entries.jsonl"))]
    assert events[0] == "authority.genesis"
    for one, other in [("fetch.started", "review.opened"), ("review.opened", "approval.signed"),
                       ("approval.signed", "release.issued"), ("release.issued", "device.grant"),
                       ("device.grant", "device.served")]:
        assert events.index(one) < events.index(other)


def test_stock_tools_agree_with_what_was_signed_and_logged(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    out = gate.export()
    signers = os.path.join(out, "signers")
    checked = 0
    for name in os.listdir(os.path.join(out, "statements")):
        if not name.endswith(".json"):
            continue
        path = os.path.join(out, "statements", name)
        who = json.load(open(path))["predicate"]["approver"]
        good = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", os.path.join(signers, "allowed_signers"), "-I", who,
                               "-n", "fotagate-approval@v1", "-s", path[:-5] + ".sig"], stdin=open(path),
                              capture_output=True, text=True)
        assert good.returncode == 0, good.stderr
        checked += 1
    assert checked == 2
    key = json.load(open(os.path.join(signers, "genesis.json")))["predicate"]["log"]
    foreign = subprocess.run(["/usr/bin/python3", os.path.join(SRC, "gateway/audit/verify40.py"), out, key],
                             capture_output=True, text=True)
    assert foreign.returncode == 0, foreign.stdout + foreign.stderr


def test_nothing_of_the_modules_reaches_the_vendor(gate):
    gate.offer()
    gate.start()
    canary = "CANARY7f3a"
    gate.ask(headers={"User-Agent": canary, "X-IMEI": IMEI, "Cookie": canary, "Authorization": "Bearer " + canary,
                      "Referer": "http://" + canary, "X-" + canary: canary})
    gate.ask(product=canary)
    gate.review(1)
    until(lambda: gate.vendor.count.get("/FG100/1.1.0/rootfs.img.p7s"))
    assert gate.vendor.raw
    for needle in (IMEI, "imei", "Bearer", "Cookie", "Referer"):
        assert not gate.vendor.saw(needle), needle
    # What a template names may go out, in its place and in no other.
    for request in gate.vendor.raw:
        line, _, rest = request.partition(b"\n")
        assert canary.encode() not in rest
        assert b"fotagate/" in rest


def test_old_same_and_unknown_versions_are_not_offered(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    assert gate.ask(imei=luhn("35693803564380"), current="1.1.0")[0] == 404
    assert gate.ask(imei=luhn("35693803564381"), current="2.0")[0] == 404
    assert gate.ask(imei=luhn("35693803564382"), current=None)[0] == 404


def test_an_unsigned_image_is_blocked_and_says_why(gate):
    gate.offer(signed=False)
    gate.start()
    gate.ask()
    review = gate.review(1, state="blocked")
    assert review["verdict"] == "blocked"
    shown = gate.cli("review", "show", "R-1")
    assert "SIG-ABSENT" in [f["id"] for f in shown["findings"]]
    # Policy's own reasons, the first of which the list of reviews has as well; a person reads all of them.
    assert [r["id"] for r in shown["reasons"]] == ["REPORT-BLOCKED", "FINDING-BLOCKS", "SIGNATURE-MISSING", "UNSIGNED-BYTES"]
    assert shown["text"] == shown["reasons"][0]["sentence"] == "The report's own verdict is blocked."
    lines = re.search(r"(?m)^because +(.*\n(?: .*\n)*)", gate.text("review", "show", "R-1")).group(1)
    assert [line.strip() for line in lines.splitlines()] == [r["sentence"] for r in shown["reasons"]]
    gate.sign("R-1", "alice", ok=(1,))


def test_import_goes_the_same_way_and_the_importer_never_counts(gate):
    data = os.urandom(50000)
    path = os.path.join(gate.dir, "import.img")
    open(path, "wb").write(data)
    open(path + ".p7s", "wb").write(gate.pki.sign(data))
    gate.start()
    gate.ask(version="3.0.0")  # the vendor does not have it; the module asks all the same
    gate.cli("import", path, "--signature", path + ".p7s", "--profile", "story", "--product", "FG100", "--version", "3.0.0")
    numbers = until(lambda: [r["id"] for r in gate.reviews("review")])
    gate.approve(numbers[0])
    assert gate.served(version="3.0.0") == data


def test_a_report_is_held_against_those_of_the_releases_before(gate):
    gate.offer()
    rules = b'rule ore { strings: $a = "iron ore" condition: $a }\n'
    with open(os.path.join(gate.root, "keys/fleet.yar"), "wb") as f:
        f.write(rules)
    with open(os.path.join(gate.root, "fotagate.conf"), "a") as f:
        f.write('inspect = { yara_rules = "fleet.yar"; };\n')
    gate.start()

    def bring(version, sign):
        data = (os.urandom(19000) + (b"iron ore" if version == "3.2.0" else b"")).ljust(20000)
        path = os.path.join(gate.dir, version)
        open(path, "wb").write(data)
        open(path + ".p7s", "wb").write(sign(data))
        gate.ask(version=version)
        gate.cli("import", path, "--signature", path + ".p7s", "--profile", "story", "--product", "FG100", "--version", version)
        number = until(lambda: [r["id"] for r in gate.reviews("review")])[0]
        shown = gate.cli("review", "show", number)
        return number, shown["report"], {f["id"] for f in shown["findings"] if f["id"].startswith("CONT-")}

    number, first, said = bring("3.0.0", gate.pki.sign)
    assert said == {"CONT-FIRST"}
    gate.approve(number)
    until(lambda: not gate.reviews("review"))
    number, second, said = bring("3.1.0", gate.pki.sign)
    assert said == set()
    gate.approve(number)
    until(lambda: not gate.reviews("review"))
    gate.pki.leaf("other", 8, "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    number, third, said = bring("3.2.0", lambda data: gate.pki.sign(data, "other"))
    assert said == {"CONT-NEW-SIGNER"}
    report = json.load(open(os.path.join(gate.root, "data", "reports", third + ".json")))
    assert report["inputs"]["history"] == [second, first]
    # And taken apart beside the release before it.
    page = report["changes"]["page"]
    assert page["holds"] and sum(page["image"]["new"].values()) == 20000
    # The operator's own rules were asked, and the report names them.
    assert report["inputs"]["rules"] == hashlib.sha256(rules).hexdigest()
    assert [line["text"] for line in page["lines"] if line["id"] == "CHG-YARA"] == ["YARA rule ore"]


def test_revocation_ends_it_and_only_new_signatures_bring_it_back(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.cli("revoke", "R-1", "--reason", "vendor withdrew it")
    until(lambda: gate.ask()[0] == 404)
    gate.sign("R-1", "alice", ok=(1,))
    gate.verify()


def test_halt_stops_and_only_signatures_resume(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.text("halt")
    until(lambda: gate.ask()[0] == 404)
    for person in ("alice", "bob"):
        assert gate.ask()[0] == 404
        gate.cli("resume", "statement", "--approver", f"{person}@demo.invalid", "--reason", "the cause is understood",
                 "--sign", os.path.join(gate.root, "people", person))
    assert gate.served() == data
    gate.verify()


def test_explain_says_in_a_sentence_why_not(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    module = until(lambda: gate.cli("module", "list")["modules"])[0]["id"]
    answers = gate.cli("module", "explain", module)["answers"]
    assert answers and answers[0]["text"].endswith(".")
