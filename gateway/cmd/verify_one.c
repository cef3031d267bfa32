/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/receipt.h"
#include "crypto/stamp.h"
#include "gateway/cmd/verify_file.h"
#include "gateway/cmd/verify_signers.h"

#define DOCUMENT_MAX (1u << 20)

static enum verify_one
bad(const struct verify_say *say, const char *why)
{
	struct writer w;
	struct jsonw j;
	verify_say_line(say, "NOT OK: %s", why);
	if (!say->json)
		return VERIFY_ONE_BAD;
	writer_init(&w, DOCUMENT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "result", "not ok");
	jsonw_kcstr(&j, "why", why);
	jsonw_object_end(&j);
	verify_say_print(&w);
	writer_free(&w);
	return VERIFY_ONE_BAD;
}

/* ---- a receipt ---- */

static void
tell_entry(const struct verify_say *say, const struct receipt *r, const struct checkpoint_opened *opened)
{
	struct writer w;
	struct jsonw j;
	verify_say_line(say, "%.*s", (int)r->extra.n, (const char *)r->extra.p);
	verify_say_line(say, "ok: entry %llu of %llu", (unsigned long long)r->index, (unsigned long long)opened->head.size);
	if (!say->json)
		return;
	writer_init(&w, DOCUMENT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kuint(&j, "entry", r->index);
	jsonw_kstring(&j, "line", r->extra);
	jsonw_kcstr(&j, "origin", opened->head.origin);
	jsonw_kcstr(&j, "result", "ok");
	jsonw_kuint(&j, "size", opened->head.size);
	jsonw_kuint(&j, "witnesses", opened->witnesses);
	jsonw_object_end(&j);
	verify_say_print(&w);
	writer_free(&w);
}

/* The log it names in its checkpoint's first line. */
static const struct note_key *
log_of(const struct verify_trust *t, struct view note)
{
	const uint8_t *end = note.n ? memchr(note.p, '\n', note.n) : NULL;
	return end ? verify_trust_log(t, view_of(note.p, (size_t)(end - note.p))) : NULL;
}

static enum verify_one
judge_receipt(struct merkle *m, const struct receipt *r, const struct verify_trust *t, struct verify_say *say)
{
	struct receipt_checked checked = { 0 };
	const struct note_key *key = log_of(t, r->note);
	if (!r->extra.n)
		return bad(say, "the receipt does not carry its entry");
	if (!key)
		return bad(say, "the receipt is of no log you trust");
	if (receipt_verify(m, r, r->extra, NULL, key, t->policy.witness, t->policy.witnesses, &checked))
		return VERIFY_ONE_COULD_NOT;
	if (checked.outcome != RECEIPT_VERIFIED)
		return bad(say, receipt_outcome_name(checked.outcome));
	if (!verify_trust_witnessed(t, &checked.checkpoint))
		return bad(say, "fewer witnesses have signed than you demand");
	tell_entry(say, r, &checked.checkpoint);
	return VERIFY_ONE_OK;
}

enum verify_one
verify_one_receipt(const char *path, const struct verify_trust *t, struct verify_say *say)
{
	struct view text;
	struct writer store;
	struct receipt r;
	struct merkle *m = merkle_new();
	enum verify_one status = VERIFY_ONE_COULD_NOT;
	int err = m ? verify_file_read(NULL, path, RECEIPT_SIZE_MAX, &text) : FG_ENOMEM;
	if (err) {
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_why(err));
		merkle_free(m);
		return status;
	}
	writer_init(&store, RECEIPT_EXTRA_MAX);
	err = receipt_parse(text, &store, &r);
	status = err ? bad(say, "this is no receipt") : judge_receipt(m, &r, t, say);
	verify_file_free(text);
	writer_free(&store);
	merkle_free(m);
	return status;
}

/* ---- an approval ---- */

/* What an approval is judged by. */
struct judges {
	const struct genesis *genesis;
	struct verify_signers sets; /* of an export, if there is one */
	uint32_t newest;
	bool by[SIGNERS_CHAIN_MAX + 1]; /* the sets that list the key that signed, under that name, at that time */
	unsigned n;
};

static void
tell_approval(const struct verify_say *say, const struct approval *a, const struct judges *by)
{
	struct writer w, numbers;
	struct jsonw j;
	char since[STAMP_CAP];
	if (stamp_format(a->terms.halted_at, since))
		since[0] = '\0';
	writer_init(&w, DOCUMENT_MAX);
	writer_init(&numbers, DOCUMENT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "approver", a->approver);
	bool resume = a->terms.decision == APPROVAL_RESUME, go_on = a->terms.decision == APPROVAL_CONTINUE;
	jsonw_kcstr(&j, "decision", resume ? "resume" : go_on ? "continue" : "approve");
	if (resume)
		jsonw_kcstr(&j, "halted_at", since);
	jsonw_kuint(&j, "newest_set", by->newest);
	jsonw_kcstr(&j, "reason", a->reason);
	jsonw_kcstr(&j, "result", "ok");
	jsonw_key(&j, "signer_sets");
	jsonw_array(&j);
	for (uint32_t i = 0; i <= by->newest; i++) {
		if (!by->by[i])
			continue;
		jsonw_uint(&j, i);
		writer_textf(&numbers, " %u", i);
	}
	jsonw_array_end(&j);
	jsonw_kcstr(&j, "subject", a->terms.subject);
	jsonw_object_end(&j);
	verify_say_line(say, "ok: signed by %s", a->approver);
	verify_say_line(say, "%s", a->reason);
	if (resume)
		verify_say_line(say, "ends the halt, or the hold of the clock, that began at %s", since);
	else if (go_on)
		verify_say_line(say, "lets the rollout of a release go on that has stood since %s: %s, ring %s", since,
		    approval_step_name(a->terms.step), a->terms.ring);
	else
		verify_say_line(say, "subject %s", a->terms.subject);
	verify_say_line(say, "listed in signer set%s%.*s, of 0 to %u", by->n == 1 ? "" : "s", (int)numbers.n,
	    (const char *)numbers.p, by->newest);
	if (say->json)
		verify_say_print(&w);
	writer_free(&w);
	writer_free(&numbers);
}

/* Which set was in force is for the log to say: any that could have been counts, and is told. */
static int
count(struct judges *by, const struct signers *set, uint32_t number, struct view text, struct view sig,
    const struct approval *a)
{
	struct signers_signature one = { sig };
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	/* Judged at the time it was written: keys may have expired since. */
	int err = signers_count(set, text, APPROVAL_NAMESPACE, a->time, &one, 1, NULL, 0, &persons, who, &n);
	if (!err && n == 1 && !strcmp(set->signer[who[0]].principal, a->approver)) {
		by->by[number] = true;
		by->n++;
	}
	return err;
}

static enum verify_one
judge_approval(struct view text, struct view sig, const struct approval *a, struct judges *by, bool have_export,
    struct verify_say *say)
{
	char why[VERIFY_SAY_MAX];
	int err = count(by, &by->genesis->set, 0, text, sig, a);
	by->newest = by->sets.later_n;
	for (uint32_t i = 1; !err && i <= by->newest; i++)
		err = count(by, verify_signers_set(&by->sets, i), i, text, sig, a);
	if (err) {
		fprintf(stderr, "fotagate-verify: %s\n", err_name(err));
		return VERIFY_ONE_COULD_NOT;
	}
	if (strcmp(a->terms.gateway, by->genesis->origin)) {
		snprintf(why, sizeof why, "it is for the gateway %s, and the genesis is of %s", a->terms.gateway,
		    by->genesis->origin);
		return bad(say, why);
	}
	if (!by->n) {
		int n = snprintf(why, sizeof why, "not signed by a key of %s in signer set 0", a->approver);
		if (have_export)
			snprintf(why + n, sizeof why - (size_t)n, " to %u, the last of that export", by->newest);
		else
			snprintf(why + n, sizeof why - (size_t)n, "; --export judges by later sets as well");
		return bad(say, why);
	}
	tell_approval(say, a, by);
	return VERIFY_ONE_OK;
}

/* 0, or a negative error after naming the file. */
static int
read_named(const char *path, size_t max, struct view *ret)
{
	int err = verify_file_read(NULL, path, max, ret);
	if (err)
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_why(err));
	return err;
}

/* The sets that follow from this very genesis. 0, FG_EFORMAT after saying what does not hold, or local failure. */
static int
read_sets(const char *export, struct view genesis, struct judges *by, struct verify_say *say)
{
	struct verify_log l = { .dir = export, .say = say };
	uint8_t digest[DIGEST_SHA256_LEN];
	char path[VERIFY_FILE_PATH];
	struct view there = { 0 };
	/* No export there is no finding about one. */
	int err = snprintf(path, sizeof path, "%s/signers/genesis.json", export) < (int)sizeof path ?
	    read_named(path, GENESIS_BYTES_MAX, &there) : FG_ELIMIT;
	verify_file_free(there);
	if (!err)
		err = digest_sha256(genesis, digest);
	if (!err)
		err = verify_signers_read(&l, &by->sets);
	if (!err && memcmp(digest, by->sets.digest, sizeof digest) != 0)
		verify_log_problem(&l, "signers/genesis.json: not the genesis that --genesis names");
	return err ? err : say->problems ? FG_EFORMAT : FG_OK;
}

enum verify_one
verify_one_approval(const char *statement, const char *signature, const char *genesis, const char *export,
    struct verify_say *say)
{
	struct view text = { 0 }, sig = { 0 }, gtext = { 0 };
	struct approval *a = calloc(1, sizeof *a);
	struct genesis *g = calloc(1, sizeof *g);
	struct judges by = { .genesis = g };
	char why[256] = "";
	enum verify_one status = VERIFY_ONE_COULD_NOT;
	int err = a && g ? FG_OK : FG_ENOMEM;
	if (!err)
		err = read_named(statement, APPROVAL_BYTES_MAX, &text);
	if (!err)
		err = read_named(signature, SSHSIG_ARMOR_MAX, &sig);
	if (!err)
		err = read_named(genesis, GENESIS_BYTES_MAX, &gtext);
	if (!err && (genesis_parse(gtext, g, why, sizeof why) || approval_parse(text, a, why, sizeof why)))
		status = bad(say, why);
	else if (!err && export && (err = read_sets(export, gtext, &by, say)) == FG_EFORMAT)
		status = bad(say, "the signer sets of the export do not hold");
	else if (!err)
		status = judge_approval(text, sig, a, &by, export != NULL, say);
	verify_signers_free(&by.sets);
	verify_file_free(text);
	verify_file_free(sig);
	verify_file_free(gtext);
	free(a);
	free(g);
	return status;
}
