# SPDX-License-Identifier: Apache-2.0
"""A whole gateway and the hostile vendor of tests/vendor: every attack has its finding, nothing of it is offered,
and an honest vendor on a bad link gets its image through, whoever dies meanwhile."""
import os
import shutil
import signal
import subprocess
import sys

import pytest

from gate import PROFILE, SRC, Gate, free_port, until

sys.path.insert(0, os.path.join(SRC, "tests/vendor"))
import hostile_ftp  # noqa: E402
import hostile_vendor  # noqa: E402

JUDGED = {"signature": "blocked", "old-bytes": "incident", "none": "review"}


@pytest.fixture(name="world")
def make_world(request):
    """The gateway, and its vendor as Vendor of hostile_vendor, or of the module a test names."""
    g = Gate()
    new, old = os.urandom(1 << 20), os.urandom(1 << 20)
    said = []
    v = getattr(request, "param", hostile_vendor).Vendor(new, old, (g.pki.sign(new), g.pki.sign(old)), say=said.append)
    v.said = said
    g.vendor.close()
    g.vendor = v
    g.write_profile(PROFILE)
    yield g, v
    g.close()


def refs(entry):
    return entry.get("ref", {})


@pytest.mark.parametrize("world, attacks, scheme", [(hostile_vendor, hostile_vendor.ATTACKS, "http"), (hostile_ftp, hostile_ftp.ATTACKS, "ftp")],
                         ids=["http", "ftp"], indirect=["world"])
def test_no_attack_reaches_a_module(world, attacks, scheme):
    g, v = world
    g.write_profile(PROFILE.replace("max_seconds = 60", "max_seconds = 12").replace("512 MiB", "4 MiB").replace(
        '= "http://', f'= "{scheme}://'))
    g.start()
    g.ask(product="freeze", version="1.0.0")
    until(lambda: [r for r in g.reviews() if r["state"] == "review"], 30)
    for name in attacks:
        if name != "hang":
            assert g.ask(product=name)[0] == 404

    def over():
        states = [r["state"] for r in g.reviews()]
        return len(states) == len(attacks) + (scheme == "ftp") and not {"sighted", "fetching", "judging"} & set(states)
    until(over, 90, 0.5)
    state = {r["product"]: r["state"] for r in g.reviews() if r["target"] == "1.1.0"}
    review = {r["id"]: r["product"] for r in g.reviews()}
    found = {}
    for e in g.entries():
        if e["ev"] in ("fetch.failed", "fetch.done") and "finding" in refs(e):
            found[review[refs(e)["review"]]] = refs(e)["finding"]
    for name, (finding, _, _) in attacks.items():
        if name == "hang":
            continue
        assert state[name] == JUDGED.get(finding, "fetch-failed"), name
        assert found.get(name, "none") in (finding.split(" or ") if finding not in JUDGED else "none"), name
        assert g.ask(product=name)[0] == 404
    assert g.verify().stdout.rstrip().endswith("ok")


def range_of(v, number):
    for line in v.said:
        words = line.split(" ")
        if words[0].endswith("rootfs.img") and words[1] == str(number):
            return int(words[2] or 0)
    return None


def test_a_fetch_goes_on_whoever_dies(world):
    g, v = world
    g.start()
    g.ask(product="hang")
    until(lambda: range_of(v, 2) is not None, 30)
    third = len(v.new) // 3
    g.cli("status")  # control has heard what the fetcher told it before its second try
    g.stop(signal.SIGKILL)
    g.start()
    g.review(1)
    assert range_of(v, 3) == third - 16384
    g.approve()
    assert g.served(product="hang") == v.new
    started = [refs(e) for e in g.entries() if e["ev"] == "fetch.started"]
    assert len(started) == 2 and "kept" not in started[0] and int(started[1]["kept"]) == third

    v.seen.clear()
    v.said.clear()
    g.ask(product="hang", version="1.2.0")
    until(lambda: range_of(v, 2) is not None, 30)
    g.cli("status")
    g.kill_role("upstream")
    g.review(2, "fetch-failed")
    g.cli("fetch", "retry", "R-2")
    g.review(2, "incident")  # it is 1.1.0 again, which is another test's
    assert range_of(v, 3) == third - 16384


@pytest.mark.skipif(not shutil.which("tinyproxy"), reason="tinyproxy is not installed")
def test_credentials_come_to_the_fetcher_and_no_further(world):
    g, v = world
    port, secret = free_port(), os.path.join(g.root, "keys/vendor.secret")
    conf = os.path.join(g.dir, "tinyproxy.conf")
    with open(conf, "w") as f:
        f.write(f"Port {port}\nListen 127.0.0.1\nMaxClients 20\nAllow 127.0.0.0/8\nBasicAuth gate s3cr3t\n")
    with open(secret, "w") as f:
        f.write("proxy: gate:s3cr3t\n")
    os.chmod(secret, 0o644)
    g.write_profile(PROFILE.replace("max_bytes", f'proxy = "http://127.0.0.1:{port}"; credentials_file = "vendor.secret"; max_bytes'))
    check = g.tool("fotagated", "-n", "-c", os.path.join(g.root, "fotagate.conf"), ok=(1, 78))
    assert "vendor.secret: is a secret that others could read" in check.stdout + check.stderr
    os.chmod(secret, 0o600)
    proxy = subprocess.Popen(["tinyproxy", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        g.start()
        g.ask(product="cut")
        g.review(1)
        g.approve()
        assert g.served(product="cut") == v.new
        g.cli("status")
    finally:
        proxy.terminate()
        proxy.wait()
    out = g.export()
    assert g.verify(out).stdout.rstrip().endswith("ok")
    for folder in (out, os.path.join(g.root, "data"), g.log):
        assert subprocess.run(["grep", "-rqa", "s3cr3t", folder]).returncode == 1, folder
