# SPDX-License-Identifier: Apache-2.0
"""Short URLs: made on an operator's word, good for one module, one release and a time, and never a way around a grant."""
import hashlib
import os
import re
import socket

from gate import IMEI, PROFILE, Gate, luhn, until

HOLD = 'not_now = { status = 404; body = "{\\"code\\":27}"; content_type = "application/json"; };'
OTHER = luhn("35693803564380")


def raw(gate, data):
    """What comes back until the gateway closes."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        seen = b""
        while more := s.recv(1 << 16):
            seen += more
        return seen


def opencpu(path, *fields):
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: 10.1.2.3:8080", "User-Agent: QUECTEL_MODULE", "Accept: */*",
                        "Connection: Keep-Alive", *fields, "", "")).encode()


def everything(folder):
    """Every byte of every file below a folder."""
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path, open(path, "rb").read()


def test_short_urls():
    gate = Gate(profile=PROFILE.replace("not_now = { status = 404; };", HOLD + "\n\tshort_urls = true;"))
    try:
        story(gate)
    except BaseException:
        print(open(gate.log).read()[-6000:])
        raise
    finally:
        gate.close()


def story(gate):
    data = gate.offer()
    gate.start()
    csv = os.path.join(gate.dir, "inventory.csv")
    with open(csv, "w") as f:
        f.write(f"kind,identity,group,product,version\nimei,{IMEI},field,FG100,1.0.0\nimei,{OTHER},lab,FG100,1.0.0\n")
    gate.cli("module", "import", csv, "--profile", "story")
    gate.ask()
    gate.review(1)
    gate.approve("R-1", "--group", "field")
    release = until(lambda: gate.cli("release", "list")["releases"])[0]["id"]

    # Made, said once, and the base is whatever people put before it.
    made = gate.cli("module", "url", f"imei:{IMEI}", release, "--days", "2")
    path, module = made["path"], made["module"]
    assert re.fullmatch(r"/f/[0-9a-hjkmnp-tv-z]{16}", path) and made["release"] == release
    base = f"http://127.0.0.1:{gate.port}"
    shown = gate.text("module", "url", f"imei:{OTHER}", release, "--base", base + "/")
    other = re.search(re.escape(base) + r"(/f/\S{16})\n", shown).group(1)
    assert other != path

    # Any client that gets a URL gets the image by it, whole and in parts; the first byte waits for a grant like any other.
    until(lambda: gate.get(path, "HEAD")[0] == 200)
    head, _, body = raw(gate, opencpu(path)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nConnection: keep-alive\r\n") and body == data
    xinyi = f"GET {path} HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=0-1023\n\n\n".encode()
    assert raw(gate, xinyi).partition(b"\r\n\r\n")[2] == data[:1024]
    assert gate.get(path, tls=True)[2] == data

    # Scope holds: that module is in a group nobody signed for. Strangers' tokens are strangers'.
    until(lambda: gate.get(other)[::2] == (404, b'{"code":27}'))
    stranger = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert gate.get(stranger)[::2] == (404, b"")
    assert gate.get(path + "?imei=" + OTHER)[::2] == (404, b"")

    # The token is in no file; its digest is in the log, with whom and what it is for.
    token = path[3:]
    digest = "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    entries = gate.entries()
    url = next(e for e in entries if e["ev"] == "config.changed" and e["obj"] == "url" and e["dev"] == module)
    assert url["ref"]["url"] == digest and url["ref"]["release"] == release
    granted = [e for e in entries if e["ev"] == "device.grant"]
    assert [e["dev"] for e in granted] == [module] and entries.index(url) < entries.index(granted[0])
    for name, content in everything(gate.dir):
        assert token.encode() not in content, name
    gate.verify()

    # It is in the database: a gateway that starts anew knows it.
    gate.stop()
    gate.start()
    until(lambda: gate.get(path, "HEAD")[0] == 200)

    # What restricts restricts it at once; and the profile may take all of them back.
    gate.cli("module", "hold", module, "--reason", "a look at it")
    until(lambda: gate.get(path)[::2] == (404, b'{"code":27}'))
    gate.cli("module", "unhold", module, "--reason", "looks right")
    until(lambda: gate.get(path)[0] == 200)
    gate.write_profile(PROFILE)
    gate.text("reload")
    until(lambda: gate.get(path)[::2] == (404, b""))
    refused = gate.cli("module", "url", module, release, ok=(1,))
    assert refused["error"]["id"] == "NO-URLS"
    gate.cli("revoke", "R-1", "--reason", "found hostile in the lab")
    refused = gate.cli("module", "url", module, release, ok=(1,))
    assert refused["error"]["id"] == "NOT-FOUND"
