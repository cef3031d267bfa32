# SPDX-License-Identifier: Apache-2.0
"""Deciding in the browser: what stands in place of Approve, the statement, a signature that is pasted, and what one person may do."""
import contextlib
import hashlib
import json
import os
import subprocess

import browse
import console
from browse import every, one, there, wait
from gate import until

REASON = "read all of it; it is what the vendor said"


def review(gate, number):
    return gate.cli("review", "show", f"R-{number}")


def sign(gate, text, person):
    """As somebody does at their own desk, with stock OpenSSH."""
    path = os.path.join(gate.dir, "statement.json")
    with open(path, "w") as f:
        f.write(text)
    key = os.path.join(gate.root, "people", person)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f", key, path], check=True, capture_output=True)
    with open(path + ".sig") as f:
        signature = f.read()
    os.unlink(path + ".sig")  # ssh-keygen overwrites none
    return signature


def fill(driver, css, text):
    box = one(driver, css)
    box.clear()
    box.send_keys(text)


def press(driver, css):
    """Where scripts of the page scroll, the button is scrolled to first."""
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", one(driver, css))
    one(driver, css).click()


def answer(driver, text, css="dialog"):
    """Fills in the open question and sends it."""
    there(driver, css)
    fill(driver, css + " textarea", text)
    press(driver, css + " button[type=submit]")
    wait(driver, lambda d: not every(d, css))
    browse.drawn(driver)


def test_whoever_signed_in_just_now_decides(driver, place):
    """Without a reload: what signing in answers is all that the pages know of a person."""
    browse.as_session(driver, place.url, None)
    browse.sign_in(driver, place.url, "bea", console.PASSWORD, place.bea_code())
    wait(driver, "return location.pathname === '/'")
    browse.drawn(driver)
    driver.execute_script("window.here = true")
    press(driver, "#part-list a[href='/reviews/R-3']")
    wait(driver, "return location.pathname === '/reviews/R-3'")
    browse.drawn(driver)
    assert driver.execute_script("return window.here"), "it was reloaded"
    assert one(driver, "#approver").get_property("value") == "bob@demo.invalid", one(driver, "#part-decide").text
    fill(driver, "#approve-reason", REASON)
    fill(driver, "#prefix", review(place.gate, 3)["image"][:6])
    press(driver, "#part-decide form button[type=submit]")
    assert json.loads(there(driver, "#exact pre").get_property("textContent"))["predicate"]["approver"] == "bob@demo.invalid"
    place.bea = driver.get_cookie("__Host-fg")["value"]


def test_approve_with_a_signature_made_elsewhere(driver, place):
    shown = review(place.gate, 3)
    browse.visit(driver, place.url + "/reviews/R-3")
    assert "14 things need a decision; 0 of 3 signatures" in one(driver, "#part-verdict").text
    assert "You have not ticked" in one(driver, "#part-decide [data-unviewed]").text
    # A reason that is none and a digest from memory get nowhere.
    fill(driver, "#approve-reason", "short")
    fill(driver, "#prefix", shown["image"][:6])
    press(driver, "#part-decide form button[type=submit]")
    assert driver.execute_script("return !document.querySelector('#part-decide form').checkValidity()")
    fill(driver, "#approve-reason", REASON)
    fill(driver, "#prefix", "000000" if not shown["image"].startswith("000000") else "111111")
    press(driver, "#part-decide form button[type=submit]")
    assert "first six digits" in there(driver, "#statement .problem").text
    fill(driver, "#prefix", shown["image"][:6])
    press(driver, "#part-decide form button[type=submit]")
    text = there(driver, "#exact pre").get_property("textContent")
    doc = json.loads(text)["predicate"]
    assert (doc["review"], doc["reason"], doc["approver"]) == ("R-3", REASON, "alice@demo.invalid")
    told = [li.text for li in every(driver, "#says li")]
    assert "for at most 1,000,000 modules of every group" in told and told[0].startswith("approve: FG100 1.2.0,"), told
    assert any(line.endswith(": " + REASON) for line in told) and any(shown["report"] in line for line in told)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest in one(driver, "#statement").text
    commands = [c.get_property("textContent") for c in every(driver, "#statement .command code")]
    assert commands[0] == (f"fotagate review statement R-3 --approver alice@demo.invalid --reason '{REASON}' --sign ~/.ssh/id_ed25519")
    assert commands[1] == "ssh-keygen -Y sign -n fotagate-approval@v1 -f ~/.ssh/id_ed25519 R-3.alice@demo.invalid.json"
    assert one(driver, "#exact a[download]").get_attribute("download") == "R-3.alice@demo.invalid.json"
    browse.shot(driver, "statement")
    # Fewer of them are said as fewer, and for so few nothing is typed.
    fill(driver, "#prefix", "")
    driver.execute_script("document.getElementById('narrow').open = true")
    fill(driver, "#groups", "canary, field")
    fill(driver, "#max-devices", "5")
    press(driver, "#part-decide form button[type=submit]")
    wait(driver, lambda d: "for at most 5 modules of canary, field" in one(d, "#says").text)
    narrow = one(driver, "#statement .command code").get_property("textContent")
    assert "--group canary --group field --max-devices 5 --sign" in narrow
    fill(driver, "#groups", "")
    fill(driver, "#max-devices", "")
    # For more again it is.
    press(driver, "#part-decide form button[type=submit]")
    wait(driver, lambda d: "are missing" in one(d, "#statement .problem").text)
    assert not every(driver, "#exact")
    fill(driver, "#prefix", shown["image"][:6])
    press(driver, "#part-decide form button[type=submit]")
    wait(driver, lambda d: "of every group" in one(d, "#says").text)
    text = there(driver, "#exact pre").get_property("textContent")
    # Another person's signature is not hers.
    fill(driver, "#signature", sign(place.gate, text, "bob"))
    press(driver, "#statement form button[type=submit]")
    assert "signature" in there(driver, "#statement form .problem").text
    assert review(place.gate, 3)["have"] == 0
    fill(driver, "#signature", sign(place.gate, text, "alice"))
    press(driver, "#statement form button[type=submit]")
    wait(driver, lambda d: "You have signed it already" in one(d, "#part-decide").text)
    assert review(place.gate, 3)["have"] == 1 and "1 of 3" in one(driver, "#part-statements").text


# Every member there can be, one after the other, is altered, and taken out: [named, said in words alone, neither].
ALTERED = """
    const done = arguments[0];
    (async () => {
        const { differs, read, says } = await import("/statement.js");
        const get = async (path) => (await fetch("/api/v1" + path)).json();
        const [r, people, status, report] = await Promise.all(["/reviews/R-3", "/people", "/status", "/reviews/R-3/report"].map(get));
        const body = { reason: "looked at all of it", approver: "alice@demo.invalid" };
        const csrf = { "X-FG-CSRF": "1", "Content-Type": "application/json" };
        const came = await (await fetch("/api/v1/reviews/R-3/statement", { method: "POST", headers: csrf, body: JSON.stringify(body) })).json();
        const sorted = (v) => Array.isArray(v) ? v.map(sorted) : v && typeof v === "object" ?
            Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v;
        const bytes = (v) => JSON.stringify(sorted(v));
        const want = { r, report, body, people, gateway: status.genesis.origin, need: came.need };
        const out = { as_it_came: differs(came.statement, want), named: {}, said: [], neither: [] };
        // What this statement happens not to have.
        const doc = JSON.parse(came.statement), id = "0".repeat(32), digest = (c) => c.repeat(64);
        r.statements = [];
        r.waivers = [{ finding: "SIG-ABSENT", id }];
        r.checklist = body.ticks = ["read the notes"];
        report.delta = { applier: "bsdiff40/1", base: { sha256: digest("1") }, outcome: "proved", target: { sha256: digest("2"), report: digest("3") } };
        Object.assign(doc.predicate, { waived: ["SIG-ABSENT " + id], checklist: ["read the notes"], delta: {
            applier: "bsdiff40/1", base: digest("1"), made: "proved", target: digest("2") } });
        out.dressed = differs(bytes(doc), want);
        const right = String(says(read(bytes(doc))));
        const tell = (path, p) => {
            const wrong = differs(bytes(p), want), told = read(bytes(p));
            if (wrong.length)
                out.named[path] = wrong.join(", ");
            else
                out[String(says(told)) === right ? "neither" : "said"].push(path);
        };
        const other = (v) => typeof v === "number" ? v + 1 : /^[0-9a-f]+$/.test(v) ? v.slice(0, -1) + (v.endsWith("0") ? "1" : "0") :
            /Z$/.test(v) ? v.replace(/^..../, (year) => Number(year) + 1) : v + "x";
        const at = (p, path) => path.reduce((v, k) => v[k], p);
        const walk = (v, path) => {
            for (const key of Object.keys(v)) {
                const here = [...path, key], name = here.join(".");
                for (const [how, change] of [["", (o) => { o[key] = typeof o[key] === "object" ? id : other(o[key]); }],
                    ["-", (o) => { if (Array.isArray(o)) o.splice(key, 1); else delete o[key]; }],
                    ["+", (o) => { if (Array.isArray(o[key])) o[key].push("~more"); else if (typeof o[key] === "object") o[key].more = "1"; else if (!Array.isArray(o)) o[key + "_"] = "1"; else o.push("~more"); }]]) {
                    const p = structuredClone(doc);
                    change(at(p, path));
                    tell(how + name, p);
                }
                if (typeof v[key] === "object")
                    walk(v[key], here);
            }
        };
        walk(doc, []);
        const hidden = (text) => differs(text, want).length;
        out.bytes = [hidden(bytes(doc)), hidden(bytes(doc) + "\\n"), hidden(bytes(doc).replace('"decision":', '"decision":"resume","decision":')),
            hidden(JSON.stringify(doc, null, 1)), hidden(bytes(doc).replace("looked", "look\\u202eed")), hidden("{}"), hidden("null"), hidden("")];
        const twice = (change) => { const w = structuredClone(want); change(w); return differs(bytes(doc), w).join(); };
        out.asked = [twice((w) => { w.body.groups = ["canary"]; }), twice((w) => { w.body.max_devices = 5; }), twice((w) => { w.body.days = 1; }),
            twice((w) => { w.gateway = null; }), twice((w) => { w.need += 1; }), twice((w) => { w.people.floors.production = 17; })];
        // Whoever signed first chose the scope, and nobody else did.
        const narrow = (groups) => { const p = structuredClone(doc); Object.assign(p.predicate.scope, { groups, max_devices: 5 }); return bytes(p); };
        const s = doc.predicate.scope, signed = [{ current: true, groups: ["canary"], max_devices: 5, not_after: s.not_after }];
        out.second = [["canary"], ["canary", "field"]].map((g) => differs(narrow(g), { ...want, r: { ...r, statements: signed } }).length);
        done(out);
    })().catch((e) => done(String(e.stack)));"""


def test_a_statement_that_is_not_what_was_asked_for(driver, place):
    """A gateway that lies: no member can be another without that being named, or the words being others."""
    browse.visit(driver, place.url + "/reviews/R-8")
    assert "You have signed it already" in one(driver, "#part-decide").text
    out = driver.execute_async_script(ALTERED)
    assert isinstance(out, dict), out
    assert out["as_it_came"] == [] and out["dressed"] == []
    assert out["neither"] == ["predicate.nonce"]  # means nothing, and is nobody's to choose
    # What only people can judge is in the words; everything else this browser finds by itself.
    assert sorted(out["said"]) == ["-predicate.plan", "predicate.log.root", "predicate.log.size", "predicate.plan.digest.sha256",
                                   "subject.0.name"], out["said"]
    for path, what in (("predicate.gateway", "another gateway"), ("predicate.resource", "another resource"),
                       ("predicate.quorum", "another number of signatures"), ("predicate.delta.target", "what the delta makes"),
                       ("predicate.waived.0", "other waivers"), ("predicate.scope.from_versions.0", "other versions"),
                       ("predicate.scope.max_devices", "reaches further"), ("predicate.scope.groups.0", "reaches further"),
                       ("predicate.reason", "another reason"), ("predicate.findings.0", "other findings"),
                       ("-predicate.findings.0", "other findings"), ("+predicate.findings", "other findings"), ("-predicate.delta", "delta"),
                       ("+predicate", "another form"), ("predicate.decision", "another form"), ("subject.0.digest.sha256", "another image")):
        assert what in out["named"][path], (path, out["named"][path])
    assert out["second"] == [0, 1]
    assert out["bytes"][0] == 0 and all(out["bytes"][1:]) and all(out["asked"]), (out["bytes"], out["asked"])


@contextlib.contextmanager
def lying(driver, path, change):
    """The page's own fetch, where what comes from that path is changed: JavaScript on the document d."""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init);
            if (!answer.ok || !(%s).test(String(path)))
                return answer;
            const d = await answer.json();
            await (async (d) => { %s })(d);
            return new Response(JSON.stringify(d), { status: answer.status });
        };""" % (path, change)})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_what_the_gateway_says_of_a_statement_is_not_shown(driver, place):
    def write():
        browse.visit(driver, place.url + "/reviews/R-3")
        fill(driver, "#approve-reason", REASON)
        fill(driver, "#prefix", review(place.gate, 3)["image"][:6])
        press(driver, "#part-decide form button[type=submit]")
        there(driver, "#statement h3, #statement [role=alert]")
        return one(driver, "#statement").text
    with lying(driver, "/R-3.statement$/", "d.summary = ['a harmless thing'];"):
        browse.as_session(driver, place.url, place.bea)
        text = write()
        assert "harmless" not in text and "bob@demo.invalid" in text and every(driver, "#exact")
    other = """const p = JSON.parse(d.statement);
        p.predicate.gateway += "x";
        d.statement = JSON.stringify(p);
        d.sha256 = [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(d.statement)))]
            .map((b) => b.toString(16).padStart(2, "0")).join("");"""
    with lying(driver, "/R-3.statement$/", other):
        text = write()
        assert "Do not sign" in text and "names another gateway" in text
        assert not every(driver, "#exact") and not every(driver, "#statement .command")


def test_enough_signatures_that_the_warden_does_not_take(driver, place):
    with lying(driver, "/reviews.R-8$/", "d.have = d.need; d.text = 'all signatures were made by passkeys'; "
               "d.attested = [{ who: 'the laboratory', before: '1.0', after: '<b>2</b>', at: d.opened, flash: null }];"):
        browse.visit(driver, place.url + "/reviews/R-8")
        assert "not released: all signatures were made by passkeys" in one(driver, "#warden").text
        seen = one(driver, "#part-attested").text
        assert "the laboratory" in seen and "<b>2</b>" in seen and "not read" in seen
        assert "What the warden says" in one(driver, "#part-decide").text
    browse.visit(driver, place.url + "/reviews/R-8")
    assert not every(driver, "#warden") and not every(driver, "#part-attested:not([hidden])")


def test_a_report_that_is_not_the_one_that_is_signed_for(driver, place):
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init);
            return String(path).endsWith("/report") ? new Response((await answer.text()).replace("telnetd", "upgrade")) : answer;
        };"""})
    try:
        browse.visit(driver, place.url + "/reviews/R-3")
        assert "not the one that people sign for" in one(driver, ".problem").text and not every(driver, "#approve-reason")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_what_stands_in_the_way(driver, place):
    browse.visit(driver, place.url + "/reviews/R-4")
    text = one(driver, "#part-blockers").text
    assert "SIGNATURE-MISSING" in text and "SIG-ABSENT" in text and text.count("To clear it:") >= 4
    assert not every(driver, "#approve-reason") and "not open" in one(driver, "#part-decide").text
    browse.as_session(driver, place.url, place.vera)
    browse.visit(driver, place.url + "/reviews/R-3")
    text = one(driver, "#part-decide").text
    assert "Your account may not approve" in text and "signs as nobody" in text and not every(driver, "#approve-reason")
    assert all(not b.is_enabled() for b in every(driver, "#part-decide .buttons button"))


def test_one_person_rejects_and_the_log_keeps_why(driver, place):
    browse.visit(driver, place.url + "/reviews/R-4")
    press(driver, "#part-decide button.danger")
    answer(driver, "the vendor does not sign: <b>no</b>")
    wait(driver, lambda d: "rejected" in one(d, "#part-verdict").text)
    assert review(place.gate, 4)["state"] == "rejected"
    wait(driver, lambda d: "<b>no</b>" in one(d, "#part-timeline").text)


def test_pause_and_abort(driver, place):
    browse.as_session(driver, place.url, place.olga)
    browse.visit(driver, place.url + "/rollouts/" + place.release("R-6"))
    assert [b.text for b in every(driver, "#part-head button")] == ["Pause\u2026", "Abort\u2026"]
    press(driver, "#part-head button")
    answer(driver, "modules complain about it")
    assert "paused" in one(driver, "#part-head").text and not every(driver, "#part-head button")[0].is_enabled()
    assert place.gate.cli("rollout", "show", "R-6")["state"] == "paused"
    press(driver, "#part-head button:nth-of-type(2)")
    answer(driver, "and we know why: it is broken")
    until(lambda: review(place.gate, 6)["state"] != "approved")


def test_hold_and_revoke(driver, place):
    module = place.gate.cli("module", "list")["modules"][0]["id"]
    browse.as_session(driver, place.url, place.olga)
    browse.visit(driver, place.url + f"/modules/{module}")
    press(driver, "#part-head button.danger")
    answer(driver, "the customer asked for it")
    assert "held" in one(driver, "#part-head").text and place.gate.cli("module", "show", module)["held"]
    # Which one is first goes by pseudonym: it may be the one that another test has bytes for.
    place.gate.cli("module", "unhold", module, "--reason", "the story goes on")
    browse.visit(driver, place.url + "/releases")
    press(driver, "#part-list button:enabled")
    answer(driver, "nobody shall have it any more")
    until(lambda: review(place.gate, 2)["state"] == "revoked")
    wait(driver, lambda d: "revoked" in one(d, "#part-list").text)


def test_what_the_gateway_refuses_is_said_with_its_cure(driver, place):
    browse.as_session(driver, place.url, place.olga)
    browse.visit(driver, place.url + "/reviews/R-1")
    before = len(place.gate.vendor.raw)
    press(driver, "#part-decide button:not(.danger)")
    until(lambda: len(place.gate.vendor.raw) > before and review(place.gate, 1)["state"] == "fetch-failed")
    # A page that is behind what happened meanwhile: control says no.
    with lying(driver, "/reviews.R-5$/", "d.state = 'blocked';"):
        browse.visit(driver, place.url + "/reviews/R-5")
        press(driver, "#part-decide button:not(.danger)")
        problem = there(driver, ".problem").text
        assert "STATE" in problem and "rejected" in problem, problem
        # It is still there when the page is read again because something changed.
        asked = "return performance.getEntriesByType('resource').length"
        was = driver.execute_script(asked)
        place.gate.cli("refusal", "add", "digest", "e" * 64, "--reason", "something changes")
        wait(driver, lambda d: d.execute_script(asked) > was)
        browse.drawn(driver)
        assert there(driver, ".problem").text == problem
    browse.visit(driver, place.url + "/reviews/R-999")
    problem = one(driver, ".problem").text
    assert "NOT-FOUND" in problem


def test_a_finding_that_somebody_answers_for(driver, place):
    """A waiver and a remark: both in the log, neither permits."""
    browse.visit(driver, place.url + "/reviews/R-3")
    button = one(driver, "#part-answers tbody button:enabled")
    finding = button.get_attribute("aria-label").removeprefix("Waive ")
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()
    answer(driver, "the laboratory looked at it: <b>harmless</b>")
    wait(driver, lambda d: "<b>harmless</b>" in one(d, "#part-answers").text)
    shown = review(place.gate, 3)
    assert [(w["finding"], w["owner"], w["image"]) for w in shown["waivers"]] == [(finding, "alice@demo.invalid", shown["image"])]
    assert next(f for f in shown["findings"] if f["id"] == finding)["waived"] and shown["state"] == "review"
    press(driver, "#comment")
    answer(driver, "who has the module of the laboratory?")
    wait(driver, lambda d: "module of the laboratory" in one(d, "#part-answers").text)
    assert [m["text"] for m in review(place.gate, 3)["remarks"]] == ["who has the module of the laboratory?"]
    press(driver, "#part-answers button.danger")
    answer(driver, "it was another module's result")
    until(lambda: review(place.gate, 3)["waivers"] == [])
