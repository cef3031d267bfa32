# SPDX-License-Identifier: Apache-2.0
"""Single sign-on by a front that is not ours: stock nginx, by the unix socket and by a client certificate.

Who is signed in at the issuer is a cookie of nginx's own auth_request here, as oauth2-proxy or vouch answer it. What the
front sends then is what fotagate.conf(5) has it send. curl is whoever else comes.
"""
import grp
import hashlib
import http.client
import http.server
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from crowd import settle
from gate import free_port, until
from test_console import JSON, Console, reachable

ISSUER = "https://id.example"
# What the issuer says of whoever has that cookie: subject, acr, amr.
KNOWN = {"alice": ("a-1", "gold", '["pwd","hwk"]'), "bob": ("b-2", "gold", '["pwd","otp"]'), "weak": ("a-1", "gold", '["pwd"]'),
         "lead": ("a-1", "lead", '["hwk"]'), "silent": ("a-1", "", "")}
FIELDS = {"X-FG-SSO-Issuer": ISSUER, "X-FG-SSO-Subject": "a-1", "X-FG-SSO-Acr": "gold", "X-FG-SSO-Amr": "hwk",
          "X-FG-SSO-Address": "192.0.2.9"}
NGINX = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log; events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
  scgi_temp_path {dir}/s;
  map $said_acr $acr {{ default $said_acr; "" "-"; }}
  map $said_amr $amr {{ default $said_amr; "" "-"; }}
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {keys}/web.crt; ssl_certificate_key {keys}/web.key; server_name localhost;
    location = /who {{ internal; proxy_pass http://127.0.0.1:{issuer}; proxy_pass_request_body off; }}
    location / {{
      auth_request /who;
      auth_request_set $said_sub $upstream_http_x_sub; auth_request_set $said_acr $upstream_http_x_acr;
      auth_request_set $said_amr $upstream_http_x_amr;
      proxy_pass {upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-FG-SSO-Issuer {iss}; proxy_set_header X-FG-SSO-Subject $said_sub;
      proxy_set_header X-FG-SSO-Acr $acr; {amr} proxy_set_header X-FG-SSO-Address $remote_addr;
      {tls}
    }}
  }}
}}
"""
AMR = "proxy_set_header X-FG-SSO-Amr $amr;"


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        who = KNOWN.get((self.headers["Cookie"] or "").partition("idp=")[2].partition(";")[0])
        self.send_response(200 if who else 401)
        for name, value in zip(("X-Sub", "X-Acr", "X-Amr"), who or ()):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Front:
    """nginx before the console."""

    def __init__(self, gate, issuer, upstream, tls="", amr=AMR):
        self.gate, self.port = gate, free_port()
        self.dir = os.path.join(gate.dir, f"nginx-{self.port}")
        os.mkdir(self.dir)
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(dir=self.dir, port=self.port, keys=os.path.join(gate.root, "keys"), issuer=issuer, iss=ISSUER,
                                 upstream=upstream, tls=tls, amr=amr))
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(["nginx", "-c", conf, "-p", self.dir, *user])
        until(lambda: self.answers() or self.process.poll() is not None)
        assert self.process.poll() is None, open(os.path.join(self.dir, "error.log")).read()

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method, target, who="", cookie=None, body=None, headers=None):
        """Status, problem or document, cookie."""
        context = ssl.create_default_context(cafile=os.path.join(self.gate.root, "keys/web.crt"))
        link = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        own = f"idp={who}" + (f"; __Host-fg={cookie}" if cookie else "")
        heads = {"Cookie": own, **(JSON if method != "GET" else {}), **(headers or {})}
        if method != "GET":
            heads["Origin"] = f"https://localhost:{self.port}"
        link.request(method, target, json.dumps(body).encode() if body is not None else b"" if method != "GET" else None, heads)
        r = link.getresponse()
        text = r.read()
        set_ = (r.getheader("Set-Cookie") or "").partition("=")[2].partition(";")[0]
        link.close()
        return r.status, json.loads(text) if (r.getheader("Content-Type") or "").startswith("application/") else text, set_

    def sign_in(self, who):
        return self.ask("POST", "/api/v1/session/sso", who)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Behind(Console):
    """A console that a front may stand before, both ways."""

    def __init__(self):
        super().__init__(edges=1)
        me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        self.key = self.client("front")
        self.client("other")
        keys = os.path.join(self.root, "keys")
        shutil.copy(f"{keys}/front.crt", f"{keys}/front-ca.pem")
        with open(f"{keys}/front-ca.pem", "a") as ca, open(f"{keys}/other.crt") as other:
            ca.write(other.read())
        self.sso(f'socket = "front.sock"; user = "{me}"; group = "{group}"; client_ca = "front-ca.pem"; '
                 f'client_keys = ["{self.key}"]; acr = ["gold", "platinum"]; amr = ["hwk", "otp"];')
        self.socket = os.path.join(self.root, "run/front.sock")
        self.issuer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        threading.Thread(target=self.issuer.serve_forever, daemon=True).start()
        self.fronts = []

    def sso(self, text):
        self.set(f'console = {{ address = "127.0.0.1"; port = {self.web_port}; cert = "web.crt"; key = "web.key"; '
                 f'sso = {{ {text} }}; }};')

    def client(self, name):
        """A client's certificate, and what it is pinned by."""
        base = os.path.join(self.root, "keys", name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                        "-keyout", base + ".key", "-out", base + ".crt", "-subj", f"/CN={name}", "-addext",
                        "extendedKeyUsage=clientAuth"], check=True, capture_output=True)
        pem = subprocess.run(["openssl", "x509", "-in", base + ".crt", "-noout", "-pubkey"], check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, check=True, capture_output=True).stdout
        return hashlib.sha256(der).hexdigest()

    def front(self, upstream, **kw):
        self.fronts.append(Front(self, self.issuer.server_address[1], upstream, **kw))
        return self.fronts[-1]

    def by_socket(self, **kw):
        return self.front(f"http://unix:{self.socket}:", **kw)

    def by_key(self, name="front", **kw):
        keys = os.path.join(self.root, "keys")
        return self.front(f"https://127.0.0.1:{self.web_port}", tls=f"proxy_ssl_certificate {keys}/{name}.crt; "
                          f"proxy_ssl_certificate_key {keys}/{name}.key; proxy_ssl_trusted_certificate {keys}/web.crt; "
                          "proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_server_name on;", **kw)

    def close(self, **kw):
        for f in self.fronts:
            f.close()
        self.issuer.shutdown()
        self.issuer.server_close()
        super().close(**kw)

    def curl(self, *args, fields=FIELDS, target="/api/v1/session/sso", post=True):
        """Status and id of the problem."""
        heads = [x for k, v in {**(JSON if post else {}), **fields}.items() for x in ("-H", f"{k}: {v}")]
        done = subprocess.run(["curl", "-s", "--max-time", "20", "--cacert", os.path.join(self.root, "keys/web.crt"), "-w",
                               "\n%{http_code}", *(["-X", "POST", "-d", ""] if post else []), *heads, *args,
                               (f"https://localhost:{self.web_port}" if "--unix-socket" not in args else "http://localhost") + target],
                              capture_output=True, text=True)
        text, _, status = done.stdout.rpartition("\n")
        with_id = text.startswith("{") and "id" in json.loads(text)
        return int(status), json.loads(text)["id"] if with_id else None

    def told(self, ev, **refs):
        return [e for e in self.entries() if e["ev"] == ev and all(e.get("ref", {}).get(k) == v for k, v in refs.items())]


@pytest.fixture(scope="module")
def behind():
    if not shutil.which("nginx"):
        pytest.skip("nginx is not here")
    gate = Behind()
    try:
        gate.start()
        until(lambda: reachable(gate))
        settle(gate, {"olga": "operator", "ada": "admin"})
        yield gate
    finally:
        gate.close()


def bind(gate, account, subject, ok=(0,)):
    return gate.cli("account", "bind", account, "--issuer", ISSUER, "--subject", subject, ok=ok)


def test_nobody_is_taken_in_whom_nobody_has_bound(behind):
    front = behind.by_socket()
    assert os.stat(behind.socket).st_mode & 0o7777 == 0o660
    assert front.ask("GET", "/api/v1/session", "alice")[1]["cure"] == "single sign-on"
    assert json.loads(behind.web("/api/v1/session")[2])["cure"] == "sign in"
    assert front.ask("GET", "/", "alice")[0] == 200 and front.ask("GET", "/")[0] == 401  # the latter is nginx's
    status, doc, cookie = front.sign_in("alice")
    assert (status, doc["id"], cookie) == (403, "NOT-BOUND", "")
    assert {a["account"] for a in behind.cli("account", "list")["accounts"]} == {"olga", "ada"}
    # Bound by issuer and subject, both of them, and once.
    for issuer, subject in (("id.example", "a-1"), ("http://id.example", "a-1"), (ISSUER, "a 1"), (ISSUER, "")):
        behind.cli("account", "bind", "olga", "--issuer", issuer, "--subject", subject, ok=(2,))
    shown = bind(behind, "olga", "a-1")["account"]["sso"]
    assert [(s["issuer"], s["subject"]) for s in shown] == [(ISSUER, "a-1")]
    for account in ("olga", "ada"):
        bind(behind, account, "a-1", ok=(1,))
    bind(behind, "nobody", "c-3", ok=(1,))
    (entry,) = behind.told("account.changed", change="bound")
    assert (entry["obj"], entry["ref"]["issuer"], entry["ref"]["subject"]) == ("account:olga", ISSUER, "a-1")
    assert front.sign_in("bob")[1]["id"] == "NOT-BOUND"


@pytest.mark.parametrize("way", ["by_socket", "by_key"])
def test_a_session_as_others_are(behind, way):
    front = getattr(behind, way)()
    for who in ("weak", "lead", "silent"):
        assert front.sign_in(who)[:2][1]["id"] == "SECOND-FACTOR", who
    # A page of another's cannot have it opened.
    for heads in ({"X-FG-CSRF": "0"}, {"Sec-Fetch-Site": "cross-site"}):
        assert front.ask("POST", "/api/v1/session/sso", "alice", headers=heads)[1]["id"] == "CSRF"
    assert front.ask("POST", "/api/v1/session/sso", "alice", body={"subject": "b-2"})[0] == 400
    status, doc, cookie = front.sign_in("alice")
    assert status == 200 and doc["session"]["user"] == "olga" and doc["session"]["roles"] == ["operator"] and len(cookie) == 64
    assert doc["session"]["must"] == [] and "secret" not in doc["session"]
    me = front.ask("GET", "/api/v1/session", "alice", cookie)[1]["session"]
    assert (me["user"], me["means"], me["idle_seconds"]) == ("olga", "sso", 900)
    (entry,) = [e for e in behind.told("auth.ok") if e["obj"] == f"session:{me['id']}"]
    want = {"account": "olga", "by": "single sign-on", "issuer": ISSUER, "subject": "a-1", "acr": "gold", "amr": '["pwd","hwk"]', "peer": "127.0.0.1",
            "front": f"uid:{os.geteuid()}" if way == "by_socket" else f"key:{behind.key[:16]}"}
    assert entry["ref"] == want
    # It views and restricts, in the roles of the account; it makes no accounts and hands out nothing.
    assert front.ask("GET", "/api/v1/reviews", "alice", cookie)[0] == 200
    refusal = {"kind": "digest", "value": os.urandom(32).hex(), "reason": "it is bad"}
    assert front.ask("POST", "/api/v1/refusals", "alice", cookie, refusal)[0] == 200
    assert front.ask("POST", "/api/v1/accounts/olga/password", "alice", cookie,
                     {"password": "kettle orbit fjord", "old": ""})[:2][1]["id"] == "DENIED"
    # The cookie alone is nothing: not beside the front, and not behind it for another person, or for nobody.
    assert behind.problem("/api/v1/session", headers={"Cookie": f"__Host-fg={cookie}"}) == (401, "SIGN-IN")
    assert front.ask("GET", "/api/v1/session", "bob", cookie)[1]["id"] == "SIGN-IN"
    assert front.ask("GET", "/api/v1/session", "alice", cookie)[0] == 200
    assert front.ask("DELETE", "/api/v1/session", "alice", cookie)[0] == 200
    assert front.ask("GET", "/api/v1/session", "alice", cookie)[1]["id"] == "SIGN-IN"


def test_whoever_ends_it(behind):
    front = behind.by_socket()
    cookie, other = front.sign_in("alice")[2], front.sign_in("alice")[2]
    assert [s["sso"] for s in behind.cli("session", "list")["sessions"] if s["account"] == "olga"][-2:] == [True, True]
    behind.cli("account", "disable", "olga", "--reason", "on leave")
    assert front.ask("GET", "/api/v1/session", "alice", cookie)[1]["id"] == "SIGN-IN"
    assert front.sign_in("alice")[1]["id"] == "SIGN-IN"
    behind.cli("account", "enable", "olga")
    assert front.ask("GET", "/api/v1/session", "alice", other)[1]["id"] == "SIGN-IN", "it ended"
    cookie = front.sign_in("alice")[2]
    done = behind.cli("account", "unbind", "olga", "--issuer", ISSUER, "--subject", "a-1", "--reason", "another name now")
    assert done["sessions_ended"] == 1 and done["account"]["sso"] == []
    assert front.ask("GET", "/api/v1/session", "alice", cookie)[1]["id"] == "SIGN-IN"
    assert front.sign_in("alice")[1]["id"] == "NOT-BOUND"
    assert behind.told("account.changed", change="unbound")[0]["ref"]["subject"] == "a-1"
    behind.cli("account", "unbind", "olga", "--issuer", ISSUER, "--subject", "a-1", "--reason", "again", ok=(1,))
    bind(behind, "olga", "a-1")
    # An administrator who came so has no accounts to give, and may take.
    bind(behind, "ada", "b-2")
    cookie = front.sign_in("bob")[2]
    denied = front.ask("POST", "/api/v1/accounts/olga/roles", "bob", cookie, {"roles": ["approver"]})
    assert denied[1]["id"] == "DENIED" and "single sign-on" in denied[1]["detail"]
    for path, body in (("/accounts", {"account": "eve", "password": "kettle orbit fjord", "roles": ["admin"]}),
                       ("/accounts/ada/bind", {"issuer": ISSUER, "subject": "e-5"}), ("/accounts/ada/totp", {}),
                       ("/tokens", {"account": "ada", "name": "x", "scopes": ["view"]})):
        assert front.ask("POST", "/api/v1" + path, "bob", cookie, body)[1]["id"] == "DENIED", path
    assert front.ask("POST", "/api/v1/accounts/olga/disable", "bob", cookie, {"reason": "she left"})[0] == 200
    behind.cli("account", "enable", "olga")


def test_from_anywhere_else_it_is_refused_and_told(behind):
    keys = os.path.join(behind.root, "keys")
    before = len(behind.entries())
    # A browser that says it is somebody: on the API, on a page, with one field only, or with one that looks like it.
    assert behind.curl() == (403, "FRONT")
    assert behind.curl(target="/", post=False) == (403, "FRONT")
    assert behind.curl(target="/api/v1/session", post=False, fields={"X-FG-SSO-Subject": "a-1"}) == (403, "FRONT")
    assert behind.curl(target="/api/v1/session", post=False, fields={"x_fg_sso_subject": "a-1"}) == (403, "FRONT")
    # A certificate of the same CA that is not the pinned one; one that nobody vouches for does not get as far.
    with_ = lambda name: ["--cert", f"{keys}/{name}.crt", "--key", f"{keys}/{name}.key"]
    assert behind.curl(*with_("other")) == (403, "FRONT")
    assert behind.curl(*with_("other"), target="/api/v1/status", post=False, fields={}) == (401, "SIGN-IN")
    # It names nobody, and still not itself as another address: throttling, limits and the log go by that.
    nobody = {**FIELDS, "X-FG-SSO-Issuer": "-", "X-FG-SSO-Subject": "-"}
    assert behind.curl(*with_("other"), target="/api/v1/status", post=False, fields=nobody) == (403, "FRONT")
    assert behind.curl(*with_("front"), target="/api/v1/status", post=False, fields=nobody) == (401, "SIGN-IN")
    assert behind.curl(*with_("front")) == (200, None)
    stranger = behind.client("stranger")
    assert len(stranger) == 64 and behind.curl(*with_("stranger"))[0] == 0
    # By the socket: what a front that is set up wrongly sends on.
    unix = ["--unix-socket", behind.socket]
    assert behind.curl(*unix) == (200, None)
    for broken in ({k: v for k, v in FIELDS.items() if k != gone} for gone in FIELDS):
        assert behind.curl(*unix, fields=broken) == (403, "FRONT"), broken
    for name, value in (("X-FG-SSO-Subject", "a-1\u00e9"), ("X-FG-SSO-Subject", "a" * 160), ("X-FG-SSO-Issuer", "id.example"),
                        ("X-FG-SSO-Address", "proxy"), ("X-FG-SSO-Amr", "hwk\tpwd"), ("X_FG_SSO_Subject", "b-2"),
                        ("X-FG-SSO-Groups", "admins")):
        assert behind.curl(*unix, fields={**FIELDS, name: value}) == (403, "FRONT"), (name, value)
    assert behind.curl(*unix, "-H", "X-FG-SSO-Subject: b-2") == (403, "FRONT")
    assert behind.curl(*unix, "-H", "X-FG-SSO-Acr;") == (403, "FRONT")
    assert behind.curl(*unix, fields=nobody) == (400, "USAGE")
    assert behind.curl(*unix, fields=nobody, target="/api/v1/status", post=False) == (401, "SIGN-IN")
    # A front that forgets a field lets nobody through, so that none is left for browsers to fill.
    front = behind.by_socket(amr="")
    assert front.sign_in("alice")[1]["id"] == "FRONT"
    assert front.ask("POST", "/api/v1/session/sso", "weak", headers={"X-FG-SSO-Amr": "hwk", "X-FG-SSO-Address": "::1"})[0] == 200
    # A front that sets all of them overrules whatever a browser sends, and drops what is spelt with '_'.
    front = behind.by_socket()
    assert front.ask("POST", "/api/v1/session/sso", "weak", headers={"X-FG-SSO-Amr": "hwk"})[1]["id"] == "SECOND-FACTOR"
    assert front.ask("POST", "/api/v1/session/sso", "alice", headers={"X_FG_SSO_Subject": "b-2"})[1]["session"]["user"] == "olga"
    # Gathered, with the last one named, and no later than the end.
    behind.stop()
    behind.start()
    until(lambda: reachable(behind))
    told = [e for e in behind.entries()[before:] if (e["ev"], e.get("obj")) == ("auth.failed", "sso")]
    assert sum(int(e["ref"]["count"]) for e in told) == 4 + 2 + 5 + 7 + 2 + 1, told


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be somebody else")
def test_the_kernel_says_who_is_at_the_socket(behind):
    """Somebody who may connect and is not the user that is named: nothing is answered but pages."""
    script = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
              "s.sendall(b'GET /api/v1/session HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'); "
              "print(s.makefile().read())")
    ask = lambda **who: subprocess.run(["/usr/bin/python3", "-c", script, behind.socket], capture_output=True, text=True, **who)
    assert '"id":"SIGN-IN"' in ask().stdout
    assert '"id":"FRONT"' in ask(user=65534).stdout
    assert "Permission denied" in ask(user=65534, group=65534, extra_groups=[]).stderr


def test_a_reload_that_takes_it_back(behind):
    front, other = behind.by_socket(), behind.by_key()
    cookie, second = front.sign_in("alice")[2], other.sign_in("alice")[2]
    me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    behind.sso(f'socket = "front.sock"; user = "{me}"; group = "{group}"; acr = ["platinum"];')
    behind.cli("reload")
    until(lambda: front.sign_in("alice")[1].get("id") == "SECOND-FACTOR")
    assert front.ask("GET", "/api/v1/session", "alice", cookie)[0] == 200, "it was good enough when it began"
    until(lambda: other.ask("GET", "/api/v1/session", "alice", second)[0] != 200)
    behind.set(f'console = {{ address = "127.0.0.1"; port = {behind.web_port}; cert = "web.crt"; key = "web.key"; }};')
    behind.cli("reload")
    until(lambda: "socket of the console's front needs a restart" in open(behind.log).read())


def test_what_does_not_say_who_the_front_is(behind):
    whole = {"socket": '"front.sock"', "user": '"root"', "group": '"root"', "amr": '["mfa"]'}
    text = lambda d: " ".join(f"{k} = {v};" for k, v in d.items())
    for change, why in (({"amr": None}, "acr or amr"), ({"user": None}, "go together"), ({"group": None}, "go together"),
                        ({"socket": None}, "socket or client_ca"), ({"client_ca": '"x.pem"'}, "client_keys"),
                        ({"socket": '"control.sock"'}, "own socket"), ({"client_keys": f'["{"a" * 64}"]'}, "client_ca"),
                        ({"socket": '"../front.sock"'}, "")):
        behind.sso(text({k: v for k, v in {**whole, **change}.items() if v}))
        done = behind.tool("fotagated", "-n", "-c", os.path.join(behind.root, "fotagate.conf"), ok=(1,))
        assert why in done.stderr, (change, done.stderr)
