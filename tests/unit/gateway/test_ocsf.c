/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/kinds.h"
#include "gateway/view/ocsf.h"

/* What OCSF 1.5 requires of a class beside the base event's attributes. */
static const struct {
	enum kinds_class cls;
	const char *member[3];
} wanted[] = {
	{ KINDS_BASE, { NULL } },
	{ KINDS_EVENT_LOG, { "log_name" } },
	{ KINDS_DETECTION, { "finding_info" } },
	{ KINDS_AUTHENTICATION, { "user" } },
	{ KINDS_ENTITY, { "entity" } },
	{ KINDS_DEVICE_CONFIG, { "device" } },
	{ KINDS_APPLICATION, { "app" } },
	{ KINDS_API, { "actor", "api", "src_endpoint" } },
	{ KINDS_SCAN, { "scan" } },
};

static struct json *
document(struct view_rig *v)
{
	struct json *doc;
	struct json_error error;
	assert_int_equal(ocsf_put(&v->r, &v->w), 0);
	for (size_t i = 0; i < v->w.n; i++)
		assert_in_range(v->w.p[i], 0x20, 0x7e);
	assert_int_equal(json_parse(writer_view(&v->w), &doc, &error), 0);
	return doc;
}

static uint64_t
number(const struct json *doc, const char *key)
{
	uint64_t n = UINT64_MAX;
	assert_true(json_uint(json_get(json_root(doc), key), &n));
	return n;
}

static struct view
text(const struct json_value *o, const char *key)
{
	struct view s = { NULL, 0 };
	assert_true(json_string(json_get(o, key), &s));
	return s;
}

static void
test_every_event_has_what_its_class_requires(void **state)
{
	(void)state;
	for (unsigned ev = 1; ev < ENTRY_EV_LIMIT; ev++) {
		struct entry e = { .seq = ev, .t_us = 1767225600000123, .clk = ENTRY_CLK_NTP, .src = view_str("gw/audit"),
			.ev = (enum entry_event)ev, .sev = ev % 8 };
		struct writer line;
		struct view_rig v;
		char z[1024] = "";
		const struct kinds *k = kinds_of(e.ev);
		writer_init(&line, ENTRY_MAX);
		assert_int_equal(entry_encode(&e, &line, NULL), 0);
		memcpy(z, line.p, line.n);
		view_rig_start(&v, ev, z);
		struct json *doc = document(&v);
		assert_int_equal(number(doc, "class_uid"), k->cls);
		assert_int_equal(number(doc, "category_uid"), k->cls / 1000);
		assert_int_equal(number(doc, "activity_id"), k->activity);
		assert_int_equal(number(doc, "type_uid"), k->cls * 100 + k->activity);
		assert_int_equal(number(doc, "time"), 1767225600000);
		assert_in_range(number(doc, "severity_id"), 1, 6);
		bool found = false;
		for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
			found |= wanted[i].cls == k->cls;
			for (unsigned n = 0; wanted[i].cls == k->cls && n < 3 && wanted[i].member[n]; n++)
				assert_non_null(json_get(json_root(doc), wanted[i].member[n]));
		}
		assert_true(found);
		json_free(doc);
		view_rig_end(&v);
		writer_free(&line);
	}
}

static void
test_a_document(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	struct json *doc = document(&v);
	const struct json_value *root = json_root(doc);
	assert_int_equal(number(doc, "class_uid"), 3004);
	assert_true(view_is(text(root, "activity_name"), "Approve"));
	assert_int_equal(number(doc, "status_id"), 1);
	assert_true(view_is(text(root, "message"), "tested on two boards"));
	assert_true(view_is(text(json_get(json_get(root, "actor"), "user"), "name"), "alice@fleet.example"));
	assert_true(view_is(text(json_get(root, "entity"), "name"), "R-12"));
	assert_true(view_is(text(json_get(root, "entity"), "uid"), IMAGE));
	assert_true(view_is(text(json_get(root, "metadata"), "uid"), v.leaf));
	assert_true(view_is(text(json_get(root, "device"), "uid"), "ab010000000000000000000000000000"));
	json_free(doc);
	view_rig_end(&v);
}

static void
test_hostile_content_stays_content(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 7, HOSTILE);
	struct json *doc = document(&v);
	assert_int_equal(number(doc, "class_uid"), 0);
	assert_int_equal(number(doc, "status_id"), 99);
	assert_true(view_is(text(json_root(doc), "message"), BAD_TEXT));
	assert_true(view_is(text(json_get(json_root(doc), "unmapped"), "obj"), BAD_TEXT));
	json_free(doc);
	view_rig_end(&v);
	view_rig_start(&v, 8, NOBODYS);
	doc = document(&v);
	assert_int_equal(number(doc, "severity_id"), 0);
	assert_null(json_get(json_root(doc), "unmapped"));
	assert_true(view_is(text(json_get(json_root(doc), "metadata"), "uid"), v.leaf));
	json_free(doc);
	view_rig_end(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_has_what_its_class_requires),
		cmocka_unit_test(test_a_document),
		cmocka_unit_test(test_hostile_content_stays_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
