#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A vendor's FTP server that attacks whoever fetches from it.

Serves ftp://127.0.0.1:PORT/ATTACK/VERSION/FILE, or ftpes:// and ftps:// with a
certificate. Each attack is one of the Uptane list (endless data, slow
retrieval, freeze, mix-and-match and their kin) or of what FTP lets a server do;
--list names them, with the finding that a gateway should have for each. "good"
and "cut" are honest. Signatures are at the same place under .p7s.

The first line of the output is the port. Then one line for each file that was
asked for, with the byte it was to begin at. Nothing but the loopback interface
is listened on.
"""
import argparse
import os
import socket
import sys
import threading

import hostile_vendor

ATTACKS = {}  # name -> (finding, what it does, function)
OLD_TIME, NEW_TIME = "20250101120000", "20250301120000"


def attack(finding, name=None):
    """name: where it is not the function's."""
    def note(function):
        ATTACKS[name or function.__name__] = (finding, " ".join(function.__doc__.split()), function)
        return function
    return note


class Over(Exception):
    """The connection is to be closed."""


class Session:
    """One control connection. What a server tells and does of a file are its attributes, so that an attack can set them."""

    def __init__(self, vendor, conn):
        self.vendor, self.conn, self.left, self.number = vendor, conn, b"", 0  # number: connections for this attack before
        self.heard, self.folders, self.at, self.listening, self.private = [], [], 0, None, False
        self.data, self.size, self.changed = vendor.new, ..., NEW_TIME  # size: ... is the true one, None none
        self.upto, self.end, self.piece = None, "226 Done.", None       # bytes; the last word; to send for ever
        self.passive = {}                                               # answers to EPSV and PASV
        self.does = {}                                                  # command -> function(argument) in place of ours

    # ---- the control connection ----

    def say(self, line):
        self.conn.sendall(line.encode("latin-1") + b"\r\n")

    def hear(self):
        while b"\n" not in self.left:
            got = self.conn.recv(4096)
            if not got:
                raise Over
            self.left += got
        line, self.left = self.left.split(b"\n", 1)
        return line.decode("latin-1").rstrip("\r")

    def run(self):
        if self.vendor.tls and self.vendor.implicit:
            self.conn = self.vendor.tls.wrap_socket(self.conn, server_side=True)
        self.vendor.greet(self)
        while True:
            line = self.hear()
            self.vendor.heard.append(line)
            verb, _, arg = line.partition(" ")
            self.vendor.does.get(verb, self.does.get(verb, getattr(self, "do_" + verb.lower(), self.no)))(*(
                [self, arg] if verb in self.vendor.does else [arg]))

    def no(self, _):
        self.say("500 What?")

    def do_auth(self, _):
        if not self.vendor.tls or self.vendor.implicit:
            return self.say("530 No TLS here.")
        self.say("234 Go on.")
        self.conn = self.vendor.tls.wrap_socket(self.conn, server_side=True)

    def do_user(self, _):
        self.say("331 Password?")

    def do_pass(self, arg):
        if self.vendor.password and arg != self.vendor.password:
            return self.say(f"530 {arg} is wrong.")
        self.say("230 Welcome.")

    def do_pbsz(self, _):
        self.say("200 0.")

    def do_prot(self, arg):
        self.private = arg == "P"
        self.say("200 So be it.")

    def do_pwd(self, _):
        self.say('257 "/" is here.')

    def do_type(self, _):
        self.say("200 Binary.")

    def do_quit(self, _):
        self.say("221 Farewell.")
        raise Over

    def do_cwd(self, arg):
        self.folders.append(arg)
        if len(self.folders) == 1 and arg in ATTACKS:
            with self.vendor.lock:
                self.number = self.vendor.seen.get(arg, 0)
                self.vendor.seen[arg] = self.number + 1
            ATTACKS[arg][2](self)
        self.say("250 Here.")

    # ---- the file ----

    def file(self, name):
        """What there is of that name; the honest size and time are a signature's too."""
        if not self.folders or self.folders[0] not in ATTACKS:
            return None
        if not name.endswith(".p7s"):
            return self.data
        return self.vendor.signatures[self.folders[0] == "freeze"]


    def do_mdtm(self, name):
        if self.changed is None or self.file(name) is None:
            return self.say("550 No time.")
        self.say("213 " + self.changed)

    def do_size(self, name):
        data = self.file(name)
        if data is None:
            return self.say("550 No such file.")
        if name.endswith(".p7s") or self.size is ...:
            return self.say(f"213 {len(data)}")
        self.say("500 What?" if self.size is None else f"213 {self.size}")

    def do_rest(self, arg):
        self.at = int(arg)
        self.say("350 From there.")

    def listen(self):
        if self.listening:
            self.listening.close()
        self.listening = socket.create_server(("127.0.0.1", 0))
        return self.listening.getsockname()[1]

    def do_epsv(self, _):
        if "EPSV" in self.passive:
            return self.say(self.passive["EPSV"])
        self.say(f"229 Here (|||{self.listen()}|)")

    def do_pasv(self, _):
        port = self.listen()
        host = self.passive.get("PASV", "127,0,0,1")
        self.say(f"227 Here ({host},{port >> 8},{port & 255}).")

    def do_retr(self, name):
        data, at, self.at = self.file(name), self.at, 0
        if data is None:
            return self.say("550 No such file.")
        self.vendor.say(f"{'/'.join(['', *self.folders, name])} {self.number} {at or ''}")
        self.say("150 Here it comes.")
        conn, _ = self.listening.accept()
        try:
            if self.private:
                conn = self.vendor.data_tls.wrap_socket(conn, server_side=True)
            self.send(conn, data, at, name)
            if self.private:
                conn = conn.unwrap()
        finally:
            conn.close()
        self.say(self.end if not name.endswith(".p7s") else "226 Done.")

    def send(self, conn, data, at, name):
        if name.endswith(".p7s"):
            return conn.sendall(data)
        upto = self.upto if self.upto is not None else len(data)
        conn.sendall(data[at:max(at, upto)])
        while self.piece and not self.vendor.over.is_set():
            conn.sendall(self.piece)

    def cut(self, share):
        """The file ends there, and its server says that it broke."""
        self.upto, self.end = int(len(self.data) * share), "426 Cut."


# ---- honest ----

@attack("none")
def good(s):
    """Serves the new image, from wherever it is asked to begin."""


@attack("none")
def cut(s):
    """Honest, on a bad link: cut after a third and after two thirds."""
    if s.number < 2:
        s.cut((s.number + 1) / 3)


@attack("none")
def whole(s):
    """Honest, but cannot begin anywhere but at the start; cut once."""
    s.does["REST"] = lambda arg: s.say("502 No.")
    if not s.number:
        s.cut(1 / 3)


@attack("none")
def plain(s):
    """Honest, but as old as RFC 959: no SIZE, no MDTM, no EPSV; cut once."""
    s.size = s.changed = None
    s.passive["EPSV"] = "500 What?"
    if not s.number:
        s.cut(1 / 3)


# ---- endless and slow ----

@attack("FETCH-SIZE")
def endless(s):
    """Endless data: a file without a size that does not end."""
    s.size, s.piece = None, bytes(65536)


@attack("FETCH-SIZE")
def huge(s):
    """Announces a terabyte."""
    s.size, s.piece = 1 << 40, bytes(65536)


@attack("FETCH-HEADER")
def talk(s):
    """Endless data: a reply that does not end."""
    def cwd(_):
        while not s.vendor.over.is_set():
            s.say("250-" + "y" * 1000)
    s.does["CWD"] = cwd


@attack("FETCH-SLOW or FETCH-LONG")
def drip(s):
    """Slow retrieval: a byte a second."""
    def send(conn, data, *_):
        for i in range(len(data)):
            if s.vendor.over.wait(1):
                return
            conn.sendall(data[i:i + 1])
    s.send = send


@attack("FETCH-SLOW or FETCH-LONG")
def stall(s):
    """Slow retrieval: half of it, then nothing."""
    def send(conn, data, *_):
        conn.sendall(data[:len(data) // 2])
        s.vendor.over.wait()
    s.send = send


@attack("FETCH-SLOW or FETCH-LONG or FETCH-NETWORK")
def mute(s):
    """Slow retrieval: no answer to RETR, and no data."""
    s.does["RETR"] = lambda arg: s.vendor.over.wait()


@attack("FETCH-SLOW or FETCH-LONG or FETCH-NETWORK or FETCH-CUT")
def hold(s):
    """Slow retrieval: all of it, and then never a last word."""
    def send(conn, data, at, _):
        conn.sendall(data[at:])
        conn.close()
        s.vendor.over.wait()
    s.send = send


# ---- lengths ----

@attack("FETCH-CUT")
def truncated(s):
    """Ends before its SIZE, and says that all is well, every time."""
    s.upto, s.changed = len(s.data) - 1, None


@attack("signature")
def lying(s):
    """Lying length: a SIZE of half of what comes."""
    s.size = len(s.data) // 2


@attack("signature")
def short(s):
    """Lying length: SIZE and data are half of the image."""
    s.data = s.data[:len(s.data) // 2]


@attack("FETCH-CUT")
def nothing(s):
    """Lying length: a SIZE, and not one byte."""
    s.upto = 0


@attack("FETCH-CUT")
def broken(s):
    """Says 550 in the middle, every time."""
    s.cut(1 / 2)
    s.end, s.changed = "550 Gone.", None


# ---- versions ----

@attack("old-bytes")
def freeze(s):
    """Freeze: the old version, with its genuine signature, whatever version is asked for."""
    s.data, s.changed = s.vendor.old, OLD_TIME


@attack("signature")
def mix(s):
    """Mix-and-match: the first half of the new version and the second of the old one in one file."""
    s.data = (s.data[:len(s.data) // 2] + s.vendor.old[len(s.data) // 2:])[:len(s.data)]


@attack("FETCH-CHANGED")
def join(s):
    """Mix-and-match: is cut, and goes on with the old version under its own time, again and again."""
    s.cut(1 / 3)
    if s.number % 2:
        s.data, s.changed = s.vendor.old, OLD_TIME


@attack("FETCH-CHANGED")
def sametime(s):
    """Mix-and-match: is cut, and goes on with other content under the same SIZE and MDTM, again and again."""
    s.cut(1 / 3)
    if s.number % 2:
        s.data, s.upto = (s.vendor.old[::-1] + s.data[len(s.vendor.old):])[:len(s.data)], None


@attack("FETCH-CHANGED")
def shrunk(s):
    """Is cut, and has become shorter than what came, again and again."""
    s.cut(1 / 2)
    if s.number % 2:
        s.data = s.data[:1000]


@attack("FETCH-CHANGED")
def changing(s):
    """Another time and other content each time, and a cut each time."""
    s.cut(1 / 2)
    s.data, s.changed = os.urandom(len(s.data)), f"202501{s.number % 28 + 1:02}000000"


# ---- other places ----

@attack("none")
def bounce(s):
    """Honest, but its PASV names a cloud's metadata service: whoever believes it fetches from there."""
    s.passive = {"EPSV": "500 What?", "PASV": "169,254,169,254"}


@attack("FETCH-ADDRESS")
def service(s):
    """Leads the data connection to another service of its host: SSH."""
    s.passive["EPSV"] = "229 Here (|||22|)"


# ---- no ----

@attack("FETCH-STATUS")
def gone(s):
    """There is no such file."""
    s.does["SIZE"] = s.does["RETR"] = lambda arg: s.say("550 No such file.")


@attack("FETCH-STATUS")
def closed(s):
    """Lets nobody into the folder."""
    s.does["CWD"] = lambda arg: s.say("550 No.")


class Vendor:
    """Answers until close(); new and old: images with their signatures. greet(session), does: command -> function(session, argument)."""

    def __init__(self, new, old, signatures=(None, None), port=0, tls=None, implicit=False, data_tls=None, password=None,
                 say=lambda line: None, greet=lambda s: s.say("220 FTP."), does=None):
        self.new, self.old, self.signatures, self.tls, self.implicit = new, old, signatures, tls, implicit
        self.data_tls, self.password, self.say, self.greet, self.does = data_tls or tls, password, say, greet, does or {}
        self.seen, self.heard, self.lock, self.over = {}, [], threading.Lock(), threading.Event()
        self.sock = socket.create_server(("127.0.0.1", port))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return f"{('ftps' if self.implicit else 'ftpes') if self.tls else 'ftp'}://127.0.0.1:{self.port}{path}"

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        conn.settimeout(600)
        s = Session(self, conn)
        try:
            s.run()
        except (OSError, ValueError, AttributeError, Over):
            pass
        finally:
            s.conn.close()
            if s.listening:
                s.listening.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.over.set()
        self.sock.close()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hostile_vendor.add_options(options)
    options.add_argument("--implicit", action="store_true", help="with --tls: TLS from the first byte (ftps://) in place of AUTH (ftpes://)")
    hostile_vendor.serve(options, ATTACKS, lambda chosen, context, **rest: Vendor(tls=context, implicit=chosen.implicit, **rest))


if __name__ == "__main__":
    sys.exit(main())
