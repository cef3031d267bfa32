# SPDX-License-Identifier: Apache-2.0
"""TLS of the module plane as genuine tools see it: openssl, curl, sslscan, testssl.sh."""
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import xml.etree.ElementTree as xml

import pytest

from gate import Gate, free_port, until

LISTENER = """	{ name = "%s"; address = "127.0.0.1"; port = %d; tls = true; cert = "p256.pem"; key = "p256.key";
	  second_cert = "rsa.pem"; second_key = "rsa.key"; %s }"""
MODERN = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
          "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}
LEGACY = {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
          "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
          "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA256", "AES128-SHA", "AES256-SHA"}
TLS13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def run(*args, ok=True, **kw):
    done = subprocess.run(args, capture_output=True, text=True, timeout=120, **kw)
    assert not ok or done.returncode == 0, f"{args}\n{done.stdout}\n{done.stderr}"
    return done


class ModuleCa:
    """Certificates of modules and the list of those that were revoked, by openssl ca."""

    def __init__(self, folder, keys):
        self.dir, self.keys = os.path.join(folder, "modules"), keys
        os.makedirs(self.dir)
        with open(os.path.join(self.dir, "ca.cnf"), "w") as f:
            f.write("[ca]\ndefault_ca = c\n[c]\ndatabase = index\nserial = serial\ncrlnumber = crlnumber\nnew_certs_dir = .\n"
                    "certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\ndefault_days = 20\n"
                    "default_crl_days = 7\npolicy = p\nx509_extensions = x\nunique_subject = no\n"
                    "[p]\ncommonName = supplied\n[x]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = clientAuth\n")
        open(os.path.join(self.dir, "index"), "w").close()
        for name in ("serial", "crlnumber"):
            with open(os.path.join(self.dir, name), "w") as f:
                f.write("01\n")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
                 "ca.pem", "-days", "30", "-subj", "/CN=modules CA")
        with open(os.path.join(keys, "modules.pem"), "w") as f:
            f.write(open(os.path.join(self.dir, "ca.pem")).read())
        self.publish()

    def run(self, *args):
        return run("openssl", *args, cwd=self.dir)

    def issue(self, name):
        """Options of curl for a module with a certificate of its own."""
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                 name + ".csr", "-subj", "/CN=" + name)
        self.run("ca", "-config", "ca.cnf", "-batch", "-notext", "-in", name + ".csr", "-out", name + ".pem")
        return ["--cert", os.path.join(self.dir, name + ".pem"), "--key", os.path.join(self.dir, name + ".key")]

    def key_digest(self, name):
        """What its identity is."""
        der = subprocess.run(["openssl", "pkey", "-in", name + ".key", "-pubout", "-outform", "DER"], cwd=self.dir,
                             check=True, capture_output=True).stdout
        return hashlib.sha256(der).hexdigest()

    def revoke(self, name):
        self.run("ca", "-config", "ca.cnf", "-revoke", name + ".pem")
        self.publish()

    def publish(self, *good_for):
        self.run("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem", *good_for)
        os.rename(os.path.join(self.dir, "crl.pem"), os.path.join(self.keys, "modules.crl"))


class House:
    """A gateway that serves one image on three listeners: plain, modern TLS, legacy TLS."""

    def __init__(self):
        self.gate = gate = Gate()
        self.keys = os.path.join(gate.root, "keys")
        self.ca = os.path.join(gate.dir, "tls-ca.pem")
        self.legacy_port = free_port()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "tls-ca.key", "-out", "tls-ca.pem", "-days", "30", "-subj", "/CN=gateway CA", cwd=gate.dir)
        self.certify("p256", "ec")
        self.certify("rsa", "rsa")
        self.modules = ModuleCa(gate.dir, self.keys)
        for name in ("nrf91-0001", "nrf91-0002"):  # by GnuTLS's own tool
            run("psktool", "-u", name, "-p", os.path.join(self.keys, "shared"), "-s", "32")
        conf = os.path.join(gate.root, "fotagate.conf")
        text = open(conf).read()
        text = re.sub(r"(?s)\t\{\s+name = \"modules-tls\";.*?\n\t\}\n", lambda _: ",\n".join([
            LISTENER % ("modules-tls", gate.tls_port, ""),
            LISTENER % ("old-tls", self.legacy_port, 'suites = "legacy"; send_fragment = 1024; client_ca = "modules.pem"; client_crl = "modules.crl"; psk = "shared";')]) + "\n", text)
        open(conf, "w").write(text)
        story = open(os.path.join(gate.root, "profiles.d/story.conf")).read()
        gate.write_profile(story.replace('"modules-tls" ]', '"modules-tls", "old-tls" ]'))
        # The same for modules with certificates, which find nothing for them yet.
        with open(os.path.join(gate.root, "profiles.d/certified.conf"), "w") as f:
            f.write(story.replace('"story"', '"certified"').replace('[ "modules", "modules-tls" ]', '[ "old-tls" ]')
                    .replace('"/fw/', '"/certified/')
                    .replace("identity = (", 'identity = ( { class = "A"; kind = "cert"; from = "client_cert"; },'))
        with open(os.path.join(gate.root, "profiles.d/shared.conf"), "w") as f:
            f.write(story.replace('"story"', '"shared"').replace('[ "modules", "modules-tls" ]', '[ "old-tls" ]')
                    .replace('"/fw/', '"/shared/')
                    .replace("identity = (", 'identity = ( { class = "A"; kind = "serial"; from = "psk_identity"; },'))
        self.data = gate.offer(data=os.urandom(3 << 20))
        gate.start()
        gate.ask()
        gate.review(1)
        gate.approve()
        until(lambda: gate.ask("HEAD")[0] == 200)

    def certify(self, name, kind, subject="/CN=localhost"):
        """A server's pair in keys_dir, vouched for by self.ca."""
        key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        new = os.path.join(self.gate.dir, name)
        run("openssl", "req", *key, "-nodes", "-keyout", new + ".key", "-out", new + ".csr", "-subj", subject, "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1")
        run("openssl", "x509", "-req", "-in", new + ".csr", "-CA", self.ca, "-CAkey", self.ca[:-4] + ".key",
            "-CAcreateserial", "-days", "20", "-copy_extensions", "copy", "-out", new + ".pem")
        for end in (".pem", ".key"):  # renamed into place, as certbot and its kin do
            os.rename(new + end, os.path.join(self.keys, name + end))

    def url(self, port=None, **kw):
        return self.gate.url(tls=True, **kw).replace(f":{self.gate.tls_port}/", f":{port or self.gate.tls_port}/")

    def fetch(self, port, *options):
        """The image by curl, the server's certificate checked; its bytes."""
        out = os.path.join(self.gate.dir, "got")
        run("curl", "-sSf", "--cacert", self.ca, "-o", out, *options, self.url(port))
        with open(out, "rb") as f:
            return f.read()

    def client(self, port, *options, ok=True, send=b""):
        """What openssl s_client prints."""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.ca,
                               "-verify_return_error", *options], input=send, capture_output=True, timeout=60)
        assert not ok or done.returncode == 0, done.stderr.decode()
        return (done.stdout + done.stderr).decode("latin-1")


@pytest.fixture(scope="module")
def house():
    h = House()
    try:
        yield h
    finally:
        h.gate.close()


def test_every_suite_serves(house):
    for port, suites in ((house.gate.tls_port, MODERN), (house.legacy_port, MODERN | LEGACY)):
        for suite in sorted(suites):
            assert house.fetch(port, "--tls-max", "1.2", "--ciphers", suite) == house.data, suite
        for suite in sorted(TLS13):
            assert house.fetch(port, "--tlsv1.3", "--tls13-ciphers", suite) == house.data, suite
    for suite in sorted(LEGACY):
        assert "alert handshake failure" in house.client(house.gate.tls_port, "-tls1_2", "-cipher", suite, ok=False)


def test_short_records_on_request(house):
    """RFC 6066 as a client asks for it; send_fragment for clients that do not."""
    get = f"GET /{house.url().split('/', 3)[3]} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    for port, options, longest in ((house.gate.tls_port, ("-maxfraglen", "512"), 512),
                                   (house.legacy_port, (), 1024),
                                   (house.legacy_port, ("-maxfraglen", "2048"), 1024)):
        said = house.client(port, "-tls1_2", "-msg", "-ign_eof", *options, send=get)
        records = [int(n, 16) for n in re.findall(r"<<< .*RecordHeader[^\n]*\n\s+17 03 03 (.. ..)\n", said)
                   for n in [n.replace(" ", "")]]
        assert len(records) > 2000 and longest < max(records) <= longest + 24, (port, options, max(records or [0]))


def test_legacy_is_flagged(house):
    status = house.gate.cli("status")
    flags = [a["text"] for a in status["alerts"] if a["id"] == "LEGACY-TLS"]
    assert len(flags) == 1 and "listener old-tls" in flags[0]
    assert "CBC" in flags[0] and "PSK without forward secrecy" in flags[0]
    assert "LEGACY-TLS" in house.gate.text("status")
    said = [e for e in house.gate.entries() if e.get("obj", "").startswith("listener:")]
    assert [(e["ev"], e["obj"]) for e in said] == [("config.changed", "listener:old-tls")]
    assert "legacy TLS" in said[0]["msg"]


def test_certificates_are_renewed_under_a_download(house):
    """Nobody who is connected notices; whoever comes next sees the new one; a bad one changes nothing."""
    gate = house.gate

    def serial(port=gate.tls_port):
        shown = house.client(port, "-sigalgs", "ecdsa_secp256r1_sha256")
        return run("openssl", "x509", "-noout", "-serial", input=shown).stdout

    first = serial()
    # One that stopped reading in the middle: its own buffer holds a few kilobytes, the image is 3 MiB.
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", gate.tls_port))
    slow = ssl.create_default_context(cafile=house.ca).wrap_socket(sock, server_hostname="localhost")
    slow.sendall(f"GET /{house.url().split('/', 3)[3]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, got = slow.recv(1000).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 ")
    house.certify("p256", "ec")
    gate.cli("reload")
    until(lambda: serial() != first)
    second = serial()
    assert serial(house.legacy_port) == second
    # A key that is another one's
    good = open(os.path.join(house.keys, "p256.key")).read()
    with open(os.path.join(house.keys, "p256.key"), "w") as f:
        f.write(open(os.path.join(gate.dir, "tls-ca.key")).read())
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: open(gate.log).read().count("listener modules-tls keeps its TLS as it was: ") == 2)  # each edge
    assert serial() == second and house.fetch(house.legacy_port) == house.data
    failed = [e for e in gate.entries() if e["ev"] == "config.changed" and e["out"] == "failed"]
    assert len(failed) == 2 and all("listener old-tls keeps its TLS" in e["msg"] for e in failed)
    with open(os.path.join(house.keys, "p256.key"), "w") as f:
        f.write(good)
    while len(got) < len(house.data):
        got += slow.recv(65536) or pytest.fail("cut")
    assert got == house.data
    slow.close()


def test_a_certificate_is_an_identity_until_it_is_revoked(house):
    gate = house.gate
    good, bad = house.modules.issue("good"), house.modules.issue("bad")
    other = ["--cert", house.ca, "--key", house.ca[:-4] + ".key"]
    before = {m["id"] for m in gate.cli("module", "list")["modules"]}
    url = house.url(house.legacy_port).replace("/fw/", "/certified/")

    def ask(options):
        done = run("curl", "-sSf", "--cacert", house.ca, "-o", "/dev/null", *options, url, ok=False)
        assert done.returncode != 0
        return done.stderr

    assert "error: 404" in ask(good) and "error: 404" in ask(bad)
    assert "error: 404" in ask([])  # a certificate is asked for, not demanded
    new = until(lambda: len(new := {m["id"] for m in gate.cli("module", "list")["modules"]} - before) == 2 and new)
    known = {i["text"]: m for m in new for i in gate.reveal(m) if i["kind"] == "cert"}
    assert set(known) == {house.modules.key_digest("good"), house.modules.key_digest("bad")}
    assert "alert unknown ca" in ask(other)
    alerts = lambda: {a["id"]: a["text"] for a in gate.cli("status")["alerts"]}
    assert "CRL" not in alerts()
    house.modules.publish("-crlsec", "2")
    gate.cli("reload")
    until(lambda: "listener old-tls: a list in client_crl ran out at " in alerts().get("CRL", ""))
    checked = gate.tool("fotagated", "-n", "-c", os.path.join(gate.root, "fotagate.conf")).stderr
    assert "note: listener old-tls: a list in client_crl ran out at " in checked
    house.modules.revoke("bad")
    gate.cli("reload")
    until(lambda: "CRL" not in alerts())
    until(lambda: "alert certificate revoked" in ask(bad))
    assert "error: 404" in ask(good)
    assert house.fetch(house.legacy_port, *good) == house.data
    denied = [e for e in gate.entries() if e["ev"] == "auth.failed"]
    # Once an edge and minute, by pseudonym; the stranger, whom anybody can make as often as he likes, not at all.
    assert 1 <= len(denied) <= 2
    assert all(e["obj"] == "listener:old-tls" and e["out"] == "denied" and "revoked" in e["msg"] and
               e["dev"] == known[house.modules.key_digest("bad")] for e in denied)


def test_tickets_are_good_at_every_edge(house):
    """Edges share the listener's socket: whichever accepts opens what another sealed, also one that started anew."""
    gate, kept = house.gate, os.path.join(house.gate.dir, "session")
    get = f"HEAD /{house.url().split('/', 3)[3]} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    for version in ("-tls1_2", "-tls1_3"):
        said = house.client(gate.tls_port, version, "-ign_eof", "-sess_out", kept, send=get)
        assert re.search(r"^New, TLSv1", said, re.M) and (version == "-tls1_2" or "Max Early Data: 0" in said)
        for i in range(20):
            if i == 10:
                for name in ("edge[0]", "edge[1]"):
                    old = gate.kill_role(name)
                    until(lambda: gate.roles().get(name, old) != old)
                until(lambda: gate.ask("HEAD", tls=True)[0] == 200)
            said = house.client(gate.tls_port, version, "-ign_eof", "-sess_in", kept, "-sess_out", kept, send=get)
            assert re.search(r"^Reused, TLSv1", said, re.M) and "HTTP/1.1 200" in said, (version, i)


def test_a_shared_key_is_an_identity_until_it_is_withdrawn(house):
    gate, path = house.gate, os.path.join(house.keys, "shared")
    keys = dict(line.split(":") for line in open(path).read().split())
    assert len(keys) == 2
    url = "/" + house.url().split("/", 3)[3].replace("fw/", "shared/", 1)
    get = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()

    def as_openssl(name, *options, ok=True):
        return house.client(house.legacy_port, "-psk_identity", name, "-psk", keys[name], "-ign_eof", *options, send=get, ok=ok)

    before = {m["id"] for m in gate.cli("module", "list")["modules"]}
    for suite in ("PSK-AES128-CBC-SHA", "PSK-AES128-CCM8", "ECDHE-PSK-AES128-CBC-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"):
        said = as_openssl("nrf91-0001", "-tls1_2", "-cipher", suite)
        assert f"Cipher is {suite}" in said and "HTTP/1.1 404" in said
    said = as_openssl("nrf91-0001", "-tls1_3")
    assert "Reused, TLSv1.3" in said and "HTTP/1.1 404" in said and "BEGIN CERTIFICATE" not in said
    for priority in ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+PSK:+DHE-PSK:+ECDHE-PSK"):
        said = subprocess.run(["gnutls-cli", "--no-ca-verification", "-p", str(house.legacy_port), "--pskusername",
                               "nrf91-0002", "--pskkey", keys["nrf91-0002"], "--priority", priority, "127.0.0.1"], input=get,
                              capture_output=True, timeout=60).stdout.decode("latin-1")
        assert "HTTP/1.1 404" in said and "PSK" in said, said
    new = until(lambda: len(new := {m["id"] for m in gate.cli("module", "list")["modules"]} - before) == 2 and new)
    assert {(i["class"], i["kind"], i["text"]) for m in new for i in gate.reveal(m)} == \
        {("A", "serial", name) for name in keys}
    keys["nrf91-0001"], right = "00" * 32, keys["nrf91-0001"]
    wrong = as_openssl("nrf91-0001", "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA", ok=False)
    keys["nobody"] = keys["nrf91-0001"]
    unknown = as_openssl("nobody", "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA", ok=False)
    alert = re.compile(r"alert [a-z ]+")
    assert alert.search(wrong).group() == alert.search(unknown).group()
    with open(path, "w") as f:
        f.write(f"nrf91-0002:{keys['nrf91-0002']}\n")
    gate.cli("reload")
    keys["nrf91-0001"] = right
    until(lambda: "HTTP/1.1" not in as_openssl("nrf91-0001", "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA", ok=False))
    assert "HTTP/1.1 404" in as_openssl("nrf91-0002", "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA")
    told = open(gate.log).read() + json.dumps(gate.entries())
    assert not any(text in told for text in ("nrf91-000", right, keys["nrf91-0002"]))


def test_sslscan(house):
    for port, suites in ((house.gate.tls_port, MODERN), (house.legacy_port, MODERN | LEGACY)):
        scan = xml.fromstring(run("sslscan", "--xml=-", "--no-colour", f"127.0.0.1:{port}").stdout).find("ssltest")
        on = {f"{p.get('type')} {p.get('version')}" for p in scan.findall("protocol") if p.get("enabled") == "1"}
        assert on == {"tls 1.2", "tls 1.3"}
        assert {c.get("cipher") for c in scan.findall("cipher")} == suites | TLS13
        assert [c.get("cipher") for c in scan.findall("cipher") if c.get("status") == "preferred"] == \
            ["TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]
        assert scan.find("renegotiation").get("supported") == "0"
        assert all(h.get("vulnerable") == "0" for h in scan.findall("heartbleed"))


# What testssl.sh must find; the rest of what it says is about certificates that are a test's.
GRADES = {
    "OK": ["SSLv2", "SSLv3", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
           "cipherlist_LOW", "cipherlist_STRONG", "cipher_order", "heartbleed", "CCS", "ticketbleed", "ROBOT",
           "secure_renego", "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK",
           "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"],
    "INFO": ["TLS1", "TLS1_1", "cipherlist_3DES_IDEA", "cipherlist_AVERAGE"],
}


def test_testssl(house):
    out = os.path.join(house.gate.dir, "testssl.json")
    run("testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", out, "-p", "-s", "-P",
        "-U", f"127.0.0.1:{house.gate.tls_port}")
    with open(out) as f:
        found = {x["id"]: x for x in json.load(f)}
    for severity, ids in GRADES.items():
        for i in ids:
            assert found[i]["severity"] == severity, found[i]
    for i in ("TLS1", "TLS1_1", "cipherlist_3DES_IDEA", "cipherlist_AVERAGE"):
        assert found[i]["finding"] == "not offered"  # AVERAGE: CBC and what has no forward secrecy
    worse = [x for x in found.values() if x["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL")]
    assert not worse, worse
