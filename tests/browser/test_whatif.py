# SPDX-License-Identifier: Apache-2.0
"""What another text of a configuration would decide: as the command says it, kept nowhere, and refused by line and cure."""
import json
import os

import browse
import checks
from browse import every, one, wait
from console import Refused
from world import XSS

STOP = 'rules = ( { name = "stop"; products = [ "FG100" ]; outcome = "deny"; } );\n'


def conf(gate):
    with open(os.path.join(gate.root, "fotagate.conf"), encoding="utf-8") as f:
        return f.read()


def tried(driver, text, file=None):
    """What the page says of it."""
    box = one(driver, "#whatif-text")
    driver.execute_script("arguments[0].value = arguments[1]", box, text)
    if file:
        one(driver, "#whatif-file").clear()
        one(driver, "#whatif-file").send_keys(file)
    one(driver, "#part-whatif button[type=submit]").click()
    wait(driver, lambda d: every(d, "#whatif-out .problem, #whatif-out table, #whatif-out .empty"))
    return one(driver, "#whatif-out").text


def test_a_changed_text_is_tried_on_what_is_stored(driver, place, tmp_path):
    now, gate = conf(place.gate), place.gate
    assert "rules" not in now
    before = gate.cli("review", "list")
    browse.visit(driver, place.url + "/policy")
    assert "Nothing would be decided otherwise." in tried(driver, now)
    # The same as the command says, which judges by itself.
    path = os.path.join(gate.root, "fotagate.conf.new")
    with open(path, "w", encoding="utf-8") as f:
        f.write(now + STOP)
    said = gate.cli("policy", "whatif", path)
    text = tried(driver, now + STOP)
    rows = [r.text.split()[0] for r in every(driver, "#whatif-out tbody tr")]
    assert rows == [c["review"] for c in said["changes"]] and "R-3" in rows and "stop" in text
    assert f"{said['same']} as now, {said['unjudged']} without a report" in text
    assert checks.everywhere(driver) == []
    asked, _ = place.console.ask("POST", "/policy/whatif", {"file": "fotagate.conf", "text": now + STOP}, place.alice)
    assert asked["next"] is None and asked["same"] == said["same"]
    for ours, theirs in zip(asked["changes"], said["changes"]):
        assert ours["then"] == theirs["then"] and ours["review"] == theirs["review"] and ours["now"] == theirs["now"]
    # A profile as well, and one that is taken for its place in the order.
    with open(os.path.join(gate.root, "profiles.d", "story.conf"), encoding="utf-8") as f:
        profile = f.read()
    more = profile.replace("quorum = 2;", "quorum = 3;")
    assert more != profile and "by 3 people" in tried(driver, more, "profiles.d/story.conf")
    # Nothing of it stays.
    assert gate.cli("review", "list") == before and not every(driver, "#part-whatif .problem")


def test_a_text_from_a_file(driver, place, tmp_path):
    path = tmp_path / "fotagate.conf.new"
    path.write_text(conf(place.gate) + STOP)
    browse.visit(driver, place.url + "/policy")
    one(driver, "#whatif-load").send_keys(str(path))
    wait(driver, lambda d: "stop" in one(d, "#whatif-text").get_property("value"))
    long = tmp_path / "long.conf"
    long.write_text("x" * 50000)
    one(driver, "#whatif-load").send_keys(str(long))
    wait(driver, lambda d: every(d, "#whatif-out .stop"))
    assert "stop" in one(driver, "#whatif-text").get_property("value")


def test_what_is_no_configuration(driver, place):
    browse.visit(driver, place.url + "/policy")
    now = conf(place.gate)
    assert "CONFIG" in (said := tried(driver, now + "rules = 5;\n")) and "fotagate.conf:" in said, said
    for text in XSS:
        assert "CONFIG" in tried(driver, now + text)
    assert driver.execute_script("return window.pwned") is None
    for name in ("../fotagate.conf", "profiles.d/../x.conf", "profiles.d/.conf", "other.conf", "profiles.d/x", "/etc/passwd"):
        assert "no file of a configuration is called that" in tried(driver, now, name), name
    for body, status in (({"file": "fotagate.conf"}, 400), ({"file": "fotagate.conf", "text": "x" * 50000}, 413),
                         ({"file": "fotagate.conf", "text": "x" * 45000}, 400), ({"file": "fotagate.conf", "text": 5}, 400),
                         ({"file": "fotagate.conf", "text": "\x00"}, 400)):
        try:
            doc = place.console.ask("POST", "/policy/whatif", body, place.alice)[0]
        except Refused as refused:
            assert refused.status == status, (json.dumps(body)[:60], str(refused))
        else:
            raise AssertionError(doc)


def test_whoever_only_looks(driver, place):
    browse.as_session(driver, place.url, place.vera)
    browse.visit(driver, place.url + "/policy")
    assert "It takes an operator" in one(driver, "#part-whatif").text and not every(driver, "#whatif-text")
    try:
        place.console.ask("POST", "/policy/whatif", {"file": "fotagate.conf", "text": ""}, place.vera)
    except Refused as refused:
        assert refused.status == 403
    else:
        raise AssertionError("a viewer's text was read")
