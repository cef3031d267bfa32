# SPDX-License-Identifier: Apache-2.0
"""Signature files of minisign, signify and OpenSSH: made by the tools themselves, judged as they judge."""
import base64
import json
import os
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sh(*args, ok=(0,), **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, **kw)
    assert r.returncode in ok, r.stderr.decode()
    return r


def report(image, trust, sig):
    r = sh(FOTAGATE, "inspect", "--json", "--trust", trust, "--signature", sig, image, ok=(0, 1))
    return json.loads(r.stdout)


def outcome(image, trust, sig):
    (s,) = report(image, trust, sig)["signatures"]
    return s["outcome"]


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "fw.bin"
    path.write_bytes(os.urandom(200000))
    return path


@pytest.fixture
def trust(tmp_path):
    (tmp_path / "trust").mkdir()
    return tmp_path / "trust"


@pytest.mark.parametrize("old,scheme", [((), "minisign-blake2b512"), (("-l",), "minisign-legacy")])
def test_minisign(image, trust, tmp_path, old, scheme):
    key, sig = tmp_path / "key", tmp_path / "fw.minisig"
    sh("minisign", "-G", "-W", "-p", trust / "vendor.pub", "-s", key)
    sh("minisign", "-S", *old, "-s", key, "-m", image, "-x", sig, "-t", "version 7", "-c", "anybody wrote this")
    doc = report(image, trust, sig)
    (s,) = doc["signatures"]
    assert (s["outcome"], s["scheme"], doc["verdict"]) == ("verified", scheme, "acceptable")
    assert s["signer"]["anchor"] == "vendor.pub" and "version 7" in s["detail"]
    assert doc["coverage"]["unsigned"] == 0 and "anybody" not in json.dumps(doc)

    def tool():
        return sh("minisign", "-V", "-p", trust / "vendor.pub", "-m", image, "-x", sig, ok=(0, 1, 2)).returncode == 0

    assert tool()
    good = sig.read_text().split("\n")
    for change in (lambda l: [l[0], l[1], "trusted comment: version 8", *l[3:]],       # a comment nobody signed
                   lambda l: [l[0], l[1]],                                            # no comment at all
                   lambda l: [l[0], l[1][:-4] + "AAA=", *l[2:]],
                   lambda l: ["trusted comment: x", *l[1:]]):
        sig.write_text("\n".join(change(good)) + "\n")
        assert not tool()
        # Without its comment the old form is one of signify, in which a key of minisign does not count.
        assert outcome(image, trust, sig) != "verified"
    sig.write_text("\n".join(["untrusted comment: another", *good[1:]]))
    assert tool() and outcome(image, trust, sig) == "verified"
    data = bytearray(image.read_bytes())
    data[100] ^= 1
    image.write_bytes(data)
    assert not tool() and outcome(image, trust, sig) == "invalid"


def test_minisign_by_another_key(image, trust, tmp_path):
    sh("minisign", "-G", "-W", "-p", trust / "vendor.pub", "-s", tmp_path / "key")
    sh("minisign", "-G", "-W", "-p", tmp_path / "other.pub", "-s", tmp_path / "other")
    sh("minisign", "-S", "-s", tmp_path / "other", "-m", image, "-x", tmp_path / "sig")
    doc = report(image, trust, tmp_path / "sig")
    assert doc["signatures"][0]["outcome"] == "untrusted" and doc["verdict"] == "blocked"
    number = (tmp_path / "other.pub").read_text().split("\n")[0].split()[-1]
    assert number.lower() in doc["signatures"][0]["detail"]


def test_signify(image, trust, tmp_path):
    sh("signify-openbsd", "-G", "-n", "-p", trust / "vendor.pub", "-s", tmp_path / "vendor.sec")
    sig = tmp_path / "fw.sig"
    sh("signify-openbsd", "-S", "-s", tmp_path / "vendor.sec", "-m", image, "-x", sig)
    sh("signify-openbsd", "-V", "-p", trust / "vendor.pub", "-m", image, "-x", sig)
    (s,) = report(image, trust, sig)["signatures"]
    assert (s["outcome"], s["scheme"]) == ("verified", "signify")
    sh("signify-openbsd", "-G", "-n", "-p", tmp_path / "other.pub", "-s", tmp_path / "other.sec")
    sh("signify-openbsd", "-S", "-s", tmp_path / "other.sec", "-m", image, "-x", sig)
    sh("signify-openbsd", "-V", "-p", trust / "vendor.pub", "-m", image, "-x", sig, ok=(1,))
    assert outcome(image, trust, sig) == "untrusted"


def test_signify_in_front_of_what_it_signs(image, trust, tmp_path):
    sh("signify-openbsd", "-G", "-n", "-p", trust / "vendor.pub", "-s", tmp_path / "vendor.sec")
    both = tmp_path / "fw.signed"

    def inspect():
        return json.loads(sh(FOTAGATE, "inspect", "--json", "--trust", trust, both, ok=(0, 1)).stdout)

    sh("signify-openbsd", "-S", "-e", "-s", tmp_path / "vendor.sec", "-m", image, "-x", both)
    doc = inspect()
    (s,), (member,) = doc["signatures"], doc["contents"]["members"]
    assert (s["outcome"], s["scheme"], doc["verdict"]) == ("verified", "minisign/signify-embedded", "acceptable")
    assert member["vouched"] == "inside" and member["size"] == 200000
    listed = tmp_path / "SHA256"
    listed.write_text(f"SHA256 (fw.bin) = {'0' * 64}\n")
    sh("signify-openbsd", "-S", "-e", "-s", tmp_path / "vendor.sec", "-m", listed, "-x", both)
    (fact,) = inspect()["contents"]["facts"]
    assert fact["sure"] and fact["value"] == listed.read_text().rstrip()
    whole = both.read_bytes()
    for at in range(len("untrusted comment:"), len(whole), 9):  # nothing but the untrusted comment may change
        both.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        ours = [s["outcome"] for s in inspect()["signatures"]] == ["verified"]
        tool = sh("signify-openbsd", "-V", "-e", "-p", trust / "vendor.pub", "-x", both, "-m", tmp_path / "out", ok=(0, 1))
        assert not ours or tool.returncode == 0
        assert ours == (tool.returncode == 0) or whole[:at].count(b"\n") == 0


def test_a_comment_of_anybodys_is_told(image, trust, tmp_path):
    sh("signify-openbsd", "-G", "-n", "-p", trust / "vendor.pub", "-s", tmp_path / "vendor.sec")
    both = tmp_path / "fw.signed"
    sh("signify-openbsd", "-S", "-e", "-s", tmp_path / "vendor.sec", "-m", image, "-x", both)
    rest = both.read_bytes().split(b"\n", 1)[1]
    for comment in (b"; touch /tmp/x; exit", b"verify with \x00\xff.pub", b"verify with \x00\x00.pub", b"verify with " + b"a" * 5000 + b".pub", b""):
        both.write_bytes(b"untrusted comment: " + comment + b"\n" + rest)
        doc = json.loads(sh(FOTAGATE, "inspect", "--json", "--trust", trust, both, ok=(0, 1)).stdout)
        assert doc["verdict"] != "acceptable" and doc["coverage"]["unsigned"] > len(comment)
        assert "COV-UNSIGNED-BYTES" in [f["id"] for f in doc["findings"]] or doc["signatures"] == []


def test_keys_of_a_tool_count_in_its_forms_only(image, trust, tmp_path):
    """minisign's second signature is over 64 bytes and a comment: nobody meant those as firmware."""
    sh("minisign", "-G", "-W", "-p", trust / "vendor.pub", "-s", tmp_path / "key")
    sh("minisign", "-S", "-s", tmp_path / "key", "-m", image, "-x", tmp_path / "sig", "-t", "c")
    lines = (tmp_path / "sig").read_text().split("\n")
    (tmp_path / "made").write_bytes(base64.b64decode(lines[1])[10:] + b"c")
    (tmp_path / "raw").write_bytes(base64.b64decode(lines[3]))
    assert outcome(tmp_path / "made", trust, tmp_path / "raw") != "verified"
    record = base64.b64decode(lines[1])
    forged = base64.b64encode(b"Ed" + record[2:10] + base64.b64decode(lines[3]))
    (tmp_path / "forged").write_bytes(b"untrusted comment: verify with vendor.pub\n" + forged + b"\n")
    assert outcome(tmp_path / "made", trust, tmp_path / "forged") != "verified"
    tool = sh("signify-openbsd", "-V", "-p", trust / "vendor.pub", "-m", tmp_path / "made", "-x", tmp_path / "forged", ok=(0, 1))
    assert tool.returncode == 0  # the arithmetic fits, and signify itself takes it


def test_sshsig(image, trust, tmp_path):
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "vendor")
    os.rename(tmp_path / "vendor.pub", trust / "vendor.pub")
    sig = tmp_path / "fw.bin.sig"

    def sign(namespace="file", key="vendor", *how):
        sig.unlink(missing_ok=True)
        sh("ssh-keygen", "-Y", "sign", "-q", *how, "-n", namespace, "-f", tmp_path / key, image)

    for how in ((), ("-O", "hashalg=sha256")):
        sign("file", "vendor", *how)
        doc = report(image, trust, sig)
        (s,) = doc["signatures"]
        assert (s["outcome"], s["scheme"], doc["verdict"]) == ("verified", "sshsig-ed25519", "acceptable")
        assert s["signer"]["anchor"] == "vendor.pub" and s["digest"] == ("sha256" if how else "sha512")
    sign("git")
    assert outcome(image, trust, sig) == "invalid"
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other")
    sign("file", "other")
    assert outcome(image, trust, sig) == "untrusted"
    sh("ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", tmp_path / "rsa")
    sign("file", "rsa")
    assert outcome(image, trust, sig) == "invalid"  # a type that nobody here signs with, named in the detail
    sign()
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    assert outcome(image, trust, sig) == "invalid"


def test_only_keys_of_firmware_are_anchors(image, trust, tmp_path):
    (trust / "person.pub").write_text("sk-ssh-ed25519@openssh.com AAAA person\n")
    sh("minisign", "-G", "-W", "-p", trust / "vendor.pub", "-s", tmp_path / "key")
    sh("minisign", "-S", "-s", tmp_path / "key", "-m", image, "-x", tmp_path / "sig")
    r = sh(FOTAGATE, "inspect", "--json", "--trust", trust, "--signature", tmp_path / "sig", image, ok=(0, 1))
    assert b"person.pub: passed over" in r.stderr and json.loads(r.stdout)["signatures"][0]["outcome"] == "verified"
