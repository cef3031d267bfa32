/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/recount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "crypto/stamp.h"
#include "gateway/control/people.h"
#include "gateway/control/recount_private.h"
#include "gateway/control/refusals.h"
#include "gateway/state/candidate.h"

struct recount *
recount_new(int64_t began)
{
	struct recount *r = calloc(1, sizeof *r);
	if (r) {
		r->began = began;
		r->reviews.row_size = sizeof(struct recount_review);
		r->releases.row_size = sizeof(struct recount_release);
		r->statements.row_size = sizeof(struct recount_statement);
		r->restricted.row_size = sizeof(struct recount_restricted);
		r->refusals.row_size = sizeof(struct recount_refusal);
		r->waivers.row_size = sizeof(struct recount_waiver);
		r->remarks.row_size = sizeof(struct recount_remark);
		r->holds.row_size = sizeof(struct recount_hold);
		r->rollouts.row_size = sizeof(struct recount_rollout);
		r->suspended.row_size = sizeof(struct recount_suspended);
		r->named.row_size = SHELF_KEY;
	}
	return r;
}

void
recount_free(struct recount *r)
{
	if (!r)
		return;
	shelf_free(&r->reviews);
	shelf_free(&r->releases);
	shelf_free(&r->statements);
	shelf_free(&r->restricted);
	shelf_free(&r->refusals);
	shelf_free(&r->waivers);
	shelf_free(&r->remarks);
	shelf_free(&r->holds);
	shelf_free(&r->rollouts);
	shelf_free(&r->suspended);
	shelf_free(&r->named);
	free(r->set);
	free(r);
}

/* ---- parts of an entry ---- */

/* Of "sha256:<hex>"; false when there is none. */
static bool
digest_ref(const struct entry *e, const char *key, uint8_t ret[DIGEST_SHA256_LEN])
{
	const struct entry_ref *r = entry_ref_get(e, key);
	return r && entry_sha256(r->text, ret);
}

static bool
release_obj(const struct entry *e, uint8_t id[MSG_ID])
{
	static const char prefix[] = "release:";
	const size_t n = sizeof prefix - 1;
	return e->obj.n == n + 2 * MSG_ID && !memcmp(e->obj.p, prefix, n) &&
	    hex_decode(view_of(e->obj.p + n, 2 * MSG_ID), id, MSG_ID);
}

static void
to_text(struct view v, char *dst, size_t cap)
{
	snprintf(dst, cap, "%.*s", (int)v.n, v.n ? (const char *)v.p : "");
}

int
recount_what(const char *product, const char *target, const char *from, uint8_t out[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, 1024);
	writer_cstr(&w, product);
	writer_cstr(&w, target);
	writer_cstr(&w, from);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), out);
	writer_free(&w);
	return err;
}

/* ---- rows ---- */

static void *
row(struct recount *r, struct shelf *s, const void *key, size_t n)
{
	uint8_t whole[SHELF_KEY] = { 0 };
	memcpy(whole, key, n);
	void *p = shelf_make(s, whole);
	r->no_memory |= !p;
	return p;
}

static struct recount_review *
review(struct recount *r, struct view name)
{
	uint64_t id;
	if (!db_candidate_review_parse(name, &id))
		return NULL;
	struct recount_review *v = row(r, &r->reviews, &id, sizeof id);
	if (v)
		v->id = id;
	return v;
}

static struct recount_release *
release(struct recount *r, const struct entry *e)
{
	uint8_t id[MSG_ID];
	if (!release_obj(e, id))
		return NULL;
	struct recount_release *one = row(r, &r->releases, id, sizeof id);
	if (one)
		memcpy(one->id, id, sizeof one->id);
	return one;
}

static void
restricted(struct recount *r, const struct entry *e, uint64_t at, bool reject)
{
	uint8_t image[DIGEST_SHA256_LEN]; /* of a standing statement its key, which stands for it */
	if (!digest_ref(e, e->ev == ENTRY_STANDING_REVOKED ? "key" : "image", image))
		return;
	struct recount_restricted *one = row(r, &r->restricted, image, sizeof image);
	if (one)
		*(reject ? &one->rejected : &one->revoked) = at;
}

/* ---- events ---- */

static void
on_opened(struct recount *r, const struct entry *e, uint64_t at)
{
	struct recount_review *v = review(r, e->obj);
	if (!v)
		return;
	v->opened = at;
	memset(v->report, 0, sizeof v->report);
	memset(v->policy, 0, sizeof v->policy);
	(void)digest_ref(e, "image", v->image);
	(void)digest_ref(e, "report", v->report);
	(void)digest_ref(e, "policy", v->policy);
	const struct entry_ref *product = entry_ref_get(e, "product"), *target = entry_ref_get(e, "target");
	const struct entry_ref *from = entry_ref_get(e, "from");
	char text[3][160];
	v->have_what = product && target && from;
	if (v->have_what) {
		to_text(product->text, text[0], sizeof text[0]);
		to_text(target->text, text[1], sizeof text[1]);
		to_text(from->text, text[2], sizeof text[2]);
		v->have_what = recount_what(text[0], text[1], text[2], v->what) == FG_OK;
	}
	const struct entry_ref *arrived = entry_ref_get(e, "arrived");
	v->arrived = arrived && arrived->is_number ? (int64_t)arrived->number : 0;
	v->requesters_n = 0;
	for (unsigned i = 0; i < RECOUNT_REQUESTERS_MAX; i++) {
		char key[24];
		snprintf(key, sizeof key, "requester.%u", i);
		const struct entry_ref *who = entry_ref_get(e, key);
		if (who)
			to_text(who->text, v->requester[v->requesters_n++], sizeof v->requester[0]);
	}
}

static void
on_signed(struct recount *r, const struct entry *e, uint64_t at)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint64_t id;
	if (!digest_ref(e, "statement", sha256) || !db_candidate_review_parse(e->obj, &id))
		return;
	struct recount_statement *s = row(r, &r->statements, sha256, sizeof sha256);
	if (!s || s->signed_at)
		return;
	s->review = id;
	s->signed_at = at;
	s->time = e->t_us / 1000000;
	to_text(e->act, s->approver, sizeof s->approver);
}

static void
on_issued(struct recount *r, const struct entry *e, uint64_t at)
{
	struct recount_release *one = release(r, e);
	const struct entry_ref *name = entry_ref_get(e, "review");
	struct recount_review *v = one && name ? review(r, name->text) : NULL;
	if (!one)
		return;
	one->issued = at;
	(void)digest_ref(e, "image", one->image);
	struct release *record = calloc(1, sizeof *record);
	char why[120];
	if (record && release_parse(e->doc, record, why, sizeof why) == FG_OK)
		one->not_after = record->terms.not_after;
	r->no_memory |= !record;
	free(record);
	if (!v)
		return;
	one->review = v->id;
	memcpy(v->last_release, one->id, sizeof v->last_release);
	v->have_release = true;
}

static void
on_retired(struct recount *r, const struct entry *e, uint64_t at)
{
	struct recount_release *one = release(r, e);
	if (!one)
		return;
	one->retired = at;
	restricted(r, e, at, false); /* before its time, if it names the image */
	struct recount_review *v = one->review ? row(r, &r->reviews, &one->review, sizeof one->review) : NULL;
	if (v)
		v->closed = at;
}

static void
on_changed(struct recount *r, const struct entry *e, uint64_t at)
{
	bool hold = view_is(e->obj, "hold");
	if (!e->have_dev || (!hold && !view_is(e->obj, "unhold")))
		return;
	struct recount_hold *h = row(r, &r->holds, e->dev, sizeof e->dev);
	if (h) {
		h->held = hold;
		h->at = at;
	}
}

static void
on_refusal(struct recount *r, const struct entry *e)
{
	static const char prefix[] = "refusal:";
	const size_t n = sizeof prefix - 1;
	uint8_t id[REFUSAL_ID];
	const struct entry_ref *kind = entry_ref_get(e, "kind"), *until = entry_ref_get(e, "until");
	if (e->obj.n != n + 2 * REFUSAL_ID || memcmp(e->obj.p, prefix, n) != 0 ||
	    !hex_decode(view_of(e->obj.p + n, 2 * REFUSAL_ID), id, sizeof id) || !kind)
		return;
	struct recount_refusal *one = row(r, &r->refusals, id, sizeof id);
	if (!one)
		return;
	one->lifted = e->ev == ENTRY_REFUSAL_LIFTED;
	one->kind = (uint8_t)refusal_kind_parse(kind->text);
	one->value[0] = '\0';
	for (unsigned i = 0; i < REFUSALS_PIECES; i++) {
		const struct entry_ref *piece = entry_ref_get(e, refusals_piece_keys[i]);
		size_t at = strlen(one->value);
		if (piece)
			snprintf(one->value + at, sizeof one->value - at, "%.*s", (int)piece->text.n, (const char *)piece->text.p);
	}
	one->until = 0;
	if (until && !stamp_parse(until->text, &one->until))
		one->until = 0; /* one that cannot be read does not end */
	one->at = e->t_us / 1000000;
}

static void
ref_text(const struct entry *e, const char *key, char *dst, size_t cap)
{
	const struct entry_ref *r = entry_ref_get(e, key);
	if (r && !r->is_number)
		to_text(r->text, dst, cap);
}

static void
on_waiver(struct recount *r, const struct entry *e)
{
	static const char prefix[] = "waiver:";
	const size_t n = sizeof prefix - 1;
	const struct entry_ref *until = entry_ref_get(e, "until");
	uint8_t id[WAIVER_ID];
	if (e->obj.n != n + 2 * WAIVER_ID || memcmp(e->obj.p, prefix, n) != 0 ||
	    !hex_decode(view_of(e->obj.p + n, 2 * WAIVER_ID), id, sizeof id))
		return;
	struct recount_waiver *one = row(r, &r->waivers, id, sizeof id);
	if (!one)
		return;
	one->lifted = e->ev == ENTRY_WAIVER_LIFTED;
	if (one->lifted)
		return;
	/* One that cannot be read is none: its id is of what it says. */
	one->d = (struct waivers_one){ .at = e->t_us / 1000000 };
	memcpy(one->d.id, id, sizeof id);
	ref_text(e, "finding", one->d.w.finding, sizeof one->d.w.finding);
	ref_text(e, "profile", one->d.w.profile, sizeof one->d.w.profile);
	ref_text(e, "product", one->d.w.product, sizeof one->d.w.product);
	ref_text(e, "part", one->d.w.part, sizeof one->d.w.part);
	one->d.w.have_image = digest_ref(e, "image", one->d.w.image);
	if (until && !stamp_parse(until->text, &one->d.w.until))
		one->d.w.until = 0;
	to_text(e->act, one->d.owner, sizeof one->d.owner);
	to_text(e->msg, one->d.reason, sizeof one->d.reason);
}

static void
on_named(struct recount *r, const struct entry *e)
{
	uint8_t key[DIGEST_SHA256_LEN];
	if (!digest_sha256(e->obj, key))
		(void)row(r, &r->named, key, sizeof key);
}

static void
on_suspended(struct recount *r, const struct entry *e)
{
	uint8_t key[DIGEST_SHA256_LEN];
	const struct entry_ref *set = entry_ref_get(e, "set");
	if (e->obj.n != 4 + DIGEST_HEX_LEN || memcmp(e->obj.p, "key:", 4) != 0 || !set || !set->is_number ||
	    !hex_decode(view_of(e->obj.p + 4, DIGEST_HEX_LEN), key, sizeof key))
		return;
	struct recount_suspended *one = row(r, &r->suspended, key, sizeof key);
	if (!one || set->number > UINT32_MAX)
		return;
	const struct entry_ref *spoken = entry_ref_get(e, "at"); /* the entry may have waited, for longer than a later one */
	int64_t at = spoken && spoken->is_number && spoken->number <= STAMP_MAX ? (int64_t)spoken->number : e->t_us / 1000000;
	if (at < one->time)
		return;
	one->set = (uint32_t)set->number;
	one->time = at;
}

static uint64_t
number_ref(const struct entry *e, const char *key)
{
	const struct entry_ref *r = entry_ref_get(e, key);
	return r && r->is_number ? r->number : 0;
}

/* The warden had it written and it had no effect: it stands as it stood, if nothing was said of it since. */
static void
on_disowned(struct recount_rollout *one, enum approval_step step, uint64_t since, const char *ring)
{
	if (one->was.step == APPROVAL_STEP_NONE || one->was.step != step || one->was.since != since ||
	    strcmp(one->was.name, ring) != 0)
		return;
	one->paused = one->was.paused;
	one->said = one->was.said;
	if (one->was.ring >= 0)
		memcpy(one->held[one->was.ring], ring, sizeof one->held[0]);
	one->was.step = APPROVAL_STEP_NONE;
}

/* People let it go on: the stop that they named, and no later one. */
static void
on_continued(struct recount_rollout *one, const struct entry *e)
{
	char step[16] = "", ring[ROLLOUT_NAME_MAX + 1] = "";
	ref_text(e, "step", step, sizeof step);
	ref_text(e, "ring", ring, sizeof ring);
	enum approval_step what = approval_step_parse(view_str(step));
	uint64_t since = number_ref(e, "since");
	if (view_is(e->out, "denied")) {
		on_disowned(one, what, since, ring);
		return;
	}
	if (what == APPROVAL_STEP_NONE || (what != APPROVAL_STEP_OPEN && one->stopped && since != one->stopped))
		return;
	one->was.step = (uint8_t)what;
	one->was.paused = one->paused;
	one->was.ring = -1;
	one->was.since = since;
	memcpy(one->was.name, ring, sizeof ring);
	one->was.said = one->said;
	if (what == APPROVAL_STEP_OPEN) {
		memcpy(one->said.opens, ring, sizeof ring);
		return;
	}
	one->said.since = e->t_us / 1000000;
	for (int i = 0; what == APPROVAL_STEP_UNHOLD && i < ROLLOUT_RINGS_MAX; i++)
		if (strcmp(one->held[i], ring) == 0) {
			one->held[i][0] = '\0';
			one->was.ring = i;
		}
	if (what != APPROVAL_STEP_RESUME)
		return;
	one->paused = false;
	one->said.have_statement = digest_ref(e, "statement.0", one->said.statement);
}

/* It was said, and what people sign from then on is over it, too. */
static void
on_endpoint(struct recount_rollout *one, const struct entry *e)
{
	const struct entry_ref *endpoint = entry_ref_get(e, "endpoint");
	uint8_t name[ROLLOUTS_ENDPOINT_ID];
	if (endpoint && !endpoint->is_number && !rollouts_endpoint_name(endpoint->text, name))
		(void)rollouts_endpoint_add(&one->said.endpoints, name);
}

/* The last ring it opened; a stop stays, until people sign or another release ends it. */
static void
on_rollout(struct recount *r, const struct entry *e)
{
	uint8_t id[MSG_ID];
	struct recount_rollout *one = release_obj(e, id) ? row(r, &r->rollouts, id, sizeof id) : NULL;
	const struct entry_ref *number = entry_ref_get(e, "number");
	if (!one)
		return;
	bool known = number && number->is_number;
	uint64_t ring = known ? number->number : UINT64_MAX;
	if (e->ev != ENTRY_ROLLOUT_RESUMED)
		one->was.step = APPROVAL_STEP_NONE;
	switch (e->ev) {
	case ENTRY_ROLLOUT_PAUSED:
		one->paused = true;
		break;
	case ENTRY_ROLLOUT_HELD:
		if (ring < ROLLOUT_RINGS_MAX)
			ref_text(e, "ring", one->held[ring], sizeof one->held[ring]);
		break;
	case ENTRY_ROLLOUT_RESUMED:
		on_continued(one, e);
		return;
	case ENTRY_ROLLOUT_CLOSED:
		one->closed = true;
		return;
	case ENTRY_ROLLOUT_WATCHED:
		if (ring < ROLLOUT_RINGS_MAX)
			one->said.watched[ring] = (uint32_t)number_ref(e, "watched");
		return;
	case ENTRY_EGRESS_NEW_ENDPOINT:
		on_endpoint(one, e);
		return;
	default:
		if (known) {
			one->said.ring = ring < UINT8_MAX ? (unsigned)ring : 0;
			one->said.since = e->t_us / 1000000;
		}
		return;
	}
	one->stopped = number_ref(e, "since");
	one->said.opens[0] = '\0';
}

static uint64_t
halt_name(const struct entry *e)
{
	const struct entry_ref *name = entry_ref_get(e, "halted_at");
	return name && name->is_number ? name->number : 0;
}

/* Ends the halt it names, and none when it was denied: then one that it ended before stands after all. */
static void
on_resumed(struct recount *r, const struct entry *e)
{
	uint64_t name = halt_name(e);
	if (!view_is(e->obj, "halt"))
		return; /* of the clock, say, is another matter */
	if (view_is(e->out, "denied")) {
		if (name && name == r->ended_at && !r->halted) {
			r->halted = true;
			r->halted_at = name;
		}
	} else if (!name || !r->halted_at || name == r->halted_at) {
		r->halted = false;
		r->ended_at = name;
	}
}

static void
on_signers(struct recount *r, const struct entry *e)
{
	const struct entry_ref *number = entry_ref_get(e, "number");
	uint8_t digest[DIGEST_SHA256_LEN];
	uint64_t n = number && number->is_number ? number->number : 0;
	if (!e->doc.n || digest_sha256(e->doc, digest)) {
		r->sets_broken = true;
		return;
	}
	if (n && n <= r->sets_n && !memcmp(r->set[n - 1], digest, sizeof digest))
		return; /* said twice */
	if (n != r->sets_n + 1u || n > SIGNERS_CHAIN_MAX) {
		r->sets_broken = true;
		return;
	}
	uint8_t (*more)[DIGEST_SHA256_LEN] = reallocarray(r->set, n, sizeof *more);
	r->no_memory |= !more;
	if (!more)
		return;
	r->set = more;
	memcpy(r->set[r->sets_n++], digest, sizeof digest);
}

bool
recount_signers_differ(const struct recount *r, const struct people *p)
{
	size_t n;
	const struct people_past *past = people_history(p, &n); /* genesis first, which audit holds against entry 0 */
	if (r->sets_broken || n != r->sets_n + (size_t)1)
		return true;
	for (uint32_t i = 0; i < r->sets_n; i++)
		if (memcmp(past[i + 1].digest, r->set[i], DIGEST_SHA256_LEN) != 0)
			return true;
	return false;
}

/* Whole: what people say fits an entry, and a file goes by its digest. */
static void
on_remark(struct recount *r, const struct entry *e, uint64_t at)
{
	uint64_t id, place = at % RECOUNT_REMARKS_MAX;
	struct recount_remark *one = db_candidate_review_parse(e->obj, &id) ? row(r, &r->remarks, &place, sizeof place) : NULL;
	const struct entry_ref *size = entry_ref_get(e, "size");
	if (!one)
		return;
	struct db_remark *d = &one->d;
	*d = (struct db_remark){ .candidate = id, .at = e->t_us / 1000000, .size = size && size->is_number ? size->number : 0 };
	to_text(e->act, d->who, sizeof d->who);
	to_text(e->msg, d->text, sizeof d->text);
	ref_text(e, "name", d->name, sizeof d->name);
	d->have_file = digest_ref(e, "file", d->sha256);
}

/* ---- entries ---- */

static const enum entry_event wanted[] = { ENTRY_REVIEW_OPENED, ENTRY_APPROVAL_SIGNED, ENTRY_APPROVAL_REJECTED,
	ENTRY_APPROVAL_EXPIRED, ENTRY_APPROVAL_OUTDATED, ENTRY_APPROVAL_REVOKED, ENTRY_RELEASE_ISSUED, ENTRY_RELEASE_REFUSED,
	ENTRY_IMAGE_RETIRED, ENTRY_REFUSAL_ADDED, ENTRY_REFUSAL_LIFTED, ENTRY_WAIVER_ADDED, ENTRY_WAIVER_LIFTED,
	ENTRY_REVIEW_REMARKED, ENTRY_STANDING_REVOKED,
	ENTRY_RESTRICT_HALT, ENTRY_RESTRICT_RESUME,
	ENTRY_ROLLOUT_CREATED, ENTRY_ROLLOUT_PAUSED, ENTRY_ROLLOUT_PROMOTED, ENTRY_ROLLOUT_CLOSED, ENTRY_ROLLOUT_HELD,
	ENTRY_ROLLOUT_RESUMED, ENTRY_ROLLOUT_WATCHED, ENTRY_EGRESS_NEW_ENDPOINT,
	ENTRY_CONFIG_CHANGED, ENTRY_DEVICE_ERASED, ENTRY_AUTHZ_KEY_SUSPENDED, ENTRY_AUTHORITY_SIGNERS, ENTRY_STATE_DIFFERS };

/* A signer set takes away from those who are not in it, a change of configuration may hold a module. */
static const enum entry_event restricting[] = { ENTRY_APPROVAL_REJECTED, ENTRY_APPROVAL_EXPIRED, ENTRY_APPROVAL_OUTDATED,
	ENTRY_APPROVAL_REVOKED, ENTRY_RELEASE_REFUSED, ENTRY_IMAGE_RETIRED, ENTRY_RESTRICT_HALT, ENTRY_CONFIG_CHANGED,
	ENTRY_AUTHZ_KEY_SUSPENDED, ENTRY_AUTHORITY_SIGNERS, ENTRY_REFUSAL_ADDED, ENTRY_WAIVER_LIFTED, ENTRY_ROLLOUT_PAUSED,
	ENTRY_ROLLOUT_HELD, ENTRY_STANDING_REVOKED };

static bool
is_one_of(struct view event, const enum entry_event *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (view_is(event, entry_event_name(list[i])))
			return true;
	return false;
}

bool
recount_wants(struct view event)
{
	return is_one_of(event, wanted, sizeof wanted / sizeof wanted[0]);
}

bool
recount_restricts(struct view event)
{
	return is_one_of(event, restricting, sizeof restricting / sizeof restricting[0]);
}

void
recount_skip(struct recount *r)
{
	r->skipped++;
}

int
recount_take(struct recount *r, uint64_t index, const struct entry *e)
{
	const uint64_t at = index + 1;
	struct recount_review *v;
	struct recount_release *one;
	switch (e->ev) {
	case ENTRY_REVIEW_OPENED:
		on_opened(r, e, at);
		break;
	case ENTRY_APPROVAL_SIGNED:
		on_signed(r, e, at);
		break;
	case ENTRY_APPROVAL_REJECTED:
		if ((v = review(r, e->obj))) {
			v->rejected = at;
			(void)digest_ref(e, "image", v->image);
		}
		restricted(r, e, at, true);
		break;
	case ENTRY_APPROVAL_EXPIRED:
	case ENTRY_APPROVAL_OUTDATED:
		if ((v = review(r, e->obj)))
			v->closed = at;
		break;
	case ENTRY_APPROVAL_REVOKED:
		if ((one = release(r, e)) && !one->revoked)
			one->revoked = at;
		restricted(r, e, at, false);
		break;
	case ENTRY_STANDING_REVOKED:
		restricted(r, e, at, false);
		break;
	case ENTRY_RELEASE_ISSUED:
		on_issued(r, e, at);
		break;
	case ENTRY_RELEASE_REFUSED:
		if ((one = release(r, e)))
			one->refused = at;
		break;
	case ENTRY_IMAGE_RETIRED:
		on_retired(r, e, at);
		break;
	case ENTRY_ROLLOUT_CREATED:
	case ENTRY_ROLLOUT_PAUSED:
	case ENTRY_ROLLOUT_PROMOTED:
	case ENTRY_ROLLOUT_CLOSED:
	case ENTRY_ROLLOUT_HELD:
	case ENTRY_ROLLOUT_RESUMED:
	case ENTRY_ROLLOUT_WATCHED:
	case ENTRY_EGRESS_NEW_ENDPOINT:
		on_rollout(r, e);
		break;
	case ENTRY_RESTRICT_HALT:
		r->halted = true;
		r->halted_at = halt_name(e);
		break;
	case ENTRY_RESTRICT_RESUME:
		on_resumed(r, e);
		break;
	case ENTRY_REFUSAL_ADDED:
	case ENTRY_REFUSAL_LIFTED:
		on_refusal(r, e);
		break;
	case ENTRY_WAIVER_ADDED:
	case ENTRY_WAIVER_LIFTED:
		on_waiver(r, e);
		break;
	case ENTRY_REVIEW_REMARKED:
		on_remark(r, e, at);
		break;
	case ENTRY_CONFIG_CHANGED:
		on_changed(r, e, at);
		break;
	case ENTRY_DEVICE_ERASED:
		r->erased = at;
		break;
	case ENTRY_AUTHZ_KEY_SUSPENDED:
		on_suspended(r, e);
		break;
	case ENTRY_AUTHORITY_SIGNERS:
		on_signers(r, e);
		break;
	case ENTRY_STATE_DIFFERS:
		on_named(r, e);
		break;
	default:
		break;
	}
	return r->no_memory ? FG_ENOMEM : FG_OK;
}
