#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""zchunk files by zck, and with things changed in them by the few lines here that know its header.

    zchunk.py DIRECTORY

delta-*.zck are two versions of a file, the header of the second alone, and the second as a stranger to the first;
delta-size what zck_delta_size(1) says a client of the first would fetch.
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

PLAIN = b"".join(b"%d: a line of a file in chunks\n" % i for i in range(6000))
SUMS = {0: lambda b: hashlib.sha1(b).digest(), 1: lambda b: hashlib.sha256(b).digest(), 2: lambda b: hashlib.sha512(b).digest(),
        3: lambda b: hashlib.sha512(b).digest()[:16]}


def number(v):
    out = b""
    while v > 127:
        out, v = out + bytes([v & 127]), v >> 7
    return out + bytes([v | 128])


def read(b, at):
    v = shift = 0
    while True:
        v |= (b[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if b[at - 1] & 128:
            return v, at


class File:
    """What stands in the header, to be written again with another part in it."""

    def __init__(self, b):
        self.kind, at = read(b, 5)
        size, at = read(b, at)
        n = len(SUMS[self.kind](b""))
        at += n
        self.data, end = b[at + size:], at + size
        self.data_sum, at = b[at:at + n], at + n
        self.flags, at = read(b, at)
        self.packing, at = read(b, at)
        size, at = read(b, at)
        self.index, self.signatures, self.optional = b[at:at + size], b[at + size:end], b""

    def header(self):
        return self.data_sum + number(self.flags) + number(self.packing) + self.optional + number(len(self.index)) + self.index \
            + self.signatures

    def bytes(self, size=None):
        head = self.header()
        lead = b"\0ZCK1" + number(self.kind) + number(size or len(head))
        return lead + SUMS[self.kind](lead + head) + head + self.data

    def set(self, **what):
        for k, v in what.items():
            setattr(self, k, v)
        return self


def files(make):
    good = make()
    yield "zstd", good
    yield "none", make("--compression-format=none")
    yield "sha256", make("-h", "sha256")
    yield "sha512", make("-h", "sha512")
    yield "dictionary", make("-D", "dictionary")
    yield "unpacked-sums", make("-u")
    f = lambda: File(good)  # noqa: E731
    assert f().bytes() == good
    yield "header-changed", good[:60] + bytes([good[60] ^ 1]) + good[61:]
    yield "data-changed", good[:-30] + bytes([good[-30] ^ 1]) + good[-29:]
    changed = f().data[:-30] + bytes([f().data[-30] ^ 1]) + f().data[-29:]
    yield "data-and-sum", f().set(data=changed, data_sum=SUMS[1](changed)).bytes()
    yield "cut", good[:-1]
    yield "trailing", good + b"trailing"
    yield "flags", f().set(flags=16).bytes()
    yield "streams", f().set(flags=1).bytes()
    yield "optional", f().set(flags=2, optional=number(1) + number(7) + number(4) + b"some").bytes()
    yield "signature", f().set(signatures=number(1) + number(5) + number(6) + b"signed").bytes()
    yield "signature-cut", f().set(signatures=number(1) + number(5) + number(60) + b"signed").bytes()
    yield "packing", f().set(packing=9).bytes()
    yield "index-longer", f().set(index=f().index + b"\x80\x80").bytes()
    yield "kind", b"\0ZCK1" + number(9) + good[6:]
    count, at = read(f().index, 1)
    yield "count-huge", f().set(index=f().index[:1] + number(count << 40) + f().index[at:]).bytes()
    # The last chunk's plain size is one less than what comes out of it.
    index = f().index
    last = max(i for i in range(len(index) - 1) if index[i] & 128)
    plain, _ = read(index, last + 1)
    yield "plain-shorter", f().set(index=index[:last + 1] + number(plain - 1)).bytes()
    endless = good[:5] + b"\1" * 20
    yield "endless-number", endless


def delta(make, folder, out):
    old = b"".join(b"%d: a line of firmware text %d\n" % (i, i * i * 7919 % 100003) for i in range(40000))
    new = bytearray(old)
    new[300000:300010] = b"changedXYZ"
    new[900000:900000] = b"put in" * 50
    both = {}
    for name, data in (("old", old), ("new", bytes(new))):
        with open(os.path.join(folder, "x"), "wb") as f:
            f.write(data)
        both[name] = make()
        if name == "new":
            yield "delta-sha256", make("-h", "sha256")
    yield from (("delta-" + name, data) for name, data in both.items())
    data = File(both["new"]).data
    yield "delta-head", both["new"][:-len(data)]
    yield "delta-head-of-old", both["old"][:-len(File(both["old"]).data)]
    for name, data in both.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    said = subprocess.run(["zck_delta_size", "old", "new"], cwd=folder, check=True, capture_output=True, text=True).stdout
    with open(os.path.join(out, "delta-size"), "w") as f:
        f.write(re.search(r"download (\d+) of", said)[1])


def main(out):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("x", PLAIN), ("dictionary", PLAIN[:4000])):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)

        def make(*options):
            subprocess.run(["zck", *options, "-o", "x.zck", "x"], cwd=folder, check=True, capture_output=True)
            with open(os.path.join(folder, "x.zck"), "rb") as f:
                return f.read()

        for name, data in [*files(make), *delta(make, folder, out)]:
            with open(os.path.join(out, name + ".zck"), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
