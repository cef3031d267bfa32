# SPDX-License-Identifier: Apache-2.0
"""Zips, Android update packages and payloads: made by genuine tools, seen as those tools see them."""
import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import zipfile

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sh(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, **kw).stdout


def report(*args):
    r = subprocess.run([FOTAGATE, "inspect", *map(str, args), "--json"], capture_output=True, timeout=300)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


def ids(doc, severity=None):
    return {f["id"] for f in doc["findings"] if severity in (None, f["severity"])}


def members(doc):
    return {m["path"]: (m["size"], m["sha256"]) for m in doc["contents"]["members"]}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder with files that pack well, badly and not at all."""
    d = tmp_path_factory.mktemp("tree") / "in"
    (d / "deep" / "er").mkdir(parents=True)
    rng = random.Random(5)
    (d / "text.txt").write_text("line\n" * 5000)
    (d / "random.bin").write_bytes(rng.randbytes(200000))
    (d / "empty").write_bytes(b"")
    (d / "deep" / "er" / "mixed").write_bytes(rng.randbytes(1000) + b"\0" * 300000)
    return d


def make(kind, tree, out):
    if kind == "zip":
        sh("zip", "-q", "-r", "-X", out, ".", cwd=tree)
    elif kind == "bsdtar":
        sh("bsdtar", "-a", "-c", "-f", out, "-C", tree, ".")
    else:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED) as z:
            for f in sorted(p for p in tree.rglob("*") if p.is_file()):
                z.write(f, f.relative_to(tree))


@pytest.mark.parametrize("maker", ["zip", "bsdtar", "stored", "zipfile"])
def test_zip_as_its_tools_see_it(maker, tree, tmp_path):
    image = tmp_path / "image.zip"
    make(maker, tree, image)
    doc = report(image)
    assert doc["image"]["format"] == "zip" and doc["image"]["walked"]
    assert not ids(doc, "block"), doc["findings"]
    seen = members(doc)
    with zipfile.ZipFile(image) as z:
        want = {i.filename: (i.file_size, hashlib.sha256(z.read(i)).hexdigest()) for i in z.infolist()}
    assert seen == want
    listed = sh("bsdtar", "-t", "-f", image).decode().splitlines()
    assert sorted(listed) == sorted(seen)
    for name, (size, digest) in seen.items():
        if not name.endswith("/"):
            data = sh("unzip", "-p", image, name.replace("[", "[[]"))
            assert (len(data), hashlib.sha256(data).hexdigest()) == (size, digest)


# ---- update packages, signed by signapk ----

SIGNAPK = "/usr/bin/signapk"  # a jar: its first bytes are for binfmt_misc
META = "META-INF/com/android/metadata"
GOOGLE = "META-INF/com/google/android/"
AT = ("--at", "2030-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    """Two vendors with a certificate each, and a function that signs as signapk does."""
    if not os.path.exists(SIGNAPK):
        pytest.skip("signapk is not installed")
    d = tmp_path_factory.mktemp("signer")
    for name, args in (("rsa", ["-newkey", "rsa:2048"]), ("ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        (d / name).mkdir()
        sh("openssl", "req", "-x509", *args, "-nodes", "-days", "7300", "-keyout", d / f"{name}.key", "-out",
           d / name / "cert.pem", "-subj", f"/CN={name}")
        sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", d / f"{name}.key", "-outform", "DER", "-out",
           d / f"{name}.pk8")

    def sign(name, image, out):
        sh("java", "-jar", SIGNAPK, "-w", d / name / "cert.pem", d / f"{name}.pk8", image, out)
        return out

    sign.folder = d
    return sign


def package(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(META, "ota-type=BLOCK\npost-build=acme/x1/x1:9\npost-timestamp=1766000000\npre-device=x1\n")
        z.writestr(GOOGLE + "updater-script", 'run_program("/tmp/x");\n')
        z.writestr(GOOGLE + "update-binary", open("/bin/true", "rb").read())
        z.writestr("boot.img", b"boot" * 5000)
    return path


@pytest.mark.parametrize("name", ["rsa", "ec"])
def test_package_by_signapk(name, signer, tmp_path):
    image = signer(name, package(tmp_path / "in.zip"), tmp_path / "out.zip")
    doc = report(image, "--trust", signer.folder / name, *AT)
    assert doc["image"]["format"] == "android-ota"
    assert [s["outcome"] for s in doc["signatures"]] == ["verified"]
    assert ids(doc, "block") == set() and ids(doc, "warning") == {"MEMBER-RUNS"}, doc["findings"]
    with zipfile.ZipFile(image) as z:
        want = {i.filename: (i.file_size, hashlib.sha256(z.read(i)).hexdigest()) for i in z.infolist()}
    assert members(doc) == want
    assert {m["path"]: m["vouched"] for m in doc["contents"]["members"]} == dict.fromkeys(want, "inside")
    assert {(f["fact"], f["value"], f["sure"]) for f in doc["contents"]["facts"]} >= {
        ("type", "BLOCK", True), ("build", "acme/x1/x1:9", True), ("timestamp", "1766000000", True),
        ("compatible", "x1", True)}
    # The other vendor's key, no key, one byte, and a cut.
    other = {"rsa": "ec", "ec": "rsa"}[name]
    assert report(image, "--trust", signer.folder / other, *AT)["signatures"][0]["outcome"] == "untrusted"
    assert report(image, *AT)["verdict"] == "blocked"
    data = bytearray(image.read_bytes())
    data[1000] ^= 1
    (tmp_path / "bad.zip").write_bytes(data)
    doc = report(tmp_path / "bad.zip", "--trust", signer.folder / name, *AT)
    assert doc["signatures"][0]["outcome"] == "invalid" and doc["verdict"] == "blocked"


# ---- payloads ----

sys.path.insert(0, os.path.join(os.environ.get("FG_SRC", ""), "tests", "vectors"))


@pytest.fixture(scope="module")
def partitions():
    rng = random.Random(7)
    return {"boot": rng.randbytes(100 * 4096), "system": b"text and more text\n" * 200000 + b"\0" * (6 << 20) +
            rng.randbytes(5000)}


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_payload_in_a_package(kind, partitions, signer, tmp_path):
    """Signed twice by one key, stored in a package that signapk signed, with its properties beside it."""
    crau = pytest.importorskip("crau")
    key = signer.folder / f"{kind}.key"
    trust = signer.folder / f"payload-{kind}"
    trust.mkdir()
    sh("openssl", "pkey", "-in", key, "-pubout", "-out", trust / "payload.pem")
    data = crau.payload(partitions, str(key))
    image = tmp_path / "payload.bin"
    image.write_bytes(data)
    want = {n: (len(d), hashlib.sha256(d).hexdigest()) for n, d in partitions.items()}

    doc = report(image, "--trust", trust)
    assert doc["image"]["format"] == "android-payload"
    assert [s["outcome"] for s in doc["signatures"]] == ["verified", "verified"]
    assert not ids(doc, "block") and doc["coverage"]["unsigned"] > 0 and "COV-UNSIGNED-BYTES" not in ids(doc)
    assert members(doc) == want and {m["vouched"] for m in doc["contents"]["members"]} == {"digest"}

    plain = tmp_path / "in.zip"
    with zipfile.ZipFile(plain, "w") as z:
        z.writestr(META, "ota-type=AB\npre-device=x1\n")
        z.writestr("payload.bin", data)
        z.writestr("payload_properties.txt", f"FILE_HASH={b64(data)}\nFILE_SIZE={len(data)}\n")
    (trust / "cert.pem").write_bytes((signer.folder / kind / "cert.pem").read_bytes())
    doc = report(signer(kind, plain, tmp_path / "out.zip"), "--trust", trust, *AT)
    assert not ids(doc, "block") and "COV-UNSIGNED-BYTES" not in ids(doc), doc["findings"]
    assert {"payload.bin/" + n: v for n, v in want.items()}.items() <= members(doc).items()
    assert [s["outcome"] for s in doc["signatures"]] == ["verified"] * 3
    assert {m["vouched"] for m in doc["contents"]["members"] if m["path"] == "payload.bin"} == {"digest"}


def b64(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
