# SPDX-License-Identifier: Apache-2.0
"""Signing in with a passkey: made in the first hour in place of a code, used alone, refused, and told when it has a copy."""
import base64
import contextlib

from selenium.webdriver.common.virtual_authenticator import Credential

import browse
import checks
from browse import every, one, there, wait
from console import LENT, PASSWORD
from test_decide import fill, press
from test_passkey import authenticator, enact


def fresh_authenticator(driver):
    with contextlib.suppress(Exception):
        driver.remove_virtual_authenticator()
    authenticator(driver)


def site(place):
    """Passkeys are good here: both people sign for it, unless they did."""
    if place.gate.cli("people", "list")["console"] != place.url:
        enact(place)


def who(driver, place):
    return driver.execute_script("return fetch('/api/v1/session').then((a) => a.ok ? a.json() : {session: {}})")["session"].get("user")


def touch(driver, place, ok=True):
    """On the page of signing in."""
    browse.as_session(driver, place.url, None)
    browse.visit(driver, place.url + "/sign-in")
    press(driver, "#passkey")
    if ok:
        wait(driver, "return location.pathname === '/' && !!document.querySelector('#main h1')")
    return "" if ok else there(driver, "#wrong .problem").text


def test_in_place_of_a_code(driver, place):
    site(place)
    fresh_authenticator(driver)
    place.console.add("kim", ["viewer"])
    cookie = place.console.ask("POST", "/session", {"user": "kim", "password": LENT})[1]
    new = place.console.ask("POST", "/accounts/kim/password", {"old": LENT, "password": PASSWORD}, cookie)[1]
    browse.as_session(driver, place.url, new or cookie)
    browse.visit(driver, place.url + "/account")
    press(driver, "#make-key")
    fill(driver, "#key-name", "the blue one")
    press(driver, "dialog button.primary")
    wait(driver, "return location.pathname === '/sign-in'")
    assert "The passkey is made" in there(driver, "#part-sign-in [role=status]").text
    touch(driver, place)
    assert who(driver, place) == "kim"
    browse.visit(driver, place.url + "/account")
    assert "the blue one" in there(driver, "#part-keys").text and "on its device only" in one(driver, "#part-keys").text
    browse.shot(driver, "account-passkeys")
    assert checks.everywhere(driver) == []
    # The password is gone, and the last way in stays: a touch is asked for, and then the gateway says why not.
    press(driver, "#part-keys td button.danger")
    press(driver, "#touch")
    wait(driver, lambda d: one(d, "#step-up").get_property("value").startswith("P"))
    press(driver, "dialog button[type=submit]")
    assert "nothing else lets you in" in there(driver, "dialog .problem").text
    browse.as_session(driver, place.url, None)
    browse.sign_in(driver, place.url, "kim", PASSWORD)
    assert "SIGN-IN" in there(driver, "#wrong .problem").text


def test_refused(driver, place):
    # Whoever holds the authenticator and not its PIN.
    driver.set_user_verified(False)
    assert "Queue" not in touch(driver, place, ok=False) and who(driver, place) is None
    driver.set_user_verified(True)
    # A copy that counts on its own: the first of them to come back is refused, and so is the other.
    (had,) = driver.get_credentials()
    touch(driver, place)
    fresh_authenticator(driver)
    driver.add_credential(Credential.create_resident_credential(decoded(had.id), "localhost", decoded(had.user_handle),
                                                                decoded(had.private_key), 0))
    assert "PASSKEY" in touch(driver, place, ok=False) and who(driver, place) is None
    assert place.gate.cli("account", "passkeys", "kim")["passkeys"][0]["suspended"]
    # Another authenticator has nothing for this site.
    fresh_authenticator(driver)
    assert touch(driver, place, ok=False) and who(driver, place) is None
    browse.errors(driver)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else text
