/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/judge.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"
#include "unit/crypto/token.h"

#define NOW (PEOPLE_T0 + 3600)

static const uint8_t root[32] = { 7 };

struct fixture {
	struct person alice, bob, carol, sven;
	struct genesis *g;
	struct judge_case c;
	struct approval *said[4];
	struct person by[4];
	const struct token *passkey[4]; /* in place of the person's key */
	const char *ns;
	uint8_t flags;
	unsigned n;
	struct writer text[4], sig[4];
	struct judge_answer ans;
};

static void
says(struct fixture *f, const struct person *p)
{
	f->by[f->n] = *p;
	f->said[f->n] = people_statement(p, &f->c.terms, NOW - 60, (uint8_t)(f->n + 1), 500, root);
	f->c.roots[f->n] = root;
	f->n++;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->sven = people_sk("sven@example.com", 4);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob, &f->carol, &f->sven }, 4, 2);
	f->ns = APPROVAL_NAMESPACE;
	f->flags = 1;
	f->c = (struct judge_case){ .genesis = f->g, .set = &f->g->set, .terms = people_terms(PEOPLE_T0, 50), .quorum = 2,
		.newer_than = 400, .earliest = NOW, .latest = NOW };
	for (unsigned i = 0; i < 4; i++) {
		writer_init(&f->text[i], APPROVAL_BYTES_MAX);
		writer_init(&f->sig[i], SSHSIG_ARMOR_MAX);
	}
	says(f, &f->alice);
	says(f, &f->bob);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 4; i++) {
		writer_free(&f->text[i]);
		writer_free(&f->sig[i]);
		free(f->said[i]);
	}
	free(f->g);
	free(f);
	return 0;
}

/* Writes and signs whatever stands in said[], judges, and gives the number that counted. */
static unsigned
judged(struct fixture *f)
{
	struct judge_bundle b = { .n = f->n };
	char why[200] = "";
	for (unsigned i = 0; i < f->n; i++) {
		writer_reset(&f->text[i]);
		writer_reset(&f->sig[i]);
		assert_int_equal(approval_encode(f->said[i], &f->text[i], why, sizeof why), 0);
		if (f->passkey[i])
			token_passkey(f->passkey[i], writer_view(&f->text[i]), &f->sig[i]);
		else
			people_sign_with(&f->by[i], f->ns, writer_view(&f->text[i]), f->flags, &f->sig[i]);
		b.pair[i].statement = writer_view(&f->text[i]);
		b.pair[i].signature = writer_view(&f->sig[i]);
	}
	assert_int_equal(judge_case(&f->c, &b, &f->ans), 0);
	assert_int_equal(f->ans.counted, f->ans.statements_n);
	assert_true(f->ans.permitted == (f->ans.why[0] == '\0'));
	assert_true(!f->ans.permitted || f->ans.counted >= f->ans.needed);
	return f->ans.counted;
}

static void
permitted(struct fixture *f, unsigned n)
{
	assert_int_equal(judged(f), n);
	assert_true(f->ans.permitted);
}

static void
refused(struct fixture *f, unsigned counted, const char *word)
{
	assert_int_equal(judged(f), counted);
	assert_false(f->ans.permitted);
	if (!strstr(f->ans.why, word))
		fail_msg("\"%s\" does not say \"%s\"", f->ans.why, word);
}

static void
test_permitted(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[32];
	permitted(f, 2);
	assert_int_equal(f->ans.needed, 2);
	assert_string_equal(f->ans.statement[0].approver, "alice@example.com");
	digest_sha256(writer_view(&f->text[1]), digest);
	assert_memory_equal(f->ans.statement[1].statement, digest, 32);
	digest_sha256(writer_view(&f->sig[1]), digest);
	assert_memory_equal(f->ans.statement[1].signature, digest, 32);
	sshkey_digest(&f->bob.key, digest);
	assert_memory_equal(f->ans.statement[1].key, digest, 32);
	says(f, &f->sven);
	permitted(f, 3);
	f->flags = 0;
	permitted(f, 2); /* nobody touched the key */
}

static void
test_passkeys_alone_release_to_few(void **state)
{
	struct fixture *f = *state;
	struct token alice = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), bob = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	struct signers *set = &f->g->set;
	set->signer[0].key = alice.key;
	set->signer[1].key = bob.key;
	f->passkey[0] = &alice;
	f->passkey[1] = &bob;
	refused(f, 0, "not a good one"); /* the set names no console */
	snprintf(set->console, sizeof set->console, "%s", TOKEN_SITE);
	refused(f, 2, "fotagate review statement");
	assert_int_equal(f->ans.off_console, 0);
	f->c.terms.max_devices = f->said[0]->terms.max_devices = f->said[1]->terms.max_devices = 10;
	permitted(f, 2);
	f->c.others = 41; /* many small ones are one large one */
	refused(f, 2, "off it");
	says(f, &f->carol);
	permitted(f, 3);
	assert_int_equal(f->ans.off_console, 1);
	EVP_PKEY_free(alice.p256);
	EVP_PKEY_free(bob.p256);
}

/* A standing statement covers what it says, while there are places, and never by passkeys alone for many. */
static void
test_standing(void **state)
{
	struct fixture *f = *state;
	struct token alice = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), bob = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	f->c.covers = f->c.terms;
	f->c.terms = people_standing(PEOPLE_T0);
	f->c.terms.bounds.max_releases = 3;
	f->said[0]->terms = f->said[1]->terms = f->c.terms;
	f->c.used = 2;
	permitted(f, 2);
	f->c.used = 3;
	refused(f, 2, "they were issued");
	f->c.used = 0;
	/* Nine days after it was signed it is used all the same; a day later it has ended. */
	f->c.earliest = f->c.latest = PEOPLE_T0 + 9 * PEOPLE_DAY;
	permitted(f, 2);
	f->c.latest = PEOPLE_T0 + 10 * PEOPLE_DAY; /* by one end of what time it may be */
	refused(f, 0, "expired");
	f->c.earliest = f->c.latest = NOW;
	approval_list_add(&f->c.covers.findings, "URL-NEW");
	refused(f, 2, "not listed");
	f->c.covers = (struct approval_terms){ 0 };
	refused(f, 2, "no release");
	f->c.covers = people_terms(PEOPLE_T0, 50);
	f->n = 1;
	refused(f, 1, "1 of 2");
	f->n = 2;
	struct signers *set = &f->g->set;
	set->signer[0].key = alice.key;
	set->signer[1].key = bob.key;
	snprintf(set->console, sizeof set->console, "%s", TOKEN_SITE);
	f->passkey[0] = &alice;
	f->passkey[1] = &bob;
	refused(f, 2, "fotagate standing statement");
	says(f, &f->carol);
	permitted(f, 3);
	EVP_PKEY_free(alice.p256);
	EVP_PKEY_free(bob.p256);
}

static void
test_quorum(void **state)
{
	struct fixture *f = *state;
	f->n = 1;
	refused(f, 1, "1 of 2");
	f->c.quorum = 0; /* the floor for 50 modules still stands */
	refused(f, 1, "1 of 2");
	f->c.terms.max_devices = f->said[0]->terms.max_devices = 10;
	permitted(f, 1); /* a canary's floor is one */
	f->c.quorum = 2;
	refused(f, 1, "1 of 2");
	f->n = 0;
	refused(f, 0, "0 of 2");
	f->n = 2;
	f->said[1]->terms.max_devices = 10;
	f->c.quorum = 3;
	refused(f, 2, "2 of 3");
	/* What they signed that they are holds, whatever control asks for. */
	f->c.quorum = 0;
	f->c.terms.quorum = f->said[0]->terms.quorum = f->said[1]->terms.quorum = 3;
	refused(f, 2, "2 of 3");
	f->c.terms.quorum = f->said[0]->terms.quorum = f->said[1]->terms.quorum = 2;
	permitted(f, 2);
}

static void
test_one_person(void **state)
{
	struct fixture *f = *state;
	struct person again = people_make("alice@example.com", 11);
	people_add(&f->g->set, &again);
	f->by[1] = again;
	snprintf(f->said[1]->approver, sizeof f->said[1]->approver, "alice@example.com");
	refused(f, 1, "one person signed twice");
	/* The very same statement and signature a second time. */
	*f->said[1] = *f->said[0];
	f->by[1] = f->alice;
	refused(f, 1, "nonce was used");
	/* Another person with a nonce that was used. */
	f->by[1] = f->bob;
	snprintf(f->said[1]->approver, sizeof f->said[1]->approver, "bob@example.com");
	refused(f, 1, "nonce was used");
	f->said[1]->nonce[3]++;
	permitted(f, 2);
}

static void
test_who_signs(void **state)
{
	struct fixture *f = *state;
	struct person mallory = people_make("bob@example.com", 66);
	const char *requesters[] = { "nobody", "bob@example.com" };
	f->by[1] = mallory;
	refused(f, 1, "not a good one");
	f->by[1] = f->carol; /* hers, over a statement that names him */
	refused(f, 1, "not a good one");
	f->by[1] = f->bob;
	f->c.requesters = requesters;
	f->c.requesters_n = 2;
	refused(f, 1, "does not count");
	f->c.requesters_n = 1;
	permitted(f, 2);
	f->ns = SIGNERS_NAMESPACE;
	refused(f, 0, "not a good one");
	f->ns = APPROVAL_NAMESPACE;
	struct signer *bob = &f->g->set.signer[1];
	bob->valid_before = NOW;
	refused(f, 1, "not a good one");
	bob->valid_before = NOW + 1;
	permitted(f, 2);
	bob->valid_after = NOW + 1;
	bob->valid_before = NOW + 5;
	refused(f, 1, "not a good one");
}

static void
test_another_thing(void **state)
{
	struct fixture *f = *state;
	struct approval_terms good = f->said[1]->terms, *t = &f->said[1]->terms;
#define OTHER(word, change)                  \
	do {                                 \
		*t = good;                   \
		change;                      \
		refused(f, 1, word);         \
	} while (0)
	OTHER("image digest", t->image[0] ^= 1);
	OTHER("report digest", t->report[0] ^= 1);
	OTHER("policy digest", t->policy[0] ^= 1);
	OTHER("resource", t->resource[0] ^= 1);
	OTHER("gateway", t->gateway[0] = 'x');
	OTHER("review", t->review[2] = '8');
	OTHER("subject", t->subject[0] = 'x');
	OTHER("profile", t->profile[0] = 'x');
	OTHER("product", t->product[0] = 'x');
	OTHER("target", t->target[0] = 'x');
	OTHER("max_devices", t->max_devices = 51);
	OTHER("groups", approval_list_add(&t->groups, "*"));
	OTHER("from-versions", approval_list_add(&t->from_versions, "*"));
	OTHER("findings", t->findings.n = 0);
	OTHER("not_before", t->not_before++);
	OTHER("not_after", t->not_after++);
	OTHER("quorum", t->quorum = 1);
	OTHER("plan", t->have_plan = true);
	OTHER("delta", t->delta.made = APPROVAL_MADE_UNSEEN);
	OTHER("decision", *t = ((struct approval_terms){ .decision = APPROVAL_RESUME, .halted_at = NOW });
	      snprintf(t->gateway, sizeof t->gateway, "%s", PEOPLE_ORIGIN));
	*t = good;
	permitted(f, 2);
	/* The case itself is about another gateway than genesis: nothing counts. */
	snprintf(f->c.terms.gateway, sizeof f->c.terms.gateway, "other.example.com/fotagate");
	f->said[0]->terms = f->said[1]->terms = f->c.terms;
	refused(f, 0, "another gateway");
}

static void
test_times_and_log(void **state)
{
	struct fixture *f = *state;
	struct approval good = *f->said[1], *a = f->said[1];
	static const uint8_t other[32] = { 8 };
#define BAD(word, change)              \
	do {                           \
		*a = good;             \
		f->c.roots[1] = root;  \
		change;                \
		refused(f, 1, word);   \
	} while (0)
	BAD("72 hours", a->time = NOW - APPROVAL_SUBMIT_WINDOW - 1);
	BAD("future", a->time = NOW + APPROVAL_SKEW + 1);
	BAD("older than the review", a->log_size = 400);
	BAD("older than the review", a->log_size = 0);
	BAD("not in our log", f->c.roots[1] = NULL);
	BAD("not in our log", f->c.roots[1] = other);
	BAD("not in our log", a->log_root[31] ^= 1);
	*a = good;
	f->c.roots[1] = root;
	permitted(f, 2);
	f->c.earliest = f->c.latest = f->c.terms.not_after;
	for (unsigned i = 0; i < 2; i++)
		f->said[i]->time = f->c.latest - 5;
	refused(f, 0, "expired");
	f->c.earliest = f->c.latest = NOW;
	f->c.terms.not_before = NOW + 20 * PEOPLE_DAY;
	f->c.terms.not_after = NOW + 40 * PEOPLE_DAY;
	for (unsigned i = 0; i < 2; i++) {
		f->said[i]->terms = f->c.terms;
		f->said[i]->time = NOW - 5;
	}
	refused(f, 0, "30 days");
}

static void
test_resume(void **state)
{
	struct fixture *f = *state;
	f->c.terms = (struct approval_terms){ .decision = APPROVAL_RESUME, .halted_at = NOW - 100 };
	snprintf(f->c.terms.gateway, sizeof f->c.terms.gateway, "%s", PEOPLE_ORIGIN);
	f->c.newer_than = 0;
	f->c.quorum = 0;
	for (unsigned i = 0; i < 2; i++)
		f->said[i]->terms = f->c.terms;
	permitted(f, 2);
	assert_int_equal(f->ans.needed, 2); /* production's floor, whatever is asked */
	f->n = 1;
	refused(f, 1, "1 of 2");
	f->n = 2;
	f->said[1]->terms.halted_at--; /* of an earlier halt */
	refused(f, 1, "halt");
	f->said[1]->terms.halted_at++;
	/* It has no modules, and is no canary's for that. */
	struct token alice = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), bob = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	f->g->set.signer[0].key = alice.key;
	f->g->set.signer[1].key = bob.key;
	f->passkey[0] = &alice;
	f->passkey[1] = &bob;
	snprintf(f->g->set.console, sizeof f->g->set.console, "%s", TOKEN_SITE);
	refused(f, 2, "fotagate resume statement");
	EVP_PKEY_free(alice.p256);
	EVP_PKEY_free(bob.p256);
}

/* Bytes that are no statement: never counted, and no failure of ours. */
static void
test_not_canonical(void **state)
{
	struct fixture *f = *state;
	struct judge_bundle b = { .n = 2 };
	struct writer loose;
	uint64_t sizes[JUDGE_STATEMENTS_MAX] = { 0 };
	char why[200] = "";
	permitted(f, 2);
	static const char *const junk[] = { "", "{}", "[]", "null", "not json", "{\"a\":1,\"a\":1}" };
	for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
		b.pair[0].statement = writer_view(&f->text[0]);
		b.pair[0].signature = writer_view(&f->sig[0]);
		b.pair[1].statement = view_str(junk[i]);
		b.pair[1].signature = writer_view(&f->sig[1]);
		assert_int_equal(judge_case(&f->c, &b, &f->ans), 0);
		assert_int_equal(f->ans.counted, 1);
		assert_int_equal(judge_log_sizes(&b, sizes, why, sizeof why), FG_EFORMAT);
	}
	/* The right statement with a space, truly signed by its person. */
	writer_init(&loose, APPROVAL_BYTES_MAX);
	writer_text(&loose, " ");
	writer_bytes(&loose, writer_view(&f->text[1]));
	writer_reset(&f->sig[1]);
	people_sign(&f->bob, APPROVAL_NAMESPACE, writer_view(&loose), &f->sig[1]);
	b.pair[1].statement = writer_view(&loose);
	b.pair[1].signature = writer_view(&f->sig[1]);
	assert_int_equal(judge_case(&f->c, &b, &f->ans), 0);
	assert_int_equal(f->ans.counted, 1);
	writer_free(&loose);
	b.pair[1].statement = writer_view(&f->text[1]);
	assert_int_equal(judge_log_sizes(&b, sizes, why, sizeof why), 0);
	assert_int_equal(sizes[1], 500);
}

static void
test_bundle(void **state)
{
	(void)state;
	struct judge_bundle b;
	struct writer w;
	writer_init(&w, 1 << 20);
	writer_u32(&w, 2);
	for (unsigned i = 0; i < 4; i++)
		writer_cstr(&w, i % 2 ? "sig" : "statement");
	assert_int_equal(judge_bundle_parse(writer_view(&w), &b), 0);
	assert_int_equal(b.n, 2);
	assert_true(view_is(b.pair[1].signature, "sig"));
	for (size_t n = 0; n < w.n; n++)
		assert_int_equal(judge_bundle_parse(view_of(w.p, n), &b), FG_EPEER);
	writer_u8(&w, 0);
	assert_int_equal(judge_bundle_parse(writer_view(&w), &b), FG_EPEER);
	writer_reset(&w);
	writer_u32(&w, 0);
	assert_int_equal(judge_bundle_parse(writer_view(&w), &b), FG_EPEER);
	writer_reset(&w);
	writer_u32(&w, JUDGE_STATEMENTS_MAX + 1);
	for (unsigned i = 0; i < 2 * (JUDGE_STATEMENTS_MAX + 1); i++)
		writer_cstr(&w, "x");
	assert_int_equal(judge_bundle_parse(writer_view(&w), &b), FG_EPEER);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_permitted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passkeys_alone_release_to_few, setup, teardown),
		cmocka_unit_test_setup_teardown(test_standing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quorum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_person, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_thing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times_and_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_canonical, setup, teardown),
		cmocka_unit_test(test_bundle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
