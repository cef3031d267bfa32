#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Full firmware of nRF91 modems, good and bad, by the public CDDL (nRF Connect SDK, fmfu_fdev), with
python3-cryptography. The maker's own images are signed with a key that nobody else has; these are by keys of ours.

    nordic.py DIRECTORY

DIRECTORY/key/*.pem    public keys       DIRECTORY/*.cbor    images
"""
import hashlib
import os
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEYS = {"maker": rsa.generate_private_key(65537, 2048), "other": rsa.generate_private_key(65537, 2048)}
SEGMENTS = [(0x4000, b"bootloader" * 20), (0x50000, bytes(range(256))), (0x80000, b"rest")]


def item(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, "B"), (25, "H"), (26, "I"), (27, "Q")):
        if value < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | info]) + struct.pack(">" + size, value)
    raise ValueError(value)


def text(data):
    return item(2, len(data)) + data


def image(key="maker", segments=None, blob=None, salt=32, digest=None, numbers=None, tail=b"", manifest=None,
          head=b"\xd2\x84", bare=None, version=item(0, 1)):
    segments = SEGMENTS if segments is None else segments
    data = b"".join(d for _, d in segments) if blob is None else blob
    flat = numbers if numbers is not None else [n for a, d in segments for n in (a, len(d))]
    listed = item(4, len(flat)) + b"".join(item(0, n) for n in flat)
    payload = b"\x84" + version + item(0, 0) + text(digest or hashlib.sha256(data).digest()) + text(listed)
    payload = manifest or payload
    protected = text(b"\xa1\x01\x38\x24")
    tbs = b"\x84\x6aSignature1" + protected + b"\x40" + text(payload)
    sig = KEYS[key].sign(tbs, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    return head + protected + b"\xa0" + text(payload) + text(bare if bare is not None else sig) + data + tail


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def images():
    good = image()
    yield "good", good
    yield "many", image(segments=[(i, bytes([i])) for i in range(100)])
    yield "other", image("other")
    yield "wrong-salt", image(salt=20)
    yield "wrong-hash", image(digest=bytes(32))
    yield "short-hash", image(digest=bytes(31))
    yield "changed-segment", flip(good, len(good) - 1)
    yield "changed-manifest", flip(good, 14)
    yield "trailing", image(tail=b"more")
    yield "cut", good[:-1]
    yield "no-segments", image(numbers=[], blob=b"")
    yield "odd-segments", image(numbers=[1, 2, 3])
    yield "too-many", image(segments=[(i, b"") for i in range(129)])
    yield "huge", image(numbers=[0, 0xFFFFFFFF] * 100)
    yield "past-u32", image(numbers=[0, 1 << 32])
    yield "long-form", image(version=b"\x18\x01")
    yield "not-a-manifest", image(manifest=b"\x83\x01\x02\x03")
    yield "short-signature", image(bare=bytes(255))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: nordic.py DIRECTORY")
    os.makedirs(os.path.join(sys.argv[1], "key"), exist_ok=True)
    for name, key in KEYS.items():
        with open(os.path.join(sys.argv[1], "key", name + ".pem"), "wb") as f:
            f.write(key.public_key().public_bytes(serialization.Encoding.PEM,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo))
    for name, data in images():
        with open(os.path.join(sys.argv[1], name + ".cbor"), "wb") as f:
            f.write(data)


main()
