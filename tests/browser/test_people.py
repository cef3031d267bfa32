# SPDX-License-Identifier: Apache-2.0
"""A proposed signer set on the page: what changes by it, worked out from its bytes; signed with stock OpenSSH, never by a passkey."""
import hashlib
import json
import os
import subprocess

import browse
import checks
from browse import every, one, there, wait
from test_decide import fill, lying, press

CAROL = "carol@demo.invalid"


def key(gate, name):
    """A new key's line, and where it lies."""
    path = os.path.join(gate.dir, name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True, capture_output=True)
    with open(path + ".pub") as f:
        return f.read().strip(), path


def fingerprint(path):
    return subprocess.run(["ssh-keygen", "-l", "-f", path + ".pub"], check=True, capture_output=True, text=True).stdout.split()[1]


def signed(gate, text, with_key):
    path = os.path.join(gate.dir, "signers.json")
    with open(path, "w") as f:
        f.write(text)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-signers@v1", "-f", with_key, path], check=True, capture_output=True)
    with open(path + ".sig") as f:
        signature = f.read()
    os.unlink(path + ".sig")
    return signature


def write(driver, kind, text):
    if not one(driver, "#propose").get_attribute("open"):
        one(driver, "#propose summary").click()
    one(driver, f"#propose-kind option[value={kind}]").click()
    fill(driver, "#propose-value", text)
    press(driver, "#propose button[type=submit]")
    return there(driver, "#proposal > *")


def test_a_set_that_is_proposed(driver, place):
    g = place.gate
    line, path = key(g, "carol")
    browse.visit(driver, place.url + "/people")
    write(driver, "add", f"{CAROL}  {line}")
    said = one(driver, "#changes").text
    assert "new" in said and CAROL in said and fingerprint(path) in said and len(every(driver, "#changes li")) == 1, said
    assert "Passkeys never count" in one(driver, "#proposal").text and not every(driver, "#proposal #passkey")
    text = one(driver, "#exact pre").get_property("textContent")
    assert json.loads(text)["predicate"]["set"]["signers"][-1]["principal"] == CAROL
    assert hashlib.sha256(text.encode()).hexdigest() in one(driver, "#proposal .facts").text
    assert any(c.text == "ssh-keygen -Y sign -n fotagate-signers@v1 -f ~/.ssh/id_ed25519 signers.1.json"
               for c in every(driver, "#proposal .command code"))
    assert checks.everywhere(driver) == []
    # Nonsense, somebody who is in neither set, and then one of those who are.
    for signature in ("no signature", signed(g, text, key(g, "mallory")[1])):
        fill(driver, "#signature", signature)
        press(driver, "#proposal form button.primary")
        wait(driver, lambda d: every(d, "#proposal form .problem"))
    assert g.cli("people", "list")["proposals"] == []
    fill(driver, "#signature", signed(g, text, os.path.join(g.root, "people", "alice")))
    press(driver, "#proposal form button.primary")
    wait(driver, lambda d: "handed in" in one(d, "#part-proposals").text)
    now = one(driver, "#part-proposals").text
    assert "1 of 2 of those in force" in now and "alice@demo.invalid" in now, now
    # The next of them finds it there, with the same bytes and what changes.
    browse.visit(driver, place.url + "/people")
    press(driver, "#part-proposals li button:not(.copy)")
    assert CAROL in there(driver, "#changes").text and one(driver, "#exact pre").get_property("textContent") == text
    assert any(c.text.startswith("fotagate people propose --proposal ") for c in every(driver, "#proposal .command code"))
    # Others of its kind: what leaves, and a number.
    write(driver, "remove", "bob@demo.invalid")
    assert "at least" in there(driver, "#proposal .problem").text or "persons" in one(driver, "#proposal").text
    write(driver, "threshold", "9")
    assert every(driver, "#proposal .problem")
    write(driver, "console", place.url)
    wait(driver, lambda d: "may sign at " + place.url in one(d, "#changes").text)


LIES = {"names another gateway": "s.predicate.gateway = 'other.invalid'",
        "does not follow from the set in force": "s.predicate.set.previous = '0'.repeat(64)",
        "has another number": "s.predicate.set.number = 7",
        "has another form": "s.predicate.set.signers = null"}


def test_a_gateway_that_proposes_something_else(driver, place):
    for says, lie in LIES.items():
        with lying(driver, "/people.propose$/", f"""const s = JSON.parse(d.statement); {lie}; d.statement = JSON.stringify(s);
                d.sha256 = [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(d.statement)))]
                    .map((b) => b.toString(16).padStart(2, '0')).join('');"""):
            browse.visit(driver, place.url + "/people")
            write(driver, "console", place.url)
            assert "Do not sign" in one(driver, "#proposal").text and says in one(driver, "#proposal").text
            assert not every(driver, "#signature")
    # One key more than was asked for is shown, whatever was asked.
    line, path = key(place.gate, "eve")
    with lying(driver, "/people.propose$/", f"""const s = JSON.parse(d.statement);
            s.predicate.set.signers.push({{ ...s.predicate.set.signers[0], key: {json.dumps(line)} }}); d.statement = JSON.stringify(s);
            d.sha256 = [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(d.statement)))]
                .map((b) => b.toString(16).padStart(2, '0')).join('');"""):
        browse.visit(driver, place.url + "/people")
        write(driver, "console", place.url)
        assert fingerprint(path) in there(driver, "#changes").text
