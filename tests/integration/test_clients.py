# SPDX-License-Identifier: Apache-2.0
"""Real clients as modules: what they ask for is what they get, byte for byte, over HTTP and HTTPS."""
import email
import email.policy
import os
import shutil
import subprocess

import pytest

from gate import until


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


def ready(gate, data, name="rootfs.img"):
    gate.offer(data=data, name=name)
    gate.start()
    gate.ask(name=name)
    gate.review(1)
    gate.approve()
    until(lambda: gate.ask("HEAD", name=name)[0] == 200)


def run(*args, **kw):
    done = subprocess.run(args, capture_output=True, text=True, timeout=120, **kw)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_curl_wget_and_aria2c(gate):
    data = os.urandom(5 << 20)
    ready(gate, data)
    out = os.path.join(gate.dir, "got")
    for tls in (False, True):
        url = gate.url(tls=tls)
        run("curl", "-sSfk", "-o", out, url)
        assert open(out, "rb").read() == data
        open(out, "wb").write(data[:1000000])
        run("curl", "-sSfk", "-C", "-", "-o", out, url)
        assert open(out, "rb").read() == data
        os.unlink(out)
        if shutil.which("wget"):
            run("wget", "-q", "--no-check-certificate", "-O", out, url)
            assert open(out, "rb").read() == data
            os.unlink(out)
        if shutil.which("aria2c"):
            run("aria2c", "-q", "-x4", "-s4", "-k1M", "--check-certificate=false", "-d", gate.dir, "-o", "got", url)
            assert open(out, "rb").read() == data
            os.unlink(out)


def test_several_ranges_by_curl(gate):
    data = os.urandom(1 << 20)
    ready(gate, data)
    out, head = os.path.join(gate.dir, "got"), os.path.join(gate.dir, "head")
    for tls in (False, True):
        run("curl", "-sSfk", "-r", "0-9,100-199999,-7", "-D", head, "-o", out, gate.url(tls=tls))
        lines = open(head, "rb").read()
        assert lines.startswith(b"HTTP/1.1 206 ") and b"Content-Range" not in lines
        fields = lines.split(b"\r\n", 1)[1].rstrip(b"\r\n")
        # Python's own idea of multipart, which knows nothing of ours
        message = email.message_from_bytes(fields + b"\r\n\r\n" + open(out, "rb").read(), policy=email.policy.HTTP)
        assert message.get_content_type() == "multipart/byteranges"
        size = len(data)
        assert [(p["Content-Range"], p.get_payload(decode=True)) for p in message.iter_parts()] == [
            (f"bytes 0-9/{size}", data[:10]), (f"bytes 100-199999/{size}", data[100:200000]),
            (f"bytes {size - 7}-{size - 1}/{size}", data[-7:])]


def container(gate, kind):
    """A genuine container around a payload, by the format's own tool."""
    work = os.path.join(gate.dir, kind)
    os.makedirs(work)
    payload = os.path.join(work, "fw.img")
    open(payload, "wb").write(os.urandom(1 << 20))
    signer, key, ca = (os.path.join(gate.pki.dir, n) for n in ("sign.pem", "sign.key", "ca.pem"))
    if kind == "raucb":
        bundle = os.path.join(work, "in")
        os.makedirs(bundle)
        shutil.move(payload, os.path.join(bundle, "fw.img"))
        open(os.path.join(bundle, "manifest.raucm"), "w").write(
            "[update]\ncompatible=FG100\nversion=1.1.0\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=fw.img\n")
        out = os.path.join(work, "update.raucb")
        run("rauc", "bundle", "--cert", signer, "--key", key, "--keyring", ca, bundle, out)
        return open(out, "rb").read()
    slot = os.path.join(work, "slot")
    open(slot, "wb").write(b"\0" * (1 << 20))
    digest = run("sha256sum", payload).stdout.split()[0]
    open(os.path.join(work, "sw-description"), "w").write(
        'software = { version = "1.1.0"; hardware-compatibility: [ "1.0" ];\n'
        f' images: ( {{ filename = "fw.img"; device = "{slot}"; type = "raw"; installed-directly = true;'
        f' sha256 = "{digest}"; }} ); }}\n')
    run("openssl", "cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-signer", signer, "-inkey", key,
        "-outform", "DER", "-nosmimecap", "-binary", cwd=work)
    made = subprocess.run(["cpio", "-o", "-H", "crc", "--quiet"], input=b"sw-description\nsw-description.sig\nfw.img\n",
                          cwd=work, capture_output=True, check=True)
    return made.stdout


def test_swupdate_downloads_and_installs(gate):
    need("swupdate")
    data = container(gate, "swu")
    ready(gate, data, "update.swu")
    work = os.path.join(gate.dir, "swu")
    open(os.path.join(work, "cfg"), "w").write("globals : { verbose = true; loglevel = 5; syslog = false; };\n")
    payload = open(os.path.join(work, "fw.img"), "rb").read()
    done = run("swupdate", "-f", "cfg", "-k", os.path.join(gate.pki.dir, "ca.pem"), "-H", "board:1.0", "-d",
               f"-u {gate.url(name='update.swu')}", cwd=work, env=dict(os.environ, TMPDIR=work))
    assert "SWUPDATE successful" in done.stdout + done.stderr
    assert open(os.path.join(work, "slot"), "rb").read() == payload


def test_rauc_reads_the_bundle_over_http(gate):
    need("rauc")
    data = container(gate, "raucb")
    ready(gate, data, "update.raucb")
    conf = os.path.join(gate.dir, "system.conf")
    open(conf, "w").write("[system]\ncompatible=FG100\nbootloader=noop\n")
    done = run("rauc", "-c", conf, "info", "--keyring", os.path.join(gate.pki.dir, "ca.pem"), gate.url(name="update.raucb"),
               cwd=gate.dir)
    assert "Compatible" in done.stdout and "FG100" in done.stdout
