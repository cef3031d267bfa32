/* SPDX-License-Identifier: Apache-2.0 */
/* Who has signed so far. That a good signature is kept is the stories' (halts, rollouts, standing statements). */
#include "gateway/control/signed.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#define people_genesis sample_genesis /* control's people has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
#include "unit/gateway/control_rig.h"

static const uint8_t one[DIGEST_SHA256_LEN] = { 1 }, two[DIGEST_SHA256_LEN] = { 2 }, root[DIGEST_SHA256_LEN] = { 7 };

/* A person counts once, by the last statement; beyond so many others nobody comes in, and who is there may still change. */
static void
test_once_a_person(void **state)
{
	struct signed_list *l = calloc(1, sizeof *l);
	char name[16];
	(void)state;
	assert_true(signed_put(l, 2, "alice", one));
	assert_true(signed_put(l, 2, "bob", one));
	assert_int_equal(l->n, 2);
	assert_true(signed_put(l, 2, "alice", two));
	assert_int_equal(l->n, 2);
	assert_memory_equal(l->statement[0], two, sizeof two);
	assert_memory_equal(l->statement[1], one, sizeof one);
	assert_false(signed_put(l, 2, "carol", one));
	assert_int_equal(l->n, 2);
	for (unsigned i = 0; i < SIGNED_MAX; i++) {
		snprintf(name, sizeof name, "p%u", i);
		assert_int_equal(signed_put(l, UINT32_MAX, name, one), i < SIGNED_MAX - 2);
	}
	assert_int_equal(l->n, SIGNED_MAX);
	assert_string_equal(l->approver[SIGNED_MAX - 1], "p13");
	free(l);
}

struct asked {
	unsigned times;
	bool yes;
};

static bool
counts(void *ctx, const struct approval *a)
{
	struct asked *k = ctx;
	k->times++;
	assert_string_equal(a->approver, "alice@example.com");
	return k->yes;
}

/* What is not there, cannot be read, is not what it has to be, or nobody signed, is kept no longer. */
static void
test_what_counts(void **state)
{
	struct control_rig *r = control_rig_new();
	struct person alice = people_make("alice@example.com", 1);
	struct approval_terms t = people_terms(PEOPLE_T0, 50);
	struct approval *a = people_statement(&alice, &t, PEOPLE_T0, 0x5a, 70000, root), *back = calloc(1, sizeof *back);
	struct signed_list *l = calloc(1, sizeof *l);
	uint8_t sha256[DIGEST_SHA256_LEN], noise[DIGEST_SHA256_LEN];
	char why[160];
	struct writer w;
	(void)state;
	writer_init(&w, APPROVAL_BYTES_MAX);
	assert_int_equal(approval_encode(a, &w, why, sizeof why), 0);
	assert_int_equal(digest_sha256(writer_view(&w), sha256), 0);
	assert_int_equal(files_doc_put(r->c.files, FILES_STATEMENT, sha256, writer_view(&w)), 0);
	assert_int_equal(digest_sha256(view_str("noise"), noise), 0);
	assert_int_equal(files_doc_put(r->c.files, FILES_STATEMENT, noise, view_str("noise")), 0);
	assert_int_equal(signed_read(&r->c, one, back), FG_ENOTFOUND);
	assert_int_equal(signed_read(&r->c, noise, back), FG_EFORMAT);
	assert_int_equal(signed_read(&r->c, sha256, back), 0);
	assert_string_equal(back->approver, "alice@example.com");
	for (int yes = 0; yes < 2; yes++) {
		struct asked k = { .yes = yes };
		*l = (struct signed_list){ .n = 0 };
		assert_true(signed_put(l, 9, "nobody", one));
		assert_true(signed_put(l, 9, "noise", noise));
		assert_true(signed_put(l, 9, "alice@example.com", sha256));
		assert_int_equal(signed_count(&r->c, l, counts, &k), 0);
		assert_int_equal(k.times, 1);
		assert_int_equal(l->n, 0); /* there is no signature of it here */
	}
	writer_free(&w);
	free(l);
	free(back);
	free(a);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_a_person),
		cmocka_unit_test(test_what_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
