/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/version.h"

static enum version_relation
dotted(const char *a, const char *b)
{
	return version_compare(VERSION_ORDER_DOTTED, view_str(a), view_str(b));
}

static void
numbers_are_numbers(void **state)
{
	(void)state;
	assert_int_equal(dotted("1.1.10", "1.1.9"), VERSION_NEWER);
	assert_int_equal(dotted("1.1.9", "1.1.10"), VERSION_OLDER);
	assert_int_equal(dotted("2", "10"), VERSION_OLDER);
	assert_int_equal(dotted("1.2", "1.2.1"), VERSION_OLDER);
	assert_int_equal(dotted("1.2.0.1", "1.2"), VERSION_NEWER);
	assert_int_equal(dotted("v1.2", "v1.3"), VERSION_OLDER);
	assert_int_equal(dotted("1.2.3", "1.2.3"), VERSION_SAME);
	assert_int_equal(dotted("999999999999999999", "999999999999999998"), VERSION_NEWER);
}

static void
doubt_is_unknown(void **state)
{
	static const char *const pairs[][2] = { { "1.1", "1.1.0" }, { "1.01", "1.1" }, { "v1.2", "1.3" }, { "V1", "v2" },
		{ "1.2-rc1", "1.2" }, { "1.2a", "1.3" }, { "", "1" }, { "1", "" }, { "", "" }, { "1..2", "1.3" }, { "1.2.", "1.3" },
		{ ".1", "1" }, { "v", "v1" }, { "1.2.3.4.5.6.7.8.9", "1" }, { "9999999999999999999", "1" }, { "+1", "2" },
		{ "EG25GGBR07A08M2G", "EG25GGBR07A09M2G" }, { " 1", "2" }, { "0x10", "2" } };
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (dotted(pairs[i][0], pairs[i][1]) != VERSION_UNKNOWN)
			fail_msg("\"%s\" and \"%s\" were ordered", pairs[i][0], pairs[i][1]);
}

static void
exact_knows_equality_only(void **state)
{
	(void)state;
	struct view a = view_str("A08M2G"), b = view_str("A09M2G");
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, a, a), VERSION_SAME);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, a, b), VERSION_UNKNOWN);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, view_str("1"), view_str("2")), VERSION_UNKNOWN);
}

static void
length_is_bounded(void **state)
{
	char a[VERSION_TEXT_MAX + 2];
	(void)state;
	memset(a, '1', sizeof a);
	struct view v = view_of(a, VERSION_TEXT_MAX + 1);
	assert_int_equal(version_compare(VERSION_ORDER_EXACT, v, v), VERSION_UNKNOWN);
}

/* Swapping the sides must swap the answer, over every pair of a small language. */
static void
order_is_antisymmetric(void **state)
{
	static const char letters[] = "012.v";
	char words[800][5];
	unsigned n = 0;
	(void)state;
	for (unsigned a = 0; a < 5; a++)
		for (unsigned b = 0; b < 6; b++)
			for (unsigned c = 0; c < 6; c++) {
				char w[5] = { letters[a], b < 5 ? letters[b] : '\0', b < 5 && c < 5 ? letters[c] : '\0' };
				memcpy(words[n++], w, 5);
			}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++) {
			enum version_relation x = dotted(words[i], words[j]), y = dotted(words[j], words[i]);
			assert_int_equal(x == VERSION_OLDER, y == VERSION_NEWER);
			assert_int_equal(x == VERSION_SAME, y == VERSION_SAME);
			assert_int_equal(x == VERSION_SAME, !strcmp(words[i], words[j]));
		}
}

struct row {
	const char *a, *b;
	enum version_relation is;
};

/* Each row both ways round. */
static void
by_table(enum version_order order, const struct row *rows, size_t n)
{
	static const enum version_relation swapped[] = { [VERSION_UNKNOWN] = VERSION_UNKNOWN,
		[VERSION_OLDER] = VERSION_NEWER, [VERSION_SAME] = VERSION_SAME, [VERSION_NEWER] = VERSION_OLDER };
	for (size_t i = 0; i < n; i++) {
		struct view a = view_str(rows[i].a), b = view_str(rows[i].b);
		enum version_relation is = version_compare(order, a, b);
		if (is != rows[i].is || version_compare(order, b, a) != swapped[is])
			fail_msg("%s is %s to %s", rows[i].a, version_relation_name(is), rows[i].b);
	}
}
#define BY_TABLE(order, rows) by_table(order, rows, sizeof rows / sizeof *rows)

/* The chain is the one of clause 11 of the specification. */
static void
semver_by_table(void **state)
{
	static const struct row rows[] = {
		{ "1.0.0-alpha", "1.0.0-alpha.1", VERSION_OLDER },
		{ "1.0.0-alpha.1", "1.0.0-alpha.beta", VERSION_OLDER },
		{ "1.0.0-alpha.beta", "1.0.0-beta", VERSION_OLDER },
		{ "1.0.0-beta", "1.0.0-beta.2", VERSION_OLDER },
		{ "1.0.0-beta.2", "1.0.0-beta.11", VERSION_OLDER },
		{ "1.0.0-beta.11", "1.0.0-rc.1", VERSION_OLDER },
		{ "1.0.0-rc.1", "1.0.0", VERSION_OLDER },
		{ "1.1.9", "1.1.10", VERSION_OLDER },
		{ "v1.1.9", "v1.1.10", VERSION_OLDER },
		{ "1.0.0-1", "1.0.0-a", VERSION_OLDER },
		{ "1.0.0--", "1.0.0-0a", VERSION_OLDER },
		{ "1.0.0-x-y", "1.0.0-x-z", VERSION_OLDER },
		{ "1.0.0-A", "1.0.0-a", VERSION_OLDER },
		{ "99999999999999999999.0.0", "100000000000000000000.0.0", VERSION_OLDER },
		{ "1.0.0+b", "1.0.1+a", VERSION_OLDER },
		{ "1.0.0-rc.1+build.1", "1.0.0+exp.sha.5114f85", VERSION_OLDER },
		{ "1.0.0+001", "1.0.0+001", VERSION_SAME },
		{ "1.0.0+a", "1.0.0+b", VERSION_UNKNOWN },
		{ "1.0.0", "1.0.0+b", VERSION_UNKNOWN },
		{ "1.0.0-rc.1+a", "1.0.0-rc.1+b", VERSION_UNKNOWN },
		{ "v1.0.0", "1.0.1", VERSION_UNKNOWN },
		{ "1.0", "1.0.1", VERSION_UNKNOWN },
		{ "1.0.0.0", "1.0.1", VERSION_UNKNOWN },
		{ "01.0.0", "2.0.0", VERSION_UNKNOWN },
		{ "1.0.0-01", "1.0.0", VERSION_UNKNOWN },
		{ "1.0.0-", "1.0.0", VERSION_UNKNOWN },
		{ "1.0.0-a.", "1.0.0", VERSION_UNKNOWN },
		{ "1.0.0-a..b", "1.0.0", VERSION_UNKNOWN },
		{ "1.0.0+", "1.0.1", VERSION_UNKNOWN },
		{ "1.0.0+a+b", "1.0.1", VERSION_UNKNOWN },
		{ "1.0.0_1", "1.0.1", VERSION_UNKNOWN },
		{ "-1.0.0", "1.0.1", VERSION_UNKNOWN },
		{ "1.0.+1", "1.0.2", VERSION_UNKNOWN },
		{ "v", "v1.0.0", VERSION_UNKNOWN },
	};
	(void)state;
	BY_TABLE(VERSION_ORDER_SEMVER, rows);
}

/* Texts that modules answer to ATI, AT+GMR and AT+QGMR. */
static void
quectel_by_table(void **state)
{
	static const struct row rows[] = {
		{ "EC25EFAR06A06M4G", "EC25EFAR06A07M4G", VERSION_OLDER },
		{ "EG25GGBR07A08M2G", "EG25GGBR07A09M2G", VERSION_OLDER },
		{ "BC66NBR01A04", "BC66NBR01A10", VERSION_OLDER },
		{ "EC200UCNAAR03A03M08", "EC200UCNAAR03A14M08", VERSION_OLDER },
		{ "RM520NGLAAR01A07M4G_01.201", "RM520NGLAAR01A08M4G_01.205.01.205", VERSION_OLDER },
		{ "BG95M3LAR02A03_01.012.01.012", "BG95M3LAR02A03_01.014.01.014", VERSION_OLDER },
		{ "BG95M3LAR02A03_01.012.01.012", "BG95M3LAR02A04", VERSION_OLDER },
		{ "EG25GGBR07A08M2G_30.006.30.006", "EG25GGBR07A08M2G_30.007.30.007", VERSION_OLDER },
		{ "EG25GGBR07A08M2G_01.002.01.002", "EG25GGBR07A08M2G_01.002.01.003", VERSION_OLDER },
		{ "RM520NGLAAR01A02M4G_01.004", "RM520NGLAAR01A02M4G_01.005", VERSION_OLDER },
		{ "EC21EFAR06A07M4G", "EC21EFAR06A07M4G", VERSION_SAME },
		/* another product, another memory, another line */
		{ "EC21EFAR06A07M4G", "EC25EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G", "EC21EFAR06A08M2G", VERSION_UNKNOWN },
		{ "RM520NGLAAR01A08M4G", "RM520NGLAAR03A03M4G", VERSION_UNKNOWN },
		/* another branch of editions, a test build, and what AT+GMR leaves out */
		{ "EG25GGBR07A08M2G_01.003.01.003", "EG25GGBR07A08M2G_30.007.30.007", VERSION_UNKNOWN },
		{ "EG25GGBR07A08M2G_01.003.01.003", "EG25GGBR07A08M2G_A0.303.A0.303", VERSION_UNKNOWN },
		{ "EG25GGBR07A08M2G_BETA0416", "EG25GGBR07A09M2G", VERSION_UNKNOWN },
		{ "EG25GGBR07A08M2G", "EG25GGBR07A08M2G_01.003.01.003", VERSION_UNKNOWN },
		{ "RM520NGLAAR01A07M4G_01.201", "RM520NGLAAR01A07M4G_01.202.01.202", VERSION_UNKNOWN },
		{ "RM502QAEAAR13A02M4G_01.001.01.001V03", "RM502QAEAAR13A03M4G", VERSION_UNKNOWN },
		/* no such texts */
		{ "EC21EFAR06A071M4G", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "ec21efar06a07m4g", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G ", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07R06A08", "EC21EFAR06A07R06A09", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G_", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G_01.002.", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G_01.002.01.002.01.002", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "EC21EFAR06A07M4G_01.02", "EC21EFAR06A08M4G", VERSION_UNKNOWN },
		{ "R06A07", "R06A08", VERSION_UNKNOWN },
		{ "1.1.9", "1.1.10", VERSION_UNKNOWN },
	};
	(void)state;
	BY_TABLE(VERSION_ORDER_QUECTEL, rows);
}

static void
dates_by_table(void **state)
{
	static const struct row rows[] = {
		{ "20231231", "20240101", VERSION_OLDER },
		{ "2024-01-31", "2024-02-01", VERSION_OLDER },
		{ "2024.01.31", "2024.02.01", VERSION_OLDER },
		{ "v20240131", "v20240201", VERSION_OLDER },
		{ "20240131.9", "20240131.10", VERSION_OLDER },
		{ "2024-01-31-1", "2024-01-31-2", VERSION_OLDER },
		{ "20240131r1", "20240131r2", VERSION_OLDER },
		{ "20240131-2", "20240201", VERSION_OLDER },
		{ "20240131.2", "20240201_1", VERSION_OLDER },
		{ "20240228", "20240229", VERSION_OLDER },
		{ "20240131", "20240131.1", VERSION_UNKNOWN },
		{ "20240131.1", "20240131.01", VERSION_UNKNOWN },
		{ "20240131.1", "20240131-2", VERSION_UNKNOWN },
		{ "20240131", "2024-02-01", VERSION_UNKNOWN },
		{ "20230229", "20240229", VERSION_UNKNOWN },
		{ "21000229", "21000301", VERSION_UNKNOWN },
		{ "20241301", "20250101", VERSION_UNKNOWN },
		{ "20240100", "20250101", VERSION_UNKNOWN },
		{ "19691231", "20250101", VERSION_UNKNOWN },
		{ "99991231", "20250101", VERSION_UNKNOWN },
		{ "2024013", "20250101", VERSION_UNKNOWN },
		{ "2024-0131", "2025-01-01", VERSION_UNKNOWN },
		{ "2024-1-31", "2025-01-01", VERSION_UNKNOWN },
		{ "202401310", "20250101", VERSION_UNKNOWN },
		{ "20240131.", "20250101", VERSION_UNKNOWN },
		{ "20240131.1234567890", "20250101", VERSION_UNKNOWN },
		{ "20240131.a", "20250101", VERSION_UNKNOWN },
		{ "31.01.2024", "2025.01.01", VERSION_UNKNOWN },
	};
	(void)state;
	BY_TABLE(VERSION_ORDER_DATE, rows);
}

/* ---- properties over random texts ---- */

#define TEXTS 240

static uint32_t
next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Pieces in a row, mostly in the order that makes sense of them. */
static void
make(uint32_t *seed, const char *const (*pieces)[8], unsigned n, char out[VERSION_TEXT_MAX + 1])
{
	size_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		const char *piece = pieces[next(seed) % 64 ? i : next(seed) % n][next(seed) % 8];
		size_t len = strlen(piece);
		if (at + len > VERSION_TEXT_MAX)
			break;
		memcpy(out + at, piece, len);
		at += len;
	}
	out[at] = '\0';
}

static void
is_an_order(enum version_order order, const char *const (*pieces)[8], unsigned n)
{
	static char text[TEXTS][VERSION_TEXT_MAX + 1];
	static uint8_t is[TEXTS][TEXTS];
	uint32_t seed = 20261130;
	unsigned ordered = 0;
	for (unsigned i = 0; i < TEXTS; i++)
		make(&seed, pieces, n, text[i]);
	for (unsigned i = 0; i < TEXTS; i++)
		for (unsigned k = 0; k < TEXTS; k++)
			is[i][k] = (uint8_t)version_compare(order, view_str(text[i]), view_str(text[k]));
	for (unsigned i = 0; i < TEXTS; i++)
		for (unsigned k = 0; k < TEXTS; k++) {
			ordered += is[i][k] == VERSION_OLDER;
			assert_int_equal(is[i][k] == VERSION_OLDER, is[k][i] == VERSION_NEWER);
			assert_int_equal(is[i][k] == VERSION_SAME, text[i][0] && !strcmp(text[i], text[k]));
			if (is[i][k] != VERSION_OLDER)
				continue;
			for (unsigned l = 0; l < TEXTS; l++)
				if (is[k][l] == VERSION_OLDER && is[i][l] != VERSION_OLDER)
					fail_msg("%s, %s, %s", text[i], text[k], text[l]);
		}
	assert_true(ordered > TEXTS); /* or nothing was shown */
}

static void
every_order_is_one(void **state)
{
	static const char *const dotted_pieces[][8] = { { "", "", "", "", "v", "V", "", "" },
		{ "0", "1", "2", "9", "10", "01", "1", "2" }, { "", ".0", ".1", ".2", ".9", ".10", ".0", "" },
		{ "", "", ".0", ".1", ".01", "-1", ".", "" } };
	static const char *const semver_pieces[][8] = { { "", "", "", "", "", "", "v", "V" },
		{ "0.1", "1.0", "1.1", "1.10", "1.9", "2.0", "1", "01.0" }, { ".0", ".1", ".2", ".10", ".0", ".1", "", ".0.0" },
		{ "", "", "-1", "-a", "-rc", "-a-b", "-", "-10" }, { "", "", ".1", ".2", ".b", ".10", ".01", "-" },
		{ "", "", "", "", "+1", "+2", "+", "" } };
	static const char *const quectel_pieces[][8] = { { "EC21EFA", "EC21EFA", "EC25EFA", "EC21EFA", "EC21EFA", "BC66NB",
		"ec21", "" }, { "R06", "R06", "R06", "R06", "R06", "R07", "R0", "R06A07" },
		{ "A06", "A07", "A08", "A09", "A10", "A07", "A07", "A7" }, { "M4G", "M4G", "M4G", "M4G", "", "M2G", "M4G", "M4G" },
		{ "", "_01.002", "_01.003", "_30.002", "_BETA0416", "_01.002", "_01.003", "_" },
		{ "", ".01.002", ".01.003", ".01.004", ".30.002", ".01.002", "", "V03" } };
	static const char *const date_pieces[][8] = { { "", "", "", "", "", "", "v", "V" },
		{ "2024", "2023", "2024-", "2024.", "2024", "2024", "1969", "2025" },
		{ "01", "02", "12", "02-", "02.", "13", "01", "11" }, { "01", "28", "29", "30", "31", "00", "10", "11" },
		{ "", "", "-1", "-2", ".1", ".10", "r2", "_02" } };
	(void)state;
	is_an_order(VERSION_ORDER_DOTTED, dotted_pieces, 4);
	is_an_order(VERSION_ORDER_SEMVER, semver_pieces, 6);
	is_an_order(VERSION_ORDER_QUECTEL, quectel_pieces, 6);
	is_an_order(VERSION_ORDER_DATE, date_pieces, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_numbers),
		cmocka_unit_test(doubt_is_unknown),
		cmocka_unit_test(exact_knows_equality_only),
		cmocka_unit_test(length_is_bounded),
		cmocka_unit_test(order_is_antisymmetric),
		cmocka_unit_test(semver_by_table),
		cmocka_unit_test(quectel_by_table),
		cmocka_unit_test(dates_by_table),
		cmocka_unit_test(every_order_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
