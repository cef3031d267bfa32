# SPDX-License-Identifier: Apache-2.0
"""An auditor with an export: fotagate-verify and the scripts that ship in it come to the same conclusions, about every byte."""
import concurrent.futures
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import types

from gate import BIN, SRC, until

SCRIPTS = ["verify40.py", "files40.py", "people40.py", "releases40.py", "served40.py", "rollouts40.py"]
SHARED = ["base40.py", "glass40.py", "policy40.py", "standing40.py"]
AUDIT = os.path.join(SRC, "gateway/audit")


class Foreign:
    """The six scripts in this process. What openssl and ssh-keygen said of the same bytes before is remembered."""

    def __init__(self, trust):
        words = dict(line.split(" ", 1) for line in open(trust).read().splitlines() if line and line[0] != "#")
        self.args = {"verify40.py": [words["log"]], "people40.py": [words["genesis"]]}
        self.code = {n: compile(open(os.path.join(AUDIT, n)).read(), n, "exec") for n in [*SCRIPTS, *SHARED]}
        self.said, self.asked = {}, 0
        self.home = os.getcwd()

    def run(self, args, input=None, **kw):
        def name(a):
            return open(a, "rb").read() if os.path.exists(a) and os.path.isfile(a) else a
        key = (tuple(name(a) for a in args), input)
        if key not in self.said:
            self.asked += 1
            kw.pop("stdout", None)
            kw["capture_output"] = True
            self.said[key] = subprocess.run(args, input=input, **kw)
        return self.said[key]

    def script(self, name, folder):
        fake = types.ModuleType("subprocess")
        fake.run, fake.DEVNULL = self.run, subprocess.DEVNULL
        before, argv = sys.modules.get("subprocess"), sys.argv
        sys.argv = [name, folder, *self.args.get(name, [])]
        sys.modules["subprocess"] = fake
        base = types.ModuleType("base40")
        policy, standing, glass = (types.ModuleType(n) for n in ("policy40", "standing40", "glass40"))
        sys.modules.update(base40=base, policy40=policy, standing40=standing, glass40=glass)
        try:
            if name != "verify40.py":
                exec(self.code["base40.py"], base.__dict__)
            if name == "people40.py":
                exec(self.code["policy40.py"], policy.__dict__)
            if name == "releases40.py":
                exec(self.code["standing40.py"], standing.__dict__)
                exec(self.code["glass40.py"], glass.__dict__)
            exec(self.code[name], {"__name__": "__main__"})
            return None
        except BaseException as e:  # an auditor sees a traceback as what it is: no "ok"
            return repr(e)
        finally:
            os.chdir(self.home)
            sys.argv = argv
            sys.modules["subprocess"] = before
            del sys.modules["base40"], sys.modules["policy40"], sys.modules["standing40"], sys.modules["glass40"]

    def judge(self, folder):
        """None when all say ok, else which one refused and why."""
        with contextlib.redirect_stdout(io.StringIO()):
            for name in SCRIPTS:
                why = self.script(name, folder)
                if why:
                    return f"{name}: {why}"
        return None


def built(name):
    """A program of the tests (fg_story_programs)."""
    return os.path.join(os.environ.get("FG_BUILD", os.path.dirname(BIN)), "test", name)


def tell(gate):
    """One update, released by two people, served, halted and resumed."""
    gate.offer(data=os.urandom(3000))
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    gate.text("halt")
    until(lambda: gate.ask()[0] == 404)
    for person in ("alice", "bob"):
        gate.cli("resume", "statement", "--approver", f"{person}@demo.invalid", "--reason", "the cause is understood",
                 "--sign", os.path.join(gate.root, "people", person))
    gate.served()
    return gate.export()


def test_same_conclusions_by_stock_tools(gate):
    out = tell(gate)
    trust = os.path.join(gate.root, "people/trust.txt")
    words = dict(line.split(" ", 1) for line in open(trust).read().splitlines() if line and line[0] != "#")
    args = {"verify40.py": [words["log"]], "people40.py": [words["genesis"]]}
    before = sorted(os.path.join(at, n) for at, _, names in os.walk(out) for n in names)
    for name in SCRIPTS:  # those in the export, as VERIFY.md says
        done = subprocess.run(["/usr/bin/python3", os.path.join(out, name), out, *args.get(name, [])], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("ok"), name + done.stdout + done.stderr
    assert before == sorted(os.path.join(at, n) for at, _, names in os.walk(out) for n in names)
    for name in [*SCRIPTS, *SHARED]:
        code = [x for x in open(os.path.join(AUDIT, name)).read().split('"""', 2)[2].splitlines()
                if x.strip() and not x.strip().startswith("#")]
        assert len(code) <= 40, name
    entries = [json.loads(x) for x in open(os.path.join(out, "entries.jsonl"))]
    verdict = json.loads(gate.tool("fotagate-verify", out, "--trust", trust, "--json").stdout)
    assert verdict["result"] == "ok" and verdict["problems"] == [] and verdict["entries"] == len(entries)
    assert (verdict["released"], verdict["granted"], verdict["served"]) == (1, 1, 2)

    # One module's whole story, with its receipt, and what is remembered from before.
    module = next(e["dev"] for e in entries if e["ev"] == "device.grant")
    receipt = os.path.join(gate.dir, "grant.tlog-proof")
    gate.text("audit", "proof", str(next(e["seq"] for e in entries if e["ev"] == "device.grant")), "-o", receipt)
    said = gate.tool("fotagate-verify", out, "--trust", trust, "--module", module, "--receipt", receipt).stdout
    assert f"module {module} was granted 1 release, which was signed for; it was logged as served to the end 2 times" in said
    assert "without a gap" in said and "does not prove" in said and "signed by alice@demo.invalid, bob@demo.invalid" in said
    listed = subprocess.run(["/usr/bin/python3", os.path.join(out, "served40.py"), out, module], capture_output=True, text=True)
    assert listed.stdout.count("device.") == 3, listed.stdout
    statement = next(os.path.join(out, "statements", n) for n in os.listdir(os.path.join(out, "statements")) if n.endswith(".json"))
    later = gate.export()
    memory = json.loads(gate.tool("fotagate-verify", later, "--trust", trust, "--seen", out, "--seen", statement, "--seen", receipt,
                                  "--json").stdout)
    assert memory["result"] == "ok" and [s["kind"] for s in memory["seen"]] == ["checkpoint", "statement", "receipt"]
    cut = gate.tool("fotagate-verify", out, "--trust", trust, "--seen", later, ok=(1,)).stdout
    assert "ROLLED BACK or cut" in cut


def test_every_lie_that_is_found_is_found_by_the_scripts(gate):
    """The forged exports of the unit tests, each judged by both: test_verify.c says which fotagate-verify finds alone."""
    for name in ("test_verify", "test_verify_glass"):
        done = subprocess.run([built(name)], env=dict(os.environ, FG_FOREIGN="1", FG_BIN=BIN, FG_SRC=SRC), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_byte_of_an_export_is_covered(gate):
    """One bit of each: fotagate-verify refuses, and says which file. flip.c lists what may be changed, and why."""
    out = tell(gate)
    size = sum(os.path.getsize(os.path.join(at, n)) for at, _, names in os.walk(out) for n in names)
    done = subprocess.run([built("flip_export"), out, os.path.join(gate.root, "people/trust.txt")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    bytes_of, changes, named, failed = map(int, re.match(r"(\d+) bytes of \d+ files, (\d+) changes: (\d+) refused by name, (\d+) not\n",
                                                         done.stdout).groups())
    spared = [int(n) for n in re.findall(r"(?m)^(\d+) without effect: ", done.stdout)]
    assert bytes_of > size and changes >= bytes_of and failed == 0 and named + sum(spared) == changes
    assert 0 < sum(spared) < 300, done.stdout  # two lines of signatures


def places(path, size):
    """Every byte of small files; of large ones both ends of each line and one in a few."""
    if size <= 260:
        return range(size)
    data = open(path, "rb").read()
    some = set(range(0, size, max(3, size // 120))) | {0, size - 1}
    if path.endswith("entries.jsonl"):
        ends = [i for i, c in enumerate(data) if c == 10]
        some |= set(ends) | {i - 1 for i in ends} | {i + 1 for i in ends if i + 1 < size}
    return sorted(some)


def changes(path):
    """(what, bytes) for every way in which the file is changed."""
    data = open(path, "rb").read()
    for at in places(path, len(data)):
        yield f"byte {at} changed", data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    for at in sorted({0, len(data) // 3, len(data) // 2, len(data) - 1} & set(range(len(data)))):
        yield f"byte {at} dropped", data[:at] + data[at + 1:]
        yield f"byte {at} doubled", data[:at + 1] + data[at:]
    yield "a byte appended", data + b"\n"
    yield "a letter appended", data + b"x"
    yield "cut in half", data[:len(data) // 2]
    yield "emptied", b""


def test_every_change_to_an_export_fails_both_verifiers(gate):
    out = tell(gate)
    trust = os.path.join(gate.root, "people/trust.txt")
    foreign = Foreign(trust)
    copies = [os.path.join(gate.dir, f"copy{i}") for i in range(2)]
    # Lines of witnesses that the auditor has not named prove nothing to him, and nothing covers them.
    path = os.path.join(out, "checkpoint")
    text, lines = open(path).read().split("\n\n")
    own = [x for x in lines.splitlines() if x.split(" ")[1] == text.split("\n")[0]]
    open(path, "w").write(f"{text}\n\n{own[0]}\n")
    for copy in copies:
        shutil.copytree(out, copy)

    def ours(copy):
        done = subprocess.run([os.path.join(BIN, "fotagate-verify"), copy, "--trust", trust], capture_output=True, text=True)
        assert done.returncode in (0, 1, 3), done
        return done.returncode == 0

    def one(name, data, both=True):
        """With the file so, which of the two say ok. Of single bytes fotagate-verify was asked above."""
        for copy in copies:
            with open(os.path.join(copy, name), "wb") as f:
                f.write(data)
        mine = pool.submit(ours, copies[0]) if both else None
        theirs = foreign.judge(copies[1])
        return [who for who, fine in (("fotagate-verify", both and mine.result()), ("the scripts", theirs is None)) if fine]

    cases, unseen = 0, []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert ours(copies[0]) and foreign.judge(copies[1]) is None
        for name in sorted(os.path.relpath(os.path.join(at, n), out) for at, _, names in os.walk(out) for n in names):
            good = open(os.path.join(out, name), "rb").read()
            for what, data in changes(os.path.join(out, name)):
                if data == good:
                    continue
                cases += 1
                unseen += [f"{name}, {what}: {who} says ok" for who in one(name, data, not what.endswith("changed"))]
            for copy in copies:
                os.unlink(os.path.join(copy, name))
            if name.split("/")[0] not in ("provenance",) and not name.endswith((".py", ".md")):
                cases += 1
                theirs = foreign.judge(copies[1])
                if ours(copies[0]) or (theirs is None and not name.startswith(("reports/", "policies/"))):
                    unseen.append(f"{name} removed")
            for copy in copies:
                shutil.copy(os.path.join(out, name), os.path.join(copy, name))
        for stray in ("x", "signers/2.sig.0", "tile/0/001", "reports/x.json", "statements/x.sig"):
            cases += 1
            unseen += [f"{stray} added: {who} says ok" for who in one(stray, b"x")]
            for copy in copies:
                os.unlink(os.path.join(copy, stray))
        assert ours(copies[0]) and foreign.judge(copies[1]) is None
    print(f"{cases} changes, {foreign.asked} questions to openssl and ssh-keygen")
    assert not unseen, "\n".join(unseen[:40])
    assert cases > 2000
