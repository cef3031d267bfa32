/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/stored.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/approval_glass.h"
#include "crypto/err.h"
#include "gateway/warden/issue.h"

struct loading {
	struct warden *w;
	int err;
	uint8_t (*image)[DIGEST_SHA256_LEN]; /* that records name, whether they hold or not */
	unsigned images_n;
	bool unsure; /* one could not be read */
};

static void
say_not_served(const char *why)
{
	fprintf(stderr, "<3>warden: a stored release does not hold and is not served: %s\n", why);
}

static void
note_image(struct loading *l, const struct release *r)
{
	uint8_t (*more)[DIGEST_SHA256_LEN] = reallocarray(l->image, l->images_n + 1, sizeof *more);
	l->unsure |= !more;
	if (!more)
		return;
	l->image = more;
	memcpy(l->image[l->images_n++], r->terms.image, DIGEST_SHA256_LEN);
}

static bool
is_named(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	const struct loading *l = ctx;
	for (unsigned i = 0; i < l->images_n; i++) {
		if (!memcmp(l->image[i], sha256, DIGEST_SHA256_LEN))
			return true;
	}
	return false;
}

static bool
is_standing_named(const struct approval_terms *t, const uint8_t key[DIGEST_SHA256_LEN])
{
	uint8_t own[DIGEST_SHA256_LEN];
	return approval_key(t, own) == FG_OK && !memcmp(own, key, sizeof own);
}

static uint32_t
released_before(const struct warden *w, const struct release *r)
{
	return glass_modules(w->glass, r->terms.image, vault_restricted(w->vault, r->terms.image, NULL));
}

/* The statements must still carry the record, judged at the time it was issued. */
static bool
still_signed(const struct warden *w, struct released *made, struct view bundle_bytes)
{
	const struct release *r = made->record;
	const struct signers *set = authority_set(w->authority, r->signers_number);
	struct judge_bundle bundle;
	struct approval *a = calloc(1, sizeof *a);
	struct judge_case *c = calloc(1, sizeof *c);
	struct judge_answer *ans = calloc(1, sizeof *ans);
	bool ok = set && a && c && ans && judge_bundle_parse(bundle_bytes, &bundle) == FG_OK;
	for (unsigned i = 0; ok && i < bundle.n; i++) {
		char why[200];
		uint8_t *root = malloc(DIGEST_SHA256_LEN);
		/* Roots were compared with the log when it was issued; here each vouches for itself. */
		ok = root && approval_parse(bundle.pair[i].statement, a, why, sizeof why) == FG_OK;
		if (ok)
			memcpy(root, a->log_root, DIGEST_SHA256_LEN);
		c->roots[i] = root;
	}
	if (ok) {
		c->genesis = authority_genesis_get(w->authority);
		c->set = set;
		if (r->by_standing)
			c->terms = a->terms; /* of the last one: the others must say the same */
		else
			release_signed_terms(r, &c->terms);
		c->released = released_before(w, r);
		c->covers = r->terms;
		c->quorum = r->quorum;
		c->earliest = c->latest = r->issued;
		ok = judge_case(c, &bundle, ans) == FG_OK && ans->permitted &&
		    ans->statements_n == r->statements_n &&
		    !memcmp(ans->statement, r->statement, r->statements_n * sizeof r->statement[0]) &&
		    (!r->by_standing || is_standing_named(&c->terms, r->standing));
	}
	made->off_console = ok && ans->off_console;
	for (unsigned i = 0; c && i < JUDGE_STATEMENTS_MAX; i++)
		free((void *)(uintptr_t)c->roots[i]);
	free(ans);
	free(c);
	free(a);
	return ok;
}

static int
load_image(struct warden *w, struct released *made)
{
	const struct release *r = made->record;
	struct stat st;
	int err, fd = vault_image(w->vault, r->terms.image);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size != r->size) {
		close(fd);
		return FG_EFORMAT;
	}
	bool hot = r->size <= STATE_HOT_MAX && w->hot_bytes + r->size <= w->hot_budget;
	struct intake *in = intake_new(fd, r->size, -1, "", hot, &err);
	while (in && (err = intake_step(in)) == FG_EAGAIN)
		;
	if (in && err) {
		intake_abort(in);
		in = NULL;
	}
	if (in)
		err = intake_finish(in, &made->image);
	close(fd);
	if (err)
		return err;
	if (memcmp(made->image.sha256, r->terms.image, DIGEST_SHA256_LEN) || made->image.size != r->size ||
	    memcmp(made->image.blocks_sha256, r->blocks_sha256, DIGEST_SHA256_LEN))
		return FG_EFORMAT; /* rotten or altered on disk */
	if (made->image.hot)
		w->hot_bytes += made->image.size;
	return FG_OK;
}

static void
load_one(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle)
{
	struct loading *l = ctx;
	struct warden *w = l->w;
	char why[128];
	uint8_t own[RELEASE_ID];
	struct released *made = calloc(1, sizeof *made);
	uint8_t *text = malloc(record.n ? record.n : 1);
	if (!made || !text || w->list_n == VAULT_RELEASES_MAX) {
		free(made);
		free(text);
		l->err = w->list_n == VAULT_RELEASES_MAX ? FG_ELIMIT : FG_ENOMEM;
		return;
	}
	memcpy(text, record.p, record.n);
	made->text = view_of(text, record.n);
	made->image.image_fd = made->image.blocks_fd = -1;
	made->record = calloc(1, sizeof *made->record);
	bool ok = made->record && release_parse(made->text, made->record, why, sizeof why) == FG_OK;
	if (ok)
		note_image(l, made->record);
	else
		l->unsure = true;
	/* Anything that does not hold is left out: it permits nothing, and control sees that it is missing. */
	ok = ok && release_id(made->text, own) == FG_OK && !memcmp(own, id, RELEASE_ID) &&
	    vault_restricted(w->vault, made->record->terms.image, id) < made->record->log_size &&
	    still_signed(w, made, bundle);
	bool enacted = ok && policychain_ever(w->policy, made->record->terms.profile, made->record->terms.policy);
	if (!enacted || load_image(w, made) != FG_OK) {
		say_not_served(ok && !enacted ? "people never put the policy in force that it was judged under" :
		    "its record, statements or image are not what they were");
		issue_free(made);
		free(made);
		return;
	}
	memcpy(made->id, id, RELEASE_ID);
	(void)issue_spend(w, made);
	if (made->record->glass && w->glass) {
		struct glass_use u = { .quorum = made->record->terms.quorum, .log_size = made->record->log_size };
		memcpy(u.release, id, sizeof u.release);
		memcpy(u.image, made->record->terms.image, sizeof u.image);
		(void)glass_used(w->glass, &u);
	}
	made->waits = made->record->glass != 0;
	w->list[w->list_n++] = made;
}

/*
 * Each was judged alone; together they may be for more modules than so few persons,
 * or people in browsers alone, can release. Who issued honestly has counted the earlier ones, and needs no mercy.
 */
static void
drop_oversized(struct warden *w)
{
	const struct genesis *g = authority_genesis_get(w->authority);
	bool bad[VAULT_RELEASES_MAX];
	for (unsigned i = 0; i < w->list_n; i++) {
		const struct release *r = w->list[i]->record;
		uint64_t modules = r->terms.max_devices + issue_modules_of(w, &r->terms, w->list[i]);
		bad[i] = r->glass ? approval_glass_outside(g, modules, released_before(w, r)) ||
		    (modules > g->canary_max && !w->list[i]->off_console) :
		    !genesis_permits(g, modules, r->statements_n, w->list[i]->off_console);
	}
	for (unsigned i = w->list_n; i-- > 0;) {
		if (!bad[i])
			continue;
		struct released *gone = w->list[i];
		say_not_served("too few persons, or all of them in browsers, for all the modules its image is released for");
		if (gone->image.hot)
			w->hot_bytes -= gone->image.size;
		w->list[i] = w->list[--w->list_n];
		issue_free(gone);
		free(gone);
	}
}

int
stored_load(struct warden *w)
{
	struct loading l = { .w = w };
	int err = vault_each(w->vault, load_one, &l);
	drop_oversized(w);
	if (!err && !l.err && !l.unsure)
		vault_sweep_images(w->vault, is_named, &l);
	free(l.image);
	return err ? err : l.err;
}
