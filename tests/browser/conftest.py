# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browse  # noqa: E402
from console import Console, totp  # noqa: E402
from world import World  # noqa: E402


# Pages are looked at before anybody decides anything.
ORDER = ["test_pages.py", "test_audit.py", "test_whatif.py", "test_away.py", "test_decide.py", "test_people.py", "test_passkey.py",
         "test_signin_key.py", "test_keyboard.py", "test_signed.py", "test_glass.py", "test_lists.py", "test_sso.py"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(os.path.basename(item.path)))


class Place:
    """One gateway for all tests of a run: gate, console, and the sessions of those who look."""

    def __init__(self, world, console):
        self.world, self.gate, self.console, self.url = world, world.gate, console, console.url
        self.alice = console.session("alice", ["approver"], "alice@demo.invalid")
        self.olga = console.session("olga", ["operator"])
        console.add("bea", ["approver"], "bob@demo.invalid")
        secret = console.enrol("bea")
        self.bea, self.bea_code = None, lambda: totp(secret, 1)  # signs in by hand, once
        self.vera = console.session("vera", ["viewer"])

    def release(self, review):
        """What was released by it."""
        return next(r["id"] for r in self.gate.cli("release", "list")["releases"] if r["review"] == review)


@pytest.fixture(scope="session")
def place():
    world = World()
    console = Console(world.gate)
    try:
        console.prepare()
        world.gate.start()
        world.fill()
        console.start()
        yield Place(world, console)
    except BaseException:
        if os.path.exists(world.gate.log):
            print(open(world.gate.log).read()[-6000:])
        raise
    finally:
        world.close()


@pytest.fixture(scope="session")
def chromium():
    driver = browse.start()
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def driver(chromium, place):
    """Signed in as alice, at a desk, with nothing remembered."""
    browse.look(chromium, 1440, False)
    chromium.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": place.url, "storageTypes": "local_storage"})
    browse.as_session(chromium, place.url, place.alice)
    browse.errors(chromium)
    yield chromium
