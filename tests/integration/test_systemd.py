# SPDX-License-Identifier: Apache-2.0
"""What lies in systemd/: units that systemd accepts, and names, capabilities and system calls that are
those of the code. Nothing here starts a service."""
import os
import re
import shutil
import subprocess

import pytest

SRC = os.environ.get("FG_SRC", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
UNITS = os.path.join(SRC, "systemd")
EXPOSURE = 35  # tenths; PrivateNetwork=, User= and CAP_SYS_ADMIN cannot be had by what starts the roles


def read(*path):
    with open(os.path.join(SRC, *path), encoding="utf-8") as f:
        return f.read()


def lines(text):
    return [line for line in text.splitlines() if line and line[0] not in "#;"]


def settings(unit):
    """Every setting of a unit, in order, as (key, value)."""
    return [tuple(line.split("=", 1)) for line in lines(read("systemd", unit)) if "=" in line]


def values(unit, key):
    return [v for k, v in settings(unit) if k == key]


def default(path):
    """A text default of the configuration, out of the one table."""
    found = re.search(rf'TEXT\("{re.escape(path)}", [^"]*"([^"]*)"', read("policy", "config_schema.c"))
    assert found, path
    return found.group(1)


def below(prefix):
    return re.findall(rf'TEXT\("{prefix}\.(\w+)"', read("policy", "config_schema.c"))


MESSENGERS = ("fotagate-forward.service", "fotagate-notify.service", "fotagate-audit-witness.service")


@pytest.fixture
def tool():
    """systemd's own program of that name, or a skip that says which is missing."""
    def find(name):
        path = shutil.which(name)
        if not path:
            pytest.skip(f"no {name}: it is in Debian's package systemd")
        return path
    return find


@pytest.fixture
def units(tmp_path):
    """The units beside stand-ins for the programs they name: those need not be installed here."""
    names = ("fotagated.service", "fotagated.socket", *MESSENGERS)
    for name in names:
        text = read("systemd", name)
        (tmp_path / name).write_text(re.sub("/usr/s?bin/fotagated?", "/bin/true", re.sub("fotagate-(forward|notify|audit-witness)\nGroup", "root\nGroup", text)))
    return [str(tmp_path / name) for name in names]


def test_verify_has_nothing_to_say(tool, units):
    done = subprocess.run([tool("systemd-analyze"), "verify", "--man=no", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "fotagate" in line]
    assert done.returncode == 0 and not said, done.stderr


def test_exposure_stays_low(tool, units):
    done = subprocess.run([tool("systemd-analyze"), "security", "--offline=true", "--no-pager",
                           f"--threshold={EXPOSURE}", units[0]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for unit in MESSENGERS:
        done = subprocess.run([tool("systemd-analyze"), "security", "--offline=true", "--no-pager", "--threshold=20",
                               os.path.join(UNITS, unit)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", MESSENGERS)
def test_a_messenger_is_an_auditor_and_nothing_else(unit):
    rows = [line.split() for line in lines(read("systemd", "sysusers.d", unit.replace(".service", ".conf")))]
    auditor = default("roles.auditor")
    assert ["m", *values(unit, "User"), auditor] in rows and values(unit, "Group") == [auditor]
    assert [r[1] for r in rows if r[0] == "u"] == values(unit, "User")
    assert values(unit, "CapabilityBoundingSet") == [""] and values(unit, "RestartPreventExitStatus")[0].endswith("2")
    assert default("data_dir") in values(unit, "InaccessiblePaths")[0]


@pytest.mark.parametrize("unit", ["fotagated.service", *MESSENGERS])
def test_every_directive_of_the_service_says_why(unit):
    """A comment stands above each setting or run of settings from [Service] on, apart from the few that say it all."""
    text = read("systemd", unit)
    silent = []
    explained = False
    for line in text[text.index("[Service]"):text.index("[Install]")].splitlines()[1:]:
        if line.startswith("#"):
            explained = not line.startswith("# ---")
        elif not line:
            explained = False
        elif not explained:
            silent.append(line.split("=")[0])
    assert silent == ["ExecStart"] or silent == [], silent


def test_users_are_the_defaults_of_the_configuration():
    rows = [line.split() for line in lines(read("systemd", "sysusers.d", "fotagate.conf"))]
    assert {r[1] for r in rows if r[0] == "u"} == {default(f"users.{u}") for u in below("users")}
    assert {r[1] for r in rows if r[0] == "g"} == {default(f"roles.{g}") for g in below("roles")}
    assert all(r[2] == "-" for r in rows)
    assert len(rows) == len({r[1] for r in rows}) == len(below("users")) + len(below("roles"))


def test_sysusers_makes_them(tool, tmp_path):
    (tmp_path / "etc").mkdir()
    done = subprocess.run([tool("systemd-sysusers"), f"--root={tmp_path}",
                           os.path.join(UNITS, "sysusers.d", "fotagate.conf")], capture_output=True, text=True)
    assert done.returncode == 0 and "not valid" not in done.stderr, done.stderr
    passwd = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    made = {p[0]: p for p in passwd if p[0].startswith("fotagate-")}
    assert set(made) == {default(f"users.{u}") for u in below("users")}
    for p in made.values():
        assert p[2] != "0" and p[6].endswith("nologin")
    groups = {line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert groups >= {default(f"roles.{g}") for g in below("roles")} | set(made)


def test_tmpfiles_are_the_configurations_folders():
    rows = [line.split() for line in lines(read("systemd", "tmpfiles.d", "fotagate.conf"))]
    made = {r[1]: r for r in rows}
    for key in ("data_dir", "keys_dir", "run_dir"):
        assert default(key) in made, key
    assert made[default("keys_dir")][2] == "0700"
    assert all(r[0] == "d" and r[3:5] == ["root", "root"] and r[5] == "-" for r in rows)
    # Below data_dir the roles own what is theirs: fotagated makes it, nothing else may touch it.
    assert not [path for path in made if path.startswith(default("data_dir") + "/")]


def test_tmpfiles_can_be_made(tool, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make root's folders")
    done = subprocess.run([tool("systemd-tmpfiles"), f"--root={tmp_path}", "--create",
                           os.path.join(UNITS, "tmpfiles.d", "fotagate.conf")], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert (tmp_path / default("keys_dir").lstrip("/")).stat().st_mode & 0o7777 == 0o700


def test_what_the_service_may_write_is_where_it_writes():
    assert values("fotagated.service", "ReadWritePaths") == [default("data_dir")]
    assert ["/run/" + v for v in values("fotagated.service", "RuntimeDirectory")] == [default("run_dir")]
    # Changing owners below data_dir would undo the roles' separation.
    assert not values("fotagated.service", "StateDirectory")


def test_capabilities_are_the_supervisors():
    table = read("gateway", "jail", "jail_table.c")
    caps = re.search(r"#define SUPERVISOR_CAPS(.*?)\n\n", table, re.S).group(1)
    assert re.findall(r"\.caps = (\w+)", table) == ["SUPERVISOR_CAPS"] * 2  # with a decision hook, and without
    ours = {"CAP_" + name for name in re.findall(r"CAP\((\w+)\)", caps)}
    theirs = set(" ".join(values("fotagated.service", "CapabilityBoundingSet")).split())
    assert len(ours) == 9 and theirs == ours
    assert values("fotagated.service", "AmbientCapabilities") == [""]


def expand(tool, words):
    """Names of system calls behind names and groups, as this systemd knows them."""
    out = set()
    for word in words:
        if not word.startswith("@"):
            out.add(word)
            continue
        text = subprocess.run([tool("systemd-analyze"), "--no-pager", "syscall-filter", word], capture_output=True, text=True,
                              check=True).stdout
        inner = [line.strip() for line in text.splitlines()[1:]]
        out |= expand(tool, [w for w in inner if w and not w.startswith("#")])
    return out


def test_no_role_is_refused_by_the_unit_what_its_own_jail_allows(tool):
    """A call that the unit leaves out would fail only when installed, and only on the path that makes it."""
    allowed = set()
    for value in values("fotagated.service", "SystemCallFilter"):
        words = expand(tool, value.lstrip("~").split())
        allowed = allowed - words if value.startswith("~") else allowed | words
    table = read("gateway", "jail", "jail_table.c")
    ours = set(re.findall(r'\bOK(?:_IF)?\("(\w+)"', table))
    assert len(ours) > 100
    assert ours - allowed == set()
    # Errno, not death: what a role's jail refuses in good faith must stay a refusal.
    assert values("fotagated.service", "SystemCallErrorNumber") == ["EPERM"]


def test_limits_hold_what_roles_ask_for():
    files = int(re.search(r"#define EDGE_FILES (\d+)", read("gateway", "jail", "jail_table.c")).group(1))
    assert values("fotagated.service", "LimitNOFILE") == [str(files)]
    stop = int(re.search(r'INT\("limits.stop_seconds", [^"]*"(\d+)"', read("policy", "config_schema.c")).group(1))
    assert int(values("fotagated.service", "TimeoutStopSec")[0].rstrip("s")) >= 2 * stop


def test_the_socket_is_a_listener_of_the_sample_configuration():
    sample = read("systemd", "fotagate.conf")
    name = values("fotagated.socket", "FileDescriptorName")[0]
    address, port = values("fotagated.socket", "ListenStream")[0].rsplit(":", 1)
    assert re.search(rf'name = "{name}"; address = "{re.escape(address)}"; port = {port};', sample)


def test_the_consoles_lines_of_the_sample_are_good_ones_and_not_in_force():
    sample = read("systemd", "fotagate.conf")
    lines_of = re.search(r"(?m)^#console = \{\n(?:#\t.*\n)+#\};\n", sample).group()
    assert not re.search(r"(?m)^console", sample)
    keys = re.findall(r"(?m)^#\t(\w+) = ", lines_of)
    known = [re.search(r'(?:TEXT|INT)\("console\.(\w+)"', line).group(1)
             for line in read("policy", "config_schema.c").splitlines() if re.search(r'(TEXT|INT)\("console\.\w+"', line)]
    assert keys == known
    front = re.search(r"(?m)^#\t#sso = \{ (.*) \};$", lines_of).group(1)
    sso = re.findall(r'\("console\.sso\.(\w+)"', read("policy", "config_schema.c"))
    assert set(re.findall(r"(\w+) = ", front)) < set(sso)
    assert re.search(r'INT\("console.port", [^"]*"(\d+)"', read("policy", "config_schema.c")).group(1) in lines_of
