/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "gateway/control/undecided.h"
#include "gateway/state/remark.h"
#include "unit/gateway/control_rig.h"

static uint64_t
candidate(struct control_rig *r, uint8_t fill, const char *state, int64_t updated)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .updated = updated, .created = updated, .have_report = !strcmp(state, "expired") };
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	snprintf(cand.state, sizeof cand.state, "%s", state);
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

/* ---- what people say ---- */

struct seen {
	unsigned n;
	struct db_remark last;
};

static int
see(void *arg, const struct db_remark *d)
{
	struct seen *s = arg;
	s->n++;
	s->last = *d;
	return 0;
}

static void
remarks_stand_in_order_and_are_limited(void **state)
{
	struct control_rig *r = *state;
	struct seen s = { 0 };
	struct db_remark d = { .at = 100, .who = "alice", .text = "seen on the bench" };
	d.candidate = 7;
	assert_int_equal(db_remark_add(r->c.db, &d, 3), FG_ENOTFOUND);
	d.candidate = candidate(r, 1, "review", r->now);
	assert_int_equal(db_remark_add(r->c.db, &d, 3), 0);
	d.have_file = true;
	d.size = 12;
	d.at = 90; /* a clock that went back changes no order */
	memset(d.sha256, 5, sizeof d.sha256);
	snprintf(d.name, sizeof d.name, "lab.pdf");
	assert_int_equal(db_remark_add(r->c.db, &d, 3), 0);
	assert_int_equal(db_remark_list(r->c.db, d.candidate, see, &s), 0);
	assert_int_equal(s.n, 2);
	assert_true(s.last.have_file && s.last.size == 12 && s.last.at == 90);
	assert_string_equal(s.last.name, "lab.pdf");
	assert_memory_equal(s.last.sha256, d.sha256, sizeof d.sha256);
	assert_int_equal(db_remark_add(r->c.db, &d, 3), 0);
	assert_int_equal(db_remark_add(r->c.db, &d, 3), FG_ELIMIT);
	/* Of another review there is none. */
	s = (struct seen){ 0 };
	assert_int_equal(db_remark_list(r->c.db, candidate(r, 2, "review", r->now), see, &s), 0);
	assert_int_equal(s.n, 0);
}

/* ---- what nobody decides ---- */

static char alerts[1024];

static void
hear(struct jsonw *j, const char *id, const char *text)
{
	(void)j;
	assert_string_equal(id, "UNDECIDED");
	snprintf(alerts + strlen(alerts), sizeof alerts - strlen(alerts), "%.4s%s|", text, strstr(text, "nobody") ? " over" : "");
}

static const char *
heard(struct control_rig *r)
{
	alerts[0] = '\0';
	undecided_alerts(&r->c, hear, NULL);
	return alerts;
}

static void
what_nobody_decides_is_named_before_and_after(void **state)
{
	struct control_rig *r = *state;
	int64_t day = 86400, now = r->now;
	candidate(r, 1, "review", now);           /* of 30 days */
	candidate(r, 2, "review", now - 10 * day);
	candidate(r, 3, "expired", now - 13 * day);
	candidate(r, 4, "expired", now - 15 * day);
	candidate(r, 5, "blocked", now - 29 * day);
	assert_string_equal(heard(r), "R-3  over|");
	r->now = now + 14 * day - 1;
	assert_string_equal(heard(r), "");
	r->now = now + 14 * day; /* a fifth of its days is left to the second */
	assert_string_equal(heard(r), "R-2 |");
	r->now = now + 24 * day;
	assert_string_equal(heard(r), "R-2 |R-1 |");
}

static int
setup(void **state)
{
	*state = control_rig_new();
	return 0;
}

static int
teardown(void **state)
{
	control_rig_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(remarks_stand_in_order_and_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_decides_is_named_before_and_after, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
