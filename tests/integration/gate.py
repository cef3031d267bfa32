# SPDX-License-Identifier: Apache-2.0
"""A whole gateway in one folder, its vendor and its modules, for the stories in this directory.

Everything listens on 127.0.0.0/8. Processes are ended by pid. Nothing here knows
more of the gateway than its manual pages say.
"""
import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

BIN = os.environ.get("FG_BIN") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../build/dev/bin"))
SRC = os.environ.get("FG_SRC", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
IMEI = "490154203237518"


HANDED_OUT = set()  # a port that nobody listens on yet is as free for the kernel as it was


def free_port():
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in HANDED_OUT:
            HANDED_OUT.add(port)
            return port


PATIENCE = 3  # times as long as it takes on a machine that does nothing else: stories run beside others


def until(what, seconds=20, every=0.05):
    """Waits for what() to be true; says what it was waiting for when it never is."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"did not happen within {seconds * PATIENCE} s: {what}")


class Vendor:
    """Serves self.files; counts; keeps every request byte for byte; fails or stalls when told."""

    def __init__(self):
        self.files, self.count, self.raw, self.modes, self.moved = {}, {}, [], {}, {}
        self.lock = threading.Lock()
        self.release = threading.Event()
        self.release.set()
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with vendor.lock:
                    vendor.count[self.path] = vendor.count.get(self.path, 0) + 1
                    vendor.raw.append(self.raw_requestline + str(self.headers).encode("latin-1"))
                    mode = vendor.modes.get(self.path)
                    if isinstance(mode, list):
                        mode = mode.pop(0) if mode else None
                if mode == "stall":
                    vendor.release.wait(60)
                    mode = None
                if isinstance(mode, int):
                    self.send_response(mode)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if self.path in vendor.moved:
                    self.send_response(302)
                    self.send_header("Location", vendor.moved[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = vendor.files.get(self.path)
                if body is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def saw(self, needle):
        needle = needle.encode() if isinstance(needle, str) else needle
        return any(needle in r for r in self.raw)


class Pki:
    """The vendor's signing keys, by stock openssl."""
    made = None  # of this process: every gateway of a story has the same vendor

    @classmethod
    def of_story(cls, folder):
        """A copy of those that were made first; two keys of RSA for each gateway are long."""
        if not cls.made:
            cls.made = tempfile.TemporaryDirectory(prefix="fg-vendor-")
            cls(cls.made.name)
        shutil.copytree(cls.made.name, folder)
        return cls(folder, made=True)

    def __init__(self, folder, made=False):
        self.dir = folder
        self.ca = os.path.join(folder, "ca.pem")
        if not made:
            self.make(folder)

    def make(self, folder):
        os.makedirs(folder, exist_ok=True)
        run = lambda *a: subprocess.run(a, check=True, cwd=folder, capture_output=True)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days",
            "3650", "-subj", "/CN=Story Vendor CA", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign")
        with open(os.path.join(folder, "ext"), "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                    "extendedKeyUsage=codeSigning,emailProtection\n")
        self.leaf("sign", 7, "rsa:2048")

    def leaf(self, name, serial, *kind):
        """A signer's key and certificate under the vendor's CA."""
        run = lambda *a: subprocess.run(a, check=True, cwd=self.dir, capture_output=True)
        run("openssl", "req", "-newkey", *kind, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
            "/CN=Story Vendor Signer")
        run("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial",
            str(serial), "-days", "3600", "-extfile", "ext", "-out", f"{name}.pem")

    def sign(self, data, name="sign"):
        with tempfile.NamedTemporaryFile(dir=self.dir) as f:
            f.write(data)
            f.flush()
            return subprocess.run(
                ["openssl", "cms", "-sign", "-binary", "-in", f.name, "-signer", f"{name}.pem", "-inkey", f"{name}.key",
                 "-outform", "DER", "-nosmimecap", "-md", "sha256"], check=True, cwd=self.dir,
                capture_output=True).stdout


PROFILE = """
profile = {
	name = "story";
	supplier = "demo-vendor";
	listeners = [ "modules", "modules-tls" ];
	hosts = [ "127.0.0.1", "localhost" ];
	path = "/fw/{product}/{target}/{file}";
	query = [ "imei={imei}", "v?={current}" ];
	captures = {
		product = { class = "word"; max = 32; };
		target = { class = "version"; max = 24; };
		file = { class = "file"; max = 48; };
		imei = { class = "digits"; max = 15; };
		current = { class = "version"; max = 24; };
	};
	product = "capture:product";
	target_version = "capture:target";
	current_version = "capture:current";
	version_order = "dotted";
	identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );
	default_group = "field";
	unlisted = "offer";
	unknown_version = "hold";
	not_now = { status = 404; };
	upstream = "http://127.0.0.1:%(vendor)d/{product}/{target}/{file}";
	signature_url = "http://127.0.0.1:%(vendor)d/{product}/{target}/{file}.p7s";
	upstream_options = { allow_private = [ "127.0.0.0/8" ]; max_bytes = "512 MiB"; max_seconds = 60; };
	signature = { scheme = "cms-detached"; anchors = [ "vendor-ca.pem" ]; purpose = "code-signing"; };
	quorum = 2;
};
"""


class Gate:
    """One gateway. people are alice and bob of the demo genesis. Stories edit its configuration as they go: who wants
    its policy signed says so in init."""

    def __init__(self, profile=PROFILE, edges=2, init=()):
        self.dir = tempfile.mkdtemp(prefix="fg-story-")
        os.chmod(self.dir, 0o755)
        self.vendor = Vendor()
        self.pki = Pki.of_story(os.path.join(self.dir, "pki"))
        self.root = os.path.join(self.dir, "gateway")
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        self.log = os.path.join(self.dir, "fotagated.log")
        self.tool("fotagate", "init", "--demo", "--dir", self.root, "--console-listener", "none",
                  *(() if "--signed-policy" in init else ("--unsigned-policy",)), *init)
        conf = os.path.join(self.root, "fotagate.conf")
        text = open(conf).read()
        text = re.sub(r"port = 8080\b", f"port = {self.port}", text)
        text = re.sub(r"port = 8444\b", f"port = {self.tls_port}", text)
        text = re.sub(r"(?m)^edges = .*\n", "", text) + f"\nedges = {edges};\n"
        open(conf, "w").write(text)
        self.write_profile(profile)
        shutil.copy(self.pki.ca, os.path.join(self.root, "keys/anchors/vendor-ca.pem"))

    # -- running ---------------------------------------------------------
    def write_profile(self, profile):
        with open(os.path.join(self.root, "profiles.d/story.conf"), "w") as f:
            f.write(profile % {"vendor": self.vendor.port})

    def tool(self, name, *args, ok=(0,), **kw):
        done = subprocess.run([os.path.join(BIN, name), *args], capture_output=True, text=True, timeout=120, **kw)
        assert done.returncode in ok, f"{name} {' '.join(args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def set(self, *settings):
        """Adds settings to fotagate.conf; one that is there is replaced."""
        conf = os.path.join(self.root, "fotagate.conf")
        text = open(conf).read()
        for setting in settings:
            text = re.sub(rf"(?m)^{setting.split()[0]} = [^\n]*;\n", "", text) + setting + "\n"
        with open(conf, "w") as f:
            f.write(text)

    def command(self):
        return [os.path.join(BIN, "fotagated"), "-c", os.path.join(self.root, "fotagate.conf")]

    def start(self, *before, env=None, ready=True, **kw):
        """before: a command that becomes fotagated. ready: waits until it permits."""
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([*before, *self.command()], stdout=out, stderr=out, env=env, **kw)
        if ready:
            until(self.up, 30)
        return self

    def up(self):
        assert self.process.poll() is None, "fotagated ended:\n" + open(self.log).read()[-4000:]
        done = subprocess.run([os.path.join(BIN, "fotagate"), "-C", os.path.join(self.root, "run"), "status", "--json"],
                              capture_output=True, text=True)
        return done.returncode == 0 and json.loads(done.stdout).get("permitting")

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        status = self.process.returncode if self.process else None
        self.process = None
        return status

    def close(self, keep=False):
        self.stop()
        self.vendor.close()
        if keep:
            print("kept", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def roles(self):
        """pid of each role, by the name it gives itself."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                stat = open(f"/proc/{pid}/stat").read()
                name = stat[stat.index("(") + 1:stat.rindex(")")]
                ppid = int(stat[stat.rindex(")") + 2:].split()[1])
                if self.process and ppid == self.process.pid:
                    found[name] = int(pid)
        return found

    def kill_role(self, name, how=signal.SIGKILL):
        pid = self.roles()[name]
        os.kill(pid, how)
        return pid

    @contextlib.contextmanager
    def without(self, name):
        """Killed, and not started again meanwhile: the supervisor does not hear of it before the end."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            self.kill_role(name)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    # -- operators -------------------------------------------------------
    def cli(self, *args, ok=(0,)):
        done = self.tool("fotagate", "-C", os.path.join(self.root, "run"), *args, "--json", ok=ok)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def adopt(self, reason="put back by hand", ok=(0,)):
        """A log whose files were copied goes on here; with the gateway stopped."""
        return self.cli("audit", "adopt", "--i-have-stopped-the-other", "--reason", reason, ok=ok)

    def text(self, *args, ok=(0,)):
        return self.tool("fotagate", "-C", os.path.join(self.root, "run"), *args, ok=ok).stdout

    def reveal(self, module):
        """A module's identities in clear; the log gets to know of it."""
        return self.cli("module", "reveal", module, "--reason", "a test looks")["identities"]

    def reviews(self, state=None):
        return [r for r in self.cli("review", "list")["reviews"] if state in (None, r["state"])]

    def review(self, number=1, state="review", seconds=30):
        """Waits for R-number to be in that state."""
        def there():
            for r in self.cli("review", "list")["reviews"]:
                if r["id"] == f"R-{number}" and r["state"] == state:
                    return r
        return until(there, seconds)

    def sign(self, review, person, *options, ok=(0,), reason="read the report, looks right"):
        return self.cli("review", "statement", review, "--approver", f"{person}@demo.invalid", "--reason", reason,
                        "--sign", os.path.join(self.root, "people", person), *options, ok=ok)

    def approve(self, review="R-1", *options):
        self.sign(review, "alice", *options)
        return self.sign(review, "bob", *options)

    def enrol(self, name):
        """A new person among those who may sign, by alice and bob; their key lies with the others'."""
        people = os.path.join(self.root, "people")
        key = os.path.join(people, name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.cli("people", "propose", "--add", f"{name}@demo.invalid {key}.pub", "--sign", os.path.join(people, "alice"))
        proposal = self.cli("people", "list")["proposals"][0]["sha256"]
        done = self.cli("people", "propose", "--proposal", proposal, "--sign", os.path.join(people, "bob"))
        assert done["state"] == "in-force", done

    def export(self, pause=0.6):
        """The log so far. pause: until edges have said what they did; what control said is there without."""
        out = os.path.join(self.dir, f"export-{time.monotonic_ns()}")
        time.sleep(pause)
        self.text("audit", "export", out)
        return out

    def verify(self, out=None, ok=(0,)):
        return self.tool("fotagate-verify", out or self.export(), "--trust", os.path.join(self.root, "people/trust.txt"), ok=ok)

    def entries(self, out=None):
        with open(os.path.join(out or self.export(), "entries.jsonl")) as f:
            return [json.loads(line) for line in f]

    # -- modules ---------------------------------------------------------
    def offer(self, version="1.1.0", data=None, product="FG100", name="rootfs.img", signed=True):
        """The vendor publishes an image; returns its bytes."""
        data = data if data is not None else os.urandom(300000)
        self.vendor.files[f"/{product}/{version}/{name}"] = data
        if signed:
            self.vendor.files[f"/{product}/{version}/{name}.p7s"] = self.pki.sign(data)
        return data

    def url(self, imei=IMEI, version="1.1.0", current="1.0.0", product="FG100", name="rootfs.img", tls=False):
        where = f"https://127.0.0.1:{self.tls_port}" if tls else f"http://127.0.0.1:{self.port}"
        return f"{where}/fw/{product}/{version}/{name}?imei={imei}" + (f"&v={current}" if current else "")

    def ask(self, method="GET", headers=None, tls=False, source=None, **kw):
        """A module's request: status, headers, body."""
        return self.get("/" + self.url(**kw).split("/", 3)[3], method, headers, tls, source)

    def get(self, target, method="GET", headers=None, tls=False, source=None):
        source = (source, 0) if source else None
        if tls:
            context = ssl._create_unverified_context()
            c = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=20, context=context,
                                            source_address=source)
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=source)
        try:
            c.request(method, target, headers=headers or {})
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()

    @contextlib.contextmanager
    def kept(self, **kw):
        """A module that keeps its connection: get() is one more request on it, its status and body."""
        target = "/" + self.url(**kw).split("/", 3)[3]
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        c.connect()
        kept = c.sock

        def get():
            c.request("GET", target)
            r = c.getresponse()
            answer = r.status, r.read()
            assert c.sock is kept, "the gateway closed the connection"
            return answer
        try:
            yield get
        finally:
            c.close()

    def served(self, seconds=20, **kw):
        """Waits until a module is served; its bytes."""
        def now():
            status, _, body = self.ask(**kw)
            return (body,) if status == 200 else None
        return until(now, seconds, 0.2)[0]


def luhn(first14):
    digits = [int(c) for c in first14]
    total = 0
    for i, d in enumerate(reversed(digits)):
        d = d * 2 if i % 2 == 0 else d
        total += d - 9 if d > 9 else d
    return first14 + str((10 - total % 10) % 10)
