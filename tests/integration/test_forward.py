# SPDX-License-Identifier: Apache-2.0
"""The log in the formats of others, read by parsers that share nothing with what wrote it."""
import base64
import contextlib
import hashlib
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from gate import until
from test_cli_control import FOTAGATE, Log, Reply, cli, control, pytestmark  # noqa: F401

# RFC 5424 section 6, rule by rule.
SD_NAME = r'[^\x00-\x20=\]"\x7f-\xff]{1,32}'
PARAM_VALUE = r'(?:[^"\\\]]|\\["\\\]])*'
SD_ELEMENT = rf'\[{SD_NAME}(?: {SD_NAME}="{PARAM_VALUE}")*\]'
SYSLOG = re.compile(
    r'<(?P<pri>[0-9]{1,3})>1 '
    r'(?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) '
    r'(?P<host>[\x21-\x7e]{1,255}) (?P<app>[\x21-\x7e]{1,48}) (?P<proc>[\x21-\x7e]{1,128}) (?P<event>[\x21-\x7e]{1,32}) '
    rf'(?P<sd>-|(?:{SD_ELEMENT})+)(?: (?P<msg>.*))?', re.S)


def syslog(line):
    """Header fields, structured data by SD-ID, and what is said."""
    m = SYSLOG.fullmatch(line.decode("ascii") if isinstance(line, bytes) else line)
    assert m, line
    found = m.groupdict()
    assert int(found["pri"]) // 8 == 13
    found["sd"] = {}
    for element in re.findall(SD_ELEMENT, m["sd"]):
        name = re.match(SD_NAME, element[1:])[0]
        found["sd"][name] = {k: re.sub(r'\\(["\\\]])', r"\1", v)
                             for k, v in re.findall(rf' ({SD_NAME})="({PARAM_VALUE})"', element)}
    return found


def leaf(line):
    return hashlib.sha256(b"\0" + line).hexdigest()


@pytest.fixture
def log(control, tmp_path):  # noqa: F811
    made = Log(control, tmp_path)
    genesis = (made.gw / "data/authority/genesis.json").read_bytes()
    plain = made.file
    made.docs["genesis"] = genesis

    def file(args):
        if args["kind"] == "genesis":
            return Reply({}, file=genesis)
        return plain(args)
    control.answers["file.open"] = file
    made.lines[3] = made.lines[3].replace(b"signed\"}", b'a]b\\\\c\\"d=e|f [x@1 y=\\"z\\"]"}')
    made.lines[4] = b'{"v":2,"of":"a later version"}'
    return made


def test_views_of_the_whole_log(log, control, tmp_path):  # noqa: F811
    def export(name):
        out = cli(control, "audit", "export", "--format", name, tmp_path / name)
        assert "300" in out.out
        return (tmp_path / name).read_bytes()

    assert export("jsonl") == b"".join(l + b"\n" for l in log.lines)
    assert ("audit.export", {}, []) in control.calls
    lines = [syslog(l) for l in export("rfc5424").split(b"\n")[:-1]]
    assert [l["sd"]["fg@32473"]["seq"] for l in lines] == [str(i) for i in range(300)]
    assert [l["sd"]["fg@32473"]["leaf"] for l in lines] == [leaf(l) for l in log.lines]
    assert lines[3]["msg"] == 'a]b\\c"d=e|f [x@1 y="z"]' and lines[3]["sd"]["fg@32473"]["act"] == "alice@demo.invalid"
    assert lines[3]["event"] == "approval.signed" and lines[4]["event"] == "unknown" and lines[4]["time"] == "-"
    assert lines[5]["sd"]["ref@32473"]["report"] == "sha256:" + hashlib.sha256(log.report).hexdigest()

    lines = export("cef").decode("ascii").split("\n")[:-1]
    for i, line in enumerate(lines):
        head = re.split(r"(?<!\\)(?:\\\\)*\|", line, 7)
        assert len(head) == 8 and head[0] == "CEF:0" and int(head[6]) in range(11)
        fields = dict(re.findall(r"(?:^| )([A-Za-z0-9]+)=((?:[^=\\]|\\.)*?)(?= [A-Za-z0-9]+=|$)", head[7]))
        assert fields["cn1"] == str(i) and fields["cs1"] == leaf(log.lines[i])
    assert re.search(r"msg=(.*)", lines[3])[1] == 'a]b\\\\c"d\\=e|f [x@1 y\\="z"]'

    docs = [json.loads(l) for l in export("ocsf").split(b"\n")[:-1]]
    assert [d["metadata"]["sequence"] for d in docs] == list(range(300))
    assert [d["metadata"]["uid"] for d in docs] == [leaf(l) for l in log.lines]
    assert all(d["type_uid"] == d["class_uid"] * 100 + d["activity_id"] for d in docs)
    assert docs[0]["class_uid"] == 3004 and docs[0]["activity_name"] == "Approve" and docs[4]["class_uid"] == 0

    entries = export("journal").decode("ascii").split("\n\n")[:-1]
    fields = [dict(f.split("=", 1) for f in e.split("\n")) for e in entries]
    assert [f["FOTAGATE_LEAF"] for f in fields] == [leaf(l) for l in log.lines]
    rule = bytearray(hashlib.sha256(b"fotagate:approval.signed").digest()[:16])
    rule[6], rule[8] = rule[6] & 0x0f | 0x80, rule[8] & 0x3f | 0x80
    assert fields[0]["MESSAGE_ID"] == rule.hex() and fields[0]["PRIORITY"] == "5"


def test_tail_in_a_format(log, control):  # noqa: F811
    out = cli(control, "audit", "tail", "-n", 2, "--format", "rfc5424", "--pen", 4711).out.splitlines()
    assert [syslog(l)["sd"]["fg@4711"]["seq"] for l in out] == ["298", "299"]
    assert cli(control, "audit", "tail", "-n", 9, "--format", "jsonl").stdout.splitlines() == log.lines[-9:]
    cli(control, "audit", "tail", "--format", "xml", want=2)
    cli(control, "audit", "tail", "--pen", 0, want=2)


def test_a_view_of_a_log_that_was_changed_is_not_written(log, control, tmp_path):  # noqa: F811
    honest = log.checkpoint()
    log.lines[290] = log.lines[290].replace(b"alice", b"mallo")
    log.checkpoint = lambda: honest
    r = cli(control, "audit", "export", "--format", "cef", tmp_path / "x", want=1)
    assert "not what the log signed" in r.err and not (tmp_path / "x").exists()
    (tmp_path / "x").write_text("mine")
    assert "is there already" in cli(control, "audit", "export", "--format", "cef", tmp_path / "x", want=1).err
    assert (tmp_path / "x").read_text() == "mine"


def test_a_view_goes_on_with_the_newer_head(log, control, tmp_path):  # noqa: F811
    log.gone = {"tile/entries/001.p/44"}
    cli(control, "audit", "export", "--format", "jsonl", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"".join(l + b"\n" for l in log.lines) and len(log.lines) == 301


# ---- forwarding ----

class Collector(threading.Thread):
    """A syslog receiver over TLS (RFC 5425): octet-counted frames, as they come. It cuts and dawdles when told."""

    def __init__(self, folder, name="127.0.0.1", mutual=False):
        super().__init__(daemon=True)
        run = lambda *a: subprocess.run(a, check=True, cwd=folder, capture_output=True)
        kind = "IP" if name[0].isdigit() else "DNS"
        for who, san in (("ca", None), ("server", f"{kind}:{name}"), ("client", "DNS:gw")):
            ext = ["-addext", f"subjectAltName={san}"] if san else ["-addext", "keyUsage=critical,keyCertSign"]
            sign = ["-CA", "ca.pem", "-CAkey", "ca.key"] if san else []
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", f"{who}.key", "-out", f"{who}.pem", "-subj", f"/CN={who}", *sign, *ext)
        self.dir, self.frames, self.cut_after, self.nap = folder, [], None, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        if mutual:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(folder / "ca.pem")
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what it has not read when it dies is lost
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen()
        self.port, self.peers = self.sock.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            try:
                raw, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        with contextlib.suppress(OSError):
            conn = self.context.wrap_socket(raw, server_side=True)
            self.peers.append((conn.version(), conn.getpeercert()))
            raw, left = conn.makefile("rb"), self.cut_after
            while left is None or left > 0:
                digits = b""
                while (c := raw.read(1)) and c != b" ":
                    digits += c
                if not c:
                    return
                assert re.fullmatch(rb"[1-9][0-9]*", digits), digits
                frame = raw.read(int(digits))
                if len(frame) < int(digits):
                    return
                self.frames.append(frame)
                time.sleep(self.nap)
                left = None if left is None else left - 1
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # dies, with what it has not read
            raw.close()
            conn.close()

    def seen(self):
        return [syslog(f) for f in self.frames]

    def entries(self):
        """Messages by seq; what came twice must have been the same."""
        found = {}
        for frame in self.frames:
            said = syslog(frame)
            facts = said["sd"].get("fg@32473", {})
            if "seq" in facts:
                assert found.setdefault(int(facts["seq"]), frame) == frame
        return found

    def notes(self):
        return [base64.b64decode(s["sd"]["fg@32473"]["note"]) for s in self.seen() if s["event"] == "log.checkpoint"]


@pytest.fixture
def collector(tmp_path):
    (tmp_path / "tls").mkdir()
    c = Collector(tmp_path / "tls")
    yield c
    c.sock.close()


def arguments(control, c, *more):  # noqa: F811
    return ["audit", "forward", "--to", f"127.0.0.1:{c.port}", "--ca", c.dir / "ca.pem", "--cursor", control.dir / "cursor", *more]


def start(control, c, *more):  # noqa: F811
    return subprocess.Popen([FOTAGATE, *map(str, arguments(control, c, *more)), "--run-dir", control.dir / "run"],
                            stderr=subprocess.PIPE)


def same(c, log):
    """Every entry arrived, as the log has it."""
    found = c.entries()
    assert sorted(found) == list(range(len(log.lines)))
    for i, frame in found.items():
        assert syslog(frame)["sd"]["fg@32473"]["leaf"] == leaf(log.lines[i])


def test_forward_everything_and_the_checkpoint(log, control, collector):  # noqa: F811
    cli(control, *arguments(control, collector, "--once"))
    until(lambda: collector.notes())
    same(collector, log)
    assert len(collector.frames) == 301 and collector.notes() == [log.checkpoint()]
    assert collector.peers[0][0] in ("TLSv1.2", "TLSv1.3")
    cursor = json.loads((control.dir / "cursor").read_text())
    assert cursor["next"] == 300 and cursor["log"] == log.genesis["log"]
    # The next run sends what is new, and the last once more.
    log.lines += [log.line(300 + i) for i in range(3)]
    collector.frames.clear()
    cli(control, *arguments(control, collector, "--once", "--resend", "2"))
    until(lambda: collector.notes())
    assert sorted(collector.entries()) == [298, 299, 300, 301, 302]
    assert not (control.dir / "cursor.new").exists()
    # A cursor that is not ours is not guessed at.
    (control.dir / "cursor").write_text("{}")
    assert "cursor" in cli(control, *arguments(control, collector, "--once"), want=3).err


def test_forward_from_and_cef(log, control, collector):  # noqa: F811
    cli(control, *arguments(control, collector, "--once", "--from", "298", "--format", "cef"))
    until(lambda: len(collector.frames) == 3)
    assert [s["msg"][:6] for s in collector.seen()] == ["CEF:0|"] * 3
    assert "cn1=298 " in collector.seen()[0]["msg"] and "cs2Label=note" in collector.seen()[2]["msg"]


def test_nothing_goes_to_whom_the_certificate_does_not_name(log, control, tmp_path):  # noqa: F811
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    other, mutual = Collector(tmp_path / "a", "other.example"), Collector(tmp_path / "b", mutual=True)
    assert "mismatch" in cli(control, *arguments(control, other, "--once"), want=3).err
    wrong = ["audit", "forward", "--to", f"127.0.0.1:{mutual.port}", "--once", "--ca"]
    assert "TLS" in cli(control, *wrong, other.dir / "ca.pem", want=3).err
    cli(control, *wrong, mutual.dir / "ca.pem", want=3)  # it wants to know who we are
    assert not other.frames and not mutual.frames
    cli(control, *wrong, mutual.dir / "ca.pem", "--cert", mutual.dir / "client.pem", "--key", mutual.dir / "client.key")
    until(lambda: len(mutual.frames) == 301)
    old = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning):
        mutual.context.minimum_version = mutual.context.maximum_version = old
    mutual.context.set_ciphers("ALL:@SECLEVEL=0")
    cli(control, *wrong, mutual.dir / "ca.pem", "--cert", mutual.dir / "client.pem", "--key", mutual.dir / "client.key", want=3)
    for bad in (["--to", "x"], ["--to", "::1:6514", "--ca", "x"], ["--to", "127.0.0.1:6514"], [], ["--to", "unix:", "--once"],
                ["--to", "unix:/x", "--ca", "/x"], ["--to", "journal", "--format", "cef"], ["--to", "unix:/x", "--format", "ocsf"]):
        cli(control, "audit", "forward", *bad, want=2)


def test_no_gap_whatever_dies(log, control, collector):  # noqa: F811
    """Connections cut with data unread, a slow reader, and kill -9 of the forwarder; the log grows meanwhile."""
    import random
    dice = random.Random(5425)
    forwarder = start(control, collector)
    try:
        for round_ in range(8):
            collector.cut_after, collector.nap = dice.randrange(1, 120), dice.choice([0, 0, 0.002])
            log.lines += [log.line(len(log.lines) + i) for i in range(dice.randrange(30))]
            before = len(collector.frames)
            until(lambda: len(collector.frames) > before)
            time.sleep(dice.random() / 2)
            if round_ % 2:
                forwarder.kill()
                forwarder.wait()
                forwarder.stderr.close()
                forwarder = start(control, collector)
        collector.cut_after, collector.nap = None, 0
        until(lambda: log.checkpoint() in collector.notes(), 40)
        until(lambda: len(collector.entries()) == len(log.lines))
        same(collector, log)
        assert forwarder.poll() is None
    finally:
        forwarder.kill()
        forwarder.wait()
        forwarder.stderr.close()


def test_a_lie_is_not_forwarded_unnoticed(log, control, collector):  # noqa: F811
    honest, tiles = log.checkpoint(), log.tiles()
    log.lines[290] = log.lines[290].replace(b"alice", b"mallo")
    tiles["tile/entries/001.p/44"] = log.tiles()["tile/entries/001.p/44"]
    log.checkpoint, log.tiles = lambda: honest, lambda: tiles
    r = cli(control, *arguments(control, collector), want=1)
    assert "entry 290" in r.err
    until(lambda: collector.seen()[-1]["event"] == "log.tamper")
    assert collector.seen()[-1]["pri"] == "105" and not any(b"mallo" in f for f in collector.frames)
    assert max(collector.entries()) == 289


def test_a_shorter_or_other_log_is_noticed(log, control, collector):  # noqa: F811
    cli(control, *arguments(control, collector, "--once"))
    lines = list(log.lines)
    log.lines[:] = lines[:280]
    assert "cut, rolled back or forked" in cli(control, *arguments(control, collector), want=1).err
    log.lines[:] = lines[:7] + [log.line(7000)] + lines[8:] + [log.line(300)]
    assert "cut, rolled back or forked" in cli(control, *arguments(control, collector), want=1).err
    until(lambda: [s["event"] for s in collector.seen()].count("log.tamper") == 2)  # it reads in its own time
    # With the key that was kept outside, another key is no log of ours.
    other = log.genesis["log"].split("+")[0] + "x+00000000+AAAA"
    cli(control, *arguments(control, collector, "--once", "--log", other), want=2)


def test_datagrams(log, control, tmp_path):  # noqa: F811
    for where, extra in (("unix", ()), ("journal", ())):
        path = str(tmp_path / where)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(20)
            got = []
            t = threading.Thread(target=lambda: [got.append(s.recv(1 << 20)) for _ in range(301)], daemon=True)
            t.start()
            cli(control, "audit", "forward", "--to", f"{where}:{path}", "--once", *extra)
            t.join(20)
            assert "the log has 300 entries" in cli(control, "audit", "forward", "--to", f"{where}:{path}", "--once", "--from",
                                                    "301").err
        if where == "unix":
            assert [syslog(m)["sd"]["fg@32473"].get("leaf") for m in got[:300]] == [leaf(l) for l in log.lines]
        else:
            fields = [dict(f.split("=", 1) for f in m.decode("ascii").splitlines()) for m in got]
            assert [f["FOTAGATE_LEAF"] for f in fields[:300]] == [leaf(l) for l in log.lines]
            assert base64.b64decode(fields[300]["FOTAGATE_CHECKPOINT"]) == log.checkpoint()
    cli(control, "audit", "forward", "--to", f"unix:{tmp_path}/nobody", "--once", want=3)
