# SPDX-License-Identifier: Apache-2.0
"""What people should look at, to a webhook and by mail: receivers that share nothing with the sender."""
import base64
import email
import hashlib
import hmac
import http.server
import json
import re
import ssl
import socket
import subprocess
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from gate import until
from test_cli_control import FOTAGATE, cli, control, error, pytestmark  # noqa: F401
from test_forward import leaf, log  # noqa: F401

KEY = b"k" * 32


def certificates(folder):
    run = lambda *a: subprocess.run(a, check=True, cwd=folder, capture_output=True)  # noqa: E731
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    run(*new, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    run(*new, "-subj", "/CN=hook", "-keyout", "hook.key", "-out", "hook.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "hook.pem", folder / "hook.key")
    return context


class Hook:
    """A receiver of Standard Webhooks over TLS; it answers what it is told to."""

    def __init__(self, folder):
        self.got, self.answers, self.folder = [], [], folder
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.answers.pop(0) if hook.answers else 204
                hook.got.append((status, dict(self.headers.items()), body))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = certificates(folder).wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/fotagate"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.secret = folder / "secret"
        self.secret.write_text("whsec_" + base64.b64encode(KEY).decode() + "\n")

    def taken(self):
        """Bodies that were answered with 2xx, each with a signature that is good."""
        out = []
        for status, head, body in self.got:
            head = {k.lower(): v for k, v in head.items()}
            signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
            mac = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
            assert head["webhook-signature"] == "v1," + mac and abs(int(head["webhook-timestamp"]) - time.time()) < 120
            assert head["content-type"] == "application/json"
            if status < 300:
                out.append((head["webhook-id"], json.loads(body)))
        return out

    def args(self, *more):
        return ["audit", "notify", "--to", self.url, "--ca", self.folder / "ca.pem", "--secret", self.secret, *more]


@pytest.fixture
def hook(tmp_path):
    (tmp_path / "hook").mkdir()
    h = Hook(tmp_path / "hook")
    yield h
    h.server.shutdown()
    h.server.server_close()


def turn(log, at, event, severity, **more):  # noqa: F811
    e = json.loads(log.lines[at])
    e.update(ev=event, sev=severity, cat=event.split(".")[0], **more)
    log.lines[at] = json.dumps(e, separators=(",", ":")).encode()


@pytest.fixture
def story(log):  # noqa: F811
    """300 entries of which people are to be told four; one of a later version among them."""
    turn(log, 10, "review.opened", 5, obj="R-7", msg="two things need a decision")
    turn(log, 20, "image.incident", 2, obj="R-8", msg="other bytes than before")
    turn(log, 299, "rollout.paused", 4, obj="release:00", msg="3 of 50 modules are silent")
    return log  # entry 4 is of a later version


def test_what_is_told(story, control, hook):  # noqa: F811
    cli(control, *hook.args("--from", 0, "--once"))
    told = hook.taken()
    assert [d["type"] for _, d in told] == ["unknown", "review.opened", "image.incident", "rollout.paused"]
    for index, (name, d) in zip((4, 10, 20, 299), told):
        assert d["data"]["index"] == index and d["data"]["leaf"] == leaf(story.lines[index])
        assert name == f"entry-{index}-{leaf(story.lines[index])[:32]}"
    assert told[1][1]["data"]["obj"] == "R-7" and told[1][1]["data"]["msg"] == "two things need a decision"
    assert told[2][1]["data"]["title"] == "Unexpected bytes from a vendor" and told[2][1]["timestamp"].startswith("2026-01-01T00:00:00.")
    hook.got.clear()
    cli(control, *hook.args("--from", 0, "--once", "--event", "approval.signed", "--event", "review.opened", "--severity", 0))
    assert len(hook.taken()) == 300 - 3
    hook.got.clear()
    cli(control, *hook.args("--once"))  # from now on, when nothing else is said
    assert hook.taken() == []


def test_a_receiver_that_refuses_gets_it_again_and_nothing_else_twice(story, control, hook, tmp_path):  # noqa: F811
    cursor = tmp_path / "cursor"
    for status in (500, 404, 302, 301):
        hook.answers = [204, 204, status]
        hook.got.clear()
        cursor.unlink(missing_ok=True)
        err = cli(control, *hook.args("--from", 0, "--once", "--cursor", cursor), want=3).err
        assert f"it answers {status}" in err and "127.0.0.1:" in err
        assert "/fotagate" not in err  # what the path is may be all that keeps others out
        assert [s for s, _, _ in hook.got] == [204, 204, status]  # and no redirect is followed
        cli(control, *hook.args("--once", "--cursor", cursor))
        assert [d["type"] for _, d in hook.taken()] == ["unknown", "review.opened", "image.incident", "rollout.paused"]
        assert len(hook.got) == 5
        assert hook.got[2][1]["webhook-id"] == hook.got[3][1]["webhook-id"]
    hook.got.clear()
    cli(control, *hook.args("--once", "--cursor", cursor))
    assert not hook.got


def test_alerts_are_told_once_while_they_last(story, control, hook):  # noqa: F811
    control.answers["status"].doc["alerts"] = [
        {"id": "INCIDENT", "text": "other-bytes: told from the log"}, {"id": "DISK", "text": "nearly full"},
        {"id": "KEY", "text": "runs out in 12 days"}]
    hook.answers = [204, 500]
    p = subprocess.Popen([FOTAGATE, *map(str, hook.args()), "--run-dir", control.dir / "run"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: len(hook.got) == 3)
        time.sleep(3)
        told = hook.taken()
        assert [d["data"]["id"] for _, d in told] == ["DISK", "KEY"] and all(d["type"] == "alert" for _, d in told)
        assert len(hook.got) == 3 and len({name for name, _ in told}) == 2 and p.poll() is None
    finally:
        p.kill()
        p.wait()


def test_a_status_that_is_refused_ends_no_alert(story, control, hook, tmp_path):  # noqa: F811
    """It is asked for again, told of, and what was told before stays told; as many as there are."""
    whole = control.answers["status"]
    whole.doc["alerts"] = [{"id": "RUN-OUT", "text": f"{n} ends"} for n in range(70)]
    asked = []

    def status(_):
        asked.append(1)
        return error("BUSY", "not now") if len(asked) == 2 else whole
    control.answers["status"] = status
    hook.answers = [204] * 69 + [500]
    with open(tmp_path / "said", "w", encoding="utf-8") as said:
        p = subprocess.Popen([FOTAGATE, *map(str, hook.args()), "--run-dir", control.dir / "run"], stderr=said)
    try:
        until(lambda: len(hook.got) == 71)
        time.sleep(2)
        assert "not now" in (tmp_path / "said").read_text() and len(asked) == 3
        told = [d["data"]["msg"] for _, d in hook.taken()]
        assert told == [f"{n} ends" for n in range(70)] and len(hook.got) == 71 and p.poll() is None
    finally:
        p.kill()
        p.wait()
    control.answers["status"] = error("BUSY", "not now")
    assert "not now" in cli(control, *hook.args("--once"), want=3).err


def test_a_lie_is_told_of(story, control, hook):  # noqa: F811
    honest, tiles = story.checkpoint(), story.tiles()
    story.lines[290] = story.lines[290].replace(b"alice", b"mallo")
    tiles["tile/entries/001.p/44"] = story.tiles()["tile/entries/001.p/44"]
    story.checkpoint, story.tiles = lambda: honest, lambda: tiles
    assert "entry 290" in cli(control, *hook.args("--from", 0), want=1).err
    assert hook.taken()[-1][1]["type"] == "log.tamper" and "index" not in hook.taken()[-1][1]["data"]


def test_whom_it_does_not_talk_to(story, control, hook, tmp_path):  # noqa: F811
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    certificates(wrong)
    r = cli(control, "audit", "notify", "--to", hook.url, "--ca", wrong / "ca.pem", "--secret", hook.secret, "--from", 0, "--once",
            want=3)
    assert "certificate" in r.err and not hook.got
    for to in ("http://192.0.2.1/x", "https://user@127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "file:///etc/passwd"):
        assert to not in cli(control, "audit", "notify", "--to", to, "--secret", hook.secret, want=2).err
    (tmp_path / "short").write_text("whsec_" + base64.b64encode(b"x" * 23).decode())
    for secret in (tmp_path / "short", hook.folder / "ca.pem", None):
        more = ["--secret", secret] if secret else []
        assert cli(control, "audit", "notify", "--to", hook.url, *more, want=2).err
    assert "no event of the log" in cli(control, *hook.args("--event", "review.open"), want=2).err
    mail = ["audit", "notify", "--to", "smtps://127.0.0.1:1"]
    for more in ([], ["--sender", "a@b"], ["--sender", "a@b\r\nBcc: x@y", "--recipient", "c@d"],
                 ["--sender", "a@b", "--recipient", "c@d>, <e@f"], ["--sender", "a@b", "--recipient", "c@d", "--secret", "x"]):
        cli(control, *mail, *more, want=2)


# ---- mail ----

class Box:
    def __init__(self):
        self.mails, self.refuse = [], 0

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            self.refuse -= 1
            return "451 later"
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    good = data.login == b"gate" and data.password == b"pass:word"
    return AuthResult(success=good, handled=False)


def test_mail(story, control, tmp_path):  # noqa: F811
    (tmp_path / "credentials").write_text("gate:pass:word\n")
    turn(story, 20, "image.incident", 2, obj="R-8", msg="." + "y" * 1000)
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=0, tls_context=certificates(tmp_path), require_starttls=True,
                        auth_required=True, authenticator=check)
    server.port = 0
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        server.port = s.getsockname()[1]
    server.start()
    try:
        args = ["audit", "notify", "--to", f"smtp://127.0.0.1:{server.port}", "--ca", tmp_path / "ca.pem", "--sender",
                "gate@fleet.example", "--recipient", "alice@fleet.example", "--recipient", "bob@fleet.example", "--credentials",
                tmp_path / "credentials", "--cursor", tmp_path / "cursor"]
        box.refuse = 1
        cli(control, *args, "--from", 0, "--once", want=3)
        cli(control, *args, "--once")
        assert len(box.mails) == 4 and all(tls for *_, tls in box.mails)
        sender, recipients, content, _ = box.mails[2]
        assert sender == "gate@fleet.example" and recipients == ["alice@fleet.example", "bob@fleet.example"]
        assert max(len(l) for l in content.split(b"\r\n")) < 998 and b"\n" not in content.replace(b"\r\n", b"")
        mail = email.message_from_bytes(content)
        assert mail["Subject"] == "[fotagate gw] Unexpected bytes from a vendor: R-8" and mail["Auto-Submitted"] == "auto-generated"
        assert mail["Message-ID"] == f"<entry-20-{leaf(story.lines[20])[:32]}@fleet.example>"
        text = mail.get_payload()
        assert text.startswith(".yyy") and text.replace("\r\n", "").count("y") >= 1000
        assert re.search(r"^entry +20 \(leaf [0-9a-f]{64}\)", text, re.M) and "fotagate audit proof 20" in text
        # A control that lies writes no header of its own.
        control.answers["status"].doc["alerts"] = [{"id": "DISK\r\nBcc: mallory@evil.example\r\n\r\n", "text": "\u00e9\r\n.\r\nRSET"}]
        cli(control, *args, "--once")
        mail = email.message_from_bytes(box.mails.pop()[2])
        assert mail["Bcc"] is None and "DISK<0D><0A>Bcc" in mail["Subject"] and mail.get_payload().startswith("<U+00E9><0D>")
        control.answers["status"].doc["alerts"] = []
        (tmp_path / "credentials").write_text("gate:wrong\n")
        story.lines.append(story.line(300).replace(b'"sev":5', b'"sev":1'))
        assert "ogin denied" in cli(control, *args, "--once", want=3).err and len(box.mails) == 4
    finally:
        server.stop()


def test_kill_between_two(story, control, hook, tmp_path):  # noqa: F811
    """kill -9 while it waits for an answer: what was answered is not told again once the cursor is behind it."""
    cursor = tmp_path / "cursor"
    hook.answers = [204, 204, 503, 503]
    p = subprocess.Popen([FOTAGATE, *map(str, hook.args("--from", 0, "--cursor", cursor)), "--run-dir", control.dir / "run"],
                         stderr=subprocess.DEVNULL)
    until(lambda: len(hook.got) >= 3)
    until(cursor.exists)
    p.kill()
    p.wait()
    hook.answers.clear()
    cli(control, *hook.args("--once", "--cursor", cursor))
    assert [d["data"]["index"] for _, d in hook.taken()] == [4, 10, 20, 299]
