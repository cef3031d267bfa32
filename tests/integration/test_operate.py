# SPDX-License-Identifier: Apache-2.0
"""How the daemon is run: checked, reloaded, told by a service manager, and ended without cutting anybody off."""
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from gate import IMEI, PROFILE, free_port, until

OTHER = PROFILE.replace('name = "story"', 'name = "other"').replace('path = "/fw/', 'path = "/other/')


def said(gate, text, after=0):
    with open(gate.log) as f:
        return text in f.read()[after:]


def hup(gate, text):
    """Reloads; waits until the log says what came of it, and returns everything it said."""
    at = os.path.getsize(gate.log)
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: said(gate, text, at))
    with open(gate.log) as f:
        return f.read()[at:]


def serving(gate, data=None):
    data = gate.offer(data=data)
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    return data


# -- reload ------------------------------------------------------------------
def other(gate):
    return gate.get(f"/other/FG100/1.2.0/rootfs.img?imei={IMEI}&v=1.0.0")


def test_a_reload_serves_a_new_profile(gate):
    data = serving(gate)
    new = gate.offer(version="1.2.0")
    assert other(gate)[0] == 404
    with open(os.path.join(gate.root, "profiles.d/other.conf"), "w") as f:
        f.write(OTHER % {"vendor": gate.vendor.port})
    hup(gate, "the new configuration is in force")
    assert gate.served() == data  # what was served goes on
    until(lambda: other(gate)[0] == 404 and gate.reviews("review"))
    gate.approve(gate.reviews("review")[0]["id"])
    until(lambda: other(gate)[2] == new)
    assert [e["out"] for e in gate.entries() if e["ev"] == "config.changed" and e["obj"] == "configuration"] == ["ok"]
    gate.verify()


def test_a_bad_configuration_is_refused_whole(gate):
    data = serving(gate)
    with open(os.path.join(gate.root, "profiles.d/other.conf"), "w") as f:
        f.write(OTHER % {"vendor": gate.vendor.port})  # nothing wrong with this one
    path = os.path.join(gate.root, "profiles.d/story.conf")
    good = open(path).read()
    lines = good.split("\n")
    at = next(i for i, line in enumerate(lines) if "quorum" in line)
    lines[at] = "\tquorun = 2;"
    open(path, "w").write("\n".join(lines))
    told = hup(gate, "the old configuration stays in force")
    assert re.search(rf"profiles\.d/story\.conf:{at + 1}: .*quorun", told), told
    assert [p["name"] for p in gate.cli("profile", "list")["profiles"]] == ["story"]
    assert gate.served() == data
    open(path, "w").write(good)
    hup(gate, "the new configuration is in force")
    assert sorted(p["name"] for p in gate.cli("profile", "list")["profiles"]) == ["other", "story"]
    assert [e["out"] for e in gate.entries() if e["ev"] == "config.changed" and e["obj"] == "configuration"] == ["failed", "ok"]


@pytest.mark.parametrize("change,why", [
    (("port = %d;", "port = %d;"), "a changed listener needs a restart"),
    (("edges = 2;", "edges = 3;"), "a changed number of edges needs a restart"),
])
def test_what_needs_a_restart_is_refused(gate, change, why):
    data = serving(gate)
    conf = os.path.join(gate.root, "fotagate.conf")
    text = open(conf).read()
    old, new = change
    if "%d" in old:
        old, new = old % gate.port, new % free_port()
    assert old in text
    open(conf, "w").write(text.replace(old, new))
    hup(gate, why)
    assert gate.served() == data
    open(conf, "w").write(text)
    hup(gate, "the new configuration is in force")


# -- check -------------------------------------------------------------------
def check(gate, ok):
    return gate.tool("fotagated", "-n", "-c", os.path.join(gate.root, "fotagate.conf"), ok=(ok,)).stderr


def test_check_finds_nothing_wrong(gate):
    # What the machine lacks may be noted; a problem is not.
    assert not re.search(r"(?m)^(?!<)", check(gate, 0).rstrip("\n") or "<")
    assert not os.path.exists(os.path.join(gate.root, "run/control.sock"))


def test_check_tries_certificates_and_keys(gate):
    """By an edge that never serves; it says what is wrong, of which listener, and what should be there."""
    keys, conf = os.path.join(gate.root, "keys"), os.path.join(gate.root, "fotagate.conf")
    text = open(conf).read()
    assert 'key = "modules-tls.key";' in text
    with open(conf, "w") as f:
        f.write(text.replace('key = "modules-tls.key";', 'key = "modules-tls.key"; client_ca = "ca.pem"; client_crl = "list";'
                                                         ' psk = "shared";'))
    run = lambda *a: subprocess.run(["openssl", *a], cwd=keys, check=True, capture_output=True).stdout.decode()
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-days", "30", "-subj", "/CN=modules CA")
    open(os.path.join(keys, "index"), "w").close()
    with open(os.path.join(keys, "ca.cnf"), "w") as f:
        f.write("[ca]\ndefault_ca = c\n[c]\ndatabase = index\ncertificate = ca.pem\nprivate_key = ca.key\n"
                "default_md = sha256\ndefault_crl_days = 7\n")
    run("ca", "-config", "ca.cnf", "-gencrl", "-out", "list")
    with open(os.path.join(keys, "shared"), "w") as f:
        f.write("nrf91-0001:" + "5a" * 32 + "\n")
    os.chmod(os.path.join(keys, "shared"), 0o600)
    assert "listener" not in check(gate, 0)
    locked = run("ec", "-in", "ca.key", "-aes256", "-passout", "pass:secret")
    for name, content, says in [
            ("modules-tls.crt", "a certificate, honestly\n", "the certificate chain cannot be read: PEM"),
            ("modules-tls.crt", open(os.path.join(keys, "ca.pem")).read(), "the key is another certificate's"),
            ("modules-tls.key", locked, "the key cannot be read: PEM, without a passphrase"),
            ("ca.pem", locked, "client_ca cannot be used: certificates in PEM"),
            ("list", "nobody was revoked\n", "client_crl cannot be used: revocation lists in PEM"),
            ("shared", "nrf91-0001:" + "5a" * 32 + "\nnrf91-0002 5a5a\n", "unusable file of shared keys, line 2 (identity:hex"),
            ("list", None, f"{keys}/list: No such file")]:
        path = os.path.join(keys, name)
        good = open(path).read()
        if content is None:
            os.unlink(path)
        else:
            with open(path, "w") as f:
                f.write(content)
        told = check(gate, 1)
        assert says in told and (content is None or "listener modules-tls: " in told), told
        assert "5a5a" not in told
        with open(path, "w") as f:
            f.write(good)
    assert "listener" not in check(gate, 0)


def test_check_tells_every_problem_with_its_place(gate):
    path = os.path.join(gate.root, "profiles.d/story.conf")
    lines = open(path).read().split("\n")
    wrong = {}
    for was, now, word in [("quorum = 2", "\tquorum = 99;", "quorum"), ("unlisted", '\tunlisted = "perhaps";', "unlisted"),
                           ("signature_url", '\tsignature_urn = "x";', "signature_urn"),
                           ("default_group", "\tdefault_group = 7;", "default_group")]:
        at = next(i for i, line in enumerate(lines) if was in line)
        lines[at] = now
        wrong[at + 1] = word
    open(path, "w").write("\n".join(lines))
    conf = os.path.join(gate.root, "fotagate.conf")
    text = open(conf).read() + "\nedges = 3;\nlearning = true;\n"
    open(conf, "w").write(text)
    told = check(gate, 1)
    for line, word in wrong.items():
        assert re.search(rf"(?m)^profiles\.d/story\.conf:{line}: .*\b{word}\b", told), told
    last = text.count("\n")
    assert re.search(rf"(?m)^fotagate\.conf:{last - 1}: .*\bedges\b", told), told  # set twice
    assert re.search(rf"(?m)^fotagate\.conf:{last}: .*\blearning\b", told), told


def test_check_refuses_demo_keys_outside_a_demo(gate):
    gate.set("demo = false;")
    assert "demo" in check(gate, 1)
    gate.tool("fotagated", "-c", os.path.join(gate.root, "fotagate.conf"), ok=(1,))
    gate.set("demo = true;")
    check(gate, 0)


def test_check_refuses_a_demo_beyond_loopback(gate):
    conf = os.path.join(gate.root, "fotagate.conf")
    text = open(conf).read()
    open(conf, "w").write(text.replace('address = "127.0.0.1"', 'address = "0.0.0.0"', 1))
    assert re.search(r"(?m)^fotagate\.conf:\d+: .*loopback", check(gate, 1))


@pytest.mark.parametrize("name", ["log.key", "epoch.key", "modules-tls.key"])
def test_check_refuses_a_key_that_others_may_read(gate, name):
    path = os.path.join(gate.root, "keys", name)
    os.chmod(path, 0o644)
    assert name in check(gate, 1)
    os.unlink(path)
    assert name in check(gate, 1)


@pytest.mark.parametrize("name", ["fotagate.conf", "profiles.d/story.conf"])
def test_check_refuses_files_that_others_may_write(gate, name):
    os.chmod(os.path.join(gate.root, name), 0o666)
    assert os.path.basename(name) in check(gate, 1)


# -- the service manager -----------------------------------------------------
@pytest.fixture
def manager(gate):
    """What sd_notify reaches."""
    path = os.path.join(gate.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        os.chmod(path, 0o666)
        s.settimeout(20)
        yield s


def hear(manager, line):
    """Datagrams up to the one that has this line."""
    heard = []
    while True:
        heard.append(manager.recv(4096).decode().split("\n"))
        if line in heard[-1]:
            return heard


def test_it_notifies_the_service_manager(gate, manager):
    gate.start(env=dict(os.environ, NOTIFY_SOCKET=manager.getsockname()))
    heard = hear(manager, "READY=1")
    assert not any("STOPPING=1" in d for d in heard)
    gate.process.send_signal(signal.SIGHUP)
    reloading = hear(manager, "RELOADING=1")[-1]
    assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", part) for part in reloading)
    hear(manager, "READY=1")
    process = gate.process
    process.send_signal(signal.SIGTERM)
    hear(manager, "STOPPING=1")
    assert process.wait(30) == 0


def test_a_refused_reload_is_ready_again(gate, manager):
    gate.start(env=dict(os.environ, NOTIFY_SOCKET=manager.getsockname()))
    hear(manager, "READY=1")
    gate.set("nonsense = 1;")
    gate.process.send_signal(signal.SIGHUP)
    hear(manager, "RELOADING=1")
    hear(manager, "READY=1")


def test_the_watchdog_is_fed(gate, manager):
    gate.start(env=dict(os.environ, NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="400000"))
    hear(manager, "WATCHDOG=1")
    hear(manager, "WATCHDOG=1")


LAUNCHER = """
import os, sys
names, fds, command = sys.argv[1], [int(n) for n in sys.argv[2].split(",")], sys.argv[3:]
high = [os.dup2(fd, 50 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, True)
    os.close(fd)
for fd in range(3 + len(fds), 64):
    try:
        os.close(fd)
    except OSError:
        pass
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(command[0], command)
"""


def test_listeners_are_taken_from_the_service_manager(gate):
    data = gate.offer()
    with socket.socket() as plain, socket.socket() as tls:
        for s in (plain, tls):
            s.bind(("127.0.0.1", 0))
            s.listen(64)
        configured = gate.port, gate.tls_port
        gate.start("/usr/bin/python3", "-c", LAUNCHER, "modules-tls:modules", f"{tls.fileno()},{plain.fileno()}",
                   pass_fds=(plain.fileno(), tls.fileno()))
        gate.port, gate.tls_port = plain.getsockname()[1], tls.getsockname()[1]
    for port in configured:
        with socket.socket() as s:
            assert s.connect_ex(("127.0.0.1", port)) != 0
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    assert gate.served(tls=True) == data


def test_a_socket_that_does_not_listen_is_refused(gate):
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        done = subprocess.run(["/usr/bin/python3", "-c", LAUNCHER, "modules", str(idle.fileno()), *gate.command()],
                              pass_fds=(idle.fileno(),), capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "not a listening" in done.stderr


# -- the end -----------------------------------------------------------------
SIZE = 24 << 20  # more than both sockets' buffers hold


def begin(gate):
    """A module in the middle of a transfer."""
    s = socket.create_connection(("127.0.0.1", gate.port), timeout=60)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    rest = gate.url().split("/", 3)[3]
    s.sendall(f"GET /{rest} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(4096)
    head, _, body = head.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return s, body


def drain(s, body):
    """The rest; None when it was reset."""
    parts = [body]
    while True:
        try:
            part = s.recv(1 << 20)
        except ConnectionResetError:
            return None, sum(map(len, parts))
        if not part:
            return b"".join(parts), 0
        parts.append(part)


def refused(gate):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", gate.port)) != 0


def test_a_running_transfer_may_end(gate):
    data = serving(gate, os.urandom(SIZE))
    s, body = begin(gate)
    with s:
        gate.process.send_signal(signal.SIGTERM)
        until(lambda: refused(gate))  # nobody new
        assert gate.process.poll() is None
        got, _ = drain(s, body)
    assert got == data
    assert gate.process.wait(30) == 0
    gate.start()
    assert gate.served() == data
    gate.verify()


def test_after_the_limit_it_is_reset(gate):
    gate.set("limits = { stop_seconds = 1; };")
    serving(gate, os.urandom(SIZE))
    s, body = begin(gate)
    with s:
        gate.process.send_signal(signal.SIGTERM)
        assert gate.process.wait(30) == 0
        got, n = drain(s, body)
    assert got is None and n < SIZE


def test_a_second_gateway_in_the_same_place_is_refused(gate):
    data = serving(gate)
    done = subprocess.run(gate.command(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert gate.served() == data


def test_no_genesis_no_gateway(gate):
    shutil.rmtree(os.path.join(gate.root, "data/authority"))
    done = subprocess.run(gate.command(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "init" in done.stderr
