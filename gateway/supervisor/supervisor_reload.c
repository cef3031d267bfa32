/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: read, have it checked, and only then tell anybody. A configuration
 * with a problem, or one that needs a restart, changes nothing at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/supervisor/confdir.h"
#include "gateway/supervisor/supervisor_internal.h"

static void
say(struct supervisor *s, const char *text)
{
	(void)s;
	oplog(OPLOG_ERR, "reload: %s", text);
}

static void
say_file(void *ctx, const char *text)
{
	say(ctx, text);
}

/* The service manager waits for this whatever came of it. */
static void
over(struct supervisor *s, bool good, const char *text)
{
	oplog(good ? OPLOG_NOTICE : OPLOG_ERR, "reload: %s", text);
	supervisor_log(s, ENTRY_CONFIG_CHANGED, good ? 5 : 4, good ? "ok" : "failed",
		       "configuration", text);
	notify_send(&s->notify, "READY=1");
	supervisor_role_status(s);
}

static void
drop_next(struct supervisor *s)
{
	free(s->next_plan);
	s->next_plan = NULL;
	if (s->next_bundle_fd >= 0)
		close(s->next_bundle_fd);
	s->next_bundle_fd = -1;
}

static void
settle(struct supervisor *s, const char *late)
{
	for (unsigned n = 0; n < s->instances_n; n++)
		if (s->instances[n].reload_pending && !late)
			return;
	if (!s->next_plan)
		return;
	event_del(s->reload_deadline);
	/* In force for whoever starts from now on: the config child found nothing wrong with it. */
	free(s->plan);
	close(s->bundle_fd);
	s->plan = s->next_plan;
	s->bundle_fd = s->next_bundle_fd;
	s->next_plan = NULL;
	s->next_bundle_fd = -1;
	for (unsigned n = 0; n < s->instances_n; n++)
		s->instances[n].reload_pending = false;
	over(s, !late, late ? late : s->reload_kept ? "the configuration that people signed is in force" :
	    "the new configuration is in force");
	supervisor_policy_keep(s->plan, s->bundle_fd);
	if (!s->reload_kept)
		supervisor_policy_hold(s, NULL, -1); /* the folder is followed */
	else
		supervisor_policy_show(supervisor_role_find(s, MSG_ROLE_CONTROL, 0)); /* still not */
	s->reload_kept = false;
	if (s->reload_again)
		supervisor_reload(s);
}

void
supervisor_reload_answer(struct instance *i, const struct msg_reloaded *m)
{
	char why[MSG_TEXT_MAX];
	if (!i->reload_pending || (m && m->generation != i->s->generation))
		return;
	i->reload_pending = false;
	/* Taken, but for what why says; or not taken at all. */
	if (m && (!m->ok || m->why[0])) {
		visible_cstr(view_str(m->why), why, sizeof why);
		oplog(OPLOG_ERR, "reload: %s[%u] %s: %s", msg_role_name(i->role), i->index,
		      m->ok ? "has the new configuration, but" : "keeps the old configuration", why);
		supervisor_log(i->s, ENTRY_CONFIG_CHANGED, 4, "failed", msg_role_name(i->role),
			       why);
	}
	settle(i->s, NULL);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle(arg, "a role did not answer in time");
}

static void
hand_out(struct supervisor *s)
{
	const struct msg_reload m = { .generation = ++s->generation };
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		if (!i->chan || i->state != INSTANCE_READY || !wiring_reloads(i->role))
			continue;
		if (supervisor_boot_files(s, i, s->next_plan))
			oplog(OPLOG_ERR, "reload: not every file could be handed to %s[%u]", msg_role_name(i->role),
			    i->index);
		i->reload_pending = chan_send(i->chan, MSG_RELOAD, &m, &s->next_bundle_fd, 1) == 0;
	}
	supervisor_role_after(s->reload_deadline, SUPERVISOR_RELOAD_MS);
	settle(s, NULL);
}

static void on_plan(struct supervisor *s, struct plan *plan);

/* The folder's policy is not signed. It is held, and the configuration that is signed stays, or takes its place. */
static void
hold(struct supervisor *s)
{
	bool again = s->reload_kept; /* what was kept is not what its name says */
	if (again)
		drop_next(s);
	else
		supervisor_policy_keep(s->next_plan, s->next_bundle_fd);
	if (!again)
		supervisor_policy_hold(s, s->next_plan, s->next_bundle_fd);
	s->next_plan = NULL;
	s->next_bundle_fd = -1;
	s->reload_kept = false;
	int kept = again || supervisor_policy_is_in_force(s->plan) ? -1 : supervisor_policy_kept(s->plan);
	if (kept < 0) {
		over(s, false, "refused: its policy is not signed; the old configuration stays in force");
		return;
	}
	s->next_bundle_fd = kept;
	s->reload_kept = true;
	s->reload_again = true; /* checked once the child that is at work is gone */
}

static void
on_plan(struct supervisor *s, struct plan *plan)
{
	const char *restart = plan ? plan_needs_restart(s->plan, plan) : NULL;
	s->next_plan = plan;
	if (plan && plan->end.have_genesis && !s->stopping && !supervisor_policy_is_in_force(plan)) {
		hold(s);
		return;
	}
	if (plan && !plan->end.have_genesis)
		restart = "there is no genesis any more";
	if (plan && !restart && !s->stopping) {
		hand_out(s);
		return;
	}
	drop_next(s);
	s->reload_kept = false;
	over(s, false, restart ? restart : "refused, the old configuration stays in force");
}

void
supervisor_reload(struct supervisor *s)
{
	struct timespec ts;
	if (s->planner || s->next_plan || s->stopping) {
		s->reload_again = !s->stopping;
		return;
	}
	s->reload_again = false;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	notify_send(&s->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	if (!s->reload_deadline)
		s->reload_deadline = evtimer_new(s->base, on_deadline, s);
	int bundle = s->reload_kept ? s->next_bundle_fd : confdir_read(s->opt->config, say_file, s);
	if (bundle < 0 || !s->reload_deadline) {
		s->reload_kept = false;
		over(s, false, "refused, the old configuration stays in force");
		return;
	}
	s->next_bundle_fd = bundle;
	supervisor_plan_start(s, bundle, say, on_plan);
}

void
supervisor_reload_free(struct supervisor *s)
{
	drop_next(s);
	if (s->reload_deadline)
		event_free(s->reload_deadline);
	s->reload_deadline = NULL;
}
