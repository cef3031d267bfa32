#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Remakes the seeds of fuzz_answer: what genuine servers say, and what the hostile vendors of tests/vendor do.

    answer-seeds.py TESTS-DIRECTORY

Needs nginx, vsftpd and openssl. Run by hand; what it makes is committed, because a corpus must not change from build to
build.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

TESTS = os.path.abspath(sys.argv[1])
OUT = os.path.join(TESTS, "fuzz/corpus/answer")
sys.path.insert(0, os.path.join(TESTS, "vendor"))
import hostile_vendor  # noqa: E402

HEAD_MAX = 4096


def save(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)


def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def http(port, path, *fields):
    """The head alone: bodies are another's."""
    with connect(port) as s:
        s.sendall("\r\n".join([f"GET {path} HTTP/1.1", "Host: vendor", "Connection: close", *fields, "", ""]).encode())
        data = b""
        try:
            while b"\r\n\r\n" not in data and len(data) < HEAD_MAX:
                got = s.recv(HEAD_MAX)
                if not got:
                    break
                data += got
        except OSError:
            pass
    return (data[:data.index(b"\r\n\r\n") + 4] if b"\r\n\r\n" in data else data)[:HEAD_MAX]


def nginx(d):
    port = free_port()
    with open(f"{d}/nginx.conf", "w", encoding="ascii") as f:
        f.write(f"""daemon off; pid {d}/pid; error_log stderr crit; events {{}} http {{ access_log off; gzip on; gzip_types *; gzip_min_length 1;
            client_body_temp_path {d}/t; proxy_temp_path {d}/t; fastcgi_temp_path {d}/t; uwsgi_temp_path {d}/t; scgi_temp_path {d}/t;
            server {{ listen 127.0.0.1:{port}; root {d}; location /to {{ return 302 /a.bin; }} }} }}""")
    child = subprocess.Popen(["nginx", "-e", "stderr", "-c", f"{d}/nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        whole = http(port, "/a.bin")
        tag = [line for line in whole.decode().split("\r\n") if line.startswith("ETag: ")][0][6:]
        save("nginx-200", whole)
        save("nginx-206", http(port, "/a.bin", "Range: bytes=100-", f"If-Range: {tag}"))
        save("nginx-parts", http(port, "/a.bin", "Range: bytes=0-1,5-9"))
        save("nginx-416", http(port, "/a.bin", "Range: bytes=999999-"))
        save("nginx-304", http(port, "/a.bin", f"If-None-Match: {tag}"))
        save("nginx-302", http(port, "/to"))
        save("nginx-404", http(port, "/no"))
        save("nginx-gzip", http(port, "/a.bin", "Accept-Encoding: gzip"))
    finally:
        child.terminate()
        child.wait()


def python(d):
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], cwd=d, stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)
    try:
        save("python-200", http(port, "/a.bin"))
        save("python-404", http(port, "/no"))
    finally:
        child.terminate()
        child.wait()


def openssl(d):
    port = free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{d}/k.pem",
                    "-out", f"{d}/c.pem", "-subj", "/CN=x"], check=True, capture_output=True)
    child = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "c.pem", "-key", "k.pem", "-WWW"], cwd=d,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connect(port).close()
        client = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}"], input=b"GET /a.bin HTTP/1.0\r\n\r\n",
                                capture_output=True, timeout=10)
        save("openssl-200", client.stdout[:client.stdout.index(b"\r\n\r\n") + 4])
    finally:
        child.terminate()
        child.wait()


def vsftpd(d):
    port = free_port()
    with open(f"{d}/vsftpd.conf", "w", encoding="ascii") as f:
        f.write(f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\nanon_root={d}/ftp\n"
                "run_as_launching_user=YES\nseccomp_sandbox=NO\nxferlog_enable=NO\n")
    os.makedirs(f"{d}/ftp")
    os.link(f"{d}/a.bin", f"{d}/ftp/a.bin")
    child = subprocess.Popen(["vsftpd", f"{d}/vsftpd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(port) as s:
            talk = s.makefile("rwb")
            said = talk.readline()
            for line in ("USER anonymous", "PASS x@", "FEAT", "MDTM a.bin", "SIZE a.bin", "RETR a.bin", "SIZE no", "QUIT"):
                talk.write(line.encode() + b"\r\n")
                talk.flush()
                while True:
                    got = talk.readline()
                    said += got
                    if not got or (got[:3].isdigit() and got[3:4] == b" "):
                        break
            save("vsftpd", said)
    finally:
        child.terminate()
        child.wait()


def hostile():
    v = hostile_vendor.Vendor(os.urandom(1000), os.urandom(1000), (b"s", b"s"))
    for name in ("cut", "header", "lying", "smuggle", "bomb", "range", "huge", "loop", "user", "file"):
        if name == "range":
            save("hostile-range", http(v.port, f"/{name}/1/a", "Range: bytes=5-"))
        else:
            save(f"hostile-{name}", http(v.port, f"/{name}/1/a"))
    v.close()


os.makedirs(OUT, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    with open(f"{folder}/a.bin", "wb") as image:
        image.write(b"an image\n" * 1000)
    os.utime(f"{folder}/a.bin", (1700000000, 1700000000))
    nginx(folder)
    python(folder)
    openssl(folder)
    vsftpd(folder)
hostile()
save("interim", b"HTTP/1.1 103 Early\r\nETag: \"x\"\r\n\r\nHTTP/1.1 200 OK\r\nETag: \"y\"\r\n\r\nETag: \"z\"\r\n")
save("cdn", b"HTTP/1.1 206 Partial Content\r\nContent-Type: binary/octet-stream\r\nContent-Length: 99\r\nConnection: close\r\n"
     b"Date: Thu, 01 Jan 2026 00:00:01 GMT\r\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\nETag: \"0f343b0931126a20f133d67c2b018a3b-4\"\r\n"
     b"Accept-Ranges: bytes\r\nContent-Range: bytes 1-99/100\r\nServer: AmazonS3\r\nX-Cache: Hit from cloudfront\r\n\r\n")
