# SPDX-License-Identifier: Apache-2.0
"""Cabinet archives of fwupd with their signatures in a Jcat file: made by gcab and jcat-tool, judged by jcat-tool and fwupdtool."""
import json
import os
import subprocess
import sys

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import cab  # noqa: E402
import jcat  # noqa: E402
import openpgp  # noqa: E402

AT = "2026-01-01T00:00:00Z"
SHARED = os.environ.get("FG_SHARED", "")


def sh(*args, ok=(0,), **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, **kw)
    assert r.returncode in ok, (args, r.stdout.decode(), r.stderr.decode())
    return r


def inspect(image, trust, at=AT, beside=None):
    more = ("--signature", beside) if beside else ()
    return json.loads(sh(FOTAGATE, "inspect", "--json", "--at", at, "--trust", trust, *more, image, ok=(0, 1)).stdout)


@pytest.fixture
def trust(tmp_path):
    folder = tmp_path / "trust"
    folder.mkdir()
    for name in ("cert/root.pem", "key/ed25519.pub"):
        (folder / os.path.basename(name)).write_bytes(open(f"{cab.VECTORS}/{name}", "rb").read())
    return folder


@pytest.fixture
def keyring(tmp_path, trust):
    """The same keys as jcat-tool wants them; the OpenPGP key comes with the vectors."""
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "root.pem").write_bytes((trust / "root.pem").read_bytes())
    der = sh("openssl", "pkey", "-pubin", "-in", trust / "ed25519.pub", "-outform", "DER").stdout
    (folder / "vendor.ed25519").write_bytes(der[-32:])
    return folder


def jcat_tool(folder, *args, ok=(0,)):
    """At the time of judging, and with a home of its own."""
    return sh("faketime", "-f", "@2026-01-01 00:00:00", "jcat-tool", *args, "--keyring", folder / "home", ok=ok, cwd=folder,
              env={**os.environ, "TZ": "UTC", "HOME": str(folder), "XDG_DATA_HOME": str(folder / "home")}).stdout.decode()


def test_what_the_tools_make(tmp_path, trust, keyring):
    firmware, meta = tmp_path / "firmware.bin", tmp_path / "firmware.metainfo.xml"
    firmware.write_bytes(cab.FIRMWARE)
    meta.write_bytes(cab.metainfo())
    (tmp_path / "home").mkdir()
    for name in (firmware.name, meta.name):
        jcat_tool(tmp_path, "self-sign", "firmware.jcat", name, "--kind", "sha256")
        jcat_tool(tmp_path, "sign", "firmware.jcat", name, f"{cab.VECTORS}/cert/code.pem", f"{cab.VECTORS}/key/code.key")
    for how in (("-z",), ()):
        sh("gcab", "-c", *how, "fw.cab", meta.name, firmware.name, "firmware.jcat", cwd=tmp_path)
        doc = inspect(tmp_path / "fw.cab", trust)
        # jcat-tool sends the signer along and not who issued it, so that has to be known here.
        assert [s["outcome"] for s in doc["signatures"]] == ["untrusted"] * 2
    (trust / "inter.pem").write_bytes(open(f"{cab.VECTORS}/cert/inter.pem", "rb").read())
    doc = inspect(tmp_path / "fw.cab", trust)
    assert [s["outcome"] for s in doc["signatures"]] == ["verified"] * 2 and doc["verdict"] == "acceptable", doc


def verdict_of_jcat_tool(folder, keyring):
    """Does jcat-tool take firmware.bin: every checksum, and a signature?"""
    if not (folder / "firmware.jcat").exists() or not (folder / "firmware.bin").exists():
        return False
    out = jcat_tool(folder, "verify", "firmware.jcat", "firmware.bin", "--public-keys", keyring, ok=(0, 1))
    said = [line.split() for line in out.splitlines() if line.startswith("    ")]
    wrong = any(w[0] == "FAILED" and w[1].rstrip(":") in cab.KINDS and w[1].startswith("sha") for w in said)
    return not wrong and any(w[0] == "PASSED" and not w[1].startswith("sha") for w in said)


# Where the house refuses and jcat-tool, which looks at firmware.bin and its item, does not.
STRICTER = {
    "alias", "item-twice", "no-checksum", "version-1", "text-around", "jcat-and-more",  # Jcat files
    "item-without-file", "metadata-lies", "metadata-doctype", "metadata-entity", "metadata-cdata", "metadata-cut",
    "metadata-two-roots", "too-short",  # what stands beside it in the archive
}


def test_cases_are_judged_as_the_tools_judge(tmp_path, trust, keyring):
    made = tmp_path / "made"
    cab.main(made)
    (trust / "vendor.key").write_bytes((made / "vendor.key").read_bytes())
    (keyring / "GPG-KEY-vendor").write_bytes(openpgp.armour((made / "vendor.key").read_bytes(), "PGP PUBLIC KEY BLOCK"))
    stricter, n = set(), 0
    for archive in sorted(made.glob("*.cab")):
        doc = inspect(archive, trust)
        vouched = {m["path"]: m["vouched"] for m in (doc["contents"] or {}).get("members", [])}
        ours = vouched.get("firmware.bin") == "digest" and doc["verdict"] != "blocked"
        folder = tmp_path / "x" / archive.stem
        (folder / "home").mkdir(parents=True)
        parsed = sh("fwupdtool", "firmware-parse", archive, "cab", ok=(0, 1)).returncode == 0
        assert parsed or doc["verdict"] != "acceptable", archive
        if sh("gcab", "-x", "-C", folder, archive, ok=(0, 1)).returncode:
            assert doc["verdict"] != "acceptable", archive
            continue
        theirs = verdict_of_jcat_tool(folder, keyring)
        # What is signed beside the file, or by way of the metadata, jcat-tool does not look at.
        assert theirs or not ours or archive.stem in ("by-metadata", "beside", "beside-pkcs7"), archive
        if theirs and not ours and parsed:
            stricter.add(archive.stem)
        n += 1
    assert n > 40 and stricter == STRICTER


# Beside an image: jcat-tool finds the item by the name of the file, asks no checksum, and reads a wider file than is read here.
STRICTER_BESIDE = {"no-sum", "sha1-alone", "target-sha1", "behind"}
LAXER_BESIDE = {"other-name", "twice"}  # nobody signs a name


def test_jcat_files_beside_an_image(tmp_path, trust, keyring):
    made = tmp_path / "made"
    jcat.main(made)
    (trust / "vendor.key").write_bytes((made / "vendor.key").read_bytes())
    (keyring / "GPG-KEY-vendor").write_bytes(openpgp.armour((made / "vendor.key").read_bytes(), "PGP PUBLIC KEY BLOCK"))
    (tmp_path / "home").mkdir()
    (tmp_path / "firmware.bin").write_bytes(cab.FIRMWARE)
    stricter, laxer, n = set(), set(), 0
    for file in sorted(made.glob("*.jcat")):
        doc = inspect(tmp_path / "firmware.bin", trust, beside=file)
        ours = doc["verdict"] != "blocked"
        assert ours == any(s["outcome"] == "verified" for s in doc["signatures"]), file
        (tmp_path / "firmware.jcat").write_bytes(file.read_bytes())
        theirs = verdict_of_jcat_tool(tmp_path, keyring)
        if theirs != ours:
            (stricter if theirs else laxer).add(file.stem)
        n += 1
    assert n > 20 and (stricter, laxer) == (STRICTER_BESIDE, LAXER_BESIDE)
    # What the tool itself makes, for an image that it never saw in an archive.
    (tmp_path / "firmware.jcat").unlink()
    jcat_tool(tmp_path, "self-sign", "firmware.jcat", "firmware.bin", "--kind", "sha256")
    assert inspect(tmp_path / "firmware.bin", trust, beside=tmp_path / "firmware.jcat")["verdict"] == "blocked"
    jcat_tool(tmp_path, "sign", "firmware.jcat", "firmware.bin", f"{cab.VECTORS}/cert/code.pem", f"{cab.VECTORS}/key/code.key")
    (trust / "inter.pem").write_bytes(open(f"{cab.VECTORS}/cert/inter.pem", "rb").read())
    doc = inspect(tmp_path / "firmware.bin", trust, beside=tmp_path / "firmware.jcat")
    assert [(s["scheme"], s["outcome"]) for s in doc["signatures"]] == [("jcat/pkcs7", "verified")] and doc["verdict"] == "acceptable", doc


@pytest.mark.skipif(not os.path.exists(f"{SHARED}/vectors/jcat"), reason="no known answers of libjcat")
def test_known_answers_of_libjcat(tmp_path):
    """colorhug's signatures, in an archive of our own making: signed in 2017 by a certificate that ran out in 2019."""
    base = f"{SHARED}/vectors/jcat/colorhug/firmware.bin"
    firmware, p7, check = (open(base + s, "rb").read() for s in ("", ".p7b", ".sha256"))
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "lvfs.pem").write_bytes(open(f"{SHARED}/vectors/jcat/LVFS-CA.pem", "rb").read())
    for name, item, due in (("good", cab.item("firmware.bin", cab.blob("sha256", check.strip()), cab.blob("pkcs7", p7)), "verified"),
                            ("checksum", cab.item("firmware.bin", cab.blob("sha256", check.strip())), None)):
        (tmp_path / name).write_bytes(cab.cabinet(("firmware.bin", firmware), ("firmware.jcat", cab.jcat(item))))
        doc = inspect(tmp_path / name, tmp_path / "trust", "2018-01-01T00:00:00Z")
        assert [s["outcome"] for s in doc["signatures"]] == ([due] if due else []), doc["signatures"]
        assert due or doc["verdict"] != "acceptable"
        (tmp_path / "beside").write_bytes(cab.jcat(item))
        doc = inspect(base, tmp_path / "trust", "2018-01-01T00:00:00Z", tmp_path / "beside")
        assert [s["outcome"] for s in doc["signatures"]] == [due or "invalid"], doc["signatures"]
