/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fed from the log, not from control: what is not in the log did not happen, a
 * notification can be held against its entry, and a receiver that is away or
 * slow costs the gateway nothing. Each entry has one id for ever, so that a copy is known as one.
 */
#include "gateway/cmd/cli_notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "gateway/cmd/cli_follow.h"
#include "gateway/cmd/cli_post.h"
#include "gateway/view/kinds.h"

#define SEVERITY_DEFAULT 4  /* warning, and worse */
#define STATUS_EVERY_S 30
#define ALERTS_MAX 1024     /* of one status: each list, listener and rollout may have some; a gateway has fewer of them */
#define MESSAGE_MAX (256u << 10)
#define ID_HEX 32           /* of a leaf hash: 16 bytes, as a release's id */

struct alert {
	uint8_t of[DIGEST_SHA256_LEN]; /* id and text */
	bool seen;                     /* in the last status */
};

struct notify {
	const struct cli_common *common;
	struct cli_post *post;
	int64_t severity;
	struct cli_opt_list events;
	struct alert alert[ALERTS_MAX];
	unsigned alerts_n;
	bool crowded;         /* the last status had more of them, and it was said */
	int64_t asked_at;     /* monotonic seconds of the last status; 0: never */
	struct writer json, text;
};

static int64_t
seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec;
}

/* ---- which ---- */

static bool
wanted(const struct notify *n, const struct record *r)
{
	/* An approver waits for these two, whatever their weight is. */
	if (r->known && (r->e.ev == ENTRY_REVIEW_OPENED || r->e.ev == ENTRY_APPROVAL_REQUESTED) && !n->events.n)
		return true;
	for (unsigned i = 0; i < n->events.n; i++)
		if (view_is(record_event(r), n->events.at[i]))
			return true;
	/* What a later version wrote and nobody here can weigh is told rather than left out. */
	return !n->events.n && (!r->known || (int64_t)r->e.sev <= n->severity);
}

/* ---- what is said ---- */

static void
line(struct writer *w, const char *label, struct view v)
{
	if (v.n)
		writer_textf(w, "%-10s %.*s\n", label, (int)v.n, (const char *)v.p);
}

static void
put_text(struct writer *w, const struct record *r, const char *leaf)
{
	char at[STAMP_US_CAP] = "";
	writer_reset(w);
	if (r->e.msg.n)
		writer_textf(w, "%.*s\n\n", (int)r->e.msg.n, (const char *)r->e.msg.p);
	line(w, "event", record_event(r));
	line(w, "about", r->e.obj);
	line(w, "by", r->e.act);
	line(w, "outcome", r->e.out);
	line(w, "at", r->known && !stamp_format_us(r->e.t_us, at) ? view_str(at) : view_str(""));
	line(w, "gateway", r->e.src);
	if (!r->unlogged)
		writer_textf(w, "%-10s %" PRIu64 " (leaf %s)\nCompare with: fotagate audit proof %" PRIu64 "\n", "entry",
		    r->index, leaf, r->index);
}

/* Members in ascending order; type, timestamp and data as Standard Webhooks 1.0 recommends. */
static void
put_json(struct writer *w, const struct record *r, const char *leaf, int64_t now)
{
	char at[STAMP_US_CAP] = "";
	struct jsonw j;
	if (stamp_format_us(r->known ? r->e.t_us : now * 1000000, at))
		at[0] = '\0';
	writer_reset(w);
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_key(&j, "data");
	jsonw_object(&j);
	jsonw_kstring(&j, "act", r->e.act);
	if (!r->unlogged) {
		jsonw_kuint(&j, "index", r->index);
		jsonw_kcstr(&j, "leaf", leaf);
	}
	jsonw_kstring(&j, "msg", r->e.msg);
	jsonw_kstring(&j, "obj", r->e.obj);
	jsonw_kstring(&j, "out", r->e.out);
	if (r->known)
		jsonw_kuint(&j, "severity", r->e.sev);
	jsonw_kstring(&j, "src", r->e.src);
	jsonw_kcstr(&j, "title", kinds_of(r->known ? r->e.ev : ENTRY_EV_UNKNOWN)->title);
	jsonw_object_end(&j);
	jsonw_kcstr(&j, "timestamp", at);
	jsonw_kstring(&j, "type", record_event(r));
	jsonw_object_end(&j);
}

static int
tell(struct notify *n, const char *id, const char *subject)
{
	int err = writer_err(&n->json) ? writer_err(&n->json) : writer_err(&n->text);
	const struct cli_post_message m = { id, subject, writer_view(&n->json), writer_view(&n->text) };
	return err ? err : cli_post_send(n->post, &m, seconds(CLOCK_REALTIME));
}

static int
tell_record(struct notify *n, const struct record *r)
{
	char leaf[2 * MERKLE_HASH_LEN + 1], id[CLI_POST_ID_CAP], subject[256];
	const char *title = kinds_of(r->known ? r->e.ev : ENTRY_EV_UNKNOWN)->title;
	struct view host = record_host(r);
	int64_t now = seconds(CLOCK_REALTIME);
	hex_encode(r->leaf, sizeof r->leaf, leaf);
	if (r->unlogged)
		snprintf(id, sizeof id, "alarm-%" PRId64, now);
	else
		snprintf(id, sizeof id, "entry-%" PRIu64 "-%.*s", r->index, ID_HEX, leaf);
	snprintf(subject, sizeof subject, "[fotagate%s%.*s] %s%s%.*s", host.n ? " " : "", (int)(host.n < 64 ? host.n : 64),
	    host.n ? (const char *)host.p : "", title, r->e.obj.n ? ": " : "", (int)(r->e.obj.n < 100 ? r->e.obj.n : 100),
	    r->e.obj.n ? (const char *)r->e.obj.p : "");
	put_json(&n->json, r, leaf, now);
	put_text(&n->text, r, leaf);
	return tell(n, id, subject);
}

/* ---- as the loop sees it ---- */

static int
on_entry(void *ctx, const struct record *r)
{
	return wanted(ctx, r) ? tell_record(ctx, r) : FG_OK;
}

static void
on_alarm(void *ctx, const struct record *r)
{
	(void)tell_record(ctx, r);
}

static const char *
why(void *ctx)
{
	return cli_post_why(((struct notify *)ctx)->post);
}

/* ---- what the log does not say: a key that runs out, a disk that fills, a warden that is away ---- */

static int
tell_alert(struct notify *n, const char *id, const char *text, const uint8_t of[DIGEST_SHA256_LEN])
{
	char digest[2 * DIGEST_SHA256_LEN + 1], name[CLI_POST_ID_CAP], subject[160], at[STAMP_CAP] = "";
	int64_t now = seconds(CLOCK_REALTIME);
	struct jsonw j;
	hex_encode(of, DIGEST_SHA256_LEN, digest);
	/* Gone and back again is news: the day is part of the name. */
	snprintf(name, sizeof name, "alert-%" PRId64 "-%.*s", now / 86400, ID_HEX, digest);
	snprintf(subject, sizeof subject, "[fotagate] Alert: %s", id);
	if (stamp_format(now, at))
		at[0] = '\0';
	writer_reset(&n->json);
	jsonw_init(&j, &n->json);
	jsonw_object(&j);
	jsonw_key(&j, "data");
	jsonw_object(&j);
	jsonw_kcstr(&j, "id", id);
	jsonw_kcstr(&j, "msg", text);
	jsonw_object_end(&j);
	jsonw_kcstr(&j, "timestamp", at);
	jsonw_kcstr(&j, "type", "alert");
	jsonw_object_end(&j);
	writer_reset(&n->text);
	writer_textf(&n->text, "%s\n\n%-10s %s\n%-10s %s\n", text, "alert", id, "at", at);
	return tell(n, name, subject);
}

static struct alert *
alert_of(struct notify *n, const uint8_t of[DIGEST_SHA256_LEN])
{
	for (unsigned i = 0; i < n->alerts_n; i++)
		if (!memcmp(n->alert[i].of, of, DIGEST_SHA256_LEN))
			return &n->alert[i];
	return NULL;
}

static void
forget_unseen(struct notify *n)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < n->alerts_n; i++)
		if (n->alert[i].seen)
			n->alert[kept++] = n->alert[i];
	n->alerts_n = kept;
}

/* An alert of a status, and what it is known by; false for what is none of ours. */
struct shown {
	char id[64], text[1024];
	uint8_t of[DIGEST_SHA256_LEN];
};

static bool
read_alert(const struct json_value *v, struct shown *ret)
{
	char both[sizeof ret->id + sizeof ret->text];
	struct view id, text;
	if (!json_string(json_get(v, "id"), &id) || !json_string(json_get(v, "text"), &text))
		return false;
	/* Each has an entry of its own, which is told once: status shows the last ones for as long as it runs. */
	if (view_is(id, "INCIDENT"))
		return false;
	/* Control's word, unlike an entry of the log: a line break in it would be a header of its own. */
	visible_cstr(id, ret->id, sizeof ret->id);
	visible_cstr(text, ret->text, sizeof ret->text);
	snprintf(both, sizeof both, "%s\n%s", ret->id, ret->text);
	return digest_sha256(view_str(both), ret->of) == FG_OK;
}

/* Those that are gone make room first, and may come again. */
static void
look(struct notify *n, const struct json_value *alerts)
{
	struct shown s;
	for (unsigned i = 0; i < n->alerts_n; i++)
		n->alert[i].seen = false;
	for (size_t i = 0; i < json_count(alerts); i++) {
		struct alert *a = read_alert(json_at(alerts, i), &s) ? alert_of(n, s.of) : NULL;
		if (a)
			a->seen = true;
	}
	forget_unseen(n);
}

/* What was told is remembered, also when the next one cannot be. */
static int
tell_new(struct notify *n, const struct json_value *alerts)
{
	struct shown s;
	size_t left = 0;
	for (size_t i = 0; i < json_count(alerts); i++) {
		if (!read_alert(json_at(alerts, i), &s) || alert_of(n, s.of))
			continue;
		if (n->alerts_n == ALERTS_MAX) {
			left++;
			continue;
		}
		int err = tell_alert(n, s.id, s.text, s.of);
		if (err)
			return err;
		memcpy(n->alert[n->alerts_n].of, s.of, sizeof s.of);
		n->alert[n->alerts_n++].seen = true;
	}
	if (left && !n->crowded)
		fprintf(stderr, "fotagate: %zu alerts are not told, %d are enough: see fotagate status\n", left, ALERTS_MAX);
	n->crowded = left > 0;
	return FG_OK;
}

static int
on_round(void *ctx, struct cli_call *call)
{
	struct notify *n = ctx;
	struct cli_reply reply;
	int64_t now = seconds(CLOCK_MONOTONIC) + 1;
	if (n->events.n || (n->asked_at && now - n->asked_at < STATUS_EVERY_S))
		return FG_OK;
	if (cli_call_do(call, "status", NULL, NULL, 0, &reply))
		return FG_EIO;
	/* A refusal has no alerts in it: nothing is known of them, and none is over. */
	if (reply.status != CLI_DONE) {
		(void)cli_call_refused(n->common, &reply);
		cli_reply_free(&reply);
		return FG_EIO;
	}
	const struct json_value *alerts = json_get(json_root(reply.doc), "alerts");
	look(n, alerts);
	int err = tell_new(n, alerts);
	cli_reply_free(&reply);
	if (!err)
		n->asked_at = now; /* else asked again after the pause */
	return err;
}

/* ---- the verb ---- */

static int
check_events(const struct cli_common *c, const struct cli_opt_list *events)
{
	for (unsigned i = 0; i < events->n; i++) {
		unsigned ev = ENTRY_EV_UNKNOWN + 1;
		while (ev < ENTRY_EV_LIMIT && strcmp(entry_event_name((enum entry_event)ev), events->at[i]) != 0)
			ev++;
		if (ev == ENTRY_EV_LIMIT)
			return cli_opt_fail(c, CLI_USAGE, "USAGE", "fotagate-log(5) has the list.", "%s is no event of the log",
			    events->at[i]);
	}
	return 0;
}

int
cli_notify(int argc, char **argv)
{
	struct cli_args a;
	struct cli_post_to to = { .to = NULL };
	struct notify n = { .common = &a.common, .severity = SEVERITY_DEFAULT };
	struct cli_follow asked = { .c = &a.common, .word = "notifying", .from = CLI_FOLLOW_FROM_NOW };
	const struct cli_opt opts[] = {
		{ "to", CLI_OPT_TEXT, &to.to, 0, 0, 0 },
		{ "ca", CLI_OPT_TEXT, &to.ca, 0, 0, 0 },
		{ "secret", CLI_OPT_TEXT, &to.secret, 0, 0, 0 },
		{ "credentials", CLI_OPT_TEXT, &to.credentials, 0, 0, 0 },
		{ "sender", CLI_OPT_TEXT, &to.sender, 0, 0, 0 },
		{ "recipient", CLI_OPT_LIST, &to.recipients, 0, 0, 0 },
		{ "cursor", CLI_OPT_TEXT, &asked.cursor, 0, 0, 0 },
		{ "event", CLI_OPT_LIST, &n.events, 0, 0, 0 },
		{ "severity", CLI_OPT_NUMBER, &n.severity, 0, 7, 0 },
		{ "from", CLI_OPT_NUMBER, &asked.from, 0, JSON_INT_MAX - 1, 0 },
		{ "log", CLI_OPT_TEXT, &asked.vkey, 0, 0, 0 },
		{ "once", CLI_OPT_FLAG, &asked.once, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	const struct cli_follow_taker taker = { .entry = on_entry, .alarm = on_alarm,
		.round = on_round, .why = why, .ctx = &n };
	int status = cli_opt_parse(argc, argv, opts, "audit notify --to https://HOST/PATH --secret FILE | "
	    "--to smtps://HOST --sender ADDRESS --recipient ADDRESS ...\n       [--credentials FILE] [--ca FILE] [--cursor FILE] "
	    "[--event NAME ...] [--severity N] [--from N] [--log KEY] [--once]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!to.to)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "--to is missing: whom to tell");
	status = check_events(&a.common, &n.events);
	if (!status)
		status = cli_post_new(&a.common, &to, &n.post);
	writer_init(&n.json, MESSAGE_MAX);
	writer_init(&n.text, MESSAGE_MAX);
	if (!status)
		status = cli_follow(&asked, &taker);
	cli_post_free(n.post);
	writer_free(&n.json);
	writer_free(&n.text);
	return status;
}
