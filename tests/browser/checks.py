# SPDX-License-Identifier: Apache-2.0
"""Accessibility by our own means: checks.js in the page, and names and roles as the browser hands them to a screen reader."""
import os

import browse

NEED_NAMES = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "spinbutton", "image", "dialog", "table",
              "progressbar", "navigation", "DisclosureTriangle"}

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "checks.js"), encoding="utf-8") as f:
    CHECKS = f.read()


def tree(driver):
    """[(role, name)] of what a screen reader gets to hear of."""
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored") and "role" in n]


def seen(driver):
    """What is wrong with how the page looks now."""
    return driver.execute_script(CHECKS)


def heard(driver):
    """What is wrong with how the page sounds."""
    nodes = tree(driver)
    roles = {role for role, _ in nodes}
    wrong = [f"a {role} without a name" for role, name in nodes if role in NEED_NAMES and not name.strip()]
    wrong += [f"no {role}" for role in ("main", "banner", "heading") if role not in roles]
    return wrong


def everywhere(driver):
    """What is seen to be wrong with the page as it stands, at 320 and 1440 pixels, light and dark, and what is heard."""
    wrong = heard(driver)
    for width in (320, 1440):
        for dark in (False, True):
            browse.look(driver, width, dark)
            wrong += [f"{width} {'dark' if dark else 'light'}: {w}" for w in seen(driver)]
    browse.look(driver, 1440, False)
    return wrong
