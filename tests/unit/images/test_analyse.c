/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of tests/vectors/pairs.py: an honest update raises nothing red, a tampered one all that was planted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "images/analyse.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/cpio_rig.h"
#include "tests/unit/images/elf_rig.h"
#include "tests/unit/images/pair_rig.h"

static struct page *
compare(const char *old, const char *new)
{
	struct pki_blob a = pki_load(old), b = pki_load(new);
	struct pair_rig r;
	struct page *p = page_new();
	pair_rig_open(&r, pki_view(&a), pki_view(&b));
	struct account *account = account_new(r.pair);
	assert_true(p && account);
	assert_int_equal(analyse_run(r.pair, NULL, account, p), 0);
	pair_rig_count(&r, account);
	account_free(account);
	pair_rig_close(&r);
	free(a.p);
	free(b.p);
	if (getenv("FG_SHOW"))
		for (size_t i = 0; i < page_count(p); i++) {
			const struct page_line *l = page_at(p, i);
			printf("%s %s %s %s %s: %s | %s\n", page_block_name(l->block), finding_get(l->id)->id,
			    finding_severity_name(l->severity), page_sign_name(l->sign), l->path, l->text, l->evidence);
		}
	return p;
}

static const struct page_line *
find(const struct page *p, const char *path, const char *word)
{
	for (size_t i = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		if (strstr(l->path, path) && (strstr(l->text, word) || strstr(l->evidence, word)))
			return l;
	}
	return NULL;
}

static void
an_honest_update(void **state)
{
	(void)state;
	struct page *p = compare("pairs/base.sqfs", "pairs/update.sqfs");
	for (size_t i = 0; i < page_count(p); i++)
		if (page_at(p, i)->block == PAGE_RED || page_at(p, i)->block == PAGE_DOORS)
			fail_msg("%s: %s", page_at(p, i)->path, page_at(p, i)->text);
	assert_true(page_count(p) > 0);
	page_free(p);
}

/* The file, or a part that it was taken apart into. */
static bool
is_in(const char *path, const char *file)
{
	size_t n = strlen(file);
	return strncmp(path, file, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* What was planted, by the list that the script leaves beside the images. */
static void
a_tampered_update(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		enum page_block block;
		enum finding_id id;
	} rows[] = { { "setuid", PAGE_RED, FINDING_CHG_SETUID }, { "ca", PAGE_RED, FINDING_CHG_CA_NEW },
		{ "telnetd", PAGE_RED, FINDING_CHG_LISTENER }, { "c2", PAGE_CONTACT, FINDING_CHG_CONTACT_URL },
		{ "phone", PAGE_CONTACT, FINDING_CHG_CONTACT_PHONE }, { "at", PAGE_MODEM, FINDING_CHG_MODEM_AT },
		{ "one-token", PAGE_FILES, FINDING_CHG_TEXT }, { "imei", PAGE_IDENT, FINDING_CHG_IDENTIFIERS },
		{ "renamed", PAGE_FILES, FINDING_CHG_FILES }, { "fuse", PAGE_DOORS, FINDING_CHG_ONE_WAY_DOOR },
		{ "anchor", PAGE_DOORS, FINDING_CHG_ONE_WAY_DOOR }, { "opaque", PAGE_FILES, FINDING_CHG_FILES } };
	struct page *p = compare("pairs/base.sqfs", "pairs/tampered.sqfs");
	struct pki_blob planted = pki_load("pairs/planted");
	unsigned n = 0;
	for (size_t at = 0; at < planted.n;) {
		char line[256], path[128], what[32];
		size_t len = 0;
		while (at + len < planted.n && planted.p[at + len] != '\n')
			len++;
		snprintf(line, sizeof line, "%.*s", (int)len, (const char *)planted.p + at);
		at += len + 1;
		if (sscanf(line, "%31[^\t]\t%127[^\t]", what, path) != 2)
			fail_msg("%s", line);
		size_t row = 0;
		while (row < sizeof rows / sizeof rows[0] && strcmp(rows[row].what, what) != 0)
			row++;
		if (row == sizeof rows / sizeof rows[0])
			fail_msg("nobody knows where %s belongs", what);
		bool found = false;
		for (size_t i = 0; i < page_count(p); i++) {
			const struct page_line *l = page_at(p, i);
			found = found || (l->block == rows[row].block && l->id == rows[row].id && is_in(l->path, path));
		}
		if (!found)
			fail_msg("%s of %s is not on the page", what, path);
		n++;
	}
	assert_int_equal(n, sizeof rows / sizeof rows[0]);
	const struct page_line *l = find(p, "usr/lib/modem/table.bin", "in one place");
	assert_true(l && l->severity == FINDING_WARNING);
	assert_non_null(find(p, "usr/lib/libaux.so", "usr/lib/libhelper.so"));
	assert_non_null(find(p, "etc/init.d/S99dbg", "telnetd -l /bin/sh -p 2323"));
	assert_non_null(find(p, "usr/lib/modem/update.sh", "VERIFY=0"));
	assert_non_null(find(p, "usr/lib/modem/update.sh", "VERIFY=1"));
	free(planted.p);
	page_free(p);
}

/* One member of a tar archive: what it is lies in its letter alone. */
static void
member(uint8_t b[2048], const char *name, char type, const char *target)
{
	unsigned sum = 0;
	memset(b, 0, 2048);
	snprintf((char *)b, 100, "%s", name);
	snprintf((char *)b + 100, 8, "%07o", 0644u);
	snprintf((char *)b + 108, 8, "%07o", 0u);
	snprintf((char *)b + 116, 8, "%07o", 0u);
	snprintf((char *)b + 124, 12, "%011o", 0u);
	snprintf((char *)b + 136, 12, "%011o", 0u);
	memset(b + 148, ' ', 8);
	b[156] = (uint8_t)type;
	snprintf((char *)b + 157, 100, "%s", target);
	memcpy(b + 257, "ustar\00000", 8);
	snprintf((char *)b + 329, 8, "%07o", type == '3' || type == '4' ? 8u : 0u);
	snprintf((char *)b + 337, 8, "%07o", 0u);
	for (unsigned i = 0; i < 512; i++)
		sum += b[i];
	snprintf((char *)b + 148, 8, "%06o", sum);
}

static void
kinds_that_changed(void **state)
{
	(void)state;
	static const struct {
		const char *name, *target;
		char was, is;
		enum finding_id id;
		const char *word;
	} rows[] = { { "usr/x", "etc/shadow", '2', '1', FINDING_CHG_FILES, "hard link to etc/shadow, symbolic before" },
		{ "usr/x", "etc/shadow", '1', '2', FINDING_CHG_FILES, "link to etc/shadow, hard before" },
		{ "dev/x", "", '3', '4', FINDING_CHG_DEVICE, "device 8:0, a block device" },
		{ "dev/x", "", '4', '3', FINDING_CHG_DEVICE, "device 8:0, a device" } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t a[2048], b[2048];
		struct pair_rig r;
		struct page *p = page_new();
		member(a, rows[i].name, rows[i].was, rows[i].target);
		member(b, rows[i].name, rows[i].is, rows[i].target);
		pair_rig_open(&r, view_of(a, sizeof a), view_of(b, sizeof b));
		assert_int_equal(analyse_run(r.pair, NULL, NULL, p), 0);
		const struct page_line *l = find(p, rows[i].name, rows[i].word);
		if (!l)
			fail_msg("%s is not told", rows[i].word);
		assert_int_equal(l->id, rows[i].id);
		page_free(p);
		pair_rig_close(&r);
	}
}

static void
partition(uint8_t *entry, uint8_t type, uint8_t first, uint8_t sectors)
{
	entry[4] = type;
	entry[8] = first;
	entry[12] = sectors;
}

/* A logical partition over another one: it has no bytes to itself, and that it came to lie elsewhere is told. */
static void
partitions_that_overlap(void **state)
{
	(void)state;
	uint8_t *b[2] = { calloc(48, 512), calloc(48, 512) };
	struct pair_rig r;
	struct page *p = page_new();
	for (uint8_t k = 0; k < 2; k++) {
		static const unsigned tables[] = { 0, 1, 21 };
		for (size_t i = 512; i < 48 * 512; i++)
			b[k][i] = (uint8_t)("words in a text, "[i % 17]);
		for (size_t i = 0; i < 3; i++) {
			memset(b[k] + tables[i] * 512, 0, 512);
			memcpy(b[k] + tables[i] * 512 + 510, "\x55\xaa", 2);
		}
		partition(b[k] + 446, 5, 1, 40);
		partition(b[k] + 512 + 446, 0x83, 1, 30);
		partition(b[k] + 512 + 462, 5, 20, 10);
		partition(b[k] + 21 * 512 + 446, 0x83, (uint8_t)(1 + k), 4);
	}
	pair_rig_open(&r, view_of(b[0], 48 * 512), view_of(b[1], 48 * 512));
	assert_int_equal(analyse_run(r.pair, NULL, NULL, p), 0);
	assert_non_null(find(p, "partition", "lies over another part"));
	page_free(p);
	pair_rig_close(&r);
	free(b[0]);
	free(b[1]);
}

static void
itself(void **state)
{
	(void)state;
	struct page *p = compare("pairs/base.sqfs", "pairs/base.sqfs");
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

/* Bytes of the new image that lines explain, on a page that has so many red lines already. */
static uint64_t
explained(struct view old, struct view new, unsigned red)
{
	struct pair_rig r;
	struct page *p = page_new();
	pair_rig_open(&r, old, new);
	struct account *account = account_new(r.pair);
	assert_true(p && account);
	for (unsigned i = 0; i < red; i++) {
		struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_SETUID };
		page_text(&l, "%u", i);
		assert_int_equal(page_add(p, &l), 0);
	}
	assert_int_equal(analyse_run(r.pair, NULL, account, p), 0);
	pair_rig_count(&r, account);
	struct account_sum is = account_image(account, PAIR_NEW), was = account_image(account, PAIR_OLD);
	assert_int_equal(is.bytes[ACCOUNT_EXPLAINED] > 0, was.bytes[ACCOUNT_EXPLAINED] > 0);
	account_free(account);
	pair_rig_close(&r);
	page_free(p);
	return is.bytes[ACCOUNT_EXPLAINED];
}

static void
a_text_is_explained_by_what_is_read(void **state)
{
	(void)state;
	char cut[4096];
	struct view a = view_str("a line\nb line\n"), b = view_str("a line\nc line\n");
	assert_int_equal(explained(a, b, 0), 14);
	assert_int_equal(explained(a, b, PAGE_LINES_MAX), 0);
	memset(cut, 'c', sizeof cut);
	cut[sizeof cut - 1] = '\0';
	assert_int_equal(explained(a, view_str(cut), 0), 0);
}

/* A program's sections are parts of their own: what is told of one is explained there. */
static void
a_program_is_explained_by_its_notes(void **state)
{
	(void)state;
	static const char *const imports[] = { "puts", NULL };
	struct rig a = { .is64 = true, .imports = imports, .id = 1 }, b = a;
	b.id = 2;
	struct rig *both[] = { &a, &b };
	for (unsigned k = 0; k < 2; k++) {
		rig_build(both[k]);
		rig_segment(both[k], 0, PT_LOAD, PF_R, 0, 0xe00);
		rig_segment(both[k], 4, PT_LOAD, PF_R | PF_X, RIG_CODE, 0x100);
	}
	uint64_t note = explained(view_of(a.b, RIG_SIZE), view_of(b.b, RIG_SIZE), 0);
	assert_in_range(note, 20, ACCOUNT_BLOCK);
	/* Code that is called a table explains nothing more. */
	for (unsigned k = 0; k < 2; k++) {
		rig_section(both[k], 1, 0, SHT_HASH, SHF_ALLOC, RIG_CODE, 0x100);
		memset(both[k]->b + RIG_CODE, (int)k + 1, 0x100);
	}
	assert_int_equal(explained(view_of(a.b, RIG_SIZE), view_of(b.b, RIG_SIZE), 0), note);
}

/* A link or an empty file that is somewhere else may be what switches something on. */
static void
what_has_no_bytes_moves(void **state)
{
	(void)state;
	struct writer w[PAIR_SIDES];
	for (unsigned k = 0; k < PAIR_SIDES; k++) {
		const struct rig_file link = { .name = k == PAIR_OLD ? "opt/off" : "opt/on", .data = "../bin/agent", .mode = 0120777 };
		const struct rig_file flag = { .name = k == PAIR_OLD ? "opt/keep" : "opt/debug", .data = "" };
		writer_init(&w[k], 4096);
		rig_add(&w[k], &link);
		rig_add(&w[k], &flag);
		rig_end(&w[k]);
	}
	struct pair_rig r;
	struct page *p = page_new();
	pair_rig_open(&r, writer_view(&w[PAIR_OLD]), writer_view(&w[PAIR_NEW]));
	assert_int_equal(analyse_run(r.pair, NULL, NULL, p), 0);
	assert_non_null(find(p, "opt/on", "../bin/agent"));
	assert_non_null(find(p, "opt/debug", ""));
	page_free(p);
	pair_rig_close(&r);
	writer_free(&w[PAIR_OLD]);
	writer_free(&w[PAIR_NEW]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_bytes_moves),
		cmocka_unit_test(an_honest_update),
		cmocka_unit_test(a_tampered_update),
		cmocka_unit_test(kinds_that_changed),
		cmocka_unit_test(partitions_that_overlap),
		cmocka_unit_test(itself),
		cmocka_unit_test(a_text_is_explained_by_what_is_read),
		cmocka_unit_test(a_program_is_explained_by_its_notes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
