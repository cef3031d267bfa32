# SPDX-License-Identifier: Apache-2.0
"""A gate whose policy people sign: put in force, edited behind its back, restarted, killed between the log and the effect."""
import os
import signal
import subprocess

import pytest

from gate import PROFILE, Gate, until

ONE = PROFILE.replace("quorum = 2;", "quorum = 3;")


@pytest.fixture
def gate():
    g = Gate(edges=1, init=("--signed-policy",))
    yield g
    g.close()


class Desk:
    def __init__(self, gate):
        self.gate = gate
        self.conf = os.path.join(gate.root, "fotagate.conf")
        self.serial = 0
        self.told = ""  # by the last signing, before it signed

    def alerts(self):
        return {a["id"]: a["text"] for a in self.gate.cli("status")["alerts"] if a["id"].startswith("POLICY")}

    def show(self):
        return self.gate.cli("policy", "show")

    def digest(self):
        return self.gate.cli("profile", "list")["profiles"][0]["policy"]

    def reload(self):
        self.gate.process.send_signal(signal.SIGHUP)

    def key(self, name):
        return os.path.join(self.gate.root, "people", name)

    def propose(self, ok=(0,)):
        self.serial += 1
        path = os.path.join(self.gate.dir, f"policy-{self.serial}.json")
        said = self.gate.tool("fotagate", "-C", os.path.join(self.gate.root, "run"), "policy", "propose", "-c", self.conf,
                              "-o", path, ok=ok)
        return path, said.stderr

    def sign(self, path, name, *more, ok=(0,)):
        sig = f"{path}.{name}.sig"
        self.told = self.gate.tool("fotagate", "-C", os.path.join(self.gate.root, "run"), "policy", "sign", path, "--key",
                                   self.key(name), "-c", self.conf, "-o", sig, *more, ok=ok).stderr
        return sig

    def submit(self, path, *sigs, ok=(0,)):
        return self.gate.cli("policy", "submit", path, *sigs, ok=ok)

    def enact(self):
        path, said = self.propose()
        self.submit(path, self.sign(path, "alice"), self.sign(path, "bob"))
        return path, said


def released(gate, version, number=None):
    data = gate.offer(version)
    number = number or int(version.split(".")[1])
    assert gate.ask(version=version)[0] == 404
    gate.review(number=number)
    gate.approve(f"R-{number}")
    assert gate.served(version=version) == data


def test_signed_policy(gate):
    desk = Desk(gate)
    gate.start()
    # Init signed a configuration without a profile: the story's is not followed, and nothing is granted under it.
    assert set(desk.alerts()) == {"POLICY-NONE", "POLICY-UNSIGNED"}
    path, said = desk.propose()
    assert "new      profile      story" in said and "new      anchor       vendor-ca.pem" in said
    alice = desk.sign(path, "alice")
    assert "1 of 2" in desk.submit(path, alice, ok=(1,))["error"]["text"]
    assert "1 of 2" in desk.submit(path, alice, alice, ok=(1,))["error"]["text"]
    assert desk.submit(path, alice, desk.sign(path, "bob"))["state"] == "in-force"
    until(lambda: not desk.alerts())
    first = desk.digest()
    released(gate, "1.1.0")

    # Edited behind its back: even what is stricter waits for signatures, at a reload and over a restart.
    gate.write_profile(ONE)
    desk.reload()
    assert "profile story changed" in until(lambda: desk.alerts().get("POLICY-UNSIGNED"))
    assert desk.digest() == first and "POLICY-LOST" not in desk.alerts()
    gate.stop()
    gate.start()
    assert "profile story changed" in until(lambda: desk.alerts().get("POLICY-UNSIGNED"))
    assert desk.digest() == first and "POLICY-LOST" not in desk.alerts()
    # So it is with an anchor: what counts is what was signed.
    ca = os.path.join(gate.root, "keys/anchors/vendor-ca.pem")
    text = open(ca).read()
    gate.write_profile(PROFILE)
    open(ca, "a").write("# another file\n")
    desk.reload()
    assert "anchor vendor-ca.pem changed" in until(lambda: "anchor" in desk.alerts().get("POLICY-UNSIGNED", "") and
                                                   desk.alerts()["POLICY-UNSIGNED"])
    assert desk.digest() == first
    released(gate, "1.2.0")
    # And with one that is gone.
    os.unlink(ca)
    desk.reload()
    assert "the anchor vendor-ca.pem is not there" in until(lambda: "not there" in desk.alerts().get("POLICY-UNSIGNED", "") and
                                                            desk.alerts()["POLICY-UNSIGNED"])
    assert desk.digest() == first and "POLICY-LOST" not in desk.alerts() and desk.show()["lacks"]
    released(gate, "1.3.0")
    with open(ca, "w") as f:
        f.write(text)
    desk.reload()
    until(lambda: not desk.alerts())

    # The next one. The old statement is over; one of other files than these is not signed here.
    gate.write_profile(ONE)
    desk.reload()
    until(lambda: "POLICY-UNSIGNED" in desk.alerts())
    second, said = desk.propose()
    assert "changed  profile      story" in said
    # Before anybody signs: what it would have decided, of what is stored; and whoever signs is told the same.
    assert "R-1 approved FG100 1.1.0 review by 2 (none) review by 3 (none)" in " ".join(said.split()), said
    assert "3 changed, 0 as now" in said
    assert "does not follow" in desk.submit(path, alice, path + ".bob.sig", ok=(1,))["error"]["text"]
    gate.write_profile(PROFILE)
    desk.sign(second, "alice", ok=(1,))
    gate.write_profile(ONE)
    sigs = [desk.sign(second, "alice")]
    assert "changed  profile      story" in desk.told and "3 changed, 0 as now" in desk.told
    sigs.append(desk.sign(second, "bob", "--no-whatif"))
    assert "changed  profile      story" in desk.told and "was not tried" in desk.told and "as now" not in desk.told

    # Killed between the log and the effect: the supervisor, which hands out configurations, hears of it no more.
    gate.process.send_signal(signal.SIGSTOP)
    assert desk.submit(second, *sigs)["state"] == "in-force"
    assert desk.digest() == first and "POLICY-LOST" in desk.alerts()
    for pid in gate.roles().values():
        os.kill(pid, signal.SIGKILL)
    gate.stop(signal.SIGKILL)
    gate.write_profile(PROFILE)  # and the folder has the old one again, by accident
    gate.start()
    until(lambda: desk.digest() != first)
    assert "POLICY-UNSIGNED" in until(desk.alerts) and "POLICY-LOST" not in desk.alerts()
    assert desk.show()["number"] == 2

    out = gate.export()
    gate.verify(out)
    genesis = next(x.split()[1] for x in open(os.path.join(gate.root, "people/trust.txt")) if x.startswith("genesis "))
    for script in ("files40.py",), ("people40.py", genesis), ("releases40.py",):
        done = subprocess.run(["/usr/bin/python3", "-B", os.path.join(out, script[0]), out, *script[1:]], capture_output=True, text=True)
        assert done.stdout.startswith("ok"), done.stdout + done.stderr
    entries = gate.entries(out)
    assert [e["obj"] for e in entries if e["ev"] == "authority.policy"] == ["policy:1", "policy:2"]
    told = [e["msg"] for e in entries if e["ev"] == "policy.unsigned"]
    assert any("anchor vendor-ca.pem is not there" in m for m in told)
    assert any("profile story changed" in m for m in told) and any("anchor vendor-ca.pem" in m for m in told)


def test_the_folder_is_looked_at_by_time(gate):
    """Nobody reloads: what was changed there is told all the same, once, and that it is put right again as well."""
    desk = Desk(gate)
    gate.start()
    desk.enact()
    until(lambda: not desk.alerts())
    first = desk.digest()
    ca = os.path.join(gate.root, "keys/anchors/vendor-ca.pem")
    text = open(ca).read()
    with open(ca, "a") as f:
        f.write("# another file\n")
    assert "anchor vendor-ca.pem changed" in until(lambda: desk.alerts().get("POLICY-UNSIGNED"), 60)
    gate.write_profile(ONE)
    until(lambda: "profile story changed" in desk.alerts().get("POLICY-UNSIGNED", ""), 60)
    conf = open(desk.conf).read()
    with open(desk.conf, "a") as f:
        f.write("\nnonsense {\n")
    until(lambda: "no configuration any more" in open(gate.log).read(), 60)
    assert desk.digest() == first and "POLICY-LOST" not in desk.alerts()
    with open(desk.conf, "w") as f:
        f.write(conf)
    with open(ca, "w") as f:
        f.write(text)
    gate.write_profile(PROFILE)
    until(lambda: not desk.alerts(), 60)
    released(gate, "1.1.0")
    entries = gate.entries()
    entries = entries[[e["ev"] for e in entries].index("authority.policy"):]
    told = [e["ev"] for e in entries if e["ev"] in ("policy.unsigned", "config.changed") and e["out"] != "ok"]
    assert told == ["policy.unsigned", "policy.unsigned", "config.changed"], told  # each once, however often it is looked

    # What was seen so can be signed as it lies there.
    gate.write_profile(ONE)
    until(lambda: "profile story changed" in desk.alerts().get("POLICY-UNSIGNED", ""), 60)
    desk.enact()
    until(lambda: desk.digest() != first and not desk.alerts(), 60)
    gate.stop()
    gate.start()
    assert desk.digest() != first and not desk.alerts() and desk.show()["number"] == 2


def test_the_policy_of_genesis_itself(gate):
    """Followed once it is one that can be lost, and put back, like every other."""
    desk = Desk(gate)
    profile = os.path.join(gate.root, "profiles.d/story.conf")
    os.unlink(profile)
    gate.start()
    assert not desk.alerts()
    gate.stop()
    kept = os.path.join(gate.root, "data/config")
    for name in os.listdir(kept):
        os.unlink(os.path.join(kept, name))
    gate.write_profile(PROFILE)
    gate.start()
    assert set(desk.alerts()) == {"POLICY-LOST", "POLICY-UNSIGNED"} and desk.show()["number"] == 0
    os.unlink(profile)
    desk.reload()
    until(lambda: not desk.alerts())


HOOK = """#!/bin/sh
IFS= read -r asked
case $asked in
*'"target":"1.2.0"'*) exit 7 ;;
*) printf '%s' '{"schema":"fotagate-hook-answer/1","outcome":"OUTCOME"}' ;;
esac
"""


def test_its_hook_is_what_people_signed(gate):
    desk = Desk(gate)
    hook = os.path.join(gate.root, "keys/hook")

    def write(outcome):
        with open(hook, "w") as f:
            f.write(HOOK.replace("OUTCOME", outcome))
        os.chmod(hook, 0o644)

    write("deny")
    gate.set('hook = { program = "hook"; seconds = 3; memory_mib = 128; };')
    gate.start()
    path, said = desk.enact()
    assert "hook" in said, said
    until(lambda: not desk.alerts())
    gate.stop()
    gate.start()  # one where there was none needs that
    first = desk.digest()
    gate.offer("1.1.0")
    assert gate.ask()[0] == 404
    gate.review(1, "blocked")
    assert gate.cli("policy", "explain", "R-1")["hook"]["outcome"] == "deny"

    # Exchanged behind its back: who was signed is asked on, at a reload and over a start, and nobody else.
    write("pass")
    desk.reload()
    assert "hook" in until(lambda: desk.alerts().get("POLICY-UNSIGNED"))
    gate.offer("1.3.0")
    gate.ask(version="1.3.0")
    gate.review(2, "blocked")
    gate.stop()
    gate.start()
    assert "hook" in until(lambda: desk.alerts().get("POLICY-UNSIGNED")) and desk.digest() == first
    gate.offer("1.4.0")
    gate.ask(version="1.4.0")
    gate.review(3, "blocked")
    # Gone altogether, or taken out of the configuration: the same.
    os.unlink(hook)
    desk.reload()
    gate.offer("1.5.0")
    gate.ask(version="1.5.0")
    gate.review(4, "blocked")
    conf = open(desk.conf).read()
    with open(desk.conf, "w") as f:
        f.write("".join(line for line in conf.splitlines(True) if not line.startswith("hook ")))
    desk.reload()
    until(lambda: desk.alerts().get("POLICY-UNSIGNED"))
    gate.offer("1.6.0")
    gate.ask(version="1.6.0")
    gate.review(5, "blocked")
    assert desk.digest() == first

    # People sign for another program: what it lets pass waits for signatures, what it is silent about is held.
    write("pass")
    with open(desk.conf, "w") as f:
        f.write(conf)
    desk.reload()
    until(lambda: "POLICY-UNSIGNED" in desk.alerts())
    desk.enact()
    until(lambda: not desk.alerts() and desk.digest() != first)
    released(gate, "1.7.0", 6)
    gate.offer("1.2.0")
    assert gate.ask(version="1.2.0")[0] == 404
    gate.review(7, "judging")
    until(lambda: "gave no answer" in [r for r in gate.reviews("judging") if r["id"] == "R-7"][0]["text"])
    assert gate.sign("R-7", "alice", ok=(1,))["error"]["id"] == "STATE"
    assert gate.ask(version="1.2.0")[0] == 404
    out = gate.export()
    assert not gate.verify(out).returncode
    issued = [e for e in gate.entries(out) if e["ev"] == "release.issued"]
    assert len(issued) == 1 and not gate.cli("replay", "R-6")["drifted"]
