/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/migrations.h"

#include <stddef.h>

/*
 * STRICT: a column holds its type or the write fails. Digests and ids are checked
 * for length as well: what is read back is copied into fixed arrays.
 */
static const char first_schema[] =
"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE TABLE log_head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL CHECK (size >= 0),"
" root BLOB NOT NULL CHECK (length(root) = 32)) STRICT;"

"CREATE TABLE resource ("
" id BLOB PRIMARY KEY CHECK (length(id) = 16), profile TEXT NOT NULL, url TEXT NOT NULL,"
" signature_url TEXT NOT NULL, product TEXT NOT NULL, target TEXT NOT NULL, from_version TEXT NOT NULL,"
" first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, sightings INTEGER NOT NULL,"
" asker BLOB CHECK (length(asker) = 16), state TEXT NOT NULL,"
" backoff_until INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
"CREATE INDEX resource_profile ON resource (profile);"

/* AUTOINCREMENT: a review id that people have written down is never given again. */
"CREATE TABLE candidate ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, resource BLOB NOT NULL REFERENCES resource (id), state TEXT NOT NULL,"
" image BLOB CHECK (length(image) = 32), size INTEGER NOT NULL, in_quarantine INTEGER NOT NULL,"
" signature BLOB CHECK (length(signature) = 32), report BLOB CHECK (length(report) = 32),"
" provenance BLOB CHECK (length(provenance) = 32), policy BLOB CHECK (length(policy) = 32),"
" opened_at_log INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, note TEXT NOT NULL,"
" have_scope INTEGER NOT NULL, max_devices INTEGER NOT NULL, not_before INTEGER NOT NULL,"
" not_after INTEGER NOT NULL, release_id BLOB UNIQUE CHECK (length(release_id) = 16),"
" UNIQUE (resource, image)) STRICT;"
"CREATE INDEX candidate_image ON candidate (image);"
"CREATE INDEX candidate_state ON candidate (state);"
"CREATE TABLE candidate_list ("
" candidate INTEGER NOT NULL REFERENCES candidate (id), kind INTEGER NOT NULL, position INTEGER NOT NULL,"
" word TEXT NOT NULL, PRIMARY KEY (candidate, kind, position)) STRICT, WITHOUT ROWID;"

"CREATE TABLE statement ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, candidate INTEGER NOT NULL REFERENCES candidate (id),"
" sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32), approver TEXT NOT NULL, submitted INTEGER NOT NULL,"
" uid INTEGER NOT NULL, state INTEGER NOT NULL) STRICT;"
"CREATE INDEX statement_candidate ON statement (candidate);"

"CREATE TABLE module ("
" pseudonym BLOB PRIMARY KEY CHECK (length(pseudonym) = 16), profile TEXT NOT NULL, group_name TEXT NOT NULL,"
" product TEXT NOT NULL, version TEXT NOT NULL, version_cls INTEGER NOT NULL, sure TEXT NOT NULL, listed INTEGER NOT NULL,"
" held INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
" last_answer INTEGER NOT NULL, last_resource BLOB CHECK (length(last_resource) = 16)) STRICT, WITHOUT ROWID;"
"CREATE TABLE ident ("
" kind INTEGER NOT NULL, text TEXT NOT NULL, cls INTEGER NOT NULL,"
" module BLOB NOT NULL REFERENCES module (pseudonym) ON DELETE CASCADE, position INTEGER NOT NULL,"
" PRIMARY KEY (kind, text)) STRICT, WITHOUT ROWID;"
"CREATE INDEX ident_module ON ident (module, position, cls);"

/* No reference to module or release: the log, replayed at start, may name what was erased here. */
"CREATE TABLE granted ("
" release_id BLOB NOT NULL CHECK (length(release_id) = 16), module BLOB NOT NULL CHECK (length(module) = 16),"
" at INTEGER NOT NULL, completed INTEGER NOT NULL, bytes INTEGER NOT NULL,"
" PRIMARY KEY (release_id, module)) STRICT, WITHOUT ROWID;"
"CREATE INDEX granted_module ON granted (module);"

"CREATE TABLE release ("
" id BLOB PRIMARY KEY CHECK (length(id) = 16), candidate INTEGER NOT NULL REFERENCES candidate (id),"
" issued INTEGER NOT NULL, state INTEGER NOT NULL, ended INTEGER NOT NULL, who TEXT NOT NULL,"
" reason TEXT NOT NULL, record BLOB NOT NULL) STRICT;"

"CREATE TABLE restriction ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, image BLOB NOT NULL CHECK (length(image) = 32),"
" release_id BLOB CHECK (length(release_id) = 16), log_size INTEGER NOT NULL, at INTEGER NOT NULL,"
" who TEXT NOT NULL, reason TEXT NOT NULL) STRICT;"
"CREATE INDEX restriction_image ON restriction (image);"

"CREATE TABLE fetch ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, resource BLOB NOT NULL REFERENCES resource (id) ON DELETE CASCADE,"
" started INTEGER NOT NULL, ended INTEGER NOT NULL, outcome INTEGER NOT NULL, http_status INTEGER NOT NULL,"
" bytes INTEGER NOT NULL, detail TEXT NOT NULL) STRICT;"
"CREATE INDEX fetch_resource ON fetch (resource, id);"
"CREATE INDEX fetch_started ON fetch (started);"

"CREATE TABLE unknown ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, listener TEXT NOT NULL, host TEXT NOT NULL, path TEXT NOT NULL,"
" agent TEXT NOT NULL, count INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
" UNIQUE (listener, host, path, agent)) STRICT;"
"CREATE INDEX unknown_count ON unknown (count, last_seen);"

"CREATE TABLE incident ("
" id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,"
" resource BLOB CHECK (length(resource) = 16), detail TEXT NOT NULL) STRICT;";

static const char people_schema[] =
"CREATE TABLE suspension ("
" key BLOB NOT NULL CHECK (length(key) = 32), number INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,"
" reason TEXT NOT NULL, PRIMARY KEY (key, number)) STRICT, WITHOUT ROWID;"
"CREATE TABLE proposal ("
" sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32), number INTEGER NOT NULL, time INTEGER NOT NULL,"
" statement BLOB NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE TABLE proposal_signature ("
" proposal BLOB NOT NULL REFERENCES proposal (sha256) ON DELETE CASCADE,"
" key BLOB NOT NULL CHECK (length(key) = 32), principal TEXT NOT NULL, at INTEGER NOT NULL, uid INTEGER NOT NULL,"
" armour BLOB NOT NULL, PRIMARY KEY (proposal, key)) STRICT, WITHOUT ROWID;";

static const char kept_schema[] =
"CREATE TABLE kept ("
" resource BLOB PRIMARY KEY REFERENCES resource (id) ON DELETE CASCADE, part TEXT NOT NULL, bytes INTEGER NOT NULL,"
" total INTEGER NOT NULL, sha256 BLOB NOT NULL CHECK (length(sha256) = 32), validator TEXT NOT NULL,"
" at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static const char seen_schema[] =
"CREATE TABLE seen ("
" profile TEXT NOT NULL, kind INTEGER NOT NULL, place TEXT NOT NULL, value TEXT NOT NULL, known INTEGER NOT NULL,"
" candidate INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
" PRIMARY KEY (profile, kind, place, value)) STRICT, WITHOUT ROWID;"
"CREATE INDEX seen_candidate ON seen (candidate);";

static const char link_schema[] =
"CREATE TABLE link ("
" digest BLOB PRIMARY KEY CHECK (length(digest) = 32),"
" module BLOB NOT NULL REFERENCES module (pseudonym) ON DELETE CASCADE,"
" release_id BLOB NOT NULL CHECK (length(release_id) = 16), profile TEXT NOT NULL, created INTEGER NOT NULL,"
" not_after INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE INDEX link_module ON link (module, created, digest);"
"CREATE INDEX link_end ON link (not_after);";

/* What was kept before is fetched again: nobody knows under which policy it came. */
static const char held_schema[] =
"CREATE TABLE held ("
" candidate INTEGER NOT NULL, profile TEXT NOT NULL, kind INTEGER NOT NULL, place TEXT NOT NULL, value TEXT NOT NULL,"
" PRIMARY KEY (candidate, profile, kind, place, value),"
" FOREIGN KEY (profile, kind, place, value) REFERENCES seen (profile, kind, place, value) ON DELETE CASCADE)"
" STRICT, WITHOUT ROWID;"
"CREATE INDEX held_seen ON held (profile, kind, place, value);"
"INSERT INTO held SELECT candidate, profile, kind, place, value FROM seen WHERE candidate <> 0 AND known = 0;"
"DROP INDEX seen_candidate;"
"ALTER TABLE seen DROP COLUMN candidate;"
"DROP TABLE kept;"
"CREATE TABLE kept ("
" resource BLOB PRIMARY KEY REFERENCES resource (id) ON DELETE CASCADE, part TEXT NOT NULL, bytes INTEGER NOT NULL,"
" total INTEGER NOT NULL, sha256 BLOB NOT NULL CHECK (length(sha256) = 32), validator TEXT NOT NULL,"
" at INTEGER NOT NULL, policy BLOB NOT NULL CHECK (length(policy) = 32)) STRICT, WITHOUT ROWID;";

/* Statements from before name neither: zero and none, as they say. */
static const char terms_schema[] =
"ALTER TABLE candidate ADD COLUMN quorum INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE candidate ADD COLUMN plan BLOB CHECK (length(plan) = 32);";

static const char refusal_schema[] =
"CREATE TABLE refusal ("
" id BLOB PRIMARY KEY CHECK (length(id) = 16), kind INTEGER NOT NULL, value TEXT NOT NULL, until INTEGER NOT NULL,"
" at INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/* No reference to candidates: a delta that is forgotten takes what it made along, which is said where it is done. */
static const char base_schema[] =
"CREATE TABLE base ("
" profile TEXT NOT NULL, product TEXT NOT NULL, version TEXT NOT NULL, image BLOB NOT NULL CHECK (length(image) = 32),"
" size INTEGER NOT NULL, added INTEGER NOT NULL, who TEXT NOT NULL, candidate INTEGER NOT NULL,"
" PRIMARY KEY (profile, product, version, image)) STRICT, WITHOUT ROWID;"
"CREATE INDEX base_image ON base (image);";

/* What was there before is as young as the last that was written of it. */
static const char arrived_schema[] =
"ALTER TABLE candidate ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;"
"UPDATE candidate SET arrived = updated WHERE image IS NOT NULL;";

/* What modules answered is not here: the log has it, and whoever could write it here could open rings by it. */
static const char rollout_schema[] =
"CREATE TABLE rollout ("
" release_id BLOB PRIMARY KEY CHECK (length(release_id) = 16), state INTEGER NOT NULL, ring INTEGER NOT NULL,"
" since INTEGER NOT NULL, plan TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID;"
"ALTER TABLE module ADD COLUMN usual INTEGER NOT NULL DEFAULT 0;";

/*
 * Who may sign in, and the secrets with which they are recognised: of those of sessions and tokens the SHA-256
 * alone. What an account may ask for is no vote, so nothing here is what a release rests on.
 */
static const char account_schema[] =
"CREATE TABLE account ("
" name TEXT PRIMARY KEY, display TEXT NOT NULL, principal TEXT NOT NULL, roles INTEGER NOT NULL, hash TEXT NOT NULL,"
" lent INTEGER NOT NULL, totp BLOB CHECK (length(totp) = 20), totp_step INTEGER NOT NULL, disabled INTEGER NOT NULL,"
" created INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE TABLE session ("
" digest BLOB PRIMARY KEY CHECK (length(digest) = 32), id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
" account TEXT NOT NULL REFERENCES account (name), factors INTEGER NOT NULL, made INTEGER NOT NULL,"
" last INTEGER NOT NULL, until INTEGER NOT NULL, ended INTEGER NOT NULL,"
" peer BLOB NOT NULL CHECK (length(peer) = 16)) STRICT, WITHOUT ROWID;"
"CREATE INDEX session_account ON session (account, made);"
"CREATE TABLE token ("
" digest BLOB PRIMARY KEY CHECK (length(digest) = 32), id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
" name TEXT NOT NULL, account TEXT NOT NULL REFERENCES account (name), scopes INTEGER NOT NULL, made INTEGER NOT NULL,"
" who TEXT NOT NULL, expires INTEGER NOT NULL, last INTEGER NOT NULL, revoked INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE INDEX token_account ON token (account);"
"CREATE TABLE failure ("
" key BLOB PRIMARY KEY CHECK (length(key) = 32), count INTEGER NOT NULL, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE INDEX failure_last ON failure (last);";

/* What was an incident before froze nothing. */
static const char rival_schema[] =
"ALTER TABLE candidate ADD COLUMN rival INTEGER NOT NULL DEFAULT 0;"
"CREATE INDEX candidate_rival ON candidate (rival) WHERE rival = 2;";

/* Of waivers the log has the last word; remarks are for showing. */
static const char waiver_schema[] =
"CREATE TABLE waiver ("
" id BLOB PRIMARY KEY CHECK (length(id) = 16), finding TEXT NOT NULL, profile TEXT NOT NULL, product TEXT NOT NULL,"
" image BLOB CHECK (length(image) = 32), part TEXT NOT NULL, until INTEGER NOT NULL, at INTEGER NOT NULL,"
" owner TEXT NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE TABLE remark ("
" id INTEGER PRIMARY KEY, candidate INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE, at INTEGER NOT NULL,"
" who TEXT NOT NULL, text TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,"
" sha256 BLOB CHECK (length(sha256) = 32)) STRICT;"
"CREATE INDEX remark_candidate ON remark (candidate, id);";

static const char tags_schema[] =
"ALTER TABLE module ADD COLUMN tags TEXT NOT NULL DEFAULT '';";

/* What people propose and sign for is in the terms; whether it counts, the warden says each time. */
static const char standing_schema[] =
"CREATE TABLE standing ("
" id INTEGER PRIMARY KEY, terms TEXT NOT NULL, reason TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL,"
" opened INTEGER NOT NULL, state INTEGER NOT NULL, statements BLOB NOT NULL) STRICT;";

static const char ring_schema[] =
"ALTER TABLE rollout ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE rollout ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;";

static const char glass_schema[] =
"ALTER TABLE candidate ADD COLUMN delay INTEGER NOT NULL DEFAULT 0;";

/* By digest: the answer itself is a document, and the log names it. */
static const char hook_schema[] =
"ALTER TABLE candidate ADD COLUMN hook BLOB CHECK (length(hook) = 32);";

/* What was there before was in its group since nobody knows when: control notes the time of its start. */
static const char placed_schema[] =
"ALTER TABLE module ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE module ADD COLUMN placed_in TEXT NOT NULL DEFAULT '';";

/* Who an account's person is for an issuer; and the sessions that came of it. */
static const char binding_schema[] =
"CREATE TABLE binding ("
" identity BLOB PRIMARY KEY CHECK (length(identity) = 32), issuer TEXT NOT NULL, subject TEXT NOT NULL,"
" account TEXT NOT NULL REFERENCES account (name), made INTEGER NOT NULL, who TEXT NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE INDEX binding_account ON binding (account);"
"ALTER TABLE session ADD COLUMN sso BLOB CHECK (length(sso) = 32);";

/*
 * What people sign in with; the key is in SSH's wire form, with the relying party it is for. It is nobody's vote: whose
 * signature counts is in the signer set. And the highest counters seen of keys that signed.
 */
static const char passkey_schema[] =
"CREATE TABLE passkey ("
" id BLOB PRIMARY KEY CHECK (length(id) = 16), account TEXT NOT NULL REFERENCES account (name), name TEXT NOT NULL,"
" credential BLOB NOT NULL UNIQUE, key BLOB NOT NULL, counter INTEGER NOT NULL, flags INTEGER NOT NULL,"
" made INTEGER NOT NULL, last INTEGER NOT NULL, suspended INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
"CREATE INDEX passkey_account ON passkey (account);"
"CREATE TABLE key_counter ("
" key BLOB PRIMARY KEY CHECK (length(key) = 32), counter INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Lists are read from their young end, a page at a time. */
static const char young_schema[] =
"CREATE INDEX release_issued ON release (issued, id);"
"CREATE INDEX rollout_since ON rollout (since, release_id);";

static const struct migration steps[] = {
	{ 1, "the first schema", first_schema },
	{ 2, "suspended keys and proposed signer sets", people_schema },
	{ 3, "parts that a fetch can go on with", kept_schema },
	{ 4, "how vendors' servers showed themselves", seen_schema },
	{ 5, "short URLs", link_schema },
	{ 6, "what each review is held for; the policy a part came under", held_schema },
	{ 7, "the persons and the plan that statements name", terms_schema },
	{ 8, "what is refused for good or for a time", refusal_schema },
	{ 9, "full images that deltas are for", base_schema },
	{ 10, "when an image came", arrived_schema },
	{ 11, "rollouts; how often a module asks", rollout_schema },
	{ 12, "accounts, sessions and tokens", account_schema },
	/* 13 was never used: a database that is beyond it would not get it any more. */
	{ 14, "second images that freeze a release", rival_schema },
	{ 15, "findings that somebody answers for; what people say about reviews", waiver_schema },
	{ 16, "tags of modules", tags_schema },
	/* 17 is another's. */
	{ 18, "standing statements", standing_schema },
	{ 19, "rings of rollouts that are held", ring_schema },
	{ 20, "the veto delay of break-glass", glass_schema },
	{ 21, "what the decision hook said", hook_schema },
	{ 22, "passkeys to sign in with; counters of keys that signed", passkey_schema },
	{ 23, "who accounts are for issuers of single sign-on", binding_schema },
	{ 26, "since when a module is in its group", placed_schema },
	{ 27, "releases and rollouts by their age", young_schema },
};

const struct migration *
migrations_at(unsigned i)
{
	return i < sizeof steps / sizeof *steps ? &steps[i] : NULL;
}

unsigned
migrations_newest(void)
{
	return steps[sizeof steps / sizeof *steps - 1].number;
}
