/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/edge/table.h"
#include "gateway/wire/memfd.h"

static const uint8_t seed[16] = "0123456789abcdef";

static struct table_module
module_of(uint32_t n, const char *group, const char *product, const char *version)
{
	struct table_module m = { .group = group, .product = product, .version = version };
	memset(m.pseudonym, 0x5a, sizeof m.pseudonym);
	memcpy(m.pseudonym, &n, sizeof n);
	return m;
}

static void
ident(struct table_module *m, unsigned kind, unsigned cls, const char *text)
{
	m->ident[m->idents_n].kind = (uint8_t)kind;
	m->ident[m->idents_n].cls = (uint8_t)cls;
	m->ident[m->idents_n++].text = view_str(text);
}

static struct table_decision
decision_of(uint8_t release, uint8_t resource, const char *profile, const char *from, const char *group)
{
	struct table_decision d = { .profile = profile, .product = "EC25", .target = "A09", .from = from,
		.group = group, .not_before = 1000 + release, .not_after = INT64_MAX - release,
		.size = UINT64_C(5000000000) + release, .last_modified = -1, .share = (UINT64_C(1) << 32) - release,
		.known_by = INT64_MAX - 2 * release, .as_of = 1000 * release };
	memset(d.release, release, sizeof d.release);
	memset(d.resource, resource, sizeof d.resource);
	memset(d.image, release + 1, sizeof d.image);
	return d;
}

static struct table *
finish(struct table_builder *b)
{
	struct table *t = NULL;
	int fd = memfd_open("table");
	assert_true(fd >= 0);
	assert_int_equal(table_builder_write(b, fd), 0);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	close(fd);
	table_builder_free(b);
	return t;
}

static struct table_builder *
small(void)
{
	struct table_builder *b = table_builder_new(77, seed, 0);
	assert_non_null(b);
	struct table_module m = module_of(1, "canary", "EC25", "A07");
	ident(&m, 1, 4, "490154203237518");
	ident(&m, 4, 1, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	assert_int_equal(table_builder_module(b, &m), 0);
	m = module_of(2, "", "EC25", "");
	m.held = m.listed = true;
	m.first_seen = INT64_C(1800000000);
	m.placed = INT64_C(1800000007);
	ident(&m, 6, 4, "SN-0001/x");
	assert_int_equal(table_builder_module(b, &m), 0);
	struct table_decision d = decision_of(9, 3, "quectel", "A07", "canary");
	assert_int_equal(table_builder_decision(b, &d), 0);
	d = decision_of(8, 3, "quectel", "*", "*");
	assert_int_equal(table_builder_decision(b, &d), 0);
	d = decision_of(7, 2, "quectel", "*", "field");
	assert_int_equal(table_builder_decision(b, &d), 0);
	d = decision_of(6, 3, "other", "*", "*");
	assert_int_equal(table_builder_decision(b, &d), 0);
	return b;
}

static void
test_table_round_trip(void **state)
{
	(void)state;
	struct table *t = finish(small());
	struct table_row row;
	assert_int_equal(table_generation(t), 77);
	assert_int_equal(table_modules(t), 2);
	assert_int_equal(table_decisions(t), 4);
	assert_true(table_find(t, 1, view_str("490154203237518"), &row));
	assert_int_equal(row.ordinal, 0);
	assert_int_equal(row.pseudonym[0], 1);
	assert_int_equal(row.pseudonym[15], 0x5a);
	assert_string_equal(row.group, "canary");
	assert_string_equal(row.product, "EC25");
	assert_string_equal(row.version, "A07");
	assert_false(row.held);
	assert_false(row.listed);
	assert_int_equal(row.first_seen, 0);
	assert_int_equal(row.placed, 0);
	assert_true(table_find(t, 4,
	    view_str("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), &row));
	assert_int_equal(row.ordinal, 0);
	assert_true(table_find(t, 6, view_str("SN-0001/x"), &row));
	assert_int_equal(row.ordinal, 1);
	assert_string_equal(row.group, "");
	assert_string_equal(row.version, "");
	assert_true(row.held);
	assert_true(row.listed);
	assert_int_equal(row.first_seen, 1800000000);
	assert_int_equal(row.placed, 1800000007);
	table_free(t);
}

/* 32 bits of seconds: what does not fit was never, or is for ever after whatever began. */
static void
test_table_times(void **state)
{
	static const int64_t times[][2] = { { -1, 0 }, { 0, 0 }, { 1, 1 }, { UINT32_MAX, UINT32_MAX },
		{ INT64_C(1) << 40, UINT32_MAX }, { INT64_MAX, UINT32_MAX } };
	(void)state;
	for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct table_builder *b = table_builder_new(1, seed, 1);
		struct table_module m = module_of(1, "", "", "");
		struct table_row row;
		m.first_seen = m.placed = times[i][0];
		ident(&m, 6, 4, "SN");
		assert_int_equal(table_builder_module(b, &m), 0);
		struct table *t = finish(b);
		assert_true(table_find(t, 6, view_str("SN"), &row));
		assert_true(row.first_seen == times[i][1] && row.placed == times[i][1]);
		table_free(t);
	}
}

static void
test_table_misses(void **state)
{
	(void)state;
	struct table *t = finish(small());
	struct table_row row;
	char longest[130];
	memset(longest, '1', sizeof longest);
	longest[129] = '\0';
	assert_false(table_find(t, 2, view_str("490154203237518"), &row)); /* other kind */
	assert_false(table_find(t, 1, view_str("49015420323751"), &row));
	assert_false(table_find(t, 1, view_str("4901542032375180"), &row)); /* packs to the same bytes */
	assert_false(table_find(t, 1, view_str("490154203237519"), &row));
	assert_false(table_find(t, 1, view_str(""), &row));
	assert_false(table_find(t, 0, view_str("490154203237518"), &row));
	assert_false(table_find(t, 17, view_str("490154203237518"), &row)); /* 17 & 15 is 1 */
	assert_false(table_find(t, 129, view_str("490154203237518"), &row));
	assert_false(table_find(t, 1, view_str(longest), &row));
	assert_false(table_find(t, 4,
	    view_str("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"), &row));
	table_free(t);
	/* None at all. */
	t = finish(table_builder_new(1, seed, 0));
	assert_int_equal(table_modules(t), 0);
	assert_false(table_find(t, 1, view_str("490154203237518"), &row));
	table_free(t);
}

static void
test_table_decisions(void **state)
{
	(void)state;
	struct table *t = finish(small());
	struct table_decision d;
	uint8_t resource[TABLE_ID];
	uint32_t it = 0;
	memset(resource, 3, sizeof resource);
	/* In the order in which they were added. */
	assert_true(table_next(t, "quectel", resource, &it, &d));
	assert_int_equal(d.release[0], 9);
	assert_int_equal(d.image[31], 10);
	assert_int_equal(d.size, UINT64_C(5000000009));
	assert_int_equal(d.not_before, 1009);
	assert_true(d.not_after == INT64_MAX - 9);
	assert_int_equal(d.last_modified, -1);
	assert_true(d.share == (UINT64_C(1) << 32) - 9);
	assert_true(d.known_by == INT64_MAX - 18);
	assert_true(d.as_of == 9000);
	assert_string_equal(d.from, "A07");
	assert_string_equal(d.group, "canary");
	assert_string_equal(d.target, "A09");
	assert_string_equal(d.product, "EC25");
	assert_string_equal(d.profile, "quectel");
	assert_true(table_next(t, "quectel", resource, &it, &d));
	assert_int_equal(d.release[0], 8);
	assert_false(table_next(t, "quectel", resource, &it, &d));
	it = 0;
	assert_true(table_next(t, "other", resource, &it, &d));
	assert_int_equal(d.release[0], 6);
	assert_false(table_next(t, "other", resource, &it, &d));
	it = 0;
	assert_false(table_next(t, "quecte", resource, &it, &d));
	memset(resource, 2, sizeof resource);
	it = 0;
	assert_true(table_next(t, "quectel", resource, &it, &d));
	assert_int_equal(d.release[0], 7);
	assert_false(table_next(t, "quectel", resource, &it, &d));
	memset(resource, 0xff, sizeof resource);
	it = 0;
	assert_false(table_next(t, "quectel", resource, &it, &d));
	it = UINT32_MAX;
	assert_false(table_next(t, "quectel", resource, &it, &d));
	unsigned sum = 0;
	for (size_t i = 0; table_decision_at(t, i, &d); i++)
		sum += d.release[0];
	assert_int_equal(sum, 6 + 7 + 8 + 9);
	assert_false(table_decision_at(t, 4, &d));
	table_free(t);
}

static void
test_table_duplicates_and_limits(void **state)
{
	(void)state;
	struct table_builder *b = small();
	struct table_module m = module_of(3, "g", "p", "v");
	char longest[TABLE_STRING_MAX + 2];
	ident(&m, 1, 4, "111111111111111");
	ident(&m, 6, 4, "SN-0001/x"); /* the second module's */
	assert_int_equal(table_builder_module(b, &m), FG_EEXIST);
	m.idents_n = 1;
	ident(&m, 1, 4, "111111111111111"); /* its own twice is one */
	assert_int_equal(table_builder_module(b, &m), 0);
	memset(longest, 'a', sizeof longest);
	longest[TABLE_STRING_MAX + 1] = '\0';
	m = module_of(4, longest, "p", "v");
	assert_int_equal(table_builder_module(b, &m), FG_ELIMIT);
	m.group = longest + 1;
	ident(&m, 16, 4, "1");
	assert_int_equal(table_builder_module(b, &m), FG_ELIMIT);
	m.ident[0].kind = 3;
	m.ident[0].text = view_of(NULL, 0);
	assert_int_equal(table_builder_module(b, &m), FG_ELIMIT);
	m.ident[0].text = view_str(longest);
	assert_int_equal(table_builder_module(b, &m), FG_ELIMIT);
	m.ident[0].text = view_str(longest + 1);
	assert_int_equal(table_builder_module(b, &m), 0);
	struct table_decision d = decision_of(1, 1, longest, "*", "*");
	assert_int_equal(table_builder_decision(b, &d), FG_ELIMIT);
	struct table *t = finish(b);
	struct table_row row;
	assert_int_equal(table_modules(t), 4);
	assert_int_equal(table_decisions(t), 4);
	assert_true(table_find(t, 6, view_str("SN-0001/x"), &row));
	assert_int_equal(row.ordinal, 1);
	assert_true(table_find(t, 1, view_str("111111111111111"), &row));
	assert_int_equal(row.ordinal, 2);
	assert_true(table_find(t, 3, view_str(longest + 1), &row));
	assert_string_equal(row.group, longest + 1);
	table_free(t);
}

static void
test_table_from_keeps_modules(void **state)
{
	(void)state;
	struct table *t = finish(small());
	struct table_builder *b = table_builder_from(t, 80);
	assert_non_null(b);
	table_free(t); /* nothing of it is needed any longer */
	struct table_decision d = decision_of(42, 9, "quectel", "*", "*");
	assert_int_equal(table_builder_decision(b, &d), 0);
	t = finish(b);
	struct table_row row;
	assert_int_equal(table_generation(t), 80);
	assert_int_equal(table_modules(t), 2);
	assert_int_equal(table_decisions(t), 1);
	assert_true(table_find(t, 1, view_str("490154203237518"), &row));
	assert_string_equal(row.group, "canary");
	assert_true(table_find(t, 6, view_str("SN-0001/x"), &row));
	assert_true(row.listed);
	assert_true(table_decision_at(t, 0, &d));
	assert_int_equal(d.release[0], 42);
	/* And once more from what came from(). */
	b = table_builder_from(t, 81);
	table_free(t);
	t = finish(b);
	assert_int_equal(table_decisions(t), 0);
	assert_true(table_find(t, 1, view_str("490154203237518"), &row));
	table_free(t);
}

static struct table_link
link_of(uint8_t digest, uint8_t release, uint32_t module)
{
	struct table_link l = { .not_after = -release, .profile = "quectel", .module = module };
	memset(l.digest, 5, sizeof l.digest); /* all alike where the search looks first */
	l.digest[DIGEST_SHA256_LEN - 1] = digest;
	memset(l.release, release, sizeof l.release);
	return l;
}

static void
test_table_links(void **state)
{
	struct table_builder *b = small();
	struct table_link found;
	struct table_row row;
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct table_link l = link_of((uint8_t)(i * 37 % 101), (uint8_t)i, i % 2);
		assert_int_equal(table_builder_link(b, &l), 0);
	}
	struct table *t = finish(b);
	/* Kept with the modules when only decisions are made anew. */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(table_links(t), 100);
		for (unsigned i = 0; i < 100; i++) {
			struct table_link l = link_of((uint8_t)(i * 37 % 101), 0, 0);
			assert_true(table_find_link(t, l.digest, &found, &row));
			assert_int_equal(found.release[TABLE_ID - 1], i);
			assert_int_equal(found.not_after, -(int64_t)i);
			assert_int_equal(row.ordinal, i % 2);
			assert_string_equal(row.group, i % 2 ? "" : "canary");
			assert_string_equal(found.profile, "quectel");
		}
		/* One is missing of 0 to 100, and what differs only at the end or at the start is another. */
		unsigned met = 0;
		for (unsigned i = 0; i < 256; i++) {
			struct table_link l = link_of((uint8_t)i, 0, 0);
			met += table_find_link(t, l.digest, &found, &row);
			l.digest[0]++;
			assert_false(table_find_link(t, l.digest, &found, &row));
			l.digest[0] -= 2;
			assert_false(table_find_link(t, l.digest, &found, &row));
		}
		assert_int_equal(met, 100);
		b = table_builder_from(t, 90 + (uint64_t)again);
		table_free(t);
		t = finish(b);
	}
	table_free(t);
	/* The same token twice is no table. */
	b = small();
	struct table_link l = link_of(1, 1, 0);
	assert_int_equal(table_builder_link(b, &l), 0);
	assert_int_equal(table_builder_link(b, &l), 0);
	int fd = memfd_open("table");
	assert_int_equal(table_builder_write(b, fd), FG_EEXIST);
	close(fd);
	table_builder_free(b);
	t = finish(small());
	assert_false(table_find_link(t, l.digest, &found, &row));
	table_free(t);
}

/* A fleet from a seeded generator; the model is the generator itself. */
static uint32_t
noise(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

static void
fleet_module(uint32_t i, struct table_module *m, char text[4][72], char version[32])
{
	static const char *const groups[] = { "", "canary", "field", "lab" };
	uint32_t r = noise(i);
	snprintf(version, 32, "R%u", r % 37);
	*m = module_of(i, groups[r % 4], r & 64 ? "EC25" : "BG96", version);
	m->held = (r & 0x300) == 0;
	m->listed = (r & 0x400) == 0;
	snprintf(text[0], 72, "%015u", i);
	ident(m, 1, 4, text[0]);
	if (r & 0x1000) {
		snprintf(text[1], 72, "89%018u", i);
		ident(m, 2, 4, text[1]);
	}
	if (r & 0x2000) {
		snprintf(text[2], 72, "serial-%u", r);
		ident(m, 6, 4, text[2]);
	}
	if (r & 0x4000) {
		snprintf(text[3], 72, "%056x%08x", 7u, i);
		ident(m, 3, 2, text[3]);
	}
}

static void
test_table_model_of_100k(void **state)
{
	(void)state;
	enum { N = 100000 };
	for (unsigned hint = 0; hint <= N; hint += N) {
		struct table_builder *b = table_builder_new(5, seed, hint);
		struct table_module m;
		char text[4][72], version[32];
		for (uint32_t i = 0; i < N; i++) {
			fleet_module(i, &m, text, version);
			assert_int_equal(table_builder_module(b, &m), 0);
		}
		struct table *t = finish(b);
		struct table_row row;
		assert_int_equal(table_modules(t), N);
		for (uint32_t i = 0; i < N; i++) {
			fleet_module(i, &m, text, version);
			for (unsigned k = 0; k < m.idents_n; k++) {
				assert_true(table_find(t, m.ident[k].kind, m.ident[k].text, &row));
				assert_int_equal(row.ordinal, i);
			}
			assert_memory_equal(row.pseudonym, m.pseudonym, TABLE_ID);
			assert_string_equal(row.group, m.group);
			assert_string_equal(row.product, m.product);
			assert_string_equal(row.version, m.version);
			assert_int_equal(row.held, m.held);
			assert_int_equal(row.listed, m.listed);
			snprintf(text[0], sizeof text[0], "%015u", N + i);
			assert_false(table_find(t, 1, view_str(text[0]), &row));
		}
		table_free(t);
	}
}

static struct view
bytes_of(struct table_builder *b)
{
	int fd = memfd_open("table");
	struct stat st;
	assert_int_equal(table_builder_write(b, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *p = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	table_builder_free(b);
	return view_of(p, (size_t)st.st_size);
}

/* Everything a reader can do; strings are read to their ends. */
static size_t
walk(const struct table *t)
{
	static const char *const asked[] = { "490154203237518", "SN-0001/x", "x",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" };
	size_t sum = 0;
	struct table_row row;
	struct table_decision d, e;
	for (unsigned kind = 0; kind < 8; kind++)
		for (unsigned i = 0; i < 4; i++)
			if (table_find(t, kind, view_str(asked[i]), &row))
				sum += strlen(row.group) + strlen(row.product) + strlen(row.version) + row.pseudonym[15];
	for (size_t i = 0; table_decision_at(t, i, &d); i++) {
		uint32_t it = 0;
		size_t found = 0;
		while (table_next(t, d.profile, d.resource, &it, &e))
			found += strlen(e.product) + strlen(e.target) + strlen(e.from) + strlen(e.group) + 1;
		assert_true(found > 0); /* what is there can be asked for */
		sum += found;
	}
	return sum;
}

static void
test_table_corruption(void **state)
{
	(void)state;
	struct view good = bytes_of(small());
	struct table *t;
	unsigned refused = 0;
	for (size_t i = 0; i < good.n; i++) {
		for (unsigned bit = 0; bit < 9; bit++) {
			/* Exactly sized: the sanitizer sees one byte too far. */
			uint8_t *copy = malloc(good.n);
			memcpy(copy, good.p, good.n);
			copy[i] = bit < 8 ? (uint8_t)(copy[i] ^ 1u << bit) : 0xff;
			int r = table_open_bytes(view_of(copy, good.n), &t);
			assert_true(r == 0 || r == FG_EPEER);
			if (r == 0) {
				(void)walk(t);
				table_free(t);
			} else {
				refused++;
			}
			free(copy);
		}
	}
	assert_true(refused > good.n); /* more than one change in nine */
	for (size_t n = 0; n < good.n; n++) {
		uint8_t *copy = malloc(n + 1);
		memcpy(copy, good.p, n);
		assert_int_equal(table_open_bytes(view_of(copy, n), &t), FG_EPEER);
		free(copy);
	}
	uint8_t *longer = calloc(1, good.n + 1);
	memcpy(longer, good.p, good.n);
	assert_int_equal(table_open_bytes(view_of(longer, good.n + 1), &t), FG_EPEER);
	assert_int_equal(table_open_bytes(good, &t), 0);
	assert_true(walk(t) > 0);
	table_free(t);
	free(longer);
	free((void *)(uintptr_t)good.p);
}

/* Counts as large as they can be: the sum must not wrap into the true length. */
static void
test_table_counts_do_not_wrap(void **state)
{
	(void)state;
	struct view good = bytes_of(small());
	struct table *t;
	uint8_t *copy = malloc(good.n);
	for (unsigned mask = 1; mask < 256; mask++) {
		memcpy(copy, good.p, good.n);
		for (unsigned k = 0; k < 8; k++)
			if (mask & 1u << k)
				memset(copy + 32 + 4 * k, 0xff, 4);
		assert_int_equal(table_open_bytes(view_of(copy, good.n), &t), FG_EPEER);
	}
	free(copy);
	free((void *)(uintptr_t)good.p);
}

static void
test_table_open_wants_a_sealed_memfd(void **state)
{
	(void)state;
	struct view good = bytes_of(small());
	struct table *t;
	int fd = memfd_open("table");
	assert_int_equal(write(fd, good.p, good.n), (ssize_t)good.n);
	assert_int_equal(table_open(fd, &t), FG_EPEER);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	close(fd);
	assert_int_equal(table_generation(t), 77); /* the mapping is the table's own */
	table_free(t);
	fd = memfd_open("empty");
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), FG_EPEER);
	close(fd);
	table_free(NULL);
	table_builder_free(NULL);
	free((void *)(uintptr_t)good.p);
}

static void
test_table_write_failure(void **state)
{
	(void)state;
	int ends[2];
	struct table_builder *b = small();
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	assert_int_equal(table_builder_write(b, ends[0]), FG_EIO); /* not for writing */
	close(ends[0]);
	struct table *t = finish(b); /* and can be tried again */
	assert_int_equal(table_modules(t), 2);
	table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_round_trip),
		cmocka_unit_test(test_table_times),
		cmocka_unit_test(test_table_misses),
		cmocka_unit_test(test_table_decisions),
		cmocka_unit_test(test_table_duplicates_and_limits),
		cmocka_unit_test(test_table_from_keeps_modules),
		cmocka_unit_test(test_table_links),
		cmocka_unit_test(test_table_model_of_100k),
		cmocka_unit_test(test_table_corruption),
		cmocka_unit_test(test_table_counts_do_not_wrap),
		cmocka_unit_test(test_table_open_wants_a_sealed_memfd),
		cmocka_unit_test(test_table_write_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
