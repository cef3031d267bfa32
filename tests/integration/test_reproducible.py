# SPDX-License-Identifier: Apache-2.0
"""Two builds of the release preset, as unlike as two people's: another path, time, umask, number of jobs,
locale and home. Whoever builds a tagged source must get the bytes that were published. One of the two is the
build of the source itself, which the quickstart makes too: what is up to date is not built again."""
import hashlib
import os
import shutil
import subprocess
import time

SRC = os.environ.get("FG_SRC", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
PROGRAMS = ["fotagated", "fotagate-warden", "fotagate-inspect", "fotagate-verify", "fotagate-witness", "fotagate"]
SOURCES = ("CMakeLists.txt", "CMakePresets.json", "crypto", "images", "policy", "gateway")
BUILD_SECONDS = 400  # one build with one job on a busy machine


def files():
    """The source as a clone has it, and what is not committed yet; never what was built."""
    try:
        out = subprocess.run(["git", "-C", SRC, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=True).stdout.decode()
        found = [f for f in out.split("\0") if f]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        found = [os.path.relpath(os.path.join(top, f), SRC) for top, _, names in os.walk(SRC) for f in names]
    return [f for f in found if f.split("/")[0] in SOURCES]


def copy(names, start, to, umask):
    for f in names:
        path = os.path.join(to, f)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(os.path.join(start, f), path)
        executable = os.access(os.path.join(start, f), os.X_OK)
        os.chmod(path, (0o777 if executable else 0o666) & ~umask)


def build(source, umask, jobs, **more):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("CCACHE", "CMAKE", "LC_", "LANG", "SOURCE_DATE", "CFLAGS", "LDFLAGS"))}
    env.update(more, CCACHE_DISABLE="1")
    for step in (["cmake", "--preset", "release"],
                 ["cmake", "--build", "--preset", "release", "-j", str(jobs), "--target", *PROGRAMS]):
        done = subprocess.run(step, cwd=source, env=env, umask=umask, timeout=BUILD_SECONDS, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return os.path.join(source, "build/release/bin")


def sections(path):
    """What to look at when two programs differ."""
    out = subprocess.run(["objdump", "-h", "-w", path], capture_output=True, text=True).stdout
    data = open(path, "rb").read()
    found = {}
    for line in out.splitlines():
        f = line.split()
        if len(f) > 6 and f[0].isdigit() and "CONTENTS" in line:
            at, n = int(f[5], 16), int(f[2], 16)
            found[f[1]] = hashlib.sha256(data[at:at + n]).hexdigest()
    return found


def test_two_builds_give_the_same_bytes(tmp_path):
    there = str(tmp_path / "another" / "longer path" / "fotagate-0")
    names = [f for f in files() if os.path.exists(os.path.join(SRC, f))]  # else deleted and not committed
    copy(names, SRC, there, 0o077)
    one = build(SRC, 0o022, 2, LC_ALL="C", TZ="UTC", HOME="/root")
    time.sleep(1)  # nothing that tells the second may be left
    two = build(there, 0o077, 1, LC_ALL="C.UTF-8", TZ="Asia/Tokyo", HOME=str(tmp_path))
    differ = []
    for name in PROGRAMS:
        a, b = os.path.join(one, name), os.path.join(two, name)
        if hashlib.sha256(open(a, "rb").read()).digest() != hashlib.sha256(open(b, "rb").read()).digest():
            s, t = sections(a), sections(b)
            differ.append((name, sorted(k for k in s.keys() | t.keys() if s.get(k) != t.get(k))))
    assert not differ, differ
    shutil.rmtree(tmp_path)


def test_no_program_names_the_place_it_was_built_at():
    """The same of this build: a path in a program is a path that some assertion or log line will print."""
    folder = os.environ.get("FG_BIN", "")
    for name in PROGRAMS:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            data = open(path, "rb").read()
            assert SRC.encode() + b"/" not in data, path
