# SPDX-License-Identifier: Apache-2.0
"""TUF metadata as evidence for an image: tars as tar(1) makes them, and one file's texts judged by securesystemslib too."""
import json
import os
import random
import subprocess
import sys

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
tuf = pytest.importorskip("tuf", reason="python3-securesystemslib is not installed")
pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")

AT = "2026-01-01T00:00:00Z"


def inspect(*args):
    r = subprocess.run([FOTAGATE, "inspect", "--json", "--at", AT, *map(str, args)], capture_output=True)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


def found(doc):
    return {f["id"] for f in doc["findings"]}


@pytest.fixture
def place(tmp_path):
    """A repository as a folder, its first root pinned, and its image."""
    (tmp_path / "trust").mkdir()
    (tmp_path / "repo/metadata").mkdir(parents=True)
    (tmp_path / "fw.bin").write_bytes(tuf.IMAGE)
    r = tuf.Repo()
    tuf.delegated(r)
    for name, data in r.files().items():
        (tmp_path / "repo/metadata" / name).write_bytes(data)
    (tmp_path / "trust/root.json").write_bytes((tmp_path / "repo/metadata/1.root.json").read_bytes())
    return tmp_path


def packed(place, name="evidence.tar"):
    subprocess.run(["tar", "-C", place / "repo", "-cf", place / name, "metadata"], check=True)
    return place / name


def test_a_tar_of_the_folder_proves_the_image(place):
    doc = inspect("--trust", place / "trust", "--signature", packed(place), "--first", place / "fw.bin")
    (s,) = doc["signatures"]
    assert (s["scheme"], s["outcome"], doc["verdict"]) == ("tuf", "verified", "acceptable")
    assert s["signer"]["anchor"] == "root.json" and doc["coverage"]["unsigned"] == 0
    assert {"fact": "build", "sure": True, "value": tuf.PATH, "where": "tuf"} in doc["contents"]["facts"]
    (place / "before.json").write_text(json.dumps(doc, separators=(",", ":"), sort_keys=True, ensure_ascii=False))

    # The next release comes with a timestamp from before this one: validly signed, and held back.
    old = tuf.Repo()
    tuf.delegated(old)
    old.timestamp["version"] -= 1
    (place / "repo/metadata/timestamp.json").write_bytes(old.files()["timestamp.json"])
    for name, data in old.files().items():
        (place / "repo/metadata" / name).write_bytes(data)
    doc = inspect("--trust", place / "trust", "--signature", packed(place), "--history", place / "before.json", place / "fw.bin")
    assert doc["verdict"] == "blocked" and "CONT-COUNTER-BACK" in found(doc)

    (place / "fw.bin").write_bytes(tuf.IMAGE + b"x")
    doc = inspect("--trust", place / "trust", "--signature", packed(place), place / "fw.bin")
    assert doc["verdict"] == "blocked" and [s["outcome"] for s in doc["signatures"]] == ["invalid"]
    doc = inspect(place / "repo/metadata/targets.json")
    assert doc["image"]["format"] == "tuf" and doc["image"]["walked"]


def test_both_of_uptanes_repositories_are_needed(place):
    (place / "trust/root.json").unlink()
    for name, repo in (("director.root.json", tuf.Repo(tuf.OTHER)), ("image.root.json", tuf.Repo())):
        (place / "trust" / name).write_bytes(repo.files()["1.root.json"])
    for case, verdict in (("sound", "review"), ("untargeted", "acceptable"), ("other-hardware", "blocked")):
        tuf.tar(place / "evidence.tar", tuf.uptane_cases()[case])
        doc = inspect("--trust", place / "trust", "--signature", place / "evidence.tar", "--first", place / "fw.bin")
        assert doc["verdict"] == verdict, (case, found(doc))
        assert ("META-TARGETED" in found(doc)) == (case != "untargeted")


CONFIG = """keys_dir = "{0}/keys";
listeners = ( {{ name = "plain"; address = "127.0.0.1"; port = 8080; }} );
suppliers = ( {{ name = "acme"; legal_entity = "ACME Ltd"; country = "DE"; }} );
"""
PROFILE = """profile = {{
	name = "acme"; supplier = "acme"; listeners = [ "plain" ]; hosts = [ "fota.example" ];
	path = "/fw/{{product}}/{{to}}.bin";
	captures = {{ product = {{ class = "word"; max = 16; }}; to = {{ class = "version"; max = 16; }}; }};
	product = "capture:product"; target_version = "capture:to"; version_order = "dotted";
	identity = ( {{ class = "C"; kind = "address"; from = "source_address"; }} );
	networks = ( {{ cidr = "10.20.0.0/16"; }} );
	upstream = "https://up.example/{{product}}/{{to}}"; signature_url = "https://up.example/{{product}}/{{to}}.tar";
	signature = {{ scheme = "{0}"; anchors = [ {1} ]; }};
	quorum = 2;
}};
"""


def test_a_profile_says_which_evidence_counts(place):
    """Without the director's order, metadata of the image repository is not enough where the profile says Uptane."""
    (place / "keys/anchors").mkdir(parents=True)
    (place / "profiles.d").mkdir()
    for name, repo in (("director.json", tuf.Repo(tuf.OTHER)), ("image.json", tuf.Repo())):
        (place / "keys/anchors" / name).write_bytes(repo.files()["1.root.json"])
    (place / "fotagate.conf").write_text(CONFIG.format(place))
    tuf.tar(place / "both.tar", tuf.uptane_cases()["untargeted"])
    tuf.tar(place / "one.tar", tuf.Repo().files())
    for scheme, anchors, sound in (("uptane", '"director.json", "image.json"', "both"), ("tuf", '"image.json"', "one")):
        (place / "profiles.d/acme.conf").write_text(PROFILE.format(scheme, anchors))
        for bundle in ("both", "one"):
            doc = inspect("--profile", "acme", "-c", place / "fotagate.conf", "--signature", place / f"{bundle}.tar", place / "fw.bin")
            assert (doc["verdict"] == "acceptable") == (bundle == sound), (scheme, bundle, found(doc))


# Where securesystemslib takes a text and we do not: it reads JSON as Python does.
OURS_ALONE = {
    "fraction": lambda t: t.replace('"version": 6', '"version": 6.0'),  # it refuses to sign or verify such
    "twice": lambda t: t.replace('"version": 6', '"version": 7, "version": 6'),
    "twice-escaped": lambda t: t.replace('"version": 6', '"versio\\u006e": 9, "version": 6'),
    "not-a-number": lambda t: t.replace('"signatures"', '"x": NaN, "signatures"'),
    "big": lambda t: t.replace('"signatures"', '"x": 36893488147419103232, "signatures"'),
    "second-signature": lambda t: t.replace('"signatures": [', '"signatures": [{"keyid": "0", "sig": ""}, {"keyid": "0", "sig": ""},'),
}
SPELLINGS = {
    "compact": lambda t: json.dumps(json.loads(t), separators=(",", ":")),
    "reversed": lambda t: json.dumps(dict(reversed(list(json.loads(t).items())))),
    "escaped": lambda t: t.replace('"version"', '"\\u0076ersion"').replace("timestamp", "time\\u0073tamp"),
    "blanks": lambda t: t.replace("{", "{\r\n\t ") + "\n",
    "unsigned-field": lambda t: t.replace('"signatures"', '"x": [1, null], "signatures"'),
    "empty-signature": lambda t: t.replace('"signatures": [', '"signatures": [{"keyid": "0", "sig": ""},'),
    "other-case": lambda t: t.replace('"sig": "', '"sig": "A'),
}


def judge(text, key):
    """Would a client that reads JSON as Python does take the signature?"""
    try:
        doc = json.loads(text)
        (sig,) = [s for s in doc["signatures"] if s["keyid"] == key["keyid"]]
        return tuf.keys.verify_signature(key, sig, tuf.canonical(doc["signed"]))
    except Exception:  # whatever it dislikes is a no
        return False


def test_what_we_take_securesystemslib_takes(place):
    files, key = place / "repo/metadata/timestamp.json", tuf.KEYS["timestamp"][0]
    good = files.read_text()

    def ours(text):
        files.write_text(text)
        doc = inspect("--trust", place / "trust", "--signature", packed(place), place / "fw.bin")
        return any(s["outcome"] == "verified" for s in doc["signatures"])

    assert ours(good) and judge(good, key)
    for name, change in SPELLINGS.items():
        assert ours(change(good)) == judge(change(good), key) == (name != "other-case"), name
    for name, change in OURS_ALONE.items():
        assert not ours(change(good)), name
    rng, taken = random.Random(20), 0
    for _ in range(60):
        at = rng.randrange(len(good))
        text = good[:at] + chr(ord(good[at]) ^ rng.choice((1, 2, 4, 16))) + good[at + 1:]
        mine = ours(text)
        taken += mine
        assert not mine or judge(text, key), (at, text[at - 20:at + 20])
    assert taken < 30
