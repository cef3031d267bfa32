# SPDX-License-Identifier: Apache-2.0
"""Makes Mender artifacts with mender-artifact(1), and rebuilds them with one thing changed.

    mender.py DIRECTORY   the files that tests/unit/images wants, with the keys of pki.sh that lie beside it
"""
import gzip
import io
import pathlib
import random
import subprocess
import sys
import tarfile

PAYLOAD = bytes(i * 7 & 0xFF for i in range(3000))
SCRIPT = b"#!/bin/sh\nexit 0\n"


TAILED = random.Random(1).randbytes(1300000) + b"PK\5\6" + b"\0" * 18  # a zip, by its end alone


SOUND = ("rsa", "ec", "stored", "xz", "tailed")  # to mender-artifact; it refuses every other one, and so do we


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True).stdout


class Maker:
    def __init__(self, keys, folder):
        """mender-artifact wants keys in their traditional forms."""
        self.d = folder
        folder.mkdir(exist_ok=True)
        self.keys = {"rsa": folder / "rsa.key", "ec": folder / "ec.key"}
        run("openssl", "rsa", "-traditional", "-in", keys / "code.key", "-out", self.keys["rsa"])
        run("openssl", "ec", "-in", keys / "email.key", "-out", self.keys["ec"])
        (folder / "rootfs.ext4").write_bytes(PAYLOAD)
        (folder / "ArtifactInstall_Enter_00").write_bytes(SCRIPT)

    def make(self, key=None, compression="gzip", script=True, augment=False):
        out = self.d / "out"
        args = ["write", "module-image", "-T", "rootfs-image", "-t", "dev1", "-t", "dev2", "-n", "rel-1", "-f", self.d / "rootfs.ext4",
                "-o", out, "--compression", compression, "--provides", "colour:blue", "--depends", "boot:2", "-g", "grp"]
        if key:
            args += ["-k", self.keys[key]]
        if script:
            args += ["-s", self.d / "ArtifactInstall_Enter_00"]
        if augment:
            args += ["--augment-type", "rootfs-image", "--augment-file", self.d / "ArtifactInstall_Enter_00"]
        run("mender-artifact", *args)
        return out.read_bytes()


def parts(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        return [(m.name, t.extractfile(m).read()) for m in t.getmembers()]


def tar(members):
    """A tar as Go writes it: ustar, two blocks of zeros."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o600
            t.addfile(info, io.BytesIO(data))
        end = t.offset
    return out.getvalue()[:end] + bytes(1024)


def linked(data):
    """The same archive with a link behind its files, which no manifest can name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for m in old.getmembers():
            t.addfile(m, old.extractfile(m))
        link = tarfile.TarInfo("shadow")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        t.addfile(link)
        end = t.offset
    return out.getvalue()[:end] + bytes(1024)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    maker = Maker(out.parent / "key", out / "made")
    files = {"rsa": maker.make("rsa"), "ec": maker.make("ec", script=False), "stored": maker.make("rsa", "none"),
             "unsigned": maker.make(), "augmented": maker.make("rsa", script=False, augment=True), "xz": maker.make("rsa", "lzma")}
    (maker.d / "rootfs.ext4").write_bytes(TAILED)
    files["tailed"] = maker.make("rsa")
    good = parts(files["stored"])
    names = [n for n, _ in good]
    files["order"] = tar([good[1], good[0]] + good[2:])
    files["no-manifest"] = tar([p for p in good if p[0] != "manifest"])
    files["extra"] = tar(good[:4] + [("hello", b"x")] + good[4:])
    files["twice"] = tar(good[:3] + [good[2]] + good[3:])
    files["manifest-changed"] = tar([(n, d.replace(b"rootfs", b"ROOTFS") if n == "manifest" else d) for n, d in good])
    files["payload-extra"] = tar([(n, tar(parts(d) + [("evil", b"x")]) if n == "data/0000.tar" else d) for n, d in good])
    files["payload-link"] = tar([(n, linked(d) if n == "data/0000.tar" else d) for n, d in good])
    files["packed-link"] = tar([(n, gzip.compress(linked(gzip.decompress(d))) if n == "data/0000.tar.gz" else d)
                                for n, d in parts(files["rsa"])])
    files["no-payload"] = tar(good[:-1])
    assert names == ["version", "manifest", "manifest.sig", "header.tar", "data/0000.tar"]
    for name, data in files.items():
        (out / name).write_bytes(data)
        key = out.parent / "key" / ("email.pub" if name == "ec" else "code.pub")
        said = subprocess.run(["mender-artifact", "validate", "-k", key, out / name], capture_output=True)
        # Its exit status is 0 either way.
        assert (b"validated successfully" in said.stdout + said.stderr) == (name in SOUND), (name, said)


if __name__ == "__main__":
    main()
