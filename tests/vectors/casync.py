#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Indexes by casync itself, and what it makes of them: casync.py DIRECTORY.

blob, empty and tree have an index each. cut-SIZES has one for each way to cut it. Of `old`, moved is made of chunks that all are
there, in another order and some twice; what `casync extract --seed old` makes of its index, with an empty store, is moved.out.
edited has others too: edited.lacks is how many of its chunks, and bytes, the index that casync makes of `old` has not."""
import os
import random
import shutil
import struct
import subprocess
import sys

HEAD, LINE = 64, 40
SIZES = ("4096:16384:65536", "1024:1024:1024", "256:512:1024", "300:1000:100000", "16384:65536:262144")


def casync(out, *args):
    return subprocess.run(["casync", *args], check=True, capture_output=True, cwd=out).stdout.decode().strip()


def make(out, index, of, *options):
    casync(out, "make", "--store=x.castr", *options, index, of)


def chunks(index):
    """(begin, end, digest) of each chunk."""
    begin, table = 0, index[HEAD:-LINE]
    for at in range(0, len(table), LINE):
        end, = struct.unpack_from("<Q", table, at)
        yield begin, end, table[at + 8:at + LINE]
        begin = end


def write(out, name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def read(out, name):
    with open(os.path.join(out, name), "rb") as f:
        return f.read()


def firmware(seed, n):
    """Bytes that are noise in one place, text in another and zeros in a third."""
    rng = random.Random(seed)
    data = b""
    while len(data) < n:
        data += rng.randbytes(rng.randrange(1, 60000)) + b"".join(b"line %d\n" % rng.randrange(99) for _ in range(rng.randrange(4000)))
        data += bytes(rng.randrange(30000))
    return data[:n]


def cuts(out):
    write(out, "cut", firmware(3, 700001))
    for sizes in SIZES:
        make(out, f"cut-{sizes.replace(':', '-')}.caibx", "cut", f"--chunk-size={sizes}")
    make(out, "cut-sha256.caibx", "cut", "--digest=sha256", "--chunk-size=4096:16384:65536")
    # So large that the line that casync's divisor is taken from is below zero.
    write(out, "large", bytes(2000) + random.Random(4).randbytes(9700000))
    make(out, "large.caibx", "large", "--chunk-size=4096:9400000:9600000")


def pairs(out):
    old = firmware(5, 1500000)
    write(out, "old", old)
    options = ("--chunk-size=4096:16384:65536",)
    make(out, "old.caibx", "old", *options)
    have = list(chunks(read(out, "old.caibx")))
    order = list(range(20, len(have) - 1)) + list(range(10)) + [3, 3, 7] + [len(have) - 1]
    write(out, "moved", b"".join(old[have[i][0]:have[i][1]] for i in order))
    new = bytearray(old[400000:] + old[:400000])
    new[100000:100000] = b"something new " * 900
    new[700000:700004] = b"word"
    del new[1000000:1000700]
    write(out, "edited", bytes(new))
    os.mkdir(os.path.join(out, "empty.castr"))
    make(out, "moved.caibx", "moved", *options)
    make(out, "moved-sha256.caibx", "moved", "--digest=sha256", *options)
    casync(out, "extract", "--store=empty.castr", "--seed=old", "moved.caibx", "moved.out")
    # Of an index by SHA-256 casync finds no seed's chunks (it says "Stale file handle"): those of the store it does.
    casync(out, "extract", "--store=x.castr", "moved-sha256.caibx", "moved-sha256.out")
    if not read(out, "moved.out") == read(out, "moved-sha256.out") == read(out, "moved"):
        sys.exit("casync makes something else of its own index")
    make(out, "edited.caibx", "edited", *options)
    ids = {c[2] for c in have}
    lacks = [c for c in chunks(read(out, "edited.caibx")) if c[2] not in ids]
    write(out, "edited.lacks", b"%d of %d chunks, %d of %d bytes" % (len(lacks), len(list(chunks(read(out, "edited.caibx")))),
                                                                     sum(c[1] - c[0] for c in lacks), len(new)))


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(os.path.join(out, "tree"))
    for name, data in (("blob", random.Random(1).randbytes(1500000)), ("tree/a", random.Random(2).randbytes(400000)),
                       ("tree/b", b"hello\n"), ("empty", b"")):
        write(out, name, data)
    for index, of in (("blob.caibx", "blob"), ("empty.caibx", "empty"), ("tree.caidx", "tree")):
        make(out, index, of)
    cuts(out)
    pairs(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: casync.py DIRECTORY")
    main(os.path.abspath(sys.argv[1]))
