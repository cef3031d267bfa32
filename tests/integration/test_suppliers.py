# SPDX-License-Identifier: Apache-2.0
"""Who makes the firmware, what imported lists say of them, and when their modules may be offered anything."""
import os
import signal

from gate import PROFILE, until

LIST = """
list = {
	name = "covered"; title = "A list"; source = "https://lists.example/covered"; date = "%s"; complete = %s;
	entities = ( { legal_entity = "%s"; note = "since ever"; } );
};
"""
CLOSED = PROFILE.replace("\tquorum = 2;", '\tblackouts = [ "always" ];\n\tquorum = 2;')


def write_list(gate, date="2020-01-31", complete="true", entity="Nobody"):
    os.makedirs(os.path.join(gate.root, "lists.d"), exist_ok=True)
    with open(os.path.join(gate.root, "lists.d/covered.conf"), "w") as f:
        f.write(LIST % (date, complete, entity))


def reload(gate):
    at = os.path.getsize(gate.log)
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: "the new configuration is in force" in open(gate.log).read()[at:])


def policy(gate):
    return gate.cli("profile", "list")["profiles"][0]["policy"]


def test_lists_say_what_they_say_and_no_more(gate):
    write_list(gate, entity="Nobody")
    gate.start()
    sheet = gate.cli("supplier", "show", "demo-vendor")
    entity = sheet["legal_entity"]
    said = sheet["lists"][0]
    assert (said["says"], said["date"], said["source"]) == ("unlisted", "2020-01-31", "https://lists.example/covered")
    assert said["old"] and said["age_days"] > 2000 and said["by"] == ""
    assert "unlisted:covered" in sheet["words"] and "support:unknown" in sheet["words"] and sheet["hosting"] == ["unknown"]
    assert sheet["profiles"][0]["name"] == "story" and sheet["profiles"][0]["anchors"] == ["vendor-ca.pem"]
    assert [a["id"] for a in gate.cli("status")["alerts"]].count("LIST-OLD") == 1
    before = policy(gate)
    # A newer list that is not complete: nobody knows.
    write_list(gate, date="2026-11-01", complete="false")
    reload(gate)
    sheet = gate.cli("supplier", "show", "demo-vendor")
    assert sheet["lists"][0]["says"] == "unknown" and "unknown:covered" in sheet["words"]
    assert policy(gate) != before
    write_list(gate, entity=entity.upper())
    reload(gate)
    sheet = gate.cli("supplier", "list")["suppliers"][0]
    assert "listed:covered" in sheet["words"] and sheet["name"] == "demo-vendor"
    said = gate.cli("supplier", "show", "demo-vendor")["lists"][0]
    assert (said["by"], said["note"]) == (entity.upper(), "since ever")
    assert "listed" in gate.text("supplier", "show", "demo-vendor")
    gate.cli("supplier", "show", "nobody", ok=(1,))
    # A backup has it.
    gate.tool("fotagate", "--dir", gate.root, "backup", os.path.join(gate.dir, "backup"))
    found = [f for d, _, files in os.walk(os.path.join(gate.dir, "backup")) for f in files if d.endswith("/lists.d")]
    assert found == ["covered.conf"]


def test_a_blackout_holds_what_people_released(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.set('blackouts = ( { name = "always"; first = "2020-01-01"; last = "2199-12-31"; } );')
    gate.write_profile(CLOSED)
    reload(gate)
    assert gate.ask()[0] == 404
    module = gate.cli("module", "list")["modules"][0]["id"]
    answers = {(a["answer"], a["missing"]) for a in gate.cli("module", "explain", module)["answers"]}
    assert ("outside-window", "no window of the profile opens for its group within 400 days") in answers, answers
