/* SPDX-License-Identifier: Apache-2.0 */
/* From two images to a report with a page, through its text and back, on every pair of tests/vectors/pairs.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/explain.h"
#include "images/inspect.h"
#include "images/sheet.h"
#include "tests/unit/crypto/pki.h"

static const char *const wraps[] = { "sqfs", "cpio.gz", "tar", "zip", "deb", "flash", "gpt", "boot", "cab", "cramfs", "ext2", "ext4", "fat",
	"jffs2", "simg", "ubi" };
#define WRAPS (sizeof wraps / sizeof wraps[0])

static struct report *
explain(struct view old, struct view new)
{
	struct source a, b;
	source_memory(&a, old);
	source_memory(&b, new);
	struct explain_job job = { .old = &a, .new = &b, .scratch = memfd_create("scratch", MFD_CLOEXEC) };
	struct report *r = report_new(REPORT_EXPLAIN);
	assert_non_null(r);
	assert_true(job.scratch >= 0);
	assert_int_equal(inspect_explain(&job, r), 0);
	close(job.scratch);
	return r;
}

static struct pki_blob
load(const char *version, const char *wrap)
{
	char path[64];
	snprintf(path, sizeof path, "pairs/%s.%s", version, wrap);
	return pki_load(path);
}

static struct report *
explain_pair(const char *to, const char *wrap)
{
	struct pki_blob old = load("base", wrap), new = load(to, wrap);
	struct report *r = explain(pki_view(&old), pki_view(&new));
	free(old.p);
	free(new.p);
	return r;
}

/* A line about that path with that word in its text or evidence; of any block for PAGE_NONE. */
static const struct page_line *
line(const struct report *r, enum page_block block, const char *path, const char *word)
{
	for (size_t i = 0; i < page_count(r->story->page); i++) {
		const struct page_line *l = page_at(r->story->page, i);
		if ((block == PAGE_NONE || l->block == block) && strstr(l->path, path) && (strstr(l->text, word) || strstr(l->evidence, word)))
			return l;
	}
	return NULL;
}

static void
assert_sound(const struct report *r)
{
	const struct story *s = r->story;
	const uint64_t size[PAIR_SIDES] = { [PAIR_OLD] = r->changes.old.size, [PAIR_NEW] = r->changes.new.size };
	assert_true(s->holds);
	for (unsigned side = 0; side < PAIR_SIDES; side++) {
		assert_int_equal(account_total(&s->image[side]), size[side]);
		size_t cells = size[side] < STORY_CELLS ? (size_t)size[side] : STORY_CELLS;
		assert_int_equal(strlen(s->map[side]), cells);
		assert_int_equal(strlen(s->strip[side]), cells);
	}
	/* Policy hears of every line. */
	for (size_t i = 0; i < page_count(s->page); i++) {
		const struct page_line *l = page_at(s->page, i);
		assert_true(r->findings[l->id].count > 0);
		assert_true(r->findings[l->id].severity >= l->severity);
	}
}

static void
every_pair_is_told_and_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < WRAPS; i++) {
		struct report *r = explain_pair("tampered", wraps[i]), *again = report_new(REPORT_EXPLAIN);
		struct writer text, second;
		struct report_refusal why;
		assert_sound(r);
		writer_init(&text, REPORT_MAX);
		assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
		assert_int_equal(report_parse(writer_view(&text), REPORT_EXPLAIN, again, &why), 0);
		assert_non_null(again->story);
		assert_int_equal(page_count(again->story->page), page_count(r->story->page));
		writer_init(&second, REPORT_MAX);
		assert_int_equal(report_encode(again, REPORT_MAX, &second), 0);
		assert_true(view_equal(writer_view(&text), writer_view(&second)));
		/* The same question, the same words. */
		struct report *twice = explain_pair("tampered", wraps[i]);
		writer_reset(&second);
		assert_int_equal(report_encode(twice, REPORT_MAX, &second), 0);
		assert_true(view_equal(writer_view(&text), writer_view(&second)));
		writer_free(&text);
		writer_free(&second);
		report_free(twice);
		report_free(again);
		report_free(r);
	}
}

static void
files_that_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < WRAPS; i++) {
		struct report *r = explain_pair("tampered", wraps[i]);
		const struct page_line *l = line(r, PAGE_RED, "etc/init.d/S99dbg", "telnetd");
		assert_non_null(l);
		assert_int_equal(l->sign, PAGE_ADDED);
		l = line(r, PAGE_FILES, "usr/lib/libaux.so", "usr/lib/libhelper.so");
		assert_non_null(l);
		assert_non_null(strstr(l->evidence, "renamed"));
		assert_non_null(line(r, PAGE_NONE, "usr/lib/modem/update.sh", "VERIFY=0"));
		assert_non_null(line(r, PAGE_CONTACT, "usr/bin/agent", "203.0.113.77"));
		assert_true(r->story->count[STORY_SCRIPT].changed > 0);
		assert_true(r->story->count[STORY_SCRIPT].added > 0);
		report_free(r);
	}
}

static void
nothing_changed(void **state)
{
	(void)state;
	struct pki_blob old = load("base", "gpt");
	struct report *r = explain(pki_view(&old), pki_view(&old));
	assert_sound(r);
	assert_int_equal(r->story->image[PAIR_NEW].bytes[ACCOUNT_IDENTICAL], old.n);
	for (size_t i = 0; i < page_count(r->story->page); i++)
		assert_true(page_at(r->story->page, i)->severity < FINDING_WARNING);
	assert_true(strspn(r->story->map[PAIR_NEW], "=.") == STORY_CELLS);
	report_free(r);
	free(old.p);
}

static void
rows_of_the_layout(void **state)
{
	(void)state;
	static const uint8_t noise[4096] = { 1 };
	/* A stream, and bytes that do not belong to it. */
	struct pki_blob old = load("base", "cpio.gz");
	struct writer new;
	writer_init(&new, SHEET_MAX);
	writer_bytes(&new, pki_view(&old));
	writer_bytes(&new, view_of(noise, sizeof noise));
	struct report *r = explain(pki_view(&old), writer_view(&new));
	assert_sound(r);
	assert_int_equal(r->story->rows_n, 1);
	assert_int_equal(r->story->row[0].at, old.n);
	assert_int_equal(r->story->row[0].size, sizeof noise);
	assert_int_equal(r->story->row[0].how, PAIR_NONE);
	report_free(r);
	writer_free(&new);
	free(old.p);
	/* Of a file system what lies between its files, not the tables that every one has. */
	r = explain_pair("tampered", "ext4");
	assert_int_equal(r->story->rows_n, r->story->rows_total);
	for (size_t i = 0; i < r->story->rows_n; i++)
		assert_string_equal(r->story->row[i].name, "gap");
	report_free(r);
	/* Nor of one whose last name is a device. */
	old = pki_load("ext4/rights");
	r = explain(pki_view(&old), pki_view(&old));
	assert_true(r->story->rows_n > 0);
	for (size_t i = 0; i < r->story->rows_n; i++)
		assert_int_equal(strncmp(r->story->row[i].name, "gap", 3), 0);
	report_free(r);
	free(old.p);
}

/* Noise that replaced a file system: nothing of it can be looked at, and the page says so. */
static void
what_cannot_be_looked_at(void **state)
{
	(void)state;
	static uint8_t new[1 << 18];
	uint32_t x = 7;
	struct pki_blob old = load("base", "sqfs");
	for (size_t i = 0; i < sizeof new; i++)
		new[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	struct report *r = explain(pki_view(&old), view_of(new, sizeof new));
	assert_sound(r);
	assert_int_equal(r->story->image[PAIR_NEW].bytes[ACCOUNT_UNREVIEWABLE], sizeof new);
	assert_true(sheet_is_blind(r->story));
	assert_true(report_has(r, FINDING_CHG_UNSEEN));
	assert_true(strspn(r->story->map[PAIR_NEW], "n") == STORY_CELLS);
	struct writer w;
	writer_init(&w, SHEET_MAX);
	sheet_text(r->story, NULL, false, &w);
	writer_u8(&w, 0);
	assert_non_null(strstr((const char *)w.p, "NOT REVIEWABLE"));
	writer_free(&w);
	report_free(r);
	free(old.p);
}

/* Words from 0 to to, and noise from there on. */
static uint8_t *
words_and_noise(size_t n, size_t to, uint32_t seed)
{
	uint8_t *b = malloc(n);
	assert_non_null(b);
	for (size_t i = 0; i < n; i++) {
		seed ^= seed << 13; /* xorshift32 */
		seed ^= seed >> 17;
		seed ^= seed << 5;
		b[i] = i < to ? (uint8_t)("some words in a text, and more"[i % 30] + (i / 3000) % 7) : (uint8_t)(seed >> 9);
	}
	return b;
}

static void
what_became_noise(void **state)
{
	(void)state;
	enum { N = 1 << 20 };
	uint8_t *text = words_and_noise(N, N, 7), *noise = words_and_noise(N, 0, 7), *half = words_and_noise(N, N / 2, 7);
	uint8_t *other = words_and_noise(N, N / 2, 99), *more = words_and_noise(N, N / 4, 7);
	/* The whole image. */
	struct report *r = explain(view_of(text, N), view_of(noise, N));
	const struct page_line *l = line(r, PAGE_ENTROPY, "", "of 7.99 bits; before, raw of ");
	assert_true(l && l->severity == FINDING_WARNING && l->id == FINDING_CHG_OPAQUE);
	report_free(r);
	/* The other way there is nothing to say, nor where it was noise before. */
	r = explain(view_of(noise, N), view_of(text, N));
	assert_null(line(r, PAGE_ENTROPY, "", ""));
	report_free(r);
	r = explain(view_of(half, N), view_of(other, N));
	assert_null(line(r, PAGE_ENTROPY, "", "looks like noise now"));
	report_free(r);
	/* More of it than before, however it is cut into parts. */
	r = explain(view_of(half, N), view_of(more, N));
	assert_non_null(line(r, PAGE_ENTROPY, "", ""));
	report_free(r);
	r = explain(view_of(text, N), view_of(half, N));
	assert_non_null(line(r, PAGE_ENTROPY, "", ""));
	report_free(r);
	/* A file system that is another thing now, in its place. */
	struct pki_blob fs = load("base", "sqfs");
	r = explain(pki_view(&fs), view_of(noise, fs.n < N ? fs.n : N));
	assert_non_null(line(r, PAGE_ENTROPY, "", "before, squashfs of"));
	report_free(r);
	free(fs.p);
	/* A file of a file system. */
	r = explain_pair("tampered", "sqfs");
	assert_non_null(line(r, PAGE_ENTROPY, "usr/lib/modem/profile.dat", "looks like noise now"));
	report_free(r);
	for (size_t i = 0; i < WRAPS; i++) {
		r = explain_pair("update", wraps[i]);
		l = line(r, PAGE_ENTROPY, "", "");
		if (l)
			fail_msg("%s, %s: %s", wraps[i], l->path, l->text);
		report_free(r);
	}
	free(text);
	free(noise);
	free(half);
	free(other);
	free(more);
}

static void
empty_and_tiny(void **state)
{
	(void)state;
	struct view cases[] = { { NULL, 0 }, view_str("a"), view_str("ab"), view_str("\x1f\x8b") };
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++) {
			struct report *r = explain(cases[i], cases[k]), *again = report_new(REPORT_EXPLAIN);
			struct report_refusal why;
			struct writer text;
			assert_sound(r);
			writer_init(&text, REPORT_MAX);
			assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
			assert_int_equal(report_parse(writer_view(&text), REPORT_EXPLAIN, again, &why), 0);
			writer_free(&text);
			report_free(again);
			report_free(r);
		}
}

/* Whatever a stage makes of its page: the account, a line or the order bent is no report any more. */
static void
a_bent_page_is_refused(void **state)
{
	(void)state;
	static const char *const bends[][2] = {
		{ "\"holds\":true", "\"holds\":1" },
		{ "\"image\":{\"new\":{\"explained\":", "\"image\":{\"new\":{\"explained\":1" },
		{ "\"block\":\"files\"", "\"block\":\"safe\"" },
		{ "\"id\":\"CHG-FILES\"", "\"id\":\"CHG-IDENTICAL\"" },
		{ "\"severity\":\"notice\",\"sign\"", "\"severity\":\"info\",\"sign\"" },
		{ "\"map\":{\"new\":\"", "\"map\":{\"new\":\"x" },
		{ "\"strip\":{\"new\":\"", "\"strip\":{\"new\":\"9" },
		{ "\"times\":1", "\"times\":0" },
		{ "\"layout_total\":", "\"layout_total\":-" },
		{ "\"lost\":[0", "\"lost\":[1" },
	};
	struct report *r = explain_pair("tampered", "gpt"), *again = report_new(REPORT_EXPLAIN);
	struct writer text;
	struct report_refusal why;
	writer_init(&text, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
	for (size_t i = 0; i < sizeof bends / sizeof bends[0]; i++) {
		struct writer bent;
		struct view t = writer_view(&text);
		const uint8_t *at = memmem(t.p, t.n, bends[i][0], strlen(bends[i][0]));
		assert_non_null(at);
		size_t before = (size_t)(at - t.p), after = before + strlen(bends[i][0]);
		writer_init(&bent, REPORT_MAX);
		writer_bytes(&bent, view_of(t.p, before));
		writer_text(&bent, bends[i][1]);
		writer_bytes(&bent, view_of(t.p + after, t.n - after));
		assert_int_equal(report_parse(writer_view(&bent), REPORT_EXPLAIN, again, &why), FG_EFORMAT);
		assert_null(again->story);
		writer_free(&bent);
	}
	writer_free(&text);
	report_free(again);
	report_free(r);
}

/* Numbers that no sum of which can be written any more are no report, rather than the end of its reader. */
static void
lines_that_add_up_to_too_much(void **state)
{
	(void)state;
	struct report *r = explain_pair("tampered", "gpt"), *again = report_new(REPORT_EXPLAIN);
	struct writer text, bent;
	struct report_refusal why;
	writer_init(&text, REPORT_MAX);
	writer_init(&bent, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
	struct view t = writer_view(&text);
	const uint8_t *from = (const uint8_t *)memmem(t.p, t.n, "\"lines\":[", 9) + 9;
	const uint8_t *times = memmem(from, (size_t)(t.p + t.n - from), "\"times\":", 8);
	const uint8_t *to = memmem(times, (size_t)(t.p + t.n - times), "}", 1);
	const char *huge = "\"times\":9007199254740991,\"weight\":0}";
	writer_bytes(&bent, view_of(t.p, (size_t)(from - t.p)));
	for (unsigned i = 0; i < 2; i++) {
		writer_bytes(&bent, view_of(from, (size_t)(times - from)));
		writer_text(&bent, huge);
		writer_text(&bent, i == 0 ? "," : "");
	}
	writer_bytes(&bent, view_of(to + 1, (size_t)(t.p + t.n - to - 1)));
	assert_int_equal(report_parse(writer_view(&bent), REPORT_EXPLAIN, again, &why), FG_EFORMAT);
	assert_null(again->story);
	writer_free(&text);
	writer_free(&bent);
	report_free(again);
	report_free(r);
}

/* More than a tenth, of small images too. */
static void
blind_above_a_tenth(void **state)
{
	(void)state;
	struct story s = { .holds = true };
	s.image[PAIR_NEW].bytes[ACCOUNT_IDENTICAL] = 90;
	s.image[PAIR_NEW].bytes[ACCOUNT_UNREVIEWABLE] = 10;
	assert_false(sheet_is_blind(&s));
	s.image[PAIR_NEW].bytes[ACCOUNT_UNREVIEWABLE] = 11;
	assert_true(sheet_is_blind(&s));
	s.image[PAIR_NEW].bytes[ACCOUNT_UNREVIEWABLE] = 0;
	assert_false(sheet_is_blind(&s));
	s.holds = false;
	assert_true(sheet_is_blind(&s));
}

/* A report that has no room gives up mild lines, counts them, and can still be read. */
static void
a_short_report_keeps_what_counts(void **state)
{
	(void)state;
	struct report *r = explain_pair("tampered", "gpt"), *again = report_new(REPORT_EXPLAIN);
	struct writer text;
	struct report_refusal why;
	struct page_line red = { .block = PAGE_RED, .id = FINDING_CHG_USER, .path = "bin/x", .text = "is setuid now" };
	assert_int_equal(page_add(r->story->page, &red), 0);
	report_raise(r, FINDING_CHG_USER, FINDING_NONE, NULL, "bin/x: is setuid now");
	size_t files = 0, n = page_count(r->story->page);
	for (size_t i = 0; i < n; i++)
		files += page_at(r->story->page, i)->block == PAGE_FILES && page_at(r->story->page, i)->severity < FINDING_WARNING;
	assert_true(files > 3);
	writer_init(&text, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
	size_t whole = text.n;
	writer_reset(&text);
	assert_int_equal(report_encode(r, whole - 1500, &text), 0);
	assert_int_equal(report_parse(writer_view(&text), REPORT_EXPLAIN, again, &why), 0);
	assert_true(report_has(again, FINDING_REPORT_CUT));
	assert_true(page_count(again->story->page) < n);
	assert_int_equal(page_lost(again->story->page, PAGE_FILES), files);
	assert_non_null(line(again, PAGE_RED, "bin/x", "setuid"));
	writer_free(&text);
	report_free(again);
	report_free(r);
}

static void
html_is_inert(void **state)
{
	(void)state;
	static const uint8_t digest[DIGEST_SHA256_LEN];
	struct report *r = explain_pair("tampered", "gpt");
	struct page_line bad = { .block = PAGE_RED, .id = FINDING_CHG_USER, .path = "<script>alert(1)</script>",
		.text = "\"><img onerror=alert(1)>", .evidence = "&lt;' onload=x" };
	assert_int_equal(page_add(r->story->page, &bad), 0);
	r->story->rows_n = 1;
	snprintf(r->story->row[0].name, sizeof r->story->row[0].name, "</td><script>");
	struct writer w;
	writer_init(&w, SHEET_MAX);
	sheet_html(r, digest, &w);
	writer_u8(&w, 0);
	assert_int_equal(writer_err(&w), 0);
	const char *html = (const char *)w.p;
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "<img"));
	assert_null(strstr(html, "href"));
	assert_null(strstr(html, "src="));
	assert_null(strstr(html, "url("));
	assert_null(strstr(html, "' onload"));
	assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(html, "&amp;lt;&#39; onload=x"));
	assert_non_null(strstr(html, "default-src 'none'"));
	assert_null(strcasestr(html, " safe"));
	writer_free(&w);
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_told_and_read_back), cmocka_unit_test(files_that_changed),
		cmocka_unit_test(nothing_changed), cmocka_unit_test(rows_of_the_layout),
		cmocka_unit_test(what_cannot_be_looked_at), cmocka_unit_test(empty_and_tiny), cmocka_unit_test(what_became_noise),
		cmocka_unit_test(a_bent_page_is_refused), cmocka_unit_test(a_short_report_keeps_what_counts),
		cmocka_unit_test(html_is_inert), cmocka_unit_test(lines_that_add_up_to_too_much),
		cmocka_unit_test(blind_above_a_tenth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
