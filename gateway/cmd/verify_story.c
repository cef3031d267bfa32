/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/cmd/verify_glass.h"
#include "gateway/cmd/verify_standing.h"

#define STORY_RELEASES_MAX 65536

struct stopped { /* by a halt, or a hold of the clock */
	int64_t us;                /* 0: not */
	uint64_t releases, grants; /* since */
};

struct walk {
	struct verify_log *l;
	struct verify_story *sum;
	struct verify_judge judge;
	struct verify_index *granted; /* module and release -> index of the grant */
	struct verify_index *newest;  /* image -> number of its last release */
	struct verify_index *led_to;  /* the same by what modules have after it */
	struct verify_index *used;    /* statement -> number of the release that was granted on it */
	int64_t last_us;              /* of the last entry that could be read */
	struct stopped halted;
	struct stopped held; /* by a clock that stepped */
	uint64_t hold;       /* name of the last such hold, which people sign for; 0: it has none */
	uint64_t halted_at;  /* name of the last halt; 0: it has none */
	struct ended {
		uint64_t at; /* name of what the last resume ended; 0: none */
		struct stopped was;
	} ended[2];          /* of a halt, of the clock */
};

/* ---- what stops ---- */

/* Again is no new moment of grace. */
static void
stop_all(struct stopped *s, int64_t t_us)
{
	if (!s->us)
		*s = (struct stopped){ .us = t_us };
}

/* What comes now was not on its way any more when that stopped it; n: how many came since, with this. */
static bool
is_late(int64_t stopped_us, int64_t t_us, uint64_t n, uint64_t most)
{
	return stopped_us && (t_us > stopped_us + VERIFY_JUDGE_ON_ITS_WAY_US || n > most);
}

/* ---- releases ---- */

static void
key_of(const uint8_t first[RELEASE_ID], const uint8_t second[RELEASE_ID], uint8_t key[VERIFY_INDEX_KEY])
{
	memcpy(key, first, RELEASE_ID);
	memcpy(key + RELEASE_ID, second, RELEASE_ID);
}

struct verify_release *
verify_story_find(const struct verify_story *s, const uint8_t id[RELEASE_ID])
{
	uint8_t key[VERIFY_INDEX_KEY];
	uint64_t number;
	key_of(id, (const uint8_t[RELEASE_ID]){ 0 }, key);
	return verify_index_get(s->by_id, key, &number) ? &s->release[number] : NULL;
}

static struct verify_release *
named(const struct walk *w, const struct verify_fact *f)
{
	return f->have_release ? verify_story_find(w->sum, f->release) : NULL;
}

static int
drop(const struct verify_release *r, int err)
{
	free(r->record);
	return err;
}

/* Takes the record over, also when it fails. */
static int
add_release(struct walk *w, const struct verify_release *r)
{
	struct verify_story *s = w->sum;
	uint8_t key[VERIFY_INDEX_KEY];
	bool fresh;
	if (s->release_n == s->release_cap) {
		uint32_t cap = s->release_cap ? s->release_cap * 2 : 64;
		struct verify_release *more = cap > STORY_RELEASES_MAX ? NULL : reallocarray(s->release, cap, sizeof *more);
		if (!more)
			return drop(r, cap > STORY_RELEASES_MAX ? FG_ELIMIT : FG_ENOMEM);
		s->release = more;
		s->release_cap = cap;
	}
	key_of(r->id, (const uint8_t[RELEASE_ID]){ 0 }, key);
	int err = verify_index_add(s->by_id, key, s->release_n, &fresh);
	if (err)
		return drop(r, err);
	if (!fresh)
		verify_log_problem(w->l, "entry %llu: a release is issued twice", (unsigned long long)r->at);
	const uint8_t *image = r->record->terms.image;
	uint64_t before;
	s->release[s->release_n] = *r;
	s->release[s->release_n].before = verify_index_get(w->newest, image, &before) ? (uint32_t)before + 1 : 0;
	const uint8_t *result = approval_result(image, &r->record->terms.delta);
	s->release[s->release_n].before_result = verify_index_get(w->led_to, result, &before) ? (uint32_t)before + 1 : 0;
	s->releases++;
	/* From here on the record is the story's: what fails now ends all. */
	uint32_t number = s->release_n++;
	err = verify_index_put(w->led_to, result, number);
	return err ? err : verify_index_put(w->newest, image, number);
}

/* What the warden took from control on trust, and wrote down: how many were asked for, and whose wish it was. */
static void
check_asked(struct walk *w, const struct entry *e, const struct verify_release *r)
{
	static const char prefix[] = "requester.";
	const struct entry_ref *asked = entry_ref_get(e, "quorum.asked");
	unsigned long long at = r->at;
	if (asked && (!asked->is_number || (!r->record->glass && asked->number > r->record->quorum)))
		verify_log_problem(w->l, "entry %llu: released with fewer persons than were asked for", at);
	for (unsigned i = 0; i < e->refs; i++) {
		if (e->ref[i].key.n < sizeof prefix || memcmp(e->ref[i].key.p, prefix, sizeof prefix - 1))
			continue;
		for (uint32_t k = 0; k < r->record->statements_n; k++) {
			if (view_is(e->ref[i].text, r->record->statement[k].approver))
				verify_log_problem(w->l, "entry %llu: %s wished for it and counts as who approved it", at,
				    r->record->statement[k].approver);
		}
	}
}

static int
on_issued(struct walk *w, const struct verify_fact *f, const struct entry *e, uint64_t at)
{
	struct verify_release r = { .at = at, .t_us = f->t_us, .record = calloc(1, sizeof *r.record) };
	char why[160] = "";
	uint8_t id[RELEASE_ID];
	if (!r.record)
		return FG_ENOMEM;
	memcpy(r.id, f->release, sizeof r.id);
	if (is_late(w->held.us, f->t_us, ++w->held.releases, VERIFY_JUDGE_RELEASES_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: released while the clock was held", (unsigned long long)at);
	if (!f->have_release || release_id(e->doc, id) || memcmp(id, r.id, sizeof id) ||
	    release_parse(e->doc, r.record, why, sizeof why)) {
		verify_log_problem(w->l, "entry %llu: release record does not hold: %s", (unsigned long long)at,
		    why[0] ? why : "it is not the one its name says");
		free(r.record);
		return FG_OK;
	}
	if (r.record->glass && is_late(w->halted.us, f->t_us, ++w->halted.releases, VERIFY_JUDGE_RELEASES_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: one person alone let it through while the gateway was halted",
		    (unsigned long long)at);
	if (r.record->glass && w->halted.us)
		r.revoked_us = w->halted.us; /* it was on its way: the halt is its end as well */
	check_asked(w, e, &r);
	verify_policy_release(&w->sum->policy, w->l, &r);
	int err = verify_judge_release(&w->judge, &r);
	for (uint32_t i = 0; !err && i < r.record->statements_n; i++)
		err = verify_index_put(w->sum->signatures, r.record->statement[i].signature, at);
	return err ? drop(&r, err) : add_release(w, &r);
}

/* The warden's own word that a release of the log never took effect. */
static void
on_refused(struct walk *w, const struct verify_fact *f, uint64_t at)
{
	struct verify_release *r = named(w, f);
	if (!r)
		return;
	if (r->granted)
		verify_log_problem(w->l, "entry %llu: taken back after it was granted", (unsigned long long)at);
	r->taken_back = true;
}

/* The first time counts: saying it again gives no new moment of grace. */
static void
stop(struct verify_release *r, int64_t t_us)
{
	if (!r->revoked_us)
		r->revoked_us = t_us;
}

/* Each release once, however often its image is revoked. */
static void
stop_image(struct walk *w, const uint8_t image[DIGEST_SHA256_LEN], int64_t t_us)
{
	uint64_t newest;
	uint32_t k = verify_index_get(w->newest, image, &newest) ? (uint32_t)newest + 1 : 0;
	for (; k && !w->sum->release[k - 1].image_revoked; k = w->sum->release[k - 1].before) {
		w->sum->release[k - 1].image_revoked = true;
		stop(&w->sum->release[k - 1], t_us);
	}
}

/* obj names the release, or the image and with it every release of it. */
static int
on_revoked(struct walk *w, const struct verify_fact *f, const struct entry *e, uint64_t at)
{
	uint8_t image[DIGEST_SHA256_LEN];
	const struct entry_ref *ref = entry_ref_get(e, "image");
	struct verify_release *one = named(w, f);
	bool have_image = entry_sha256(ref ? ref->text : e->obj, image);
	w->sum->revoked++;
	if (one) {
		stop(one, e->t_us);
		return verify_judge_revoked(&w->judge, one->record->terms.image, at);
	}
	if (have_image)
		stop_image(w, image, e->t_us);
	return have_image ? verify_judge_revoked(&w->judge, image, at) : FG_OK;
}

/* Before its time, if it names the image; one that ran out, or bytes that were removed, ends nothing more. */
static int
on_retired(struct walk *w, const struct verify_fact *f, const struct entry *e, uint64_t at)
{
	struct verify_release *one = named(w, f);
	if (!one || !entry_ref_get(e, "image"))
		return FG_OK;
	stop(one, e->t_us);
	return verify_judge_revoked(&w->judge, one->record->terms.image, at);
}

/* It ends what was signed for the image before, by whatever review. */
static int
on_rejected(struct walk *w, const struct entry *e, uint64_t at)
{
	uint8_t image[DIGEST_SHA256_LEN];
	const struct entry_ref *ref = entry_ref_get(e, "image");
	return ref && entry_sha256(ref->text, image) ? verify_judge_revoked(&w->judge, image, at) : FG_OK;
}

/* ---- granted within released, served within granted ---- */

/* A statement counts once: no two releases that were granted may rest on the same one. */
static int
use_statements(struct walk *w, const struct verify_release *r)
{
	uint32_t number = (uint32_t)(r - w->sum->release);
	/* A standing one counts as often as it says: verify_standing.h. */
	for (uint32_t i = 0; !r->record->by_standing && i < r->record->statements_n; i++) {
		const uint8_t *statement = r->record->statement[i].statement;
		uint64_t before = number;
		bool fresh;
		int err = verify_index_add(w->used, statement, number, &fresh);
		if (err)
			return err;
		if (!fresh && verify_index_get(w->used, statement, &before) && before != number)
			verify_log_problem(w->l, "entry %llu: rests on a statement that entry %llu used up",
			    (unsigned long long)r->at, (unsigned long long)w->sum->release[before].at);
	}
	return FG_OK;
}

static void
check_grant_time(struct walk *w, struct verify_release *r, const struct verify_fact *f, unsigned long long at)
{
	const struct approval_terms *terms = &r->record->terms;
	int64_t from = terms->not_before * 1000000, until = terms->not_after * 1000000;
	if (r->taken_back)
		verify_log_problem(w->l, "entry %llu: a grant of a release that never took effect", at);
	if (is_late(r->revoked_us, f->t_us, r->revoked_us ? ++r->late : 0, VERIFY_JUDGE_GRANTS_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: a grant after the release was revoked", at);
	if (is_late(r->paused_us, f->t_us, r->paused_us ? ++r->late_paused : 0, VERIFY_JUDGE_GRANTS_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: a grant while the rollout was paused", at);
	if (is_late(w->halted.us, f->t_us, ++w->halted.grants, VERIFY_JUDGE_GRANTS_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: a grant while the gateway was halted", at);
	if (is_late(w->held.us, f->t_us, ++w->held.grants, VERIFY_JUDGE_GRANTS_ON_THEIR_WAY))
		verify_log_problem(w->l, "entry %llu: a grant while the clock was held", at);
	if (!verify_glass_waited(r, f->t_us))
		verify_log_problem(w->l, "entry %llu: a grant before the veto delay was over", at);
	if (f->t_us < from || f->t_us >= until + VERIFY_JUDGE_ON_ITS_WAY_US)
		verify_log_problem(w->l, "entry %llu: a grant outside the time that was signed for", at);
}

static int
on_grant(struct walk *w, const struct verify_fact *f, uint64_t at)
{
	struct verify_release *r = named(w, f);
	uint8_t key[VERIFY_INDEX_KEY];
	bool fresh;
	if (!r || !f->have_dev) {
		verify_log_problem(w->l, "entry %llu: a grant for what was never released", (unsigned long long)at);
		return FG_OK;
	}
	check_grant_time(w, r, f, at);
	key_of(f->dev, f->release, key);
	int err = verify_index_add(w->granted, key, at, &fresh);
	if (err || !fresh)
		return err;
	w->sum->grants++;
	if (!r->granted++)
		err = use_statements(w, r);
	if (r->granted > r->record->terms.max_devices)
		verify_log_problem(w->l, "entry %llu: more modules than were signed for", (unsigned long long)at);
	return err;
}

/* To the end or not: no byte goes out without a grant. */
static void
on_served(struct walk *w, const struct verify_fact *f, uint64_t at)
{
	uint8_t key[VERIFY_INDEX_KEY];
	uint64_t grant;
	key_of(f->dev, f->release, key);
	if (!f->have_dev || !named(w, f) || !verify_index_get(w->granted, key, &grant))
		verify_log_problem(w->l, "entry %llu: served without a grant", (unsigned long long)at);
	w->sum->served += f->ev == ENTRY_DEVICE_SERVED;
}

/* What ended around then may have ended first: restrictions are logged after their effect. */
static bool
had_ended(const struct verify_release *r, int64_t issued)
{
	return r->taken_back || r->record->terms.not_after <= issued ||
	    (r->revoked_us && r->revoked_us < issued * 1000000 + VERIFY_JUDGE_ON_ITS_WAY_US);
}

static bool
are_too_few(const struct genesis *g, const struct verify_release *one, uint64_t modules)
{
	return verify_glass_too_few(g, one, modules);
}

/* Modules of the one numbered k - 1, if it was in force when one was issued; of_other: unless it is of the same image. */
static uint64_t
modules_then(const struct verify_story *s, uint32_t k, const struct verify_release *one, bool of_other)
{
	const struct verify_release *r = &s->release[k - 1];
	bool counted = of_other && !memcmp(r->record->terms.image, one->record->terms.image, DIGEST_SHA256_LEN);
	return counted || had_ended(r, one->record->issued) ? 0 : r->record->terms.max_devices;
}

/*
 * Small scopes of one image in force together, or of deltas that all make one image, are one large scope: the last
 * of them needs the persons of that. Only these are looked at, and no more than it takes to tell.
 */
static void
check_sums(struct verify_log *l, const struct genesis *g, const struct verify_story *s)
{
	for (uint32_t i = 0; i < s->release_n; i++) {
		const struct verify_release *one = &s->release[i];
		uint64_t modules = one->record->terms.max_devices;
		if (one->taken_back || !are_too_few(g, one, UINT32_MAX))
			continue;
		for (uint32_t k = one->before; k && !are_too_few(g, one, modules); k = s->release[k - 1].before)
			modules += modules_then(s, k, one, false);
		for (uint32_t k = one->before_result; k && !are_too_few(g, one, modules); k = s->release[k - 1].before_result)
			modules += modules_then(s, k, one, true);
		if (are_too_few(g, one, modules))
			verify_log_problem(l, "entry %llu: with the image's other releases it is for more modules than so few "
			    "persons, or people in browsers alone, can release", (unsigned long long)one->at);
	}
}

/* ---- the walk ---- */

static uint64_t
halt_name(const struct entry *e)
{
	const struct entry_ref *name = entry_ref_get(e, "halted_at");
	return name && name->is_number ? name->number : 0;
}

/* As the warden names it when the hold begins, and when the clock came back by itself. */
static uint64_t
hold_name(const struct entry *e)
{
	const struct entry_ref *hold = entry_ref_get(e, "hold");
	int64_t name;
	return hold && !hold->is_number && stamp_parse(hold->text, &name) && name > 0 ? (uint64_t)name : 0;
}

static bool
came_back(const struct walk *w, const struct entry *e)
{
	uint64_t name = hold_name(e);
	return !entry_ref_get(e, "signed_by") && name && (!w->hold || name == w->hold);
}

/* It is a veto as well: what one person had let through alone by then does not come back with the end of it. */
static void
on_halted(struct walk *w, const struct verify_fact *f, const struct entry *e)
{
	stop_all(&w->halted, f->t_us);
	w->halted_at = halt_name(e);
	for (uint32_t i = 0; i < w->sum->release_n; i++)
		if (w->sum->release[i].record->glass)
			stop(&w->sum->release[i], f->t_us);
}

/* The end of the halt that it names, or of the hold. One that was denied ends nothing: what it had ended stands. */
static int
on_resumed(struct walk *w, const struct entry *e, uint64_t at)
{
	bool clock = view_is(e->obj, "clock");
	struct stopped *now = clock ? &w->held : &w->halted;
	struct ended *ended = &w->ended[clock];
	uint64_t name = halt_name(e), stands = clock ? w->hold : w->halted_at;
	if (!clock && !view_is(e->obj, "halt"))
		return FG_OK;
	if (view_is(e->out, "denied")) {
		if (name && name == ended->at && !now->us)
			*now = ended->was;
		return FG_OK;
	}
	if (name && stands && name != stands)
		return FG_OK; /* a later one stands */
	if (now->us)
		*ended = (struct ended){ name, *now };
	*now = (struct stopped){ 0 };
	/* The warden names the hold when the clock came back by itself; else people have said it is right. */
	if (!clock || !came_back(w, e))
		return verify_judge_resumed(&w->judge, clock, name ? name : stands, at);
	verify_judge_forget(&w->judge, true);
	return FG_OK;
}

/* One stop has one name; again is no new moment of grace. */
static void
on_stopped(struct walk *w, const struct verify_fact *f, const struct entry *e)
{
	struct verify_release *r = named(w, f);
	const struct entry_ref *name = entry_ref_get(e, "since");
	if (!r)
		return;
	r->stopped = name && name->is_number ? name->number : 0;
	if (e->ev == ENTRY_ROLLOUT_PAUSED && !r->paused_us)
		r->paused_us = f->t_us;
}

static int
on_continued(struct walk *w, const struct verify_fact *f, const struct entry *e, uint64_t at)
{
	struct verify_release *r = named(w, f);
	const struct entry_ref *step = entry_ref_get(e, "step");
	bool resumes = step && view_is(step->text, approval_step_name(APPROVAL_STEP_RESUME));
	/* What was written before had no effect: it stands as it stood. */
	if (view_is(e->out, "denied")) {
		if (r && resumes && !r->paused_us)
			r->paused_us = r->was_us;
		return FG_OK;
	}
	int err = verify_judge_continued(&w->judge, r, e, r ? r->stopped : 0, at);
	if (r && resumes) {
		r->was_us = r->paused_us;
		r->paused_us = 0;
	}
	return err;
}

/* Too many to be written one by one: whose downloads they were is not in the log. */
static void
on_flood(struct walk *w, const struct entry *e)
{
	const struct entry_ref *what = entry_ref_get(e, "event"), *count = entry_ref_get(e, "count");
	bool download = what && (view_is(what->text, entry_event_name(ENTRY_DEVICE_SERVED)) ||
	    view_is(what->text, entry_event_name(ENTRY_DEVICE_FAILED)));
	if (download)
		w->sum->only_counted += count && count->is_number ? count->number : 1;
}

static int
on_signed(struct walk *w, const struct entry *e, uint64_t at)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	const struct entry_ref *ref = entry_ref_get(e, "signature");
	int err = ref && entry_sha256(ref->text, digest) ? verify_index_put(w->sum->signatures, digest, at) : FG_OK;
	return err ? err : verify_judge_signed(&w->judge, e);
}

/* Texts that went away with the log; which is which, their bytes say. */
static int
on_exported(struct walk *w, const struct entry *e, uint64_t at)
{
	static const char prefix[] = "text.";
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = FG_OK;
	for (unsigned i = 0; !err && i < e->refs; i++) {
		struct view key = e->ref[i].key;
		if (key.n > sizeof prefix - 1 && !memcmp(key.p, prefix, sizeof prefix - 1) &&
		    entry_sha256(e->ref[i].text, digest))
			err = verify_index_put(w->sum->texts, digest, at);
	}
	return err;
}

/* What is rare enough to be read whole. */
static int
on_entry(struct walk *w, const struct verify_fact *f, const struct entry *e, uint64_t at)
{
	switch (e->ev) {
	case ENTRY_AUTHORITY_GENESIS:
		if (at)
			verify_log_problem(w->l, "entry %llu: a second genesis", (unsigned long long)at);
		return FG_OK;
	case ENTRY_LOG_FLOOD:
		on_flood(w, e);
		return FG_OK;
	case ENTRY_LOG_EXPORTED:
		return on_exported(w, e, at);
	case ENTRY_AUTHZ_KEY_SUSPENDED:
		return verify_judge_suspended(&w->judge, e, at);
	case ENTRY_AUTHORITY_SIGNERS:
		return verify_judge_set(&w->judge, e, at);
	case ENTRY_AUTHORITY_POLICY:
		return verify_policy_enacted(&w->sum->policy, &w->judge, e, at);
	case ENTRY_REVIEW_OPENED:
	case ENTRY_STANDING_PROPOSED:
		return verify_judge_opened(&w->judge, e, at);
	case ENTRY_STANDING_REVOKED:
		return verify_standing_revoked(&w->judge, e, at);
	case ENTRY_APPROVAL_SIGNED:
	case ENTRY_STANDING_SIGNED:
		return on_signed(w, e, at);
	case ENTRY_APPROVAL_REVOKED:
		return on_revoked(w, f, e, at);
	case ENTRY_IMAGE_RETIRED:
		return on_retired(w, f, e, at);
	case ENTRY_APPROVAL_REJECTED:
		return on_rejected(w, e, at);
	case ENTRY_RELEASE_ISSUED:
		return on_issued(w, f, e, at);
	case ENTRY_APPROVAL_BREAKGLASS:
		verify_glass_said(&w->judge, e);
		return FG_OK;
	case ENTRY_APPROVAL_AFTERREVIEW:
		return verify_glass_reviewed(&w->judge, named(w, f), e, at);
	case ENTRY_RESTRICT_HALT:
		on_halted(w, f, e);
		return FG_OK;
	case ENTRY_RESTRICT_RESUME:
		return on_resumed(w, e, at);
	case ENTRY_ROLLOUT_PAUSED:
	case ENTRY_ROLLOUT_HELD:
		on_stopped(w, f, e);
		return FG_OK;
	case ENTRY_ROLLOUT_RESUMED:
		return on_continued(w, f, e, at);
	case ENTRY_CLOCK_STEPPED:
		if (view_is(e->obj, "clock")) {
			stop_all(&w->held, f->t_us);
			w->hold = hold_name(e);
		}
		return FG_OK;
	default:
		return FG_OK;
	}
}

static int
read_entry(struct walk *w, const struct verify_fact *f, uint64_t at)
{
	struct json *doc = NULL;
	struct entry e;
	const char *why = "";
	int err = entry_parse(verify_log_line(w->l, at), &doc, &e, &why);
	if (err == FG_ENOMEM)
		return err;
	if (err) {
		verify_log_problem(w->l, "entry %llu: %s", (unsigned long long)at, why);
		return FG_OK;
	}
	err = on_entry(w, f, &e, at);
	json_free(doc);
	return err;
}

/* Audit stamps no entry before the one in front of it, whatever its clock does: all that follows judges by these times. */
static void
check_time(struct walk *w, const struct verify_fact *f, uint64_t at)
{
	if (!f->readable)
		return;
	if (f->t_us < w->last_us)
		verify_log_problem(w->l, "entry %llu: time goes back, which audit never lets it", (unsigned long long)at);
	w->last_us = f->t_us;
}

static int
on_fact(struct walk *w, uint64_t at)
{
	const struct verify_fact *f = &w->l->fact[at];
	check_time(w, f, at);
	if (f->other_seq)
		verify_log_problem(w->l, "entry %llu calls itself another", (unsigned long long)at);
	switch (f->ev) {
	case ENTRY_DEVICE_GRANT:
		return on_grant(w, f, at);
	case ENTRY_DEVICE_SERVED:
	case ENTRY_DEVICE_FAILED:
		on_served(w, f, at);
		return FG_OK;
	case ENTRY_RELEASE_REFUSED:
		on_refused(w, f, at);
		return FG_OK;
	case ENTRY_DEVICE_SEEN:
	case ENTRY_DEVICE_RESULT:
	case ENTRY_MODULE_SIGHTING:
		return FG_OK;
	default:
		return read_entry(w, f, at);
	}
}

/* Entry 0 is the genesis that the export shows. */
static int
check_first(struct walk *w, const struct verify_signers *s)
{
	struct json *doc = NULL;
	struct entry e;
	uint8_t digest[DIGEST_SHA256_LEN];
	bool good = false;
	int err = w->l->n ? entry_parse(verify_log_line(w->l, 0), &doc, &e, NULL) : FG_EFORMAT;
	if (err == FG_ENOMEM)
		return err;
	if (!err) {
		int rc = digest_sha256(e.doc, digest);
		good = !rc && e.ev == ENTRY_AUTHORITY_GENESIS && !memcmp(digest, s->digest, sizeof digest);
		json_free(doc);
	}
	if (!good)
		verify_log_problem(w->l, "entry 0 does not hold the genesis");
	return FG_OK;
}

static size_t
count_grants(const struct verify_log *l)
{
	size_t n = 0;
	for (uint64_t i = 0; i < l->n; i++)
		n += l->fact[i].ev == ENTRY_DEVICE_GRANT;
	return n;
}

int
verify_story_walk(struct verify_log *l, const struct verify_signers *s, struct verify_story *ret)
{
	struct walk w = { .l = l, .sum = ret, .last_us = INT64_MIN };
	*ret = (struct verify_story){ .by_id = verify_index_new(0), .signatures = verify_index_new(0),
		.texts = verify_index_new(0) };
	w.granted = verify_index_new(count_grants(l));
	w.used = verify_index_new(0);
	w.newest = verify_index_new(0);
	w.led_to = verify_index_new(0);
	int err = verify_judge_init(&w.judge, l, s);
	if (!err)
		err = verify_policy_init(&ret->policy, l, s);
	if (!err && (!ret->by_id || !ret->signatures || !ret->texts || !w.granted || !w.used || !w.newest || !w.led_to))
		err = FG_ENOMEM;
	if (!err)
		err = check_first(&w, s);
	for (uint64_t i = 0; !err && i < l->n; i++)
		err = on_fact(&w, i);
	if (!err)
		check_sums(l, &s->genesis, ret);
	if (!err && w.judge.set < s->later_n)
		verify_log_problem(l, "signers/%u.json: the log never put it in force", w.judge.set + 1);
	ret->statements = w.judge.statements;
	verify_judge_free(&w.judge);
	verify_index_free(w.granted);
	verify_index_free(w.used);
	verify_index_free(w.newest);
	verify_index_free(w.led_to);
	return err;
}

void
verify_story_free(struct verify_story *s)
{
	for (uint32_t i = 0; i < s->release_n; i++)
		free(s->release[i].record);
	free(s->release);
	verify_index_free(s->by_id);
	verify_index_free(s->signatures);
	verify_index_free(s->texts);
	verify_policy_free(&s->policy);
	*s = (struct verify_story){ 0 };
}
