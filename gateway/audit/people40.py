#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""people40.py DIR GENESIS-SHA256 - do the signer sets follow from the genesis you know, and is every paper signed by them?

Run it after files40.py has said ok. Needs ssh-keygen (OpenSSH 9.1 or later). What the signed statements then permit is
releases40.py's question. ssh-keygen does not demand that a security key was touched; fotagate-verify does.
"""
import base64, glob, itertools, json, os, re, subprocess, sys
sys.dont_write_bytecode = True
from base40 import must, passkey, read, sha
from policy40 import NAMES, policies

ARMOUR = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"

def digits(time):
    return re.sub(r"[-:T]", "", time)

def signer(path, sig, namespace, time):
    """Who signed path at that time, as ssh-keygen and allowed_signers say; the armour has one spelling."""
    blob = base64.b64encode(base64.b64decode("".join(read(sig).decode("ascii").split("\n")[1:-2]), validate=True)).decode()
    must(read(sig).decode() == ARMOUR[0] + re.sub("(.{1,70})", "\\1\n", blob) + ARMOUR[1], sig + ": not as ssh-keygen writes it")
    args = ["-f", "signers/allowed_signers", "-s", sig, "-O", "verify-time=" + digits(time)]
    who = subprocess.run(["ssh-keygen", "-Y", "find-principals", *args], capture_output=True, text=True).stdout.split("\n")[0]
    must(who and subprocess.run(["ssh-keygen", "-Y", "verify", "-n", namespace, "-I", who, *args], input=read(path),
        capture_output=True).returncode == 0, f"{sig}: no good signature of {path}")
    return who

must(sha(read("signers/genesis.json")).hex() == sys.argv[2].removeprefix("sha256:"), "not the genesis you know")
allowed, sets, text, sigs, statements = "", [], b"", set(), sorted(glob.glob("statements/*.json"))
for number in itertools.count():
    path = f"signers/{number or 'genesis'}.json"
    if number and not os.path.exists(path):
        break
    new, before, text, mine = json.loads(read(path))["predicate"]["set"], text, read(path), glob.glob(path[:-4] + "sig.*")
    people = {signer(path, sig, "fotagate-signers@v1", new["time"]) for sig in mine if not passkey(sig)}
    must(new["number"] == number and (not number or new["previous"] == sha(before).hex()), path + " follows from nothing")
    for some in (*sets[-1:], new):
        must(len(people & {s["principal"] for s in some["signers"]}) >= some["threshold"], path + " lacks signatures")
    for s in new["signers"]:
        allowed += f'{s["principal"]} namespaces="{NAMES}",'
        allowed += f'valid-after="{digits(s["valid_after"])}",valid-before="{digits(s["valid_before"])}" {s["key"]}\n'
    sets, sigs = [*sets, new], sigs | set(mine)
must(read("signers/allowed_signers").decode() == allowed, "signers/allowed_signers: not the keys of the sets")
sigs |= policies(signer, sets)
must(sigs == set(glob.glob("signers/*.sig.*")) and len(glob.glob("statements/*.sig")) == len(statements), "signatures of nothing")
for path in statements:
    said = json.loads(read(path))["predicate"]
    must(signer(path, path[:-4] + "sig", "fotagate-approval@v1", said["time"]) == said["approver"], path + " is signed by another")
print(f"ok: {number} signer sets from genesis {sys.argv[2]}, {len(statements)} signed statements")
