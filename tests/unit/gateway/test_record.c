/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

static void
test_a_line_of_ours(void **state)
{
	struct view_rig v;
	uint8_t leaf[DIGEST_SHA256_LEN], doc[DIGEST_SHA256_LEN];
	static const char line[] = "\0" FRIENDLY;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	assert_true(v.r.known);
	assert_int_equal(v.r.index, 41234);
	assert_int_equal(digest_sha256(view_of(line, sizeof line - 1), leaf), 0);
	assert_memory_equal(v.r.leaf, leaf, sizeof leaf);
	assert_int_equal(digest_sha256(view_str("{}"), doc), 0);
	assert_true(v.r.have_doc);
	assert_memory_equal(v.r.doc_sha256, doc, sizeof doc);
	assert_true(view_is(record_host(&v.r), "gw-7f3a"));
	assert_true(view_is(record_role(&v.r), "control"));
	assert_true(view_is(record_event(&v.r), "approval.signed"));
	assert_true(view_is(record_image(&v.r), IMAGE));
	view_rig_end(&v);
}

static void
test_a_line_of_nobodys(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 9, NOBODYS);
	assert_false(v.r.known);
	assert_int_equal(v.r.index, 9);
	assert_true(view_is(record_event(&v.r), "unknown"));
	assert_int_equal(record_host(&v.r).n + record_role(&v.r).n + record_image(&v.r).n, 0);
	view_rig_end(&v);
	/* The place in the tree counts, not what the line says. */
	view_rig_start(&v, 3, FRIENDLY);
	assert_int_equal(v.r.index, 3);
	view_rig_end(&v);
}

static void
test_what_is_no_digest_is_no_image(void **state)
{
	static const char *const none[] = { "sha256:", "sha256:11", "sha256:" IMAGE "1", "x" IMAGE,
		"sha256:111111111111111111111111111111111111111111111111111111111111111G" };
	struct record r = { .known = true };
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		r.e = (struct entry){ .obj = view_str(none[i]) };
		assert_int_equal(record_image(&r).n, 0);
	}
	r.e = (struct entry){ .obj = view_str("sha256:" IMAGE) };
	assert_true(view_is(record_image(&r), IMAGE));
	r.e = (struct entry){ .refs = 2, .ref = { { .key = view_str("image"), .is_number = true },
		{ .key = view_str("image"), .text = view_str(IMAGE) } } };
	assert_true(view_is(record_image(&r), IMAGE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_of_ours),
		cmocka_unit_test(test_a_line_of_nobodys),
		cmocka_unit_test(test_what_is_no_digest_is_no_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
