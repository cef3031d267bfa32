# SPDX-License-Identifier: Apache-2.0
"""A whole gateway and the hostile vendor of tests/vendor: every attack has its finding, nothing of it is offered,
and an honest vendor on a bad link gets its image through, whoever dies meanwhile."""
import os
import shutil
import signal
import subprocess
import sys

import pytest

from gate import BIN, PROFILE, SRC, Gate, free_port, until

sys.path.insert(0, os.path.join(SRC, "tests/vendor"))
import hostile_ftp  # noqa: E402
import hostile_vendor  # noqa: E402


@pytest.fixture(name="world")
def make_world(request):
    """The gateway, and its vendor as Vendor of hostile_vendor, or of the module a test names."""
    g = Gate()
    new, old = os.urandom(1 << 20), os.urandom((1 << 20) - 5000)
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


@pytest.mark.parametrize("world, scheme", [(hostile_vendor, "http"), (hostile_ftp, "ftp")], ids=["http", "ftp"], indirect=["world"])
def test_no_attack_reaches_a_module(world, scheme):
    """By what the quickstart shows them with."""
    g, v = world
    g.write_profile(PROFILE.replace("max_seconds = 60", "max_seconds = 12").replace("512 MiB", "8 MiB").replace(
        '= "http://', f'= "{scheme}://'))
    g.start()
    done = subprocess.run([os.path.join(SRC, "gateway/demo/attacks"), "--fotagate", os.path.join(BIN, "fotagate"), "--run",
                           os.path.join(g.root, "run"), "--modules", f"http://127.0.0.1:{g.port}", "--vendor", scheme],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "endless    Endless data" in done.stdout and "-> refused, FETCH-SIZE: answer is larger" in done.stdout
    assert "-> blocked" in done.stdout and "-> incident" in done.stdout and "-> waits for people" in done.stdout
    assert not [e for e in g.entries() if e["ev"].startswith("grant")]
    assert g.verify().stdout.rstrip().endswith("ok")


def test_a_vendor_that_is_not_refused_is_told_of(world):
    g, v = world
    g.start()
    attacks = hostile_vendor.ATTACKS
    kept = dict(attacks)
    try:
        for name in set(attacks) - {"freeze"}:
            attacks[name] = (*kept[name][:2], kept["good"][2])
        done = subprocess.run([os.path.join(SRC, "gateway/demo/attacks"), "--fotagate", os.path.join(BIN, "fotagate"), "--run",
                               os.path.join(g.root, "run"), "--modules", f"http://127.0.0.1:{g.port}"],
                              capture_output=True, text=True, timeout=240)
    finally:
        attacks.update(kept)
    assert done.returncode == 1
    assert "endless: review, none, and not FETCH-SIZE" in done.stderr and "good" not in done.stderr


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
    g.review(2, "incident", 90)  # it is 1.1.0 again, which is another test's; at the vendor's pace
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
