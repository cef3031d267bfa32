/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/base.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/state_rig.h"

static struct db_base
base(const char *profile, const char *version, uint8_t image, int64_t added, uint64_t candidate)
{
	struct db_base b = { .size = 10u * image, .added = added, .candidate = candidate };
	snprintf(b.profile, sizeof b.profile, "%s", profile);
	snprintf(b.product, sizeof b.product, "EC25");
	snprintf(b.version, sizeof b.version, "%s", version);
	snprintf(b.who, sizeof b.who, "%s", candidate ? "" : "olga");
	memset(b.image, image, sizeof b.image);
	return b;
}

struct seen {
	unsigned n;
	struct db_base row[8];
};

static int
take(void *arg, const struct db_base *b)
{
	struct seen *s = arg;
	assert_true(s->n < 8);
	s->row[s->n++] = *b;
	return 0;
}

static void
put(struct rig *r, struct db_base b, int due)
{
	assert_int_equal(db_base_add(r->db, &b), due);
}

static void
youngest_first_of_its_product(void **state)
{
	struct rig *r = *state;
	struct seen s = { 0 };
	put(r, base("a", "1.0", 1, 100, 0), 0);
	put(r, base("a", "1.1", 2, 300, 7), 0);
	put(r, base("a", "1.0", 3, 200, 0), 0); /* two images can go by one name: a module has one of them */
	put(r, base("b", "1.0", 1, 400, 0), 0);
	put(r, base("a", "1.0", 1, 500, 0), FG_EEXIST);
	rig_again(r);
	assert_int_equal(db_base_list(r->db, "a", "EC25", take, &s), 0);
	/* What a delta made is not among them, nor does it take the place of one that is. */
	assert_int_equal(s.n, 2);
	assert_int_equal(s.row[0].image[0], 3);
	assert_int_equal(s.row[0].candidate, 0);
	assert_int_equal(s.row[1].image[0], 1);
	assert_int_equal(s.row[1].added, 100);
	assert_int_equal(s.row[1].size, 10);
	assert_string_equal(s.row[1].who, "olga");
	s.n = 0;
	assert_int_equal(db_base_list(r->db, "a", "other", take, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(db_base_list(r->db, NULL, NULL, take, &s), 0);
	assert_int_equal(s.n, 3);
}

static void
what_a_delta_made_goes_with_it(void **state)
{
	struct rig *r = *state;
	struct seen s = { 0 };
	put(r, base("a", "1.0", 1, 100, 0), 0);
	put(r, base("a", "1.1", 2, 300, 7), 0);
	/* Nobody's number: what people named stays. */
	assert_int_equal(db_base_drop_made(r->db, 0, take, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(db_base_drop_made(r->db, 7, take, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row[0].image[0], 2);
	s.n = 0;
	assert_int_equal(db_base_list(r->db, NULL, NULL, take, &s), 0);
	assert_int_equal(s.n, 1);
}

static void
a_base_keeps_its_file_and_counts(void **state)
{
	struct rig *r = *state;
	bool needed = true;
	uint64_t bytes = 0;
	uint8_t image[DIGEST_SHA256_LEN];
	rig_add_resource(r, 1, "a");
	uint64_t cand = rig_add_candidate(r, 1, 5); /* 5000 bytes */
	memset(image, 5, sizeof image);
	assert_int_equal(db_candidate_needs_file(r->db, image, cand, &needed), 0);
	assert_false(needed);
	put(r, base("a", "1.0", 5, 100, 0), 0); /* the same bytes: there once */
	put(r, base("a", "1.1", 6, 100, cand), 0);
	assert_int_equal(db_candidate_needs_file(r->db, image, cand, &needed), 0);
	assert_true(needed);
	assert_int_equal(db_candidate_usage(r->db, "a", &bytes), 0);
	assert_int_equal(bytes, 5000 + 60);
	/* What the candidate made is not what keeps it. */
	memset(image, 6, sizeof image);
	assert_int_equal(db_candidate_needs_file(r->db, image, cand, &needed), 0);
	assert_false(needed);
	assert_int_equal(db_candidate_needs_file(r->db, image, cand + 1, &needed), 0);
	assert_true(needed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(youngest_first_of_its_product, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_a_delta_made_goes_with_it, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_base_keeps_its_file_and_counts, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
