/* SPDX-License-Identifier: Apache-2.0 */
/* What control shows of break-glass, and what it lets nobody begin; test_warden_glass has what permits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/people_rig.h"

static char said[512];

static void
hear(struct jsonw *j, const char *id, const char *text)
{
	(void)j;
	snprintf(said, sizeof said, "%s %s", id, text);
}

static const char *
alerts(const struct glass *g)
{
	said[0] = '\0';
	glass_alerts(g, hear, NULL);
	return said;
}

static void
refuses(const struct glass *g, const char *word)
{
	const char *why = glass_refuses(g);
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\"", why, word);
}

static void
only_where_genesis_has_it(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	people_rig_give(r);
	struct glass *g = glass_new(&r->c);
	const struct msg_glass nothing = { .ok = true };
	refuses(g, "has no break-glass");
	glass_on_told(g, &nothing); /* whatever a warden says */
	refuses(g, "has no break-glass");
	glass_free(g);
	people_free(r->c.people);
	r->c.people = NULL;
	control_rig_free(r);
}

static void
owed_as_the_warden_says(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	people_rig_give_glass(r, (struct genesis_glass){ .delay = 600, .max_devices = 5 });
	struct glass *g = glass_new(&r->c);
	const struct msg_glass nothing = { .ok = true }, owed = { .ok = true, .owed = true, .release = { 0xab }, .need = 3 };
	refuses(g, "has not said");
	assert_string_equal(alerts(g), "");
	glass_on_told(g, &nothing);
	assert_null(glass_refuses(g));
	glass_on_told(g, &owed);
	refuses(g, "no after-review yet");
	assert_non_null(strstr(alerts(g), "AFTER-REVIEW one person alone released ab00"));
	assert_non_null(strstr(alerts(g), "3 have to look at it"));
	/* A warden that went away has not forgotten, and until it says so nobody knows more. */
	glass_warden_down(g);
	refuses(g, "has not said");
	assert_non_null(strstr(alerts(g), "AFTER-REVIEW"));
	glass_on_told(g, &nothing);
	assert_null(glass_refuses(g));
	assert_string_equal(alerts(g), "");
	glass_free(g);
	people_free(r->c.people);
	r->c.people = NULL;
	control_rig_free(r);
}

static void
entry_of(struct entry *e, const char *obj, const char *outcome, const char *digest)
{
	*e = (struct entry){ .ev = ENTRY_APPROVAL_SIGNED, .obj = view_str(obj), .act = view_str("alice@example.com"), .refs = 2 };
	e->ref[0] = (struct entry_ref){ view_str("statement"), false, 0, view_str(digest) };
	e->ref[1] = (struct entry_ref){ view_str("outcome"), false, 0, view_str(outcome) };
}

/* What is no signature for an after-review, in an entry, is none: it would be looked for among the files, and there are none. */
static void
other_entries_say_nothing(void **state)
{
	static const char digest[] = "sha256:0101010101010101010101010101010101010101010101010101010101010101";
	static const char *const told[][3] = {
		{ "R-7", "unjustified", digest }, { "release:ab", "unjustified", digest },
		{ "release:ab0000000000000000000000000000zz", "unjustified", digest },
		{ "release:ab000000000000000000000000000000", "perhaps", digest },
		{ "release:ab000000000000000000000000000000", "unjustified", "sha256:01" },
		{ "release:00000000000000000000000000000000", "unjustified", digest },
	};
	struct control_rig *r = control_rig_new();
	struct entry e;
	(void)state;
	people_rig_give_glass(r, (struct genesis_glass){ .delay = 600, .max_devices = 5 });
	struct glass *g = glass_new(&r->c);
	const struct msg_glass owed = { .ok = true, .owed = true, .release = { 0xab }, .need = 3 };
	for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++) {
		entry_of(&e, told[i][0], told[i][1], told[i][2]);
		glass_replay(g, &e);
		glass_on_told(g, &owed);
		assert_non_null(strstr(alerts(g), ", 0 did"));
	}
	entry_of(&e, "release:ab000000000000000000000000000000", "unjustified", digest);
	e.ev = ENTRY_APPROVAL_AFTERREVIEW;
	glass_replay(g, &e);
	glass_on_told(g, &owed);
	assert_non_null(strstr(alerts(g), ", 0 did"));
	e.ev = ENTRY_APPROVAL_SIGNED;
	glass_replay(g, &e);
	glass_on_told(g, &owed);
	assert_non_null(strstr(alerts(g), ", 1 did"));
	glass_free(g);
	people_free(r->c.people);
	r->c.people = NULL;
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_where_genesis_has_it),
		cmocka_unit_test(owed_as_the_warden_says),
		cmocka_unit_test(other_entries_say_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
