/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate-verify - checks an exported log, a receipt or an approval without
 * the gateway and without trusting it. Crypto only; see fotagate-verify(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/receipt.h"
#include "gateway/cmd/verify_file.h"
#include "gateway/cmd/verify_papers.h"
#include "gateway/cmd/verify_story.h"
#include "gateway/cmd/verify_trust.h"

enum { EXIT_OK, EXIT_BAD, EXIT_USAGE, EXIT_COULD_NOT };

static const char usage_text[] =
    "usage: fotagate-verify DIR [--trust FILE]\n"
    "       fotagate-verify receipt FILE --trust FILE\n"
    "       fotagate-verify approval STATEMENT SIGNATURE --genesis FILE\n"
    "       fotagate-verify --version\n";

static int
usage(void)
{
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

/* ---- a directory ---- */

/* The outside trust against what the export says of itself. */
static int
check_identity(struct verify_log *l, const struct verify_trust *t, const struct verify_signers *s, struct note_key *key)
{
	if (note_key_parse(view_str(s->genesis.log_vkey), key)) {
		verify_log_problem(l, "the genesis names no usable log key");
		return FG_EFORMAT;
	}
	if (t->have_genesis && memcmp(t->genesis, s->digest, DIGEST_SHA256_LEN))
		verify_log_problem(l, "this is not the genesis you trust");
	if (t->have_log && !note_key_equal(&t->log, key))
		verify_log_problem(l, "this log's key is not the one you trust");
	if (t->have_log)
		*key = t->log;
	return FG_OK;
}

static int
check_all(struct verify_log *l, const struct verify_trust *t, struct verify_signers *s, struct verify_story *story)
{
	struct note_key key;
	int err = verify_signers_read(l, s);
	if (!err)
		err = check_identity(l, t, s, &key);
	if (!err)
		err = verify_log_check(l, &key, t->witness, t->witnesses);
	if (!err)
		err = verify_papers_check(l, s);
	if (!err)
		err = verify_story_walk(l, s, story);
	return err;
}

static void
tell(const struct verify_log *l, const struct verify_trust *t, const struct verify_signers *s,
    const struct verify_story *story)
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(s->digest, sizeof s->digest, hex);
	printf("gateway      %s%s\n", s->genesis.origin, s->genesis.demo ? " (a demo)" : "");
	printf("genesis      %s\nlog          ", hex);
	printf("%s, %llu entries\n", s->genesis.log_vkey, (unsigned long long)l->n);
	if (t->witnesses)
		printf("witnessed    by %u of %u\n", l->witnessed, t->witnesses);
	printf("released     %llu, from %llu signed statements; %llu revocations\n", (unsigned long long)story->releases,
	    (unsigned long long)story->statements, (unsigned long long)story->revoked);
	printf("granted      %llu, served %llu\n", (unsigned long long)story->grants, (unsigned long long)story->served);
}

static int
verify_dir(const char *dir, const struct verify_trust *t)
{
	struct verify_log l;
	struct verify_story story = { 0 };
	struct verify_signers *s = calloc(1, sizeof *s);
	int err = s ? verify_log_open(&l, dir) : FG_ENOMEM;
	if (err) {
		free(s);
		return EXIT_COULD_NOT;
	}
	err = check_all(&l, t, s, &story);
	/* Without outside trust a script must not read "fine". */
	bool failed = err && err != FG_EFORMAT, good = !err && l.problems == 0, trusted = t->have_genesis && t->have_log;
	if (l.problems > VERIFY_LOG_PROBLEMS)
		printf("... and %u more problems\n", l.problems - VERIFY_LOG_PROBLEMS);
	if (failed) {
		fprintf(stderr, "fotagate-verify: %s\n", err_name(err));
	} else if (good) {
		tell(&l, t, s, &story);
		puts(trusted ? "ok"
		             : "self-consistent only: give --trust with the genesis digest and log key kept outside the gateway");
	} else {
		printf("NOT OK: %u problem%s\n", l.problems, l.problems == 1 ? "" : "s");
	}
	verify_story_free(&story);
	verify_signers_free(s);
	verify_log_close(&l);
	free(s);
	return failed ? EXIT_COULD_NOT : good && trusted ? EXIT_OK : EXIT_BAD;
}

/* ---- a receipt ---- */

static int
verify_receipt(const char *path, const struct verify_trust *t)
{
	struct view text;
	struct writer store;
	struct receipt r;
	struct receipt_checked checked = { 0 };
	struct merkle *m = merkle_new();
	writer_init(&store, RECEIPT_EXTRA_MAX);
	int status = EXIT_COULD_NOT;
	int err = m ? verify_file_read(NULL, path, RECEIPT_SIZE_MAX, &text) : FG_ENOMEM;
	if (err) {
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_name(err));
		merkle_free(m);
		return status;
	}
	err = receipt_parse(text, &store, &r);
	if (err) {
		printf("NOT OK: %s is no receipt\n", path);
		status = EXIT_BAD;
	} else if (!r.extra.n) {
		printf("NOT OK: the receipt does not carry its entry\n");
		status = EXIT_BAD;
	} else if (!receipt_verify(m, &r, r.extra, NULL, &t->log, t->witness, t->witnesses, &checked)) {
		bool good = checked.outcome == RECEIPT_VERIFIED;
		if (good)
			printf("%.*s\nok: entry %llu of %llu\n", (int)r.extra.n, (const char *)r.extra.p,
			    (unsigned long long)r.index, (unsigned long long)checked.checkpoint.head.size);
		else
			printf("NOT OK: %s\n", receipt_outcome_name(checked.outcome));
		status = good ? EXIT_OK : EXIT_BAD;
	}
	verify_file_free(text);
	writer_free(&store);
	merkle_free(m);
	return status;
}

/* ---- an approval ---- */

static int
verify_approval(const char *statement, const char *signature, const char *genesis)
{
	struct view text = { 0 }, sig = { 0 }, gtext = { 0 };
	struct approval *a = calloc(1, sizeof *a);
	struct genesis *g = calloc(1, sizeof *g);
	char why[256] = "";
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	int status = EXIT_COULD_NOT;
	if (!a || !g || verify_file_read(NULL, statement, APPROVAL_BYTES_MAX, &text) ||
	    verify_file_read(NULL, signature, SSHSIG_ARMOR_MAX, &sig) ||
	    verify_file_read(NULL, genesis, GENESIS_BYTES_MAX, &gtext)) {
		fprintf(stderr, "fotagate-verify: statement, signature or genesis could not be read\n");
		goto out;
	}
	status = EXIT_BAD;
	if (genesis_parse(gtext, g, why, sizeof why) || approval_parse(text, a, why, sizeof why)) {
		printf("NOT OK: %s\n", why);
		goto out;
	}
	struct signers_signature one = { sig };
	/* Judged at the time it was written: keys may have expired since. */
	if (signers_count(&g->set, text, APPROVAL_NAMESPACE, a->time, &one, 1, NULL, 0, &persons, who, &n)) {
		status = EXIT_COULD_NOT;
	} else if (n != 1 || strcmp(g->set.signer[who[0]].principal, a->approver)) {
		printf("NOT OK: not signed by a key of %s\n", a->approver);
	} else {
		printf("ok: signed by %s\n%s\nsubject %s\n", a->approver, a->reason, a->terms.subject);
		status = EXIT_OK;
	}
out:
	verify_file_free(text);
	verify_file_free(sig);
	verify_file_free(gtext);
	free(a);
	free(g);
	return status;
}

int
main(int argc, char **argv)
{
	const char *word[3] = { 0 }, *trust = NULL, *genesis = NULL;
	unsigned words = 0;
	struct verify_trust t = { 0 };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--trust") && i + 1 < argc)
			trust = argv[++i];
		else if (!strcmp(argv[i], "--genesis") && i + 1 < argc)
			genesis = argv[++i];
		else if (!strcmp(argv[i], "--version"))
			return puts("fotagate-verify " FG_VERSION) < 0;
		else if (argv[i][0] == '-' || words == 3)
			return usage();
		else
			word[words++] = argv[i];
	}
	if (trust && verify_trust_read(trust, &t))
		return EXIT_COULD_NOT;
	if (words == 2 && !strcmp(word[0], "receipt"))
		return t.have_log ? verify_receipt(word[1], &t) : usage();
	if (words == 3 && !strcmp(word[0], "approval"))
		return genesis ? verify_approval(word[1], word[2], genesis) : usage();
	return words == 1 ? verify_dir(word[0], &t) : usage();
}
