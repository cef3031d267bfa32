# SPDX-License-Identifier: Apache-2.0
"""Real clients as modules, over HTTP and HTTPS and over links that break: what they asked for is what they have, byte for byte."""
import email
import email.policy
import os
import re
import shutil
import socket
import subprocess

import pytest

from cutter import Cutter
from gate import Gate, until


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


# What a person would type, or an init script holds; {url} and {out} are filled in. The last word: how often it is
# run until it is through, because it gives up by itself when its link breaks.
DOWNLOADERS = {
    "curl -C -": (["curl", "-sSfk", "-C", "-", "-o", "{out}", "{url}"], 3),
    "curl --retry": (["curl", "-sfk", "--retry", "3", "--retry-all-errors", "--retry-delay", "1", "-o", "{out}", "{url}"], 1),
    "wget -c": (["wget", "-q", "-c", "--waitretry=0", "--no-check-certificate", "-O", "{out}", "{url}"], 1),
    "aria2c -x4": (["aria2c", "-q", "-x4", "-s4", "-k1M", "--retry-wait=0", "--check-certificate=false", "-d", "/", "-o", "{out}",
                    "{url}"], 1),
    "lftp pget": (["lftp", "-c", "set net:reconnect-interval-base 1; set ssl:verify-certificate no; pget -n 4 '{url}' -o {out}"], 1),
}
# One after the other all of 5 MiB go over one connection; four at a time a part of it each.
CUTS = {"aria2c -x4": (500000, 700000), "lftp pget": (500000, 700000)}


@pytest.fixture(scope="module")
def five(request):
    """A gateway that all downloaders go to, and what it has for them."""
    gate = Gate()
    try:
        data = os.urandom(5 << 20)
        ready(gate, data)
        yield gate, data
    finally:
        gate.close()


@pytest.mark.parametrize("tls", (False, True), ids=("http", "https"))
@pytest.mark.parametrize("client", DOWNLOADERS)
def test_cut_twice(five, client, tls):
    gate, data = five
    command, runs = DOWNLOADERS[client]
    need(command[0])
    out = os.path.join(gate.dir, f"got-{tls}-{command[0]}-{runs}")
    with Cutter(gate.tls_port if tls else gate.port, *CUTS.get(client, (1000000, 1500000))) as link:
        url = re.sub(r":\d+/", f":{link.port}/", gate.url(tls=tls))
        for left in reversed(range(runs)):
            done = subprocess.run([word.format(url=url, out=out) for word in command], capture_output=True, text=True,
                                  timeout=120)
            assert (done.returncode == 0) == (left == 0), done.stdout + done.stderr
        assert link.done == 2, "it was cut in two places"
        if not tls and client != "curl --retry":  # which begins again with each
            assert link.asked.count(b"Range: bytes=") >= 2, "and went on from there"
    with open(out, "rb") as f:
        assert f.read() == data


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


# -- modules whose clients cannot be run here: their request bytes, and how they take an answer apart ---------------------
class Wire:
    """A module's own HTTP client: what it writes, in the pieces it writes, and what it can make of what comes back."""

    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, *writes, first=65536, body=True):
        """first: bytes the client has room for when it looks for the end of the head. The head's text, and the body."""
        for piece in writes:
            self.s.sendall(piece.encode())
        head, _, got = self.s.recv(first).partition(b"\r\n\r\n")
        head = head.decode()
        length = int(head.split("Content-Length: ")[1].split("\r\n")[0]) if body else 0
        while len(got) < length:
            more = self.s.recv(65536)
            assert more, "cut off"
            got += more
        assert len(got) == length
        return head, got


def quectel_opencpu(wire, host, path):
    """Six writes, the whole image at once; no Range, nothing but 2xx, no chunks."""
    head, image = wire.ask("GET ", path, " HTTP/1.1\r\n", f"Host: {host}\r\n", "User-Agent: QUECTEL_MODULE\r\nAccept: */*\r\n",
                           "Connection: Keep-Alive\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ")
    return image


def xinyi_meig(wire, host, path):
    """Line feeds alone, three at the end; the length must stand in the first 512 bytes."""
    image, total = b"", None
    while total is None or len(image) < total:
        head, piece = wire.ask(f"GET {path} HTTP/1.1\nHost: {host}\nRange: bytes={len(image)}-{len(image) + 4095}\n\n\n", first=512)
        total = int(head.split("Content-Range: bytes ")[1].split("\r\n")[0].split("/")[1])
        image += piece
    return image


def abup(wire, host, path):
    """Ranges to a multiple of 4096, beyond the end at last; no Connection line would be an error, in its exact spelling."""
    image, total = b"", None
    while total is None or len(image) < total:
        end = (len(image) // 4096 + 8) * 4096
        head, piece = wire.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes={len(image)}-{end}\r\n\r\n")
        assert "Connection:" in head and "Content-Length: " in head
        total = int(head.split("Content-Range: bytes ")[1].split("\r\n")[0].split("/")[1])
        image += piece
    return image


def nordic_nrf91(wire, host, path):
    """2 KiB a request on one connection; exactly 206, and the total behind the stroke."""
    image, total = b"", None
    while total is None or len(image) < total:
        head, piece = wire.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes={len(image)}-{len(image) + 2047}\r\n"
                               "Connection: keep-alive\r\n\r\n", first=2048)
        assert head.startswith("HTTP/1.1 206 ") and "connection: close" not in head.lower()
        total = int(re.search(r"(?i)\r\ncontent-range: bytes \d+-\d+/(\d+)\r\n", head + "\r\n").group(1))
        image += piece
    return image


def esp_idf(wire, host, path):
    """The length by HEAD, then 64 KiB at a time; the last range ends one past the last byte."""
    fields = f"User-Agent: ESP32 HTTP Client/1.0\r\nHost: {host}\r\n"
    head, _ = wire.ask(f"HEAD {path} HTTP/1.1\r\n{fields}Content-Length: 0\r\n\r\n", body=False)
    assert head.startswith("HTTP/1.1 200 ")
    total, image = int(head.split("Content-Length: ")[1].split("\r\n")[0]), b""
    while len(image) < total:
        end = min(len(image) + 65535, total)
        head, piece = wire.ask(f"GET {path} HTTP/1.1\r\n{fields}Range: bytes={len(image)}-{end}\r\nContent-Length: 0\r\n\r\n")
        assert head.startswith("HTTP/1.1 206 ")
        image += piece
    return image


@pytest.mark.parametrize("module", (quectel_opencpu, xinyi_meig, abup, nordic_nrf91, esp_idf), ids=lambda f: f.__name__)
def test_request_bytes(five, module):
    gate, data = five
    wire = Wire(gate.port)
    with wire.s:
        # What comes before it left nothing behind: each fetches it twice on the connection it has.
        for _ in range(2):
            assert module(wire, f"127.0.0.1:{gate.port}", "/" + gate.url().split("/", 3)[3]) == data


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


def test_swupdate_downloads_over_a_broken_link_and_installs(gate):
    need("swupdate")
    data = container(gate, "swu")
    ready(gate, data, "update.swu")
    work = os.path.join(gate.dir, "swu")
    open(os.path.join(work, "cfg"), "w").write("globals : { verbose = true; loglevel = 5; syslog = false; };\n")
    payload = open(os.path.join(work, "fw.img"), "rb").read()
    with Cutter(gate.port, 300000, 400000) as link:
        url = gate.url(name="update.swu").replace(f":{gate.port}/", f":{link.port}/")
        done = run("swupdate", "-f", "cfg", "-k", os.path.join(gate.pki.dir, "ca.pem"), "-H", "board:1.0", "-d", f"-u {url}",
                   cwd=work, env=dict(os.environ, TMPDIR=work))
        assert link.done == 2 and link.asked.count(b"Range: bytes=") == 2
    assert "SWUPDATE successful" in done.stdout + done.stderr
    assert open(os.path.join(work, "slot"), "rb").read() == payload


def test_rauc_reads_and_extracts_the_bundle_over_http(gate):
    need("rauc")
    data = container(gate, "raucb")
    ready(gate, data, "update.raucb")
    conf = os.path.join(gate.dir, "system.conf")
    open(conf, "w").write("[system]\ncompatible=FG100\nbootloader=noop\n")
    rauc = ["rauc", "-c", conf, "--keyring", os.path.join(gate.pki.dir, "ca.pem")]
    done = run(*rauc, "info", gate.url(name="update.raucb"), cwd=gate.dir)
    assert "Compatible" in done.stdout and "FG100" in done.stdout
    # Installing takes its service and a boot loader; this is all of it that comes over the network.
    out = os.path.join(gate.dir, "extracted")
    run(*rauc, "extract", gate.url(name="update.raucb"), out, cwd=gate.dir)
    with open(os.path.join(out, "fw.img"), "rb") as got, open(os.path.join(gate.dir, "raucb/in/fw.img"), "rb") as made:
        assert got.read() == made.read()
