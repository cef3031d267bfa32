/* SPDX-License-Identifier: Apache-2.0 */
/* Archives as parts: every file of tests/vectors/pairs.py in each of them, and what hides between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/writer.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

static const char *const files[] = { "etc/passwd", "etc/init.d/rcS", "etc/ssl/certs/vendor.pem", "usr/bin/agent",
	"usr/lib/libhelper.so", "usr/lib/modem/update.sh", "usr/share/doc/readme.txt", "usr/share/www/logo.png" };

static const struct {
	const char *file, *inside; /* path of the archive's root among the parts */
} wraps[] = {
	{ "base.tar", "" },
	{ "base.cpio.gz", "gzip/" },
	{ "base.zip", "" },
	{ "base.deb", "data.tar.gz/gzip/./" },
};

static const struct part *
at(const struct part_rig *r, const char *inside, const char *path)
{
	char all[200];
	snprintf(all, sizeof all, "%s%s", inside, path);
	return part_rig_get(r, all);
}

static void
every_file(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof wraps / sizeof wraps[0]; k++) {
		char path[200];
		struct part_rig r;
		snprintf(path, sizeof path, "pairs/%s", wraps[k].file);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
			uint8_t sum[DIGEST_SHA256_LEN];
			snprintf(path, sizeof path, "pairs/base/tree/%s", files[i]);
			struct pki_blob want = pki_load(path);
			const struct part *p = at(&r, wraps[k].inside, files[i]);
			assert_int_equal(digest_sha256(pki_view(&want), sum), 0);
			assert_int_equal(p->bytes.size, want.n);
			assert_memory_equal(p->sha256, sum, sizeof sum);
			assert_int_equal(p->kind, PART_FILE);
			assert_true(p->have_mode);
			free(want.p);
		}
		assert_int_equal(at(&r, wraps[k].inside, "etc/init.d/rcS")->mode, 0755);
		assert_int_equal(at(&r, wraps[k].inside, "etc/passwd")->mode, 0644);
		const struct part *link = at(&r, wraps[k].inside, "bin/sh");
		assert_int_equal(link->kind, PART_LINK);
		assert_string_equal(link->link, "/usr/bin/agent");
		for (uint32_t i = 0; i < parts_count(r.tree); i++)
			if (parts_get(r.tree, i)->why)
				fail_msg("%s: %s: %s", wraps[k].file, parts_get(r.tree, i)->name, parts_get(r.tree, i)->why);
		part_rig_close(&r);
		free(image.p);
	}
}

/* A stored member is a window of the image itself. */
static void
in_place(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("pairs/base.tar");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	const struct part *p = at(&r, "", "usr/lib/libhelper.so");
	assert_true(p->placed);
	assert_ptr_equal(p->bytes.mem, image.p + p->at);
	assert_int_equal(r.scratch_n, 0);
	part_rig_close(&r);
	free(image.p);
}

/* What follows an end, and what stands in a padding. */
static void
nothing_hides(void **state)
{
	(void)state;
	static const char *const names[] = { "pairs/base.tar", "pairs/base.deb" };
	for (size_t k = 0; k < 2; k++) {
		struct pki_blob image = pki_load(names[k]);
		uint8_t *b = malloc(image.n + 100);
		struct part_rig r;
		memcpy(b, image.p, image.n);
		memset(b + image.n, 'T', 100);
		part_rig_open(&r, view_of(b, image.n + 100));
		uint32_t gap = part_rig_find(&r, "gap");
		assert_int_not_equal(gap, PART_NONE_INDEX);
		const struct part *p = parts_get(r.tree, gap);
		assert_true(p->at + p->bytes.size == image.n + 100);
		part_rig_close(&r);
		free(b);
		free(image.p);
	}
	struct pki_blob image = pki_load("pairs/base.tar");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	const struct part *p = at(&r, "", "etc/passwd");
	uint64_t end = p->at + p->bytes.size;
	part_rig_close(&r);
	image.p[end + 3] = 'x';
	part_rig_open(&r, pki_view(&image));
	uint32_t gap = part_rig_find(&r, "gap");
	assert_int_not_equal(gap, PART_NONE_INDEX);
	assert_int_equal(parts_get(r.tree, gap)->at, end);
	part_rig_close(&r);
	free(image.p);
}

static void
header(uint8_t b[512], const char *name, char type, size_t size)
{
	unsigned sum = 0;
	memset(b, 0, 512);
	snprintf((char *)b, 100, "%s", name);
	snprintf((char *)b + 100, 8, "%07o", 0755u);
	snprintf((char *)b + 108, 8, "%07o", 7u);
	snprintf((char *)b + 116, 8, "%07o", 7u);
	snprintf((char *)b + 124, 12, "%011o", (unsigned)size);
	memset(b + 148, ' ', 8);
	b[156] = (uint8_t)type;
	memcpy(b + 257, "ustar\00000", 8);
	for (unsigned i = 0; i < 512; i++)
		sum += b[i];
	snprintf((char *)b + 148, 8, "%06o", sum);
}

/* What is not read of extended headers is no structure. */
static void
extended(void **state)
{
	(void)state;
	static const struct {
		char type;
		const char *data;
		size_t n; /* 0: strlen() */
		bool gap, caps, label;
		unsigned uid;
	} rows[] = {
		{ 'x', "10 uid=12\n10 gid=12\n", 0, false, false, false, 12 },
		{ 'x', "22 mtime=1700000000.5\n", 0, false, false, false, 7 },
		{ 'x', "22 mtime=17000000x0.5\n", 0, true, false, false, 7 },
		{ 'x', "10 uid=-1\n", 0, true, false, false, 7 },
		{ 'x', "15 comment=any\n", 0, true, false, false, 7 },
		{ 'x', "22 GNU.sparse.major=1\n", 0, true, false, false, 7 },
		{ 'x', "38 SCHILY.xattr.security.capability=x\n", 0, true, true, false, 7 },
		{ 'x', "29 SCHILY.xattr.user.label=x\n", 0, true, false, true, 7 },
		{ 'x', "10 uid=12\nhidden", 0, true, false, false, 12 },
		{ 'x', "10 uid=12\n\0\0hidden", 10, true, false, false, 12 }, /* in the padding */
		{ 'g', "10 uid=12\n", 0, true, false, false, 7 },
		{ 'L', "file", 5, false, false, false, 7 },
		{ 'L', "file\0hidden", 11, true, false, false, 7 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t b[5 * 512] = { 0 };
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].data);
		struct part_rig r;
		header(b, "ext", rows[i].type, n);
		memcpy(b + 512, rows[i].data, rows[i].n == 10 ? 18 : n);
		header(b + 1024, "file", '0', 0);
		part_rig_open(&r, view_of(b, sizeof b));
		const struct part *p = at(&r, "", "file");
		bool gap = part_rig_find(&r, "gap") != PART_NONE_INDEX;
		if (gap != rows[i].gap || p->have_caps != rows[i].caps || p->setlabel != rows[i].label ||
		    p->uid != rows[i].uid)
			fail_msg("row %zu", i);
		part_rig_close(&r);
	}
}

/* Nor is a member's own header with something behind the end of its name, or of its fields. */
static void
behind_names(void **state)
{
	(void)state;
	static const unsigned places[] = { 50, 200, 400, 505 };
	for (size_t i = 0; i <= sizeof places / sizeof places[0]; i++) {
		uint8_t all[5 * 512] = { 0 }, *b = all + 512;
		unsigned sum = 8 * ' ';
		struct part_rig r;
		header(all, "first", '0', 0);
		header(b, "file", '0', 0);
		if (i > 0)
			b[places[i - 1]] = 'h';
		for (unsigned k = 0; k < 512; k++)
			sum += k >= 148 && k < 156 ? 0 : b[k];
		snprintf((char *)b + 148, 8, "%06o", sum);
		part_rig_open(&r, view_of(all, sizeof all));
		(void)at(&r, "", "file");
		assert_int_equal(part_rig_find(&r, "gap") != PART_NONE_INDEX, i > 0);
		part_rig_close(&r);
	}
}

/* Of a local extra field, too: an entry with times and owner, and with something else behind them. */
static void
extra_field(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		static const uint8_t extra[] = { 'U', 'T', 5, 0, 1, 1, 2, 3, 4, 'u', 'x', 11, 0, 1, 4, 9, 0, 0, 0, 4, 8, 0, 0,
			0, 'h', 'i', 3, 0, 'd', 'e', 'n' };
		size_t n = k ? sizeof extra : sizeof extra - 7;
		struct writer w;
		struct part_rig r;
		writer_init(&w, 1000);
		writer_bytes(&w, view_of("PK\3\4\12\0\0\0\0\0\0\0\41\0", 14));
		writer_bytes(&w, view_of("\0\0\0\0\0\0\0\0\0\0\0\0\1\0", 14));
		writer_u8(&w, (uint8_t)n);
		writer_u8(&w, 0);
		writer_u8(&w, 'f');
		writer_bytes(&w, view_of(extra, n));
		writer_bytes(&w, view_of("PK\1\2\12\3\12\0\0\0\0\0\0\0\41\0", 16));
		writer_bytes(&w, view_of("\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0", 18));
		writer_bytes(&w, view_of("\0\0\0\0\0\0\xa4\x81\0\0\0\0f", 13));
		writer_bytes(&w, view_of("PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0", 16));
		writer_u8(&w, (uint8_t)(31 + n));
		writer_bytes(&w, view_of("\0\0\0\0\0", 5));
		part_rig_open(&r, writer_view(&w));
		const struct part *p = at(&r, "", "f");
		assert_int_equal(p->uid, 9);
		assert_int_equal(p->gid, 8);
		uint32_t gap = part_rig_find(&r, "gap");
		assert_int_equal(gap != PART_NONE_INDEX, k);
		if (k)
			assert_int_equal(parts_get(r.tree, gap)->at, 31);
		part_rig_close(&r);
		writer_free(&w);
	}
}

static void
cut(void **state)
{
	(void)state;
	static const char *const names[] = { "pairs/base.tar", "pairs/base.deb", "pairs/base.zip" };
	for (size_t k = 0; k < 3; k++) {
		struct pki_blob image = pki_load(names[k]);
		for (size_t n = 1; n < image.n; n += image.n / 23) {
			struct part_rig r;
			part_rig_open(&r, view_of(image.p, n));
			part_rig_close(&r);
		}
		struct part_rig r;
		part_rig_open(&r, view_of(image.p, image.n / 2));
		assert_true(parts_get(r.tree, 0)->why || k == 2); /* a zip without its end is none */
		part_rig_close(&r);
		free(image.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_file), cmocka_unit_test(in_place),
		cmocka_unit_test(nothing_hides), cmocka_unit_test(extended),
		cmocka_unit_test(behind_names), cmocka_unit_test(extra_field),
		cmocka_unit_test(cut) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
