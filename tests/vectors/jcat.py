#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Jcat files beside an image, as the LVFS has them, with a bad cousin for each rule: jcat.py FOLDER.

FOLDER receives firmware.bin, the signer's vendor.key (OpenPGP) and NAME.jcat; the other keys are those of pki.sh beside it.
jcat-tool judges them in tests/integration/test_formats_fwupd.py.
"""
import gzip
import hashlib
import os
import pathlib
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cab  # noqa: E402
import openpgp  # noqa: E402
from cab import FIRMWARE, blob, checksum, ed25519, item, jcat, pkcs7  # noqa: E402


def cases(key):
    """name, file"""
    def of(*blobs, name="firmware.bin", **more):
        return jcat(item(name, *blobs), **more)

    sha, p7 = checksum(FIRMWARE), blob("pkcs7", pkcs7(FIRMWARE))
    raw, gpg = blob("ed25519", ed25519(FIRMWARE)), blob("gpg", openpgp.armour(key.sign(FIRMWARE)))
    text = hashlib.sha256(FIRMWARE).hexdigest().encode()
    other = item("other.bin", checksum(b"x"), blob("ed25519", ed25519(b"x")))
    yield "pkcs7", of(sha, p7)
    yield "gpg", of(sha, gpg)
    yield "ed25519", of(sha, raw)
    yield "all", of(sha, p7, gpg, raw)
    yield "sha512", of(checksum(FIRMWARE, "sha512"), raw)
    yield "sums", of(*(checksum(FIRMWARE, k) for k in ("sha1", "sha256", "sha512")), raw)
    yield "target", of(sha, blob("ed25519", ed25519(text), "sha256"))
    yield "of-many", jcat(other, item("firmware.bin", sha, raw))
    yield "other-name", of(sha, raw, name="renamed.bin")
    # --- sound, and something to look at
    yield "twice", jcat(item("a.bin", sha, raw), item("b.bin", sha, raw))
    yield "words", of(sha, raw, Comment="x")
    yield "unknown-kind", of(sha, raw, blob(6, b"origin\n1\n"))
    yield "one-of-two", of(sha, raw, blob("pkcs7", pkcs7(FIRMWARE, "impostor")))
    # --- what must not pass
    yield "sum-alone", of(sha)
    yield "sha1-alone", of(checksum(FIRMWARE, "sha1"), raw)
    yield "no-sum", of(raw)
    yield "other-image", jcat(other)
    yield "renamed", jcat({**other, "Id": "firmware.bin"})
    yield "wrong-sum", of(sha, checksum(b"x", "sha1"), raw)
    yield "signature-of-another", of(sha, blob("ed25519", ed25519(b"x")))
    yield "other-vendor", of(sha, blob("pkcs7", pkcs7(FIRMWARE, "impostor")))
    yield "expired", of(sha, blob("pkcs7", pkcs7(FIRMWARE, "expired", "leaf")))
    yield "target-sha1", of(sha, checksum(FIRMWARE, "sha1"), blob("ed25519", ed25519(hashlib.sha1(FIRMWARE).hexdigest().encode()), "sha1"))
    yield "behind", of(sha, raw) + b"more"
    yield "cut", of(sha, raw)[:-9]
    yield "bomb", gzip.compress(b'{"JcatVersionMajor":0,' + b" " * (3 << 20) + b"}")


def main(folder):
    out = pathlib.Path(folder).resolve()
    if (out.parent / "cert").is_dir():
        cab.VECTORS = str(out.parent)
    out.mkdir(parents=True, exist_ok=True)
    key = openpgp.Key("ed25519")
    (out / "firmware.bin").write_bytes(FIRMWARE)
    (out / "vendor.key").write_bytes(openpgp.cert(key))
    for name, data in cases(key):
        (out / f"{name}.jcat").write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
