#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""MCUboot images, good and bad, written from the format's documentation (MCUboot, docs/design.md and
docs/imgtool.md) with python3-cryptography, so that nothing of ours is asked what it should answer.

    mcuboot.py DIRECTORY

DIRECTORY/key/*.pem    public keys       DIRECTORY/*.bin    images
"""
import hashlib
import lzma
import os
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PKCS1 = (serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
SHA = {"256": (0x10, hashlib.sha256), "384": (0x11, hashlib.sha384), "512": (0x12, hashlib.sha512)}
BODY = bytes(range(96))
# With branches (BL) for the filter to change, and repeats for the packer.
CODE = b"".join(struct.pack("<HHI", 0xF000 | i & 7, 0xF800 | i & 0x7FF, i // 16) for i in range(900))
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
WIDE = struct.pack("<H", 32) + bytes.fromhex("2de15d29410b8d77679c110f1f8a")

LOW = b"\1" + bytes(31)  # the neutral point: as a key it fits every message

KEYS = {
    "rsa2048": rsa.generate_private_key(65537, 2048),
    "rsa3072": rsa.generate_private_key(65537, 3072),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "other": ed25519.Ed25519PrivateKey.generate(),
    "p224": ec.generate_private_key(ec.SECP224R1()),
}


def record(kind, data):
    return struct.pack("<HH", kind, len(data)) + data


def area(magic, records):
    data = b"".join(record(k, d) for k, d in records)
    return struct.pack("<HH", magic, len(data) + 4) + data


def public(key):
    return key.public_key().public_bytes(*(PKCS1 if isinstance(key, rsa.RSAPrivateKey) else SPKI))


def sign(key, message, digest, salt=32, pure=False):
    """The record that a signature makes: type and bytes."""
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        return (0x20 if key.key_size == 2048 else 0x23), key.sign(message, pss, hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return 0x24, key.sign(message if pure else digest)
    kind = hashes.SHA384() if key.key_size == 384 else hashes.SHA256()
    return (0x21 if key.key_size == 224 else 0x22), key.sign(message, ec.ECDSA(kind))


def header(body, guarded, flags=0, version=(1, 2, 3, 4), size=32, magic=0x96F3B83D, load=0, pad=0, fill=b"\0"):
    return struct.pack("<IIHHIIBBHII", magic, load, size, guarded, len(body), flags, *version, pad).ljust(size, fill)


def image(keys, sha="256", guarded=None, body=BODY, pure=False, named="hash", extra=(), before=(), clear=None,
          mutate=None, salt=32, padded=None, **head):
    """One image signed by keys in order. clear: what is hashed instead of body."""
    protected = area(0x6908, guarded) if guarded is not None else b""
    signed = header(body, len(protected), **head) + (clear or body) + protected
    kind, hasher = SHA[sha]
    digest = hasher(signed).digest()
    records = list(before) + [(kind, digest)]
    if pure:
        records.append((0x25, b"\1"))
    for name in keys:
        key = KEYS[name]
        if named == "hash":
            records.append((0x01, hasher(public(key)).digest()))
        elif named == "key":
            records.append((0x02, public(key)))
        kind, sig = sign(key, signed, digest, salt, pure)
        records.append((kind, sig.ljust(padded, b"\0") if padded else sig))
    records += list(extra)
    if mutate:
        records = mutate(records)
    return header(body, len(protected), **head) + body + protected + area(0x6907, records)


def trailer(img, slot, erased=0xFF, align=8, ok=None, magic=MAGIC):
    out = bytearray([erased]) * (slot - len(img))
    out[-16:] = magic
    wide = (16 + align - 1) // align * align
    if ok is not None:
        out[-wide - align] = ok
    return img + bytes(out)


def dependency(index, version, slot=0):
    return struct.pack("<BBHBBHI", index, slot, 0, *version)


def packed(key="p256", sha="256", thumb=False, change=None, guarded=(), unpacked=None, behind=b"", stream=None, flags=0, erased=b"\xff",
           fill=b"\xff", named="hash", pure=False, method=0x400, **head):
    """A compressed image, as imgtool makes it of one of the same key. change: on its records of expansion."""
    body = unpacked or CODE
    size = head.get("size", 32)
    kind, hasher = SHA[sha]
    rest = area(0x6908, guarded) if guarded else b""
    plain = header(body, len(rest), **head)[:32].ljust(size, erased) + body + rest
    digest = hasher(plain).digest()
    records = [(0x70, struct.pack("<I", len(body))), (0x71, digest), (0x72, sign(KEYS[key], plain, digest, pure=pure)[1])]
    chain = [{"id": lzma.FILTER_ARMTHUMB}] if thumb else []
    chain.append({"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 131072, "lp": 1, "lc": 3})
    small = stream or bytes([12, (2 * 5 + 1) * 9 + 3]) + lzma.compress(body, format=lzma.FORMAT_RAW, filters=chain)
    records = change(records) if change else records
    img = image([key], sha=sha, guarded=[*guarded, *records], body=small + behind, flags=flags | method | (0x800 if thumb else 0),
                fill=fill, named=named, pure=pure, **head)
    return img


COUNTER = (0x50, struct.pack("<I", 7))


def good():
    yield "rsa2048", image(["rsa2048"], guarded=[COUNTER])
    yield "rsa3072", image(["rsa3072"])
    yield "p256", image(["p256"], guarded=[COUNTER])
    yield "p384", image(["p384"], sha="384")
    yield "ed25519", image(["ed25519"], guarded=[COUNTER], size=512)
    yield "ed25519-sha512", image(["ed25519"], sha="512")
    yield "ed25519-pure", image(["ed25519"], sha="512", pure=True, guarded=[COUNTER])
    yield "pubkey", image(["rsa2048"], named="key")
    yield "pubkey-p256", image(["p256"], named="key")
    yield "no-hint", image(["p256"], named=None)
    yield "padded-p256", image(["p256"], padded=72)
    yield "two", image(["other", "ed25519"])
    yield "claims", image(["p256"], guarded=[
        COUNTER, (0x40, dependency(1, (4, 5, 6, 7))), (0x40, dependency(2, (0, 1, 0, 0), slot=1)),
        (0x60, b"\xa1\x01\x02"), (0x74, bytes(range(16))), (0x75, bytes(range(16, 32)))], flags=0x130, load=0x8000)
    yield "packed", packed(guarded=[COUNTER])
    yield "packed-alone", packed()
    yield "packed-thumb", packed(thumb=True, size=512)
    yield "packed-zero", packed(size=512, erased=b"\0", fill=b"\0")
    yield "packed-rsa", packed("rsa2048")
    yield "packed-p384", packed("p384", sha="384", guarded=[COUNTER])
    yield "packed-ed25519", packed("ed25519", named="key")
    yield "packed-pure", packed("ed25519", sha="512", pure=True)
    yield "clear", image(["p256"], flags=4, extra=[(0x33, bytes(80))])
    yield "pad", trailer(image(["p256"]), 4096)
    yield "pad-zero", trailer(image(["p256"]), 4096, erased=0)
    yield "pad-wide", trailer(image(["p256"]), 4096, align=32, magic=WIDE)
    yield "pad-only", image(["p256"]) + b"\xff" * 100
    yield "confirmed", trailer(image(["p256"]), 4096, ok=1)
    yield "zero-only", image(["p256"]) + bytes(100)
    yield "pair", image(["p256"]).ljust(1024, b"\xff") + image(["ed25519"])


def drop(kind):
    return lambda records: [r for r in records if r[0] != kind]


def swap(kind, data):
    return lambda records: [(k, data if k == kind else d) for k, d in records]


def packed_bad():
    yield "packed-hash", packed(change=swap(0x71, bytes(32)))
    yield "packed-signature", packed(change=swap(0x72, sign(KEYS["p256"], b"other", b"")[1]))
    yield "packed-short-hash", packed(change=swap(0x71, bytes(20)))
    yield "packed-no-size", packed(change=drop(0x70))
    yield "packed-no-hash", packed(change=drop(0x71))
    yield "packed-no-signature", packed(change=drop(0x72))
    yield "packed-two-hashes", packed(change=lambda r: r + [(0x71, bytes(32))])
    yield "packed-short-size", packed(change=swap(0x70, b"\0\0"))
    yield "packed-longer", packed(change=swap(0x70, struct.pack("<I", len(CODE) - 1)))
    yield "packed-shorter", packed(change=swap(0x70, struct.pack("<I", len(CODE) + 1)))
    yield "packed-behind", packed(behind=b"more")
    yield "packed-damaged", packed(stream=b"\x0c\x5d\xe0" + bytes(40))
    yield "packed-empty", packed(stream=b"\x0c")
    yield "packed-lzma1", packed(method=0x200)
    yield "packed-both", packed(flags=0x200)
    yield "packed-both-brick", packed(flags=0x200, change=swap(0x72, sign(KEYS["p256"], b"other", b"")[1]))
    yield "packed-filter-alone", packed(method=0x800)
    yield "packed-filter", packed(flags=0x800)
    yield "packed-erased", packed(size=512, erased=b"\0")
    yield "packed-other", packed(unpacked=image(["ed25519"]), change=swap(0x72, bytes(70)))


def bad():
    plain = image(["p256"], guarded=[COUNTER])
    at = 32 + len(BODY)
    yield "unsigned", image([])
    yield "no-hash", image(["p256"], mutate=drop(0x10))
    yield "wrong-hash", image(["p256"], mutate=swap(0x10, bytes(32)))
    yield "short-hash", image(["p256"], mutate=swap(0x10, b"\0" * 31))
    yield "two-hashes", image(["ed25519"], extra=[(0x12, bytes(64))])
    yield "wrong-salt", image(["rsa2048"], salt=20)
    yield "hash-of-p384", image(["p256"], sha="384")
    yield "pure-p256", image(["p256"], pure=True)
    yield "pure-zero", image(["ed25519"], pure=True, mutate=swap(0x25, b"\0"))
    yield "pure-not", image(["ed25519"], sha="512", extra=[(0x25, b"\1")])
    yield "p224", image(["p224"])
    yield "foreign-hint", image(["p256"], mutate=swap(0x01, bytes(32)))
    yield "short-hint", image(["p256"], mutate=swap(0x01, b""))
    yield "foreign-key", image(["p256"], named="key", mutate=swap(0x02, public(KEYS["p384"])))
    yield "no-key", image(["p256"], named="key", mutate=swap(0x02, b"\x30\x00"))
    yield "stranger", image(["other"])
    yield "stranger-key", image(["other"], named="key")
    yield "low-order", image(["other"], named="key", mutate=lambda r: swap(0x24, LOW + bytes(32))(swap(
        0x02, public(KEYS["other"])[:-32] + LOW)(r)))
    yield "loose-counter", image(["p256"], extra=[COUNTER])
    yield "loose-dependency", image(["p256"], extra=[(0x40, dependency(1, (1, 0, 0, 0)))])
    yield "loose-vendor", image(["p256"], extra=[(0xA0, b"note")])
    yield "vendor", image(["p256"], guarded=[(0xA0, b"note")])
    yield "two-counters", image(["p256"], guarded=[COUNTER, (0x50, struct.pack("<I", 8))])
    yield "short-counter", image(["p256"], guarded=[(0x50, b"\1\0")])
    yield "flags", image(["p256"], flags=0x80000000)
    yield "pad-word", image(["p256"], pad=5)
    yield "encrypted", image(["p256"], flags=4, body=bytes(96), clear=BODY, extra=[(0x32, bytes(113))])
    yield "key-unflagged", image(["p256"], extra=[(0x33, bytes(80))])
    yield "legacy", image(["p256"], magic=0x96F3B83C)
    yield "trailing", plain + b"more"
    yield "trailing-zero", plain + b"\xff" * 8 + b"\0" + b"\xff" * 8
    yield "trailer-noise", trailer(plain, 4096)[:-40] + b"x" + trailer(plain, 4096)[-39:]
    yield "confirmed-two", trailer(plain, 4096, ok=2)
    yield "pair-unsigned", image(["p256"]).ljust(1024, b"\xff") + image([])
    yield "pair-nested", image(["p256"]).ljust(1024, b"\xff") + image([], body=image(["ed25519"]))
    yield "nine", b"".join(image(["p256"]).ljust(1024, b"\xff") for _ in range(9))
    yield "pair-stranger", image(["p256"]).ljust(1024, b"\xff") + image(["other"])
    yield "pair-hidden", image(["p256"]).ljust(1000, b"\xff").ljust(1024, b"h") + image(["ed25519"])
    yield "guarded-size", plain[:10] + struct.pack("<H", 11) + plain[12:]
    yield "guarded-none", image(["p256"])[:10] + struct.pack("<H", 12) + image(["p256"])[12:]
    yield "guarded-overrun", plain[:at + 6] + struct.pack("<H", 5) + plain[at + 8:]
    yield "area-overrun", plain[:at + 14] + struct.pack("<H", 0xFFFF) + plain[at + 16:]
    yield "area-short", plain[:at + 14] + struct.pack("<H", 3) + plain[at + 16:]
    yield "area-magic", plain[:at + 12] + b"\0\0" + plain[at + 14:]
    yield "record-overrun", plain[:at + 18] + struct.pack("<H", 0x7FFF) + plain[at + 20:]
    yield "many", image(["p256"], extra=[(0x01, bytes(32))] * 70)
    yield "header-small", plain[:8] + struct.pack("<H", 31) + plain[10:]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: mcuboot.py DIRECTORY")
    os.makedirs(os.path.join(sys.argv[1], "key"), exist_ok=True)
    for name, key in KEYS.items():
        with open(os.path.join(sys.argv[1], "key", name + ".pem"), "wb") as f:
            f.write(key.public_key().public_bytes(serialization.Encoding.PEM, SPKI[1]))
    for name, data in [*good(), *packed_bad(), *bad()]:
        with open(os.path.join(sys.argv[1], name + ".bin"), "wb") as f:
            f.write(data)


main()
