# SPDX-License-Identifier: Apache-2.0
"""Who is in the fleet: made from a number, so that a run can be had again; and the plan by which it is updated.

The clock is accelerated by the plan and not by the machine: what is hours for modules in the field is seconds here, for
them and in the plan alike. The gateway runs as it is, and its log tells the time. A faster clock under the
gateway would make its deadlines as much shorter and its work not at all quicker, and its jail would not let it in.
"""
import hashlib
import hmac
import random

from gate import PROFILE, luhn

LAB = 20                    # modules
CLAIMS, LATE = 20, 10       # permille: known by their IMEI alone; first heard of when the release is out
FAILING = (("f", 10), ("o", 10))
ODD = (("l", 30), ("c", 20), ("r", 20))
VERSIONS = ("1.0.0", "1.0.0", "1.0.3", "1.0.11")


class Module:
    """One of them, as it is and as the gateway is to know it."""

    def __init__(self, number, dice):
        self.imei = luhn(f"3569380{number:07d}")
        self.version = dice.choice(VERSIONS)
        self.group, self.behaviour, self.token = "field", "g", f"fleet-{dice.getrandbits(64):016x}"
        self.number, self.since, self.pseudonym = number, 0, None

    def query(self):
        return f"imei={self.imei}" + (f"&token={self.token}" if self.token else "")

    def row(self):
        kind, identity = ("token", self.token) if self.token else ("imei", self.imei)
        return f"{kind},{identity},{self.group},FG100,{self.version}"

    def name(self, key):
        """Its pseudonym under that epoch key, as fotagate-log(5) has it."""
        text = f"token\0{hashlib.sha256(self.token.encode()).hexdigest()}" if self.token else f"imei\0{self.imei}"
        self.pseudonym = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def counts(self):
        """Its word does: it proves who it is."""
        return self.token is not None


def fleet(n, seed=7):
    dice = random.Random(seed)
    everybody = [Module(i, dice) for i in range(n)]
    some = list(everybody)
    dice.shuffle(some)

    def take(count):
        taken = some[:count]
        del some[:count]
        return taken
    for m in take(LAB):
        m.group = "lab"
    for m in take(n * LATE // 1000):
        m.behaviour = "n"
    for m in take(n * CLAIMS // 1000):
        m.token = None
    for letter, permille in FAILING + ODD:
        for m in take(n * permille // 1000):
            m.behaviour = letter
    return everybody


class Plan:
    """Numbers as in fotagate.conf(5); the story's configuration is written from them and its log is judged by them."""

    def __init__(self, n, interval):
        # A cut transfer is gone on with in an eighth of an interval, a failed update is known after five quarters.
        self.soak, self.settle, self.silence = 2, int(interval), int(5 * interval)
        self.rings = [
            dict(name="lab", groups=["lab"], reports=LAB * 3 // 4, success=900, failed=200, silent=300),
            dict(name="tenth", share=100, reports=n // 20, success=950, failed=60, silent=30),
            dict(name="third", share=330, reports=n // 10, success=985, failed=60, silent=30),
            dict(name="rest", reports=n // 10, success=985, failed=60, silent=30)]

    def text(self):
        rings = []
        for r in self.rings:
            whose = f'groups = [ "{r["groups"][0]}" ]; ' if "groups" in r else f'share = {r["share"]}; ' if "share" in r else ""
            rings.append(f'{{ name = "{r["name"]}"; {whose}soak = "{self.soak}s"; reports = {r["reports"]}; '
                         f'success = {r["success"]}; failed = {r["failed"]}; silent = {r["silent"]}; }}')
        return (f'rollout_plans = ( {{ name = "careful"; concurrent = 1000000; per_day = 1000000; settle = "{self.settle}s"; '
                f'silence = "{self.silence}s"; rings = ( {", ".join(rings)} ); }} );')


def profile():
    """Modules are known by their token where they have one, else they only say who they are."""
    text = PROFILE
    for was, now in (
            ('identity = (', 'identity = ( { class = "B"; kind = "token"; from = "capture:token"; },'),
            ('"imei={imei}"', '"imei={imei}", "token?={token}"'),
            ('imei = { class = "digits"; max = 15; };',
             'imei = { class = "digits"; max = 15; };\n\t\ttoken = { class = "token"; max = 64; };'),
            ("quorum = 2;", 'quorum = 2;\n\trollout = "careful";')):
        assert was in text
        text = text.replace(was, now)
    return text
