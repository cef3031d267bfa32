# SPDX-License-Identifier: Apache-2.0
"""SWUpdate's .swu: each file judged by Debian's swupdate -c and by us.

Where swupdate refuses, we never accept. Where we refuse and it does not, the table says so by name, with the finding
and the reason.
"""
import concurrent.futures
import gzip
import json
import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import swu
from swu import AES_IV, AES_KEY, FIRMWARE, SCRIPT, Raw, archive, cms, description, encrypted, image, member, sha, signed, software

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")

pytestmark = [
    pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs"),
    pytest.mark.skipif(not shutil.which("swupdate"), reason="swupdate is not installed"),
]

# Instances tell each other's news over one abstract socket, unless each has a network of its own.
ALONE = ["unshare", "-rn"]

GOOD = description(software(image()))
LEADING = next(d for d in (b"%d" % i for i in range(10000)) if sha(d).startswith("0"))
GZ = gzip.compress(FIRMWARE, mtime=0)


def spoilt(der):
    """The last byte of a CMS object is a signature's."""
    return flipped(der, len(der) - 1)


SECOND = ["-signer", f"{swu.VECTORS}/cert/other.pem", "-inkey", f"{swu.VECTORS}/key/leaf.key"]


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


def described(*images, members=None, **more):
    return signed(description(software(*images, **more)), *(members or ()))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def text(head, tail="", body=None):
    return signed(head + (body or GOOD) + tail.encode())


def refs(path, target="common"):
    """Images that are a link to a list elsewhere."""
    return description(software(images=[{"ref": path}], **{target: [image()]}))


def as_json(group=None, edit=lambda s: s):
    return signed(edit(json.dumps({"software": group or software(image())})).encode())


SCRIPTED = software(image(), scripts=[{"filename": "run.sh", "type": "shellscript", "sha256": sha(SCRIPT)}])
RUN = (("fw.img", FIRMWARE), ("run.sh", SCRIPT))

# Same answer of both: name -> (file, answer). A pair of options more than swupdate's default stands third.
SAME = {
    # ---- what genuine tools make ----
    "newc": (lambda d: swu.genuine(d, [("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE)], "newc"), True),
    "crc": (lambda d: swu.genuine(d, [("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE)]), True),
    "code signing": (lambda d: signed(GOOD, cert="code"), True, "--cert-purpose", "codeSigning"),
    "code signing, not asked for": (lambda d: signed(GOOD, cert="code"), False),
    "mail, not asked for": (lambda d: signed(GOOD), False, "--cert-purpose", "codeSigning"),
    "two signers": (lambda d: signed(GOOD, more=SECOND), True),
    "sha512": (lambda d: signed(GOOD, md="sha512"), True),
    "pss in cms": (lambda d: signed(GOOD, cert="code", more=["-keyopt", "rsa_padding_mode:pss"]), True, "--cert-purpose", "codeSigning"),
    "no signed attributes": (lambda d: signed(GOOD, more=["-noattr"]), True),
    "identified by key": (lambda d: signed(GOOD, more=["-keyid"]), True),
    "empty image": (lambda d: described(image(data=b""), members=[("fw.img", b"")]), True),
    "two images": (lambda d: described(image(), image("b.img", b"b"), members=[("fw.img", FIRMWARE), ("b.img", b"b")]), True),
    "images in another order": (lambda d: described(image(), image("b.img", b"b"), members=[("b.img", b"b"), ("fw.img", FIRMWARE)]), True),
    "a file": (lambda d: described(files=[{"filename": "fw.img", "path": "/tmp/none", "sha256": sha(FIRMWARE)}]), True),
    "one file twice": (lambda d: described(image(), image(device="/dev/zero")), True),
    "installed directly": (lambda d: described(image(**{"installed-directly": True})), True),
    "script": (lambda d: signed(description(SCRIPTED), *RUN), True),
    "bootloader variables": (lambda d: described(image(), bootenv=[{"name": "slot", "value": "b"}]), True),
    "zlib": (lambda d: described(image(data=GZ, compressed="zlib"), members=[("fw.img", GZ)]), True),
    "compressed, as true": (lambda d: described(image(data=GZ, compressed=True), members=[("fw.img", GZ)]), True),
    "zstd": (lambda d: described(image(data=zstd(FIRMWARE), compressed="zstd"), members=[("fw.img", zstd(FIRMWARE))]), True),
    "encrypted": (lambda d: described(image(data=encrypted(FIRMWARE), encrypted=True), members=[("fw.img", encrypted(FIRMWARE))]), True, "-K", "{key}"),
    "encrypted, packed": (lambda d: described(image(data=encrypted(GZ), encrypted=True, compressed="zlib"), members=[("fw.img", encrypted(GZ))]), True, "-K", "{key}"),
    "offset with a suffix": (lambda d: described(image(offset="16K")), True),
    "capital digits": (lambda d: described(image(sha256=sha(FIRMWARE).upper())), True),
    "small digits in headers": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, hexed="%08x")), True),
    "json": (lambda d: as_json(), True),
    "board": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"], "testboard": {"images": [image()]}})), True),
    "set and mode": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"],
                                                   "stable": {"one": {"images": [image()]}, "two": {"images": [image()]}}})),
                     True, "-e", "stable,one"),
    "linked list": (lambda d: signed(refs("#./../common")), False),  # one too far up: nothing there
    "linked list, right": (lambda d: signed(refs("#./common")), True),
    "linked from the root": (lambda d: signed(refs("#software/common")), True),
    "linked group": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"], "testboard": {"ref": "#./real"},
                                                   "real": {"images": [image()]}})), True),
    "comments": (lambda d: text(b"# one\n// two\n/* three\n*/"), True),
    "strings in pieces": (lambda d: signed(GOOD.replace(b'"1.2.3"', b'"1." "2.3"')), True),
    "crlf": (lambda d: signed(GOOD.replace(b"\n", b"\r\n")), True),
    "no padding at the end": (lambda d: archive(("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE), block=4), True),
    "large blocks": (lambda d: archive(("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE), block=10240), True),
    "two zstd frames": (lambda d: described(image(data=zstd(FIRMWARE) * 2, compressed="zstd"), members=[("fw.img", zstd(FIRMWARE) * 2)]), True),
    # ---- their bad cousins ----
    "encrypted, digest of what is inside": (lambda d: described(image(encrypted=True), members=[("fw.img", encrypted(FIRMWARE))]), False, "-K", "{key}"),
    "packed, digest of what is inside": (lambda d: described(image(compressed="zlib"), members=[("fw.img", GZ)]), False),
    "no trailer": (lambda d: archive(("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE), end=b"", block=4), False),
    "trailer too early": (lambda d: archive(("sw-description", GOOD), ("sw-description.sig", cms(GOOD))) + archive(("fw.img", FIRMWARE)), False),
    "empty signature": (lambda d: archive(("sw-description", GOOD), ("sw-description.sig", b""), ("fw.img", FIRMWARE)), False),
    "signature of something else": (lambda d: signed(GOOD, signature=cms(b"x")), False),
    "signature with its content": (lambda d: signed(GOOD, signature=cms(b"x", more=["-nodetach"])), False),
    "certificate not sent along": (lambda d: signed(GOOD, more=["-nocerts"]), False),
    "second signature broken": (lambda d: signed(GOOD, signature=spoilt(cms(GOOD, more=SECOND))), False),
    "image changed": (lambda d: signed(GOOD, ("fw.img", flipped(FIRMWARE, 99))), False),
    "description changed": (lambda d: signed(GOOD.replace(b"1.2.3", b"1.2.4"), signature=cms(GOOD)), False),
    "crlf after signing": (lambda d: signed(GOOD.replace(b"\n", b"\r\n"), signature=cms(GOOD)), False),
    "c_check wrong": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, check=1)), False),
    "c_check of the description wrong": (lambda d: archive(member("sw-description", GOOD, check=1), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE)), False),
    "unsigned": (lambda d: archive(("sw-description", GOOD), ("fw.img", FIRMWARE)), False),
    "signature third": (lambda d: archive(("sw-description", GOOD), ("fw.img", FIRMWARE), ("sw-description.sig", cms(GOOD))), False),
    "signature first": (lambda d: archive(("sw-description.sig", cms(GOOD)), ("sw-description", GOOD), ("fw.img", FIRMWARE)), False),
    "raw rsa": (lambda d: signed(GOOD, signature=subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", f"{swu.VECTORS}/key/code.key"], input=GOOD, check=True, capture_output=True).stdout), False),
    "other signer": (lambda d: signed(GOOD, cert="other", key="leaf"), False),
    "expired": (lambda d: signed(GOOD, cert="expired", key="leaf"), False, "--cert-purpose", "codeSigning"),
    "not yet valid": (lambda d: signed(GOOD, cert="notyet", key="leaf"), False, "--cert-purpose", "codeSigning"),
    "web server's certificate": (lambda d: signed(GOOD, cert="tls", key="leaf"), False),
    "no digest": (lambda d: described(image(sha256=None)), False),
    "digest of nothing": (lambda d: described(image(sha256="0" * 64)), False),
    "digest too short": (lambda d: described(image(sha256=sha(FIRMWARE)[:40])), False),
    "digest not hexadecimal": (lambda d: described(image(sha256="g" + sha(FIRMWARE)[1:])), False),
    "digest is a number": (lambda d: described(image(sha256=5)), False),
    "image missing": (lambda d: described(image(), image("b.img", b"b"), members=[("fw.img", FIRMWARE)]), False),
    "script missing": (lambda d: signed(description(SCRIPTED)), False),
    "script changed": (lambda d: signed(description(SCRIPTED), RUN[0], ("run.sh", SCRIPT + b"#")), False),
    "file is image and script": (lambda d: described(image(), scripts=[{"filename": "fw.img", "type": "shellscript", "sha256": sha(FIRMWARE)}]), False),
    "streamed to two": (lambda d: described(image(**{"installed-directly": True}), image(**{"installed-directly": True})), False),
    "no version": (lambda d: described(image(), version=None), False),
    "no hardware": (lambda d: described(image(), **{"hardware-compatibility": None}), False),
    "no hardware in the list": (lambda d: described(image(), **{"hardware-compatibility": Raw("[ ]")}), False),
    "nothing to install": (lambda d: described(), False),
    "unknown handler": (lambda d: described(image(type="magic")), False),
    "no handler": (lambda d: described(image(type=None, device=None)), False),
    "handler for files only": (lambda d: described(image(type="shellscript")), False),
    "boot script without handler": (lambda d: described(image(), bootenv=[{"filename": "b", "sha256": sha(b"b")}],
                                                        members=[("fw.img", FIRMWARE), ("b", b"b")]), False),
    "unknown compression": (lambda d: described(image(compressed="lzma")), False),
    "compressed, but is not": (lambda d: described(image(compressed="zlib")), False),
    "zstd, but is not": (lambda d: described(image(compressed="zstd")), False),
    "offset is no number": (lambda d: described(image(offset="far")), False),
    "software is missing": (lambda d: signed(b"hardware = { };\n"), False),
    "not libconfig": (lambda d: text(b"", "oops"), False),
    "name twice in the description": (lambda d: described(image(), version=Raw('"1"; version = "2"')), False),
    "not json": (lambda d: as_json(edit=lambda s: s[:-1]), False),
    "include": (lambda d: text(b'@include "/etc/passwd"\n'), False),
    "lists in a circle": (lambda d: signed(description(software(images=[{"ref": "#./images"}]))), False),
    "groups in a circle": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"], "testboard": {"ref": "#./testboard"}})), False),
    "link that is none": (lambda d: signed(refs("common")), False),
    "link that ends nowhere": (lambda d: signed(refs("#./nowhere")), False),
    "name too long": (lambda d: described(image("x" * 256), members=[("x" * 256, FIRMWARE)]), False),
    "name with a folder": (lambda d: described(image("a/fw.img"), members=[("a/fw.img", FIRMWARE)]), False),
    "header is none": (lambda d: signed(GOOD, b"070707" + member("fw.img", FIRMWARE)[6:]), False),
    "old binary cpio": (lambda d: swu.genuine(d, [("sw-description", GOOD), ("sw-description.sig", cms(GOOD)), ("fw.img", FIRMWARE)], "bin"), False),
    "huge size": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, size=0xFFFFFFFF)), False),
    "cut": (lambda d: signed(GOOD)[:-4000], False),
    "empty description": (lambda d: signed(b""), False),
}

# swupdate takes them, we do not: name -> (file, finding, reason). Options may follow.
STRICTER = {
    "sha-1 in cms": (lambda d: signed(GOOD, md="sha1"), "SIG-WEAK", "collisions are made in weeks"),
    "bytes behind the signature": (lambda d: signed(GOOD, signature=cms(GOOD) + b"JUNK"), "SIG-INVALID", "T5: nobody signed them"),
    "trailing bytes": (lambda d: signed(GOOD) + b"JUNK" * 200, "FMT-TRAILING-BYTES", "signed by nobody, and kept on the module"),
    "another archive behind": (lambda d: signed(GOOD) + archive(("evil", b"x")), "FMT-TRAILING-BYTES", "other readers of cpio unpack it"),
    "same member twice": (lambda d: signed(GOOD, ("fw.img", FIRMWARE), ("fw.img", FIRMWARE)), "FMT-DUPLICATE", "which one counts depends on the reader"),
    "member not listed": (lambda d: signed(GOOD, ("fw.img", FIRMWARE), ("extra", b"x")), "MEMBER-UNLISTED", "swupdate passes over it, others may not"),
    "bytes in a padding": (lambda d: described(image(data=FIRMWARE + b"x"), members=[member("fw.img", FIRMWARE + b"x", pad=b"?")]), "FMT-HIDDEN-BYTES", "signed by nobody"),
    "name leads out": (lambda d: described(image("../fw.img"), members=[("../fw.img", FIRMWARE)]), "MEMBER-UNSAFE-NAME", "it is written there"),
    "c_check in a form without": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, form="070701", check=7)), "FMT-INTEGRITY", "no tool writes it"),
    "odd digits in a header": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, mtime=b"  123456")), "FMT-MALFORMED", "readers differ on what it means"),
    "odd digits in a size": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, size=b"  001388")), "FMT-MALFORMED", "readers differ on what it means"),
    "digest with a blank": (lambda d: described(image(data=LEADING, sha256=" " + sha(LEADING)[1:]), members=[("fw.img", LEADING)]), "MEMBER-NO-DIGEST", "read as a zero"),
    "name behind a nul": (lambda d: signed(GOOD, member(b"fw.img\0hidden\0", FIRMWARE)), "FMT-MALFORMED", "bytes that one reader sees"),
    "not a regular file": (lambda d: signed(GOOD, member("fw.img", FIRMWARE, mode=0o120777)), "FMT-MALFORMED", "another reader makes a symbolic link"),
    "boot script without a digest": (lambda d: described(image(), bootenv=[{"filename": "b", "type": "uboot"}],
                                                         members=[("fw.img", FIRMWARE), ("b", b"x=1")]), "MEMBER-NO-DIGEST",
                                     "swupdate asks images and scripts for digests, not these"),
    "file of a handler without data": (lambda d: described(image(), scripts=[{"filename": "b", "type": "readback"}],
                                                           members=[("fw.img", FIRMWARE), ("b", b"x")]), "MEMBER-NO-DIGEST",
                                       "swupdate asks no digest of such a handler, with a file or not"),
    "entry without filename": (lambda d: described(image(), image(filename=None)), "FMT-UNKNOWN-PART", "passed over"),
    "attribute of the wrong type": (lambda d: described(image(**{"installed-directly": "true"})), "FMT-MALFORMED", "passed over by one parser, written over memory by the other"),
    "version is a number": (lambda d: described(image(), version=3), "FMT-MALFORMED", "passed over: the version is then empty"),
    "integer beyond 32 bits": (lambda d: described(image(offset=Raw("4294967296"))), "FMT-MALFORMED", "wrapped: 4 GiB becomes 0"),
    "integer beyond 64 bits": (lambda d: described(image(offset=Raw("18446744073709551616L"))), "FMT-MALFORMED", "wrapped"),
    "gzip cut": (lambda d: described(image(data=GZ[:-20], compressed="zlib"), members=[("fw.img", GZ[:-20])]), "FMT-MALFORMED", "swupdate installs what came out so far"),
    "two gzip members": (lambda d: described(image(data=GZ + GZ, compressed="zlib"), members=[("fw.img", GZ + GZ)]), "FMT-HIDDEN-BYTES", "swupdate stops at the first, gunzip(1) does not"),
    "two things named alike in json": (lambda d: as_json(edit=lambda s: s.replace('"version"', '"version": "9", "version"')), "FMT-MALFORMED", "the last one counts, elsewhere the first"),
    "bytes behind the json": (lambda d: as_json(edit=lambda s: s + "\0 and more"), "FMT-MALFORMED", "read up to the NUL"),
    "fraction in json": (lambda d: as_json(software(image(more=1.5))), "FMT-MALFORMED", "no attribute is one"),
    "other set without a digest": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"],
                                                                 "stable": {"one": {"images": [image()]}, "two": {"images": [image(sha256=None)]}}})),
                                   "MEMBER-NO-DIGEST", "which set a module takes is not known here", "-e", "stable,one"),
    "other set without a file": (lambda d: signed(description({"version": "1", "hardware-compatibility": ["1.0"],
                                                               "stable": {"one": {"images": [image()]}, "two": {"images": [image("b", b"b")]}}})),
                                 "MEMBER-MISSING", "the same", "-e", "stable,one"),
    "link to nothing beside an image": (lambda d: described(image(), {"ref": "#./nowhere"}), "FMT-MALFORMED", "passed over"),
    "escape of libconfig's own making": (lambda d: described(image(), description=Raw('"\\q"')), "FMT-MALFORMED", "differs from version to version"),
}


PROFILE = """
profile = {
	name = "acme"; supplier = "acme"; listeners = [ "plain" ]; hosts = [ "fota.example" ];
	path = "/fw/{product}/{to}.swu";
	captures = { product = { class = "word"; max = 16; }; to = { class = "version"; max = 16; }; };
	product = "capture:product"; target_version = "capture:to"; version_order = "dotted";
	identity = ( { class = "C"; kind = "address"; from = "source_address"; } );
	networks = ( { cidr = "10.20.0.0/16"; } );
	upstream = "https://up.example/{product}/{to}";
	signature = { scheme = "embedded"; format = "swu"; %s };
	quorum = 2;
};
"""


class Device:
    """A device's anchors and purpose, as swupdate's options and as our profile."""

    def __init__(self, folder):
        anchors = folder / "keys" / "anchors"
        anchors.mkdir(parents=True)
        self.folder, self.chain, self.key = folder, anchors / "chain.pem", folder / "aes"
        self.key.write_text(f"{AES_KEY} {AES_IV}\n")
        self.chain.write_text("".join(open(f"{swu.VECTORS}/cert/{c}.pem").read() for c in ("root", "inter")))
        shutil.copy(f"{swu.VECTORS}/key/code.pub", anchors / "code.pem")

    def profile(self, name, signature):
        d = self.folder / name
        (d / "profiles.d").mkdir(parents=True, exist_ok=True)
        (d / "fotagate.conf").write_text(
            f'keys_dir = "{self.folder / "keys"}";\nlisteners = ( {{ name = "plain"; address = "127.0.0.1"; port = 8080; }} );\n'
            'suppliers = ( { name = "acme"; legal_entity = "ACME Ltd"; country = "DE"; } );\n')
        (d / "profiles.d" / "acme.conf").write_text(PROFILE % signature)
        return ["--profile", "acme", "-c", d / "fotagate.conf"]

    def inspect(self, file, args):
        r = subprocess.run([FOTAGATE, "inspect", "--json", *args, file], capture_output=True, timeout=60)
        assert r.returncode in (0, 1), r.stderr.decode()
        return json.loads(r.stdout)

    def theirs(self, file, options):
        tmp = file.parent / "tmp"
        tmp.mkdir(exist_ok=True)
        options = [str(self.key) if o == "{key}" else o for o in options]
        said = "it hung each time"
        for _ in range(20):
            try:
                r = subprocess.run([*ALONE, "swupdate", "-v", "-c", "-k", self.chain, "-H", "testboard:1.0", "-i", file, *options],
                                   capture_output=True, env={**os.environ, "TMPDIR": str(tmp)}, timeout=20)
            except subprocess.TimeoutExpired:
                continue  # the same race, lost by both: it waits for itself, and says nothing either way
            said = (r.stdout + r.stderr).decode(errors="replace")
            # The installer's word: what its front end makes of it, exit status too, depends on how the two race.
            if "SWUPDATE successful !" in said:
                return True, said
            if "Not installing" in said or "Installation failed" in said:
                break
        return False, said  # also when it died of it: links in a circle overflow its stack


class Judged:
    """What both said of one file."""

    def __init__(self, device, args, file, options):
        self.theirs, self.said = device.theirs(file, options)
        self.doc = device.inspect(file, args["code" if "codeSigning" in options else "email"])
        self.ids = {f["id"] for f in self.doc["findings"]}
        # A module may refuse what is unknown here, and what was not looked at: that is not yes.
        self.ours = self.doc["verdict"] != "blocked" and not self.ids & {"FMT-UNKNOWN-PART", "FMT-WALK-LIMIT", "MEMBER-UNLISTED"}


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    return Device(tmp_path_factory.mktemp("d"))


@pytest.fixture(scope="module")
def judged(device, tmp_path_factory):
    top = tmp_path_factory.mktemp("s")
    args = {"email": device.profile("email", 'anchors = [ "chain.pem" ]; purpose = "email";'),
            "code": device.profile("code", 'anchors = [ "chain.pem" ]; purpose = "code-signing";')}
    rows = {**{n: (v[0], v[2:]) for n, v in SAME.items()}, **{n: (v[0], v[3:]) for n, v in STRICTER.items()}}
    assert len(rows) == len(SAME) + len(STRICTER)

    def one(item):
        i, (name, (make, options)) = item
        folder = top / str(i)
        folder.mkdir()
        (folder / "x.swu").write_bytes(make(folder / "made"))
        return name, Judged(device, args, folder / "x.swu", options)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(pool.map(one, enumerate(rows.items())))


def test_enough_variants():
    assert len(SAME) + len(STRICTER) >= 40


@pytest.mark.parametrize("name", SAME)
def test_same_answer(judged, name):
    j, want = judged[name], SAME[name][1]
    assert j.theirs == want, j.said
    assert j.ours == want, j.doc["findings"]


@pytest.mark.parametrize("name", STRICTER)
def test_stricter_on_purpose(judged, name):
    j = judged[name]
    assert j.theirs, j.said
    assert not j.ours and STRICTER[name][1] in j.ids, j.doc["findings"]


@pytest.mark.parametrize("scheme,salt,want", [
    ("by-type", None, "acceptable"), ("rsa-pkcs1v15-sha256", None, "acceptable"), ("rsa-pss-sha256", 32, "acceptable"),
    ("rsa-pss-sha256-long", -2, "acceptable"), ("rsa-pss-sha256", -2, "blocked"), ("rsa-pss-sha256-long", 32, "blocked"),
    ("rsa-pss-sha256", None, "blocked")])
def test_raw_signature_as_the_profile_says(device, tmp_path, scheme, salt, want):
    """SWUpdate built for bare keys, which Debian's is not: signed as its manual says, with openssl."""
    args = device.profile("raw", f'anchors = [ "code.pem" ]; key_scheme = "{scheme}";')
    file = tmp_path / "x.swu"
    file.write_bytes(signed(GOOD, signature=swu.raw(GOOD) if salt is None else swu.pss(GOOD, salt)))
    doc = device.inspect(file, args)
    assert doc["verdict"] == want, doc["findings"]
    if want == "acceptable":
        assert doc["signatures"][0]["scheme"].startswith("swu/rsa-")
        assert [m["vouched"] for m in doc["contents"]["members"]] == ["inside", "digest"]


GPG = ["gpg", "--batch", "-q", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]


@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
def test_openpgp_as_gnupg_judges(device, tmp_path):
    """SWUpdate built for GnuPG, which Debian's is not, asks it for one good signature (corelib/swupdate_gpg_verify.c): so is it here."""
    homes = {name: tmp_path / name for name in ("vendor", "other")}
    trust = tmp_path / "trust"
    trust.mkdir()

    def gpg(name, *args, data=None):
        return subprocess.run([*GPG, "--homedir", homes[name], *args], input=data, capture_output=True, timeout=60)
    try:
        for name, home in homes.items():
            home.mkdir(mode=0o700)
            assert gpg(name, "--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "sign", "0").returncode == 0
        (trust / "vendor.key").write_bytes(gpg("vendor", "--export").stdout)
        rows = [(gpg("vendor", "-b", *more, data=data).stdout, GOOD, good) for more, data, good in (
            ((), GOOD, True), (("-a",), GOOD, True), ((), GOOD + b" ", False), (("--textmode",), GOOD, True))]
        rows.append((gpg("other", "-b", data=GOOD).stdout, GOOD, False))
        for i, (sig, text_, good) in enumerate(rows):
            (tmp_path / "sig").write_bytes(sig)
            theirs = gpg("vendor", "--status-fd", "1", "--verify", tmp_path / "sig", "-", data=text_)
            assert (b"GOODSIG" in theirs.stdout) == good, (i, theirs.stderr)
            file = tmp_path / "x.swu"
            file.write_bytes(signed(text_, signature=sig))
            doc = device.inspect(file, ["--trust", trust])
            # Line ends of a text do not count for its signature, and do for whoever reads it.
            want = "acceptable" if good and i != 3 else "blocked"
            assert doc["verdict"] == want, (i, doc["findings"])
            assert {s["scheme"] for s in doc["signatures"]} == {"swu/openpgp"}
    finally:
        for home in homes.values():
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True)
