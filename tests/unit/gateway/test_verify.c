/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate-verify as an auditor runs it: this test writes an export that tells a
 * whole story with real keys, then the same with a lie in it, and reads the
 * program's exit status.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/verify_rig.h"

/* ---- stories ---- */

static void
good_story(struct fixture *f)
{
	make_release(f);
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	put_module(f, ENTRY_DEVICE_GRANT, 2, f->obj);
	put_module(f, ENTRY_DEVICE_SERVED, 1, f->obj);
	put_event(f, ENTRY_RESTRICT_HALT, "gateway");
	resume(f);
	put_module(f, ENTRY_DEVICE_GRANT, 3, f->obj);
	put_event(f, ENTRY_APPROVAL_REVOKED, f->obj);
	make_release(f);
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	for (unsigned i = 0; i < 300; i++)
		put_event(f, ENTRY_AUTH_OK, "x");
}

static void
test_ok(void **state)
{
	struct fixture *f = *state;
	char out[16384], dir[128];
	need_program(f);
	good_story(f);
	end(f);
	expect(f, 0, "\nok\n");
	expect(f, 0, "released     2, from 4 signed statements; 1 revocations");
	expect(f, 0, "granted      4, served 1");
	snprintf(dir, sizeof dir, "%s", at(f, "e"));
	/* Without what was kept outside it is never fine. */
	assert_int_equal(run(f, (const char *const[]){ dir, NULL }, out, sizeof out), 1);
	assert_non_null(strstr(out, "self-consistent only"));
	scratch_write(at(f, "trust"), "log x\n", 6);
	expect(f, 3, "verifier key");
	char other[512];
	snprintf(other, sizeof other, "genesis %064d\nlog %s\n", 7, f->g->log_vkey);
	scratch_write(at(f, "trust"), other, strlen(other));
	expect(f, 1, "not the genesis you trust");
}

/* One bit of a byte in each file of the export, and of its last: tests/flip does so with every byte. */
static void
flip_all(struct fixture *f, const char *folder)
{
	char path[400];
	struct stat st;
	DIR *d = opendir(at(f, folder));
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%.150s/%.200s", folder, e->d_name);
		assert_int_equal(stat(at(f, path), &st), 0);
		if (S_ISDIR(st.st_mode)) {
			flip_all(f, path);
			continue;
		}
		for (unsigned k = 0; k < 2; k++) {
			off_t where = k ? st.st_size - 1 : st.st_size / 3;
			char name[600];
			snprintf(name, sizeof name, "%s", at(f, path));
			assert_true(scratch_flip(name, where, 0x01));
			char out[16384], dir[128], trust[128];
			snprintf(dir, sizeof dir, "%s", at(f, "e"));
			snprintf(trust, sizeof trust, "%s", at(f, "trust"));
			if (run(f, (const char *const[]){ dir, "--trust", trust, NULL }, out, sizeof out) != 1)
				fail_msg("%s, byte %lld flipped:\n%s", path, (long long)where, out);
			assert_true(scratch_flip(name, where, 0x01));
		}
	}
	if (d)
		closedir(d);
}

static void
test_every_file(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	good_story(f);
	named_file(f, "provenance", view_str("{\"a\":1}"), ".json");
	named_file(f, "policies", view_str("{\"b\":1}"), ".json");
	end(f);
	expect(f, 0, "\nok\n");
	flip_all(f, "e");
	expect(f, 0, "\nok\n");
	/* Files taken away. */
	static const char *const needed[] = { "e/checkpoint", "e/tile/0/000", "e/tile/entries/000", "e/signers/genesis.json",
		"e/signers/genesis.sig.0" };
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		char away[300], name[300];
		snprintf(name, sizeof name, "%s", at(f, needed[i]));
		snprintf(away, sizeof away, "%s.away", at(f, "x"));
		assert_int_equal(rename(name, away), 0);
		expect(f, 1, "not ok");
		assert_int_equal(rename(away, name), 0);
	}
	scratch_write(at(f, "e/reports/extra.txt"), "x", 1);
	expect(f, 1, "strange name");
	assert_int_equal(unlink(at(f, "e/reports/extra.txt")), 0);
	/* Less than the whole log. */
	size_t n = 0;
	uint8_t *p = scratch_read(at(f, "e/entries.jsonl"), &n);
	size_t cut = n - 1;
	while (p[cut - 1] != '\n')
		cut--;
	scratch_write(at(f, "e/entries.jsonl"), p, cut);
	expect(f, 1, "the checkpoint signs");
	scratch_write(at(f, "e/entries.jsonl"), p, 0);
	expect(f, 1, "empty");
	free(p);
}

/* What both ways find, and what fotagate-verify alone does. */
#define STORY(name, status, word, ...) TOLD(name, status, word, expect_foreign(f, !(status)), __VA_ARGS__)
#define STORY_OURS(name, status, word, ...) TOLD(name, status, word, (void)0, __VA_ARGS__)
#define TOLD(name, status, word, then, ...)  \
	static void name(void **state)       \
	{                                    \
		struct fixture *f = *state;  \
		need_program(f);             \
		__VA_ARGS__;                 \
		end(f);                      \
		expect(f, status, word);     \
		then;                        \
	}

STORY(test_grant_of_nothing, 1, "never released", put_module(f, ENTRY_DEVICE_GRANT, 1, "release:00000000000000000000000000000000"))
STORY(test_served_without_grant, 1, "served without a grant", make_release(f); log_release(f);
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj); put_module(f, ENTRY_DEVICE_SERVED, 2, f->obj))
STORY(test_grant_after_revocation, 1, "after the release was revoked", make_release(f); log_release(f);
      put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); f->now += 60; put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_grant_on_its_way, 0, "\nok\n", make_release(f); log_release(f);
      put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_grant_in_a_halt, 1, "while the gateway was halted", make_release(f); log_release(f);
      put_event(f, ENTRY_RESTRICT_HALT, "gateway"); f->now += 60; put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_grant_too_early, 1, "outside the time", f->terms.not_before = NOW + 500; make_release(f); log_release(f);
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_grant_too_late, 1, "outside the time", make_release(f); log_release(f);
      f->now = f->terms.not_after + 60; put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_too_many_modules, 1, "more modules than", f->terms.max_devices = 11; make_release(f); log_release(f);
      for (uint8_t i = 0; i < 12; i++) put_module(f, ENTRY_DEVICE_GRANT, i, f->obj))
STORY(test_same_module_twice, 0, "granted      11", f->terms.max_devices = 11; make_release(f); log_release(f);
      for (uint8_t i = 0; i < 12; i++) put_module(f, ENTRY_DEVICE_GRANT, i ? i : 1, f->obj))
STORY(test_below_the_floor, 1, "fewer persons than genesis demands", make_release(f); f->r->quorum = 1;
      f->r->statements_n = 1; log_release(f))
STORY(test_other_terms_than_signed, 1, "about something else", make_release(f); f->r->terms.max_devices = 5000; log_release(f))
STORY(test_leaves_out_what_was_signed, 1, "about something else", f->terms.quorum = 2; make_release(f);
      f->r->terms.quorum = 0; log_release(f))
STORY(test_signed_by_another, 1, "not signed by the person", make_release(f);
      state_it(f, &f->bob, &f->alice, &f->r->statement[1]); log_release(f))
STORY(test_released_from_the_future, 1, "later log state than its own", make_release(f); f->r->log_size = 1000; log_release(f))
STORY(test_issued_at_another_time, 1, "issued at another time", make_release(f); f->now += 4000; log_release(f))
STORY(test_old_statements_after_revocation, 1, "latest restriction", make_release(f); struct release first = *f->r;
      log_release(f); put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); *f->r = first; f->r->log_size = ledger_size(f->l);
      f->r->issued = f->now; log_release(f))
STORY(test_statement_used_twice, 1, "used up", make_release(f); log_release(f); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
      f->r->log_size = ledger_size(f->l); f->r->issued = f->now; log_release(f); put_module(f, ENTRY_DEVICE_GRANT, 2, f->obj))
STORY(test_taken_back, 0, "\nok\n", make_release(f); log_release(f); put_event(f, ENTRY_RELEASE_REFUSED, f->obj);
      f->r->log_size = ledger_size(f->l); f->r->issued = f->now; log_release(f); put_module(f, ENTRY_DEVICE_GRANT, 2, f->obj))
STORY(test_granted_though_taken_back, 1, "never took effect", make_release(f); log_release(f);
      put_event(f, ENTRY_RELEASE_REFUSED, f->obj); put_module(f, ENTRY_DEVICE_GRANT, 2, f->obj))
STORY(test_failed_without_grant, 1, "served without a grant", make_release(f); log_release(f);
      put_module(f, ENTRY_DEVICE_FAILED, 2, f->obj))
STORY(test_second_genesis, 1, "a second genesis",
      put(f, (struct entry){ .ev = ENTRY_AUTHORITY_GENESIS, .doc = writer_view(&f->genesis) }))
STORY(test_unsigned_resume, 1, "ended by 0 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      put_event(f, ENTRY_RESTRICT_RESUME, "halt"))
STORY(test_resume_by_one, 1, "ended by 1 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      sign_resume(f, &f->alice, &f->alice); sign_resume(f, &f->alice, &f->alice);
      put_event(f, ENTRY_RESTRICT_RESUME, "halt"))
STORY(test_resume_signed_by_another, 1, "ended by 1 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      sign_resume(f, &f->alice, &f->alice); sign_resume(f, &f->bob, &f->alice);
      put_event(f, ENTRY_RESTRICT_RESUME, "halt"))
STORY(test_resume_used_twice, 1, "ended by 0 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway"); resume(f);
      put_event(f, ENTRY_RESTRICT_HALT, "gateway"); put_event(f, ENTRY_RESTRICT_RESUME, "halt"))
/* Halted at NOW, and both have signed that it shall end. */
static void
halted(struct fixture *f)
{
	make_release(f);
	log_release(f);
	put_named(f, ENTRY_RESTRICT_HALT, "gateway", "ok", NOW);
	sign_resume(f, &f->alice, &f->alice);
	sign_resume(f, &f->bob, &f->bob);
	f->now += 60;
}

STORY(test_halt_ended_by_name, 0, "\nok\n", halted(f); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW);
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_another_halt_ended, 1, "while the gateway was halted", halted(f); put_named(f, ENTRY_RESTRICT_HALT, "gateway", "ok", NOW + 9);
      put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_end_denied, 1, "while the gateway was halted", halted(f); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW);
      put_named(f, ENTRY_RESTRICT_RESUME, "halt", "denied", NOW); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_end_denied_then_ended, 0, "\nok\n", halted(f); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW);
      put_named(f, ENTRY_RESTRICT_RESUME, "halt", "denied", NOW); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW);
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_denied_ends_nothing, 1, "while the gateway was halted", halted(f);
      put_named(f, ENTRY_RESTRICT_RESUME, "halt", "denied", NOW); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_end_signed_for_another, 1, "ended by 0 persons", halted(f); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW);
      put_named(f, ENTRY_RESTRICT_HALT, "gateway", "ok", NOW + 9); put_named(f, ENTRY_RESTRICT_RESUME, "halt", "ok", NOW + 9))
/* A release over rings, for so many modules of which one may have been granted it, and its rollout is paused at NOW. */
static void
paused_after(struct fixture *f, uint32_t modules, bool granted)
{
	struct entry e = { .ev = ENTRY_ROLLOUT_PAUSED, .refs = 1 };
	f->terms.have_plan = true;
	f->terms.plan[0] = 9;
	f->terms.max_devices = modules;
	make_release(f);
	log_release(f);
	if (granted)
		put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	e.obj = view_str(f->obj);
	e.ref[0] = (struct entry_ref){ view_str("since"), true, (uint64_t)NOW, { 0 } };
	put(f, e);
	f->now += 60;
}

static void
paused(struct fixture *f, uint32_t modules)
{
	paused_after(f, modules, false);
}

/* It goes on, by what those two signed: bob's name with bob's key, or with alice's. */
struct going {
	const char *step, *ring;
	int64_t since;
	bool forged, other_plan, again;
	unsigned persons;
	const char *over; /* NULL: nothing */
};

static void
goes_on(struct fixture *f, struct going g)
{
	struct approval_terms t = { .decision = APPROVAL_CONTINUE, .step = APPROVAL_STEP_RESUME, .halted_at = NOW, .have_plan = true,
		.plan = { g.other_plan ? 8 : 9 }, .max_devices = f->terms.max_devices, .ring = "half" };
	const struct person *const who[] = { &f->alice, &f->bob };
	struct entry e = { .ev = ENTRY_ROLLOUT_RESUMED, .obj = view_str(f->obj), .act = view_str("alice"), .refs = 3 };
	char digest[2][80], key[2][16];
	uint8_t root[32];
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	if (g.over)
		assert_int_equal(approval_list_add(&t.over, g.over), 0);
	assert_true(hex_decode(view_of(f->obj + 8, 2 * RELEASE_ID), t.release, sizeof t.release));
	e.ref[0] = (struct entry_ref){ view_str("since"), true, (uint64_t)g.since, { 0 } };
	e.ref[1] = (struct entry_ref){ view_str("step"), false, 0, view_str(g.step) };
	e.ref[2] = (struct entry_ref){ view_str("ring"), false, 0, view_str(g.ring) };
	for (unsigned i = 0; i < g.persons; i++) {
		struct release_statement st = { 0 };
		assert_int_equal(ledger_root(f->l, root), 0);
		write_statement(f, people_statement(who[i], &t, f->now, ++f->nonce, ledger_size(f->l), root),
		    g.forged ? &f->alice : who[i], &st);
		snprintf(digest[i], sizeof digest[i], "sha256:");
		hex_encode(st.statement, 32, digest[i] + 7);
		snprintf(key[i], sizeof key[i], "statement.%u", i);
		e.ref[e.refs++] = (struct entry_ref){ view_str(key[i]), false, 0, view_str(digest[i]) };
	}
	put(f, e);
	if (g.since > NOW) /* once more by the same statements */
		put(f, e);
	if (g.again) { /* the warden takes it back */
		e.refs = 3;
		e.out = view_str("denied");
		put(f, e);
		f->now += 60;
	}
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
}

/* As it should be, but for one thing. */
#define GOING(but)                                                                                                  \
	do {                                                                                                        \
		struct going g = { .step = "resume", .ring = "half", .since = NOW, .persons = 2 };                  \
		but;                                                                                                \
		goes_on(f, g);                                                                                      \
	} while (0)
STORY(test_rollout_resumed, 0, "\nok\n", paused(f, 1000); GOING((void)0))
STORY(test_grant_while_paused, 1, "while the rollout was paused", paused(f, 1000); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_resumed_by_one, 1, "by the word of 1 persons", paused(f, 1000); GOING(g.persons = 1))
STORY(test_resumed_by_one_for_few, 0, "\nok\n", paused(f, 10); GOING(g.persons = 1))
STORY(test_resumed_by_nobody, 1, "by the word of 0 persons", paused(f, 10); GOING(g.persons = 0))
STORY(test_resumed_by_a_forger, 1, "not signed by the person", paused(f, 1000); GOING(g.forged = true))
STORY(test_resumed_another_ring, 1, "another rollout go on, or otherwise", paused(f, 1000); GOING(g.ring = "rest"))
STORY(test_resumed_another_step, 1, "another rollout go on, or otherwise", paused(f, 1000); GOING(g.step = "open"))
STORY(test_resumed_another_stop, 1, "after another stop", paused(f, 1000); GOING(g.since = NOW - 1))
STORY(test_resumed_another_plan, 1, "another plan than was signed", paused(f, 1000); GOING(g.other_plan = true))
STORY(test_resumed_twice, 1, "let a rollout go on before", paused(f, 1000); GOING(g.since = NOW + 1))
STORY(test_resumed_in_browsers, 1, "all in browsers", f->by_passkey = 1; paused(f, 1000); f->by_passkey = 2;
      GOING((void)0))
STORY(test_resumed_over_strangers, 1, "more modules than were granted", paused(f, 1000); GOING(g.over = "half: 1 failed, 0 silent"))
STORY(test_resumed_over_one, 0, "\nok\n", paused_after(f, 1000, true); GOING(g.over = "half: 0 failed, 1 silent"))
STORY(test_resumed_over_too_many, 1, "more modules than were granted", paused_after(f, 1000, true); GOING(g.over = "half: 1 failed, 1 silent"))
STORY(test_resumption_taken_back, 1, "while the rollout was paused", paused(f, 1000); GOING(g.again = true))
STORY(test_review_never_opened, 1, "never opened the review", snprintf(f->terms.review, sizeof f->terms.review, "R-8");
      make_release(f); log_release(f))
STORY(test_statement_before_review, 1, "older than the review", make_release(f); put_event(f, ENTRY_REVIEW_OPENED, "R-7");
      f->r->log_size = ledger_size(f->l); f->r->issued = f->now; log_release(f))
STORY(test_policy_missing, 1, "policies/", digest_sha256(view_str("x"), f->terms.policy); make_release(f); log_release(f))
/* Ten modules need one person here, twice ten need two: unless the first ended, also if that was logged a moment late. */
STORY_OURS(test_canary_by_canary, 1, "more modules than so few persons", f->terms.max_devices = 10; make_release(f);
      f->r->quorum = f->r->statements_n = 1; log_release(f); make_release(f); f->r->quorum = f->r->statements_n = 1; log_release(f))
STORY_OURS(test_canary_delta_by_delta, 1, "more modules than so few persons", f->terms.max_devices = 10;
      f->terms.delta = ((struct approval_delta){ .made = APPROVAL_MADE_RECONSTRUCTED, .applier = "bsdiff40/1", .base = { 1 },
	  .target = { 2 } });
      make_release(f); f->r->quorum = f->r->statements_n = 1; log_release(f); f->terms.image[0] ^= 1; make_release(f);
      f->r->quorum = f->r->statements_n = 1; log_release(f))
STORY(test_canary_after_canary, 0, "\nok\n", f->terms.max_devices = 10; make_release(f);
      f->r->quorum = f->r->statements_n = 1; log_release(f); char first[64]; memcpy(first, f->obj, sizeof first);
      put_event(f, ENTRY_APPROVAL_REVOKED, first); make_release(f); f->r->quorum = f->r->statements_n = 1; log_release(f))
STORY(test_passkeys_alone, 1, "nobody signed for it but in a browser", f->by_passkey = 2; make_release(f); log_release(f))
STORY(test_passkeys_alone_for_few, 0, "\nok\n", f->by_passkey = 2; f->terms.max_devices = 10; make_release(f); log_release(f))
STORY(test_passkey_and_another, 0, "\nok\n", f->by_passkey = 1; make_release(f); log_release(f))
STORY_OURS(test_passkeys_few_by_few, 1, "or people in browsers alone", f->by_passkey = 2; f->terms.max_devices = 10;
      make_release(f); log_release(f); make_release(f); log_release(f))
STORY_OURS(test_resume_in_browsers, 1, "was ended in browsers alone", f->by_passkey = 2; put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      resume(f))
STORY(test_resume_in_a_browser_and_off_it, 0, "\nok\n", f->by_passkey = 1; put_event(f, ENTRY_RESTRICT_HALT, "gateway"); resume(f))
STORY(test_unknown_set, 1, "signer set that is not in the export", make_release(f); f->r->signers_number = 1; log_release(f))

/* A statement that claims to have seen more of the log than there was. */
static void
test_later_log_state(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	make_release(f);
	write_statement(f, people_statement(&f->alice, &f->terms, f->now, 0x77, 5000, (const uint8_t[32]){ 1 }), &f->alice,
	    &f->r->statement[0]);
	log_release(f);
	end(f);
	expect(f, 1, "log state that is not this log's");
}

/* Set 1, of bob and carol, in signers/; its text is the caller's to free. */
static void
write_set(struct fixture *f, const struct person *carol, bool with_bob, struct writer *text)
{
	const struct person *who[] = { &f->alice, &f->bob, carol };
	struct signers *next = calloc(1, sizeof *next);
	struct writer sig, allowed;
	char name[64];
	writer_init(text, SIGNERS_SET_BYTES_MAX);
	writer_init(&allowed, 65536);
	next->number = 1;
	next->threshold = 2;
	next->time = NOW;
	people_add(next, with_bob ? &f->bob : &f->alice);
	people_add(next, carol);
	digest_sha256(writer_view(&f->genesis), next->previous);
	assert_int_equal(signers_encode(next, PEOPLE_ORIGIN, text), 0);
	scratch_write(at(f, "e/signers/1.json"), text->p, text->n);
	for (unsigned i = 0; i < 3; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(text), &sig);
		snprintf(name, sizeof name, "e/signers/1.sig.%u", i);
		scratch_write(at(f, name), sig.p, sig.n);
		writer_free(&sig);
	}
	assert_int_equal(signers_allowed(&f->g->set, APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE, &allowed), 0);
	assert_int_equal(signers_allowed(next, APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE, &allowed), 0);
	scratch_write(at(f, "e/signers/allowed_signers"), allowed.p, allowed.n);
	writer_free(&allowed);
	free(next);
}

/* A set of bob and carol, put in force unless told otherwise, and a release by it. */
static void
story_of_sets(struct fixture *f, bool logged, bool other)
{
	struct person carol = people_make("carol@example.com", 3);
	struct writer text;
	write_set(f, &carol, true, &text);
	struct entry e = { .ev = ENTRY_AUTHORITY_SIGNERS, .doc = other ? view_str("{}") : writer_view(&text) };
	if (logged)
		put(f, e);
	make_release(f);
	f->r->signers_number = 1;
	state_it(f, &carol, &carol, &f->r->statement[0]);
	f->r->log_size = ledger_size(f->l);
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	writer_free(&text);
}

/* Releases are judged by it, and every byte of it counts. */
static void
test_next_set(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	story_of_sets(f, true, false);
	end(f);
	expect(f, 0, "\nok\n");
	flip_all(f, "e/signers");
}

static int
approval(struct fixture *f, const struct release_statement *st, const char *export, char *out, size_t cap)
{
	char text[200], sig[200], genesis[200], hex[DIGEST_HEX_LEN + 1];
	hex_encode(st->statement, 32, hex);
	snprintf(text, sizeof text, "%s/e/statements/%s.json", f->tmp.dir, hex);
	snprintf(sig, sizeof sig, "%s/e/statements/%s.sig", f->tmp.dir, hex);
	snprintf(genesis, sizeof genesis, "%s", at(f, "e/signers/genesis.json"));
	const char *argv[] = { "approval", text, sig, "--genesis", genesis, export ? "--export" : NULL, export, NULL };
	return run(f, argv, out, cap);
}

/* Somebody whom only a later set lists: it takes the sets of an export, and those have to hold. */
static void
test_approval_by_a_later_set(void **state)
{
	struct fixture *f = *state;
	char out[16384], dir[200], set[200];
	need_program(f);
	story_of_sets(f, true, false);
	const struct release_statement *by_carol = &f->r->statement[0], *by_bob = &f->r->statement[1];
	struct release_statement other = { 0 };
	snprintf(dir, sizeof dir, "%s", at(f, "e"));
	snprintf(set, sizeof set, "%s", at(f, "e/signers/1.json"));
	assert_int_equal(approval(f, by_carol, NULL, out, sizeof out), 1);
	assert_non_null(strstr(out, "--export"));
	assert_int_equal(approval(f, by_carol, dir, out, sizeof out), 0);
	assert_non_null(strstr(out, "listed in signer set 1, of 0 to 1"));
	assert_int_equal(approval(f, by_bob, dir, out, sizeof out), 0);
	assert_non_null(strstr(out, "listed in signer sets 0 1, of 0 to 1"));
	assert_int_equal(approval(f, by_carol, "/nonexistent", out, sizeof out), 3);
	assert_true(scratch_flip(set, 40, 0x01));
	assert_int_equal(approval(f, by_carol, dir, out, sizeof out), 1);
	assert_non_null(strstr(out, "signer sets of the export do not hold"));
	assert_true(scratch_flip(set, 40, 0x01));
	snprintf(f->terms.gateway, sizeof f->terms.gateway, "elsewhere.example.net/fotagate");
	state_it(f, &f->bob, &f->bob, &other);
	assert_int_equal(approval(f, &other, dir, out, sizeof out), 1);
	assert_non_null(strstr(out, "it is for the gateway elsewhere"));
	end(f);
}

STORY(test_set_never_in_force, 1, "never put it in force", story_of_sets(f, false, false))
STORY(test_set_not_in_force_yet, 1, "judged by signer set 1 while 0 was in force", story_of_sets(f, false, false))
STORY(test_set_of_other_bytes, 1, "not the signer set of signers/1.json", story_of_sets(f, true, true))
STORY(test_set_not_exported, 1, "that is not in the export",
      put(f, (struct entry){ .ev = ENTRY_AUTHORITY_SIGNERS, .doc = view_str("{}") }))

STORY(test_fewer_than_asked, 1, "fewer persons than were asked for", make_release(f);
      log_release_with(f, &(struct entry_ref){ view_str("quorum.asked"), true, 3, { 0 } }, 1))
STORY(test_as_many_as_asked, 0, "\nok\n", make_release(f);
      log_release_with(f, &(struct entry_ref){ view_str("quorum.asked"), true, 2, { 0 } }, 1))
STORY(test_approved_by_who_wished, 1, "bob@example.com wished for it", make_release(f);
      log_release_with(f, &(struct entry_ref){ view_str("requester.0"), false, 0, view_str("bob@example.com") }, 1))

/* ---- suspended keys ---- */

static void
suspend_at(struct fixture *f, const struct person *p, int64_t when)
{
	uint8_t key[32];
	char obj[80] = "key:";
	assert_int_equal(sshkey_digest(&p->key, key), 0);
	hex_encode(key, 32, obj + 4);
	struct entry e = { .ev = ENTRY_AUTHZ_KEY_SUSPENDED, .obj = view_str(obj), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("at"), true, (uint64_t)when, { 0 } };
	put(f, e);
}

static void
suspend(struct fixture *f, const struct person *p)
{
	suspend_at(f, p, f->now);
}

/* Carol's key is suspended, a second before a set that lists it is written or so much later, and signs a release. */
static void
story_of_a_key(struct fixture *f, int64_t later)
{
	struct person carol = people_make("carol@example.com", 3);
	struct writer text;
	f->now += later;
	suspend_at(f, &carol, NOW - 1 + later); /* logged a moment later */
	write_set(f, &carol, true, &text);
	put(f, (struct entry){ .ev = ENTRY_AUTHORITY_SIGNERS, .doc = writer_view(&text) });
	make_release(f);
	f->r->signers_number = 1;
	state_it(f, &carol, &carol, &f->r->statement[0]);
	f->r->log_size = ledger_size(f->l);
	f->now += 60;
	f->r->issued = f->now;
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	writer_free(&text);
}

STORY(test_suspended_key, 1, "a key that was suspended before", make_release(f); suspend(f, &f->alice); f->now += 60;
      f->r->log_size = ledger_size(f->l); f->r->issued = f->now; log_release(f))
STORY(test_suspended_on_its_way, 0, "\nok\n", make_release(f); suspend(f, &f->alice); log_release(f))
STORY_OURS(test_suspended_no_key, 1, "suspends no key", put_event(f, ENTRY_AUTHZ_KEY_SUSPENDED, "key:alice"))
STORY(test_key_brought_back, 0, "\nok\n", story_of_a_key(f, 0))
STORY(test_key_of_a_set_as_old, 1, "a key that was suspended before", story_of_a_key(f, 1))
STORY(test_key_of_an_older_set, 1, "a key that was suspended before", story_of_a_key(f, 120))
STORY_OURS(test_set_by_a_suspended_key, 1, "signed by 1 persons of the one before", suspend(f, &f->alice); story_of_sets(f, true, false))
STORY_OURS(test_resume_by_a_suspended_key, 1, "ended by 1 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      suspend(f, &f->alice); resume(f))
STORY(test_revoked_again_is_no_grace, 1, "after the release was revoked", make_release(f); log_release(f);
      put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); f->now += 60; put_event(f, ENTRY_APPROVAL_REVOKED, f->obj);
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_halted_again_is_no_grace, 1, "while the gateway was halted", make_release(f); log_release(f);
      put_event(f, ENTRY_RESTRICT_HALT, "gateway"); f->now += 60; put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_grant_while_the_clock_is_held, 1, "while the clock was held", make_release(f); log_release(f);
      put_event(f, ENTRY_CLOCK_STEPPED, "clock"); f->now += 60; put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_release_while_the_clock_is_held, 1, "released while the clock was held", make_release(f);
      put_event(f, ENTRY_CLOCK_STEPPED, "clock"); f->now += 60; f->r->issued = f->now; log_release(f))
STORY(test_clock_came_back, 0, "\nok\n", make_release(f); log_release(f); put_event(f, ENTRY_CLOCK_STEPPED, "clock");
      f->now += 60; confirm_clock(f, false); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_clock_confirmed, 0, "\nok\n", make_release(f); log_release(f); put_event(f, ENTRY_CLOCK_STEPPED, "clock");
      sign_resume_of(f, "clock", &f->alice, &f->alice); sign_resume_of(f, "clock", &f->bob, &f->bob); f->now += 60;
      confirm_clock(f, true); put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))
STORY(test_clock_confirmed_by_one, 1, "hold of the clock was ended by 1 persons", put_event(f, ENTRY_CLOCK_STEPPED, "clock");
      sign_resume_of(f, "clock", &f->alice, &f->alice); sign_resume(f, &f->bob, &f->bob); confirm_clock(f, true))
STORY(test_halt_ended_for_the_clock, 1, "a halt was ended by 0 persons", put_event(f, ENTRY_RESTRICT_HALT, "gateway");
      sign_resume_of(f, "clock", &f->alice, &f->alice); sign_resume_of(f, "clock", &f->bob, &f->bob);
      put_event(f, ENTRY_RESTRICT_RESUME, "halt"))
STORY(test_clock_ends_no_halt, 1, "while the gateway was halted", make_release(f); log_release(f);
      put_event(f, ENTRY_RESTRICT_HALT, "gateway"); put_event(f, ENTRY_RESTRICT_RESUME, "clock"); f->now += 60;
      put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))

/* People sign for one hold, by its name; only the warden's word that names it ends it without them. */
static void
sign_for_the_clock(struct fixture *f)
{
	sign_resume_of(f, "clock", &f->alice, &f->alice);
	sign_resume_of(f, "clock", &f->bob, &f->bob);
}

STORY(test_hold_confirmed, 0, "\nok\n", step_clock(f, NOW); sign_for_the_clock(f); confirm_clock(f, true))
STORY_OURS(test_another_hold_confirmed, 1, "hold of the clock was ended by 0 persons", step_clock(f, NOW + 5);
      sign_for_the_clock(f); confirm_clock(f, true))
STORY_OURS(test_nobody_ended_the_hold, 1, "hold of the clock was ended by 0 persons", step_clock(f, NOW);
      put_event(f, ENTRY_RESTRICT_RESUME, "clock"))
STORY_OURS(test_another_hold_came_back, 1, "hold of the clock was ended by 0 persons", step_clock(f, NOW + 5); confirm_clock(f, false))
STORY(test_signed_for_a_hold_that_ended, 1, "hold of the clock was ended by 0 persons", put_event(f, ENTRY_CLOCK_STEPPED, "clock");
      sign_for_the_clock(f); confirm_clock(f, false); put_event(f, ENTRY_CLOCK_STEPPED, "clock"); confirm_clock(f, true))

/* Who writes the log can turn its time back, or make it stand: neither gives what was stopped its moment again. */
STORY(test_time_goes_back, 1, "time goes back", put_event(f, ENTRY_AUTH_OK, "x"); f->now -= 2; put_event(f, ENTRY_AUTH_OK, "x"))
STORY(test_time_goes_back_for_a_suspended_key, 1, "time goes back", make_release(f); int64_t then = f->now; f->now += 60;
      suspend(f, &f->alice); f->now = then; f->r->log_size = ledger_size(f->l); log_release(f))
STORY(test_time_may_stand, 0, "\nok\n", put_event(f, ENTRY_AUTH_OK, "x"); f->now--; put_event(f, ENTRY_AUTH_OK, "x"))

/* Releases while time stands, with the clock held or the key of one who signs suspended. */
static void
story_of_standing_time(struct fixture *f, bool hold, unsigned releases)
{
	if (hold)
		put_event(f, ENTRY_CLOCK_STEPPED, "clock");
	else
		suspend(f, &f->alice);
	for (unsigned i = 0; i < releases; i++) {
		make_release(f);
		log_release(f);
		f->now--;
	}
}

STORY_OURS(test_standing_in_a_hold, 1, "released while the clock was held", story_of_standing_time(f, true, 3))
STORY_OURS(test_standing_for_a_key, 1, "a key that was suspended before", story_of_standing_time(f, false, 3))
STORY(test_few_in_a_hold, 0, "\nok\n", story_of_standing_time(f, true, 2))
STORY(test_few_by_a_key, 0, "\nok\n", story_of_standing_time(f, false, 2))

static void
revoke_image(struct fixture *f)
{
	char obj[80] = "sha256:";
	hex_encode(f->terms.image, DIGEST_SHA256_LEN, obj + 7);
	put_event(f, ENTRY_APPROVAL_REVOKED, obj);
}

/* Judged by the set before, though another was in force. */
static void
test_old_set(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct writer text;
	need_program(f);
	write_set(f, &carol, true, &text);
	put(f, (struct entry){ .ev = ENTRY_AUTHORITY_SIGNERS, .doc = writer_view(&text) });
	make_release(f);
	log_release(f);
	end(f);
	expect(f, 1, "judged by signer set 0 while 1 was in force");
	writer_free(&text);
}

/* An image revoked again and again stops each of its releases once, at the first time, and those of no other image. */
STORY(test_image_revoked_twice, 1, "after the release was revoked", make_release(f); log_release(f); char first[64];
      memcpy(first, f->obj, sizeof first); make_release(f); log_release(f); revoke_image(f); f->now += 60; revoke_image(f);
      put_module(f, ENTRY_DEVICE_GRANT, 1, first))
STORY(test_other_image_revoked, 0, "\nok\n", make_release(f); log_release(f); f->terms.image[0] ^= 1; revoke_image(f);
      f->now += 60; put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj))

/* Nothing but line ends: no memory for each of them. */
static void
test_nothing_but_lines(void **state)
{
	struct fixture *f = *state;
	static const size_t n = 64u << 20;
	need_program(f);
	end(f);
	char *p = malloc(n);
	memset(p, '\n', n);
	scratch_write(at(f, "e/entries.jsonl"), p, n);
	free(p);
	expect(f, 1, "are no entries");
	expect(f, 1, "entries.jsonl is empty");
}

/* A receipt that carries its entry, and one approval by itself. */
static void
test_receipt_and_approval(void **state)
{
	struct fixture *f = *state;
	struct writer text, line, with;
	struct receipt r;
	char out[16384], a[200], b[200], c[200];
	need_program(f);
	make_release(f);
	log_release(f);
	writer_init(&text, RECEIPT_SIZE_MAX);
	writer_init(&line, ENTRY_MAX);
	writer_init(&with, RECEIPT_SIZE_MAX);
	struct writer store;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	assert_int_equal(ledger_receipt(f->l, 2, &text, &line), 0);
	assert_int_equal(receipt_parse(writer_view(&text), &store, &r), 0);
	r.extra = writer_view(&line);
	assert_int_equal(receipt_encode(&r, &with), 0);
	end(f);
	scratch_write(at(f, "r"), with.p, with.n);
	snprintf(a, sizeof a, "%s", at(f, "r"));
	snprintf(b, sizeof b, "%s", at(f, "trust"));
	assert_int_equal(run(f, (const char *const[]){ "receipt", a, "--trust", b, NULL }, out, sizeof out), 0);
	assert_non_null(strstr(out, "review.opened"));
	for (size_t i = 0; i < with.n; i += 17) {
		assert_true(scratch_flip(a, (off_t)i, 0x01));
		assert_int_equal(run(f, (const char *const[]){ "receipt", a, "--trust", b, NULL }, out, sizeof out), 1);
		assert_true(scratch_flip(a, (off_t)i, 0x01));
	}
	scratch_write(a, text.p, text.n); /* without its entry */
	assert_int_equal(run(f, (const char *const[]){ "receipt", a, "--trust", b, NULL }, out, sizeof out), 1);
	assert_int_equal(run(f, (const char *const[]){ "receipt", a, NULL }, out, sizeof out), 2);
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(f->r->statement[0].statement, 32, hex);
	snprintf(a, sizeof a, "%s/e/statements/%s.json", f->tmp.dir, hex);
	snprintf(b, sizeof b, "%s/e/statements/%s.sig", f->tmp.dir, hex);
	snprintf(c, sizeof c, "%s", at(f, "e/signers/genesis.json"));
	assert_int_equal(run(f, (const char *const[]){ "approval", a, b, "--genesis", c, NULL }, out, sizeof out), 0);
	assert_non_null(strstr(out, "ok: signed by alice@example.com"));
	hex_encode(f->r->statement[1].statement, 32, hex);
	snprintf(b, sizeof b, "%s/e/statements/%s.sig", f->tmp.dir, hex);
	assert_int_equal(run(f, (const char *const[]){ "approval", a, b, "--genesis", c, NULL }, out, sizeof out), 1);
	assert_int_equal(run(f, (const char *const[]){ "approval", a, "/nonexistent", "--genesis", c, NULL }, out, sizeof out), 3);
	writer_free(&text);
	writer_free(&line);
	writer_free(&with);
	writer_free(&store);
}

/* A bare touch of a key that the set asks for its owner's PIN is nobody's signature, however well it was made. */
static void
test_user_verification(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	make_release(f);
	log_release(f);
	end(f);
	expect(f, 0, "\nok\n");
}

static void
test_bare_touch(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	f->flags = 0x01;
	make_release(f);
	log_release(f);
	end(f);
	expect(f, 1, "");
}

/* ---- what nobody signed for ---- */

#define REPORT_OF(findings, verdict, delta) "{\"schema\":\"fotagate-report/1\",\"delta\":" delta ",\"findings\":[" findings \
	"],\"signatures\":[],\"verdict\":\"" verdict "\"}"
#define REPORT_GOOD REPORT_OF("{\"id\":\"SIG-NONE\",\"severity\":\"notice\"},{\"id\":\"X\",\"severity\":\"info\"}", "review", "null")
#define STANDING(name, status, word, report, change, ...)                       \
	STORY(name, status, word, struct approval_terms t = people_standing(PEOPLE_T0); \
	      t.bounds.max_releases = 2; change; make_standing(f, &t, true, report); __VA_ARGS__)
#define GRANTED put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj)

STANDING(test_standing, 0, "released     2", REPORT_GOOD, (void)0, log_release(f); GRANTED; log_another(f); GRANTED)
STANDING(test_standing_once_more, 1, "allowed fewer releases", REPORT_GOOD, (void)0, log_release(f); log_another(f); log_another(f))
STANDING(test_standing_days_later, 0, "\nok\n", REPORT_GOOD, (void)0, f->now += 8 * PEOPLE_DAY; log_another(f); GRANTED)
STANDING(test_standing_revoked, 1, "latest restriction", REPORT_GOOD, (void)0, log_release(f); put_standing_revoked(f, &t); log_another(f))
STANDING(test_standing_image_revoked, 1, "latest restriction", REPORT_GOOD, (void)0, log_release(f);
	 put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); f->r->log_size = ledger_size(f->l); f->r->issued = f->now; log_release(f))
STANDING(test_standing_too_many_modules, 1, "outside the standing", REPORT_GOOD, f->terms.max_devices = 51, log_release(f))
STANDING(test_standing_too_long, 1, "outside the standing", REPORT_GOOD, f->terms.not_after++, log_release(f))
STANDING(test_standing_finding, 1, "outside the standing", REPORT_GOOD, approval_list_add(&f->terms.findings, "URL-NEW"), log_release(f))
STANDING(test_standing_finding_left_out, 1, "the record leaves out",
	 REPORT_OF("{\"id\":\"URL-NEW\",\"severity\":\"warning\"}", "review", "null"), (void)0, log_release(f))
STANDING(test_standing_blocked, 1, "it is blocked", REPORT_OF("", "blocked", "null"), (void)0, log_release(f))
STANDING(test_standing_delta_left_out, 1, "about a delta", REPORT_OF("", "review", "{\"outcome\":\"x\"}"), (void)0, log_release(f))
STANDING(test_standing_no_report, 1, "its report is none", "{}", (void)0, log_release(f))
STANDING(test_standing_by_another, 1, "another standing statement", REPORT_GOOD, (void)0, f->r->standing[0] ^= 1; log_release(f))
STANDING(test_standing_for_later_modules, 1, "modules that came after", REPORT_GOOD, (void)0, f->r->as_of++; log_release(f))
STANDING(test_standing_as_of_nothing, 0, "\nok\n", REPORT_GOOD, (void)0, f->r->as_of = 0; log_release(f))
#define REPORT_BY(signatures) "{\"signatures\":[" signatures "],\"findings\":[{\"id\":\"SIG-NONE\",\"severity\":\"notice\"}],\"verdict\":\"review\"}"
#define KEY_OF(digits) digits digits digits digits digits digits digits digits
#define SIGNED(outcome, digits, where) \
	"{\"outcome\":\"" outcome "\",\"signer\":{\"spki_sha256\":\"" KEY_OF(digits) "\"},\"where\":\"" where "\"}"
#define BY_VENDOR t.bounds.signers.n = 1; snprintf(t.bounds.signers.word[0], APPROVAL_WORD_MAX, "%s", KEY_OF("55555555")); \
	f->terms.have_signer = true; memset(f->terms.signer, 0x55, sizeof f->terms.signer)
STANDING(test_standing_signer, 0, "\nok\n", REPORT_BY(SIGNED("verified", "55555555", "") "," SIGNED("verified", "66666666", "part") ","
         SIGNED("untrusted", "66666666", "")), BY_VENDOR, log_release(f))
STANDING(test_standing_other_signer, 1, "another signer than the record", REPORT_BY(SIGNED("verified", "66666666", "")), BY_VENDOR,
         log_release(f))
STANDING(test_standing_second_signer, 1, "another signer than the record",
         REPORT_BY(SIGNED("verified", "55555555", "") "," SIGNED("verified", "66666666", "")), BY_VENDOR, log_release(f))
STANDING(test_standing_no_signer, 1, "another signer than the record", REPORT_BY(SIGNED("untrusted", "55555555", "")), BY_VENDOR,
         log_release(f))
STANDING(test_standing_signer_unsaid, 1, "outside the standing", REPORT_BY(SIGNED("verified", "55555555", "")), BY_VENDOR,
         f->r->terms.have_signer = false; log_release(f))
STANDING(test_standing_policy, 1, "outside the standing", REPORT_GOOD, (void)0, f->r->terms.policy[0] ^= 1; log_release(f))
STANDING(test_standing_few_persons, 1, "too few persons", REPORT_GOOD, t.max_devices = 9; f->terms.max_devices = 9,
	 f->r->statements_n = f->r->quorum = 1; log_release(f))
STANDING(test_standing_canary, 0, "\nok\n", REPORT_GOOD, t.max_devices = 5; f->terms.max_devices = 5,
	 f->r->statements_n = f->r->quorum = 1; log_release(f))
STANDING(test_standing_quorum, 1, "asks for more persons", REPORT_GOOD, t.quorum = 3, log_release(f))
STORY(test_standing_not_proposed, 1, "never opened", struct approval_terms t = people_standing(PEOPLE_T0);
      make_standing(f, &t, false, REPORT_GOOD); log_release(f))
STORY(test_approval_called_standing, 1, "no standing statement", make_release(f); f->r->by_standing = true; log_release(f))
STORY(test_standing_called_approval, 1, "about something else", struct approval_terms t = people_standing(PEOPLE_T0);
      make_standing(f, &t, true, REPORT_GOOD); f->r->by_standing = false; f->r->as_of = 0; log_release(f))

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ok), TEST(test_every_file), TEST(test_grant_of_nothing), TEST(test_served_without_grant),
		TEST(test_grant_after_revocation), TEST(test_grant_on_its_way), TEST(test_grant_in_a_halt),
		TEST(test_grant_too_early), TEST(test_grant_too_late), TEST(test_too_many_modules),
		TEST(test_same_module_twice), TEST(test_below_the_floor), TEST(test_other_terms_than_signed),
		TEST(test_leaves_out_what_was_signed), TEST(test_signed_by_another), TEST(test_later_log_state), TEST(test_released_from_the_future),
		TEST(test_issued_at_another_time), TEST(test_old_statements_after_revocation), TEST(test_statement_used_twice),
		TEST(test_failed_without_grant), TEST(test_second_genesis), TEST(test_unsigned_resume), TEST(test_resume_by_one),
		TEST(test_resume_signed_by_another), TEST(test_resume_used_twice),
		TEST(test_rollout_resumed), TEST(test_grant_while_paused), TEST(test_resumed_by_one), TEST(test_resumed_by_one_for_few),
		TEST(test_resumed_by_nobody), TEST(test_resumed_by_a_forger), TEST(test_resumed_another_ring),
		TEST(test_resumed_another_step), TEST(test_resumed_another_stop), TEST(test_resumed_another_plan),
		TEST(test_resumed_twice),
		TEST(test_halt_ended_by_name), TEST(test_another_halt_ended), TEST(test_end_denied), TEST(test_end_denied_then_ended),
		TEST(test_denied_ends_nothing), TEST(test_end_signed_for_another),
		 TEST(test_review_never_opened),
		TEST(test_statement_before_review), TEST(test_policy_missing), TEST(test_set_never_in_force),
		TEST(test_set_not_in_force_yet), TEST(test_set_of_other_bytes), TEST(test_set_not_exported), TEST(test_old_set),
		TEST(test_taken_back), TEST(test_granted_though_taken_back), TEST(test_unknown_set), TEST(test_next_set),
		TEST(test_approval_by_a_later_set), TEST(test_canary_by_canary), TEST(test_canary_delta_by_delta), TEST(test_canary_after_canary),
		TEST(test_fewer_than_asked), TEST(test_as_many_as_asked), TEST(test_approved_by_who_wished),
		TEST(test_suspended_key), TEST(test_suspended_on_its_way), TEST(test_suspended_no_key), TEST(test_key_brought_back),
		TEST(test_key_of_a_set_as_old), TEST(test_set_by_a_suspended_key), TEST(test_resume_by_a_suspended_key),
		TEST(test_key_of_an_older_set), TEST(test_key_of_a_set_as_old),
		TEST(test_set_by_a_suspended_key), TEST(test_resume_by_a_suspended_key),
		TEST(test_revoked_again_is_no_grace), TEST(test_halted_again_is_no_grace), TEST(test_clock_ends_no_halt),
		TEST(test_grant_while_the_clock_is_held), TEST(test_release_while_the_clock_is_held),
		TEST(test_clock_came_back), TEST(test_clock_confirmed), TEST(test_clock_confirmed_by_one),
		TEST(test_halt_ended_for_the_clock), TEST(test_time_goes_back), TEST(test_time_goes_back_for_a_suspended_key),
		TEST(test_time_may_stand), TEST(test_standing_in_a_hold), TEST(test_standing_for_a_key), TEST(test_few_in_a_hold),
		TEST(test_hold_confirmed), TEST(test_another_hold_confirmed), TEST(test_nobody_ended_the_hold),
		TEST(test_another_hold_came_back), TEST(test_signed_for_a_hold_that_ended),
		TEST(test_few_by_a_key), TEST(test_image_revoked_twice), TEST(test_other_image_revoked), TEST(test_nothing_but_lines),
		TEST(test_receipt_and_approval),
		TEST(test_standing), TEST(test_standing_once_more), TEST(test_standing_days_later),
		TEST(test_standing_revoked), TEST(test_standing_image_revoked), TEST(test_standing_too_many_modules),
		TEST(test_standing_too_long), TEST(test_standing_finding), TEST(test_standing_finding_left_out),
		TEST(test_standing_blocked), TEST(test_standing_delta_left_out), TEST(test_standing_no_report),
		TEST(test_standing_by_another), TEST(test_standing_for_later_modules), TEST(test_standing_as_of_nothing),
		TEST(test_standing_signer), TEST(test_standing_other_signer), TEST(test_standing_second_signer),
		TEST(test_standing_no_signer), TEST(test_standing_signer_unsaid),
		 TEST(test_standing_policy), TEST(test_standing_few_persons),
		TEST(test_standing_canary), TEST(test_standing_quorum), TEST(test_standing_not_proposed), TEST(test_approval_called_standing),
		TEST(test_standing_called_approval),
		cmocka_unit_test_setup_teardown(test_resume_in_browsers, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_resumed_in_browsers, setup_passkeys, teardown),
		TEST(test_resumed_over_strangers), TEST(test_resumed_over_one), TEST(test_resumed_over_too_many),
		TEST(test_resumption_taken_back),
		cmocka_unit_test_setup_teardown(test_resume_in_a_browser_and_off_it, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_passkeys_alone, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_passkeys_alone_for_few, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_passkey_and_another, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_passkeys_few_by_few, setup_passkeys, teardown),
		cmocka_unit_test_setup_teardown(test_user_verification, setup_sk, teardown),
		cmocka_unit_test_setup_teardown(test_bare_touch, setup_sk, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
