# SPDX-License-Identifier: Apache-2.0
"""Deciding in the browser: what stands in place of Approve, the statement, a signature that is pasted, and what one person may do."""
import hashlib
import json
import os
import subprocess

import browse
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
        return f.read()


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
    assert "for all 16 modules this gateway knows, of every group" in one(driver, "#statement .hint").text
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest in one(driver, "#statement").text
    commands = [c.get_property("textContent") for c in every(driver, "#statement .command code")]
    assert commands[0] == (f"fotagate review statement R-3 --approver alice@demo.invalid --reason '{REASON}' --sign ~/.ssh/id_ed25519")
    assert commands[1] == "ssh-keygen -Y sign -n fotagate-approval@v1 -f ~/.ssh/id_ed25519 R-3.alice@demo.invalid.json"
    assert one(driver, "#exact a[download]").get_attribute("download") == "R-3.alice@demo.invalid.json"
    browse.shot(driver, "statement")
    # Fewer of them are said as fewer.
    driver.execute_script("document.getElementById('narrow').open = true")
    fill(driver, "#groups", "canary, field")
    fill(driver, "#max-devices", "5")
    press(driver, "#part-decide form button[type=submit]")
    wait(driver, lambda d: "up to 5 of 16 modules this gateway knows, of the groups canary, field" in one(d, "#statement .hint").text)
    narrow = one(driver, "#statement .command code").get_property("textContent")
    assert "--group canary --group field --max-devices 5 --sign" in narrow
    fill(driver, "#groups", "")
    fill(driver, "#max-devices", "")
    press(driver, "#part-decide form button[type=submit]")
    wait(driver, lambda d: "of every group" in one(d, "#statement .hint").text)
    text = there(driver, "#exact pre").get_property("textContent")
    # Another person's signature is not hers.
    fill(driver, "#signature", sign(place.gate, text, "bob"))
    press(driver, "#statement form button[type=submit]")
    assert "signature" in there(driver, "#statement form .problem").text
    assert review(place.gate, 3)["have"] == 0
    os.remove(os.path.join(place.gate.dir, "statement.json.sig"))
    fill(driver, "#signature", sign(place.gate, text, "alice"))
    press(driver, "#statement form button[type=submit]")
    wait(driver, lambda d: "You have signed it already" in one(d, "#part-decide").text)
    assert review(place.gate, 3)["have"] == 1 and "1 of 3" in one(driver, "#part-statements").text


def test_a_statement_that_is_not_what_was_asked_for(driver, place):
    """A gateway that lies in between: the page says do not sign, and shows no command."""
    browse.visit(driver, place.url + "/reviews/R-8")
    assert "You have signed it already" in one(driver, "#part-decide").text
    wrong = driver.execute_async_script("""
        const done = arguments[0], real = window.fetch;
        (async () => {
            const told = [];
            const decide = await import("/decide.js");
            const r = await (await real("/api/v1/reviews/R-3")).json();
            const body = { reason: "looked at all of it", approver: "alice@demo.invalid" };
            const csrf = { "X-FG-CSRF": "1", "Content-Type": "application/json" };
            const doc = await (await real("/api/v1/reviews/R-3/statement", { method: "POST", headers: csrf, body: JSON.stringify(body) })).json();
            const changes = [(p) => p, (p) => { p.predicate.reason = "another reason"; }, (p) => { p.subject[0].digest.sha256 = "0".repeat(64); },
                (p) => { p.predicate.findings.pop(); }, (p) => { p.predicate.approver = "bob@demo.invalid"; },
                (p) => { p.predicate.decision = "resume"; }, (p) => { p.predicate.report.digest.sha256 = "0".repeat(64); },
                (p) => { p.predicate.policy.digest.sha256 = "0".repeat(64); }, (p) => { p.predicate.target = "\\u202e9.9"; },
                (p) => { p.predicate.findings.push("SIG-ABSENT"); }, (p) => { p.predicate.time = "2020-01-01T00:00:00Z"; },
                (p) => { delete p.predicate.scope; p.predicate.review = "R-9"; }];
            for (const change of changes) {
                const p = JSON.parse(doc.statement);
                change(p);
                told.push(decide.differs(p, JSON.stringify(p), body, r).length);
            }
            done(told);
        })().catch((e) => done(String(e)));""")
    assert wrong[0] == 0 and all(wrong[1:]) and len(wrong) == 12, wrong


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
    assert "Your account may not approve" in text and "no key that counts" in text and not every(driver, "#approve-reason")
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
    browse.visit(driver, place.url + "/releases")
    press(driver, "#part-list button:enabled")
    answer(driver, "nobody shall have it any more")
    until(lambda: review(place.gate, 2)["state"] == "revoked")
    wait(driver, lambda d: "revoked" in one(d, "#part-list").text)


def test_what_the_gateway_refuses_is_said_with_its_cure(driver, place):
    browse.as_session(driver, place.url, place.olga)
    browse.visit(driver, place.url + "/reviews/R-1")
    press(driver, "#part-decide button:not(.danger)")
    wait(driver, lambda d: review(place.gate, 1)["state"] == "fetch-failed")
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
