# SPDX-License-Identifier: Apache-2.0
"""What people sign beside reviews: the policy that is followed, and statements under which the gate releases by itself."""
import hashlib
import os
import signal
import subprocess

import pytest

import browse
import checks
import world  # noqa: F401: it knows where tests/integration lies
from browse import every, one, there, wait
from console import Console
from gate import IMEI, Gate, until
from test_away import taken, verified

RULE = ('rules = ( { name = "by-itself"; products = [ "FG100" ]; signature_at_worst = "verified"; severity_at_most = "notice"; '
        'outcome = "release"; } );')
FIRST = ("CHG-NO-OLD", "CONT-FIRST", "FMT-RAW", "SIG-REVOCATION-NOT-CHECKED")  # of a first image of its product


class Signed:
    """A gate whose policy people sign, with a console; alice and bob are its people."""

    def __init__(self):
        self.gate = Gate(edges=1, init=("--signed-policy",))
        self.console = Console(self.gate)
        self.serial = 0

    def start(self):
        self.gate.set(RULE)
        self.console.prepare()
        self.gate.start()
        self.submit(*self.proposed())
        self.console.start()
        self.alice = self.console.session("alice", ["approver"], "alice@demo.invalid")
        self.vera = self.console.session("vera", ["viewer"])

    def key(self, person):
        return os.path.join(self.gate.root, "people", person)

    def proposed(self, *people):
        """The statement of what lies on the disk, and signatures over it."""
        self.serial += 1
        path, conf = os.path.join(self.gate.dir, f"policy-{self.serial}.json"), os.path.join(self.gate.root, "fotagate.conf")
        self.gate.tool("fotagate", "-C", os.path.join(self.gate.root, "run"), "policy", "propose", "-c", conf, "-o", path)
        sigs = [f"{path}.{person}.sig" for person in people or ("alice", "bob")]
        for person, sig in zip(people or ("alice", "bob"), sigs):
            self.gate.cli("policy", "sign", path, "--key", self.key(person), "-c", conf, "-o", sig)
        return path, *sigs

    def submit(self, path, *sigs):
        self.gate.cli("policy", "submit", path, *sigs)

    def edited(self):
        self.gate.set(RULE.replace('"FG100"', '"FG100", "FG300"'))
        self.gate.process.send_signal(signal.SIGHUP)
        until(lambda: self.gate.cli("policy", "show")["disk"])


@pytest.fixture(scope="module")
def signed():
    s = Signed()
    try:
        s.start()
        yield s
    except BaseException:
        if os.path.exists(s.gate.log):
            print(open(s.gate.log).read()[-4000:])
        raise
    finally:
        s.gate.close()


@pytest.fixture
def driver(chromium, signed):
    browse.look(chromium, 1440, False)
    browse.as_session(chromium, signed.console.url, signed.alice)
    browse.errors(chromium)
    yield chromium


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def typed(driver, css, text):
    """As pasting does it."""
    driver.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", one(driver, css), text)


def pictures(driver, name):
    wrong = checks.heard(driver)
    for width in (320, 1440):
        for dark in (False, True):
            browse.look(driver, width, dark)
            browse.shot(driver, f"{name}-{width}-{'dark' if dark else 'light'}")
            wrong += [f"{width} {'dark' if dark else 'light'}: {w}" for w in checks.seen(driver)]
    browse.look(driver, 1440, False)
    assert not wrong, "\n".join(wrong)


def test_the_policy_in_force(driver, signed):
    shown = signed.gate.cli("policy", "show")
    browse.visit(driver, signed.console.url + "/policy")
    text = one(driver, "#part-inforce").text
    assert shown["number"] == 1 and "the same" in text and "WRONG" not in text
    titles = {e.get_attribute("title") for e in every(driver, "#part-inforce code[title]")}
    assert {shown["bundle"], shown["sha256"]} <= titles
    assert "2 signatures" in text and "entry" in text
    one(driver, "#bundle summary").click()
    parts = [r.text for r in every(driver, "#bundle tbody tr")]
    assert any("story" in p and "profile" in p for p in parts) and any("by-itself" in p for p in parts), parts


def test_a_policy_that_nobody_signed_and_its_way_into_force(driver, signed):
    signed.edited()
    browse.visit(driver, signed.console.url + "/policy")
    text = one(driver, "#part-inforce").text
    assert "not followed" in text and [r.text.split()[:2] for r in every(driver, "#part-inforce table tbody tr")][0] == ["rule", "by-itself"]
    assert [c.text for c in every(driver, "#part-next .command code")][:3] == [
        "fotagate policy propose -c fotagate.conf -o policy-2.json",
        "fotagate policy sign policy-2.json --key ~/.ssh/id_ed25519 -c fotagate.conf -o NAME.sig",
        "fotagate policy submit policy-2.json NAME.sig ..."]
    path, *sigs = signed.proposed()
    typed(driver, "#policy-statement", read(path))
    typed(driver, "#policy-signatures", read(sigs[0]))
    said = one(driver, "#policy-seen").text
    assert "1 of 2" in said and "alice@demo.invalid" in said and "WRONG" not in said, said
    pictures(driver, "policy-signed")
    # One is too few, and the gateway says so: nothing of it counts.
    one(driver, "#part-next form button").click()
    there(driver, "#part-next .problem")
    assert signed.gate.cli("policy", "show")["number"] == 1
    typed(driver, "#policy-signatures", read(sigs[0]) + read(sigs[1]))
    assert "2 of 2" in one(driver, "#policy-seen").text and "bob@demo.invalid" in one(driver, "#policy-seen").text
    one(driver, "#part-next form button").click()
    wait(driver, lambda d: "the policy is in force" in one(d, "#part-next").text)
    assert signed.gate.cli("policy", "show")["number"] == 2
    wait(driver, lambda d: "the same" in one(d, "#part-inforce").text)
    # What was for the one before is seen to be so.
    typed(driver, "#policy-statement", read(path))
    said = one(driver, "#policy-seen").text
    assert "the next one is 3" in said and "It does not follow the one in force" in said
    for text, says in (("{}", "no statement about a policy"), ("<img src=x onerror=pwned=1>", "not JSON")):
        typed(driver, "#policy-statement", text)
        assert says in one(driver, "#policy-seen").text
    typed(driver, "#policy-statement", "{}")
    typed(driver, "#policy-signatures", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----")
    assert "0 of" in one(driver, "#policy-seen").text and driver.execute_script("return window.pwned") is None


def test_a_viewer_hands_no_policy_in(driver, signed):
    browse.as_session(driver, signed.console.url, signed.vera)
    browse.visit(driver, signed.console.url + "/policy")
    assert not one(driver, "#part-next form button").is_enabled() and "It takes an operator" in one(driver, "#part-next").text


def test_a_standing_statement_from_the_page_to_a_module(driver, signed):
    gate = signed.gate
    fleet = os.path.join(gate.dir, "fleet.csv")
    with open(fleet, "w", encoding="ascii") as f:
        f.write(f"kind,identity,group,product,version\nimei,{IMEI},,FG100,1.0.0\n")
    gate.cli("module", "import", fleet, "--profile", "story")  # it has to be there before anybody signs
    spki = subprocess.run(["openssl", "pkey", "-in", os.path.join(gate.pki.dir, "sign.key"), "-pubout", "-outform", "DER"], check=True,
                          capture_output=True).stdout
    key = hashlib.sha256(spki).hexdigest()
    browse.visit(driver, signed.console.url + "/standing")
    assert "nothing is released without people" in one(driver, "#part-now").text and not one(driver, "#part-sign").is_displayed()
    one(driver, "#propose summary").click()
    for name, text in (("product", "FG100"), ("max_devices", "20"), ("max_releases", "5"), ("days", "7"), ("groups", "field"),
                       ("findings", ", ".join(FIRST)), ("signers", key)):
        one(driver, "#propose-" + name).clear()
        one(driver, "#propose-" + name).send_keys(text)
    one(driver, "#propose-reason").send_keys("small fixes of this vendor")
    one(driver, "#propose button[type=submit]").click()
    there(driver, "#S-1")
    made, = gate.cli("standing", "list")["standing"]
    assert (made["max_devices"], made["max_releases"], made["groups"], made["findings"]) == (20, 5, ["field"], list(FIRST))
    assert made["signers"] == [key]
    text = one(driver, "#S-1").text
    for words in ("waits for signatures", "each release for at most 20 modules of field", "any older version",
                  "at most 5 releases, so up to 100 grants", "0 of 5 used", "whole images only",
                  "when the first who signed wrote", f"with no other key than {key}", *FIRST):
        assert words in text, (words, text)
    # alice signs what the page shows, with stock OpenSSH.
    one(driver, "#sign-reason").send_keys("I stand for these bounds")
    one(driver, "#part-sign form button").click()
    there(driver, "#exact")
    assert "up to 100 grants" in one(driver, "#says").text and "I stand for these bounds" in one(driver, "#says").text
    command = one(driver, "#statement .command code").text
    assert command == ("fotagate standing statement S-1 --approver alice@demo.invalid --reason 'I stand for these bounds' "
                       "--sign ~/.ssh/id_ed25519")
    statement = os.path.join(gate.dir, "s1.json")
    with open(statement, "w", encoding="ascii") as f:
        f.write(driver.execute_script("return document.querySelector('#exact pre').textContent"))
    subprocess.run(["ssh-keygen", "-Y", "sign", "-n", "fotagate-approval@v1", "-f", signed.key("alice"), statement], check=True,
                   capture_output=True)
    pictures(driver, "standing-sign")
    typed(driver, "#signature", read(statement + ".sig"))
    [b for b in every(driver, "#statement form button") if b.text == "Hand it in"][0].click()
    wait(driver, lambda d: "1 of 2" in one(d, "#S-1").text)
    # bob by the command that the page gives.
    gate.cli("standing", "statement", "S-1", "--approver", "bob@demo.invalid", "--reason", "I stand for these bounds", "--sign",
             signed.key("bob"))

    def in_force(d):  # who signed is read from the log, which is published a moment after
        browse.visit(d, signed.console.url + "/standing")
        text = one(d, "#S-1").text
        return all(words in text for words in ("in force", "2 of 2", "alice@demo.invalid (entry", "bob@demo.invalid (entry"))
    wait(driver, in_force)
    # What it lets through is there, with the entry by which it was released.
    data = gate.offer("1.1.0")
    gate.ask()
    assert gate.served() == data

    def used(d):
        browse.visit(d, signed.console.url + "/standing")
        return "1 of 5 used" in one(d, "#S-1").text
    wait(driver, used)
    row, = every(driver, "#S-1 tbody tr")
    assert row.text.startswith("R-1") and "entry" in row.text
    issued = next(e for e in gate.entries() if e["ev"] == "release.issued")
    assert one(driver, f"#S-1 tbody a[href='/audit/{issued['seq']}']")
    pictures(driver, "standing-used")
    browse.visit(driver, signed.console.url + "/reviews/R-1")
    assert "it came under the standing statement S-1" in one(driver, "#part-statements").text


def test_a_standing_statement_is_taken_back_by_one(driver, signed):
    browse.visit(driver, signed.console.url + "/standing")
    one(driver, "#S-1 button.danger").click()
    one(driver, "dialog #reason").send_keys("the vendor changed hands")
    assert "Nothing more is released under it" in one(driver, "dialog").text
    one(driver, "dialog button.danger").click()
    there(driver, "#part-past #S-1")
    wait(driver, lambda d: "taken back" in one(d, "#part-past #S-1").text and "the vendor changed hands" in one(d, "#S-1").text)
    assert [s["state"] for s in signed.gate.cli("standing", "list")["standing"]] == ["revoked"]
    assert not every(driver, "#S-1 button.danger") and not every(driver, "#sign-which")


LIE = """
const real = window.fetch;
window.fetch = async (path, init) => {
    const answer = await real(path, init);
    if (!/standing[/]S-[0-9]+[/]statement$/.test(String(path)) || !answer.ok)
        return answer;
    const d = await answer.json();
    d.statement = d.statement.replace(WAS, NOW);
    d.sha256 = [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(d.statement)))]
        .map((x) => x.toString(16).padStart(2, "0")).join("");
    return new Response(JSON.stringify(d));
};
"""


def test_a_statement_with_other_bounds_is_not_to_be_signed(driver, signed):
    signed.gate.cli("standing", "propose", "--profile", "story", "--product", "FG100", "--max-devices", "20", "--max-releases", "5",
                    "--days", "7", "--group", "field", "--reason", "small fixes of this vendor")
    for was, now, says in (('"max_devices":20', '"max_devices":2000', "is for another number"),
                           ('"groups":["field"]', '"groups":["*"]', "reaches elsewhere"), ('"findings":[]', '"findings":["DELTA-SECOND"]',
                                                                                         "lets other findings"),
                           ('"standing":"S-', '"signers":["ab"],"standing":"S-', "is for what others signed"),
                           ('"decision":"standing"', '"decision":"approve"', "another form"),
                           ("alice@demo.invalid", "bob@demo.invalid", "names another person")):
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LIE.replace("WAS", repr(was)).replace(
            "NOW", repr(now))})
        try:
            browse.visit(driver, signed.console.url + "/standing")
            one(driver, "#sign-reason").send_keys("I stand for these bounds")
            one(driver, "#part-sign form button").click()
            there(driver, "#statement [role=alert]")
            assert "Do not sign." in one(driver, "#statement").text and says in one(driver, "#statement").text, one(driver, "#statement").text
            assert not every(driver, "#exact, #signature")
        finally:
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_all_of_it_has_policies_and_sets(driver, signed, tmp_path):
    """A later signer set and every policy that was in force go along, each with its signatures, and hold elsewhere."""
    gate = signed.gate
    gate.enrol("carol")
    until(lambda: gate.cli("people", "list")["number"] == 1)
    for n in range(256):  # so that there is a tile that is full
        signed.console.ask("POST", "/refusals", {"kind": "digest", "value": f"{n:064x}", "reason": "so that the log grows"}, signed.alice)
    browse.visit(driver, signed.console.url + "/audit")
    files = taken(driver, "#export-whole", "#exported", tmp_path)
    want = {f"signers/{n}" for n in ("genesis.json", "genesis.sig.0", "genesis.sig.1", "1.json", "1.sig.0", "1.sig.1", "policy-1.json",
                                     "policy-1.sig.0", "policy-1.sig.1", "policy-2.json", "policy-2.sig.0", "policy-2.sig.1", "allowed_signers")}
    assert {n for n in files if n.startswith("signers/")} == want
    assert {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"} <= set(files)
    good = verified(gate, tmp_path / "export")
    assert good.returncode == 0 and "ok" in good.stdout and "self-consistent" not in good.stdout, good
    out = gate.export()
    for name in want:
        with open(os.path.join(out, name), "rb") as f:
            assert f.read() == files[name], name
    # Without one of those signatures it is nobody's set.
    path = tmp_path / "export/signers/policy-2.sig.1"
    path.unlink()
    assert verified(gate, tmp_path / "export").returncode == 1
