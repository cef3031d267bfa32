/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "crypto/hex.h"
#include "crypto/pseudonym.h"
#include "gateway/control/inventory.h"
#include "gateway/state/db_private.h"
#include "policy/config.h"
#include "policy/identity.h"
#include "policy/profile.h"
#include "policy/rollout.h"
#include "unit/gateway/state_rig.h"

static const struct view key = { (const uint8_t *)"an epoch key of thirty-two bytes", 32 };
#define DAY INT64_C(86400)
#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SPKI "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct inventory *
inventory_of(struct rig *r)
{
	struct inventory *inv = NULL;
	assert_int_equal(inventory_new(r->db, key, &inv), 0);
	return inv;
}

static struct profile *
profile_of(void)
{
	struct profile *p = calloc(1, sizeof *p); /* too large for a stack */
	snprintf(p->name, sizeof p->name, "quectel");
	snprintf(p->default_group, sizeof p->default_group, "field");
	return p;
}

static void
with(struct msg_sighting *s, unsigned kind, unsigned cls, const char *text)
{
	s->idents[s->idents_n].kind = (uint8_t)kind;
	s->idents[s->idents_n].cls = (uint8_t)cls;
	snprintf(s->idents[s->idents_n++].text, sizeof s->idents[0].text, "%s", text);
}

static struct msg_sighting
sighting_of(const char *version, unsigned kind, unsigned cls, const char *text)
{
	struct msg_sighting s = { .profile = "quectel", .product = "EC25", .answer = 1 };
	snprintf(s.current, sizeof s.current, "%s", version);
	memset(s.resource, 9, sizeof s.resource);
	with(&s, kind, cls, text);
	return s;
}

static const struct inventory_module *
sight(struct inventory *inv, const struct profile *p, const struct msg_sighting *s, int64_t now, bool created)
{
	struct inventory_seen seen;
	assert_int_equal(inventory_sight(inv, p, s, now, &seen), 0);
	assert_int_equal(seen.created, created);
	return seen.module;
}

static void
test_inventory_learns(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct profile *p = profile_of();
	struct msg_sighting s = sighting_of("A07", IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	uint8_t pseudonym[PSEUDONYM_LEN];
	const struct inventory_module *m = sight(inv, p, &s, 1000, true);
	assert_int_equal(pseudonym_make(key, "imei", view_str("490154203237518"), pseudonym), 0);
	assert_memory_equal(m->pseudonym, pseudonym, sizeof pseudonym);
	assert_string_equal(m->group, ""); /* the profile's default is the profile's, as it is when somebody asks */
	assert_string_equal(m->profile, "quectel");
	assert_string_equal(m->product, "EC25");
	assert_string_equal(m->version, "A07");
	assert_string_equal(m->sure, ""); /* it was only claimed */
	assert_false(m->listed);
	assert_int_equal(m->first_seen, 1000);
	assert_int_equal(m->last_answer, 1);
	assert_true(inventory_is_stale(inv));
	inventory_taken(inv);
	snprintf(s.current, sizeof s.current, "A08");
	assert_ptr_equal(sight(inv, p, &s, 2000, false), m);
	assert_string_equal(m->version, "A08");
	assert_int_equal(m->first_seen, 1000);
	assert_int_equal(m->last_seen, 2000);
	/* The table does not hold that: it need not be built again for every request. */
	assert_false(inventory_is_stale(inv));
	assert_ptr_equal(inventory_by_pseudonym(inv, pseudonym), m);
	assert_ptr_equal(inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518")), m);
	assert_null(inventory_by_identity(inv, IDENTITY_SERIAL, view_str("490154203237518")));
	assert_int_equal(inventory_flush(inv), 0);
	assert_false(m->dirty);
	inventory_free(inv);
	/* And it is all there after a start. */
	rig_again(r);
	inv = inventory_of(r);
	assert_int_equal(inventory_count(inv), 1);
	m = inventory_at(inv, 0);
	assert_memory_equal(m->pseudonym, pseudonym, sizeof pseudonym);
	assert_string_equal(m->version, "A08");
	assert_string_equal(m->group, "");
	assert_int_equal(m->last_seen, 2000);
	assert_false(m->dirty);
	assert_null(inventory_at(inv, 1));
	inventory_free(inv);
	free(p);
}

static void
test_inventory_refuses_what_is_no_identity(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_seen seen;
	struct msg_sighting s = { 0 };
	static const struct {
		unsigned kind, cls;
		const char *text;
	} bad[] = {
		{ 0, IDENTITY_D, "1" }, { IDENTITY_SERIAL + 1, IDENTITY_D, "1" }, { IDENTITY_IMEI, 0, "1" },
		{ IDENTITY_IMEI, 5, "1" }, { IDENTITY_IMEI, IDENTITY_D, "" }, { IDENTITY_SERIAL, IDENTITY_D, "a\x01" },
		{ IDENTITY_TOKEN, IDENTITY_B, "a token as it came" }, { IDENTITY_SERIAL, IDENTITY_D, "\xff" },
	};
	assert_int_equal(inventory_sight(inv, NULL, &s, 1, &seen), FG_ENOTFOUND);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		s = sighting_of("", bad[i].kind, bad[i].cls, bad[i].text);
		assert_int_equal(inventory_sight(inv, NULL, &s, 1, &seen), FG_EPEER);
		/* Nor beside a good one. */
		s = sighting_of("", IDENTITY_CERT, IDENTITY_A, SPKI);
		with(&s, bad[i].kind, bad[i].cls, bad[i].text);
		assert_int_equal(inventory_sight(inv, NULL, &s, 1, &seen), FG_EPEER);
	}
	assert_int_equal(inventory_count(inv), 0);
	inventory_free(inv);
	assert_int_equal(inventory_new(r->db, view_of(key.p, PSEUDONYM_KEY_MIN - 1), &inv), FG_EINVAL);
}

/* Invariant 6: what anybody can write into a request takes nothing from anybody. */
static void
test_inventory_claims_take_nothing(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct profile *p = profile_of(), *other = profile_of();
	snprintf(other->default_group, sizeof other->default_group, "lab");
	snprintf(other->name, sizeof other->name, "other");
	struct msg_sighting s = sighting_of("A07", IDENTITY_TOKEN, IDENTITY_B, TOKEN);
	with(&s, IDENTITY_CERT, IDENTITY_A, SPKI);
	with(&s, IDENTITY_ADDRESS, IDENTITY_C, "10.0.0.7");
	with(&s, IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	struct inventory_seen seen;
	assert_int_equal(inventory_sight(inv, p, &s, 1, &seen), 0);
	assert_int_equal(seen.lead, IDENTITY_A); /* the certificate, though it came second */
	const struct inventory_module *m = seen.module;
	assert_int_equal(m->idents_n, 3);
	assert_string_equal(m->sure, "A07");
	assert_ptr_equal(inventory_by_identity(inv, IDENTITY_TOKEN, view_str(TOKEN)), m);
	/* Its claim did not bind the IMEI: another's could have been put there. */
	assert_null(inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518")));
	/* Somebody claims that IMEI: a module of its own, which gets nobody's certificate either. */
	struct msg_sighting liar = sighting_of("A99", IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	with(&liar, IDENTITY_SERIAL, IDENTITY_D, "SN1");
	const struct inventory_module *l = sight(inv, p, &liar, 2, true);
	assert_int_equal(l->idents_n, 1);
	assert_ptr_not_equal(l, m);
	/* The network's word (C) is weaker than the module's best (A): it changes no version, group or product. */
	struct msg_sighting spoof = sighting_of("A99", IDENTITY_ADDRESS, IDENTITY_C, "10.0.0.7");
	snprintf(spoof.product, sizeof spoof.product, "BG96");
	assert_ptr_equal(sight(inv, other, &spoof, 3, false), m);
	assert_string_equal(m->version, "A07");
	assert_string_equal(m->sure, "A07");
	assert_string_equal(m->product, "EC25");
	assert_string_equal(m->profile, "quectel");
	assert_string_equal(m->group, "");
	assert_int_equal(m->last_seen, 3);
	/* A certificate of its own with another's token: a conflict, and the token stays where it was. */
	struct msg_sighting thief = sighting_of("A01", IDENTITY_CERT, IDENTITY_A, TOKEN);
	with(&thief, IDENTITY_TOKEN, IDENTITY_B, TOKEN);
	assert_int_equal(inventory_sight(inv, p, &thief, 4, &seen), 0);
	assert_true(seen.created);
	assert_true(seen.conflict);
	assert_ptr_equal(inventory_by_identity(inv, IDENTITY_TOKEN, view_str(TOKEN)), m);
	/* The module itself says its new version. */
	snprintf(s.current, sizeof s.current, "A09");
	sight(inv, p, &s, 5, false);
	assert_string_equal(m->version, "A09");
	assert_string_equal(m->sure, "A09");
	assert_int_equal(inventory_flush(inv), 0);
	inventory_free(inv);
	free(p);
	free(other);
}

/* What an operator said stands for the table, whatever is claimed afterwards. */
static void
test_inventory_claimed_version_is_not_sure(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_import *i = calloc(1, sizeof *i);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\n"
	    "imei,490154203237518,canary,EC25,A07\n"), "quectel", false, i), 0);
	assert_int_equal(i->created, 1);
	struct msg_sighting s = sighting_of("A09", IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	snprintf(s.product, sizeof s.product, "BG96");
	const struct inventory_module *m = sight(inv, NULL, &s, 7, false);
	assert_string_equal(m->version, "A09");
	assert_int_equal(m->version_cls, IDENTITY_D);
	assert_string_equal(m->sure, "A07");
	assert_string_equal(m->product, "EC25"); /* listed: its operator said so */
	assert_string_equal(m->group, "canary");
	assert_int_equal(m->first_seen, 7);
	assert_int_equal(inventory_set(inv, m->pseudonym, "field", "A10"), 0);
	assert_string_equal(m->version, "A10");
	assert_string_equal(m->sure, "A10");
	assert_string_equal(m->group, "field");
	assert_int_equal(m->version_cls, 0);
	assert_int_equal(inventory_set(inv, m->pseudonym, "a\nb", NULL), FG_EINVAL);
	assert_int_equal(inventory_set(inv, m->pseudonym, NULL, "a\x80"), FG_EINVAL);
	assert_string_equal(m->group, "field");
	free(i);
	inventory_free(inv);
}

static void
test_inventory_learning_is_capped(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_seen seen;
	char serial[32];
	struct msg_sighting s;
	for (unsigned i = 0; i < INVENTORY_LEARN_PER_HOUR; i++) {
		snprintf(serial, sizeof serial, "S%u", i);
		s = sighting_of("", IDENTITY_SERIAL, IDENTITY_D, serial);
		assert_int_equal(inventory_sight(inv, NULL, &s, 5000 + i % 3600, &seen), 0);
	}
	s = sighting_of("", IDENTITY_SERIAL, IDENTITY_D, "one too many");
	assert_int_equal(inventory_sight(inv, NULL, &s, 8599, &seen), FG_ELIMIT);
	/* Known ones go on. */
	s = sighting_of("", IDENTITY_SERIAL, IDENTITY_D, "S5");
	assert_int_equal(inventory_sight(inv, NULL, &s, 8599, &seen), 0);
	s = sighting_of("", IDENTITY_SERIAL, IDENTITY_D, "one too many");
	assert_int_equal(inventory_sight(inv, NULL, &s, 8600, &seen), 0);
	assert_int_equal(inventory_count(inv), INVENTORY_LEARN_PER_HOUR + 1);
	/* Every one of them is found after all that growing. */
	for (unsigned i = 0; i < INVENTORY_LEARN_PER_HOUR; i++) {
		snprintf(serial, sizeof serial, "S%u", i);
		const struct inventory_module *m = inventory_by_identity(inv, IDENTITY_SERIAL, view_str(serial));
		assert_non_null(m);
		assert_ptr_equal(inventory_by_pseudonym(inv, m->pseudonym), m);
	}
	inventory_free(inv);
}

struct page {
	unsigned n, stop_at;
	uint8_t last[MSG_ID];
};

static int
turn(void *arg, const struct inventory_module *m)
{
	struct page *p = arg;
	if (p->n)
		assert_true(memcmp(p->last, m->pseudonym, MSG_ID) < 0);
	memcpy(p->last, m->pseudonym, MSG_ID);
	return ++p->n == p->stop_at ? 9 : 0;
}

/* Whatever the size of a page, turning them shows each module once and in order. */
static void
turn_all(const struct inventory *inv, unsigned n)
{
	for (unsigned limit = 1; limit <= 1000; limit = limit * 3 + 1) {
		struct page p = { 0 };
		unsigned before;
		do {
			before = p.n;
			assert_int_equal(inventory_list(inv, p.n ? p.last : NULL, limit, turn, &p), 0);
			assert_true(p.n - before <= limit);
		} while (p.n > before);
		assert_int_equal(p.n, n);
	}
}

static void
test_inventory_pages(void **state)
{
	struct rig *r = *state;
	uint8_t gone[300][MSG_ID];
	struct inventory_seen seen;
	char serial[32];
	/* Some begin alike, as they never do by chance. */
	for (unsigned i = 0; i < 34; i++) {
		struct db_module m = { .idents_n = 0 };
		memset(m.pseudonym, i < 30 ? 0x80 : 0xff, MSG_ID);
		m.pseudonym[MSG_ID - 1] = (uint8_t)(i * 7);
		assert_int_equal(db_module_put(r->db, &m), 0);
	}
	struct inventory *inv = inventory_of(r);
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(serial, sizeof serial, "S%u", i);
		struct msg_sighting s = sighting_of("", IDENTITY_SERIAL, IDENTITY_D, serial);
		assert_int_equal(inventory_sight(inv, NULL, &s, 1, &seen), 0);
	}
	turn_all(inv, 1234);
	struct page p = { 0 };
	assert_int_equal(inventory_list(inv, NULL, 0, turn, &p), 0);
	assert_int_equal(p.n, DB_PAGE_MAX);
	p = (struct page){ .stop_at = 3 };
	assert_int_equal(inventory_list(inv, NULL, 10, turn, &p), 9);
	assert_int_equal(p.n, 3);
	for (unsigned i = 0; i < 300; i++)
		memcpy(gone[i], inventory_at(inv, 4 * (size_t)i)->pseudonym, MSG_ID);
	assert_int_equal(inventory_erase_all(inv, gone, 300), 0);
	turn_all(inv, 934);
	inventory_free(inv);
}

static void
test_inventory_hold_and_erase(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct msg_sighting a = sighting_of("1", IDENTITY_SERIAL, IDENTITY_D, "A");
	struct msg_sighting b = sighting_of("2", IDENTITY_SERIAL, IDENTITY_D, "B");
	struct msg_sighting c = sighting_of("3", IDENTITY_SERIAL, IDENTITY_D, "C");
	uint8_t gone[MSG_ID], none[MSG_ID] = { 0 };
	const struct inventory_module *m = sight(inv, NULL, &a, 1, true);
	memcpy(gone, m->pseudonym, sizeof gone);
	sight(inv, NULL, &b, 1, true);
	assert_int_equal(inventory_flush(inv), 0);
	sight(inv, NULL, &c, 1, true); /* not yet written */
	inventory_taken(inv);
	assert_int_equal(inventory_hold(inv, gone, true), 0);
	assert_true(m->held);
	assert_true(inventory_is_stale(inv));
	inventory_taken(inv);
	assert_int_equal(inventory_hold(inv, gone, true), 0);
	assert_false(inventory_is_stale(inv));
	assert_int_equal(inventory_hold(inv, none, true), FG_ENOTFOUND);
	assert_int_equal(inventory_set(inv, none, "g", NULL), FG_ENOTFOUND);
	assert_int_equal(inventory_erase(inv, none), FG_ENOTFOUND);
	assert_int_equal(inventory_erase(inv, gone), 0);
	assert_null(inventory_by_pseudonym(inv, gone));
	assert_null(inventory_by_identity(inv, IDENTITY_SERIAL, view_str("A")));
	assert_non_null(inventory_by_identity(inv, IDENTITY_SERIAL, view_str("B")));
	m = inventory_by_identity(inv, IDENTITY_SERIAL, view_str("C"));
	memcpy(gone, m->pseudonym, sizeof gone);
	assert_int_equal(inventory_erase(inv, gone), 0);
	assert_int_equal(inventory_flush(inv), 0);
	assert_int_equal(inventory_count(inv), 1);
	inventory_free(inv);
	inv = inventory_of(r);
	assert_int_equal(inventory_count(inv), 1);
	assert_non_null(inventory_by_identity(inv, IDENTITY_SERIAL, view_str("B")));
	inventory_free(inv);
}

static void
test_inventory_import(void **state)
{
	static const char csv[] = "\xef\xbb\xbf" "kind,identity,group,product,version\r\n"
				  "imei,49-015420-323751-8,canary,\"EC25, rev \"\"A\"\"\",A07\r\n"
				  "\r\n"
				  "token,secret-token,,,\n"
				  "cert," SPKI ",field,,\n"
				  "address,10.0.0.7,,BG96,";
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_import *i = calloc(1, sizeof *i);
	assert_int_equal(inventory_import(inv, view_str(csv), "quectel", true, i), 0);
	assert_int_equal(i->problems_n, 0);
	assert_int_equal(i->rows, 4);
	assert_int_equal(i->created, 4);
	assert_int_equal(i->taken, 0);
	assert_int_equal(inventory_count(inv), 0); /* a dry run */
	assert_int_equal(inventory_import(inv, view_str(csv), "quectel", false, i), 0);
	assert_int_equal(i->created, 4);
	assert_int_equal(i->taken, 4);
	assert_int_equal(inventory_count(inv), 4);
	const struct inventory_module *m =
	    inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518"));
	assert_string_equal(m->group, "canary");
	assert_string_equal(m->product, "EC25, rev \"A\"");
	assert_string_equal(m->version, "A07");
	assert_string_equal(m->sure, "A07");
	assert_string_equal(m->profile, "quectel");
	assert_true(m->listed);
	assert_int_equal(m->first_seen, 0);
	/* The token stands as its digest only. */
	m = inventory_by_identity(inv, IDENTITY_TOKEN, view_str("secret-token"));
	assert_non_null(m);
	assert_int_equal(strlen(m->ident[0].text), 64);
	assert_int_equal(m->ident[0].cls, IDENTITY_B);
	assert_ptr_equal(inventory_by_identity(inv, IDENTITY_TOKEN, view_str(m->ident[0].text)), m);
	assert_int_equal(inventory_import(inv, view_str(csv), "quectel", false, i), 0);
	assert_int_equal(i->same, 4);
	assert_int_equal(i->created + i->changed, 0);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\n"
	    "address,10.0.0.7,lab,,\n"), "quectel", false, i), 0);
	assert_int_equal(i->changed, 1);
	/* It is on disk already. */
	inventory_free(inv);
	inv = inventory_of(r);
	assert_int_equal(inventory_count(inv), 4);
	m = inventory_by_identity(inv, IDENTITY_ADDRESS, view_str("10.0.0.7"));
	assert_string_equal(m->group, "lab");
	assert_string_equal(m->product, "BG96");
	/* A database that takes it no more: it holds all the same, and whoever has to tell of that can. */
	assert_int_equal(db_exec(r->db, "DROP TABLE module"), 0);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\n"
	    "address,10.0.0.7,field,,\n"), "quectel", false, i), FG_EIO);
	assert_int_equal(i->taken, 1);
	assert_string_equal(m->group, "field");
	free(i);
	inventory_free(inv);
}

static void
test_inventory_import_json_lines(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "{\"kind\":\"imei\"", "no JSON object" },
		{ "[\"imei\",\"490154203237518\"]", "no JSON object" },
		{ "{\"kind\":\"imei\",\"identity\":\"490154203237518\"} x", "no JSON object" },
		{ "{\"kind\":\"imei\",\"identity\":490154203237518}", "no text of at most" },
		{ "{\"kind\":\"imei\",\"identity\":\"490154203237518\",\"tag\":\"x\"}", "none of kind, identity" },
		{ "{\"kind\":\"imei\",\"kind\":\"imei\",\"identity\":\"490154203237518\"}", "no JSON object" },
		{ "{\"kind\":\"imei\",\"identity\":\"490154203237519\"}", "check digit" },
		{ "{\"identity\":\"490154203237518\"}", "kind is none of" },
		{ "{\"kind\":\"serial\",\"identity\":\"SN-1\",\"group\":\"\\u0000\"}", "no text of at most" },
	};
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_import *i = calloc(1, sizeof *i);
	char text[512];
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		snprintf(text, sizeof text, "{\"kind\":\"serial\",\"identity\":\"SN-9\"}\n\n%s\r\n", cases[k].line);
		assert_int_equal(inventory_import(inv, view_str(text), "quectel", false, i), 0);
		assert_int_equal(i->problems_n, 1);
		assert_int_equal(i->problem[0].line, 3);
		if (!strstr(i->problem[0].text, cases[k].says))
			fail_msg("%s: %s", cases[k].line, i->problem[0].text);
		assert_int_equal(inventory_count(inv), 0);
	}
	const char *good = "{\"kind\":\"imei\",\"identity\":\"490154203237518\",\"group\":\"lab\",\"version\":\"A07\"}\n"
			   "{\"identity\":\"SN-1\",\"kind\":\"serial\",\"product\":\"EC\\u0032\\u0035\"}";
	assert_int_equal(inventory_import(inv, view_str(good), "quectel", true, i), 0);
	assert_int_equal(i->created, 2);
	assert_int_equal(inventory_count(inv), 0);
	assert_int_equal(inventory_import(inv, view_str(good), "quectel", false, i), 0);
	const struct inventory_module *m = inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518"));
	assert_string_equal(m->group, "lab");
	assert_string_equal(m->sure, "A07");
	assert_true(m->listed);
	assert_string_equal(inventory_by_identity(inv, IDENTITY_SERIAL, view_str("SN-1"))->product, "EC25");
	inventory_free(inv);
	free(i);
}

/* For listed modules that nobody gave a group; what is claimed chooses none. */
static void
test_inventory_groups_by_rule(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct profile *p = profile_of();
	struct config *c = calloc(1, sizeof *c);
	struct inventory_import *i = calloc(1, sizeof *i);
	struct msg_sighting s = sighting_of("A07", IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	c->groups[c->groups_n++] = (struct group_rule){ .name = "meters", .imei = { "49015420" }, .imei_n = 1 };
	assert_int_equal(inventory_rules(inv, c), 0);
	const struct inventory_module *m = sight(inv, p, &s, 1000, true);
	assert_string_equal(inventory_group(m), "");
	inventory_taken(inv);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\n"
							"imei,490154203237518,,,\n"
							"imei,490154203237526,lab,,\n"
							"imei,356938036412345,,,\n"), "quectel", false, i), 0);
	assert_int_equal(i->problems_n, 0);
	assert_string_equal(inventory_group(m), "meters");
	assert_string_equal(inventory_group(inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237526"))), "lab");
	const struct inventory_module *third = inventory_by_identity(inv, IDENTITY_IMEI, view_str("356938036412345"));
	assert_string_equal(inventory_group(third), "");
	/* Another configuration, and the table is to be made anew. */
	inventory_taken(inv);
	c->groups[0].imei_n = 0;
	snprintf(c->groups[0].name, sizeof c->groups[0].name, "all");
	assert_int_equal(inventory_rules(inv, c), 0);
	assert_true(inventory_is_stale(inv));
	assert_string_equal(inventory_group(m), "all");
	assert_string_equal(inventory_group(third), "all");
	inventory_taken(inv);
	assert_int_equal(inventory_rules(inv, c), 0);
	assert_false(inventory_is_stale(inv));
	c->groups_n = 0;
	assert_int_equal(inventory_rules(inv, c), 0);
	assert_string_equal(inventory_group(m), "");
	/* A rule is no import: it is not written. */
	assert_string_equal(m->group, "");
	inventory_free(inv);
	free(i);
	free(c);
	free(p);
}

/* Whose groups are meant as they were needs to know since when a module is where it is. */
static void
test_inventory_places(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct profile *p = profile_of();
	struct config *c = calloc(1, sizeof *c);
	struct inventory_import *i = calloc(1, sizeof *i);
	struct msg_sighting s = sighting_of("A07", IDENTITY_IMEI, IDENTITY_D, "490154203237518");
	c->profiles = p;
	c->profiles_n = 1;
	assert_int_equal(inventory_rules(inv, c), 0);
	const struct inventory_module *m = sight(inv, p, &s, 1000, true);
	assert_int_equal(m->placed, 1000);
	sight(inv, p, &s, 2000, false);
	inventory_place(inv, 2000);
	assert_int_equal(m->placed, 1000); /* it stayed where it was */
	/* Listed: nobody had put the stranger there. The other one is new. */
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\nimei,490154203237518,,,\n"
	    "serial,S,lab,,\n"), p->name, false, i), 0);
	const struct inventory_module *other = inventory_by_identity(inv, IDENTITY_SERIAL, view_str("S"));
	assert_true(m->placed == 0 && other->placed == 0);
	inventory_place(inv, 3000);
	assert_true(m->placed == 3000 && other->placed == 3000);
	assert_int_equal(inventory_flush(inv), 0);
	/* The same again moves nobody; another group does, and so do a rule and another default. */
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\nserial,S,lab,,2.0\n"), p->name, false, i), 0);
	inventory_place(inv, 4000);
	assert_int_equal(other->placed, 3000);
	assert_int_equal(inventory_set(inv, other->pseudonym, "field", NULL), 0);
	assert_int_equal(other->placed, 0);
	inventory_place(inv, 5000);
	assert_int_equal(other->placed, 5000);
	c->groups[c->groups_n++] = (struct group_rule){ .name = "meters", .imei = { "49015420" }, .imei_n = 1 };
	assert_int_equal(inventory_rules(inv, c), 0);
	inventory_place(inv, 6000);
	assert_true(m->placed == 6000 && other->placed == 5000);
	c->groups_n = 0;
	assert_int_equal(inventory_rules(inv, c), 0);
	inventory_place(inv, 7000);
	assert_int_equal(m->placed, 7000);
	snprintf(p->default_group, sizeof p->default_group, "elsewhere");
	assert_int_equal(inventory_rules(inv, c), 0);
	inventory_place(inv, 8000);
	assert_true(m->placed == 8000 && other->placed == 5000);
	/* Another life: under the same rules they are where they were, under others they are not. */
	assert_int_equal(inventory_flush(inv), 0);
	inventory_free(inv);
	inv = inventory_of(r);
	assert_int_equal(inventory_rules(inv, c), 0);
	inventory_place(inv, 9000);
	m = inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518"));
	assert_int_equal(m->placed, 8000);
	inventory_free(inv);
	inv = inventory_of(r);
	snprintf(p->default_group, sizeof p->default_group, "back");
	assert_int_equal(inventory_rules(inv, c), 0);
	m = inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518"));
	assert_int_equal(m->placed, 0);
	inventory_free(inv);
	free(i);
	free(c);
	free(p);
}

static const struct inventory_module *
serial(const struct inventory *inv, const char *text)
{
	return inventory_by_identity(inv, IDENTITY_SERIAL, view_str(text));
}

/* An operator's words: written, kept, taken off; a rule goes by them. */
static void
test_inventory_tags(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct config *c = calloc(1, sizeof *c);
	struct inventory_import *i = calloc(1, sizeof *i);
	c->groups[c->groups_n++] = (struct group_rule){ .name = "roofs", .tag = "roof" };
	assert_int_equal(inventory_rules(inv, c), 0);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version,tags\n"
							"serial,S,,,,site-7;roof\nserial,T,,,,\nserial,U,,,\n"), "", false, i), 0);
	assert_int_equal(i->problems_n, 0);
	assert_string_equal(serial(inv, "S")->tags, "roof site-7");
	assert_string_equal(inventory_group(serial(inv, "S")), "roofs");
	assert_string_equal(inventory_group(serial(inv, "T")), "");
	/* The same in another spelling is no change; a file without the column leaves them. */
	assert_int_equal(inventory_import(inv, view_str("{\"kind\":\"serial\",\"identity\":\"S\",\"tags\":\"roof site-7 roof\"}\n"
							"{\"kind\":\"serial\",\"identity\":\"T\",\"tags\":\"-\"}\n"), "", false, i), 0);
	assert_int_equal(i->same, 2);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\nserial,S,,,2.0\n"), "", false, i), 0);
	assert_string_equal(serial(inv, "S")->tags, "roof site-7");
	/* Nor is a cell of blanks a word: only "-" takes them off. */
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version,tags\nserial,S,,,, ; \n"), "", false, i),
	    0);
	assert_int_equal(i->same, 1);
	assert_string_equal(serial(inv, "S")->tags, "roof site-7");
	/* They are still there in the next life, and the rule with them. */
	inventory_free(inv);
	inv = inventory_of(r);
	assert_int_equal(inventory_rules(inv, c), 0);
	assert_string_equal(serial(inv, "S")->tags, "roof site-7");
	assert_string_equal(inventory_group(serial(inv, "S")), "roofs");
	/* A tag that no rule asks for leaves the table as it is; one that it asks for does not. */
	inventory_taken(inv);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version,tags\nserial,T,,,,cellar\n"), "",
	    false, i), 0);
	assert_int_equal(i->changed, 1);
	assert_false(inventory_is_stale(inv));
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version,tags\nserial,S,,,,-\n"), "", false, i),
	    0);
	assert_true(inventory_is_stale(inv));
	assert_string_equal(serial(inv, "S")->tags, "");
	assert_string_equal(inventory_group(serial(inv, "S")), "");
	inventory_free(inv);
	free(i);
	free(c);
}

static void
test_inventory_import_problems(void **state)
{
	static const struct {
		const char *csv;
		unsigned problems, line;
	} cases[] = {
		{ "", 1, 1 },
		{ "identity,kind,group,product,version\n", 1, 1 },
		{ "kind,identity,group,product,version\nimei,490154203237518,,,\nimei,490154203237519,,,\n", 1, 3 },
		{ "kind,identity,group,product,version\nimsi,1,,,\n", 1, 2 },
		{ "kind,identity,group,product,version\n\n\nserial,a b,,,\nserial,S,\x01,,\n", 2, 4 },
		{ "kind,identity,group,product,version\nserial,S,,,,\nserial,T,,,\n", 1, 2 },
		{ "kind,identity,group,product,version,tag\n", 1, 1 },
		{ "kind,identity,group,product\n", 1, 1 },
		{ "kind,identity,group,product,version,tags\nserial,S,,,,Roof\n", 1, 2 },
		{ "kind,identity,group,product,version\nserial,\"S,,,\n", 1, 2 },
	};
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct inventory_import *i = calloc(1, sizeof *i);
	for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
		assert_int_equal(inventory_import(inv, view_str(cases[k].csv), "", false, i), 0);
		assert_int_equal(i->problems_n, cases[k].problems);
		assert_int_equal(i->problem[0].line, cases[k].line);
		assert_true(i->problem[0].text[0] != '\0');
		assert_int_equal(inventory_count(inv), 0); /* the good rows did not go in either */
	}
	/* Reading stops at the named number of problems. */
	struct writer w;
	writer_init(&w, 1 << 20);
	writer_text(&w, "kind,identity,group,product,version\n");
	for (unsigned k = 0; k < 3 * INVENTORY_PROBLEMS_MAX; k++)
		writer_text(&w, "imsi,1,,,\n");
	assert_int_equal(inventory_import(inv, writer_view(&w), "", false, i), 0);
	assert_int_equal(i->problems_n, INVENTORY_PROBLEMS_MAX + 1);
	writer_free(&w);
	/* No bytes make it read past their end. */
	for (unsigned seed = 1; seed < 3000; seed++) {
		char *noise = malloc(64);
		uint32_t x = seed * 2654435761u;
		size_t n = snprintf(noise, 64, "kind,identity,group,product,version\n") > 0 ? 36 : 0;
		for (; n < 36 + seed % 28; n++) {
			x = x * 1664525u + 1013904223u;
			noise[n] = "serial,\"\r\nABC\x80"[(x >> 16) % 14];
		}
		noise = realloc(noise, n);
		int err = inventory_import(inv, view_of(noise, n), "", true, i);
		assert_int_equal(err, 0);
		free(noise);
	}
	free(i);
	inventory_free(inv);
}

/* Numbers of a database that somebody wrote in: nothing is added to them unseen. */
static void
test_inventory_usual_is_bounded(void **state)
{
	static const struct {
		int64_t usual, last_seen, loaded, then;
	} rows[] = {
		{ 7200, 1000, 7200, (3 * 7200 + DAY) / 4 },
		{ INT64_MAX, 1000, ROLLOUT_USUAL_MAX, (3 * ROLLOUT_USUAL_MAX + DAY) / 4 },
		{ INT64_MIN, 1000, 0, DAY },
		{ 0, 1, 0, DAY + 999 },
		{ 0, INT64_MIN, 0, 0 },
		{ 0, INT64_MAX, 0, 0 },
		{ 0, 1000 - 40 * DAY, 0, 0 }, /* before all time: never */
	};
	struct rig *r = *state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct db_module row = { .usual = rows[i].usual, .last_seen = rows[i].last_seen, .idents_n = 1 };
		row.pseudonym[0] = (uint8_t)(1 + i);
		row.ident[0].kind = IDENTITY_SERIAL;
		row.ident[0].cls = IDENTITY_B;
		snprintf(row.ident[0].text, sizeof row.ident[0].text, "S%u", i);
		assert_int_equal(db_module_put(r->db, &row), 0);
	}
	struct inventory *inv = inventory_of(r);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char serial[8];
		snprintf(serial, sizeof serial, "S%u", i);
		struct msg_sighting s = sighting_of("A07", IDENTITY_SERIAL, IDENTITY_B, serial);
		assert_int_equal(inventory_by_identity(inv, IDENTITY_SERIAL, view_str(serial))->usual, rows[i].loaded);
		const struct inventory_module *m = sight(inv, NULL, &s, 1000 + DAY, false);
		if (m->usual != rows[i].then)
			fail_msg("row %u: %" PRId64, i, m->usual);
		/* A year of silence is no habit of a year. */
		sight(inv, NULL, &s, 1000 + 366 * DAY, false);
		assert_true(m->usual > 0 && m->usual <= ROLLOUT_USUAL_MAX);
	}
	inventory_free(inv);
}

/* A disk that is away loses nothing that is still in memory. */
static void
test_inventory_flush_failure(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = inventory_of(r);
	struct db *other = NULL;
	char why[64];
	struct msg_sighting s = sighting_of("1", IDENTITY_SERIAL, IDENTITY_D, "A");
	const struct inventory_module *m = sight(inv, NULL, &s, 1, true);
	assert_int_equal(db_open(r->path, &other, why, sizeof why), 0);
	assert_int_equal(db_begin(other), 0); /* somebody else holds the lock */
	assert_int_equal(inventory_flush(inv), FG_EIO);
	assert_true(m->dirty);
	db_rollback(other);
	db_close(other);
	assert_int_equal(inventory_flush(inv), 0);
	assert_false(m->dirty);
	assert_int_equal(inventory_flush(inv), 0);
	inventory_free(inv);
	inv = inventory_of(r);
	assert_int_equal(inventory_count(inv), 1);
	inventory_free(inv);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_inventory_learns),
		T(test_inventory_refuses_what_is_no_identity),
		T(test_inventory_claims_take_nothing),
		T(test_inventory_claimed_version_is_not_sure),
		T(test_inventory_learning_is_capped),
		T(test_inventory_pages),
		T(test_inventory_hold_and_erase),
		T(test_inventory_import),
		T(test_inventory_import_json_lines),
		T(test_inventory_groups_by_rule),
		T(test_inventory_tags),
		T(test_inventory_import_problems),
		T(test_inventory_usual_is_bounded),
		T(test_inventory_flush_failure),
		T(test_inventory_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
