#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The seeds of fuzz_tuf: small bundles of a small image. Run by hand; what it makes is committed, keys are thrown away.

    tuf-seeds.py tests/fuzz/corpus/tuf
"""
import io
import json
import os
import sys
import tarfile

import tuf

tuf.IMAGE = b"fuzzed firmware\n"
tuf.KEYS = {r: [tuf.keys.generate_ed25519_key()] for r in (*tuf.TOP, "role1", "role2", "spare")}
tuf.target = lambda image=tuf.IMAGE, make=tuf.target, **more: make(image, **more)


tuf.dump = lambda doc: json.dumps(doc, separators=(",", ":")).encode()[:-1] + b"\n}"  # how fuzz_tuf finds a text's end


class Small(tuf.Repo):
    def __init__(self, ring=None):
        super().__init__(ring or tuf.KEYS)


def tar(path, files):
    """Without tar's padding to 10 KiB."""
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        end = t.offset
    with open(path, "wb") as f:
        f.write(buf.getvalue()[:end] + bytes(1024))


tuf.Repo, tuf.tar, out = Small, tar, sys.argv[1]
os.makedirs(out, exist_ok=True)
for name in ("delegated", "hash-bin"):
    r = Small()
    tuf.CASES[name](r)
    tuf.tar(os.path.join(out, name), r.files())
tuf.tar(os.path.join(out, "uptane"), tuf.pair())
for name, data in Small().files().items():
    if name == "1.root.json":
        with open(os.path.join(out, name), "wb") as f:
            f.write(data)
