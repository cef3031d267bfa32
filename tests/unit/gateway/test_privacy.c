/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/privacy.h"
#include "policy/identity.h"
#include "unit/gateway/control_rig.h"

#define IMEI "490154203237518"
#define YEAR INT64_C(31556952)

static void
test_masks(void **state)
{
	static const struct {
		unsigned kind;
		const char *text, *shown;
	} cases[] = {
		{ IDENTITY_IMEI, IMEI, "***********7518" },
		{ IDENTITY_ICCID, "8949020000012345678", "***************5678" },
		{ IDENTITY_SERIAL, "SN123456", "****" },
		{ IDENTITY_SERIAL, "SN1234567890", "********7890" },
		{ IDENTITY_TOKEN, "00112233445566778899aabbccddeeff", "****" },
		{ IDENTITY_ADDRESS, "10.123.123.123", "****" },
		{ IDENTITY_IMEI, "", "****" },
	};
	char dst[PRIVACY_MASK_CAP];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		privacy_mask(cases[i].kind, cases[i].text, dst);
		assert_string_equal(dst, cases[i].shown);
	}
}

static void
test_masks_in_texts(void **state)
{
	static const struct {
		const char *text;
		bool hex;
		const char *shown;
	} cases[] = {
		{ "/fw/EC21-3.1.7.bin?imei=" IMEI "&v=20260101", true, "/fw/EC21-3.1.7.bin?imei=***********7518&v=20260101" },
		{ "/" IMEI, false, "/***********7518" },
		{ "/abc" IMEI "f/x", false, "/***************518f/x" },
		{ "/0011223344556677/x", true, "/************6677/x" },
		{ "/00112233aabbccdd/x", false, "/00112233aabbccdd/x" },
		{ "/deadbeefdeadbeefdead", true, "/deadbeefdeadbeefdead" },
		{ "/1234567890123", true, "/1234567890123" },
		{ "/fw-20260101120000.bin", false, "/fw-20260101120000.bin" },
		{ "/fw-35260101120000.bin", false, "/fw-**********0000.bin" },
		{ "/202601011200001", false, "/***********0001" },
		{ "", true, "" },
	};
	char dst[128];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		privacy_mask_text(cases[i].text, cases[i].hex, dst, sizeof dst);
		assert_string_equal(dst, cases[i].shown);
	}
	privacy_mask_text("/" IMEI, true, dst, 8); /* cut, and still nothing but what a cut shows */
	assert_int_equal(strlen(dst), 7);
}

static void
test_reasons_that_name_it(void **state)
{
	const struct inventory_module m = { .idents_n = 2, .ident = {
		{ .kind = IDENTITY_IMEI, .text = (char[]){ IMEI } }, { .kind = IDENTITY_SERIAL, .text = (char[]){ "SN-12ab" } } } };
	(void)state;
	assert_true(privacy_names(&m, "this is " IMEI "."));
	assert_true(privacy_names(&m, "49-015420-323751-8 of the customer"));
	assert_true(privacy_names(&m, "the one called sn 12AB"));
	assert_false(privacy_names(&m, "CHG-4901: the one that ends in 7518"));
	assert_false(privacy_names(&m, ""));
}

/* ---- with a log and a database ---- */

struct log_rig {
	struct chan *chan;
	int audit;
};

static void
on_appended_msg(void *ctx, struct chan *ch, const void *msg, struct wire_frame *f)
{
	(void)ch;
	(void)f;
	logbook_on_appended(((struct control *)ctx)->logbook, msg);
}

static void
on_head_msg(void *ctx, struct chan *ch, const void *msg, struct wire_frame *f)
{
	(void)ch;
	(void)f;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

static struct log_rig
log_up(struct control *c)
{
	static const struct chan_rule rules[] = {
		{ MSG_APPENDED, CHAN_ALWAYS, on_appended_msg },
		{ MSG_HEAD, CHAN_ALWAYS, on_head_msg },
	};
	static const struct chan_ops ops = { rules, 2, NULL };
	struct log_rig l;
	struct msg_head_ask ask;
	struct wire_frame f;
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	l.chan = chan_new(c->base, pair[0], &ops, c);
	l.audit = pair[1];
	logbook_up(c->logbook, l.chan);
	assert_true(loop_next(l.audit, MSG_HEAD_ASK, &ask, &f));
	const struct msg_head m = { .token = ask.token, .state = MSG_LOG_OPEN_OK, .size = 9 };
	assert_int_equal(msg_send(l.audit, MSG_HEAD, &m, NULL, 0), 0);
	loop_pump(c->base);
	assert_true(logbook_permits(c->logbook));
	return l;
}

static void
log_down(struct control *c, struct log_rig *l)
{
	logbook_down(c->logbook);
	chan_free(l->chan);
	close(l->audit);
}

/* What was said to the log, answered. */
static struct msg_append
take(struct control *c, struct log_rig *l)
{
	struct msg_append m;
	struct wire_frame f;
	loop_pump(c->base);
	assert_true(loop_next(l->audit, MSG_APPEND, &m, &f));
	const struct msg_appended done = { .token = m.token, .index = 10 };
	assert_int_equal(msg_send(l->audit, MSG_APPENDED, &done, NULL, 0), 0);
	loop_pump(c->base);
	return m;
}

static const struct inventory_module *
sight(struct control_rig *r, const char *imei, int64_t at)
{
	struct msg_sighting s = { .profile = "quectel", .product = "EC25", .answer = 1, .idents_n = 1 };
	struct inventory_seen seen;
	s.idents[0].kind = IDENTITY_IMEI;
	s.idents[0].cls = IDENTITY_D;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "%s", imei);
	assert_int_equal(inventory_sight(r->c.inventory, NULL, &s, at, &seen), 0);
	return seen.module;
}

static unsigned
in_database(struct control_rig *r, const char *text)
{
	static char buf[1 << 20];
	unsigned n = 0;
	for (unsigned i = 0; i < 2; i++) {
		int fd = open(scratch_path(&r->s, i ? "state.db-wal" : "state.db"), O_RDONLY);
		if (fd < 0)
			continue;
		ssize_t got = read(fd, buf, sizeof buf);
		close(fd);
		n += got > 0 && memmem(buf, (size_t)got, text, strlen(text));
	}
	return n;
}

/* The log is forever: it says where a fetch went, but not the number that a module put into the path. */
static void
test_log_hides_a_number_in_a_path(void **state)
{
	struct control_rig *r = control_rig_new();
	struct msg_sighting m = { .profile = "acme-rtr", .fetchable = true, .url = "https://up.example/get/" IMEI "?v=1.1.0",
		.product = "EC25", .target = "1.1.0" };
	struct msg_append e;
	(void)state;
	assert_int_equal(profile_resource(policies_find(r->c.policies, "acme-rtr")->profile, m.url, m.resource), 0);
	struct log_rig l = log_up(&r->c);
	sightings_take(r->c.sightings, 0, &m);
	do
		e = take(&r->c, &l);
	while (e.event != ENTRY_FETCH_STARTED);
	assert_string_equal(e.msg, "https://up.example/get/***********7518?v=1.1.0");
	log_down(&r->c, &l);
	control_rig_free(r);
}

static int
count_one(void *arg, const struct db_unknown *u)
{
	assert_string_equal(u->path, "/x?imei=356938035643809");
	++*(unsigned *)arg;
	return 0;
}

struct while_read {
	struct control_rig *r;
	uint8_t id[MSG_ID];
};

static int
erase_while_read(void *arg, const struct db_unknown *u)
{
	struct while_read *w = arg;
	(void)u;
	assert_int_equal(inventory_erase(w->r->c.inventory, w->id), 0);
	assert_true(db_lingers(w->r->c.db));
	assert_true(in_database(w->r, IMEI) > 0);
	return 1;
}

/* A reader keeps the old rows in the write-ahead log: that is known, and made good by the next minute. */
static void
test_a_reader_delays_forgetting(void **state)
{
	struct control_rig *r = control_rig_new();
	const struct db_unknown u = { .path = "/x", .count = 1 };
	struct while_read w = { .r = r };
	struct db *reader = NULL;
	char why[200];
	(void)state;
	assert_int_equal(db_unknown_add(r->c.db, &u), 0);
	memcpy(w.id, sight(r, IMEI, r->now)->pseudonym, sizeof w.id);
	assert_int_equal(inventory_flush(r->c.inventory), 0);
	assert_int_equal(db_open(scratch_path(&r->s, "state.db"), &reader, why, sizeof why), 0);
	assert_int_equal(db_unknown_list(reader, 0, erase_while_read, &w), 1);
	db_close(reader);
	privacy_tick(&r->c);
	assert_false(db_lingers(r->c.db));
	assert_int_equal(in_database(r, IMEI), 0);
	control_rig_free(r);
}

static void
test_forgetting_follows_the_log(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	const struct db_unknown u = { .path = "/x?imei=" IMEI, .count = 1, .first_seen = 1, .last_seen = 1 };
	const struct db_unknown other = { .path = "/x?imei=356938035643809", .count = 1, .first_seen = 1, .last_seen = 1 };
	uint8_t id[MSG_ID];
	(void)state;
	c->edges = edges_new(c);
	struct log_rig l = log_up(c);
	memcpy(id, sight(r, IMEI, r->now)->pseudonym, sizeof id);
	(void)sight(r, "356938035643809", r->now);
	assert_int_equal(inventory_flush(c->inventory), 0);
	assert_int_equal(db_unknown_add(c->db, &u), 0);
	assert_int_equal(db_unknown_add(c->db, &other), 0);
	static const char *const spellings[] = { "/49-015420-323751-8", "/x?imei=49%20015420%20323751%208", "/%34%39015420323751%38",
		"/%2534%39015420323751%2538", "/x?i=49+015420+323751+8" };
	for (unsigned i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		struct db_unknown one = { .count = 1, .first_seen = 1, .last_seen = 1 };
		snprintf(one.path, sizeof one.path, "%s", spellings[i]);
		assert_int_equal(db_unknown_add(c->db, &one), 0);
	}
	const struct db_unknown agent = { .path = "/y", .agent = "EC25/49 015420 323751 8", .count = 1 };
	assert_int_equal(db_unknown_add(c->db, &agent), 0);
	assert_true(in_database(r, IMEI) > 0);
	uint8_t(*ids)[MSG_ID] = malloc(MSG_ID);
	memcpy(ids[0], id, MSG_ID);
	assert_int_equal(privacy_forget(c, NULL, ids, 1, "dpo@fleet.example", "asked for by its owner"), 0);
	assert_non_null(inventory_by_pseudonym(c->inventory, id)); /* the log has not answered */
	struct msg_append m = take(c, &l);
	assert_int_equal(m.event, ENTRY_DEVICE_ERASED);
	assert_true(m.have_dev && memcmp(m.dev, id, MSG_ID) == 0);
	assert_string_equal(m.act, "dpo@fleet.example");
	assert_null(inventory_by_pseudonym(c->inventory, id));
	assert_null(inventory_by_identity(c->inventory, IDENTITY_IMEI, view_str(IMEI)));
	assert_non_null(inventory_by_identity(c->inventory, IDENTITY_IMEI, view_str("356938035643809")));
	assert_int_equal(in_database(r, IMEI), 0);
	assert_true(in_database(r, "356938035643809") > 0);
	unsigned left = 0;
	assert_int_equal(db_unknown_list(c->db, 0, count_one, &left), 0);
	assert_int_equal(left, 1);
	assert_false(db_lingers(c->db));
	/* Under the same key it would be the same again: grants stay what they were. */
	assert_memory_equal(sight(r, IMEI, r->now)->pseudonym, id, MSG_ID);
	log_down(c, &l);
	/* Without the log nothing is forgotten. */
	ids = malloc(MSG_ID);
	memcpy(ids[0], id, MSG_ID);
	assert_int_equal(privacy_forget(c, NULL, ids, 1, "x", "y"), FG_EAGAIN);
	assert_non_null(inventory_by_pseudonym(c->inventory, id));
	edges_free(c->edges);
	control_rig_free(r);
}

static void
test_years(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	char imei[16];
	(void)state;
	c->edges = edges_new(c);
	struct log_rig l = log_up(c);
	for (int i = 0; i < 8; i++) {
		snprintf(imei, sizeof imei, "4901542032375%02d", i);
		(void)sight(r, imei, r->now - i * YEAR);
	}
	const struct inventory_module *held = inventory_by_identity(c->inventory, IDENTITY_IMEI, view_str("490154203237507"));
	assert_int_equal(inventory_hold(c->inventory, held->pseudonym, true), 0);
	privacy_tick(c); /* the default keeps them */
	struct config *conf = (struct config *)(uintptr_t)policies_config(c->policies);
	conf->privacy_keep_years = 4;
	c->timekeep.said.state = MSG_CLOCK_HELD;
	privacy_tick(c); /* nor by a clock that is held, and the day is not spent by that */
	struct msg_append m;
	struct wire_frame f;
	loop_pump(c->base);
	assert_false(loop_next(l.audit, MSG_APPEND, &m, &f));
	c->timekeep.said.state = MSG_CLOCK_SURE;
	privacy_tick(c);
	m = take(c, &l);
	assert_int_equal(m.event, ENTRY_DEVICE_ERASED);
	assert_false(m.have_dev);
	assert_string_equal(m.refs[0].key, "count");
	assert_int_equal(m.refs[0].number, 2); /* 5 and 6 years; 7 is held */
	assert_int_equal(inventory_count(c->inventory), 6);
	/* Once a day. */
	conf->privacy_keep_years = 1;
	r->now += 60;
	privacy_tick(c);
	loop_pump(c->base);
	assert_false(loop_next(l.audit, MSG_APPEND, &m, &f));
	/* A clock that is years ahead forgets nobody. */
	r->now += 5 * YEAR;
	privacy_tick(c);
	loop_pump(c->base);
	assert_false(loop_next(l.audit, MSG_APPEND, &m, &f));
	assert_int_equal(inventory_count(c->inventory), 6);
	log_down(c, &l);
	edges_free(c->edges);
	control_rig_free(r);
}

static void
test_another_key_is_told_once(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	struct msg_append m;
	struct wire_frame f;
	(void)state;
	struct log_rig l = log_up(c);
	assert_int_equal(privacy_key(c, view_str("an epoch key of thirty-two bytes")), 0);
	assert_false(c->key_changed);
	assert_int_equal(privacy_key(c, view_str("an epoch key of thirty-two bytes")), 0);
	assert_false(c->key_changed);
	assert_int_equal(privacy_key(c, view_str("another key that is as long as it")), 0);
	assert_true(c->key_changed);
	privacy_tick(c);
	m = take(c, &l);
	assert_int_equal(m.event, ENTRY_CONFIG_CHANGED);
	assert_string_equal(m.obj, "epoch-key");
	assert_int_equal(privacy_key(c, view_str("another key that is as long as it")), 0);
	privacy_tick(c);
	loop_pump(c->base);
	assert_false(loop_next(l.audit, MSG_APPEND, &m, &f));
	log_down(c, &l);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_masks_in_texts),
		cmocka_unit_test(test_reasons_that_name_it),
		cmocka_unit_test(test_forgetting_follows_the_log),
		cmocka_unit_test(test_a_reader_delays_forgetting),
		cmocka_unit_test(test_log_hides_a_number_in_a_path),
		cmocka_unit_test(test_years),
		cmocka_unit_test(test_another_key_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
