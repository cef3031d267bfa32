/* SPDX-License-Identifier: Apache-2.0 */
/* Waivers count as long as the log has them, whatever the database says. */
#include "gateway/control/waivers.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/state/waiver.h"
#include "images/story.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

static struct waivers_one
made(struct control_rig *r, const char *finding, const char *part, int64_t days)
{
	struct waivers_one d = { .at = r->now, .owner = "alice", .reason = "looked at it on the bench" };
	snprintf(d.w.finding, sizeof d.w.finding, "%s", finding);
	snprintf(d.w.part, sizeof d.w.part, "%s", part);
	snprintf(d.w.profile, sizeof d.w.profile, "acme-rtr");
	d.w.until = r->now + days * 86400;
	assert_int_equal(waiver_id(&d.w, d.id), 0);
	return d;
}

static int
put_row(struct control_rig *r, const struct waivers_one *d)
{
	struct db_waiver row = { .until = d->w.until, .at = d->at };
	memcpy(row.id, d->id, sizeof row.id);
	snprintf(row.finding, sizeof row.finding, "%s", d->w.finding);
	snprintf(row.profile, sizeof row.profile, "%s", d->w.profile);
	snprintf(row.part, sizeof row.part, "%s", d->w.part);
	snprintf(row.owner, sizeof row.owner, "%s", d->owner);
	snprintf(row.reason, sizeof row.reason, "%s", d->reason);
	return db_waiver_put(r->c.db, &row);
}

static struct db_candidate *
candidate(struct control_rig *r)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate *cand = calloc(1, sizeof *cand);
	bool fresh;
	memset(res.id, 1, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/1");
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand->resource, res.id, sizeof cand->resource);
	snprintf(cand->profile, sizeof cand->profile, "acme-rtr");
	return cand;
}

/* As entail.c raises it. */
static void
fits(struct report *report, const char *rule, const char *path)
{
	struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_YARA, .severity = FINDING_WARNING };
	if (!report->story)
		report->story = story_new();
	snprintf(l.path, sizeof l.path, "%s", path);
	page_text(&l, "YARA rule %s", rule);
	assert_int_equal(page_add(report->story->page, &l), 0);
	report_raise(report, FINDING_CHG_YARA, FINDING_WARNING, NULL, "%s: YARA rule %s", path, rule);
}

static bool
covered(struct waivers *w, const struct db_candidate *cand, const struct report *report, enum finding_id id)
{
	struct waivers_met *m = NULL;
	assert_int_equal(waivers_meet(w, cand, report, &m), 0);
	bool yes = waivers_cover(m, id);
	free(m);
	return yes;
}

static const char *
missing(struct waivers *w, const struct db_candidate *cand, const struct report *report, enum finding_severity from)
{
	struct waivers_met *m = NULL;
	assert_int_equal(waivers_meet(w, cand, report, &m), 0);
	const char *id = waivers_missing(m, from);
	free(m);
	return id;
}

static int64_t
end_of(struct waivers *w, const struct db_candidate *cand, const struct report *report)
{
	struct waivers_met *m = NULL;
	assert_int_equal(waivers_meet(w, cand, report, &m), 0);
	int64_t end = waivers_end(m);
	free(m);
	return end;
}

static void
said(void *arg, const uint8_t id[WAIVER_ID])
{
	(void)id;
	++*(unsigned *)arg;
}

static void
a_row_counts_only_if_the_log_has_it(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	struct db_candidate *cand = candidate(r);
	struct report *report = report_new(REPORT_WHOLE);
	struct approval_list names = { 0 };
	struct waivers_one yara = made(r, "CHG-YARA", "busy_box", 30), forged = made(r, "CHG-YARA", "", 30),
		lost = made(r, "CHG-NO-OLD", "", 20);
	unsigned dropped = 0;
	fits(report, "busy_box", "/bin/sh");
	report_raise(report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_int_equal(put_row(r, &yara), 0);
	assert_int_equal(put_row(r, &forged), 0);
	assert_int_equal(waivers_recall(w), 0);
	/* Before the log was read there is none. */
	assert_int_equal(waivers_name(w, cand, report, &names), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(end_of(w, cand, report), 0);
	assert_false(waivers_again(w, &yara)); /* as it was */
	assert_true(waivers_again(w, &lost));  /* which the database had not */
	assert_false(waivers_again(w, &lost));
	waivers_settle(w, said, &dropped);
	assert_int_equal(dropped, 1);
	assert_int_equal(waivers_name(w, cand, report, &names), 0);
	assert_int_equal(names.n, 2);
	assert_true(end_of(w, cand, report) == lost.w.until);
	assert_true(covered(w, cand, report, FINDING_CHG_YARA));
	assert_null(missing(w, cand, report, FINDING_NOTICE));
	/* Twice, of which one is told of by another name. */
	fits(report, "miner", "/bin/x");
	assert_string_equal(missing(w, cand, report, FINDING_WARNING), "CHG-YARA");
	/* An hour after its end one is none. */
	r->now = lost.w.until;
	assert_string_equal(missing(w, cand, report, FINDING_NOTICE), "CHG-NO-OLD");
	/* And so the database has it at the next start. */
	r->now -= 86400;
	assert_int_equal(waivers_recall(w), 0);
	assert_false(waivers_again(w, &lost));
	report_free(report);
	free(cand);
}

/* That nothing could be read is not that nobody answers for anything. */
static void
what_cannot_be_told_is_an_error(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	struct db_candidate *cand = candidate(r);
	struct report *report = report_new(REPORT_WHOLE);
	struct approval_list names = { 0 };
	struct waivers_met *m = NULL;
	struct waivers_one d = made(r, "CHG-NO-OLD", "", 30);
	report_raise(report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_true(waivers_again(w, &d));
	assert_true(covered(w, cand, report, FINDING_CHG_NO_OLD));
	memset(cand->resource, 9, sizeof cand->resource); /* whose row is gone */
	assert_int_equal(waivers_meet(w, cand, report, &m), FG_ENOTFOUND);
	assert_null(m);
	assert_int_equal(waivers_name(w, cand, report, &names), FG_ENOTFOUND);
	assert_int_equal(names.n, 0);
	report_free(report);
	free(cand);
}

/* As the log will give it back: the id is of every character. */
static void
the_longest_part_is_kept_whole(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	char part[WAIVER_PART_MAX + 1];
	memset(part, 'x', WAIVER_PART_MAX);
	part[WAIVER_PART_MAX] = '\0';
	struct waivers_one d = made(r, "CHG-YARA", part, 30);
	struct msg_append *e = logbook_entry(ENTRY_WAIVER_ADDED, "ok", "alice", "waiver:1");
	logbook_ref(e, "part", d.w.part);
	assert_string_equal(e->refs[0].text, part);
	snprintf(d.w.part, sizeof d.w.part, "%s", e->refs[0].text);
	assert_true(waivers_again(w, &d));
	free(e);
	/* And the database as well. */
	assert_int_equal(waivers_recall(w), 0);
	assert_false(waivers_again(w, &d));
}

static void
what_was_never_made_here_is_none(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	struct waivers_one d = made(r, "CHG-YARA", "", 30);
	unsigned dropped = 0;
	d.w.until += 86400; /* longer than its id says */
	assert_false(waivers_again(w, &d));
	d = made(r, "CHG-YARA", "", 0);
	assert_false(waivers_again(w, &d)); /* over */
	d = made(r, "NO-SUCH", "", 30);
	assert_false(waivers_again(w, &d));
	/* A row under the id of another is overruled by what the log says of that id. */
	struct waivers_one narrow = made(r, "CHG-YARA", "busy_box", 30), wide = made(r, "CHG-YARA", "", 30);
	memcpy(wide.id, narrow.id, sizeof wide.id);
	assert_int_equal(put_row(r, &wide), 0);
	assert_int_equal(waivers_recall(w), 0);
	assert_true(waivers_again(w, &narrow));
	waivers_settle(w, said, &dropped);
	assert_int_equal(dropped, 0);
	struct db_candidate *cand = candidate(r);
	struct report *report = report_new(REPORT_WHOLE);
	fits(report, "miner", "/bin/sh");
	assert_false(covered(w, cand, report, FINDING_CHG_YARA));
	report_free(report);
	free(cand);
}

static struct call_heard *
ask(struct waivers *w, void (*handle)(struct waivers *w, struct call *call), const char *args)
{
	struct call_heard *h = calloc(1, sizeof *h);
	const struct call_line line = { h, call_rig_reply, call_rig_over };
	const struct caller who = { .means = CALLERS_MEANS_ROOT, .roles = CALLERS_ANY, .user = "root" };
	const struct msg_call m = { .token = 5, .request = "test", .json = view_str(args) };
	struct wire_frame f = { .fds_n = 0 };
	struct call *call = NULL;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	handle(w, call);
	assert_int_equal(h->replies, 1);
	return h;
}

static void
lift(struct waivers *w, const struct waivers_one *d)
{
	char args[128], hex[2 * WAIVER_ID + 1];
	hex_encode(d->id, WAIVER_ID, hex);
	snprintf(args, sizeof args, "{\"waiver\":\"%s\",\"reason\":\"was wrong\"}", hex);
	struct call_heard *h = ask(w, waivers_lift, args);
	assert_int_equal(h->status, CALL_DONE);
	free(h);
}

/* Whether the log heard of it or not, and whoever wants it back. */
static void
what_was_lifted_stays_so(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	struct db_candidate *cand = candidate(r);
	struct report *report = report_new(REPORT_WHOLE);
	struct waivers_one d = made(r, "CHG-YARA", "", 30);
	struct call_heard *h;
	const char *same = "{\"days\":30,\"finding\":\"CHG-YARA\",\"profile\":\"acme-rtr\",\"reason\":\"looked at it\"}";
	unsigned dropped = 0;
	fits(report, "miner", "/bin/sh");
	assert_true(waivers_again(w, &d));
	assert_true(covered(w, cand, report, FINDING_CHG_YARA));
	h = ask(w, waivers_add, same);
	assert_non_null(strstr(h->json, "\"EXISTS\""));
	free(h);
	lift(w, &d);
	assert_false(covered(w, cand, report, FINDING_CHG_YARA));
	/* Killed before the entry was written: the log still has it, at each start until it has been told. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waivers_recall(w), 0);
		assert_false(waivers_again(w, &d));
		waivers_settle(w, said, &dropped);
		assert_int_equal(dropped, 0);
		assert_false(covered(w, cand, report, FINDING_CHG_YARA));
	}
	h = ask(w, waivers_list, "{}");
	assert_null(strstr(h->json, "CHG-YARA"));
	free(h);
	/* To the second the same: who signed for that one would count again. */
	h = ask(w, waivers_add, same);
	assert_non_null(strstr(h->json, "\"STATE\""));
	free(h);
	/* The database was lost, and the log has both. */
	assert_int_equal(db_waiver_drop(r->c.db, d.id), 0);
	assert_int_equal(waivers_recall(w), 0);
	waivers_gone(w, &d);
	waivers_settle(w, said, &dropped);
	assert_int_equal(dropped, 0);
	h = ask(w, waivers_add, same);
	assert_non_null(strstr(h->json, "\"STATE\""));
	free(h);
	/* No longer than it would have lasted. */
	r->now = d.w.until;
	assert_int_equal(waivers_recall(w), 0);
	waivers_settle(w, said, &dropped);
	assert_int_equal(dropped, 0);
	assert_int_equal(db_waiver_drop(r->c.db, d.id), FG_ENOTFOUND);
	report_free(report);
	free(cand);
}

static void
so_many_are_remembered(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	struct waivers_one d;
	for (unsigned i = 0; i < WAIVERS_MAX + 2; i++) {
		char part[16];
		snprintf(part, sizeof part, "part%u", i);
		d = made(r, "CHG-YARA", part, 30);
		assert_true(waivers_again(w, &d));
		lift(w, &d);
	}
	d.w.until = INT64_MIN; /* which nobody wrote here */
	memset(d.id, 7, sizeof d.id);
	assert_int_equal(put_row(r, &d), 0);
	assert_int_equal(waivers_recall(w), 0);
	d = made(r, "CHG-YARA", "", 30);
	assert_true(waivers_again(w, &d));
}

/* Those that are over are shown until somebody needs their places, and keep nobody out. */
static void
those_that_are_over_give_way(void **state)
{
	struct control_rig *r = *state;
	struct waivers *w = r->c.waivers;
	const char *another = "{\"days\":9,\"finding\":\"CHG-NO-OLD\",\"profile\":\"acme-rtr\",\"reason\":\"looked at it\"}";
	struct waivers_one first, d, keeps = made(r, "CHG-NO-OLD", "stays", 60);
	struct call_heard *h;
	assert_true(waivers_again(w, &keeps));
	for (unsigned i = 1; i < WAIVERS_MAX; i++) {
		char part[16];
		snprintf(part, sizeof part, "part%u", i);
		d = made(r, "CHG-YARA", part, 30);
		if (i == 1)
			first = d;
		assert_true(waivers_again(w, &d));
	}
	d = made(r, "CHG-NO-OLD", "another", 60);
	assert_false(waivers_again(w, &d)); /* no room */
	h = ask(w, waivers_add, another);
	assert_non_null(strstr(h->json, "\"LIMIT\""));
	free(h);
	r->now += 30 * 86400;
	h = ask(w, waivers_add, another); /* goes on to the log, which is away */
	assert_null(strstr(h->json, "\"LIMIT\""));
	free(h);
	assert_true(waivers_again(w, &d));
	assert_int_equal(db_waiver_drop(r->c.db, first.id), FG_ENOTFOUND);
	/* The one that lasts was before all of them. */
	assert_int_equal(db_waiver_drop(r->c.db, keeps.id), 0);
	lift(w, &keeps);
	lift(w, &d);
}

static int
setup(void **state)
{
	struct control_rig *r = control_rig_new();
	r->c.waivers = waivers_new(&r->c);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct control_rig *r = *state;
	waivers_free(r->c.waivers);
	control_rig_free(r);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_counts_only_if_the_log_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_told_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest_part_is_kept_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_never_made_here_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lifted_stays_so, setup, teardown),
		cmocka_unit_test_setup_teardown(so_many_are_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(those_that_are_over_give_way, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
