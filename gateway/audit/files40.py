#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files40.py DIR - does every other file of DIR follow from its entries.jsonl?

Run it after verify40.py has said ok. Tiles (C2SP tlog-tiles) are made again and compared; papers bear their SHA-256;
texts and scripts are those whose SHA-256 the log names; nothing else lies there. Signatures are people40.py's.
"""
import json, os, re, sys
sys.dont_write_bytecode = True  # this folder stays as it is
from base40 import lines, must, read, root, sha

left = {os.path.relpath(os.path.join(at, name)) for at, _, names in os.walk(".") for name in names}
left -= {"checkpoint", "entries.jsonl"}

def is_file(path, data):
    must(path in left and read(path) == data, path + " is missing, or not what follows from the log")
    left.remove(path)

log = lines()
level, height = [sha(b"\0", line) for line in log], 0
while level:
    for i in range(0, len(level), 256):
        part, n, name = level[i:i + 256], i // 256, f"{i // 256 % 1000:03}"
        while n := n // 1000:
            name = f"x{n % 1000:03}/{name}"
        name += f".p/{len(part)}" if len(part) < 256 else ""
        is_file(f"tile/{height}/{name}", b"".join(part))
        if height == 0:
            is_file(f"tile/entries/{name}", b"".join(len(e).to_bytes(2, "big") + e for e in log[i:i + 256]))
    level, height = [root(level[i:i + 256]) for i in range(0, len(level) - 255, 256)], height + 1

exports = [json.loads(line) for line in log if b'"ev":"log.exported"' in line]
named = {v for e in exports for k, v in e.get("ref", {}).items() if k.startswith("text.")}
for path in sorted(left):
    digest = sha(read(path)).hex()
    paper = re.fullmatch(r"(statements|reports|provenance|policies|attachments)/([0-9a-f]{64})\.(json|sig|bin)", path)
    signers = re.fullmatch(r"signers/(allowed_signers|(genesis|(policy-)?[1-9]\d*)\.(json|sig\.\d+))", path)
    good = signers or paper and (paper[3] == "sig" or paper[2] == digest)
    must(good or "sha256:" + digest in named, path + " is covered by nothing")
print(f"ok: every file follows from the {len(log)} entries, bears its digest, or is signed")
