# SPDX-License-Identifier: Apache-2.0
"""A person before a browser behind nginx, which has them signed in: one button, and a session as others are."""
import shutil

import pytest

import browse
from console import Console  # noqa: F401: it knows where tests/integration lies
from crowd import settle
from gate import until
from test_console import reachable
from test_console_sso import Behind, bind


@pytest.fixture(scope="module")
def behind():
    if not shutil.which("nginx"):
        pytest.skip("nginx is not here")
    gate = Behind()
    try:
        gate.start()
        until(lambda: reachable(gate))
        settle(gate, {"olga": "operator"})
        yield gate
    finally:
        gate.close()


def test_one_button(chromium, behind):
    driver, front = chromium, behind.by_socket()
    url = f"https://localhost:{front.port}"
    driver.get(url + "/icon.svg")
    driver.delete_all_cookies()
    driver.add_cookie({"name": "idp", "value": "alice", "path": "/", "secure": True})
    browse.visit(driver, url + "/")
    browse.one(driver, "#sso").click()
    browse.wait(driver, lambda d: "no account of this gateway" in browse.one(d, "#part-sso .problem").text)
    bind(behind, "olga", "a-1")
    browse.one(driver, "#sso").click()
    browse.wait(driver, lambda d: not browse.every(d, "#sso"))
    browse.wait(driver, lambda d: "olga" in browse.one(d, "header").text)
    cookie = next(c for c in driver.get_cookies() if c["name"] == "__Host-fg")
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict"
    # Ended, it is offered again; where nobody is in between it is not.
    (session,) = [s for s in behind.cli("session", "list")["sessions"] if s["sso"]]
    behind.cli("session", "end", session["id"])
    browse.visit(driver, url + "/fleet")
    browse.wait(driver, lambda d: browse.every(d, "#sso"))
    driver.get(f"https://localhost:{behind.web_port}/")
    browse.wait(driver, lambda d: browse.every(d, "#user"))
    assert not browse.every(driver, "#sso")
