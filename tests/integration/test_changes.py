# SPDX-License-Identifier: Apache-2.0
"""fotagate inspect --against: what a person is told of the way from one firmware to the next, by the jailed programs."""
import hashlib
import html.parser
import json
import os
import pathlib
import pty
import re
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
PAIRS = pathlib.Path(os.environ.get("FG_VECTORS", "")) / "pairs"
WRAPS = ["sqfs", "cpio.gz", "tar", "zip", "deb", "flash", "gpt", "boot", "cab", "cramfs", "ext2", "ext4", "fat", "jffs2", "simg", "ubi"]

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")

# What tests/vectors/pairs.py planted, and the block and finding it has to be told under.
PLACES = {
    "setuid": ("red", "CHG-SETUID"),
    "ca": ("red", "CHG-CA-NEW"),
    "telnetd": ("red", "CHG-LISTENER"),
    "c2": ("contact", "CHG-CONTACT-URL"),
    "phone": ("contact", "CHG-CONTACT-PHONE"),
    "at": ("modem", "CHG-MODEM-AT"),
    "one-token": ("files", "CHG-TEXT"),
    "imei": ("ident", "CHG-IDENTIFIERS"),
    "renamed": ("files", "CHG-FILES"),
    "fuse": ("doors", "CHG-ONE-WAY-DOOR"),
    "anchor": ("doors", "CHG-ONE-WAY-DOOR"),
    "opaque": ("entropy", "CHG-OPAQUE"),
}


def run(*args, **kw):
    return subprocess.run([FOTAGATE, "inspect", *map(str, args)], capture_output=True, timeout=300, **kw)


def report(old, new, *args):
    r = run("--json", "--at", "2026-01-01T00:00:00Z", "--against", old, *args, new)
    assert r.returncode in (0, 1), r.stderr.decode()
    doc = json.loads(r.stdout)
    assert r.stdout.decode() == json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return doc


def adds_up(doc):
    page = doc["changes"]["page"]
    assert page["holds"] is True
    for side in ("old", "new"):
        assert sum(page["image"][side].values()) == doc["changes"][side]["size"]
    ids = {f["id"] for f in doc["findings"]}
    assert {line["id"] for line in page["lines"]} <= ids
    return page


@pytest.mark.parametrize("wrap", WRAPS)
def test_every_planted_thing_is_told_in_its_block(wrap):
    page = adds_up(report(PAIRS / f"base.{wrap}", PAIRS / f"tampered.{wrap}"))
    planted = [row.split("\t") for row in (PAIRS / "planted").read_text().splitlines()]
    assert {row[0] for row in planted} == set(PLACES)
    for what, path, _word in planted:
        block, finding = PLACES[what]
        hits = [line for line in page["lines"] if line["block"] == block and line["id"] == finding
                and re.search(f"(^|/){re.escape(path)}(/|$)", line["path"])]
        # A tar or cpio in a deb gives rights as squashfs does; zip, cab and FAT have none to give.
        assert hits or (wrap in ("cab", "zip", "fat") and what == "setuid"), (what, path)


@pytest.mark.parametrize("wrap", WRAPS)
def test_an_honest_update_raises_no_red_line(wrap):
    page = adds_up(report(PAIRS / f"base.{wrap}", PAIRS / f"update.{wrap}"))
    assert [line for line in page["lines"] if line["block"] in ("red", "ident", "modem", "doors", "entropy")] == []


RULES = """rule dials_out { meta: description = "sends a message" strings: $a = "send_sms" condition: $a }
rule script { meta: severity = "notice" condition: extension == ".sh" and filesize < 1MB }
"""


def test_rules_of_the_operator(tmp_path):
    rules = tmp_path / "own.yar"
    rules.write_text(RULES)
    doc = report(PAIRS / "base.gpt", PAIRS / "tampered.gpt", "--yara", rules)
    assert doc["inputs"]["rules"] == hashlib.sha256(RULES.encode()).hexdigest()
    lines = [(line["block"], line["severity"], line["path"].split("/")[-1], line["text"]) for line in adds_up(doc)["lines"] if line["id"] == "CHG-YARA"]
    assert ("red", "warning", "notify.sh", "YARA rule dials_out: sends a message") in lines
    assert ("files", "notice", "update.sh", "YARA rule script, as before") in lines
    assert not any(path == "libmodem.so" for _, _, path, _ in lines)
    assert "rules" not in report(PAIRS / "base.gpt", PAIRS / "update.gpt")["inputs"]
    # With a delta they are asked of what it makes.
    assert b"--against" in run("--yara", rules, PAIRS / "base.gpt").stderr


def test_rules_that_are_none(tmp_path):
    rules = tmp_path / "own.yar"
    for text, status, said in [
            (b"rule a { condition: true }\n\nrule b { condition: nothing }\n", 2, b'own.yar:3: undefined identifier "nothing"'),
            (b"rule a {", 2, b"own.yar:1: syntax error"), (b"", 2, b"empty"), (b"rule a {\0}", 2, b"own.yar:1: a NUL byte"),
            (b'include "/etc/passwd"', 2, b"own.yar:1: "), (b'import "time"\nrule a { condition: time.now() > 0 }', 2, b'own.yar:1: module "time"'),
            (b"rule \x1b]0;x { condition: true }", 2, b"own.yar:1: "), (b" " * (5 << 20), 2, b"longer than 4194304 bytes")]:
        rules.write_bytes(text)
        r = run("--yara", rules, "--against", PAIRS / "base.sqfs", PAIRS / "update.sqfs")
        assert (r.returncode, r.stdout) == (status, b"") and said in r.stderr and b"\x1b" not in r.stderr, r.stderr
    r = run("--yara", tmp_path / "none", "--against", PAIRS / "base.sqfs", PAIRS / "update.sqfs")
    assert r.returncode == 3 and b"No such file" in r.stderr


def test_a_million_matches_are_told_not_counted(tmp_path):
    rules, big = tmp_path / "own.yar", tmp_path / "big"
    rules.write_text('rule many { strings: $a = "aaaa" condition: #a > 3000000 }\nrule one { strings: $a = "aaaa" condition: $a }\n')
    big.write_bytes(b"a" * (4 << 20) + b"end")
    page = adds_up(report(PAIRS / "base.sqfs", big, "--yara", rules))
    assert [line["text"] for line in page["lines"] if line["id"] == "CHG-YARA"] == ["YARA rule one"]
    assert any(line["id"] == "CHG-INCOMPLETE" and "1 with more matches" in line["text"] for line in page["lines"])


def test_identities_of_the_own_fleet(tmp_path):
    fleet = tmp_path / "fleet"
    imei = "356938035643809"  # stands in the table that pairs.py planted
    for listed in (imei, hashlib.sha256(imei.encode()).hexdigest()):
        fleet.write_text(f"# ours\n86{imei[2:]}\n{listed}\n")
        doc = report(PAIRS / "base.sqfs", PAIRS / "tampered.sqfs", "--own", fleet)
        assert doc["inputs"]["own"] == hashlib.sha256(fleet.read_bytes()).hexdigest() and doc["verdict"] == "blocked"
        own = [line for line in adds_up(doc)["lines"] if line["id"] == "CHG-IDENTIFIERS-OWN"]
        assert [(line["block"], line["path"].split("/")[-1]) for line in own] == [("ident", "table.bin")]
    # Only hashes of it: the old image is asked, too.
    hashed = tmp_path / "hashed"
    hashed.write_bytes((PAIRS / "base.tar").read_bytes() + hashlib.md5(imei.encode()).hexdigest().encode().ljust(512, b" "))
    fleet.write_text(imei)
    assert "1 by MD5" in str(report(PAIRS / "base.tar", hashed, "--own", fleet)["changes"]["page"]["lines"])
    assert "by MD5" not in str(report(hashed, hashed, "--own", fleet))
    fleet.write_text(imei + "\nIMEI\n")
    r = run("--own", fleet, "--against", PAIRS / "base.sqfs", PAIRS / "update.sqfs")
    assert r.returncode == 2 and b"fleet:2: neither digits" in r.stderr


def test_the_same_image_twice():
    doc = report(PAIRS / "base.gpt", PAIRS / "base.gpt")
    page = adds_up(doc)
    assert page["image"]["new"]["identical"] == doc["image"]["size"]
    assert {line["block"] for line in page["lines"]} <= {"unseen"}


def test_the_page_for_a_terminal_cuts_only_what_is_mild():
    short = run("--against", PAIRS / "base.gpt", PAIRS / "tampered.gpt").stdout.decode()
    whole = run("--all", "--against", PAIRS / "base.gpt", PAIRS / "tampered.gpt").stdout.decode()
    assert len(short) < len(whole) and re.search(r"and \d+ more", short)
    for word in ("telnetd", "203.0.113.77", "+8613800138000", "AT+CGSN", "Extra root", "not explained"):
        assert word in short
    assert " safe" not in whole.lower()


class Inert(html.parser.HTMLParser):
    """Nothing that loads or runs."""
    TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "br", "table", "tr", "th", "td", "code",
            "svg", "rect", "span", "i"}
    ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "viewbox", "preserveaspectratio", "role", "aria-label",
                  "x", "y", "width", "height", "fill", "style", "colspan"}

    def handle_starttag(self, tag, attrs):
        assert tag in self.TAGS, tag
        assert {name for name, _ in attrs} <= self.ATTRIBUTES, attrs


def test_the_html_is_one_page_that_loads_nothing(tmp_path):
    out = tmp_path / "report.html"
    assert run("--html", out, "--against", PAIRS / "base.gpt", PAIRS / "tampered.gpt").returncode == 1
    text = out.read_text()
    assert "default-src 'none'" in text and "url(" not in text and "telnetd" in text
    Inert().feed(text)
    r = run("--html", tmp_path / "no" / "where", "--against", PAIRS / "base.gpt", PAIRS / "tampered.gpt")
    assert r.returncode == 3 and b"no/where" in r.stderr


def test_damaged_images_are_told_and_add_up(tmp_path):
    whole = (PAIRS / "update.gpt").read_bytes()
    for name, data in (("empty", b""), ("cut", whole[:1800000]), ("flipped", whole[:1600000] + bytes([whole[1600000] ^ 0x40]) + whole[1600001:])):
        path = tmp_path / name
        path.write_bytes(data)
        adds_up(report(PAIRS / "base.gpt", path))
        adds_up(report(path, PAIRS / "base.gpt"))


def test_a_scratch_folder_that_is_not_there_costs_memory_only(tmp_path):
    doc = report(PAIRS / "base.sqfs", PAIRS / "update.sqfs")
    r = run("--json", "--at", "2026-01-01T00:00:00Z", "--against", PAIRS / "base.sqfs", PAIRS / "update.sqfs",
            env=dict(os.environ, TMPDIR=str(tmp_path / "none")))
    assert json.loads(r.stdout) == doc


def test_how_far_it_is_shows_on_a_terminal_only(tmp_path):
    big = tmp_path / "big"
    with open(big, "wb") as f:  # nothing, but seconds of it to compare
        f.truncate(400 << 20)
    master, slave = pty.openpty()
    r = subprocess.Popen([FOTAGATE, "inspect", "--json", "--against", big, big], stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    json.loads(r.communicate(timeout=300)[0])
    said = os.read(master, 65536).decode()
    os.close(master)
    assert "verifying" in said or "comparing" in said
    assert run("--json", "--against", PAIRS / "base.gpt", PAIRS / "update.gpt").stderr == b""
