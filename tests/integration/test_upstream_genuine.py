# SPDX-License-Identifier: Apache-2.0
"""The fetcher and servers that others wrote: nginx for ranges and tags, openssl s_server for TLS. (vsftpd: test_upstream_ftp.py.)

Our own hostile vendors and our fetcher could share a misunderstanding of HTTP; these do not.
"""
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from test_upstream import BIN, FAILED, OK, OVERLAP, fetch, make_pki, refused  # noqa: F401

pytestmark = pytest.mark.skipif(not os.path.exists(os.path.join(BIN, "fotagated")), reason="FG_BIN names no programs")

NEW, OTHER = os.urandom(1 << 19), os.urandom(1 << 19)
THIRD = len(NEW) // 3
NGINX = """daemon off; pid %(d)s/pid; error_log %(d)s/error.log crit; events {}
http { access_log off; gzip on; gzip_types *; gzip_min_length 1; client_body_temp_path %(d)s/t; proxy_temp_path %(d)s/t;
  fastcgi_temp_path %(d)s/t; uwsgi_temp_path %(d)s/t; scgi_temp_path %(d)s/t;
  server { listen 127.0.0.1:%(port)d; root %(d)s/www; %(more)s location /moved { return 302 /a.bin; } } }
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listening(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nothing listens")


class Nginx:
    def __init__(self, d):
        self.d, self.port, self.child = d, free_port(), None
        (d / "www").mkdir()
        d.chmod(0o755)
        (d / "www").chmod(0o755)
        self.put(NEW, 1700000000)
        self.start()

    def put(self, data, when):
        (self.d / "www/a.bin").write_bytes(data)
        os.utime(self.d / "www/a.bin", (when, when))

    def start(self, more=""):
        (self.d / "nginx.conf").write_text(NGINX % {"d": self.d, "port": self.port, "more": more})
        self.child = subprocess.Popen(["nginx", "-e", f"{self.d}/error.log", "-c", f"{self.d}/nginx.conf"], start_new_session=True)
        listening(self.port)

    def stop(self):
        """All of it at once, as when its machine dies."""
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def url(self, path="/a.bin"):
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(name="nginx")
def make_nginx():
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="fg-nginx-") as d:  # where its workers' own user can read
        n = Nginx(pathlib.Path(d))
        yield n
        n.stop()


def header(r, hop, name):
    return [h.split(": ", 1)[1] for h in r.provenance["hops"][hop]["headers"] if h.startswith(name + ": ")][0]


def test_nginx_goes_on_while_the_tag_is_the_same(nginx):
    r = fetch(nginx.url("/moved"))
    assert (r.outcome, r.finding, r.image) == (OK, "", NEW)  # and not compressed
    tag = header(r, 1, "ETag")
    k = {"bytes": THIRD, "total": len(NEW), "sha256": hashlib.sha256(NEW[:THIRD]).digest(), "validator": tag}
    again = {"before": NEW[:THIRD], "kept": [k]}
    r = fetch(nginx.url(), **again)
    assert (r.outcome, r.finding, r.status, r.image) == (OK, "", 206, NEW)
    assert r.provenance["hops"][0]["asked_from"] == THIRD - OVERLAP
    # The tag of nginx is time and size: the same for other bytes, which are found out all the same.
    nginx.put(OTHER, 1700000000)
    r = fetch(nginx.url(), **again)
    assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", OTHER)
    assert [h["status"] for h in r.provenance["hops"]] == [206, 200]
    # Another tag: nginx answers If-Range with all of it.
    nginx.put(OTHER, 1700000001)
    r = fetch(nginx.url(), **again)
    assert (r.outcome, r.finding, r.status, r.image) == (OK, "CHANGED", 200, OTHER)
    # Shorter than what came: it is no longer the same, and asked for whole.
    nginx.put(OTHER[:1000], 1700000002)
    r = fetch(nginx.url(), **again)
    assert (r.outcome, r.finding, r.image) == (OK, "CHANGED", OTHER[:1000])


def test_nginx_dies_and_comes_back(nginx):
    nginx.stop()
    nginx.start(f"limit_rate_after {THIRD}; limit_rate 1;")
    got = []
    asking = threading.Thread(target=lambda: got.append(fetch(nginx.url(), tries=6, max_seconds=120)))
    asking.start()
    time.sleep(1)  # long enough for a part to come; the test holds if it did not
    nginx.stop()
    nginx.start()
    asking.join()
    r = got[0]
    hops = r.provenance["hops"]
    assert (r.outcome, r.finding, r.image) == (OK, "", NEW) and len(hops) > 1
    assert hops[-1]["asked_from"] == max(hops[-2]["kept"] - OVERLAP, 0)


# ---- openssl ----

@pytest.fixture(name="s_server")
def make_s_server(pki, tmp_path):
    """Starts `openssl s_server -WWW` with a certificate of pki and more options; says where its file is."""
    running = []
    (tmp_path / "a.bin").write_bytes(NEW)
    for name in ("right.pem", "right.key", "wrong.pem", "wrong.key", "good.pem", "evil.pem"):
        (tmp_path / name).write_bytes(pki.bytes(name))

    def start(name, *options):
        port = free_port()
        running.append(subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{name}.pem", "-key", f"{name}.key",
                                         "-WWW", "-quiet", *options], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        listening(port)
        return f"https://127.0.0.1:{port}/a.bin"
    yield start
    for child in running:
        child.terminate()
        child.wait()


def test_openssl_by_ca_and_by_pin(pki, s_server):
    ca, right, wrong = pki.bytes("good.pem"), pki.pin("right"), pki.pin("wrong")
    url = s_server("right")
    for how in ({"ca": ca}, {"pins": [right]}, {"pins": [wrong, right]}, {"ca": ca, "pins": [right]}):
        r = fetch(url, **how)
        assert (r.outcome, r.image) == (OK, NEW), how
        assert r.provenance["hops"][0]["key"] == right.hex()
    for how in ({"ca": pki.bytes("evil.pem")}, {"pins": [wrong]}, {"ca": ca, "pins": [wrong]}, {"ca": pki.bytes("evil.pem"), "pins": [right]}, {}):
        r = fetch(url, **how)
        refused(r, "identity", "IDENTITY")
        assert r.image == b""
    refused(fetch(s_server("wrong"), ca=ca), "identity", "IDENTITY")  # a certificate of the same CA, for another name


def test_openssl_of_every_version(pki, s_server):
    ca = pki.bytes("good.pem")
    for option, good in (("-tls1_3", True), ("-tls1_2", True), ("-tls1_1", False)):
        r = fetch(s_server("right", option, "-cipher", "DEFAULT@SECLEVEL=0"), ca=ca)
        assert (r.outcome, r.image) == ((OK, NEW) if good else (FAILED, b"")), option


def test_openssl_wants_to_know_who_asks(pki, s_server):
    ca, ours = pki.bytes("good.pem"), pki.bytes("client.pem") + pki.bytes("client.key")
    url = s_server("right", "-Verify", "2", "-verify_return_error", "-CAfile", "good.pem")
    assert fetch(url, ca=ca, credentials=ours).image == NEW
    assert fetch(url, ca=ca).outcome == FAILED
    url = s_server("right", "-Verify", "2", "-verify_return_error", "-CAfile", "evil.pem")
    assert fetch(url, ca=ca, credentials=ours).outcome == FAILED
