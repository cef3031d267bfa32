/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_grants - 10,000 modules ask for the same release in the same moment.
 * Two edges (this program) send all their questions at once, 32 to a message, as
 * edges do; a grant's time ends when its edge hears that it is durable. Audit
 * is the role itself in a process of its own, with its log, tree and jail;
 * control's part runs in another, over a database and 10,000 known modules.
 * The warden, which audit asks first what it remembers, is this program too: it
 * remembers nothing, and vouches for nothing.
 *
 * The peer is a process that takes the same messages over the same channels,
 * appends as many bytes a grant to a file in the same folder and syncs it
 * whenever nothing more is waiting: no hash, no tree, no text. Rounds alternate.
 *
 * Audit lets an edge grant 20,000 at once and then 100 a second, which is not what
 * is measured: each run is of a new audit over a new log, which hears three rounds
 * of 5,000 from each edge, the first of them before the clock counts.
 *
 * "10 ms syncs": every fsync and fdatasync of every process takes that much
 * longer, as on an SD card.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include <event2/event.h>

#include "bench.h"
#include "crypto/err.h"
#include "crypto/witness.h"
#include "gateway/audit/audit.h"
#include "policy/identity.h"
#define people_genesis sample_genesis /* control has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
#include "unit/gateway/control_rig.h"
#include "unit/gateway/role_rig.h"

#define NAME "grants"
#define MODULES 10000u
#define EDGES 2u
#define MESSAGES (MODULES / EDGES / MSG_GRANTS_MAX + 1)
#define RUNS_MAX 25
#define RECORD 312u       /* bytes of a grant in the log, record head included */
#define PEER_BATCH 16384u /* grants */
#define SETTLE_LOOKS 300u /* ten a second */
#define GOAL_P50 15.0     /* ms */
#define GOAL_P99 20.0

/* Set before the children are forked; see __wrap_fdatasync. */
static unsigned sync_ms;

int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

static void
slow_disk(void)
{
	struct timespec t = { .tv_nsec = (long)sync_ms * 1000000 };
	if (sync_ms)
		nanosleep(&t, NULL);
}

int
__wrap_fsync(int fd)
{
	slow_disk();
	return __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	slow_disk();
	return __real_fdatasync(fd);
}

/* ---- the other processes ---- */

struct gate {
	char dir[64];
	struct rig audit;
	int to_audit[EDGES], to_control[EDGES], to_peer[EDGES];
	int asker;  /* on the channel audit has with control: for its head */
	int warden;
	pid_t control, peer;
	uint8_t (*module)[MSG_ID];
};

static int
run_audit(void *ctx)
{
	struct clock_source clock = clock_system();
	(void)ctx;
	return audit_main(&clock);
}

/* Nothing is remembered of this log, and no checkpoint of it can be: it is not asked again. */
static void
be_warden(struct gate *g)
{
	struct msg_cosign_ask ask;
	struct msg_head floor;
	rig_hear(&g->audit, g->warden, MSG_HEAD, &floor);
	for (unsigned i = 0; i < 2; i++) {
		rig_hear(&g->audit, g->warden, MSG_COSIGN_ASK, &ask);
		const struct msg_cosigned m = { .token = ask.token, .err = i ? FG_EIO : FG_OK, .outcome = WITNESS_UNKNOWN };
		rig_say(g->warden, MSG_COSIGNED, &m);
	}
}

/* A log of its own for each run. */
static void
start_audit(struct gate *g, unsigned run)
{
	struct msg_boot boot = { .role = MSG_ROLE_AUDIT, .unsafe_sandbox = true, .edges = EDGES };
	struct person alice = people_make("alice@example.com", 1);
	struct genesis *genesis = sample_genesis((const struct person *const[]){ &alice }, 1, 1);
	struct note_signer signer = people_log_key();
	struct writer key, text;
	struct msg_ready ready;
	char path[96];
	snprintf(path, sizeof path, "%s/%u", g->dir, run);
	if (mkdir(path, 0700))
		bench_fail(path, FG_EIO);
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s/%s", getenv("PWD"), path);
	snprintf(path, sizeof path, "%s/%u/audit", g->dir, run);
	if (mkdir(path, 0700))
		bench_fail(path, FG_EIO);
	rig_start(&g->audit, run_audit, NULL);
	rig_say(g->audit.sup, MSG_BOOT, &boot);
	writer_init(&key, 1024);
	writer_init(&text, GENESIS_BYTES_MAX);
	note_signer_write(&signer, &key);
	assert_int_equal(genesis_encode(genesis, &text), 0);
	rig_give(&g->audit, MSG_FD_LOG_KEY, writer_view(&key));
	rig_give(&g->audit, MSG_FD_GENESIS, writer_view(&text));
	for (unsigned i = 0; i < EDGES; i++)
		g->to_audit[i] = rig_peer(&g->audit, MSG_ROLE_EDGE, i);
	g->asker = rig_peer(&g->audit, MSG_ROLE_CONTROL, 0);
	g->warden = rig_peer(&g->audit, MSG_ROLE_WARDEN, 0);
	rig_say(g->audit.sup, MSG_START, NULL);
	rig_hear(&g->audit, g->audit.sup, MSG_READY, &ready);
	be_warden(g);
	writer_free(&key);
	writer_free(&text);
	free(genesis);
}

static void
end_audit(struct gate *g)
{
	close(g->asker);
	close(g->warden);
	for (unsigned i = 0; i < EDGES; i++)
		close(g->to_audit[i]);
	rig_kill(&g->audit);
}

static void
release_id_of(unsigned round, uint8_t id[MSG_ID])
{
	memset(id, 0, MSG_ID);
	memcpy(id, &round, sizeof round);
	id[MSG_ID - 1] = 1;
}

static void
fill_inventory(struct gate *g, struct control *c)
{
	struct inventory_import *done = calloc(1, sizeof *done);
	struct writer csv;
	writer_init(&csv, 8u << 20);
	writer_text(&csv, "kind,identity,group,product,version\n");
	for (unsigned i = 0; i < MODULES; i++)
		writer_textf(&csv, "serial,BENCH%06u,field,,\n", i);
	int err = inventory_import(c->inventory, writer_view(&csv), "", false, done);
	if (err || done->created != MODULES)
		bench_fail("modules", err);
	g->module = calloc(MODULES, sizeof g->module[0]);
	for (unsigned i = 0; i < MODULES; i++)
		memcpy(g->module[i], inventory_at(c->inventory, i)->pseudonym, MSG_ID);
	writer_free(&csv);
	free(done);
}

static void
open_releases(struct control *c)
{
	for (unsigned i = 0; i < 4 * RUNS_MAX; i++) {
		struct release *r = calloc(1, sizeof *r);
		uint8_t id[MSG_ID];
		release_id_of(i, id);
		r->terms.decision = APPROVAL_APPROVE;
		r->terms.max_devices = MODULES;
		r->terms.not_after = INT64_MAX;
		if (!r || approval_list_add(&r->terms.groups, "field") || grants_release_add(c->grants, id, r, "field", false))
			bench_fail("release", FG_ENOMEM);
		free(r);
	}
}

static void
start_control(struct gate *g)
{
	struct control_rig *r = control_rig_new();
	int ours[EDGES], pair[2];
	fill_inventory(g, &r->c);
	open_releases(&r->c);
	for (unsigned i = 0; i < EDGES; i++) {
		assert_int_equal(wire_pair(pair), 0);
		g->to_control[i] = pair[0];
		ours[i] = pair[1];
	}
	g->control = fork();
	if (g->control == 0) {
		event_reinit(r->c.base);
		for (unsigned i = 0; i < EDGES; i++) {
			close(g->to_control[i]);
			chan_set_peer(chan_new(r->c.base, ours[i], &edges_ops, &r->c), MSG_ROLE_EDGE, i);
		}
		event_base_dispatch(r->c.base);
		_exit(0);
	}
	for (unsigned i = 0; i < EDGES; i++)
		close(ours[i]);
}

/* ---- the peer ---- */

static void
peer_answer(const int *chan, struct msg_grant_appended *owed, size_t n, const uint8_t *to)
{
	for (size_t i = 0; i < n; i++)
		if (msg_send(chan[to[i]], MSG_GRANT_APPENDED, &owed[i], NULL, 0))
			_exit(0);
}

/* Everything that waits, one write, one sync, the answers. */
static void
peer_life(const int *chan, int file)
{
	static struct msg_grant_appended owed[PEER_BATCH / MSG_GRANTS_MAX];
	static uint8_t to[PEER_BATCH / MSG_GRANTS_MAX], bytes[PEER_BATCH * RECORD], buf[WIRE_FRAME_MAX];
	struct msg_grant_append m;
	struct wire_frame f;
	for (;;) {
		struct pollfd p[EDGES];
		size_t n = 0, grants = 0;
		for (unsigned i = 0; i < EDGES; i++)
			p[i] = (struct pollfd){ .fd = chan[i], .events = POLLIN };
		while (poll(p, EDGES, n ? 0 : -1) > 0 && n < PEER_BATCH / MSG_GRANTS_MAX) {
			for (unsigned i = 0; i < EDGES && n < PEER_BATCH / MSG_GRANTS_MAX; i++) {
				if (!p[i].revents)
					continue;
				if (wire_recv(chan[i], buf, &f) || msg_decode(&f, &m, sizeof m))
					_exit(0);
				owed[n].granted_n = m.grants_n;
				for (uint32_t k = 0; k < m.grants_n; k++) {
					owed[n].granted[k] = (struct msg_granted){ .token = m.grants[k].token };
					memcpy(bytes + grants++ * RECORD, &m.grants[k], sizeof m.grants[k]);
				}
				to[n++] = (uint8_t)i;
			}
		}
		if (write(file, bytes, grants * RECORD) != (ssize_t)(grants * RECORD) || fdatasync(file))
			bench_fail("peer", FG_EIO);
		peer_answer(chan, owed, n, to);
	}
}

static void
start_peer(struct gate *g)
{
	int ours[EDGES], pair[2];
	char path[96];
	snprintf(path, sizeof path, "%s/peer", g->dir);
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0)
		bench_fail(path, FG_EIO);
	for (unsigned i = 0; i < EDGES; i++) {
		assert_int_equal(wire_pair(pair), 0);
		g->to_peer[i] = pair[0];
		ours[i] = pair[1];
	}
	g->peer = fork();
	if (g->peer == 0) {
		for (unsigned i = 0; i < EDGES; i++)
			close(g->to_peer[i]);
		peer_life(ours, file);
	}
	close(file);
	for (unsigned i = 0; i < EDGES; i++)
		close(ours[i]);
}

static void
open_gate(struct gate *g)
{
	snprintf(g->dir, sizeof g->dir, "bench-grants-XXXXXX");
	if (!mkdtemp(g->dir))
		bench_fail("mkdtemp in the current directory", FG_EIO);
	start_control(g);
	start_peer(g);
}

static void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
close_gate(struct gate *g)
{
	end_child(g->control);
	end_child(g->peer);
	for (unsigned i = 0; i < EDGES; i++) {
		close(g->to_control[i]);
		close(g->to_peer[i]);
	}
	free(g->module);
}

/* ---- the two edges ---- */

struct line { /* one channel and what is still to be sent over it */
	int fd;
	unsigned type;
	const void *msg;
	size_t msg_n, n, sent;
};

struct stampede {
	struct line ask[EDGES], append[EDGES]; /* an unused line has no fd */
	struct msg_grant_append grants[EDGES][MESSAGES];
	struct msg_grant_ask asks[EDGES][MESSAGES];
	double ms[MODULES];
	unsigned done;
	struct bench_time start;
	uint8_t buf[WIRE_FRAME_MAX];
};

static void
push(struct line *l)
{
	while (l->fd >= 0 && l->sent < l->n) {
		int err = msg_send(l->fd, l->type, (const uint8_t *)l->msg + l->sent * l->msg_n, NULL, 0);
		if (err == FG_EAGAIN)
			return;
		if (err)
			bench_fail("send", err);
		l->sent++;
	}
}

/* Control's yes goes on to audit; nothing is measured there. */
static void
said(struct stampede *s, unsigned edge, const struct msg_grant_say *m)
{
	struct line *to = &s->append[edge];
	struct msg_grant_append *a = &s->grants[edge][to->n++];
	for (uint32_t i = 0; i < m->says_n; i++)
		if (!m->says[i].yes || m->says[i].token != a->grants[i].token)
			bench_fail("control says no", (int)m->says[i].reason);
	push(to);
}

static void
granted(struct stampede *s, const struct msg_grant_appended *m)
{
	double ms = bench_since(s->start).wall * 1e3;
	for (uint32_t i = 0; i < m->granted_n; i++) {
		if (m->granted[i].err)
			bench_fail("a grant", m->granted[i].err);
		s->ms[s->done++] = ms;
	}
}

static void
pull(struct stampede *s, unsigned edge, int fd)
{
	union {
		struct msg_grant_say say;
		struct msg_grant_appended appended;
	} *m = malloc(sizeof *m);
	struct wire_frame f;
	int err = FG_OK;
	while (m && s->done < MODULES && (err = wire_recv(fd, s->buf, &f)) == FG_OK) {
		if (msg_decode(&f, m, msg_size(f.type)))
			bench_fail("answer", FG_EPEER);
		if (f.type == MSG_GRANT_SAY)
			said(s, edge, &m->say);
		else
			granted(s, &m->appended);
	}
	free(m);
	if (err && err != FG_EAGAIN)
		bench_fail("channel", err);
}

static struct line
line_to(int fd, unsigned type, const void *msg, size_t msg_n, size_t n)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return (struct line){ .fd = fd, .type = type, .msg = msg, .msg_n = msg_n, .n = n };
}

static void
prepare(struct stampede *s, struct gate *g, unsigned round, const int *audit, bool control)
{
	uint8_t release[MSG_ID];
	memset(s, 0, sizeof *s);
	release_id_of(round, release);
	for (unsigned i = 0; i < MODULES; i++) {
		unsigned edge = i % EDGES, at = i / EDGES;
		struct msg_grant_append *a = &s->grants[edge][at / MSG_GRANTS_MAX];
		struct msg_grant_ask *q = &s->asks[edge][at / MSG_GRANTS_MAX];
		struct msg_grant one = { .token = i + 1 };
		memcpy(one.module, g->module[i], MSG_ID);
		memcpy(one.release, release, MSG_ID);
		a->grants[a->grants_n++] = one;
		struct msg_ask *ask = &q->asks[q->asks_n++];
		ask->token = one.token;
		memcpy(ask->module, one.module, MSG_ID);
		memcpy(ask->release, one.release, MSG_ID);
	}
	for (unsigned e = 0; e < EDGES; e++) {
		size_t n = (MODULES / EDGES + MSG_GRANTS_MAX - 1) / MSG_GRANTS_MAX;
		s->ask[e].fd = -1;
		if (control)
			s->ask[e] = line_to(g->to_control[e], MSG_GRANT_ASK, s->asks[e], sizeof s->asks[0][0], n);
		s->append[e] = line_to(audit[e], MSG_GRANT_APPEND, s->grants[e], sizeof s->grants[0][0], control ? 0 : n);
	}
}

static void
run(struct stampede *s)
{
	s->start = bench_now();
	for (unsigned e = 0; e < EDGES; e++) {
		push(&s->ask[e]);
		push(&s->append[e]);
	}
	while (s->done < MODULES) {
		struct pollfd p[2 * EDGES];
		for (unsigned e = 0; e < EDGES; e++) {
			const struct line *l[2] = { &s->ask[e], &s->append[e] };
			for (unsigned k = 0; k < 2; k++)
				p[2 * e + k] = (struct pollfd){ .fd = l[k]->fd,
					.events = (short)(POLLIN | (l[k]->sent < l[k]->n ? POLLOUT : 0)) };
		}
		if (poll(p, 2 * EDGES, 60000) <= 0)
			bench_fail("no answer", FG_EAGAIN);
		for (unsigned i = 0; i < 2 * EDGES; i++) {
			struct line *l = i % 2 ? &s->append[i / 2] : &s->ask[i / 2];
			if (p[i].revents & POLLOUT)
				push(l);
			if (p[i].revents & POLLIN)
				pull(s, i / 2, l->fd);
		}
	}
}

/* ---- figures ---- */

struct figures {
	double p50[RUNS_MAX], p99[RUNS_MAX];
};

/* Tiles and checkpoint of the round before are written: they come later, and would be waited for in the next. */
static void
settle(struct gate *g)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct msg_head head;
	unsigned looks = 0;
	do {
		if (looks++ == SETTLE_LOOKS)
			bench_fail("the log is not published", FG_EAGAIN);
		nanosleep(&pause, NULL);
		rig_say(g->asker, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = 1 });
		rig_hear(&g->audit, g->asker, MSG_HEAD, &head);
	} while (head.published < head.size);
}

static void
one_run(struct figures *f, unsigned i, struct stampede *s, struct gate *g, unsigned round, const int *audit,
    bool control)
{
	prepare(s, g, round, audit, control);
	settle(g);
	run(s);
	f->p50[i] = (bench_median(s->ms, MODULES), s->ms[MODULES / 2]); /* sorted by it */
	f->p99[i] = s->ms[MODULES / 100 * 99];
}

static void
report(const char *what, const char *disk, struct figures *f, struct figures *peer, unsigned runs)
{
	char text[96];
	double p50 = bench_median(f->p50, runs), p99 = bench_median(f->p99, runs);
	double peer50 = bench_median(peer->p50, runs), peer99 = bench_median(peer->p99, runs);
	snprintf(text, sizeof text, "10,000 at once, %s%s: p50", what, disk);
	bench_goal(NAME, text, "at most 15 ms", p50 <= GOAL_P50, "%.1f ms (%.2fx the peer's %.1f)", p50, p50 / peer50, peer50);
	snprintf(text, sizeof text, "10,000 at once, %s%s: p99", what, disk);
	bench_goal(NAME, text, "at most 20 ms", p99 <= GOAL_P99, "%.1f ms (%.2fx the peer's %.1f)", p99, p99 / peer99, peer99);
}

static void
measure(unsigned delay_ms, const char *disk)
{
	static struct figures audit, control, peer;
	struct stampede *s = malloc(sizeof *s);
	struct gate g = { 0 };
	unsigned runs = bench_runs(), round = 0;
	sync_ms = delay_ms;
	open_gate(&g);
	if (!s)
		bench_fail("memory", FG_ENOMEM);
	for (unsigned i = 0; i < runs; i++) {
		start_audit(&g, i);
		one_run(&peer, i, s, &g, round++, g.to_audit, true); /* caches fill: not what is measured */
		one_run(&peer, i, s, &g, round, g.to_peer, false);
		one_run(&audit, i, s, &g, round++, g.to_audit, false);
		one_run(&control, i, s, &g, round++, g.to_audit, true);
		end_audit(&g);
	}
	report("through audit", disk, &audit, &peer, runs);
	report("through control and audit", disk, &control, &peer, runs);
	close_gate(&g);
	free(s);
}

int
main(void)
{
	measure(0, "");
	measure(10, ", 10 ms syncs");
	return 0; /* tests/bench/run removes the folder */
}
