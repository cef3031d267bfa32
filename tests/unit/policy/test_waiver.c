/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/waiver.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1800000000

static struct waiver
yara(const char *part)
{
	struct waiver w = { .finding = "CHG-YARA", .profile = "acme", .product = "EC25", .until = NOW + 10 };
	snprintf(w.part, sizeof w.part, "%s", part);
	return w;
}

static struct report_finding
found(enum finding_severity severity, uint64_t count, const char *first, const char *second)
{
	struct report_finding f = { .count = count, .severity = severity, .details_n = second ? 2 : first ? 1 : 0 };
	snprintf(f.details[0].text, sizeof f.details[0].text, "%s", first ? first : "");
	snprintf(f.details[1].text, sizeof f.details[1].text, "%s", second ? second : "");
	return f;
}

static void
what_can_be_waived(void **state)
{
	const char *why;
	struct waiver w = yara("");
	(void)state;
	assert_true(waiver_check(&w, &why));
	w.part[0] = 'x';
	assert_false(waiver_check(&w, &why));
	w = yara("rule\x01two");
	assert_false(waiver_check(&w, &why));
	w = yara("");
	w.until = 0;
	assert_false(waiver_check(&w, &why));
	w = yara("");
	w.profile[0] = '\0';
	assert_false(waiver_check(&w, &why));
	w = yara("");
	snprintf(w.finding, sizeof w.finding, "CHG-NO-SUCH");
	assert_false(waiver_check(&w, &why));
	/* What always blocks. */
	for (enum finding_id id = 0; id < FINDING_LIMIT; id++) {
		snprintf(w.finding, sizeof w.finding, "%s", finding_get(id)->id);
		assert_int_equal(strlen(w.finding), strlen(finding_get(id)->id));
		assert_int_equal(waiver_check(&w, &why), finding_get(id)->least != FINDING_BLOCK);
	}
}

static void
for_which_updates_and_how_long(void **state)
{
	static const uint8_t image[DIGEST_SHA256_LEN] = { 1 }, other[DIGEST_SHA256_LEN] = { 2 };
	struct waiver w = yara("");
	(void)state;
	assert_true(waiver_is_for(&w, "acme", "EC25", image, NOW + 9));
	assert_false(waiver_is_for(&w, "acme", "EC25", image, NOW + 10));
	assert_false(waiver_is_for(&w, "acme2", "EC25", image, NOW));
	assert_false(waiver_is_for(&w, "acme", "EC21", image, NOW));
	w.product[0] = '\0';
	assert_true(waiver_is_for(&w, "acme", "EC21", image, NOW));
	w.have_image = true;
	assert_false(waiver_is_for(&w, "acme", "EC21", image, NOW));
	w.image[0] = 1;
	assert_true(waiver_is_for(&w, "acme", "EC21", image, NOW));
	assert_false(waiver_is_for(&w, "acme", "EC21", other, NOW));
}

static void
what_blocks_or_need_not_be_accepted_is_met_by_none(void **state)
{
	const struct waiver w = yara("");
	const struct waiver *const list[] = { &w };
	(void)state;
	for (enum finding_severity s = FINDING_NONE; s < FINDING_SEVERITY_LIMIT; s++) {
		struct report_finding f = found(s, 1, "rule a", NULL);
		bool may = s == FINDING_NOTICE || s == FINDING_WARNING;
		assert_int_equal(waiver_meets(&w, FINDING_CHG_YARA, &f), may);
		assert_int_equal(waiver_cover(list, 1, FINDING_CHG_YARA, &f), may);
	}
	struct report_finding none = found(FINDING_WARNING, 0, NULL, NULL);
	assert_false(waiver_meets(&w, FINDING_CHG_YARA, &none));
	struct report_finding f = found(FINDING_WARNING, 1, "rule a", NULL);
	assert_false(waiver_meets(&w, FINDING_CHG_NO_OLD, &f)); /* another finding */
}

static void
parts_cover_what_they_name(void **state)
{
	const struct waiver a = yara("busy_box"), b = yara("/usr/bin/x"), all = yara("");
	const struct waiver *const one[] = { &a }, *const both[] = { &a, &b }, *const whole[] = { &a, &all };
	struct report_finding f = found(FINDING_WARNING, 2, "rule busy_box fits /bin/sh", "rule miner fits /usr/bin/x: 3 places");
	(void)state;
	assert_true(waiver_meets(&a, FINDING_CHG_YARA, &f));
	assert_false(waiver_cover(one, 1, FINDING_CHG_YARA, &f)); /* nobody answers for the second */
	assert_true(waiver_cover(both, 2, FINDING_CHG_YARA, &f));
	f.count = 3; /* one more than is told of */
	assert_false(waiver_cover(both, 2, FINDING_CHG_YARA, &f));
	assert_true(waiver_cover(whole, 2, FINDING_CHG_YARA, &f));
	assert_false(waiver_cover(NULL, 0, FINDING_CHG_YARA, &f));
	/* As a whole word. */
	f = found(FINDING_WARNING, 1, "rule busy_box2 fits", NULL);
	assert_false(waiver_meets(&a, FINDING_CHG_YARA, &f));
	f = found(FINDING_WARNING, 1, "rule busy_box2 and busy_box", NULL);
	assert_true(waiver_meets(&a, FINDING_CHG_YARA, &f));
	f = found(FINDING_WARNING, 1, "xbusy_box", NULL);
	assert_false(waiver_meets(&a, FINDING_CHG_YARA, &f));
}

static void
the_id_is_of_everything(void **state)
{
	struct waiver w = yara("ab");
	uint8_t first[WAIVER_ID], id[WAIVER_ID];
	char word[WAIVER_WORD_CAP];
	(void)state;
	assert_int_equal(waiver_id(&w, first), 0);
	assert_int_equal(waiver_id(&w, id), 0);
	assert_memory_equal(first, id, sizeof id);
	waiver_word(&w, id, word);
	assert_int_equal(strlen(word), strlen("CHG-YARA ") + 2 * WAIVER_ID);
#define DIFFERS(change) \
	do { \
		w = yara("ab"); \
		change; \
		assert_int_equal(waiver_id(&w, id), 0); \
		assert_memory_not_equal(first, id, sizeof id); \
	} while (0)
	DIFFERS(w.until++);
	DIFFERS(w.part[0] = 'x');
	DIFFERS(w.product[0] = 'x');
	DIFFERS(w.profile[0] = 'x');
	DIFFERS(w.finding[0] = 'x');
	DIFFERS(w.have_image = true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_waived),
		cmocka_unit_test(for_which_updates_and_how_long),
		cmocka_unit_test(what_blocks_or_need_not_be_accepted_is_met_by_none),
		cmocka_unit_test(parts_cover_what_they_name),
		cmocka_unit_test(the_id_is_of_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
