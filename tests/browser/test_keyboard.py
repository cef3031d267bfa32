# SPDX-License-Identifier: Apache-2.0
"""Without a mouse: the map of keys, what no key does, where the focus goes, and who signs in."""
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import browse
import console
from browse import every, one, there, wait


def keys(driver, *what):
    for key in what:
        ActionChains(driver).send_keys(key).perform()


def focused(driver):
    return driver.execute_script("const e = document.activeElement; return e.id || e.textContent.trim().slice(0, 40)")


def test_the_map(driver, place):
    browse.visit(driver, place.url + "/reviews?view=all")
    keys(driver, "j", "j")
    assert focused(driver) == "R-2"
    keys(driver, "k", "j", "j", Keys.ENTER)
    wait(driver, "return location.pathname === '/reviews/R-3'")
    browse.drawn(driver)
    keys(driver, "v")
    assert every(driver, "section.viewed") and "1 of" in one(driver, "[data-progress]").text
    keys(driver, "/", "telnetd")
    assert focused(driver) == "file-search" and "telnetd" in one(driver, "#part-files .tree").text
    keys(driver, Keys.ESCAPE)
    driver.execute_script("document.activeElement.blur()")
    for second, path in (("a", "/audit"), ("f", "/fleet"), ("r", "/rollouts"), ("q", "/reviews")):
        keys(driver, "g", second)
        wait(driver, f"return location.pathname === '{path}'")
        browse.drawn(driver)
    assert focused(driver) == "main"
    # What was viewed is remembered.
    browse.visit(driver, place.url + "/reviews/R-3")
    assert len(every(driver, "section.viewed")) == 1


def test_keys_are_letters_where_letters_are_written(driver, place):
    for path, search in (("/reviews?view=all", "q"), ("/audit", "log-q"), ("/reviews/R-3", "file-search")):
        browse.visit(driver, place.url + path)
        keys(driver, "/")
        assert focused(driver) == search, path
        keys(driver, "j", "g", "a", "?", "v")
        assert one(driver, "#" + search).get_property("value") == "jga?v" and not every(driver, "dialog")
        assert driver.execute_script("return location.pathname") == path.partition("?")[0]
    # With Ctrl, Alt or Meta they are the browser's; and a letter counts as the second only right after g.
    browse.visit(driver, place.url + "/reviews?view=all")
    for modifier in (Keys.CONTROL, Keys.ALT, Keys.META):
        ActionChains(driver).key_down(modifier).send_keys("k").key_up(modifier).perform()
        assert not focused(driver).startswith("R-")
    keys(driver, "g", "x", "a")
    assert driver.execute_script("return location.pathname") == "/reviews"
    keys(driver, "k")
    assert focused(driver) == every(driver, "#main [data-row]")[-1].text
    keys(driver, "?")
    assert all(word in there(driver, "#keys").text for word in ("search", "queue", "rollouts", "fleet", "audit", "viewed"))


def test_shortcuts_can_be_switched_off(driver, place):
    browse.visit(driver, place.url + "/reviews?view=all")
    keys(driver, "?")
    there(driver, "#keys")
    keys(driver, Keys.TAB) if focused(driver) != "keys-on" else None
    one(driver, "#keys-on").send_keys(Keys.SPACE)
    keys(driver, Keys.ESCAPE)
    wait(driver, lambda d: not every(d, "#keys"))
    driver.execute_script("document.activeElement.blur()")
    keys(driver, "j", "?", "g", "a")
    assert not every(driver, "#keys") and driver.execute_script("return location.pathname") == "/reviews"


def test_no_single_key_decides(driver, place):
    # What a list says besides (how many are needed) may be a minute old, and change by itself.
    decided = lambda: [(r["id"], r["state"], r["have"], r["held"]) for r in place.gate.cli("review", "list")["reviews"]]
    before = decided()
    browse.visit(driver, place.url + "/reviews/R-8")
    for key in "abcdefhilmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        keys(driver, key)
    keys(driver, Keys.ENTER)
    assert not every(driver, "dialog") and decided() == before


def test_tab_goes_through_the_page_in_its_order_and_shows_where_it_is(driver, place):
    browse.visit(driver, place.url + "/reviews")
    keys(driver, Keys.TAB)
    assert focused(driver) == "Skip to the content"
    at, seen = [], set()
    for _ in range(40):
        keys(driver, Keys.TAB)
        place_in, outline, tag = driver.execute_script("""
            const e = document.activeElement, style = getComputedStyle(e);
            const all = [...document.querySelectorAll("*")];
            return [all.indexOf(e), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, e.tagName];""")
        if tag == "BODY":
            break
        assert outline, focused(driver)
        at.append(place_in)
        seen.add(focused(driver))
    assert at == sorted(at) and {"Queue", "view", "q", "R-1", "R-8", "Keyboard shortcuts"} <= seen, (at, seen)
    browse.visit(driver, place.url + "/reviews")
    keys(driver, Keys.TAB, Keys.ENTER, Keys.TAB)
    assert focused(driver) == "view"


def test_set_up_sign_in_and_a_second_factor_by_keys_alone(driver, place):
    browse.as_session(driver, place.url, None)
    browse.visit(driver, place.url + "/reviews/R-3")
    wait(driver, "return location.pathname === '/sign-in'")
    browse.visit(driver, place.url + "/setup")
    one(driver, "#setup-code").send_keys(place.console.setup_code(), Keys.TAB, "first", Keys.TAB, console.PASSWORD, Keys.TAB,
                                         console.PASSWORD, Keys.ENTER)
    # Nothing before there is a second factor.
    wait(driver, "return location.pathname === '/account'")
    browse.drawn(driver)
    assert "set up a second factor" in one(driver, "#part-head .hint").text
    one(driver, "#enrol").send_keys(Keys.ENTER)
    secret = there(driver, "#totp-secret").text.replace(" ", "")
    assert one(driver, "#totp-uri").text.startswith("otpauth://totp/") and secret in one(driver, "#totp-uri").text
    browse.shot(driver, "second-factor")
    keys(driver, console.totp(secret), Keys.ENTER)
    wait(driver, "return location.pathname === '/sign-in'")
    browse.drawn(driver)
    one(driver, "#user").send_keys("first", Keys.TAB, "not the password", Keys.ENTER)
    assert "SIGN-IN" in there(driver, ".problem").text
    one(driver, "#password").send_keys(console.PASSWORD, Keys.ENTER)
    wait(driver, lambda d: "SECOND-FACTOR" in "".join(e.text for e in every(d, ".problem")))
    assert focused(driver) == "code"
    keys(driver, console.totp(secret, 1), Keys.ENTER)
    wait(driver, "return location.pathname === '/'")
    browse.drawn(driver)
    # An administrator sees accounts, and does not approve.
    browse.visit(driver, place.url + "/people")
    assert "alice" in one(driver, "#part-accounts").text and "Add an account" in one(driver, "#part-accounts").text
    one(driver, "#top button").click()
    wait(driver, "return location.pathname === '/sign-in'")
    browse.visit(driver, place.url + "/health")
    wait(driver, "return location.pathname === '/sign-in'")


def test_pages_follow_the_log_by_themselves(driver, place):
    browse.visit(driver, place.url + "/reviews/R-8")
    wait(driver, lambda d: one(d, "#live").text == "live")
    one(driver, "#file-search").send_keys("agent")
    place.gate.sign("R-8", "bob", reason="the other one looked, too")
    wait(driver, lambda d: "bob@demo.invalid" in one(d, "#part-statements").text)
    assert one(driver, "#file-search").get_property("value") == "agent" and focused(driver) == "file-search"
