# SPDX-License-Identifier: Apache-2.0
"""fotagate-witness alone: a log written here in Python and openssl, judged by openssl, spoken to by curl and raw sockets."""
import base64
import hashlib
import http.client
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time

import pytest

BIN = os.environ.get("FG_BIN", "")
WITNESS = os.path.join(BIN, "fotagate-witness")
ORIGIN = "log.example/one"
NAME = "witness.example/w1"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Key:
    """An Ed25519 key that openssl holds and signs with."""

    def __init__(self, directory, name):
        self.pem = os.path.join(directory, f"{name}.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.pem, "-pubout", "-outform", "DER"], check=True, capture_output=True)
        self.public = der.stdout[-32:]

    def sign(self, data):
        with tempfile.NamedTemporaryFile() as f:
            f.write(data)
            f.flush()
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in", f.name],
                                  check=True, capture_output=True).stdout


def openssl_verifies(public, signature, data, directory):
    pub, sig, msg = (os.path.join(directory, n) for n in ("v.pub", "v.sig", "v.msg"))
    open(pub, "wb").write(bytes.fromhex("302a300506032b6570032100") + public)
    open(sig, "wb").write(signature)
    open(msg, "wb").write(data)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", pub,
                           "-sigfile", sig, "-in", msg], capture_output=True, text=True)
    return done.returncode == 0


def tree(leaves):
    if len(leaves) <= 1:
        return sha(b"\0", leaves[0]) if leaves else sha()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\1", tree(leaves[:k]), tree(leaves[k:]))


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [tree(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return subproof(m, leaves[:k], whole) + [tree(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [tree(leaves[:k])]


class Log:
    def __init__(self, key, fork=None):
        self.key, self.fork = key, fork
        self.id = sha(ORIGIN.encode() + b"\n\x01", key.public)[:4]
        self.vkey = f"{ORIGIN}+{self.id.hex()}+{base64.b64encode(bytes([1]) + key.public).decode()}"
        self.notes = {}

    def leaves(self, size):
        return [b"%s %d" % (b"other" if self.fork is not None and i >= self.fork else b"entry", i) for i in range(size)]

    def text(self, size):
        return f"{ORIGIN}\n{size}\n{base64.b64encode(tree(self.leaves(size))).decode()}\n"

    def note(self, size):
        if size not in self.notes:
            text = self.text(size)
            line = base64.b64encode(self.id + self.key.sign(text.encode())).decode()
            self.notes[size] = f"{text}\n\u2014 {ORIGIN} {line}\n"
        return self.notes[size]

    def body(self, old, size):
        proof = subproof(old, self.leaves(size), True) if old else []
        return (f"old {old}\n" + "".join(base64.b64encode(h).decode() + "\n" for h in proof) + "\n" + self.note(size)).encode()


class Witness:
    def __init__(self, log):
        self.dir = tempfile.mkdtemp(prefix="fg-witness-")
        os.chmod(self.dir, 0o755)
        if os.geteuid() == 0:
            os.chown(self.dir, 61950, 61950)  # it refuses to be root
        made = subprocess.run([WITNESS, "init", "--dir", self.dir, NAME], check=True, capture_output=True, text=True)
        self.vkey = made.stdout.strip()
        self.public = base64.b64decode(self.vkey.split("+", 2)[2])[1:]
        self.id = bytes.fromhex(self.vkey.split("+")[1])
        with open(f"{self.dir}/logs", "a") as f:
            f.write(f"log {log.vkey}\n")
        self.child = None
        self.args = []

    def start(self, *args):
        self.args = args or self.args
        errors = open(f"{self.dir}.err", "ab+")
        start = errors.seek(0, 2)
        self.child = subprocess.Popen([WITNESS, "run", "--dir", self.dir, "--listen", "127.0.0.1:0", *self.args],
                                      stderr=errors)
        while True:
            errors.seek(start)
            said = errors.read().decode()
            if "witnessing" in said and said.endswith("\n"):
                break
            assert self.child.poll() is None, said
            time.sleep(0.01)
        self.url = next(line for line in said.splitlines() if "witnessing" in line).rsplit(" ", 1)[1]
        self.port = int(self.url.split("/")[2].rsplit(":", 1)[1])
        return self

    def kill(self, sig=signal.SIGKILL):
        self.child.send_signal(sig)
        self.child.wait()
        self.child = None

    def post(self, body, path="/add-checkpoint"):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request("POST", path, body)
        r = c.getresponse()
        return r.status, r.getheader("Content-Type"), r.read()

    def judged(self, line, text):
        """Time of a cosignature line, after openssl has verified it."""
        dash, name, blob = line.decode().rstrip("\n").split(" ")
        raw = base64.b64decode(blob)
        assert (dash, name, raw[:4]) == ("\u2014", NAME, self.id)
        when = struct.unpack(">Q", raw[4:12])[0]
        assert openssl_verifies(self.public, raw[12:], f"cosignature/v1\ntime {when}\n{text}".encode(), self.dir)
        return when

    def shown(self):
        done = subprocess.run([WITNESS, "show", "--dir", self.dir], capture_output=True, text=True, check=True)
        return done.stdout

    def close(self):
        if self.child:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
        os.unlink(f"{self.dir}.err")


@pytest.fixture
def log(tmp_path):
    return Log(Key(str(tmp_path), "log"))


@pytest.fixture
def witness(log):
    w = Witness(log)
    yield w
    w.close()


def test_a_log_is_cosigned_as_the_specification_says(log, witness, tmp_path):
    witness.start("--prefix", "/w1")
    before = int(time.time())
    body = tmp_path / "body"
    body.write_bytes(log.body(0, 3))
    said = subprocess.run(["curl", "-sS", "-i", "--data-binary", f"@{body}", witness.url], check=True, capture_output=True).stdout
    head, _, line = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and line.count(b"\n") == 1
    assert before - 1 <= witness.judged(line, log.text(3)) <= time.time() + 1
    path = "/w1/add-checkpoint"
    # Growth, the same again, and everything that must not be cosigned.
    assert witness.post(log.body(3, 8), path)[0] == 200
    assert witness.post(log.body(8, 8), path)[0] == 200
    assert witness.post(log.body(0, 9), path) == (409, "text/x.tlog.size", b"8\n")
    assert witness.post(log.body(3, 9), path) == (409, "text/x.tlog.size", b"8\n")
    assert witness.post(log.body(0, 2), path) == (409, "text/x.tlog.size", b"8\n")  # a log that was rolled back
    other = Log(log.key, fork=4)
    assert witness.post(other.body(8, 8), path) == (409, "text/x.tlog.size", b"8\n")  # two trees of one size
    assert witness.post(other.body(8, 12), path)[0] == 422
    assert witness.post(log.body(8, 12).replace(b"\n\n", b"\n" + base64.b64encode(sha()) + b"\n\n", 1), path)[0] == 422
    stranger = Log(Key(str(tmp_path), "other"))
    assert witness.post(stranger.body(0, 5), path)[0] == 403
    assert witness.post(log.body(8, 12).replace(ORIGIN.encode(), b"log.example/two"), path)[0] == 404
    for bad in (b"", b"old 8\n", b"x" * 1000, log.body(8, 12)[:-20], b"old 13\n\n" + log.note(12).encode()):
        assert witness.post(bad, path)[0] in (400, 403), bad[:40]
    assert witness.post(b"y" * 70000, path)[0] == 413
    assert witness.post(log.body(8, 12))[0] == 404  # not below the prefix
    assert witness.post(log.body(8, 12), path)[0] == 200  # none of it did harm
    # What an auditor takes home: the checkpoint with both lines.
    name = hashlib.sha256(ORIGIN.encode()).hexdigest()
    got = subprocess.run(["curl", "-sSf", witness.url.replace("add-checkpoint", f"checkpoint/{name}")], check=True,
                         capture_output=True, text=True).stdout
    assert got.startswith(log.note(12))
    witness.judged(got[len(log.note(12)):].encode(), log.text(12))
    assert subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", witness.url], capture_output=True,
                          text=True).stdout == "405"
    witness.kill(signal.SIGTERM)
    assert f"{ORIGIN} size 12 " in witness.shown() and witness.vkey in witness.shown()
    assert open(f"{witness.dir}/state/{name}.fork").read() == other.note(8)


def test_requests_in_pieces_in_a_row_and_chunked(log, witness):
    witness.start()
    first, second = log.body(0, 3), log.body(3, 5)
    with socket.create_connection(("127.0.0.1", witness.port), timeout=30) as s:
        def head(n):
            return b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % n
        whole = head(len(first)) + first + head(len(second)) + second
        for i in range(0, len(whole), 37):
            s.sendall(whole[i:i + 37])
        seen = b""
        while seen.count(b"\xe2\x80\x94") < 2 or not seen.endswith(b"\n"):
            more = s.recv(4096)
            assert more, seen
            seen += more
        assert seen.count(b"HTTP/1.1 200") == 2
    with socket.create_connection(("127.0.0.1", witness.port), timeout=30) as s:
        third = log.body(5, 7)
        s.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n" +
                  b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (third[:9], third[9:])) + b"0\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")


def test_killed_at_any_moment_it_never_vouches_for_two_histories(log, witness):
    """Killed again and again under load; what it answered before is what it remembers after."""
    rng = random.Random(7)
    log.note(0)
    fork = Log(log.key, fork=5)
    cosigned, floor = {}, 0
    for _ in range(12):
        witness.start()
        old = int(witness.post(log.body(0, 1))[2]) if floor else 0
        assert old >= floor  # nothing that was answered for is forgotten
        bodies = []
        for size in range(max(old, 1), max(old, 1) + 4):
            bodies.append((size, (fork if rng.random() < 0.3 and size > 5 else log), log.text(size)))
        conn = socket.create_connection(("127.0.0.1", witness.port), timeout=30)
        at = old
        data = b""
        for size, which, _ in bodies:
            body = which.body(at, size)
            data += b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            at = size
        conn.sendall(data)
        # Some answers are read, and then it dies, most often between keeping and answering.
        seen = conn.recv(rng.choice((1, 200, 400, 2000)))
        witness.kill()
        try:
            while more := conn.recv(4096):
                seen += more
        except ConnectionError:
            pass
        lines = [part for part in seen.split(b"\n") if part.startswith("\u2014".encode()) and part.endswith(b"=")]
        for line in lines:
            for size, which, text in bodies:
                raw = base64.b64decode(line.split(b" ")[2])
                when = struct.unpack(">Q", raw[4:12])[0]
                for said in (log.text(size), fork.text(size)):
                    if openssl_verifies(witness.public, raw[12:], f"cosignature/v1\ntime {when}\n{said}".encode(), witness.dir):
                        assert cosigned.setdefault(size, said) == said  # one tree of one size, for ever
                        floor = max(floor, size)
    assert cosigned and all(text == log.text(size) for size, text in cosigned.items())


def test_it_refuses_what_would_be_unsafe(log, witness, tmp_path):
    def run(*args):
        return subprocess.run([WITNESS, *args], capture_output=True, text=True, timeout=60)
    again = run("init", "--dir", witness.dir, NAME)
    assert again.returncode == 1 and "keeps its key" in again.stderr
    assert run("init", "--dir", str(tmp_path / "x"), "two words").returncode == 3
    done = run("run", "--dir", witness.dir, "--listen", "0.0.0.0:0")
    assert done.returncode == 1 and "--cert" in done.stderr
    assert run("run", "--dir", witness.dir, "--cert", "x").returncode == 2
    assert run("run", "--dir", witness.dir, "--prefix", "x/").returncode == 2
    assert oct(os.stat(f"{witness.dir}/witness.key").st_mode & 0o777) == "0o600"
    witness.start()
    second = run("run", "--dir", witness.dir, "--listen", "127.0.0.1:0")
    assert second.returncode == 3 and "another process" in second.stderr
    witness.kill()
    with open(f"{witness.dir}/logs", "a") as f:
        f.write("log nonsense\n")
    done = run("run", "--dir", witness.dir, "--listen", "127.0.0.1:0")
    assert done.returncode == 3 and "logs:4: not a verifier key" in done.stderr


def test_tls(log, witness, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", str(key), "-out", str(cert),
                    "-subj", "/CN=w", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"], check=True, capture_output=True)
    witness.start("--cert", str(cert), "--key", str(key))
    assert witness.url.startswith("https://")
    c = http.client.HTTPSConnection("127.0.0.1", witness.port, timeout=30, context=ssl.create_default_context(cafile=str(cert)))
    c.request("POST", "/add-checkpoint", log.body(0, 3))
    r = c.getresponse()
    assert r.status == 200
    witness.judged(r.read(), log.text(3))
