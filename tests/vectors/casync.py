#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Indexes by casync itself: casync.py DIRECTORY gives DIRECTORY/blob.caibx, DIRECTORY/tree.caidx, DIRECTORY/empty.caibx."""
import os
import random
import shutil
import subprocess
import sys


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    tree = os.path.join(out, "tree")
    os.makedirs(tree)
    for name, data in (("blob", random.Random(1).randbytes(1500000)), ("tree/a", random.Random(2).randbytes(400000)),
                       ("tree/b", b"hello\n"), ("empty", b"")):
        with open(os.path.join(out, name), "wb") as f:
            f.write(data)
    for index, of in (("blob.caibx", "blob"), ("empty.caibx", "empty"), ("tree.caidx", "tree")):
        subprocess.run(["casync", "make", "--store", os.path.join(out, "x.castr"), os.path.join(out, index),
                        os.path.join(out, of)], check=True, capture_output=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: casync.py DIRECTORY")
    main(os.path.abspath(sys.argv[1]))
