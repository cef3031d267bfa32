#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Flattened image trees, good and bad. mkimage makes and signs them; what is bad is changed afterwards, token by token,
by the few lines here that know the form of a device tree (the Devicetree Specification, chapter 5).

    fit.py DIRECTORY

DIRECTORY/key/*.pem    public keys        DIRECTORY/*.fit    images
DIRECTORY/key/*.dtb    the same keys as mkimage hands them to U-Boot, for fit_check_sign
"""
import datetime
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

BEGIN, END, PROP, NOP, FINISH = 1, 2, 3, 4, 9
KEYS = {"dev": rsa.generate_private_key(65537, 2048), "rsa3072": rsa.generate_private_key(65537, 3072),
        "rsa4096": rsa.generate_private_key(65537, 4096), "other": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()), "ec384": ec.generate_private_key(ec.SECP384R1())}
KERNEL, RAMDISK, SCRIPT = b"kernel " * 703, b"ramdisk " * 300 + b"!", b"echo hello\n"
DTB = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], check=True, capture_output=True,
                     input=b'/dts-v1/; / { compatible = "acme,board-1"; model = "Acme"; };').stdout


def padded(b):
    return b + bytes(-len(b) % 4)


class Tree:
    """Tokens and names of a blob, changed in place: what is signed keeps its bytes unless it is meant to change."""

    def __init__(self, blob):
        _, total, at, strings, _, _, _, _, n, size = struct.unpack_from(">10I", blob)
        self.strings, self.behind, self.tokens, end = blob[strings:strings + n], blob[total:], [], at + size
        self.slack = total - strings - n
        while at < end:
            kind = struct.unpack_from(">I", blob, at)[0]
            at += 4
            if kind == BEGIN:
                name = blob[at:blob.index(b"\0", at)]
                at += len(padded(name + b"\0"))
                self.tokens.append((BEGIN, name))
            elif kind == PROP:
                size, name = struct.unpack_from(">II", blob, at)
                self.tokens.append((PROP, name, blob[at + 8:at + 8 + size]))
                at += 8 + len(padded(blob[at + 8:at + 8 + size]))
            else:
                self.tokens.append((kind,))

    def name(self, at):
        return self.strings[at:self.strings.index(b"\0", at)].decode()

    def intern(self, name):
        at = (b"\0" + self.strings).find(b"\0" + name.encode() + b"\0")
        if at < 0:
            at = len(self.strings)
            self.strings += name.encode() + b"\0"
        return at

    def find(self, path):
        """Place of the token that begins the node."""
        want, at = [p.encode() for p in path.strip("/").split("/") if p], []
        for i, t in enumerate(self.tokens):
            if t[0] == BEGIN:
                at.append(t[1])
                if at == [b""] + want:
                    return i
            elif t[0] == END:
                at.pop()
        raise KeyError(path)

    def end(self, start):
        depth = 0
        for i in range(start, len(self.tokens)):
            depth += {BEGIN: 1, END: -1}.get(self.tokens[i][0], 0)
            if depth == 0:
                return i
        raise KeyError(start)

    def place(self, path, prop):
        i = self.find(path) + 1
        while self.tokens[i][0] == PROP:
            if self.name(self.tokens[i][1]) == prop:
                return i
            i += 1
        return None

    def get(self, path, prop):
        return self.tokens[self.place(path, prop)][2]

    def set(self, path, prop, value):
        at = self.place(path, prop)
        token = (PROP, self.intern(prop), value)
        if at is None:
            self.tokens.insert(self.find(path) + 1, token)
        else:
            self.tokens[at] = (PROP, self.tokens[at][1], value)
        return self

    def drop(self, path, prop):
        del self.tokens[self.place(path, prop)]
        return self

    def cut(self, path):
        start = self.find(path)
        node = self.tokens[start:self.end(start) + 1]
        del self.tokens[start:self.end(start) + 1]
        return node

    def copy(self, path):
        start = self.find(path)
        return list(self.tokens[start:self.end(start) + 1])

    def paste(self, path, node, first=False):
        start = self.find(path)
        at = self.end(start)
        if first:
            at = start + 1
            while self.tokens[at][0] == PROP:
                at += 1
        self.tokens[at:at] = node
        return self

    def blob(self, between=b"", processor=0, reserve=b"", slack=None):
        out = b""
        for t in self.tokens:
            out += struct.pack(">I", t[0])
            if t[0] == BEGIN:
                out += padded(t[1] + b"\0")
            elif t[0] == PROP:
                out += struct.pack(">II", len(t[2]), t[1]) + padded(t[2])
        reserve += bytes(16)
        at = 40 + len(reserve)
        strings = at + len(out) + len(between)
        slack = bytes(self.slack) if slack is None else slack
        total = strings + len(self.strings) + len(slack)
        head = struct.pack(">10I", 0xD00DFEED, total, at, strings, 40, 17, 16, processor, len(self.strings), len(out))
        return head + reserve + out + between + self.strings + slack + self.behind


# ---- what mkimage makes ----

def source(sign="sha256,rsa2048", key="dev", pad="", images=("sha256",), image_sign="", sign_images="", confs=None,
           ramdisk="", extra="", conf_extra="", root="", default="conf-1"):
    hashes_ = "".join(f'hash-{i + 1} {{ algo = "{a}"; }}; ' for i, a in enumerate(images))
    pads = f'padding = "{pad}"; ' if pad else ""
    own = f'signature-1 {{ algo = "{image_sign}"; key-name-hint = "{key}"; {pads}}}; ' if image_sign else ""
    which = f"sign-images = {sign_images}; " if sign_images else ""
    signature = f'signature-1 {{ algo = "{sign}"; key-name-hint = "{key}"; {which}{pads}}}; ' if sign else ""
    more = f'ramdisk-1 {{ description = "Ramdisk"; data = /incbin/("ramdisk"); type = "ramdisk"; arch = "arm64"; ' \
           f'os = "linux"; compression = "none"; {hashes_}{own}}}; ' if ramdisk else ""
    conf = f'conf-1 {{ description = "Board 1"; compatible = "acme,board-1"; kernel = "kernel-1"; fdt = "fdt-1"; {conf_extra} ' \
           + (f'{ramdisk} = "ramdisk-1"; ' if ramdisk else "") + signature + "};"
    return f"""/dts-v1/;
/ {{ description = "Acme modem host 7.1"; #address-cells = <1>; {root}
 images {{
  kernel-1 {{ description = "Kernel"; data = /incbin/("kernel"); type = "kernel"; arch = "arm64"; os = "linux";
   compression = "none"; load = <0x80000>; entry = <0x80000>; {hashes_}{own}}};
  fdt-1 {{ description = "Tree"; data = /incbin/("dtb"); type = "flat_dt"; arch = "arm64"; compression = "none"; {hashes_}{own}}};
  {more}{extra}
 }};
 configurations {{ default = "{default}"; {confs or conf} }};
}};"""


def make(folder, text, *options, dtb="pub.dtb"):
    env = dict(os.environ, SOURCE_DATE_EPOCH="1767225600")
    with open(os.path.join(folder, "x.its"), "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", os.path.join(folder, dtb)],
                   input=b"/dts-v1/; / { signature { }; };", check=True)
    r = subprocess.run(["mkimage", "-f", "x.its", "-k", "keys", "-K", dtb, "-r", *options, "x.fit"], cwd=folder, env=env,
                       capture_output=True, check=False)
    if r.returncode:
        sys.exit(r.stdout.decode() + r.stderr.decode())
    with open(os.path.join(folder, "x.fit"), "rb") as f:
        return f.read()


def keys(folder, out):
    os.makedirs(os.path.join(out, "key"), exist_ok=True)
    day = datetime.datetime
    for name, key in KEYS.items():
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        cert = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()) \
            .serial_number(7).not_valid_before(day(2020, 1, 1)).not_valid_after(day(2040, 1, 1)).sign(key, hashes.SHA256())
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for path, text in ((f"{folder}/keys/{name}.key", pem), (f"{folder}/keys/{name}.pem", pem),
                           (f"{folder}/keys/{name}.crt", cert.public_bytes(serialization.Encoding.PEM)),
                           (f"{out}/key/{name}.pem", public),
                           (f"{out}/key/{name}.crt", cert.public_bytes(serialization.Encoding.PEM))):
            with open(path, "wb") as f:
                f.write(text)


# ---- signing once more, by the rule ----

CONF, SIG = "/configurations/conf-1", "/configurations/conf-1/signature-1"


def sign(tree, key="dev", conf="conf-1", nodes=None, salt=None, strings=None, hasher=None):
    """Signs what a configuration's signature is over, computed here; for what mkimage does not make."""
    path = f"/configurations/{conf}"
    sig = path + "/signature-1"
    listed = nodes or tree.get(sig, "hashed-nodes").rstrip(b"\0").decode().split("\0")
    n = strings if strings is not None else struct.unpack(">II", tree.get(sig, "hashed-strings"))[1]
    out, at, want = b"", [], []
    for t in tree.tokens:
        piece = struct.pack(">I", t[0])
        include = True
        if t[0] == BEGIN:
            at.append(t[1].decode())
            full = "/".join(at) or "/"
            want.append(2 if full in listed else max(0, want[-1] - 1 if want else 0))
            piece, include = piece + padded(t[1] + b"\0"), want[-1] > 0
        elif t[0] == PROP:
            piece += struct.pack(">II", len(t[2]), t[1]) + padded(t[2])
            include = want[-1] == 2 and tree.name(t[1]) not in ("data", "data-size", "data-position", "data-offset")
        elif t[0] == END:
            include = want.pop() > 0
            at.pop()
        out += piece if include else b""
    out += tree.strings[:n]
    hasher = hasher or hashes.SHA256()
    way = padding.PKCS1v15() if salt is None else padding.PSS(padding.MGF1(hasher), salt)
    if isinstance(KEYS[key], ec.EllipticCurvePrivateKey):
        pair = utils.decode_dss_signature(KEYS[key].sign(out, ec.ECDSA(hasher)))
        value = b"".join(v.to_bytes(KEYS[key].key_size // 8, "big") for v in pair)
    else:
        value = KEYS[key].sign(out, way, hasher)
    tree.set(sig, "value", value)
    tree.set(sig, "hashed-strings", struct.pack(">II", 0, n))
    return tree


def text(*words):
    return b"".join(w.encode() + b"\0" for w in words)


def sound(make_):
    yield "rsa2048", make_(source())
    yield "rsa3072", make_(source(sign="sha256,rsa3072", key="rsa3072"))
    yield "rsa4096", make_(source(sign="sha512,rsa4096", key="rsa4096"))
    yield "sha384", make_(source(sign="sha384,rsa2048"))
    yield "pss", make_(source(pad="pss"))
    yield "ecdsa", make_(source(sign="sha256,ecdsa256", key="ec"))
    yield "external", make_(source(), "-E")
    yield "aligned", make_(source(), "-E", "-B", "0x200")
    yield "position", make_(source(), "-E", "-p", "0x2000")
    yield "hashes", make_(source(images=("crc32", "sha1", "sha256", "sha512")))
    yield "weak-first", make_(source(images=("sha256", "crc32")))
    yield "both", make_(source(image_sign="sha256,rsa2048"))
    yield "ramdisk", make_(source(ramdisk="ramdisk", sign_images='"kernel", "fdt", "ramdisk"'))
    yield "loadables", make_(source(ramdisk="loadables", sign_images='"kernel", "fdt", "loadables"'))
    yield "version", make_(source(root='version = "7.1.3";'))
    # What this mkimage does not make yet.
    wide = Tree(make_(source(sign="sha256,ecdsa256", key="ec"))).set(SIG, "algo", text("sha384,ecdsa384"))
    yield "ecdsa384", sign(wide, key="ec384", hasher=hashes.SHA384()).blob()
    inner = make_(source())
    yield "nested", make_(source(extra='inner { description = "Inner"; data = [%s]; type = "firmware"; compression = "none"; '
                                       'hash-1 { algo = "sha256"; }; };' % inner.hex(" "),
                                 conf_extra='loadables = "inner";', sign_images='"kernel", "fdt", "loadables"'))


def two(make_):
    conf = """conf-%d { description = "Board %d"; compatible = "acme,board-%d"; kernel = "kernel-1"; fdt = "%s";
     signature-1 { algo = "sha256,rsa2048"; key-name-hint = "%s"; }; };"""
    extra = 'fdt-2 { description = "Tree 2"; data = /incbin/("ramdisk"); type = "flat_dt"; arch = "arm64"; ' \
            'compression = "none"; hash-1 { algo = "sha256"; }; };'
    both = conf % (1, 1, 1, "fdt-1", "dev") + conf % (2, 2, 2, "fdt-2", "dev")
    one = conf % (1, 1, 1, "fdt-1", "dev") + conf % (2, 2, 2, "fdt-2", "other")
    return make_(source(extra=extra, confs=both)), make_(source(extra=extra, confs=one))


def bad(make_):
    good = make_(source())
    t = lambda: Tree(good)  # noqa: E731
    external = make_(source(), "-E")
    yield "unsigned", make_(source(sign=""))
    yield "images-only", make_(source(sign="", image_sign="sha256,rsa2048"))
    yield "other-key", make_(source(key="other"))
    yield "sha1-signature", make_(source(sign="sha1,rsa2048"))
    yield "crc-only", make_(source(images=("crc32",)))
    yield "sha1-only", make_(source(images=("sha1",)))
    yield "not-all-signed", make_(source(ramdisk="ramdisk"))  # the tool's default leaves the ramdisk out
    yield "script", make_(source(extra='boot { description = "Boot"; data = /incbin/("script"); type = "script"; '
                                       'compression = "none"; hash-1 { algo = "sha256"; }; };',
                                 conf_extra='script = "boot";', sign_images='"kernel", "fdt", "script"'))
    # Bytes of images and words of nodes.
    yield "data", t().set("/images/kernel-1", "data", KERNEL.replace(b"kernel", b"KERNEL", 1)).blob()
    changed = KERNEL.replace(b"kernel", b"KERNEL", 1)
    yield "data-and-hash", t().set("/images/kernel-1", "data", changed) \
        .set("/images/kernel-1/hash-1", "value", hashlib.sha256(changed).digest()).blob()
    yield "load", t().set("/images/kernel-1", "load", struct.pack(">I", 0x90000)).blob()
    yield "description", t().set("/", "description", text("Acme modem host 7.2")).blob()
    yield "timestamp", t().set("/", "timestamp", struct.pack(">I", 1)).blob()
    yield "value", t().set(SIG, "value", bytes(256)).blob()
    yield "value-short", t().set(SIG, "value", t().get(SIG, "value")[1:]).blob()
    yield "value-none", t().drop(SIG, "value").blob()
    yield "algo-other", t().set(SIG, "algo", text("sha512,rsa2048")).blob()
    yield "algo-none", t().set(SIG, "algo", text("none,none")).blob()
    yield "padding-swapped", t().set(SIG, "padding", text("pss")).blob()
    yield "padding-unknown", t().set(SIG, "padding", text("none")).blob()
    # The list beside the signature (CVE-2020-10648, CVE-2026-46728).
    yield "nodes-fewer", t().set(SIG, "hashed-nodes", text("/", CONF, "/images/kernel-1")).blob()
    yield "nodes-none", t().drop(SIG, "hashed-nodes").blob()
    listed = ["/", CONF, "/images/fdt-1", "/images/fdt-1/hash-1"]
    evil = t().set("/images/kernel-1", "data", changed).set("/images/kernel-1/hash-1", "value", hashlib.sha256(changed).digest())
    yield "nodes-signed-fewer", sign(evil.set(SIG, "hashed-nodes", text(*listed)), nodes=listed).blob()
    moved = t()
    conf = moved.copy(CONF)
    conf[0] = (BEGIN, b"conf-evil")
    moved.paste("/images", [(BEGIN, b"evil")] + moved.copy("/images/kernel-1")[1:])
    moved.set("/images/evil", "data", changed).set("/images/evil/hash-1", "value", hashlib.sha256(changed).digest())
    moved.paste("/configurations", conf)
    moved.set("/configurations/conf-evil", "kernel", text("evil")).set("/configurations", "default", text("conf-evil"))
    yield "signature-copied", moved.blob()
    # Names of properties (hashed-strings).
    yield "strings-none", t().drop(SIG, "hashed-strings").blob()
    yield "strings-beyond", t().set(SIG, "hashed-strings", struct.pack(">II", 0, 1 << 20)).blob()
    yield "strings-offset", t().set(SIG, "hashed-strings", struct.pack(">II", 4, struct.unpack(">II", t().get(SIG, "hashed-strings"))[1] - 4)).blob()
    yield "strings-nothing", sign(t(), strings=0).blob()
    renamed = t()
    renamed.strings = renamed.strings.replace(b"load\0", b"lead\0")
    yield "strings-renamed", renamed.blob()
    # Names of nodes: unit addresses (CVE-2021-27138), twins, a second root (CVE-2021-27097).
    at = t()
    node = at.copy("/images/kernel-1")
    node[0] = (BEGIN, b"kernel-1@1")
    yield "unit-address", at.paste("/images", node, first=True).blob()
    twin = t()
    node = twin.copy("/images/kernel-1")
    yield "twin-node", twin.paste("/images", node, first=True).blob()
    twin = t()
    i = twin.place("/images/kernel-1", "load")
    twin.tokens.insert(i, (PROP, twin.tokens[i][1], struct.pack(">I", 0x90000)))
    yield "twin-property", twin.blob()
    images = t()
    images.paste("/", images.copy("/images"))
    yield "twin-images", images.blob()
    root = t()
    root.tokens[-1:-1] = [(BEGIN, b""), (END,)]
    yield "second-root", root.blob()
    nop = t()
    nop.tokens.insert(nop.find("/images/kernel-1"), (NOP,))
    yield "nop", nop.blob()
    late = t()
    late.tokens.insert(late.end(late.find(CONF)), (PROP, late.intern("kernel"), text("fdt-1")))
    yield "late-property", late.blob()
    added = t()
    yield "property-added", added.set(CONF, "ramdisk", text("kernel-1")).blob()
    yield "property-after-signing", sign(Tree(good).set(CONF, "overlay", text("kernel-1"))).blob()
    # Parts of the blob.
    yield "processor", t().blob(processor=7)
    yield "reserve", t().blob(reserve=struct.pack(">QQ", 0x1000, 0x1000))
    yield "between", t().blob(between=b"hide")
    yield "slack", t().blob(slack=bytes(8) + b"hide" + bytes(8))
    yield "slack-long", t().blob(slack=b"hide" * 2000)
    yield "trailing", good + b"trailing"
    end = t()
    end.tokens.append((FINISH,))
    yield "second-end", end.blob()
    # Behind the tree.
    yield "external-data", external[:-8] + b"whatever"[:4] + external[-4:]
    yield "external-trailing", external + b"more"
    e = Tree(external)
    yield "external-outside", Tree(external).set("/images/kernel-1", "data-offset", struct.pack(">I", 1 << 30)).blob()
    yield "external-shared", Tree(external).set("/images/fdt-1", "data-offset", e.get("/images/kernel-1", "data-offset")).blob()
    hidden = Tree(external)
    off = struct.unpack(">I", hidden.get("/images/fdt-1", "data-offset"))[0]
    hidden.behind = hidden.behind[:off] + b"hide" * 4 + hidden.behind[off:]
    yield "external-hidden", hidden.set("/images/fdt-1", "data-offset", struct.pack(">I", off + 16)).blob()
    yield "two-places", Tree(external).set("/images/kernel-1", "data-position", struct.pack(">I", 40)).blob()
    # Other things a signer may have done.
    yield "pss-short-salt", sign(Tree(make_(source(pad="pss"))), salt=32).blob()
    yield "no-hash", sign_without_hash(make_)
    yield "ignored-hash", sign(Tree(good).set("/images/kernel-1/hash-1", "uboot-ignore", struct.pack(">I", 1)),
                               strings=len(Tree(good).strings) + 13).blob()
    yield "wrong-crc", sign(Tree(make_(source(images=("crc32", "sha256")))).set("/images/kernel-1/hash-1", "value", b"\1\2\3\4")).blob()
    yield "missing-image", sign(t().set(CONF, "kernel", text("kernel-9")), nodes=["/", CONF, "/images/fdt-1", "/images/fdt-1/hash-1"]).blob()
    yield "no-description", sign(t().drop("/", "description")).blob()
    many = text(*["kernel-1"] * 1100)
    yield "names-many", sign(Tree(make_(source(conf_extra='more = "fdt-1";', sign_images='"kernel", "fdt", "more"'))).set(CONF, "more", many[:4095 // 9 * 9])
                             .set(CONF, "kernel", many[:4095 // 9 * 9]).set(CONF, "fdt", many[:4095 // 9 * 9])).blob()
    yield "comment", t().set(SIG, "comment", text("anything at all")).blob()
    loose = t()
    loose.paste("/images", [(BEGIN, b"spare")] + loose.copy("/images/kernel-1")[1:])
    yield "unlisted-image", loose.blob()
    unsigned_conf = t()
    conf = unsigned_conf.copy(CONF)
    conf[0] = (BEGIN, b"conf-2")
    unsigned_conf.paste("/configurations", conf)
    unsigned_conf.cut("/configurations/conf-2/signature-1")
    yield "unsigned-beside", unsigned_conf.blob()


def sign_without_hash(make_):
    t = Tree(make_(source()))
    t.cut("/images/kernel-1/hash-1")
    return sign(t, nodes=["/", CONF, "/images/kernel-1", "/images/fdt-1", "/images/fdt-1/hash-1"]).blob()


def main(out):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/keys")
        keys(folder, out)
        for name, data in (("kernel", KERNEL), ("dtb", DTB), ("ramdisk", RAMDISK), ("script", SCRIPT)):
            with open(f"{folder}/{name}", "wb") as f:
                f.write(data)

        def make_(its, *options):
            return make(folder, its, *options)

        both, mixed = two(make_)
        for name, data in (*sound(make_), ("two", both), ("two-makers", mixed), *bad(make_)):
            with open(os.path.join(out, name + ".fit"), "wb") as f:
                f.write(data)
        for name, key, algo in (("dev", "dev", "sha256,rsa2048"), ("rsa3072", "rsa3072", "sha256,rsa3072"),
                                ("rsa4096", "rsa4096", "sha512,rsa4096"), ("sha384", "dev", "sha384,rsa2048")):
            make(folder, source(sign=algo, key=key))
            os.replace(f"{folder}/pub.dtb", f"{out}/key/{name}.dtb")


if __name__ == "__main__":
    main(sys.argv[1])
