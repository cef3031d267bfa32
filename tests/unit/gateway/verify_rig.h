/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_rig - an export that tells a story with real keys, written entry by entry
 * with whatever lie a test wants in it, and fotagate-verify run over it as an
 * auditor does. After cmocka.h.
 */
#ifndef FG_TESTS_UNIT_GATEWAY_VERIFY_RIG_H
#define FG_TESTS_UNIT_GATEWAY_VERIFY_RIG_H

#include <spawn.h>
#include <sys/wait.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/receipt.h"
#include "crypto/release.h"
#include "crypto/stamp.h"
#include "gateway/audit/ledger.h"
#include "unit/crypto/people.h"
#include "unit/crypto/token.h"
#include "unit/gateway/scratch.h"

#define US INT64_C(1000000)
#define NOW (PEOPLE_T0 + 3600)
#define REPORT "{\"schema\":\"fotagate-report/1\"}"
#define POLICY "{\"schema\":\"fotagate-profile/1\"}"

struct fixture {
	struct scratch tmp;
	char program[512];
	struct person alice, bob;
	struct note_signer key;
	struct genesis *g;
	struct writer genesis;
	int waldir, logdir;
	struct ledger *l;
	FILE *entries;
	struct approval_terms terms;
	struct release *r;
	char obj[64]; /* "release:<id>" */
	uint8_t nonce;
	struct token passkey[2]; /* of a board that has them: alice's and bob's */
	unsigned by_passkey;     /* how many of them sign in a browser: alice first */
	uint8_t flags; /* what a security key says of its owner when it signs */
	int64_t now; /* of the next entry */
};

static struct genesis_glass rig_glass; /* of the genesis that setup() makes; nobody's unless a test says so */

static inline void
each(void *ctx, uint64_t index, struct view line)
{
	(void)ctx;
	(void)index;
	(void)line;
}

static inline const char *
at(const struct fixture *f, const char *name)
{
	return scratch_path(&f->tmp, name);
}

/* ---- writing an export ---- */

static inline uint64_t
put(struct fixture *f, struct entry e)
{
	struct writer line;
	uint64_t index = ledger_next(f->l);
	e.seq = index;
	e.t_us = f->now++ * US;
	e.clk = ENTRY_CLK_NTP;
	e.src = view_str("gw-abababab/test");
	e.sev = entry_event_severity(e.ev);
	if (!e.out.n)
		e.out = view_str("ok");
	writer_init(&line, ENTRY_MAX);
	assert_int_equal(entry_encode(&e, &line, NULL), 0);
	assert_int_equal(ledger_put(f->l, writer_view(&line)), 0);
	assert_int_equal(ledger_commit(f->l), 0);
	assert_int_equal(fwrite(line.p, 1, line.n, f->entries), line.n);
	fputc('\n', f->entries);
	writer_free(&line);
	return index;
}

static inline void
put_event(struct fixture *f, enum entry_event ev, const char *obj)
{
	put(f, (struct entry){ .ev = ev, .obj = view_str(obj) });
}

static inline void
put_module(struct fixture *f, enum entry_event ev, uint8_t module, const char *obj)
{
	struct entry e = { .ev = ev, .obj = view_str(obj), .have_dev = true };
	memset(e.dev, module, sizeof e.dev);
	put(f, e);
}

static inline void
named_file(const struct fixture *f, const char *folder, struct view bytes, const char *suffix)
{
	uint8_t digest[32];
	char hex[DIGEST_HEX_LEN + 1], name[160];
	digest_sha256(bytes, digest);
	hex_encode(digest, 32, hex);
	snprintf(name, sizeof name, "e/%s/%s%s", folder, hex, suffix);
	scratch_write(at(f, name), bytes.p, bytes.n);
}

/* The statement as signer signs it, in the export; named in ret. Takes a over. */
static inline void
write_statement(struct fixture *f, struct approval *a, const struct person *signer, struct release_statement *ret)
{
	struct writer text, sig;
	char why[160], hex[DIGEST_HEX_LEN + 1], name[160];
	writer_init(&text, APPROVAL_BYTES_MAX);
	writer_init(&sig, SSHSIG_ARMOR_MAX);
	assert_int_equal(approval_encode(a, &text, why, sizeof why), 0);
	const struct sshkey *key = &signer->key;
	unsigned who = signer == &f->alice ? 0 : signer == &f->bob ? 1 : 2; /* nobody else has one */
	if (who < 2 && who < f->by_passkey) {
		token_passkey(&f->passkey[who], writer_view(&text), &sig);
		key = &f->passkey[who].key;
	} else {
		people_sign_with(signer, APPROVAL_NAMESPACE, writer_view(&text), f->flags, &sig);
	}
	snprintf(ret->approver, sizeof ret->approver, "%s", a->approver);
	digest_sha256(writer_view(&text), ret->statement);
	digest_sha256(writer_view(&sig), ret->signature);
	sshkey_digest(key, ret->key);
	named_file(f, "statements", writer_view(&text), ".json");
	hex_encode(ret->statement, 32, hex);
	snprintf(name, sizeof name, "e/statements/%s.sig", hex);
	scratch_write(at(f, name), sig.p, sig.n);
	writer_free(&text);
	writer_free(&sig);
	free(a);
}

/* A person's statement over the terms as the log stands, with its signature, in the export. */
static inline void
state_it(struct fixture *f, const struct person *p, const struct person *signer, struct release_statement *ret)
{
	uint8_t root[32];
	assert_int_equal(ledger_root(f->l, root), 0);
	f->nonce++;
	write_statement(f, people_statement(p, &f->terms, f->now, f->nonce, ledger_size(f->l), root), signer, ret);
}

/* A person hands in that the halt, or the hold of the clock, shall end. */
static inline void
sign_resume_of(struct fixture *f, const char *what, const struct person *p, const struct person *signer)
{
	struct approval_terms terms = { .decision = APPROVAL_RESUME, .halted_at = NOW };
	struct release_statement st = { 0 };
	uint8_t root[32];
	char digest[80] = "sha256:";
	snprintf(terms.gateway, sizeof terms.gateway, "%s", PEOPLE_ORIGIN);
	assert_int_equal(ledger_root(f->l, root), 0);
	write_statement(f, people_statement(p, &terms, f->now, ++f->nonce, ledger_size(f->l), root), signer, &st);
	hex_encode(st.statement, 32, digest + 7);
	struct entry e = { .ev = ENTRY_APPROVAL_SIGNED, .obj = view_str(what), .act = view_str(p->name), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("statement"), false, 0, view_str(digest) };
	put(f, e);
}

static inline void
sign_resume(struct fixture *f, const struct person *p, const struct person *signer)
{
	sign_resume_of(f, "halt", p, signer);
}

/* The clock stepped, and its hold has that name. */
static inline void
step_clock(struct fixture *f, int64_t name)
{
	char text[STAMP_CAP];
	assert_int_equal(stamp_format(name, text), 0);
	struct entry e = { .ev = ENTRY_CLOCK_STEPPED, .obj = view_str("clock"), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("hold"), false, 0, view_str(text) };
	put(f, e);
}

/* The clock is confirmed: by people, or by itself when the hold had that name. */
static inline void
end_hold(struct fixture *f, bool by_people, int64_t name)
{
	char text[STAMP_CAP];
	struct entry e = { .ev = ENTRY_RESTRICT_RESUME, .obj = view_str("clock"), .refs = 1 };
	assert_int_equal(stamp_format(name, text), 0);
	e.ref[0] = by_people ? (struct entry_ref){ view_str("signed_by"), true, 2, { 0 } } :
	    (struct entry_ref){ view_str("hold"), false, 0, view_str(text) };
	put(f, e);
}

static inline void
confirm_clock(struct fixture *f, bool by_people)
{
	end_hold(f, by_people, NOW);
}

/* A halt or the end of one, or of a hold of the clock, by its name. */
static inline void
put_named(struct fixture *f, enum entry_event ev, const char *obj, const char *out, int64_t name)
{
	struct entry e = { .ev = ev, .obj = view_str(obj), .out = view_str(out), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("halted_at"), true, (uint64_t)name, { 0 } };
	put(f, e);
}

static inline void
resume(struct fixture *f)
{
	sign_resume(f, &f->alice, &f->alice);
	sign_resume(f, &f->bob, &f->bob);
	put_event(f, ENTRY_RESTRICT_RESUME, "halt");
}

/* The record in f->r, logged with what else the entry refers to. */
static inline void
log_release_with(struct fixture *f, const struct entry_ref *refs, unsigned n)
{
	struct writer text;
	uint8_t id[RELEASE_ID];
	writer_init(&text, RELEASE_RECORD_MAX);
	assert_int_equal(release_encode(f->r, &text), 0);
	release_id(writer_view(&text), id);
	memcpy(f->obj, "release:", 8);
	hex_encode(id, RELEASE_ID, f->obj + 8);
	struct entry e = { .ev = ENTRY_RELEASE_ISSUED, .obj = view_str(f->obj), .doc = writer_view(&text), .refs = n };
	for (unsigned i = 0; i < n; i++)
		e.ref[i] = refs[i];
	put(f, e);
	writer_free(&text);
}

static inline void
log_release(struct fixture *f)
{
	log_release_with(f, NULL, 0);
}

/* A record over fresh statements of both, not logged yet. */
static inline void
make_release(struct fixture *f)
{
	*f->r = (struct release){ .terms = f->terms, .size = 100, .block_size = RELEASE_BLOCK, .blocks = 1, .quorum = 2,
		.statements_n = 2 };
	state_it(f, &f->alice, &f->alice, &f->r->statement[0]);
	state_it(f, &f->bob, &f->bob, &f->r->statement[1]);
	f->r->log_size = ledger_size(f->l);
	f->r->issued = f->now;
}

/* A standing statement is proposed and signed by both; the record of a release under it, not logged yet. */
static inline void
make_standing(struct fixture *f, struct approval_terms *t, bool proposed, const char *report)
{
	struct approval_terms release = f->terms;
	struct release_statement by[2] = { 0 };
	if (proposed)
		put_event(f, ENTRY_STANDING_PROPOSED, t->review);
	memcpy(t->policy, f->terms.policy, sizeof t->policy);
	f->terms = *t;
	state_it(f, &f->alice, &f->alice, &by[0]);
	state_it(f, &f->bob, &f->bob, &by[1]);
	f->terms = release;
	named_file(f, "reports", view_str(report), ".json");
	digest_sha256(view_str(report), f->terms.report);
	*f->r = (struct release){ .terms = f->terms, .size = 100, .block_size = RELEASE_BLOCK, .blocks = 1, .quorum = 2,
		.by_standing = true, .as_of = f->now, .statements_n = 2, .statement = { by[0], by[1] } };
	assert_int_equal(approval_key(t, f->r->standing), 0);
	f->r->log_size = ledger_size(f->l);
	f->r->issued = f->now;
}

/* Another image, the same everything. */
static inline void
log_another(struct fixture *f)
{
	f->r->terms.image[0]++;
	f->r->log_size = ledger_size(f->l);
	f->r->issued = f->now;
	log_release(f);
}

static inline void
put_standing_revoked(struct fixture *f, const struct approval_terms *t)
{
	uint8_t key[32];
	char text[80] = "sha256:";
	assert_int_equal(approval_key(t, key), 0);
	hex_encode(key, 32, text + 7);
	struct entry e = { .ev = ENTRY_STANDING_REVOKED, .obj = view_str(t->review), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("key"), false, 0, view_str(text) };
	put(f, e);
}

static inline void
begin(struct fixture *f)
{
	static const char *const folders[] = { "e", "e/statements", "e/reports", "e/provenance", "e/policies", "e/signers",
		"e/attachments" };
	const struct person *who[] = { &f->alice, &f->bob };
	struct ledger_opened opened;
	struct writer sig;
	char name[64];
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		close(scratch_dir(&f->tmp, folders[i]));
	f->waldir = scratch_dir(&f->tmp, "wal");
	f->logdir = scratch_dir(&f->tmp, "e");
	f->entries = fopen(at(f, "e/entries.jsonl"), "we");
	assert_int_equal(ledger_open(f->waldir, f->logdir, &f->key, each, NULL, &f->l, &opened), 0);
	assert_int_equal(genesis_encode(f->g, &f->genesis), 0);
	scratch_write(at(f, "e/signers/genesis.json"), f->genesis.p, f->genesis.n);
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign_with(who[i], SIGNERS_NAMESPACE, writer_view(&f->genesis), f->flags, &sig);
		snprintf(name, sizeof name, "e/signers/genesis.sig.%u", i);
		scratch_write(at(f, name), sig.p, sig.n);
		writer_free(&sig);
	}
	writer_init(&sig, 65536);
	assert_int_equal(signers_allowed(&f->g->set, f->g->signed_policy ?
	    APPROVAL_NAMESPACE "," POLICYSET_NAMESPACE "," SIGNERS_NAMESPACE : APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE, &sig), 0);
	scratch_write(at(f, "e/signers/allowed_signers"), sig.p, sig.n);
	writer_free(&sig);
	named_file(f, "reports", view_str(REPORT), ".json");
	named_file(f, "policies", view_str(POLICY), ".json");
	put(f, (struct entry){ .ev = ENTRY_AUTHORITY_GENESIS, .doc = writer_view(&f->genesis) });
	put_event(f, ENTRY_LOG_OPENED, "");
	put_event(f, ENTRY_REVIEW_OPENED, "R-7");
}

/* Seals the export and writes what the auditor carries. */
static inline void
end(struct fixture *f)
{
	uint8_t digest[32];
	char hex[DIGEST_HEX_LEN + 1], trust[1024];
	assert_int_equal(ledger_publish(f->l), 0);
	assert_int_equal(fclose(f->entries), 0);
	ledger_close(f->l);
	close(f->waldir);
	close(f->logdir);
	digest_sha256(writer_view(&f->genesis), digest);
	hex_encode(digest, 32, hex);
	snprintf(trust, sizeof trust, "# kept outside\ngenesis %s\nlog %s\n", hex, f->g->log_vkey);
	scratch_write(at(f, "trust"), trust, strlen(trust));
}

static inline void
give_passkeys(struct fixture *f)
{
	const struct person *who[] = { &f->alice, &f->bob };
	for (unsigned i = 0; i < 2; i++) {
		struct person p = *who[i];
		f->passkey[i] = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
		p.key = f->passkey[i].key;
		people_add(&f->g->set, &p);
	}
	snprintf(f->g->set.console, sizeof f->g->set.console, "%s", TOKEN_SITE);
}

/* signed_policy: genesis asks for it, and its first policy has no profile. */
static inline int
setup_board_of(void **state, bool sk, bool passkeys, bool signed_policy)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *bin = getenv("FG_BIN");
	snprintf(f->program, sizeof f->program, "%s/fotagate-verify", bin ? bin : ".");
	scratch_open(&f->tmp);
	f->now = NOW;
	f->key = people_log_key();
	f->alice = people_make("alice@example.com", 1);
	f->flags = sk ? 0x05 : 0x01;
	f->bob = sk ? people_sk("bob@example.com", 2) : people_make("bob@example.com", 2);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob }, 2, 2);
	f->g->set.signer[1].require_uv = sk;
	if (passkeys)
		give_passkeys(f);
	f->g->signed_policy = signed_policy;
	f->g->glass = rig_glass;
	memset(f->g->policy.bundle, signed_policy, sizeof f->g->policy.bundle);
	memset(f->g->policy.config, signed_policy, sizeof f->g->policy.config);
	f->r = calloc(1, sizeof *f->r);
	f->terms = people_terms(PEOPLE_T0, 50);
	digest_sha256(view_str(REPORT), f->terms.report);
	digest_sha256(view_str(POLICY), f->terms.policy);
	writer_init(&f->genesis, GENESIS_BYTES_MAX);
	begin(f);
	*state = f;
	return 0;
}

static inline int
setup_board(void **state, bool sk, bool passkeys)
{
	return setup_board_of(state, sk, passkeys, false);
}

static inline int
setup(void **state)
{
	return setup_board(state, false, false);
}

/* Bob has a security key, and genesis asks it for a PIN. */
static inline int
setup_sk(void **state)
{
	return setup_board(state, true, false);
}

/* Both have a passkey besides, and genesis names the console. */
static inline int
setup_passkeys(void **state)
{
	return setup_board(state, false, true);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY_free(f->passkey[0].p256);
	EVP_PKEY_free(f->passkey[1].p256);
	writer_free(&f->genesis);
	scratch_close(&f->tmp);
	free(f->r);
	free(f->g);
	free(f);
	return 0;
}

/* ---- running it ---- */

extern char **environ;

static inline int
run_program(const char *program, const char *const *words, char *out, size_t cap)
{
	const char *argv[20] = { program };
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status, pipes[2];
	size_t n = 0;
	for (unsigned i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pipes[1], 1);
	posix_spawn_file_actions_adddup2(&fa, pipes[1], 2);
	int rc = posix_spawn(&pid, program, &fa, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(pipes[1]);
	assert_int_equal(rc, 0);
	for (ssize_t r; n + 1 < cap && (r = read(pipes[0], out + n, cap - 1 - n)) > 0;)
		n += (size_t)r;
	out[n] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int
run(const struct fixture *f, const char *const *words, char *out, size_t cap)
{
	return run_program(f->program, words, out, cap);
}

static inline void
expect(struct fixture *f, int status, const char *word)
{
	char out[16384], dir[128], trust[128];
	snprintf(dir, sizeof dir, "%s", at(f, "e"));
	snprintf(trust, sizeof trust, "%s", at(f, "trust"));
	int got = run(f, (const char *const[]){ dir, "--trust", trust, NULL }, out, sizeof out);
	if (got != status || !strstr(out, word))
		fail_msg("status %d for %d, and \"%s\" in:\n%s", got, status, word, out);
}

/*
 * Whether the scripts that ship in every export say ok as well. They are run when
 * FG_FOREIGN says so: a hundred Pythons are no unit test.
 */
static inline void
expect_foreign(struct fixture *f, bool good)
{
	static const char *const scripts[] = { "verify40.py", "files40.py", "people40.py", "releases40.py", "served40.py",
		"rollouts40.py" };
	const char *src = getenv("FG_SRC");
	char dir[128], script[512], out[16384], hex[DIGEST_HEX_LEN + 1];
	uint8_t digest[32];
	bool fine = true;
	if (!getenv("FG_FOREIGN"))
		return;
	snprintf(dir, sizeof dir, "%s", at(f, "e"));
	digest_sha256(writer_view(&f->genesis), digest);
	hex_encode(digest, 32, hex);
	for (size_t i = 0; fine && i < sizeof scripts / sizeof scripts[0]; i++) {
		snprintf(script, sizeof script, "%s/gateway/audit/%s", src ? src : ".", scripts[i]);
		fine = run_program("/usr/bin/python3", (const char *const[]){ "-B", script, dir, i == 0 ? f->g->log_vkey :
		    i == 2 ? hex : NULL, NULL }, out, sizeof out) == 0;
	}
	if (fine != good)
		fail_msg("the scripts say %s: %s", fine ? "ok" : "no", out);
}

static inline void
need_program(const struct fixture *f)
{
	if (access(f->program, X_OK)) {
		print_message("%s: not built\n", f->program);
		fclose(f->entries);
		ledger_close(f->l);
		close(f->waldir);
		close(f->logdir);
		skip();
	}
}

#endif
