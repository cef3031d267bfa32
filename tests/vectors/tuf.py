#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TUF repositories, two of Uptane's, and what goes wrong with them: keys, key ids, canonical JSON and signatures are
securesystemslib's, so that it is the maker and, for canonical JSON and every signature, the judge.

    tuf.py DIRECTORY

DIRECTORY/fw.bin             the image that all of it is about
DIRECTORY/anchor/*.json      roots to be pinned        DIRECTORY/*.tar     bundles
DIRECTORY/canonical/N.json   a text, and N.out         what securesystemslib signs of it
"""
import fnmatch
import hashlib
import io
import json
import os
import sys
import tarfile

from securesystemslib import formats, keys

END, PAST = "2049-12-31T00:00:00Z", "2025-06-01T00:00:00Z"  # tests are at 2026-01-01
IMAGE = b"firmware image of a module; bytes are bytes\n" * 50
PATH = "modem/fw-1.2.bin"
TOP = ("root", "timestamp", "snapshot", "targets")


def public(key, algorithms=True):
    """The record that securesystemslib hashes; without algorithms, as later versions do."""
    record = keys.format_keyval_to_metadata(key["keytype"], key["scheme"], key["keyval"])
    if not algorithms:
        del record["keyid_hash_algorithms"]
    return record


def keyid(record):
    return hashlib.sha256(formats.encode_canonical(record).encode()).hexdigest()


def canonical(value):
    return formats.encode_canonical(value).encode()


def signed(said, by, ids=None):
    out = []
    for i, key in enumerate(by):
        sig = keys.create_signature(key, canonical(said))
        assert keys.verify_signature(key, sig, canonical(said))
        out.append({"keyid": ids[i] if ids else key["keyid"], "sig": sig["sig"]})
    return {"signatures": out, "signed": said}


def dump(doc):
    return json.dumps(doc, indent=1, ensure_ascii=False).encode()


def target(image=IMAGE, **more):
    return {"length": len(image), "hashes": {"sha256": hashlib.sha256(image).hexdigest(),
                                             "sha512": hashlib.sha512(image).hexdigest()}, **more}


def said(kind, version, **more):
    return {"_type": kind, "spec_version": "1.0.31", "version": version, "expires": END, **more}


KEYS = {"root": [keys.generate_ed25519_key(), keys.generate_ecdsa_key(), keys.generate_ed25519_key()],
        "timestamp": [keys.generate_ed25519_key()], "snapshot": [keys.generate_ed25519_key()],
        "targets": [keys.generate_ed25519_key(), keys.generate_ecdsa_key()],
        "role1": [keys.generate_ed25519_key()], "role2": [keys.generate_ecdsa_key()], "spare": [keys.generate_rsa_key(2048)]}
OTHER = {role: [keys.generate_ed25519_key()] for role in (*TOP, "role1", "role2", "spare")}


class Repo:
    """Everything is decided first and signed last, so that a case changes what it likes in between."""

    def __init__(self, ring=None, thresholds=None):
        self.ring = {r: list(k) for r, k in (ring or KEYS).items()}
        need = {"root": 2, "targets": 2, **(thresholds or {})} if not ring else {}
        self.roots = {1: self.root(1, need)}
        self.root_by = {1: self.ring["root"]}
        self.meta = {"targets": said("targets", 4, targets={PATH: target()})}
        self.snapshot, self.timestamp = said("snapshot", 5, meta={}), said("timestamp", 6, meta={})
        self.by = {r: k for r, k in self.ring.items() if r != "root"}
        self.named = {}        # what the snapshot says of a role beyond what is true
        self.with_hashes = True
        self.after = lambda files: None
        self.ids = {}

    def root(self, version, need=None, **more):
        need = need or {}
        ring = {k["keyid"]: public(k) for r in TOP for k in self.ring[r]}
        roles = {r: {"keyids": [k["keyid"] for k in self.ring[r]], "threshold": need.get(r, 1)} for r in TOP}
        return said("root", version, consistent_snapshot=False, keys=ring, roles=roles, **more)

    def delegate(self, above, name, paths=("*/*",), **more):
        ring = self.by.setdefault(name, self.ring.get(name, self.ring["spare"]))
        d = self.meta[above].setdefault("delegations", {"keys": {}, "roles": []})
        d["keys"].update({k["keyid"]: public(k) for k in ring})
        role = {"name": name, "keyids": [k["keyid"] for k in ring], "threshold": 1, "terminating": False,
                "paths": paths and list(paths), **more}
        d["roles"].append({k: v for k, v in role.items() if v is not None})
        self.meta.setdefault(name, said("targets", 2, targets={}))
        return self.meta[name]

    def move(self, name, **entry):
        """The image is listed by a delegated role instead."""
        self.meta["targets"]["targets"] = {}
        self.meta[name]["targets"] = {PATH: target(**entry)}

    def describe(self, data, version):
        out = {"version": version}
        if self.with_hashes:
            out.update(length=len(data), hashes={"sha256": hashlib.sha256(data).hexdigest()})
        return out

    def files(self):
        out, last = {}, self.roots[max(self.roots)]
        name = (lambda v, role: f"{v}.{role}.json") if last["consistent_snapshot"] else (lambda v, role: f"{role}.json")
        for v, root in self.roots.items():
            out[f"{v}.root.json"] = dump(signed(root, self.root_by[v]))
        for role, m in self.meta.items():
            data = dump(signed(m, self.by[role], self.ids.get(role)))
            out[name(m["version"], role)] = data
            self.snapshot["meta"][f"{role}.json"] = {**self.describe(data, m["version"]), **self.named.get(role, {})}
        data = dump(signed(self.snapshot, self.by["snapshot"]))
        out[name(self.snapshot["version"], "snapshot")] = data
        self.timestamp["meta"] = {"snapshot.json": {**self.describe(data, self.snapshot["version"]),
                                                    **self.named.get("snapshot", {})}}
        out["timestamp.json"] = dump(signed(self.timestamp, self.by["timestamp"]))
        self.after(out)
        return out


def tar(path, files):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
        for name, data in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))


CASES = {}


def case(fn):
    CASES[fn.__name__.replace("_", "-")] = fn
    return fn


def edited(name, change):
    """A file of a sound repository, changed after it was signed."""
    def make(r):
        r.with_hashes = False

        def after(files):
            files[name] = change(files[name])
        r.after = after
    return make


def rotated(r, by_old=True, by_new=True):
    old, new = r.ring["root"], [keys.generate_ed25519_key(), keys.generate_ed25519_key()]
    r.ring["root"] = new
    r.roots[2] = r.root(2, {"root": 2, "targets": 2})
    r.root_by[2] = (old if by_old else []) + (new if by_new else [])
    r.roots[3] = r.root(3, {"root": 1, "targets": 2})
    r.root_by[3] = new


# ---- sound ones ----

@case
def plain(r):
    pass


@case
def rotated_twice(r):
    rotated(r)


@case
def consistent(r):
    rotated(r)
    r.roots[3]["consistent_snapshot"] = True


@case
def delegated(r):
    r.delegate("targets", "role1", ["boot/*"])
    r.delegate("targets", "role2", ["modem/fw-?.?.bin"])
    r.move("role2")


@case
def hash_bin(r):
    r.delegate("targets", "role1", None, path_hash_prefixes=[hashlib.sha256(PATH.encode()).hexdigest()[:3]])
    r.move("role1")


@case
def cycle_sound(r):
    r.delegate("targets", "role1")
    r.delegate("role1", "role2")
    r.delegate("role2", "role1")
    r.delegate("role2", "targets")
    r.delegate("role2", "spare")
    r.move("spare")


@case
def new_key_ids(r):
    """Records without the list of digests, named as later versions name them, and as python-tuf wrote the old ids."""
    root = r.roots[1]
    for role in ("timestamp", "targets"):
        for k in r.ring[role]:
            record = public(k, False)
            del root["keys"][k["keyid"]]
            new = keyid(record) if role == "targets" else k["keyid"]
            root["keys"][new] = {**record, "x-added-later": 1} if role == "targets" else record
            root["roles"][role]["keyids"] = [new if i == k["keyid"] else i for i in root["roles"][role]["keyids"]]
            r.ids.setdefault(role, []).append(new)


@case
def unicode(r):
    r.meta["targets"]["targets"][PATH]["custom"] = {
        "\U0001f600": 1, "\uffee": 2, "z": "quote \" backslash \\ slash / tab \t line \n nul-like \x01 \x7f", "é": "é",
        "e\u0301": [True, False, None, -5, 0, 9007199254740991], "": {}, "a": [], "A": [{}, [[]]]}
    def escaped(files):
        doc = json.loads(files["targets.json"])
        files["targets.json"] = json.dumps(doc, ensure_ascii=True, indent=3).encode()  # another spelling of the same
    r.with_hashes = False
    r.after = escaped


# ---- thresholds ----

@case
def one_of_two(r):
    r.by["targets"] = r.ring["targets"][:1]


@case
def twice_under_one_id(r):
    r.by["targets"] = [r.ring["targets"][0]] * 2


@case
def twice_under_two_ids(r):
    key = r.ring["targets"][0]
    record = public(key, False)
    root = r.roots[1]
    root["keys"][keyid(record)] = record
    root["roles"]["targets"]["keyids"] = [key["keyid"], keyid(record)]
    r.by["targets"], r.ids["targets"] = [key] * 2, [key["keyid"], keyid(record)]


@case
def misnamed_key(r):
    root, key = r.roots[1], r.ring["timestamp"][0]
    root["keys"]["00" * 32] = root["keys"].pop(key["keyid"])
    root["roles"]["timestamp"]["keyids"] = ["00" * 32]
    r.after = lambda f: f.update({"timestamp.json": f["timestamp.json"].replace(key["keyid"].encode(), b"00" * 32)})


@case
def unknown_scheme(r):
    root, key = r.roots[1], r.ring["timestamp"][0]
    record = {**public(key), "scheme": "none"}
    root["keys"][keyid(record)] = record
    root["roles"]["timestamp"]["keyids"] = [keyid(record)]
    r.after = lambda f: f.update({"timestamp.json": f["timestamp.json"].replace(key["keyid"].encode(), keyid(record).encode())})


@case
def threshold_zero(r):
    rotated(r)
    r.roots[3]["roles"]["targets"]["threshold"] = 0


@case
def stranger(r):
    r.by["timestamp"] = [OTHER["timestamp"][0]]


@case
def root_by_new_only(r):
    rotated(r, by_old=False)


@case
def root_by_old_only(r):
    rotated(r, by_new=False)


@case
def root_by_one_old(r):
    rotated(r)
    r.root_by[2] = [KEYS["root"][0]] + r.root_by[2][3:]


# ---- versions ----

@case
def root_gap(r):
    rotated(r)
    r.after = lambda f: f.pop("2.root.json")


@case
def root_ahead(r):
    rotated(r)
    def after(f):
        f["root.json"] = f.pop("3.root.json")
        del f["2.root.json"]
    r.after = after


@case
def root_repeated(r):
    rotated(r)
    r.roots[2]["version"] = 1


@case
def root_jumps(r):
    rotated(r)
    r.roots[3]["version"] = 9


@case
def mixed_by_digest(r):
    old = Repo()
    old.snapshot["version"] = 4
    r.after = lambda f: f.update({"snapshot.json": old.files()["snapshot.json"]})


@case
def snapshot_back(r):
    r.with_hashes = False
    mixed_by_digest(r)


@case
def targets_back(r):
    r.with_hashes = False
    r.named["targets"] = {"version": 5}


@case
def targets_ahead(r):
    r.with_hashes = False
    r.named["targets"] = {"version": 3}


@case
def wrong_length(r):
    r.named["snapshot"] = {"length": 99}


@case
def unknown_digest(r):
    r.named["targets"] = {"hashes": {"md5": "00"}}


# ---- ends ----

@case
def expired_root(r):
    r.roots[1]["expires"] = PAST


@case
def expired_old_root(r):
    """Of roots, only the last one's end counts."""
    rotated(r)
    r.roots[2]["expires"] = PAST


@case
def expired_timestamp(r):
    r.timestamp["expires"] = PAST


@case
def expired_snapshot(r):
    r.snapshot["expires"] = PAST


@case
def expired_targets(r):
    r.meta["targets"]["expires"] = PAST


@case
def expired_now(r):
    r.timestamp["expires"] = "2026-01-01T00:00:00Z"


@case
def expired_role(r):
    delegated(r)
    r.meta["role2"]["expires"] = PAST


# ---- lists ----

@case
def unlisted(r):
    r.meta["targets"]["targets"] = {PATH: target(b"another image")}


@case
def lying_length(r):
    r.meta["targets"]["targets"][PATH]["length"] += 1


@case
def lying_sha512(r):
    r.meta["targets"]["targets"][PATH]["hashes"]["sha512"] = "00" * 64


@case
def md5_only(r):
    r.meta["targets"]["targets"][PATH]["hashes"] = {"md5": hashlib.md5(IMAGE).hexdigest()}


@case
def sha512_only(r):
    del r.meta["targets"]["targets"][PATH]["hashes"]["sha256"]


@case
def second_name(r):
    r.meta["targets"]["targets"]["copy.bin"] = target()


# ---- delegations ----

@case
def outside_its_paths(r):
    r.delegate("targets", "role1", ["boot/*", "*", "modem/*.img"])
    r.move("role1")


@case
def outside_its_bin(r):
    r.delegate("targets", "role1", None, path_hash_prefixes=["", "0123456789abcdef"])
    r.move("role1")


@case
def shadowed(r):
    r.delegate("targets", "role1")
    r.move("role1")
    r.meta["targets"]["targets"] = {PATH: target(b"what a client is given")}


@case
def terminated(r):
    r.delegate("targets", "role1", terminating=True)
    r.delegate("targets", "role2")
    r.move("role2")


@case
def terminated_above(r):
    """The end of one search is the end of all: also of what stands further on in the role above."""
    r.delegate("targets", "role1")
    r.delegate("role1", "spare", terminating=True)
    r.delegate("targets", "role2")
    r.move("role2")


@case
def bracket(r):
    r.delegate("targets", "role1", ["modem/fw-[0-9].2.bin"])
    r.move("role1")


@case
def both_kinds(r):
    r.delegate("targets", "role1", path_hash_prefixes=[""])
    r.move("role1")


@case
def role_by_stranger(r):
    delegated(r)
    r.by["role2"] = OTHER["role2"]


@case
def role_not_in_snapshot(r):
    delegated(r)
    r.files()
    kept = dict(r.snapshot["meta"])
    del kept["role2.json"]
    class Once(dict):
        def __setitem__(self, k, v):
            if k != "role2.json":
                super().__setitem__(k, v)
    r.snapshot["meta"] = Once(kept)


@case
def role_absent(r):
    delegated(r)
    r.after = lambda f: f.pop("role2.json")


@case
def role_back(r):
    delegated(r)
    r.with_hashes = False
    r.named["role2"] = {"version": 3}


@case
def cycle(r):
    r.delegate("targets", "role1")
    r.delegate("role1", "role2")
    r.delegate("role2", "role1")
    r.delegate("role1", "role1")
    r.meta["targets"]["targets"] = {}


@case
def deep(r):
    names = ["targets"] + [f"d{i}" for i in range(12)]
    for above, name in zip(names, names[1:]):
        r.delegate(above, name)
    r.move(names[-1])


@case
def wide(r):
    for i in range(40):
        r.delegate("targets", f"w{i}")
    r.move("w39")


@case
def succinct(r):
    r.meta["targets"]["delegations"] = {"keys": {}, "roles": [], "succinct_roles": {
        "keyids": [], "threshold": 1, "bit_length": 4, "name_prefix": "bin"}}
    r.meta["targets"]["targets"] = {}


@case
def role_names(r):
    """python-tuf writes what a URL cannot hold in a role's name as it would in one."""
    name = "a/b ü"
    r.delegate("targets", name)
    r.move(name)
    r.after = lambda f: f.update({"a%2Fb%20%C3%BC.json": f.pop(name + ".json")})


PATTERNS = [(PATH, p) for p in (
    PATH, "*", "*/*", "*/*/*", "modem/*", "modem/**", "modem/fw-?.?.bin", "modem/fw-??.2.bin", "m*m/f*1*2*bin", "modem/*.img",
    "mode?/*", "modem?fw-1.2.bin", "modem*", "MODEM/*", "modem/fw-1.2.bi", "modem/fw-1.2.bin?", "modem/fw-1.2.bin*", "*fw*", "",
    "/modem/*", "modem/*/", "m*d*m*/*w*-*.*.*", "modem/fw*fw*", "*m/*n", "modem/f**?**n", "modem/?w-1.2.bi?")] + [
    ("módem/é.bin", p) for p in ("m?dem/?.bin", "m??dem/*", "*/??.bin", "módem/*", "m*m/é*")]


def pattern(path, text):
    """As python-tuf matches: part by part. Returns a repository that hangs on it, and whether a client is led on."""
    r = Repo()
    r.delegate("targets", "role1", [text])
    r.meta["targets"]["targets"], r.meta["role1"]["targets"] = {}, {path: target()}
    parts, wanted = path.split("/"), text.split("/")
    return r, len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


# ---- texts ----

for name, change in {
    "key-twice": lambda b: b.replace(b'"version": 6', b'"version": 6, "version": 6', 1),
    "fraction": lambda b: b.replace(b'"version": 6', b'"version": 6.0', 1),
    "big-number": lambda b: b.replace(b'"version": 6', b'"version": 9007199254740992', 1),
    "not-utf-8": lambda b: b.replace(b'"_type"', b'"\xc0\xaf": 1, "_type"', 1),
    "lone-surrogate": lambda b: b.replace(b'"_type"', b'"\\ud800": 1, "_type"', 1),
    "trailing": lambda b: b + b"{}",
    "no-list": lambda b: b.replace(b'"signatures"', b'"Signatures"', 1),
    "version-changed": lambda b: b.replace(b'"version": 6', b'"version": 7', 1),
    "member-added": lambda b: b.replace(b'"_type"', b'"a": 1, "_type"', 1),
    "of-another-type": lambda b: b.replace(b'"timestamp"', b'"snapshot"', 1),
    "spec-2": lambda b: b.replace(b'"1.0.31"', b'"2.0.0"', 1),
    "no-end": lambda b: b.replace(END.encode(), b"2049-12-31", 1),
    "large": lambda b: b + b" " * 20000,
    "many-signatures": lambda b: b.replace(b'"signatures": [', b'"signatures": [' + b",".join(
        b'{"keyid": "%064d", "sig": "00"}' % i for i in range(70)) + b",", 1),
}.items():
    CASES["text-" + name] = edited("timestamp.json", change)


# ---- Uptane ----

def pair(director=None, images=None):
    d, i = Repo(OTHER), Repo()
    d.meta["targets"]["targets"] = {PATH: target(custom={"ecuIdentifiers": {"ECU-0001": {"hardwareId": "modem-a"}}})}
    i.meta["targets"]["targets"] = {PATH: target(custom={"hardwareIds": ["modem-a", "modem-b"]})}
    for change, repo in ((director, d), (images, i)):
        if change:
            change(repo)
    return {**{"director/metadata/" + n: b for n, b in d.files().items()},
            **{"image/metadata/" + n: b for n, b in i.files().items()}}


def entry(r):
    return r.meta["targets"]["targets"][PATH]


def drop_custom(r):
    del entry(r)["custom"]


def put(**more):
    return lambda r: entry(r).update(more)


def ecu_twice(r):
    r.meta["targets"]["targets"]["other.bin"] = target(b"other", custom=entry(r)["custom"])


def uptane_cases():
    swapped = {("image" if n.startswith("director") else "director") + n[n.index("/"):]: b for n, b in pair().items()}
    ecus = {f"ECU-{i:04}": {"hardwareId": "modem-b"} for i in range(20)}
    return {
        "sound": pair(), "fleet": pair(put(custom={"ecuIdentifiers": ecus})), "untargeted": pair(drop_custom, drop_custom),
        "other-hardware": pair(put(custom={"ecuIdentifiers": {"ECU-0001": {"hardwareId": "modem-c"}}})),
        "image-unlisted": pair(None, unlisted), "image-other": pair(None, put(**target(b"another"))),
        "director-unlisted": pair(unlisted),
        "other-name": pair(None, lambda r: r.meta["targets"].update(targets={"x.bin": entry(r)})),
        "director-delegates": pair(lambda r: r.delegate("targets", "role1")),
        "director-expired": pair(expired_timestamp), "image-expired": pair(None, expired_timestamp),
        "other-ecu": pair(lambda r: r.meta["targets"]["targets"].update({"x.bin": target(custom={"ecuIdentifiers": {"ECU-0002": {}}})})),
        "ecu-twice": pair(ecu_twice), "custom-form": pair(put(custom={"ecuIdentifiers": ["ECU-0001"]})),
        "swapped": swapped, "director-alone": {n: b for n, b in pair().items() if n.startswith("director")},
        "image-alone": {n: b for n, b in pair().items() if n.startswith("image")},
        "director-both": {**{n: b for n, b in pair().items() if n.startswith("director")},
                          **{n.replace("director", "image"): b for n, b in pair().items() if n.startswith("director")}},
    }


CANONICAL = [
    {}, [], {"a": []}, [1, -1, 0, 9007199254740991, True, False, None], {"b": 1, "a": 2, "ab": 3, "": 4},
    {"\U0001f600": 1, "\uffee": 2, "\ue000": 3, "\ud7ff": 4}, ["\" \\ / \b \f \n \r \t \x01 \x7f \u2028 é"],
    {"k\"\\": {"n\n": ["\\\\"]}}, [[[[{"x": [{}]}]]]], {"Z": 1, "a": 1, "_": 1, "0": 1, "é": 1, "e\u0301": 1},
]


def main(out):
    for sub in ("anchor", "canonical"):
        os.makedirs(os.path.join(out, sub), exist_ok=True)

    def put_file(name, data):
        with open(os.path.join(out, name), "wb") as f:
            f.write(data)

    put_file("fw.bin", IMAGE)
    files = Repo().files()
    put_file("anchor/root.json", files["1.root.json"])
    put_file("anchor/director.json", Repo(OTHER).files()["1.root.json"])
    other = Repo()
    other.roots[1]["expires"] = "2048-01-01T00:00:00Z"
    put_file("anchor/forked.json", other.files()["1.root.json"])
    put_file("anchor/unsigned.json", dump(signed(Repo().roots[1], KEYS["root"][:1])))
    put_file("anchor/timestamp.json", files["timestamp.json"])
    for name, make in CASES.items():
        r = Repo()
        make(r)
        tar(os.path.join(out, name + ".tar"), r.files())
    with open(os.path.join(out, "patterns"), "w", encoding="utf-8") as f:
        for i, (path, text) in enumerate(PATTERNS):
            r, led = pattern(path, text)
            tar(os.path.join(out, f"pattern-{i}.tar"), r.files())
            f.write(f"{int(led)} pattern-{i} {text} for {path}\n")
    for name, made in uptane_cases().items():
        tar(os.path.join(out, f"uptane-{name}.tar"), made)
    # What the cases pin: their own first root, where it differs from the plain one.
    for name in ("new-key-ids", "twice-under-two-ids", "misnamed-key", "unknown-scheme", "expired-root"):
        r = Repo()
        CASES[name](r)
        put_file(f"anchor/{name}.json", r.files()["1.root.json"])
    tar(os.path.join(out, "folder.tar"), {"./repo/meta data/" + n: b for n, b in files.items()} | {"repo/targets/fw.bin": IMAGE})
    tar(os.path.join(out, "two-folders.tar"), {"a/" + n: b for n, b in files.items()} | {"b/" + n: b for n, b in files.items()})
    tar(os.path.join(out, "name-twice.tar"), [*files.items(), ("./timestamp.json", files["timestamp.json"])])
    tar(os.path.join(out, "empty.tar"), {})
    tar(os.path.join(out, "no-timestamp.tar"), {n: b for n, b in files.items() if n != "timestamp.json"})
    with open(os.path.join(out, "plain.tar"), "rb") as f:
        whole = f.read()
    put_file("cut.tar", whole[:len(whole) // 2])
    for i, value in enumerate(CANONICAL):
        for ascii_ in (False, True):
            put_file(f"canonical/{2 * i + ascii_}.json", json.dumps(value, ensure_ascii=ascii_, indent=ascii_ or None).encode())
            put_file(f"canonical/{2 * i + ascii_}.out", canonical(value))
    # Repositories as plain files, for stories and as single images; one has a role with an RSA key.
    for folder, make in (("metadata", delegated), ("rsa", lambda r: r.delegate("targets", "spare"))):
        os.makedirs(os.path.join(out, folder), exist_ok=True)
        r = Repo()
        make(r)
        for name, data in r.files().items():
            put_file(f"{folder}/{name}", data)


if __name__ == "__main__":
    main(sys.argv[1])
