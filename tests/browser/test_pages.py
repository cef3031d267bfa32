# SPDX-License-Identifier: Apache-2.0
"""Every page, small and large, light and dark: drawn without an error, readable, reachable, and nothing in it is markup."""
import os

import pytest

import browse
import checks
from world import NASTY

PAGES = {"queue": "/reviews", "queue-empty": "/reviews?view=expiring", "review": "/reviews/R-3", "blocked": "/reviews/R-4",
         "failed": "/reviews/R-1", "hostile": "/reviews/R-7", "rollouts": "/rollouts", "rollout": "/rollouts/{release}", "fleet": "/fleet",
         "module": "/modules/{module}", "releases": "/releases", "audit": "/audit", "entry": "/audit/15", "policy": "/policy", "standing": "/standing",
         "breakglass": "/breakglass", "sightings": "/sightings",
         "explain": "/policy/R-3", "people": "/people", "health": "/health", "account": "/account", "nowhere": "/no/such/page"}


def hostile_module(gate):
    return next(m["id"] for m in gate.cli("module", "list")["modules"] if m["group"].startswith("<"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_at_every_size_and_in_every_light(driver, place, name):
    browse.visit(driver, place.url + PAGES[name].format(module=hostile_module(place.gate), release=place.release("R-2")))
    assert not browse.every(driver, ".problem"), browse.one(driver, ".problem").text
    assert "fotagate" in driver.title
    wrong = checks.heard(driver)
    for width in (320, 1440):
        for dark in (False, True):
            browse.look(driver, width, dark)
            browse.shot(driver, f"{name}-{width}-{'dark' if dark else 'light'}")
            wrong += [f"{width} {'dark' if dark else 'light'}: {w}" for w in checks.seen(driver)]
    assert not wrong, "\n".join(wrong)
    assert browse.errors(driver) == []


@pytest.mark.parametrize("name", ["queue", "review", "rollout"])
def test_a_picture_for_the_readme(driver, place, name):
    """As on a screen of a desk; those in the README are these, taken over by hand: tests/browser/shots."""
    browse.look(driver, 1120, False)
    browse.visit(driver, place.url + PAGES[name].format(release=place.release("R-2")))
    assert os.path.getsize(browse.shot(driver, f"readme-{name}", 800)) < 150_000
    assert os.path.getsize(os.path.join(os.path.dirname(os.path.abspath(__file__)), "shots", name + ".png")) < 150_000


@pytest.mark.parametrize("path", ["/sign-in", "/setup"])
def test_the_doors(driver, place, path):
    browse.as_session(driver, place.url, None)
    browse.visit(driver, place.url + path)
    wrong = checks.heard(driver)
    for width in (320, 1440):
        for dark in (False, True):
            browse.look(driver, width, dark)
            browse.shot(driver, f"{path[1:]}-{width}-{'dark' if dark else 'light'}")
            wrong += checks.seen(driver)
    assert not wrong, "\n".join(wrong)


def test_dialogs(driver, place):
    browse.visit(driver, place.url + "/reviews/R-3")
    browse.one(driver, "#part-decide button.danger").click()
    assert [w for w in checks.heard(driver) if w.startswith("a ")] == [] and checks.seen(driver) == []
    box = browse.one(driver, "dialog")
    assert driver.switch_to.active_element.find_element("xpath", "ancestor::dialog") == box


def test_text_that_is_more_than_it_seems(driver, place):
    """say() shows what cannot be seen, in frames that no text can draw; nothing becomes an element."""
    browse.visit(driver, place.url + "/health")
    for text in NASTY:
        said, marks, elements, plain = driver.execute_async_script("""
            const done = arguments[arguments.length - 1], text = arguments[0];
            import("/dom.js").then(({ say, visible, el }) => {
                const box = el("p", { title: text }, text);
                document.getElementById("main").append(box);
                const marks = [...box.querySelectorAll(".unseen")].map((m) => m.textContent);
                done([box.textContent, marks, [...box.querySelectorAll("*")].map((e) => e.tagName), box.title]);
            });""", text)
        unseen = [c for c in text if not c.isprintable()]
        assert marks == [f"U+{ord(c):04X}" for c in unseen], text
        assert set(elements) <= {"BDI", "SPAN"} and not any(c in said for c in unseen)
        assert all(f"<U+{ord(c):04X}>" in plain for c in unseen) and not any(c in plain for c in unseen)
    # A text that spells a mark is not one.
    assert driver.execute_async_script("""
        const done = arguments[0];
        import("/dom.js").then(({ say }) => done(say("<U+202E>").nodeType));""") == 3
    assert driver.execute_script("return window.pwned") is None
    for href in ("javascript:pwned=1", "//evil.example/", "/\\evil.example/", "/\t/evil.example/", "https://evil.example/", "data:text/html,x"):
        assert driver.execute_async_script("""
            const [href, done] = arguments;
            import("/dom.js").then(({ el }) => el("a", { href })).then(() => done(""), (e) => done(e.message));""",
                                           href) == "no attribute href"


FLAWS = {
    "contrast": "add('p', 'dim').style.color = '#999'",
    "wider than the screen": "add('div', 'wide').style.width = '3000px'",
    "a target of": "const b = add('button', 'x'); b.style.cssText = 'min-height:0;padding:0;width:10px;height:10px;display:block'",
    "a table without caption": "const t = add('table', ''); t.createTHead().insertRow().insertCell(); t.createTBody().insertRow().insertCell()",
    "a heading skips": "add('h4', 'deep')",
    "headings of the first level": "add('h1', 'again')",
    "two elements have the id": "add('p', 'x').id = 'main'",
    "a field without a label": "add('input', '')",
    "tabindex over 0": "add('p', 'x').tabIndex = 3",
    "more than text": "add('img', '')",
}


def test_the_checks_see_what_is_wrong(driver, place):
    browse.visit(driver, place.url + "/releases")
    for what, flaw in FLAWS.items():
        assert checks.seen(driver) == []
        driver.execute_script("""const add = (tag, text) => {
            const e = window.planted = document.createElement(tag);
            e.textContent = text;
            document.getElementById("main").append(e);
            return e;
        };""" + flaw)
        assert any(what in w for w in checks.seen(driver)), what
        driver.execute_script("window.planted.remove()")
    driver.execute_script("document.querySelector('#top button').textContent = ''")
    assert any("button without a name" in w for w in checks.heard(driver))


LINES = """
    const done = arguments[0];
    import("/report.js").then(({ lines, files, notes }) => {
        const line = (block, severity, path, i) => ({ block, severity, path, sign: "added", text: `${block} ${i}`, evidence: "", id: "X", times: 1 });
        const some = (block, severity, path) => Array.from({ length: 100 }, (_, i) => line(block, severity, path, i));
        const drawn = (all, lost) => {
            const box = document.createElement("div");
            box.append(...lines(all, lost).flat(Infinity).filter(Boolean));
            return [box.querySelectorAll("li").length, box.textContent];
        };
        const box = document.createElement("div");
        const page = { counts: {}, lines: [line("files", "info", "", 7), line("red", "info", "a/b", 8), line("code", "block", "c", 9), line("code", "info", "d", 10)] };
        box.append(...files({ contents: null, changes: { page } }, 3).flat(Infinity).filter(Boolean));
        done([drawn(some("red", "info", ""), 0)[0], drawn(some("code", "info", ""), 0)[0],
            drawn([...some("code", "info", ""), ...some("code", "block", "")], 2),
            box.textContent, [...box.querySelectorAll("details")].map((d) => d.open),
            notes({ lines: ["<b>fixed</b>"], lines_total: 5, sha256: "0".repeat(64), size: 99 }).map((n) => n.textContent).join(" ")]);
    }).catch((e) => done(String(e.stack)));"""


def test_what_is_red_is_not_folded_away_and_nothing_is_left_out(driver, place):
    browse.visit(driver, place.url + "/releases")
    out = driver.execute_async_script(LINES)
    assert isinstance(out, list), out
    red, plain, (blocking, text), files, is_open, notes = out
    assert (red, plain, blocking) == (100, 40, 140)
    assert "Show 60 more" in text and "2 lines of this block did not fit" in text
    assert "files 7" in files and "3 lines of this block did not fit" in files
    assert "<b>fixed</b>" in notes and "4 more lines did not fit" in notes and "99 bytes" in notes
    assert is_open == [True, True, True, False], is_open  # a, a/b, c, d


def test_a_tick_hides_what_is_not_red(driver, place):
    """R-4 has a finding that blocks; R-3 lines of rights and start-up."""
    def ticked(review, section):
        browse.visit(driver, place.url + "/reviews/" + review)
        driver.execute_script("document.getElementById(arguments[0]).click()", "viewed-" + section)
        return [[e.is_displayed() for e in browse.every(driver, f"#part-{section} > ul > li{which}")] for which in (".red", ":not(.red)")]
    red, other = ticked("R-4", "findings")
    assert red and all(red) and other and not any(other)
    red, other = ticked("R-3", "block-red")
    assert red and all(red) and not other
    red, other = ticked("R-3", "block-contact")
    assert not red and other and not any(other)


def test_a_release_without_rings(driver, place):
    browse.visit(driver, place.url + "/rollouts/" + "0" * 32)
    assert browse.one(driver, "h1").text == "No rollout" and not browse.every(driver, ".problem")
    assert browse.one(driver, "#part-head a[href='/releases']")


def asked(driver, path):
    return driver.execute_script("return performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname === arguments[0]).length",
                                 "/api/v1" + path)


def test_what_is_asked_for_at_once_is_asked_once(driver, place):
    for page in ("/reviews", "/reviews/R-3", "/health"):
        browse.visit(driver, place.url + page)
        assert asked(driver, "/status") == 1, page


def test_what_the_queue_says_of_each(driver, place):
    """All of it from the rows of the list: however many there are, no other request is made for one of them."""
    more = """const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init);
            if (!String(path).includes("/reviews?state=review"))
                return answer;
            const d = await answer.json(), one = d.reviews[0];
            for (let i = 1000; i < 1100; i++)
                d.reviews.push({ ...one, id: `R-${i}`, severities: { block: 0, info: 9, notice: 0, warning: i % 7 },
                    security: i % 2 ? "<b>CVE</b>" : null, deadline: new Date(Date.now() + (i - 1050) * 86400000).toISOString() });
            return new Response(JSON.stringify(d));
        };"""
    browse.visit(driver, place.url + "/reviews")
    rows = {r.find_element("css selector", "[data-row]").text: r.text for r in every_row(driver, "list")}
    shown = {r["id"]: r for r in place.gate.cli("review", "list")["reviews"]}
    for name in ("R-3", "R-4"):
        for grade in ("block", "warning", "notice"):
            n = shown[name]["severities"][grade]
            assert (f"{grade} {n}" in rows[name]) == bool(n), (name, grade, n, rows[name])
    # R-3 waits for alice and R-8 has her signature.
    assert "needs me" in rows["R-3"] and "1 of 2" in rows["R-8"] and "needs me" not in rows["R-8"]
    browse.visit(driver, place.url + "/reviews?view=me")
    assert {r.text.split()[0] for r in every_row(driver, "list")} == {"R-3"}
    assert driver.execute_script("return performance.getEntriesByType('resource').some((e) => e.name.includes('needs_me=true'))")
    browse.visit(driver, place.url + "/reviews?view=others")
    assert {r.text.split()[0] for r in every_row(driver, "list")} == {"R-8"}
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": more})
    try:
        browse.visit(driver, place.url + "/reviews")
        rows = {r.find_element("css selector", "[data-row]").text: r.text for r in every_row(driver, "list")}
        assert "none" in rows["R-1001"] and "warning 1" in rows["R-1002"] and "security" not in rows["R-1002"]
        assert "security update" in rows["R-1001"] and "Security: <b>CVE</b>" in rows["R-1001"]
        assert "overdue by 50 days" in rows["R-1000"] and "left to decide" in rows["R-1099"]
        assert checks.everywhere(driver) == []
        browse.visit(driver, place.url + "/reviews?view=security")
        assert len(every_row(driver, "list")) == 50
        browse.visit(driver, place.url + "/reviews?view=expiring")
        assert 50 <= len(every_row(driver, "list")) <= 60
        assert not driver.execute_script("return performance.getEntriesByType('resource').some((e) => /[/]reviews[/]R-/.test(e.name))")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})
    browse.as_session(driver, place.url, place.olga)
    browse.visit(driver, place.url + "/reviews?view=me")
    assert "signs as nobody" in browse.one(driver, "#part-head").text and not browse.every(driver, "#part-list tbody tr")


def test_health_has_all_that_can_be_wrong(driver, place):
    browse.visit(driver, place.url + "/health")
    roles = {r.text.split()[0]: r.text for r in every_row(driver, "processes")}
    assert {"audit", "console", "control", "edge[0]", "warden"} <= set(roles), roles
    for name, said in roles.items():
        assert "full" in said and "seccomp" in said and "Landlock" in said, (name, said)
    fetches = [r.text for r in every_row(driver, "upstreams")]
    assert len(fetches) == 1 and fetches[0].startswith("story") and ("done" in fetches[0] or "failed" in fetches[0])
    assert "No backup was made" in browse.one(driver, "#part-backups").text
    place.console.control("backup.state", {})  # the part of a backup that the log speaks of
    def published(d):
        browse.visit(d, place.url + "/health")
        return "The last by" in browse.one(d, "#part-backups").text
    browse.wait(driver, published)
    told = [r.text for r in every_row(driver, "certificates")]
    asked = place.gate.cli("status", ok=(0, 3))["certificates"]
    assert len(told) == len(asked)
    for part in ("head", "alerts", "gateway", "log", "edges", "roles"):
        assert browse.one(driver, "#part-" + part).is_displayed(), part
    assert "not signed" in browse.one(driver, "#part-gateway").text  # the story edits its configuration as it goes
    assert "Clock" in browse.one(driver, "#part-gateway").text and "Disk in use" in browse.one(driver, "#part-log").text


def test_health_says_what_is_not_as_it_should_be(driver, place):
    """What processes and edges say, as a page that is shown it has it: a jail that lacks something, a certificate that ends soon."""
    lie = """const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init);
            if (!/status$/.test(String(path)))
                return answer;
            const d = await answer.json();
            d.certificates = [{ kind: "CERTIFICATE", listener: "<b>tls</b>", soon: true, until: "2027-01-01T00:00:00Z" }];
            return new Response(JSON.stringify(d));
        };"""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lie})
    try:
        browse.visit(driver, place.url + "/health")
        row, = every_row(driver, "certificates")
        assert "<b>tls</b>" in row.text and "to be renewed" in row.text
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})
    levels = driver.execute_async_script("""
        const done = arguments[0];
        import("/health.js").then(({ level }) => done(["console; user 5; no-new-privs; Landlock ABI 7; seccomp",
            "console; no-new-privs; Landlock refused: no such ABI; FILTERS OFF: sanitizer build", ""].map((t) => level(t).textContent))).catch((e) => done(String(e)));""")
    assert "full" in levels[0] and "only no-new-privs" in levels[1] and "none" in levels[2]


def test_a_held_clock_and_witnesses(driver, place):
    """As status has them; the statement that is written is held against the hold, which comes before a halt."""
    lie = """const real = window.fetch;
        window.fetch = async (path, init) => {
            if (/resume.statement$/.test(String(path)))
                return new Response(JSON.stringify({ name: "x.json", sha256: "0", statement: JSON.stringify({ predicateType: "urn:fotagate:approval:v1",
                    predicate: { approver: "alice@demo.invalid", decision: "resume", gateway: "demo.invalid", halted_at: "2026-11-01T00:00:00Z",
                        log: {}, nonce: "", reason: "looked at my own clock", time: new Date().toISOString() } }) }));
            const answer = await real(path, init);
            if (!/status$/.test(String(path)))
                return answer;
            const d = await answer.json();
            d.clock_hold = { at: "2026-11-30T00:00:00Z", text: "the clock went back by <b>a day</b>" };
            d.halt = { at: "2026-11-01T00:00:00Z", by_uid: 0 };
            d.witnesses = [["cosigned", 0], ["ahead", 900], ["new-word", 0]].map(([answer, claimed]) => ({ answer, claimed, answered: "2026-11-30T00:00:00Z",
                cosigned: "2026-11-30T00:00:00Z", lag: 3, name: `w-${answer}`, size: 77 }));
            return new Response(JSON.stringify(d));
        };"""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lie})
    try:
        browse.visit(driver, place.url + "/health")
        text = browse.one(driver, "#part-resume").text
        assert "End the hold of the clock" in text and "confirms the clock as it stands; the halt takes a second round" in text
        assert "The clock is held since" in browse.one(driver, "#part-head").text and "held" in browse.one(driver, "#part-gateway").text
        rows = {r.text.split()[0]: r.text for r in every_row(driver, "log")}
        assert "signed" in rows["w-cosigned"] and "remembers more" in rows["w-ahead"] and "900 entries" in rows["w-ahead"]
        assert "new-word" in rows["w-new-word"].split(" ", 1)[1] and checks.everywhere(driver) == []
        browse.one(driver, "#resume-reason").send_keys("looked at my own clock")
        browse.one(driver, "#part-resume form button").click()
        said = browse.there(driver, "#statement [role=alert]").text
        assert "Do not sign." in said and "is about another halt, or about a halt" in said
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_how_far_it_would_go_and_how_it_came(driver, place):
    browse.visit(driver, place.url + "/reviews/R-3")
    text = browse.one(driver, "#part-rings").text
    assert "the plan careful, to 70 a day at most" in text and "modules of FG100" in text
    first, half, rest = [r.text for r in browse.every(driver, "#part-rings li")]
    assert first.startswith("canary: modules of canary. It is open from the start.") and "2 modules at least have reported" in first
    assert "half: 50 % of all modules, some 8. It opens by itself" in half and "1 hour after it opened" in half
    assert "rest: all the others. It opens by itself" in rest and "3 % silent" in rest
    row = every_row(driver, "provenance")[0]
    assert "image" in row.text and "http://127.0.0.1" in row.text and "not over TLS" in row.text
    # Where it was signed for: for how many.
    browse.visit(driver, place.url + "/reviews/R-8")
    assert "as was signed so far" in browse.one(driver, "#part-rings").text


def test_words_that_the_page_does_not_know_are_shown(driver, place):
    """A gateway that is newer than its page's words: states, decisions, blocks, events are shown as they are called."""
    lie = """const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init), at = String(path);
            if (!/[/]reviews([?]|$|[/]R-3$)|[/]status$|explain$|[/]standing$/.test(at))
                return answer;
            let d = await answer.json();
            if (/status$/.test(at))
                d.reviews["in-after-review"] = 1;
            else if (/state=in-after-review/.test(at))
                d = { reviews: [{ ...window.row, id: "R-99", state: "in-after-review" }], next: null };
            else if (/[/]reviews[?]/.test(at))
                window.row = d.reviews[0] || window.row;
            else if (/R-3$/.test(at))
                Object.assign(d, { state: "blocked", reasons: [{ id: "HOOK-SAID-NO", sentence: "The hook <b>ticket</b> said no." }] });
            else if (/explain$/.test(at))
                Object.assign(d, { decision: "breakglass", hook: { outcome: "ask-the-<b>boss</b>", quorum: 4, reasons: ["<i>freeze</i>"],
                    program: "0".repeat(64) } });
            else
                d.standing = [{ deltas: "half-seen", findings: [], from: ["*"], groups: ["*"], have: 0, id: "S-7", in_force: 0,
                    key: "0".repeat(64), max_devices: 1, max_releases: 1, need: 2, policy: "0".repeat(64), product: "P", profile: "p",
                    reason: "r", state: "suspended-by-hook", until: "2027-01-01T00:00:00Z", who: "w" }];
            return new Response(JSON.stringify(d));
        };"""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lie})
    try:
        browse.visit(driver, place.url + "/reviews/R-3")
        text = browse.one(driver, "#part-blockers").text
        assert "HOOK-SAID-NO" in text and "The hook <b>ticket</b> said no." in text
        browse.visit(driver, place.url + "/policy/R-3")
        assert "breakglass" in browse.one(driver, "#part-head").text
        text = browse.one(driver, "#part-hook").text
        assert "ask-the-<b>boss</b>, for 4 people at least" in text and "<i>freeze</i>" in text
        browse.visit(driver, place.url + "/standing")
        text = browse.one(driver, "#S-7").text
        assert "suspended-by-hook" in text and "deltas: half-seen" in text
        browse.visit(driver, place.url + "/reviews")
        rows = {r.find_element("css selector", "[data-row]").text: r.text for r in every_row(driver, "list")}
        assert "in-after-review" in rows["R-99"]
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def every_row(driver, part):
    return browse.every(driver, f"#part-{part} tbody tr")


def test_the_queue_says_what_replaces_what(driver, place):
    browse.visit(driver, place.url + "/reviews?view=all")
    rows = {r.find_element("css selector", "[data-row]").text: r.text for r in every_row(driver, "list")}
    assert "supersedes 1.1.0, which is in force" in rows["R-3"] and "superseded by R-8, 1.5.0" in rows["R-3"]
    assert "supersede" not in rows["R-2"] and "supersede" not in rows["R-6"] and "superseded" not in rows["R-8"]
    assert not any("pprove" in b.text for b in browse.every(driver, "#main button"))  # nothing is approved in bulk


def test_an_empty_queue_says_how_the_first_image_comes(driver, place):
    lie = """const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init), at = String(path);
            if (!/status$|[/]reviews|profiles$/.test(at))
                return answer;
            const d = await answer.json();
            if (/status$/.test(at))
                for (const state of Object.keys(d.reviews))
                    d.reviews[state] = 0;
            else if (/profiles$/.test(at))
                d.profiles = window.name === "none" ? [] : d.profiles;
            else
                d.reviews = [];
            return new Response(JSON.stringify(d));
        };"""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lie})
    try:
        browse.visit(driver, place.url + "/reviews")
        said = browse.one(driver, "#part-first").text
        assert "How the first image gets here" in said and "fotagate import IMAGE" in said and "--profile story" in said
        assert "nothing ever came" in browse.one(driver, "#part-list").text and checks.everywhere(driver) == []
        driver.execute_script("window.name = 'none'")
        browse.visit(driver, place.url + "/reviews?view=all")
        assert "fotagate profile draft" in browse.one(driver, "#part-first").text
    finally:
        driver.execute_script("window.name = ''")
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_filters_of_the_queue_are_in_the_address(driver, place):
    browse.visit(driver, place.url + "/reviews?view=all&state=blocked&profile=story&q=R-")
    rows = [r.text for r in every_row(driver, "list")]
    assert len(rows) == 2 and all("blocked" in r for r in rows)
    for field, value in (("view", "all"), ("state", "blocked"), ("profile", "story"), ("q", "R-")):
        assert browse.one(driver, "#" + field).get_property("value") == value
    browse.one(driver, "#state option[value=rejected]").click()
    browse.wait(driver, "return location.search.includes('state=rejected') && location.search.includes('profile=story')")
    browse.drawn(driver)
    assert [r.text[:3] for r in every_row(driver, "list")] == ["R-5"]
    driver.back()
    browse.wait(driver, "return location.search.includes('state=blocked')")
    browse.drawn(driver)
    assert len(every_row(driver, "list")) == 2


def test_break_glass_where_genesis_has_none(driver, place):
    """One line on its own page, and nothing elsewhere."""
    browse.visit(driver, place.url + "/breakglass")
    assert "does not let one person release anything alone" in browse.one(driver, "#part-head").text
    assert [s.get_attribute("id") for s in browse.every(driver, "#main section") if s.is_displayed()] == ["part-head"]
    browse.visit(driver, place.url + "/reviews/R-3")
    assert browse.every(driver, "#approve-reason") and not browse.every(driver, "#glass, #breakglass")
    browse.visit(driver, place.url + "/reviews")
    assert not browse.one(driver, "#part-glass").is_displayed()


def test_where_the_key_of_a_signature_is(driver, place):
    """Beside each signature that an authenticator made; nothing beside those of a file."""
    browse.visit(driver, place.url + "/reviews/R-8")
    row, = every_row(driver, "statements")
    assert "alice@demo.invalid" in row.text and "passkey" not in row.text and "break-glass" not in row.text
    lie = """const real = window.fetch;
        window.fetch = async (path, init) => {
            const answer = await real(path, init);
            if (!/R-8$/.test(String(path)))
                return answer;
            const d = await answer.json();
            d.statements = ["device-bound", "can-be-backed-up", "backed-up", "<b>new</b>\u202e", null].map((backup, i) =>
                ({ ...d.statements[0], approver: `n${i}`, backup }));
            return new Response(JSON.stringify(d));
        };"""
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lie})
    try:
        browse.visit(driver, place.url + "/reviews/R-8")
        told = [r.text for r in every_row(driver, "statements")]
        for text, said in zip(told, ("key: on its device only", "key: may be copied", "key: copied by its maker", "key: <b>new</b>U+202E")):
            assert f"passkey or security {said}" in text, text
        assert len(told) == 5 and "passkey" not in told[4] and checks.everywhere(driver) == []
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})
