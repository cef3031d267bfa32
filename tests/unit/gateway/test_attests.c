/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations as facts: what the log says counts, by person, and one that ended otherwise ends them all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/attests.h"

static uint8_t image[2][DIGEST_SHA256_LEN] = { { 1 }, { 2 } };

/* An entry as it is read back. */
static int
said(struct attests *a, const char *who, unsigned of, const char *before, const char *after, const char *flash)
{
	char sum[7 + DIGEST_HEX_LEN + 1] = "sha256:";
	struct entry e = { .ev = ENTRY_IMAGE_ATTESTED, .t_us = 1800000000000000, .act = view_str(who) };
	hex_encode(image[of], DIGEST_SHA256_LEN, sum + 7);
	sum[sizeof sum - 1] = '\0';
	e.ref[e.refs++] = (struct entry_ref){ .key = view_str("after"), .text = view_str(after) };
	e.ref[e.refs++] = (struct entry_ref){ .key = view_str("before"), .text = view_str(before) };
	if (flash)
		e.ref[e.refs++] = (struct entry_ref){ .key = view_str("flash"), .text = view_str(flash) };
	e.ref[e.refs++] = (struct entry_ref){ .key = view_str("image"), .text = view_str(sum) };
	return attests_replay(a, &e);
}

static void
persons_are_counted_once(void **state)
{
	struct attests *a = attests_new(NULL);
	(void)state;
	assert_int_equal(attests_count(NULL, image[0], "2"), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 0);
	assert_int_equal(said(a, "alice", 0, "1", "2", NULL), 0);
	assert_int_equal(said(a, "alice", 0, "1", "2", NULL), 0);
	assert_int_equal(said(a, "alice", 1, "1", "2", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 1);
	assert_int_equal(said(a, "bob", 0, "1", "2", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 2);
	assert_int_equal(attests_count(a, image[1], "2"), 1);
	assert_int_equal(attests_count(a, image[0], "3"), 0); /* of a version that they did not see */
	attests_free(a);
}

static void
one_that_ended_otherwise_ends_them_all(void **state)
{
	struct attests *a = attests_new(NULL);
	(void)state;
	assert_int_equal(said(a, "alice", 0, "1", "2", NULL), 0);
	assert_int_equal(said(a, "bob", 0, "1", "1", NULL), 0);
	assert_int_equal(said(a, "carol", 0, "1", "2", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 0);
	assert_int_equal(attests_count(a, image[1], "2"), 0);
	attests_free(a);
}

static void
nobody_alone_fills_the_room(void **state)
{
	struct attests *a = attests_new(NULL);
	char after[16];
	(void)state;
	assert_int_equal(said(a, "alice", 0, "1", "2", NULL), 0);
	for (unsigned i = 0; i < ATTESTS_MAX; i++) {
		snprintf(after, sizeof after, "%u", i);
		assert_int_equal(said(a, "mallory", 1, after, "2", NULL), 0);
		assert_int_equal(said(a, "mallory", 1, "1", after, NULL), 0);
	}
	assert_int_equal(attests_count(a, image[1], "2"), 0); /* whatever was said last */
	assert_int_equal(attests_count(a, image[0], "2"), 1);
	assert_int_equal(said(a, "bob", 0, "1", "1", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 0);
	attests_free(a);
}

static void
what_says_nothing_counts_for_nobody(void **state)
{
	char longer[4096];
	struct attests *a = attests_new(NULL);
	(void)state;
	memset(longer, 'v', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(said(a, "", 0, "1", "2", NULL), 0);
	assert_int_equal(said(a, "alice", 0, "", "2", NULL), 0);
	assert_int_equal(said(a, "alice", 0, "1", "", NULL), 0);
	assert_int_equal(said(a, "alice", 0, longer, "2", NULL), 0);
	assert_int_equal(said(a, longer, 0, "1", "2", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 0);
	struct entry bare = { .ev = ENTRY_IMAGE_ATTESTED, .act = view_str("alice") };
	assert_int_equal(attests_replay(a, &bare), 0);
	/* Beyond the bound nobody's counts any more, and nothing breaks. */
	for (unsigned i = 0; i < ATTESTS_MAX + 2; i++) {
		char who[16];
		snprintf(who, sizeof who, "p%u", i);
		assert_int_equal(said(a, who, 1, "1", "2", "sha256:zz"), 0);
	}
	assert_int_equal(said(a, "alice", 0, "1", "2", NULL), 0);
	assert_int_equal(attests_count(a, image[0], "2"), 0);
	attests_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persons_are_counted_once),
		cmocka_unit_test(one_that_ended_otherwise_ends_them_all),
		cmocka_unit_test(nobody_alone_fills_the_room),
		cmocka_unit_test(what_says_nothing_counts_for_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
