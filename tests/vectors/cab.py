# SPDX-License-Identifier: Apache-2.0
"""Makes cabinet archives with signatures in a Jcat file, as fwupd takes them, and such as nobody would.

    cab.py DIRECTORY     the files that tests/unit/images wants, with the keys of pki.sh that lie beside it

gcab, jcat-tool and fwupdtool make and judge them in tests/integration/test_formats_fwupd.py.
"""
import base64
import gzip
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import openpgp  # noqa: E402

VECTORS = os.environ.get("FG_VECTORS") or os.path.join(os.environ.get("FG_BIN", ""), "..", "vectors")
FIRMWARE = bytes(i * i >> 3 & 0xFF for i in range(70000))
KINDS = {"sha256": 1, "gpg": 2, "pkcs7": 3, "sha1": 4, "ed25519": 9, "sha512": 10}


def metainfo(digest=None, version="1.2.3", filename="firmware.bin", extra="", head=""):
    digest = digest or hashlib.sha256(FIRMWARE).hexdigest()
    return f"""<?xml version="1.0" encoding="utf-8"?>
{head}<!-- of the vendor's -->
<component type="firmware">
  <id>com.example.Modem.firmware</id>
  <name>Modem &amp; GNSS</name>
  <provides>
    <firmware type="flashed">84f40464-9272-4ef7-9399-cd95f12da696</firmware>
  </provides>
  <releases>
    <release urgency="high" version="{version}" timestamp="1700000000">
      <checksum type="sha256" filename="{filename}" target="content">{digest}</checksum>
      <description><p>Less noise.</p></description>
    </release>
    <release version="1.0.0" timestamp="1600000000"/>
  </releases>
  <requires><id compare="ge" version="1.0.1">org.freedesktop.fwupd</id></requires>{extra}
</component>
""".encode()


def pkcs7(data, cert="code", key=None, also=()):
    """Detached, as jcat-tool has it: without signed attributes, armoured as PKCS7."""
    run = ["openssl", "smime", "-sign", "-binary", "-noattr", "-outform", "PEM", "-md", "sha256",
           "-signer", f"{VECTORS}/cert/{cert}.pem", "-inkey", f"{VECTORS}/key/{key or cert}.key",
           "-certfile", f"{VECTORS}/cert/inter.pem"]
    for other in also:
        run += ["-signer", f"{VECTORS}/cert/{other}.pem", "-inkey", f"{VECTORS}/key/{other}.key"]
    return subprocess.run(run, input=data, check=True, capture_output=True,
                          env={**os.environ, "OPENSSL_CONF": "/dev/null"}).stdout


def ed25519(data, key="ed25519"):
    from cryptography.hazmat.primitives import serialization
    with open(f"{VECTORS}/key/{key}.key", "rb") as f:
        return serialization.load_pem_private_key(f.read(), None).sign(data)


def blob(kind, data, target=None, **more):
    """Text where it is text, else base64."""
    number = KINDS.get(kind, kind)
    try:
        text, flags = data.decode("ascii"), 1
    except UnicodeDecodeError:
        text, flags = base64.b64encode(data).decode(), 0
    made = {"Kind": number, "Flags": flags, "Timestamp": 1700000000, "Data": text}
    if target:
        made["Target"] = KINDS[target]
    return {**made, **more}


def checksum(data, kind="sha256"):
    return blob(kind, hashlib.new(kind, data).hexdigest().encode())


def item(name, *blobs, **more):
    return {"Id": name, "Blobs": list(blobs), **more}


def jcat(*items, major=0, **more):
    return gzip.compress(json.dumps({"JcatVersionMajor": major, "JcatVersionMinor": 1, "Items": list(items), **more}).encode(), mtime=0)


def sums(data, seed=0):
    total, tail = seed, len(data) & 3
    for i in range(0, len(data) - tail, 4):
        total ^= int.from_bytes(data[i:i + 4], "little")
    return total ^ int.from_bytes(data[len(data) - tail:], "big")


def block(packed, plain, right=True):
    head = struct.pack("<HH", len(packed), plain)
    return struct.pack("<I", (sums(head, sums(packed)) + (not right)) & 0xFFFFFFFF) + head + packed


def folder(data, mszip=True, right=True, behind=b""):
    """The blocks of one folder."""
    out, window = [], b""
    for at in range(0, len(data), 32768):
        part = data[at:at + 32768]
        if mszip:
            c = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, window) if window else zlib.compressobj(9, zlib.DEFLATED, -15)
            out.append(block(b"CK" + c.compress(part) + c.flush() + behind, len(part), right))
            window = part
        else:
            out.append(block(part, len(part), right))
    return out


def cabinet(*files, mszip=True, folders=1, attributes=0x20, flags=0, gap=b"", behind=b"", right=True, inner=b"", size=None, how=None):
    """files: (name, data); spread over so many folders."""
    groups = [files[i::folders] for i in range(folders)] if folders > 1 else [files]
    blocks = [folder(b"".join(d for _, d in g), mszip, right, inner) for g in groups]
    entries = b""
    for number, group in enumerate(groups):
        start = 0
        for name, data in group:
            entries += struct.pack("<IIHHHH", len(data), start, number, 0x5a21, 0x6000, attributes) + name.encode() + b"\0"
            start += len(data)
    at = 36 + 8 * folders + len(gap) + len(entries)
    table, body = b"", b""
    for chain in blocks:
        table += struct.pack("<IHH", at + len(body), len(chain), how if how is not None else int(mszip))
        body += b"".join(chain)
    total = at + len(body)
    return (b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, total if size is None else size, 0, 36 + 8 * folders + len(gap), 0, 3, 1, folders,
                                  len(files), flags, 0, 0) + table + gap + entries + body + behind)


def usual():
    """What the LVFS hands out: firmware, metadata and the signatures of both."""
    meta = metainfo()
    fw = item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", pkcs7(FIRMWARE)))
    about = item("firmware.metainfo.xml", checksum(meta), blob("pkcs7", pkcs7(meta)))
    return {"meta": meta, "fw": fw, "about": about}


def main(folder_):
    global VECTORS
    out = pathlib.Path(folder_).resolve()
    if (out.parent / "cert").is_dir():
        VECTORS = str(out.parent)
    out.mkdir(parents=True, exist_ok=True)
    u = usual()
    meta = u["meta"]

    def write(name, data):
        (out / f"{name}.cab").write_bytes(data)

    def archive(name, *items, files=(), fw=FIRMWARE, about=meta, **how):
        write(name, cabinet(("firmware.metainfo.xml", about), ("firmware.bin", fw), ("firmware.jcat", jcat(*items)), *files, **how))

    archive("plain", u["about"], u["fw"])
    archive("stored", u["about"], u["fw"], mszip=False)
    archive("folders", u["about"], u["fw"], folders=3)
    sums_ = [checksum(FIRMWARE, k) for k in ("sha1", "sha256", "sha512")]
    archive("checksums", u["about"], item("firmware.bin", *sums_, u["fw"]["Blobs"][1]))
    archive("ed25519", item("firmware.metainfo.xml", checksum(meta), blob("ed25519", ed25519(meta))),
            item("firmware.bin", checksum(FIRMWARE), blob("ed25519", ed25519(FIRMWARE))))
    text = hashlib.sha256(FIRMWARE).hexdigest().encode()
    said = hashlib.sha256(meta).hexdigest().encode()
    archive("target", item("firmware.metainfo.xml", checksum(meta), blob("ed25519", ed25519(said), "sha256")), item("firmware.bin", checksum(FIRMWARE), blob("ed25519", ed25519(text), "sha256")))
    text = hashlib.sha1(FIRMWARE).hexdigest().encode()
    archive("target-sha1", u["about"], item("firmware.bin", checksum(FIRMWARE, "sha1"), blob("ed25519", ed25519(text), "sha1")))
    key = openpgp.Key("ed25519")
    (out / "vendor.key").write_bytes(openpgp.cert(key))
    gpg = [blob("gpg", openpgp.armour(key.sign(d))) for d in (meta, FIRMWARE)]
    archive("gpg", item("firmware.metainfo.xml", checksum(meta), gpg[0]), item("firmware.bin", checksum(FIRMWARE), gpg[1]))
    loud = blob("gpg", openpgp.armour(key.sign(FIRMWARE), head="Comment: " + "x" * 1000))
    archive("gpg-comment", item("firmware.metainfo.xml", checksum(meta), gpg[0]), item("firmware.bin", checksum(FIRMWARE), loud))
    more = openpgp.sub(16, key.fpr[-8:]) + openpgp.sub(100, b"x" * 1000)
    loud = blob("gpg", openpgp.armour(key.sign(FIRMWARE, unhashed=more)))
    archive("gpg-subpacket", item("firmware.metainfo.xml", checksum(meta), gpg[0]), item("firmware.bin", checksum(FIRMWARE), loud))
    with_name = bytearray(jcat(u["about"], u["fw"]))
    with_name[3] = 8
    with_name[10:10] = b"anything\0"
    write("gzip-name", cabinet(("firmware.metainfo.xml", meta), ("firmware.bin", FIRMWARE), ("firmware.jcat", bytes(with_name))))
    archive("two-signatures", u["about"], item("firmware.bin", *u["fw"]["Blobs"], gpg[1]))
    write("beside", cabinet(("firmware.bin", FIRMWARE), ("firmware.bin.asc", openpgp.armour(key.sign(FIRMWARE)))))
    write("beside-pkcs7", cabinet(("firmware.bin", FIRMWARE), ("firmware.bin.p7b", pkcs7(FIRMWARE))))
    write("beside-wrong", cabinet(("firmware.bin", FIRMWARE + b"x"), ("firmware.bin.asc", openpgp.armour(key.sign(FIRMWARE)))))
    # One object of two signers, one of whom nobody trusts.
    both = pkcs7(FIRMWARE, also=("self",))
    write("beside-stranger", cabinet(("firmware.bin", FIRMWARE), ("firmware.bin.p7b", both)))
    archive("stranger", u["about"], item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", both)))
    # The firmware by the metadata's word alone.
    archive("by-metadata", u["about"])
    # --- what must not pass
    archive("checksum-alone", item("firmware.metainfo.xml", checksum(meta)), item("firmware.bin", checksum(FIRMWARE)))
    archive("no-checksum", u["about"], item("firmware.bin", u["fw"]["Blobs"][1]), about=meta)
    write("no-jcat", cabinet(("firmware.metainfo.xml", meta), ("firmware.bin", FIRMWARE)))
    archive("other-firmware", u["about"], u["fw"], fw=FIRMWARE[:-1] + b"x")
    archive("wrong-checksum", u["about"], item("firmware.bin", checksum(FIRMWARE[1:]), u["fw"]["Blobs"][1]))
    archive("one-checksum-wrong", u["about"], item("firmware.bin", checksum(FIRMWARE), checksum(FIRMWARE[1:], "sha1"), u["fw"]["Blobs"][1]))
    archive("signature-of-another", u["about"], item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", pkcs7(meta))))
    archive("other-vendor", u["about"], item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", pkcs7(FIRMWARE, "impostor"))))
    archive("expired", u["about"], item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", pkcs7(FIRMWARE, "expired", "leaf"))))
    archive("names-swapped", item("firmware.bin", *u["about"]["Blobs"]), item("firmware.metainfo.xml", *u["fw"]["Blobs"]))
    archive("alias", u["about"], {**u["fw"], "Id": "other.bin", "AliasIds": ["firmware.bin"]})
    archive("alias-too", u["about"], {**u["fw"], "AliasIds": ["x.bin"]})
    archive("item-twice", u["about"], u["fw"], u["fw"])
    archive("item-without-file", u["about"], u["fw"], item("more.bin", checksum(b"x")))
    archive("unlisted", u["about"], u["fw"], files=(("more.bin", b"anything"),))
    archive("unknown-kind", u["about"], item("firmware.bin", *u["fw"]["Blobs"], blob(6, b"origin\n1\n")))
    write("unknown-word", cabinet(("firmware.bin", FIRMWARE), ("firmware.jcat", jcat(u["fw"], Comment="x" * 100))))
    write("version-1", cabinet(("firmware.bin", FIRMWARE), ("firmware.jcat", jcat(u["fw"], major=1))))
    archive("metadata-lies", item("firmware.metainfo.xml", checksum(metainfo("0" * 64)), blob("pkcs7", pkcs7(metainfo("0" * 64)))), u["fw"], about=metainfo("0" * 64))
    for name, bad in (("doctype", metainfo(head='<!DOCTYPE component [<!ENTITY v "9">]>\n', version="&v;")), ("entity", metainfo(version="&v;")),
                      ("cdata", metainfo(extra="<![CDATA[x]]>")), ("cut", metainfo()[:-15]), ("two-roots", metainfo() + b"<x/>")):
        archive(f"metadata-{name}", item("firmware.metainfo.xml", checksum(bad), blob("pkcs7", pkcs7(bad))), u["fw"], about=bad)
    write("two-jcats", cabinet(("firmware.bin", FIRMWARE), ("a.jcat", jcat(u["fw"])), ("b.jcat", jcat(u["fw"]))))
    write("jcat-and-more", cabinet(("firmware.bin", FIRMWARE), ("firmware.jcat", jcat(u["fw"]) + b"more")))
    write("jcat-bomb", cabinet(("firmware.bin", FIRMWARE), ("firmware.jcat", gzip.compress(b'{"JcatVersionMajor":0,' + b" " * (3 << 20) + b"}"))))
    write("duplicate", cabinet(("firmware.bin", FIRMWARE), ("firmware.bin", b"x"), ("firmware.jcat", jcat(u["fw"]))))
    write("unsafe-name", cabinet(("../firmware.bin", FIRMWARE), ("firmware.jcat", jcat(item("../firmware.bin", *u["fw"]["Blobs"])))))
    pem = pkcs7(FIRMWARE)
    archive("text-around", u["about"], item("firmware.bin", checksum(FIRMWARE), blob("pkcs7", pem + b"anything\n")))
    # --- the cabinet
    archive("runs", u["about"], u["fw"], attributes=0x60)
    archive("hidden-attribute", u["about"], u["fw"], attributes=0x22)
    archive("behind", u["about"], u["fw"], behind=b"anything")
    archive("gap", u["about"], u["fw"], gap=b"anything")
    archive("wrong-sum", u["about"], u["fw"], right=False)
    archive("inside-a-block", u["about"], u["fw"], inner=b"hidden")
    archive("reserved-areas", u["about"], u["fw"], flags=4)
    archive("of-a-set", u["about"], u["fw"], flags=1)
    archive("lzx", u["about"], u["fw"], how=0x1503)
    archive("too-short", u["about"], u["fw"], size=100000)
    (out / "alone.jcat").write_bytes(jcat(u["fw"], u["about"]))


if __name__ == "__main__":
    main(sys.argv[1])
