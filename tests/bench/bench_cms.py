#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of judging 256 MiB under a detached CMS signature.

Peer: `openssl cms -verify -binary` and one `sha256sum` of the same file, which is
what a person would run by hand. All processes count, user and system; the image
is in the page cache for both. Rounds alternate."""
import json
import os
import resource
import subprocess
import tempfile

from rows import BIN, RUNS, fail, figure, goal, median

NAME = "cms"
SIZE = 256 << 20


def cpu(*commands, ok=(0,)):
    """CPU seconds of the commands and everything they started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outs = []
    for c in commands:
        done = subprocess.run(c, capture_output=True)
        if done.returncode not in ok:
            fail(f"{' '.join(c)}: {done.returncode}: {done.stderr.decode()}")
        outs.append(done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, outs


def make(folder):
    """A leaf that signs code below a CA of its own, and a detached signature over the image."""
    def run(*a):
        subprocess.run(["openssl", *a], check=True, cwd=folder, capture_output=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj",
        "/CN=Bench CA", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "sign.key", "-out", "sign.csr", "-subj", "/CN=Bench Signer")
    with open(os.path.join(folder, "ext"), "w") as f:
        f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                "extendedKeyUsage=codeSigning,emailProtection\n")
    run("x509", "-req", "-in", "sign.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2", "-days", "20",
        "-extfile", "ext", "-out", "sign.pem")
    with open(os.path.join(folder, "image"), "wb") as f:
        block = os.urandom(1 << 20)
        for _ in range(SIZE >> 20):
            f.write(block)
    run("cms", "-sign", "-binary", "-in", "image", "-signer", "sign.pem", "-inkey", "sign.key", "-outform", "DER",
        "-nosmimecap", "-md", "sha256", "-out", "image.p7s")
    trust = os.path.join(folder, "trust")
    os.mkdir(trust)
    os.link(os.path.join(folder, "ca.pem"), os.path.join(trust, "ca.pem"))
    return trust


def main():
    with tempfile.TemporaryDirectory(dir=".") as folder:
        folder = os.path.abspath(folder)
        trust = make(folder)
        image, sig = os.path.join(folder, "image"), os.path.join(folder, "image.p7s")
        ours = [os.path.join(BIN, "fotagate"), "inspect", image, "--signature", sig, "--trust", trust, "--json"]
        cms = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", sig, "-content", image, "-CAfile",
               os.path.join(folder, "ca.pem"), "-purpose", "any", "-out", "/dev/null"]
        hashed = ["sha256sum", image]
        report = json.loads(cpu(ours, ok=(0, 1))[1][0])
        if [s["outcome"] for s in report["signatures"]] != ["verified"]:
            fail(f"not verified: {report['signatures']} {report['findings']}")
        cpu(cms, hashed)  # warm, like ours
        mine, theirs, alone = [], [], []
        for _ in range(RUNS):
            alone.append(cpu(cms)[0])
            theirs.append(alone[-1] + cpu(hashed)[0])
            mine.append(cpu(ours, ok=(0, 1))[0])
        ratio = median(a / b for a, b in zip(mine, theirs))
        goal(NAME, "256 MiB, detached: CPU against openssl cms -verify and sha256sum",
             f"{ratio:.2f}x ({median(mine):.3f} s, peer {median(theirs):.3f} s)", "at most 1.1x", ratio <= 1.1)
        only = median(a / b for a, b in zip(mine, alone))
        figure(NAME, "the same, against openssl cms -verify alone", f"{only:.2f}x (peer {median(alone):.3f} s)")
        figure(NAME, "the same, a GiB", f"{median(mine) * (1 << 30) / SIZE:.2f} s")


main()
