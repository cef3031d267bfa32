# SPDX-License-Identifier: Apache-2.0
"""A gateway with one edge and nginx with one worker, the same file, certificate, suite and processor, and
http_load (in C) for their modules. What is measured is what the serving process costs, never how fast it is."""
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time

from rows import BIN, fail

from gate import Gate, free_port, luhn, until

SERVER_CPU, CLIENT_CPU = 0, (os.cpu_count() or 1) - 1
LOAD = os.path.join(os.path.dirname(BIN), "bench/http_load")
PROCESS_MAX = 10000  # connections of one process of modules
SUITE = "TLS_AES_128_GCM_SHA256"

NGINX = """
daemon off; worker_processes %(workers)d; pid %(dir)s/nginx.pid; error_log stderr error; worker_rlimit_nofile %(files)d;
events { worker_connections %(files)d; multi_accept on; }
http {
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; etag on; default_type application/octet-stream;
    keepalive_requests 100000000; keepalive_timeout 600s; client_header_timeout 600s; send_timeout 600s;
    open_file_cache max=16 inactive=600s; open_file_cache_valid 600s;
    client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u;
    scgi_temp_path %(dir)s/s;
    server {
        listen 127.0.0.1:%(port)d backlog=1024%(spread)s;
        listen 127.0.0.1:%(tls_port)d ssl backlog=1024%(spread)s;
        ssl_certificate %(cert)s; ssl_certificate_key %(key)s;
        ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; ssl_ecdh_curve prime256v1;
        ssl_conf_command Ciphersuites %(suite)s; ssl_session_cache off; ssl_session_tickets on;
        root %(dir)s/www;
    }
}
"""


CLONE_NEWNET = 0x40000000


def own_network():
    """A loopback of our own, for this process and what it starts: of nobody else's traffic, and of a congestion
    control that is known."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        fail(f"no network of our own: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
        f.write("10000 65535")
    congestion("cubic")


def congestion(name):
    """Linux's own is cubic; bbr paces by timers, which is work of the sender's processor."""
    for to in ("127.0.0.0/8", "127.0.0.1"):
        subprocess.run(["ip", "route", "change", "table", "local", "local", to, "dev", "lo", "proto", "kernel", "scope",
                        "host", "src", "127.0.0.1", "congctl", name], check=True)


def cpu(pid):
    """Seconds on a processor, to the nanosecond; all threads would be one too few in /proc/PID/schedstat."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        total += int(open(f"/proc/{pid}/task/{task}/schedstat").read().split()[0])
    return total / 1e9


def user_time(pid):
    """Seconds of them outside the kernel, to the tick."""
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")


def idle_time(processor):
    """Seconds it had nothing to do."""
    for line in open("/proc/stat"):
        word = line.split()
        if word[0] == f"cpu{processor}":
            return (int(word[4]) + int(word[5])) / os.sysconf("SC_CLK_TCK")
    return fail("no such processor")


def own_memory(pid):
    """KiB that are nobody's file: what others have mapped of the libraries is no connection's doing."""
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    return fail("no Pss_Anon: only root may read a role's")


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += map(int, open(f"/proc/{pid}/task/{task}/children").read().split())
    return found


def socket_memory(port):
    """Bytes the kernel holds in the buffers of a server's connections (skmem: r, w, f, o, bl)."""
    text = subprocess.run(["ss", "-tmnOH", "state", "established", f"( sport = :{port} )"], capture_output=True, text=True,
                          check=True).stdout
    total = 0
    for line in text.splitlines():
        for part in line[line.index("skmem:(") + 7:line.rindex(")")].split(","):
            name = part.rstrip("0123456789")
            if name in ("r", "w", "f", "o", "bl"):
                total += int(part[len(name):])
    return total


class Server:
    """One that listens, in one process or several: where, what it costs."""

    def __init__(self, name, pids, port, tls_port, targets):
        self.name, self.port, self.tls_port, self.targets = name, port, tls_port, targets
        self.move(pids)

    def move(self, pids):
        self.pids = pids
        for pid in pids:
            os.sched_setaffinity(pid, {SERVER_CPU})

    def cpu(self):
        return sum(map(cpu, self.pids))

    def user(self):
        return sum(map(user_time, self.pids))

    def own_memory(self):
        return sum(map(own_memory, self.pids))

    def command(self, mode, tls=None, **options):
        port = self.tls_port if tls else self.port
        words = [LOAD, mode, "127.0.0.1", str(port), f"targets={self.targets}", f"file={self.file}"]
        return words + ([f"tls={tls}"] if tls else []) + [f"{k}={v}" for k, v in options.items()]

    def load(self, mode, requests, **options):
        """Processor seconds of the server for one request."""
        before = self.cpu()
        done = subprocess.run(self.command(mode, requests=requests, **options), capture_output=True, text=True)
        if done.returncode:
            fail(f"{self.name} {mode} {options}: {done.stderr.strip()}")
        return (self.cpu() - before) / requests

    def parts(self, mode, conns, **options):
        """Commands for so many connections, none with more than a process may have descriptors for."""
        counts = [min(PROCESS_MAX, conns - i) for i in range(0, conns, PROCESS_MAX)]
        return [self.command(mode, conns=n, first=40 * i, **options) for i, n in enumerate(counts)]

    def held(self, mode="hold", **options):
        return Held(started(self.command(mode, **options)))


def started(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Steady:
    """Connections on which nothing but asking is left to do: that they were made is in no figure."""

    def __init__(self, server, conns, requests, **options):
        self.server, self.requests = server, requests
        commands = server.parts("steady", conns, requests=requests // -(-conns // PROCESS_MAX), sources=40, **options)
        self.held = [Held(process) for process in [started(c) for c in commands]]

    def cost(self):
        """Processor seconds of the server for one request of the next so many; self.user: those outside the kernel."""
        before, user, answers = self.server.cpu(), self.server.user(), 0
        for h in self.held:
            h.process.stdin.write("\n")
            h.process.stdin.flush()
        for h in self.held:
            answers += int(dict(word.split("=") for word in h.process.stdout.readline().split())["answers"])
        self.user = (self.server.user() - user) / answers
        return (self.server.cpu() - before) / answers

    def end(self):
        for h in self.held:
            h.end()


class Held:
    """Connections that stay until the end of the block; waits until they are there."""

    def __init__(self, process):
        self.process, self.said = process, {}
        if self.process.stdout.readline() != "ready\n":
            fail("no connections")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.stdin.close()
        text = self.process.stdout.read()
        if self.process.wait():
            fail("the connections did not last")
        self.said = dict(word.split("=") for word in text.split())


class Pair:
    """Both servers; the image is there, approved, and every module of the gateway's has its grant."""

    def __init__(self, size=16 << 20, modules=32, settings=(), files=8192, edges=1, peer=True, fleet=0):
        os.sched_setaffinity(0, {CLIENT_CPU})
        self.workers = edges
        self.dir = tempfile.mkdtemp(prefix="fg-bench-")
        self.nginx = None
        self.gate = Gate(edges=edges)
        try:
            self.fleet = fleet
            self._start(size, modules, settings)
            if peer:
                self._start_peer(files)
        except BaseException:
            self.close()
            raise

    def edges(self):
        """Their pids."""
        return sorted(pid for name, pid in self.gate.roles().items() if name.startswith("edge["))

    def _start(self, size, modules, settings):
        g = self.gate
        self._certificate()
        if settings:
            g.set(*settings)
        data = g.offer(data=os.urandom(size))
        os.makedirs(f"{self.dir}/www")
        Server.file = f"{self.dir}/www/image"
        with open(Server.file, "wb") as f:
            f.write(data)
        os.chmod(self.dir, 0o755)
        g.start()
        g.ask()
        g.review(1, seconds=120)
        g.approve()
        self.imeis = [luhn(f"3569380{n:07d}") for n in range(modules)]
        with open(f"{self.dir}/gate", "w") as f:
            f.writelines("/" + g.url(imei=i).split("/", 3)[3] + "\n" for i in self.imeis)
        with open(f"{self.dir}/nginx", "w") as f:
            f.write("/image\n")
        self.ours = Server("fotagate", self.edges(), g.port, g.tls_port, f"{self.dir}/gate")
        self._grant()

    def _start_peer(self, files):
        keys = os.path.join(self.gate.root, "keys")
        port, tls_port = free_port(), free_port()
        with open(f"{self.dir}/nginx.conf", "w") as f:
            f.write(NGINX % {"dir": self.dir, "port": port, "tls_port": tls_port, "suite": SUITE, "files": files,
                             "workers": self.workers, "spread": " reuseport" if self.workers > 1 else "",
                             "cert": f"{keys}/modules-tls.crt", "key": f"{keys}/modules-tls.key"})
        self.nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", self.dir, "-c", f"{self.dir}/nginx.conf"])
        workers = until(lambda: len(p := children(self.nginx.pid)) == self.workers and p)
        self.peer = Server("nginx", workers, port, tls_port, f"{self.dir}/nginx")
        self.peer.load("get", 64, length=1024)

    def renew(self, tls=None):
        """New processes: what an old heap has room for would be had for nothing."""
        for server, processes in ((self.ours, self.edges), (self.peer, lambda: children(self.nginx.pid))):
            old = server.pids
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            server.move(until(lambda: len(p := [n for n in processes() if n not in old]) == len(old) and p, 60))
        self._grant()
        for server in (self.ours, self.peer):
            server.load("get", 640, length=2048, conns=64, tls=tls)

    def _certificate(self):
        """P-256, as a gateway should offer first; the demonstration's own is RSA."""
        keys = os.path.join(self.gate.root, "keys")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-days", "30", "-keyout", f"{self.dir}/key", "-out", f"{self.dir}/crt"],
                       check=True, capture_output=True)
        for name in ("key", "crt"):
            shutil.copyfile(f"{self.dir}/{name}", f"{keys}/modules-tls.{name}") # into the file: its owner and mode stay

    def _grant(self):
        """One answer for each module, so that no grant is asked for while anything is measured."""
        left = list(self.imeis)
        end = time.monotonic() + 120
        while left and time.monotonic() < end:
            left = [i for i in left if self.gate.ask("HEAD", imei=i)[0] != 200]
            time.sleep(0.2 if left else 0)
        if left:
            fail(f"{len(left)} modules are not served")

    def close(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()
        self.gate.close()
        shutil.rmtree(self.dir, ignore_errors=True)
