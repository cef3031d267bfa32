# SPDX-License-Identifier: Apache-2.0
"""Break-glass in the browser: one person writes and signs it, sees the wait, another one stops it or looks at it afterwards."""
import json
import os
import subprocess
import time
import types

import pytest

import browse
import checks
import world  # noqa: F401: it knows where tests/integration lies
from browse import every, one, there, wait
from console import Console
from gate import Gate
from test_decide import lying
from test_passkey import authenticator, take_in
from test_signed import pictures, read, typed

DELAY = 25  # seconds: as long as it takes to look at the page in every light, and then to stop it


@pytest.fixture(scope="module")
def glass():
    gate = Gate(edges=1, init=("--break-glass", f"5,{DELAY}"))
    gate.console = Console(gate)
    try:
        gate.console.prepare()
        gate.start()
        gate.console.start()
        gate.alice = gate.console.session("alice", ["approver"], "alice@demo.invalid")
        gate.bob = gate.console.session("bob", ["approver"], "bob@demo.invalid")
        gate.vera = gate.console.session("vera", ["viewer"])
        gate.olga = gate.console.session("olga", ["operator"])
        gate.data = [gate.offer(f"1.{n}.0") for n in (1, 2)]
        for n in (1, 2):
            gate.ask(version=f"1.{n}.0")
            gate.review(n)
        yield gate
    finally:
        gate.close()


@pytest.fixture
def driver(chromium, glass):
    browse.look(chromium, 1440, False)
    browse.as_session(chromium, glass.console.url, glass.alice)
    browse.errors(chromium)
    yield chromium


def signed(gate, driver, name, person):
    """What the page shows, signed with stock OpenSSH."""
    statement = os.path.join(gate.dir, name)
    with open(statement, "w", encoding="ascii") as f:
        f.write(driver.execute_script("return document.querySelector('#exact pre').textContent"))
    subprocess.run(["ssh-keygen", "-Y", "sign", "-n", "fotagate-approval@v1", "-f", os.path.join(gate.root, "people", person), statement],
                   check=True, capture_output=True)
    return read(statement + ".sig")


def write(driver, url, review, image=""):
    browse.visit(driver, f"{url}/reviews/{review}")
    one(driver, "#approve-reason").send_keys("a fleet of pumps is under attack")
    one(driver, "#glass summary").click()
    one(driver, "#breakglass").click()
    one(driver, "#hours").clear()
    one(driver, "#hours").send_keys("3")
    one(driver, "#prefix").send_keys(image[:6])
    one(driver, "#part-decide form button[type=submit]").click()
    there(driver, "#exact")


def test_what_genesis_lets_one_person_do(driver, glass):
    browse.visit(driver, glass.console.url + "/breakglass")
    text = one(driver, "#part-head").text
    assert "5 modules" in text and "less than a minute" in text and "Not now" not in text
    assert "Nothing that is in force now" in one(driver, "#part-under").text and "no after-review is owed" in one(driver, "#part-owed").text
    pictures(driver, "breakglass-quiet")


def test_one_person_breaks_it_and_another_stops_it(driver, glass):
    gate = glass
    write(driver, gate.console.url, "R-1")
    says = one(driver, "#says").text
    for words in ("breakglass: FG100 1.1.0", "for at most 5 modules of every group", f"after a wait of {DELAY} s", "with one signature alone",
                  "a fleet of pumps is under attack"):
        assert words in says, (words, says)
    command = one(driver, "#statement .command code").text
    assert "--break-glass --hours 3" in command and "--days" not in command
    typed(driver, "#signature", signed(gate, driver, "alone.json", "alice"))
    began = time.time()
    [b for b in every(driver, "#statement form button") if b.text == "Hand it in"][0].click()
    wait(driver, lambda d: gate.cli("review", "show", "R-1")["state"] == "approved")
    assert gate.ask(version="1.1.0")[0] == 404
    # Bob sees the wait, and that is what it is for.
    browse.as_session(driver, gate.console.url, gate.bob)
    browse.visit(driver, gate.console.url + "/breakglass")
    row, = every(driver, "#part-under tbody tr")
    assert "R-1" in row.text and "5 modules" in row.text and "alice@demo.invalid" in row.text and "it can be stopped before" in row.text
    one(driver, "#part-under button.danger").click()
    one(driver, "dialog #reason").send_keys("this can wait until Monday")
    one(driver, "dialog button.danger").click()
    wait(driver, lambda d: "Nothing that is in force now" in one(d, "#part-under").text)
    assert time.time() < began + DELAY
    assert gate.cli("review", "show", "R-1")["state"] == "revoked" and gate.ask(version="1.1.0")[0] == 404
    # Nobody does it again before it was looked at: the page of the next review says so.
    browse.visit(driver, gate.console.url + "/reviews/R-2")
    one(driver, "#glass summary").click()
    assert "Not now" in one(driver, "#glass").text and "after-review" in one(driver, "#glass").text
    assert not one(driver, "#breakglass").is_enabled()


@pytest.mark.parametrize("who", ["vera", "olga"])
def test_who_signs_nothing_sees_it_and_can_do_nothing(driver, glass, who):
    browse.as_session(driver, glass.console.url, getattr(glass, who))
    browse.visit(driver, glass.console.url + "/reviews")
    assert "One person alone let an image through" in one(driver, "#part-glass").text and checks.everywhere(driver) == []
    one(driver, "#part-glass a").click()
    wait(driver, "return location.pathname === '/breakglass'")
    browse.drawn(driver)
    assert "One person alone released" in one(driver, "#part-owed").text and "It takes an approver" in one(driver, "#part-owed").text
    assert not every(driver, "#part-owed form")
    browse.visit(driver, glass.console.url + "/reviews/R-2")
    assert "may not approve" in one(driver, "#part-decide").text and not every(driver, "#glass, #breakglass")


def test_hostile_words_are_words(driver, glass):
    """What vendors and people named things, on the page that shows it; nothing of it is markup, or hides."""
    row = {"breakglass": True, "from": ["*"], "granted": 0, "groups": ["*"], "id": "0" * 32, "image": "0" * 64, "in_force": True,
           "max_devices": 5, "not_after": "2099-01-01T00:00:00Z", "not_before": "2098-01-01T00:00:00Z", "review": "R-1", "served": 0,
           "issued": "2098-01-01T00:00:00Z", "signers_gone": [], "size": 1, "state": "in-force", "withheld": ""}
    rows = [{**row, "product": n, "target": n, "profile": n, "signed_by": [n, n]} for n in world.NASTY]
    with lying(driver, "/[/]releases[?]|[/]breakglass$/", f"if (d.releases) d.releases = {json.dumps(rows)}; "
               f"else d.why_not = {json.dumps(' '.join(world.XSS))};"):
        browse.visit(driver, glass.console.url + "/breakglass")
        told = every(driver, "#part-under tbody tr")
        assert len(told) == len(world.NASTY)
        for text, name in zip((t.text for t in told), world.NASTY):
            assert "it can be stopped before" in text and (not name.isprintable() or text.count(name) >= 3), (name, text)
        assert "U+202E" in one(driver, "#part-under").text and world.XSS[0] in one(driver, "#part-head").text
        pictures(driver, "breakglass-hostile")
        assert driver.execute_script("return window.pwned") is None
        assert not every(driver, "#part-under img, #part-under script, #part-under svg, #part-head img")
    # Where the list goes on, for as long as one of them may be in force, and no further.
    last, = [x["id"] for x in glass.cli("release", "list")["releases"]]
    for issued, pages in (("2098-01-01T00:00:00Z", 2), ("2020-01-01T00:00:00Z", 1)):
        goes_on = f"d.releases = {json.dumps([{**rows[0], 'issued': issued}])}; d.next = /after=/.test(path) ? null : '{last}';"
        with lying(driver, "/[/]releases[?]/", goes_on):
            browse.visit(driver, glass.console.url + "/breakglass")
            assert len(every(driver, "#part-under tbody tr")) == pages


LIE = """
const real = window.fetch;
window.fetch = async (path, init) => {
    const answer = await real(path, init);
    if (!/(breakglass|R-2)[/]statement$/.test(String(path)) || !answer.ok)
        return answer;
    const d = await answer.json();
    d.statement = d.statement.replace(WAS, NOW);
    d.sha256 = [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(d.statement)))]
        .map((x) => x.toString(16).padStart(2, "0")).join("");
    return new Response(JSON.stringify(d));
};
"""


def lie(driver, was, now):
    driver.execute_script(LIE.replace("WAS", repr(was)).replace("NOW", repr(now)))


def test_an_after_review_of_two(driver, glass):
    gate = glass
    for person, who in (("alice", gate.alice), ("bob", gate.bob)):
        browse.as_session(driver, gate.console.url, who)
        browse.visit(driver, gate.console.url + "/breakglass")
        for was, now in (('"outcome":"unjustified"', '"outcome":"justified"'), ('"decision":"afterreview"', '"decision":"approve"'),
                         ('"release":"', '"release":"0')) if person == "alice" else ():
            lie(driver, was, now)
            one(driver, "#outcome option[value=unjustified]").click()
            one(driver, "#owed-reason").clear()
            one(driver, "#owed-reason").send_keys("nobody was asked who could have been")
            one(driver, "#part-owed form button").click()
            assert "Do not sign" in there(driver, "#statement .stop").text
            browse.visit(driver, gate.console.url + "/breakglass")
        one(driver, "#outcome option[value=unjustified]").click()
        one(driver, "#owed-reason").send_keys("nobody was asked who could have been")
        one(driver, "#part-owed form button").click()
        there(driver, "#exact")
        assert "it was not justified" in one(driver, "#says").text
        if person == "alice":
            pictures(driver, "breakglass-owed")
        typed(driver, "#signature", signed(gate, driver, f"after-{person}.json", person))
        [b for b in every(driver, "#statement form button") if b.text == "Hand it in"][0].click()
        if person == "alice":
            wait(driver, lambda d: "1 did" in one(d, "#part-owed").text)
    wait(driver, lambda d: "no after-review is owed" in one(d, "#part-owed").text)
    assert gate.cli("breakglass", "show")["owed"] is None
    browse.visit(driver, gate.console.url + "/reviews")
    assert not one(driver, "#part-glass").is_displayed()


def test_a_statement_that_reaches_further_is_not_to_be_signed(driver, glass):
    for was, now, says in (('"max_devices":5', '"max_devices":50', "reaches further"), (f'"delay":{DELAY}', '"delay":1', "reaches further"),
                           ('"decision":"breakglass"', '"decision":"approve"', "another form"),
                           ('"blocked":false', '"blocked":true', "another form"), ('"groups":["*"]', '"groups":["field"]', "reaches further")):
        browse.visit(driver, glass.console.url + "/reviews/R-2")
        lie(driver, was, now)
        one(driver, "#approve-reason").send_keys("a fleet of pumps is under attack")
        one(driver, "#glass summary").click()
        one(driver, "#breakglass").click()
        one(driver, "#part-decide form button[type=submit]").click()
        assert says in there(driver, "#statement .stop").text, (was, one(driver, "#statement").text)


def test_with_a_passkey_and_nobody_stops_it(driver, glass):
    """For as many modules as a canary's a passkey is enough, and not for more: then it is not offered."""
    gate, url = glass, glass.console.url
    authenticator(driver)
    browse.visit(driver, url + "/people")
    one(driver, "#make-passkey").click()
    take_in(types.SimpleNamespace(gate=gate, url=url), there(driver, "#new-passkey .command code").get_property("textContent"))
    with lying(driver, "/[/]people$/", "d.floors.canary_max = 4;"):
        write(driver, url, "R-2", gate.cli("review", "show", "R-2")["image"])  # typed, for that many
        assert "Not for more than 4 modules" in one(driver, "#no-passkey").text and not every(driver, "#passkey")
    write(driver, url, "R-2")
    assert not every(driver, "#no-passkey")
    driver.set_user_verified(False)
    one(driver, "#passkey").click()
    assert "PASSKEY" in there(driver, "#statement .problem").text and gate.cli("review", "show", "R-2")["state"] == "review"
    driver.set_user_verified(True)
    one(driver, "#passkey").click()
    wait(driver, lambda d: gate.cli("review", "show", "R-2")["state"] == "approved")
    assert gate.served(60, version="1.2.0") == gate.data[1]
    browse.visit(driver, gate.console.url + "/breakglass")
    assert "it can be stopped before" not in one(driver, "#part-under").text and "R-2" in one(driver, "#part-under").text
    for who, may in ((gate.vera, False), (gate.olga, True)):
        browse.as_session(driver, url, who)
        browse.visit(driver, url + "/breakglass")
        assert one(driver, "#part-under button.danger").is_enabled() == may
    browse.visit(driver, url + "/reviews/R-2")
    row, = every(driver, "#part-statements tbody tr")
    assert "break-glass" in row.text and "passkey or security key: on its device only" in row.text
    browse.visit(driver, gate.console.url + "/releases")
    assert "by one person alone" in one(driver, "#part-list").text
    assert gate.verify().stdout.rstrip().endswith("ok")
