/* SPDX-License-Identifier: Apache-2.0 */
/* Archives as parts: every file of tests/vectors/pairs.py in each of them, and what hides between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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
	uint32_t i = part_rig_find(r, all);
	if (i == PART_NONE_INDEX) {
		part_rig_show(r);
		fail_msg("no %s", all);
	}
	return parts_get(r->tree, i);
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
		cmocka_unit_test(nothing_hides), cmocka_unit_test(cut) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
