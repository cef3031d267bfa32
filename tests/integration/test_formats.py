# SPDX-License-Identifier: Apache-2.0
"""Every format of images/FORMATS.md through the command and its jail: one genuine file and a bad cousin of each.

What each format's rules are is tested where it is (tests/unit/images, test_formats_*.py). Here the question is whether
its walker, and the libraries under it, get to their end behind the strict filter, and say there what they say without.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SRC = os.environ.get("FG_SRC", "")
BIN = os.environ.get("FG_BIN", "")
VECTORS = pathlib.Path(os.environ.get("FG_VECTORS") or os.path.join(BIN, "..", "vectors"))
FOTAGATE = os.path.join(BIN, "fotagate")
SIGNAPK = "/usr/bin/signapk"

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import crau  # noqa: E402
import openpgp  # noqa: E402
import suit  # noqa: E402
from gate import PROFILE, Gate  # noqa: E402

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sh(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, **kw).stdout


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def made(name):
    return (VECTORS / name).read_bytes()


class Row:
    """What is expected of a format: its good files, and one that is not."""

    def __init__(self, make, verdict, outcome, finding, refused="blocked"):
        # make(folder) gives good files, the bad one, and trust: files' paths. A file may be (image, signature).
        self.make, self.verdict, self.outcome, self.finding, self.refused = make, verdict, outcome, finding, refused


def of_vectors(good, bad, *trust):
    return lambda d: ([made(g) for g in good], made(bad), [VECTORS / t for t in trust])


# ---- what a script, or a tool, makes on the spot ----

def cms(d):
    good = made("cms/attached.der")
    return [good, made("cms/attached-stream.der"), made("cms/attached-noattr.der")], flip(good, len(good) - 1), [VECTORS / "cert/root.pem"]


def squashfs(d):
    packers = ("gzip", "xz", "zstd", "lz4", "lzma")
    plain = made("squashfs/plain.sqfs")
    inodes, = struct.unpack_from("<Q", plain, 64)  # the first one's type stands behind the head of its block
    return [made(f"squashfs/{p}.sqfs") for p in packers] + [plain], flip(plain, inodes + 2), []


def casync(d):
    index = made("casync/blob.caibx")
    return [index, made("casync/tree.caidx")], flip(index, len(index) - 1), []


def files(d):
    (d / "in").mkdir()
    for i in range(20):
        (d / "in" / f"f{i}").write_bytes(f"line {i}\n".encode() * 400 * i)
    return sorted(os.listdir(d / "in"))


def cpio(d):
    names = "\n".join(files(d)).encode()
    good = [sh("cpio", "--quiet", "-o", "-H", form, input=names, cwd=d / "in") for form in ("newc", "crc")]
    return good, good[0] + b"x" * 512, []


def tar(d):
    good = [sh("tar", f"--format={form}", "-C", d / "in", "-c", *files(d)) for form in ("ustar",)]
    good.append(sh("tar", "--format=pax", "-C", d / "in", "-c", "."))
    return good, flip(good[0], good[0].index(b"f1\0")), []  # the name in the second header


def zipped(d):
    names = files(d)
    sh("zip", "-q", "-X", d / "deflated.zip", *names, cwd=d / "in")
    sh("zip", "-q", "-X", "-0", d / "stored.zip", *names, cwd=d / "in")
    stored = (d / "stored.zip").read_bytes()
    return [(d / "deflated.zip").read_bytes(), stored], flip(stored, stored.index(b"line 5") + 2), []


def android_ota(d):
    if not os.path.exists(SIGNAPK):
        pytest.skip("signapk is not installed")
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7300", "-keyout", d / "key", "-out", d / "cert.pem", "-subj", "/CN=x")
    sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", d / "key", "-outform", "DER", "-out", d / "key.pk8")
    with zipfile.ZipFile(d / "in.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("META-INF/com/android/metadata", "ota-type=BLOCK\npost-timestamp=1766000000\npre-device=x1\n")
        z.writestr("META-INF/com/google/android/updater-script", "ui_print(1);\n" * 50)
        z.writestr("META-INF/com/google/android/update-binary", b"\x7fELF" + b"\0" * 3000)
    sh("java", "-jar", SIGNAPK, "-w", d / "cert.pem", d / "key.pk8", d / "in.zip", d / "out.zip")
    good = (d / "out.zip").read_bytes()
    return [good], flip(good, 40), [d / "cert.pem"]


def android_payload(d):
    sh("openssl", "genpkey", "-algorithm", "RSA", "-out", d / "key")
    sh("openssl", "pkey", "-in", d / "key", "-pubout", "-out", d / "key.pem")
    # One operation of each kind: packed by bzip2, by xz, not at all, zeros.
    parts = {"text": b"boot" * 20000, "more": bytes(range(256)) * 600, "noise": os.urandom(8192), "nothing": bytes(8192)}
    good = crau.payload(parts, str(d / "key"))
    return [good], flip(good, len(good) // 2), [d / "key.pem"]


def swupdate(d):
    good = made("swu/crc")
    return [good, made("swu/newc"), made("swu/packed")], flip(good, good.index(bytes(range(0, 70, 7)))), [VECTORS / "cert/root.pem", VECTORS / "cert/inter.pem"]


def envelope(d):
    key = ec.generate_private_key(ec.SECP256R1())
    (d / "key.pem").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    good = suit.envelope(key, b"firmware" * 500)
    return [good], flip(good, len(good) - 1), [d / "key.pem"]


def signify(d):
    sh("signify-openbsd", "-G", "-n", "-p", d / "vendor.pub", "-s", d / "vendor.sec")
    (d / "image").write_bytes(b"firmware" * 5000)
    sh("signify-openbsd", "-S", "-e", "-s", d / "vendor.sec", "-m", d / "image", "-x", d / "both")
    # What the tool writes into its first line is anybody's to change: only the shape of it is fixed.
    good = (d / "both").read_bytes()
    sh("minisign", "-G", "-W", "-p", d / "mini.pub", "-s", d / "mini.sec")
    sh("minisign", "-S", "-s", d / "mini.sec", "-m", d / "image", "-x", d / "sig")
    detached = ((d / "image").read_bytes(), (d / "sig").read_bytes())
    return [good, detached], flip(good, len(good) - 1), [d / "vendor.pub", d / "mini.pub"]


def sshsig(d):
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", d / "vendor")
    (d / "image").write_bytes(b"firmware" * 5000)
    sh("ssh-keygen", "-Y", "sign", "-q", "-n", "file", "-f", d / "vendor", d / "image")
    image, sig = (d / "image").read_bytes(), (d / "image.sig").read_bytes()
    return [(image, sig)], (flip(image, 5), sig), [d / "vendor.pub"]


def signify_gzip(d):
    sh("signify-openbsd", "-G", "-n", "-p", d / "vendor.pub", "-s", d / "vendor.sec")
    (d / "fw.gz").write_bytes(gzip.compress(os.urandom(200000)))
    sh("signify-openbsd", "-S", "-z", "-s", d / "vendor.sec", "-m", d / "fw.gz", "-x", d / "fw.sgz")
    good = (d / "fw.sgz").read_bytes()
    return [good], flip(good, len(good) // 2), [d / "vendor.pub"]


def of_openpgp(d):
    image, key = b"firmware" * 5000, openpgp.Key("ed25519")
    (d / "vendor.key").write_bytes(openpgp.cert(key))
    sig = key.sign(image)
    return [(image, sig), (image, openpgp.armour(sig))], (flip(image, 5), sig), [d / "vendor.key"]


def jcat(d):
    good = made("cab/alone.jcat")
    return [good], flip(good, len(good) - 6), []  # in the checksum of its gzip stream


def nordic_delta(d):
    return [b"\1\2\3\4meDu" + bytes(range(256))], b"\1\2\3\4meDv" + bytes(range(256)), []


ROWS = {
    "android-ota": Row(android_ota, "review", "verified", "SIG-INVALID"),
    "android-payload": Row(android_payload, "acceptable", "verified", "SIG-INVALID"),
    "bzip2": Row(of_vectors(["packed/bzip2", "packed/bzip2-tar"], "packed/bzip2-cut"), "review", None, "FMT-MALFORMED"),
    "cab": Row(of_vectors(["cab/plain.cab", "cab/folders.cab", "cab/gpg.cab"], "cab/other-firmware.cab", "cert/root.pem", "cab/vendor.key"),
               "acceptable", "verified", "MEMBER-DIGEST"),
    "casync-index": Row(casync, "review", None, "FMT-MALFORMED"),
    "cms": Row(cms, "acceptable", "verified", "SIG-INVALID"),
    "cpio": Row(cpio, "review", None, "FMT-TRAILING-BYTES"),
    "esp32": Row(of_vectors(["esp32/rsa.bin", "esp32/p256.bin", "esp32/p384.bin"], "esp32/bad-signature.bin", "esp32/key/rsa.pem",
                            "esp32/key/p256.pem", "esp32/key/p384.pem"), "acceptable", "verified", "SIG-INVALID"),
    "fit": Row(of_vectors(["fit/rsa2048.fit", "fit/pss.fit", "fit/ecdsa.fit", "fit/external.fit"], "fit/load.fit", "fit/key/dev.pem",
                          "fit/key/ec.pem"), "acceptable", "verified", "SIG-INVALID"),
    "gzip": Row(of_vectors(["packed/gzip", "packed/gzip-twofold"], "packed/gzip-damaged"), "review", None, "FMT-MALFORMED"),
    "jcat": Row(jcat, "review", None, "FMT-MALFORMED"),
    "lzma": Row(of_vectors(["packed/lzma", "packed/lzma-tar"], "packed/lzma-trailing"), "review", None, "FMT-TRAILING-BYTES"),
    "mbn": Row(of_vectors(["mbn/pss.mbn", "mbn/pkcs1.mbn"], "mbn/changed-code.mbn", "mbn/key/rsa.pem"), "acceptable", "verified",
               "MEMBER-DIGEST"),
    "mcuboot": Row(of_vectors(["mcuboot/rsa2048.bin", "mcuboot/p256.bin", "mcuboot/ed25519.bin", "mcuboot/packed-thumb.bin"], "mcuboot/wrong-hash.bin",
                              "mcuboot/key/rsa2048.pem", "mcuboot/key/p256.pem", "mcuboot/key/ed25519.pem"), "acceptable", "verified",
                   "FMT-INTEGRITY"),
    "mender": Row(of_vectors(["mender/ec", "mender/rsa", "mender/stored"], "mender/manifest-changed", "key/code.pub", "key/email.pub"),
                  "acceptable", "verified", "SIG-INVALID"),
    "minisign": Row(signify, "acceptable", "verified", "SIG-INVALID"),
    "nordic-delta": Row(nordic_delta, "review", None, "FMT-RAW", "review"),
    "nordic-modem": Row(of_vectors(["nordic/good.cbor"], "nordic/changed-segment.cbor", "nordic/key/maker.pem"), "acceptable",
                        "verified", "MEMBER-DIGEST"),
    "openpgp": Row(of_openpgp, "acceptable", "verified", "SIG-INVALID"),
    "rauc-bundle": Row(of_vectors(["rauc/plain-good.raucb", "rauc/verity-good.raucb"], "rauc/verity-flip-tree.raucb", "cert/root.pem"),
                       "acceptable", "verified", "FMT-INTEGRITY"),
    "sierra-cwe": Row(of_vectors(["cwe/package.cwe", "cwe/two-packages.cwe", "cwe/empty.cwe"], "cwe/changed-inside.cwe"), "review", None,
                      "FMT-INTEGRITY"),
    "signify-gzip": Row(signify_gzip, "acceptable", "verified", "FMT-INTEGRITY"),
    "squashfs": Row(squashfs, "review", None, "FMT-MALFORMED"),
    "sshsig": Row(sshsig, "acceptable", "verified", "SIG-INVALID"),
    "suit": Row(envelope, "acceptable", "verified", "MEMBER-DIGEST"),
    "swu": Row(swupdate, "acceptable", "verified", "MEMBER-DIGEST"),
    # Metadata as the image itself counts for nothing; as evidence beside one: test_formats_tuf.py.
    "tuf": Row(of_vectors(["tuf/metadata/1.root.json", "tuf/metadata/targets.json"], "tuf/anchor/unsigned.json"), "blocked", "untrusted",
               "SIG-THRESHOLD"),
    "tar": Row(tar, "review", None, "FMT-INTEGRITY"),
    "uimage": Row(of_vectors(["uimage/kernel", "uimage/multi", "uimage/gzip"], "uimage/data-changed"), "review", None, "FMT-INTEGRITY"),
    "xz": Row(of_vectors(["packed/xz", "packed/xz-tar"], "packed/xz-trailing"), "review", None, "FMT-TRAILING-BYTES"),
    "zchunk": Row(of_vectors(["zchunk/zstd.zck", "zchunk/dictionary.zck", "zchunk/none.zck"], "zchunk/data-changed.zck"), "review", None,
                  "FMT-INTEGRITY"),
    "zip": Row(zipped, "review", None, "FMT-INTEGRITY"),
    "zstd": Row(of_vectors(["packed/zstd", "packed/zstd-tar"], "packed/zstd-cut"), "review", None, "FMT-MALFORMED"),
}
# Rows whose signature lies in a file beside an image of any format.
DETACHED = {"openpgp", "sshsig"}
# Known, and never opened: there is nothing in them that a walker could read.
NO_WALKER = {"nordic-delta"}


def test_every_format_has_its_row():
    table = pathlib.Path(SRC, "images/walk_table.c").read_text()
    walked = {n.lower().replace("_", "-") for n in re.findall(r"\[FORMAT_(\w+)\] = \w+_walk,", table)}
    first = pathlib.Path(SRC, "images/FORMATS.md").read_text().split("\n## ")[0]
    told = set(re.findall(r"^\| ([a-z0-9-]+)(?: \([a-z ]+\))? \| ", first, re.M)) - {"format"}
    assert set(ROWS) == walked | DETACHED | NO_WALKER
    assert set(ROWS) == told


def inspect(d, file, trust):
    image, sig = file if isinstance(file, tuple) else (file, None)
    (d / "file").write_bytes(image)
    more = ["--signature", d / "sig"] if sig else []
    if sig:
        (d / "sig").write_bytes(sig)
    r = subprocess.run([FOTAGATE, "inspect", "--json", "--trust", trust, *more, d / "file"], capture_output=True, timeout=120)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


@pytest.mark.parametrize("name", ROWS)
def test_good_and_bad(name, tmp_path):
    row = ROWS[name]
    trust = tmp_path / "trust"
    trust.mkdir()
    goods, bad, anchors = row.make(tmp_path)
    for a in anchors:
        shutil.copy(a, trust / a.name)
    for good in goods:
        doc = inspect(tmp_path, good, trust)
        assert doc["image"]["format"] == ("raw" if isinstance(good, tuple) else name)
        assert doc["image"]["walked"] == (name not in NO_WALKER and not isinstance(good, tuple))
        assert {s["outcome"] for s in doc["signatures"]} == ({row.outcome} if row.outcome else set())
        # Further ones may have scripts inside, which people look at.
        assert doc["verdict"] == row.verdict or (good is not goods[0] and doc["verdict"] == "review"), doc["findings"]
    doc = inspect(tmp_path, bad, trust)
    assert row.finding in {f["id"] for f in doc["findings"]} and doc["verdict"] == row.refused, doc["findings"]


EMBEDDED = re.sub(r'(?m)^\tsignature_url = .*\n', "", PROFILE).replace(
    'scheme = "cms-detached"; anchors = [ "vendor-ca.pem" ]; purpose = "code-signing";',
    'scheme = "embedded"; format = "mender"; anchors = [ "mender.pem" ];')


def test_a_mender_artifact_through_the_gate():
    """From its vendor to a module: judged by the signature inside it, blocked when that does not verify."""
    g = Gate(EMBEDDED)
    try:
        shutil.copy(VECTORS / "key/code.pub", os.path.join(g.root, "keys/anchors/mender.pem"))
        g.start()
        good = g.offer("1.1.0", made("mender/stored"), signed=False)
        g.ask()
        g.review(1)
        g.approve()
        assert g.served() == good
        g.offer("1.2.0", made("mender/manifest-changed"), signed=False)
        g.ask(version="1.2.0")
        g.review(2, "blocked")
        assert g.ask(version="1.2.0")[0] != 200
        g.offer("1.3.0", made("swu/crc"), signed=False)  # signed, and of another format
        g.ask(version="1.3.0")
        g.review(3, "blocked")
    finally:
        g.close()
