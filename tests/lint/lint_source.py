#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules a compiler does not hold: include direction, licence lines, top level, headers that stand alone."""
import concurrent.futures
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rooms

SRC = os.environ.get("FG_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
COLUMNS_MAX = 132  # 100 is what we write; tables may be wider
problems = []


def problem(where, what):
    problems.append(f"{where}: {what}")


def tracked():
    out = subprocess.run(["git", "-C", SRC, "ls-files", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True)
    if out.returncode == 0:
        return [f for f in out.stdout.splitlines() if os.path.exists(os.path.join(SRC, f))]
    found = []
    for top, dirs, files in os.walk(SRC):
        dirs[:] = [d for d in dirs if d not in ("build", ".git")]
        found += [os.path.relpath(os.path.join(top, f), SRC) for f in files]
    return found


def room_of(path):
    folder = os.path.dirname(path)
    return folder if folder in rooms.INCLUDES else None


def includes(path):
    room = room_of(path)
    allowed = rooms.INCLUDES[room]
    extra = rooms.INCLUDE_EXCEPTIONS.get(path, set())
    text = open(os.path.join(SRC, path), encoding="utf-8").read().splitlines()
    first = None
    for number, line in enumerate(text, 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        kind, name = m.groups()
        where = f"{path}:{number}"
        if kind == '"':
            first = first or name
            folder = os.path.dirname(name)
            if not folder:
                problem(where, f'"{name}" is not folder-qualified')
            elif folder != room and "*" not in allowed and folder not in allowed | extra:
                problem(where, f"{room} may not include {folder}")
        elif name.startswith(rooms.THIRD_PARTY):
            libs = rooms.LIBRARIES[room]
            if "*" not in libs and not any(name.startswith(p) for p in libs):
                problem(where, f"{room} may not use <{name}>")
    own = path[:-2] + ".h"
    # A folder's private header brings the public ones it is made of.
    if path.endswith(".c") and os.path.exists(os.path.join(SRC, own)) and first != own \
            and not (first or "").endswith(("_private.h", "_internal.h")):
        problem(path, f"own header {own} is not the first of ours")


def text_rules(path):
    data = open(os.path.join(SRC, path), encoding="utf-8").read()
    head = data[:300]
    if "SPDX-License-Identifier: Apache-2.0" not in head:
        problem(path, "no SPDX line at the top")
    # tests may speak of marks; product code has none.
    if not path.startswith("tests/"):
        for number, line in enumerate(data.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                problem(f"{path}:{number}", "a mark of unfinished work")
            if len(line.expandtabs(8)) > COLUMNS_MAX:
                problem(f"{path}:{number}", f"line over {COLUMNS_MAX} columns")
    if re.search(r"(?m)^\s*(static\s+)?__attribute__\s*\(\(constructor", data):
        problem(path, "constructor registration")


def top_level(files):
    for top in sorted({f.split("/")[0] for f in files}):
        if not top.startswith(".") and top not in rooms.TOP_LEVEL:
            problem(top, "does not belong at the top level")


def header_alone(path):
    cc = os.environ.get("CC", "gcc")
    code = f'#include "{path}"\n#include "{path}"\nint lint_dummy;\n'
    run = subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-DFG_JAIL_SANITIZER=0", "-DFG_VERSION=\"0\"", "-Wall", "-Wextra", "-Werror",
                          "-I", SRC, "-fsyntax-only", "-x", "c", "-"], input=code, capture_output=True, text=True)
    return path, run.stderr if run.returncode else None


def main():
    files = tracked()
    top_level(files)
    headers = []
    for f in files:
        if f.endswith((".c", ".h")):
            text_rules(f)
            if room_of(f):
                includes(f)
            elif not f.startswith("tests/"):
                problem(f, "lies in no room")
            if f.endswith(".h") and not f.startswith("tests/"):
                headers.append(f)
        elif f.endswith(".py"):
            text_rules(f)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, err in pool.map(header_alone, headers):
            if err:
                problem(path, "does not compile alone:\n" + err)
    for p in problems:
        print(p)
    print(f"{len(files)} files, {len(headers)} headers, {len(problems)} problems")
    return 1 if problems or not headers else 0


sys.exit(main())
