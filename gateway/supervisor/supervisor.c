/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/supervisor.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/confdir.h"
#include "gateway/supervisor/dirs.h"
#include "gateway/supervisor/sockets.h"
#include "gateway/supervisor/supervisor_internal.h"

#define EXIT_REFUSED 1 /* ARCHITECTURE.md section 5: refused */
#define EXIT_COULD_NOT 3

/* ---- reading and checking ---- */

/* Problems at start: for a person at a terminal or in the journal, one a line. */
static void
say(struct supervisor *s, const char *text)
{
	(void)s;
	fprintf(stderr, "%s\n", text);
}

static void
say_file(void *ctx, const char *text)
{
	say(ctx, text);
}

static void
on_plan(struct supervisor *s, struct plan *plan)
{
	s->plan = plan;
	s->planned = true;
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;
	(void)sig;
	(void)what;
	supervisor_plan_reap(s);
	supervisor_role_reap(s);
	supervisor_job_reap(s);
	supervisor_halt_reap(s);
}

static int
make_base(struct supervisor *s, const struct supervisor_options *opt)
{
	*s = (struct supervisor){
	    .opt = opt,
	    .bundle_fd = -1,
	    .next_bundle_fd = -1,
	    .held_fd = -1,
	    .web_listener = -1,
	    .front_listener = -1,
	    .control_sock = -1,
	    .halt_sock = -1,
	    .drop = geteuid() == 0,
	    .operators = (gid_t)-1,
	    .notify = {.fd = -1},
	};
	LIST_INIT(&s->halt_clients);
	LIST_INIT(&s->jobs);
	STAILQ_INIT(&s->log);
	memset(s->listeners, -1, sizeof s->listeners);
	signal(SIGPIPE, SIG_IGN);
	s->base = event_base_new();
	if (!s->base)
		return FG_ENOMEM;
	s->signals[0] = evsignal_new(s->base, SIGCHLD, on_child, s);
	return s->signals[0] && event_add(s->signals[0], NULL) == 0 ? 0 : FG_ENOMEM;
}

static void
plan_now(struct supervisor *s)
{
	s->planned = false;
	supervisor_plan_start(s, s->bundle_fd, say, on_plan);
	while (!s->planned && event_base_loop(s->base, EVLOOP_ONCE) == 0)
		;
	supervisor_plan_free(s);
}

/* Bundle and plan, checked, or EXIT_ status with every problem said. */
static int
load(struct supervisor *s)
{
	s->bundle_fd = confdir_read(s->opt->config, say_file, s);
	if (s->bundle_fd == FG_EINVAL)
		return EXIT_REFUSED;
	if (s->bundle_fd < 0) {
		fprintf(stderr, "%s: %s\n", s->opt->config, err_name(s->bundle_fd));
		return EXIT_COULD_NOT;
	}
	plan_now(s);
	return s->plan ? 0 : EXIT_REFUSED;
}

/*
 * What lies in the folder was not signed: the configuration that was, as it was kept, is taken instead, and control
 * is shown the other. Without one the other stays, and control, which sees that nobody signed it, grants nothing.
 */
static int
take_signed(struct supervisor *s)
{
	if (!s->plan->end.have_genesis || supervisor_policy_is_in_force(s->plan))
		return 0;
	struct plan *held = s->plan;
	int held_fd = s->bundle_fd, kept = supervisor_policy_kept(held);
	if (kept >= 0) {
		s->bundle_fd = kept;
		s->plan = NULL;
		plan_now(s);
	}
	if (kept >= 0 && s->plan && supervisor_policy_is_in_force(s->plan)) {
		oplog(OPLOG_ERR, "INCIDENT: the policy of %s is not signed; the configuration that was stays in force",
		      s->opt->config);
		supervisor_policy_hold(s, held, held_fd);
		return 0;
	}
	if (kept >= 0) {
		close(kept);
		free(s->plan);
	}
	s->plan = held;
	s->bundle_fd = held_fd;
	oplog(OPLOG_ERR, "INCIDENT: the policy of %s is not signed, and the one that was cannot be had: nothing is granted",
	      s->opt->config);
	return 0;
}

static void
free_all(struct supervisor *s)
{
	supervisor_job_free(s);
	supervisor_role_free(s);
	supervisor_plan_free(s);
	supervisor_halt_close(s);
	supervisor_reload_free(s);
	supervisor_watch_end(s);
	supervisor_log_free(s);
	for (size_t i = 0; i < sizeof s->signals / sizeof s->signals[0]; i++)
		if (s->signals[i])
			event_free(s->signals[i]);
	if (s->watchdog)
		event_free(s->watchdog);
	if (s->tickets_due)
		event_free(s->tickets_due);
	tickets_wipe(&s->tickets);
	if (s->base)
		event_base_free(s->base);
	supervisor_role_close_listeners(s);
	if (s->control_sock >= 0)
		close(s->control_sock);
	if (s->bundle_fd >= 0)
		close(s->bundle_fd);
	supervisor_policy_hold(s, NULL, -1);
	notify_close(&s->notify);
	free(s->plan);
}

int
supervisor_check(const struct supervisor_options *opt)
{
	struct supervisor s;
	int status = EXIT_COULD_NOT;
	if (make_base(&s, opt) == 0)
		status = load(&s);
	if (!status && supervisor_boot_identities(&s, say))
		status = EXIT_REFUSED;
	/* Keys belong to a gateway that has been initialised; before that only the text can be right. */
	if (!status && s.plan->end.have_genesis && (supervisor_boot_check(&s, say) || supervisor_try_files(&s, say)))
		status = EXIT_REFUSED;
	if (!status && s.plan->end.have_genesis && !supervisor_policy_is_in_force(s.plan))
		fprintf(stderr, "note: its policy is not the one that people signed last, which would stay in force "
		    "(fotagate policy propose)\n");
	if (!status && !s.plan->end.have_genesis)
		fprintf(
		    stderr,
		    "note: %s/authority/genesis.json is not there yet (fotagate init makes it)\n",
		    s.plan->main.data_dir);
	free_all(&s);
	return status;
}

/* ---- opening ---- */

/* Whoever is in the group may connect; whom the kernel names then, the console passes on with each call. */
static int
open_front(struct supervisor *s, char *why, size_t cap)
{
	const struct msg_plan *p = &s->plan->main;
	if (!p->front_socket[0])
		return 0;
	const struct group *gr = getgrnam(p->front_group);
	if (!gr) {
		snprintf(why, cap, "console.sso.group: the group \"%s\" does not exist", p->front_group);
		return FG_EINVAL;
	}
	int fd = sockets_unix_stream(p->run_dir, p->front_socket, 0660, gr->gr_gid, why, cap);
	if (fd < 0)
		return fd;
	s->front_listener = fd;
	return 0;
}

static int
open_console(struct supervisor *s, struct sockets_activated *given)
{
	const struct msg_plan *p = &s->plan->main;
	char why[MSG_TEXT_MAX];
	if (!p->console_address[0])
		return 0;
	int fd = sockets_take(given, "console", why, sizeof why);
	int r = fd == -1 ? sockets_tcp(p->console_address, p->console_port, &s->web_listener, 1, why, sizeof why) :
	    fd < 0       ? fd : 0;
	if (fd >= 0)
		s->web_listener = fd;
	if (!r)
		r = open_front(s, why, sizeof why);
	if (r)
		fprintf(stderr, "console: %s\n", why);
	return r;
}

static int
open_listeners(struct supervisor *s, struct sockets_activated *given)
{
	char why[MSG_TEXT_MAX];
	for (unsigned i = 0; i < s->plan->listeners_n; i++) {
		const struct msg_plan_listener *l = &s->plan->listeners[i];
		int fd = sockets_take(given, l->name, why, sizeof why), r = fd < 0 ? fd : 0;
		if (fd == -1)
			r = sockets_tcp(l->address, l->port, s->listeners[i], s->plan->main.edges, why, sizeof why);
		else if (fd >= 0)
			s->listeners[i][0] = fd; /* of its one queue all edges take */
		if (r) {
			fprintf(stderr, "listener %s: %s\n", l->name, why);
			return r;
		}
	}
	if (open_console(s, given))
		return FG_EIO;
	for (unsigned i = 0; i < given->n; i++)
		if (given->at[i].fd >= 0)
			oplog(OPLOG_WARNING,
			      "no listener is called \"%.63s\"; the socket of that name is closed",
			      given->at[i].name);
	return 0;
}

static int
open_control_socket(struct supervisor *s)
{
	char why[MSG_TEXT_MAX];
	/*
	 * Open to every user when the gateway has users of its own: control asks the
	 * kernel who calls and judges each request by the groups of roles.*.
	 */
	s->control_sock = sockets_unix(s->plan->main.run_dir, "control.sock", s->drop ? 0666 : 0600,
	    (gid_t)-1, why, sizeof why);
	if (s->control_sock < 0)
		fprintf(stderr, "%s\n", why);
	return s->control_sock < 0 ? s->control_sock : 0;
}

static int
open_folders(struct supervisor *s)
{
	struct dirs_owner owner[MSG_ROLE_LIMIT];
	char why[MSG_TEXT_MAX];
	owner[MSG_ROLE_NONE] = (struct dirs_owner){ geteuid(), getegid() };
	for (unsigned i = 1; i < MSG_ROLE_LIMIT; i++)
		owner[i] = (struct dirs_owner){ s->id[i].uid, s->id[i].gid };
	int r = dirs_prepare(s->plan->main.data_dir, s->plan->main.run_dir, s->drop, owner, why,
			     sizeof why);
	if (r)
		fprintf(stderr, "%s\n", why);
	return r;
}

/* What can be wrong with an installation rather than with its configuration. */
static bool
complete(struct supervisor *s)
{
	if (s->opt->warden_fd < 0 || s->opt->inspect_fd < 0) {
		fprintf(stderr,
			"%s: fotagate-warden and fotagate-inspect must lie beside fotagated\n",
			s->opt->programs_dir);
		return false;
	}
	if (!s->plan->end.have_genesis) {
		fprintf(
		    stderr,
		    "%s/authority/genesis.json is not there: nothing is served before `fotagate "
		    "init`\n",
		    s->plan->main.data_dir);
		return false;
	}
	return supervisor_boot_identities(s, say) == 0 && supervisor_boot_check(s, say) == 0;
}

static int
enter_jail(struct supervisor *s)
{
	char folder[4096], why[256];
	snprintf(folder, sizeof folder, "%s", s->opt->config);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	else
		snprintf(folder, sizeof folder, ".");
	const struct jail_paths paths = { .n = 4, .at = {
		{ .slot = JAIL_SLOT_PROGRAMS, .path = s->opt->programs_dir },
		{ .slot = JAIL_SLOT_DATA, .path = s->plan->main.data_dir },
		{ .slot = JAIL_SLOT_RUN, .path = s->plan->main.run_dir },
		{ .slot = JAIL_SLOT_CONFIG, .path = folder },
	} };
	const struct jail_options opt = { .unsafe_allowed = s->plan->main.unsafe_sandbox };
	struct jail_status status;
	/* A jail is for life: one that lets programs be started by name is only entered where there is one to start. */
	enum jail_role role = plan_has_hook(s->plan) ? JAIL_LAUNCHER : JAIL_SUPERVISOR;
	if (jail_enter(role, &paths, &opt, &status, why, sizeof why)) {
		fprintf(stderr, "the supervisor's jail could not be entered: %s\n", why);
		return FG_ESANDBOX;
	}
	oplog(OPLOG_INFO, "supervisor's jail: %s", status.text);
	return 0;
}

/* ---- running ---- */

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;
	(void)what;
	if (s->stopping) {
		oplog(OPLOG_WARNING, "told twice: everything is killed");
		supervisor_role_kill_all(s);
		return;
	}
	oplog(OPLOG_NOTICE, "stopping on signal %d", (int)sig);
	supervisor_role_stop_all(s);
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	supervisor_reload(arg);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	(void)fd;
	(void)what;
	notify_send(&s->notify, "WATCHDOG=1");
	supervisor_role_after(s->watchdog, s->notify.watchdog_ms);
}

static unsigned
tickets_period(const struct supervisor *s)
{
	return s->opt->tickets_ms ? s->opt->tickets_ms : TICKETS_PERIOD_MS;
}

static void
on_tickets(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	(void)fd;
	(void)what;
	supervisor_boot_tickets(s, false);
	supervisor_role_after(s->tickets_due, tickets_period(s));
}

static int
add_events(struct supervisor *s)
{
	s->signals[1] = evsignal_new(s->base, SIGTERM, on_stop, s);
	s->signals[2] = evsignal_new(s->base, SIGINT, on_stop, s);
	s->signals[3] = evsignal_new(s->base, SIGHUP, on_hup, s);
	for (unsigned i = 1; i < 4; i++)
		if (!s->signals[i] || event_add(s->signals[i], NULL))
			return FG_ENOMEM;
	s->watchdog = evtimer_new(s->base, on_watchdog, s);
	s->tickets_due = evtimer_new(s->base, on_tickets, s);
	if (!s->watchdog || !s->tickets_due || tickets_make(&s->tickets) || supervisor_watch_begin(s))
		return FG_ENOMEM;
	supervisor_role_after(s->tickets_due, tickets_period(s));
	if (s->notify.watchdog_ms > 0)
		supervisor_role_after(s->watchdog, s->notify.watchdog_ms);
	return 0;
}

/* Everything up to the loop. 0 or an EXIT_ status, with the reason said. */
static int
prepare(struct supervisor *s, struct sockets_activated *given)
{
	int status = load(s);
	if (!status)
		status = take_signed(s);
	if (status)
		return status;
	if (!complete(s))
		return EXIT_REFUSED;
	if (open_folders(s) || open_listeners(s, given) || open_control_socket(s) ||
	    supervisor_halt_open(s))
		return EXIT_COULD_NOT;
	haltflag_load(s->plan->main.run_dir, s->plan->main.data_dir, clock_wall_s(s->opt->clock),
		      &s->halt);
	if (s->halt.halted)
		oplog(OPLOG_WARNING, "starting HALTED, since a halt by uid %u", s->halt.by_uid);
	supervisor_boot_machine(s);
	if (enter_jail(s))
		return ROLE_EXIT_SANDBOX;
	supervisor_policy_keep(s->plan, s->bundle_fd);
	if (s->held_plan)
		supervisor_policy_keep(s->held_plan, s->held_fd);
	if (add_events(s) || supervisor_role_make(s))
		return EXIT_COULD_NOT;
	return 0;
}

int
supervisor_run(const struct supervisor_options *opt)
{
	struct supervisor s;
	struct sockets_activated given;
	char why[MSG_TEXT_MAX];
	if (sockets_activation(&given, 3, why, sizeof why)) {
		fprintf(stderr, "%s\n", why);
		return EXIT_REFUSED;
	}
	int status = EXIT_COULD_NOT;
	if (make_base(&s, opt) == 0) {
		notify_open(&s.notify);
		status = prepare(&s, &given);
	}
	sockets_close(&given);
	if (!status) {
		supervisor_role_start_all(&s);
		status = event_base_dispatch(s.base) < 0 ? EXIT_COULD_NOT : s.status;
	}
	if (s.plan && s.control_sock >= 0) {
		char path[MSG_PATH_MAX + 16];
		snprintf(path, sizeof path, "%s/control.sock", s.plan->main.run_dir);
		unlink(path);
	}
	free_all(&s);
	return status;
}
