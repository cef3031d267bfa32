#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ESP32 images with secure boot v2, good and bad, written from ESP-IDF's documentation ("Secure Boot V2", "App Image
Format") with python3-cryptography, so that nothing of ours is asked what it should answer.

    esp32.py DIRECTORY

DIRECTORY/key/*.pem    public keys       DIRECTORY/*.bin    images
"""
import hashlib
import os
import struct
import sys
import zlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

KEYS = {
    "rsa": rsa.generate_private_key(65537, 3072),
    "rsa-two": rsa.generate_private_key(65537, 3072),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "other": ec.generate_private_key(ec.SECP256R1()),
    "p192": ec.generate_private_key(ec.SECP192R1()),
}
SECTOR = 4096


def description(secure=3, version=b"1.4.2", project=b"modem-host"):
    return struct.pack("<II8x32s32s16s16s32s32s80x", 0xABCD5432, secure, version, project, b"12:00:00", b"Jan  1 2026",
                       b"v5.2.1", hashlib.sha256(b"elf").digest())


def image(segments=None, chip=5, hashed=True, checksum=0, filling=0, least=3, most=399):
    segments = segments or [(0x3C000020, description() + bytes(range(64))), (0x40380000, b"code" * 30)]
    out = struct.pack("<BBBBI4xHBHH4xB", 0xE9, len(segments), 2, 0x20, 0x40380000, chip, 0, least, most, hashed)
    sum_ = 0xEF ^ checksum
    for address, data in segments:
        out += struct.pack("<II", address, len(data)) + data
        for b in data:
            sum_ ^= b
    out += bytes([filling]) * (15 - len(out) % 16) + bytes([sum_])
    return out + (hashlib.sha256(out).digest() if hashed else b"")


def little(*numbers, size):
    return b"".join(n.to_bytes(size, "little") for n in numbers)


def block(key, signed, salt=32, claimed=None, edit=None):
    public = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        digest = hashlib.sha256(claimed or signed).digest()
        sig = key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
        out = struct.pack("<BBxx32s384sI384sI384s", 0xE7, 2, digest, little(public.n, size=384), public.e,
                          little(pow(2, 6144, public.n), size=384), -pow(public.n, -1, 1 << 32) % (1 << 32), sig[::-1])
    else:
        wide = key.key_size == 384
        hasher, kind = (hashlib.sha384, hashes.SHA384()) if wide else (hashlib.sha256, hashes.SHA256())
        size, place = key.key_size // 8, 96 if wide else 64
        pair = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(kind)))
        out = struct.pack("<BBBx", 0xE7, 3, wide) + hasher(claimed or signed).digest()
        out += bytes([{192: 1, 256: 2, 384: 3}[key.key_size]])
        out += little(public.x, public.y, size=size).ljust(place, b"\0") + little(*pair, size=size).ljust(place, b"\0")
    out = bytearray(out.ljust(1196, b"\0"))
    if edit:
        edit(out)
    return bytes(out) + struct.pack("<I", zlib.crc32(bytes(out))) + bytes(16)


def signed(names, img=None, fill=b"\xff", **how):
    img = img or image()
    img = img.ljust(-(-len(img) // SECTOR) * SECTOR, fill)
    return img + b"".join(block(KEYS[n], img, **how) for n in names).ljust(SECTOR, b"\xff")


def partitions():
    entries = struct.pack("<HBBII16sI", 0x50AA, 0, 0, 0x10000, 0x100000, b"factory", 0)
    return (entries + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()).ljust(0xC00, b"\xff")


def bootloader():
    words = struct.pack("<BxxBI32s24s16x", 80, 1, 7, b"v5.2.1", b"Jan  1 2026 12:00:00")
    return image([(0x3FCD0000, words + bytes(20))])


def merged(first, *rest):
    out = first.ljust(0x8000, b"\xff") + partitions()
    for i, img in enumerate(rest):
        out = out.ljust(0x10000 + i * 0x4000, b"\xff") + img
    return out


def v1(img):
    key = KEYS["p256"]
    pair = utils.decode_dss_signature(key.sign(img, ec.ECDSA(hashes.SHA256())))
    return img + bytes(4) + b"".join(n.to_bytes(32, "big") for n in pair)


def flip(offset):
    def edit(out):
        out[offset] ^= 1
    return edit


def raw(img, offset, value=None):
    out = bytearray(img)
    out[offset] = out[offset] ^ 1 if value is None else value
    return bytes(out)


def good():
    yield "rsa", signed(["rsa"])
    yield "p256", signed(["p256"])
    yield "p384", signed(["p384"])
    yield "three", signed(["rsa", "rsa-two", "p256"])
    yield "zero-filled", signed(["p256"], fill=b"\0")
    yield "bare", signed(["p256"], img=image(hashed=False))
    yield "bootloader", signed(["p256"], img=bootloader())
    yield "padded", signed(["p256"]) + b"\xff" * 5000
    yield "merged", merged(signed(["rsa"], img=bootloader()), signed(["p256"]), signed(["p384"]))


def bad():
    p256 = signed(["p256"])
    end = len(image())
    yield "unsigned", image()
    yield "other", signed(["other"])
    yield "one-of-two", signed(["other", "p256"])
    yield "p192", signed(["p192"])
    yield "wrong-salt", signed(["rsa"], salt=20)
    yield "about-another", signed(["p256"], claimed=b"another image")
    yield "bad-crc", raw(p256, SECTOR + 1196)
    yield "bad-key", signed(["p256"], edit=flip(40))
    yield "bad-modulus", signed(["rsa"], edit=flip(36))
    yield "bad-helper", signed(["rsa"], edit=flip(500))
    yield "bad-signature", signed(["p256"], edit=flip(110))
    yield "curve-mix", signed(["p256"], edit=lambda b: b.__setitem__(36, 3))
    yield "version-4", signed(["p256"], edit=lambda b: b.__setitem__(1, 4))
    yield "hidden-reserved", signed(["p256"], edit=flip(3))
    yield "hidden-middle", signed(["p256"], edit=flip(600))
    yield "hidden-end", raw(p256, SECTOR + 1210)
    yield "hidden-sector", raw(p256, SECTOR + 4000)
    yield "hidden-gap", signed(["p256"], img=image() + b"\xff" * 40 + b"x" + b"\xff" * 40)
    yield "hidden-filling", signed(["p256"], img=image(segments=[(0x3C000020, description())], filling=5))
    yield "bad-checksum", signed(["p256"], img=image(checksum=1))
    yield "bad-hash", signed(["p256"], img=raw(image(), end - 1))
    yield "trailing", p256 + b"more"
    yield "trailing-unsigned", image() + b"more"
    yield "merged-unsigned", merged(signed(["p256"], img=bootloader()), image())
    yield "nine", merged(*[signed(["p256"])] * 9)
    yield "merged-stray", merged(signed(["p256"], img=bootloader())) + b"\xff" * 100 + b"otadata"
    yield "v1", v1(image())
    yield "chip", signed(["p256"], img=image(chip=0x77, least=0, most=0xFFFF))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: esp32.py DIRECTORY")
    os.makedirs(os.path.join(sys.argv[1], "key"), exist_ok=True)
    for name, key in KEYS.items():
        with open(os.path.join(sys.argv[1], "key", name + ".pem"), "wb") as f:
            f.write(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    for name, data in [*good(), *bad()]:
        with open(os.path.join(sys.argv[1], name + ".bin"), "wb") as f:
            f.write(data)


main()
