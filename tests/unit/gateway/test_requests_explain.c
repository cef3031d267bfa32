/* SPDX-License-Identifier: Apache-2.0 */
/* Why a module gets what it gets: for each cause the answer, the links of the chain that it breaks, and what they say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "gateway/control/requests_private.h"
#include "policy/scope.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"

#define OFFERS "unlisted = \"offer\";"
#define GATES "soak = \"1h\"; reports = 4; success = 1000; failed = 200; silent = 250;"
#define PLAN PLAN_OF("concurrent = 1; per_day = 8;")
#define PLAN_OF(pace) \
	"rollout_plans = ( { name = \"careful\"; " pace " settle = \"10m\"; silence = \"1d\"; rings = ( " \
	"{ name = \"lab\"; groups = [ \"lab\" ]; " GATES " }, { name = \"rest\"; " GATES " } ); } );\n"
#define CLOSED "blackouts = ( { name = \"always\"; first = \"2020-01-01\"; last = \"2199-12-31\"; } );\n"

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct sample *s;
	const struct inventory_module *m;
};

static struct msg_sighting
sighting(const struct fixture *f, unsigned n, enum identity_class class, const char *current)
{
	struct msg_sighting s = { .profile = "acme-rtr", .product = "EC25", .idents_n = 1, .answer = SCOPE_HOLD_LATE };
	memcpy(s.resource, f->s->r.terms.resource, sizeof s.resource);
	s.idents[0].kind = IDENTITY_SERIAL;
	s.idents[0].cls = (uint8_t)class;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "module-%u", n);
	snprintf(s.current, sizeof s.current, "%s", current);
	return s;
}

static const struct inventory_module *
hear(struct fixture *f, const struct msg_sighting *s)
{
	struct inventory_seen seen = { 0 };
	assert_int_equal(inventory_sight(f->c->inventory, policies_find(f->c->policies, "acme-rtr")->profile, s, f->r->now, &seen),
	    0);
	rollouts_heard(f->c->rollouts, &seen, s);
	return seen.module;
}

static const struct inventory_module *
says(struct fixture *f, unsigned n, enum identity_class class, const char *current)
{
	struct msg_sighting s = sighting(f, n, class, current);
	return hear(f, &s);
}

static void
grant(struct fixture *f, const struct inventory_module *m)
{
	assert_int_equal(grants_ask(f->c->grants, m, f->s->id, f->r->now, f->r->now).reason, GRANTS_YES);
}

/* ---- causes: what the release says, and what becomes of it or of the module ---- */

static void
terms_for_lab(struct sample *s)
{
	s->r.terms.groups.n = 0;
	assert_int_equal(approval_list_add(&s->r.terms.groups, "lab"), 0);
}

static void
terms_from_0_9(struct sample *s)
{
	s->r.terms.from_versions.n = 0;
	assert_int_equal(approval_list_add(&s->r.terms.from_versions, "0.9"), 0);
}

static void
terms_later(struct sample *s)
{
	s->r.terms.not_before = 1900000000;
}

static void
terms_soon_over(struct sample *s)
{
	s->r.terms.not_after = 1800000100;
}

static void
terms_for_one(struct sample *s)
{
	s->r.terms.max_devices = 1;
}

static void
make_withheld(struct fixture *f)
{
	releases_withhold(f->c->releases, f->s->id, "the rule night-owls denies it");
}

static void
make_halt(struct fixture *f)
{
	halts_begin(f->c->halts, &(struct msg_halt){ .at = f->r->now, .by_uid = 4711 });
}

static void
make_hold(struct fixture *f)
{
	assert_int_equal(inventory_hold(f->c->inventory, f->m->pseudonym, true), 0);
}

static void
make_other_product(struct fixture *f)
{
	struct msg_sighting s = sighting(f, 1, IDENTITY_B, "1.0");
	snprintf(s.product, sizeof s.product, "BG95");
	hear(f, &s);
}

static void
make_later(struct fixture *f)
{
	f->r->now += 200;
	assert_int_equal(clockwatch_adopt(&f->c->timekeep.watch, f->r->now * 1000000, f->r->now * 1000000, 0), 0);
}

static void
make_updated(struct fixture *f)
{
	says(f, 1, IDENTITY_B, "2.0");
}

static void
make_newer(struct fixture *f)
{
	says(f, 1, IDENTITY_B, "2.1");
}

static void
make_unreadable(struct fixture *f)
{
	says(f, 1, IDENTITY_B, "unknown");
}

static void
make_new(struct fixture *f)
{
	f->r->now += 5;
	f->m = says(f, 9, IDENTITY_B, "1.0");
	assert_int_equal(inventory_set(f->c->inventory, f->m->pseudonym, "lab", NULL), 0);
}

static void
make_paused(struct fixture *f)
{
	assert_int_equal(inventory_set(f->c->inventory, f->m->pseudonym, "lab", NULL), 0);
	assert_int_equal(rollouts_pause(f->c->rollouts, f->s->id, "alice", "two bricks in Graz"), 0);
}

static void
make_full(struct fixture *f)
{
	grant(f, says(f, 2, IDENTITY_B, "1.0"));
}

/* One of the first ring is under way, and the plan has one at a time. */
static void
make_paced(struct fixture *f)
{
	const struct inventory_module *other = inventory_by_identity(f->c->inventory, IDENTITY_SERIAL, view_str("module-2"));
	assert_int_equal(inventory_set(f->c->inventory, other->pseudonym, "lab", NULL), 0);
	assert_int_equal(inventory_set(f->c->inventory, f->m->pseudonym, "lab", NULL), 0);
	grant(f, other);
}

static void
make_elsewhere(struct fixture *f)
{
	struct msg_sighting s = sighting(f, 1, IDENTITY_B, "1.0");
	memset(s.resource, 8, sizeof s.resource);
	hear(f, &s);
}

static void
make_asking_again(struct fixture *f)
{
	grant(f, f->m);
	says(f, 1, IDENTITY_B, "1.0");
}

static void
make_claimed(struct fixture *f)
{
	f->m = says(f, 8, IDENTITY_D, "1.0");
}

static void
make_clock_held(struct fixture *f)
{
	f->c->timekeep.said.state = MSG_CLOCK_UNKNOWN;
}

/* The gate says no in every row, for nobody reads a log here; it is looked at in a row of its own. */
static const struct cause {
	const char *name;
	const char *main, *key, *line; /* of the configuration, changed */
	void (*terms)(struct sample *s);
	void (*make)(struct fixture *f);
	const char *answer;
	const char *broken;            /* links that say no */
	const char *link, *said;       /* and what one of them says, part of it */
} causes[] = {
	{ "nothing", "", "unlisted", OFFERS, NULL, NULL, "offer", "", "version", "version 1.0 (class B)" },
	{ "withheld by the policy", "", "unlisted", OFFERS, NULL, make_withheld, "no-release", "release", "release",
	    "the rule night-owls denies it" },
	{ "halted", "", "unlisted", OFFERS, NULL, make_halt, "halted", "halt", "halt", "by uid 4711 at 2027-01-15" },
	{ "not listed", "", "unlisted", "unlisted = \"hold\";", NULL, NULL, "unlisted", "listing", "listing", "module import" },
	{ "held", "", "unlisted", OFFERS, NULL, make_hold, "module-held", "hold", "hold", "module unhold" },
	{ "another product", "", "unlisted", OFFERS, NULL, make_other_product, "other-product", "product", "product",
	    "is BG95, the release is for EC25" },
	{ "another group", "", "unlisted", OFFERS, terms_for_lab, NULL, "other-group", "group", "group",
	    "in group field, the release is for lab" },
	{ "too early", "", "unlisted", OFFERS, terms_later, NULL, "too-early", "days", "days", "from 2030-03-17" },
	{ "too late", "", "unlisted", OFFERS, terms_soon_over, make_later, "too-late", "days", "days",
	    "until 2027-01-15T08:01:40Z" },
	{ "has it already", "", "unlisted", OFFERS, NULL, make_updated, "same-version", "version", "version",
	    "version 2.0 (class B), the release leads from any older one to 2.0" },
	{ "is past it", "", "unlisted", OFFERS, NULL, make_newer, "newer-version", "version", "version", "version 2.1" },
	{ "wrong version to come from", "", "unlisted", OFFERS, terms_from_0_9, NULL, "other-from-version", "version",
	    "version", "leads from 0.9 to 2.0" },
	{ "a version nobody can compare", "", "unlisted", OFFERS, NULL, make_unreadable, "unknown-version", "version",
	    "version", "version unknown" },
	{ "no step of the profile", "", "steps", OFFERS " steps = ( { from = \"1.5\"; to = \"2.0\"; } );", NULL, NULL,
	    "other-step", "version", "version", "version 1.0" },
	{ "its ring is not open", PLAN, "rollout", OFFERS " rollout = \"careful\";", NULL, NULL, "ring", "ring", "ring",
	    "it is in ring rest; the rollout is running, open up to ring lab" },
	{ "new, so in the last ring", PLAN, "rollout", OFFERS " rollout = \"careful\";", NULL, make_new, "ring", "ring", "ring",
	    "rest, the last one, for it was not known when the rollout began" },
	{ "paused", PLAN, "rollout", OFFERS " rollout = \"careful\";", NULL, make_paused, "ring", "ring", "ring",
	    "in ring lab; the rollout is paused, open up to ring lab, by alice: two bricks in Graz" },
	{ "a blackout", CLOSED, "blackouts", OFFERS " blackouts = [ \"always\" ];", NULL, NULL, "outside-window", "window",
	    "window", "within 400 days" },
	{ "as many have it as were signed for", "", "unlisted", OFFERS, terms_for_one, make_full, "offer", "room", "room",
	    "1 of 1" },
	{ "the pace of the plan", PLAN, "rollout", OFFERS " rollout = \"careful\";", NULL, make_paced, "offer", "pace", "pace",
	    "at a time" },
	{ "the pace of its group", PLAN_OF("concurrent = 9; group_concurrent = 5; group_per_day = 1;"), "rollout",
	    OFFERS " rollout = \"careful\";", NULL, make_paced, "offer", "pace", "pace",
	    "as many modules of group lab were granted the release as the plan lets through of each: 5 at a time, 1 in 24 hours" },
	{ "the pace of its cell", PLAN_OF("concurrent = 9; cell_concurrent = 5; cell_per_day = 1;"), "rollout",
	    OFFERS " rollout = \"careful\";", NULL, make_paced, "offer", "pace", "pace",
	    "as many modules of which no tag says the cell were granted the release as the plan lets through of each: 5 at a time, 1 in" },
	{ "the pace of its APN", PLAN_OF("concurrent = 9; apn_per_day = 1;"), "rollout",
	    OFFERS " rollout = \"careful\";", NULL, make_paced, "offer", "pace", "pace", "no tag says the APN were granted" },
	{ "it does not ask", "", "unlisted", OFFERS, NULL, make_elsewhere, "offer", "asked", "asked", "has not asked for it" },
	{ "it asks again", "", "unlisted", OFFERS, NULL, make_asking_again, "offer", "", "grant", "again in another version, 1 times" },
	{ "nobody but its own word", "", "unlisted", OFFERS, NULL, make_claimed, "offer", "", "identity", "class D, nothing but" },
	{ "the clock is held", "", "unlisted", OFFERS, NULL, make_clock_held, "offer", "", "gate", "the warden has not told" },
	/* Everything that is in the way is said, not only the first of it. */
	{ "held, of another group and in a blackout", CLOSED, "blackouts", OFFERS " blackouts = [ \"always\" ];", terms_for_lab,
	    make_hold, "module-held", "hold group window", "group", "for lab" },
};

static void
begin(struct fixture *f, const struct cause *one)
{
	char *profile = sample_profile_with(one->key, one->line);
	*f = (struct fixture){ .r = control_rig_new(), .s = sample_new(64, "EC25", "2.0") };
	f->c = &f->r->c;
	f->c->edges = edges_new(f->c);
	f->c->halts = halts_new(f->c);
	f->c->glass = glass_new(f->c);
	control_rig_configure(f->r, one->main, profile);
	free(profile);
	memset(f->s->r.terms.resource, 3, sizeof f->s->r.terms.resource);
	memcpy(f->s->r.terms.policy, policies_find(f->c->policies, "acme-rtr")->digest, DIGEST_SHA256_LEN);
	f->s->r.issued = f->r->now;
	if (one->terms)
		one->terms(f->s);
	sample_seal(f->s);
	f->m = says(f, 1, IDENTITY_B, "1.0");
	says(f, 2, IDENTITY_B, "1.0");
	assert_int_equal(inventory_set(f->c->inventory, f->m->pseudonym, "field", NULL), 0);
	assert_int_equal(releases_take(f->c->releases, f->s->id, writer_view(&f->s->record)), 0);
	rollouts_mended(f->c->rollouts);
	if (one->make)
		one->make(f);
}

static void
end(struct fixture *f)
{
	halts_free(f->c->halts);
	glass_free(f->c->glass);
	edges_free(f->c->edges);
	control_rig_free(f->r);
	sample_free(f->s);
}

static struct json *
explain(struct fixture *f)
{
	char args[64] = "{\"module\":\"", hex[2 * MSG_ID + 1];
	struct json *doc = NULL;
	hex_encode(f->m->pseudonym, MSG_ID, hex);
	snprintf(args + strlen(args), sizeof args - strlen(args), "%s\"}", hex);
	struct call_heard *h = call_rig_ask(f->c, requests_module_explain, args);
	assert_int_equal(h->status, CALL_DONE);
	assert_int_equal(json_parse(view_str(h->json), &doc, NULL), 0);
	free(h);
	return doc;
}

static const char *
text_of(const struct json_value *v, const char *key)
{
	static char text[1024];
	text[0] = '\0';
	assert_true(json_cstr(json_get(v, key), text, sizeof text));
	return text;
}

/* The names of those that say no, and what link says. */
static void
walk(const struct json_value *chain, const char *link, char broken[256], char said[1024])
{
	for (size_t i = 0; i < json_count(chain); i++) {
		const struct json_value *one = json_at(chain, i);
		bool ok = false;
		assert_true(json_bool(json_get(one, "ok"), &ok));
		const char *name = text_of(one, "link");
		if (!ok && strcmp(name, "gate") != 0)
			snprintf(broken + strlen(broken), 256 - strlen(broken), "%s%s", broken[0] ? " " : "", name);
		if (strcmp(name, link) == 0)
			snprintf(said, 1024, "%s", text_of(one, "said"));
	}
}

static void
each_cause_is_told_by_its_links(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof causes / sizeof causes[0]; i++) {
		const struct cause *one = &causes[i];
		struct fixture f;
		char broken[256] = "", said[1024] = "";
		begin(&f, one);
		struct json *doc = explain(&f);
		const struct json_value *answers = json_get(json_root(doc), "answers");
		if (json_count(answers) < 1)
			fail_msg("%s: no answer", one->name);
		const struct json_value *first = json_at(answers, 0);
		if (strcmp(text_of(first, "answer"), one->answer) != 0)
			fail_msg("%s: %s", one->name, text_of(first, "answer"));
		walk(json_get(first, "chain"), one->link, broken, said);
		if (strcmp(broken, one->broken) != 0 || !strstr(said, one->said))
			fail_msg("%s: broken \"%s\", %s: %s", one->name, broken, one->link, said);
		/* What is missing is what the first of them says. */
		bool first_of_all = strncmp(one->broken, one->link, strlen(one->link)) == 0;
		if (first_of_all && strcmp(one->answer, "offer") != 0 && !strstr(text_of(first, "missing"), one->said))
			fail_msg("%s: missing %s", one->name, text_of(first, "missing"));
		json_free(doc);
		end(&f);
	}
}

/* Before there is a release: how far what it asked for has come; and what an edge told it. */
static void
without_a_release_it_says_what_that_waits_for(void **state)
{
	struct fixture f;
	struct db_resource res = { .sightings = 1 };
	bool fresh;
	(void)state;
	begin(&f, &causes[0]);
	memset(res.id, 8, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/8");
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "3.0");
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(f.c->db, &res, &fresh), 0);
	make_elsewhere(&f);
	struct json *doc = explain(&f);
	const struct json_value *last = json_at(json_get(json_root(doc), "answers"), 1);
	assert_string_equal(text_of(last, "answer"), "no-release");
	assert_string_equal(text_of(last, "missing"), "the vendor has not been asked yet");
	assert_int_equal(json_count(json_get(last, "chain")), 0);
	assert_string_equal(text_of(json_root(doc), "last_answer"), "too-late");
	json_free(doc);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_is_told_by_its_links),
		cmocka_unit_test(without_a_release_it_says_what_that_waits_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
