/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/images/cpio_rig.h"

#include "images/tar.h"

#define TOLD(...) (enum finding_id[]){ __VA_ARGS__, FINDING_LIMIT }

/* One member; what is zero is told truly. */
struct rig_tar {
	const char *name, *data, *prefix;
	char type, pad;
	const char *size; /* twelve bytes, instead */
	const char *magic;
	bool bad_sum;
};

static void
put(uint8_t *p, size_t n, const char *s)
{
	memcpy(p, s, strlen(s) < n ? strlen(s) : n);
}

static void
add(struct writer *w, const struct rig_tar *f)
{
	uint8_t head[TAR_BLOCK] = { 0 };
	char text[16];
	const char *data = f->data ? f->data : "";
	unsigned sum = 0;
	put(head, 100, f->name);
	put(head + 100, 8, "0000644");
	snprintf(text, sizeof text, "%011o", (unsigned)strlen(data));
	put(head + 124, 12, f->size ? f->size : text);
	memset(head + 148, ' ', 8);
	head[156] = (uint8_t)(f->type ? f->type : '0');
	put(head + 257, 8, f->magic ? f->magic : "ustar");
	put(head + 263, 2, "00");
	put(head + 345, 155, f->prefix ? f->prefix : "");
	for (size_t i = 0; i < sizeof head; i++)
		sum += head[i];
	snprintf(text, sizeof text, "%06o", sum + f->bad_sum);
	put(head + 148, 6, text);
	head[154] = 0;
	writer_bytes(w, view_of(head, sizeof head));
	writer_bytes(w, view_str(data));
	while (writer_view(w).n % TAR_BLOCK)
		writer_u8(w, (uint8_t)f->pad);
}

static void
end(struct writer *w, size_t blocks)
{
	static const uint8_t zeros[TAR_BLOCK];
	while (blocks--)
		writer_bytes(w, view_of(zeros, sizeof zeros));
}

/* An archive of up to two members and this many blocks of zeros. */
static struct report *
look(const struct rig_tar *a, const struct rig_tar *b, size_t blocks)
{
	struct writer w;
	writer_init(&w, RIG_MAX);
	add(&w, a);
	if (b)
		add(&w, b);
	end(&w, blocks);
	struct report *r = rig_walk(writer_view(&w), FORMAT_TAR, NULL);
	writer_free(&w);
	return r;
}

static const struct rig_tar file = { .name = "a.txt", .data = "hello" };

static void
test_headers(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct rig_tar f;
		enum finding_id told;
	} rows[] = {
		{ "file", { .name = "a", .data = "hello" }, FINDING_LIMIT },
		{ "empty", { .name = "a" }, FINDING_LIMIT },
		{ "prefix", { .name = "a", .data = "x", .prefix = "dir/sub" }, FINDING_LIMIT },
		{ "GNU's magic", { .name = "a", .data = "x", .magic = "ustar  " }, FINDING_LIMIT },
		{ "directory", { .name = "d/", .type = '5' }, FINDING_LIMIT },
		{ "size with a blank", { .name = "a", .data = "hello", .size = "5 " }, FINDING_LIMIT },
		{ "symbolic link", { .name = "l", .type = '2' }, FINDING_FMT_UNKNOWN_PART },
		{ "GNU's long name", { .name = "././@LongLink", .data = "x", .type = 'L' }, FINDING_FMT_UNKNOWN_PART },
		{ "global header", { .name = "g", .data = "x", .type = 'g' }, FINDING_FMT_UNKNOWN_PART },
		{ "link with content", { .name = "l", .data = "x", .type = '2' }, FINDING_FMT_MALFORMED },
		{ "sum", { .name = "a", .data = "x", .bad_sum = true }, FINDING_FMT_INTEGRITY },
		{ "magic", { .name = "a", .data = "x", .magic = "USTAR" }, FINDING_FMT_MALFORMED },
		{ "size", { .name = "a", .data = "x", .size = "8" }, FINDING_FMT_MALFORMED },
		{ "binary size", { .name = "a", .data = "x", .size = "\x80" }, FINDING_FMT_MALFORMED },
		{ "longer than the archive", { .name = "a", .data = "x", .size = "77777777777" }, FINDING_FMT_MALFORMED },
		{ "no name", { .name = "", .data = "x" }, FINDING_FMT_MALFORMED },
		{ "padding", { .name = "a", .data = "x", .pad = '!' }, FINDING_FMT_HIDDEN_BYTES },
		{ "leads out", { .name = "../a", .data = "x" }, FINDING_MEMBER_UNSAFE_NAME },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = look(&rows[i].f, NULL, 2);
		enum finding_id first = rows[i].told;
		if (strcmp(rows[i].what, "symbolic link") == 0 && report_has(r, FINDING_FMT_MALFORMED))
			fail_msg("%s", r->findings[FINDING_FMT_MALFORMED].details[0].text);
		if (first == FINDING_LIMIT)
			rig_told(r, rows[i].what, TOLD(FINDING_LIMIT));
		else if (first == FINDING_FMT_MALFORMED)
			assert_true(report_has(r, first));
		else
			rig_told(r, rows[i].what, TOLD(first));
		report_free(r);
	}
}

static void
test_extended(void **state)
{
	(void)state;
	static const struct {
		const char *what, *text;
		const char *name; /* of the member; NULL: refused */
	} rows[] = {
		{ "path", "12 path=b/c\n", "b/c" },
		{ "size", "10 size=5\n", "a.txt" },
		{ "time", "20 mtime=1234567.890\n", NULL },
		{ "time, right", "21 mtime=1234567.890\n", "a.txt" },
		{ "two", "12 path=b/c\n10 size=5\n", "b/c" },
		{ "twice", "12 path=b/c\n12 path=d/e\n", NULL },
		{ "size differs", "10 size=9\n", NULL },
		{ "length", "13 path=b/c\n", NULL },
		{ "no length", "path=b/c\n", NULL },
		{ "leading zero", "012 path=b/c\n", NULL },
		{ "no key", "5 =x\n", NULL },
		{ "no equals", "7 path\n", NULL },
		{ "empty path", "8 path=\n", NULL },
		{ "sparse", "22 GNU.sparse.major=1\n", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig_tar x = { .name = "PaxHeaders.0/a", .data = rows[i].text, .type = 'x' };
		struct report *r = look(&x, &file, 2);
		if (!rows[i].name && !report_has(r, FINDING_FMT_MALFORMED) && !report_has(r, FINDING_FMT_CONFLICT))
			fail_msg("%s is taken", rows[i].what);
		if (rows[i].name)
			rig_told(r, rows[i].what, TOLD(FINDING_LIMIT));
		if (rows[i].name)
			assert_string_equal(r->contents.member[0].path, rows[i].name);
		report_free(r);
	}
	struct report *r = look(&(struct rig_tar){ .name = "x", .data = "12 path=b/c\n", .type = 'x' }, NULL, 2);
	assert_true(report_has(r, FINDING_FMT_MALFORMED)); /* for nobody */
	report_free(r);
}

static void
test_end(void **state)
{
	(void)state;
	struct report *r = look(&file, NULL, 20);
	rig_told(r, "zeros", TOLD(FINDING_LIMIT));
	assert_int_equal(r->contents.members_n, 1);
	uint64_t structure = 0;
	for (unsigned i = 0; i < r->contents.structure_n; i++)
		structure += r->contents.structure[i].length;
	assert_int_equal(structure + 5, r->size);
	report_free(r);
	r = look(&file, NULL, 1);
	rig_told(r, "one block", TOLD(FINDING_FMT_MALFORMED));
	report_free(r);
	r = look(&file, NULL, 0);
	rig_told(r, "no end", TOLD(FINDING_FMT_MALFORMED));
	report_free(r);
	r = look(&file, &file, 2);
	rig_told(r, "twice", TOLD(FINDING_FMT_DUPLICATE));
	report_free(r);
	struct writer w;
	writer_init(&w, RIG_MAX);
	add(&w, &file);
	end(&w, 2);
	add(&w, &file);
	r = rig_walk(writer_view(&w), FORMAT_TAR, NULL);
	rig_told(r, "another behind", TOLD(FINDING_FMT_TRAILING_BYTES));
	report_free(r);
	writer_free(&w);
}

static void
test_cut(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, RIG_MAX);
	add(&w, &(struct rig_tar){ .name = "x", .data = "12 path=b/c\n", .type = 'x' });
	add(&w, &file);
	end(&w, 2);
	struct view all = writer_view(&w);
	for (size_t n = 0; n < all.n; n += 7) {
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, all.p, n);
		struct report *r = rig_walk(view_of(exact, n), FORMAT_TAR, NULL);
		assert_true(report_has(r, FINDING_FMT_MALFORMED));
		report_free(r);
		free(exact);
	}
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
