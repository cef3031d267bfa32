#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""verify40.py DIR VKEY [WITNESS-VKEY..] - does the log key VKEY, known from elsewhere, sign exactly DIR/entries.jsonl?

Needs Python 3 and openssl, nothing of fotagate's. C2SP signed-note, tlog-checkpoint and tlog-cosignature, RFC 6962 tree.
Every witness that is named must have signed too; signature lines of other keys are none of its business.
"""
import base64, hashlib, subprocess, sys, tempfile

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def must(good, why):
    if not good:
        sys.exit("FAIL: " + why)

def signed(key, message, signature):
    with tempfile.TemporaryDirectory() as tmp:
        for name, data in ("k", bytes.fromhex("302a300506032b6570032100") + key), ("m", message), ("s", signature):
            open(f"{tmp}/{name}", "wb").write(data)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", tmp + "/k",
            "-in", tmp + "/m", "-sigfile", tmp + "/s"], stdout=subprocess.DEVNULL).returncode == 0

folder, vkeys, found = sys.argv[1], sys.argv[2:], []
text, _, tail = open(folder + "/checkpoint", "rb").read().rpartition(b"\n\n")
text += b"\n"
for line in tail.removesuffix(b"\n").split(b"\n"):
    dash, name, digits = line.split(b" ")
    found.append((name, base64.b64decode(digits, validate=True)))
    must(dash == b"\xe2\x80\x94" and base64.b64encode(found[-1][1]) == digits and tail[-1:] == b"\n", "not a signed note")
for vkey in vkeys:
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    must(sha(name.encode(), b"\n", key)[:4].hex() == key_id and len(key) == 33 and key[0] in (1, 4), "not an Ed25519 vkey")
    blobs = [b[4:] for n, b in found if n == name.encode() and b[:4].hex() == key_id]
    must(blobs, f"{name}+{key_id} did not sign this checkpoint")
    for b in blobs:
        message = text if key[0] == 1 else b"cosignature/v1\ntime %d\n" % int.from_bytes(b[:8], "big") + text
        must(len(b) == (64 if key[0] == 1 else 72) and signed(key[1:], message, b[-64:]), "the checkpoint was changed")

origin, size, head = text.decode().splitlines()
*entries, rest = open(folder + "/entries.jsonl", "rb").read().split(b"\n")
tree = [sha(b"\0", e) for e in entries] or [sha()]
while len(tree) > 1:  # a hash without neighbour goes up as it is
    tree = [sha(b"\1", *tree[i:i + 2]) if tree[i + 1:i + 2] else tree[i] for i in range(0, len(tree), 2)]
must(origin == vkeys[0].split("+")[0] and not rest and size == str(len(entries)) and
    base64.b64encode(tree[0]).decode() == head, f"{len(entries)} entries do not hash to the signed root of {size}")
print(f"ok: {size} entries of {origin} hash to the root that {vkeys[0]} signed")
