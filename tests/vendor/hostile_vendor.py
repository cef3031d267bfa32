#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A vendor's server that attacks whoever fetches from it.

Serves http://127.0.0.1:PORT/ATTACK/VERSION/FILE. Each attack is one of the
Uptane list (endless data, slow retrieval, freeze, mix-and-match and their kin)
or of what HTTP lets a server do; --list names them, with the finding that a
gateway should have for each. "good" and "cut" are honest, so that a test of
a gateway can fail both ways. Signatures are at the same place under .p7s.

The first line of the output is the port. Then one line for each request, with
the Range it asked for. Nothing but the loopback interface is listened on.
"""
import argparse
import gzip
import os
import re
import socket
import sys
import threading
import time

ATTACKS = {}  # name -> (finding, what it does, function)


def attack(finding, name=None):
    """name: where it is not the function's."""
    def note(function):
        ATTACKS[name or function.__name__] = (finding, " ".join(function.__doc__.split()), function)
        return function
    return note


class Request:
    """One request of one connection, and how to answer it."""

    def __init__(self, vendor, conn, head):
        self.vendor, self.conn = vendor, conn
        self.target = head.split(b" ")[1].decode("latin-1")
        self.new, self.old, self.over = vendor.new, vendor.old, vendor.over
        found = re.search(rb"\r\nRange: bytes=(\d+)-\r\n", head)
        self.at = int(found.group(1)) if found else None
        with vendor.lock:
            self.number = vendor.seen[self.target] = vendor.seen.get(self.target, 0) + 1

    def send(self, data):
        self.conn.sendall(data)

    def head(self, status, *fields):
        self.send("\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *fields, "", ""]).encode("latin-1"))

    def answer(self, body, *fields, status="200 OK"):
        self.head(status, f"Content-Length: {len(body)}", *fields)
        self.send(body)

    def redirect(self, to):
        self.answer(b"moved", f"Location: {to}", status="302 Found")

    def part(self, body, *fields, upto=None):
        """What an honest server says to the Range that was asked for; upto: and then it is cut."""
        end = None if upto is None else int(upto * len(body))
        if self.at is None:
            self.head("200 OK", f"Content-Length: {len(body)}", *fields)
            self.send(body[:end])
        else:
            self.head("206 Partial Content", f"Content-Length: {len(body) - self.at}",
                      f"Content-Range: bytes {self.at}-{len(body) - 1}/{len(body)}", *fields)
            self.send(body[self.at:end])

    def for_ever(self, piece):
        while not self.over.is_set():
            self.send(piece)


# ---- honest ----

@attack("none")
def good(r):
    """Serves the new image, with ranges."""
    r.part(r.new, 'ETag: "new"')


@attack("none")
def cut(r):
    """Honest, on a bad link: cut after a third and after two thirds."""
    r.part(r.new, 'ETag: "new"', upto=None if r.number > 2 else r.number / 3)


@attack("none")
def hang(r):
    """Honest, on a worse link: cut after a third, then says nothing for ever, then all is well."""
    if r.number == 2:
        r.part(r.new, 'ETag: "new"', upto=1 / 2)
        r.over.wait()
    r.part(r.new, 'ETag: "new"', upto=1 / 3 if r.number == 1 else None)


@attack("none")
def whole(r):
    """Honest, but answers a Range with all of it."""
    r.at = None
    r.part(r.new, 'ETag: "new"', upto=1 / 3 if r.number == 1 else None)


# ---- endless and slow ----

@attack("FETCH-SIZE")
def endless(r):
    """Endless data: a body without a length that does not end."""
    r.head("200 OK", "Transfer-Encoding: chunked")
    r.for_ever(b"10000\r\n" + bytes(65536) + b"\r\n")


@attack("FETCH-SIZE")
def huge(r):
    """Announces a terabyte."""
    r.head("200 OK", f"Content-Length: {1 << 40}")
    r.for_ever(bytes(65536))


@attack("FETCH-HEADER")
def header(r):
    """Endless data: a header that does not end."""
    r.send(b"HTTP/1.1 200 OK\r\n")
    r.for_ever(b"X-More: " + b"y" * 1000 + b"\r\n")


@attack("FETCH-SLOW or FETCH-LONG")
def slow(r):
    """Slow retrieval: a byte a second."""
    r.head("200 OK", f"Content-Length: {len(r.new)}", 'ETag: "new"')
    for i in range(len(r.new)):
        if r.over.wait(1):
            return
        r.send(r.new[i:i + 1])


@attack("FETCH-SLOW or FETCH-LONG")
def stall(r):
    """Slow retrieval: half of it, then nothing."""
    r.head("200 OK", f"Content-Length: {len(r.new)}", 'ETag: "new"')
    r.send(r.new[:len(r.new) // 2])
    r.over.wait()


@attack("FETCH-SLOW or FETCH-LONG")
def silent(r):
    """Slow retrieval: takes the request and says nothing."""
    r.over.wait()


# ---- lengths ----

@attack("FETCH-CUT")
def truncated(r):
    """Ends before the length it announced, every time."""
    r.head("200 OK", f"Content-Length: {len(r.new)}")
    r.send(r.new[:-1])


@attack("signature")
def short(r):
    """Lying length: announces less than the image has, and sends that."""
    r.answer(r.new[:len(r.new) // 2], 'ETag: "new"')


@attack("FETCH-AMBIGUOUS")
def lying(r):
    """Lying length: announces two."""
    r.answer(r.new, f"Content-Length: {len(r.new) // 2}")


@attack("FETCH-AMBIGUOUS")
def smuggle(r):
    """Lying length: a length and chunks."""
    r.head("200 OK", f"Content-Length: {len(r.new)}", "Transfer-Encoding: chunked")
    r.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(r.new), r.new))


@attack("FETCH-CODING")
def bomb(r):
    """Decompression bomb: a content coding nobody asked for, a thousand times larger inside."""
    r.answer(gzip.compress(bytes(1 << 26)), "Content-Encoding: gzip")


# ---- versions ----

@attack("old-bytes")
def freeze(r):
    """Freeze: the old version, with its genuine signature, whatever version is asked for."""
    r.part(r.old, 'ETag: "old"')


@attack("signature")
def mix(r):
    """Mix-and-match: the first half of the new version and the second of the old one in one body."""
    r.answer((r.new[:len(r.new) // 2] + r.old[len(r.new) // 2:])[:len(r.new)], 'ETag: "new"')


@attack("FETCH-CHANGED")
def join(r):
    """Mix-and-match: is cut, and goes on with the old version under its own tag, again and again."""
    if r.at is None:
        r.part(r.new, 'ETag: "new"', upto=1 / 3)
    else:
        r.part(r.old, 'ETag: "old"')


@attack("FETCH-CHANGED")
def sametag(r):
    """Mix-and-match: is cut, and goes on with other content under the same tag."""
    r.part(r.new if r.at is None else r.old[::-1] + r.new[len(r.old):], 'ETag: "new"', upto=1 / 3 if r.at is None else None)


@attack("FETCH-CHANGED")
def changing(r):
    """Other content each time, and a cut each time."""
    r.at = None
    r.part(os.urandom(len(r.new)), f'ETag: "{r.number}"', upto=1 / 3)


@attack("FETCH-RANGE", "range")
def another_range(r):
    """Is cut, and goes on at another place than it was asked to."""
    if r.at is None:
        r.part(r.new, 'ETag: "new"', upto=1 / 3)
    else:
        r.answer(r.new, f"Content-Range: bytes 0-{len(r.new) - 1}/{len(r.new)}", 'ETag: "new"', status="206 Partial Content")


# ---- other places ----

@attack("FETCH-REDIRECT")
def loop(r):
    """A redirect to itself."""
    r.redirect(r.target)


@attack("FETCH-REDIRECT")
def maze(r):
    """Redirects to ever new places."""
    r.redirect(f"{r.target}?{r.number}{time.monotonic_ns()}")


@attack("FETCH-SCHEME")
def ftp(r):
    """A redirect to another scheme."""
    r.redirect("ftp://127.0.0.1/pub/rootfs.img")


@attack("FETCH-SCHEME")
def file(r):
    """A redirect to a file of the gateway's own."""
    r.redirect("file:///etc/passwd")


@attack("FETCH-SCHEME")
def scheme(r):
    """A redirect from https to http, or from http to https: whichever it is spoken to by."""
    r.redirect(f"{'http' if r.vendor.tls else 'https'}://127.0.0.1:{r.vendor.port}/good/1/rootfs.img")


@attack("FETCH-ADDRESS")
def metadata(r):
    """A redirect into the gateway's own network: a cloud's metadata service."""
    r.redirect("http://169.254.169.254/latest/meta-data/")


@attack("FETCH-CREDENTIALS")
def user(r):
    """A redirect with a user name and a password."""
    r.redirect(f"http://admin:admin@127.0.0.1:{r.vendor.port}/good/1/rootfs.img")


class Vendor:
    """Answers requests until close(); new and old: images with their signatures."""

    def __init__(self, new, old, signatures=(None, None), port=0, tls=None, say=lambda line: None):
        self.new, self.old, self.signatures, self.tls, self.say = new, old, signatures, tls, say
        self.seen, self.lock, self.over = {}, threading.Lock(), threading.Event()
        self.sock = socket.create_server(("127.0.0.1", port))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            conn.settimeout(600)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < 65536:
                got = conn.recv(65536)
                if not got:
                    return
                head += got
            r = Request(self, conn, head)
            self.say(f"{r.target} {r.number} {'' if r.at is None else r.at}")
            self.answer(r)
        except (OSError, ValueError, IndexError):
            pass
        finally:
            conn.close()

    def answer(self, r):
        name = r.target.split("?")[0].split("/")[1]
        if name not in ATTACKS:
            r.answer(b"no such attack\n", status="404 Not Found")
        elif r.target.endswith(".p7s"):
            signature = self.signatures[name == "freeze"]
            r.answer(signature or b"", status="200 OK" if signature else "404 Not Found")
        else:
            ATTACKS[name][2](r)

    def close(self):
        self.over.set()
        self.sock.close()


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    try:
        with open(path + ".p7s", "rb") as f:
            return data, f.read()
    except FileNotFoundError:
        return data, None


def add_options(options):
    options.add_argument("--list", action="store_true", help="names every attack, its finding and what it does")
    options.add_argument("--new", metavar="FILE", help="the image that is current, its signature in FILE.p7s (default: random bytes)")
    options.add_argument("--old", metavar="FILE", help="an older one, likewise")
    options.add_argument("--port", type=int, default=0, help="default: any")
    options.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="PEM files: speaks TLS")


def serve(options, attacks, make):
    """make: options and TLS context to a vendor."""
    chosen = options.parse_args()
    if chosen.list:
        for name, (finding, what, _) in attacks.items():
            print(f"{name:10} {finding:25} {what}")
        return
    images = [read(path) if path else (os.urandom(1 << 20), None) for path in (chosen.new, chosen.old)]
    context = None
    if chosen.tls:
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*chosen.tls)
    vendor = make(chosen, context, new=images[0][0], old=images[1][0], signatures=(images[0][1], images[1][1]), port=chosen.port,
                  say=lambda line: print(line, flush=True))
    print(vendor.port, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        vendor.close()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(options)
    serve(options, ATTACKS, lambda chosen, context, **rest: Vendor(tls=context, **rest))


if __name__ == "__main__":
    sys.exit(main())
