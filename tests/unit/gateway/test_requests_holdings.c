/* SPDX-License-Identifier: Apache-2.0 */
/* Images, groups and incidents as they are listed: in order, page by page, and each of them by its name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/requests_private.h"
#include "gateway/state/incident.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

#define DIGITS(two) two two two two two two two two two two two two two two two two
#define AA DIGITS("aaaa")
#define BB DIGITS("bbbb")

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

static uint64_t
add(struct control_rig *r, uint8_t fill, uint8_t image, const char *target, int64_t arrived)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .created = 1000, .have_image = true, .size = 70, .arrived = arrived };
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, "EC\xe2\x80\xae" "25");
	snprintf(res.target, sizeof res.target, "%s", target);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	memset(cand.image, image, sizeof cand.image);
	cand.in_quarantine = fill == 2;
	snprintf(cand.state, sizeof cand.state, "review");
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

/* The answer has it, word for word. */
static void
says(struct control_rig *r, void (*ask)(struct control *c, struct call *call), const char *args, int status,
    const char *const words[])
{
	struct call_heard *h = call_rig_ask(&r->c, ask, args);
	if ((int)h->status != status)
		fail_msg("%s: %s", args, h->json);
	for (unsigned i = 0; words[i]; i++)
		if (!strstr(h->json, words[i]))
			fail_msg("%s: no %s in %s", args, words[i], h->json);
	free(h);
}
#define SAYS(ask, args, status, ...) says(r, ask, args, status, (const char *const[]){ __VA_ARGS__, NULL })

static void
images_stand_in_order_and_once(void **state)
{
	struct control_rig *r = *state;
	SAYS(requests_image_list, "{}", CALL_DONE, "\"images\":[]", "\"next\":null");
	add(r, 1, 0xbb, "1.1", 0);
	add(r, 2, 0xaa, "1.2", 900);
	add(r, 3, 0xaa, "1.3", 800);
	SAYS(requests_image_list, "{}", CALL_DONE,
	    "[{\"arrived\":\"1970-01-01T00:13:20Z\",\"image\":\"" AA "\",\"in_quarantine\":true,\"reviews\":2,\"size\":70},"
	    "{\"arrived\":null,\"image\":\"" BB "\",\"in_quarantine\":false,\"reviews\":1,\"size\":70}]", "\"next\":null");
	SAYS(requests_image_list, "{\"limit\":1}", CALL_DONE, "\"image\":\"" AA "\"", "\"next\":\"" AA "\"");
	SAYS(requests_image_list, "{\"after\":\"" AA "\",\"limit\":1}", CALL_DONE, "[{\"arrived\":null,\"image\":\"" BB "\"");
	SAYS(requests_image_list, "{\"after\":\"" BB "\"}", CALL_DONE, "\"images\":[]", "\"next\":null");
	SAYS(requests_image_list, "{\"limit\":0}", CALL_USAGE, "limit is 1 to 1000");
	SAYS(requests_image_list, "{\"limit\":1001}", CALL_USAGE, "limit is 1 to 1000");
	SAYS(requests_image_list, "{\"after\":\"aa\"}", CALL_USAGE, "64 hex digits");
}

static void
an_image_says_what_was_made_of_it(void **state)
{
	struct control_rig *r = *state;
	add(r, 1, 0xbb, "1.1", 0);
	add(r, 2, 0xaa, "1.2", 900);
	add(r, 3, 0xaa, "1.3", 800);
	SAYS(requests_image_show, "{\"image\":\"" AA "\"}", CALL_DONE, "\"review\":\"R-2\"", "\"review\":\"R-3\"", "\"target\":\"1.3\"",
	    "\"product\":\"EC<U+202E>25\"",
	    "\"stored\":{\"arrived\":\"1970-01-01T00:13:20Z\",\"in_quarantine\":true,\"released\":false,\"size\":70}");
	SAYS(requests_image_show, "{\"image\":\"" DIGITS("cccc") "\"}", CALL_REFUSED, "\"NOT-FOUND\"");
	SAYS(requests_image_show, "{\"image\":\"cc\"}", CALL_USAGE, "64 hex digits");
}

static void
incidents_come_youngest_first(void **state)
{
	struct control_rig *r = *state;
	struct db_incident i = { .at = 100, .kind = "other-bytes", .have_resource = true, .detail = "the same URL" };
	SAYS(requests_incident_list, "{}", CALL_DONE, "\"incidents\":[]", "\"next\":null");
	uint64_t review = add(r, 7, 0xaa, "1.1", 0);
	assert_int_equal(review, 1);
	memset(i.resource, 7, sizeof i.resource);
	assert_int_equal(db_incident_add(r->c.db, &i), 0);
	memset(i.resource, 8, sizeof i.resource); /* of which nothing is known any more */
	assert_int_equal(db_incident_add(r->c.db, &i), 0);
	i = (struct db_incident){ .at = 200, .kind = "sandbox", .detail = "inspect was ended by its jail" };
	assert_int_equal(db_incident_add(r->c.db, &i), 0);
	SAYS(requests_incident_list, "{\"limit\":2}", CALL_DONE,
	    "\"incidents\":[{\"at\":\"1970-01-01T00:03:20Z\",\"detail\":\"inspect was", "\"next\":\"2\"");
	SAYS(requests_incident_list, "{\"after\":2}", CALL_DONE, "\"incidents\":[{\"at\":\"1970-01-01T00:01:40Z\"", "\"id\":1",
	    "\"next\":null");
	SAYS(requests_incident_list, "{\"limit\":1001}", CALL_USAGE, "limit is 1 to 1000");
	SAYS(requests_incident_show, "{\"incident\":\"1\"}", CALL_DONE, "\"kind\":\"other-bytes\"", "\"profile\":\"acme-rtr\"",
	    "\"reviews\":[\"R-1\"]");
	SAYS(requests_incident_show, "{\"incident\":\"2\"}", CALL_DONE, "\"profile\":\"\"", "\"reviews\":[]");
	SAYS(requests_incident_show, "{\"incident\":\"3\"}", CALL_DONE, "\"resource\":null", "\"reviews\":[]");
	static const char *const none[] = { "{\"incident\":\"4\"}", "{\"incident\":\"0\"}", "{\"incident\":\"-1\"}",
		"{\"incident\":\"x\"}", "{\"incident\":\"\"}", "{\"incident\":\"9223372036854775807\"}" };
	for (unsigned k = 0; k < sizeof none / sizeof none[0]; k++)
		SAYS(requests_incident_show, none[k], CALL_REFUSED, "\"NOT-FOUND\"");
}

static void
groups_are_told_without_whole_numbers(void **state)
{
	struct control_rig *r = *state;
	control_rig_configure(r, "groups = ( { name = \"pilot\"; tag = \"lab\"; imei = ( \"490154203237518\", \"3524\" ); } );",
	    SAMPLE_PROFILE);
	SAYS(requests_group_list, "{}", CALL_DONE,
	    "\"groups\":[{\"default\":false,\"imei\":[\"49015420\",\"3524\"],\"name\":\"pilot\",\"product\":\"\","
	    "\"profile\":\"\",\"tag\":\"lab\"},{\"default\":true,\"imei\":[],");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(images_stand_in_order_and_once),
		T(an_image_says_what_was_made_of_it),
		T(incidents_come_youngest_first),
		T(groups_are_told_without_whole_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
