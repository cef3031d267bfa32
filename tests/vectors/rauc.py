#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""RAUC bundles by the genuine tool, bad cousins of them, and what that tool says of each.

    rauc.py DIRECTORY        with the test PKI of pki.sh in DIRECTORY/..

DIRECTORY/<name>.raucb   the bundles
DIRECTORY/judged         one line each: name, settings, what `rauc info` and `rauc extract` said ("yes", "no")
DIRECTORY/small.raucb    like verity-good, as short as it gets: for changing bytes
DIRECTORY/least-*.raucb  with a root file system (squashfs, ext4) whose settings ask for a least version: 1.4.2

Settings are those of the verifier: "email" (RAUC's default purpose), "code" (check-purpose=codesign),
"crl" (check-crl=true), "crl-less" (the same without a list), "code-crl" (both). RAUC judges at the time of day; the PKI's certificates hold until 2049.
"""
import concurrent.futures
import hashlib
import os
import random
import shutil
import struct
import subprocess
import sys

MADE = "1700000000"
BLOCK = 4096
OUT = PKI = WORK = ""
variants = {}  # name: (settings, bytes)


def run(*args, **kw):
    env = dict(os.environ, LC_ALL="C", OPENSSL_CONF="/dev/null")
    return subprocess.run([str(a) for a in args], capture_output=True, env=env, **kw)


def must(*args, **kw):
    r = run(*args, **kw)
    if r.returncode:
        sys.exit(f"rauc.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")
    return r.stdout


def cert(name):
    return os.path.join(PKI, "cert", name + ".pem")


def key(name):
    return os.path.join(PKI, "key", name + ".key")


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    os.chmod(path, mode)


def read(path):
    with open(path, "rb") as f:
        return f.read()


# ---- content ----

ROOTFS = random.Random(3).randbytes(50000)
APP = b"app " * 5000


def image(name, slot, data, **kw):
    """An [image] section; a value of None leaves the key out."""
    keys = {"filename": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    keys.update(kw)
    return f"[image.{slot}]\n" + "".join(f"{k}={v}\n" for k, v in keys.items() if v is not None) + "\n"


def head(fmt, extra="", update=""):
    bundle = f"[bundle]\nformat={fmt}\n{extra}\n" if fmt else ""
    return f"[update]\ncompatible=Test Gateway\nversion=2026.01-1\nbuild=20260101\n{update}\n{bundle}"


IMAGES = image("rootfs.img", "rootfs", ROOTFS) + image("app.img", "app", APP)
FILES = {"rootfs.img": ROOTFS, "app.img": APP}


def squash(files, manifest):
    """The payload of a bundle, as RAUC's own call of mksquashfs makes it."""
    tree = os.path.join(WORK, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for name, data in files.items():
        path = os.path.join(tree, name)
        if isinstance(data, tuple):
            os.symlink(data[0], path)
        else:
            write(path, data, 0o755 if name.endswith(".sh") else 0o644)
    if manifest is not None:
        write(os.path.join(tree, "manifest.raucm"), manifest)
    out = os.path.join(WORK, "payload")
    must("mksquashfs", tree, out, "-all-root", "-noappend", "-no-progress", "-no-xattrs", "-quiet",
         "-mkfs-time", MADE, "-all-time", MADE)
    return read(out)


def genuine(name, fmt, signer="email", intermediate="inter", files=None, manifest=None, **kw):
    """By `rauc bundle` itself."""
    content = os.path.join(WORK, "content")
    shutil.rmtree(content, ignore_errors=True)
    for path, data in (files or FILES).items():
        write(os.path.join(content, path), data, 0o755 if path.endswith(".sh") else 0o644)
    write(os.path.join(content, "manifest.raucm"), manifest or head(fmt) + IMAGES)
    out = os.path.join(WORK, name)
    if os.path.exists(out):
        os.remove(out)
    more = ["--intermediate", cert(intermediate)] if intermediate else []
    must("rauc", "bundle", "--cert", cert(signer), "--key", key(kw.get("key", signer)), *more, content, out)
    return read(out)


# ---- by hand, with openssl ----

def cms(content, signers=("email",), detached=True, certs=("inter",), *options):
    path = os.path.join(WORK, "tbs")
    write(path, content)
    args = []
    for s in signers:
        name, k = s if isinstance(s, tuple) else (s, s)
        args += ["-signer", cert(name), "-inkey", key(k)]
    for c in certs:
        more = os.path.join(WORK, "more.pem")
        write(more, b"".join(read(cert(c)) for c in certs))
        args += ["-certfile", more]
        break
    if not detached:
        args.append("-nodetach")
    return must("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in", path, *args, *options)


def join(payload, der, length=None):
    return payload + der + struct.pack(">Q", len(der) if length is None else length)


def parts(bundle):
    n = struct.unpack(">Q", bundle[-8:])[0]
    return bundle[:-8 - n], bundle[-8 - n:-8]


def verity(data, salt):
    """(root, tree) of dm-verity as the kernel's documentation has it: our own reckoning, held against RAUC's below."""
    levels, level = [], [hashlib.sha256(salt + data[i:i + BLOCK]).digest() for i in range(0, len(data), BLOCK)]
    while True:
        blocks = b"".join(level)
        blocks += bytes(-len(blocks) % BLOCK)
        if len(level) > 1:
            levels.insert(0, blocks)
            level = [hashlib.sha256(salt + blocks[i:i + BLOCK]).digest() for i in range(0, len(blocks), BLOCK)]
        else:
            return level[0], b"".join(levels)


SALT = hashlib.sha256(b"salt").digest()


def verity_keys(root, size, salt=SALT):
    return f"verity-hash={root.hex()}\nverity-salt={salt.hex()}\nverity-size={size}\n"


def by_hand(files=None, inner=None, outer=None, images=IMAGES, root=None, salt=SALT, size=None, tail=b"",
            fmt="verity", sign=None, update="", squashed=None):
    """A verity bundle in which anything may be said."""
    data = squashed or squash(files or FILES, head(fmt, update=update) + images if inner is None else inner)
    good_root, tree = verity(data, SALT)
    keys = verity_keys(root or good_root, len(tree) + len(tail) if size is None else size, salt)
    text = head(fmt, keys, update) + images if outer is None else outer.replace("KEYS", keys)
    return join(data + tree + tail, cms(text.encode() if isinstance(text, str) else text, detached=False, **(sign or {})))


def plain_by_hand(files=None, manifest=None, payload_tail=b"", **sign):
    data = squash(files or FILES, head("plain") + IMAGES if manifest is None else manifest) + payload_tail
    return join(data, cms(data, **sign))


def flip(b, at):
    at %= len(b)
    return b[:at] + bytes([b[at] ^ 0x10]) + b[at + 1:]


def add(name, data, settings="email"):
    variants[name] = (settings, data)


# ---- the table ----

def signers(fmt, base):
    bundle = {"plain": lambda **s: plain_by_hand(**s), "verity": lambda **s: by_hand(sign=s)}[fmt]
    p = fmt + "-"
    add(p + "good", base)
    add(p + "by-hand", bundle())
    add(p + "other-vendor", bundle(signers=[("other", "leaf")], certs=["other-root"]))
    add(p + "self-signed", bundle(signers=["self"], certs=()))
    add(p + "no-intermediate", bundle(certs=()))
    add(p + "expired", bundle(signers=[("expired", "leaf")]), "code")
    add(p + "not-yet", bundle(signers=[("notyet", "leaf")]), "code")
    add(p + "tls-purpose", bundle(signers=[("tls", "leaf")]))
    add(p + "code-purpose", bundle(signers=["code"]))
    add(p + "code-as-code", bundle(signers=["code"]), "code")
    add(p + "email-as-code", bundle(), "code")
    add(p + "crl-good", bundle(), "crl")
    add(p + "crl-missing", bundle(), "crl-less")
    add(p + "revoked", bundle(signers=["revoked"]), "code-crl")
    add(p + "revoked-no-crl", bundle(signers=["revoked"]), "code")
    add(p + "two-good", bundle(signers=["email", ("plain", "leaf")]))
    add(p + "second-stranger", bundle(signers=["email", "self"]))


def cuts(fmt, good):
    p = fmt + "-"
    payload, der = parts(good)
    places = {"super": 40, "data": 200, "inodes": int.from_bytes(payload[64:72], "little") + 5,
              "listing": int.from_bytes(payload[72:80], "little") + 5, "payload-end": len(payload) - 1,
              "cms-head": len(payload) + 20, "cms-signature": len(good) - 40, "length": -1}
    for name, at in places.items():
        add(p + "flip-" + name, flip(good, at))
    add(p + "cut-last", good[:-1])
    add(p + "cut-length", good[:-8])
    add(p + "cut-half", good[:len(good) // 2])
    add(p + "cut-payload", join(payload[:-BLOCK], der))
    add(p + "append-byte", good + b"\0")
    add(p + "append-block", good + bytes(BLOCK))
    add(p + "append-to-payload", join(payload + bytes(BLOCK), der))
    add(p + "append-in-cms", join(payload, der + b"JUNK"))
    add(p + "length-0", join(payload, der, 0))
    add(p + "length-short", join(payload, der, len(der) - 1))
    add(p + "length-long", join(payload, der, len(der) + 1))
    add(p + "length-64k", join(payload, der + bytes(65537 - len(der))))
    add(p + "length-huge", join(payload, der, 2**64 - 8))
    add(p + "no-signer", join(payload, read(os.path.join(PKI, "cms", "certs-only.der"))))


def manifests(fmt):
    """What the manifest may say, signed all the same."""
    p = fmt + "-"

    def bundle(images=IMAGES, top="", files=None, update=""):
        if fmt == "plain":
            return plain_by_hand(files, head("plain", update=update) + top + images)
        keys = "KEYS"
        outer = head("verity", keys, update) + top + images
        return by_hand(files, head("verity", update=update) + top + images, outer)

    add(p + "meta-group", bundle(top="[meta.note]\nanything=1\n"))
    add(p + "comment", bundle(top="# a comment\n\n"))
    add(p + "unknown-key", bundle(update="flavour=sour\n"))
    add(p + "unknown-group", bundle(top="[extra]\na=b\n"))
    add(p + "double-key", bundle(update="version=9\n"))
    add(p + "double-group", bundle(top="[update]\ndescription=again\n"))
    add(p + "no-pair", bundle(top="just words\n"))
    add(p + "translated-key", bundle(update="version[de]=9\n"))
    add(p + "empty-value", bundle(update="description=\n"))
    add(p + "bad-escape", bundle(update="description=a\\qb\n"))
    add(p + "unknown-hook", bundle(images=image("rootfs.img", "rootfs", ROOTFS, hooks="sing") + image("app.img", "app", APP)))
    add(p + "hook-without-file", bundle(images=image("rootfs.img", "rootfs", ROOTFS, hooks="post-install") + image("app.img", "app", APP)))
    add(p + "hook", bundle(top="[hooks]\nfilename=hook.sh\nhooks=install-check\n", files=dict(FILES, **{"hook.sh": b"#!/bin/sh\n"})))
    add(p + "handler", bundle(top="[handler]\nfilename=handler.sh\n", files=dict(FILES, **{"handler.sh": b"#!/bin/sh\n"})))
    add(p + "handler-missing", bundle(top="[handler]\nfilename=handler.sh\n"))
    add(p + "extra-file", bundle(files=dict(FILES, **{"extra.bin": b"extra"})))
    add(p + "image-missing", bundle(files={"rootfs.img": ROOTFS}))
    add(p + "image-link", bundle(files={"rootfs.img": ROOTFS, "app.img": ("/dev/mem",)}))
    add(p + "image-above", bundle(images=image("../app.img", "app", APP), files={"rootfs.img": ROOTFS}))
    add(p + "sha-wrong", bundle(images=image("rootfs.img", "rootfs", APP) + image("app.img", "app", APP)))
    add(p + "sha-missing", bundle(images=image("rootfs.img", "rootfs", ROOTFS, sha256=None) + image("app.img", "app", APP)))
    add(p + "sha-capitals", bundle(images=image("rootfs.img", "rootfs", ROOTFS, sha256=hashlib.sha256(ROOTFS).hexdigest().upper())
                                   + image("app.img", "app", APP)))
    add(p + "size-wrong", bundle(images=image("rootfs.img", "rootfs", ROOTFS, size=len(ROOTFS) + 1) + image("app.img", "app", APP)))
    add(p + "size-missing", bundle(images=image("rootfs.img", "rootfs", ROOTFS, size=None) + image("app.img", "app", APP)))
    add(p + "size-signed", bundle(images=image("rootfs.img", "rootfs", ROOTFS, size="-1") + image("app.img", "app", APP)))
    add(p + "two-digests", bundle(images=IMAGES + image("app.img", "app2", ROOTFS, size=len(APP))))
    add(p + "casync", bundle(images=image("rootfs.img.caibx", "rootfs", ROOTFS), files={"rootfs.img.caibx": random.Random(5).randbytes(20000)}))


def only_plain(good):
    payload, der = parts(good)
    add("plain-unaligned", plain_by_hand(payload_tail=b"\0"))
    add("plain-hidden-block", plain_by_hand(payload_tail=b"hidden".ljust(BLOCK, b".")))
    add("plain-no-manifest", join(*(lambda d: (d, cms(d)))(squash(FILES, None))))
    add("plain-says-verity", plain_by_hand(manifest=head("verity") + IMAGES))
    add("plain-with-tree", plain_by_hand(manifest=head("verity", verity_keys(SALT, BLOCK)) + IMAGES))
    add("plain-sha1", join(payload, must("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha1", "-in",
                                         os.path.join(WORK, "payload-of-good"), "-signer", cert("email"), "-inkey",
                                         key("email"), "-certfile", cert("inter"))))
    add("plain-attached", join(payload, cms((head("plain") + IMAGES).encode(), detached=False)))
    add("plain-no-attributes", join(payload, cms(payload, ("email",), True, ("inter",), "-noattr")))


def only_verity(good):
    payload, der = parts(good)
    data = squash(FILES, head("verity") + IMAGES)
    root, tree = verity(data, SALT)
    add("verity-flip-tree", flip(good, len(payload) - len(verity(payload, SALT)[1]) + 3))
    add("verity-tree-padding", by_hand(squashed=None, tail=b"").replace(tree, tree[:-1] + b"\1"))
    add("verity-other-salt", by_hand(salt=bytes(32)))
    add("verity-other-root", by_hand(root=bytes(32)))
    add("verity-hidden-block", by_hand(tail=b"hidden".ljust(BLOCK, b".")))
    add("verity-size-unaligned", by_hand(size=len(tree) + 1))
    add("verity-size-0", by_hand(size=0))
    add("verity-size-less", by_hand(size=max(0, len(tree) - BLOCK) or 2 * BLOCK))
    add("verity-size-huge", by_hand(size=2**63))
    add("verity-no-root", by_hand(outer=head("verity", verity_keys(root, len(tree)).split("\n", 1)[1]) + IMAGES))
    add("verity-says-plain", by_hand(outer=head("plain") + IMAGES))
    add("verity-version-changed", join(payload, der.replace(b"2026.01-1", b"2026.01-2")))
    add("verity-inner-differs", by_hand(inner=(head("verity") + IMAGES).replace("2026.01-1", "2025.12-9")))
    add("verity-no-inner", by_hand(squashed=squash(FILES, None)))
    sha1 = os.path.join(WORK, "tbs")
    write(sha1, head("verity", verity_keys(root, len(tree))) + IMAGES)
    add("verity-sha1", join(data + tree, must("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha1",
                                              "-nodetach", "-in", sha1, "-signer", cert("email"), "-inkey", key("email"),
                                              "-certfile", cert("inter"))))
    deep = random.Random(4).randbytes(700000)  # two levels of digests
    add("verity-deep", genuine("deep.raucb", "verity", files={"a.img": deep},
                               manifest=head("verity") + image("a.img", "a", deep)))
    crypt = genuine("crypt.raucb", "crypt")
    add("crypt-good", crypt)
    add("crypt-flip", flip(crypt, 5000))
    path = os.path.join(WORK, "enc.raucb")
    if os.path.exists(path):
        os.remove(path)
    must("rauc", "encrypt", "--keyring", cert("root"), "--to", cert("encipher"), os.path.join(WORK, "crypt.raucb"), path)
    add("crypt-encrypted", read(path))


def judge(name):
    settings, data = variants[name]
    path = os.path.join(OUT, name + ".raucb")
    write(path, data)
    target = os.path.join(WORK, "extracted-" + name)
    conf = ["--conf", os.path.join(WORK, settings + ".conf")]
    said = [run("rauc", *conf, "info", path), run("rauc", *conf, "extract", path, target)]
    shutil.rmtree(target, ignore_errors=True)
    if os.environ.get("RAUC_PY_VERBOSE"):
        print(name, [s.returncode for s in said], [s.stderr.decode().strip().split("\n")[-1][-150:] for s in said])
    return "\t".join([name, settings] + ["yes" if s.returncode == 0 else "no" for s in said])


# ---- settings in what is installed ----

def least():
    """As min-bundle-version of RAUC 1.15 is set, which 1.8 knows nothing of: it is in the image, not in the bundle."""
    tree = os.path.join(WORK, "root")
    write(os.path.join(tree, "etc/rauc/system.conf"),
          "# of the device\n[system]\ncompatible=Test Gateway\nbootloader=noop\nmin-bundle-version=1.4.2\n[keyring]\npath=x\n")
    write(os.path.join(tree, "bin/filler"), random.Random(9).randbytes(1200000))  # longer than a head, so that it must be kept
    squashed, ext4 = os.path.join(WORK, "root.squashfs"), os.path.join(WORK, "root.ext4")
    must("mksquashfs", tree, squashed, "-all-root", "-noappend", "-no-progress", "-no-xattrs", "-quiet", "-mkfs-time", MADE,
         "-all-time", MADE)
    env = dict(os.environ, E2FSPROGS_FAKE_TIME=MADE, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    made = subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-U", "6d2d6f6e-6f2d-4d69-8a73-2d6f6e652d31",
                           "-E", "hash_seed=6d2d6f6e-6f2d-4d69-8a73-2d6f6e652d31,root_owner=0:0", "-d", tree, ext4, "3M"],
                          capture_output=True, env=env)
    if made.returncode:
        sys.exit(made.stderr.decode())
    for name, path in (("squashfs", squashed), ("ext4", ext4)):
        data, file = read(path), f"rootfs.{name}"
        write(os.path.join(OUT, f"least-{name}.raucb"),
              genuine(f"least-{name}.raucb", "verity", files={file: data}, manifest=head("verity") + image(file, "rootfs", data)))


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(WORK)
    write(os.path.join(WORK, "anchors.pem"), read(cert("root")))
    write(os.path.join(WORK, "anchors-crl.pem"), b"".join(read(cert(c)) for c in ("root", "crl-root", "crl-inter")))
    for settings, anchors, more in (("email", "anchors", ""), ("code", "anchors", "check-purpose=codesign\n"),
                                    ("crl", "anchors-crl", "check-crl=true\n"),
                                    ("crl-less", "anchors", "check-crl=true\n"),
                                    ("code-crl", "anchors-crl", "check-purpose=codesign\ncheck-crl=true\n")):
        write(os.path.join(WORK, settings + ".conf"),
              f"[system]\ncompatible=Test Gateway\nbootloader=noop\n[keyring]\npath={WORK}/{anchors}.pem\n{more}")
    plain = genuine("plain.raucb", "plain")
    with_tree = genuine("verity.raucb", "verity")
    write(os.path.join(WORK, "payload-of-good"), parts(plain)[0])
    signers("plain", plain)
    signers("verity", with_tree)
    cuts("plain", plain)
    cuts("verity", with_tree)
    manifests("plain")
    manifests("verity")
    only_plain(plain)
    only_verity(with_tree)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lines = list(pool.map(judge, variants))
    tiny = random.Random(6).randbytes(4500)  # two blocks at least, or there is no tree
    small = by_hand({"a.img": tiny}, images=image("a.img", "a", tiny))
    write(os.path.join(OUT, "small.raucb"), small)
    least()
    write(os.path.join(OUT, "judged"), "\n".join(lines) + "\n")
    shutil.rmtree(WORK)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: rauc.py DIRECTORY")
    OUT = os.path.abspath(sys.argv[1])
    PKI, WORK = os.path.dirname(OUT), os.path.join(OUT, "work")
    main()
