/* SPDX-License-Identifier: Apache-2.0 */
/* What modules keep, as the inspector tells it of members that are stored, packed, long, or lie. */
#include "unit/images/zip_rig.h"

#include "images/retain.h"

#define BOOT_SIZE ((3u << 19) + 8192) /* longer than the head that says what it is */
#define BOOT_META (1u << 20)

static void
big_endian(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* 4 KiB; algorithm 0: unsigned. */
static void
vbmeta(uint8_t *m, unsigned algorithm, uint64_t index)
{
	memset(m, 0, 4096);
	memcpy(m, "AVB0", 4);
	big_endian(m + 12, 320, 8);
	big_endian(m + 20, 1024, 8);
	big_endian(m + 28, algorithm, 4);
	big_endian(m + 112, index, 8);
}

/* Ends a partition of n bytes. */
static void
footer(uint8_t *p, size_t n, uint64_t at, uint64_t length)
{
	memset(p + n - 64, 0, 64);
	memcpy(p + n - 64, "AVBf", 4);
	big_endian(p + n - 64 + 20, at, 8);
	big_endian(p + n - 64 + 28, length, 8);
}

/* How many facts of that kind there are; that of path, if any, into *ret. */
static unsigned
facts(const struct report *r, enum contents_fact_id id, const char *path, const struct contents_fact **ret)
{
	unsigned n = 0;
	*ret = NULL;
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		n += r->contents.fact[i].id == id;
		if (r->contents.fact[i].id == id && strcmp(r->contents.fact[i].path, path) == 0)
			*ret = &r->contents.fact[i];
	}
	return n;
}

static void
expect(const struct report *r, enum contents_fact_id id, const char *path, const char *value, unsigned total)
{
	const struct contents_fact *f;
	assert_int_equal(facts(r, id, path, &f), total);
	if (!f)
		fail_msg("nothing of %s", path);
	assert_string_equal(f->value, value);
	assert_false(f->sure); /* nobody signed these */
}

static uint8_t meta[3][4096], boot[BOOT_SIZE], lost[3][8192];

static void
indexes_of_verified_boot(void **state)
{
	(void)state;
	struct writer w;
	vbmeta(meta[0], 1, 7);
	vbmeta(meta[1], 0, 8);
	vbmeta(meta[2], 2, UINT64_MAX);
	for (size_t i = 0; i < sizeof boot; i++)
		boot[i] = (uint8_t)"words of a kernel "[i % 18];
	memset(boot, 0, 4096);
	memcpy(boot, "ANDROID!", 8);
	boot[36 + 1] = 0x08; /* pages of 2048 bytes */
	vbmeta(boot + BOOT_META, 1, 0);
	footer(boot, sizeof boot, BOOT_META, 4096);
	/* A footer that leads to no vbmeta, around the end, and to one that would reach into the footer. */
	footer(lost[0], sizeof lost[0], 4096, 10);
	footer(lost[1], sizeof lost[1], UINT64_MAX - 8, 100);
	vbmeta(lost[2] + 4096, 1, 9);
	footer(lost[2], sizeof lost[2], 4096, 4096);
	struct rig_entry e[] = {
		{ .name = "vbmeta.img", .text = (char *)meta[0], .text_n = 4096 },
		{ .name = "unsigned.img", .text = (char *)meta[1], .text_n = 4096 },
		{ .name = "packed.img", .text = (char *)meta[2], .text_n = 4096, .deflate = true },
		{ .name = "cut.img", .text = (char *)meta[0], .text_n = 255 },
		{ .name = "boot.img", .text = (char *)boot, .text_n = sizeof boot, .deflate = true },
		{ .name = "lost-0.img", .text = (char *)lost[0], .text_n = 8192 },
		{ .name = "lost-1.img", .text = (char *)lost[1], .text_n = 8192 },
		{ .name = "lost-2.img", .text = (char *)lost[2], .text_n = 8192 },
	};
	rig_zip(&w, e, 8, "");
	struct report *r = rig_inspect(writer_view(&w), NULL, false);
	expect(r, CONTENTS_FACT_ROLLBACK_INDEX, "vbmeta.img", "7", 3);
	expect(r, CONTENTS_FACT_ROLLBACK_INDEX, "packed.img", "18446744073709551615", 3);
	expect(r, CONTENTS_FACT_ROLLBACK_INDEX, "boot.img", "0", 3);
	report_free(r);
	writer_free(&w);
	/* The image itself, which nothing walks. */
	r = rig_inspect(view_of(meta[0], 4096), NULL, false);
	expect(r, CONTENTS_FACT_ROLLBACK_INDEX, "", "7", 1);
	assert_false(r->contents.walked);
	report_free(r);
	r = rig_inspect(view_of(boot, sizeof boot), NULL, false);
	assert_int_equal(r->format, FORMAT_ANDROID_BOOT);
	expect(r, CONTENTS_FACT_ROLLBACK_INDEX, "", "0", 1);
	report_free(r);
}

static void
settings_of_rauc(void **state)
{
	(void)state;
	static char large[RETAIN_SETTINGS_MAX + 2], fits[RETAIN_SETTINGS_MAX + 1];
	static const char head[] = "[system]\nmin-bundle-version=5\n#";
	memset(large, 'x', sizeof large - 1);
	memset(fits, 'x', sizeof fits - 1);
	memcpy(large, head, sizeof head - 1);
	memcpy(fits, head, sizeof head - 1);
	static const struct {
		const char *name, *text, *value; /* NULL: nothing is told */
	} rows[] = {
		{ "etc/rauc/system.conf", "[system]\nmin-bundle-version = 1.2-rc\n", "1.2-rc" },
		{ "./etc/rauc/system.conf", "[system]\ncompatible=x\n\n[keyring]\n[system]\nmin-bundle-version=3\r\n", "3" },
		{ "usr/lib/rauc/system.conf", "[system]\nmin-bundle-version=1\nmin-bundle-version=2\n", "2" },
		{ "etc/rauc/system.conf", fits, "5" },
		{ "etc/rauc/system.conf", large, NULL },
		{ "etc/rauc/system.conf", "[system]\nmin-bundle-version=1\nno line\n", NULL },
		{ "etc/rauc/system.conf", "[update]\nmin-bundle-version=1\n", NULL },
		{ "etc/rauc/system.conf", "min-bundle-version=1\n", NULL },
		{ "etc/rauc/system.conf", "[system]\n#min-bundle-version=1\n", NULL },
		{ "etc/rauc/system.conf", "[system]\n", NULL },
		{ "home/etc/rauc/system.conf", "[system]\nmin-bundle-version=1\n", NULL },
		{ "etc/rauc/system.conf~", "[system]\nmin-bundle-version=1\n", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned packed = 0; packed < 2; packed++) {
			const struct contents_fact *f;
			struct writer w;
			struct rig_entry e = { .name = rows[i].name, .text = rows[i].text, .deflate = packed };
			rig_zip(&w, &e, 1, "");
			struct report *r = rig_inspect(writer_view(&w), NULL, false);
			if (rows[i].value)
				expect(r, CONTENTS_FACT_LEAST_VERSION, rows[i].name, rows[i].value, 1);
			else if (facts(r, CONTENTS_FACT_LEAST_VERSION, "", &f))
				fail_msg("%zu: %s", i, rows[i].text);
			report_free(r);
			writer_free(&w);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indexes_of_verified_boot),
		cmocka_unit_test(settings_of_rauc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
