# SPDX-License-Identifier: Apache-2.0
"""Manual pages: one for each program, clean to mandoc, and the same options in the page as in the program."""
import glob
import os
import re
import shutil
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
SRC = os.environ.get("FG_SRC", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
PAGES = sorted(glob.glob(os.path.join(SRC, "gateway/man/*.[1-9]")))
PROGRAMS = sorted(os.path.basename(f)[len("main_"):-len(".c")].replace("_", "-")
                  for f in glob.glob(os.path.join(SRC, "gateway/cmd/main_*.c")))
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]+|-[a-zA-Z])(?![\w-])")
DEPTH = 3  # program, noun, verb

needs_mandoc = pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")


def page_of(program):
    found = [p for p in PAGES if os.path.basename(p).rsplit(".", 1)[0] == program]
    assert len(found) == 1, f"{program}: {found}"
    return found[0]


def rendered(page):
    out = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=200", page], capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", out.stdout)


def says(program, *args):
    """What a program prints about its use, and how it ends."""
    done = subprocess.run([os.path.join(BIN, program), *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 2), f"{program} {args}: {done.returncode} {done.stderr}"
    return done.stdout + done.stderr


def verbs(text):
    """The table a program or noun prints: two spaces, a word, two spaces, a sentence."""
    return re.findall(r"(?m)^  ([a-z][a-z0-9-]*) +\S", text)


def helps(program, *path):
    """Texts of --help of a program and of everything below it, by what was typed."""
    text = says(program, *path, "--help")
    found = {" ".join((program,) + path): text}
    if len(path) + 1 < DEPTH:
        for verb in verbs(text):
            found.update(helps(program, *path, verb))
    return found


def sources(program):
    """What the program's command line is made of."""
    stem = {"fotagate": ["cli_*.c"], "fotagate-verify": ["verify_*.c"]}.get(program, [])
    names = ["main_" + program.replace("-", "_") + ".c", *stem]
    return "".join(open(f, encoding="utf-8").read() for n in names for f in glob.glob(os.path.join(SRC, "gateway/cmd", n)))


def test_there_are_six_programs_and_each_has_one_page():
    assert len(PROGRAMS) == 6
    for program in PROGRAMS:
        page_of(program)


@needs_mandoc
@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_mandoc_has_nothing_to_say(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_a_page_names_itself_and_pages_that_exist(page):
    text = open(page, encoding="utf-8").read()
    name, section = os.path.basename(page).rsplit(".", 1)
    assert re.search(rf"(?m)^\.Dt {re.escape(name.upper())} {section}$", text)
    ours = {os.path.basename(p) for p in PAGES}
    for other, sect in re.findall(r"(?m)^\.Xr (fotagate\S*) (\d)", text):
        assert f"{other}.{sect}" in ours, f"{other}({sect})"


@needs_mandoc
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_a_program_names_is_in_its_page(program):
    if not os.path.exists(os.path.join(BIN, program)):
        pytest.skip("FG_BIN names no programs")
    page = rendered(page_of(program))
    known = set(OPTION.findall(page))
    missing = {}
    for typed, text in helps(program).items():
        lost = sorted(set(OPTION.findall(text)) - known - {"--help", "-h"})
        if lost:
            missing[typed] = lost
        for verb in verbs(text):
            if not re.search(rf"(?<![\w-]){re.escape(verb)}(?![\w-])", page):
                missing.setdefault(typed, []).append(verb)
    assert not missing, missing


@needs_mandoc
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_of_a_page_is_known_to_the_program(program):
    code = sources(program)
    synopsis = rendered(page_of(program))
    synopsis = synopsis[:synopsis.index("\nDESCRIPTION")]
    unknown = []
    for option in set(OPTION.findall(synopsis)):
        name = option.lstrip("-")
        letter = len(name) == 1 and (re.search(rf"'{name}'", code) or re.search(rf'"[a-zA-Z:]*{name}[a-zA-Z:]*", options', code))
        if not letter and f'"{name}"' not in code and f'"{option}"' not in code:
            unknown.append(option)
    assert not unknown, unknown


@needs_mandoc
def test_every_option_table_of_the_command_line_is_in_its_page():
    """Also those that no usage line names."""
    page = rendered(page_of("fotagate"))
    named = set(re.findall(r'\{ "([a-z][a-z-]+)", CLI_OPT_', sources("fotagate")))
    named |= set(re.findall(r'\{ "([a-z][a-z-]+)", (?:required|optional|no)_argument', sources("fotagate")))
    assert named
    lost = sorted(n for n in named - {"help"} if not re.search(rf"--{re.escape(n)}(?![\w-])", page))
    assert not lost, lost
