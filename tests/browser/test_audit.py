# SPDX-License-Identifier: Apache-2.0
"""The log in the browser: verified without believing the server, and found wrong when it is."""
import browse
from browse import every, one, wait

# The page's own fetch, with one byte of the first bundle of entries turned over.
LIAR = """
const real = window.fetch;
window.fetch = async (path, init) => {
    const answer = await real(path, init);
    if (!String(path).includes("/tile/entries/"))
        return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.ok)
        bytes[40] ^= 1;
    return new Response(bytes, { status: answer.status });
};
"""


def verified(driver):
    one(driver, "#part-integrity button.primary").click()
    wait(driver, lambda d: every(d, "#verified li, #verified .problem"))
    return one(driver, "#verified").text


def test_the_whole_log_is_reckoned_here(driver, place):
    browse.visit(driver, place.url + "/audit")
    size = place.gate.cli("audit", "checkpoint", ok=(0, 1, 2)) and int(one(driver, "#log-size").text)
    text = verified(driver)
    assert "the root reckoned here is the one in the checkpoint" in text and "is good" in text and "first time" in text, text
    assert "every entry stands where it says" in text and size >= 50
    assert "it continues what this browser saw" in verified(driver)
    # A key that somebody was given counts more than the log's own word.
    with open(f"{place.gate.root}/people/trust.txt") as f:
        own = next(line.split()[1] for line in f if line.startswith("log "))
    one(driver, "#own-key summary").click()
    one(driver, "#vkey").send_keys(own)
    assert "is good" in verified(driver)
    one(driver, "#vkey").send_keys("x")
    assert "verifier key" in verified(driver)
    # It is remembered until it is taken out.
    browse.visit(driver, place.url + "/audit")
    assert one(driver, "#vkey").get_property("value") == own
    assert "the key you gave" in verified(driver)
    one(driver, "#own-key summary").click()
    one(driver, "#vkey").clear()
    assert "a key that the log itself names" in verified(driver)
    browse.visit(driver, place.url + "/audit")
    assert one(driver, "#vkey").get_property("value") == ""


def test_a_log_that_was_rewritten(driver, place):
    browse.visit(driver, place.url + "/audit")
    origin = one(driver, "#part-integrity dd").text
    driver.execute_script("localStorage.setItem('fg.log.seen.' + arguments[0], JSON.stringify({ size: 10, root: '0'.repeat(64), at: "
                          "new Date().toISOString() }))", origin)
    assert "CUT OR REWRITTEN" in verified(driver)
    driver.execute_script("localStorage.setItem('fg.log.seen.' + arguments[0], JSON.stringify({ size: 1e6, root: '0'.repeat(64), at: "
                          "new Date().toISOString() }))", origin)
    assert "CUT OR REWRITTEN" in verified(driver)


def test_a_server_that_shows_other_entries(driver, place):
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LIAR})
    try:
        browse.visit(driver, place.url + "/audit")
        assert "IS NOT the one in the checkpoint" in verified(driver)
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_filters_are_in_the_address(driver, place):
    browse.visit(driver, place.url + "/audit?event=approval.signed&actor=alice")
    rows = [r.text for r in every(driver, "#part-list tbody tr")]
    assert rows and all("approval.signed" in r and "alice@demo.invalid" in r for r in rows)
    one(driver, "#log-actor").clear()
    one(driver, "#log-actor").send_keys("bob")
    one(driver, "#part-filters button").click()
    wait(driver, "return location.search.includes('actor=bob')")
    browse.drawn(driver)
    rows = [r.text for r in every(driver, "#part-list tbody tr")]
    assert rows and all("approval.signed" in r and "bob@demo.invalid" in r for r in rows)
    driver.back()
    wait(driver, "return location.search.includes('actor=alice')")
    browse.drawn(driver)
    assert one(driver, "#log-actor").get_property("value") == "alice"


def test_an_entry_and_its_proof(driver, place):
    browse.visit(driver, place.url + "/audit/15")
    assert "proved" in one(driver, "#part-proof").text and '"seq":15' in one(driver, "#part-raw pre").text
    assert one(driver, ".command code").text == "fotagate audit proof 15 -o 15.tlog-proof"
    good = driver.execute_async_script("""
        const done = arguments[0];
        (async () => {
            const { included } = await import("/log.js");
            const { entry, receipt } = await (await fetch("/api/v1/audit/proof/15")).json();
            const lines = receipt.split("\\n"), cut = (at) => [...lines.slice(0, at), ...lines.slice(at + 1)].join("\\n");
            const good = async (e, r) => (await included(e, r)).good;
            done([await good(entry, receipt), await good(entry + " ", receipt), await good(entry, cut(2)),
                await good(entry, receipt.replace("index 15", "index 14")), await good(entry, receipt.replace("index 15", "index 99999"))]);
        })().catch((e) => done(String(e)));""")
    assert good == [True, False, False, False, False]
