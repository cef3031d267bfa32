/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "gateway/cmd/verify_file.h"

#define STORY_RELEASES_MAX 65536
/*
 * What stops takes effect first and is logged after, so a grant that was on its
 * way may stand behind the entry that stopped it. Later than this it may not.
 */
#define STORY_ON_ITS_WAY_US (10 * 1000000)

struct told { /* one release the log issued */
	uint8_t id[RELEASE_ID];
	struct release *record;
	uint64_t at;         /* index of its entry */
	bool taken_back;          /* the warden took it back: never in effect */
	int64_t revoked_us;  /* 0: not */
	uint64_t granted;    /* distinct modules */
};

struct revoked { /* an image: statements older than that have no effect any more */
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t at;
};

struct grant {
	uint8_t module[ENTRY_DEV_LEN];
	uint32_t release;    /* index into told */
	bool used;
};

struct walk {
	struct verify_log *l;
	const struct verify_signers *signers;
	struct verify_story *sum;
	struct told *told;
	uint32_t told_n;
	struct grant *grant; /* open addressing, cap a power of two */
	size_t grant_cap;
	struct revoked *revoked;
	uint32_t revoked_n;
	int64_t halted_us;   /* 0: not */
	uint64_t index;      /* of the entry being looked at */
};

/* ---- helpers ---- */

static const struct entry_ref *
ref(const struct entry *e, const char *key)
{
	for (unsigned i = 0; i < e->refs; i++) {
		if (view_is(e->ref[i].key, key))
			return &e->ref[i];
	}
	return NULL;
}

static bool
release_named(struct view obj, uint8_t id[RELEASE_ID])
{
	static const char prefix[] = "release:";
	size_t n = sizeof prefix - 1;
	return obj.n == n + 2 * RELEASE_ID && !memcmp(obj.p, prefix, n) &&
	    hex_decode(view_of(obj.p + n, 2 * RELEASE_ID), id, RELEASE_ID);
}

static struct told *
find_told(const struct walk *w, const uint8_t id[RELEASE_ID])
{
	for (uint32_t i = w->told_n; i-- > 0;) {
		if (!memcmp(w->told[i].id, id, RELEASE_ID))
			return &w->told[i];
	}
	return NULL;
}

static struct grant *
place(const struct walk *w, const uint8_t module[ENTRY_DEV_LEN], uint32_t release)
{
	uint64_t h;
	memcpy(&h, module, sizeof h);
	size_t i = (size_t)(h ^ release * 0x9e3779b97f4a7c15ull) & (w->grant_cap - 1);
	while (w->grant[i].used &&
	    (w->grant[i].release != release || memcmp(w->grant[i].module, module, ENTRY_DEV_LEN)))
		i = (i + 1) & (w->grant_cap - 1);
	return &w->grant[i];
}

/* ---- released within signed ---- */

/* Index of the last revocation of that image so far; 0 without one. */
static uint64_t
newer_than(const struct walk *w, const uint8_t image[DIGEST_SHA256_LEN])
{
	for (uint32_t i = w->revoked_n; i-- > 0;) {
		if (!memcmp(w->revoked[i].image, image, DIGEST_SHA256_LEN))
			return w->revoked[i].at;
	}
	return 0;
}

struct signed_statement {
	struct view text, sig;
	struct approval *said; /* owned */
};

static void
statement_free(struct signed_statement *s)
{
	verify_file_free(s->text);
	verify_file_free(s->sig);
	free(s->said);
}

/* Both files, the bytes the record names. NULL, or what is wrong. */
static const char *
read_statement(struct walk *w, const struct release_statement *s, struct signed_statement *ret, char *why, size_t cap)
{
	char name[128], hex[DIGEST_HEX_LEN + 1];
	uint8_t digest[DIGEST_SHA256_LEN];
	hex_encode(s->statement, sizeof s->statement, hex);
	snprintf(name, sizeof name, "statements/%s.json", hex);
	if (verify_file_read(w->l->dir, name, APPROVAL_BYTES_MAX, &ret->text))
		return "a statement it rests on is not in the export";
	snprintf(name, sizeof name, "statements/%s.sig", hex);
	if (verify_file_read(w->l->dir, name, SSHSIG_ARMOR_MAX, &ret->sig))
		return "a signature it rests on is not in the export";
	if (digest_sha256(ret->text, digest) || memcmp(digest, s->statement, sizeof digest))
		return "a statement's bytes are not those of the record";
	if (digest_sha256(ret->sig, digest) || memcmp(digest, s->signature, sizeof digest))
		return "a signature's bytes are not those of the record";
	return approval_parse(ret->text, ret->said, why, cap) ? why : NULL;
}

/* What it says: the record's terms, its person, a state of this log, in time. */
static const char *
judge_statement(struct walk *w, const struct told *t, const struct release_statement *s, const struct approval *a,
    char *why, size_t cap)
{
	uint8_t root[MERKLE_HASH_LEN];
	if (approval_terms_differ(&a->terms, &t->record->terms))
		return "a statement is about something else than the record";
	if (strcmp(a->approver, s->approver) || strcmp(a->terms.gateway, w->signers->genesis.origin))
		return "a statement names another person or gateway";
	if (a->log_size > t->at || verify_log_root(w->l, a->log_size, root) || memcmp(a->log_root, root, sizeof root))
		return "a statement rests on a log state that is not this log's";
	if (approval_check_time(a, t->record->issued, newer_than(w, t->record->terms.image), why, cap))
		return why;
	return NULL;
}

/* Signed by its person, with the key the record names, valid at the issue. */
static const char *
judge_signature(struct walk *w, const struct told *t, const struct release_statement *s, struct view text,
    struct view sig, int *ret_err)
{
	const struct signers *set = verify_signers_set(w->signers, t->record->signers_number);
	struct signers_signature one = { sig };
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	uint8_t key[DIGEST_SHA256_LEN];
	if (!set)
		return "it was judged by a signer set that is not in the export";
	*ret_err = signers_count(set, text, APPROVAL_NAMESPACE, t->record->issued, &one, 1, NULL, 0, &persons, who, &n);
	if (*ret_err)
		return NULL;
	if (n != 1 || strcmp(set->signer[who[0]].principal, s->approver))
		return "a statement is not signed by the person it names";
	*ret_err = sshkey_digest(&set->signer[who[0]].key, key);
	return !*ret_err && memcmp(key, s->key, sizeof key) ? "a statement is signed by another key than the record says"
	                                                    : NULL;
}

static int
check_statement(struct walk *w, const struct told *t, const struct release_statement *s)
{
	char hex[2 * RELEASE_ID + 1], why[256] = "";
	struct signed_statement st = { .said = calloc(1, sizeof *st.said) };
	int err = FG_OK;
	if (!st.said)
		return FG_ENOMEM;
	const char *bad = read_statement(w, s, &st, why, sizeof why);
	if (!bad)
		bad = judge_statement(w, t, s, st.said, why, sizeof why);
	if (!bad)
		bad = judge_signature(w, t, s, st.text, st.sig, &err);
	if (bad) {
		hex_encode(t->id, RELEASE_ID, hex);
		verify_log_problem(w->l, "entry %llu: release %s: %s", (unsigned long long)t->at, hex, bad);
	}
	w->sum->statements++;
	statement_free(&st);
	return err;
}

static void
check_report(struct walk *w, const struct told *t)
{
	char name[128], hex[DIGEST_HEX_LEN + 1];
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view text;
	hex_encode(t->record->terms.report, DIGEST_SHA256_LEN, hex);
	snprintf(name, sizeof name, "reports/%s.json", hex);
	if (verify_file_read(w->l->dir, name, VERIFY_SMALL_MAX, &text)) {
		verify_log_problem(w->l, "entry %llu: %s is not in the export", (unsigned long long)t->at, name);
		return;
	}
	if (digest_sha256(text, digest) || memcmp(digest, t->record->terms.report, sizeof digest))
		verify_log_problem(w->l, "%s: not the report that was signed for", name);
	verify_file_free(text);
}

/* What the record says of itself against genesis and the log around it. */
static void
check_record(struct walk *w, const struct told *t, const struct entry *e)
{
	const struct release *r = t->record;
	unsigned long long at = t->at;
	int64_t logged = e->t_us / 1000000;
	if (r->quorum < genesis_floor(&w->signers->genesis, r->terms.max_devices))
		verify_log_problem(w->l, "entry %llu: released with fewer persons than genesis demands", at);
	if (strcmp(r->terms.gateway, w->signers->genesis.origin))
		verify_log_problem(w->l, "entry %llu: a release of another gateway", at);
	if (r->log_size > t->at)
		verify_log_problem(w->l, "entry %llu: a release from a later log state than its own", at);
	/* Keys and statements are judged at that time: the warden may not choose it freely. */
	if (r->issued > logged + APPROVAL_SKEW || r->issued < logged - APPROVAL_SKEW)
		verify_log_problem(w->l, "entry %llu: the release says it was issued at another time", at);
	if (find_told(w, t->id))
		verify_log_problem(w->l, "entry %llu: a release is issued twice", at);
}

static int
on_issued(struct walk *w, const struct entry *e)
{
	struct told t = { .at = w->index };
	char why[160] = "";
	uint8_t id[RELEASE_ID];
	if (w->told_n == STORY_RELEASES_MAX)
		return FG_ELIMIT;
	t.record = calloc(1, sizeof *t.record);
	if (!t.record)
		return FG_ENOMEM;
	if (!release_named(e->obj, t.id) || release_id(e->doc, id) || memcmp(id, t.id, sizeof id) ||
	    release_parse(e->doc, t.record, why, sizeof why)) {
		verify_log_problem(w->l, "entry %llu: release record does not hold: %s", (unsigned long long)w->index,
		    why[0] ? why : "it is not the one its name says");
		free(t.record);
		return FG_OK;
	}
	check_record(w, &t, e);
	int err = FG_OK;
	for (uint32_t i = 0; !err && i < t.record->statements_n; i++)
		err = check_statement(w, &t, &t.record->statement[i]);
	check_report(w, &t);
	w->told[w->told_n++] = t;
	w->sum->releases++;
	return err;
}

/* The warden's own word that a release of the log never took effect. */
static void
on_refused(struct walk *w, const struct entry *e)
{
	uint8_t id[RELEASE_ID];
	struct told *t = release_named(e->obj, id) ? find_told(w, id) : NULL;
	if (!t)
		return;
	if (t->granted)
		verify_log_problem(w->l, "entry %llu: taken back after it was granted", (unsigned long long)w->index);
	t->taken_back = true;
}

/* A statement counts once: no two releases that were granted may rest on the same one. */
static void
check_used_once(struct walk *w)
{
	for (uint32_t i = 0; i < w->told_n; i++) {
		const struct told *a = &w->told[i];
		for (uint32_t k = 0; a->granted && k < i; k++) {
			const struct told *b = &w->told[k];
			if (!b->granted || memcmp(a->record->terms.image, b->record->terms.image, DIGEST_SHA256_LEN))
				continue;
			for (uint32_t n = 0; n < a->record->statements_n * b->record->statements_n; n++) {
				const struct release_statement *x = &a->record->statement[n % a->record->statements_n];
				const struct release_statement *y = &b->record->statement[n / a->record->statements_n];
				if (!memcmp(x->statement, y->statement, sizeof x->statement))
					verify_log_problem(w->l, "entry %llu: rests on a statement that entry %llu used up",
					    (unsigned long long)a->at, (unsigned long long)b->at);
			}
		}
	}
}

/* ---- granted within released, served within granted ---- */

static int
grow_grants(struct walk *w)
{
	size_t old = w->grant_cap;
	struct grant *was = w->grant;
	w->grant_cap = old ? old * 2 : 1024;
	w->grant = calloc(w->grant_cap, sizeof w->grant[0]);
	if (!w->grant) {
		w->grant = was;
		w->grant_cap = old;
		return FG_ENOMEM;
	}
	for (size_t i = 0; i < old; i++) {
		if (was[i].used)
			*place(w, was[i].module, was[i].release) = was[i];
	}
	free(was);
	return FG_OK;
}

static int
on_grant(struct walk *w, const struct entry *e)
{
	uint8_t id[RELEASE_ID];
	struct told *t = release_named(e->obj, id) ? find_told(w, id) : NULL;
	unsigned long long at = w->index;
	if (!t || !e->have_dev) {
		verify_log_problem(w->l, "entry %llu: a grant for what was never released", at);
		return FG_OK;
	}
	const struct approval_terms *terms = &t->record->terms;
	int64_t from = terms->not_before * 1000000, until = terms->not_after * 1000000;
	if (t->taken_back)
		verify_log_problem(w->l, "entry %llu: a grant of a release that never took effect", at);
	if (t->revoked_us && e->t_us > t->revoked_us + STORY_ON_ITS_WAY_US)
		verify_log_problem(w->l, "entry %llu: a grant after the release was revoked", at);
	if (w->halted_us && e->t_us > w->halted_us + STORY_ON_ITS_WAY_US)
		verify_log_problem(w->l, "entry %llu: a grant while the gateway was halted", at);
	if (e->t_us < from || e->t_us >= until + STORY_ON_ITS_WAY_US)
		verify_log_problem(w->l, "entry %llu: a grant outside the time that was signed for", at);
	if (w->sum->grants * 4 >= w->grant_cap * 3) {
		int err = grow_grants(w);
		if (err)
			return err;
	}
	uint32_t number = (uint32_t)(t - w->told);
	struct grant *g = place(w, e->dev, number);
	if (g->used)
		return FG_OK;
	*g = (struct grant){ .release = number, .used = true };
	memcpy(g->module, e->dev, sizeof g->module);
	w->sum->grants++;
	if (++t->granted > terms->max_devices)
		verify_log_problem(w->l, "entry %llu: more modules than were signed for", at);
	return FG_OK;
}

static void
on_served(struct walk *w, const struct entry *e)
{
	uint8_t id[RELEASE_ID];
	struct told *t = release_named(e->obj, id) ? find_told(w, id) : NULL;
	if (!t || !e->have_dev || !w->grant_cap || !place(w, e->dev, (uint32_t)(t - w->told))->used)
		verify_log_problem(w->l, "entry %llu: served without a grant", (unsigned long long)w->index);
	w->sum->served++;
}

/* From here on older statements about that image have no effect. */
static int
remember_revoked(struct walk *w, const uint8_t image[DIGEST_SHA256_LEN])
{
	struct revoked *more = reallocarray(w->revoked, w->revoked_n + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	w->revoked = more;
	w->revoked[w->revoked_n].at = w->index;
	memcpy(w->revoked[w->revoked_n++].image, image, DIGEST_SHA256_LEN);
	return FG_OK;
}

/* obj names the release, or the image and with it every release of it. */
static int
on_revoked(struct walk *w, const struct entry *e)
{
	uint8_t id[RELEASE_ID], image[DIGEST_SHA256_LEN];
	const struct entry_ref *r = ref(e, "image");
	struct view digits = r ? r->text : e->obj;
	struct told *named = release_named(e->obj, id) ? find_told(w, id) : NULL;
	bool have_image = digits.n == 7 + DIGEST_HEX_LEN && !memcmp(digits.p, "sha256:", 7) &&
	    hex_decode(view_of(digits.p + 7, DIGEST_HEX_LEN), image, sizeof image);
	if (named)
		named->revoked_us = e->t_us;
	for (uint32_t i = 0; have_image && !named && i < w->told_n; i++) {
		if (!memcmp(w->told[i].record->terms.image, image, sizeof image))
			w->told[i].revoked_us = e->t_us;
	}
	w->sum->revoked++;
	if (named)
		return remember_revoked(w, named->record->terms.image);
	return have_image ? remember_revoked(w, image) : FG_OK;
}

/* ---- the walk ---- */

static int
on_entry(struct walk *w, const struct entry *e)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	if (e->seq != w->index)
		verify_log_problem(w->l, "entry %llu calls itself %llu", (unsigned long long)w->index,
		    (unsigned long long)e->seq);
	if (w->index == 0 &&
	    (e->ev != ENTRY_AUTHORITY_GENESIS || digest_sha256(e->doc, digest) ||
	        memcmp(digest, w->signers->digest, sizeof digest)))
		verify_log_problem(w->l, "entry 0 does not hold the genesis");
	switch (e->ev) {
	case ENTRY_RELEASE_ISSUED:
		return on_issued(w, e);
	case ENTRY_DEVICE_GRANT:
		return on_grant(w, e);
	case ENTRY_DEVICE_SERVED:
		on_served(w, e);
		return FG_OK;
	case ENTRY_RELEASE_REFUSED:
		on_refused(w, e);
		return FG_OK;
	case ENTRY_APPROVAL_REVOKED:
		return on_revoked(w, e);
	case ENTRY_RESTRICT_HALT:
		w->halted_us = e->t_us;
		return FG_OK;
	case ENTRY_RESTRICT_RESUME:
		w->halted_us = 0;
		return FG_OK;
	default:
		return FG_OK;
	}
}

int
verify_story_walk(struct verify_log *l, const struct verify_signers *s, struct verify_story *ret)
{
	struct walk w = { .l = l, .signers = s, .sum = ret };
	*ret = (struct verify_story){ 0 };
	w.told = calloc(STORY_RELEASES_MAX, sizeof w.told[0]);
	int err = w.told ? FG_OK : FG_ENOMEM;
	for (uint64_t i = 0; !err && i < l->n; i++) {
		struct json *doc = NULL;
		struct entry e;
		const char *why = "";
		w.index = i;
		if (entry_parse(l->line[i], &doc, &e, &why)) {
			verify_log_problem(l, "entry %llu: %s", (unsigned long long)i, why);
			continue;
		}
		err = on_entry(&w, &e);
		json_free(doc);
	}
	check_used_once(&w);
	for (uint32_t i = 0; i < w.told_n; i++)
		free(w.told[i].record);
	free(w.told);
	free(w.revoked);
	free(w.grant);
	return err;
}
