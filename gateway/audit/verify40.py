#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""verify40.py DIR VKEY - does the log key VKEY, known from elsewhere, sign exactly DIR/entries.jsonl?

Needs Python 3 and openssl, nothing of fotagate's. C2SP signed-note and tlog-checkpoint, RFC 6962 tree.
"""
import base64, hashlib, subprocess, sys, tempfile

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

folder, (name, key_hash, key) = sys.argv[1], sys.argv[2].split("+", 2)
key = base64.b64decode(key, validate=True)
key_id = sha(name.encode(), b"\n", key)[:4]
if key[:1] != b"\x01" or len(key) != 33 or key_id.hex() != key_hash:
    sys.exit("FAIL: not an Ed25519 vkey")

note = open(folder + "/checkpoint", "rb").read()
text, _, lines = note.rpartition(b"\n\n")
text += b"\n"
mark = "\u2014 ".encode() + name.encode() + b" "
blobs = [base64.b64decode(l[len(mark):], validate=True) for l in lines.split(b"\n") if l.startswith(mark)]
ours = [b[4:] for b in blobs if b[:4] == key_id]  # other keys' lines are none of our business
if not ours:
    sys.exit("FAIL: the key did not sign this checkpoint")
with tempfile.TemporaryDirectory() as tmp:
    for what, data in ("k", bytes.fromhex("302a300506032b6570032100") + key[1:]), ("t", text):
        open(tmp + "/" + what, "wb").write(data)
    for sig in ours:
        open(tmp + "/s", "wb").write(sig)
        if subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", tmp + "/k",
                "-in", tmp + "/t", "-sigfile", tmp + "/s"], stdout=subprocess.DEVNULL).returncode != 0:
            sys.exit("FAIL: the checkpoint was changed after it was signed")

origin, size, root = text.decode().split("\n")[:3]
stack, count = [], 0  # (height, hash) of perfect subtrees, as in a binary counter
for line in open(folder + "/entries.jsonl", "rb"):
    top, count = (0, sha(b"\0", line.removesuffix(b"\n"))), count + 1
    while stack and stack[-1][0] == top[0]:
        top = (top[0] + 1, sha(b"\1", stack.pop()[1], top[1]))
    stack.append(top)
got = stack.pop()[1] if stack else sha()
while stack:
    got = sha(b"\1", stack.pop()[1], got)
if origin != name or size != str(count) or base64.b64decode(root) != got:
    sys.exit("FAIL: %d entries do not hash to the signed root of %s" % (count, size))
print("ok: %s entries of %s hash to the root that %s+%s signed" % (size, origin, name, key_hash))
