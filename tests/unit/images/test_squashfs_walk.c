/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a file system: each finding where it belongs and nowhere else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/entail.h"
#include "images/squashfs_walk.h"
#include "images/walk_internal.h"
#include "tests/unit/crypto/pki.h"

struct rig {
	struct pki_blob bytes;
	struct source source;
	struct trust *trust;
	struct trust_policy policy;
	struct report *r;
};

static struct rig *
rig_up(const char *name)
{
	struct rig *g = calloc(1, sizeof *g);
	char path[100];
	snprintf(path, sizeof path, "squashfs/%s.sqfs", name);
	g->bytes = pki_load(path);
	g->trust = trust_new();
	g->policy.purpose = TRUST_PURPOSE_FIRMWARE;
	return g;
}

/* Walks what the rig holds now; the report must be one that its reader takes. */
static void
walk(struct rig *g)
{
	struct report *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	source_memory(&g->source, pki_view(&g->bytes));
	report_free(g->r);
	g->r = report_new(REPORT_VERIFY);
	g->r->have_image = true;
	g->r->format = FORMAT_SQUASHFS;
	g->r->size = g->bytes.n;
	snprintf(g->r->inputs.inspector, sizeof g->r->inputs.inspector, "x");
	assert_int_equal(walk_image(&g->source, FORMAT_SQUASHFS, g->trust, &g->policy, 1767225600, g->r), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(entail_raise(g->r, false), 0);
	assert_int_equal(report_encode(g->r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	writer_free(&w);
	report_free(back);
}

static void
rig_down(struct rig *g)
{
	report_free(g->r);
	trust_free(g->trust);
	free(g->bytes.p);
	free(g);
}

static unsigned
count(const struct rig *g, enum finding_id id)
{
	return (unsigned)g->r->findings[id].count;
}

static void
an_honest_one(void **state)
{
	(void)state;
	struct rig *g = rig_up("gzip");
	walk(g);
	assert_int_equal(g->r->contents.members_total, 10);
	for (unsigned i = 0; i < FINDING_LIMIT; i++) /* unsigned, and nothing else */
		assert_true(i == FINDING_SIG_ABSENT || i == FINDING_COV_UNSIGNED_BYTES || count(g, i) == 0);
	assert_int_equal(g->r->contents.facts_n, 1);
	assert_string_equal(g->r->contents.fact[0].value, "1700000000");
	assert_false(g->r->contents.fact[0].sure);
	rig_down(g);
}

static void
all_are_checked_and_512_told(void **state)
{
	(void)state;
	struct rig *g = rig_up("many");
	walk(g);
	assert_int_equal(g->r->contents.members_total, 5000);
	assert_int_equal(g->r->contents.members_n, CONTENTS_MEMBERS_MAX);
	rig_down(g);
}

static void
rights_and_devices(void **state)
{
	(void)state;
	struct rig *g = rig_up("caps");
	walk(g);
	assert_int_equal(count(g, FINDING_MEMBER_PRIVILEGED), 2);
	assert_non_null(strstr(g->r->findings[FINDING_MEMBER_PRIVILEGED].details[0].text, "ping: mode 0755"));
	assert_non_null(strstr(g->r->findings[FINDING_MEMBER_PRIVILEGED].details[0].text, "capabilities"));
	assert_non_null(strstr(g->r->findings[FINDING_MEMBER_PRIVILEGED].details[1].text, "su: mode 4755, user 0, group 7"));
	assert_int_equal(count(g, FINDING_MEMBER_SPECIAL), 3); /* not the link */
	assert_int_equal(g->r->findings[FINDING_MEMBER_SPECIAL].severity, FINDING_NOTICE);
	assert_non_null(strstr(g->r->findings[FINDING_MEMBER_SPECIAL].details[0].text, "block device (8:1)"));
	rig_down(g);
}

static uint8_t *
find(struct rig *g, const char *name)
{
	for (size_t at = g->bytes.n - 8; at > 96; at--)
		if (memcmp(g->bytes.p + at, name, strlen(name)) == 0 && g->bytes.p[at - 2] == strlen(name) - 1)
			return g->bytes.p + at;
	fail();
	return NULL;
}

static void
names_twice_and_out_of_order(void **state)
{
	(void)state;
	struct rig *g = rig_up("plain");
	uint8_t *ab = find(g, "ab");
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_DUPLICATE) + count(g, FINDING_FMT_MALFORMED), 0);
	memcpy(ab, "aa", 2);
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_DUPLICATE), 1);
	assert_int_equal(count(g, FINDING_FMT_MALFORMED), 0);
	assert_int_equal(report_verdict(g->r), REPORT_BLOCKED);
	memcpy(ab, "a ", 2);
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_DUPLICATE), 0);
	assert_int_equal(count(g, FINDING_FMT_MALFORMED), 1);
	memcpy(ab, "a\n", 2);
	walk(g);
	assert_int_equal(count(g, FINDING_MEMBER_UNSAFE_NAME), 1);
	rig_down(g);
}

static void
what_is_not_read_is_told(void **state)
{
	(void)state;
	struct rig *g = rig_up("lzo");
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_WALK_LIMIT), 1);
	rig_down(g);
	g = rig_up("deep");
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_WALK_LIMIT), 1);
	rig_down(g);
	g = rig_up("plain");
	memcpy(find(g, "aa"), "..", 2);
	walk(g);
	assert_int_equal(count(g, FINDING_FMT_MALFORMED), 1);
	rig_down(g);
}

static void
bytes_behind_it(void **state)
{
	(void)state;
	struct rig *g = rig_up("plain");
	size_t used = g->bytes.n;
	g->bytes.p = realloc(g->bytes.p, used + 3000);
	g->bytes.n = used + 3000;
	for (unsigned fill = 0; fill < 256; fill += 0xff) {
		memset(g->bytes.p + used, (int)fill, 3000);
		walk(g);
		assert_int_equal(count(g, FINDING_FMT_UNKNOWN_PART), 0);
		assert_int_equal(g->r->contents.structure_n, 1);
		assert_int_equal(g->r->contents.structure[0].length, 3000);
	}
	for (size_t at = 0; at < 3000; at += 2999) {
		memset(g->bytes.p + used, 0, 3000);
		g->bytes.p[used + at] = 1;
		walk(g);
		assert_int_equal(count(g, FINDING_FMT_UNKNOWN_PART), 1);
		assert_int_equal(g->r->findings[FINDING_FMT_UNKNOWN_PART].details[0].offset, used);
		assert_int_equal(g->r->contents.structure_n, 0);
	}
	rig_down(g);
}

/* What other file systems of the inspection took is not there any more. */
static void
work_of_others_counts(void **state)
{
	(void)state;
	struct rig *g = rig_up("plain");
	source_memory(&g->source, pki_view(&g->bytes));
	g->r = report_new(REPORT_VERIFY);
	struct walk_room room = { .r = g->r, .trust = g->trust, .policy = &g->policy, .work = SQUASHFS_WORK_MAX };
	struct walk w = { .room = &room, .image = &g->source, .format = FORMAT_SQUASHFS, .placed = true };
	assert_int_equal(squashfs_walk(&w), 0);
	assert_int_equal(count(g, FINDING_FMT_WALK_LIMIT), 1);
	assert_int_equal(g->r->contents.members_n, 0);
	free(room.chunk);
	rig_down(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_one),
		cmocka_unit_test(all_are_checked_and_512_told),
		cmocka_unit_test(rights_and_devices),
		cmocka_unit_test(names_twice_and_out_of_order),
		cmocka_unit_test(what_is_not_read_is_told),
		cmocka_unit_test(bytes_behind_it),
		cmocka_unit_test(work_of_others_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
