# SPDX-License-Identifier: Apache-2.0
"""The log in the formats of others, read by parsers that share nothing with what wrote it."""
import hashlib
import json
import re

import pytest

from test_cli_control import Log, cli, control, pytestmark  # noqa: F401

# RFC 5424 section 6, rule by rule.
SD_NAME = r'[^\x00-\x20=\]"\x7f-\xff]{1,32}'
PARAM_VALUE = r'(?:[^"\\\]]|\\["\\\]])*'
SD_ELEMENT = rf'\[{SD_NAME}(?: {SD_NAME}="{PARAM_VALUE}")*\]'
SYSLOG = re.compile(
    r'<(?P<pri>[0-9]{1,3})>1 '
    r'(?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) '
    r'(?P<host>[\x21-\x7e]{1,255}) (?P<app>[\x21-\x7e]{1,48}) (?P<proc>[\x21-\x7e]{1,128}) (?P<event>[\x21-\x7e]{1,32}) '
    rf'(?P<sd>-|(?:{SD_ELEMENT})+)(?: (?P<msg>.*))?', re.S)


def syslog(line):
    """Header fields, structured data by SD-ID, and what is said."""
    m = SYSLOG.fullmatch(line.decode("ascii") if isinstance(line, bytes) else line)
    assert m, line
    found = m.groupdict()
    assert int(found["pri"]) // 8 == 13
    found["sd"] = {}
    for element in re.findall(SD_ELEMENT, m["sd"]):
        name = re.match(SD_NAME, element[1:])[0]
        found["sd"][name] = {k: re.sub(r'\\(["\\\]])', r"\1", v)
                             for k, v in re.findall(rf' ({SD_NAME})="({PARAM_VALUE})"', element)}
    return found


def leaf(line):
    return hashlib.sha256(b"\0" + line).hexdigest()


@pytest.fixture
def log(control, tmp_path):  # noqa: F811
    made = Log(control, tmp_path)
    genesis = (made.gw / "data/authority/genesis.json").read_bytes()
    plain = made.file
    made.docs["genesis"] = genesis

    def file(args):
        if args["kind"] == "genesis":
            return type(control.answers["status"])({}, file=genesis)
        return plain(args)
    control.answers["file.open"] = file
    made.lines[3] = made.lines[3].replace(b"signed\"}", b'a]b\\\\c\\"d=e|f [x@1 y=\\"z\\"]"}')
    made.lines[4] = b'{"v":2,"of":"a later version"}'
    return made


def test_views_of_the_whole_log(log, control, tmp_path):  # noqa: F811
    def export(name):
        out = cli(control, "audit", "export", "--format", name, tmp_path / name)
        assert "300" in out.out
        return (tmp_path / name).read_bytes()

    assert export("jsonl") == b"".join(l + b"\n" for l in log.lines)
    assert ("audit.export", {}, []) in control.calls
    lines = [syslog(l) for l in export("rfc5424").split(b"\n")[:-1]]
    assert [l["sd"]["fg@32473"]["seq"] for l in lines] == [str(i) for i in range(300)]
    assert [l["sd"]["fg@32473"]["leaf"] for l in lines] == [leaf(l) for l in log.lines]
    assert lines[3]["msg"] == 'a]b\\c"d=e|f [x@1 y="z"]' and lines[3]["sd"]["fg@32473"]["act"] == "alice@demo.invalid"
    assert lines[3]["event"] == "approval.signed" and lines[4]["event"] == "unknown" and lines[4]["time"] == "-"
    assert lines[5]["sd"]["ref@32473"]["report"] == "sha256:" + hashlib.sha256(log.report).hexdigest()

    lines = export("cef").decode("ascii").split("\n")[:-1]
    for i, line in enumerate(lines):
        head = re.split(r"(?<!\\)(?:\\\\)*\|", line, 7)
        assert len(head) == 8 and head[0] == "CEF:0" and int(head[6]) in range(11)
        fields = dict(re.findall(r"(?:^| )([A-Za-z0-9]+)=((?:[^=\\]|\\.)*?)(?= [A-Za-z0-9]+=|$)", head[7]))
        assert fields["cn1"] == str(i) and fields["cs1"] == leaf(log.lines[i])
    assert re.search(r"msg=(.*)", lines[3])[1] == 'a]b\\\\c"d\\=e|f [x@1 y\\="z"]'

    docs = [json.loads(l) for l in export("ocsf").split(b"\n")[:-1]]
    assert [d["metadata"]["sequence"] for d in docs] == list(range(300))
    assert [d["metadata"]["uid"] for d in docs] == [leaf(l) for l in log.lines]
    assert all(d["type_uid"] == d["class_uid"] * 100 + d["activity_id"] for d in docs)
    assert docs[0]["class_uid"] == 3004 and docs[0]["activity_name"] == "Approve" and docs[4]["class_uid"] == 0

    entries = export("journal").decode("ascii").split("\n\n")[:-1]
    fields = [dict(f.split("=", 1) for f in e.split("\n")) for e in entries]
    assert [f["FOTAGATE_LEAF"] for f in fields] == [leaf(l) for l in log.lines]
    rule = bytearray(hashlib.sha256(b"fotagate:approval.signed").digest()[:16])
    rule[6], rule[8] = rule[6] & 0x0f | 0x80, rule[8] & 0x3f | 0x80
    assert fields[0]["MESSAGE_ID"] == rule.hex() and fields[0]["PRIORITY"] == "5"


def test_tail_in_a_format(log, control):  # noqa: F811
    out = cli(control, "audit", "tail", "-n", 2, "--format", "rfc5424", "--pen", 4711).out.splitlines()
    assert [syslog(l)["sd"]["fg@4711"]["seq"] for l in out] == ["298", "299"]
    assert cli(control, "audit", "tail", "-n", 9, "--format", "jsonl").stdout.splitlines() == log.lines[-9:]
    cli(control, "audit", "tail", "--format", "xml", want=2)
    cli(control, "audit", "tail", "--pen", 0, want=2)


def test_a_view_of_a_log_that_was_changed_is_not_written(log, control, tmp_path):  # noqa: F811
    honest = log.checkpoint()
    log.lines[290] = log.lines[290].replace(b"alice", b"mallo")
    log.checkpoint = lambda: honest
    r = cli(control, "audit", "export", "--format", "cef", tmp_path / "x", want=1)
    assert "not what the log signed" in r.err and not (tmp_path / "x").exists()
    (tmp_path / "x").write_text("mine")
    cli(control, "audit", "export", "--format", "cef", tmp_path / "x", want=1)
    assert (tmp_path / "x").read_text() == "mine"


def test_a_view_goes_on_with_the_newer_head(log, control, tmp_path):  # noqa: F811
    log.gone = {"tile/entries/001.p/44"}
    cli(control, "audit", "export", "--format", "jsonl", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"".join(l + b"\n" for l in log.lines) and len(log.lines) == 301
