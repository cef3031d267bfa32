#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Incremental Android payloads: craudelta.py DIRECTORY.

No package of Debian has update_engine's delta_generator: the container is written by crau.py, what is in it by bsdiff(1),
brotli, bz2 and lzma.

  one-old, one-new, one       a payload of one partition, with an operation of each kind; what writes here and there too
  two.tar, two-new.tar, two   a payload of several, signed; base and target are archives
  full                        a full payload of the new ones
  hostile/*, hostile/list     cousins of "one": name, outcome, words of the refusal
  aosp-old                    the old partition "kernel" of AOSP's sample delta, which is not published with it: its blocks
                              follow from the patch, the full payload and ext2; its SHA-256 is the one that the delta wants
"""
import bz2
import hashlib
import io
import lzma
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile

from crau import message, number, sign
from delta import bsdf2, split, unbsdf2

BLOCK = 4096
REPLACE, REPLACE_BZ, MOVE, SOURCE_COPY, SOURCE_BSDIFF, ZERO, DISCARD, REPLACE_XZ = 0, 1, 2, 4, 5, 6, 7, 8
PUFFDIFF, BROTLI_BSDIFF, ZUCCHINI, LZ4DIFF_BSDIFF, LZ4DIFF_PUFFDIFF = 9, 10, 11, 12, 13


def sha(data):
    return hashlib.sha256(data).digest()


def xz(data):
    return lzma.compress(data, check=lzma.CHECK_CRC32)


def blocks(data, extents):
    return b"".join(data[s * BLOCK:(s + n) * BLOCK] for s, n in extents)


def bsdiff(old, new):
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        (d / "old").write_bytes(old)
        (d / "new").write_bytes(new)
        subprocess.run(["bsdiff", d / "old", d / "new", d / "patch"], check=True)
        return (d / "patch").read_bytes()


def operation(kind, dst, data=None, src=(), **lie):
    """One operation: what it says, what is said wrongly, and its bytes."""
    return {"kind": kind, "dst": dst, "data": data, "src": src, **lie}


def payload(partitions, key=None, minor=6, trailing=b"", **lie):
    """{name: (old or None, new, operations)}."""
    blobs = bytearray()
    manifest = number(3, lie.get("block", BLOCK))
    for name, (old, new, ops) in partitions.items():
        part = message(1, name.encode())
        if old is not None and not lie.get("no_old"):
            part += message(6, number(1, len(old)) + message(2, sha(old)))
        part += message(7, number(1, lie.get("new_size", len(new))) + message(2, lie.get("new_hash", sha(new))))
        for o in ops:
            op = number(1, o["kind"])
            if o["data"] is not None:
                op += number(2, o.get("offset", len(blobs))) + number(3, len(o["data"]))
            op += b"".join(message(4, number(1, s) + number(2, n)) for s, n in o["src"])
            op += b"".join(message(6, number(1, s) + number(2, n)) for s, n in o["dst"])
            if o["data"] is not None and not o.get("no_hash"):
                op += message(8, o.get("hash", sha(o["data"])))
            if o["src"] and not o.get("no_source_hash"):
                op += message(9, o.get("source_hash", sha(blocks(old, o["src"]))))
            blobs += o.get("blob", o["data"]) or b""
            part += message(8, op)
        manifest += message(13, part)
    manifest += number(12, minor) + number(14, 1766000000)
    size = len(sign(key, b"")) if key else 0
    if key:
        manifest += number(4, len(blobs)) + number(5, size)
    head = b"CrAU" + struct.pack(">QQI", 2, len(manifest), size) + manifest
    if not key:
        return head + bytes(blobs) + trailing
    return head + sign(key, head) + bytes(blobs) + sign(key, head + bytes(blobs)) + trailing


def archive(members):
    """The target of several partitions, as the manual page says it is; tarfile reads the same out of it."""
    out = b""
    for name, data in members.items():
        h = bytearray(512)
        for at, text in ((0, name.encode() + b".img"), (100, b"0000644"), (108, b"0000000"), (116, b"0000000"), (124, b"%011o" % len(data)),
                         (136, b"0" * 11), (148, b" " * 8), (156, b"0"), (257, b"ustar\x0000")):
            h[at:at + len(text)] = text
        h[148:155] = b"%06o\0" % sum(h)
        out += bytes(h) + data
    out += bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(out), mode="r:") as t:
        assert {m.name: t.extractfile(m).read() for m in t} == {n + ".img": d for n, d in members.items()}
    return out


def versions():
    rng = random.Random(11)
    code = pathlib.Path(sys.executable).resolve().read_bytes()
    old = code[len(code) // 3:][:40 * BLOCK]
    new = bytearray(old)
    for at in range(0, len(new) - 8, 640):
        new[at] = (new[at] + 5) & 255
    new[3 * BLOCK:5 * BLOCK] = bytes(2 * BLOCK)
    new[20 * BLOCK:24 * BLOCK] = old[30 * BLOCK:31 * BLOCK] + old[8 * BLOCK:10 * BLOCK] + old[8 * BLOCK:9 * BLOCK]
    new[30 * BLOCK:32 * BLOCK] = b"configuration of the second version\n".ljust(64) * 128
    new[39 * BLOCK:40 * BLOCK] = rng.randbytes(BLOCK)
    new[12 * BLOCK:13 * BLOCK] = bytes(BLOCK)
    return old, bytes(new)


def patched(kind, old, new, src, dst):
    data = bsdiff(blocks(old, src), blocks(new, dst))
    if kind == BROTLI_BSDIFF:
        data = bsdf2(*split(data), (2, 2, 2))
    return operation(kind, dst, data, src)


def operations(old, new):
    """All blocks of new once, in an order that is not theirs."""
    return [
        patched(BROTLI_BSDIFF, old, new, [(0, 3)], [(0, 3)]),
        operation(ZERO, [(3, 2)]),
        # Here and there, read and written.
        patched(SOURCE_BSDIFF, old, new, [(24, 4), (5, 5), (24, 1)], [(5, 5), (24, 6), (37, 1)]),
        operation(SOURCE_COPY, [(20, 4)], None, [(30, 1), (8, 2), (8, 1)]),
        operation(DISCARD, [(12, 1)]),
        operation(REPLACE, [(39, 1)], new[39 * BLOCK:40 * BLOCK]),
        operation(REPLACE_BZ, [(30, 2)], bz2.compress(new[30 * BLOCK:32 * BLOCK])),
        operation(REPLACE_XZ, [(38, 1), (10, 2), (32, 1)], xz(blocks(new, [(38, 1), (10, 2), (32, 1)]))),
        patched(BROTLI_BSDIFF, old, new, [(13, 7)], [(13, 7)]),
        patched(SOURCE_BSDIFF, old, new, [(33, 4)], [(33, 4)]),
    ]


def shared_bytes(old, new):
    """Two blocks that are alike, both made of the bytes of the first; in place of the second one's what nobody looks at."""
    block = new[21 * BLOCK:22 * BLOCK]
    assert block == new[23 * BLOCK:24 * BLOCK]
    ops = operations(old, new)
    at = sum(len(o["data"] or b"") for o in ops[:3])
    ops[3:4] = [operation(SOURCE_COPY, [(20, 1), (22, 1)], None, [(30, 1), (9, 1)]), operation(REPLACE, [(21, 1)], block),
                operation(REPLACE, [(23, 1)], block, offset=at, blob=b"hidden".ljust(BLOCK))]
    return payload({"system": (old, new, ops)})


def hostile(old, new):
    """Name, outcome, words; a payload. Each is wrong in one way."""
    def one(change=None, at=0, **lie):
        ops = operations(old, new)
        if change is not None:
            ops[at] = {**ops[at], **change}
        return payload({"system": (old, new, ops)}, **lie)

    bad = bytes(32)
    gap = operations(old, new)[:-1]
    longer = bsdiff(blocks(old, [(0, 3)]), blocks(new, [(0, 3)]) + b"!")
    yield "data-hash", "malformed", "does not have the bytes of its hash", one({"hash": bad}, 7)
    yield "data-no-hash", "malformed", "has bytes and no hash", one({"no_hash": 1}, 6)
    yield "data-outside", "malformed", "beyond those of the payload", one({"offset": 1 << 40}, 5)
    yield "data-overflow", "malformed", "beyond those of the payload", one({"offset": (1 << 64) - 5}, 5)
    yield "data-of-zero", "malformed", "with bytes", one({"data": b"x"}, 1)
    yield "data-of-copy", "malformed", "with bytes", one({"data": b"x"}, 3)
    yield "data-none", "malformed", "without bytes", one({"data": None}, 0)
    yield "data-shared", "malformed", "use the same bytes, REPLACE and REPLACE", shared_bytes(old, new)
    yield "data-left", "malformed", "operations use", one(trailing=b"x")
    yield "source-hash", "malformed", "other bytes of the old partition", one({"source_hash": bad}, 3)
    yield "source-other", "malformed", "other bytes of the old partition", one({"src": [(31, 1), (8, 3)], "source_hash": sha(blocks(old, [(30, 1), (8, 2), (8, 1)]))}, 3)
    yield "source-beyond", "malformed", "reads beyond", one({"src": [(38, 4)], "source_hash": bad}, 3)
    yield "source-overflow", "malformed", "reads beyond", one({"src": [((1 << 64) - 1, 4)], "source_hash": bad}, 3)
    yield "source-count", "malformed", "copies more or less", one({"src": [(8, 3)]}, 3)
    yield "source-none", "malformed", "reads nothing", one({"src": []}, 3)
    yield "source-of-zero", "malformed", "reads the old partition", one({"src": [(0, 1)]}, 1)
    yield "source-often", "limit", "many times over", one({"src": [(0, 40)] * 40}, 0)
    yield "no-old", "malformed", "does not give its hash", one(no_old=True)
    yield "new-hash", "malformed", "another one than its hash says", one(new_hash=bad)
    yield "new-larger", "unsupported", "no operation writes block 40", one(new_size=len(new) + BLOCK)
    yield "new-smaller", "malformed", "writes up to block 40 of 39", one(new_size=len(new) - BLOCK)
    yield "new-odd", "unsupported", "no multiple", one(new_size=len(new) - 1)
    yield "new-huge", "limit", "larger than any target", one(new_size=1 << 41)
    yield "gap", "unsupported", "no operation writes block 33", payload({"system": (old, new, gap)})
    yield "twice", "malformed", "both write block", payload({"system": (old, new, operations(old, new) + [operation(ZERO, [(0, 1)])])})
    yield "write-nothing", "malformed", "writes nothing", payload({"system": (old, new, [*operations(old, new), operation(ZERO, [])])})
    yield "patch-short", "malformed", "should make", one({"data": bsdiff(blocks(old, [(0, 3)]), blocks(new, [(0, 2)]))}, 0)
    yield "patch-long", "limit", "a part by bsdiff40", one({"data": longer}, 0)
    yield "patch-other", "malformed", "neither BSDIFF40 nor BSDF2", one({"data": b"ENDSLEY/BSDIFF43" + bytes(40)}, 0)
    yield "patch-cut", "malformed", "a part by bsdf2", one({"data": operations(old, new)[0]["data"][:-3]}, 0)
    yield "plain-short", "malformed", "more or less bytes", one({"data": new[39 * BLOCK:40 * BLOCK - 1]}, 5)
    yield "packed-short", "malformed", "early", one({"data": bz2.compress(new[30 * BLOCK:31 * BLOCK])}, 6)
    yield "packed-long", "malformed", "more than is used", one({"data": bz2.compress(new[30 * BLOCK:32 * BLOCK] + b"!")}, 6)
    yield "packed-trailing", "malformed", "behind the bz2 stream", one({"data": bz2.compress(new[30 * BLOCK:32 * BLOCK]) + b"!"}, 6)
    yield "packed-other", "malformed", "damaged", one({"data": xz(new[30 * BLOCK:32 * BLOCK])}, 6)
    for kind, name in ((MOVE, "MOVE"), (3, "BSDIFF"), (PUFFDIFF, "PUFFDIFF"), (ZUCCHINI, "ZUCCHINI"), (LZ4DIFF_BSDIFF, "LZ4DIFF_BSDIFF"),
                       (LZ4DIFF_PUFFDIFF, "LZ4DIFF_PUFFDIFF")):
        yield "kind-" + name.lower(), "unsupported", f"({name}) has no applier", one({"kind": kind}, 0)
    yield "kind-unknown", "malformed", "of a kind that nobody here knows", one({"kind": 77}, 0)
    ops = operations(old, new)
    yield "name", "malformed", "a name that no file should have", payload({"../system": (old, new, ops)})
    yield "name-hidden", "malformed", "a name that no file should have", payload({".system": (old, new, ops)})
    yield "name-none", "malformed", "without a name", payload({"": (old, new, ops)})
    yield "block", "malformed", "a block size", one(block=5000)
    yield "none", "malformed", "a payload without partitions", payload({})


def sample(shared):
    """The old kernel of AOSP's samples: blocks 0 to 4 are what the patch adds to; 38 to 40 are alike; 36 is an empty root directory."""
    full, small = ((shared / f).read_bytes() for f in ("full_payload.bin", "delta_payload.bin"))
    new = b"".join(bz2.decompress(full[24 + 257 + a:24 + 257 + b]) for a, b in ((0, 1342), (1342, 1421)))
    target, old, pos, at = new[:5 * BLOCK] + new[47 * BLOCK:48 * BLOCK], bytearray(len(new)), 0, 0
    for x, y, z, diff, _ in unbsdf2(small[24 + 759:24 + 759 + 641]):
        for k in range(x):
            if pos + k < 5 * BLOCK:
                old[pos + k] = (target[at + k] - diff[k]) & 255
        at += x + y
        pos += x + z
    old[37 * BLOCK:38 * BLOCK] = new[37 * BLOCK:38 * BLOCK]
    old[38 * BLOCK:41 * BLOCK] = new[38 * BLOCK:39 * BLOCK] * 3
    names = b"".join(struct.pack("<IHBB", inode, length, len(name), 2) + name.ljust(length - 8, b"\0")
                     for inode, length, name in ((2, 12, b"."), (2, 12, b".."), (11, BLOCK - 24, b"lost+found")))
    old[36 * BLOCK:37 * BLOCK] = names
    assert sha(old).hex() == "42a879e9d112c81619d2ee9a108d99d09b85144c18297f3c148747758da56d03"
    return bytes(old)


def main(out):
    out = pathlib.Path(out)
    (out / "hostile").mkdir(parents=True, exist_ok=True)
    old, new = versions()
    system = {"system": (old, new, operations(old, new))}
    (out / "one-old").write_bytes(old)
    (out / "one-new").write_bytes(new)
    (out / "one").write_bytes(payload(system))
    (out / "one-no-source-hash").write_bytes(payload({"system": (old, new, [{**o, "no_source_hash": 1} for o in operations(old, new)])}))
    boot_old, boot = old[:6 * BLOCK][::-1], b"boot" * BLOCK
    two = {"boot": (boot_old, boot, [operation(REPLACE_XZ, [(0, 4)], xz(boot))]), **system,
           "vendor_a": (old[:2 * BLOCK], old[BLOCK:2 * BLOCK], [operation(SOURCE_COPY, [(0, 1)], None, [(1, 1)])])}
    key = out / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", key], check=True, capture_output=True)
    (out / "two").write_bytes(payload(two, key))
    (out / "two-new.tar").write_bytes(archive({n: p[1] for n, p in two.items()}))
    with tarfile.open(out / "two.tar", "w", format=tarfile.GNU_FORMAT) as t:
        for name, data in (("./notes", b"of somebody"), ("vendor_a", old[:2 * BLOCK]), ("./system.img", old)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    (out / "full").write_bytes(payload({n: (None, p[1], [operation(REPLACE_XZ, [(0, len(p[1]) // BLOCK)], xz(p[1]))]) for n, p in two.items()}))
    lines = []
    for name, outcome, words, data in hostile(old, new):
        (out / "hostile" / name).write_bytes(data)
        lines.append(f"{name} {outcome} {words}\n")
    (out / "hostile" / "list").write_text("".join(lines))
    shared = pathlib.Path(__file__).resolve().parents[3] / "shared" / "vectors" / "android-payload"
    if shared.is_dir():
        (out / "aosp-old").write_bytes(sample(shared))


if __name__ == "__main__":
    main(sys.argv[1])
