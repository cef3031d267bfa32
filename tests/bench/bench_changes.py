#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The change report on a real security update, beside diffoscope and binwalk.

The pair is libssl3, libcurl4 and libc6 of Debian, oldest and newest version of the mirror, in a squashfs
(tests/vectors/debs.py); and the newest with nine things planted in it. A planted thing counts as found by us when it is told in
the block where it belongs, by the finding it should be; by the others when one of its words stands anywhere in their
output. diffoscope runs once: it takes minutes. What it and we have in common is the pair, so that a ratio of times says little."""
import json
import os
import subprocess
import sys
import time

from rows import BIN, RUNS, SRC, fail, figure, goal, median

sys.path.insert(0, os.path.join(SRC, "tests/vectors"))
from test_changes import PLACES  # noqa: E402

NAME = "changes"
DEBS = os.path.join(os.path.dirname(BIN), "debs")
PATIENCE = 1800  # seconds for diffoscope
WORDS = {"setuid": ["rwsr-xr-x", "04755", "setuid"], "ca": ["extra.pem"], "telnetd": ["telnetd", "S99dbg"], "imei": ["490154203237518", "table.bin"],
         "at": ["AT+CGSN"], "renamed": ["legacy2.so"]}


def made():
    r = subprocess.run([sys.executable, "-B", os.path.join(SRC, "tests/vectors/debs.py"), DEBS], capture_output=True, text=True)
    if r.returncode:
        fail(f"debs.py: {r.returncode} {r.stderr}")
    with open(os.path.join(DEBS, "versions")) as f:
        packages = ", ".join("{} {} to {}".format(*line.split()) for line in f)
    with open(os.path.join(DEBS, "planted")) as f:
        return packages, [line.rstrip("\n").split("\t") for line in f]


def image(version):
    return os.path.join(DEBS, version + ".sqfs")


def timed(command, patience=None):
    """Seconds and output; neither tool's status says more than that there are differences."""
    start = time.monotonic()
    r = subprocess.run(command, capture_output=True, timeout=patience)
    if r.returncode not in (0, 1):
        fail(f"{command[0]}: {r.returncode} {r.stderr.decode()}")
    return time.monotonic() - start, r.stdout


def inspect(new, *options):
    return [os.path.join(BIN, "fotagate"), "inspect", *options, "--against", image("old"), image(new)]


def ours(new):
    return json.loads(timed(inspect(new, "--json"))[1])["changes"]["page"]["lines"]


def told(lines, what, path):
    block, finding = PLACES[what]
    return any(line["block"] == block and line["id"] == finding and path in line["path"] for line in lines)


def found(who, planted, has):
    missing = [what for what, path, word in planted if not has(what, path, word)]
    text = f"{len(planted) - len(missing)} of {len(planted)}" + (f", not {', '.join(missing)}" if missing else "")
    if who == "fotagate":
        goal(NAME, f"planted things found by {who}", text, "all", not missing)
    else:
        figure(NAME, f"planted things found by {who}", text)


def by_words(output):
    return lambda what, path, word: any(w.encode() in output for w in WORDS.get(what, [word]))


def main():
    packages, planted = made()
    runs = [timed(inspect("new")) for _ in range(RUNS)]
    seconds = median(s for s, _ in runs)
    goal(NAME, f"{packages}: the whole report", f"{seconds:.1f} s", "under 10 s", seconds < 10)
    page = os.path.join(os.getcwd(), "page.html")
    timed(inspect("new", "--html", page))
    figure(NAME, "the same: its size", f"{len(runs[0][1]) >> 10} KiB of text, {os.path.getsize(page) >> 10} KiB as one page of HTML")
    red = [line for line in ours("new") if line["block"] == "red"]
    goal(NAME, "the same: lines of the red block", f"{len(red)}" + "".join(f", {line['id']} {line['path']}" for line in red), "none that is not true",
         all(line["id"] == "CHG-HARDENING" for line in red))
    lines = ours("tampered")
    found("fotagate", planted, lambda what, path, word: told(lines, what, path))
    seconds, output = timed(["binwalk", image("old"), image("tampered")])
    figure(NAME, "binwalk on both images", f"{seconds:.1f} s, {len(output)} bytes")
    found("binwalk", planted, by_words(output))
    seconds, _ = timed(["diffoscope", "--text", "theirs", image("old"), image("tampered")], PATIENCE)
    with open("theirs", "rb") as f:
        output = f.read()
    figure(NAME, "diffoscope on the same pair, tampered", f"{seconds:.0f} s, {len(output) / 1e6:.0f} MB of text")
    found("diffoscope", planted, by_words(output))


main()
