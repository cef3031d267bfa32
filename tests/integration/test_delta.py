# SPDX-License-Identifier: Apache-2.0
"""fotagate inspect --base: what a delta makes, what is proved by it, and what is not."""
import hashlib
import json
import os
import pathlib
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
VECTORS = pathlib.Path(os.environ.get("FG_VECTORS", ""))

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def run(*args):
    return subprocess.run([FOTAGATE, "inspect", *map(str, args)], capture_output=True, timeout=300)


def report(*args):
    r = run("--json", "--at", "2026-01-01T00:00:00Z", *args)
    assert r.returncode in (0, 1), r.stderr.decode()
    doc = json.loads(r.stdout)
    assert r.stdout.decode() == json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return doc


def said(doc):
    return {f["id"]: f["severity"] for f in doc["findings"]}


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def mcu(tmp_path_factory):
    """MCUboot images of one vendor: counted.bin and plain.bin, of which only the first has a security counter; deltas."""
    d = tmp_path_factory.mktemp("mcu")
    (d / "trust").mkdir()
    key = VECTORS / "mcuboot" / "key" / "p256.pem"
    (d / "trust" / "vendor.pem").write_bytes(key.read_bytes())
    for name, image in (("counted", "p256"), ("plain", "no-hint"), ("stranger", "stranger")):
        (d / f"{name}.bin").write_bytes((VECTORS / "mcuboot" / f"{image}.bin").read_bytes())
    for old, new in (("plain", "counted"), ("counted", "plain"), ("plain", "stranger")):
        subprocess.run(["bsdiff", d / f"{old}.bin", d / f"{new}.bin", d / f"{old}-{new}"], check=True)
    return d


def test_a_signed_target_is_proved(mcu, tmp_path):
    doc = report("--trust", mcu / "trust", "--base", mcu / "plain.bin", "--target", mcu / "counted.bin",
                 "--output-target", tmp_path / "target", "--target-report", tmp_path / "report", mcu / "plain-counted")
    delta = doc["delta"]
    assert delta["outcome"] == "proved" and delta["applier"] == "bsdiff40/1"
    assert delta["base"]["sha256"] == doc["inputs"]["base"] == sha256(mcu / "plain.bin")
    assert delta["patch"]["sha256"] == doc["image"]["sha256"]
    assert delta["target"]["sha256"] == delta["target"]["full"] == sha256(tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == (mcu / "counted.bin").read_bytes()
    assert said(doc)["FMT-DELTA"] == "notice" and "CHG-NO-OLD" not in said(doc)
    assert not {i for i in said(doc) if i.startswith("DELTA")}
    # The target's own report: a full one, by its name, compared with the base.
    assert delta["target"]["report"] == sha256(tmp_path / "report")
    target = json.loads((tmp_path / "report").read_bytes())
    assert target["image"]["format"] == "mcuboot" and target["delta"] is None
    assert target["changes"]["old"]["sha256"] == delta["base"]["sha256"]
    assert target["signatures"][0]["outcome"] == "verified"
    # The delta itself nobody signed, and that is said beside it.
    assert said(doc)["SIG-ABSENT"] == "warning" and doc["verdict"] == "review"
    page = run("--trust", mcu / "trust", "--base", mcu / "plain.bin", mcu / "plain-counted").stdout.decode()
    assert "PROVED" in page and "Not proved: that a module holds this base" in page


def test_a_target_that_goes_back_is_stopped(mcu):
    doc = report("--trust", mcu / "trust", "--base", mcu / "counted.bin", mcu / "counted-plain")
    assert doc["delta"]["outcome"] == "proved" and doc["verdict"] == "blocked"
    assert said(doc)["CONT-COUNTER-BACK"] == "block"


def test_a_signature_of_a_stranger_proves_nothing(mcu):
    for trust in ([], ["--trust", mcu / "trust"]):
        doc = report(*trust, "--base", mcu / "plain.bin", mcu / "plain-stranger")
        assert doc["delta"]["outcome"] == "reconstructed" and not doc["delta"]["target"]["signed"]
        assert said(doc)["DELTA-NOT-PROVED"] == "warning"
    page = run("--base", mcu / "plain.bin", mcu / "plain-stranger").stdout.decode()
    assert "RECONSTRUCTED, target not independently signed" in page


def test_a_detached_signature_of_the_target(tmp_path):
    d = VECTORS / "delta"
    (tmp_path / "trust").mkdir()
    openssl = ["openssl"]
    subprocess.run([*openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                    tmp_path / "key"], check=True, capture_output=True)
    subprocess.run([*openssl, "pkey", "-in", tmp_path / "key", "-pubout", "-out", tmp_path / "trust" / "k.pem"],
                   check=True)
    for name in ("new", "bsdf2-brotli"):
        subprocess.run([*openssl, "dgst", "-sha256", "-sign", tmp_path / "key", "-out", tmp_path / f"{name}.sig",
                        d / name], check=True)
    base = ["--trust", tmp_path / "trust", "--base", d / "old", "--signature", tmp_path / "bsdf2-brotli.sig"]
    doc = report(*base, d / "bsdf2-brotli")
    assert doc["delta"]["outcome"] == "reconstructed" and doc["verdict"] == "review", doc["findings"]
    doc = report(*base, "--target-signature", tmp_path / "new.sig", d / "bsdf2-brotli")
    # Both signed, and what it makes was seen whole: nothing is left that a person must look at.
    assert doc["delta"]["outcome"] == "proved" and doc["verdict"] == "acceptable"
    doc = report(*base, "--target-signature", tmp_path / "bsdf2-brotli.sig", d / "bsdf2-brotli")
    assert doc["delta"]["outcome"] == "reconstructed" and said(doc)["SIG-INVALID"] == "block"
    doc = report(*base, "--target-signature", tmp_path / "new.sig", "--target", d / "old", d / "bsdf2-brotli")
    assert doc["delta"]["outcome"] == "reconstructed" and said(doc)["DELTA-OTHER-TARGET"] == "block"


def test_what_cannot_be_applied(tmp_path):
    d = VECTORS / "delta"
    doc = report("--base", d / "new", "--target", d / "new", d / "bsdiff40")
    assert said(doc)["DELTA-OTHER-TARGET"] == "block"  # another base made another image
    short = tmp_path / "short"
    short.write_bytes((d / "old").read_bytes()[:1000])
    doc = report("--base", short, d / "bsdiff40")
    assert doc["delta"]["outcome"] == "malformed" and doc["delta"]["target"] is None
    assert said(doc)["DELTA-MALFORMED"] == "block" and said(doc)["FMT-DELTA"] == "warning"
    doc = report("--base", d / "old", d / "new")
    assert doc["delta"]["outcome"] == "opaque" and said(doc)["DELTA-UNSUPPORTED"] == "warning"
    doc = report("--base", d / "old", "--format", "nordic-delta", d / "bsdiff40")
    assert doc["delta"]["outcome"] == "opaque"
    doc = report(d / "bsdiff40")
    assert doc["delta"] is None and said(doc)["FMT-DELTA"] == "warning"
    # It is taken apart all the same, beside nothing; and no word of a comparison is said.
    assert doc["changes"]["old"]["size"] == 0 and "CHG-NO-OLD" in said(doc)
    assert not {"CHG-FORMAT", "CHG-NEARLY-ALL", "ENT-CLASS-SHIFT"} & set(said(doc))
    page = tmp_path / "page.html"
    text = run("--html", page, d / "bsdiff40").stdout.decode()
    assert "Taken apart by itself" in text and "opened 99." in text
    assert "opened, percent of its bytes" in page.read_text() and "the result was not seen" in page.read_text()
    # Larger than a target may be: said, and nothing that large is written.
    huge = tmp_path / "huge"
    patch = bytearray((d / "bsdiff40").read_bytes())
    # Of such a small base and patch no gigabyte is made either: it would lie in memory.
    for size in (1 << 40, 1 << 30):
        patch[24:32] = size.to_bytes(8, "little")
        huge.write_bytes(patch)
        doc = report("--base", d / "old", huge)
        assert doc["delta"]["outcome"] == "limit" and said(doc)["DELTA-NOT-APPLIED"] == "warning"
    for wrong in (["--target", d / "new"], ["--base", d / "old", "--format", "zip"]):
        assert run(*wrong, d / "bsdiff40").returncode == 2


def test_an_index_of_casync(tmp_path):
    """Of chunks that a seed has it makes what casync does, and whoever signed it signed that; of others it says how many."""
    d = VECTORS / "casync"
    key, index, trust = tmp_path / "key", d / "moved.caibx", tmp_path / "trust"
    trust.mkdir()
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", trust / "vendor.pem"], check=True)
    subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, "-out", tmp_path / "sig", index], check=True)
    doc = report("--base", d / "old", "--trust", trust, "--output-target", tmp_path / "target", "--target", d / "moved", index)
    delta = doc["delta"]
    assert (tmp_path / "target").read_bytes() == (d / "moved.out").read_bytes()
    assert (delta["outcome"], delta["applier"]) == ("reconstructed", "casync/1")
    assert (delta["base"]["sha256"], delta["patch"]["sha256"], delta["target"]["sha256"]) == (sha256(d / "old"), sha256(index), sha256(d / "moved"))
    assert said(doc)["FMT-DELTA"] == "notice" and said(doc)["DELTA-NOT-PROVED"] == "warning"
    doc = report("--base", d / "old", "--trust", trust, "--signature", tmp_path / "sig", index)
    assert doc["delta"]["outcome"] == "proved" and "DELTA-NOT-PROVED" not in said(doc)
    # All that the seed lacks, and how much of the target was seen.
    doc = report("--base", d / "old", d / "edited.caibx")
    assert doc["delta"]["outcome"] == "wrong-base" and doc["delta"]["target"] is None and said(doc)["DELTA-WRONG-BASE"] == "block"
    detail, = (f["detail"] for f in doc["findings"] if f["id"] == "DELTA-WRONG-BASE")
    assert (d / "edited.lacks").read_text() + "; opened: 83 %" in detail
    doc = report("--base", d / "old", d / "tree.caidx")
    assert said(doc)["DELTA-UNSUPPORTED"] == "warning" and "an index of a tree" in json.dumps(doc["findings"])
    doc = report(d / "edited.caibx")
    assert doc["delta"] is None and said(doc)["FMT-DELTA"] == "warning" and doc["verdict"] == "review"
    r = subprocess.run([FOTAGATE, "delta", "apply", index, "--base", d / "old", "--output", tmp_path / "out"], capture_output=True)
    assert r.returncode == 0 and (tmp_path / "out").read_bytes() == (d / "moved").read_bytes(), r.stderr
