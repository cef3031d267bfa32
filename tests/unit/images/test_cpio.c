/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/images/cpio_rig.h"

#include "images/cpio.h"

#define NONE { FINDING_LIMIT }

static const struct rig_file file = { .name = "a.txt", .data = "hello" };

/* An archive of one member, then whatever follows. */
static struct report *
one(const struct rig_file *f, const char *behind, size_t behind_n)
{
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, f);
	rig_end(&w);
	if (behind_n)
		writer_bytes(&w, view_of(behind, behind_n));
	struct report *r = rig_walk(writer_view(&w), FORMAT_CPIO, NULL);
	writer_free(&w);
	return r;
}

static void
test_headers(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct rig_file f;
		enum finding_id told[3];
	} rows[] = {
		{ "newc", { .name = "a", .data = "hello" }, NONE },
		{ "crc", { .name = "a", .data = "hello", .crc = true }, NONE },
		{ "empty file", { .name = "a" }, NONE },
		{ "directory", { .name = "d", .mode = 0040755 }, NONE },
		{ "symbolic link", { .name = "l", .data = "a", .mode = 0120777 }, NONE },
		{ "longest name", { .name = NULL, .data = "x" }, NONE },
		{ "c_check wrong", { .name = "a", .data = "hello", .crc = true, .check = 5 },
		    { FINDING_FMT_INTEGRITY, FINDING_LIMIT } },
		{ "c_check without its form", { .name = "a", .data = "hello", .check = 532 },
		    { FINDING_FMT_INTEGRITY, FINDING_LIMIT } },
		{ "padding", { .name = "a", .data = "hello", .pad = '!' },
		    { FINDING_FMT_HIDDEN_BYTES, FINDING_LIMIT } },
		{ "longer than the archive", { .name = "a", .data = "hello", .size = 4000 },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "longer than any file", { .name = "a", .data = "hello", .size = 0xffffffff },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "no name", { .name = "", .data = "hello" }, { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "name too short", { .name = "abc", .data = "x", .namesize = 3 },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "name with a NUL in it", { .name = "abc", .data = "x", .namesize = 6 },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "name longer than any", { .name = "abc", .data = "x", .namesize = 0xfffffff0 },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "magic", { .name = "a", .data = "x", .head = "070703" },
		    { FINDING_FMT_MALFORMED, FINDING_LIMIT } },
		{ "leads out", { .name = "../a", .data = "x" },
		    { FINDING_MEMBER_UNSAFE_NAME, FINDING_LIMIT } },
	};
	char name[CPIO_NAME_MAX + 1];
	memset(name, 'n', CPIO_NAME_MAX);
	name[CPIO_NAME_MAX] = '\0';
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig_file f = rows[i].f;
		f.name = f.name ? f.name : name;
		struct report *r = one(&f, NULL, 0);
		rig_told(r, rows[i].what, rows[i].told);
		report_free(r);
	}
}

static void
test_digits(void **state)
{
	(void)state;
	/* Every byte of every field: only hexadecimal digits pass. */
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &file);
	rig_end(&w);
	uint8_t *p = w.p;
	for (size_t i = 6; i < CPIO_HEADER_LEN; i++) {
		uint8_t was = p[i];
		static const char bad[] = " g/:@G`x";
		for (size_t k = 0; k < sizeof bad; k++) {
			p[i] = (uint8_t)bad[k];
			struct report *r = rig_walk(writer_view(&w), FORMAT_CPIO, NULL);
			assert_true(report_has(r, FINDING_FMT_MALFORMED));
			report_free(r);
		}
		p[i] = was;
	}
	writer_free(&w);
}

static void
test_behind_the_trailer(void **state)
{
	(void)state;
	static char zeros[CPIO_ZEROS_MAX + 1];
	struct report *r = one(&file, zeros, CPIO_ZEROS_MAX);
	rig_told(r, "zeros", (enum finding_id[])NONE);
	report_free(r);
	r = one(&file, zeros, sizeof zeros);
	rig_told(r, "too many zeros", (enum finding_id[]){ FINDING_FMT_TRAILING_BYTES, FINDING_LIMIT });
	report_free(r);
	zeros[700] = 1;
	r = one(&file, zeros, 701);
	rig_told(r, "a byte", (enum finding_id[]){ FINDING_FMT_TRAILING_BYTES, FINDING_LIMIT });
	assert_int_equal(r->findings[FINDING_FMT_TRAILING_BYTES].details[0].offset, r->size - 1);
	report_free(r);
	zeros[700] = 0;
}

static void
test_archives_in_a_row(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &file);
	rig_end(&w);
	writer_bytes(&w, view_of("\0\0\0\0", 4));
	rig_add(&w, &(struct rig_file){ .name = "second", .data = "x", .crc = true });
	rig_end(&w);
	struct report *r = rig_walk(writer_view(&w), FORMAT_CPIO, NULL);
	rig_told(r, "two", (enum finding_id[]){ FINDING_FMT_AMBIGUOUS, FINDING_LIMIT });
	assert_int_equal(r->contents.members_n, 2);
	assert_string_equal(r->contents.member[1].path, "second");
	report_free(r);
	writer_free(&w);
}

static void
test_duplicates(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &file);
	rig_add(&w, &(struct rig_file){ .name = "b", .data = "x" });
	rig_add(&w, &file);
	rig_end(&w);
	struct report *r = rig_walk(writer_view(&w), FORMAT_CPIO, NULL);
	rig_told(r, "twice", (enum finding_id[]){ FINDING_FMT_DUPLICATE, FINDING_LIMIT });
	report_free(r);
	writer_free(&w);
}

static void
test_trailer(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &file);
	rig_add(&w, &(struct rig_file){ .name = "TRAILER!!!", .data = "hidden" });
	struct report *r = rig_walk(writer_view(&w), FORMAT_CPIO, NULL);
	rig_told(r, "content", (enum finding_id[]){ FINDING_FMT_MALFORMED, FINDING_LIMIT });
	report_free(r);
	writer_free(&w);
}

/* Cut anywhere, an archive is never whole, and nothing outside it is named. */
static void
test_cut(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &(struct rig_file){ .name = "abc", .data = "hello", .crc = true });
	rig_end(&w);
	struct view all = writer_view(&w);
	for (size_t n = 0; n < all.n - 3; n++) { /* the last three are padding */
		uint8_t *exact = malloc(n ? n : 1);
		if (n)
			memcpy(exact, all.p, n);
		struct report *r = rig_walk(view_of(exact, n), FORMAT_CPIO, NULL);
		assert_true(report_has(r, FINDING_FMT_MALFORMED));
		report_free(r);
		free(exact);
	}
	writer_free(&w);
}

/* Members' bytes and structure are all there is, and nothing is both. */
static void
test_coverage(void **state)
{
	(void)state;
	struct report *r = one(&file, "\0\0\0\0", 4);
	uint64_t structure = 0;
	for (unsigned i = 0; i < r->contents.structure_n; i++)
		structure += r->contents.structure[i].length;
	assert_int_equal(structure + 5, r->size);
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_behind_the_trailer),
		cmocka_unit_test(test_archives_in_a_row),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_coverage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
