/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signedpolicy_rig - a control whose policy people sign: genesis signs the rig's own configuration; supervisor, warden
 * and audit are played by the test. After cmocka.h.
 */
#ifndef FG_TESTS_SIGNEDPOLICY_RIG_H
#define FG_TESTS_SIGNEDPOLICY_RIG_H

#include "crypto/enact.h"
#include "gateway/control/replay.h"
#include "gateway/control/signedpolicy.h"
#include "gateway/state/incident.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/people_rig.h"

#define MAIN "learn = true;\n" /* the rig's configuration, which genesis signs */
#define RULE MAIN "rules = ( { name = \"big\"; size_at_least = 500000; outcome = \"deny\"; } );\n"
#define LATE MAIN "rules = ( { name = \"late\"; size_at_least = 500000; outcome = \"deny\"; } );\n"
#define ANCHOR "an anchor"

struct desk {
	struct control_rig *r;
	struct control *c;
	struct person alice, bob;
	struct genesis *g;
	struct writer genesis; /* its text */
	struct chan *to_audit;
	int audit, warden;     /* our ends; -1: away */
};

/* ---- what lies on disk ---- */

static inline int
bundle_fd(const char *more, const char *profile)
{
	char *main = NULL;
	assert_true(asprintf(&main, SAMPLE_MAIN "quarantine = { reserve_bytes = 0; };\n%s", more) > 0);
	const struct bundle_file files[] = {
		{ "fotagate.conf", view_str(main) },
		{ "profiles.d/a.conf", view_str(profile) },
	};
	int fd = bundle_write(files, 2);
	assert_true(fd >= 0);
	free(main);
	return fd;
}

static inline void
hand(struct desk *d, const char *name, const char *anchor)
{
	struct msg_boot_fd what = { .kind = MSG_FD_ANCHOR };
	snprintf(what.name, sizeof what.name, "%s", name);
	if (anchor)
		assert_int_equal(policies_file(d->c->policies, &what, memfd_sealed("ca", view_str(anchor))), 0);
}

static inline void
load_fd(struct desk *d, int fd)
{
	char why[MSG_TEXT_MAX] = "";
	if (policies_load(d->c->policies, fd, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	signedpolicy_look(d->c->signedpolicy);
}

/* As at a start and at a reload. */
static inline void
load(struct desk *d, const char *more, const char *anchor)
{
	hand(d, "ca.pem", anchor);
	load_fd(d, bundle_fd(more, SAMPLE_PROFILE));
}

/* As the supervisor shows what it does not hand out. */
static inline void
held(struct desk *d, const char *more, const char *profile, const char *anchor)
{
	hand(d, "ca.pem", anchor);
	signedpolicy_held(d->c->signedpolicy, bundle_fd(more, profile));
}

/* What that configuration comes to with that anchor. */
static inline struct policy_bundle *
bundle_of(const char *more, const char *anchor)
{
	struct policy_bundle_item file = { .kind = POLICY_BUNDLE_ANCHOR, .name = "ca.pem" };
	struct config_problems *problems = calloc(1, sizeof *problems);
	struct policy_bundle *b = NULL;
	struct config *c = NULL;
	char why[160] = "", *main = NULL;
	assert_true(asprintf(&main, SAMPLE_MAIN "quarantine = { reserve_bytes = 0; };\n%s", more) > 0);
	assert_int_equal(sample_parse(main, SAMPLE_PROFILE, &c, problems), 0);
	assert_int_equal(digest_sha256(view_str(anchor), file.sha256), 0);
	assert_int_equal(policy_bundle_make(c, &file, 1, &b, why, sizeof why), 0);
	config_free(c);
	free(main);
	free(problems);
	return b;
}

/* ---- the rig ---- */

static inline void
begin(struct desk *d)
{
	assert_int_equal(signedpolicy_new(d->c, &d->c->signedpolicy), 0);
	assert_non_null(d->c->signedpolicy);
}

static inline int
setup(void **state)
{
	struct desk *d = calloc(1, sizeof *d);
	struct policy_bundle *b = bundle_of(MAIN, ANCHOR);
	char why[200];
	d->audit = d->warden = -1;
	d->r = control_rig_new();
	d->c = &d->r->c;
	d->r->now = PEOPLE_T0 + 10 * PEOPLE_DAY;
	d->alice = people_make("alice@example.com", 1);
	d->bob = people_make("bob@example.com", 2);
	d->g = sample_genesis((const struct person *const[]){ &d->alice, &d->bob }, 2, 2);
	d->g->signed_policy = true;
	policy_bundle_put(b, &d->g->policy);
	policy_bundle_free(b);
	writer_init(&d->genesis, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(d->g, &d->genesis), 0);
	int fd = memfd_sealed("genesis", writer_view(&d->genesis));
	if (people_load(fd, d->r->s.dir, &d->c->people, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	snprintf(d->c->data_dir, sizeof d->c->data_dir, "%s", d->r->s.dir);
	d->c->halts = halts_new(d->c);
	d->c->proposals = proposals_new(d->c);
	d->c->reviews = reviews_new(d->c);
	close(scratch_dir(&d->r->s, "authority"));
	close(scratch_dir(&d->r->s, "authority/policy"));
	begin(d);
	*state = d;
	return 0;
}

static inline int
teardown(void **state)
{
	struct desk *d = *state;
	signedpolicy_free(d->c->signedpolicy);
	logbook_down(d->c->logbook);
	replay_free(d->c->replay);
	chan_free(d->to_audit);
	chan_free(d->c->warden);
	if (d->audit >= 0)
		close(d->audit);
	if (d->warden >= 0)
		close(d->warden);
	reviews_free(d->c->reviews);
	proposals_free(d->c->proposals);
	halts_free(d->c->halts);
	people_free(d->c->people);
	control_rig_free(d->r);
	writer_free(&d->genesis);
	free(d->g);
	free(d);
	return 0;
}

/* ---- what is told ---- */

static char told_text[4096];

static inline void
say(struct jsonw *j, const char *id, const char *text)
{
	size_t n = strlen(told_text);
	(void)j;
	snprintf(told_text + n, sizeof told_text - n, "%s: %s\n", id, text);
}

static inline const char *
alerts(struct desk *d)
{
	told_text[0] = '\0';
	signedpolicy_alerts(d->c->signedpolicy, say, NULL);
	return told_text;
}

static inline void
says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static inline int
count_one(void *arg, const struct db_incident *i)
{
	assert_string_equal(i->kind, "policy");
	++*(unsigned *)arg;
	return 0;
}

static inline unsigned
incidents(struct desk *d)
{
	unsigned n = 0;
	assert_int_equal(db_incident_list(d->c->db, 0, 100, count_one, &n), 0);
	return n;
}

/* policy.show; free() it. */
static inline void
show(struct control *c, struct call *call)
{
	signedpolicy_show(c->signedpolicy, call);
}

static inline void
shows(struct desk *d, const char *part)
{
	struct call_heard *h = call_rig_ask(d->c, show, "{}");
	assert_int_equal(h->status, CALL_DONE);
	says(h->json, part);
	free(h);
}

/* ---- statements ---- */

/* The one after s (NULL: genesis), of that bundle. */
static inline struct policyset *
next_of(struct desk *d, const struct policyset *s, const struct policy_bundle *b)
{
	struct policyset *n = calloc(1, sizeof *n);
	struct writer w;
	*n = (struct policyset){ .number = s ? s->number + 1 : 1, .time = d->r->now };
	writer_init(&w, POLICYSET_BYTES_MAX);
	if (s)
		assert_int_equal(policyset_encode(s, PEOPLE_ORIGIN, &w), 0);
	assert_int_equal(digest_sha256(writer_view(s ? &w : &d->genesis), n->previous), 0);
	policy_bundle_put(b, n);
	writer_free(&w);
	return n;
}

static inline struct policyset *
next_with(struct desk *d, const struct policyset *s, const char *more)
{
	struct policy_bundle *b = bundle_of(more, ANCHOR);
	struct policyset *n = next_of(d, s, b);
	policy_bundle_free(b);
	return n;
}

/* As the warden names it, its first n bytes (0: all). Their number. */
static inline size_t
name_it(struct desk *d, unsigned number, const struct policyset *s, size_t n)
{
	char name[64];
	struct writer w;
	writer_init(&w, POLICYSET_BYTES_MAX);
	assert_int_equal(policyset_encode(s, PEOPLE_ORIGIN, &w), 0);
	snprintf(name, sizeof name, "authority/policy/%u.json", number);
	size_t all = w.n;
	scratch_write(scratch_path(&d->r->s, name), w.p, n ? n : all);
	writer_free(&w);
	return all;
}

static inline void
taken(struct desk *d, uint64_t token, bool ok, uint32_t number)
{
	struct msg_policy_taken m = { .token = token, .ok = ok, .number = number };
	snprintf(m.why, sizeof m.why, "%s", ok ? "" : "no");
	signedpolicy_on_taken(d->c->signedpolicy, &m);
}

/* ---- handing in ---- */

static inline void
on_head(void *ctx, struct chan *c, const void *msg, struct wire_frame *f)
{
	(void)c;
	(void)f;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

static inline void
answer_head(struct desk *d)
{
	struct msg_head_ask asked;
	struct wire_frame f = { .type = 0 };
	loop_pump(d->c->base);
	while (f.type != MSG_HEAD_ASK) /* what waited to be told may come before */
		assert_int_equal(wire_recv(d->audit, loop_buf, &f), 0);
	assert_int_equal(msg_decode(&f, &asked, sizeof asked), 0);
	const struct msg_head head = { .token = asked.token, .state = MSG_LOG_OPEN_OK };
	assert_int_equal(msg_send(d->audit, MSG_HEAD, &head, NULL, 0), 0);
	loop_pump(d->c->base);
}

/* The log is there, empty and read; and so is the warden. */
static inline void
all_up(struct desk *d)
{
	static const struct chan_rule rules[] = { { MSG_HEAD, CHAN_ALWAYS, on_head } };
	static const struct chan_ops hears = { rules, 1, NULL }, none = { NULL, 0, NULL };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	d->to_audit = chan_new(d->c->base, pair[0], &hears, d->c);
	d->audit = pair[1];
	logbook_up(d->c->logbook, d->to_audit);
	answer_head(d);
	assert_true(logbook_permits(d->c->logbook));
	d->c->warden_listed = true;
	d->c->replay = replay_new(d->c);
	replay_begin(d->c->replay);
	answer_head(d);
	assert_true(replay_done(d->c->replay));
	assert_int_equal(wire_pair(pair), 0);
	d->c->warden = chan_new(d->c->base, pair[0], &none, d->c);
	d->warden = pair[1];
}

/* Of the entries that went to audit since the last look: those about a policy on disk, and the last one's words. */
static inline unsigned
logged(struct desk *d, char *ret_text, size_t cap)
{
	struct msg_append *m = calloc(1, sizeof *m);
	struct wire_frame f;
	unsigned n = 0;
	loop_pump(d->c->base);
	while (wire_recv(d->audit, loop_buf, &f) == 0) {
		if (f.type == MSG_APPEND && !msg_decode(&f, m, sizeof *m) && m->event == ENTRY_POLICY_UNSIGNED) {
			snprintf(ret_text, cap, "%s", m->msg);
			n++;
		}
		wire_close_fds(&f);
	}
	free(m);
	return n;
}

/* free() it; no answer yet when the warden was asked. */
static inline struct call_heard *
submit_bytes(struct desk *d, struct view text, struct view sigs)
{
	struct call_heard *h = calloc(1, sizeof *h);
	const struct call_line line = { h, call_rig_reply, call_rig_over };
	const struct caller who = { .means = CALLERS_MEANS_UID, .uid = 1000, .roles = CALLERS_OPERATOR, .user = "somebody" };
	const struct msg_call m = { .token = 5, .request = "policy.submit", .json = view_str("{}"), .fds = 2 };
	struct wire_frame f = { .fds = { memfd_sealed("text", text), memfd_sealed("sigs", sigs) }, .fds_n = 2 };
	struct call *call = NULL;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	signedpolicy_submit(d->c->signedpolicy, call);
	return h;
}

static inline struct call_heard *
submit_as(struct desk *d, const struct policyset *s, const char *ns, unsigned n)
{
	const struct person *const who[] = { &d->alice, &d->bob };
	struct writer text, sigs, one;
	writer_init(&text, POLICYSET_BYTES_MAX);
	writer_init(&sigs, 4 * SSHSIG_ARMOR_MAX);
	assert_int_equal(policyset_encode(s, PEOPLE_ORIGIN, &text), 0);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&one, SSHSIG_ARMOR_MAX);
		people_sign(who[i % 2], ns, writer_view(&text), &one);
		writer_bytes(&sigs, writer_view(&one));
		writer_free(&one);
	}
	struct call_heard *h = submit_bytes(d, writer_view(&text), n ? writer_view(&sigs) : view_str("none"));
	writer_free(&text);
	writer_free(&sigs);
	return h;
}

static inline struct call_heard *
submit(struct desk *d, const struct policyset *s)
{
	return submit_as(d, s, POLICYSET_NAMESPACE, 2);
}

static inline void
answered(struct call_heard *h, unsigned status, const char *part)
{
	assert_int_equal(h->replies, 1);
	says(h->json, part);
	assert_int_equal(h->status, status);
	free(h);
}

/* Whether the warden was asked, and by which token. */
static inline bool
asked(struct desk *d, uint64_t *ret)
{
	struct msg_policy m;
	struct wire_frame f;
	loop_pump(d->c->base);
	if (!loop_next(d->warden, MSG_POLICY, &m, &f))
		return false;
	assert_int_equal(f.fds_n, 1);
	wire_close_fds(&f);
	*ret = m.token;
	return true;
}

#endif
