/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/config_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/genesis.h"
#include "gateway/role/bundle.h"
#include "gateway/role/role.h"
#include "gateway/supervisor/plan.h"
#include "policy/config.h"
#include "policy/policy_bundle.h"

struct child {
	uint8_t *buf;
	struct msg_boot boot;
	struct bundle *bundle;
	struct config *config;
	struct config_problems *problems;
	struct genesis *genesis;
	struct msg_plan_end end;
	unsigned said; /* problems */
};

/* ---- talking: blocking, one partner ---- */

static int
wait_for(short events)
{
	struct pollfd p = { .fd = ROLE_FD, .events = events };
	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return FG_EIO;
	return 0;
}

static int
say(unsigned type, const void *msg)
{
	for (;;) {
		int r = msg_send(ROLE_FD, type, msg, NULL, 0);
		if (r != FG_EAGAIN)
			return r;
		r = wait_for(POLLOUT);
		if (r)
			return r;
	}
}

static int
hear(struct child *c, struct wire_frame *frame)
{
	for (;;) {
		int r = wire_recv(ROLE_FD, c->buf, frame);
		if (r != FG_EAGAIN)
			return r;
		r = wait_for(POLLIN);
		if (r)
			return r;
	}
}

static int __attribute__((format(printf, 2, 3)))
problem(struct child *c, const char *fmt, ...)
{
	struct msg_plan_error m = { 0 };
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(m.text, sizeof m.text, fmt, ap);
	va_end(ap);
	c->said++;
	return say(MSG_PLAN_ERROR, &m);
}

/* ---- boot ---- */

/* BOOT and the bundle; then the jail is closed, before the first byte is looked at. */
static int
boot(struct child *c, int *ret_bundle)
{
	struct wire_frame frame;
	struct msg_boot_fd what;
	struct jail_status status;
	char why[256];
	int r = hear(c, &frame);
	if (!r && (frame.type != MSG_BOOT || msg_decode(&frame, &c->boot, sizeof c->boot) ||
		      c->boot.role != MSG_ROLE_CONFIG))
		r = FG_EPEER;
	if (!r)
		r = hear(c, &frame);
	if (!r && (frame.type != MSG_BOOT_FD || msg_decode(&frame, &what, sizeof what) ||
		      what.kind != MSG_FD_BUNDLE)) {
		wire_close_fds(&frame);
		r = FG_EPEER;
	}
	if (r)
		return r;
	*ret_bundle = wire_take_fd(&frame, 0);
	const struct jail_options opt = {
	    .drop = c->boot.drop,
	    .uid = c->boot.uid,
	    .gid = c->boot.gid,
	    .new_netns = c->boot.drop,
	    .unsafe_allowed = c->boot.unsafe_sandbox,
	};
	if (jail_enter(JAIL_CONFIG, NULL, &opt, &status, why, sizeof why) == 0)
		return 0;
	oplog(OPLOG_ERR, "the jail could not be entered: %s", why);
	return FG_ESANDBOX;
}

/* ---- text to plan ---- */

static int
parse(struct child *c)
{
	unsigned n;
	const struct bundle_file *files = bundle_files(c->bundle, &n);
	struct config_file *list = calloc(n, sizeof *list);
	if (!list)
		return FG_ENOMEM;
	for (unsigned i = 0; i < n; i++)
		list[i] = (struct config_file){ .name = files[i].name, .text = files[i].text };
	int r = config_parse(list, n, &c->config, c->problems);
	free(list);
	if (r != FG_EFORMAT)
		return r;
	for (unsigned i = 0; i < c->problems->n; i++) {
		const struct config_problem *p = &c->problems->at[i];
		r = p->line ? problem(c, "%s:%u: %s", p->file, p->line, p->text) :
		    problem(c, "%s: %s", p->file, p->text);
		if (r < 0)
			return r;
	}
	return c->problems->more ? problem(c, "and %u more problems", c->problems->more) : 0;
}

static void
name(char *dst, size_t cap, const char *src)
{
	snprintf(dst, cap, "%s", src); /* the schema's maximum is below every one of ours */
}

/* dir/file, or "" for none; false when it does not fit. */
static bool
below(char dst[MSG_PATH_MAX], const char *dir, const char *file)
{
	if (!file[0])
		return true;
	int n = snprintf(dst, MSG_PATH_MAX, "%s/%s", dir, file);
	return n > 0 && n < MSG_PATH_MAX;
}

/* False when a name does not fit. */
static bool
console(const struct config *f, struct msg_plan *m)
{
	if (!f->console.address[0])
		return true;
	name(m->console_address, sizeof m->console_address, f->console.address);
	m->console_port = (uint16_t)f->console.port;
	name(m->front_socket, sizeof m->front_socket, f->console.sso.socket);
	name(m->front_group, sizeof m->front_group, f->console.sso.group);
	return below(m->console_cert, f->keys_dir, f->console.cert) && below(m->console_key, f->keys_dir, f->console.key) &&
	    below(m->front_ca, f->keys_dir, f->console.sso.client_ca);
}

static int
send_main(const struct config *f)
{
	struct msg_plan m = {
		.edges = (uint32_t)f->edges,
		.stop_ms = (uint32_t)(f->limits.stop_seconds * 1000),
		.demo = f->demo,
		.unsafe_sandbox = f->allow_running_without_sandbox,
		.listeners_n = f->listeners_n,
	};
	name(m.data_dir, sizeof m.data_dir, f->data_dir);
	name(m.keys_dir, sizeof m.keys_dir, f->keys_dir);
	name(m.run_dir, sizeof m.run_dir, f->run_dir);
	snprintf(m.anchors_dir, sizeof m.anchors_dir, "%s/anchors", f->keys_dir);
	name(m.user_edge, sizeof m.user_edge, f->users.edge);
	name(m.user_upstream, sizeof m.user_upstream, f->users.upstream);
	name(m.user_inspect, sizeof m.user_inspect, f->users.inspect);
	name(m.user_control, sizeof m.user_control, f->users.control);
	name(m.user_warden, sizeof m.user_warden, f->users.warden);
	name(m.user_audit, sizeof m.user_audit, f->users.audit);
	name(m.user_config, sizeof m.user_config, f->users.config);
	name(m.user_console, sizeof m.user_console, f->users.console);
	name(m.user_hook, sizeof m.user_hook, f->users.hook);
	name(m.group_operators, sizeof m.group_operators, f->roles.operator);
	(void)console(f, &m); /* that it does not fit was said before */
	return say(MSG_PLAN, &m);
}

/* The addresses, so that what does not fit a message is a problem and not a cut name. */
static int
listener(struct child *c, unsigned i, bool send)
{
	const struct config_listener *l = &c->config->listeners[i];
	const char *dir = c->config->keys_dir;
	struct msg_plan_listener m = {
		.ordinal = (uint16_t)i, .port = (uint16_t)l->port, .tls = l->tls,
	};
	name(m.name, sizeof m.name, l->name);
	name(m.address, sizeof m.address, l->address);
	bool fits = below(m.cert[0], dir, l->cert) && below(m.key[0], dir, l->key) &&
	    below(m.cert[1], dir, l->second_cert) && below(m.key[1], dir, l->second_key) &&
	    below(m.client_ca, dir, l->client_ca) && below(m.client_crl, dir, l->client_crl) &&
	    below(m.psk, dir, l->psk);
	if (send)
		return say(MSG_PLAN_LISTENER, &m);
	return fits ? 0
		    : problem(
			  c,
			  "listener %s: keys_dir and a file name together are longer than %d bytes",
			  l->name, MSG_PATH_MAX - 1);
}

struct file_list {
	unsigned n;
	struct msg_plan_file at[PLAN_FILES_MAX];
};

/* Each file once, however many profiles name it. */
static bool
add_file(struct file_list *list, enum msg_boot_kind kind, const char *file)
{
	if (!file[0])
		return true;
	for (unsigned i = 0; i < list->n; i++)
		if (list->at[i].kind == kind && strcmp(list->at[i].name, file) == 0)
			return true;
	if (list->n == PLAN_FILES_MAX)
		return false;
	struct msg_plan_file *f = &list->at[list->n++];
	f->kind = (uint8_t)kind;
	name(f->name, sizeof f->name, file);
	return true;
}

static bool
collect_files(const struct config *f, struct file_list *list)
{
	bool fits = add_file(list, MSG_FD_RULES, f->inspect.yara_rules) && add_file(list, MSG_FD_HOOK, f->hook.program);
	for (size_t i = 0; i < f->profiles_n; i++) {
		const struct profile *p = &f->profiles[i];
		fits = fits && add_file(list, MSG_FD_CA, p->upstream_options.ca_file);
		fits = fits && add_file(list, MSG_FD_CREDENTIALS, p->upstream_options.credentials_file);
		for (unsigned k = 0; k < p->signature.anchors_n; k++)
			fits = fits && add_file(list, MSG_FD_ANCHOR, p->signature.anchors[k]);
	}
	return fits;
}

static int
send_plan(struct child *c)
{
	struct file_list *files = calloc(1, sizeof *files);
	int r = files ? 0 : FG_ENOMEM;
	if (!r && !collect_files(c->config, files))
		r = problem(c, "the profiles name more than %d anchor and CA files",
			    PLAN_FILES_MAX);
	for (unsigned i = 0; !r && i < c->config->listeners_n; i++)
		r = listener(c, i, false);
	if (!r && !console(c->config, &(struct msg_plan){ 0 }))
		r = problem(c, "console: keys_dir and a file name together are longer than %d bytes", MSG_PATH_MAX - 1);
	if (!r && !c->said)
		r = send_main(c->config);
	for (unsigned i = 0; !r && !c->said && i < c->config->listeners_n; i++)
		r = listener(c, i, true);
	for (unsigned i = 0; !r && !c->said && i < files->n; i++)
		r = say(MSG_PLAN_FILE, &files->at[i]);
	free(files);
	return r;
}

/* ---- genesis ---- */

static int
read_genesis(struct child *c, int fd, char *why, size_t cap)
{
	uint8_t *text = malloc(GENESIS_BYTES_MAX + 1);
	c->genesis = calloc(1, sizeof *c->genesis);
	if (!text || !c->genesis) {
		free(text);
		return FG_ENOMEM;
	}
	size_t n = 0;
	ssize_t got;
	while (n <= GENESIS_BYTES_MAX &&
	    (got = pread(fd, text + n, GENESIS_BYTES_MAX + 1 - n, (off_t)n)) > 0)
		n += (size_t)got;
	int r = FG_EFORMAT;
	if (n > GENESIS_BYTES_MAX)
		snprintf(why, cap, "larger than any genesis");
	else
		r = genesis_parse(view_of(text, n), c->genesis, why, cap);
	free(text);
	return r;
}

static int
check_genesis(struct child *c, int fd)
{
	char why[256] = "";
	int r = read_genesis(c, fd, why, sizeof why);
	if (r == FG_ENOMEM)
		return r;
	if (r)
		return problem(c, "genesis.json: %s", why[0] ? why : err_name(r));
	if (c->genesis->demo != c->config->demo)
		return problem(c, c->genesis->demo
				      ? "genesis.json: its keys are a demonstration's; without "
					"\"demo = true;\" they are refused, "
					"and they can never become another gateway's"
				      : "fotagate.conf: \"demo = true;\", but the genesis is not a "
					"demonstration's");
	c->end.have_genesis = true;
	c->end.signed_policy = c->genesis->signed_policy;
	if (c->end.signed_policy) {
		memcpy(c->end.first, c->genesis->policy.config, sizeof c->end.first);
		r = policy_bundle_config(c->config, c->end.policy);
		if (r)
			return r;
	}
	memcpy(c->end.instance, c->genesis->instance, sizeof c->end.instance);
	name(c->end.origin, sizeof c->end.origin, c->genesis->origin);
	return 0;
}

static int
hear_genesis(struct child *c)
{
	for (;;) {
		struct wire_frame frame;
		struct msg_boot_fd what;
		int r = hear(c, &frame);
		if (r)
			return r;
		if (frame.type == MSG_START)
			return msg_decode(&frame, NULL, 0);
		if (frame.type != MSG_BOOT_FD || msg_decode(&frame, &what, sizeof what) ||
		    what.kind != MSG_FD_GENESIS || c->genesis)
			r = FG_EPEER;
		else
			r = check_genesis(c, frame.fds[0]);
		wire_close_fds(&frame);
		if (r)
			return r;
	}
}

static int
run(struct child *c)
{
	int fd = -1;
	int r = boot(c, &fd);
	if (!r)
		r = bundle_open(fd, &c->bundle);
	if (fd >= 0)
		close(fd);
	if (!r)
		r = parse(c);
	if (!r && !c->said)
		r = send_plan(c);
	if (!r && !c->said)
		r = hear_genesis(c);
	if (r)
		return r;
	c->end.ok = c->said == 0;
	c->end.problems = c->said;
	return say(MSG_PLAN_END, &c->end);
}

int
config_child_main(void)
{
	struct child c = {.buf = malloc(WIRE_FRAME_MAX), .problems = calloc(1, sizeof *c.problems)};
	int r = c.buf && c.problems ? run(&c) : FG_ENOMEM;
	if (r && r != FG_ESANDBOX)
		oplog(OPLOG_ERR, "config: %s", err_name(r));
	config_free(c.config);
	bundle_free(c.bundle);
	free(c.genesis);
	free(c.problems);
	free(c.buf);
	return r == FG_ESANDBOX ? ROLE_EXIT_SANDBOX : r ? ROLE_EXIT_FAILED : 0;
}
