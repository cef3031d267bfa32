/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/cmd/verify_module.h"
#include "gateway/cmd/verify_papers.h"
#include "gateway/cmd/verify_seen.h"
#include "gateway/cmd/verify_tree.h"

#define DOCUMENT_MAX (64u << 20) /* of JSON: half a million entries of one module */
#define SELF "self-consistent only: give --trust with the genesis digest and log key kept outside the gateway"

struct judged {
	const struct verify_dir *ask;
	struct verify_log log;
	struct verify_signers signers;
	struct verify_story story;
	struct verify_memory memory;
	struct verify_module module;
	struct note_key key; /* of the log */
	bool trusted;        /* genesis and log key are the auditor's */
};

/* The outside trust against what the export says of itself. */
static int
check_identity(struct judged *x)
{
	struct verify_log *l = &x->log;
	const struct verify_trust *t = x->ask->trust;
	if (note_key_parse(view_str(x->signers.genesis.log_vkey), &x->key)) {
		verify_log_problem(l, "the genesis names no usable log key");
		return FG_EFORMAT;
	}
	const struct note_key *own = verify_trust_log(t, view_str(x->key.name));
	if (t->geneses && !verify_trust_has_genesis(t, x->signers.digest))
		verify_log_problem(l, "this is not the genesis you trust");
	if (t->policy.logs && (!own || !note_key_equal(own, &x->key)))
		verify_log_problem(l, "this log's key is not the one you trust");
	if (own)
		x->key = *own;
	x->trusted = t->geneses && t->policy.logs;
	return FG_OK;
}

static int
check_log(struct judged *x)
{
	struct verify_log *l = &x->log;
	const struct verify_trust *t = x->ask->trust;
	int err = verify_log_check(l, &x->key, t->policy.witness, t->policy.witnesses);
	if (!err && l->opened.outcome == CHECKPOINT_VERIFIED && x->trusted && !verify_trust_witnessed(t, &l->opened))
		verify_log_problem(l, "checkpoint: signed by %u of your %zu witnesses: fewer than you demand",
		    l->opened.witnesses, t->policy.witnesses);
	return err;
}

/* What was handed in as a receipt is one, and of the module in question. */
static void
check_receipts(struct judged *x)
{
	for (size_t i = 0; i < x->memory.n; i++) {
		const struct verify_seen *s = &x->memory.seen[i];
		if (!x->ask->receipt[i] || !s->usable)
			continue;
		if (!s->has_entry)
			verify_log_problem(&x->log, "%s: no receipt", s->path);
		else if (x->ask->have_module && !verify_module_has(&x->module, s->entry))
			verify_log_problem(&x->log, "%s: entry %llu grants or serves nothing to that module", s->path,
			    (unsigned long long)s->entry);
	}
}

static int
check_all(struct judged *x)
{
	struct verify_log *l = &x->log;
	int err = verify_signers_read(l, &x->signers);
	if (!err)
		err = check_identity(x);
	if (!err)
		err = check_log(x);
	if (!err)
		err = verify_story_walk(l, &x->signers, &x->story);
	if (!err)
		err = verify_papers_check(l, &x->signers, &x->story);
	if (!err)
		err = verify_tree_check(l, &x->signers, &x->story);
	x->memory = (struct verify_memory){ .key = &x->key, .evidence = x->ask->evidence };
	if (!err)
		err = verify_seen_check(l, &x->memory, x->ask->seen, x->ask->seen_n);
	if (!err && x->ask->have_module)
		err = verify_module_find(l, x->ask->module, &x->module);
	if (!err)
		check_receipts(x);
	return err;
}

/* ---- what is said ---- */

static void
tell_seen(const struct judged *x)
{
	for (size_t i = 0; i < x->memory.n; i++) {
		const struct verify_seen *s = &x->memory.seen[i];
		if (!s->usable)
			continue;
		if (s->has_entry)
			verify_say_line(x->log.say, "receipt      %s: entry %llu of this log", s->path,
			    (unsigned long long)s->entry);
		else
			verify_say_line(x->log.say, "remembered   %s: a beginning of this log, %llu entries", s->path,
			    (unsigned long long)s->size);
	}
}

static void
tell(const struct judged *x)
{
	const struct verify_say *say = x->log.say;
	const struct verify_story *story = &x->story;
	const struct genesis *g = &x->signers.genesis;
	const struct verify_trust *t = x->ask->trust;
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(x->signers.digest, DIGEST_SHA256_LEN, hex);
	verify_say_line(say, "gateway      %s%s", g->origin, g->demo ? " (a demo)" : "");
	verify_say_line(say, "genesis      %s", hex);
	verify_say_line(say, "log          %s, %llu entries", g->log_vkey, (unsigned long long)x->log.n);
	if (t->policy.witnesses)
		verify_say_line(say, "witnessed    by %u of %zu", x->log.opened.witnesses, t->policy.witnesses);
	verify_say_line(say, "released     %llu, from %llu signed statements; %llu revocations",
	    (unsigned long long)story->releases, (unsigned long long)story->statements, (unsigned long long)story->revoked);
	verify_say_line(say, "granted      %llu, served %llu", (unsigned long long)story->grants,
	    (unsigned long long)story->served);
	if (story->only_counted)
		verify_say_line(say, "             and %llu ends of downloads that were only counted, without their modules",
		    (unsigned long long)story->only_counted);
	tell_seen(x);
}

static void
put_seen(const struct judged *x, struct jsonw *j)
{
	jsonw_key(j, "seen");
	jsonw_array(j);
	for (size_t i = 0; i < x->memory.n; i++) {
		const struct verify_seen *s = &x->memory.seen[i];
		char path[VERIFY_SAY_MAX];
		visible_cstr(view_str(s->path), path, sizeof path);
		jsonw_object(j);
		if (s->has_entry)
			jsonw_kuint(j, "entry", s->entry);
		jsonw_kcstr(j, "file", path);
		jsonw_kcstr(j, "kind", s->kind);
		if (s->usable) {
			jsonw_khex(j, "root", s->root, sizeof s->root);
			jsonw_kuint(j, "size", s->size);
		}
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_document(const struct judged *x, const char *result, struct writer *w)
{
	struct jsonw j;
	const struct verify_story *s = &x->story;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_kuint(&j, "entries", x->log.n);
	jsonw_kuint(&j, "forks", x->memory.forks);
	jsonw_khex(&j, "genesis", x->signers.digest, DIGEST_SHA256_LEN);
	jsonw_kuint(&j, "granted", s->grants);
	jsonw_kcstr(&j, "log", x->signers.genesis.log_vkey);
	if (x->module.entry)
		verify_module_put(&x->module, &x->log, s, &j);
	jsonw_kuint(&j, "only_counted", s->only_counted);
	jsonw_kcstr(&j, "origin", x->signers.genesis.origin);
	verify_say_put(x->log.say, &j);
	jsonw_kuint(&j, "released", s->releases);
	jsonw_kcstr(&j, "result", result);
	jsonw_kuint(&j, "revocations", s->revoked);
	put_seen(x, &j);
	jsonw_kuint(&j, "served", s->served);
	jsonw_kuint(&j, "statements", s->statements);
	jsonw_kuint(&j, "witnesses", x->log.opened.witnesses);
	jsonw_object_end(&j);
}

static enum verify_one
conclude(const struct judged *x, int err)
{
	const struct verify_say *say = x->log.say;
	struct writer w;
	bool failed = err && err != FG_EFORMAT, good = !err && say->problems == 0;
	const char *result = failed ? "could not" : !good ? "not ok" : x->trusted ? "ok" : "self-consistent only";
	if (say->problems > VERIFY_SAY_PROBLEMS)
		verify_say_line(say, "... and %u more problems", say->problems - VERIFY_SAY_PROBLEMS);
	if (good)
		tell(x);
	if (!err && x->module.entry)
		verify_module_tell(&x->module, &x->log, &x->story);
	if (failed)
		fprintf(stderr, "fotagate-verify: %s\n", err_name(err));
	else if (good)
		verify_say_line(say, "%s", x->trusted ? "ok" : SELF);
	else
		verify_say_line(say, "NOT OK: %u problem%s", say->problems, say->problems == 1 ? "" : "s");
	if (say->json) {
		writer_init(&w, DOCUMENT_MAX);
		put_document(x, result, &w);
		if (writer_err(&w)) {
			fprintf(stderr, "fotagate-verify: %s\n", err_name(writer_err(&w)));
			failed = true;
		} else {
			verify_say_print(&w);
		}
		writer_free(&w);
	}
	/* Without outside trust a script must not read "fine". */
	return failed ? VERIFY_ONE_COULD_NOT : good && x->trusted ? VERIFY_ONE_OK : VERIFY_ONE_BAD;
}

enum verify_one
verify_dir_run(const struct verify_dir *d, struct verify_say *say)
{
	struct judged *x = calloc(1, sizeof *x);
	enum verify_one status = VERIFY_ONE_COULD_NOT;
	if (!x)
		return status;
	x->ask = d;
	if (verify_log_open(&x->log, d->dir, say) == FG_OK) {
		status = conclude(x, check_all(x));
		verify_log_close(&x->log);
	}
	verify_module_free(&x->module);
	verify_seen_free(&x->memory);
	verify_story_free(&x->story);
	verify_signers_free(&x->signers);
	free(x);
	return status;
}
