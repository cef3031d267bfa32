# SPDX-License-Identifier: Apache-2.0
"""fotagate inspect: files made and signed by genuine tools, and inspectors that misbehave."""
import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
INSPECT = os.path.join(BIN, "fotagate-inspect")

pytestmark = pytest.mark.skipif(not os.path.exists(INSPECT), reason="FG_BIN names no programs")


def sanitized():
    with open(INSPECT, "rb") as f:
        return b"__asan_init" in f.read()


def sh(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, **kw).stdout


def run(*args, program=FOTAGATE):
    return subprocess.run([str(program), "inspect", *map(str, args)], capture_output=True, timeout=300)


def report(*args, want=None, program=FOTAGATE):
    """The parsed report, after its form was checked."""
    r = run(*args, "--json", program=program)
    assert r.returncode in (0, 1), r.stderr.decode()
    doc = json.loads(r.stdout)
    # RFC 8785 for what a report may hold: ASCII, integers, sorted keys.
    assert r.stdout.decode() == json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert all(0x20 <= b <= 0x7E for b in r.stdout)
    assert (doc["verdict"] == "acceptable") == (r.returncode == 0)
    order = ["block", "warning", "notice", "info"]
    keys = [(order.index(f["severity"]), f["id"]) for f in doc["findings"]]
    assert keys == sorted(keys)
    if doc["image"]:
        assert doc["coverage"]["signed"] + doc["coverage"]["unsigned"] == doc["image"]["size"]
    if want:
        assert doc["verdict"] == want, doc["findings"]
    return doc


def ids(doc):
    return {f["id"] for f in doc["findings"]}


def outcome(doc):
    assert len(doc["signatures"]) == 1
    return doc["signatures"][0]["outcome"]


class Pki:
    """A vendor's CA with a code signing leaf, and bare keys; by openssl."""

    def __init__(self, d):
        self.d = d
        self.trust = d / "trust"
        self.trust.mkdir()
        self.none = d / "none"
        self.none.mkdir()
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
           "-keyout", d / "ca.key", "-out", self.trust / "ca.pem", "-subj", "/CN=Vendor CA")
        self.leaf("signer", "extendedKeyUsage=codeSigning")
        for name, args in (("rsa", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                           ("ec", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
                           ("ed", ["-algorithm", "ED25519"])):
            sh("openssl", "genpkey", *args, "-out", d / f"{name}.key")
            sub = d / f"trust-{name}"
            sub.mkdir()
            sh("openssl", "pkey", "-in", d / f"{name}.key", "-pubout", "-out", sub / f"{name}.pem")

    def leaf(self, name, ext, subject=None, days=365):
        sh("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-keyout",
           self.d / f"{name}.key", "-out", self.d / f"{name}.csr", "-subj", subject or f"/CN={name}")
        (self.d / "ext").write_text(ext + "\n")
        sh("openssl", "x509", "-req", "-in", self.d / f"{name}.csr", "-CA", self.trust / "ca.pem", "-CAkey",
           self.d / "ca.key", "-CAcreateserial", "-CAserial", self.d / "serial", "-days", days, "-extfile", self.d / "ext",
           "-out", self.d / f"{name}.pem")

    def cms(self, image, out, *extra, signer="signer"):
        sh("openssl", "cms", "-sign", "-binary", "-in", image, "-signer", self.d / f"{signer}.pem", "-inkey",
           self.d / f"{signer}.key", "-outform", "DER", "-out", out, *extra)
        return out

    def raw(self, name, image, out):
        if name == "ed":
            sh("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.d / "ed.key", "-in", image, "-out", out)
        else:
            digest = "-sha384" if name == "ec" else "-sha256"
            sh("openssl", "dgst", digest, "-sign", self.d / f"{name}.key", "-out", out, image)
        return out


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def image(tmp_path):
    p = tmp_path / "image.bin"
    p.write_bytes(random.Random(1).randbytes(300000))
    return p


def flip(path, offset=-1):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


# ---- schemes: one that is accepted and several that are not ----

def test_cms_detached(pki, image, tmp_path):
    sig = pki.cms(image, tmp_path / "sig")
    doc = report(image, "--trust", pki.trust, "--signature", sig, want="acceptable")
    assert outcome(doc) == "verified"
    s = doc["signatures"][0]
    assert s["scheme"] == "cms-detached" and s["covers"] == [[0, 300000]] and s["signer"]["anchor"] == "ca.pem"
    spki = sh("openssl", "x509", "-in", pki.d / "signer.pem", "-noout", "-pubkey")
    der = sh("openssl", "pkey", "-pubin", "-outform", "DER", input=spki)
    assert s["signer"]["spki_sha256"] == hashlib.sha256(der).hexdigest()
    assert doc["image"]["sha256"] == hashlib.sha256(image.read_bytes()).hexdigest()
    assert doc["inputs"]["signature"] == hashlib.sha256(sig.read_bytes()).hexdigest()
    assert "SIG-REVOCATION-NOT-CHECKED" in ids(doc)

    assert outcome(report(image, "--signature", sig, want="blocked")) == "untrusted"
    assert outcome(report(image, "--trust", pki.none, "--signature", sig, want="blocked")) == "untrusted"
    assert outcome(report(image, "--trust", pki.trust, "--signature", sig, "--at", "2099-01-01T00:00:00Z",
                          want="blocked")) == "expired"
    sig.write_bytes(sig.read_bytes() + b"JUNK")
    assert outcome(report(image, "--trust", pki.trust, "--signature", sig, want="blocked")) == "invalid"
    sig = pki.cms(image, tmp_path / "sig")
    flip(image, 1234)
    doc = report(image, "--trust", pki.trust, "--signature", sig, want="blocked")
    assert outcome(doc) == "invalid" and doc["coverage"]["signed"] == 0 and "SIG-INVALID" in ids(doc)


def test_cms_by_a_wrong_purpose_is_untrusted(pki, image, tmp_path):
    pki.leaf("tls", "extendedKeyUsage=serverAuth")
    sig = pki.cms(image, tmp_path / "sig", signer="tls")
    assert outcome(report(image, "--trust", pki.trust, "--signature", sig, want="blocked")) == "untrusted"


def test_cms_attached(pki, image, tmp_path):
    signed = pki.cms(image, tmp_path / "signed", "-nodetach")
    doc = report(signed, "--trust", pki.trust, want="acceptable")
    assert doc["image"]["format"] == "cms" and outcome(doc) == "verified"
    (offset, length), = doc["signatures"][0]["covers"]
    assert signed.read_bytes()[offset:offset + length] == image.read_bytes()
    assert "COV-ENVELOPE" in ids(doc)
    assert outcome(report(signed, want="blocked")) == "untrusted"
    flip(signed, offset + 5)
    assert outcome(report(signed, "--trust", pki.trust, want="blocked")) == "invalid"


def test_against_the_reports_of_earlier_releases(pki, image, tmp_path):
    sig = pki.cms(image, tmp_path / "sig")
    first = run(image, "--trust", pki.trust, "--signature", sig, "--first", "--json").stdout
    assert {"CONT-FIRST"} == {i for i in ids(json.loads(first)) if i.startswith("CONT-")}
    (tmp_path / "first.json").write_bytes(first)
    same = report(image, "--trust", pki.trust, "--signature", sig, "--history", tmp_path / "first.json")
    assert same["inputs"]["history"] == [hashlib.sha256(first).hexdigest()]
    assert not [i for i in ids(same) if i.startswith("CONT-")]
    pki.leaf("other", "extendedKeyUsage=codeSigning")
    sig = pki.cms(image, tmp_path / "sig", signer="other")
    doc = report(image, "--trust", pki.trust, "--signature", sig, "--history", tmp_path / "first.json", want="review")
    assert "CONT-NEW-SIGNER" in ids(doc)
    assert report(image, "--trust", pki.trust, "--signature", sig)["inputs"]["history"] is None
    (tmp_path / "first.json").write_bytes(first[:-1])
    assert run(image, "--history", tmp_path / "first.json").returncode == 3
    assert run(image, "--history", tmp_path / "none.json").returncode == 3
    assert run(image, "--history", tmp_path / "first.json", "--first").returncode == 2


@pytest.mark.parametrize("name,scheme", [("rsa", "rsa-pkcs1v15-sha256"), ("ec", "ecdsa-der"), ("ed", "ed25519")])
def test_raw(pki, image, tmp_path, name, scheme):
    sig = pki.raw(name, image, tmp_path / "sig")
    trust = pki.d / f"trust-{name}"
    doc = report(image, "--trust", trust, "--signature", sig, want="acceptable")
    assert outcome(doc) == "verified" and doc["signatures"][0]["scheme"] == scheme
    assert outcome(report(image, "--trust", pki.trust, "--signature", sig, want="blocked")) == "untrusted"
    for other in {"rsa", "ec", "ed"} - {name}:
        assert outcome(report(image, "--trust", pki.d / f"trust-{other}", "--signature", sig,
                              want="blocked")) == "invalid"
    flip(image)
    assert outcome(report(image, "--trust", trust, "--signature", sig, want="blocked")) == "invalid"
    flip(image)
    flip(sig)
    assert outcome(report(image, "--trust", trust, "--signature", sig, want="blocked")) == "invalid"


def test_vendor_text_is_made_visible(pki, image, tmp_path):
    pki.leaf("mirror", "extendedKeyUsage=codeSigning", subject="/CN=\u202egnirts")
    sig = pki.cms(image, tmp_path / "sig", signer="mirror")
    doc = report(image, "--trust", pki.trust, "--signature", sig, want="acceptable")
    assert doc["signatures"][0]["signer"]["subject"] == "CN=<U+202E>gnirts"


def test_no_signature(pki, image):
    doc = report(image, "--trust", pki.trust, want="review")
    assert doc["signatures"] == [] and {"SIG-ABSENT", "COV-UNSIGNED-BYTES"} <= ids(doc)
    empty = image.parent / "empty"
    empty.write_bytes(b"")
    assert "IMG-EMPTY" in ids(report(empty, want="blocked"))


# ---- formats, from genuine tools ----

def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


def made(tmp_path):
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "rootfs" / "a").write_bytes(b"a" * 5000)
    return tmp_path / "rootfs"


def test_swu_and_cpio(tmp_path):
    need("cpio")
    (tmp_path / "sw-description").write_text("software = { version = \"1\"; };\n")
    (tmp_path / "fw.img").write_bytes(b"x" * 1000)
    for fmt in ("newc", "crc"):
        swu = sh("cpio", "-o", "-H", fmt, input=b"sw-description\nfw.img\n", cwd=tmp_path)
        (tmp_path / "a.swu").write_bytes(swu)
        doc = report(tmp_path / "a.swu")
        assert doc["image"]["format"] == "swu" and doc["image"]["walked"]
    (tmp_path / "a.cpio").write_bytes(sh("cpio", "-o", "-H", "newc", input=b"fw.img\n", cwd=tmp_path))
    assert report(tmp_path / "a.cpio")["image"]["format"] == "cpio"


def test_squashfs_and_rauc_bundle(pki, tmp_path):
    need("mksquashfs")
    sh("mksquashfs", made(tmp_path), tmp_path / "fs.squashfs", "-quiet", "-no-progress")
    assert report(tmp_path / "fs.squashfs")["image"]["format"] == "squashfs"
    need("rauc")
    content = tmp_path / "content"
    content.mkdir()
    (content / "rootfs.img").write_bytes(b"r" * 8192)
    (content / "manifest.raucm").write_text("[update]\ncompatible=x\nversion=1\n[bundle]\nformat=plain\n"
                                            "[image.rootfs]\nfilename=rootfs.img\n")
    sh("rauc", "bundle", "--cert", pki.d / "signer.pem", "--key", pki.d / "signer.key", content, tmp_path / "a.raucb")
    doc = report(tmp_path / "a.raucb")
    assert doc["image"]["format"] == "rauc-bundle"
    # A detached CMS over the whole container is just that: a second signature, here by a second person.
    pki.leaf("release", "extendedKeyUsage=codeSigning")
    sig = pki.cms(tmp_path / "a.raucb", tmp_path / "sig", signer="release")
    doc = report(tmp_path / "a.raucb", "--trust", pki.trust, "--signature", sig, want="acceptable")
    assert doc["coverage"]["unsigned"] == 0


@pytest.mark.parametrize("fmt,tool,make", [
    ("gzip", "gzip", ["gzip", "-k", "a"]),
    ("xz", "xz", ["xz", "-k", "a"]),
    ("bzip2", "bzip2", ["bzip2", "-k", "a"]),
    ("tar", "tar", ["tar", "cf", "a.tar", "a"]),
    ("mender", "tar", ["tar", "cf", "a.tar", "version", "a"]),
    ("zip", "zip", ["zip", "-q", "a.zip", "a"]),
    ("bsdiff", "bsdiff", ["bsdiff", "a", "b", "a.bsdiff"]),
    ("vcdiff", "xdelta3", ["xdelta3", "-q", "-e", "-s", "a", "b", "a.vcdiff"]),
    ("ext4", "mkfs.ext4", ["sh", "-c", "truncate -s 4M a.ext4 && mkfs.ext4 -q -F a.ext4"]),
])
def test_format(tmp_path, fmt, tool, make):
    need(tool)
    (tmp_path / "a").write_bytes(b"content of a\n" * 100)
    (tmp_path / "b").write_bytes(b"content of b\n" * 100)
    (tmp_path / "version").write_text("{}")
    before = set(os.listdir(tmp_path))
    sh(*make, cwd=tmp_path)
    new, = set(os.listdir(tmp_path)) - before
    doc = report(tmp_path / new)
    assert doc["image"]["format"] == fmt
    assert (fmt in ("bsdiff", "vcdiff")) == ("FMT-DELTA" in ids(doc))
    assert (doc["image"]["walked"] or "FMT-DELTA" in ids(doc)) != ("FMT-NOT-WALKED" in ids(doc))
    if fmt == "zip":
        assert doc["image"]["walked"]


def test_elf_and_polyglot(tmp_path):
    assert report("/bin/true")["image"]["format"] == "elf"
    need("zip")
    (tmp_path / "a").write_text("a")
    sh("zip", "-q", "a.zip", "a", cwd=tmp_path)
    both = tmp_path / "both"
    both.write_bytes(open("/bin/true", "rb").read() + (tmp_path / "a.zip").read_bytes())
    assert "FMT-AMBIGUOUS" in ids(report(both))


# ---- comparison ----

def test_against(image, tmp_path):
    new = tmp_path / "new.bin"
    data = bytearray(image.read_bytes())
    data[100000:100005] = b"hello"
    new.write_bytes(bytes(data) + b"tail")
    doc = report(new, "--against", image)
    c = doc["changes"]
    assert c["prefix"] == 100000 and c["old"]["size"] == 300000 and c["new"]["size"] == 300004
    assert c["ranges"] == [[100000, 5], [300000, 4]] and c["ranges_total"] == 2
    assert c["blocks"] == {"changed": 2, "moved": 0, "same": 3, "size": 65536}
    assert c["old"]["sha256"] == hashlib.sha256(image.read_bytes()).hexdigest()
    assert "CHG-IDENTICAL" in ids(report(image, "--against", image))
    assert "CHG-NO-OLD" in ids(report(image))


def test_a_base_of_what_is_no_delta(image):
    doc = report(image, "--base", "/bin/true")
    assert doc["inputs"]["base"] == hashlib.sha256(open("/bin/true", "rb").read()).hexdigest()
    assert doc["delta"]["outcome"] == "opaque" and "DELTA-UNSUPPORTED" in ids(doc)


def test_same_input_same_bytes(image):
    args = (image, "--against", "/bin/true", "--at", "1767225600", "--json")
    assert run(*args).stdout == run(*args).stdout


# ---- with a vendor profile ----

PROFILE = """
profile = {
	name = "acme"; supplier = "acme"; listeners = [ "plain" ]; hosts = [ "fota.example" ];
	path = "/fw/{product}/{to}.bin";
	captures = { product = { class = "word"; max = 16; }; to = { class = "version"; max = 16; }; };
	product = "capture:product"; target_version = "capture:to"; version_order = "dotted";
	identity = ( { class = "C"; kind = "address"; from = "source_address"; } );
	networks = ( { cidr = "10.20.0.0/16"; } );
	upstream = "https://up.example/{product}/{to}"; signature_url = "https://up.example/{product}/{to}.sig";
	signature = { %s };
	quorum = 2;
};
"""


@pytest.fixture
def configured(pki, tmp_path):
    def write(signature):
        keys = tmp_path / "keys"
        (keys / "anchors").mkdir(parents=True, exist_ok=True)
        (tmp_path / "profiles.d").mkdir(exist_ok=True)
        for f in (pki.trust / "ca.pem", pki.d / "trust-rsa" / "rsa.pem", pki.d / "trust-ec" / "ec.pem"):
            shutil.copy(f, keys / "anchors")
        (tmp_path / "fotagate.conf").write_text(
            f'keys_dir = "{keys}";\nlisteners = ( {{ name = "plain"; address = "127.0.0.1"; port = 8080; }} );\n'
            'suppliers = ( { name = "acme"; legal_entity = "ACME Ltd"; country = "DE"; } );\n')
        (tmp_path / "profiles.d" / "acme.conf").write_text(PROFILE % signature)
        return ["--profile", "acme", "-c", tmp_path / "fotagate.conf"]
    return write


def test_profile_decides_what_counts(pki, image, tmp_path, configured):
    args = configured('scheme = "cms-detached"; anchors = [ "ca.pem" ]; purpose = "code-signing";')
    sig = pki.cms(image, tmp_path / "sig")
    doc = report(image, *args, "--signature", sig, want="acceptable")
    assert doc["inputs"]["profile"]["name"] == "acme" and len(doc["inputs"]["profile"]["sha256"]) == 64
    assert outcome(doc) == "verified"
    pki.leaf("mail", "extendedKeyUsage=emailProtection")  # enough without a profile, not with this one
    mail = pki.cms(image, tmp_path / "mail", signer="mail")
    assert outcome(report(image, "--trust", pki.trust, "--signature", mail, want="acceptable")) == "verified"
    assert outcome(report(image, *args, "--signature", mail, want="blocked")) == "untrusted"
    doc = report(image, *args, want="blocked")
    assert doc["signatures"] == [] and "SIG-ABSENT" in ids(doc)
    raw = pki.raw("rsa", image, tmp_path / "raw")
    assert outcome(report(image, *args, "--signature", raw, want="blocked")) == "invalid"


def test_profile_fixes_how_a_bare_key_signs(pki, image, tmp_path, configured):
    args = configured('scheme = "rsa-pss-sha256"; anchors = [ "rsa.pem" ];')
    pss = tmp_path / "pss"
    sh("openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sign",
       pki.d / "rsa.key", "-out", pss, image)
    doc = report(image, *args, "--signature", pss, want="acceptable")
    assert doc["signatures"][0]["scheme"] == "rsa-pss-sha256"
    v15 = pki.raw("rsa", image, tmp_path / "v15")
    assert outcome(report(image, *args, "--signature", v15, want="blocked")) == "invalid"
    assert outcome(report(image, "--trust", pki.d / "trust-rsa", "--signature", pss, want="blocked")) == "invalid"


def test_profile_problems_are_named(pki, image, tmp_path, configured):
    args = configured('scheme = "cms-detached"; anchors = [ "ca.pem" ]; purpose = "code-signing"; nonsense = 1;')
    r = run(image, *args)
    assert r.returncode == 2 and b"profiles.d/acme.conf:" in r.stderr and b"nonsense" in r.stderr
    args = configured('scheme = "cms-detached"; anchors = [ "missing.pem" ]; purpose = "code-signing";')
    r = run(image, *args)
    assert r.returncode in (2, 3) and b"missing.pem" in r.stderr
    args = configured('scheme = "cms-detached"; anchors = [ "ca.pem" ]; purpose = "code-signing";')
    r = run(image, "--profile", "acne", *args[2:])
    assert r.returncode == 2 and b"acne" in r.stderr


# ---- the page for people ----

def test_page(pki, image, tmp_path):
    sig = pki.cms(image, tmp_path / "sig")
    r = run(image, "--trust", pki.trust, "--signature", sig, "--against", "/bin/true", "--at", "1893456000")
    doc = run(image, "--trust", pki.trust, "--signature", sig, "--against", "/bin/true", "--at", "1893456000", "--json")
    text = r.stdout.decode()
    assert r.returncode == 1 and text.startswith("BLOCKED")
    parts = [text.index(p) for p in ("BLOCKED", "SHA-256", "\nSignatures", "\nChanges", "\nFindings")]
    assert parts == sorted(parts)
    assert hashlib.sha256(doc.stdout).hexdigest() in text
    for f in json.loads(doc.stdout)["findings"]:
        assert f["id"] in text
    assert text.count("To clear it:") == len(json.loads(doc.stdout)["findings"])


# ---- usage and what cannot be done ----

@pytest.mark.parametrize("args,status", [
    ([], 2), (["a", "b"], 2), (["--nonsense", "a"], 2), (["/bin/true", "--at", "yesterday"], 2),
    (["/bin/true", "--at", "99999999999999"], 2), (["/bin/true", "--timeout", "0"], 2),
    (["/bin/true", "-c", "x"], 2), (["/bin/true", "--profile", "x", "--trust", "/"], 2),
    (["/nonexistent"], 3), (["/"], 3), (["/dev/null"], 3), (["/bin/true", "--against", "/nonexistent"], 3),
    (["/bin/true", "--signature", "/nonexistent"], 3), (["/bin/true", "--base", "/nonexistent"], 3),
    (["/bin/true", "--trust", "/nonexistent"], 3), (["/bin/true", "--profile", "x", "-c", "/nonexistent"], 3),
])
def test_status(args, status):
    r = run(*args)
    assert r.returncode == status and r.stdout == b"" and r.stderr != b""


def test_fifo_does_not_hold_us(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert run(tmp_path / "fifo").returncode == 3


def test_folder_with_what_may_not_be_an_anchor(pki, tmp_path):
    t = tmp_path / "t"
    t.mkdir()
    shutil.copy(pki.d / "rsa.key", t / "oops.pem")
    r = run("/bin/true", "--trust", t)
    assert r.returncode == 2 and b"oops.pem" in r.stderr and b"private key" in r.stderr
    os.remove(t / "oops.pem")
    (t / "README").write_text("not an anchor")
    r = run("/bin/true", "--trust", t)
    assert r.returncode == 1 and b"README" in r.stderr
    sh("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", tmp_path / "k")
    sh("openssl", "pkey", "-in", tmp_path / "k", "-pubout", "-out", t / "weak.pem")
    r = run("/bin/true", "--trust", t)
    assert r.returncode == 2 and b"weak.pem" in r.stderr


def test_inspector_wants_its_channel():
    assert subprocess.run([INSPECT], capture_output=True, stdin=subprocess.DEVNULL).returncode == 2
    assert subprocess.run([INSPECT, "--job"], capture_output=True, close_fds=True).returncode == 2


# ---- large images ----

def test_beyond_4_gib_in_bounded_memory(pki, tmp_path):
    big = tmp_path / "big"
    size = (4 << 30) + 12345
    with open(big, "wb") as f:
        f.truncate(size)
        f.write(b"start")
        f.seek(size - 3)
        f.write(b"end")
    if os.stat(big).st_blocks * 512 > size // 2:
        pytest.skip("this file system has no sparse files")
    sig = pki.raw("rsa", big, tmp_path / "sig")
    code = textwrap.dedent("""
        import resource, subprocess, sys
        r = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
        sys.stdout.buffer.write(r.stdout)
        sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
        sys.exit(r.returncode)
        """)
    args = [FOTAGATE, "inspect", str(big), "--trust", str(pki.d / "trust-rsa"), "--signature", str(sig), "--json"]
    if not sanitized():  # comparing takes minutes there
        old = tmp_path / "old"
        with open(old, "wb") as f:
            f.truncate(size + 1)
        args += ["--against", str(old)]
    r = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, timeout=600)
    doc = json.loads(r.stdout)
    assert doc["image"]["size"] == size and outcome(doc) == "verified", doc["findings"]
    assert doc["coverage"]["signed"] == size
    if not sanitized():
        assert doc["changes"]["ranges"] == [[0, 5], [size - 3, 3]]
        assert int(r.stderr) < 64 * 1024, "KiB of resident memory"
    # One flipped byte behind the four gigabytes is seen.
    with open(big, "r+b") as f:
        f.seek((4 << 30) + 77)
        f.write(b"!")
    assert outcome(report(big, "--trust", pki.d / "trust-rsa", "--signature", sig, want="blocked")) == "invalid"


# ---- inspectors that misbehave ----

FAKE = r'''#!/usr/bin/python3
import fcntl, os, signal, socket, struct, subprocess, time
here = os.path.dirname(os.path.abspath(__file__))
mode, real = open(os.path.join(here, "mode")).read().split()
chan = socket.socket(fileno=3)
chan.setblocking(True)
question, fds, _, _ = socket.recv_fds(chan, 65536, 8)
stage = question[4 + 8]

def genuine():
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    socket.send_fds(mine, [question], fds)
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs.fileno(), 3)
        os.execve(real, [real, "--job"], {})
    theirs.close()
    head, got, _, _ = socket.recv_fds(mine, 65536, 8)
    os.waitpid(pid, 0)
    return head, os.pread(got[0], os.fstat(got[0]).st_size, 0)

def memfd(data, seal=True):
    fd = os.memfd_create("reply", os.MFD_ALLOW_SEALING)
    os.write(fd, data) if len(data) < 1 << 20 else os.pwrite(fd, data, 0)
    if seal:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd

head, text = genuine()
if mode == "honest":
    socket.send_fds(chan, [head], [memfd(text)])
elif mode == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "crash-after":
    socket.send_fds(chan, [head], [memfd(text)])
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "exit":
    os._exit(9)
elif mode == "silent":
    os._exit(0)
elif mode == "sleep":
    time.sleep(600)
elif mode == "sleep-after":
    socket.send_fds(chan, [head], [memfd(text)])
    time.sleep(600)
elif mode == "sleep-closed":
    socket.send_fds(chan, [head], [memfd(text)])
    chan.close()
    time.sleep(600)
elif mode == "twice":
    socket.send_fds(chan, [head], [memfd(text)])
    socket.send_fds(chan, [head], [memfd(text)])
elif mode == "more-text":
    socket.send_fds(chan, [head], [memfd(text + b"{}")])
elif mode == "unsealed":
    socket.send_fds(chan, [head], [memfd(text, seal=False)])
elif mode == "two-fds":
    socket.send_fds(chan, [head], [memfd(text), memfd(text)])
elif mode == "no-fd":
    chan.send(head)
elif mode == "garbage":
    socket.send_fds(chan, [os.urandom(100)], [memfd(text)])
elif mode == "nonsense":
    socket.send_fds(chan, [head], [memfd(b"all is well")])
elif mode == "overlong":
    socket.send_fds(chan, [head], [memfd(b" " * ((2 << 20) + 1))])
elif mode == "other-job":
    socket.send_fds(chan, [head[:4] + struct.pack(">Q", 77) + head[12:]], [memfd(text)])
elif mode == "field":
    socket.send_fds(chan, [head], [memfd(text.replace(b'{"changes"', b'{"approved":true,"changes"'))])
elif mode == "verdict":
    # explain takes it upon itself to say that all is signed
    text = text.replace(b'"signatures":[]', b'"signatures":[{"outcome":"verified"}]') if stage == 2 else text
    socket.send_fds(chan, [head], [memfd(text)])
elif mode == "hush":
    # verify leaves out that nothing is signed
    text = text.replace(b"SIG-ABSENT", b"FMT-AMBIGUOUS") if stage == 1 else text
    socket.send_fds(chan, [head], [memfd(text)])
elif mode == "other-image":
    text = text.replace(b'"sha256":"', b'"sha256":"0000')
    text = __import__("re").sub(rb'"sha256":"0000([0-9a-f]{60})[0-9a-f]{4}"', rb'"sha256":"0000\1"', text) if stage == 2 else genuine()[1]
    socket.send_fds(chan, [head], [memfd(text)])
os._exit(0)
'''


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    d = tmp_path_factory.mktemp("fake")
    shutil.copy(FOTAGATE, d / "fotagate")
    (d / "fotagate-inspect").write_text(FAKE)
    os.chmod(d / "fotagate-inspect", stat.S_IRWXU)
    return d


def misbehave(fake, mode, *args, timeout=30):
    (fake / "mode").write_text(f"{mode} {INSPECT}\n")
    return report("/bin/true", "--against", "/bin/sh", "--timeout", timeout, *args, program=fake / "fotagate")


def test_fake_passes_on_an_honest_reply(fake):
    doc = misbehave(fake, "honest")
    assert doc["verdict"] == "review" and not any(i.startswith("INSPECT-") for i in ids(doc))
    assert doc == {**report("/bin/true", "--against", "/bin/sh"), "inputs": doc["inputs"]}


@pytest.mark.parametrize("mode,finding,timeout", [
    ("crash", "INSPECT-CRASHED", 30), ("crash-after", "INSPECT-CRASHED", 30),
    ("exit", "INSPECT-FAILED", 30), ("silent", "INSPECT-FAILED", 30),
    ("sleep", "INSPECT-TIMEOUT", 2), ("sleep-after", "INSPECT-TIMEOUT", 2), ("sleep-closed", "INSPECT-TIMEOUT", 2),
    ("twice", "INSPECT-TRAILING", 30), ("more-text", "INSPECT-TRAILING", 30),
    ("unsealed", "INSPECT-MALFORMED", 30), ("two-fds", "INSPECT-MALFORMED", 30), ("no-fd", "INSPECT-MALFORMED", 30),
    ("garbage", "INSPECT-MALFORMED", 30), ("nonsense", "INSPECT-MALFORMED", 30),
    ("other-job", "INSPECT-MALFORMED", 30), ("hush", "INSPECT-MALFORMED", 30),
    ("overlong", "INSPECT-OVERLONG", 30),
    ("field", "INSPECT-FOREIGN-FIELD", 30), ("verdict", "INSPECT-FOREIGN-FIELD", 30),
    ("other-image", "INSPECT-DISAGREES", 30),
])
def test_misbehaving_inspector_blocks(fake, mode, finding, timeout):
    doc = misbehave(fake, mode, timeout=timeout)
    assert doc["verdict"] == "blocked"
    found, = [f for f in doc["findings"] if f["id"] == finding]
    assert found["severity"] == "block"
    if mode in ("verdict", "other-image"):  # what verify said stands, what explain said does not
        assert doc["image"] and doc["changes"] is None and doc["signatures"] == []
    elif mode == "hush":
        assert doc["image"] is None and doc["changes"]
    else:
        assert doc["image"] is None and doc["changes"] is None and found["count"] == 2


def test_no_inspector_is_an_error(tmp_path):
    shutil.copy(FOTAGATE, tmp_path / "fotagate")
    r = run("/bin/true", program=tmp_path / "fotagate")
    assert r.returncode == 3 and b"fotagate-inspect" in r.stderr
