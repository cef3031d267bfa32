/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/console/console_private.h"

/* ---- boot ---- */

static void
forget(struct console_pem *f)
{
	if (f->p)
		wipe(f->p, f->n);
	free(f->p);
	*f = (struct console_pem){ 0 };
}

/* Only kept here: it is parsed inside the jail. */
static int
slurp(int fd, struct console_pem *f)
{
	uint8_t *p = malloc(CONSOLE_PEM_MAX + 1);
	if (!p)
		return FG_ENOMEM;
	ssize_t n = pread(fd, p, CONSOLE_PEM_MAX + 1, 0);
	if (n < 0 || n > (ssize_t)CONSOLE_PEM_MAX) {
		wipe(p, CONSOLE_PEM_MAX + 1);
		free(p);
		return n < 0 ? FG_EIO : FG_ELIMIT;
	}
	forget(f);
	*f = (struct console_pem){ p, (size_t)n };
	return FG_OK;
}

static int
boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct console *c = ctx;
	int err = FG_EPEER; /* no other role's key, socket or file belongs here */
	(void)r;
	if (what->kind == MSG_FD_WEB_LISTENER && c->listener_fd < 0 && !c->listener) {
		c->listener_fd = fd;
		return FG_OK;
	}
	if (what->kind == MSG_FD_WEB_FRONT && c->front_fd < 0 && !c->listener) {
		c->front_fd = fd;
		return FG_OK;
	}
	if (what->kind == MSG_FD_WEB_CA)
		err = slurp(fd, &c->client_ca);
	if (what->kind == MSG_FD_WEB_CERT)
		err = slurp(fd, &c->cert);
	else if (what->kind == MSG_FD_WEB_KEY)
		err = slurp(fd, &c->key);
	close(fd);
	return err;
}

static int
prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	struct console *c = ctx;
	c->role = r;
	paths->n = 0;
	return FG_OK;
}

/* ---- start ---- */

static int
make_tls(struct console *c, struct tls **ret, char why[TLS_WHY_MAX])
{
	struct tls_config t = {
		.pairs = { { view_of(c->cert.p, c->cert.n), view_of(c->key.p, c->key.n) } },
		.n_pairs = 1,
		.suites = TLS_SUITES_MODERN,
		.peer = c->client_ca.n ? TLS_PEER_OPTIONAL : TLS_PEER_NONE, /* browsers have none */
		.client_ca_pem = view_of(c->client_ca.p, c->client_ca.n),
	};
	if (!c->cert.n || !c->key.n) {
		snprintf(why, TLS_WHY_MAX, "certificate or key was not handed over");
		return FG_ENOTFOUND;
	}
	int err = tls_new(&t, ret, why);
	/* OpenSSL has copies of its own; ours would be a second place to steal a key from. */
	forget(&c->cert);
	forget(&c->key);
	forget(&c->client_ca);
	return err;
}

static void
limits_of(struct net_limits *l)
{
	net_limits_default(l);
	l->conns_max = CONSOLE_CONNS;
	l->source_max = CONSOLE_SOURCE_CONNS;
	l->body_max = CONSOLE_BODY_MAX;
	l->handshake_ms = l->head_ms = CONSOLE_HEAD_MS;
	l->body_ms = CONSOLE_BODY_MS;
	l->idle_ms = CONSOLE_IDLE_MS;
	l->answer_ms = CONSOLE_ANSWER_MS;
	l->stall_ms = CONSOLE_STALL_MS;
}

static int64_t
net_mono(void *ctx)
{
	return clock_mono_ms(ctx);
}

static int64_t
net_wall(void *ctx)
{
	return clock_wall_s(ctx);
}

static void
on_stopped(void *ctx)
{
	struct console *c = ctx;
	role_exit(c->role, 0);
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct console *c = ctx;
	int64_t now = clock_mono_ms(c->clock);
	(void)fd;
	(void)what;
	console_events_tick(c);
	console_front_tick(c);
	if (now < c->tickets_ms)
		return;
	c->tickets_ms = now + CONSOLE_TICKETS_MS;
	if (tls_tickets_forget(c->tls))
		oplog(OPLOG_WARNING, "console: session tickets keep their key: no random numbers");
}

/* By plain HTTP: the kernel says who is there, and nobody on the network is. */
static int
listen_to_front(struct console *c)
{
	struct net_origin origin = { .mode = HTTP_STRICT, .tag = CONSOLE_TAG_FRONT };
	struct listener *unused;
	int err = listener_new_unix(c->net, c->front_fd, &origin, &unused);
	c->front_fd = -1;
	return err;
}

static int
start(void *ctx, struct role *r)
{
	static const struct timeval tick = { CONSOLE_TICK_MS / 1000, CONSOLE_TICK_MS % 1000 * 1000 };
	struct console *c = ctx;
	struct net_limits limits;
	char why[TLS_WHY_MAX] = "";
	if (c->listener_fd < 0)
		return FG_ENOTFOUND;
	int err = make_tls(c, &c->tls, why);
	if (err) {
		oplog(OPLOG_ERR, "console: %s", why[0] ? why : err_name(err));
		return err;
	}
	limits_of(&limits);
	struct net_clock clock = { net_mono, net_wall, (void *)(uintptr_t)c->clock };
	struct net_callbacks callbacks = {
		.on_request = console_on_request,
		.on_body = console_on_body,
		.on_close = console_on_close,
		.on_stopped = on_stopped,
		.ctx = c,
	};
	struct net_origin origin = { .tls = c->tls, .mode = HTTP_STRICT };
	err = net_new(role_base(r), &clock, &limits, &callbacks, &c->net);
	if (!err) {
		net_set_extra(c->net, view_str(console_security));
		net_set_wiping(c->net);
		err = listener_new(c->net, c->listener_fd, &origin, &c->listener);
		c->listener_fd = -1;
	}
	if (!err && c->front_fd >= 0)
		err = listen_to_front(c);
	c->tick = event_new(role_base(r), -1, EV_PERSIST, on_tick, c);
	if (!err && (!c->tick || event_add(c->tick, &tick)))
		err = FG_ENOMEM;
	return err;
}

static void
end(void *ctx)
{
	struct console *c = ctx;
	if (c->net)
		net_free(c->net);
	if (c->tick)
		event_free(c->tick);
	c->net = NULL;
	c->tick = NULL;
}

static void
console_free(struct console *c)
{
	if (c->listener_fd >= 0)
		close(c->listener_fd);
	if (c->front_fd >= 0)
		close(c->front_fd);
	forget(&c->cert);
	forget(&c->key);
	forget(&c->client_ca);
	tls_free(c->tls);
	free(c);
}

/* ---- control ---- */

static void
on_log(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	console_events_log(ctx, ((const struct msg_web_log *)msg)->size);
}

static const struct chan_rule control_rules[] = {
	{ MSG_REPLY, CHAN_ALWAYS, console_on_reply },
	{ MSG_WEB_LOG, CHAN_ALWAYS, on_log },
};
static const struct chan_ops control_ops = { control_rules, sizeof control_rules / sizeof control_rules[0], NULL };

/* When what we listen with ends: control shows it, and opens no file of ours. */
static void
tell_runouts(const struct console *c)
{
	static const enum msg_runout_kind kinds[TLS_RUNOUTS] = { [TLS_RUNOUT_CERT] = MSG_RUNOUT_CERT,
		[TLS_RUNOUT_CLIENT_CA] = MSG_RUNOUT_CLIENT_CA, [TLS_RUNOUT_CRL] = MSG_RUNOUT_CRL };
	struct chan *control = role_peer(c->role, MSG_ROLE_CONTROL, 0);
	struct tls_span spans[TLS_RUNOUTS];
	struct msg_runouts m = { 0 };
	tls_runouts(c->tls, spans);
	for (unsigned k = 0; k < TLS_RUNOUTS; k++)
		if (spans[k].until)
			m.rows[m.rows_n++] = (struct msg_runout){ 0, (uint8_t)kinds[k], spans[k].from, spans[k].until };
	if (control) /* else when it is there */
		chan_send(control, MSG_RUNOUTS, &m, NULL, 0);
}

static void
peer_up(void *ctx, struct chan *chan, enum msg_role peer, unsigned index)
{
	(void)chan;
	(void)peer;
	(void)index;
	tell_runouts(ctx);
}

static void
peer_down(void *ctx, struct chan *chan, enum msg_role peer, unsigned index, int why)
{
	(void)chan;
	(void)peer;
	(void)index;
	(void)why;
	console_ask_lost(ctx);
}

/* ---- supervisor ---- */

/* Nothing of the configuration is ours to read; the certificate may be a new one. */
static int
reload(void *ctx, int bundle_fd, char *ret_why, size_t cap)
{
	struct console *c = ctx;
	char why[TLS_WHY_MAX] = "";
	struct tls *tls = NULL;
	close(bundle_fd);
	int err = make_tls(c, &tls, why);
	if (err) {
		forget(&c->cert);
		forget(&c->key);
		forget(&c->client_ca);
		snprintf(ret_why, cap, "the console keeps its certificate as it was: %s", why[0] ? why : err_name(err));
		return FG_OK;
	}
	listener_set_tls(c->listener, tls);
	tls_free(c->tls);
	c->tls = tls;
	tell_runouts(c);
	return FG_OK;
}

static void
stop(void *ctx, unsigned grace_ms)
{
	struct console *c = ctx;
	c->stopping = true;
	if (!c->net) {
		role_exit(c->role, 0);
		return;
	}
	console_front_tick(c); /* control stops later, and tells the log */
	console_events_end(c);
	net_stop(c->net, grace_ms);
}

/* What it would make of its files; one that has run out is no reason to refuse, browsers say so. */
static int
try_files(void *ctx, struct role *r)
{
	struct console *c = ctx;
	char why[TLS_WHY_MAX] = "";
	int err = make_tls(c, &c->tls, why);
	if (err)
		fprintf(stderr, "console: %s\n", why[0] ? why : err_name(err));
	role_exit(r, err ? ROLE_EXIT_PROBLEMS : 0);
	return FG_OK;
}

static int
run(const struct role_ops *ops, const struct clock_source *clock)
{
	struct console *c = calloc(1, sizeof *c);
	if (!c)
		return ROLE_EXIT_FAILED;
	c->clock = clock;
	c->listener_fd = c->front_fd = -1;
	LIST_INIT(&c->streams);
	int status = role_run(ops, c, clock);
	console_free(c);
	return status;
}

int
console_try_main(const struct clock_source *clock)
{
	static const struct role_ops ops = {
		.role = MSG_ROLE_CONSOLE,
		.jail = JAIL_CONSOLE,
		.boot_fd = boot_fd,
		.prepare = prepare,
		.start = try_files,
		.stop = stop,
	};
	return run(&ops, clock);
}

int
console_main(const struct clock_source *clock)
{
	static const struct role_ops ops = {
		.role = MSG_ROLE_CONSOLE,
		.jail = JAIL_CONSOLE,
		.boot_fd = boot_fd,
		.prepare = prepare,
		.start = start,
		.peers = { [MSG_ROLE_CONTROL] = &control_ops },
		.peer_up = peer_up,
		.peer_down = peer_down,
		.reload = reload,
		.stop = stop,
		.end = end,
	};
	return run(&ops, clock);
}
