# SPDX-License-Identifier: Apache-2.0
"""The fetcher against vendors that do what vendors must not do: one rule, one test.

This test is control: it holds the other end of descriptor 3 of the real
`fotagated --role=upstream`. The vendor is a raw socket, so that every byte that
goes out is seen and every byte that comes in can be wrong.
"""
import fcntl
import gzip
import hashlib
import json
import os
import re
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import pytest

import wire

BIN = os.environ.get("FG_BIN", "")
PROGRAM = [os.path.join(BIN, "fotagated"), "--role=upstream"]
if os.environ.get("FG_UPSTREAM"):  # a program that is nothing but upstream_main()
    PROGRAM = [os.environ["FG_UPSTREAM"]]

pytestmark = pytest.mark.skipif(not os.path.exists(PROGRAM[0]), reason="FG_BIN names no programs")

FAILED, OK, REFUSED, HTTP = range(4)
CANARY = "cAnArY7f3"
LOOPBACK = {"addr": bytes(10) + b"\xff\xff" + bytes([127, 0, 0, 0]), "bits": 104, "v6": False}
F_GET_SEALS, ALL_SEALS = 1034, 15
IMAGE = bytes(range(256)) * 1024
OVERLAP = 16384  # gateway/upstream/body.h


def findings():
    with open(os.path.join(wire.SRC, "gateway/wire/msg.h"), encoding="ascii") as f:
        names = re.findall(r"^\tMSG_FINDING_(\w+)(?:,| =)", f.read(), re.M)
    return [""] + names[1:-1]


FINDINGS = findings()


def version():
    with open(os.path.join(wire.SRC, "CMakeLists.txt"), encoding="ascii") as f:
        return re.search(r"VERSION (\d+\.\d+\.\d+) LANGUAGES", f.read()).group(1)


def answer(body=b"", status="200 OK", *headers):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def redirect(to, status="302 Found", *headers):
    return answer(b"moved", status, f"Location: {to}", *headers)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Vendor:
    """pages: path -> bytes to send, or function(connection) that does it. Closes after each answer."""

    def __init__(self, pages, tls=None, host="127.0.0.1"):
        self.pages, self.tls, self.host = pages, tls, host
        self.raw, self.connections = [], 0
        self.sock = socket.create_server((host, 0))
        self.port = self.sock.getsockname()[1]
        self.over = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path, host=None):
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            data = b""
            while b"\r\n\r\n" not in data:
                got = conn.recv(65536)
                if not got:
                    return
                data += got
            self.raw.append(data)
            page = self.pages[data.split(b" ")[1].decode()]
            if callable(page):
                page(conn)
            else:
                conn.sendall(page)
            if self.tls:
                conn = conn.unwrap()
        except (OSError, KeyError):
            pass
        finally:
            conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.sock.close()

    def flood(self, piece):
        """Sends piece again and again until the other side has had enough."""
        def run(conn, head=b""):
            conn.sendall(head)
            while not self.over.is_set():
                conn.sendall(piece)
        return run

    def stall(self, conn):
        self.over.wait(60)


def sealed(data, seals=ALL_SEALS):
    fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, 1033, seals)
    return fd


QUESTION = {"job": 7, "url": "", "signature_url": "", "home": "", "max_bytes": 1 << 20, "max_seconds": 30, "min_speed": 0, "max_redirects": 5,
            "tries": 0, "have_ca": False, "have_credentials": False, "proxy": "", "kept": [], "pins": [], "private_ok": [LOOPBACK],
            "first_asked_by": CANARY}


class Result:
    """What control and the disk got of one fetch."""


def fetch(url, signature_url="", ca=None, pins=(), private=(LOOPBACK,), env=None, before=b"", limit=None, ca_seals=ALL_SEALS,
          credentials=None, **job):
    msg = {**QUESTION, "url": url, "home": url, "signature_url": signature_url, "have_ca": ca is not None, "have_credentials": credentials is not None,
           "pins": [{"spki": p} for p in pins], "private_ok": list(private), **job}
    ours, theirs = wire.pair()
    r = Result()
    r.progress, r.done = [], None
    with tempfile.TemporaryFile() as image, tempfile.TemporaryFile() as signature, ours:
        image.write(before)
        image.flush()
        child = wire.start(PROGRAM, theirs, env={**os.environ, **(env or {})}, stderr=subprocess.PIPE,
                           preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        fds = [image.fileno(), signature.fileno()] + ([sealed(ca, ca_seals)] if ca is not None else [])
        fds += [sealed(credentials)] if credentials is not None else []
        wire.send(ours, "FETCH", msg, fds)
        while (got := wire.recv(ours)) is not None:
            name, m, got_fds = got
            assert m["job"] == 7
            if name == "FETCH_PROGRESS":
                r.progress.append(m)
                continue
            assert name == "FETCH_DONE" and r.done is None and len(got_fds) == 1
            r.done = m
            assert fcntl.fcntl(got_fds[0], F_GET_SEALS) & ALL_SEALS == ALL_SEALS
            with os.fdopen(got_fds[0], "rb") as f:
                r.record = os.pread(f.fileno(), 1 << 20, 0).decode("ascii")
        r.stderr = child.communicate(timeout=60)[1].decode()
        r.exit = child.returncode
        image.seek(0)
        signature.seek(0)
        r.image, r.signature = image.read(), signature.read()
    if r.done:
        r.outcome, r.status, r.detail = r.done["outcome"], r.done["http_status"], r.done["detail"]
        r.finding = FINDINGS[r.done["finding"]]
        r.provenance = json.loads(r.record)
        assert r.provenance["finding"] == ("FETCH-" + r.finding if r.finding else "none")
        assert r.finding or (r.outcome == OK)
        # Canonical: what is stored by digest must have one spelling.
        assert r.record == json.dumps(r.provenance, sort_keys=True, separators=(",", ":"))
        assert r.exit == 0, r.stderr
    return r


def refused(r, word, finding=None):
    assert r.outcome == REFUSED, r.detail
    assert word in r.detail
    assert finding in (None, r.finding)
    assert r.provenance["outcome"] == "refused"


def test_the_manual_names_every_finding():
    with open(os.path.join(wire.SRC, "gateway/man/fotagated.8"), encoding="ascii") as f:
        assert re.findall(r"^\.It Cm FETCH-(\w+)$", f.read(), re.M) == FINDINGS[1:]


# ---- what goes out ----

def test_nothing_of_the_modules_goes_out():
    with tempfile.TemporaryDirectory() as home, Vendor({"/fw/a.bin?v=1": answer(IMAGE)}) as v, Vendor({}) as proxy:
        with open(os.path.join(home, ".netrc"), "w", encoding="ascii") as f:
            f.write(f"machine 127.0.0.1 login {CANARY} password {CANARY}\n")
        with open(os.path.join(home, ".curlrc"), "w", encoding="ascii") as f:
            f.write(f'user-agent = "{CANARY}"\n')
        where = f"http://{CANARY}:{CANARY}@127.0.0.1:{proxy.port}"
        env = {"HOME": home, **{k: where for k in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")}}
        r = fetch(v.url("/fw/a.bin?v=1"), env=env)
        assert (r.outcome, r.status, r.image) == (OK, 200, IMAGE)
        assert v.raw == [(f"GET /fw/a.bin?v=1 HTTP/1.1\r\nHost: 127.0.0.1:{v.port}\r\n"
                          f"User-Agent: fotagate/{version()}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\r\n").encode()]
        assert proxy.connections == 0
        assert r.provenance["first_asked_by"] == CANARY  # evidence, and nowhere else


def test_cookies_are_not_kept():
    with Vendor({"/a": redirect("/b", "302 Found", f"Set-Cookie: id={CANARY}; Path=/"), "/b": answer(IMAGE)}) as v:
        r = fetch(v.url("/a"))
        assert r.outcome == OK and len(v.raw) == 2
        assert not any(b"ookie" in raw or CANARY.encode() in raw for raw in v.raw)


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_coded_answer_is_refused(coding):
    bomb = gzip.compress(bytes(1 << 24))
    with Vendor({"/a": answer(bomb, "200 OK", f"Content-Encoding: {coding}"),
                 "/b": answer(bomb, "200 OK", "Content-Encoding: identity")}) as v:
        r = fetch(v.url("/a"))
        refused(r, "coding", "CODING")
        assert r.image == b""
        assert fetch(v.url("/b")).image == bomb  # a packed file is a file


# ---- redirects ----

def test_redirects_up_to_the_limit():
    pages = {f"/{i}": redirect(f"/{i + 1}") for i in range(3)}
    with Vendor({**pages, "/3": answer(IMAGE)}) as v:
        r = fetch(v.url("/0"), max_redirects=3)
        assert (r.outcome, r.image) == (OK, IMAGE)
        assert [h["url"] for h in r.provenance["hops"]] == [v.url(f"/{i}") for i in range(4)]
        assert [h["status"] for h in r.provenance["hops"]] == [302, 302, 302, 200]
        refused(fetch(v.url("/0"), max_redirects=2), "more redirects")
        refused(fetch(v.url("/0"), max_redirects=0), "more redirects")


@pytest.mark.parametrize("status", ["301 A", "303 B", "307 C", "308 D"])
def test_every_redirect_status(status):
    with Vendor({"/a": redirect("/b", status), "/b": answer(IMAGE)}) as v:
        assert fetch(v.url("/a")).image == IMAGE


def test_redirect_loop_ends():
    with Vendor({"/a": redirect("/a")}) as v:
        refused(fetch(v.url("/a"), max_redirects=10), "more redirects")
        assert len(v.raw) == 11


@pytest.mark.parametrize("to", ["https://127.0.0.1:1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1:1/x"])
def test_redirect_to_another_scheme(to):
    with Vendor({"/a": redirect(to)}) as v:
        r = fetch(v.url("/a"))
        refused(r, "another scheme")
        assert r.image == b""


def test_redirect_with_credentials():
    with Vendor({}) as v:
        v.pages["/a"] = redirect(f"http://{CANARY}:secret@127.0.0.1:{v.port}/b")
        v.pages["/b"] = answer(IMAGE)
        refused(fetch(v.url("/a")), "user name")
        assert len(v.raw) == 1


def test_redirect_to_nowhere():
    with Vendor({"/a": answer(b"", "302 Found")}) as v:
        r = fetch(v.url("/a"))
        assert (r.outcome, r.status) == (HTTP, 302)


def test_redirect_with_an_endless_page():
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: v.flood(chunk(bytes(1000)))(
            c, b"HTTP/1.1 302 Found\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n")
        v.pages["/b"] = answer(IMAGE)
        r = fetch(v.url("/a"))
        assert (r.outcome, r.status, r.image) == (HTTP, 302, b"")


def test_redirect_to_an_unlisted_address():
    one = {"addr": bytes(10) + b"\xff\xff" + bytes([127, 0, 0, 1]), "bits": 128, "v6": False}
    with Vendor({}) as v, Vendor({"/b": answer(IMAGE)}, host="127.0.0.2") as other:
        v.pages["/a"] = redirect(other.url("/b"))
        refused(fetch(v.url("/a"), private=[one]), "127.0.0.2")
        assert other.connections == 0
        assert fetch(v.url("/a")).outcome == OK  # the same with all of 127/8 listed


# ---- addresses ----

@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"])
def test_private_addresses_are_refused(host):
    with Vendor({"/a": answer(IMAGE)}) as v:
        r = fetch(f"http://{host}:{v.port}/a", private=())
        refused(r, "private address")
        assert v.connections == 0 and r.image == b""


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
                                  "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]"])
def test_no_private_network_is_reached(host):
    refused(fetch(f"http://{host}/a"), "private address")  # although 127/8 is listed


def test_a_listed_address_in_its_other_spelling():
    with Vendor({"/a": answer(IMAGE)}) as v:
        r = fetch(f"http://[::ffff:127.0.0.1]:{v.port}/a")
        assert (r.outcome, r.image) == (OK, IMAGE)
        assert r.provenance["hops"][0]["peer"].endswith(f" port {v.port}")


# ---- sizes ----

def test_size_cap_is_exact():
    with Vendor({"/a": answer(IMAGE), "/b": CHUNKED + chunk(IMAGE) + chunk(b"")}) as v:
        for path in ("/a", "/b"):
            assert fetch(v.url(path), max_bytes=len(IMAGE)).image == IMAGE
            r = fetch(v.url(path), max_bytes=len(IMAGE) - 1)
            refused(r, "larger than")
            assert len(r.image) < len(IMAGE)


def test_an_announced_size_is_believed_at_once():
    with Vendor({"/a": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx"}) as v:
        r = fetch(v.url("/a"))
        refused(r, "larger than")
        assert r.image == b""


def test_endless_chunks():
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: v.flood(chunk(bytes(65536)))(c, CHUNKED)
        r = fetch(v.url("/a"), max_bytes=1 << 20)
        refused(r, "larger than")
        assert len(r.image) <= 1 << 20


def test_more_than_announced_is_cut():
    with Vendor({"/a": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0123456789"}) as v:
        r = fetch(v.url("/a"))
        assert (r.outcome, r.image, r.done["bytes"]) == (OK, b"01234", 5)


@pytest.mark.parametrize("page", [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", CHUNKED + b"100\r\nshort", CHUNKED,
                                  CHUNKED + b"zz\r\n", b"no HTTP at all\r\n\r\n", b""],
                         ids=["length", "chunk", "no-chunk", "no-hex", "no-http", "empty"])
def test_less_than_announced_is_a_failure(page):
    with Vendor({"/a": page}) as v:
        assert fetch(v.url("/a")).outcome == FAILED


def test_reset_in_the_middle():
    def page(conn):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(1000))
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.1)
    with Vendor({"/a": page}) as v:
        assert fetch(v.url("/a"), max_bytes=1 << 30).outcome == FAILED


def test_what_an_earlier_attempt_left_is_gone():
    with Vendor({"/a": answer(b"new"), "/b": answer(b"no", "500 No")}) as v:
        assert fetch(v.url("/a"), before=b"older and longer").image == b"new"
        assert fetch(v.url("/b"), before=b"older and longer").image == b""


def test_full_disk():
    with Vendor({"/a": answer(IMAGE)}) as v:
        r = fetch(v.url("/a"), limit=100000)
        assert r.outcome == FAILED and "disk" in r.detail


def test_header_flood():
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: v.flood(b"X-More: " + b"y" * 1000 + b"\r\n")(c, b"HTTP/1.1 200 OK\r\n")
        refused(fetch(v.url("/a")), "header")
        v.pages["/b"] = lambda c: v.flood(b"HTTP/1.1 100 Continue\r\n\r\n")(c)
        refused(fetch(v.url("/b")), "header")
        v.pages["/c"] = lambda c: v.flood(b"y" * 1000)(c, b"HTTP/1.1 200 OK\r\nX-Long: ")
        assert fetch(v.url("/c")).outcome in (FAILED, REFUSED)


@pytest.mark.parametrize("head", ["Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: chunked",
                                  "Transfer-Encoding: chunked\r\nContent-Length: 5"])
def test_two_lengths_are_none(head):
    with Vendor({"/a": f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n".encode()}) as v:
        r = fetch(v.url("/a"))
        refused(r, "two ways", "AMBIGUOUS")
        assert r.image == b""


# ---- cuts ----

LONG = os.urandom(1 << 19)


def part(v, content, *fields, cut=None, total=None, first=None):
    """What an honest server says to the request it just got; fields and the rest can be wrong."""
    m = re.search(rb"\r\nRange: bytes=(\d+)-\r\n", v.raw[-1])
    at = int(m.group(1)) if m else 0
    first = at if first is None else first
    body = content[at:]
    head = [f"HTTP/1.1 206 P\r\nContent-Range: bytes {first}-{first + len(body) - 1}/{total or len(content)}" if m else "HTTP/1.1 200 OK",
            f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body[:cut]


def script(v, *answers):
    """The first answer first; the last again and again."""
    left = list(answers)

    def page(conn):
        a = left.pop(0) if len(left) > 1 else left[0]
        conn.sendall(a() if callable(a) else a)
    v.pages["/a"] = page


def cuts(v, content, *fields):
    return lambda: part(v, content, *fields, cut=150000)


TAG, OTHER = 'ETag: "v1"', 'ETag: "v2"'


def test_it_goes_on_after_cuts():
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), cuts(v, LONG, TAG), lambda: part(v, LONG, TAG))
        r = fetch(v.url("/a"), tries=1)  # each cut brought so much that it is the first in its row
        assert (r.outcome, r.finding, r.image) == (OK, "", LONG)
        at = [0, 150000 - OVERLAP, 300000 - 2 * OVERLAP]
        assert [h["asked_from"] for h in r.provenance["hops"]] == at
        assert [h["kept"] for h in r.provenance["hops"]] == [150000, 300000 - OVERLAP, len(LONG)]
        for raw, n in zip(v.raw[1:], at[1:]):
            assert b"\r\nRange: bytes=%d-\r\n" % n in raw and b'\r\nIf-Range: "v1"\r\n' in raw
        assert b"Range" not in v.raw[0]


def test_the_time_of_the_last_change_will_do():
    old = ["Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT", "Date: Thu, 01 Jan 2026 00:00:01 GMT"]
    for fields, ranged in ((old, True), (['ETag: W/"v1"', *old], True), (['ETag: W/"v1"'], False)):
        with Vendor({}) as v:
            script(v, cuts(v, LONG, *fields), lambda: part(v, LONG, *fields))
            r = fetch(v.url("/a"), tries=1)
            assert (r.outcome, r.finding, r.image) == (OK, "", LONG)
            assert (b"\r\nIf-Range: Thu, 01 Jan 2026 00:00:00 GMT\r\n" in v.raw[1]) == ranged == (b"\r\nRange:" in v.raw[1])


def test_another_image_midway_begins_from_zero():
    new = os.urandom(1 << 18)
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: answer(new, "200 OK", OTHER))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", new) and "from zero" in r.detail


@pytest.mark.parametrize("size", [1 << 19, 1 << 18, 1 << 20])
def test_a_part_of_another_image_is_not_joined(size):
    """Uptane's mix: a server that answers If-Range with a part of the new image."""
    new = os.urandom(size)
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: part(v, new, OTHER))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", new)
        assert [h["asked_from"] for h in r.provenance["hops"]] == [0, 150000 - OVERLAP, 0]


def test_other_bytes_under_the_same_tag_are_not_joined():
    new = os.urandom(1 << 19)
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: part(v, new, TAG))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", new)


def test_a_server_without_ranges_costs_but_works():
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: answer(LONG, "200 OK", TAG))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "", LONG)


def test_an_image_that_changes_for_ever():
    with Vendor({}) as v:
        n = iter(range(1000))
        script(v, lambda: answer(os.urandom(1 << 19), "200 OK", f'ETag: "{next(n)}"')[:150000])
        refused(fetch(v.url("/a"), tries=9), "again and again", "CHANGED")
        assert len(v.raw) == 4


def test_it_became_shorter():
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), answer(b"", "416 No", "Content-Range: bytes */5"), answer(b"short", "200 OK", OTHER))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", b"short")


@pytest.mark.parametrize("second", [lambda v: part(v, LONG, TAG, first=0), lambda v: part(v, LONG, TAG, total=len(LONG) + 1),
                                    lambda v: part(v, LONG, TAG).replace(b"Content-Range", b"X"),
                                    lambda v: part(v, LONG, TAG, "Content-Range: bytes 0-1/2"),
                                    lambda v: part(v, LONG + b"x", TAG), lambda v: part(v, LONG[:-1], TAG),
                                    lambda v: part(v, LONG, TAG).replace(b"/%d" % len(LONG), b"/*"),
                                    lambda v: answer(b"--x", "206 P", TAG, "Content-Type: multipart/byteranges; boundary=x"),
                                    lambda v: b'HTTP/1.1 206 P\r\nETag: "v1"\r\nContent-Range: bytes %d-%d/%d\r\n'
                                              b'Transfer-Encoding: chunked\r\n\r\n' % (150000 - OVERLAP, len(LONG) - 1, len(LONG))
                                              + chunk(LONG[150000 - OVERLAP:] + b"more") + chunk(b"")],
                         ids=["first", "total", "none", "two", "longer", "shorter", "star", "multi", "beyond"])
def test_a_part_that_is_not_the_one(second):
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: second(v))
        refused(fetch(v.url("/a"), tries=1), "part", "RANGE")


def test_tries_are_bounded():
    with Vendor({"/a": b""}) as v:
        r = fetch(v.url("/a"), tries=2)
        assert (r.outcome, r.finding, len(v.raw)) == (FAILED, "NETWORK", 3)
        times = [h["at"] for h in r.provenance["hops"]]
        assert times == sorted(times) and len(times) == 3


def test_no_try_beyond_the_time_there_is():
    with Vendor({"/a": b""}) as v:
        assert fetch(v.url("/a"), tries=100, max_seconds=2).outcome == FAILED
        assert len(v.raw) < 5


def test_later_is_later():
    with Vendor({}) as v:
        script(v, answer(b"", "503 Later", "Retry-After: 1"), answer(IMAGE))
        assert fetch(v.url("/a"), tries=1).image == IMAGE
        script(v, answer(b"", "429 Later", "Retry-After: 9999"), answer(IMAGE))
        r = fetch(v.url("/a"), tries=1)
        assert (r.outcome, r.status, r.finding) == (HTTP, 429, "STATUS")
        script(v, answer(b"", "404 No"), answer(IMAGE))
        assert fetch(v.url("/a"), tries=1).outcome == HTTP


def test_a_refusal_is_not_tried_again():
    with Vendor({"/a": answer(bytes(100))}) as v:
        refused(fetch(v.url("/a"), tries=5, max_bytes=99), "larger", "SIZE")
        assert len(v.raw) == 1


def test_a_record_of_many_tries_fits():
    with Vendor({}) as v:
        script(v, *[lambda: part(v, LONG, TAG, cut=OVERLAP + 4)] * 3, lambda: part(v, LONG, TAG))
        r = fetch(v.url("/a"), tries=4)
        assert (r.outcome, r.image) == (OK, LONG) and len(r.provenance["hops"]) == 4 and r.provenance["hops_dropped"] == 0


# ---- from one life to the next ----

def kept(r):
    assert len(r.done["kept"]) <= 1
    return r.done["kept"][0] if r.done["kept"] else None


def test_what_came_is_handed_on():
    with Vendor({}) as v:
        script(v, cuts(v, LONG, TAG), lambda: part(v, LONG, TAG, cut=0), lambda: part(v, LONG, TAG))
        r = fetch(v.url("/a"))
        sha = hashlib.sha256(LONG[:150000]).digest()
        assert r.outcome == FAILED and r.finding == "CUT"
        assert kept(r) == {"bytes": 150000, "total": len(LONG), "sha256": sha, "validator": '"v1"'}
        k = kept(r)
        r = fetch(v.url("/a"), before=r.image + b"and what nobody was told of", kept=[k])
        assert (r.outcome, kept(r), r.image) == (FAILED, k, LONG[:150000])
        assert b"Range: bytes=%d-\r\n" % (150000 - OVERLAP) in v.raw[-1] and b'If-Range: "v1"' in v.raw[-1]
        r = fetch(v.url("/a"), before=r.image, kept=[k])
        assert (r.outcome, kept(r), r.image) == (OK, None, LONG)


@pytest.mark.parametrize("wrong", [{"sha256": bytes(32)}, {"bytes": 149999}, {"bytes": 150001}, {"bytes": 1 << 40}, {"validator": ""},
                                   {"validator": "a\r\nX-Evil: y"}, {"validator": "\xe4"}, {"bytes": 0}],
                         ids=["bytes", "shorter", "longer", "cap", "none", "line", "latin", "nothing"])
def test_what_is_not_what_was_kept_begins_from_zero(wrong):
    k = {"bytes": 150000, "total": len(LONG), "sha256": hashlib.sha256(LONG[:150000]).digest(), "validator": '"v1"', **wrong}
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: c.sendall(part(v, LONG, TAG))
        r = fetch(v.url("/a"), before=LONG[:150000], kept=[k])
        assert (r.outcome, r.image) == (OK, LONG)
        assert b"Range" not in v.raw[0] and b"Evil" not in v.raw[0]


def test_nothing_is_kept_that_cannot_be_gone_on_with():
    with Vendor({}) as v:
        script(v, cuts(v, LONG))
        assert kept(fetch(v.url("/a"))) is None
        script(v, lambda: part(v, LONG, TAG))
        r = fetch(v.url("/a"), max_bytes=len(LONG) - 1)
        assert r.outcome == REFUSED and kept(r) is None
        script(v, answer(b"", "404 No", TAG))
        assert kept(fetch(v.url("/a"))) is None


def test_a_refusal_that_is_no_fault_of_the_bytes_keeps_them(pki):
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: (c.sendall(part(v, LONG, TAG, cut=150000)), v.stall(c))
        r = fetch(v.url("/a"), max_seconds=1)
        refused(r, "longer than")
        assert kept(r)["bytes"] == 150000
    with Vendor({"/b": answer(IMAGE)}, pki.server("right")) as other, Vendor({}, pki.server("right")) as v:
        before = {"bytes": 150000, "total": len(LONG), "sha256": hashlib.sha256(LONG[:150000]).digest(), "validator": '"v1"'}
        r = fetch(v.url("/a"), before=LONG[:150000], kept=[before], pins=[pki.pin("wrong")])
        refused(r, "identity", "IDENTITY")
        assert kept(r) == before
        assert other.raw == []


@pytest.fixture(scope="module", name="stalled", autouse=True)
def make_stalled(request):
    """A fetch that stalls for the half minute a slow vendor gets: it waits while the other tests run."""
    got = []

    def run():
        with Vendor({}) as v:
            script(v, lambda: part(v, LONG, TAG, cut=150000), lambda: part(v, LONG, TAG))
            first = v.pages["/a"]
            v.pages["/a"] = lambda c: (first(c), v.stall(c)) if not v.raw[1:] else first(c)
            got.append(fetch(v.url("/a"), tries=2, min_speed=1000, max_seconds=300))
    thread = threading.Thread(target=run)
    if any(item.function is test_a_stall_is_a_cut for item in request.session.items if hasattr(item, "function")):
        thread.start()
    yield lambda: thread.join() or got[0]
    if thread.ident:
        thread.join()


def test_a_signature_that_did_not_come_costs_no_image():
    with Vendor({"/s": answer(b"", "503 Later")}) as v:
        v.pages["/a"] = lambda c: c.sendall(part(v, LONG, TAG))
        r = fetch(v.url("/a"), v.url("/s"))
        k = kept(r)
        assert r.outcome == HTTP and k["bytes"] == len(LONG)
        v.pages["/s"] = answer(b"sig")
        r = fetch(v.url("/a"), v.url("/s"), before=r.image, kept=[k])
        assert (r.outcome, r.image, r.signature) == (OK, LONG, b"sig")
        assert b"Range: bytes=%d-" % (len(LONG) - OVERLAP) in v.raw[-2]


def test_progress_tells_what_is_on_disk():
    long, first = LONG * 40, 17 << 20

    def slowly(conn):
        conn.sendall(part(v, long, TAG, cut=first))
        v.over.wait(1.5)
        conn.sendall(long[first:])
    with Vendor({}) as v:
        v.pages["/a"] = slowly
        r = fetch(v.url("/a"), max_bytes=len(long))
        assert r.outcome == OK and r.image == long
        told = [p["kept"][0] for p in r.progress if p["kept"]]
        assert told and told[0]["bytes"] >= first
        for k in told:
            assert k == {"bytes": k["bytes"], "total": len(long), "sha256": hashlib.sha256(long[:k["bytes"]]).digest(),
                         "validator": '"v1"'}


# ---- times ----

@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", CHUNKED],
                         ids=["before", "length", "chunked"])
def test_stalling_vendor(head):
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: (c.sendall(head), v.stall(c))
        refused(fetch(v.url("/a"), max_seconds=1), "longer than")


def test_dripping_vendor():
    def drip(conn):
        conn.sendall(CHUNKED)
        while not v.over.wait(0.1):
            conn.sendall(chunk(b"x"))
    with Vendor({"/a": drip}) as v:
        r = fetch(v.url("/a"), max_seconds=3)
        refused(r, "longer than")
        assert r.progress and all(p["bytes"] < 100 for p in r.progress)


def test_time_is_one_budget_for_the_whole_chain():
    def slowly(conn):
        time.sleep(1.2)
        conn.sendall(redirect("/a"))
    with Vendor({"/a": slowly}) as v:
        refused(fetch(v.url("/a"), max_seconds=3, max_redirects=10), "longer than")
        assert len(v.raw) == 3


def limits_of(pid):
    """Of the size of a file: soft and hard."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        return re.search(r"^Max file size +(\S+) +(\S+)", f.read(), re.M).groups()


@pytest.mark.parametrize("page", [True, False], ids=["busy", "waiting"])
@pytest.mark.parametrize("most, limit, is_now", [(1 << 20, None, 1 << 20), (1, None, 262144), (1 << 30, 1 << 19, 1 << 19)],
                         ids=["cap", "record", "lower"])
def test_while_it_runs(page, most, limit, is_now):
    """Its file limit is what the job needs, or less if it had less; and it ends when control is gone."""
    with Vendor({}) as v, tempfile.TemporaryFile() as a, tempfile.TemporaryFile() as b:
        v.pages["/a"] = b"" if not page else lambda c: (c.sendall(CHUNKED), v.stall(c))
        ours, theirs = wire.pair()
        child = wire.start(PROGRAM, theirs, stderr=subprocess.DEVNULL,
                           preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        wire.send(ours, "FETCH", {**QUESTION, "url": v.url("/a"), "max_bytes": most, "max_seconds": 600, "tries": 100},
                  [a.fileno(), b.fileno()])
        while not v.raw:
            time.sleep(0.01)
        assert limits_of(child.pid) == (str(is_now),) * 2
        ours.close()
        child.wait(timeout=60)


# ---- statuses ----

@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "304 Not Modified", "403 No", "404 No", "500 No"])
def test_only_200_is_an_image(status):
    body = b"" if status[:3] in ("204", "304") else b"page"
    with Vendor({"/a": answer(body, status)}) as v:
        r = fetch(v.url("/a"))
        assert (r.outcome, r.status, r.image) == (HTTP, int(status[:3]), b"")


def test_an_endless_error_page():
    with Vendor({}) as v:
        v.pages["/a"] = lambda c: v.flood(chunk(bytes(1000)))(
            c, b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        r = fetch(v.url("/a"))
        assert (r.outcome, r.status, r.image) == (HTTP, 404, b"")


# ---- the signature ----

def test_signature_is_fetched_too():
    with Vendor({"/a": answer(IMAGE), "/a.p7s": answer(b"sig")}) as v:
        r = fetch(v.url("/a"), v.url("/a.p7s"))
        assert (r.outcome, r.image, r.signature) == (OK, IMAGE, b"sig")
        assert (r.done["bytes"], r.done["signature_bytes"]) == (len(IMAGE), 3)
        assert [h["for"] for h in r.provenance["hops"]] == ["image", "signature"]


@pytest.mark.parametrize("page", [answer(b"no", "404 Not Found"), answer(b"no", "410 Gone"),
                                  answer(bytes(300000), "404 Not Found")], ids=["404", "410", "404-long"])
def test_an_absent_signature_is_a_finding_for_others(page):
    with Vendor({"/a": answer(IMAGE), "/s": page}) as v:
        r = fetch(v.url("/a"), v.url("/s"))
        assert (r.outcome, r.image, r.signature, r.done["signature_bytes"]) == (OK, IMAGE, b"", 0)
        assert "signature" in r.detail


@pytest.mark.parametrize("page, outcome", [(answer(b"", "500 No"), HTTP), (answer(b"", "403 No"), HTTP), (b"", FAILED),
                                           (answer(bytes(65537)), REFUSED), (redirect("ftp://127.0.0.1/x"), REFUSED)],
                         ids=["500", "403", "closed", "too-long", "scheme"])
def test_a_signature_that_could_not_be_had_fails_the_fetch(page, outcome):
    with Vendor({"/a": answer(IMAGE), "/s": page}) as v:
        r = fetch(v.url("/a"), v.url("/s"))
        assert r.outcome == outcome and r.detail.startswith("signature: ")
        assert r.signature == b"" or outcome == REFUSED


def test_no_signature_is_asked_for_after_a_failed_image():
    with Vendor({"/a": answer(b"", "500 No"), "/s": answer(b"sig")}) as v:
        assert fetch(v.url("/a"), v.url("/s")).outcome == HTTP
        assert len(v.raw) == 1


# ---- TLS ----

@pytest.fixture(scope="module", name="pki")
def make_pki():
    """Two roots; under the first a certificate for 127.0.0.1 and one for another name."""
    def sh(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=d)

    def leaf(name, san):
        sh("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
           f"{name}.csr", "-subj", f"/CN={name}")
        with open(os.path.join(d, f"{name}.ext"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName={san}\n")
        sh("x509", "-req", "-in", f"{name}.csr", "-CA", "good.pem", "-CAkey", "good.key", "-CAcreateserial", "-days", "30",
           "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    d = tempfile.mkdtemp(prefix="fg-upstream-")
    for root in ("good", "evil"):
        sh("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{root}.key", "-out",
           f"{root}.pem", "-days", "30", "-subj", f"/CN={root}")
    leaf("right", "IP:127.0.0.1")
    leaf("wrong", "DNS:elsewhere.example")
    leaf("client", "DNS:gateway.example")

    class Pki:
        def bytes(self, name):
            with open(os.path.join(d, name), "rb") as f:
                return f.read()

        def server(self, name):
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(os.path.join(d, f"{name}.pem"), os.path.join(d, f"{name}.key"))
            return ctx

        def pin(self, name):
            pub = subprocess.run(["openssl", "x509", "-in", f"{name}.pem", "-pubkey", "-noout"], cwd=d, check=True,
                                 capture_output=True).stdout
            der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pub, check=True,
                                 capture_output=True).stdout
            return hashlib.sha256(der).digest()

    yield Pki()
    shutil.rmtree(d)


def test_tls_by_the_profiles_ca(pki):
    with Vendor({"/a": redirect("/b"), "/b": answer(IMAGE)}, pki.server("right")) as v:
        r = fetch(v.url("/a"), ca=pki.bytes("good.pem"))
        assert (r.outcome, r.image) == (OK, IMAGE)
        leaf = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pki.bytes("right.pem").decode())).hexdigest()
        assert [h["certificates"][0] for h in r.provenance["hops"]] == [leaf, leaf]  # also of the second hop
        refused(fetch(v.url("/a"), ca=pki.bytes("evil.pem")), "identity")
        refused(fetch(v.url("/a")), "identity")  # the system's roots do not know it either


def shown(r):
    return [(s["kind"], s["place"], s["value"]) for s in r.done["shown"]]


KEY, LED, REFUSED_KEY = 1, 2, 3


def test_what_servers_showed_is_told(pki):
    key, ca = pki.pin("right").hex(), pki.bytes("good.pem")
    with Vendor({}, pki.server("right")) as v, Vendor({"/b": answer(IMAGE), "/s": answer(b"sig")}, pki.server("right")) as other:
        v.pages["/a"] = redirect(other.url("/b"))
        r = fetch(v.url("/a"), other.url("/s"), ca=ca)
        here, there = v.url(""), other.url("")
        assert shown(r) == [(KEY, here, key), (LED, here, there), (KEY, there, key), (LED, there, ""),
                            (LED, there + " for signatures", "")]
        assert [h["key"] for h in r.provenance["hops"]] == [key] * 3
    with Vendor({"/a": answer(IMAGE)}) as v:
        assert shown(fetch(v.url("/a").upper().replace("/A", "/a"))) == [(LED, v.url(""), "")]


@pytest.mark.parametrize("how", [{"ca": "evil.pem"}, {"pins": ["wrong"]}, {"pins": ["wrong"], "ca": "good.pem"}, {}],
                         ids=["ca", "pin", "both", "system"])
def test_a_refused_certificate_is_kept_in_the_record(pki, how):
    args = {"pins": [pki.pin(p) for p in how.get("pins", [])], "ca": pki.bytes(how["ca"]) if "ca" in how else None}
    leaf = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pki.bytes("right.pem").decode())).hexdigest()
    with Vendor({"/a": answer(IMAGE)}, pki.server("right")) as v:
        r = fetch(v.url("/a"), **args)
        refused(r, "identity", "IDENTITY")
        assert shown(r) == [(REFUSED_KEY, v.url(""), pki.pin("right").hex())]
        assert r.provenance["hops"][0]["certificates"][0] == leaf


def test_tls_of_another_name(pki):
    with Vendor({"/a": answer(IMAGE)}, pki.server("wrong")) as v:
        r = fetch(v.url("/a"), ca=pki.bytes("good.pem"))
        refused(r, "identity")
        assert r.image == b"" and v.raw == []


def test_tls_by_pin(pki):
    right, wrong = pki.pin("right"), pki.pin("wrong")
    with Vendor({"/a": answer(IMAGE)}, pki.server("right")) as v:
        assert fetch(v.url("/a"), pins=[right]).image == IMAGE
        assert fetch(v.url("/a"), pins=[wrong, right]).image == IMAGE
        assert fetch(v.url("/a"), pins=[right], ca=pki.bytes("good.pem")).image == IMAGE
        sent = len(v.raw)
        for ca in (None, pki.bytes("good.pem")):
            refused(fetch(v.url("/a"), pins=[wrong], ca=ca), "identity")
        refused(fetch(v.url("/a"), pins=[right], ca=pki.bytes("evil.pem")), "identity")
        assert len(v.raw) == sent  # not even the path was told


def test_https_does_not_lead_to_http(pki):
    with Vendor({"/b": answer(IMAGE)}) as plain, Vendor({}, pki.server("right")) as v:
        v.pages["/a"] = redirect(plain.url("/b"))
        refused(fetch(v.url("/a"), ca=pki.bytes("good.pem")), "another scheme")
        assert plain.connections == 0


# ---- who we are: to a proxy, to the vendor ----

@pytest.fixture(scope="module", name="proxy")
def make_proxy():
    """tinyproxy, which wants a name and a password."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="fg-proxy-") as d:
        conf = os.path.join(d, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.0/8\nBasicAuth gate secret\n"
                    f'LogFile "{d}/log"\nLogLevel Connect\n')
        child = subprocess.Popen(["tinyproxy", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        child.terminate()
        child.wait()


@pytest.mark.skipif(not shutil.which("tinyproxy"), reason="tinyproxy is not installed")
def test_through_a_proxy(pki, proxy):
    secret = b"proxy: gate:secret\n"
    with Vendor({}) as v, Vendor({"/a": answer(IMAGE)}, pki.server("right")) as tls:
        script(v, cuts(v, LONG, TAG), lambda: part(v, LONG, TAG))
        r = fetch(v.url("/a"), proxy=proxy, credentials=secret, tries=1)
        assert (r.outcome, r.image, r.provenance["via"]) == (OK, LONG, proxy)
        assert b"If-Range" in v.raw[1]
        r = fetch(tls.url("/a"), proxy=proxy, credentials=secret, ca=pki.bytes("good.pem"))
        assert (r.outcome, r.image) == (OK, IMAGE)
        assert shown(r) == [(KEY, tls.url(""), pki.pin("right").hex()), (LED, tls.url(""), "")]
        refused(fetch(tls.url("/a"), proxy=proxy, credentials=secret, ca=pki.bytes("evil.pem")), "identity", "IDENTITY")
        for raw in v.raw + tls.raw:
            assert b"roxy-Auth" not in raw and b"secret" not in raw
        sent = len(v.raw)
        r = fetch(v.url("/a"), proxy=proxy, credentials=b"proxy: gate:wrong\n")
        assert (r.outcome, r.status) in ((HTTP, 401), (HTTP, 407)) and r.image == b""
        assert fetch(tls.url("/a"), proxy=proxy, ca=pki.bytes("good.pem")).outcome == FAILED
        assert len(v.raw) == sent and CANARY not in r.record.replace(r.provenance["first_asked_by"], "")


def test_a_proxy_is_not_led_inside(proxy):
    with Vendor({}) as v:
        for host in ("10.0.0.1", "[fd00::1]", "169.254.169.254", "2852039166", "0xa9fea9fe"):
            v.pages["/a"] = redirect(f"http://{host}/x")
            refused(fetch(v.url("/a"), proxy=proxy, credentials=b"proxy: gate:secret\n"), "private", "ADDRESS")
        assert v.connections == 5


@pytest.mark.parametrize("text", [b"", b"proxy: nobody\n", b"proxy: a:b\nproxy: c:d\n", b"proxy: a:\x01\n", b"-----BEGIN CERTIFICATE-----\n",
                                  b"-----BEGIN PRIVATE KEY-----\n", b"x" * 65537, b"proxy: " + b"a:" * 200 + b"\n"])
def test_credentials_that_are_none_end_it(text):
    with Vendor({"/a": answer(IMAGE)}) as v:
        r = fetch(v.url("/a"), credentials=text)
        assert (r.done, r.exit, v.connections) == (None, 72, 0)


def test_a_client_certificate_for_the_vendor_alone(pki):
    ca = pki.bytes("good.pem")
    client = b"# ours\n" + pki.bytes("client.pem") + pki.bytes("client.key")
    asked = []

    def wants(required):
        ctx = pki.server("right")
        ctx.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        ctx.load_verify_locations(cadata=ca.decode())
        return ctx

    def look(conn):
        asked.append(conn.getpeercert())
        conn.sendall(answer(IMAGE))
    with Vendor({"/a": answer(IMAGE)}, wants(True)) as v, Vendor({"/b": look}, wants(False)) as other:
        r = fetch(v.url("/a"), ca=ca, credentials=client)
        assert (r.outcome, r.image) == (OK, IMAGE)
        assert fetch(v.url("/a"), ca=ca).outcome == FAILED
        wrong = pki.bytes("client.pem") + pki.bytes("right.key")
        assert fetch(v.url("/a"), ca=ca, credentials=wrong).outcome == FAILED
        v.pages["/a"] = redirect(other.url("/b"))
        assert fetch(v.url("/a"), ca=ca, credentials=client).image == IMAGE
        assert fetch(other.url("/b"), ca=ca, credentials=client).image == IMAGE
        assert asked[0] is None and asked[1]["subject"] == ((("commonName", "client"),),)
        # What is fetched from elsewhere for the vendor's image, as notes are, is shown nothing; from the vendor's own server it is.
        for home, shows in ((v.url("/a"), False), ("", False), (other.url("/x"), True)):
            assert fetch(other.url("/b"), ca=ca, credentials=client, home=home).image == IMAGE
            assert bool(asked.pop()) == shows, home


# ---- the record ----

def test_hostile_headers_are_made_visible():
    with Vendor({"/a": answer(b"x", "200 OK", "X-Evil: \x1b[31m\xff<1B>")}) as v:
        r = fetch(v.url("/a"))
        assert r.provenance["schema"] == "fotagate-provenance/1" and r.provenance["claimed_by"] == "fetcher"
        assert all(0x20 <= ord(c) <= 0x7E for c in r.record)
        assert any(h.startswith("X-Evil: <1B>[31m") for h in r.provenance["hops"][0]["headers"])
        assert re.fullmatch(r"127\.0\.0\.1 port \d+", r.provenance["hops"][0]["peer"])


def test_the_record_fits_whatever_vendors_say():
    many = ['X-%d: %s' % (i, '"' * 900) for i in range(60)]
    pages = {f"/{i}": redirect(f"/{i + 1}", "302 Found", *many) for i in range(10)}
    with Vendor({**pages, "/10": answer(IMAGE, "200 OK", *many)}) as v:
        r = fetch(v.url("/0"), max_redirects=10)
        assert (r.outcome, r.image) == (OK, IMAGE)
        assert len(r.record) <= 262144
        assert sum(h["headers_dropped"] for h in r.provenance["hops"]) > 0


# ---- control that is not control ----

@pytest.mark.parametrize("data, fds", [(b"\x01\x00\x00\x73" + bytes(24), 0), (b"\x01\x00\x00\x70", 2), (b"", 0), (b"\x02\x00\x00\x70", 2)],
                         ids=["other", "short", "end", "version"])
def test_another_message_ends_it(data, fds):
    ours, theirs = wire.pair()
    child = wire.start(PROGRAM, theirs, stderr=subprocess.DEVNULL)
    null = os.open("/dev/null", os.O_RDWR)
    wire.send_raw(ours, data, [null] * fds)
    os.close(null)
    assert wire.recv(ours) is None
    assert child.wait(timeout=60) == 72


def test_a_bundle_that_could_still_change_is_refused(pki):
    with Vendor({"/a": answer(IMAGE)}, pki.server("right")) as v:
        r = fetch(v.url("/a"), ca=pki.bytes("good.pem"), ca_seals=0)
        assert (r.done, r.exit) == (None, 72)
        assert v.connections == 0


# ---- last, because it has waited all the while ----

def test_a_stall_is_a_cut(stalled):
    r = stalled()
    assert (r.outcome, r.image) == (OK, LONG)
    assert r.provenance["hops"][1]["asked_from"] == 150000 - OVERLAP
