/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "images/sbom.h"

static void
scan(struct sbom *b, const char *path, const char *text)
{
	struct leaf l = { .kind = LEAF_FILE, .path = path };
	source_memory(&l.bytes, view_str(text));
	assert_int_equal(sbom_scan(b, &l), 0);
}

static struct page *
compare(const char *path, const char *old, const char *new)
{
	struct sbom *a = sbom_new(), *b = sbom_new();
	struct page *p = page_new();
	assert_true(a && b && p);
	scan(a, path, old);
	scan(b, path, new);
	assert_int_equal(sbom_page(a, b, p), 0);
	sbom_free(a);
	sbom_free(b);
	return p;
}

static const struct page_line *
line(const struct page *p, enum finding_id id, const char *text)
{
	for (size_t i = 0; i < page_count(p); i++)
		if (page_at(p, i)->id == id && strcmp(page_at(p, i)->text, text) == 0)
			return page_at(p, i);
	return NULL;
}

static void
orders(void **state)
{
	(void)state;
	static const char *const rising[] = { "0.9", "1.0~beta", "1.0-rc1", "1.0", "1.0.1", "1.0.10", "1.1.1", "1.1.1a", "1.1.1n", "1.2",
		"2017.75", "2022.83" };
	for (size_t i = 0; i < sizeof rising / sizeof rising[0]; i++)
		for (size_t k = 0; k < sizeof rising / sizeof rising[0]; k++) {
			int c = sbom_order(rising[i], rising[k]);
			if ((c > 0) - (c < 0) != (i > k) - (i < k) && !(i >= 1 && i <= 2 && k >= 1 && k <= 2))
				fail_msg("%s and %s: %d", rising[i], rising[k], c);
		}
	assert_int_equal(sbom_order("1.007", "1.7"), 0);
}

static void
banners(void **state)
{
	(void)state;
	struct page *p = compare("bin/x", "OpenSSL 3.0.17 1 Jul 2025\nBusyBox v1.36.1 (2024)\nlibcurl/7.88.1 x\n deflate 1.2.13 Copyright\n",
	    "OpenSSL 3.0.22 1 Jul 2026\nBusyBox v1.35.0 (2022)\ndropbear_2022.83\n deflate 1.2.13 Copyright\n");
	const struct page_line *l = line(p, FINDING_CHG_SBOM, "openssl 3.0.17 -> 3.0.22 (a hint)");
	assert_true(l && l->block == PAGE_SBOM && l->severity == FINDING_NOTICE);
	l = line(p, FINDING_CHG_OLDER, "busybox 1.36.1 -> 1.35.0, which is older (a hint)");
	assert_true(l && l->severity == FINDING_WARNING);
	assert_non_null(line(p, FINDING_CHG_SBOM, "curl 7.88.1 gone (a hint)"));
	assert_non_null(line(p, FINDING_CHG_SBOM, "dropbear 2022.83 new (a hint)"));
	assert_int_equal(page_count(p), 4);
	page_free(p);
	p = compare("bin/x", "x", "OpenSSL is a library; BusyBox v; MyOpenSSL 1.2.3; curl 7; inflate 5 times");
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

static void
databases(void **state)
{
	(void)state;
	struct page *p = compare("var/lib/dpkg/status", "Package: libc6\nVersion: 2.36-9\n\nPackage: a\nStatus: x\nVersion: 1:2\n",
	    "Package: libc6\nVersion: 2.36-9+deb12u1\n\nPackage: a\nVersion: 1:1\n");
	assert_non_null(line(p, FINDING_CHG_SBOM, "libc6 2.36-9 -> 2.36-9+deb12u1 (a hint)"));
	assert_non_null(line(p, FINDING_CHG_OLDER, "a 1:2 -> 1:1, which is older (a hint)"));
	assert_int_equal(page_count(p), 2);
	page_free(p);
	p = compare("x/lib/apk/db/installed", "P:musl\nV:1.2\n", "P:musl\nV:1.3\nP:evil\x1b\nV:1\n");
	assert_non_null(line(p, FINDING_CHG_SBOM, "musl 1.2 -> 1.3 (a hint)"));
	assert_non_null(line(p, FINDING_CHG_SBOM, "evil<1B> 1 new (a hint)"));
	page_free(p);
	p = compare("etc/os-release", "NAME=x\nVERSION_ID=\"12\"\n", "VERSION_ID=\"11\"\n");
	assert_non_null(line(p, FINDING_CHG_OLDER, "system release 12 -> 11, which is older (a hint)"));
	page_free(p);
}

/* Two of one component: nobody can say which became which. */
static void
several_versions(void **state)
{
	(void)state;
	struct page *p = compare("x", "OpenSSL 1.1.1a\nOpenSSL 3.0.1\n", "OpenSSL 3.0.1\nOpenSSL 1.0.2k\n");
	assert_non_null(line(p, FINDING_CHG_SBOM, "openssl 1.1.1a gone (a hint)"));
	assert_non_null(line(p, FINDING_CHG_SBOM, "openssl 1.0.2k new (a hint)"));
	assert_int_equal(page_count(p), 2);
	page_free(p);
}

static void
limits(void **state)
{
	(void)state;
	size_t n = 0, cap = (SBOM_MAX + 5) * 40;
	char *text = malloc(cap);
	assert_non_null(text);
	for (unsigned i = 0; i < SBOM_MAX + 5; i++)
		n += (size_t)snprintf(text + n, cap - n, "Package: p%u\nVersion: 1\n", i);
	struct page *p = compare("dpkg/status", text, text);
	assert_int_equal(page_count(p), 1);
	assert_int_equal(page_at(p, 0)->id, FINDING_CHG_INCOMPLETE);
	page_free(p);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(banners),
		cmocka_unit_test(databases),
		cmocka_unit_test(several_versions),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
