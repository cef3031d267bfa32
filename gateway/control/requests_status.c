/* SPDX-License-Identifier: Apache-2.0 */
/* requests_status - how the gateway stands, what it is configured for, what is asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/decisions.h"
#include "gateway/control/exposure.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/standing.h"
#include "gateway/control/undecided.h"
#include "policy/legacy.h"

#define LAG_ALERT 100000 /* entries that nobody has vouched for; a stampede of a large fleet is a tenth of it */
#define DISK_ALERT_PCT 80 /* as audit logs it */
#define UNKNOWN_MAX 200 /* shapes of unknown requests shown: the most frequent */

struct listing {
	struct control *c;
	struct jsonw *j;
	uint64_t count[LIFECYCLE_STATES];
	unsigned n; /* rows of a page */
	uint8_t last[MSG_ID];
};

/* ---- status ---- */

#define STATUS_INCIDENTS 3 /* of each kind, the last */
#define WITHHELD_MAX 8     /* releases named one by one */

/* text: also of people and of the database, and cut. */
static void
alert(struct jsonw *j, const char *id, const char *text)
{
	jsonw_object(j);
	jsonw_kcstr(j, "id", id);
	requests_put_text(j, "text", text);
	jsonw_object_end(j);
}

static int
put_incident(void *arg, const struct db_incident *i)
{
	struct listing *l = arg;
	char text[DB_TEXT_MAX + 64];
	snprintf(text, sizeof text, "%s: %s", i->kind, i->detail);
	alert(l->j, "INCIDENT", text);
	return 0;
}

static bool
clock_disciplined(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);
	return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
}

static const char *
why_not(const char *log)
{
	static const struct {
		const char *state, *text;
	} rows[] = {
		{ "tampered", "TAMPERED: the audit log is not the one this gateway wrote: nothing is permitted. "
		    "The way out: stop, fotagate audit repair --from the newest export" },
		{ "rolled-back", "ROLLED BACK: the audit log is shorter than it was: nothing is permitted. "
		    "The way out: stop, fotagate audit repair --from the newest export" },
		{ "cloned", "CLONED: this is a copy of a log that may go on elsewhere: nothing is permitted. "
		    "The way out: stop both, fotagate audit adopt where it shall go on" },
		{ "full", "FULL: the audit log's disk has no more room: only restrictions are written, nothing is permitted" },
		{ "waiting", "WAITING: the witnesses elsewhere have not yet confirmed that this is the whole log: "
		    "nothing is permitted. Is fotagate audit witness running?" },
		{ "failed", "the audit log cannot be written: nothing is permitted until it can" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!strcmp(rows[i].state, log))
			return rows[i].text;
	}
	return "the audit log is not there: nothing is permitted until it is";
}

static void
legacy_alerts(struct jsonw *j, struct control *c)
{
	const struct config *f = policies_config(c->policies);
	char what[LEGACY_TEXT_MAX], text[LEGACY_TEXT_MAX + PROFILE_WORD_MAX + 64];
	for (unsigned i = 0; i < f->listeners_n; i++) {
		if (!legacy_listener(&f->listeners[i], what))
			continue;
		snprintf(text, sizeof text, "listener %s speaks legacy TLS: %s", f->listeners[i].name, what);
		alert(j, "LEGACY-TLS", text);
	}
}

/* What people released and the policy in force does not let pass. */
static void
withheld_alerts(struct jsonw *j, struct control *c)
{
	char text[STANDING_WHY_MAX + sizeof ((struct approval_terms *)0)->review + 64];
	size_t n, told = 0;
	const struct tables_release *list = releases_all(c->releases, &n);
	for (size_t i = 0; i < n && told < WITHHELD_MAX; i++) {
		if (!list[i].withheld)
			continue;
		snprintf(text, sizeof text, "the release of %s is withheld: %s", list[i].record->terms.review,
		    releases_withheld(c->releases, list[i].id));
		alert(j, "WITHHELD", text);
		told++;
	}
	if (told == WITHHELD_MAX)
		alert(j, "WITHHELD", "there may be more of them: see fotagate release list");
}

static void
put_alerts(struct jsonw *j, struct control *c)
{
	struct listing l = { .c = c, .j = j };
	const char *log = logbook_state(c->logbook);
	char clock[320], text[160];
	uint64_t stuck;
	jsonw_key(j, "alerts");
	jsonw_array(j);
	if (strcmp(log, "ok") != 0)
		alert(j, "LOG", why_not(log));
	if (logbook_used_pct(c->logbook) >= DISK_ALERT_PCT)
		alert(j, "DISK", "the audit log's disk is nearly full: make room before nothing can be permitted");
	if (logbook_head_size(c->logbook) > logbook_witnessed(c->logbook) + LAG_ALERT)
		alert(j, "WITNESS", "the warden has not vouched for the log for long: a log set back would not be noticed");
	witnesses_alerts(c->witnesses, alert, j);
	if (!c->warden)
		alert(j, "WARDEN", "the warden is away: nothing can be released or resumed");
	if (replay_stuck(c->replay, &stuck)) {
		snprintf(text, sizeof text,
		    "entry %" PRIu64 " of the log takes something back and cannot be read: nothing is permitted", stuck);
		alert(j, "REPLAY", text);
	} else if (logbook_permits(c->logbook) && !replay_done(c->replay)) {
		alert(j, "READING", "the log is still being read: nothing is permitted before all of it was");
	}
	if (c->signers_lost)
		alert(j, "SIGNERS", "the folder has other signer sets than the log put in force: nothing is permitted");
	if (c->halt_lost)
		alert(j, "HALT-LOST", "the log has the gateway halted, the flag is gone: fotagate halt, then resume");
	if (halts_now(c->halts))
		alert(j, "HALTED", "the gateway is halted: nothing is served");
	if (!timekeep_is_sure(c)) {
		timekeep_why(c, clock, sizeof clock);
		alert(j, "CLOCK", clock);
	} else if (!decisions_clock_sure(c)) {
		alert(j, "CLOCK", "the clock is behind the making of this gateway: nothing is admitted to review");
	}
	rollouts_alerts(c->rollouts, alert, j);
	proposals_alerts(c->proposals, alert, j);
	glass_alerts(c->glass, alert, j);
	passkeys_alerts(c, alert, j);
	signedpolicy_alerts(c->signedpolicy, alert, j);
	exposure_alerts(c, alert, j);
	undecided_alerts(c, alert, j);
	withheld_alerts(j, c);
	legacy_alerts(j, c);
	requests_supplier_alerts(c, alert, j);
	runouts_alerts(&c->runouts, policies_config(c->policies), control_now(c), alert, j);
	(void)db_incident_latest(c->db, STATUS_INCIDENTS, put_incident, &l);
	jsonw_array_end(j);
}

static void
put_edges(struct jsonw *j, struct control *c)
{
	jsonw_key(j, "edges");
	jsonw_array(j);
	for (unsigned i = 0; i < EDGES_MAX && i < role_boot(c->role)->edges; i++) {
		const struct msg_load *load = edges_load(c->edges, i);
		jsonw_object(j);
		jsonw_kuint(j, "accept_pauses", load->pauses);
		jsonw_kuint(j, "connections", load->connections);
		jsonw_kuint(j, "generation", edges_taken(c->edges, i));
		jsonw_kuint(j, "index", i);
		jsonw_kuint(j, "owed_bytes", load->owed);
		jsonw_kuint(j, "refused_module", load->refused_module);
		jsonw_kuint(j, "refused_source", load->refused_source);
		jsonw_kbool(j, "up", edges_is_up(c->edges, i));
		jsonw_kuint(j, "waiting", load->waiting);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_genesis(struct jsonw *j, struct control *c)
{
	const struct genesis *g = people_genesis(c->people);
	jsonw_key(j, "genesis");
	jsonw_object(j);
	jsonw_khex(j, "digest", people_genesis_digest(c->people), DIGEST_SHA256_LEN);
	jsonw_khex(j, "instance", g->instance, sizeof g->instance);
	jsonw_kcstr(j, "origin", g->origin);
	jsonw_object_end(j);
}

/* The hold that statements end as they end a halt: resume.statement, whose halted_at is then this time. */
static void
put_clock_hold(struct jsonw *j, struct control *c)
{
	char why[320];
	int64_t at = timekeep_hold(c);
	if (!at) {
		jsonw_knull(j, "clock_hold");
		return;
	}
	timekeep_why(c, why, sizeof why);
	jsonw_key(j, "clock_hold");
	jsonw_object(j);
	requests_put_time(j, "at", at);
	requests_put_text(j, "text", why);
	jsonw_object_end(j);
}

static void
put_halt(struct jsonw *j, struct control *c)
{
	const struct msg_halt *h = halts_now(c->halts);
	if (!h) {
		jsonw_knull(j, "halt");
		return;
	}
	jsonw_key(j, "halt");
	jsonw_object(j);
	requests_put_time(j, "at", h->at);
	jsonw_kuint(j, "by_uid", h->by_uid);
	jsonw_object_end(j);
}

static void
put_log(struct jsonw *j, struct control *c)
{
	jsonw_key(j, "log");
	jsonw_object(j);
	jsonw_kuint(j, "disk_used", logbook_used_pct(c->logbook));
	jsonw_kuint(j, "remote", logbook_remote_size(c->logbook));
	jsonw_kuint(j, "remotes", logbook_remotes(c->logbook));
	jsonw_khex(j, "root", logbook_root(c->logbook), DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", logbook_head_size(c->logbook));
	jsonw_kcstr(j, "state", logbook_state(c->logbook));
	jsonw_kuint(j, "witnessed", logbook_witnessed(c->logbook));
	jsonw_object_end(j);
}

static int
count_state(void *arg, const char *state, uint64_t n)
{
	struct listing *l = arg;
	l->count[lifecycle_state_parse(view_str(state))] += n;
	return 0;
}

static void
put_reviews(struct jsonw *j, struct control *c)
{
	/* In the order of their words. */
	static const enum lifecycle_state order[] = { LIFECYCLE_APPROVED, LIFECYCLE_BLOCKED, LIFECYCLE_EXPIRED,
		LIFECYCLE_FETCH_FAILED, LIFECYCLE_FETCHING, LIFECYCLE_INCIDENT, LIFECYCLE_JUDGING, LIFECYCLE_REJECTED,
		LIFECYCLE_REVIEW, LIFECYCLE_REVOKED, LIFECYCLE_SIGHTED };
	struct listing l = { .c = c };
	(void)db_candidate_states(c->db, count_state, &l);
	jsonw_key(j, "reviews");
	jsonw_object(j);
	for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++)
		jsonw_kuint(j, lifecycle_state_name(order[i]), l.count[order[i]]);
	jsonw_object_end(j);
}

static void
put_roles(struct jsonw *j, struct control *c)
{
	jsonw_key(j, "roles");
	jsonw_array(j);
	for (unsigned i = 0; i < c->exits_n; i++) {
		const struct msg_role_exit *e = &c->exits[i];
		jsonw_object(j);
		jsonw_kuint(j, "index", e->index);
		jsonw_kuint(j, "restarts", e->restarts);
		jsonw_kcstr(j, "role", msg_role_name(e->role));
		jsonw_key(j, "status");
		jsonw_int(j, e->status);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

void
requests_status(struct control *c, struct call *call)
{
	const struct signers *set = people_set(c->people);
	struct call_doc d;
	struct jsonw *j = &d.j;
	call_doc_begin(&d);
	put_alerts(j, c);
	runouts_put(&c->runouts, policies_config(c->policies), control_now(c), j);
	jsonw_kcstr(j, "clock", clock_disciplined() ? "ntp" : "free");
	put_clock_hold(j, c);
	if (policies_config(c->policies)->console.address[0])
		jsonw_kbool(j, "console", webdesk_is_up(c->webdesk));
	else
		jsonw_knull(j, "console");
	jsonw_kbool(j, "demo", people_genesis(c->people)->demo);
	put_edges(j, c);
	put_genesis(j, c);
	put_halt(j, c);
	jsonw_key(j, "jobs");
	jsonw_object(j);
	jsonw_kuint(j, "running", jobs_running(c->jobs));
	jsonw_kuint(j, "waiting", jobs_waiting(c->jobs));
	jsonw_object_end(j);
	put_log(j, c);
	jsonw_kuint(j, "modules", inventory_count(c->inventory));
	jsonw_kbool(j, "permitting", control_permits(c) && c->warden && !halts_now(c->halts) && timekeep_is_sure(c));
	jsonw_kbool(j, "policy_signed", people_genesis(c->people)->signed_policy);
	jsonw_kuint(j, "profiles", policies_count(c->policies));
	jsonw_kuint(j, "releases", releases_count(c->releases));
	put_reviews(j, c);
	put_roles(j, c);
	jsonw_key(j, "signers");
	jsonw_object(j);
	jsonw_kuint(j, "number", set->number);
	jsonw_kuint(j, "persons", signers_persons(set));
	jsonw_kuint(j, "threshold", set->threshold);
	jsonw_object_end(j);
	jsonw_key(j, "table");
	jsonw_object(j);
	jsonw_kuint(j, "generation", edges_generation(c->edges));
	jsonw_object_end(j);
	requests_put_time(j, "time", control_now(c));
	jsonw_kcstr(j, "version", FG_VERSION);
	jsonw_kbool(j, "warden", c->warden != NULL);
	witnesses_put(c->witnesses, j);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- profiles ---- */

void
requests_profiles(struct control *c, struct call *call)
{
	struct call_doc d;
	struct jsonw *j = &d.j;
	call_doc_begin(&d);
	jsonw_key(j, "profiles");
	jsonw_array(j);
	for (size_t i = 0; i < policies_count(c->policies); i++) {
		const struct policy *p = policies_at(c->policies, i);
		const struct profile *f = p->profile;
		jsonw_object(j);
		jsonw_kuint(j, "canary_quorum", (uint64_t)(f->canary_quorum ? f->canary_quorum : f->quorum));
		jsonw_kbool(j, "fetches", f->upstream[0] != '\0');
		jsonw_key(j, "hosts");
		jsonw_array(j);
		for (unsigned k = 0; k < f->hosts_n; k++)
			jsonw_cstr(j, f->hosts[k]);
		jsonw_array_end(j);
		jsonw_kcstr(j, "name", f->name);
		jsonw_kcstr(j, "path", f->path);
		jsonw_khex(j, "policy", p->digest, sizeof p->digest);
		jsonw_kuint(j, "quorum", (uint64_t)f->quorum);
		jsonw_kcstr(j, "supplier", f->supplier);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	call_doc_end(call, &d, CALL_DONE);
}

static int
put_unknown(void *arg, const struct db_unknown *u)
{
	struct listing *l = arg;
	char agent[sizeof u->agent], path[sizeof u->path];
	privacy_mask_text(u->agent, true, agent, sizeof agent);
	privacy_mask_text(u->path, true, path, sizeof path);
	jsonw_object(l->j);
	requests_put_text(l->j, "agent", agent);
	jsonw_kuint(l->j, "count", u->count);
	requests_put_time(l->j, "first", u->first_seen);
	requests_put_text(l->j, "host", u->host);
	jsonw_kuint(l->j, "id", u->id);
	requests_put_time(l->j, "last", u->last_seen);
	requests_put_text(l->j, "listener", u->listener);
	requests_put_text(l->j, "path", path);
	jsonw_object_end(l->j);
	return 0;
}

static void
end_list(struct call *call, struct call_doc *d, int err)
{
	jsonw_array_end(&d->j);
	if (!err) {
		call_doc_end(call, d, CALL_DONE);
		return;
	}
	writer_free(&d->w);
	call_fail_err(call, err);
}

void
requests_unknown(struct control *c, struct call *call)
{
	struct call_doc d;
	struct listing l = { .c = c, .j = &d.j };
	call_doc_begin(&d);
	jsonw_key(&d.j, "unknown");
	jsonw_array(&d.j);
	end_list(call, &d, db_unknown_list(c->db, UNKNOWN_MAX, put_unknown, &l));
}

void
requests_draft(struct control *c, struct call *call)
{
	char name[PROFILE_WORD_MAX + 1];
	struct db_unknown u;
	struct writer text;
	struct call_doc d;
	(void)call_text(call, "name", name, sizeof name);
	int err = db_unknown_get(c->db, call_number(call, "id", 0), &u);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	size_t path = strcspn(u.path, "?");
	const struct profile_sighting s = {
		.listener = view_str(u.listener),
		.host = view_str(u.host),
		.path = view_of(u.path, path),
		.query = view_str(u.path[path] ? u.path + path + 1 : ""),
	};
	writer_init(&text, CALL_DOC_MAX);
	err = profile_draft(&s, name, &text);
	if (err == FG_EFORMAT || err == FG_EINVAL) {
		call_fail(call, CALL_REFUSED, "REFUSED", "",
		    "no profile could match that request, or \"%s\" is no name for one", name);
	} else if (err) {
		call_fail_err(call, err);
	} else {
		call_doc_begin(&d);
		jsonw_kstring(&d.j, "text", writer_view(&text));
		call_doc_end(call, &d, CALL_DONE);
	}
	writer_free(&text);
}

/* ---- what is asked for ---- */

static int
put_sighting(void *arg, const struct db_resource *r)
{
	struct listing *l = arg;
	struct jsonw *j = l->j;
	char product[sizeof r->product], target[sizeof r->target], url[sizeof r->url];
	/* Captures of a request: a module that puts its number where a product belongs is not to be read off here. */
	privacy_mask_text(r->product, false, product, sizeof product);
	privacy_mask_text(r->target, false, target, sizeof target);
	privacy_mask_text(r->url, false, url, sizeof url);
	jsonw_object(j);
	jsonw_kuint(j, "count", r->sightings);
	requests_put_time(j, "first", r->first_seen);
	requests_put_text(j, "from", r->from[0] ? r->from : "*");
	requests_put_time(j, "last", r->last_seen);
	requests_put_text(j, "product", product);
	requests_put_text(j, "profile", r->profile);
	jsonw_khex(j, "resource", r->id, sizeof r->id);
	if (r->candidate)
		requests_put_review(j, "review", r->candidate);
	else
		jsonw_knull(j, "review");
	requests_put_text(j, "state", r->candidate ? r->candidate_state : r->state);
	requests_put_text(j, "target", target);
	requests_put_text(j, "url", url);
	jsonw_object_end(j);
	return 0;
}

/* Where a page ends stands before its rows in the document. */
static int
see_last(void *arg, const struct db_resource *r)
{
	struct listing *l = arg;
	l->n++;
	memcpy(l->last, r->id, sizeof l->last);
	return 0;
}

void
requests_sightings(struct control *c, struct call *call)
{
	char profile[PROFILE_WORD_MAX + 1];
	struct call_doc d;
	struct listing l = { .c = c, .j = &d.j };
	uint8_t after[MSG_ID];
	bool have;
	(void)call_text(call, "profile", profile, sizeof profile); /* before what may answer the call, which takes them with it */
	unsigned limit = requests_page(call, DB_PAGE_MAX < REQUESTS_PAGE_MAX ? DB_PAGE_MAX : REQUESTS_PAGE_MAX);
	if (!limit || !requests_after(call, after, &have))
		return;
	const char *of = profile[0] ? profile : NULL;
	int err = db_resource_list(c->db, of, NULL, have ? after : NULL, limit, see_last, &l);
	call_doc_begin(&d);
	requests_put_digest(&d.j, "next", l.n == limit, l.last, sizeof l.last);
	jsonw_key(&d.j, "sightings");
	jsonw_array(&d.j);
	if (!err)
		err = db_resource_list(c->db, of, NULL, have ? after : NULL, limit, put_sighting, &l);
	end_list(call, &d, err);
}
