/* SPDX-License-Identifier: Apache-2.0 */
/* What a list says of reviews without reading their reports again: when it does read one, and when it must. */
#include "gateway/control/gists.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/decisions.h"
#include "images/entail.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/people_rig.h"

struct fixture {
	struct control_rig *r;
	struct control *c;
	unsigned left;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->c->gists = gists_new();
	f->c->waivers = waivers_new(f->c);
	f->left = GISTS_NEW_MAX;
	people_rig_give(f->r);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	people_free(f->c->people);
	waivers_free(f->c->waivers);
	gists_free(f->c->gists);
	control_rig_free(f->r);
	free(f);
	return 0;
}

/* The report of an image that is that byte over and over; one finding, that there is nothing to compare it with. */
static void
report_of(struct db_candidate *cand, uint8_t fill, struct writer *w)
{
	struct report *r = report_new(REPORT_WHOLE);
	memset(cand->image, fill, sizeof cand->image);
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "%s", REPORT_INSPECTOR);
	r->have_image = true;
	r->format = FORMAT_RAW;
	r->size = 64;
	memcpy(r->sha256, cand->image, sizeof r->sha256);
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_int_equal(entail_raise(r, false), 0);
	writer_init(w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, w), 0);
	assert_int_equal(report_digest(writer_view(w), cand->report), 0);
	report_free(r);
}

static void
keep_report(struct fixture *f, uint8_t fill)
{
	struct db_candidate cand;
	struct writer w;
	report_of(&cand, fill, &w);
	assert_int_equal(files_doc_put(f->c->files, FILES_REPORT, cand.report, writer_view(&w)), 0);
	writer_free(&w);
}

/* A review of such an image; its report is not stored yet. */
static struct db_candidate
review(struct fixture *f, uint8_t fill)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .have_image = true, .size = 64, .created = 1000 + fill, .have_report = true }, ret;
	struct writer w;
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "1.%u", fill);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(f->c->db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	snprintf(cand.state, sizeof cand.state, "%s", lifecycle_state_name(LIFECYCLE_REVIEW));
	report_of(&cand, fill, &w);
	writer_free(&w);
	assert_int_equal(db_candidate_new(f->c->db, &cand, &cand.id), 0);
	assert_int_equal(db_candidate_get(f->c->db, cand.id, &ret), 0);
	return ret;
}

/* Whether it was made anew. */
static bool
anew(struct fixture *f, const struct db_candidate *cand, struct gist *ret)
{
	unsigned before = f->left = GISTS_NEW_MAX;
	assert_true(gists_of(f->c, cand, &f->left, ret));
	assert_in_range(before - f->left, 0, 1);
	return f->left < before;
}

static uint32_t
findings(const struct gist *g)
{
	uint32_t n = 0;
	for (unsigned i = 0; i <= FINDING_BLOCK; i++)
		n += g->findings[i];
	return n;
}

static void
test_gists_forget_what_could_not_be_read(void **state)
{
	struct fixture *f = *state;
	struct db_candidate cand = review(f, 1);
	struct gist g;
	for (unsigned i = 0; i < 2; i++) {
		assert_true(anew(f, &cand, &g));
		assert_false(g.have_report);
		assert_true(g.verdict == REPORT_BLOCKED && findings(&g) == 0);
	}
	/* It is there after all, within the same second and in the same row. */
	keep_report(f, 1);
	assert_true(anew(f, &cand, &g));
	assert_true(g.have_report);
	assert_int_equal(g.verdict, REPORT_REVIEW);
	assert_true(findings(&g) > 0);
	assert_false(anew(f, &cand, &g));
	assert_true(g.have_report);
}

/* How many have to sign follows from the clock too, and only while the review is open. */
static void
test_gists_of_open_reviews_grow_old(void **state)
{
	struct fixture *f = *state;
	struct db_candidate cand = review(f, 1);
	struct gist first, g;
	keep_report(f, 1);
	assert_true(anew(f, &cand, &first));
	f->r->now += GISTS_FRESH_S - 1;
	assert_false(anew(f, &cand, &g));
	f->r->now++;
	assert_true(anew(f, &cand, &g));
	f->r->now--; /* a clock that went back says nothing of an age */
	assert_true(anew(f, &cand, &g));
	assert_false(anew(f, &cand, &g));
	/* Decided, it is another row, and then stays what it is, for however long. */
	snprintf(cand.state, sizeof cand.state, "%s", lifecycle_state_name(LIFECYCLE_BLOCKED));
	assert_true(anew(f, &cand, &g));
	f->r->now += 400 * 86400;
	assert_false(anew(f, &cand, &g));
	assert_true(g.have_report && g.verdict == first.verdict);
	assert_memory_equal(g.findings, first.findings, sizeof g.findings);
}

static void
test_gists_see_who_signs_at_once(void **state)
{
	struct fixture *f = *state;
	struct db_candidate cand = review(f, 1);
	struct db_statement s = { .candidate = cand.id, .approver = "alice@example.com", .state = DB_STATEMENT_COUNTED };
	struct gist g;
	unsigned n;
	keep_report(f, 1);
	assert_true(anew(f, &cand, &g));
	assert_int_equal(db_statement_add(f->c->db, &s), 0);
	assert_true(anew(f, &cand, &g));
	assert_false(anew(f, &cand, &g));
	assert_int_equal(db_statement_outdate(f->c->db, cand.id, NULL, &n), 0);
	assert_true(anew(f, &cand, &g));
	/* What makes the row another one. */
	cand.updated++;
	assert_true(anew(f, &cand, &g));
	cand.have_scope = true;
	assert_true(anew(f, &cand, &g));
	keep_report(f, 2);
	struct writer w;
	report_of(&cand, 2, &w);
	writer_free(&w);
	assert_true(anew(f, &cand, &g));
	assert_false(anew(f, &cand, &g));
}

static void
test_gists_read_few_anew(void **state)
{
	struct fixture *f = *state;
	struct db_candidate cand[4], bare;
	struct gist g = { 0 };
	unsigned left = 2;
	for (uint8_t i = 0; i < 4; i++) {
		cand[i] = review(f, i + 1);
		if (i)
			keep_report(f, i + 1);
	}
	/* One that cannot be read was a try as well. */
	assert_true(gists_of(f->c, &cand[0], &left, &g));
	assert_int_equal(left, 1);
	assert_true(gists_of(f->c, &cand[1], &left, &g));
	assert_int_equal(left, 0);
	assert_false(gists_of(f->c, &cand[2], &left, &g));
	assert_int_equal(left, 0);
	/* What is known is said all the same, and what has no report at all. */
	assert_true(gists_of(f->c, &cand[1], &left, &g));
	assert_true(g.have_report);
	bare = cand[3];
	bare.have_report = false;
	assert_true(gists_of(f->c, &bare, &left, &g));
	assert_false(g.have_report);
	assert_int_equal(left, 0);
	left = 1;
	assert_true(gists_of(f->c, &cand[2], &left, &g));
	assert_int_equal(left, 0);
}

/* Two reviews may come to one place: the later has it, and neither is told for the other. */
static void
test_gists_of_one_place(void **state)
{
	struct fixture *f = *state;
	struct db_candidate one = review(f, 1), next = review(f, 2), far = one;
	struct gist g;
	keep_report(f, 1);
	keep_report(f, 2);
	far.id += GISTS_MAX;
	assert_true(anew(f, &one, &g));
	assert_true(anew(f, &next, &g));
	assert_true(anew(f, &far, &g)); /* the same report even */
	assert_false(anew(f, &far, &g));
	assert_false(anew(f, &next, &g));
	assert_true(anew(f, &one, &g));
	assert_true(anew(f, &far, &g));
	/* One that cannot be read leaves nothing of whoever was there. */
	memset(one.report, 9, sizeof one.report);
	assert_true(anew(f, &one, &g));
	assert_false(g.have_report);
	assert_true(anew(f, &far, &g));
	assert_true(g.have_report);
}

/* The reports that were read last are kept, and no other is handed out for one. */
static void
test_gists_keep_the_reports_read_last(void **state)
{
	struct fixture *f = *state;
	const struct report *first, *r;
	struct db_candidate cand[GISTS_REPORTS + 1];
	for (uint8_t i = 0; i < GISTS_REPORTS + 1; i++) {
		struct writer w;
		report_of(&cand[i], i + 1, &w);
		writer_free(&w);
		assert_null(gists_report(f->c, cand[i].report));
		keep_report(f, i + 1);
	}
	first = gists_report(f->c, cand[0].report);
	assert_non_null(first);
	for (unsigned i = 1; i < GISTS_REPORTS; i++) {
		assert_non_null(gists_report(f->c, cand[i].report));
		assert_ptr_equal(gists_report(f->c, cand[0].report), first);
	}
	/* One more takes the place of the one that nobody asked for longest. */
	r = gists_report(f->c, cand[GISTS_REPORTS].report);
	assert_non_null(r);
	assert_memory_equal(r->sha256, cand[GISTS_REPORTS].image, sizeof r->sha256);
	assert_ptr_equal(gists_report(f->c, cand[0].report), first);
	for (unsigned i = 0; i < GISTS_REPORTS + 1; i++) {
		r = gists_report(f->c, cand[i].report);
		assert_non_null(r);
		assert_memory_equal(r->sha256, cand[i].image, sizeof r->sha256);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_gists_forget_what_could_not_be_read),
		T(test_gists_of_open_reviews_grow_old),
		T(test_gists_see_who_signs_at_once),
		T(test_gists_read_few_anew),
		T(test_gists_of_one_place),
		T(test_gists_keep_the_reports_read_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
