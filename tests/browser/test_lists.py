# SPDX-License-Identifier: Apache-2.0
"""Lists that grew for years, in the browser: page by page, each row once, with what hostile modules and people left in them."""
import pytest

import browse
import checks
import world  # noqa: F401: it knows where tests/integration lies
from browse import every, one, wait
from console import Console
from crowd import HOSTILE, crowded
from gate import Gate

SHOWN = HOSTILE[:-1]  # and what cannot be seen, by its number


@pytest.fixture(scope="module")
def old():
    gate = Gate(edges=1)
    gate.console = Console(gate)
    try:
        gate.console.prepare()
        gate.start()
        gate.console.start()
        gate.olga, gate.vera = (gate.console.session(name, [role]) for name, role in (("olga", "operator"), ("vera", "viewer")))
        gate.offer("1.1.0")
        gate.ask(version="1.1.0")
        gate.review(1)
        gate.approve("R-1")
        gate.want = crowded(gate)
        yield gate
    finally:
        gate.close()


@pytest.fixture
def driver(chromium, old):
    browse.look(chromium, 1440, False)
    browse.as_session(chromium, old.console.url, old.olga)
    browse.errors(chromium)
    yield chromium
    assert chromium.execute_script("return window.pwned") is None


def rows(driver, part):
    return driver.execute_script("return [...document.querySelectorAll(`#part-${arguments[0]} tbody tr`)].map((r) => r.textContent)", part)


def follow(driver, word):
    """The link of that word below the list, and what comes by it."""
    link, = [a for a in every(driver, "#main a") if a.text == word]
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", link)
    before = driver.current_url
    link.click()
    wait(driver, lambda d: d.current_url != before)
    browse.drawn(driver)


def links(driver, word):
    return [a for a in every(driver, "#main a") if a.text == word]


def test_releases(driver, old):
    url, seen = old.console.url, []
    browse.visit(driver, url + "/releases")
    for many, last in ((200, False), (200, False), (51, True)):
        ids = [a.get_attribute("href").rsplit("/", 1)[1] for a in every(driver, "#part-list [data-row]")]
        assert len(ids) == many
        seen += ids
        assert bool(links(driver, "Older ones")) != last
        if not last:
            follow(driver, "Older ones")
    assert seen == old.want["releases"]
    assert checks.everywhere(driver) == []
    follow(driver, "From the youngest on")
    assert len(rows(driver, "list")) == 200 and not links(driver, "From the youngest on")
    # One is in force, and those who may end it.
    assert len(every(driver, "#part-list button:enabled")) == 1
    browse.as_session(driver, url, old.vera)
    browse.visit(driver, url + "/releases")
    assert len(rows(driver, "list")) == 200 and not every(driver, "#part-list button:enabled")
    assert browse.errors(driver) == []


def test_a_place_that_is_not_there_is_no_end(driver, old):
    for name in ("releases", "rollouts"):
        browse.visit(driver, f"{old.console.url}/{name}?after={'0' * 32}")
        assert "begin again" in one(driver, "#main .problem").text
        browse.visit(driver, f"{old.console.url}/{name}?after=<b>")
        assert "hex digits" in one(driver, "#main .problem").text


def test_rollouts(driver, old):
    seen = []
    browse.visit(driver, old.console.url + "/rollouts")
    for many in (200, 200, 50):
        got = rows(driver, "over")
        assert len(got) == many and all(SHOWN in r and "U+202E" in r and "careful" in r for r in got)
        seen += [i[:8] for i in got]
        if many == 200:
            follow(driver, "Older ones")
    assert not links(driver, "Older ones") and "on the way" not in one(driver, "#main").text
    assert seen == [i[:8] for i in old.want["rollouts"]]
    assert checks.everywhere(driver) == []
    follow(driver, "From the youngest on")
    assert len(rows(driver, "over")) == 200 and "0 releases on the way" in one(driver, "#part-head").text


def test_what_modules_asked_for(driver, old):
    browse.visit(driver, old.console.url + "/fleet")
    follow(driver, "What modules asked for")
    seen, first = [], True
    while True:
        got = rows(driver, "list")
        assert 0 < len(got) <= 100 and bool(links(driver, "From the first")) != first
        seen, first = seen + got, False
        if not links(driver, "Next"):
            break
        follow(driver, "Next")
    assert len(seen) == len(old.want["sightings"]) == 1101 and len(set(seen)) == 1101
    assert sum(SHOWN in r and "U+202E" in r and HOSTILE not in r for r in seen) == 1100 and sum("R-1" in r for r in seen) == 1
    assert "javascript" not in str([a.get_attribute("href") for a in every(driver, "#part-list a")])
    follow(driver, "From the first")
    assert len(rows(driver, "list")) == 100 and checks.everywhere(driver) == []
    one(driver, "#profile option[value=story]").click()
    one(driver, "#part-filters button").click()
    wait(driver, "return location.search === '?profile=story'")
    browse.drawn(driver)
    follow(driver, "Next")
    assert "profile=story" in driver.current_url and one(driver, "#profile").get_property("value") == "story"
    browse.visit(driver, old.console.url + "/sightings?profile=<b>nobody")
    assert "No more of them" in one(driver, "#part-list").text and rows(driver, "more") == []
    assert browse.errors(driver) == []
