/* SPDX-License-Identifier: Apache-2.0 */
/* How often another configuration may be tried: what a whole store takes at a stretch, and then slowly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/requests_private.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

#define STRETCH 60
#define PAGE 256 /* rows that one answer looks at */
#define LIST "list = { name = \\\"more\\\"; source = \\\"us\\\"; date = \\\"2026-01-31\\\"; entities = ( ); };" /* within JSON */

/* The page after that row. */
static struct call_heard *
try_after(struct control *c, uint64_t after, const char *text)
{
	char args[256];
	snprintf(args, sizeof args, "{\"after\":%llu,\"file\":\"lists.d/more.conf\",\"text\":\"%s\"}", (unsigned long long)after,
	    text);
	return call_rig_ask(c, requests_policy_whatif, args);
}

static bool
is_limit(struct control *c, const char *text)
{
	struct call_heard *h = try_after(c, 0, text);
	bool limit = h->status == CALL_REFUSED && strstr(h->json, "\"LIMIT\"");
	if (limit)
		assert_non_null(strstr(h->json, "try again in 1 s"));
	free(h);
	return limit;
}

static void
test_requests_policy_whatif_is_paced(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	/* Whether it is a configuration or not: reading it is what costs. */
	for (unsigned i = 0; i < STRETCH; i++)
		assert_false(is_limit(&r->c, i % 2 ? LIST : "rules = 5;"));
	assert_true(is_limit(&r->c, ""));
	assert_true(is_limit(&r->c, "rules = 5;"));
	r->now++;
	assert_false(is_limit(&r->c, ""));
	assert_true(is_limit(&r->c, ""));
	/* A night without one is no longer stretch than the first. */
	r->now += 40000;
	for (unsigned i = 0; i < STRETCH; i++)
		assert_false(is_limit(&r->c, ""));
	assert_true(is_limit(&r->c, ""));
	/* Nobody is kept out for having been refused. */
	for (unsigned i = 0; i < 1000; i++)
		assert_true(is_limit(&r->c, ""));
	r->now += 2;
	assert_false(is_limit(&r->c, ""));
	assert_false(is_limit(&r->c, ""));
	assert_true(is_limit(&r->c, ""));
	control_rig_free(r);
}

static uint64_t
add(struct control_rig *r, unsigned n)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .created = 1000 };
	bool fresh;
	memcpy(res.id, &n, sizeof n);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", n);
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "1.%u", n);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	snprintf(cand.state, sizeof cand.state, "%s", lifecycle_state_name(LIFECYCLE_JUDGING));
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

/* Page after page of one text, none of which is refused. */
static void
test_requests_policy_whatif_goes_on(void **state)
{
	struct control_rig *r = control_rig_new();
	uint64_t last = 0;
	char next[40];
	(void)state;
	for (unsigned i = 0; i < PAGE + 4; i++) {
		uint64_t id = add(r, i + 1);
		last = i == PAGE - 1 ? id : last;
	}
	struct call_heard *h = try_after(&r->c, 0, LIST);
	snprintf(next, sizeof next, "\"next\":%llu,", (unsigned long long)last);
	if (h->status != CALL_DONE || !strstr(h->json, next) || !strstr(h->json, "\"unjudged\":256"))
		fail_msg("%s", h->json);
	free(h);
	h = try_after(&r->c, last, LIST);
	if (h->status != CALL_DONE || !strstr(h->json, "\"next\":null") || !strstr(h->json, "\"unjudged\":4"))
		fail_msg("%s", h->json);
	free(h);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_policy_whatif_is_paced),
		cmocka_unit_test(test_requests_policy_whatif_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
