#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Android boot images and sparse images, for the tests of the change report's openers.

    android.py DIRECTORY

DIRECTORY/boot-0 to -3     by mkbootimg; boot-4, of which Debian's knows nothing, by this script
DIRECTORY/vendor-3         by mkbootimg; vendor-4, with two ramdisks, by this script
DIRECTORY/boot-avb         boot-2 in a partition, with data of verified boot behind it
DIRECTORY/boot-dt          version 0 with a table of device trees, as Qualcomm's tools once wrote it
DIRECTORY/plain, sparse    an image with holes and runs, and what img2simg makes of it
DIRECTORY/sparse-sum       the same chunks with a checksum at the end
"""
import os
import shutil
import struct
import subprocess
import sys
import zlib

PAGE = 4096
CMDLINE = "console=ttyMSM0,115200 androidboot.selinux=enforcing"


def quiet(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, env=dict(os.environ, LC_ALL="C"), **kw)
    if r.returncode:
        sys.exit(f"android.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def pages(*sections):
    return b"".join(s + bytes(-len(s) % PAGE) for s in sections)


def boot4(kernel, ramdisk, signature, cmdline=CMDLINE):
    head = b"ANDROID!" + struct.pack("<IIII16xI", len(kernel), len(ramdisk), 0, 1584, 4) + cmdline.encode().ljust(1536, b"\0")
    return pages(head + struct.pack("<I", len(signature)), kernel, ramdisk, signature)


def vendor4(ramdisks, dtb, config, cmdline=CMDLINE):
    body, table = b"", b""
    for kind, (name, data) in enumerate(ramdisks, 1):
        table += struct.pack("<III32s64x", len(data), len(body), kind, name.encode())
        body += data
    head = b"VNDRBOOT" + struct.pack("<IIIII", 4, PAGE, 0, 0, len(body)) + cmdline.encode().ljust(2048, b"\0")
    head += struct.pack("<I16sIIQIIII", 0, b"", 2128, len(dtb), 0, len(table), len(ramdisks), 108, len(config))
    return pages(head, body, dtb, table, config)


def boot(version, files, out, *options):
    quiet("mkbootimg", "--kernel", files["kernel"], "--ramdisk", files["ramdisk"], "--cmdline", CMDLINE, "--pagesize", "2048",
          "--header_version", version, "-o", out, *options)


def sparse(plain, out):
    quiet("img2simg", plain, out, 4096)


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    data = {"kernel": b"kernel code " * 900, "ramdisk": b"ramdisk words " * 300, "second": b"second loader " * 50,
            "dtb": b"device tree " * 30, "dtbo": b"overlay " * 40}
    files = {name: os.path.join(out, name) for name in data}
    for name, path in files.items():
        write(path, data[name])
    at = os.path.join(out, "boot-")
    boot(0, files, at + "0", "--second", files["second"])
    boot(1, files, at + "1")  # with a recovery dtbo Debian's fails: it packs a place that is no whole number
    one = bytearray(read(at + "1"))
    one[1632:1644] = struct.pack("<IQ", len(data["dtbo"]), len(one))
    write(at + "1", bytes(one) + data["dtbo"].ljust(2048, b"\0"))
    boot(2, files, at + "2", "--dtb", files["dtb"])
    boot(3, files, at + "3")
    write(at + "4", boot4(data["kernel"], data["ramdisk"], b"signature of the image " * 100))
    quiet("mkbootimg", "--vendor_boot", os.path.join(out, "vendor-3"), "--vendor_ramdisk", files["ramdisk"], "--dtb", files["dtb"],
          "--vendor_cmdline", CMDLINE, "--header_version", 3, "--pagesize", 4096)
    write(os.path.join(out, "vendor-4"), vendor4([("", data["ramdisk"]), ("dlkm", b"modules " * 100)], data["dtb"], b"androidboot.x=y\n"))
    image, meta = read(at + "2"), b"AVB0" + b"vbmeta of the partition " * 20
    where = -(-len(image) // PAGE) * PAGE
    body = image.ljust(where, b"\0") + meta
    write(at + "avb", body.ljust(where + 65536 - 64, b"\0") + struct.pack(">4sIIQQQ28x", b"AVBf", 1, 0, len(image), where, len(meta)))
    trees = bytearray(read(at + "0"))
    trees[40:44] = struct.pack("<I", len(data["dtb"]))
    write(at + "dt", bytes(trees) + data["dtb"].ljust(2048, b"\0"))
    blocks = [(b"block %4d " % i * 409)[:4096] for i in range(3)] + [bytes(4096)] * 5 + [b"\xab\xcd\x12\x34" * 1024] * 4 + [b"tail" * 1024]
    plain = b"".join(blocks)
    write(os.path.join(out, "plain"), plain)
    sparse(os.path.join(out, "plain"), os.path.join(out, "sparse"))
    made = read(os.path.join(out, "sparse"))
    chunks = struct.unpack("<I", made[20:24])[0]
    write(os.path.join(out, "sparse-sum"), made[:20] + struct.pack("<I", chunks + 1) + made[24:] +
          struct.pack("<HHIII", 0xcac4, 0, 0, 16, zlib.crc32(plain)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
