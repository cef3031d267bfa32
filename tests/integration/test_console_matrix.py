# SPDX-License-Identifier: Apache-2.0
"""Forced browsing: everybody asks for everything that the console serves, with arguments that would have an effect.

Who may is written down here, not read from the product. Whoever may not is refused in the same word each time, nothing
has changed by it, and the log has counted each refusal. Only then those ask who may.
"""
import grp
import http.client
import json
import os
import pwd
import re
import socket
import sqlite3
import ssl
import subprocess
import time

import pytest

from crowd import crowded, settle
from gate import until
from test_console import JSON, Console, local, reachable

# v viewer, u auditor, o operator, p approver, a admin: people who signed in; e: one who has yet to make a second factor;
# g: nobody. V, O, U: tokens of an administrator with the scope view, operate, audit. s, S: an operator and an administrator
# who came by single sign-on.
PEOPLE, TOKENS, SSO = "vuopa", "VOU", "sS"
ALL = PEOPLE + TOKENS + SSO
ACT = "opaO" + SSO
ANYBODY = ALL + "eg"  # as a guest: whose secret comes along is not looked at
MAY = {
    "GET /status": ALL,
    "POST /session": ANYBODY,
    "POST /session/sso": ANYBODY,
    "POST /session/challenge": ANYBODY,
    "POST /session/passkey": ANYBODY,
    "GET /session": ALL + "e",
    "DELETE /session": PEOPLE + SSO + "e",
    "GET /sessions": ALL,
    "POST /sessions/{session}/end": PEOPLE + SSO,
    "POST /setup": ANYBODY,
    "GET /accounts": "uaUS",
    "POST /accounts": "a",
    "POST /accounts/{account}/bind": "a",
    "POST /accounts/{account}/unbind": "aS",
    "POST /accounts/{account}/disable": "aS",
    "POST /accounts/{account}/enable": "a",
    "POST /accounts/{account}/password": PEOPLE + "e",
    "POST /accounts/{account}/roles": "a",
    "POST /accounts/{account}/totp": PEOPLE + "e",
    "POST /accounts/{account}/passkey-only": PEOPLE,
    "GET /accounts/{account}/passkeys": ALL,
    "POST /passkeys": PEOPLE + "e",
    "POST /passkeys/challenge": PEOPLE + "e",
    "POST /passkeys/fresh": PEOPLE,
    "POST /passkeys/{passkey}/remove": PEOPLE,
    "GET /tokens": "uaUS",
    "POST /tokens": "a",
    "POST /tokens/{token}/revoke": "aS",
    "GET /people": ALL,
    "POST /people/propose": ACT,
    "POST /people/submit": "opa" + SSO,
    "POST /people/{who}/suspend": ACT,
    "GET /policy": ALL,
    "POST /policy/submit": "opa" + SSO,
    "GET /policy/{review}/explain": ALL,
    "POST /policy/whatif": ACT,
    "GET /profiles": ALL,
    "GET /profiles/unknown": ACT,
    "GET /profiles/{id}/draft": ACT,
    "GET /sightings": ALL,
    "GET /reviews": ALL,
    "GET /reviews/{review}": ALL,
    "GET /reviews/{review}/report": ALL,
    "POST /reviews/{review}/statement": "paS",
    "POST /reviews/{review}/submit": "opa" + SSO,
    "POST /reviews/{review}/reject": ACT,
    "POST /reviews/{review}/reopen": ACT,
    "POST /reviews/{review}/attest": "opa",
    "POST /reviews/{review}/comment": ACT,
    "POST /fetches/{review}/retry": "oaO" + SSO,
    "GET /exposure": ALL,
    "GET /refusals": ALL,
    "POST /refusals": ACT,
    "POST /refusals/{refusal}/lift": "paS",
    "GET /waivers": ALL,
    "POST /waivers": "p",
    "POST /waivers/{waiver}/lift": ACT,
    "GET /breakglass": ALL,
    "POST /breakglass/statement": "paS",
    "POST /breakglass/submit": "opa" + SSO,
    "GET /standing": ALL,
    "POST /standing": ACT,
    "POST /standing/{standing}/statement": "paS",
    "POST /standing/{standing}/submit": "opa" + SSO,
    "POST /standing/{standing}/revoke": ACT,
    "GET /bases": ALL,
    "POST /bases/drop": "oaO" + SSO,
    "GET /releases": ALL,
    "POST /releases/{release}/revoke": ACT,
    "GET /rollouts": ALL,
    "GET /rollouts/{release}": ALL,
    "POST /rollouts/{release}/pause": ACT,
    "POST /rollouts/{release}/abort": ACT,
    "POST /rollouts/{release}/hold": ACT,
    "POST /rollouts/{release}/statement": "paS",
    "POST /continue/submit": "opa" + SSO,
    "GET /modules": ALL,
    "GET /modules/{module}": ALL,
    "GET /modules/{module}/explain": ALL,
    "POST /modules/{module}/reveal": ACT,
    "POST /modules/{module}/hold": "oaO" + SSO,
    "POST /modules/{module}/unhold": "oaO" + SSO,
    "POST /modules/{module}/url": "oaO" + SSO,
    "POST /privacy/erase": "aS",
    "GET /images": ALL,
    "GET /images/{image}": ALL,
    "GET /groups": ALL,
    "GET /incidents": ALL,
    "GET /incidents/{incident}": ALL,
    "GET /suppliers": ALL,
    "GET /suppliers/{supplier}": ALL,
    "POST /resume/statement": "paS",
    "POST /resume/submit": "opa" + SSO,
    "GET /audit/head": ALL,
    "POST /audit/export": "upaUS",
    "GET /audit/files/{name}": ALL,
    "GET /audit/proof/{index}": ALL,
    "GET /files/{kind}": ALL,
}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NAMES = {"v": "vera", "u": "uwe", "o": "olga", "p": "paul", "a": "ada"}
SSO_NAMES = {"s": "sven", "S": "sara"}
ROLES = {"sven": "operator", "sara": "admin", "vera": "viewer", "uwe": "auditor", "olga": "operator", "paul": "approver", "ada": "admin"}
PASSWORD = "seven grey herons wade at dusk"
# What looking writes down of itself, and how long the log is, which is compared by its entries; nothing else may differ.
TOUCHED = {"session": ("last",), "token": ("last",), "log_head": ("size", "root")}


class Front(http.client.HTTPConnection):
    """As the trusted front connects; a real one is in test_console_sso."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Caller:
    """One of them, on a connection that is kept."""

    def __init__(self, gate, heads):
        self.heads = heads
        context = ssl.create_default_context(cafile=os.path.join(gate.root, "keys/web.crt"))
        self.link = http.client.HTTPSConnection("localhost", gate.web_port, timeout=30, context=context)
        if "X-FG-SSO-Subject" in heads:
            self.link = Front(os.path.join(gate.root, "run/front.sock"))

    def ask(self, method, target, body=None):
        """Status, and id of the problem or None."""
        heads = {**self.heads, **(JSON if method != "GET" else {})}
        self.link.request(method, "/api/v1" + target, json.dumps(body) if body is not None else None, heads)
        r = self.link.getresponse()
        text = r.read()
        problem = r.status >= 400
        assert not problem or r.getheader("Content-Type") == "application/problem+json"
        return r.status, json.loads(text)["id"] if problem else None


def state(gate):
    """Every row of the database, and every document beside it."""
    rows = {}
    with sqlite3.connect(f"file:{gate.root}/data/state/state.db?mode=ro", uri=True, timeout=20) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            got = db.execute(f"SELECT * FROM {table}")
            keep = [i for i, c in enumerate(got.description) if c[0] not in TOUCHED.get(table, ())]
            rows[table] = sorted(repr([row[i] for i in keep]) for row in got)
    db.close()
    found = {os.path.join(where, n) for where, _, names in os.walk(os.path.join(gate.root, "data/state")) for n in names}
    return rows, {n for n in found if not n.endswith(("-wal", "-shm"))}


class Scene:
    """A gateway with something to break: R-1 is released, R-2 waits with alice's word signed and not handed in."""

    def __init__(self, gate):
        self.gate = gate
        for version in ("1.1.0", "1.2.0"):
            gate.offer(version)
            gate.ask(version=version)
        gate.review(1)
        gate.review(2)
        gate.get("/unheard/of/path")
        gate.approve("R-1")
        release = gate.cli("release", "list")["releases"][0]["id"]
        module = gate.cli("module", "list")["modules"][0]["id"]
        refusal = gate.cli("refusal", "add", "digest", "a" * 64, "--reason", "it was withdrawn")
        self.finding = next(f["id"] for f in gate.cli("review", "show", "R-2")["findings"] if f["severity"] in ("notice", "warning"))
        told = self.local("review.statement", {"review": "R-2", "approver": "alice@demo.invalid", "reason": "it looks right"})
        signed = self.sign(told["statement"])
        people = settle(gate, {**ROLES, "zoe": "viewer"})
        self.local("account.add", {"account": "ed", "password": PASSWORD, "roles": ["viewer"]})
        tokens = {s: self.local("token.create", {"account": "ada", "name": s, "scopes": [s]})["token"]["token"]
                  for s in ("view", "operate", "audit")}
        spare = self.local("token.create", {"account": "ada", "name": "spare", "scopes": ["view"]})["token"]["id"]
        cookie = lambda c: {"Cookie": f"__Host-fg={c}"}
        bearer = lambda s: {"Authorization": "Bearer " + tokens[s]}
        self.caller = {k: Caller(gate, cookie(people[n][0])) for k, n in NAMES.items()}
        self.caller |= {"V": Caller(gate, bearer("view")), "O": Caller(gate, bearer("operate")), "U": Caller(gate, bearer("audit")),
                        "g": Caller(gate, {}), "e": Caller(gate, cookie(self.enrolling()))}
        self.caller |= {k: self.by_front(n) for k, n in SSO_NAMES.items()}
        other = next(s["id"] for s in self.local("session.list", {})["sessions"] if s["account"] == "zoe")
        reason = {"reason": "because somebody can"}
        paths = {"session": other, "account": "zoe", "token": spare, "who": "bob@demo.invalid", "review": "R-2", "id": "1",
                 "refusal": find(refusal, 32), "waiver": "0" * 32, "standing": "S-1", "release": release, "module": module, "supplier": "demo-vendor",
                 "passkey": "0" * 32, "incident": "1", "image": self.local("review.show", {"review": "R-2"})["image"],
                 "name": "checkpoint", "index": "0", "kind": "genesis"}
        key = open(os.path.join(gate.root, "people/bob.pub")).read().split()
        self.bodies = {
            "POST /session": {"user": "ed"}, "POST /setup": {"user": "ed"},  # without a password: it is the asking that counts
            "POST /accounts": {"account": "eve", "password": PASSWORD, "roles": ["admin"]},
            "POST /accounts/{account}/bind": {"issuer": "https://id.example", "subject": "zoe"},
            "POST /accounts/{account}/unbind": {**reason, "issuer": "https://id.example", "subject": "zoe"},
            "POST /accounts/{account}/disable": reason,
            "POST /accounts/{account}/password": {"password": PASSWORD + "!", "old": PASSWORD},
            "POST /accounts/{account}/roles": {"roles": ["admin"]},
            "POST /tokens": {"account": "ada", "name": "mine", "scopes": ["operate"]},
            "POST /tokens/{token}/revoke": reason,
            "POST /people/propose": {"add": [f"eve@demo.invalid {key[0]} {key[1]}"]},
            "POST /people/submit": signed, "POST /policy/submit": signed, "POST /people/{who}/suspend": reason,
            "POST /reviews/{review}/statement": {**reason, "approver": "bob@demo.invalid"},
            "POST /reviews/{review}/submit": signed, "POST /reviews/{review}/reject": reason,
            "POST /reviews/{review}/attest": {**reason, "before": "1.0.0", "after": "1.2.0"},
            "POST /reviews/{review}/comment": {"text": "so it is"},
            "POST /refusals": {**reason, "kind": "digest", "value": "b" * 64}, "POST /refusals/{refusal}/lift": reason,
            "POST /waivers": {**reason, "days": 3, "finding": self.finding, "profile": "story"},
            "POST /waivers/{waiver}/lift": reason, "POST /releases/{release}/revoke": reason,
            "POST /rollouts/{release}/pause": reason, "POST /rollouts/{release}/abort": reason,
            "POST /rollouts/{release}/hold": {**reason, "ring": "canary"},
            "POST /rollouts/{release}/statement": {**reason, "step": "resume"}, "POST /continue/submit": signed,
            "POST /policy/whatif": {"file": "fotagate.conf", "text": "nothing of it"},
            "POST /bases/drop": {"profile": "story", "product": "FG100", "version": "1.1.0"},
            "POST /standing": {**reason, "days": 3, "max_devices": 5, "max_releases": 2, "product": "FG100", "profile": "story"},
            "POST /breakglass/statement": {**reason, "outcome": "justified", "approver": "alice@demo.invalid"}, "POST /breakglass/submit": signed,
            "POST /standing/{standing}/statement": {**reason, "approver": "alice@demo.invalid"},
            "POST /standing/{standing}/submit": signed, "POST /standing/{standing}/revoke": reason,
            "POST /modules/{module}/reveal": reason, "POST /modules/{module}/hold": reason, "POST /modules/{module}/unhold": reason,
            "POST /modules/{module}/url": {"release": release}, "POST /privacy/erase": {**reason, "module": module},
            "POST /resume/statement": {**reason, "approver": "alice@demo.invalid"}, "POST /resume/submit": signed,
        }
        self.paths = paths

    def local(self, request, args):
        status, doc = local(self.gate, request, args)
        assert status == 0, (request, doc)
        return doc

    def sign(self, statement):
        text = statement if isinstance(statement, str) else json.dumps(statement, sort_keys=True, separators=(",", ":")) + "\n"
        done = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f",
                               os.path.join(self.gate.root, "people/alice")], input=text.encode(), check=True, capture_output=True)
        return {"statement": text, "signature": done.stdout.decode()}

    def by_front(self, name):
        """Bound by an administrator, and signed in by the front's word."""
        self.local("account.bind", {"account": name, "issuer": "https://id.example", "subject": name})
        said = {"X-FG-SSO-Issuer": "https://id.example", "X-FG-SSO-Subject": name, "X-FG-SSO-Acr": "-", "X-FG-SSO-Amr": "hwk",
                "X-FG-SSO-Address": "127.0.0.1"}
        link = Front(os.path.join(self.gate.root, "run/front.sock"))
        link.request("POST", "/api/v1/session/sso", b"", {**said, **JSON})
        r = link.getresponse()
        assert r.status == 200, r.read()
        return Caller(self.gate, {**said, "Cookie": r.getheader("Set-Cookie").split(";")[0]})

    def enrolling(self):
        """ed signs in, with the password that somebody else chose."""
        status, heads, body = self.gate.web("/api/v1/session", "POST", JSON,
                                            json.dumps({"user": "ed", "password": PASSWORD}).encode())
        assert status == 200, body
        return heads["set-cookie"].split("=")[1].split(";")[0]

    def unknown(self):
        """A request that no profile fits."""
        return self.local("profile.unknown", {})["unknown"][0]["id"]

    def ask(self, who, row):
        method, path = row.split(" ")
        own = {"e": "ed", **NAMES, **SSO_NAMES}.get(who, "ada")
        mine = (row.endswith(("/password", "/totp", "/passkey-only")) and who in PEOPLE + "e") or row.endswith("/passkeys")
        for name, value in self.paths.items():
            path = path.replace("{" + name + "}", own if mine and name == "account" else value)
        if path.endswith("/draft"):
            path += "?name=mine"
        return self.caller[who].ask(method, path, self.bodies.get(row, {}) if method == "POST" else None)


def find(doc, digits):
    """The one text of so many hex digits in a document."""
    for value in doc.values():
        got = find(value, digits) if isinstance(value, dict) else value
        if isinstance(got, str) and len(got) == digits and all(c in "0123456789abcdef" for c in got):
            return got
    raise AssertionError(doc)


@pytest.fixture(scope="module")
def scene():
    gate = Console(edges=1)
    me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    gate.set(f'console = {{ address = "127.0.0.1"; port = {gate.web_port}; cert = "web.crt"; key = "web.key"; '
             f'sso = {{ socket = "front.sock"; user = "{me}"; group = "{group}"; amr = ["hwk"]; }}; }};')
    try:
        gate.start()
        until(lambda: reachable(gate))
        yield Scene(gate)
    finally:
        gate.close()


def multiply(gate, review, times):
    """That review so often again, each for an address and a version of its own, and rejected."""
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db"), timeout=20) as db:
        columns = lambda table, *but: [c[1] for c in db.execute(f"PRAGMA table_info({table})") if c[1] not in but]
        res, cand = columns("resource", "id"), columns("candidate", "id", "resource", "state")
        (was,) = db.execute("SELECT resource FROM candidate WHERE id = ?", (review,)).fetchone()
        for n in range(times):
            key = os.urandom(16)
            values = ", ".join(f"'{n}.' || {c}" if c in ("url", "target") else c for c in res)
            db.execute(f"INSERT INTO resource (id, {', '.join(res)}) SELECT ?, {values} FROM resource WHERE id = ?", (key, was))
            db.execute(f"INSERT INTO candidate (resource, state, {', '.join(cand)}) SELECT ?, 'rejected', {', '.join(cand)} "
                       "FROM candidate WHERE id = ?", (key, review))
    db.close()


def test_the_queue(scene):
    """By pages, of which none reads more than a few reports; what a row says of a review without asking for it."""
    gate = scene.gate
    multiply(gate, 2, 12)
    heads = scene.caller["v"].heads

    def page(query):
        status, got, body = gate.web("/api/v1/reviews?" + query, headers=heads)
        assert status == 200, body
        doc = json.loads(body)
        assert ("link" in got) == (doc["next"] is not None)
        return [r["id"] for r in doc["reviews"]], doc["next"], doc["reviews"]

    seen, after, most = [], "0", 0
    while after:
        ids, after, _ = page("limit=1000&after=" + after)
        seen, most = seen + ids, max(most, len(ids))
    assert seen == [f"R-{n}" for n in range(1, 15)] and most <= 8  # some of them were read before
    assert page("limit=1000")[:2] == (seen, None)
    assert page("limit=5") == (seen[:5], "5", page("limit=1000")[2][:5])
    assert page("limit=5&after=5")[:2] == (seen[5:10], "10") and page("after=14")[:2] == ([], None)
    assert page("state=review")[0] == ["R-2"] and page("product=FG999")[0] == [] and page("product=FG100&limit=1")[0] == ["R-1"]
    row = page("state=review")[2][0]
    shown = json.loads(gate.web("/api/v1/reviews/R-2", headers=heads)[2])
    assert {k: shown[k] for k in row} == row
    counts = {s: sum(f["severity"] == s for f in shown["findings"]) for s in ("block", "info", "notice", "warning")}
    assert row["severities"] == counts and row["security"] is None and row["deadline"] and row["held"] is False
    assert row["offered_now"] == {"release": scene.paths["release"], "target": "1.1.0"}
    # Whom it waits for: a person of the signer set who has not signed. Nobody else, and nothing that is decided.
    assert page("needs_me=true")[0] == [] and row["needs_me"] is False
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db"), timeout=20) as db:
        db.execute("UPDATE account SET principal = 'bob@demo.invalid' WHERE name = 'vera'")
    db.close()
    assert page("needs_me=true")[0] == ["R-2"] and page("needs_me=true&state=rejected")[0] == []
    assert page("needs_me=true")[2][0]["needs_me"] is True
    gate.sign("R-2", "bob")
    assert page("needs_me=true")[0] == [] and page("state=review")[2][0]["have"] == 1
    assert gate.cli("review", "list")["reviews"][1]["id"] == "R-2" and len(gate.cli("review", "list")["reviews"]) == 14
    for bad in ("limit=0", "limit=1001", "state=nowhere", "needs_me=1", "after=x"):
        assert gate.web("/api/v1/reviews?" + bad, headers=heads)[0] == 400, bad


def fits(doc, schema, named, where="$"):
    """JSON Schema as far as the served document uses it; a word of it that is not known here is a mistake."""
    if "$ref" in schema:
        return fits(doc, named[schema["$ref"].rsplit("/", 1)[1]], named, where)
    if "anyOf" in schema:
        assert {"type": "null"} in schema["anyOf"]
        return doc is None or fits(doc, schema["anyOf"][0], named, where)
    assert set(schema) <= {"type", "format", "pattern", "items", "properties", "required", "additionalProperties"}, (where, schema)
    if not schema:
        return True
    kinds = schema["type"]
    kind = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object", type(None): "null"}[type(doc)]
    assert kind in ([kinds] if isinstance(kinds, str) else kinds), (where, doc, schema)
    if kind == "string":
        assert re.search(schema.get("pattern", ""), doc) and ("format" not in schema or STAMP.fullmatch(doc)), (where, doc)
    for i, one in enumerate(doc if kind == "array" else []):
        fits(one, schema["items"], named, f"{where}[{i}]")
    if kind == "object":
        rest = schema["additionalProperties"]
        assert set(schema.get("required", [])) <= set(doc), (where, doc)
        assert rest is not False or set(doc) <= set(schema["properties"]), (where, set(doc) - set(schema["properties"]))
        for key, value in doc.items():
            fits(value, schema.get("properties", {}).get(key, rest), named, f"{where}.{key}")
    return True


def test_documents_are_as_they_are_told(scene):
    """Every view that is no file, of a gateway that has something of everything, against the schema that is served."""
    gate = scene.gate
    bodies = {"POST /reviews/{review}/comment": {"text": "so it is"},
              "POST /waivers": {"reason": "it is known", "days": 3, "finding": scene.finding, "profile": "story"}}
    api = json.loads(gate.web("/api/v1/openapi.json")[2])
    named, seen = api["components"]["schemas"], 0
    told = lambda path, method: api["paths"][path][method]["responses"]["200"]["content"]
    for row, body in bodies.items():
        path = row.split(" ")[1]
        status, _, text = gate.web("/api/v1" + path.replace("{review}", "R-2"), "POST", {**scene.caller["p"].heads, **JSON},
                                   json.dumps(body).encode())
        assert status == 200 and fits(json.loads(text), told(path, "post")["application/json"]["schema"], named), text
    for path, operations in api["paths"].items():
        if "get" not in operations or "*/*" in told(path, "get"):
            continue
        target = path.replace("{id}", str(scene.unknown()))
        for name, value in scene.paths.items():
            target = target.replace("{" + name + "}", value)
        status, _, text = gate.web("/api/v1" + target + ("?name=mine" if path.endswith("/draft") else ""),
                                   headers=scene.caller["a"].heads)
        if operations["get"]["operationId"] == "rollout.show":
            assert status == 404  # the release has no plan: test_rollout has one
            continue
        if operations["get"]["operationId"] == "incident.show":
            assert status == 404  # nothing happened here: test_incident has one
            continue
        if operations["get"]["operationId"] == "policy.show":
            assert status == 409 and json.loads(text)["id"] == "UNSIGNED"  # test_signed_policy has a gate that has one
            continue
        schema = told(path, "get")["application/json"]["schema"]
        assert status == 200 and schema != {"type": "object"} and fits(json.loads(text), schema, named, path), (path, text)
        seen += 1
    assert seen == 33
    shown = json.loads(gate.web("/api/v1/reviews/R-2", headers=scene.caller["a"].heads)[2])
    for broken in ({**shown, "more": 1}, {k: v for k, v in shown.items() if k != "asked"}, {**shown, "asked": "1"}):
        with pytest.raises(AssertionError):
            fits(broken, told("/reviews/{review}", "get")["application/json"]["schema"], named)


def test_lists_of_any_size(scene):
    """Page by page, each row once, by API and command line; no page has more rows than an answer holds, whatever is asked for."""
    gate, heads = scene.gate, scene.caller["v"].heads
    want = crowded(gate)
    api = json.loads(gate.web("/api/v1/openapi.json")[2])
    most = {"releases": 200, "rollouts": 1000, "sightings": 1000}
    for name, ids in want.items():
        assert {p["name"] for p in api["paths"][f"/{name}"]["get"]["parameters"]} >= {"after", "limit"}
        schema = api["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        key = "resource" if name == "sightings" else "id"

        def page(query):
            status, got, body = gate.web(f"/api/v1/{name}?{query}", headers=heads)
            doc = json.loads(body)
            assert status == 200 and fits(doc, schema, api["components"]["schemas"]), body
            assert ("link" in got) == (doc["next"] is not None)
            if doc["next"]:
                assert f"after={doc['next']}" in got["link"] and 'rel="next"' in got["link"]
            return [r[key] for r in doc[name]], doc["next"]

        for limit in ("", "limit=1000", "limit=97"):
            seen, after = [], ""
            while after is not None:
                rows, after = page(f"{limit}{after and f'&after={after}'}".lstrip("&"))
                assert 0 < len(rows) <= (97 if "97" in limit else most[name])
                seen += rows
            assert seen == ids, (name, limit, len(seen), len(ids))
        for bad in ("limit=0", "limit=1001", "limit=x", "after=R-1", "after=" + "0" * 31, "after=" + "0" * 33):
            status, _, body = gate.web(f"/api/v1/{name}?{bad}", headers=heads)
            assert status == 400 and json.loads(body)["id"], (name, bad, body)
        # An empty page would say that this is the end.
        status, _, body = gate.web(f"/api/v1/{name}?after=" + "0" * 32, headers=heads)
        assert (status == 200) if name == "sightings" else (status == 404 and json.loads(body)["id"] == "NOT-FOUND"), body
        verb = name[:-1]
        first = gate.cli(verb, "list", "--limit", "97")
        assert [r[key] for r in first[name]] == ids[:97] and first["next"] == ids[96]
        assert [r[key] for r in gate.cli(verb, "list", "--limit", "97", "--after", ids[96])[name]] == ids[97:194]
    assert gate.cli("rollout", "list", "--after", "0" * 32, ok=(1,))["error"]["id"] == "NOT-FOUND"
    rows = json.loads(gate.web("/api/v1/sightings?profile=story&limit=1", headers=heads)[2])
    assert len(rows["sightings"]) == 1 and json.loads(gate.web("/api/v1/sightings?profile=other", headers=heads)[2])["sightings"] == []


def test_everybody_asks_for_everything(scene):
    gate = scene.gate
    served = json.loads(gate.web("/api/v1/openapi.json")[2])["paths"]
    assert {f"{m.upper()} {p}" for p, ops in served.items() for m in ops} == set(MAY)
    time.sleep(0.5)  # what edges and the watchers of files have to say about the scene
    before, size = state(gate), len(gate.entries())
    refused = 0
    for row, may in MAY.items():
        for who in scene.caller:
            if who in may:
                continue
            got = scene.ask(who, row)
            assert got == ((401, "SIGN-IN") if who == "g" else (403, "DENIED")), (who, row, got)
            refused += 1
    for who, want in (("g", (401, "SIGN-IN")), ("e", (403, "DENIED"))):  # to hear that something changes is to look at the log
        assert scene.caller[who].ask("GET", "/events") == want
        refused += 1
    assert refused > 250
    after = state(gate)
    assert after[1] == before[1]
    assert {t: set(after[0][t]) ^ set(before[0][t]) for t in after[0]} == {t: set() for t in before[0]}
    assert {e["ev"] for e in gate.entries()[size:]} <= {"authz.denied", "log.exported"}  # the latter is this looking
    # Those who may: whatever becomes of it, it is not that they may not. Who signs out asks nothing after it.
    for row, may in sorted(MAY.items(), key=lambda i: i[0] == "DELETE /session"):
        for who in filter(lambda who: who in may, scene.caller):
            status, problem = scene.ask(who, row)
            assert problem not in ("DENIED", "SIGN-IN", "UNKNOWN-REQUEST", "METHOD", "COULD-NOT"), (who, row, status, problem)
    for who in PEOPLE + SSO + "e":
        assert scene.caller[who].ask("GET", "/status") == (401, "SIGN-IN")
        refused += 1
    # Gathered by the minute, and the rest when the gateway stops: each is counted, and the last of each minute named.
    gate.stop()
    gate.start()
    told = [e for e in gate.entries()[size:] if (e["ev"], e.get("obj")) == ("authz.denied", "requests")]
    assert sum(int(e["ref"]["count"]) for e in told) == refused
    assert told[-1]["msg"] == "the last: nobody asked for status", told[-1]
