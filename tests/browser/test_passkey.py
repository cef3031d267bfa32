# SPDX-License-Identifier: Apache-2.0
"""Approving with a passkey: made in the browser, taken into the signer set by people, signing what the page shows."""
import os
import subprocess

from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

import browse
import checks
from browse import every, one, there, wait
from gate import until
from test_decide import REASON, fill, lying, press, review, sign
from world import CANARIES, pair


def authenticator(driver):
    o = VirtualAuthenticatorOptions()
    o.protocol, o.transport = "ctap2", "internal"
    o.has_resident_key = o.has_user_verification = o.is_user_verified = True
    driver.add_virtual_authenticator(o)


def enact(place, *change):
    """Another set of who may sign: both people sign for it as before."""
    g = place.gate
    out = os.path.join(g.dir, "next.json")
    g.cli("people", "propose", *change, "--console", place.url, "-o", out)
    for who in ("alice", "bob"):
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-signers@v1", "-f", os.path.join(g.root, "people", who), out],
                       check=True, capture_output=True)
        os.rename(out + ".sig", f"{out}.{who}")
        g.cli("people", "submit", out, f"{out}.{who}")
    until(lambda: g.cli("people", "list")["console"] == place.url)


def take_in(place, line):
    """alice's passkey and this console, into the set of who may sign."""
    path = os.path.join(place.gate.dir, "passkey.pub")
    with open(path, "w") as f:
        f.write(line + "\n")
    enact(place, "--add", "alice@demo.invalid", path)


def to_the_statement(driver, place, number):
    shown = review(place.gate, number)
    browse.visit(driver, place.url + f"/reviews/R-{number}")
    fill(driver, "#approve-reason", REASON)
    if every(driver, "#prefix"):
        fill(driver, "#prefix", shown["image"][:6])
    press(driver, "#part-decide form button[type=submit]")
    return there(driver, "#exact pre").get_property("textContent")


def test_a_passkey_signs_and_a_module_gets_the_bytes(driver, place):
    g = place.gate
    place.world.bring(9, "1.6.0", pair("update.sqfs") + b"\0" * 512)
    to_the_statement(driver, place, 9)
    assert not every(driver, "#passkey") and "Passkeys sign at https://localhost:8443 only" in one(driver, "#statement").text
    # It is made here, and counts for nothing before people took it in.
    authenticator(driver)
    browse.visit(driver, place.url + "/people")
    assert "at https://localhost:8443, not here" in one(driver, "#part-passkeys").text
    press(driver, "#make-passkey")
    line = there(driver, "#new-passkey .command code").get_property("textContent")
    assert line.startswith("sk-ecdsa-sha2-nistp256@openssh.com AAAA") and line.endswith(" alice@demo.invalid")
    take_in(place, line)
    text = to_the_statement(driver, place, 9)
    # Whoever holds the authenticator and not its PIN signs nothing.
    driver.set_user_verified(False)
    press(driver, "#passkey")
    assert "PASSKEY" in there(driver, "#statement .problem").text and review(g, 9)["have"] == 0
    driver.set_user_verified(True)
    press(driver, "#passkey")
    wait(driver, lambda d: "You have signed it already" in one(d, "#part-decide").text)
    assert review(g, 9)["have"] == 1
    said = {r.text.split()[0]: r.text for r in every(driver, "#part-statements tbody tr")}
    assert "passkey or security key: on its device only" in said["alice@demo.invalid"], said
    # Stock OpenSSH says the same of what the gateway keeps.
    folder = os.path.join(g.root, "data", "statements")
    name = next(n for n in os.listdir(folder) if n.endswith(".json") and open(os.path.join(folder, n)).read() == text)
    allowed = os.path.join(g.dir, "allowed")
    with open(allowed, "w") as f:
        f.write(f'alice@demo.invalid namespaces="fotagate-approval@v1" {line}\n')
    said = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "alice@demo.invalid", "-n", "fotagate-approval@v1", "-s",
                           os.path.join(folder, name[:-4] + "sig")], input=text.encode(), capture_output=True)
    assert said.returncode == 0 and b"Good" in said.stdout, said
    # The second of them signs off the console: all modules are more than a canary.
    g.sign("R-9", "bob")
    g.review(9, "approved")
    browse.visit(driver, place.url + "/reviews/R-9")
    said = {r.text.split()[0]: r.text for r in every(driver, "#part-statements tbody tr")}
    assert "passkey" in said["alice@demo.invalid"] and "passkey" not in said["bob@demo.invalid"], said
    assert g.served(imei=CANARIES[1], version="1.6.0")


def end_of_halt(driver, place, approver):
    """The statement that the page writes for that person."""
    browse.visit(driver, place.url + "/health")
    fill(driver, "#resume-reason", REASON)
    one(driver, f"#approver option[value='{approver}']").click()
    press(driver, "#part-resume form button[type=submit]")
    return there(driver, "#exact pre").get_property("textContent")


def test_a_halt_is_ended_from_the_page(driver, place):
    """With the passkey and the set of before: one signs here, the other at a desk."""
    g = place.gate
    g.text("halt")
    until(lambda: g.cli("status", ok=(0, 3))["halt"])
    browse.visit(driver, place.url + "/health")
    assert "See Health" in there(driver, "#alarm .alarm").text and "Passkeys alone do not" in one(driver, "#part-resume").text
    browse.shot(driver, "halted")
    assert checks.everywhere(driver) == []
    with lying(driver, "/resume.statement$/", """const s = JSON.parse(d.statement); s.predicate.halted_at = "2020-01-01T00:00:00Z";
            d.statement = JSON.stringify(s); d.sha256 = [...new Uint8Array(await crypto.subtle.digest('SHA-256',
            new TextEncoder().encode(d.statement)))].map((b) => b.toString(16).padStart(2, '0')).join('');"""):
        browse.visit(driver, place.url + "/health")
        fill(driver, "#resume-reason", REASON)
        press(driver, "#part-resume form button[type=submit]")
        assert "is about another halt" in there(driver, "#statement .stop").text and not every(driver, "#signature")
    end_of_halt(driver, place, "alice@demo.invalid")
    press(driver, "#passkey")
    wait(driver, lambda d: "more are needed" in one(d, "#part-resume").text)
    text = end_of_halt(driver, place, "bob@demo.invalid")
    fill(driver, "#signature", "no signature")
    press(driver, "#statement form button.primary")
    assert there(driver, "#statement .problem") and g.cli("status", ok=(0, 3))["halt"]
    fill(driver, "#signature", sign(g, text, "bob"))
    press(driver, "#statement form button.primary")
    wait(driver, lambda d: not one(d, "#part-resume").is_displayed())
    assert g.cli("status", ok=(0, 3))["halt"] is None and g.served(imei=CANARIES[1], version="1.6.0")
