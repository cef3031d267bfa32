#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules over what was built: link map, symbol prefixes, banned calls, no mutable file-scope state."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rooms

BUILD = os.environ["FG_BUILD"]
problems = []


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def archive(room):
    return "crypto images policy".split().count(room) and f"{room}/libfg_{room}.a" or f"gateway/libfg_{room}.a"


def link_map():
    for program, (ours, libs) in rooms.PROGRAMS.items():
        path = os.path.join(BUILD, "bin", program)
        if not os.path.exists(path):
            problems.append(f"{program}: not built")
            continue
        needed = re.findall(r"\(NEEDED\).*\[(.+?)\]", run("readelf", "-d", path))
        for lib in needed:
            stem = re.split(r"\.so|-2\.|-[0-9]", lib)[0]
            if stem not in libs | rooms.SYSTEM_LIBRARIES:
                problems.append(f"{program}: links {lib}")
        text = open(os.path.join(BUILD, "map", program + ".map"), errors="replace").read()
        linked = set(re.findall(r"^LOAD \S*libfg_(\w+)\.a", text, re.M))
        # LOAD names every archive on the command line; what counts is members taken.
        taken = set(re.findall(r"^\S*libfg_(\w+)\.a\(", text, re.M))
        for room in sorted(taken - ours):
            problems.append(f"{program}: takes code from {room}")
        if not taken or not linked:
            problems.append(f"{program}: its link map could not be read")


def objects():
    for room in rooms.INCLUDES:
        if room == "gateway/cmd":
            continue
        top, _, sub = room.partition("/")
        folder = f"{top}/CMakeFiles/fg_{sub or top}.dir"
        found = glob.glob(os.path.join(BUILD, folder, "**", "*.o"), recursive=True)
        if not found:
            problems.append(f"{room}: no objects found in {folder}")
        for o in found:
            one_object(room, o)


def one_object(room, path):
    stem = os.path.basename(path)[: -len(".c.o")]
    stem = stem[:-2] if stem.endswith(".c") else stem
    if stem.startswith("published_table"):  # generated from crypto/published-keys.txt
        stem = "published"
    where = f"{room}/{stem}.c"
    first = stem.split("_")[0]
    for line in run("nm", "--format=posix", path).splitlines():
        name, kind = line.split()[:2]
        if kind == "U":
            if name.split("@")[0] in rooms.BANNED:
                problems.append(f"{where}: calls {name}")
        elif kind in "TDBRCVW" and name != first and not name.startswith(first + "_"):
            problems.append(f"{where}: exports {name}, which does not carry its module's prefix")
    for line in run("objdump", "-t", path).splitlines():
        m = re.match(r"^[0-9a-f]+ .{6}O (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
        if m and re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", m.group(1)):
            problems.append(f"{where}: mutable file-scope state {m.group(2)}")


link_map()
objects()
for p in problems:
    print(p)
print(f"{len(problems)} problems")
sys.exit(1 if problems else 0)
