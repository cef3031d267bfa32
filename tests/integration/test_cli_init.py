# SPDX-License-Identifier: Apache-2.0
"""fotagate init: a gateway made, signed by genuine ssh-keygen, and everything that must refuse."""
import base64
import hashlib
import json
import os
import shutil
import stat
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
NAMESPACE = "fotagate-signers@v1"

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def run(*args, cwd=None, want=None, **env):
    e = {k: v for k, v in os.environ.items() if k != "FOTAGATE_DIR"}
    r = subprocess.run([FOTAGATE, *map(str, args)], capture_output=True, text=True, timeout=120, cwd=cwd, env={**e, **env})
    if want is not None:
        assert r.returncode == want, (r.stdout, r.stderr)
    return r


def key(folder, name):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
    return folder / name


def sign(k, text, namespace=NAMESPACE):
    sig = k.parent / (k.name + ".sig")
    sig.write_bytes(subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", k], check=True,
                                   capture_output=True, input=text).stdout)
    return sig


class Gateway:
    def __init__(self, d, *extra):
        self.people = [key(d, n) for n in ("alice", "bob", "carol")]
        self.stranger = key(d, "mallory")
        self.dir = d / "gw"
        self.out = run("init", "--dir", self.dir, "--origin", "gate.example.net/fotagate", "--threshold", 2,
                       "--signer", f"alice@x.example=alice {d}/alice.pub", "--signer", "bob@x.example", d / "bob.pub",
                       "--signer", f"carol@x.example {d}/carol.pub", *extra, want=0).stdout
        self.path = self.dir / "data/authority/genesis.json"
        self.text = self.path.read_bytes()

    def seal(self, *sigs, want):
        return run("init", "--seal", self.dir, *sigs, want=want)

    def sealed(self):
        return sorted(p.name for p in self.path.parent.glob("genesis.sig.*"))


@pytest.fixture
def gw(tmp_path):
    return Gateway(tmp_path)


def mode(p):
    return stat.S_IMODE(os.stat(p).st_mode)


def test_what_is_made(gw):
    assert "genesis sha256:" + hashlib.sha256(gw.text).hexdigest() in gw.out
    g = json.loads(gw.text)
    assert gw.text.decode() == json.dumps(g, sort_keys=True, separators=(",", ":"))
    p = g["predicate"]
    assert p["gateway"] == "gate.example.net/fotagate" and p["demo"] is False and len(p["instance"]) == 32
    assert p["floors"] == {"canary": 1, "canary_max_devices": 50, "production": 2}
    assert [(s["principal"], s["user"]) for s in p["set"]["signers"]] == [
        ("alice@x.example", "alice"), ("bob@x.example", ""), ("carol@x.example", "")]
    for k, s in zip(gw.people, p["set"]["signers"]):
        assert (k.parent / (k.name + ".pub")).read_text().startswith(s["key"] + " ")
        # What it tells people to run is what they run.
        assert f"ssh-keygen -Y sign -n {NAMESPACE} -f {k} {gw.path}" in gw.out
    assert "log " + p["log"] in gw.out.splitlines()
    assert not gw.sealed()


def test_policy_is_signed_unless_somebody_asks_for_less(gw, tmp_path):
    policy = json.loads(gw.text)["predicate"]["policy"]
    # What init wrote comes to it: digests, and no profile yet.
    assert all(len(bytes.fromhex(policy[k])) == 32 for k in ("bundle", "config")) and policy["profiles"] == {}
    assert "with 0 profiles" in gw.out and "fotagate policy propose" in gw.out and "NOT SIGNED" not in gw.out
    for n, (word, signed) in enumerate((("--signed-policy", True), ("--unsigned-policy", False))):
        (tmp_path / str(n)).mkdir()
        other = Gateway(tmp_path / str(n), word)
        assert ("policy" in json.loads(other.text)["predicate"]) == signed
        assert ("NOT SIGNED" not in other.out) == signed == ("fotagate policy propose" in other.out)
    run("init", "--demo", "--dir", tmp_path / "both", "--signed-policy", "--unsigned-policy", want=2)
    assert not (tmp_path / "both").exists()


def test_what_lies_there_is_the_first_policy(tmp_path):
    """Its profiles and anchors: whoever signs the genesis signs them; what cannot be read is none."""
    src = os.environ.get("FG_SRC", os.path.join(os.path.dirname(__file__), "../.."))
    gw = tmp_path / "gw"
    (gw / "profiles.d").mkdir(parents=True)
    with open(os.path.join(src, "gateway/demo/profile.conf"), encoding="utf-8") as f:
        (gw / "profiles.d/demo.conf").write_text(f.read().replace("@VENDOR_PORT@", "9000"))
    out = run("init", "--demo", "--dir", gw, want=3)
    assert "keys/anchors/vendor-ca.pem" in out.stderr and not (gw / "data/authority/genesis.json").exists()
    (gw / "keys/anchors").mkdir(parents=True)
    (gw / "keys/anchors/vendor-ca.pem").write_text("an anchor\n")
    out = run("init", "--demo", "--dir", gw, want=0)
    assert "with 1 profile;" in out.stdout
    genesis = (gw / "data/authority/genesis.json").read_text()
    name, = json.loads(genesis)["predicate"]["policy"]["profiles"]
    assert f'name = "{name}"' in (gw / "profiles.d/demo.conf").read_text()


def test_break_glass_is_there_where_somebody_asks_for_it(gw, tmp_path):
    assert "breakglass" not in json.loads(gw.text)["predicate"]
    (tmp_path / "3").mkdir()
    other = Gateway(tmp_path / "3", "--break-glass", "5,900")
    assert json.loads(other.text)["predicate"]["breakglass"] == {"delay": 900, "max_devices": 5}
    for bad in ("5", "5,", ",900", "5,299", "5,43201", "-1,900", "5,900 ", "05,900", "4294967296,900"):
        folder = tmp_path / "bad"
        r = run("init", "--dir", folder, "--origin", "gate.example.net/fotagate", "--threshold", 2, "--signer",
                f"alice@x.example {gw.people[0]}.pub", "--signer", f"bob@x.example {gw.people[1]}.pub", "--break-glass", bad, want=2)
        assert "--break-glass" in r.stderr, (bad, r)
        assert not (folder / "data").exists()


def test_modes(gw):
    assert mode(gw.dir / "keys") == 0o700
    for name in ("log.key", "cosign.key", "epoch.key", "modules-tls.key"):
        assert mode(gw.dir / "keys" / name) == 0o600
    for name in ("state", "images/quarantine", "images/approved", "reports", "statements"):
        assert mode(gw.dir / "data" / name) == 0o700
    assert mode(gw.path) == 0o644
    if os.geteuid() != 0:
        assert mode(gw.dir) == 0o700


def test_modes_do_not_hang_on_the_umask(tmp_path):
    old = os.umask(0)
    try:
        gw = Gateway(tmp_path)
    finally:
        os.umask(old)
    for top, dirs, files in os.walk(gw.dir):
        for name in dirs + files:
            assert not mode(os.path.join(top, name)) & 0o022, name


def test_keys_are_the_ones_genesis_names(gw):
    origin, rest = "gate.example.net/fotagate", json.loads(gw.text)["predicate"]["log"].split("+", 1)[1]
    key_hash, public = rest.split("+", 1)
    skey = (gw.dir / "keys/log.key").read_text()
    assert skey.startswith(f"PRIVATE+KEY+{origin}+{key_hash}+") and skey.endswith("\n")
    seed = base64.b64decode(skey.strip().split("+", 4)[4])[1:]
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    pub = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input=der,
                         capture_output=True, check=True).stdout[-32:]
    assert base64.b64decode(public) == b"\x01" + pub
    assert len((gw.dir / "keys/epoch.key").read_bytes()) == 32
    assert (gw.dir / "keys/cosign.key").read_text().startswith(f"PRIVATE+KEY+{origin}/warden+")


def test_two_gateways_share_nothing(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one, two = Gateway(tmp_path / "1"), Gateway(tmp_path / "2")
    for name in ("log.key", "cosign.key", "epoch.key", "modules-tls.key"):
        assert (one.dir / "keys" / name).read_bytes() != (two.dir / "keys" / name).read_bytes()
    assert json.loads(one.text)["predicate"]["instance"] != json.loads(two.text)["predicate"]["instance"]


# ---- sealing ----

def test_seal(gw):
    a, b = (sign(k, gw.text) for k in gw.people[:2])
    r = gw.seal(a, b, want=0)
    assert "genesis sha256:" + hashlib.sha256(gw.text).hexdigest() in r.stdout
    assert gw.sealed() == ["genesis.sig.0", "genesis.sig.1"]
    assert (gw.path.parent / "genesis.sig.0").read_bytes() == a.read_bytes()
    assert gw.path.read_bytes() == gw.text
    gw.seal(a, b, want=1)
    assert gw.sealed() == ["genesis.sig.0", "genesis.sig.1"]


def test_seal_by_the_file_ssh_keygen_writes(gw):
    copy = gw.dir.parent / "genesis.json"
    shutil.copy(gw.path, copy)
    sigs = []
    for k in gw.people:
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", k, copy], check=True)
        sigs.append((gw.dir.parent / "genesis.json.sig").rename(gw.dir.parent / f"{k.name}.signature"))
    gw.seal(*sigs, want=0)
    assert len(gw.sealed()) == 3


def test_one_signature_too_few(gw):
    a = sign(gw.people[0], gw.text)
    assert "1 of the 2" in gw.seal(a, want=1).stderr
    # One person twice is one person.
    assert "1 of the 2" in gw.seal(a, a, want=1).stderr
    assert not gw.sealed()


def test_a_strangers_signature(gw):
    a, m = sign(gw.people[0], gw.text), sign(gw.stranger, gw.text)
    assert str(m) in gw.seal(a, m, want=1).stderr
    assert not gw.sealed()


def test_a_signature_for_something_else(gw):
    a = sign(gw.people[0], gw.text)
    gw.seal(a, sign(gw.people[1], gw.text, namespace="fotagate-approval@v1"), want=1)
    gw.seal(a, sign(gw.people[1], gw.text + b"\n"), want=1)
    junk = gw.dir.parent / "junk"
    junk.write_text("no signature at all\n")
    gw.seal(a, junk, want=1)
    gw.seal(a, gw.dir.parent / "absent", want=3)
    assert not gw.sealed()


@pytest.mark.parametrize("old,new", [(b'"production":2', b'"production":1'), (b'"threshold":2', b'"threshold":1'),
                                     (b'"demo":false', b'"demo":true '), (b'alice@x.example', b'mallo@x.example')])
def test_a_tampered_genesis(gw, old, new):
    a, b = (sign(k, gw.text) for k in gw.people[:2])
    assert gw.text.count(old) >= 1
    gw.path.write_bytes(gw.text.replace(old, new))
    gw.seal(a, b, want=1)
    assert not gw.sealed()


def test_seal_without_a_gateway(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "sig").write_text("")
    run("init", "--seal", tmp_path / "x", tmp_path / "sig", want=3)
    run("init", "--seal", tmp_path / "x", want=2)


# ---- what init refuses ----

def listing(d):
    return sorted((str(p.relative_to(d)), p.read_bytes() if p.is_file() else None) for p in d.rglob("*"))


def test_twice(gw):
    before = listing(gw.dir)
    d = gw.dir.parent
    r = run("init", "--dir", gw.dir, "--origin", "other.example.net", "--threshold", 1, "--floor-production", 1,
            "--signer", f"alice@x.example {d}/alice.pub", want=1)
    assert "Nothing is overwritten" in r.stderr
    run("init", "--dir", gw.dir, "--demo", want=1)
    assert listing(gw.dir) == before


def test_keys_without_a_genesis_are_not_overwritten_either(gw):
    gw.path.unlink()
    before = listing(gw.dir)
    d = gw.dir.parent
    run("init", "--dir", gw.dir, "--origin", "gate.example.net", "--threshold", 1, "--floor-production", 1,
        "--signer", f"alice@x.example {d}/alice.pub", want=1)
    assert listing(gw.dir) == before


def refused(tmp_path, *args, want=2):
    d = tmp_path / "gw"
    r = run("init", "--dir", d, *args, cwd=tmp_path, want=want)
    assert not d.exists(), "a failed init leaves nothing behind"
    return r.stderr


def test_what_cannot_be_a_gateway(tmp_path):
    key(tmp_path, "alice")
    key(tmp_path, "bob")
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "rsa"], check=True)
    two = ["--signer", "alice@x.example alice.pub", "--signer", "bob@x.example bob.pub"]
    ok = ["--origin", "gate.example.net", "--threshold", "2"]
    refused(tmp_path)
    refused(tmp_path, *ok)
    refused(tmp_path, *two, "--threshold", "2")
    refused(tmp_path, *two, "--origin", "gate.example.net")
    refused(tmp_path, *ok, *two, "--threshold", "3")
    refused(tmp_path, *ok, *two, "--threshold", "0")
    assert "production" in refused(tmp_path, *ok, *two, "--floor-production", "3")
    assert ".invalid" in refused(tmp_path, "--threshold", "2", *two, "--origin", "gate.invalid")
    refused(tmp_path, "--threshold", "2", *two, "--origin", "a gate")
    refused(tmp_path, "--threshold", "2", *two, "--origin", "g+ate")
    refused(tmp_path, "--threshold", "2", *two, "--origin", "g" * 121)
    assert "RSA" in refused(tmp_path, *ok, *two, "--signer", "carol@x.example rsa.pub")
    refused(tmp_path, *ok, *two, "--signer", "carol@x.example alice.pub")
    refused(tmp_path, *ok, *two, "--signer", "*@x.example alice.pub")
    refused(tmp_path, *ok, *two, "--signer", "carol@x.example absent.pub", want=3)
    refused(tmp_path, *ok, *two, "--signer", "carol@x.example alice", want=2)  # the private one
    refused(tmp_path, *ok, *two, "--signer", "carol@x.example")
    refused(tmp_path, *ok, *two, "--listener", "modules")
    refused(tmp_path, *ok, *two, "--listener", "modules=somewhere:80")
    refused(tmp_path, *ok, *two, "--listener", "modules=127.0.0.1:99999")
    refused(tmp_path, *ok, *two, "--listener", 'm"; learn = false; x = "=127.0.0.1:80')
    refused(tmp_path, *ok, *two, "--tls-name", "a,DNS:b")
    refused(tmp_path, *ok, *two, "--frobnicate")
    refused(tmp_path, *ok, *two, "stray")


def test_a_directory_that_is_no_text_for_a_configuration(tmp_path):
    key(tmp_path, "alice")
    d = tmp_path / 'quo"te'
    run("init", "--dir", d, "--origin", "gate.example.net", "--threshold", 1, "--floor-production", 1,
        "--signer", f"alice@x.example {tmp_path}/alice.pub", want=2)
    assert not d.exists()


def test_a_configuration_that_is_there_is_kept(tmp_path):
    key(tmp_path, "alice")
    d = tmp_path / "gw"
    d.mkdir()
    conf = (f'data_dir = "{d}/elsewhere";\nkeys_dir = "{d}/keys";\nrun_dir = "{d}/run";\n'
            'listeners = ( { name = "m"; address = "127.0.0.1"; port = 0; } );\n')
    (d / "fotagate.conf").write_text(conf)
    args = ("init", "--dir", d, "--origin", "gate.example.net", "--threshold", 1, "--floor-production", 1,
            "--signer", f"alice@x.example {tmp_path}/alice.pub")
    # What cannot be written into it is not dropped without a word.
    assert "kept as it is" in run(*args, "--console-listener", "127.0.0.1:8443", want=1).stderr
    run(*args, want=0)
    assert (d / "fotagate.conf").read_text() == conf
    assert (d / "elsewhere/authority/genesis.json").exists()
    assert not (d / "data").exists()


def test_a_configuration_that_cannot_be_read_refuses(tmp_path):
    key(tmp_path, "alice")
    d = tmp_path / "gw"
    d.mkdir()
    (d / "fotagate.conf").write_text("nonsense = 1;\n")
    r = run("init", "--dir", d, "--origin", "gate.example.net", "--threshold", 1, "--floor-production", 1,
            "--signer", f"alice@x.example {tmp_path}/alice.pub", want=3)
    assert "fotagate.conf:1" in r.stderr
    assert [p.name for p in d.iterdir()] == ["fotagate.conf"]


# ---- demonstrations ----

def test_demo(tmp_path):
    d = tmp_path / "demo"
    doc = json.loads(run("init", "--demo", "--dir", d, "--json", want=0).stdout)
    text = (d / "data/authority/genesis.json").read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    g = json.loads(text)["predicate"]
    assert doc["sealed"] and doc["demo"] and g["demo"] and g["gateway"].endswith(".invalid")
    assert doc["trust"] == f"genesis sha256:{digest}\nlog {g['log']}\n" == (d / "people/trust.txt").read_text()
    # Its own signatures hold for stock ssh-keygen.
    signers = tmp_path / "allowed"
    signers.write_text("".join(f'{s["principal"]} namespaces="{NAMESPACE}" {s["key"]}\n' for s in g["set"]["signers"]))
    for i, s in enumerate(g["set"]["signers"]):
        subprocess.run(["ssh-keygen", "-Y", "verify", "-f", signers, "-I", s["principal"], "-n", NAMESPACE, "-s",
                        d / f"data/authority/genesis.sig.{i}"], input=text, check=True, capture_output=True)
    conf = (d / "fotagate.conf").read_text()
    assert "demo = true;" in conf and conf.count('address = "127.0.0.1"') == 3
    assert mode(d / "people") == 0o700 and mode(d / "people/alice") == 0o600
    run("profile", "check", "--dir", d, want=0)
    crt = subprocess.run(["openssl", "x509", "-in", d / "keys/modules-tls.crt", "-noout", "-ext", "subjectAltName"],
                         check=True, capture_output=True, text=True).stdout
    assert "DNS:localhost" in crt and "IP Address:127.0.0.1" in crt
    subprocess.run(["openssl", "verify", "-CAfile", d / "keys/modules-tls.crt", "-verify_hostname", "localhost",
                    d / "keys/modules-tls.crt"], check=True, capture_output=True)


def test_demo_names_and_listeners(tmp_path):
    d = tmp_path / "demo"
    run("init", "--demo", "--dir", d, "--origin", "acme/test", "--listener", "plain=127.0.0.1:0", want=0)
    g = json.loads((d / "data/authority/genesis.json").read_text())["predicate"]
    assert g["gateway"] == "acme.invalid/test"
    assert (d / "fotagate.conf").read_text().count("name = \"plain\"") == 1
    assert [p.name for p in (d / "keys").glob("*.crt")] == ["console.crt"]


def console(d):
    """The console's lines of the configuration, and the origin where passkeys may sign."""
    text = (d / "fotagate.conf").read_text()
    g = json.loads((d / "data/authority/genesis.json").read_text())["predicate"]
    return text[text.index("console = {"):text.index("}", text.index("console = {"))], g["set"].get("console", "")


def names(d):
    return subprocess.run(["openssl", "x509", "-in", d / "keys/console.crt", "-noout", "-ext", "subjectAltName"], check=True,
                          capture_output=True, text=True).stdout


def test_a_demo_has_a_console_where_its_passkeys_may_sign(tmp_path):
    for i, (args, address, port, origin) in enumerate((
            ([], "127.0.0.1", 8443, "https://localhost:8443"),
            (["--console-listener", "[::1]:9443"], "::1", 9443, "https://localhost:9443"),
            (["--console-listener", "127.0.0.1:443"], "127.0.0.1", 443, "https://localhost"),
            (["--console-listener", "127.0.0.1:0"], "127.0.0.1", 0, "https://localhost:8443"),
            (["--console", "https://gate.example:9444"], "127.0.0.1", 9444, "https://gate.example:9444"),
            (["--console", "https://gate.example"], "127.0.0.1", 443, "https://gate.example"),
            (["--console", "https://gate.example", "--console-listener", "127.0.0.1:8443"], "127.0.0.1", 8443, "https://gate.example"))):
        d = tmp_path / f"demo{i}"
        out = run("init", "--demo", "--dir", d, *args, want=0).stdout
        lines, where = console(d)
        assert (f'address = "{address}"' in lines and f"port = {port};" in lines and where == origin), (args, lines, where)
        assert f"console        {address} port {port};" in out and f"passkeys of    {origin}\n" in out
        # It answers only to names of its certificate: the origin's is one of them.
        assert f"DNS:{origin.split('/')[2].split(':')[0]}" in names(d) and "DNS:localhost" in names(d)
        assert mode(d / "keys/console.key") == 0o600
        run("profile", "check", "--dir", d, want=0)


def test_a_demo_without_a_console(tmp_path):
    d = tmp_path / "demo"
    out = run("init", "--demo", "--dir", d, "--console-listener", "none", want=0).stdout
    assert "\n#console = {\n" in (d / "fotagate.conf").read_text() and not (d / "keys/console.key").exists()
    assert console(d)[1] == "https://localhost:8443" and "setup-code" not in out


def test_a_real_gateway_has_a_console_when_somebody_asks_for_one(gw, tmp_path):
    text = (gw.dir / "fotagate.conf").read_text()
    assert "\n#console = {\n" in text and not (gw.dir / "keys/console.key").exists() and console(gw.dir)[1] == ""
    # Without their # the lines are good ones.
    (gw.dir / "fotagate.conf").write_text("".join(line.removeprefix("#") if line.startswith(("#console", "#\t", "#}")) else line
                                                  for line in text.splitlines(keepends=True)))
    run("profile", "check", "--dir", gw.dir, want=0)
    (tmp_path / "2").mkdir()
    other = Gateway(tmp_path / "2", "--console", "https://gate.example:8443")
    assert "\n#console = {\n" in (other.dir / "fotagate.conf").read_text() and console(other.dir)[1] == "https://gate.example:8443"
    (tmp_path / "3").mkdir()
    third = Gateway(tmp_path / "3", "--console-listener", "0.0.0.0:8443", "--console", "https://gate.example:8443", "--tls-name", "10.0.0.1")
    lines, origin = console(third.dir)
    assert 'address = "0.0.0.0"' in lines and origin == "https://gate.example:8443"
    assert "DNS:gate.example" in names(third.dir) and "IP Address:10.0.0.1" in names(third.dir) and "localhost" not in names(third.dir)
    (tmp_path / "4").mkdir()
    assert console(Gateway(tmp_path / "4", "--console-listener", "127.0.0.1:8443").dir)[1] == ""


def test_what_is_no_console(tmp_path):
    for bad in ("", "8443", "localhost:8443", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:8443/tls", "127.0.0.1:8444", "0.0.0.0:8443",
                '127.0.0.1"; port = 1; x = ":8443'):
        refused(tmp_path, "--demo", "--console-listener", bad)
    refused(tmp_path, "--demo", "--console", "http://localhost:8443")
    assert "too many names" in refused(tmp_path, "--demo", *(w for i in range(16) for w in ("--tls-name", f"n{i}.example")))


def test_a_demo_keeps_to_itself(tmp_path):
    run("init", "--demo", want=2)
    refused(tmp_path, "--demo", "--listener", "modules=0.0.0.0:8080")
    refused(tmp_path, "--demo", "--signer", "alice@x.example alice.pub")


def test_profile_check(tmp_path):
    d = tmp_path / "demo"
    run("init", "--demo", "--dir", d, want=0)
    (d / "profiles.d/a.conf").write_text('profile = { name = "a"; };\n')
    r = run("profile", "check", FOTAGATE_DIR=str(d), want=1)
    assert "profiles.d/a.conf" in r.stderr
    assert run("profile", "check", "-c", d / "absent.conf", want=3).returncode == 3


def test_no_daemon(tmp_path):
    d = tmp_path / "demo"
    run("init", "--demo", "--dir", d, want=0)
    for verb in (["status"], ["halt"], ["reload"], ["review", "list"], ["audit", "tail"], ["people", "list"]):
        r = run(*verb, "--dir", d, want=3)
        assert str(d) in r.stderr and r.stdout == ""
        error = json.loads(run(*verb, "--dir", d, "--json", want=3).stdout)["error"]
        assert error["id"] == "NO-DAEMON" and error["cure"]


@pytest.mark.parametrize("args", [["frobnicate"], ["review"], ["review", "frobnicate"], ["review", "show"],
                                  ["review", "list", "--frobnicate"], ["review", "show", "R-1", "R-2"],
                                  ["review", "statement", "R-1"], ["review", "statement", "R-1", "--days", "31",
                                                                   "--reason", "long enough"],
                                  ["import", "x"], ["revoke", "R-1"], ["module", "hold", "x"], ["audit", "proof", "x"],
                                  ["audit", "proof"], ["profile", "draft", "x", "y"], ["status", "now"]])
def test_usage(args):
    r = run(*args, want=2)
    assert r.stdout == "" and r.stderr


def test_help():
    assert "review" in run("--help", want=0).stdout
    for noun in ("review", "module", "profile", "release", "people", "audit", "resume", "sighting"):
        assert "usage: fotagate " + noun in run(noun, "--help", want=0).stdout
    assert "--reason" in run("review", "statement", "--help", want=0).stdout
