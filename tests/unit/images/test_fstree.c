/* SPDX-License-Identifier: Apache-2.0 */
/* Names in any order as paths: rings, doubles, names taken away, bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "crypto/err.h"
#include "images/fstree.h"

struct seen {
	char text[4096];
	uint32_t folder; /* up to this number inodes are folders */
	unsigned n;
};

static int
visit(void *arg, struct view path, const struct fstree_name *e, bool *io_enter)
{
	struct seen *s = arg;
	if (s->n++ < 20)
		snprintf(s->text + strlen(s->text), sizeof s->text - strlen(s->text), "%.*s=%u ", (int)path.n, (const char *)path.p, e->file);
	*io_enter = e->file <= s->folder;
	return 0;
}

static void
add(struct fstree *t, uint32_t folder, const char *name, uint32_t file, uint32_t version)
{
	assert_int_equal(fstree_add(t, view_str(name), (struct fstree_name){ .folder = folder, .file = file, .version = version }), 0);
}

static void
paths(void **state)
{
	(void)state;
	struct fstree t = { 0 };
	struct seen s = { .folder = 9 };
	const char *why;
	add(&t, 2, "passwd", 10, 1);
	add(&t, 1, "etc", 2, 1);
	add(&t, 1, "a", 11, 1);
	add(&t, 1, "a", 12, 2); /* younger */
	add(&t, 1, "gone", 13, 1);
	add(&t, 1, "gone", 0, 2);
	add(&t, 5, "nobody leads here", 14, 1);
	assert_true(fstree_sort(&t));
	assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), 0);
	assert_null(why);
	assert_string_equal(s.text, "a=12 etc=2 etc/passwd=10 ");
	fstree_free(&t);
	assert_true(fstree_sort(&t));
	assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), 0);
}

static void
what_is_told(void **state)
{
	(void)state;
	struct fstree t = { 0 };
	struct seen s = { .folder = 9 };
	const char *why;
	char name[300];
	add(&t, 1, "ring", 2, 1);
	add(&t, 2, "back", 1, 1);
	add(&t, 2, "self", 2, 1);
	add(&t, 2, "end", 10, 1);
	assert_true(fstree_sort(&t));
	assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), FG_ELIMIT);
	assert_non_null(why);
	assert_string_equal(s.text, "ring=2 ring/back=1 ring/end=10 ring/self=2 ");
	fstree_free(&t);
	/* Two that are equally young: one counts, and that is told. */
	add(&t, 1, "a", 10, 1);
	add(&t, 1, "a", 11, 1);
	assert_false(fstree_sort(&t));
	fstree_free(&t);
	static const char *const names[] = { "a/b", ".", "..", "" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		s = (struct seen){ 0 };
		add(&t, 1, names[i], 10, 1);
		add(&t, 1, "good", 11, 1);
		assert_true(fstree_sort(&t));
		assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), FG_ELIMIT);
		assert_string_equal(s.text, "good=11 ");
		fstree_free(&t);
	}
	/* Too deep, and too long. */
	memset(name, 'n', sizeof name);
	for (unsigned k = 0; k < 2; k++) {
		s = (struct seen){ .folder = 1000 };
		for (uint32_t i = 1; i < 80; i++)
			assert_int_equal(fstree_add(&t, view_of(name, k ? 255 : 1), (struct fstree_name){ .folder = i, .file = i + 1 }), 0);
		assert_true(fstree_sort(&t));
		assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), FG_ELIMIT);
		assert_int_equal(s.n, k ? 16 : FSTREE_DEPTH_MAX);
		fstree_free(&t);
	}
	assert_int_equal(fstree_add(&t, view_of(name, FSTREE_PATH_MAX + 1), (struct fstree_name){ 0 }), FG_ELIMIT);
}

/* A hundred thousand names of one folder with as many names in it: time grows with their number only. */
static void
many_names(void **state)
{
	(void)state;
	enum { MANY = FSTREE_NAMES_MAX / 2 };
	struct fstree t = { 0 };
	struct seen s = { .folder = 2 };
	const char *why;
	char name[16];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%u", i);
		add(&t, 1, name, 2, 1);
		add(&t, 2, name, 10, 1);
	}
	assert_true(fstree_sort(&t));
	assert_int_equal(fstree_walk(&t, 1, visit, &s, &why), FG_ELIMIT);
	assert_int_equal(s.n, 2 * MANY);
	fstree_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(what_is_told),
		cmocka_unit_test(many_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
