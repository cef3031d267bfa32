#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Deltas in the formats that bsdiff does not make: appliers.py DIRECTORY.

  old, new            two versions of machine code; old.gz, new.gz the same packed; empty
  vcdiff-*            by xdelta3
  detools-*           constructed from the format's description: sequential, in-place, hdiffpatch; every compression
  hdiff13-*, hdiff20-*  constructed from the format's description, and applied by a second reading of it here
"""
import bz2
import lzma
import pathlib
import random
import struct
import subprocess
import sys
import zlib

SIZE = 160 << 10


# ---- the pair, and how the second is made of the first ----

def versions():
    """old, and the steps that make new of it: (at, length, changes) or bytes."""
    rng = random.Random(7)
    code = pathlib.Path(sys.executable).resolve().read_bytes()
    old = code[len(code) // 3:][:SIZE]
    steps = []
    for at, length in ((100000, 30000), (0, 40000), (41500, 58500), (130000, 30000)):
        changes = {rng.randrange(length): rng.randrange(1, 256) for _ in range(60)}
        steps.append((at, length, changes))
        steps.append(bytes(rng.choices(b"abcdefgh \n", k=rng.randrange(1, 1500))))
    return old, steps


def diff_of(step):
    """What is added to the bytes of the base in a step."""
    _, length, changes = step
    d = bytearray(length)
    for i, v in changes.items():
        d[i] = v
    return bytes(d)


def make(old, steps):
    new = bytearray()
    for s in steps:
        if isinstance(s, bytes):
            new += s
        else:
            new += bytes((a + b) & 255 for a, b in zip(old[s[0]:s[0] + s[1]], diff_of(s)))
    return bytes(new)


# ---- xdelta3 ----

def xdelta3(out):
    for name, options in {"none": ["-S", "none"], "n": ["-S", "none", "-n"], "A": ["-S", "none", "-A"],
                          "windows": ["-S", "none", "-W", "16384"], "lzma": ["-S", "lzma"],
                          "lzma-windows": ["-S", "lzma", "-W", "16384"], "lzma-9": ["-S", "lzma", "-9"],
                          "djw": ["-S", "djw"], "fgk": ["-S", "fgk"]}.items():
        subprocess.run(["xdelta3", "-e", "-f", *options, "-s", "old", "new", "vcdiff-" + name], cwd=out, check=True)
    subprocess.run(["xdelta3", "-e", "-f", "-s", "old", "empty", "vcdiff-empty"], cwd=out, check=True)
    subprocess.run(["xdelta3", "-e", "-f", "-s", "empty", "new", "vcdiff-from-empty"], cwd=out, check=True)
    for name in ("old", "new"):
        subprocess.run(["gzip", "-kfn", name], cwd=out, check=True)
    subprocess.run(["xdelta3", "-e", "-f", "-q", "-s", "old.gz", "new.gz", "vcdiff-unpacked"], cwd=out, check=True,
                   stderr=subprocess.DEVNULL)


# ---- detools ----

def size(v):
    """Sign and six bits, then seven a byte, least significant first."""
    out, m = bytearray([0x40 if v < 0 else 0]), abs(v)
    out[0] |= m & 0x3f
    m >>= 6
    while m:
        out[-1] |= 0x80
        out.append(m & 0x7f)
        m >>= 7
    return bytes(out)


def crle(data):
    def number(v):
        out = bytearray()
        while True:
            out.append((v & 0x7f) | (0x80 if v > 0x7f else 0))
            v >>= 7
            if not v:
                return bytes(out)
    out, i, plain = bytearray(), 0, 0
    while i <= len(data):
        run = 1
        while i < len(data) and i + run < len(data) and data[i + run] == data[i]:
            run += 1
        if i == len(data) or run >= 6:
            if i > plain:
                out += b"\0" + number(i - plain) + data[plain:i]
            if i < len(data):
                out += b"\1" + number(run) + data[i:i + 1]
            plain = i + run
        i += run
    return bytes(out)


def heatshrink(data, window=10, lookahead=5):
    """A window of zeros in front, as the library has it: the first copies reach into it."""
    bits, at = [], 0
    padded = bytes(1 << window) + data
    places = {}
    def put(v, n):
        bits.extend(v >> k & 1 for k in range(n - 1, -1, -1))
    for k in range((1 << window) - 3):
        places[padded[k:k + 3]] = k
    while at < len(data):
        here, best, where = at + (1 << window), 0, 0
        k = places.get(padded[here:here + 3])
        if k is not None and here - k <= 1 << window:
            while best < 1 << lookahead and here + best < len(padded) and padded[k + best] == padded[here + best]:
                best += 1
            where = here - k
        if best >= 3:
            put(0, 1)
            put(where - 1, window)
            put(best - 1, lookahead)
        else:
            best = 1
            put(1, 1)
            put(data[at], 8)
        for j in range(best):
            places[padded[here + j - 3:here + j]] = here + j - 3
        at += best
    bits += [0] * (-len(bits) % 8)
    body = bytes(int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, len(bits), 8))
    return bytes([(window - 4) << 4 | (lookahead - 3)]) + body


def tool(*command):
    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


PACK = {"none": (0, bytes), "lzma": (1, lambda d: lzma.compress(d, lzma.FORMAT_ALONE)), "crle": (2, crle),
        "bz2": (3, bz2.compress), "heatshrink": (4, heatshrink), "zstd": (5, tool("zstd", "-q", "-c")),
        "lz4": (6, tool("lz4", "-q", "-z", "-c"))}


def parts(steps, start, low=0):
    """Diff, extra and move, again and again, of steps in a base that is read from start on."""
    out, at, i = bytearray(size(0)), start, 0
    while i < len(steps):
        s = steps[i]
        diff = b""
        if not isinstance(s, bytes):
            if s[0] != at:  # nothing but a move
                out += size(0) + size(0) + size(s[0] - at)
                at = s[0]
            diff, at = diff_of(s), at + s[1]
            i += 1
        extra = steps[i] if i < len(steps) and isinstance(steps[i], bytes) else b""
        i += bool(extra)
        out += size(len(diff)) + diff + size(len(extra)) + extra + size(0)
    return bytes(out)


def split_steps(steps, n):
    """The steps of the first n bytes of the target, and the rest."""
    first = []
    while n and steps:
        s = steps[0]
        length = len(s) if isinstance(s, bytes) else s[1]
        if length <= n:
            first.append(s)
            steps = steps[1:]
            n -= length
        elif isinstance(s, bytes):
            first.append(s[:n])
            steps, n = [s[n:]] + steps[1:], 0
        else:
            at, _, changes = s
            first.append((at, n, {i: v for i, v in changes.items() if i < n}))
            rest = (at + n, length - n, {i - n: v for i, v in changes.items() if i >= n})
            steps, n = [rest] + steps[1:], 0
    return first, steps


def in_place(old, new, steps, segment, shift, memory):
    """What lies below a segment's end is gone: such bytes are sent."""
    out, made = bytearray(), 0
    while made < len(new):
        now, steps = split_steps(steps, segment)
        low = max(made + segment - shift, 0)
        sent, at = [], made
        for s in now:
            length = len(s) if isinstance(s, bytes) else s[1]
            sent.append(new[at:at + length] if not isinstance(s, bytes) and s[0] < low else s)
            at += length
        joined = []
        for s in sent:
            if joined and isinstance(s, bytes) and isinstance(joined[-1], bytes):
                joined[-1] += s
            else:
                joined.append(s)
        out += parts(joined, low)
        made = at
    return size(memory) + size(segment) + size(shift) + size(len(old)) + size(len(new)), bytes(out)


def detools(out, old, new, steps, hdiff):
    body = parts(steps, 0)
    for name, (number, pack) in PACK.items():
        (out / ("detools-" + name)).write_bytes(bytes([number]) + size(len(new)) + pack(body))
        (out / ("detools-hdiff-" + name)).write_bytes(
            bytes([0x20 | number]) + size(len(new)) + size(len(hdiff)) + pack(hdiff))
    head, body = in_place(old, new, steps, 4096, 8192, 1 << 18)
    for name in ("none", "crle", "heatshrink", "lzma"):
        (out / ("detools-place-" + name)).write_bytes(bytes([0x10 | PACK[name][0]]) + head + PACK[name][1](body))
    (out / "detools-format").write_bytes(b"\0" + size(len(new)) + size(3) + size(1) + b"abc")


# ---- HDiffPatch ----

def number(v, tag=0, bits=0):
    """Base 128, most significant first; tag in the top bits of the first byte."""
    digits = []
    while v > (1 << 7 - bits) - 1:
        digits.append(v & 0x7f)
        v >>= 7
    out = bytearray([tag << 8 - bits | (0x80 >> bits if digits else 0) | v])
    while digits:
        d = digits.pop()
        out.append(d | (0x80 if digits else 0))
    return bytes(out)


def covers_of(steps):
    """(new bytes before it, place in the base, diff), and the new bytes behind the last."""
    fresh, out = b"", []
    for s in steps:
        if isinstance(s, bytes):
            fresh += s
        else:
            out.append((fresh, s[0], diff_of(s)))
            fresh = b""
    return out, fresh


def cover_bytes(covers):
    out, end = bytearray(), 0
    for fresh, at, diff in covers:
        out += number(abs(at - end), int(at < end), 1) + number(len(fresh)) + number(len(diff))
        end = at + len(diff)
    return bytes(out)


def rle(data):
    """HDIFF13: kinds 0 (zeros), 1 (0xff), 2 (another value), 3 (bytes as they are)."""
    control, code, i = bytearray(), bytearray(), 0
    while i < len(data):
        run = 1
        while i + run < len(data) and data[i + run] == data[i]:
            run += 1
        if run > 1 or data[i] in (0, 255):
            kind = {0: 0, 255: 1}.get(data[i], 2)
            control += number(run - 1, kind, 2)
            code += data[i:i + 1] if kind == 2 else b""
        else:
            while i + run < len(data) and data[i + run] not in (0, 255) and data[i + run] != data[i + run - 1]:
                run += 1
            control += number(run - 1, 3, 2)
            code += data[i:i + run]
        i += run
    return bytes(control), bytes(code)


def rle0(data):
    out, i = bytearray(), 0
    while i < len(data) or i == 0:
        zeros = i
        while i < len(data) and data[i] == 0:
            i += 1
        out += number(i - zeros)
        values = i
        while i < len(data) and data[i] != 0:
            i += 1
        if i > values:
            out += number(i - values) + data[values:i]
        if not data:
            break
    return bytes(out)


def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"\xf1" + c.compress(data) + c.flush()


HPACK = {"": None, "zlib": deflate, "bz2": bz2.compress, "zstd": tool("zstd", "-q", "-c"),
         "7zXZ": lambda d: lzma.compress(d, lzma.FORMAT_XZ),
         "lzma2": lambda d: b"\x18" + lzma.compress(d, lzma.FORMAT_RAW, filters=[
             {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 24}])}


def hdiff13(old, new, steps, name):
    covers, tail = covers_of(steps)
    added = b"".join(bytes(len(f)) + d for f, _, d in covers) + bytes(len(tail))
    fresh = b"".join(f for f, _, _ in covers) + tail
    out = b"HDIFF13&" + name.encode() + b"\0" + number(len(new)) + number(len(old)) + number(len(covers))
    sections, body = [cover_bytes(covers), *rle(added), fresh], b""
    for s in sections:
        packed = HPACK[name](s) if HPACK[name] and s else b""
        out += number(len(s)) + number(len(packed))
        body += packed or s
    return out + body


def hdiff20(old, new, steps, name, per_step=2):
    covers, tail = covers_of(steps)
    if tail:
        covers.append((tail, covers[-1][1] + len(covers[-1][2]), b""))
    body, most, end = b"", 0, 0
    for i in range(0, len(covers), per_step):
        now = covers[i:i + per_step]
        c, last = bytearray(), end
        for fresh, at, diff in now:
            c += number(abs(at - last), int(at < last), 1) + number(len(fresh)) + number(len(diff))
            last = at + len(diff)
        end = last
        r = rle0(b"".join(d for _, _, d in now))
        body += number(len(c)) + number(len(r)) + c + r + b"".join(f for f, _, _ in now)
        most = max(most, len(c) + len(r))
    packed = HPACK[name](body) if HPACK[name] else b""
    return (b"HDIFFSF20&" + name.encode() + b"\0" + number(len(new)) + number(len(old)) + number(len(covers)) +
            number(most) + number(len(body)) + number(len(packed)) + (packed or body))


class Reader:
    """The second reading: numbers from bytes, for unpacked patches."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n:self.at]

    def number(self, bits=0):
        first = self.take(1)[0]
        tag, v, more = first >> 8 - bits, first & (0x7f >> bits), first & 0x80 >> bits
        while more:
            b = self.take(1)[0]
            v, more = v << 7 | b & 0x7f, b & 0x80
        return (tag, v) if bits else v


def apply13(patch, old):
    r = Reader(patch)
    assert r.take(9) == b"HDIFF13&\0"
    new_n, old_n, n = r.number(), r.number(), r.number()
    lengths = [(r.number(), r.number())[0] for _ in range(4)]
    covers, control, code, fresh = (Reader(r.take(k)) for k in lengths)
    assert r.at == len(patch) and old_n == len(old)
    added = bytearray()
    while control.at < len(control.data):
        kind, k = control.number(2)
        added += (bytes(k + 1), b"\xff" * (k + 1), None, None)[kind] or (
            code.take(1) * (k + 1) if kind == 2 else code.take(k + 1))
    new, end = bytearray(), 0
    for _ in range(n):
        sign, move = covers.number(1)
        skip, length = covers.number(), covers.number()
        at = end - move if sign else end + move
        new += fresh.take(skip)
        new += bytes((a + b) & 255 for a, b in zip(old[at:at + length], added[len(new):len(new) + length]))
        end = at + length
    new += fresh.take(new_n - len(new))
    assert all(x.at == len(x.data) for x in (covers, code, fresh)) and len(added) == new_n
    return bytes(new)


def apply20(patch, old):
    r = Reader(patch)
    assert r.take(11) == b"HDIFFSF20&\0"
    new_n, old_n, n, most, body_n, packed = (r.number() for _ in range(6))
    assert packed == 0 and r.at + body_n == len(patch) and old_n == len(old)
    new, end = bytearray(), 0
    while n:
        a, b = r.number(), r.number()
        assert a + b <= most
        covers, runs = Reader(r.take(a)), Reader(r.take(b))
        added = bytearray()
        while runs.at < b:
            added += bytes(runs.number())
            if runs.at < b:
                added += runs.take(runs.number())
        while covers.at < a:
            sign, move = covers.number(1)
            skip, length = covers.number(), covers.number()
            at = end - move if sign else end + move
            new += r.take(skip) + bytes((x + y) & 255 for x, y in zip(old[at:at + length], added[:length]))
            del added[:length]
            end, n = at + length, n - 1
        assert not added
    assert r.at == len(patch) and len(new) == new_n
    return bytes(new)


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    old, steps = versions()
    new = make(old, steps)
    for name, data in (("old", old), ("new", new), ("empty", b"")):
        (out / name).write_bytes(data)
    xdelta3(out)
    plain = hdiff13(old, new, steps, "")
    assert apply13(plain, old) == new and apply20(hdiff20(old, new, steps, ""), old) == new
    for name in HPACK:
        (out / ("hdiff13-" + (name or "none"))).write_bytes(hdiff13(old, new, steps, name))
        (out / ("hdiff20-" + (name or "none"))).write_bytes(hdiff20(old, new, steps, name))
    detools(out, old, new, steps, plain)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: appliers.py DIRECTORY")
    main(sys.argv[1])
