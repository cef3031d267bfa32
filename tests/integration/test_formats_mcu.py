# SPDX-License-Identifier: Apache-2.0
"""Images for microcontrollers: genuine ones and ours, through the command and its jail, against independent arithmetic."""
import hashlib
import json
import os
import pathlib
import struct
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
VECTORS = pathlib.Path(os.environ.get("FG_VECTORS", os.path.join(BIN, "..", "vectors")))
GENUINE = pathlib.Path(os.environ.get("FG_SHARED", os.path.join(os.environ.get("FG_SRC", "."), "..", "shared"))) / "vectors"

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def report(image, key, folder):
    trust = folder / "trust"
    trust.mkdir(exist_ok=True)
    for old in trust.iterdir():
        old.unlink()
    (trust / "vendor.pem").write_bytes(key.read_bytes())
    r = subprocess.run([FOTAGATE, "inspect", image, "--trust", trust, "--json"], capture_output=True, timeout=300)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


def spki(key):
    public = serialization.load_pem_public_key(key.read_bytes())
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def check(doc, scheme, key, covered, blocks=()):
    assert [(s["scheme"], s["outcome"]) for s in doc["signatures"]] == [(scheme, "verified")]
    assert doc["signatures"][0]["signer"]["spki_sha256"] == spki(key)
    assert doc["signatures"][0]["covers"] == [[0, covered]]
    assert {f["id"] for f in doc["findings"] if f["severity"] == "block"} == set(blocks)


@pytest.mark.parametrize("name,scheme", [("rsa2048", "rsa-2048-pss-sha256"), ("rsa3072", "rsa-3072-pss-sha256"),
                                         ("p256", "ecdsa-p256-sha256"), ("p384", "ecdsa-p384-sha384"),
                                         ("ed25519", "ed25519-sha256")])
def test_mcuboot(name, scheme, tmp_path):
    image, key = VECTORS / "mcuboot" / f"{name}.bin", VECTORS / "mcuboot" / "key" / f"{name}.pem"
    head = image.read_bytes()[:16]
    header, guarded, body = struct.unpack_from("<HHI", head, 8)
    doc = report(image, key, tmp_path)
    check(doc, "mcuboot/" + scheme, key, header + guarded + body)
    assert doc["verdict"] == "acceptable"
    other = report(image, VECTORS / "mcuboot" / "key" / "other.pem", tmp_path)
    assert other["signatures"][0]["outcome"] == "untrusted" and other["verdict"] == "blocked"


@pytest.mark.parametrize("name,scheme", [("rsa-2048", "rsa-2048-pss-sha256"), ("ec-p256", "ecdsa-p256-sha256"),
                                         ("ed25519", "ed25519-sha256")])
def test_genuine_mcuboot(name, scheme, tmp_path):
    image, key = GENUINE / "mcuboot" / f"root-{name}.bin", GENUINE / "mcuboot" / f"root-{name}.pub.pem"
    if not image.exists():
        pytest.skip("no ../shared/vectors")
    check(report(image, key, tmp_path), "mcuboot/" + scheme, key, 9524, ["SIG-KEY-PUBLISHED"])


@pytest.mark.parametrize("name,scheme", [("rsa", "rsa-3072-pss-sha256"), ("p256", "ecdsa-p256-sha256"),
                                         ("p384", "ecdsa-p384-sha384")])
def test_esp32(name, scheme, tmp_path):
    image, key = VECTORS / "esp32" / f"{name}.bin", VECTORS / "esp32" / "key" / f"{name}.pem"
    doc = report(image, key, tmp_path)
    check(doc, "esp32/secure-boot-v2-" + scheme, key, 4096)
    assert doc["verdict"] == "acceptable"


def test_genuine_esp32(tmp_path):
    image = GENUINE / "esp32" / "bootloader_signed_v2_rsa.bin"
    if not image.exists():
        pytest.skip("no ../shared/vectors")
    key = GENUINE / "esp32" / "rsa_secure_boot_signing_pubkey.pem"
    check(report(image, key, tmp_path), "esp32/secure-boot-v2-rsa-3072-pss-sha256", key, 32768, ["SIG-KEY-PUBLISHED"])
