# SPDX-License-Identifier: Apache-2.0
"""Makes .swu files as build systems do (cpio(1), openssl(1)), and such as none would.

    swu.py DIRECTORY     the files that tests/unit/images wants, with the keys of pki.sh that lie beside it
    swu.py --seeds DIR   what tests/fuzz/corpus holds of them; by hand, DIR is that folder
"""
import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import openpgp

VECTORS = os.environ.get("FG_VECTORS") or os.path.join(os.environ.get("FG_BIN", ""), "..", "vectors")
FIRMWARE = bytes(i * 7 & 0xFF for i in range(5000))
SCRIPT = b"#!/bin/sh\nexit 0\n"
AES_KEY, AES_IV = "11" * 32, "22" * 16
PGP = openpgp.Key("ed25519")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def image(name="fw.img", data=FIRMWARE, device="/dev/null", **more):
    """An entry of images; None leaves an attribute out."""
    return {"filename": name, "device": device, "type": "raw", "sha256": sha(data), **more}


def libconfig(value, depth=0):
    """Text of libconfig's; lists of groups in (), of texts in []."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Raw)):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        inner = ", ".join(libconfig(v, depth + 1) for v in value)
        return f"[ {inner} ]" if value and isinstance(value[0], str) else f"( {inner} )"
    body = "".join("\t" * (depth + 1) + f"{k} = {libconfig(v, depth + 1)};\n" for k, v in value.items() if v is not None)
    return "{\n" + body + "\t" * depth + "}"


class Raw(str):
    """Goes into the description as it is."""


def software(*images, **more):
    """The usual group: version, hardware, images."""
    group = {"version": "1.2.3", "hardware-compatibility": ["1.0"], **more}
    if images:
        group["images"] = list(images)
    return group


def description(group):
    return f"software = {libconfig(group)};\n".encode()


def cms(data, cert="email", key=None, md="sha256", more=()):
    """Detached CMS in DER over data, by openssl, its issuer sent along."""
    run = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap", "-md", md,
           "-signer", f"{VECTORS}/cert/{cert}.pem", "-inkey", f"{VECTORS}/key/{key or cert}.key",
           "-certfile", f"{VECTORS}/cert/inter.pem", *more]
    return subprocess.run(run, input=data, check=True, capture_output=True,
                          env={**os.environ, "OPENSSL_CONF": "/dev/null"}).stdout


def member(name, data, form="070702", **fields):
    """One member, aligned; fields override what the header says."""
    raw = name if isinstance(name, bytes) else name.encode() + b"\0"
    head = {"ino": 1, "mode": 0o100644, "uid": 0, "gid": 0, "nlink": 1, "mtime": 0, "size": len(data), "major": 0,
            "minor": 0, "rmajor": 0, "rminor": 0, "namesize": len(raw),
            "check": sum(data) & 0xFFFFFFFF if form == "070702" else 0}
    hexed = fields.pop("hexed", "%08X")
    pad = fields.pop("pad", b"\0")
    head.update(fields)
    out = form.encode() + b"".join(v if isinstance(v, bytes) else (hexed % v).encode() for v in head.values()) + raw
    out += b"\0" * (-len(out) % 4) + data
    return out + pad * (-len(out) % 4)


TRAILER = member("TRAILER!!!", b"", form="070701", ino=0, mode=0)


def archive(*members, end=TRAILER, block=512):
    """Members as made by member() or (name, data); padded as cpio(1) does."""
    out = b"".join(m if isinstance(m, bytes) else member(*m) for m in members) + end
    return out + b"\0" * (-len(out) % block)


def genuine(folder, files, form="crc"):
    """What cpio(1) makes of files, in this order."""
    folder.mkdir(exist_ok=True)
    for name, data in files:
        (folder / name).write_bytes(data)
    return subprocess.run(["cpio", "--quiet", "-o", "-H", form], input="\n".join(n for n, _ in files).encode() + b"\n",
                          check=True, capture_output=True, cwd=folder).stdout


def signed(text, *members, signature=None, **how):
    """The archive around a description: its signature, then members, or one firmware."""
    rest = members or (("fw.img", FIRMWARE),)
    return archive(("sw-description", text), ("sw-description.sig", signature or cms(text, **how)), *rest)


def raw(data, *options):
    """A raw signature by the RSA key of pki.sh."""
    return subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{VECTORS}/key/code.key", *options], input=data,
                          check=True, capture_output=True).stdout


def pss(data, salt):
    return raw(data, "-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{salt}")


SCRIPT_ENTRY = {"filename": "run.sh", "type": "shellscript", "sha256": sha(SCRIPT)}


def encrypted(data):
    """As swupdate's manual has it for a key and initial value of a file."""
    return subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", AES_KEY, "-iv", AES_IV], input=data, check=True,
                          capture_output=True).stdout


def enveloped(data):
    """The same for a device that has a private key."""
    return subprocess.run(["openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", f"{VECTORS}/cert/email.pem"],
                          input=data, check=True, capture_output=True).stdout


def samples(folder):
    """Name -> bytes of a few sound files, the first two by cpio(1)."""
    good = description(software(image(), description="sample"))
    packed = gzip.compress(FIRMWARE, mtime=0)
    both = description(software(image(data=packed, compressed="zlib"), scripts=[SCRIPT_ENTRY]))
    files = [("sw-description", good), ("sw-description.sig", cms(good)), ("fw.img", FIRMWARE)]
    return {
        "crc": genuine(folder, files),
        "newc": genuine(folder, files, "newc"),
        "json": signed(json.dumps({"software": software(image())}).encode()),
        "packed": signed(both, ("fw.img", packed), ("run.sh", SCRIPT)),
        "pkcs1": signed(good, signature=raw(good)),
        "pss-32": signed(good, signature=pss(good, 32)),
        "pss-max": signed(good, signature=pss(good, -2)),
        "sha1": signed(good, md="sha1"),
        "two": signed(good, more=["-signer", f"{VECTORS}/cert/other.pem", "-inkey", f"{VECTORS}/key/leaf.key"]),
        "pgp": signed(good, signature=PGP.sign(good)),
        "pgp-armoured": signed(good, signature=openpgp.armour(PGP.sign(good))),
        "pgp-two": signed(good, signature=openpgp.Key("p256").sign(good) + PGP.sign(good)),
        "pgp-other": signed(good, signature=openpgp.Key("ed25519").sign(good)),
        "pgp-changed": signed(good, signature=PGP.sign(good + b" ")),
        "pgp-text": signed(good, signature=PGP.sign(good.replace(b"\n", b"\r\n"), 1)),
        "pgp-sha1": signed(good, signature=PGP.sign(good, algo=2)),
        "pgp-cut": signed(good, signature=PGP.sign(good)[:-1]),
        "pgp-message": signed(good, signature=openpgp.armour(PGP.sign(good), "PGP MESSAGE")),
        "pgp-header": signed(good, signature=openpgp.armour(PGP.sign(good), head="Comment: " + "x" * 80)),
        "pgp-version": signed(good, signature=openpgp.armour(PGP.sign(good), head="Version: GnuPG v1")),
        "pgp-loose": signed(good, signature=PGP.sign(good, unhashed=openpgp.sub(16, PGP.fpr[-8:]) + openpgp.sub(33, b"\x05" + b"x" * 300))),
        "encrypted": signed(encrypted(good), signature=cms(good)),
        "encrypted-pgp": signed(encrypted(good), signature=PGP.sign(good)),
        "encrypted-raw": signed(encrypted(good), signature=raw(good)),
        "enveloped": signed(enveloped(good), signature=cms(good)),
        "unsigned": archive(("sw-description", good), ("fw.img", FIRMWARE)),
    }


def seeds():
    """Small files and bare descriptions for fuzz_swu, small archives for fuzz_cpio."""
    tiny = image(data=b"x")
    text = b'software={version="1";hardware-compatibility=["1"];images=({filename="f";device="d";sha256="%s";});};' % sha(b"x").encode()
    nested = {"version": "1", "hardware-compatibility": ["1.0", "#RE:^2"], "stable": {"one": {"ref": "#./two"}, "two": {
        "images": [{"ref": "#../../common"}]}}, "common": [tiny], "board": {"ref": "#./stable"},
        "scripts": [SCRIPT_ENTRY, {"type": "readback"}], "bootenv": [{"name": "a", "value": "b"}], "embedded-script": "f()"}
    full = software({**tiny, "compressed": "zstd", "offset": "16KiB", "encrypted": True, "installed-directly": True,
                     "install-if-higher": True, "properties": {"a": "b"}}, partitions=[{"type": "diskpart", "device": "/dev/x"}])
    gz = gzip.compress(b"x" * 100, mtime=0)
    packed = text.replace(b'device', b'compressed="zlib";device').replace(sha(b"x").encode(), sha(gz).encode())
    return {
        "swu/sig": archive(("sw-description", text), ("sw-description.sig", b"0\x10\x06\x09*"), ("f", b"x"), block=4),
        "swu/unsigned": archive(("sw-description", text), member("f", b"x", form="070701"), block=4),
        "swu/gzip": archive(("sw-description", packed), ("f", gz), block=4),
        "swu/nested": description(nested), "swu/full": description(full), "swu/json": json.dumps({"software": nested}).encode(),
        "swu/words": b"/* c */ a = 0x7fffffff; b = -1L; c = 1.5e3; d = TRUE; e = [ 1, 2 ]; f = \"a\" \"\\x41\"; # end\n",
        "cpio/two": archive(("a", b"x"), block=4) + archive(member("d", b"", mode=0o40755), ("d/b", b"yz")),
    }


def main():
    global VECTORS
    out = pathlib.Path(sys.argv[-1])
    if sys.argv[1] == "--seeds":
        made = seeds()
    else:
        VECTORS = str(out.parent)
        out.mkdir(exist_ok=True)
        made = samples(out / "made")
        made["pgp.key"] = openpgp.cert(PGP)
    for name, data in made.items():
        (out / name).write_bytes(data)


if __name__ == "__main__":
    main()
