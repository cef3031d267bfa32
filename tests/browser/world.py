# SPDX-License-Identifier: Apache-2.0
"""What the pages are looked at with: one gateway that has something of everything, most of it hostile.

R-1 could not be fetched; R-2 is released and goes over its rings; R-3 is the tampered
successor that people have to read; R-4 has no signature; R-5 was rejected; R-6 waits for a
second person; R-7 is full of names that no browser may take for anything but text.
"""
import io
import os
import sys
import tarfile

INTEGRATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration")
sys.path.insert(0, INTEGRATION)
from gate import Gate, PROFILE, until  # noqa: E402

PAIRS = os.path.join(os.environ.get("FG_VECTORS", ""), "pairs")
BY_TOKEN = [('identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );',
             'identity = ( { class = "B"; kind = "token"; from = "capture:token"; } );'),
            ('"imei={imei}"', '"imei={token}"'),
            ('imei = { class = "digits"; max = 15; };', 'token = { class = "token"; max = 64; };'),
            ("quorum = 2;", 'quorum = 2;\n\trollout = "careful";')]
PLAN = """rollout_plans = ( { name = "careful"; per_day = 70; settle = "0s"; silence = "2h"; rings = (
	{ name = "canary"; groups = [ "canary" ]; reports = 2; success = 1000; silent = 500; soak = "1h"; failed = 500; },
	{ name = "half"; share = 500; reports = 10; success = 1000; silent = 30; soak = "1h"; failed = 500; },
	{ name = "rest"; human = false; reports = 10; success = 900; silent = 30; soak = "1h"; failed = 500; } ); } );"""
CANARIES = [f"canary-token-{n:03d}-aaaaaaaa" for n in range(2)]
FIELD = [f"field-token-{n:04d}-bbbbbbbb" for n in range(12)]

# Each of them sets window.pwned where a browser takes it for more than text.
XSS = ["<img src=x onerror=pwned=1>", "<script>pwned=1</script>", "\"><svg onload=pwned=1>", "javascript:pwned=1",
       "';pwned=1;'", "{{constructor.constructor('pwned=1')()}}"]
BIDI = "safe\u202egnp.exe"
NASTY = XSS + [BIDI, "a\u200bb\ufeffc", "bell\x07esc\x1b[31m", "line\nbreak\ttab", "\u2066isolate\u2069", "del\x7f\x85"]


def tar(names, salt):
    """An archive with these file names, a few words in each file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for i, name in enumerate(names):
            data = f"{salt} {i} {name} http://{salt}{i}.example/{name}\n".encode() * 4
            info = tarfile.TarInfo(f"etc/{i}-{name.replace('/', '_')}")
            info.size, info.mode, info.mtime = len(data), 0o755, 1700000000
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def pair(name):
    with open(os.path.join(PAIRS, name), "rb") as f:
        return f.read()


class World:
    """A gate with all that; alice and bob are the demo's people."""

    def __init__(self):
        profile = PROFILE
        for was, now in BY_TOKEN:
            assert was in profile
            profile = profile.replace(was, now)
        self.gate = Gate(profile=profile, edges=1)
        self.gate.set(PLAN.replace("\n", " "))

    def bring(self, number, version, data=None, signed=True, state="review", product="FG100", current="1.0.0", seconds=60):
        """A module asks for what the vendor has; R-number comes into that state."""
        if data is not None:
            self.gate.offer(version, data=data, product=product, signed=signed)
        self.gate.ask(imei=FIELD[0], version=version, product=product, current=current)
        return self.gate.review(number, state=state, seconds=seconds)

    def fill(self):
        g = self.gate
        rows = [f"token,{t},{'canary' if t in CANARIES else 'field'},FG100,1.0.0" for t in CANARIES + FIELD]
        rows += [f'token,hostile-token-{i:04d}-cccc,"{text}",FG100,1.0.0' for i, text in enumerate(XSS[:2])]
        path = os.path.join(g.dir, "fleet.csv")
        with open(path, "w") as f:
            f.write("kind,identity,group,product,version\n" + "\n".join(rows) + "\n")
        g.cli("module", "import", path, "--profile", "story")
        self.bring(1, "1.0.5", state="fetch-failed")
        for t in CANARIES + FIELD:
            g.ask(imei=t, version="1.0.5")
        self.bring(2, "1.1.0", pair("base.sqfs"))
        g.approve("R-2")
        for t in CANARIES:
            g.served(imei=t)
        self.bring(3, "1.2.0", pair("tampered.sqfs"))
        self.bring(4, "1.3.0", pair("update.sqfs"), signed=False, state="blocked")
        self.bring(5, "1.4.0", os.urandom(70000))
        g.cli("review", "reject", "R-5", "--reason", XSS[1] + " was not asked for")
        self.bring(6, "1.0.0", tar(["a", "b"], "old"), product="FG200", current="0.9.0")
        g.approve("R-6")
        self.bring(7, "1.1.0", tar(NASTY, "new"), state="blocked", product="FG200")
        self.bring(8, "1.5.0", pair("update.sqfs"))
        g.sign("R-8", "alice")
        hostile = g.cli("module", "list")["modules"][-1]["id"]
        g.cli("module", "hold", hostile, "--reason", XSS[0] + " held it")
        return self

    def close(self):
        self.gate.close()
