# SPDX-License-Identifier: Apache-2.0
"""Somebody writes into the files of a stopped gateway, and starts it again.

One gateway is prepared once, with one of everything that can be granted or
denied. Each case changes one thing as somebody would like it to be, in place
(a copied folder would be a clone, and refuse for that reason), starts the
gateway, looks, and puts every byte back. Two things are asked of each: nobody
gets bytes that were not signed for, and what differs is called by name.
"""
import json
import os
import re
import shutil
import sqlite3
import subprocess

import pytest

from gate import BIN, Gate, PROFILE, luhn, until

HELD = luhn("35693800000001")
FREE = luhn("35693800000002")
LATE = luhn("35693800000003")


class House:
    """A gateway with: R-1 approved and granted to one module, R-2 revoked, R-3 rejected, R-4 in review with one
    signature, R-5 blocked (unsigned); a module that is held."""

    def __init__(self):
        # One signature for four modules; a second would be asked beyond the canary.
        self.gate = gate = Gate(profile=PROFILE, edges=1)
        self.data = {}
        for n, version in enumerate(("1.1.0", "1.2.0", "1.3.0", "1.4.0"), 1):
            self.data[n] = gate.offer(version=version)
        self.data[5] = gate.offer(version="1.5.0", signed=False)
        gate.start()
        for n, version in enumerate(("1.1.0", "1.2.0", "1.3.0", "1.4.0"), 1):
            gate.ask(imei=FREE, version=version)
            gate.review(n)
        gate.ask(imei=FREE, version="1.5.0")
        gate.review(5, "blocked")
        gate.approve("R-1", "--max-devices", "2")
        assert gate.served(imei=FREE, version="1.1.0") == self.data[1]
        gate.approve("R-2")
        assert gate.served(imei=FREE, version="1.2.0") == self.data[2]
        gate.cli("revoke", "R-2", "--reason", "hostile after all")
        gate.cli("review", "reject", "R-3", "--reason", "nobody wants it")
        gate.sign("R-4", "alice")
        gate.ask(imei=HELD, version="1.1.0", current="1.1.0")
        until(lambda: len(gate.cli("module", "list")["modules"]) == 2)
        gate.cli("module", "hold", f"imei:{HELD}", "--reason", "on a bench")
        gate.export()
        assert gate.stop() == 0
        self.place = os.path.join(gate.root, "data")
        self.keep = os.path.join(gate.dir, "keep")
        subprocess.run(["cp", "-a", self.place, self.keep], check=True)
        self.files = {name: os.path.join(self.place, name) for name in self.names()}

    def names(self):
        return [os.path.relpath(os.path.join(d, f), self.place) for d, _, fs in os.walk(self.place) for f in fs]

    def restore(self):
        """Every file as it was, in its own inode where it still has one."""
        for name in self.names():
            if not os.path.exists(os.path.join(self.keep, name)):
                os.unlink(os.path.join(self.place, name))
        for d, _, fs in os.walk(self.keep):
            to = os.path.join(self.place, os.path.relpath(d, self.keep))
            if not os.path.isdir(to):
                shutil.copytree(d, to)
            for f in fs:
                source, dest = os.path.join(d, f), os.path.join(to, f)
                with open(source, "rb") as s:
                    data = s.read()
                if not os.path.exists(dest):
                    shutil.copy2(source, dest)
                    st = os.stat(source)
                    os.chown(dest, st.st_uid, st.st_gid)
                else:
                    with open(dest, "rb") as s:
                        same = s.read() == data
                    if not same:
                        with open(dest, "r+b") as s:
                            s.write(data)
                            s.truncate()

    def sql(self, *statements):
        with sqlite3.connect(os.path.join(self.place, "state/state.db")) as db:
            for s in statements:
                db.execute(s) if isinstance(s, str) else db.execute(*s)
        db.close()

    def rows(self, query):
        with sqlite3.connect(os.path.join(self.place, "state/state.db")) as db:
            found = db.execute(query).fetchall()
        db.close()
        return found


@pytest.fixture(scope="module")
def prepared():
    h = House()
    try:
        yield h
    finally:
        h.gate.close(keep=bool(os.environ.get("FG_KEEP")))


@pytest.fixture
def house(prepared, request):
    try:
        yield prepared
    finally:
        prepared.gate.stop()
        prepared.restore()


# ---- the database: each column that anything depends on ----

# table.column -> grants, denies or neither, and why. A column that is added has to be thought about.
COLUMNS = {
    "meta.key": ("neither", "names of facts"),
    "meta.value": ("denies", "generation, clock: only ever make control wait; the log was read whole"),
    "log_head.one": ("neither", "there is one row"),
    "log_head.size": ("denies", "larger is ROLLED-BACK; smaller is what audit's own checkpoint knows better"),
    "log_head.root": ("denies", "another root is TAMPERED"),
    "resource.id": ("neither", "digest of profile and url; a release names it"),
    "resource.profile": ("grants", "whose rules hold: a review says which policy it was opened under"),
    "resource.url": ("neither", "what is fetched is inspected and signed for by its digest"),
    "resource.signature_url": ("neither", "likewise"),
    "resource.product": ("grants", "what people sign for"),
    "resource.target": ("grants", "what people sign for"),
    "resource.from_version": ("grants", "what people sign for"),
    "resource.first_seen": ("neither", "for showing"),
    "resource.last_seen": ("neither", "for showing"),
    "resource.sightings": ("neither", "for showing"),
    "resource.asker": ("neither", "provenance, labelled as a claim"),
    "resource.state": ("neither", "whether it is fetched again"),
    "resource.backoff_until": ("neither", "when it is fetched again"),
    "resource.failures": ("neither", "when it is fetched again"),
    "base.profile": ("neither", "what a delta is tried on; report, statement and log name base and target by their digests"),
    "base.product": ("neither", "likewise"),
    "base.version": ("neither", "likewise"),
    "base.image": ("neither", "likewise"),
    "base.size": ("neither", "quota"),
    "base.added": ("neither", "order"),
    "base.who": ("neither", "for showing; the log has it"),
    "base.candidate": ("neither", "whose target it is: used once that delta was released"),
    "kept.resource": ("neither", "whose"),
    "kept.part": ("neither", "which file a fetch goes on with; all of it is hashed anew, and the whole is what people sign"),
    "kept.bytes": ("neither", "how much of it counts"),
    "kept.total": ("neither", "how long the whole was said to be"),
    "kept.sha256": ("neither", "of another part: the fetch begins anew"),
    "kept.validator": ("neither", "what the vendor called it"),
    "kept.at": ("neither", "when it is thrown away"),
    "kept.policy": ("neither", "another one: the fetch begins anew"),
    "seen.profile": ("neither", "whose server"),
    "seen.kind": ("neither", "what of it: a warning lost, nothing let through; people read and sign all the same"),
    "seen.place": ("neither", "likewise"),
    "seen.value": ("neither", "likewise"),
    "seen.known": ("neither", "likewise"),
    "seen.first": ("neither", "for showing"),
    "seen.last": ("neither", "for showing"),
    "link.digest": ("neither", "a short URL names a module as its long one does; grant and scope decide"),
    "link.module": ("neither", "likewise"),
    "link.release_id": ("neither", "likewise"),
    "link.profile": ("neither", "likewise"),
    "link.created": ("neither", "order"),
    "link.not_after": ("denies", "until when it names anything"),
    "refusal.id": ("denies", "the log names those in force, and they are put back"),
    "refusal.kind": ("denies", "likewise"),
    "refusal.value": ("denies", "likewise"),
    "refusal.until": ("denies", "likewise"),
    "refusal.at": ("neither", "for showing"),
    "refusal.who": ("neither", "for showing"),
    "refusal.reason": ("neither", "for showing"),
    "remark.*": ("neither", "for showing; what is missing is told again from the log, which has text and digest"),
    "standing.*": ("neither", "the warden judges the statements, and knows what was revoked; the log has proposals and signatures"),
    "waiver.id": ("neither", "one that the log does not have counts for nothing, one that it has is put back"),
    "waiver.finding": ("neither", "the id is of it, and the log has that"),
    "waiver.profile": ("neither", "likewise"),
    "waiver.product": ("neither", "likewise"),
    "waiver.image": ("neither", "likewise"),
    "waiver.part": ("neither", "likewise"),
    "waiver.until": ("neither", "likewise"),
    "waiver.at": ("neither", "for showing"),
    "waiver.owner": ("neither", "for showing; the log has it"),
    "waiver.reason": ("neither", "for showing; the log has it"),
    "candidate.delay": ("grants", "that one person is enough: the warden takes it from what that person signed, and waits by itself"),
    "candidate.id": ("grants", "the review people decided about"),
    "candidate.resource": ("grants", "what the image answers"),
    "candidate.state": ("grants", "whether people may sign, or have decided"),
    "candidate.image": ("grants", "the bytes"),
    "candidate.size": ("neither", "quota; the warden measures for itself"),
    "candidate.in_quarantine": ("neither", "quota"),
    "candidate.signature": ("neither", "evidence that was judged into the report"),
    "candidate.report": ("grants", "what people read"),
    "candidate.provenance": ("neither", "the fetcher's claim"),
    "candidate.policy": ("grants", "the rules it was judged by"),
    "candidate.opened_at_log": ("grants", "how old a statement may be"),
    "candidate.arrived": ("grants", "how long rules make it wait: as the log has it, of what people may review"),
    "candidate.hook": ("denies", "names an answer of the decision hook; one that is not about this report by this program is none, and none holds"),
    "candidate.rival": ("neither", "what people signed for stays all there is; that it is offered again is logged first"),
    "candidate.created": ("neither", "for showing"),
    "candidate.updated": ("denies", "when nobody decided in time"),
    "candidate.note": ("neither", "for showing"),
    "candidate.have_scope": ("neither", "statements say the scope themselves"),
    "candidate.max_devices": ("neither", "statements say the scope themselves"),
    "candidate.not_before": ("neither", "statements say the scope themselves"),
    "candidate.not_after": ("neither", "statements say the scope themselves"),
    "candidate.quorum": ("neither", "statements say the scope themselves"),
    "candidate.plan": ("neither", "statements say the scope themselves"),
    "candidate.release_id": ("grants", "what it is offered as; the warden's list decides"),
    "candidate_list.candidate": ("neither", "whose"),
    "candidate_list.kind": ("grants", "who asked for it, and does not count"),
    "candidate_list.position": ("neither", "order"),
    "candidate_list.word": ("grants", "who asked for it, and does not count"),
    "statement.id": ("neither", "order"),
    "statement.candidate": ("grants", "whose vote"),
    "statement.sha256": ("grants", "which vote"),
    "statement.approver": ("grants", "whose vote"),
    "statement.submitted": ("neither", "for showing"),
    "statement.uid": ("neither", "for showing"),
    "statement.state": ("grants", "whether it counts"),
    "module.pseudonym": ("neither", "HMAC of its identity"),
    "module.profile": ("neither", "for showing"),
    "module.group_name": ("grants", "which releases are for it: an operator's word (PRIVSEP, known risks)"),
    "module.product": ("grants", "likewise"),
    "module.version": ("grants", "what it claims to run"),
    "module.version_cls": ("neither", "who said so"),
    "module.sure": ("grants", "what it runs"),
    "module.tags": ("grants", "which group a rule gives it: an operator's word (PRIVSEP, known risks)"),
    "module.listed": ("grants", "an operator's word (PRIVSEP, known risks)"),
    "module.held": ("denies", "an operator holds it"),
    "module.first_seen": ("neither", "who is new to a rollout waits for its last ring: likewise an operator's word, by import"),
    "module.last_seen": ("neither", "for showing"),
    "module.placed": ("grants", "since when it is in its group, for what nobody signed: an operator's word (PRIVSEP, known risks)"),
    "module.placed_in": ("grants", "the group that is about; where it is another, control notes another time"),
    "module.usual": ("neither", "when silence is a failure; nothing opens by it"),
    "module.last_answer": ("neither", "for showing"),
    "module.last_resource": ("neither", "for showing"),
    "ident.kind": ("grants", "whose identity: likewise an operator's word or a module's claim"),
    "ident.text": ("grants", "likewise"),
    "ident.cls": ("grants", "likewise"),
    "ident.module": ("grants", "likewise"),
    "ident.position": ("neither", "order"),
    "granted.release_id": ("denies", "counts against the number signed for"),
    "granted.module": ("denies", "counts against the number signed for"),
    "granted.at": ("neither", "for showing"),
    "granted.completed": ("neither", "for showing"),
    "granted.bytes": ("neither", "for showing"),
    "release.id": ("grants", "mirror of the warden's list, which decides"),
    "release.candidate": ("neither", "the record says it"),
    "release.issued": ("neither", "the record says it"),
    "release.state": ("denies", "revoked or not"),
    "release.ended": ("neither", "for showing"),
    "release.who": ("neither", "for showing"),
    "release.reason": ("neither", "for showing"),
    "release.record": ("neither", "the warden's is offered"),
    "rollout.release_id": ("denies", "a rollout that only the log knows goes on where that has it"),
    "rollout.state": ("denies", "paused or not; the log knows too, and what is open the log has opened"),
    "rollout.ring": ("denies", "how far it is; never farther than the log says"),
    "rollout.since": ("denies", "how long the ring is open; never longer than the log says"),
    "rollout.held": ("denies", "rings that are held; the log knows too, and both hold"),
    "rollout.stopped": ("denies", "name of the last stop; one that is not the log's is one that nobody can sign the end of for good"),
    "rollout.plan": ("neither", "for showing: the plan is in the policy that was signed"),
    "rollout.who": ("neither", "for showing"),
    "rollout.reason": ("neither", "for showing"),
    "restriction.id": ("denies", "what the warden has confirmed"),
    "restriction.kind": ("neither", "for showing"),
    "restriction.image": ("denies", "what is restricted"),
    "restriction.release_id": ("denies", "what is restricted"),
    "restriction.log_size": ("denies", "how old a statement may be"),
    "restriction.at": ("neither", "for showing"),
    "restriction.who": ("neither", "for showing"),
    "restriction.reason": ("neither", "for showing"),
    "suspension.key": ("denies", "whose key does not count; the warden and the log know too"),
    "suspension.number": ("denies", "until which signer set"),
    "suspension.at": ("neither", "for showing"),
    "suspension.who": ("neither", "for showing"),
    "suspension.reason": ("neither", "for showing"),
    "account.name": ("neither", "whose"),
    "account.display": ("neither", "for showing"),
    "account.principal": ("denies", "whose votes do not count for what they asked for: likewise an administrator's word"),
    "account.roles": ("grants", "who is an operator of the console: an operator's word (PRIVSEP, known risks), and no vote"),
    "account.hash": ("grants", "likewise"),
    "account.lent": ("grants", "likewise"),
    "account.totp": ("grants", "likewise"),
    "account.totp_step": ("grants", "likewise"),
    "account.disabled": ("grants", "likewise"),
    "account.created": ("neither", "for showing"),
    "binding.*": ("grants", "whose word by single sign-on is whose account's: likewise, and no vote"),
    "passkey.*": ("grants", "likewise: who signs in with what, and no vote"),
    "key_counter.*": ("neither", "how far counters of keys that signed had come: a warning to reviewers, and nothing rests on it"),
    "session.*": ("grants", "who is signed in: likewise"),
    "token.*": ("grants", "which machines may ask: likewise"),
    "failure.*": ("denies", "how long somebody waits before the next try"),
    "proposal.*": ("neither", "a signer set that nobody has put in force; its signatures say themselves what they are of"),
    "proposal_signature.*": ("neither", "likewise; the warden counts"),
    "fetch.*": ("neither", "history, and what is fetched in an hour"),
    "held.*": ("neither", "what a reopened review makes known of a vendor's servers: likewise a warning lost"),
    "unknown.*": ("neither", "requests that no profile knows"),
    "incident.*": ("neither", "for showing; the log has them"),
}


def test_every_column_was_thought_about(house):
    found = {f"{t}.{c[1]}" for (t,) in house.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                                                 "'sqlite_%'") for c in house.rows(f"PRAGMA table_info({t})")}
    found = {name for name in found if f"{name.split('.')[0]}.*" not in COLUMNS}
    assert found == {name for name in COLUMNS if not name.endswith(".*")}


def blob(n, size=32):
    return "X'" + bytes([n] * size).hex() + "'"


R = {n: f"(SELECT image FROM candidate WHERE id = {n})" for n in range(1, 6)}
# What somebody would like; the word by which it is called, None where it is only without effect.
WISHES = {
    "revocation deleted": (["DELETE FROM restriction WHERE image = " + R[2]], "restriction of this image was missing"),
    "revocation dated back": (["UPDATE restriction SET log_size = 0"], "restriction of this image was missing"),
    "revocation moved to another image": ([f"UPDATE restriction SET image = {blob(7)} WHERE image = " + R[2]],
                                          "restriction of this image was missing"),
    "rejection deleted": (["DELETE FROM restriction WHERE image = " + R[3]], "restriction of this image was missing"),
    "revoked release active again": (["UPDATE release SET state = 1 WHERE state = 2"], "the database called it active"),
    "revoked review open again": (["UPDATE candidate SET state = 'review', release_id = NULL WHERE id = 2"],
                                  "its release was revoked"),
    "revoked review approved": (["UPDATE candidate SET state = 'approved' WHERE id = 2"], "its release was revoked"),
    "revocation gone altogether": (["DELETE FROM restriction", "UPDATE release SET state = 1",
                                    "UPDATE candidate SET state = 'approved' WHERE id = 2"], "the database called it active"),
    "rejected review open again": (["UPDATE candidate SET state = 'review' WHERE id = 3",
                                    "DELETE FROM restriction WHERE image = " + R[3]], "it was rejected"),
    "rejected review approved": (["UPDATE candidate SET state = 'approved' WHERE id = 3"], "it was rejected"),
    "blocked review open": (["UPDATE candidate SET state = 'review' WHERE id = 5"], "never opened this review"),
    "blocked review approved": (["UPDATE candidate SET state = 'approved' WHERE id = 5"], "no such release"),
    "review approved": (["UPDATE candidate SET state = 'approved' WHERE id = 4"], "no such release"),
    "review approved by another's release": (
        ["UPDATE candidate SET release_id = NULL WHERE id = 1",
         "UPDATE candidate SET state = 'approved', release_id = (SELECT id FROM release WHERE candidate = 1) WHERE id = 4"],
        "no such release"),
    "approved review taken away": (["UPDATE candidate SET state = 'rejected' WHERE id = 1"], "its release is in force"),
    "release revoked in the database alone": (["UPDATE release SET state = 2, ended = 1 WHERE candidate = 1"],
                                              "which the log does not"),
    "image restricted in the database alone": (
        [f"INSERT INTO restriction (kind, image, log_size, at, who, reason) VALUES (2, {R[4]}, 3, 1, 'x', 'y')"],
        "of which the log knows nothing"),
    "another image in review": ([f"UPDATE candidate SET image = {blob(9)} WHERE id = 4"], "another image, report or policy"),
    "another report in review": ([f"UPDATE candidate SET report = {blob(9)} WHERE id = 4"],
                                 "another image, report or policy"),
    "another policy in review": ([f"UPDATE candidate SET policy = {blob(9)} WHERE id = 4"], None),
    "older statements allowed": (["UPDATE candidate SET opened_at_log = 0 WHERE id = 4"], "at another time"),
    "opened later than the log is": (["UPDATE candidate SET opened_at_log = 999999 WHERE id = 4"], "at another time"),
    "opened at the end of time": (["UPDATE candidate SET opened_at_log = 9223372036854775807 WHERE id = 4"], "at another time"),
    "another product in review": (["UPDATE resource SET product = 'FG900' WHERE target = '1.4.0'"],
                                  "another product or version"),
    "another version in review": (["UPDATE resource SET target = '9.4.0' WHERE target = '1.4.0'"],
                                  "another product or version"),
    "a delta's base changed": (["UPDATE resource SET from_version = '1.0.0' WHERE target = '1.4.0'"],
                               "another product or version"),
    "an image older than it is": (["UPDATE candidate SET arrived = 1 WHERE id = 4"], "its image came at another time"),
    "who asked for it forgotten": (["DELETE FROM candidate_list WHERE candidate = 4"], None),
    "a vote lost": (["DELETE FROM statement WHERE candidate = 4"], "missing from the database; it counts again"),
    "a vote outdated": (["UPDATE statement SET state = 0 WHERE candidate = 4"], None),
    "a vote made up": ([f"INSERT INTO statement (candidate, sha256, approver, submitted, uid, state) VALUES "
                        f"(4, {blob(5)}, 'bob@demo.invalid', 1, 0, 1)"], "was never handed in"),
    "a vote made up for tomorrow": ([f"INSERT INTO statement (candidate, sha256, approver, submitted, uid, state) VALUES "
                                     f"(4, {blob(5)}, 'bob@demo.invalid', 4102444800, 0, 1)"], "was never handed in"),
    "a vote in another's name": (["UPDATE statement SET approver = 'bob@demo.invalid' WHERE candidate = 4"],
                                 "was never handed in"),
    "a vote for another review": (["UPDATE statement SET candidate = 4 WHERE candidate = 1 AND approver LIKE 'bob%'"],
                                  "was never handed in"),
    "votes of a release used again": (["UPDATE statement SET state = 1"], None),
    "a review lost": (["DELETE FROM statement WHERE candidate = 4", "DELETE FROM candidate_list WHERE candidate = 4",
                       "DELETE FROM candidate WHERE id = 4"], "the database has lost it"),
    "hold taken off": (["UPDATE module SET held = 0"], "the database did not say so"),
    "held module forgotten": (["DELETE FROM ident", "DELETE FROM module"], "module that was held is missing"),
    "module held in the database alone": (["UPDATE module SET held = 1"], "which the log does not"),
    "release made up": (
        [f"INSERT INTO release SELECT {blob(3, 16)}, 4, issued, 1, 0, '', '', record FROM release WHERE candidate = 1"],
        "was never issued"),
    "record of a release changed": (["UPDATE release SET record = X'7b7d' WHERE candidate = 1"], None),
    "grants forgotten": (["DELETE FROM granted", "UPDATE meta SET value = '100000' WHERE key = 'replayed'"], None),
    "grants made up": ([f"INSERT INTO granted SELECT id, {blob(1, 16)}, 1, 0, 0 FROM release WHERE candidate = 1",
                        f"INSERT INTO granted SELECT id, {blob(2, 16)}, 1, 0, 0 FROM release WHERE candidate = 1"], None),
    "log shorter than it was": (["UPDATE log_head SET size = size + 1000"], "ROLLED BACK"),
    "log of another root": ([f"UPDATE log_head SET root = {blob(1)}"], "TAMPERED"),
    "log head forgotten": (["DELETE FROM log_head"], None),
    "warden told of everything": (["INSERT OR REPLACE INTO meta (key, value) VALUES ('restricted', '999999')",
                                   "DELETE FROM restriction"], "restriction of this image was missing"),
    "all facts forgotten": (["DELETE FROM meta"], None),
}


def alerts(gate):
    return " | ".join(a["text"] for a in gate.cli("status")["alerts"])


def named(gate):
    """What differed, as the log has it: control says so before it permits anything."""
    return [e["msg"] for e in gate.entries(gate.export(pause=0)) if e["ev"] == "state.differs"]


def settled(gate):
    """It has made up its mind: permits, or says why it never will."""
    def done():
        assert gate.process.poll() is None, open(gate.log).read()[-3000:]
        try:
            s = gate.cli("status")
        except AssertionError:
            return False
        bad = s["log"]["state"] in ("tampered", "rolled-back", "cloned", "failed")
        return s["permitting"] or bad or any(a["id"] == "SIGNERS" for a in s["alerts"])
    until(done, 30)


def unapproved_is_not_served(house):
    """Whatever was changed: only the bytes of R-1, and never to the module that is held."""
    gate = house.gate
    for n, version in ((2, "1.2.0"), (3, "1.3.0"), (4, "1.4.0"), (5, "1.5.0")):
        status, _, body = gate.ask(imei=FREE, version=version)
        assert status == 404 and house.data[n] not in body, version
    status, _, body = gate.ask(imei=FREE, version="1.1.0")
    assert status in (200, 404) and (status != 200 or body == house.data[1])
    assert gate.ask(imei=HELD, version="1.1.0")[0] == 404


def states(gate):
    return {r["id"]: r["state"] for r in gate.reviews()}


def never_allowed_again(gate):
    found = states(gate)
    assert found.get("R-2", "gone") in ("revoked", "gone")
    assert found.get("R-3", "gone") in ("rejected", "gone")
    assert found.get("R-5", "gone") in ("blocked", "judging", "gone")
    assert found.get("R-4", "gone") != "approved"


@pytest.mark.parametrize("wish", WISHES)
def test_written_into_the_database(house, wish):
    gate = house.gate
    statements, word = WISHES[wish]
    house.sql(*statements)
    gate.start(ready=False)
    settled(gate)
    unapproved_is_not_served(house)
    never_allowed_again(gate)
    if word:
        assert word in alerts(gate), alerts(gate)
        if gate.cli("status")["permitting"]:
            told = named(gate)
            assert any(word in t for t in told), told


def test_a_module_more_than_was_signed_for(house):
    """Two were signed for, one was granted: with the grant forgotten it is still one more, not two."""
    gate = house.gate
    house.sql("DELETE FROM granted", "INSERT OR REPLACE INTO meta (key, value) VALUES ('replayed', '1000000')")
    gate.start()
    assert gate.served(imei=LATE, version="1.1.0") == house.data[1]
    for n in range(4, 7):
        assert gate.ask(imei=luhn(f"3569380000000{n}"), version="1.1.0")[0] == 404
    gate.verify()


def test_one_signature_is_not_two(house):
    """A vote of each, one of them made up, and the review opened since for ever: the warden counts for itself."""
    gate = house.gate
    house.sql("UPDATE statement SET approver = 'bob@demo.invalid' WHERE candidate = 4",
              "UPDATE candidate SET opened_at_log = 0 WHERE id = 4")
    gate.start()
    until(lambda: states(gate)["R-4"] == "review")
    gate.sign("R-4", "alice")
    assert gate.cli("review", "show", "R-4")["have"] == 1
    assert gate.ask(imei=FREE, version="1.4.0")[0] == 404
    gate.sign("R-4", "bob")
    assert gate.served(imei=FREE, version="1.4.0") == house.data[4]
    gate.verify()


def test_what_was_mended_is_named_once(house):
    gate = house.gate
    house.sql("DELETE FROM restriction", "UPDATE module SET held = 0")
    gate.start()
    assert "the database did not say so" in alerts(gate)
    told = named(gate)
    assert gate.stop() == 0
    gate.start()
    assert named(gate) == told
    gate.verify()


# ---- files ----

def middle(path):
    """Of what was written: segments of the log are laid out ahead, and end in zeros."""
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0")) // 2


def flip(path):
    at = middle(path)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


def drop(path):
    os.unlink(path)


def cut(path):
    os.truncate(path, middle(path))


def append(path):
    with open(path, "ab") as f:
        f.write(b"\n{}" * 50)


def empty(path):
    os.truncate(path, 0)


HOW = {"flip": flip, "drop": drop, "truncate": cut, "append": append, "empty": empty}


def one(house, pattern):
    """The files of that name; regular expression over the path in the data folder."""
    found = sorted(n for n in house.files if re.fullmatch(pattern, n))
    assert found, (pattern, sorted(house.files))
    return [house.files[n] for n in found]


# What, its name, and how it is called when it was changed: a word in an alert, in the messages of the daemon, or both.
KINDS = {
    "signed release record": (r"images/approved/[0-9a-f]{32}\.json", "does not hold"),
    "statements of a release": (r"images/approved/[0-9a-f]{32}\.signed", "does not hold"),
    "approved image": (r"images/approved/[0-9a-f]{64}\.img", "does not hold"),
}


def said(house):
    return open(house.gate.log).read() + alerts(house.gate)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_warden_keeps(house, kind, how):
    gate = house.gate
    pattern, word = KINDS[kind]
    before = os.path.getsize(gate.log)
    for path in one(house, pattern):
        HOW[how](path)
    gate.start(ready=False)
    settled(gate)
    unapproved_is_not_served(house)
    never_allowed_again(gate)
    assert gate.ask(imei=FREE, version="1.1.0")[0] == 404
    if not (how == "drop" and kind == "signed release record"):
        assert word in open(gate.log).read()[before:]
    assert "is in force and the warden does not have it" in alerts(gate)


@pytest.mark.parametrize("how", HOW)
def test_the_wardens_restrictions(house, how):
    """Dropped or garbled: control has them, and the log, so what was taken back stays so and nobody can sign for it.
    The warden is told again, and says which it had forgotten."""
    gate = house.gate
    HOW[how](one(house, r"images/approved/restrictions")[0])
    gate.start()
    unapproved_is_not_served(house)
    assert {r: states(gate)[r] for r in ("R-1", "R-2", "R-3")} == {"R-1": "approved", "R-2": "revoked", "R-3": "rejected"}
    assert gate.served(imei=FREE, version="1.1.0") == house.data[1]
    for review in ("R-2", "R-3"):
        said = gate.sign(review, "alice", ok=(1,))
        assert "error" in said, said
    unapproved_is_not_served(house)
    out = gate.export(pause=0)
    gate.verify(out)
    entries = gate.entries(out)
    assert [e["ev"] for e in entries].count("release.issued") == 2
    named = [e["obj"] for e in entries if e["ev"] == "state.differs" and "had forgotten" in e["msg"]]
    assert bool(named) == (how != "append"), "what was forgotten is named; more at the end is none of it"


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", [r"reports/.*\.json", r"statements/.*\.json", r"statements/.*\.sig",
                                  r"images/quarantine/[0-9a-f]{64}\.img"])
def test_what_control_keeps(house, kind, how):
    """Reports, statements, signatures, images in quarantine: named by their digest, so they are what was signed for
    or nothing."""
    gate = house.gate
    for path in one(house, kind):
        HOW[how](path)
    gate.start(ready=False)
    settled(gate)
    unapproved_is_not_served(house)
    never_allowed_again(gate)
    gate.sign("R-4", "alice", ok=(0, 1, 3))
    gate.sign("R-4", "bob", ok=(0, 1, 3))
    status, _, body = gate.ask(imei=FREE, version="1.4.0")
    assert status == 404 or body == house.data[4]


def test_two_images_swapped(house):
    gate = house.gate
    a, b = one(house, r"images/quarantine/[0-9a-f]{64}\.img")[:2]
    swap(a, b)
    gate.start()
    unapproved_is_not_served(house)
    for person in ("alice", "bob"):
        gate.sign("R-4", person, ok=(0, 1, 3))
    status, _, body = gate.ask(imei=FREE, version="1.4.0")
    assert status == 404 or body == house.data[4]


def swap(a, b):
    with open(a, "rb") as f, open(b, "rb") as g:
        x, y = f.read(), g.read()
    for path, data in ((a, y), (b, x)):
        with open(path, "r+b") as f:
            f.write(data)
            f.truncate()


UNSIGNED = "TAMPERED: the checkpoint is not signed by this log's key"
SHORT = "TAMPERED: the segments end before what was signed"
TILES = "TAMPERED: tiles of the signed tree are missing or damaged"
# What is said of it; None where it is made good from the rest of the log's own files.
LOG = {
    r"audit/log/checkpoint": dict.fromkeys(HOW, UNSIGNED) | {"drop": None},
    r"audit/wal/.*": dict.fromkeys(HOW, SHORT) | {"flip": "TAMPERED: a segment is damaged in the middle", "append": None},
    r"audit/log/tile/0/.*": dict.fromkeys(HOW, TILES),
    r"audit/log/tile/entries/.*": dict.fromkeys(HOW, TILES) | {"append": None},
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", LOG)
def test_the_log(house, kind, how):
    """What cannot be made good from the rest of the log's own files is TAMPERED; nobody gets what was not granted."""
    gate = house.gate
    before = os.path.getsize(gate.log)
    for path in one(house, kind):
        HOW[how](path)
    gate.start(ready=False)
    settled(gate)
    unapproved_is_not_served(house)
    s, told = gate.cli("status"), open(gate.log).read()[before:]
    if LOG[kind][how] is None:
        assert s["permitting"] and s["log"]["state"] == "ok" and "TAMPERED" not in told + alerts(gate)
        out = gate.export(pause=0)
        gate.verify(out)  # every entry that was ever published is there
        found = [e["ev"] for e in gate.entries(out)]
        assert found.count("approval.revoked") == 1 and found.count("approval.rejected") == 1
    else:
        assert not s["permitting"] and s["log"]["state"] == "tampered"
        assert LOG[kind][how] in told, told
        assert [a["text"] for a in s["alerts"] if a["id"] == "LOG" and a["text"].startswith("TAMPERED: the audit log is not")], s


NOT_SIGNED = "authority does not hold: genesis is signed by 0 of the 2 persons it needs"
# What is said of it, and whether the gateway then runs, to say so when it is asked, or does not start.
GENESIS = {
    r"authority/genesis\.json": {
        "flip": ("genesis", None), "drop": ("is not there: nothing is served before", False),
        "truncate": ("genesis is not strict JSON", False), "append": ("genesis is not strict JSON", False),
        "empty": ("is empty", False)},
    r"authority/genesis\.sig\..*": dict.fromkeys(HOW, (NOT_SIGNED, True)) | {"empty": ("is empty", False)},
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", GENESIS)
def test_genesis(house, kind, how):
    """Without the authority it had, or with another, nothing begins."""
    gate = house.gate
    word, runs = GENESIS[kind][how]
    before = os.path.getsize(gate.log)
    for path in one(house, kind):
        HOW[how](path)
    gate.start(ready=False)

    def told():
        return open(gate.log).read()[before:]
    until(lambda: gate.process.poll() is not None or "authority does not hold" in told())
    if "authority does not hold" not in told():  # a byte of genesis may still be JSON when it is another
        assert runs is not True and gate.process.wait(20) == 1
        with pytest.raises(ConnectionRefusedError):
            gate.ask(imei=FREE, version="1.1.0")
    else:
        assert runs is not False
        until(lambda: "the warden is away" in alerts(gate))
        assert not gate.cli("status")["permitting"]
        status, _, body = gate.ask(imei=FREE, version="1.1.0")
        assert status == 404 and house.data[1] not in body
    assert word in told()


def test_genesis_with_lower_floors(house):
    """Signed anew by the same people, over floors of one: it is another genesis than entry 0 holds."""
    gate = house.gate
    path = one(house, r"authority/genesis\.json")[0]
    text = open(path).read()
    lowered = text.replace('"production":2', '"production":1')
    assert lowered != text
    with open(path, "r+") as f:
        f.write(lowered)
        f.truncate()
    for n, person in enumerate(("alice", "bob")):
        key = os.path.join(gate.root, "people", person)
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-signers@v1", "-f", key, path], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        sig = next(p for p in one(house, r"authority/genesis\.sig\..*") if p.endswith(str(n)))
        shutil.copyfile(path + ".sig", sig)
        os.unlink(path + ".sig")
    gate.start(ready=False)
    until(lambda: gate.process.poll() is not None or "authority does not hold" in open(gate.log).read())
    until(lambda: gate.process.poll() is not None or "begins with another genesis" in open(gate.log).read())
    if gate.process.poll() is None:
        try:
            assert gate.ask(imei=LATE, version="1.1.0")[0] != 200
        except OSError:
            pass
        gate.stop()
    # A warden that has lost what it knew leaves it to the log's first entry.
    drop(one(house, r"images/approved/signers")[0])
    gate.start(ready=False)
    settled(gate)
    s = gate.cli("status")
    assert not s["permitting"] and s["log"]["state"] == "tampered"
    assert gate.ask(imei=LATE, version="1.1.0")[0] != 200


def test_the_halt_flags_removed(gate):
    """The log has it halted; without the flags nothing is granted either, until it is halted again and resumed."""
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.text("halt")
    gate.export()
    assert gate.stop() == 0
    flags = [os.path.join(gate.root, d, "halted") for d in ("data", "run")]
    assert any(os.path.exists(f) for f in flags)
    for f in flags:
        if os.path.exists(f):
            os.unlink(f)
    gate.start(ready=False)
    until(lambda: "HALT-LOST" in {a["id"] for a in gate.cli("status", ok=(0, 3)).get("alerts", [])}, 30)
    assert gate.ask()[0] != 200
    assert not gate.cli("status")["permitting"]
    gate.text("halt")
    for person in ("alice", "bob"):
        gate.cli("resume", "statement", "--approver", f"{person}@demo.invalid", "--reason", "the cause is understood",
                 "--sign", os.path.join(gate.root, "people", person))
    assert gate.served() == data
    told = named(gate)
    assert len(told) == 1 and "the flag is gone" in told[0]
    gate.verify()
