# SPDX-License-Identifier: Apache-2.0
"""Messages between roles, spoken from Python: gateway/wire/msg.h and msg_table.c.

A frame is u8 version, u8 0, u16 type, body; integers big-endian, text and
documents a u32 length and the bytes, arrays a u32 count and the elements.
Type numbers are read from the header, so that they cannot drift; fields are
written out here for the messages that tests speak.
"""
import array
import os
import re
import socket
import struct
import subprocess

VERSION = 1
FRAME_MAX = 1 << 17
SRC = os.environ.get("FG_SRC") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def _types():
    with open(os.path.join(SRC, "gateway/wire/msg.h"), encoding="ascii") as f:
        text = f.read()
    body = re.search(r"enum msg_type \{(.*?)\};", text, re.S).group(1)
    value, names = -1, {}
    for name, number in re.findall(r"^\s*MSG_(\w+)(?: = (\d+))?,", body, re.M):
        value = int(number) if number else value + 1
        names[name] = value
    return names


TYPE = _types()
NAME = {number: name for name, number in TYPE.items()}

_INT = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q", "i32": ">i", "i64": ">q"}
_KEPT = [("bytes", "u64"), ("total", "u64"), ("sha256", 32), ("validator", "text")]
_SHOWN = [("kind", "u8"), ("place", "text"), ("value", "text")]
_CIDR = [("addr", 16), ("bits", "u8"), ("v6", "bool")]
# A number is that many fixed bytes, a list an array of such structs.
FIELDS = {
    "FETCH": [("job", "u64"), ("url", "text"), ("signature_url", "text"), ("home", "text"), ("max_bytes", "u64"),
              ("max_seconds", "u32"), ("min_speed", "u32"), ("max_redirects", "u32"), ("tries", "u32"), ("have_ca", "bool"),
              ("have_credentials", "bool"), ("proxy", "text"), ("kept", _KEPT), ("pins", [("spki", 32)]),
              ("private_ok", _CIDR), ("first_asked_by", "text")],
    "FETCH_PROGRESS": [("job", "u64"), ("bytes", "u64"), ("total", "u64"), ("kept", _KEPT),
                       ("shown", _SHOWN), ("shown_more", "bool")],
    "FETCH_DONE": [("job", "u64"), ("outcome", "u8"), ("finding", "u8"), ("http_status", "u32"), ("bytes", "u64"),
                   ("signature_bytes", "u64"), ("kept", _KEPT),
                   ("shown", _SHOWN), ("shown_more", "bool"), ("detail", "text")],
    "INSPECTED": [("job", "u64"), ("stage", "u8")],
    "HOOK": [("job", "u64"), ("seconds", "u32"), ("memory_mib", "u32")],
    "HOOKED": [("job", "u64"), ("outcome", "u8"), ("status", "i32"), ("have_answer", "bool"), ("said", "text")],
    "APPEND": [("token", "u64"), ("event", "u16"), ("severity", "u8"), ("out", "text"), ("act", "text"), ("obj", "text"),
               ("have_dev", "bool"), ("dev", 16), ("refs", [("key", "text"), ("is_number", "bool"), ("number", "u64"),
                                                            ("text", "text")]), ("msg", "text"), ("doc", "text")],
    "GRANT_APPEND": [("generation", "u64"), ("grants", [("token", "u64"), ("module", 16), ("release", 16)])],
    "GRANT_SAY": [("says", [("token", "u64"), ("yes", "bool"), ("reason", "u8"), ("lease_s", "u32")])],
    "TABLE": [("generation", "u64")],
    "RELEASE": [("release", 16), ("image", 32), ("size", "u64"), ("block_size", "u32"), ("hot", "bool"), ("record", "text")],
    "WITHDRAW": [("release", 16)],
    "RESTRICT": [("token", "u64"), ("kind", "u8"), ("image", 32), ("release", 16), ("log_size", "u64")],
    "ISSUE": [("token", "u64"), ("review", "text"), ("image", 32), ("report", 32), ("policy", 32), ("resource", 16),
              ("subject", "text"), ("profile", "text"), ("product", "text"), ("target", "text"), ("from", [("text", "text")]),
              ("groups", [("text", "text")]), ("max_devices", "u32"), ("not_before", "i64"), ("not_after", "i64"),
              ("findings", [("text", "text")]),
              ("checklist", [("text", "text")]), ("waived", [("text", "text")]), ("requesters", [("text", "text")]), ("quorum", "u32"), ("terms_quorum", "u32"),
              ("have_plan", "bool"), ("plan", 32),
              ("made", "u8"), ("applier", "text"), ("base", 32), ("target_image", 32),
              ("have_signer", "bool"), ("signer", 32), ("opened_at", "u64"),
              ("now", "i64")],
    "RESUME": [("token", "u64"), ("halted_at", "i64"), ("now", "i64")],
    "CONTINUE": [("token", "u64"), ("release", 16), ("step", "u8"), ("ring", "text"), ("since", "i64"),
                 ("over", [("text", "text")])],
    "POLICY": [("token", "u64")],
    "POLICY_TAKEN": [("token", "u64"), ("ok", "bool"), ("why", "text"), ("number", "u32")],
    "AFTERREVIEW": [("token", "u64"), ("release", 16), ("outcome", "u8")],
    "GLASS": [("token", "u64"), ("ok", "bool"), ("why", "text"), ("owed", "bool"), ("release", 16), ("image", 32), ("need", "u32")],
    "HALT": [("at", "i64"), ("by_uid", "u32")],
    "UNHALT": [("at", "i64")],
    "SPAWN": [("job", "u64"), ("kind", "u8"), ("wall_ms", "u32")],
    "CALL": [("token", "u64"), ("request", "text"), ("fds", "u32"), ("json", "text")],
    "BOOT": [("role", "u8"), ("index", "u16"), ("uid", "u32"), ("gid", "u32"), ("drop", "bool"), ("unsafe_sandbox", "bool"),
             ("demo", "bool"), ("instance", 16), ("machine", 32), ("product", 32), ("origin", "text"), ("data_dir", "text"),
             ("run_dir", "text"), ("edges", "u32")],
    "BOOT_FD": [("kind", "u8"), ("ordinal", "u16"), ("part", "u16"), ("name", "text")],
    "PEER": [("role", "u8"), ("index", "u16")],
    "START": [],
    "STOP": [("grace_ms", "u32")],
    "READY": [("landlock_abi", "u32"), ("seccomp", "bool"), ("netns", "bool"), ("jail", "text")],
    "WEB_CALL": [("token", "u64"), ("means", "u8"), ("background", "bool"), ("secret", 32), ("peer", 16), ("key", 32),
                 ("asked", 32), ("via", "u8"), ("via_uid", "u32"), ("via_key", 32), ("person", 32), ("request", "text"), ("fds", "u32"), ("json", "text")],
    "RUNOUTS": [("rows", [("listener", "u16"), ("kind", "u8"), ("from", "i64"), ("until", "i64")])],
    "WEB_STRAY": [("count", "u32"), ("peer", 16), ("what", "text")],
    "WEB_LOG": [("size", "u64")],
    "REPLY": [("token", "u64"), ("status", "u8"), ("big", "bool"), ("file", "bool"), ("json", "text")],
}
FIELDS["ISSUE_STANDING"] = FIELDS["ISSUE"]


def _encode(fields, msg):
    out = b""
    for name, kind in fields:
        v = msg[name]
        if isinstance(kind, list):
            out += struct.pack(">I", len(v)) + b"".join(_encode(kind, e) for e in v)
        elif isinstance(kind, int):
            assert len(v) == kind
            out += v
        elif kind == "text":
            v = v.encode() if isinstance(v, str) else v
            out += struct.pack(">I", len(v)) + v
        elif kind == "bool":
            out += bytes([bool(v)])
        else:
            out += struct.pack(_INT[kind], v)
    return out


def _decode(fields, body):
    msg = {}
    for name, kind in fields:
        if isinstance(kind, list):
            n, body = struct.unpack(">I", body[:4])[0], body[4:]
            msg[name] = []
            for _ in range(n):
                e, body = _decode(kind, body)
                msg[name].append(e)
        elif isinstance(kind, int):
            msg[name], body = body[:kind], body[kind:]
        elif kind == "text":
            n, body = struct.unpack(">I", body[:4])[0], body[4:]
            assert n <= len(body)
            msg[name], body = body[:n].decode(), body[n:]
        elif kind == "bool":
            assert body[0] in (0, 1)
            msg[name], body = bool(body[0]), body[1:]
        else:
            n = struct.calcsize(_INT[kind])
            msg[name], body = struct.unpack(_INT[kind], body[:n])[0], body[n:]
    return msg, body


def frame(name, msg):
    return struct.pack(">BBH", VERSION, 0, TYPE[name]) + _encode(FIELDS[name], msg)


def send(sock, name, msg, fds=()):
    send_raw(sock, frame(name, msg), fds)


def send_raw(sock, data, fds=()):
    anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([data], anc)


def recv(sock, timeout=60):
    """(name, message, descriptors), or None at the end. The descriptors are the caller's to close."""
    sock.settimeout(timeout)
    try:
        data, anc, flags, _ = sock.recvmsg(FRAME_MAX, socket.CMSG_SPACE(16))
    except ConnectionResetError:
        return None
    fds = []
    for level, kind, raw in anc:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        fds += array.array("i", raw[:len(raw) - len(raw) % 4]).tolist()
    if not data:
        return None
    assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
    version, zero, kind = struct.unpack(">BBH", data[:4])
    assert (version, zero) == (VERSION, 0)
    msg, rest = _decode(FIELDS[NAME[kind]], data[4:])
    assert rest == b""
    return NAME[kind], msg, fds


def pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def start(args, theirs, **kw):
    """args with `theirs` (which is closed here) as descriptor 3, as the supervisor starts a job."""
    child = subprocess.Popen(["bash", "-c", 'exec "${@:2}" 3<&"$1"', "bash", str(theirs.fileno()), *args],
                             pass_fds=[theirs.fileno()], **kw)
    theirs.close()
    return child
