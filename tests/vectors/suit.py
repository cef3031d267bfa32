# SPDX-License-Identifier: Apache-2.0
"""SUIT envelopes with one integrated image, signed with ES256 by python3-cryptography. No package of Debian makes them."""
import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


def item(major, value):
    """The shortest head of CBOR."""
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, "B"), (25, "H"), (26, "I"), (27, "Q")):
        if value < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | info]) + struct.pack(">" + size, value)
    raise ValueError(value)


def data(b):
    return item(2, len(b)) + b


def text(s):
    return item(3, len(s)) + s.encode()


def array(*items):
    return item(4, len(items)) + b"".join(items)


def mapping(*pairs):
    return item(5, len(pairs)) + b"".join(k + v for k, v in pairs)


def digest(b):
    return array(b"\x2f", data(hashlib.sha256(b).digest()))  # -16: SHA-256


def sign1(key, payload):
    """COSE_Sign1 with its payload left out (RFC 9052, section 4.4)."""
    protected = mapping((b"\x01", b"\x26"))  # alg: ES256
    tbs = array(text("Signature1"), data(protected), data(b""), data(payload))
    r, s = utils.decode_dss_signature(key.sign(tbs, ec.ECDSA(hashes.SHA256())))
    return b"\xd2" + array(data(protected), mapping(), b"\xf6", data(r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def envelope(key, image, sequence=1):
    parameters = mapping((b"\x02", data(b"klas")), (b"\x03", data(digest(image))), (b"\x15", text("#fw")))
    common = mapping((b"\x02", array(array(data(b"\0")))), (b"\x04", data(array(b"\x14", parameters))))
    manifest = data(mapping((b"\x01", b"\x01"), (b"\x02", item(0, sequence)), (b"\x03", data(common))))
    signed = digest(manifest)
    auth = array(data(signed), data(sign1(key, signed)))
    return b"\xd8\x6b" + mapping((b"\x02", data(auth)), (b"\x03", manifest), (text("#fw"), data(image)))
