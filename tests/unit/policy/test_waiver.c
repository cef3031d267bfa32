/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/waiver.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "images/story.h"

#define NOW 1800000000

static struct waiver
yara(const char *part)
{
	struct waiver w = { .finding = "CHG-YARA", .profile = "acme", .product = "EC25", .until = NOW + 10 };
	snprintf(w.part, sizeof w.part, "%s", part);
	return w;
}

static struct report *
report(void)
{
	struct report *r = report_new(REPORT_WHOLE);
	assert_non_null(r);
	r->story = story_new();
	assert_non_null(r->story);
	return r;
}

/* As entail.c raises it. */
static void
found(struct report *r, enum finding_id id, const char *path, const char *text, const char *evidence)
{
	struct page_line l = { .block = PAGE_RED, .id = id, .severity = FINDING_WARNING };
	snprintf(l.path, sizeof l.path, "%s", path);
	page_text(&l, "%s", text);
	page_evidence(&l, view_str(evidence));
	assert_int_equal(page_add(r->story->page, &l), 0);
	report_raise(r, id, FINDING_WARNING, NULL, "%s: %s: %s", path, text, evidence);
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
	w = yara("account of a name that <...> added");
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
	struct report *r = report();
	(void)state;
	assert_false(waiver_meets(&w, FINDING_CHG_YARA, r)); /* not raised */
	found(r, FINDING_CHG_YARA, "a", "YARA rule a", "");
	for (enum finding_severity s = FINDING_NONE; s < FINDING_SEVERITY_LIMIT; s++) {
		bool may = s == FINDING_NOTICE || s == FINDING_WARNING;
		r->findings[FINDING_CHG_YARA].severity = s;
		assert_int_equal(waiver_meets(&w, FINDING_CHG_YARA, r), may);
		assert_int_equal(waiver_cover(list, 1, FINDING_CHG_YARA, r), may);
	}
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_false(waiver_meets(&w, FINDING_CHG_NO_OLD, r)); /* another finding */
	report_free(r);
}

static void
parts_cover_what_they_name(void **state)
{
	const struct waiver a = yara("busy_box"), b = yara("usr/bin/x"), all = yara("");
	const struct waiver *const one[] = { &a }, *const both[] = { &a, &b }, *const whole[] = { &a, &all };
	struct report *r = report();
	(void)state;
	found(r, FINDING_CHG_YARA, "bin/sh", "YARA rule busy_box (shipped): it does much", "sh");
	found(r, FINDING_CHG_YARA, "usr/bin/x", "YARA rule miner", "");
	assert_true(waiver_meets(&a, FINDING_CHG_YARA, r));
	assert_true(waiver_meets(&b, FINDING_CHG_YARA, r));
	assert_false(waiver_cover(one, 1, FINDING_CHG_YARA, r)); /* nobody answers for the second */
	assert_true(waiver_cover(both, 2, FINDING_CHG_YARA, r));
	assert_false(waiver_cover(NULL, 0, FINDING_CHG_YARA, r));
	/* The same again: one line of the page, two findings. */
	found(r, FINDING_CHG_YARA, "bin/sh", "YARA rule busy_box (shipped): it does much", "sh");
	assert_true(waiver_cover(both, 2, FINDING_CHG_YARA, r));
	r->findings[FINDING_CHG_YARA].count++; /* one more than is told of */
	assert_false(waiver_cover(both, 2, FINDING_CHG_YARA, r));
	assert_true(waiver_cover(whole, 2, FINDING_CHG_YARA, r));
	report_free(r);
	/* More of them than there are details. */
	r = report();
	for (unsigned i = 0; i < 2 * REPORT_DETAILS_MAX; i++) {
		char path[8];
		snprintf(path, sizeof path, "f/%u", i);
		found(r, FINDING_CHG_YARA, path, "YARA rule busy_box, as before", "");
	}
	found(r, FINDING_CHG_YARA, "", "YARA rule busy_box fits 9 more parts", "");
	assert_true(waiver_cover(one, 1, FINDING_CHG_YARA, r));
	report_free(r);
}

/* Whoever makes an image gains nothing by names and words that look like what is waived. */
static void
made_up_names_are_no_parts(void **state)
{
	static const struct {
		const char *part, *path, *text, *evidence;
		enum finding_id id;
	} of[] = {
		{ "busy_box", "busy_box", "YARA rule miner", "", FINDING_CHG_YARA },
		{ "busy_box", "bin/busy_box", "YARA rule miner", "busy_box", FINDING_CHG_YARA },
		{ "busy_box", "YARA rule busy_box", "YARA rule miner", "YARA rule busy_box", FINDING_CHG_YARA },
		{ "busy_box", "a", "YARA rule busy_box2: busy_box", "", FINDING_CHG_YARA },
		{ "busy_box", "a", "YARA rule xbusy_box", "", FINDING_CHG_YARA },
		{ "busy_box", "a", "YARA rule miner: a busy_box", "", FINDING_CHG_YARA },
		{ "busy_box (shipped)", "busy_box (shipped)", "YARA rule busy_box", "", FINDING_CHG_YARA },
		{ "bin/x", "bin/x bin/x", "YARA rule miner", "bin/x", FINDING_CHG_YARA },
		{ "bin/x", "lib/bin/x", "YARA rule miner", "", FINDING_CHG_YARA },
		{ "host up.example", "host up.example", "host evil.example", "host up.example", FINDING_CHG_USER },
		{ "account a added", "etc/passwd", "account x account a added", "", FINDING_CHG_USER },
		{ "etc/passwd", "etc/passwd2", "etc/passwd", "etc/passwd", FINDING_CHG_USER },
	};
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct waiver w = yara(of[i].part);
		const struct waiver *const list[] = { &w };
		struct report *r = report();
		snprintf(w.finding, sizeof w.finding, "%s", finding_get(of[i].id)->id);
		found(r, of[i].id, of[i].path, of[i].text, of[i].evidence);
		if (waiver_meets(&w, of[i].id, r) || waiver_cover(list, 1, of[i].id, r))
			fail_msg("%s is met by %s: %s", of[i].part, of[i].path, of[i].text);
		/* Beside what it is about, too. */
		found(r, of[i].id, strchr(of[i].part, '/') ? of[i].part : "b", of[i].id == FINDING_CHG_YARA ?
		    "YARA rule busy_box (shipped)" : of[i].part, "");
		assert_true(waiver_meets(&w, of[i].id, r));
		assert_false(waiver_cover(list, 1, of[i].id, r));
		report_free(r);
	}
}

/* What has no lines has details; what a delta repeats of its target has neither. */
static void
details_are_parts_as_a_whole(void **state)
{
	struct waiver w = yara("bin/x: no end"), delta = yara("bin/x");
	const struct waiver *const list[] = { &w }, *const other[] = { &delta };
	struct report *r = report_new(REPORT_WHOLE);
	(void)state;
	snprintf(w.finding, sizeof w.finding, "%s", finding_get(FINDING_CHG_NO_OLD)->id);
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "bin/x: no end");
	assert_true(waiver_meets(&w, FINDING_CHG_NO_OLD, r));
	assert_true(waiver_cover(list, 1, FINDING_CHG_NO_OLD, r));
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "a bin/x: no end");
	assert_true(waiver_meets(&w, FINDING_CHG_NO_OLD, r));
	assert_false(waiver_cover(list, 1, FINDING_CHG_NO_OLD, r));
	report_raise(r, FINDING_CHG_YARA, FINDING_WARNING, NULL, "target: bin/x: YARA rule miner");
	assert_false(waiver_meets(&delta, FINDING_CHG_YARA, r));
	assert_false(waiver_cover(other, 1, FINDING_CHG_YARA, r));
	report_free(r);
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
		cmocka_unit_test(made_up_names_are_no_parts),
		cmocka_unit_test(details_are_parts_as_a_whole),
		cmocka_unit_test(the_id_is_of_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
