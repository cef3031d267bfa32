# SPDX-License-Identifier: Apache-2.0
"""The fetcher and FTP servers: every attack of tests/vendor/hostile_ftp.py, vsftpd as a genuine one, and what only FTP can do.

Like test_upstream.py, this test is control and holds the other end of the real fetcher's descriptor 3.
"""
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

import wire
from test_upstream import (BIN, FAILED, HTTP, KEY, LED, LOOPBACK, OK, OVERLAP, REFUSED, REFUSED_KEY, fetch, kept, make_pki,  # noqa: F401
                           make_proxy, refused, shown)

sys.path.insert(0, os.path.join(wire.SRC, "tests/vendor"))
import hostile_ftp  # noqa: E402

pytestmark = pytest.mark.skipif(not os.path.exists(os.path.join(BIN, "fotagated")), reason="FG_BIN names no programs")

NEW, OTHER = os.urandom(1 << 19), os.urandom(1 << 19)
THIRD = len(NEW) // 3


def vendor(**how):
    return hostile_ftp.Vendor(NEW, OTHER, **how)


def get(v, name, signature=False, **how):
    return fetch(v.url(f"/{name}/1/rootfs.img"), v.url(f"/{name}/1/rootfs.img.p7s") if signature else "", **how)


# ---- an honest server ----

def test_a_file_comes():
    with vendor(signatures=(b"sig", None)) as v:
        r = get(v, "good", signature=True)
        assert (r.outcome, r.finding, r.status, r.image, r.signature) == (OK, "", 226, NEW, b"sig")
        name = "rootfs.img"
        assert v.heard[:v.heard.index("QUIT")] == [
            "USER anonymous", "PASS fotagate@", "PWD", "CWD good", "CWD 1", f"MDTM {name}", "EPSV", "TYPE I", f"SIZE {name}", f"RETR {name}"]
        assert "127.0.0.1 port %d" % v.port in [h["peer"] for h in r.provenance["hops"]]
        assert any(line.startswith("213 2025") for line in r.provenance["hops"][0]["headers"])
        assert shown(r) == [(LED, v.url(""), ""), (LED, v.url("") + " for signatures", "")]


def test_another_file_midway_begins_from_zero():
    def other(s, name):
        if v.seen["cut"] > 1:
            s.data, s.changed, s.upto, s.end = OTHER, "20250401000000", None, "226 Done."
        s.do_mdtm(name)
    with vendor(does={"MDTM": other}) as v:
        r = get(v, "cut", tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", OTHER)
        assert [h["asked_from"] for h in r.provenance["hops"]] == [0, THIRD - OVERLAP, 0]


def test_it_goes_on_after_cuts():
    with vendor() as v:
        r = get(v, "cut", tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "", NEW)
        assert [h["asked_from"] for h in r.provenance["hops"]] == [0, THIRD - OVERLAP, 2 * len(NEW) // 3 - OVERLAP]
        assert [h for h in v.heard if h.startswith("REST")] == [f"REST {h['asked_from']}" for h in r.provenance["hops"][1:]]


@pytest.mark.parametrize("name", ["whole", "plain"])
def test_an_old_server_costs_but_works(name):
    with vendor() as v:
        r = get(v, name, tries=1)
        assert (r.outcome, r.finding, r.image) == (OK, "", NEW)
        assert kept(r) is None


def test_what_came_is_handed_on():
    with vendor() as v:
        r = get(v, "cut")
        k = kept(r)
        assert (r.outcome, r.finding, k["bytes"], k["total"]) == (FAILED, "CUT", THIRD, len(NEW))
        assert k["sha256"] == hashlib.sha256(NEW[:THIRD]).digest()
        v.seen.clear()
        r = get(v, "good", before=r.image, kept=[k])
        assert (r.outcome, r.image, r.provenance["hops"][0]["asked_from"]) == (OK, NEW, THIRD - OVERLAP)
        # All of it is here, and none of it has changed.
        r = get(v, "good", before=NEW, kept=[{**k, "bytes": len(NEW), "sha256": hashlib.sha256(NEW).digest()}])
        assert (r.outcome, r.image) == (OK, NEW)
        for wrong in ("MDTM 1 SIZE %d" % len(NEW), k["validator"].replace("SIZE ", "SIZE 1"), '"etag"'):
            r = get(v, "good", before=NEW[:THIRD], kept=[{**k, "validator": wrong}])
            assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", NEW)


def test_a_file_still_being_written_has_no_validator():
    with vendor(does={"MDTM": lambda s, arg: s.say("213 " + time.strftime("%Y%m%d%H%M%S", time.gmtime()))}) as v:
        r = get(v, "cut")
        assert (r.outcome, kept(r)) == (FAILED, None)


# ---- hostile ones ----

LIMITS = {"max_bytes": 1 << 20, "max_seconds": 2, "tries": 0}


@pytest.mark.parametrize("name", [n for n, (f, _, _) in hostile_ftp.ATTACKS.items() if f.startswith("FETCH")])
def test_every_attack_has_its_finding(name):
    expected = hostile_ftp.ATTACKS[name][0].split(" or ")
    with vendor() as v:
        changes = expected == ["FETCH-CHANGED"]
        r = get(v, name, **(LIMITS if not changes else {**LIMITS, "tries": 1, "max_seconds": 60}))
        assert "FETCH-" + r.finding in expected, r.detail
        assert r.outcome != OK
        assert len(r.image) <= LIMITS["max_bytes"]


def test_nothing_is_taken_beyond_the_size():
    with vendor() as v:
        r = get(v, "lying")
        assert (r.outcome, r.image) == (OK, NEW[:len(NEW) // 2])  # which no signature covers


def test_nobody_is_bounced():
    with vendor() as v, socket.create_server(("127.0.0.2", 0)) as other:
        r = get(v, "bounce")
        assert (r.outcome, r.image) == (OK, NEW)  # from the server itself
        v.does["PASV"] = lambda s, arg: s.say("227 There (127,0,0,2,%d,%d)" % divmod(other.getsockname()[1], 256))
        assert get(v, "bounce", **LIMITS).outcome != OK
        v.does["EPSV"] = lambda s, arg: s.say("229 There (|1|127.0.0.2|%d|)" % other.getsockname()[1])
        assert get(v, "good", **LIMITS).outcome != OK
        other.settimeout(0.2)
        with pytest.raises(TimeoutError):
            other.accept()
        assert not any(h.startswith(("PORT", "EPRT", "LIST", "NLST", "STOR", "DELE")) for h in v.heard)


@pytest.mark.parametrize("path", ["/good/1/", "/good/1/a;type=d", "/good/1/a%0d%0aDELE%20a", "/good/%2e%2e/a", "/good/1/a%00b", "/../a",
                                  "/good/1/a?b"])
def test_a_path_that_is_none(path):
    with vendor() as v:
        r = fetch(v.url(path))
        assert (r.outcome, r.finding, v.heard, r.image) == (FAILED, "LOCAL", [], b"")


def test_a_server_that_says_no():
    with vendor() as v:
        assert (lambda r: (r.outcome, r.finding, r.status))(get(v, "gone")) == (HTTP, "STATUS", 550)
        r = get(v, "good", signature=True)
        assert (r.outcome, r.image, r.signature) == (OK, NEW, b"") and "signature" in r.detail
        v.greet = lambda s: s.say("421 Too many of you.")
        r = get(v, "good", tries=1)
        assert (r.outcome, r.finding, r.status, len(r.provenance["hops"])) == (HTTP, "STATUS", 421, 2)
        v.greet = lambda s: s.say("230 You are in already.")
        assert get(v, "good").image == NEW
        v.greet = lambda s: s.conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        assert get(v, "good", **{**LIMITS, "max_seconds": 1}).outcome in (FAILED, REFUSED)


@pytest.mark.parametrize("how", [{}, {"tls": True}, {"tls": True, "implicit": True}], ids=["ftp", "ftpes", "ftps"])
def test_a_server_that_says_nothing(pki, how):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        v = hostile_ftp.Vendor(NEW, OTHER, **how)
        v.close()
        v.port = silent.getsockname()[1]
        r = get(v, "good", ca=pki.bytes("good.pem"), max_seconds=1)
        assert r.outcome in (FAILED, REFUSED) and r.finding in ("LONG", "NETWORK", "SLOW"), r.detail


def test_no_private_network_is_reached():
    with vendor() as v:
        refused(fetch(v.url("/good/1/rootfs.img"), private=()), "private address", "ADDRESS")
        assert v.heard == []
    for scheme in ("ftp", "ftpes", "ftps"):
        refused(fetch(f"{scheme}://10.0.0.1/a"), "private address", "ADDRESS")


def test_http_does_not_lead_to_ftp_nor_to_a_file():
    from test_upstream import Vendor, redirect
    with vendor() as v, Vendor({"/a": redirect(v.url("/good/1/rootfs.img"))}) as web:
        refused(fetch(web.url("/a")), "another scheme", "SCHEME")
        assert v.heard == []


# ---- who we are ----

def test_the_password_goes_to_the_named_server_alone():
    secret = b"ftp: gate:s3cr3t\n"
    with vendor(password="s3cr3t") as v, vendor() as other:
        r = fetch(v.url("/good/1/rootfs.img"), other.url("/good/1/rootfs.img.p7s"), credentials=secret)
        assert (r.outcome, r.image) == (OK, NEW)
        assert v.heard[:2] == ["USER gate", "PASS s3cr3t"] and other.heard[:2] == ["USER anonymous", "PASS fotagate@"]
        assert "s3cr3t" not in r.record
        r = get(v, "good")
        assert (r.outcome, r.finding, r.status) == (HTTP, "STATUS", 530)
        r = get(v, "good", credentials=secret, home=other.url("/a"))
        assert (r.outcome, r.status) == (HTTP, 530) and v.heard.count("PASS s3cr3t") == 1
        v.password = "another"
        r = get(v, "good", credentials=secret)
        assert (r.outcome, r.status) == (HTTP, 530)
        assert "s3cr3t" not in r.record + r.stderr + r.detail  # although the server says it back


@pytest.mark.parametrize("text", [b"ftp: nobody\n", b"ftp: a:b\nftp: c:d\n", b"ftp: a:\x01\n", b"ftp: " + b"a:" * 200 + b"\n"])
def test_credentials_that_are_none_end_it(text):
    with vendor() as v:
        r = get(v, "good", credentials=text)
        assert (r.done, r.exit, v.heard) == (None, 72, [])


# ---- TLS ----

@pytest.mark.parametrize("implicit", [False, True], ids=["ftpes", "ftps"])
def test_tls(pki, implicit):
    ca, key = pki.bytes("good.pem"), pki.pin("right")
    with vendor(tls=pki.server("right"), implicit=implicit) as v:
        for how in ({"ca": ca}, {"pins": [key]}, {"ca": ca, "pins": [key]}):
            r = get(v, "cut", tries=1, **how)  # cut twice the first time
            assert (r.outcome, r.image) == (OK, NEW)
            assert shown(r) == [(KEY, v.url(""), key.hex()), (LED, v.url(""), "")]
            assert {h["key"] for h in r.provenance["hops"]} == {key.hex()}
        assert "PROT P" in v.heard and "PROT C" not in v.heard
        v.heard.clear()
        for how in ({"ca": pki.bytes("evil.pem")}, {"pins": [pki.pin("wrong")]}, {"ca": ca, "pins": [pki.pin("wrong")]}, {}):
            r = get(v, "good", **how)
            refused(r, "identity", "IDENTITY")
            assert r.image == b"" and shown(r) == [(REFUSED_KEY, v.url(""), key.hex())]
        assert not [h for h in v.heard if not h.startswith("AUTH")]  # no user, no path was told


@pytest.mark.parametrize("implicit", [False, True], ids=["ftpes", "ftps"])
@pytest.mark.parametrize("data", ["wrong", "client"])
def test_the_data_connection_is_the_same_server(pki, implicit, data):
    for how in ({"ca": pki.bytes("good.pem")}, {"pins": [pki.pin("right")]}):
        with vendor(tls=pki.server("right"), implicit=implicit, data_tls=pki.server(data)) as v:
            r = get(v, "good", **how)
            refused(r, "identity", "IDENTITY")
            assert r.image == b""


@pytest.mark.parametrize("does", [{"AUTH": lambda s, arg: s.say("502 What?")}, {"PROT": lambda s, arg: s.say("534 Only C.")}],
                         ids=["control", "data"])
def test_no_tls_is_no_transfer(pki, does):
    with vendor(tls=pki.server("right"), does=does) as v:
        r = get(v, "good", ca=pki.bytes("good.pem"))
        refused(r, "TLS", "IDENTITY")
        assert r.image == b"" and not [h for h in v.heard if h.split()[0] in ("RETR", "CWD")]
        assert "PROT" in does or not [h for h in v.heard if h.startswith(("USER", "PASS"))]


def test_nothing_said_before_tls_is_believed(pki):
    """RFC 3207 6, CVE-2011-0411: replies put in front of the handshake."""
    with vendor(tls=pki.server("right"), does={"AUTH": lambda s, arg: s.conn.sendall(b"234 Go on.\r\n331 Password?\r\n230 Welcome.\r\n")}) as v:
        r = get(v, "good", ca=pki.bytes("good.pem"), **LIMITS)
        assert r.outcome in (FAILED, REFUSED) and not [h for h in v.heard if not h.startswith("AUTH")]


def test_plain_data_inside_tls(pki):
    """The server says P and then sends in the clear."""
    def prot(s, _):
        s.say("200 So be it.")
    with vendor(tls=pki.server("right"), does={"PROT": prot}) as v:
        r = get(v, "good", ca=pki.bytes("good.pem"), **LIMITS)
        assert r.outcome in (FAILED, REFUSED) and r.image == b""


def test_a_client_certificate(pki):
    import ssl
    ctx = pki.server("right")
    ctx.verify_mode = ssl.CERT_REQUIRED
    ctx.load_verify_locations(cadata=pki.bytes("good.pem").decode())
    with vendor(tls=ctx) as v:
        assert get(v, "good", ca=pki.bytes("good.pem"), credentials=pki.bytes("client.pem") + pki.bytes("client.key")).image == NEW
        assert get(v, "good", ca=pki.bytes("good.pem"), **LIMITS).outcome == FAILED


@pytest.mark.skipif(not shutil.which("tinyproxy"), reason="tinyproxy is not installed")
def test_through_a_proxy(pki, proxy):
    with vendor() as v, vendor(tls=pki.server("right"), implicit=True) as tls:
        assert get(v, "cut", proxy=proxy, credentials=b"proxy: gate:secret\n", tries=1).image == NEW
        assert get(tls, "good", proxy=proxy, credentials=b"proxy: gate:secret\n", ca=pki.bytes("good.pem")).image == NEW
        refused(fetch("ftpes://10.0.0.1/a", proxy=proxy, credentials=b"proxy: gate:secret\n"), "private", "ADDRESS")


# ---- a genuine one ----

@pytest.fixture(name="vsftpd")
def make_vsftpd(pki, tmp_path):
    """Starts vsftpd with more lines of configuration; its folder and a function that says where it is."""
    running = []
    home = tmp_path / "ftp"
    (home / "fw").mkdir(parents=True)
    (home / "fw/a.bin").write_bytes(NEW)
    os.utime(home / "fw/a.bin", (1700000000, 1700000000))
    for folder in (tmp_path, home, home / "fw"):
        folder.chmod(0o755)
    (tmp_path / "pair.pem").write_bytes(pki.bytes("right.pem") + pki.bytes("right.key"))

    def start(scheme, *lines):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        conf = tmp_path / f"vsftpd{port}.conf"
        conf.write_text("\n".join([
            "listen=YES", "listen_address=127.0.0.1", f"listen_port={port}", "background=NO", "anonymous_enable=YES",
            "run_as_launching_user=YES", f"anon_root={home}", "no_anon_password=YES", "seccomp_sandbox=NO", "xferlog_enable=NO",
            f"rsa_cert_file={tmp_path}/pair.pem", "ftpd_banner=ready", *lines, ""]))
        running.append(subprocess.Popen(["vsftpd", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        return f"{scheme}://127.0.0.1:{port}/fw/a.bin"
    yield start
    for child in running:
        child.terminate()
        child.wait()


TLS = ("ssl_enable=YES", "allow_anon_ssl=YES", "force_anon_data_ssl=YES", "force_anon_logins_ssl=YES",
       "ssl_ciphers=HIGH", "require_ssl_reuse=YES")


@pytest.mark.skipif(not shutil.which("vsftpd"), reason="vsftpd is not installed")
@pytest.mark.parametrize("scheme, lines", [("ftp", ()), ("ftpes", TLS), ("ftps", (*TLS, "implicit_ssl=YES"))], ids=["ftp", "ftpes", "ftps"])
def test_vsftpd(pki, vsftpd, scheme, lines):
    url = vsftpd(scheme, *lines)
    ca = pki.bytes("good.pem") if lines else None
    r = fetch(url, url + ".p7s", ca=ca)
    assert (r.outcome, r.status, r.image, r.signature) == (OK, 226, NEW, b"")
    k = {"bytes": THIRD, "total": len(NEW), "sha256": hashlib.sha256(NEW[:THIRD]).digest(), "validator": "MDTM 1700000000 SIZE %d" % len(NEW)}
    r = fetch(url, ca=ca, before=NEW[:THIRD], kept=[k])
    assert (r.outcome, r.image, r.provenance["hops"][0]["asked_from"]) == (OK, NEW, THIRD - OVERLAP)
    r = fetch(url, ca=ca, before=NEW[:THIRD], kept=[{**k, "validator": k["validator"].replace("17", "16")}])
    assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", NEW)
    r = fetch(url.replace("a.bin", "b.bin"), ca=ca)
    assert (r.outcome, r.status) == (HTTP, 550)
    if lines:
        refused(fetch(url, ca=pki.bytes("evil.pem")), "identity", "IDENTITY")
        r = fetch(url.replace("ftps:", "ftp:").replace("ftpes:", "ftp:"), max_seconds=3)
        assert r.outcome != OK and r.image == b""
