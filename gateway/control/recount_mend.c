/* SPDX-License-Identifier: Apache-2.0 */
/* recount_mend - the database held against what the log said; what differs is mended and named. */
#include "gateway/control/recount.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/recount_private.h"
#include "gateway/control/remarks.h"
#include "gateway/control/suspensions.h"

struct mend {
	struct recount *r;
	struct control *c;
	uint64_t size;
	unsigned found;
	struct db_candidate *cand; /* scratch */
};

/* ---- naming ---- */

static void
tell(struct mend *m, const char *obj, const char *text)
{
	struct db_incident i = { .at = control_now(m->c), .kind = "state" };
	snprintf(i.detail, sizeof i.detail, "%s: %s", obj, text);
	oplog(OPLOG_ERR, "the database differs from the log, which wins: %s: %s", obj, text);
	(void)db_incident_add(m->c->db, &i);
	struct msg_append *e = logbook_entry(ENTRY_STATE_DIFFERS, "failed", "control", obj);
	logbook_say(e, "%s", text);
	logbook_tell(m->c->logbook, e);
}

static void __attribute__((format(printf, 3, 4)))
differs(struct mend *m, const char *obj, const char *fmt, ...)
{
	char text[MSG_TEXT_MAX];
	va_list ap;
	if (++m->found > RECOUNT_NAMED_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	tell(m, obj, text);
}

/* What cannot be mended is named by one start only. */
static bool
named_before(const struct mend *m, const char *obj)
{
	uint8_t key[DIGEST_SHA256_LEN];
	return digest_sha256(view_str(obj), key) == FG_OK && shelf_find(&m->r->named, key);
}

static void
hex_obj(const char *prefix, const uint8_t *bytes, size_t n, char *dst, size_t cap)
{
	char hex[2 * DIGEST_SHA256_LEN + 1];
	hex_encode(bytes, n, hex);
	snprintf(dst, cap, "%s%s", prefix, hex);
}

static void *
find(const struct shelf *s, const void *key, size_t n)
{
	uint8_t whole[SHELF_KEY] = { 0 };
	memcpy(whole, key, n);
	return shelf_find(s, whole);
}

/* ---- what was taken back ---- */

static bool
in_force(const struct recount_release *one)
{
	return one->issued && one->refused < one->issued && !one->revoked && !one->retired;
}

/* The database knows no restriction of that image at all, or an older one than the log. */
static void
restrict_again(struct mend *m, enum msg_restrict_kind kind, const uint8_t image[DIGEST_SHA256_LEN], const uint8_t *id,
    uint64_t at)
{
	char obj[DIGEST_HEX_LEN + 16];
	uint64_t latest = 0;
	if (db_restriction_latest(m->c->db, image, &latest) || (latest && latest + 1 >= at))
		return;
	releases_restrict(m->c->releases, kind, image, id, "log", "as the log has it", at - 1);
	if (latest)
		return; /* made while the log was busy or away: it is dated now */
	hex_obj("sha256:", image, DIGEST_SHA256_LEN, obj, sizeof obj);
	differs(m, obj, "a restriction of this image was missing from the database");
}

static void
check_release(struct mend *m, const struct recount_release *one)
{
	char obj[2 * MSG_ID + 16];
	struct db_release row;
	struct writer w;
	hex_obj("release:", one->id, MSG_ID, obj, sizeof obj);
	if (in_force(one) && one->not_after > control_now(m->c) && !releases_offers(m->c->releases, one->id) &&
	    !named_before(m, obj))
		differs(m, obj, "it is in force and the warden does not have it; it is not offered");
	if (!one->revoked && one->retired && releases_offers(m->c->releases, one->id)) {
		releases_gone(m->c->releases, one->id, false, one->retired - 1);
		differs(m, obj, "it was ended, and the warden had it still");
	}
	if (!one->revoked)
		return;
	if (one->issued)
		restrict_again(m, MSG_RESTRICT_REVOKE, one->image, one->id, one->revoked);
	writer_init(&w, RELEASE_RECORD_MAX);
	bool active = db_release_get(m->c->db, one->id, &row, &w) == FG_OK && row.state == DB_RELEASE_ACTIVE;
	writer_free(&w);
	bool offered = releases_offers(m->c->releases, one->id);
	if (active || offered)
		releases_gone(m->c->releases, one->id, true, one->revoked - 1);
	if (active)
		differs(m, obj, "it was revoked, and the database called it active");
	else if (offered)
		differs(m, obj, "it was revoked, and the warden had it still");
}

static void
check_restricted(struct mend *m, const struct recount_restricted *one)
{
	if (one->rejected)
		restrict_again(m, MSG_RESTRICT_REJECT, one->key, NULL, one->rejected);
}

/* Rows that only the database has: they stay, for they restrict. */
static int
each_restriction(void *arg, const struct db_restriction *d)
{
	struct mend *m = arg;
	char obj[DIGEST_HEX_LEN + 16];
	hex_obj("restriction:", d->image, DIGEST_SHA256_LEN, obj, sizeof obj);
	if (d->log_size < m->size && d->at < m->r->began && !find(&m->r->restricted, d->image, DIGEST_SHA256_LEN) &&
	    !named_before(m, obj))
		differs(m, obj, "the database restricts this image, of which the log knows nothing; it stays restricted");
	return 0;
}

static int
each_revoked(void *arg, const struct db_release *d)
{
	struct mend *m = arg;
	const struct recount_release *one = find(&m->r->releases, d->id, MSG_ID);
	char obj[2 * MSG_ID + 16];
	if (d->ended >= m->r->began || (one && one->revoked))
		return 0;
	hex_obj("release:", d->id, MSG_ID, obj, sizeof obj);
	if (named_before(m, obj))
		return 0;
	differs(m, obj, "the database calls it revoked, which the log does not; it stays revoked");
	struct msg_append *e = one && one->issued ? logbook_entry(ENTRY_APPROVAL_REVOKED, "ok", "control", obj) : NULL;
	if (e) {
		logbook_ref_sha256(e, "image", one->image);
		logbook_say(e, "revoked in the database");
	}
	logbook_tell(m->c->logbook, e);
	return 0;
}

static int
each_active(void *arg, const struct db_release *d)
{
	struct mend *m = arg;
	const struct recount_release *one = find(&m->r->releases, d->id, MSG_ID);
	char obj[2 * MSG_ID + 16];
	hex_obj("release:", d->id, MSG_ID, obj, sizeof obj);
	if ((!one || !one->issued) && !named_before(m, obj))
		differs(m, obj, "the database has a release that was never issued; it is not offered");
	return 0;
}

/* ---- reviews ---- */

static void
force(struct mend *m, enum lifecycle_state state, const char *why)
{
	struct db_candidate *cand = m->cand;
	char review[DB_REVIEW_CAP], from[DB_WORD_MAX];
	db_candidate_review(cand->id, review);
	memcpy(from, cand->state, sizeof from);
	differs(m, review, "%s; it was %s in the database and is %s", why, from, lifecycle_state_name(state));
	snprintf(cand->state, sizeof cand->state, "%s", lifecycle_state_name(state));
	snprintf(cand->note, sizeof cand->note, "%s", why);
	cand->updated = control_now(m->c);
	if (db_candidate_update(m->c->db, cand, from))
		oplog(OPLOG_ERR, "%s could not be mended: %s", review, db_why(m->c->db));
}

/* Nobody may review under other facts than those the log has for the opening. */
static const char *
not_as_opened(struct mend *m, const struct recount_review *v)
{
	const struct db_candidate *cand = m->cand;
	struct db_resource *res = calloc(1, sizeof *res);
	const char *why = NULL;
	uint8_t what[DIGEST_SHA256_LEN];
	if (!v || !v->opened)
		why = "the log never opened this review";
	else if (v->closed > v->opened)
		why = "the log has closed this review";
	else if (cand->opened_at_log + 1 != v->opened)
		why = "the log opened this review at another time";
	else if (memcmp(cand->image, v->image, sizeof v->image) || memcmp(cand->report, v->report, sizeof v->report) ||
	    memcmp(cand->policy, v->policy, sizeof v->policy))
		why = "the log opened this review over another image, report or policy";
	else if (v->have_what && (!res || db_resource_get(m->c->db, cand->resource, res) ||
	    recount_what(res->product, res->target, res->from, what) || memcmp(what, v->what, sizeof what)))
		why = "the log opened this review for another product or version";
	free(res);
	return why;
}

static bool
has_requester(const struct db_candidate *cand, const char *who)
{
	for (uint32_t i = 0; i < cand->requesters_n; i++)
		if (strcmp(cand->requester[i], who) == 0)
			return true;
	return false;
}

static void
check_requesters(struct mend *m, const struct recount_review *v)
{
	struct db_candidate *cand = m->cand;
	char review[DB_REVIEW_CAP];
	bool lost = false;
	for (unsigned i = 0; i < v->requesters_n && cand->requesters_n < DB_LIST_MAX; i++) {
		if (has_requester(cand, v->requester[i]))
			continue;
		snprintf(cand->requester[cand->requesters_n++], DB_WHO_MAX, "%s", v->requester[i]);
		lost = true;
	}
	if (!lost)
		return;
	db_candidate_review(cand->id, review);
	differs(m, review, "somebody who asked for it was missing from the database");
	(void)db_candidate_update(m->c->db, cand, cand->state);
}

/* An image that is older than it is would be served sooner than the rules say. */
static void
check_arrival(struct mend *m, const struct recount_review *v)
{
	struct db_candidate *cand = m->cand;
	char review[DB_REVIEW_CAP];
	if (!v->arrived || cand->arrived == v->arrived)
		return;
	cand->arrived = v->arrived;
	db_candidate_review(cand->id, review);
	differs(m, review, "its image came at another time");
	(void)db_candidate_update(m->c->db, cand, cand->state);
}

/* Statements the database has and the log has not, and the other way round. Until now none was taken in this life. */
struct votes {
	struct mend *m;
	bool seen_strange;
	char strange[DB_WHO_MAX];
	struct shelf have;
};

static int
each_vote(void *arg, const struct db_statement *s)
{
	struct votes *v = arg;
	(void)shelf_make(&v->have, s->sha256);
	if (s->state != DB_STATEMENT_COUNTED || v->seen_strange)
		return 0;
	const struct recount_statement *said = find(&v->m->r->statements, s->sha256, DIGEST_SHA256_LEN);
	if (!said || said->review != s->candidate || strcmp(said->approver, s->approver) != 0) {
		v->seen_strange = true;
		snprintf(v->strange, sizeof v->strange, "%s", s->approver);
	}
	return 0;
}

static void
check_votes(struct mend *m, const struct recount_review *r)
{
	struct control *c = m->c;
	struct votes v = { .m = m, .have = { .row_size = SHELF_KEY } };
	char review[DB_REVIEW_CAP];
	uint32_t before, after, need;
	unsigned n;
	db_candidate_review(m->cand->id, review);
	(void)db_statement_list(c->db, m->cand->id, each_vote, &v);
	if (v.seen_strange) {
		differs(m, review, "a statement in the name of %s was never handed in; it does not count", v.strange);
		(void)db_statement_outdate(c->db, m->cand->id, v.strange, &n);
	}
	reviews_count(c, m->cand, &before, &need);
	for (size_t i = 0; i < m->r->statements.n; i++) {
		const struct recount_statement *said = shelf_at(&m->r->statements, i);
		struct db_statement s = { .candidate = said->review, .submitted = said->time, .state = DB_STATEMENT_COUNTED };
		if (said->review != m->cand->id || said->signed_at <= r->opened || shelf_find(&v.have, said->key))
			continue;
		memcpy(s.sha256, said->key, sizeof s.sha256);
		snprintf(s.approver, sizeof s.approver, "%.*s", DB_WHO_MAX - 1, said->approver);
		(void)db_statement_add(c->db, &s);
	}
	/* One that came too late for its scope is in the log too: it makes no difference. */
	reviews_count(c, m->cand, &after, &need);
	if (after > before)
		differs(m, review, "a statement that was handed in was missing from the database; it counts again");
	shelf_free(&v.have);
}

static void
check_review(struct mend *m, uint64_t id)
{
	const struct recount_review *v = find(&m->r->reviews, &id, sizeof id);
	struct db_candidate *cand = m->cand;
	const char *why;
	if (db_candidate_get(m->c->db, id, cand))
		return;
	bool same = v && cand->have_image && !memcmp(cand->image, v->image, sizeof v->image);
	const struct recount_release *last = v && v->have_release ? find(&m->r->releases, v->last_release, MSG_ID) : NULL;
	bool revoked = last && last->revoked && (!last->retired || last->revoked < last->retired);
	if (same && v->rejected && !candidates_is(cand, LIFECYCLE_REJECTED)) {
		force(m, LIFECYCLE_REJECTED, "it was rejected");
	} else if (same && !v->rejected && revoked && !candidates_is(cand, LIFECYCLE_REVOKED)) {
		force(m, LIFECYCLE_REVOKED, "its release was revoked");
	} else if (same && last && in_force(last) && releases_offers(m->c->releases, last->id) &&
	    (!candidates_is(cand, LIFECYCLE_APPROVED) || !cand->have_release || memcmp(cand->release, last->id, MSG_ID) != 0)) {
		cand->have_release = true;
		memcpy(cand->release, last->id, MSG_ID);
		force(m, LIFECYCLE_APPROVED, "its release is in force");
	} else if (candidates_is(cand, LIFECYCLE_APPROVED)) {
		const struct recount_release *said =
		    cand->have_release ? find(&m->r->releases, cand->release, MSG_ID) : NULL;
		if (!same || !said || !said->issued || said->review != id)
			force(m, LIFECYCLE_BLOCKED, "the log knows of no such release");
		else if (said->retired)
			force(m, LIFECYCLE_EXPIRED, "its release has run out");
	} else if (candidates_is(cand, LIFECYCLE_REVIEW)) {
		if ((why = not_as_opened(m, v))) {
			force(m, LIFECYCLE_JUDGING, why);
		} else {
			check_requesters(m, v);
			check_arrival(m, v);
			check_votes(m, v);
		}
	}
}

static int
each_candidate(void *arg, const struct db_candidate *cand)
{
	uint64_t *next = arg;
	next[1 + next[0]++] = cand->id;
	return next[0] == DB_PAGE_MAX;
}

static void
check_reviews(struct mend *m)
{
	uint64_t *page = calloc(DB_PAGE_MAX + 1, sizeof *page), after = 0;
	m->cand = calloc(1, sizeof *m->cand);
	while (page && m->cand) {
		struct db_candidate_filter f = { .after = after };
		page[0] = 0;
		(void)db_candidate_list(m->c->db, &f, each_candidate, page);
		for (uint64_t i = 0; i < page[0]; i++)
			check_review(m, page[1 + i]);
		if (!page[0])
			break;
		after = page[page[0]];
	}
	/* What the log has finally decided about and the database does not know any more. */
	uint64_t highest = 0;
	for (size_t i = 0; m->cand && i < m->r->reviews.n; i++) {
		const struct recount_review *v = shelf_at(&m->r->reviews, i);
		char review[DB_REVIEW_CAP];
		if (v->id > highest)
			highest = v->id;
		db_candidate_review(v->id, review);
		if (v->opened && db_candidate_get(m->c->db, v->id, m->cand) == FG_ENOTFOUND && !named_before(m, review))
			differs(m, review, "the log has this review, the database has lost it");
	}
	/* A database that was restored would give their names to other images. */
	if (highest)
		(void)db_candidate_number_from(m->c->db, highest);
	free(m->cand);
	m->cand = NULL;
	free(page);
}

/* ---- holds ---- */

static void
check_hold(struct mend *m, const struct recount_hold *h)
{
	struct inventory *inv = m->c->inventory;
	const struct inventory_module *mod = inventory_by_pseudonym(inv, h->key);
	char obj[2 * MSG_ID + 16];
	hex_obj("module:", h->key, MSG_ID, obj, sizeof obj);
	if (!h->held || (mod && mod->held))
		return;
	if (mod)
		(void)inventory_hold(inv, h->key, true);
	else
		(void)inventory_hold_stranger(inv, h->key);
	edges_table_due(m->c->edges, true);
	if (mod)
		differs(m, obj, "it was held, and the database did not say so; it is held");
	else if (h->at > m->r->erased && !named_before(m, obj))
		differs(m, obj, "a module that was held is missing from the database; it is held when it comes back");
}

static void
check_held(struct mend *m)
{
	const struct inventory_module *mod;
	char obj[2 * MSG_ID + 16];
	for (size_t i = 0; (mod = inventory_at(m->c->inventory, i)) != NULL; i++) {
		const struct recount_hold *h = find(&m->r->holds, mod->pseudonym, MSG_ID);
		if (!mod->held || (h && h->held))
			continue;
		hex_obj("module:", mod->pseudonym, MSG_ID, obj, sizeof obj);
		differs(m, obj, "the database holds it, which the log does not; it stays held");
		struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, "ok", "control", "hold");
		logbook_dev(e, mod->pseudonym);
		logbook_say(e, "held in the database");
		logbook_tell(m->c->logbook, e);
	}
}

/* ---- refusals ---- */

static void
check_refusal(struct mend *m, const struct recount_refusal *one)
{
	char obj[2 * REFUSAL_ID + 16];
	if (one->lifted || !refusals_again(m->c->refusals, one->key, (enum refusal_kind)one->kind, view_str(one->value),
	    one->until, one->at))
		return;
	hex_obj("refusal:", one->key, REFUSAL_ID, obj, sizeof obj);
	differs(m, obj, "the log refuses it, and the database did not; it is refused");
}

/* ---- waivers ---- */

static void
check_waiver(struct mend *m, const struct recount_waiver *one)
{
	char obj[2 * WAIVER_ID + 16];
	if (one->lifted)
		waivers_gone(m->c->waivers, &one->d);
	if (one->lifted || !waivers_again(m->c->waivers, &one->d))
		return;
	hex_obj("waiver:", one->key, WAIVER_ID, obj, sizeof obj);
	differs(m, obj, "the log has it, and the database did not; it is put back");
}

static void
not_a_waiver(void *arg, const uint8_t id[WAIVER_ID])
{
	char obj[2 * WAIVER_ID + 16];
	hex_obj("waiver:", id, WAIVER_ID, obj, sizeof obj);
	differs(arg, obj, "the database has it, which the log does not; it is dropped");
}

/* ---- remarks ---- */

#define REMARK_LATE 300 /* seconds that its entry may be written after it was made */

struct said {
	const struct db_remark *like;
	bool there;
};

static int
each_remark(void *arg, const struct db_remark *n)
{
	struct said *s = arg;
	const struct db_remark *d = s->like;
	int64_t off = d->at - n->at;
	s->there |= off >= -REMARK_LATE && off <= REMARK_LATE && n->have_file == d->have_file && strcmp(n->who, d->who) == 0 &&
	    strcmp(n->text, d->text) == 0 && (!d->have_file || memcmp(n->sha256, d->sha256, sizeof n->sha256) == 0);
	return 0;
}

/* Nothing rests on it, but people do. Of a review that is not here any more there is nothing to say. */
static void
check_remarks(struct mend *m)
{
	unsigned again = 0;
	for (size_t i = 0; i < m->r->remarks.n; i++) {
		const struct recount_remark *one = shelf_at(&m->r->remarks, i);
		struct said s = { .like = &one->d };
		again += !db_remark_list(m->c->db, one->d.candidate, each_remark, &s) && !s.there &&
		    !db_remark_add(m->c->db, &one->d, REMARKS_MAX);
	}
	if (again)
		differs(m, "remarks", "%u remarks on reviews were missing from the database; they are there again", again);
}

/* ---- rollouts ---- */

static void
check_rollout(struct mend *m, const struct recount_rollout *one)
{
	struct rollouts_said said = one->said;
	said.paused = one->paused;
	said.closed = one->closed;
	said.stopped = one->stopped <= INT64_MAX ? (int64_t)one->stopped : 0;
	for (unsigned i = 0; i < ROLLOUT_RINGS_MAX; i++)
		said.held |= (one->held[i][0] != '\0' ? 1u : 0u) << i;
	const char *how = rollouts_mend(m->c->rollouts, one->key, &said);
	char obj[2 * MSG_ID + 16];
	if (!how)
		return;
	hex_obj("release:", one->key, MSG_ID, obj, sizeof obj);
	differs(m, obj, "%s", how);
}

/* ---- keys ---- */

/* By a word of that time or a later one. */
static bool
is_suspended(const struct control *c, const uint8_t key[DIGEST_SHA256_LEN], int64_t at)
{
	unsigned n;
	const struct signers_suspended *s = people_suspended(c->people, &n);
	for (unsigned i = 0; i < n; i++)
		if (!memcmp(s[i].key, key, DIGEST_SHA256_LEN))
			return s[i].at >= at;
	return false;
}

static void
check_suspended(struct mend *m, const struct recount_suspended *one)
{
	char obj[DIGEST_HEX_LEN + 8];
	if (!signers_suspension_holds(people_set(m->c->people), one->set, one->time) || is_suspended(m->c, one->key, one->time))
		return;
	hex_obj("key:", one->key, DIGEST_SHA256_LEN, obj, sizeof obj);
	suspensions_again(m->c, one->key, one->set, one->time);
	differs(m, obj, "it was suspended, and nobody remembered; it is again");
}

unsigned
recount_mend(struct recount *r, struct control *c, uint64_t size)
{
	struct mend m = { .r = r, .c = c, .size = size };
	for (size_t i = 0; i < r->releases.n; i++)
		check_release(&m, shelf_at(&r->releases, i));
	for (size_t i = 0; i < r->restricted.n; i++)
		check_restricted(&m, shelf_at(&r->restricted, i));
	(void)db_restriction_list(c->db, NULL, each_restriction, &m);
	(void)db_release_list(c->db, DB_RELEASE_REVOKED, each_revoked, &m);
	(void)db_release_list(c->db, DB_RELEASE_ACTIVE, each_active, &m);
	for (size_t i = 0; i < r->suspended.n; i++)
		check_suspended(&m, shelf_at(&r->suspended, i));
	for (size_t i = 0; i < r->refusals.n; i++)
		check_refusal(&m, shelf_at(&r->refusals, i));
	for (size_t i = 0; c->waivers && i < r->waivers.n; i++)
		check_waiver(&m, shelf_at(&r->waivers, i));
	if (c->waivers)
		waivers_settle(c->waivers, not_a_waiver, &m);
	check_reviews(&m);
	check_remarks(&m);
	check_held(&m);
	for (size_t i = 0; i < r->holds.n; i++)
		check_hold(&m, shelf_at(&r->holds, i));
	(void)inventory_flush(c->inventory);
	for (size_t i = 0; i < r->rollouts.n; i++)
		check_rollout(&m, shelf_at(&r->rollouts, i));
	rollouts_mended(c->rollouts);
	if (r->skipped && !named_before(&m, "log"))
		differs(&m, "log", "%u of its entries cannot be read and are left out", r->skipped);
	if (recount_signers_differ(r, c->people)) {
		c->signers_lost = true; /* who was removed would count again */
		differs(&m, "signers", "the log has signer set %u in force, the folder ends with %u%s; nothing is permitted",
		    r->sets_n, people_set(c->people)->number,
		    people_set(c->people)->number == r->sets_n ? ", and they are not the same" : "");
	}
	if (r->halted && !halts_now(c->halts) && !c->resumed) {
		c->halt_lost = true;
		differs(&m, "gateway",
		    "the log has it halted, the flag is gone; nothing is granted: halt, and resume with signatures");
	}
	if (m.found > RECOUNT_NAMED_MAX) {
		char text[80];
		snprintf(text, sizeof text, "%u differences more", m.found - RECOUNT_NAMED_MAX);
		tell(&m, "state", text);
	}
	return m.found;
}
