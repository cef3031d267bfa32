/* SPDX-License-Identifier: Apache-2.0 */
/* sessions_rig - people who sign in, asked through the one table of requests, and a log that takes all. After cmocka.h. */
#ifndef FG_TESTS_SESSIONS_RIG_H
#define FG_TESTS_SESSIONS_RIG_H

#include <stdio.h>

#include "crypto/base32.h"
#include "crypto/hex.h"
#include "gateway/control/hashing.h"
#include "gateway/control/requests.h"
#include "unit/gateway/control_rig.h"

#define PASS "kettle orbit fjord"
#define OTHER "lantern gravel moss"

struct rig {
	struct control_rig *r;
	struct control *c;
	struct chan *chan;
	int audit;
	uint64_t size; /* what control remembers of the log */
	unsigned logged[ENTRY_EV_LIMIT];
	char log[16384]; /* everything that was said to the log */
};

struct answer {
	unsigned replies, status;
	char json[4096];
	struct json *doc;
};

/* ---- the log ---- */

static inline void
on_appended_msg(void *ctx, struct chan *ch, const void *msg, struct wire_frame *f)
{
	(void)ch;
	(void)f;
	logbook_on_appended(((struct control *)ctx)->logbook, msg);
}

static inline void
on_head_msg(void *ctx, struct chan *ch, const void *msg, struct wire_frame *f)
{
	(void)ch;
	(void)f;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

static inline void
on_root_msg(void *ctx, struct chan *ch, const void *msg, struct wire_frame *f)
{
	(void)ch;
	(void)f;
	logbook_on_root(((struct control *)ctx)->logbook, msg);
}

static inline void
keep(struct rig *t, const struct msg_append *m)
{
	const struct msg_appended done = { .token = m->token, .index = 8 };
	size_t n = strlen(t->log);
	t->logged[m->event]++;
	n += (size_t)snprintf(t->log + n, sizeof t->log - n, "%s|%s|%s|%s", entry_event_name(m->event), m->act, m->obj, m->msg);
	for (unsigned i = 0; i < m->refs_n && n < sizeof t->log; i++) {
		const struct msg_ref *r = &m->refs[i];
		n += (size_t)(r->is_number ? snprintf(t->log + n, sizeof t->log - n, "|%s=%u", r->key, (unsigned)r->number) :
		    snprintf(t->log + n, sizeof t->log - n, "|%s=%s", r->key, r->text));
	}
	assert_true(n < sizeof t->log);
	assert_int_equal(msg_send(t->audit, MSG_APPENDED, &done, NULL, 0), 0);
}

/* Whatever control says to the log, answered: nine entries, whose root is zero. */
static inline void
turn(struct rig *t)
{
	static union {
		struct msg_append append;
		struct msg_head_ask head;
		struct msg_root_ask root;
	} m;
	struct wire_frame f;
	event_base_loop(t->c->base, EVLOOP_NONBLOCK);
	while (t->chan && wire_recv(t->audit, loop_buf, &f) == 0) {
		assert_int_equal(msg_decode(&f, &m, msg_size(f.type)), 0);
		if (f.type == MSG_APPEND) {
			keep(t, &m.append);
		} else if (f.type == MSG_HEAD_ASK) {
			const struct msg_head said = { .token = m.head.token, .state = MSG_LOG_OPEN_OK, .size = 9 };
			assert_int_equal(msg_send(t->audit, MSG_HEAD, &said, NULL, 0), 0);
		} else {
			assert_int_equal(f.type, MSG_ROOT_ASK);
			const struct msg_root said = { .token = m.root.token, .size = m.root.size };
			assert_int_equal(msg_send(t->audit, MSG_ROOT, &said, NULL, 0), 0);
		}
	}
}

static inline void
log_up(struct rig *t)
{
	static const struct chan_rule rules[] = {
		{ MSG_APPENDED, CHAN_ALWAYS, on_appended_msg },
		{ MSG_HEAD, CHAN_ALWAYS, on_head_msg },
		{ MSG_ROOT, CHAN_ALWAYS, on_root_msg },
	};
	static const struct chan_ops ops = { rules, 3, NULL };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	t->chan = chan_new(t->c->base, pair[0], &ops, t->c);
	t->audit = pair[1];
	logbook_up(t->c->logbook, t->chan);
	for (int i = 0; i < 20000 && !logbook_permits(t->c->logbook); i++) {
		turn(t);
		poll(NULL, 0, 1);
	}
	assert_true(logbook_permits(t->c->logbook));
}

static inline void
log_down(struct rig *t)
{
	logbook_down(t->c->logbook);
	chan_free(t->chan);
	close(t->audit);
	t->chan = NULL;
}

static inline bool
recall(void *ctx, uint64_t *size, uint8_t root[DIGEST_SHA256_LEN])
{
	*size = ((struct rig *)ctx)->size;
	memset(root, 0, DIGEST_SHA256_LEN);
	return *size > 0;
}

static inline void
remember(void *ctx, uint64_t size, const uint8_t root[DIGEST_SHA256_LEN])
{
	(void)root;
	((struct rig *)ctx)->size = size;
}

static inline int
setup(void **state)
{
	struct rig *t = calloc(1, sizeof *t);
	const struct logbook_memory memory = { t, recall, remember, NULL };
	t->r = control_rig_new();
	t->c = &t->r->c;
	logbook_free(t->c->logbook); /* the rig's forgets, and then a log that comes back is a stranger's */
	t->c->logbook = logbook_new(&memory);
	t->c->hashing = hashing_new(t->c->base, 4);
	t->c->sessions = sessions_new(t->c);
	t->c->signins = signins_new(t->c);
	t->c->accounts = accounts_new(t->c);
	t->c->tokens = tokens_new(t->c);
	t->c->bindings = bindings_new(t->c);
	t->c->fronts = fronts_new(t->c);
	t->c->passkeys = passkeys_new(t->c);
	log_up(t);
	*state = t;
	return 0;
}

static inline int
teardown(void **state)
{
	struct rig *t = *state;
	hashing_free(t->c->hashing);
	if (t->chan)
		log_down(t);
	bindings_free(t->c->bindings);
	fronts_free(t->c->fronts);
	accounts_free(t->c->accounts);
	tokens_free(t->c->tokens);
	passkeys_free(t->c->passkeys);
	signins_free(t->c->signins);
	sessions_free(t->c->sessions);
	control_rig_free(t->r);
	free(t);
	return 0;
}

/* ---- asking ---- */

static inline void
on_reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct answer *a = ctx;
	(void)fds;
	assert_int_equal(fds_n, 0);
	a->replies++;
	a->status = m->status;
	snprintf(a->json, sizeof a->json, "%.*s", (int)m->json.n, (const char *)m->json.p);
	assert_int_equal(json_parse(m->json, &a->doc, NULL), 0);
}

static inline void
on_over(void *ctx, struct call *c)
{
	(void)ctx;
	(void)c;
}

static struct answer last; /* freed by the next */

static inline struct call *
call_by(const struct caller *who, const char *request, const char *args, struct answer *a)
{
	const struct call_line line = { a, on_reply, on_over };
	struct msg_call m = { .token = 5, .json = view_str(args) };
	struct wire_frame f = { 0 };
	struct call *call = NULL;
	memset(a, 0, sizeof *a);
	snprintf(m.request, sizeof m.request, "%s", request);
	assert_int_equal(call_new(&m, &f, who, &line, &call), 0);
	return call;
}

/* Until it is answered; once. */
static inline void
wait_for(struct rig *t, const struct answer *a)
{
	for (int i = 0; i < 20000 && !a->replies; i++) {
		turn(t);
		poll(NULL, 0, 1);
	}
	assert_int_equal(a->replies, 1);
	turn(t);
}

static inline const struct answer *
ask(struct rig *t, const struct caller *who, const char *request, const char *args)
{
	json_free(last.doc);
	requests_handle(t->c, call_by(who, request, args, &last));
	wait_for(t, &last);
	return &last;
}

static inline bool
is(const struct answer *a, const char *id)
{
	char said[64] = "none";
	(void)json_cstr(json_get(json_get(json_root(a->doc), "error"), "id"), said, sizeof said);
	return a->status != CALL_DONE && strcmp(said, id) == 0;
}

#define MUST(a, id)                                                        \
	do {                                                               \
		if (!is((a), (id)))                                        \
			fail_msg("wanted %s: %u %s", (id), last.status, last.json); \
	} while (0)
#define DONE(a)                                                            \
	do {                                                               \
		if ((a)->status != CALL_DONE)                              \
			fail_msg("%u %s", last.status, last.json);         \
	} while (0)

static inline struct caller
root(void)
{
	return (struct caller){ .means = CALLERS_MEANS_ROOT, .roles = CALLERS_ANY, .user = "root" };
}

static inline struct caller
guest_from(struct rig *t, uint8_t from)
{
	struct caller who;
	const uint8_t secret[SESSIONS_SECRET] = { 0 };
	const struct sessions_from by = { .peer = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, from } };
	assert_true(sessions_identify(t->c->sessions, CALLERS_MEANS_GUEST, secret, &by, &who));
	return who;
}

/* The session that was answered; roles 0: nobody. */
static inline struct caller
who_is(struct rig *t, const uint8_t secret[SESSIONS_SECRET], enum callers_means means)
{
	struct caller who = { .roles = 0 };
	const struct sessions_from from = { .peer = { 0x20, 1 } };
	if (!sessions_identify(t->c->sessions, means, secret, &from, &who))
		assert_int_equal(who.roles, 0);
	return who;
}

static inline void
secret_of(const struct answer *a, uint8_t secret[SESSIONS_SECRET])
{
	char hex[2 * SESSIONS_SECRET + 1];
	assert_true(json_cstr(json_get(json_get(json_root(a->doc), "session"), "secret"), hex, sizeof hex));
	assert_true(hex_decode(view_str(hex), secret, SESSIONS_SECRET));
}

static inline const struct answer *
sign_in(struct rig *t, uint8_t from, const char *user, const char *password, const char *code)
{
	char args[512];
	const struct caller guest = guest_from(t, from);
	snprintf(args, sizeof args, "{%s%s%s\"password\":\"%s\",\"user\":\"%s\"}", code ? "\"code\":\"" : "", code ? code : "",
	    code ? "\"," : "", password, user);
	return ask(t, &guest, "session.open", args);
}

static inline const char *
code_at(const uint8_t totp[TOTP_SECRET_LEN], int64_t t)
{
	static char text[8];
	uint32_t value;
	assert_int_equal(totp_value(view_of(totp, TOTP_SECRET_LEN), (uint64_t)t / TOTP_STEP_S, TOTP_DIGITS, &value), 0);
	snprintf(text, sizeof text, "%06u", (unsigned)value);
	return text;
}

static inline void
add(struct rig *t, const char *name, const char *roles)
{
	char args[256];
	const struct caller by = root();
	snprintf(args, sizeof args, "{\"account\":\"%s\",\"password\":\"" PASS "\",\"roles\":[%s]}", name, roles);
	DONE(ask(t, &by, "account.add", args));
}

/* One's own password, a second factor, and signed in with both. */
static inline void
enrol(struct rig *t, const char *name, uint8_t totp[TOTP_SECRET_LEN], uint8_t secret[SESSIONS_SECRET])
{
	char args[256], text[64];
	DONE(sign_in(t, 1, name, PASS, NULL));
	secret_of(&last, secret);
	struct caller who = who_is(t, secret, CALLERS_MEANS_SESSION);
	assert_int_equal(who.roles, CALLERS_ENROL);
	snprintf(args, sizeof args, "{\"account\":\"%s\",\"old\":\"" PASS "\",\"password\":\"" OTHER "\"}", name);
	DONE(ask(t, &who, "account.password", args));
	snprintf(args, sizeof args, "{\"account\":\"%s\"}", name);
	DONE(ask(t, &who, "account.totp", args));
	assert_true(json_cstr(json_get(json_root(last.doc), "secret"), text, sizeof text));
	assert_true(base32_decode(view_str(text), totp, TOTP_SECRET_LEN));
	snprintf(args, sizeof args, "{\"account\":\"%s\",\"code\":\"%s\"}", name, code_at(totp, t->r->now));
	DONE(ask(t, &who, "account.totp", args));
	assert_int_equal(who_is(t, secret, CALLERS_MEANS_SESSION).roles, 0);
	t->r->now += TOTP_STEP_S;
	DONE(sign_in(t, 1, name, OTHER, code_at(totp, t->r->now)));
	secret_of(&last, secret);
	t->r->now += TOTP_STEP_S;
}

/* A group's last. */
static inline int
forget(void **state)
{
	(void)state;
	json_free(last.doc);
	last.doc = NULL;
	return 0;
}

#endif
