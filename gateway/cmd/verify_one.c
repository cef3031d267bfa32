/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/receipt.h"
#include "gateway/cmd/verify_file.h"

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
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_name(err));
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

static void
tell_approval(const struct verify_say *say, const struct approval *a)
{
	struct writer w;
	struct jsonw j;
	verify_say_line(say, "ok: signed by %s", a->approver);
	verify_say_line(say, "%s", a->reason);
	verify_say_line(say, "subject %s", a->terms.subject);
	if (!say->json)
		return;
	writer_init(&w, DOCUMENT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "approver", a->approver);
	jsonw_kcstr(&j, "decision", a->terms.decision == APPROVAL_RESUME ? "resume" : "approve");
	jsonw_kcstr(&j, "reason", a->reason);
	jsonw_kcstr(&j, "result", "ok");
	jsonw_kcstr(&j, "subject", a->terms.subject);
	jsonw_object_end(&j);
	verify_say_print(&w);
	writer_free(&w);
}

static enum verify_one
judge_approval(struct view text, struct view sig, const struct genesis *g, const struct approval *a,
    struct verify_say *say)
{
	struct signers_signature one = { sig };
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	char why[VERIFY_SAY_MAX];
	/* Judged at the time it was written: keys may have expired since. */
	if (signers_count(&g->set, text, APPROVAL_NAMESPACE, a->time, &one, 1, NULL, 0, &persons, who, &n))
		return VERIFY_ONE_COULD_NOT;
	if (n != 1 || strcmp(g->set.signer[who[0]].principal, a->approver)) {
		snprintf(why, sizeof why, "not signed by a key of %s", a->approver);
		return bad(say, why);
	}
	tell_approval(say, a);
	return VERIFY_ONE_OK;
}

enum verify_one
verify_one_approval(const char *statement, const char *signature, const char *genesis, struct verify_say *say)
{
	struct view text = { 0 }, sig = { 0 }, gtext = { 0 };
	struct approval *a = calloc(1, sizeof *a);
	struct genesis *g = calloc(1, sizeof *g);
	char why[256] = "";
	enum verify_one status = VERIFY_ONE_COULD_NOT;
	if (!a || !g || verify_file_read(NULL, statement, APPROVAL_BYTES_MAX, &text) ||
	    verify_file_read(NULL, signature, SSHSIG_ARMOR_MAX, &sig) ||
	    verify_file_read(NULL, genesis, GENESIS_BYTES_MAX, &gtext))
		fprintf(stderr, "fotagate-verify: statement, signature or genesis could not be read\n");
	else if (genesis_parse(gtext, g, why, sizeof why) || approval_parse(text, a, why, sizeof why))
		status = bad(say, why);
	else
		status = judge_approval(text, sig, g, a, say);
	verify_file_free(text);
	verify_file_free(sig);
	verify_file_free(gtext);
	free(a);
	free(g);
	return status;
}
