/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/state/release.h"
#include "gateway/state/restriction.h"
#include "gateway/state/rollout.h"
#include "gateway/state/statement.h"
#include "unit/gateway/state_rig.h"

static struct db_candidate
full_candidate(void)
{
	struct db_candidate c = rig_candidate(1, 9);
	c.have_signature = c.have_report = c.have_provenance = c.have_policy = c.have_scope = c.have_release = true;
	memset(c.signature, 1, sizeof c.signature);
	memset(c.report, 2, sizeof c.report);
	memset(c.provenance, 3, sizeof c.provenance);
	memset(c.policy, 4, sizeof c.policy);
	memset(c.release, 5, sizeof c.release);
	c.opened_at_log = 70000;
	c.requesters_n = 2;
	snprintf(c.requester[0], sizeof c.requester[0], "alice@fleet.example");
	snprintf(c.requester[1], sizeof c.requester[1], "bob@fleet.example");
	snprintf(c.note, sizeof c.note, "brought by hand; 'quotes' and \"more\"");
	c.scope.from_n = 2;
	snprintf(c.scope.from[0], sizeof c.scope.from[0], "A07");
	snprintf(c.scope.from[1], sizeof c.scope.from[1], "A08");
	c.scope.groups_n = DB_LIST_MAX;
	for (unsigned i = 0; i < DB_LIST_MAX; i++)
		snprintf(c.scope.groups[i], sizeof c.scope.groups[i], "group-%u", i);
	c.scope.max_devices = UINT32_MAX;
	c.scope.not_before = -5;
	c.scope.not_after = INT64_MAX;
	return c;
}

static void
same(const struct db_candidate *a, const struct db_candidate *b)
{
	assert_memory_equal(a->resource, b->resource, sizeof a->resource);
	assert_memory_equal(a->image, b->image, sizeof a->image);
	assert_memory_equal(a->signature, b->signature, sizeof a->signature);
	assert_memory_equal(a->report, b->report, sizeof a->report);
	assert_memory_equal(a->provenance, b->provenance, sizeof a->provenance);
	assert_memory_equal(a->policy, b->policy, sizeof a->policy);
	assert_memory_equal(a->release, b->release, sizeof a->release);
	assert_string_equal(a->state, b->state);
	assert_string_equal(a->note, b->note);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->have_image, b->have_image);
	assert_int_equal(a->have_release, b->have_release);
	assert_int_equal(a->have_scope, b->have_scope);
	assert_int_equal(a->opened_at_log, b->opened_at_log);
	assert_int_equal(a->requesters_n, b->requesters_n);
	for (unsigned i = 0; i < a->requesters_n; i++)
		assert_string_equal(a->requester[i], b->requester[i]);
	assert_int_equal(a->scope.from_n, b->scope.from_n);
	for (unsigned i = 0; i < a->scope.from_n; i++)
		assert_string_equal(a->scope.from[i], b->scope.from[i]);
	assert_int_equal(a->scope.groups_n, b->scope.groups_n);
	for (unsigned i = 0; i < a->scope.groups_n; i++)
		assert_string_equal(a->scope.groups[i], b->scope.groups[i]);
	assert_true(a->scope.max_devices == b->scope.max_devices);
	assert_true(a->scope.not_before == b->scope.not_before);
	assert_true(a->scope.not_after == b->scope.not_after);
}

static void
test_candidate_round_trip(void **state)
{
	struct rig *rig = *state;
	struct db_candidate c = full_candidate(), got;
	uint64_t id = 0;
	assert_int_equal(db_candidate_new(rig->db, &c, &id), FG_ENOTFOUND); /* no such resource */
	rig_add_resource(rig, 1, "quectel");
	assert_int_equal(db_candidate_new(rig->db, &c, &id), 0);
	rig_again(rig);
	assert_int_equal(db_candidate_get(rig->db, id, &got), 0);
	same(&got, &c);
	assert_int_equal(got.id, id);
	assert_string_equal(got.profile, "quectel");
	assert_true(got.in_quarantine);
	assert_int_equal(got.created, 200);
	assert_int_equal(db_candidate_by_release(rig->db, c.release, &got), 0);
	assert_int_equal(got.id, id);
	assert_int_equal(db_candidate_of(rig->db, c.resource, c.image, &got), 0);
	assert_int_equal(got.id, id);
	assert_int_equal(db_candidate_get(rig->db, id + 1, &got), FG_ENOTFOUND);
	/* The same bytes under the same resource are the same candidate. */
	uint64_t other = 0;
	c.have_release = false;
	assert_int_equal(db_candidate_new(rig->db, &c, &other), FG_EEXIST);
	/* Several may still wait for bytes. */
	c.have_image = false;
	assert_int_equal(db_candidate_new(rig->db, &c, &other), 0);
	assert_int_equal(db_candidate_new(rig->db, &c, &other), 0);
	assert_int_equal(db_candidate_newest(rig->db, c.resource, &got), 0);
	assert_int_equal(got.id, other);
	assert_false(got.have_image);
	c.requesters_n = DB_LIST_MAX + 1;
	assert_int_equal(db_candidate_new(rig->db, &c, &other), FG_ELIMIT);
}

static void
test_candidate_update_is_compare_and_set(void **state)
{
	struct rig *rig = *state;
	struct db_candidate c, got;
	rig_add_resource(rig, 1, "p");
	rig_add_candidate(rig, 1, 8);
	uint64_t id = rig_add_candidate(rig, 1, 9);
	c = full_candidate();
	c.id = id;
	snprintf(c.state, sizeof c.state, "review");
	assert_int_equal(db_candidate_update(rig->db, &c, "sighted"), FG_ESTATE);
	assert_int_equal(db_candidate_get(rig->db, id, &got), 0);
	assert_string_equal(got.state, "judging");
	assert_int_equal(got.requesters_n, 0);
	assert_int_equal(db_candidate_update(rig->db, &c, "judging"), 0);
	assert_int_equal(db_candidate_get(rig->db, id, &got), 0);
	same(&got, &c);
	/* Lists and scope go as they came. */
	c.requesters_n = 1;
	c.have_scope = c.have_release = false;
	memset(&c.scope, 0, sizeof c.scope);
	memset(c.release, 0, sizeof c.release);
	assert_int_equal(db_candidate_update(rig->db, &c, "review"), 0);
	assert_int_equal(db_candidate_get(rig->db, id, &got), 0);
	same(&got, &c);
	memset(c.image, 8, sizeof c.image);
	assert_int_equal(db_candidate_update(rig->db, &c, "review"), FG_EEXIST);
	c.id = 999;
	memset(c.image, 7, sizeof c.image);
	assert_int_equal(db_candidate_update(rig->db, &c, "review"), FG_ENOTFOUND);
}

struct found {
	unsigned n;
	uint64_t id[32];
};

static int
note(void *arg, const struct db_candidate *c)
{
	struct found *f = arg;
	f->id[f->n++] = c->id;
	return 0;
}

static unsigned
listed(struct rig *rig, const struct db_candidate_filter *f, struct found *ret)
{
	*ret = (struct found){ 0 };
	assert_int_equal(db_candidate_list(rig->db, f, note, ret), 0);
	return ret->n;
}

static int
add_up(void *arg, const char *state, uint64_t n)
{
	uint64_t *sum = arg;
	assert_string_equal(state, "judging");
	*sum += n;
	return 0;
}

static void
test_candidate_list_and_usage(void **state)
{
	struct rig *rig = *state;
	struct found f;
	uint64_t bytes = 0;
	uint8_t image[DIGEST_SHA256_LEN], resource[DB_ID];
	bool needs = true;
	rig_add_resource(rig, 1, "p");
	rig_add_resource(rig, 2, "p");
	rig_add_resource(rig, 3, "q");
	uint64_t a = rig_add_candidate(rig, 1, 1), b = rig_add_candidate(rig, 2, 1);
	uint64_t c = rig_add_candidate(rig, 2, 2), d = rig_add_candidate(rig, 3, 3);
	memset(image, 1, sizeof image);
	memset(resource, 2, sizeof resource);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ 0 }, &f), 4);
	assert_int_equal(f.id[0], a);
	assert_int_equal(f.id[3], d);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .image = image }, &f), 2);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .resource = resource }, &f), 2);
	assert_int_equal(f.id[0], b);
	assert_int_equal(f.id[1], c);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "q" }, &f), 1);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .state = "review" }, &f), 0);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .after = a, .limit = 2 }, &f), 2);
	assert_int_equal(f.id[1], c);
	/* Of one update, by what is known of its resource, in the same order. */
	struct db_resource r;
	assert_int_equal(db_resource_get(rig->db, resource, &r), 0);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "p", .target = r.target, .from = r.from }, &f), 3);
	assert_int_equal(f.id[0], a);
	assert_int_equal(f.id[2], c);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "p", .target = r.target, .from = r.from, .after = a,
	    .limit = 1 }, &f), 1);
	assert_int_equal(f.id[0], b);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "q", .target = r.target, .from = r.from,
	    .resource = resource }, &f), 0);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "p", .target = "none", .from = r.from }, &f), 0);
	assert_int_equal(listed(rig, &(struct db_candidate_filter){ .profile = "p", .target = r.target, .from = "none" }, &f), 0);
	uint64_t sum = 0;
	assert_int_equal(db_candidate_states(rig->db, add_up, &sum), 0);
	assert_int_equal(sum, 4);
	/* One file under two resources is one file. */
	assert_int_equal(db_candidate_usage(rig->db, "p", &bytes), 0);
	assert_int_equal(bytes, 1000 + 2000);
	assert_int_equal(db_candidate_usage(rig->db, "none", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(db_candidate_needs_file(rig->db, image, a, &needs), 0);
	assert_true(needs);
	struct db_candidate gone;
	assert_int_equal(db_candidate_get(rig->db, b, &gone), 0);
	gone.in_quarantine = false;
	assert_int_equal(db_candidate_update(rig->db, &gone, "judging"), 0);
	assert_int_equal(db_candidate_needs_file(rig->db, image, a, &needs), 0);
	assert_false(needs);
}

static void
test_candidate_review_ids(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "R-", "R-0", "R-01", "r-1", "R-1 ", "R--1", "R-18446744073709551616",
		"12", "R-1x", "R 1" };
	char text[DB_REVIEW_CAP];
	uint64_t id = 0;
	db_candidate_review(UINT64_MAX, text);
	assert_string_equal(text, "R-18446744073709551615");
	assert_true(db_candidate_review_parse(view_str(text), &id));
	assert_true(id == UINT64_MAX);
	assert_true(db_candidate_review_parse(view_str("R-12"), &id));
	assert_int_equal(id, 12);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(db_candidate_review_parse(view_str(bad[i]), &id));
	assert_int_equal(id, 12);
}

static int
note_statement(void *arg, const struct db_statement *s)
{
	struct db_statement *list = arg;
	while (list->candidate)
		list++;
	*list = *s;
	return 0;
}

static struct db_statement
statement_of(uint64_t candidate, unsigned n, const char *who)
{
	struct db_statement s = { .candidate = candidate, .submitted = 10 + n, .uid = UINT32_MAX,
		.state = DB_STATEMENT_COUNTED };
	memset(s.sha256, (int)n, sizeof s.sha256);
	snprintf(s.approver, sizeof s.approver, "%s", who);
	return s;
}

static void
test_statements(void **state)
{
	struct rig *rig = *state;
	struct db_statement list[8] = { 0 }, s;
	unsigned n = 0;
	rig_add_resource(rig, 1, "p");
	uint64_t id = rig_add_candidate(rig, 1, 1);
	s = statement_of(id + 1, 1, "alice");
	assert_int_equal(db_statement_add(rig->db, &s), FG_ENOTFOUND);
	s = statement_of(id, 1, "alice");
	assert_int_equal(db_statement_add(rig->db, &s), 0);
	assert_int_equal(db_statement_add(rig->db, &s), FG_EEXIST);
	s = statement_of(id, 2, "alice"); /* twice the same person */
	assert_int_equal(db_statement_add(rig->db, &s), 0);
	s = statement_of(id, 3, "bob");
	assert_int_equal(db_statement_add(rig->db, &s), 0);
	assert_int_equal(db_statement_count(rig->db, id, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(db_statement_list(rig->db, id, note_statement, list), 0);
	assert_string_equal(list[0].approver, "alice");
	assert_string_equal(list[2].approver, "bob");
	assert_int_equal(list[2].submitted, 13);
	assert_true(list[2].uid == UINT32_MAX);
	assert_int_equal(list[2].state, DB_STATEMENT_COUNTED);
	assert_int_equal(db_statement_outdate(rig->db, id, "alice", &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(db_statement_count(rig->db, id, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_statement_outdate(rig->db, id, NULL, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_statement_count(rig->db, id, &n), 0);
	assert_int_equal(n, 0);
	for (unsigned k = 4; k <= DB_STATEMENTS_MAX; k++) {
		s = statement_of(id, k, "carol");
		assert_int_equal(db_statement_add(rig->db, &s), 0);
	}
	s = statement_of(id, 200, "carol");
	assert_int_equal(db_statement_add(rig->db, &s), FG_ELIMIT);
}

static int
count_releases(void *arg, const struct db_release *r)
{
	(void)r;
	++*(unsigned *)arg;
	return 0;
}

static void
test_releases(void **state)
{
	struct rig *rig = *state;
	struct db_release r = { .issued = 50, .state = DB_RELEASE_ACTIVE, .record = view_str("{\"a\":1}") }, got;
	struct writer w;
	unsigned n = 0;
	rig_add_resource(rig, 1, "p");
	memset(r.id, 7, sizeof r.id);
	r.candidate = 99;
	assert_int_equal(db_release_add(rig->db, &r), FG_ENOTFOUND);
	r.candidate = rig_add_candidate(rig, 1, 1);
	assert_int_equal(db_release_add(rig->db, &r), 0);
	assert_int_equal(db_release_add(rig->db, &r), 0);
	r.record = view_str("{\"a\":2}");
	assert_int_equal(db_release_add(rig->db, &r), FG_EEXIST);
	rig_again(rig);
	writer_init(&w, RELEASE_RECORD_MAX);
	writer_text(&w, "before");
	assert_int_equal(db_release_get(rig->db, r.id, &got, &w), 0);
	assert_true(view_is(got.record, "{\"a\":1}"));
	assert_int_equal(got.state, DB_RELEASE_ACTIVE);
	assert_int_equal(got.issued, 50);
	assert_int_equal(got.candidate, r.candidate);
	assert_int_equal(db_release_list(rig->db, DB_RELEASE_ACTIVE, count_releases, &n), 0);
	assert_int_equal(n, 1);
	/* Ending is one way. */
	assert_int_equal(db_release_end(rig->db, r.id, DB_RELEASE_ACTIVE, 60, "", ""), FG_ESTATE);
	assert_int_equal(db_release_end(rig->db, r.id, DB_RELEASE_REVOKED, 60, "alice", "bricks modules"), 0);
	assert_int_equal(db_release_end(rig->db, r.id, DB_RELEASE_EXPIRED, 61, "", ""), FG_ESTATE);
	writer_reset(&w);
	assert_int_equal(db_release_get(rig->db, r.id, &got, &w), 0);
	assert_int_equal(got.state, DB_RELEASE_REVOKED);
	assert_int_equal(got.ended, 60);
	assert_string_equal(got.by, "alice");
	assert_string_equal(got.reason, "bricks modules");
	assert_string_equal(db_release_state_name(got.state), "revoked");
	n = 0;
	assert_int_equal(db_release_list(rig->db, DB_RELEASE_ACTIVE, count_releases, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_release_list(rig->db, DB_RELEASE_NONE, count_releases, &n), 0);
	assert_int_equal(n, 1);
	r.id[0] = 8;
	assert_int_equal(db_release_end(rig->db, r.id, DB_RELEASE_REVOKED, 60, "", ""), FG_ENOTFOUND);
	assert_int_equal(db_release_get(rig->db, r.id, &got, &w), FG_ENOTFOUND);
	writer_free(&w);
	/* No room for the record is an error, not a cut record. */
	writer_init(&w, 3);
	r.id[0] = 7;
	assert_int_equal(db_release_get(rig->db, r.id, &got, &w), FG_ELIMIT);
	writer_free(&w);
}

struct pages {
	char seen[64]; /* first bytes of ids, as they come */
	unsigned n;
	uint8_t last[DB_ID];
};

static void
note_id(struct pages *p, const uint8_t id[DB_ID])
{
	p->seen[p->n++] = (char)id[0];
	memcpy(p->last, id, DB_ID);
}

static int
note_release(void *arg, const struct db_release *r)
{
	note_id(arg, r->id);
	return 0;
}

static int
note_rollout(void *arg, const struct db_rollout *r)
{
	note_id(arg, r->release);
	return 0;
}

/* The youngest first, each once, however large a page is; of the same second by their names. */
static void
test_pages_of_releases(void **state)
{
	struct rig *rig = *state;
	static const int64_t at[] = { 50, 60, 60, 60, 40, 70, 10 };
	const char *const want = "fdcbaeg";
	rig_add_resource(rig, 1, "p");
	for (unsigned i = 0; i < 7; i++) {
		struct db_release r = { .id = { (uint8_t)('a' + i) }, .issued = at[i], .state = DB_RELEASE_ACTIVE,
			.candidate = rig_add_candidate(rig, 1, (uint8_t)(i + 1)), .record = view_str("{}") };
		struct db_rollout o = { .release = { (uint8_t)('a' + i) }, .since = at[i], .state = 1, .plan = "p" };
		assert_int_equal(db_release_add(rig->db, &r), 0);
		assert_int_equal(db_rollout_put(rig->db, &o), 0);
	}
	for (unsigned limit = 1; limit <= 8; limit++) {
		struct pages p = { .n = 0 }, o = { .n = 0 };
		for (unsigned got = limit; got == limit;) {
			unsigned before = p.n;
			assert_int_equal(db_release_page(rig->db, before ? p.last : NULL, limit, note_release, &p), 0);
			assert_int_equal(db_rollout_list(rig->db, before ? o.last : NULL, limit, note_rollout, &o), 0);
			got = p.n - before;
			assert_true(got <= limit);
		}
		assert_string_equal(p.seen, want);
		assert_string_equal(o.seen, want);
	}
	/* Behind one that is not there, there is nothing. */
	const uint8_t stranger[DB_ID] = { 'z' };
	struct pages p = { .n = 0 };
	assert_int_equal(db_release_page(rig->db, stranger, 9, note_release, &p), 0);
	assert_int_equal(db_rollout_list(rig->db, stranger, 9, note_rollout, &p), 0);
	assert_int_equal(p.n, 0);
}

static int
note_restriction(void *arg, const struct db_restriction *r)
{
	struct db_restriction *list = arg;
	while (list->id)
		list++;
	*list = *r;
	return 0;
}

static void
test_restrictions(void **state)
{
	struct rig *rig = *state;
	struct db_restriction r = { .kind = 1, .log_size = 500, .at = 9, .by = "alice", .reason = "why" }, list[4] = { 0 };
	uint64_t size = 1;
	memset(r.image, 1, sizeof r.image);
	assert_int_equal(db_restriction_latest(rig->db, r.image, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(db_restriction_add(rig->db, &r), 0);
	r.log_size = 400; /* a later row with less does not weaken the earlier one */
	r.have_release = true;
	memset(r.release, 2, sizeof r.release);
	assert_int_equal(db_restriction_add(rig->db, &r), 0);
	assert_int_equal(db_restriction_latest(rig->db, r.image, &size), 0);
	assert_int_equal(size, 500);
	assert_int_equal(db_restriction_list(rig->db, r.image, note_restriction, list), 0);
	assert_false(list[0].have_release);
	assert_true(list[1].have_release);
	assert_memory_equal(list[1].release, r.release, sizeof r.release);
	assert_string_equal(list[1].by, "alice");
	assert_int_equal(list[2].id, 0);
	r.image[0] = 9;
	assert_int_equal(db_restriction_latest(rig->db, r.image, &size), 0);
	assert_int_equal(size, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_candidate_round_trip),
		T(test_candidate_update_is_compare_and_set),
		T(test_candidate_list_and_usage),
		cmocka_unit_test(test_candidate_review_ids),
		T(test_statements),
		T(test_releases),
		T(test_pages_of_releases),
		T(test_restrictions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
