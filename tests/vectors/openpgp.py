#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OpenPGP keys and detached signatures, with a bad cousin for each rule: openpgp.py FOLDER.

GnuPG makes the plain ones in the stories; what it would not write is put together here, packet by packet (RFC 4880),
and signed by python3-cryptography. FOLDER receives `doc`, NAME.key and NAME.sig for each case, and `cases`, one a
line: name, key, signature, what the house has to answer, whether gpgv says yes. The times are fixed: AT judges.
"""
import hashlib
import os
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, utils

MADE, SIGNED, AT = 1600000000, 1700000000, 1750000000
DAY = 86400
HASHES = {1: "md5", 2: "sha1", 3: "ripemd160", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
OIDS = {"p256": bytes.fromhex("2a8648ce3d030107"), "p384": bytes.fromhex("2b81040022"), "p521": bytes.fromhex("2b81040023"),
        "ed25519": bytes.fromhex("2b06010401da470f01")}
DOC = bytes(range(256)) * 40 + b"line\nline\r\nend"


def mpi(n):
    return struct.pack(">H", n.bit_length()) + n.to_bytes((n.bit_length() + 7) // 8, "big")


def packet(tag, body, old=False):
    if old:
        return bytes([0x80 | tag << 2 | 1]) + struct.pack(">H", len(body)) + body
    return bytes([0xc0 | tag, 255]) + struct.pack(">I", len(body)) + body


def sub(kind, body, critical=False):
    n = len(body) + 1
    head = bytes([n]) if n < 192 else bytes([255]) + struct.pack(">I", n)
    return head + bytes([kind | (0x80 if critical else 0)]) + body


class Key:
    """A private key and its packet; made from a seed where the kind allows it."""

    def __init__(self, kind, made=MADE, version=4):
        self.kind, self.made, self.version = kind, made, version
        if kind.startswith("rsa"):
            bits, _, e = kind[3:].partition("e")
            self.key = rsa.generate_private_key(int(e or 65537), int(bits))
            n = self.key.public_key().public_numbers()
            self.alg, self.numbers = 1, mpi(n.n) + mpi(n.e)
        elif kind == "ed25519":
            self.key = ed25519.Ed25519PrivateKey.generate()
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.alg, self.numbers = 22, bytes([9]) + OIDS[kind] + mpi(int.from_bytes(b"\x40" + raw, "big"))
        elif kind == "dsa":
            self.key = dsa.generate_private_key(2048)
            n = self.key.public_key().public_numbers()
            p = n.parameter_numbers
            self.alg, self.numbers = 17, mpi(p.p) + mpi(p.q) + mpi(p.g) + mpi(n.y)
        else:
            self.key = ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}[kind]())
            point = self.key.public_key().public_bytes(serialization.Encoding.X962,
                                                       serialization.PublicFormat.UncompressedPoint)
            self.alg, self.numbers = 19, bytes([len(OIDS[kind])]) + OIDS[kind] + mpi(int.from_bytes(point, "big"))

    @property
    def body(self):
        return bytes([self.version]) + struct.pack(">IB", self.made, self.alg) + self.numbers

    @property
    def hashed(self):
        return b"\x99" + struct.pack(">H", len(self.body)) + self.body

    @property
    def fpr(self):
        return hashlib.sha1(self.hashed).digest()

    def arithmetic(self, digest, name):
        h = utils.Prehashed({"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
                             "sha384": hashes.SHA384, "sha512": hashes.SHA512}.get(name, hashes.SHA256)())
        if self.alg == 1:
            return mpi(int.from_bytes(self.key.sign(digest, padding.PKCS1v15(), h), "big"))
        if self.alg == 22:
            raw = self.key.sign(digest)
            return mpi(int.from_bytes(raw[:32], "big")) + mpi(int.from_bytes(raw[32:], "big"))
        der = self.key.sign(digest, h if self.kind == "dsa" else ec.ECDSA(h))
        return b"".join(mpi(n) for n in utils.decode_dss_signature(der))

    def sign(self, document, kind=0, at=SIGNED, subs=(), unhashed=None, algo=8, issuer=None, version=4, old=False,
             made=True, alg=None):
        """The whole packet."""
        if version == 3:
            tail = bytes([kind]) + struct.pack(">I", at)
            h = hashlib.new(HASHES[algo], document + tail).digest()
            return packet(2, b"\x03\x05" + tail + (issuer or self.fpr)[-8:] + bytes([self.alg, algo]) + h[:2] +
                          self.arithmetic(h, HASHES[algo]), old)
        area = (sub(2, struct.pack(">I", at)) if made else b"") + b"".join(subs)
        head = bytes([version, kind, alg or self.alg, algo]) + struct.pack(">H", len(area)) + area
        h = hashlib.new(HASHES[algo], document + head + b"\x04\xff" + struct.pack(">I", len(head))).digest()
        if unhashed is None:
            unhashed = sub(16, (issuer or self.fpr)[-8:])
        return packet(2, head + struct.pack(">H", len(unhashed)) + unhashed + h[:2] + self.arithmetic(h, HASHES[algo]), old)


USER = b"Vendor <firmware@example.com>"


def user_hashed(user=USER):
    return b"\xb4" + struct.pack(">I", len(user)) + user


def flags(n):
    return sub(27, bytes([n]))


def expiry(seconds):
    return sub(9, struct.pack(">I", seconds))


def cert(key, subs=(flags(3),), at=MADE, algo=8, user=USER, extra=b"", tail=b"", tag=6):
    """A public key with one user ID: extra stands behind the key, tail behind the certification."""
    return (packet(tag, key.body) + extra + packet(13, user) +
            key.sign(key.hashed + user_hashed(user), 0x13, at, subs, algo=algo) + tail)


def subkey(key, child, flag=2, back=True, backs=None, subs=(), algo=8, back_algo=8, back_subs=(), at=MADE):
    inner = b""
    if back:
        whole = (backs or child).sign(key.hashed + child.hashed, 0x19, at, back_subs, algo=back_algo)
        inner = sub(32, whole[6:])
    binding = key.sign(key.hashed + child.hashed, 0x18, at, (flags(flag), *subs),
                       unhashed=sub(16, key.fpr[-8:]) + inner, algo=algo)
    return packet(14, child.body) + binding


def crc24(data):
    crc = 0xb704ce
    for b in data:
        crc ^= b << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864cfb if crc & 0x800000 else 0)
    return crc & 0xffffff


def armour(data, what="PGP SIGNATURE", head="", good=True):
    import base64
    text = base64.b64encode(data).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    total = base64.b64encode((crc24(data) ^ (not good)).to_bytes(3, "big")).decode()
    return "\n".join([f"-----BEGIN {what}-----", *([head] if head else []), "", *lines, "=" + total,
                      f"-----END {what}-----", ""]).encode()


def cases():
    """name, key file, signature file, our answer, gpgv's yes."""
    k, other, child = Key("ed25519"), Key("ed25519"), Key("ed25519")
    r2, p2, p3 = Key("rsa2048"), Key("p256"), Key("p384")
    pub, sig = cert(k), k.sign(DOC)
    yield "plain", pub, sig, "verified", True
    yield "other-document", pub, k.sign(DOC + b"x"), "invalid", False
    yield "other-key", pub, other.sign(DOC), "untrusted", False
    yield "named-as-this-key", pub, other.sign(DOC, issuer=k.fpr), "invalid", False
    for kind, key in (("rsa2048", r2), ("rsa3072", Key("rsa3072")), ("p256", p2), ("p384", p3)):
        for algo in (8, 9, 10):
            if kind == "p384" and algo == 8:
                continue  # GnuPG wants a digest as long as the curve
            yield f"{kind}-{HASHES[algo]}", cert(key, algo=max(algo, 9)), key.sign(DOC, algo=algo), "verified", True
    yield "p384-short-digest", cert(p3, algo=9), p3.sign(DOC), "invalid", False
    yield "p521", cert(Key("p521")), sig, "refused", False
    yield "dsa", cert(Key("dsa")), sig, "refused", False
    short = Key("rsa1024")
    yield "rsa1024", cert(short), short.sign(DOC), "refused", True
    yield "rsa-e3", cert(Key("rsa2048e3")), sig, "untrusted", False
    for algo, name in ((1, "md5"), (2, "sha1"), (11, "sha224")):
        # gpgv 2.2 takes SHA-1 and SHA-224 still.
        yield f"digest-{name}", cert(r2), r2.sign(DOC, algo=algo), "weak", algo != 1
        yield f"digest-{name}-wrong", cert(r2), r2.sign(DOC + b"x", algo=algo), "invalid" if algo != 11 else "weak", False
    yield "old-packets", cert(k), k.sign(DOC, old=True), "verified", True
    yield "version-3", cert(r2), r2.sign(DOC, version=3), "verified", True
    yield "version-5", pub, k.sign(DOC, version=5), "invalid", False
    yield "text", pub, k.sign(DOC.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), 1), "invalid", True
    for kind in (2, 0x10, 0x18, 0x1f, 0x20, 0x40, 0x50):
        yield f"type-{kind:02x}", pub, k.sign(DOC, kind), "invalid", False
    yield "other-algorithm", pub, k.sign(DOC, alg=1), "invalid", False
    # --- time
    yield "no-creation-time", pub, k.sign(DOC, made=False), "invalid", False
    yield "creation-time-unhashed", pub, k.sign(DOC, made=False, unhashed=sub(2, struct.pack(">I", SIGNED)) + sub(16, k.fpr[-8:])), "invalid", False
    yield "creation-time-twice", pub, k.sign(DOC, subs=(sub(2, struct.pack(">I", AT)),)), "invalid", True
    yield "before-its-key", pub, k.sign(DOC, at=MADE - 1), "invalid", False
    yield "from-the-future", pub, k.sign(DOC, at=AT + 1), "expired", True
    yield "at-the-time", pub, k.sign(DOC, at=AT), "verified", True
    yield "signature-ran-out", pub, k.sign(DOC, subs=(sub(3, struct.pack(">I", DAY)),)), "expired", False
    yield "signature-still-good", pub, k.sign(DOC, subs=(sub(3, struct.pack(">I", AT - SIGNED + 1)),)), "verified", True
    yield "run-out-unhashed", pub, k.sign(DOC, unhashed=sub(16, k.fpr[-8:]) + sub(3, struct.pack(">I", 1))), "verified", True
    yield "key-ran-out", cert(k, (flags(3), expiry(SIGNED - MADE + DAY))), sig, "expired", False
    yield "key-still-good", cert(k, (flags(3), expiry(AT - MADE + 1))), sig, "verified", True
    renewed = k.sign(k.hashed + user_hashed(), 0x13, SIGNED, (flags(3), expiry(AT - MADE + DAY)))
    yield "key-renewed", cert(k, (flags(3), expiry(DAY)), tail=renewed), sig, "verified", True
    cut = k.sign(k.hashed + user_hashed(), 0x13, SIGNED, (flags(3), expiry(SIGNED - MADE + DAY)))
    yield "key-cut-short", cert(k, tail=cut), sig, "expired", False
    direct = k.sign(k.hashed, 0x1f, MADE, (flags(3), expiry(DAY)))
    yield "direct-signature-rules", cert(k, extra=direct), sig, "expired", False
    yield "direct-signature-alone", packet(6, k.body) + k.sign(k.hashed, 0x1f, MADE, (flags(3),)) + packet(13, USER), sig, "verified", True
    # --- taken back
    yield "revoked", cert(k, extra=k.sign(k.hashed, 0x20, SIGNED + 1, (sub(29, b"\x02"),))), sig, "revoked", False
    yield "revoked-later", cert(k, extra=k.sign(k.hashed, 0x20, AT + DAY, (sub(29, b"\x03"),))), sig, "revoked", False
    yield "revoked-with-sha1", cert(k, extra=k.sign(k.hashed, 0x20, SIGNED, algo=2)), sig, "revoked", False
    yield "revoked-by-another", cert(k, extra=other.sign(k.hashed, 0x20, SIGNED)), sig, "refused", True
    yield "revocation-of-version-5", cert(k, extra=k.sign(k.hashed, 0x20, SIGNED, version=5)), sig, "refused", False
    yield "user-revoked", cert(k, tail=k.sign(k.hashed + user_hashed(), 0x30, SIGNED)), sig, "refused", True
    again = k.sign(k.hashed + user_hashed(), 0x13, SIGNED + 5, (flags(3),))
    yield "user-revoked-and-back", cert(k, tail=k.sign(k.hashed + user_hashed(), 0x30, SIGNED) + again), sig, "verified", True
    # --- what the key says of itself
    yield "may-only-certify", cert(k, (flags(1),)), sig, "refused", False
    yield "no-flags", cert(k, ()), sig, "verified", True
    yield "bare-key", packet(6, k.body) + packet(13, USER), sig, "refused", False
    yield "certified-by-another", packet(6, k.body) + packet(13, USER) + other.sign(k.hashed + user_hashed(), 0x13, MADE, (flags(3),), issuer=k.fpr), sig, "refused", False
    yield "another-certifies-too", cert(k, tail=other.sign(k.hashed + user_hashed(), 0x10, MADE)), sig, "verified", True
    yield "certified-with-sha1", cert(r2, algo=2), r2.sign(DOC), "refused", True
    yield "critical-in-certification", cert(k, (flags(3), sub(100, b"x", True))), sig, "refused", False
    yield "version-3-key", cert(Key("rsa2048", version=3)), sig, "refused", False
    yield "private-key", cert(k, tag=5), sig, "refused", False
    yield "two-keys", cert(other) + cert(k), sig, "verified", True
    # --- subkeys
    for name, answer, gpg, args in (
            ("subkey", "verified", True, {}), ("subkey-not-signed-back", "refused", False, {"back": False}),
            ("subkey-signed-back-by-another", "refused", False, {"backs": other}),
            ("subkey-signed-back-with-sha1", "refused", True, {"back_algo": 2}),
            ("subkey-for-encryption", "refused", False, {"flag": 12}),
            ("subkey-bound-with-sha1", "refused", True, {"algo": 2}),
            ("subkey-ran-out", "expired", False, {"subs": (expiry(DAY),)}),
            ("subkey-critical", "refused", False, {"subs": (sub(100, b"", True),)}),
            ("subkey-back-critical", "refused", False, {"back_subs": (sub(100, b"", True),)})):
        c = Key("rsa2048") if "sha1" in name else child
        p = r2 if "sha1" in name else k
        yield name, cert(p, (flags(1),), tail=subkey(p, c, **args)), c.sign(DOC), answer, gpg
    yield "subkey-of-a-stranger", cert(k, (flags(1),), tail=packet(14, child.body) + other.sign(
        k.hashed + child.hashed, 0x18, MADE, (flags(2),), issuer=k.fpr)), child.sign(DOC), "refused", False
    gone = k.sign(k.hashed + child.hashed, 0x28, SIGNED)
    yield "subkey-revoked", cert(k, (flags(1),), tail=subkey(k, child) + gone), child.sign(DOC), "revoked", False
    yield "subkey-of-a-revoked-key", cert(k, extra=k.sign(k.hashed, 0x20, SIGNED), tail=subkey(k, child)), child.sign(DOC), "revoked", False
    yield "subkey-of-an-old-key", cert(k, (flags(3), expiry(DAY)), tail=subkey(k, child)), child.sign(DOC), "expired", False
    yield "subkey-before-it-was-made", cert(k, tail=subkey(k, Key("ed25519", AT))), sig, "verified", True
    # --- what a signature demands and says
    yield "critical-unknown", pub, k.sign(DOC, subs=(sub(100, b"x", True),)), "invalid", False
    yield "critical-known", pub, k.sign(DOC, subs=(sub(33, b"\x04" + k.fpr, True), sub(26, b"http://x/", True))), "verified", True
    yield "unknown", pub, k.sign(DOC, subs=(sub(100, b"x"),)), "verified", True
    note = b"\x80\0\0\0" + struct.pack(">HH", 5, 2) + b"a@b.chi"
    yield "notation", pub, k.sign(DOC, subs=(sub(20, note),)), "verified", True
    yield "notation-critical", pub, k.sign(DOC, subs=(sub(20, note, True),)), "invalid", False
    yield "critical-unhashed", pub, k.sign(DOC, unhashed=sub(16, k.fpr[-8:]) + sub(100, b"", True)), "invalid", False
    yield "no-issuer", pub, k.sign(DOC, unhashed=b""), "invalid", False
    yield "issuer-hashed", pub, k.sign(DOC, subs=(sub(16, k.fpr[-8:]),), unhashed=b""), "verified", True
    yield "wrong-fingerprint", pub, k.sign(DOC, subs=(sub(33, b"\x04" + other.fpr),)), "untrusted", True
    # --- forms
    yield "armoured", armour(pub, "PGP PUBLIC KEY BLOCK"), armour(sig), "verified", True
    yield "armoured-comment", pub, armour(sig, head="Comment: nobody signed this"), "verified", True
    yield "armoured-wrong-sum", pub, armour(sig, good=False), "invalid", False
    yield "armoured-cut", pub, armour(sig)[:-30], "invalid", False
    yield "armoured-as-message", pub, armour(sig, "PGP MESSAGE"), "opaque", True
    yield "armoured-and-more", pub, armour(sig) + b"anything\n", "invalid", True
    yield "bytes-behind", pub, sig + b"\0", "raw", False
    yield "marker", pub, packet(10, b"PGP") + sig, "raw", True
    yield "literal-data", pub, sig + packet(11, b"b\0\0\0\0\0x"), "raw", False
    yield "partial-length", pub, bytes([0xc2, 0xe7]) + sig[6:], "raw", False
    for later in range(1000):  # the first number's count of bits, one with a few zeros in front
        long = bytearray(k.sign(DOC, at=SIGNED + later))
        area = 6 + 6 + int.from_bytes(long[10:12], "big")
        n = area + 2 + int.from_bytes(long[area:area + 2], "big") + 2
        bits = int.from_bytes(long[n:n + 2], "big")
        if bits % 8:
            break
    long[n:n + 2] = struct.pack(">H", (bits + 7) // 8 * 8)
    yield "number-not-in-its-form", pub, bytes(long), "invalid", True
    yield "empty", pub, b"", "invalid", False


def main(folder):
    os.makedirs(folder, exist_ok=True)
    lines = []
    with open(os.path.join(folder, "doc"), "wb") as f:
        f.write(DOC)
    for name, key, sig, ours, gpgv in cases():
        for what, data in (("key", key), ("sig", sig)):
            with open(os.path.join(folder, f"{name}.{what}"), "wb") as f:
                f.write(data)
        lines.append(f"{name} {ours} {gpgv}\n")
    with open(os.path.join(folder, "cases"), "w") as f:
        f.write(f"# judged at {AT}\n" + "".join(lines))


if __name__ == "__main__":
    main(sys.argv[1])
