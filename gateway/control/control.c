/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/control.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/kept.h"
#include "gateway/control/notesfetch.h"
#include "gateway/control/privacy.h"
#include "gateway/control/quarantine.h"
#include "gateway/control/requests.h"
#include "gateway/control/standing.h"
#include "gateway/control/suspensions.h"
#include "policy/legacy.h"
#include "policy/scope.h"

#define TICK_HEAD 5      /* seconds between two looks at the log's head */
#define MINUTE 60
#define PATH_BYTES (MSG_PATH_MAX + 32)
#define META_LEGACY "legacy-tls:" /* + listener: what was said of it last */
#define META_POLICY "policy:" /* + profile: the digest that was in force last */

/* ---- what the logbook remembers ---- */

static bool
recall(void *ctx, uint64_t *size, uint8_t root[DIGEST_SHA256_LEN])
{
	struct control *c = ctx;
	struct db_log_head head;
	if (db_meta_log_get(c->db, &head))
		return false;
	*size = head.size;
	memcpy(root, head.root, DIGEST_SHA256_LEN);
	return true;
}

static void
remember(void *ctx, uint64_t size, const uint8_t root[DIGEST_SHA256_LEN])
{
	struct control *c = ctx;
	struct db_log_head head = { .size = size };
	memcpy(head.root, root, sizeof head.root);
	if (db_meta_log_set(c->db, &head))
		oplog(OPLOG_WARNING, "the log's head could not be remembered: %s", db_why(c->db));
}

void
control_gate(struct control *c)
{
	grants_halt(c->grants, logbook_condemned(c->logbook) || halts_now(c->halts) || c->halt_lost ||
	    !replay_done(c->replay) || !timekeep_is_sure(c) || signedpolicy_is_lost(c->signedpolicy));
}

static void
log_changed(void *ctx)
{
	struct control *c = ctx;
	if (c->stopping)
		return;
	control_gate(c);
	if (!logbook_permits(c->logbook))
		return;
	replay_begin(c->replay);
	if (replay_done(c->replay))
		judging_resume(c->judging);
	reviews_resume(c->reviews);
	proposals_resume(c->proposals);
}

/* ---- boot ---- */

static int
on_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct control *c = ctx;
	int *place = NULL;
	(void)r;
	switch (what->kind) {
	case MSG_FD_BUNDLE:
		place = &c->bundle_fd;
		break;
	case MSG_FD_GENESIS:
		place = &c->genesis_fd;
		break;
	case MSG_FD_EPOCH_KEY:
		place = &c->epoch_fd;
		break;
	case MSG_FD_CONTROL_SOCK:
		place = &c->sock_fd;
		break;
	case MSG_FD_ANCHOR:
	case MSG_FD_CA:
	case MSG_FD_CREDENTIALS:
	case MSG_FD_RULES:
	case MSG_FD_HOOK:
		if (!c->policies)
			c->policies = policies_new();
		if (!c->policies) {
			close(fd);
			return FG_ENOMEM;
		}
		return policies_file(c->policies, what, fd);
	default:
		break;
	}
	if (!place || *place >= 0) {
		close(fd);
		return FG_EPEER;
	}
	*place = fd;
	return FG_OK;
}

static int
prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	static const struct {
		enum jail_slot slot;
		const char *name;
	} places[] = {
		{ JAIL_SLOT_STATE, "state" },
		{ JAIL_SLOT_QUARANTINE, "images/quarantine" },
		{ JAIL_SLOT_REPORTS, "reports" },
		{ JAIL_SLOT_STATEMENTS, "statements" },
		{ JAIL_SLOT_AUTHORITY, "authority" },
	};
	static const size_t places_n = sizeof places / sizeof places[0];
	struct control *c = ctx;
	_Static_assert(sizeof places / sizeof places[0] == CONTROL_PLACES, "each has its path");
	c->role = r;
	snprintf(c->data_dir, sizeof c->data_dir, "%s", role_boot(r)->data_dir);
	c->demo = role_boot(r)->demo;
	for (size_t i = 0; i < places_n; i++) {
		snprintf(c->place[i], sizeof c->place[i], "%s/%s", c->data_dir, places[i].name);
		paths->at[i] = (struct jail_path){ .slot = places[i].slot, .path = c->place[i] };
	}
	paths->n = places_n;
	/* Folders and account files are opened here, read only inside the jail. */
	c->callers = callers_new();
	return c->callers ? files_open(c->data_dir, &c->files) : FG_ENOMEM;
}

/* ---- configuration ---- */

/* Keeps the text of every policy and says in the log which ones are new. */
static void
note_policies(struct control *c)
{
	for (size_t i = 0; i < policies_count(c->policies); i++) {
		const struct policy *p = policies_at(c->policies, i);
		char key[sizeof META_POLICY + PROFILE_WORD_MAX], now[2 * DIGEST_SHA256_LEN + 1], was[DB_META_VALUE_MAX] = "";
		snprintf(key, sizeof key, META_POLICY "%s", p->profile->name);
		hex_encode(p->digest, sizeof p->digest, now);
		(void)db_meta_get(c->db, key, was, sizeof was);
		if (strcmp(now, was) == 0)
			continue;
		if (files_doc_put(c->files, FILES_POLICY, p->digest, p->text) || db_meta_set(c->db, key, now)) {
			oplog(OPLOG_WARNING, "the policy of %s could not be kept", p->profile->name);
			continue;
		}
		struct msg_append *e = logbook_entry(ENTRY_POLICY_CHANGED, "ok", "control", p->profile->name);
		logbook_ref_sha256(e, "policy", p->digest);
		logbook_tell(c->logbook, e);
	}
}

/* Each listener whose TLS is older than today's defaults, and each that no longer is: once in the log, at every start aloud. */
static void
note_listeners(struct control *c)
{
	const struct config *f = policies_config(c->policies);
	for (unsigned i = 0; i < f->listeners_n; i++) {
		const struct config_listener *l = &f->listeners[i];
		char key[sizeof META_LEGACY + PROFILE_WORD_MAX], obj[sizeof "listener:" + PROFILE_WORD_MAX];
		char now[LEGACY_TEXT_MAX], was[DB_META_VALUE_MAX] = "";
		snprintf(key, sizeof key, META_LEGACY "%s", l->name);
		snprintf(obj, sizeof obj, "listener:%s", l->name);
		if (legacy_listener(l, now))
			oplog(OPLOG_WARNING, "listener %s speaks legacy TLS: %s", l->name, now);
		(void)db_meta_get(c->db, key, was, sizeof was);
		if (strcmp(now, was) == 0)
			continue;
		if (db_meta_set(c->db, key, now))
			oplog(OPLOG_WARNING, "what was said of listener %s could not be kept", l->name);
		struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, "ok", "control", obj);
		logbook_say(e, now[0] ? "speaks legacy TLS: %s" : "speaks legacy TLS no more%s", now);
		logbook_tell(c->logbook, e);
	}
}

static int
reload(void *ctx, int bundle_fd, char *ret_why, size_t cap)
{
	struct control *c = ctx;
	int err = c->stopping ? FG_ESTATE : policies_load(c->policies, bundle_fd, ret_why, cap);
	close(bundle_fd);
	if (err)
		return err;
	(void)callers_load(c->callers, &policies_config(c->policies)->roles, getuid());
	signedpolicy_look(c->signedpolicy);
	note_policies(c);
	note_listeners(c);
	if (inventory_rules(c->inventory, policies_config(c->policies)))
		oplog(OPLOG_ERR, "some modules keep the group of the rules before, for want of memory");
	inventory_place(c->inventory, control_now(c));
	releases_policy_changed(c->releases);
	judging_policy_changed(c->judging);
	hooks_tick(c->hooks);
	return FG_OK;
}

static void
held(void *ctx, int bundle_fd)
{
	signedpolicy_held(((struct control *)ctx)->signedpolicy, bundle_fd);
}

/* ---- timers ---- */

static void
on_second(evutil_socket_t fd, short what, void *ctx)
{
	struct control *c = ctx;
	(void)fd;
	(void)what;
	timekeep_tick(c);
	webdesk_tick(c->webdesk);
	sightings_flush(c->sightings);
	releases_expire(c->releases);
	rollouts_tick(c->rollouts);
	mandates_tick(c->mandates);
	notesfetch_tick(c->notesfetch);
	edges_tick(c->edges);
	if (control_now(c) % TICK_HEAD == 0)
		logbook_tick(c->logbook);
}

static void
on_minute(evutil_socket_t fd, short what, void *ctx)
{
	struct control *c = ctx;
	(void)fd;
	(void)what;
	sightings_report(c->sightings);
	reviews_expire(c->reviews);
	judging_tick(c->judging);
	hooks_tick(c->hooks);
	mandates_look(c->mandates);
	refusals_tick(c->refusals);
	if (c->warden_listed)
		standing_review(c);
	proposals_expire(c->proposals);
	requests_report_denied(c);
	signins_report(c->signins);
	fronts_report(c->fronts);
	sessions_tidy(c->sessions);
	tokens_tidy(c->tokens);
	quarantine_tidy(c);
	kept_tidy(c);
	(void)grants_flush(c->grants);
	privacy_tick(c);
}

static int
start_timers(struct control *c)
{
	const struct timeval second = { 1, 0 }, minute = { MINUTE, 0 };
	c->second = event_new(c->base, -1, EV_PERSIST, on_second, c);
	c->minute = event_new(c->base, -1, EV_PERSIST, on_minute, c);
	if (!c->second || !c->minute || event_add(c->second, &second) || event_add(c->minute, &minute))
		return FG_ENOMEM;
	return FG_OK;
}

/* ---- start ---- */

static int
failed(const char *what, const char *why, int err)
{
	oplog(OPLOG_ERR, "%s: %s", what, why && why[0] ? why : err_name(err));
	return err;
}

static int
read_inputs(struct control *c)
{
	char why[MSG_TEXT_MAX] = "";
	if (!c->policies)
		c->policies = policies_new();
	if (!c->policies || c->bundle_fd < 0 || c->sock_fd < 0)
		return failed("boot", "the bundle or the control socket was not handed over", FG_EPEER);
	int err = people_load(c->genesis_fd, c->data_dir, &c->people, why, sizeof why);
	if (err)
		return failed("genesis and signer sets", why, err);
	err = signedpolicy_new(c, &c->signedpolicy);
	if (err)
		return failed("signed policy", NULL, err);
	err = policies_load(c->policies, c->bundle_fd, why, sizeof why);
	if (err)
		return failed("configuration", why, err);
	return callers_load(c->callers, &policies_config(c->policies)->roles, getuid());
}

/* A profile that is gone holds whatever it had windows for. */
static bool
in_window(void *arg, const char *profile, const char *group, int64_t earliest, int64_t latest)
{
	const struct control *c = arg;
	const struct policy *p = policies_find(c->policies, profile);
	return p && scope_in_window(p->profile, view_str(group), earliest, latest);
}

static int
open_state(struct control *c)
{
	char path[PATH_BYTES], why[MSG_TEXT_MAX] = "";
	struct writer key;
	snprintf(path, sizeof path, "%s/state/state.db", c->data_dir);
	int err = db_open(path, &c->db, why, sizeof why);
	if (err)
		return failed("state database", why, err);
	err = kept_sweep(c);
	if (err)
		return failed("quarantine", NULL, err);
	writer_init(&key, CONTROL_EPOCH_MAX);
	err = c->epoch_fd < 0 ? FG_ENOTFOUND : files_read(c->epoch_fd, CONTROL_EPOCH_MAX, &key);
	if (!err)
		err = inventory_new(c->db, writer_view(&key), &c->inventory);
	if (!err)
		err = privacy_key(c, writer_view(&key));
	writer_free(&key); /* wipes */
	if (err)
		return failed("epoch key or inventory", NULL, err);
	if (inventory_rules(c->inventory, policies_config(c->policies)))
		return failed("groups of modules", NULL, FG_ENOMEM);
	inventory_place(c->inventory, control_now(c));
	err = links_new(c->db, &c->links);
	if (err)
		return failed("short URLs", NULL, err);
	err = grants_new(c->db, &c->grants);
	if (err)
		return failed("grants", NULL, err);
	grants_ask_time(c->grants, in_window, c);
	return FG_OK;
}

static int
make_parts(struct control *c)
{
	const struct logbook_memory memory = { c, recall, remember, log_changed };
	c->logbook = logbook_new(&memory);
	c->jobs = jobs_new(c->base, role_supervisor(c->role));
	c->halts = halts_new(c);
	c->resumptions = resumptions_new(c);
	c->glass = glass_new(c);
	c->proposals = proposals_new(c);
	c->replay = replay_new(c);
	c->witnesses = witnesses_new(c);
	c->webdesk = webdesk_new(c);
	c->edges = edges_new(c);
	c->attests = attests_new(c);
	c->gists = gists_new();
	c->refusals = refusals_new(c);
	c->waivers = waivers_new(c);
	c->mandates = mandates_new(c);
	c->rollouts = rollouts_new(c);
	c->releases = releases_new(c);
	c->reviews = reviews_new(c);
	c->judging = judging_new(c);
	c->hooks = hooks_new(c);
	c->fetches = fetches_new(c);
	c->notesfetch = notesfetch_new(c);
	c->imports = imports_new(c);
	c->sightings = sightings_new(c);
	c->hashing = hashing_new(c->base, PASSWORD_COST);
	c->sessions = sessions_new(c);
	c->signins = signins_new(c);
	c->accounts = accounts_new(c);
	c->tokens = tokens_new(c);
	c->bindings = bindings_new(c);
	c->fronts = fronts_new(c);
	c->passkeys = passkeys_new(c);
	if (!c->attests || !c->gists || !c->logbook || !c->jobs || !c->halts || !c->proposals || !c->replay || !c->witnesses ||
	    !c->edges || !c->refusals || !c->waivers || !c->mandates || !c->rollouts || !c->releases || !c->reviews ||
	    !c->judging || !c->hooks || !c->notesfetch ||
	    !c->fetches || !c->imports || !c->sightings || !c->webdesk || !c->hashing || !c->sessions || !c->signins ||
	    !c->accounts || !c->tokens || !c->passkeys || !c->bindings || !c->fronts || !c->resumptions || !c->glass)
		return FG_ENOMEM;
	c->desk = desk_new(c->base, c->sock_fd, c->callers, requests_handle, c);
	c->sock_fd = -1;
	return c->desk ? FG_OK : FG_ENOMEM;
}

static int
start(void *ctx, struct role *r)
{
	struct control *c = ctx;
	c->base = role_base(r);
	int err = read_inputs(c);
	if (!err)
		err = open_state(c);
	if (!err)
		err = make_parts(c);
	if (!err)
		err = start_timers(c);
	if (err)
		return err;
	suspensions_recall(c);
	signedpolicy_look(c->signedpolicy);
	(void)refusals_recall(c->refusals);
	(void)waivers_recall(c->waivers);
	(void)mandates_recall(c->mandates);
	control_gate(c);
	note_policies(c);
	note_listeners(c);
	fetches_resume(c->fetches);
	/* The configuration may be another than at the last end: what was signed for an old policy is judged anew. */
	judging_policy_changed(c->judging);
	return FG_OK;
}

/* ---- peers ---- */

static void
on_appended(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	logbook_on_appended(((struct control *)ctx)->logbook, msg);
}

static void
on_head(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	timekeep_on_head(ctx, msg);
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

static void
on_root(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	logbook_on_root(((struct control *)ctx)->logbook, msg);
}

static void
on_opened(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	logbook_on_opened(((struct control *)ctx)->logbook, msg, frame);
}

static void
on_proof(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	logbook_on_proof(((struct control *)ctx)->logbook, msg);
}

static void
on_witness(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	logbook_on_witness(((struct control *)ctx)->logbook, msg);
}

static void
on_issued(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	reviews_on_issued(((struct control *)ctx)->reviews, msg);
}

static void
on_restricted(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	releases_on_restricted(((struct control *)ctx)->releases, msg);
}

static void
on_resumed(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	halts_on_resumed(((struct control *)ctx)->halts, msg);
}

static void
on_continued(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	resumptions_on_continued(((struct control *)ctx)->resumptions, msg);
}

static void
on_glass(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	glass_on_told(((struct control *)ctx)->glass, msg);
}

static void
on_listed(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	releases_on_listed(((struct control *)ctx)->releases, msg);
}

static void
on_taken(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	proposals_on_taken(((struct control *)ctx)->proposals, msg);
}

static void
on_policy(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	signedpolicy_on_taken(((struct control *)ctx)->signedpolicy, msg);
}

static void
on_suspended(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	suspensions_on_suspended(ctx, msg);
}

static void
on_clock(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	timekeep_on_clock(ctx, msg);
}

static const struct chan_rule audit_rules[] = {
	{ MSG_APPENDED, CHAN_ALWAYS, on_appended }, { MSG_HEAD, CHAN_ALWAYS, on_head },
	{ MSG_ROOT, CHAN_ALWAYS, on_root }, { MSG_LOG_OPENED, CHAN_ALWAYS, on_opened },
	{ MSG_PROOF, CHAN_ALWAYS, on_proof }, { MSG_WITNESS_TAKEN, CHAN_ALWAYS, on_witness },
};
static const struct chan_rule warden_rules[] = {
	{ MSG_ISSUED, CHAN_ALWAYS, on_issued }, { MSG_RESTRICTED, CHAN_ALWAYS, on_restricted },
	{ MSG_RESUMED, CHAN_ALWAYS, on_resumed }, { MSG_WARDEN_STATE, CHAN_ALWAYS, on_listed },
	{ MSG_SIGNERS_TAKEN, CHAN_ALWAYS, on_taken }, { MSG_SUSPENDED, CHAN_ALWAYS, on_suspended },
	{ MSG_CLOCK, CHAN_ALWAYS, on_clock }, { MSG_CONTINUED, CHAN_ALWAYS, on_continued },
	{ MSG_POLICY_TAKEN, CHAN_ALWAYS, on_policy }, { MSG_GLASS, CHAN_ALWAYS, on_glass },
};
static const struct chan_ops audit_ops = { audit_rules, sizeof audit_rules / sizeof audit_rules[0], NULL };
static const struct chan_ops warden_ops = { warden_rules, sizeof warden_rules / sizeof warden_rules[0], NULL };

static void
peer_up(void *ctx, struct chan *chan, enum msg_role peer, unsigned index)
{
	struct control *c = ctx;
	if (c->stopping)
		return;
	if (peer == MSG_ROLE_EDGE) {
		edges_up(c->edges, chan, index);
	} else if (peer == MSG_ROLE_AUDIT) {
		logbook_up(c->logbook, chan);
	} else if (peer == MSG_ROLE_CONSOLE) {
		webdesk_up(c->webdesk, chan);
	} else if (peer == MSG_ROLE_WARDEN) {
		c->warden = chan;
		releases_warden_up(c->releases);
		suspensions_warden_up(c);
	}
}

static void
peer_down(void *ctx, struct chan *chan, enum msg_role peer, unsigned index, int why)
{
	struct control *c = ctx;
	(void)chan;
	(void)why;
	if (c->stopping)
		return;
	if (peer == MSG_ROLE_EDGE) {
		edges_down(c->edges, index);
	} else if (peer == MSG_ROLE_AUDIT) {
		logbook_down(c->logbook);
	} else if (peer == MSG_ROLE_CONSOLE) {
		webdesk_down(c->webdesk);
	} else if (peer == MSG_ROLE_WARDEN) {
		c->warden = NULL;
		reviews_warden_down(c->reviews);
		halts_warden_down(c->halts);
		resumptions_warden_down(c->resumptions);
		glass_warden_down(c->glass);
		proposals_warden_down(c->proposals);
		signedpolicy_warden_down(c->signedpolicy);
	}
}

/* ---- supervisor ---- */

static void
on_job_exit(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)chan;
	(void)frame;
	if (!c->stopping)
		jobs_on_exit(c->jobs, msg);
}

static void
note_killed(struct control *c, const struct msg_role_exit *m)
{
	struct db_incident i = { .at = control_now(c), .kind = "sandbox" };
	snprintf(i.detail, sizeof i.detail, "%s[%u] was killed by its jail", msg_role_name(m->role), m->index);
	(void)db_incident_add(c->db, &i);
}

static void
on_role_exit(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	const struct msg_role_exit *m = msg;
	unsigned i = 0;
	(void)chan;
	(void)frame;
	if (c->stopping)
		return;
	while (i < c->exits_n && (c->exits[i].role != m->role || c->exits[i].index != m->index))
		i++;
	if (i < CONTROL_EXITS_MAX)
		c->exits[i] = *m;
	if (i == c->exits_n && i < CONTROL_EXITS_MAX)
		c->exits_n++;
	if (m->status == -SIGSYS)
		note_killed(c, m);
}

static void
halt(void *ctx, const struct msg_halt *m)
{
	struct control *c = ctx;
	if (!c->stopping)
		halts_begin(c->halts, m);
}

static void
unhalt(void *ctx, const struct msg_unhalt *m)
{
	struct control *c = ctx;
	(void)m;
	if (c->stopping)
		return;
	halts_end(c->halts);
	c->resumed = true;
	c->halt_lost = false;
	control_gate(c);
}

/* ---- end ---- */

/* Everything that has events or channels goes while the loop still exists. */
static void
tear_down(struct control *c)
{
	/* Whoever waits is answered that it could not be done now. */
	hashing_free(c->hashing);
	c->hashing = NULL;
	if (c->logbook)
		logbook_down(c->logbook);
	if (c->reviews)
		reviews_warden_down(c->reviews);
	if (c->halts)
		halts_warden_down(c->halts);
	if (c->resumptions)
		resumptions_warden_down(c->resumptions);
	if (c->glass)
		glass_warden_down(c->glass);
	if (c->proposals)
		proposals_warden_down(c->proposals);
	signedpolicy_warden_down(c->signedpolicy);
	desk_free(c->desk);
	webdesk_free(c->webdesk);
	releases_free(c->releases);
	rollouts_free(c->rollouts);
	imports_free(c->imports);
	notesfetch_free(c->notesfetch);
	fetches_free(c->fetches);
	judging_free(c->judging);
	hooks_free(c->hooks);
	jobs_free(c->jobs);
	replay_free(c->replay);
	witnesses_free(c->witnesses);
	edges_free(c->edges);
	if (c->second)
		event_free(c->second);
	if (c->minute)
		event_free(c->minute);
	c->second = c->minute = NULL;
	c->desk = NULL;
	c->webdesk = NULL;
	c->releases = NULL;
	c->rollouts = NULL;
	c->fetches = NULL;
	c->notesfetch = NULL;
	c->imports = NULL;
	c->judging = NULL;
	c->jobs = NULL;
	c->replay = NULL;
	c->witnesses = NULL;
	c->edges = NULL;
}

static void
stop(void *ctx, unsigned grace_ms)
{
	struct control *c = ctx;
	(void)grace_ms;
	if (c->stopping)
		return;
	sightings_flush(c->sightings);
	requests_report_denied(c);
	signins_report(c->signins);
	fronts_report(c->fronts);
	(void)grants_flush(c->grants);
	c->stopping = true;
	tear_down(c);
	role_exit(c->role, 0);
}

static void
free_rest(struct control *c)
{
	const int fds[] = { c->bundle_fd, c->genesis_fd, c->epoch_fd, c->sock_fd };
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	bindings_free(c->bindings);
	fronts_free(c->fronts);
	accounts_free(c->accounts);
	passkeys_free(c->passkeys);
	tokens_free(c->tokens);
	signins_free(c->signins);
	sessions_free(c->sessions);
	sightings_free(c->sightings);
	reviews_free(c->reviews);
	refusals_free(c->refusals);
	waivers_free(c->waivers);
	mandates_free(c->mandates);
	attests_free(c->attests);
	gists_free(c->gists);
	halts_free(c->halts);
	resumptions_free(c->resumptions);
	glass_free(c->glass);
	proposals_free(c->proposals);
	logbook_free(c->logbook);
	grants_free(c->grants);
	links_free(c->links);
	inventory_free(c->inventory);
	files_close(c->files);
	db_close(c->db);
	policies_free(c->policies);
	signedpolicy_free(c->signedpolicy);
	people_free(c->people);
	callers_free(c->callers);
}

int
control_main(const struct clock_source *clock)
{
	static const struct chan_rule supervisor_rules[] = {
		{ MSG_JOB_EXIT, CHAN_ALWAYS, on_job_exit },
		{ MSG_ROLE_EXIT, CHAN_ALWAYS, on_role_exit },
	};
	static const struct role_ops ops = {
		.role = MSG_ROLE_CONTROL,
		.jail = JAIL_CONTROL,
		.boot_fd = on_boot_fd,
		.prepare = prepare,
		.start = start,
		.peers = {
			[MSG_ROLE_EDGE] = &edges_ops,
			[MSG_ROLE_AUDIT] = &audit_ops,
			[MSG_ROLE_WARDEN] = &warden_ops,
			[MSG_ROLE_CONSOLE] = &webdesk_ops,
		},
		.peer_up = peer_up,
		.peer_down = peer_down,
		.reload = reload,
		.held = held,
		.stop = stop,
		.halt = halt,
		.unhalt = unhalt,
		.supervisor_rules = supervisor_rules,
		.supervisor_rules_n = sizeof supervisor_rules / sizeof supervisor_rules[0],
	};
	struct control *c = calloc(1, sizeof *c);
	if (!c)
		return ROLE_EXIT_FAILED;
	c->clock = clock;
	c->bundle_fd = c->genesis_fd = c->epoch_fd = c->sock_fd = -1;
	int status = role_run(&ops, c, clock);
	/*
	 * Without a clean stop (the supervisor is dead, the start failed) the loop is
	 * gone under our events, and whoever starts next waits for our sockets: this
	 * process ends now, and the database is made for that.
	 */
	if (!c->stopping)
		_exit(status);
	free_rest(c);
	free(c);
	return status;
}
