# SPDX-License-Identifier: Apache-2.0
"""OpenPGP: what GnuPG makes, judged as gpgv judges, and the cases of tests/vectors/openpgp.py held against both."""
import json
import os
import subprocess
import sys

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import openpgp  # noqa: E402


def sh(*args, ok=(0,), **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, **kw)
    assert r.returncode in ok, r.stderr.decode()
    return r


def inspect(image, trust, sig, *more):
    return sh(FOTAGATE, "inspect", "--json", *more, "--trust", trust, "--signature", sig, image, ok=(0, 1, 2))


def gpgv(home, key, sig, doc):
    """Whether gpgv calls it good, at the time at which the cases are judged."""
    ring = home / "ring"
    ring.unlink(missing_ok=True)
    data = key.read_bytes()
    if data.startswith(b"-----"):
        sh("gpg", "--homedir", home, "--batch", "-q", "--dearmor", "-o", ring, key)
    else:
        ring.write_bytes(data)
    r = subprocess.run(["faketime", "-f", f"@{AT_TEXT}", "gpgv", "--homedir", home, "--status-fd", "1", "--keyring", ring, sig, doc],
                       capture_output=True, env={**os.environ, "TZ": "UTC"})
    words = [line.split()[1] for line in r.stdout.decode(errors="replace").splitlines() if line.startswith("[GNUPG:]")]
    return r.returncode == 0 and "GOODSIG" in words


AT_TEXT = "2025-06-15 15:06:40"  # openpgp.AT


@pytest.fixture
def home(tmp_path):
    (tmp_path / "gnupg").mkdir(mode=0o700)
    yield tmp_path / "gnupg"
    subprocess.run(["gpgconf", "--homedir", tmp_path / "gnupg", "--kill", "all"], capture_output=True)


# Where the house says no and gpgv yes, and why that is so on purpose.
STRICTER = {
    "rsa1024": "a short key", "digest-sha1": "", "digest-sha224": "", "text": "line ends would not count",
    "creation-time-twice": "which of them?", "from-the-future": "", "revoked-by-another": "who revoked it is not known",
    "user-revoked": "nothing stands", "certified-with-sha1": "", "subkey-signed-back-with-sha1": "", "subkey-bound-with-sha1": "",
    "wrong-fingerprint": "two hints that disagree", "armoured-as-message": "", "armoured-and-more": "", "marker": "",
    "number-not-in-its-form": "more than one file for one signature",
}


def test_cases_are_judged_as_gpgv_judges(tmp_path, home):
    made = tmp_path / "made"
    openpgp.main(str(made))
    trust = tmp_path / "trust"
    trust.mkdir()
    stricter, n = set(), 0
    for line in (made / "cases").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, expected, gpg = line.split()
        key, sig = made / f"{name}.key", made / f"{name}.sig"
        (trust / "vendor.key").write_bytes(key.read_bytes())
        theirs = gpgv(home, key, sig, made / "doc")
        assert str(theirs) == gpg, name
        r = inspect(made / "doc", trust, sig, "--at", openpgp.AT)
        if expected == "refused":
            assert r.returncode == 2 and b"vendor.key" in r.stderr, (name, r.stderr)
            ours = False
        else:
            (s,) = json.loads(r.stdout)["signatures"]
            assert s["outcome"] == ("invalid" if expected == "raw" else expected), (name, s)
            ours = s["outcome"] == "verified"
        assert theirs or not ours, name
        if theirs and not ours:
            stricter.add(name)
        n += 1
    assert n > 100 and stricter == set(STRICTER)


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072", "nistp256"])
def test_what_gnupg_makes(tmp_path, home, kind):
    image, trust = tmp_path / "fw.bin", tmp_path / "trust"
    image.write_bytes(os.urandom(100000))
    trust.mkdir()

    def gpg(*args):
        return sh("gpg", "--homedir", home, "--batch", "--yes", "-q", "--passphrase", "", "--pinentry-mode", "loopback", *args)

    gpg("--quick-gen-key", "Vendor <firmware@example.com>", kind, "cert", "never")
    fpr = [line.split(":")[9] for line in gpg("--list-keys", "--with-colons").stdout.decode().splitlines() if line.startswith("fpr")][0]
    gpg("--quick-add-key", fpr, kind.replace("nistp256", "nistp256/ecdsa"), "sign", "1y")
    gpg("--armor", "--output", trust / "vendor.asc", "--export", fpr)
    gpg("--armor", "--output", tmp_path / "fw.asc", "--detach-sign", image)
    gpg("--output", tmp_path / "fw.sig", "--detach-sign", image)
    for sig in ("fw.asc", "fw.sig"):
        doc = json.loads(inspect(image, trust, tmp_path / sig).stdout)
        (s,) = doc["signatures"]
        assert (s["outcome"], s["scheme"], doc["verdict"]) == ("verified", "openpgp", "acceptable"), doc
        assert s["signer"]["anchor"] == "vendor.asc" and doc["coverage"]["unsigned"] == 0
    later = json.loads(inspect(image, trust, tmp_path / "fw.sig", "--at", 4000000000).stdout)
    assert later["signatures"][0]["outcome"] == "expired" and later["verdict"] != "acceptable"
    # The owner takes the key back: the certificate of revocation lies ready since the key was made.
    rev = (home / "openpgp-revocs.d" / f"{fpr}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    (tmp_path / "rev").write_text(rev[rev.index("-----BEGIN"):])
    gpg("--import", tmp_path / "rev")
    gpg("--armor", "--output", trust / "vendor.asc", "--export", fpr)
    doc = json.loads(inspect(image, trust, tmp_path / "fw.sig").stdout)
    assert doc["signatures"][0]["outcome"] == "revoked" and doc["verdict"] == "blocked"
    data = bytearray(image.read_bytes())
    data[77] ^= 1
    image.write_bytes(data)
    assert json.loads(inspect(image, trust, tmp_path / "fw.sig").stdout)["signatures"][0]["outcome"] == "invalid"
