# SPDX-License-Identifier: Apache-2.0
"""What is taken away: evidence of a review and parts of the log, as files that hold without the console that made them."""
import base64
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

import browse
import checks
from browse import every, one, wait
from console import Refused
from gate import BIN


def unpacked(data, folder):
    """Names and bytes, and laid out below the folder as tar does it."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as t:
        assert all(m.isreg() and not m.name.startswith("/") and ".." not in m.name for m in t)
        t.extractall(folder)
        return {m.name.partition("/")[2]: t.extractfile(m).read() for m in t}


def taken(driver, button, link, folder):
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", one(driver, button))
    one(driver, button).click()
    wait(driver, lambda d: every(d, link + " a[download], " + link + " .problem"))
    assert not every(driver, link + " .problem"), one(driver, link).text
    return unpacked(browse.saved(driver, link + " a[download]", folder), folder)


def receipt(place, path):
    """What fotagate-verify says of it, by what was kept outside the gateway."""
    return subprocess.run([os.path.join(BIN, "fotagate-verify"), "receipt", path, "--trust",
                           os.path.join(place.gate.root, "people", "trust.txt")], capture_output=True, text=True, timeout=60)


def root(lines):
    """RFC 6962, 2.1, of leaves."""
    if len(lines) == 1:
        return hashlib.sha256(b"\0" + lines[0]).digest()
    k = 1
    while k * 2 < len(lines):
        k *= 2
    return hashlib.sha256(b"\1" + root(lines[:k]) + root(lines[k:])).digest()


def test_evidence_of_a_review(driver, place, tmp_path):
    browse.visit(driver, place.url + "/reviews/R-2")
    files = taken(driver, "#take-evidence", "#evidence", tmp_path)
    assert checks.everywhere(driver) == []
    r = place.gate.cli("review", "show", "R-2")
    for folder, digest in (("reports", r["report"]), ("provenance", r["provenance"]), ("policies", r["policy"]),
                           *(("statements", s["statement"]) for s in r["statements"])):
        assert hashlib.sha256(files[f"{folder}/{digest}.json"]).hexdigest() == digest, folder
    assert files[f"vendor/{r['signature']}.sig"] and len(r["statements"]) == 2
    # Stock OpenSSH and fotagate-verify say so too, of every statement.
    there = tmp_path / "evidence-R-2"
    for s in r["statements"]:
        statement = there / "statements" / (s["statement"] + ".json")
        signature = str(statement)[:-5] + ".sig"
        with open(statement, "rb") as f:
            good = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", there / "signers/allowed_signers", "-I", s["approver"], "-n",
                                   "fotagate-approval@v1", "-s", signature], stdin=f, capture_output=True, text=True, timeout=60)
        assert good.returncode == 0 and "Good" in good.stdout, good
        good = subprocess.run([os.path.join(BIN, "fotagate-verify"), "approval", statement, signature, "--genesis",
                               there / "signers/genesis.json"], capture_output=True, text=True, timeout=60)
        assert good.returncode == 0, good
    # Each entry is the log's, and what the review came to is among them.
    lines = files["entries.jsonl"].decode().splitlines()
    entries = [json.loads(line) for line in lines]
    assert {"approval.signed", "release.issued"} <= {e["ev"] for e in entries} and files["checkpoint"]
    assert [e["seq"] for e in entries] == sorted(e["seq"] for e in entries)
    for e in (entries[0], entries[-1]):
        good = receipt(place, there / f"proofs/{e['seq']}.tlog-proof")
        assert good.returncode == 0, good
    assert len([n for n in files if n.startswith("proofs/")]) == len(lines)
    # One digit of the entry that it carries, and it is none.
    proof = there / f"proofs/{entries[0]['seq']}.tlog-proof"
    head, extra, rest = proof.read_text().split("\n", 2)
    broken = base64.b64decode(extra.split()[1]).replace(b'"v":1', b'"v":2')
    proof.write_text("\n".join((head, "extra " + base64.b64encode(broken).decode(), rest)))
    assert receipt(place, proof).returncode == 1


def test_evidence_of_what_is_hostile_or_not_judged(driver, place, tmp_path):
    for review in ("R-1", "R-7"):
        browse.visit(driver, place.url + "/reviews/" + review)
        files = taken(driver, "#take-evidence", "#evidence", tmp_path)
        assert json.loads(files["review.json"])["id"] == review and files["entries.jsonl"], review
    assert driver.execute_script("return window.pwned") is None


LIAR = """
const real = window.fetch;
window.fetch = async (path, init) => {
    const answer = await real(path, init);
    if (!String(path).includes(WHAT))
        return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    bytes[bytes.length - 20] ^= 1;
    return new Response(bytes, { status: answer.status });
};
"""


def test_a_gateway_that_hands_out_something_else(driver, place):
    for what, says in (('"/files/statement"', "not what its digest says"), ('"/files/provenance"', "not what its digest says")):
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LIAR.replace("WHAT", what)})
        try:
            browse.visit(driver, place.url + "/reviews/R-2")
            one(driver, "#take-evidence").send_keys("\n")
            wait(driver, lambda d: every(d, "#evidence .problem"))
            assert says in one(driver, "#evidence").text and not every(driver, "#evidence a")
        finally:
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def verified(gate, folder):
    """What fotagate-verify says of an export, by what was kept outside the gateway."""
    return subprocess.run([os.path.join(BIN, "fotagate-verify"), folder, "--trust", os.path.join(gate.root, "people/trust.txt")],
                          capture_output=True, text=True, timeout=60)


def test_all_of_it_is_verified_elsewhere(driver, place, tmp_path):
    """What the page saves is what fotagate audit export writes, and holds for whoever trusts neither page nor gateway."""
    before = place.gate.cli("status")["log"]["size"]
    browse.visit(driver, place.url + "/audit")
    files = taken(driver, "#export-whole", "#exported", tmp_path)
    lines = files["entries.jsonl"].removesuffix(b"\n").split(b"\n")
    _, size, signed, *_ = files["checkpoint"].decode().split("\n")
    assert int(size) == len(lines) > before and base64.b64encode(root(lines)).decode() == signed
    # That it is taken away is in what is taken away, and what the texts are that go along.
    told = [e for e in map(json.loads, lines[before:]) if e["ev"] == "log.exported" and "alice" in e["act"]]
    assert {v.removeprefix("sha256:") for v in told[0]["ref"].values()} == {
        hashlib.sha256(files[n]).hexdigest() for n in files if n.endswith((".py", ".md"))}
    there = tmp_path / "export"
    good = verified(place.gate, there)
    assert good.returncode == 0 and "ok" in good.stdout, good
    assert "self-consistent" not in good.stdout
    # The command's own has no file more, but for what the log has grown by.
    out = place.gate.export()
    there_too = {os.path.relpath(os.path.join(d, n), out) for d, _, names in os.walk(out) for n in names}
    same = {n for n in there_too if not n.startswith("tile/")}
    assert same == {n for n in files if not n.startswith("tile/")}
    for name in same - {"checkpoint", "entries.jsonl"}:
        with open(os.path.join(out, name), "rb") as f:
            assert f.read() == files[name], name
    # By the scripts in it, without any program of ours.
    trust = dict(line.split(" ", 1) for line in open(os.path.join(place.gate.root, "people/trust.txt")) if line[0] != "#" and " " in line)
    for script, *args in (["verify40.py", trust["log"].strip()], ["files40.py"], ["people40.py", trust["genesis"].strip()],
                          ["releases40.py"], ["served40.py"]):
        done = subprocess.run([sys.executable, "-B", there / script, there, *args], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (script, done)
    # One bit of anything, and it is none.
    for name in ("entries.jsonl", "signers/allowed_signers", next(n for n in files if n.startswith("reports/")),
                 next(n for n in files if n.startswith("tile/0/")), "VERIFY.md"):
        path = there / name
        path.write_bytes(files[name][:-9] + bytes([files[name][-9] ^ 1]) + files[name][-8:])
        assert verified(place.gate, there).returncode == 1, name
        path.write_bytes(files[name])
    (there / "statements" / "more.txt").write_text("x")
    assert verified(place.gate, there).returncode == 1


TREE = """const [n, done] = arguments;
    (async () => {
        const { Tree } = await import("/exporting.js"), { sha256, hex } = await import("/log.js"), files = new Map(), tree = new Tree(files);
        for (let i = 0; i < n; i++) {
            const leaf = new Uint8Array(32);
            new DataView(leaf.buffer).setUint32(0, i);
            await tree.add(0, leaf);
        }
        tree.end();
        const out = {};
        for (const [name, parts] of files)
            out[name] = hex(await sha256(new Uint8Array(await new Blob(parts).arrayBuffer())));
        done(out);
    })().catch((e) => done(String(e.stack)));"""


@pytest.mark.parametrize("n", [1, 255, 256, 257, 65536, 66100])
def test_tiles_of_a_tree_of_any_size(driver, place, n):
    """c2sp.org/tlog-tiles: full ones of 256 hashes, what is left as a partial one, the next level of full ones alone."""
    browse.visit(driver, place.url + "/account")
    made = driver.execute_async_script(TREE, n)
    level, hashes, want = 0, [i.to_bytes(4, "big") + bytes(28) for i in range(n)], {}
    while hashes:
        up = []
        for at in range(0, len(hashes), 256):
            some = hashes[at:at + 256]
            name = f"tile/{level}/{at // 256:03d}" + ("" if len(some) == 256 else f".p/{len(some)}")
            want[name] = hashlib.sha256(b"".join(some)).hexdigest()
            while len(some) > 1 and at + 256 <= len(hashes):
                some = [hashlib.sha256(b"\1" + some[i] + some[i + 1]).digest() for i in range(0, len(some), 2)]
            up += some if at + 256 <= len(hashes) else []
        level, hashes = level + 1, up
    assert made == want


def test_no_export_of_what_does_not_hold(driver, place):
    for what, says in (('"/tile/entries/"', "do not hash to the root"), ('"/files/report"', "not what its digest says")):
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LIAR.replace("WHAT", what)})
        try:
            browse.visit(driver, place.url + "/audit")
            one(driver, "#export-whole").send_keys("\n")
            wait(driver, lambda d: every(d, "#exported .problem"))
            assert says in one(driver, "#exported").text and not every(driver, "#exported a")
        finally:
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_what_is_found_with_proofs(driver, place, tmp_path):
    browse.visit(driver, place.url + "/audit?event=approval.signed&actor=alice")
    files = taken(driver, "#export-found", "#exported", tmp_path)
    entries = [json.loads(line) for line in files["entries.jsonl"].decode().splitlines()]
    assert entries and all(e["ev"] == "approval.signed" and e["act"] == "alice@demo.invalid" for e in entries)
    assert all(receipt(place, tmp_path / f"excerpt/proofs/{e['seq']}.tlog-proof").returncode == 0 for e in entries)
    browse.visit(driver, place.url + "/audit")
    one(driver, "#export-from").send_keys("3")
    one(driver, "#export-to").send_keys("7")
    (tmp_path / "excerpt.tar").unlink()
    files = taken(driver, "#export-found", "#exported", tmp_path)
    entries = [json.loads(line) for line in files["entries.jsonl"].decode().splitlines()]
    assert [e["seq"] for e in entries] == [3, 4, 5, 6, 7]
    head, *rows = csv.reader(io.StringIO(files["entries.csv"].decode(), newline=""))
    assert [dict(zip(head, row))["seq"] for row in rows] == ["3", "4", "5", "6", "7"]
    assert [dict(zip(head, row))["ev"] for row in rows] == [e["ev"] for e in entries]
    # What a spreadsheet would take for a formula is text in it.
    made = driver.execute_async_script("""const done = arguments[0];
        import("/bundle.js").then(({ csv }) => done(csv([{ seq: 1, msg: '=cmd|"x"', act: "-1", obj: "a,b\\nc", src: "@x" }])));""")
    row = dict(zip(head, list(csv.reader(io.StringIO(made, newline="")))[1]))
    assert (row["msg"], row["act"], row["src"], row["obj"], row["dev"]) == ("'=cmd|\"x\"", "'-1", "'@x", "a,b\nc", "")


def test_an_entry_with_its_proof(driver, place, tmp_path):
    browse.visit(driver, place.url + "/audit/15")
    browse.saved(driver, "#part-proof a[download]", tmp_path)
    assert receipt(place, tmp_path / "15.tlog-proof").returncode == 0
    assert [c.text for c in every(driver, "#part-proof .command code")] == [
        "fotagate audit proof 15 -o 15.tlog-proof", "fotagate-verify receipt 15.tlog-proof --trust trust.txt"]


def test_whoever_may_not_take_the_log_away(driver, place):
    browse.as_session(driver, place.url, place.vera)
    browse.visit(driver, place.url + "/audit")
    assert not one(driver, "#export-whole").is_enabled() and "It takes an auditor" in one(driver, "#part-exports").text
    try:
        place.console.ask("POST", "/audit/export", {}, place.vera)
    except Refused as refused:
        assert refused.status == 403
    else:
        raise AssertionError("a viewer had the log say that it is taken away")
