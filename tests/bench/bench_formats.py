#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU and memory of `fotagate inspect` on each container, against the tool that the container is from.

Both judge the same file under the same key, which lies in the page cache; rounds alternate. CPU is user and system of
all processes that a command starts; memory is that of its largest one. A large file's figure is what the bytes cost; a
small one's is what processes cost, and the jail, which has a row of its own: an empty image.

Where a tool does less than is asked of an inspection, a second row has as its peer the tool and, by a tool that hashes
as fast as any here (openssl dgst; coreutils' sha256sum takes four times as long), what it leaves out: the SHA-256 that
names the image where the signature is over another digest, and the one that a signed manifest gives for a file."""
import base64
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile

from rows import BIN, RUNS, SRC, fail, figure, goal, median

sys.path.insert(0, os.path.join(SRC, "tests/vectors"))
import swu  # noqa: E402

NAME = "formats"
SIZES = ((128 << 20, "128 MiB"), (1 << 20, "1 MiB"))


def run(*a, **kw):
    return subprocess.run([str(x) for x in a], check=True, capture_output=True, **kw)


class Place:
    """A vendor's keys and certificates, by the tools, and a trust folder for each kind."""

    def __init__(self, d):
        self.d = d
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj",
            "/CN=Bench CA", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", cwd=d)
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "sign.key", "-out", "sign.csr", "-subj", "/CN=Bench Signer", cwd=d)
        self.write("ext", b"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                          b"extendedKeyUsage=codeSigning,emailProtection\n")
        run("openssl", "x509", "-req", "-in", "sign.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2", "-days", "20",
            "-extfile", "ext", "-out", "sign.pem", cwd=d)
        run("openssl", "pkey", "-in", "sign.key", "-pubout", "-out", "sign.pub", cwd=d)
        run("openssl", "rsa", "-traditional", "-in", "sign.key", "-out", "sign.rsa", cwd=d)
        run("minisign", "-G", "-W", "-p", "mini.pub", "-s", "mini.key", cwd=d)
        run("signify-openbsd", "-G", "-n", "-p", "signify.pub", "-s", "signify.sec", cwd=d)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ssh", cwd=d)
        self.write("signers", b"bench " + self.read("ssh.pub"))
        for kind, name in (("ca", "ca.pem"), ("bare", "sign.pub"), ("mini", "mini.pub"), ("signify", "signify.pub"), ("ssh", "ssh.pub")):
            os.mkdir(self.at("trust-" + kind))
            os.link(self.at(name), self.at("trust-" + kind, name))

    def at(self, *name):
        return os.path.join(self.d, *name)

    def read(self, name):
        with open(self.at(name), "rb") as f:
            return f.read()

    def write(self, name, data):
        with open(self.at(name), "wb") as f:
            f.write(data)
        return self.at(name)

    def cms(self, name):
        return run("openssl", "cms", "-sign", "-binary", "-in", self.at(name), "-signer", self.at("sign.pem"), "-inkey", self.at("sign.key"),
                   "-outform", "DER", "-nosmimecap", "-md", "sha256").stdout


# Each: file, its detached signature or None, trust folder, the tool's command and, where it leaves out a digest that an
# inspection has to compute, the file that this one is of.

def cms_detached(p):
    p.write("image.p7s", p.cms("image"))
    return "image", "image.p7s", "ca", ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", p.at("image.p7s"), "-content",
                                        p.at("image"), "-CAfile", p.at("ca.pem"), "-purpose", "any", "-out", "/dev/null"]


def rauc(p, fmt):
    run("rm", "-rf", p.at("content"), p.at("bundle"))
    os.mkdir(p.at("content"))
    os.link(p.at("image"), p.at("content", "rootfs.img"))
    p.write("content/manifest.raucm", b"[update]\ncompatible=bench\nversion=1\n[bundle]\nformat=%s\n[image.rootfs]\nfilename=rootfs.img\n" % fmt)
    p.write("rauc.conf", f"[system]\ncompatible=bench\nbootloader=noop\n[keyring]\npath={p.at('ca.pem')}\ncheck-purpose=codesign\n".encode())
    run("rauc", "bundle", "--cert", p.at("sign.pem"), "--key", p.at("sign.key"), "--mksquashfs-args=-comp gzip -noD -noF", p.at("content"), p.at("bundle"))


def rauc_plain(p):
    rauc(p, b"plain")
    return "bundle", None, "ca", ["rauc", "--conf", p.at("rauc.conf"), "info", p.at("bundle")], "image"


def rauc_verity(p):
    rauc(p, b"verity")
    # `rauc info` does not look at a byte of such a payload; this does, and unpacks it too.
    return "bundle", None, "ca", ["sh", "-c", 'rm -rf "$2" && exec rauc --conf "$0" extract "$1" "$2"', p.at("rauc.conf"), p.at("bundle"), p.at("out")]


def swupdate(p):
    data = p.read("image")
    text = p.write("text", swu.description(swu.software(swu.image(data=data)))) and p.read("text")
    p.write("x.swu", swu.archive(("sw-description", text), ("sw-description.sig", p.cms("text")), ("fw.img", data)))
    os.makedirs(p.at("tmp"), exist_ok=True)
    return "x.swu", None, "ca", ["unshare", "-rn", "env", "TMPDIR=" + p.at("tmp"), "swupdate", "-c", "-k", p.at("ca.pem"), "-H", "testboard:1.0", "-i", p.at("x.swu")]


def mender(p):
    run("mender-artifact", "write", "module-image", "-T", "rootfs-image", "-t", "dev", "-n", "rel", "-f", p.at("image"), "-o", p.at("mender"),
        "-k", p.at("sign.rsa"))
    return "mender", None, "bare", ["mender-artifact", "validate", "-k", p.at("sign.pub"), p.at("mender")], "mender"


def minisign(p):
    run("minisign", "-S", "-s", p.at("mini.key"), "-m", p.at("image"), "-x", p.at("image.minisig"))
    return "image", "image.minisig", "mini", ["minisign", "-V", "-p", p.at("mini.pub"), "-m", p.at("image"), "-x", p.at("image.minisig")]


def signify(p):
    run("signify-openbsd", "-S", "-s", p.at("signify.sec"), "-m", p.at("image"), "-x", p.at("image.signify"))
    return "image", "image.signify", "signify", ["signify-openbsd", "-V", "-p", p.at("signify.pub"), "-m", p.at("image"), "-x", p.at("image.signify")]


def sshsig(p):
    run("rm", "-f", p.at("image.sig"))
    run("ssh-keygen", "-Y", "sign", "-q", "-n", "file", "-f", p.at("ssh"), p.at("image"))
    return "image", "image.sig", "ssh", ["sh", "-c", 'exec ssh-keygen -Y verify -f "$0" -I bench -n file -s "$1" <"$2"', p.at("signers"), p.at("image.sig"), p.at("image")], "image"


def zipped(p):
    run("rm", "-f", p.at("x.zip"))
    run("zip", "-q", "-j", p.at("x.zip"), p.at("image"))
    return "x.zip", None, None, ["unzip", "-tqq", p.at("x.zip")]


LEFT_OUT = {"rauc plain": "the manifest's digest of its file", "mender, gzip": "the artifact's own digest", "sshsig": "the image's SHA-256"}
ROWS = (("cms detached", "openssl cms -verify", cms_detached), ("rauc plain", "rauc info", rauc_plain), ("rauc verity", "rauc extract", rauc_verity),
        ("swu", "swupdate -c", swupdate), ("mender, gzip", "mender-artifact validate", mender), ("minisign", "minisign -V", minisign),
        ("signify", "signify -V", signify), ("sshsig", "ssh-keygen -Y verify", sshsig), ("zip, deflate", "unzip -t", zipped))


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A report's words are 1 for review; swupdate's status depends on how its parts race.
    if done.returncode not in (0, 1) or (done.returncode and command[0] not in ("unshare", os.path.join(BIN, "fotagate"))):
        fail(f"{' '.join(command)}: {done.returncode}: {done.stdout.decode()} {done.stderr.decode()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def memory(command):
    """KiB of its largest process. Through time(1): a child of ours begins with our own size."""
    with tempfile.NamedTemporaryFile(dir=".") as f:
        subprocess.run(["time", "-q", "-f", "%M", "-o", f.name, *command], capture_output=True)
        return int(f.read().split()[-1])


def compare(ours, theirs):
    """CPU of both, round by round; each peer is some commands."""
    a, b = [], []
    for _ in range(RUNS):
        b.append(sum(cpu(command)[0] for command in theirs))
        a.append(cpu(ours)[0])
    text = (f"{median(a) * 1000:.0f} ms, {memory(ours) / 1024:.0f} MiB; peer {median(b) * 1000:.0f} ms, "
            f"{max(memory(command) for command in theirs) / 1024:.0f} MiB")
    return median(x / y for x, y in zip(a, b)), text


def measure(p, what, tool, make, size, words):
    image, sig, trust, theirs, *more = make(p)
    ours = [os.path.join(BIN, "fotagate"), "inspect", "--json", p.at(image)]
    if sig:
        ours += ["--signature", p.at(sig)]
    if trust:
        ours += ["--trust", p.at("trust-" + trust)]
    doc = json.loads(cpu(ours)[1])
    if {s["outcome"] for s in doc["signatures"]} != ({"verified"} if trust else set()) or doc["verdict"] == "blocked":
        fail(f"{what}: {doc['signatures']} {doc['findings']}")
    cpu(theirs)
    peers = [(f"against {tool}", [theirs])]
    if more:
        digest = ["openssl", "dgst", "-sha256", p.at(more[0])]
        peers.append((f"against {tool} and {LEFT_OUT[what]}", [theirs, digest]))
    for named, commands in peers:
        ratio, text = compare(ours, commands)
        row, text = f"{what}, {words}: CPU {named}", f"{ratio:.2f}x ({text})"
        if size == SIZES[0][0]:
            goal(NAME, row, text, "at most 1.1x", ratio <= 1.1)
        else:
            figure(NAME, row, text)


def main():
    wanted = os.environ.get("FG_BENCH_FORMATS", "").split(",")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        p = Place(os.path.abspath(folder))
        for size, words in SIZES:
            # Neither noise nor zeros: packs to three quarters, like much of a firmware.
            block = base64.b64encode(os.urandom(3 << 18))
            run("rm", "-f", p.at("image"))
            p.write("image", b"".join(struct.pack(">I", i) + block[4:] for i in range(size >> 20)))
            for what, tool, make in ROWS:
                if wanted == [""] or what.split(",")[0] in wanted:
                    measure(p, what, tool, make, size, words)
        empty = [os.path.join(BIN, "fotagate"), "inspect", "--json", p.write("empty", b"")]
        figure(NAME, "an empty image: command, jails and inspectors", f"{median(cpu(empty)[0] for _ in range(2 * RUNS)) * 1000:.1f} ms, {memory(empty) / 1024:.0f} MiB")


main()
