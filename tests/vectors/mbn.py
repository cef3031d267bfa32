#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Qualcomm images with a hash segment, good and bad: constructed cases, because no genuine image is free to be kept here.
Written from the public technical overviews (v1.0, v2.0), with python3-cryptography.

    mbn.py DIRECTORY

DIRECTORY/key/*.pem    root certificates       DIRECTORY/*.mbn    images
"""
import datetime
import hashlib
import os
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

FROM, UNTIL = datetime.datetime(2020, 1, 1), datetime.datetime(2049, 12, 31)
UNITS = ["01 0000000500000012 SW_ID", "02 007050E100290000 HW_ID", "03 0000000000000002 DEBUG", "04 0029 OEM_ID",
         "06 0001 MODEL_ID", "07 0001 SHA256"]
SEGMENTS = [b"modem code " * 40, b"", b"data" * 30]


def certificate(name, key, issuer, issuer_key, ca, units=()):
    def dn(text, extra=()):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] +
                         [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, u) for u in extra])
    b = x509.CertificateBuilder().subject_name(dn(name, units)).issuer_name(dn(issuer)).public_key(key.public_key())
    b = b.serial_number(x509.random_serial_number()).not_valid_before(FROM).not_valid_after(UNTIL)
    b = b.add_extension(x509.BasicConstraints(ca, None), critical=True)
    b = b.add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False), critical=True)
    b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return b.sign(issuer_key, hashes.SHA384() if isinstance(issuer_key, ec.EllipticCurvePrivateKey) else hashes.SHA256())


def respelt(cert):
    """The same certificate, with the length of its signature in more bytes than DER allows."""
    out, sig = der(cert), cert.signature
    at = len(out) - len(sig) - 1  # of the unused bits, behind 03 and the length
    size = next(n for n in (3, 2, 1) if out[at - n - 1] == 3 and (n == 1 or out[at - n] == 0x7f + n))
    length = b"\x84" + (len(sig) + 1).to_bytes(4, "big")
    body = out[4:at - size] + length + out[at:]
    return out[:2] + len(body).to_bytes(2, "big") + body


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


class Maker:
    """Root, attestation CA and attestation certificate."""

    def __init__(self, kind, name="Vendor"):
        make = (lambda: rsa.generate_private_key(65537, 2048)) if kind == "rsa" else (
            lambda: ec.generate_private_key(ec.SECP384R1()))
        root_key, ca_key, self.key = make(), make(), make()
        root, ca = name + " Root", name + " Attestation CA"
        self.root = certificate(root, root_key, root, root_key, True)
        self.ca = certificate(ca, ca_key, root, root_key, True)
        self.leaf = certificate(name + " Attestation", self.key, ca, ca_key, False, UNITS)
        self.chain = der(self.leaf) + der(self.ca) + der(self.root)

    def sign(self, data, how="pss", salt=None):
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA384()))
        if how == "pss":
            return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32 if salt is None else salt),
                                 hashes.SHA256())
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


RSA, EC, OTHER = Maker("rsa"), Maker("ec"), Maker("rsa", "Other")


def phdr(wide, kind, offset, size, flags):
    if wide:
        return struct.pack("<IIQQQQQQ", kind, flags, offset, 0, 0, size, size, 4)
    return struct.pack("<IIIIIIII", kind, offset, 0, 0, size, size, flags, 4)


def hash_segment(version, table, maker, how, metadata, chain, edit, extra, salt, qualcomm):
    pads = b"\xff" * (-len(chain) % 16)
    sig_len = len(maker.sign(b"", how)) if maker else 0
    if maker and isinstance(maker.key, ec.EllipticCurvePrivateKey):
        sig_len = 104  # of no fixed length: signed until it fits
    chain = chain + pads if maker else b""
    first = (len(qualcomm[0]), len(qualcomm[1])) if version >= 5 else (0, 0)
    total = len(metadata) + len(table) + sum(first) + sig_len + len(chain)
    while True:
        if version == 7:
            head = struct.pack("<10I", 0, 7, 24, 0, len(metadata) - 24, len(table), *first, sig_len, len(chain))
        else:
            head = struct.pack("<10I", 0, version, *first, total, len(table), 0xFFFFFFFF, sig_len, 0xFFFFFFFF, len(chain))
            head += struct.pack("<II", 0, len(metadata)) if version == 6 else b""
        signed = head + metadata + table
        sig = maker.sign(signed, how, salt) if maker else b""
        if not maker or len(sig) == sig_len:
            break
        sig_len = len(sig)
        total = len(metadata) + len(table) + sum(first) + sig_len + len(chain)
    out = bytearray(signed + qualcomm[0] + qualcomm[1] + sig + chain + extra)
    if edit:
        edit(out)
    return bytes(out)


def image(maker=RSA, version=3, wide=False, how="pss", segments=None, metadata=b"", chain=None, edit=None, extra=b"",
          headers=True, zero=None, own=False, gap=b"", tail=b"", salt=None, qualcomm=(b"", b""), second=False, short=False):
    """ELF file: headers, hash segment, segments; each at a multiple of 256."""
    segments = SEGMENTS if segments is None else segments
    hasher = hashlib.sha384 if version >= 6 else hashlib.sha256
    n = len(segments) + (2 if headers else 1) + second
    ehsize, phsize = (64, 56) if wide else (52, 32)
    head_size, at = ehsize + n * phsize, 0x400
    chain = chain if chain is not None else maker.chain if maker else b""
    size = len(hash_segment(version, bytes(hasher().digest_size * n), maker, how, metadata, chain, None, extra, salt, qualcomm))
    size += 8 if isinstance(maker, Maker) and maker is EC else 0
    offsets, pos = [], at + size + (-(at + size) % 256)
    for s in segments:
        offsets.append(pos)
        pos += len(s) + (-len(s) % 256)
    phdrs = phdr(wide, 0, 0, head_size, 7 << 24) if headers else b""
    phdrs += phdr(wide, 0, at, size, 0x2200000)
    phdrs += phdr(wide, 0, at, size, 0x2200000) if second else b""
    for s, o in zip(segments, offsets):
        phdrs += phdr(wide, 1, o, len(s), 5)
    form = "<16sHHIQQQIHHHHHH" if wide else "<16sHHIIIIIHHHHHH"
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    head = struct.pack(form, ident, 2, 164, 1, 0x8000, ehsize, 0, 0, ehsize, phsize, n, 0, 0, 0) + phdrs
    table = [hasher(head).digest()] if headers else []
    table.append(hasher(b"self").digest() if own else bytes(hasher().digest_size))
    table += [bytes(hasher().digest_size)] if second else []
    table += [hasher(s).digest() if s and i != zero else bytes(hasher().digest_size) for i, s in enumerate(segments)]
    joined = b"".join(table)[:-1 if short else None]
    out = head.ljust(at, b"\0") + hash_segment(version, joined, maker, how, metadata, chain, edit, extra, salt,
                                               qualcomm).ljust(size, b"\xff")
    if gap:
        out = out[:head_size + 8] + gap + out[head_size + 8 + len(gap):]
    for s, o in zip(segments, offsets):
        out = out.ljust(o, b"\0") + s
    return out + tail


def plain(maker=RSA):
    code = b"sbl code " * 50
    sig = len(maker.sign(b""))
    head = struct.pack("<10I", 0x15, 3, 0, 0x8000, len(code) + sig + len(maker.chain), len(code), 0, sig, 0, len(maker.chain))
    return head + code + maker.sign(head + code) + maker.chain


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def overlap(data):
    """A hundred more program headers, each over the whole file; where they are read from is free."""
    data = bytearray(data)
    phdrs = data[52:52 + 32 * data[44]] + phdr(False, 1, 0, len(data), 5) * 100
    struct.pack_into("<I", data, 28, len(data))
    struct.pack_into("<H", data, 44, len(phdrs) // 32)
    return bytes(data + phdrs)


def put(offset, value):
    def edit(out):
        struct.pack_into("<I", out, offset, value)
    return edit


def images():
    good = image()
    yield "pss", good
    yield "pkcs1", image(how="pkcs1")
    yield "v5", image(version=5)
    yield "wide", image(wide=True)
    yield "plain", plain()
    yield "p384", image(EC, version=6, wide=True, metadata=bytes(120))
    yield "v7", image(EC, version=7, wide=True, metadata=bytes(24))
    yield "other", image(OTHER)
    yield "unsigned", image(None)
    yield "wrong-salt", image(salt=20)
    yield "no-leaf", image(chain=RSA.chain[len(der(RSA.leaf)):])
    yield "no-root", image(chain=der(RSA.leaf) + der(RSA.ca))
    yield "ber-leaf", image(chain=respelt(RSA.leaf) + der(RSA.ca) + der(RSA.root))
    yield "junk-chain", image(chain=RSA.chain + b"junk")
    yield "two-signers", image(version=5, qualcomm=(bytes(256), OTHER.chain))
    yield "changed-code", flip(good, len(good) - 1)
    yield "changed-header", flip(good, 24)
    yield "changed-table", flip(good, 0x400 + 40 + 64)
    yield "changed-signature", image(edit=lambda out: out.__setitem__(40 + 5 * 32 + 9, out[40 + 5 * 32 + 9] ^ 1))
    yield "no-headers", image(headers=False)
    yield "no-hash", image(zero=0)
    yield "own-hash", image(own=True)
    yield "hidden-gap", image(gap=b"hidden")
    yield "hidden-end", image(extra=b"hidden")
    yield "trailing", good + b"\0" * 8 + b"more"
    yield "two-tables", image(second=True)
    yield "short-table", image(short=True)
    yield "version-9", image(edit=put(4, 9))
    yield "overlap", overlap(good)
    yield "total", image(edit=put(16, 77))
    yield "huge-table", image(edit=put(20, 0xFFFFFFF0))
    yield "beyond", image(segments=[b"x" * 1000])[:-600]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: mbn.py DIRECTORY")
    os.makedirs(os.path.join(sys.argv[1], "key"), exist_ok=True)
    for name, maker in (("rsa", RSA), ("ec", EC)):
        with open(os.path.join(sys.argv[1], "key", name + ".pem"), "wb") as f:
            f.write(maker.root.public_bytes(serialization.Encoding.PEM))
    for name, data in images():
        with open(os.path.join(sys.argv[1], name + ".mbn"), "wb") as f:
            f.write(data)


main()
