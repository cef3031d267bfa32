/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/plan.h"

#include "crypto/err.h"

static bool
absolute(const char *path)
{
	return path[0] == '/';
}

static bool
path_or_none(const char *path)
{
	return !path[0] || absolute(path);
}

/* All of it, or none; a socket stays in its folder, and is not one of our own. */
static bool
console_fits(const struct msg_plan *m)
{
	if (!m->console_address[0])
		return !m->console_cert[0] && !m->console_key[0] && !m->front_socket[0] && !m->front_group[0] && !m->front_ca[0];
	return absolute(m->console_cert) && absolute(m->console_key) && path_or_none(m->front_ca) &&
	    !m->front_socket[0] == !m->front_group[0] && m->front_socket[0] != '.' && !strchr(m->front_socket, '/') &&
	    strcmp(m->front_socket, "control.sock") != 0 && strcmp(m->front_socket, "halt.sock") != 0;
}

static int
take_main(struct plan *p, const struct msg_plan *m)
{
	if (p->stage != PLAN_EMPTY || m->edges < 1 || m->edges > PLAN_EDGES_MAX ||
	    m->listeners_n < 1 || !absolute(m->data_dir) || !absolute(m->keys_dir) ||
	    !absolute(m->run_dir) || !absolute(m->anchors_dir) || !console_fits(m))
		return FG_EPEER;
	p->main = *m;
	p->stage = PLAN_LISTENERS;
	return 0;
}

static bool
listener_fits(const struct plan *p, const struct msg_plan_listener *m)
{
	if (m->ordinal != p->listeners_n || !m->name[0] || !m->address[0])
		return false;
	for (unsigned i = 0; i < p->listeners_n; i++)
		if (strcmp(p->listeners[i].name, m->name) == 0)
			return false;
	for (unsigned i = 0; i < 2; i++)
		if (!path_or_none(m->cert[i]) || !path_or_none(m->key[i]) ||
		    !m->cert[i][0] != !m->key[i][0])
			return false;
	return path_or_none(m->client_ca) && path_or_none(m->client_crl) && path_or_none(m->psk) &&
	    m->tls == (m->cert[0][0] != '\0');
}

static int
take_listener(struct plan *p, const struct msg_plan_listener *m)
{
	if (p->stage != PLAN_LISTENERS || !listener_fits(p, m))
		return FG_EPEER;
	p->listeners[p->listeners_n++] = *m;
	if (p->listeners_n == p->main.listeners_n)
		p->stage = PLAN_COMPLETE;
	return 0;
}

/* A name that stays in its folder and is not one of our own secrets. */
static bool
file_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && s[0] != '.' && !strchr(s, '/') &&
	       !(n > 4 && strcmp(s + n - 4, ".key") == 0);
}

static int
take_file(struct plan *p, const struct msg_plan_file *m)
{
	if (p->stage != PLAN_COMPLETE || p->files_n >= PLAN_FILES_MAX || !file_name(m->name) ||
	    (m->kind != MSG_FD_ANCHOR && m->kind != MSG_FD_CA && m->kind != MSG_FD_CREDENTIALS &&
	     m->kind != MSG_FD_RULES && m->kind != MSG_FD_HOOK))
		return FG_EPEER;
	p->files[p->files_n++] = *m;
	return 0;
}

/* Problems of the text come first; that of a genesis that does not fit comes last. */
static int
take_error(struct plan *p)
{
	if ((p->stage != PLAN_EMPTY && p->stage != PLAN_REFUSED && p->stage != PLAN_COMPLETE) ||
	    p->problems >= PLAN_PROBLEMS_MAX)
		return FG_EPEER;
	p->problems++;
	p->stage = PLAN_REFUSED;
	return 0;
}

static int
take_end(struct plan *p, const struct msg_plan_end *m)
{
	bool fits = m->ok ? p->stage == PLAN_COMPLETE && m->problems == 0 :
	    p->stage == PLAN_REFUSED && m->problems >= p->problems;
	if (!fits)
		return FG_EPEER;
	p->end = *m;
	p->ok = m->ok;
	p->stage = PLAN_DONE;
	return 0;
}

int
plan_take(struct plan *p, unsigned type, const void *msg)
{
	switch (type) {
	case MSG_PLAN:
		return take_main(p, msg);
	case MSG_PLAN_LISTENER:
		return take_listener(p, msg);
	case MSG_PLAN_FILE:
		return take_file(p, msg);
	case MSG_PLAN_ERROR:
		return take_error(p);
	case MSG_PLAN_END:
		return take_end(p, msg);
	default:
		return FG_EPEER;
	}
}

static bool
same_listener(const struct msg_plan_listener *a, const struct msg_plan_listener *b)
{
	/* Files are handed over anew: other ones are as good as renewed ones. */
	return strcmp(a->name, b->name) == 0 && strcmp(a->address, b->address) == 0 &&
	    a->port == b->port && a->tls == b->tls;
}

static bool
same_users(const struct msg_plan *a, const struct msg_plan *b)
{
	return strcmp(a->user_edge, b->user_edge) == 0 &&
	    strcmp(a->user_upstream, b->user_upstream) == 0 &&
	    strcmp(a->user_inspect, b->user_inspect) == 0 &&
	    strcmp(a->user_control, b->user_control) == 0 &&
	    strcmp(a->user_warden, b->user_warden) == 0 &&
	    strcmp(a->user_audit, b->user_audit) == 0 &&
	    strcmp(a->user_config, b->user_config) == 0 &&
	    strcmp(a->user_console, b->user_console) == 0 &&
	    strcmp(a->user_hook, b->user_hook) == 0 &&
	    strcmp(a->group_operators, b->group_operators) == 0;
}

bool
plan_has_hook(const struct plan *p)
{
	for (unsigned i = 0; i < p->files_n; i++)
		if (p->files[i].kind == MSG_FD_HOOK)
			return true;
	return false;
}

const char *
plan_needs_restart(const struct plan *now, const struct plan *next)
{
	const struct msg_plan *a = &now->main, *b = &next->main;
	if (now->listeners_n != next->listeners_n)
		return "a changed listener needs a restart";
	for (unsigned i = 0; i < now->listeners_n; i++)
		if (!same_listener(&now->listeners[i], &next->listeners[i]))
			return "a changed listener needs a restart";
	if (strcmp(a->console_address, b->console_address) || a->console_port != b->console_port)
		return "a changed address of the console needs a restart";
	if (strcmp(a->front_socket, b->front_socket) || strcmp(a->front_group, b->front_group))
		return "a changed socket of the console's front needs a restart";
	if (strcmp(a->data_dir, b->data_dir) || strcmp(a->keys_dir, b->keys_dir) ||
	    strcmp(a->run_dir, b->run_dir) || strcmp(a->anchors_dir, b->anchors_dir))
		return "a changed directory needs a restart";
	if (!same_users(a, b))
		return "a changed user or operator group needs a restart";
	if (a->edges != b->edges)
		return "a changed number of edges needs a restart";
	if (a->unsafe_sandbox != b->unsafe_sandbox)
		return "a changed sandbox setting needs a restart";
	if (plan_has_hook(next) && !plan_has_hook(now))
		return "a decision hook where there was none needs a restart: the supervisor's jail lets none be started";
	if (a->demo != b->demo)
		return "a demo cannot become another gateway, nor the other way round";
	return NULL;
}

const char *
plan_user(const struct plan *p, enum msg_role role)
{
	switch (role) {
	case MSG_ROLE_EDGE:
		return p->main.user_edge;
	case MSG_ROLE_UPSTREAM:
		return p->main.user_upstream;
	case MSG_ROLE_INSPECT:
		return p->main.user_inspect;
	case MSG_ROLE_CONTROL:
		return p->main.user_control;
	case MSG_ROLE_WARDEN:
		return p->main.user_warden;
	case MSG_ROLE_AUDIT:
		return p->main.user_audit;
	case MSG_ROLE_CONFIG:
		return p->main.user_config;
	case MSG_ROLE_CONSOLE:
		return p->main.user_console;
	case MSG_ROLE_HOOK:
		return p->main.user_hook;
	default:
		return "";
	}
}
