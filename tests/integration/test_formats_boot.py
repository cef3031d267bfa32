# SPDX-License-Identifier: Apache-2.0
"""Images for bootloaders, judged by the bootloaders' own verifiers: never a yes to what one refuses."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
VECTORS = pathlib.Path(os.environ.get("FG_VECTORS", os.path.join(BIN, "..", "vectors")))
# U-Boot's own verifier. Debian builds it and does not ship it: set this to one that was built by hand.
JUDGE = shutil.which(os.environ.get("FIT_CHECK_SIGN", "fit_check_sign"))
# What U-Boot boots and is not taken here: bytes that nothing needs, members that are not there, lists that older and newer
# U-Boots read differently, hashes that are none, salts that the tool does not make, and what nobody signed at all.
STRICTER = {"between", "crc-only", "external-hidden", "external-trailing", "ignored-hash", "missing-image",
            "nodes-fewer", "nodes-none", "nop", "processor", "property-after-signing", "pss-short-salt", "reserve", "sha1-only",
            "slack-long", "strings-nothing", "trailing", "two-makers"}
# Of ECDSA fit_check_sign has no key, and it is given no configuration where only images are signed.
NOT_JUDGED = {"ecdsa", "ecdsa384", "images-only"}

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def report(image, keys, folder):
    trust = folder / "trust"
    trust.mkdir(exist_ok=True)
    for key in keys:
        (trust / key.name).write_bytes(key.read_bytes())
    argv = [FOTAGATE, "inspect", image, "--json"] + (["--trust", trust] if keys else [])
    r = subprocess.run(argv, capture_output=True, timeout=300)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


def test_fit_as_u_boot_does(tmp_path):
    if not JUDGE:
        pytest.skip("no fit_check_sign")
    seen, keys = 0, sorted((VECTORS / "fit" / "key").glob("[der]*.pem"))
    for image in sorted((VECTORS / "fit").glob("*.fit")):
        key = VECTORS / "fit" / "key" / f"{image.stem}.dtb"
        key = key if key.exists() else key.with_name("dev.dtb")
        doc = report(image, keys, tmp_path)
        ours = doc["verdict"] != "blocked" and any(s["outcome"] == "verified" for s in doc["signatures"])
        if image.stem in NOT_JUDGED:
            continue
        theirs = subprocess.run([JUDGE, "-f", image, "-k", key], capture_output=True, check=False).returncode == 0
        assert ours == (theirs and image.stem not in STRICTER), (image.stem, ours, theirs)
        seen += 1
    assert seen > 60
