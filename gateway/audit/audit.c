/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/audit/granted.h"
#include "gateway/audit/ledger.h"
#include "gateway/audit/rights.h"
#include "gateway/role/role.h"

#define AUDIT_WAITERS_MAX 8192   /* acknowledgements owed for one batch: grants are many to a message */
#define AUDIT_PUBLISH_S 1        /* a checkpoint at least this often while entries come */
#define AUDIT_KEY_MAX 512

struct waiter { /* an acknowledgement owed after the next commit */
	struct chan *to;
	bool grant;
	uint64_t token;
	uint64_t index;
	uint8_t leaf[DIGEST_SHA256_LEN];
};

struct audit {
	struct role *role;
	const struct clock_source *clock;
	char dir[MSG_PATH_MAX + 8];
	int waldir, logdir;
	uint8_t *key_text;
	size_t key_n;
	struct note_signer key;
	uint8_t *genesis;
	size_t genesis_n;
	enum entry_clk clk;
	char host[32];
	struct ledger *ledger;
	struct ledger_opened opened;
	struct granted *granted;
	struct waiter *waiting;
	size_t waiting_n;
	struct event commit;  /* runs after every channel that had something was read */
	struct event publish;
	bool failed;
	bool forgetful; /* a grant of the log could not be remembered: idempotence cannot be promised */
};

/* ---- writing entries ---- */

static void
source_name(const struct audit *a, const struct chan *from, char *dst, size_t cap)
{
	enum msg_role role = from ? chan_peer_role(from) : MSG_ROLE_AUDIT;
	if (role == MSG_ROLE_EDGE)
		snprintf(dst, cap, "%s/edge%u", a->host, chan_peer_index(from));
	else
		snprintf(dst, cap, "%s/%s", a->host, msg_role_name(role));
}

static void
fail(struct audit *a, const char *what, int err)
{
	if (a->failed)
		return;
	a->failed = true;
	oplog(OPLOG_ERR, "the log could not be written (%s: %s, %s): nothing is permitted until it can", what,
	    err_name(err), strerror(errno));
	role_exit(a->role, ROLE_EXIT_FAILED);
}

/* The log is in order and this process could write it so far. */
static bool
usable(const struct audit *a)
{
	return !a->failed && a->opened.state == MSG_LOG_OPEN_OK;
}

static void run_commit(struct audit *a);

/* Puts one entry into the batch. FG_EINVAL: the source sent what no entry may hold. */
static int
put(struct audit *a, const struct chan *from, struct entry *e, uint64_t *ret_index, uint8_t leaf[DIGEST_SHA256_LEN])
{
	char src[64];
	struct writer line;
	if (!usable(a))
		return FG_EIO;
	source_name(a, from, src, sizeof src);
	e->t_us = clock_wall_us(a->clock);
	e->clk = a->clk;
	e->src = view_str(src);
	e->seq = ledger_next(a->ledger);
	writer_init(&line, MSG_ENTRY_MAX); /* so that any entry fits the message that proves it */
	int err = entry_encode(e, &line, NULL);
	if (!err)
		err = ledger_put(a->ledger, writer_view(&line), leaf);
	if (err == FG_ELIMIT && line.n) {
		/* The batch is full: make it durable and begin the next. */
		run_commit(a);
		err = a->failed ? FG_EIO : ledger_put(a->ledger, writer_view(&line), leaf);
	}
	writer_free(&line);
	if (!err)
		*ret_index = e->seq;
	else if (err != FG_EINVAL && err != FG_ELIMIT)
		fail(a, "put", err);
	return err;
}

/* One of audit's own. */
static int
put_own(struct audit *a, enum entry_event ev, struct view msg, struct view doc)
{
	struct entry e = {
		.ev = ev,
		.sev = entry_event_severity(ev),
		.out = view_str("ok"),
		.act = view_str("audit"),
		.msg = msg,
		.doc = doc,
	};
	uint64_t index;
	uint8_t leaf[DIGEST_SHA256_LEN];
	return put(a, NULL, &e, &index, leaf);
}

/* ---- group commit ---- */

static void
acknowledge(struct audit *a, int err)
{
	struct msg_grant_appended batch = { 0 };
	for (size_t i = 0; i < a->waiting_n; i++) {
		const struct waiter *w = &a->waiting[i];
		if (!w->to)
			continue;
		if (!w->grant) {
			struct msg_appended m = { .token = w->token, .err = err, .index = w->index };
			memcpy(m.leaf, w->leaf, sizeof m.leaf);
			chan_send(w->to, MSG_APPENDED, &m, NULL, 0);
			continue;
		}
		batch.granted[batch.granted_n++] = (struct msg_granted){ w->token, err, w->index };
		bool last = i + 1 == a->waiting_n || !a->waiting[i + 1].grant || a->waiting[i + 1].to != w->to;
		if (last || batch.granted_n == MSG_GRANTS_MAX) {
			chan_send(w->to, MSG_GRANT_APPENDED, &batch, NULL, 0);
			batch = (struct msg_grant_appended){ 0 };
		}
	}
	a->waiting_n = 0;
}

static void
run_commit(struct audit *a)
{
	int err = usable(a) ? ledger_commit(a->ledger) : FG_EIO;
	if (err && usable(a))
		fail(a, "commit", err);
	acknowledge(a, err);
	if (!err && ledger_is_due(a->ledger) && (err = ledger_publish(a->ledger)))
		fail(a, "publish", err);
}

static void
on_commit(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	run_commit(ctx);
}

static void
on_publish(evutil_socket_t fd, short what, void *ctx)
{
	struct audit *a = ctx;
	(void)fd;
	(void)what;
	if (!usable(a))
		return;
	int err = ledger_publish(a->ledger);
	if (err)
		fail(a, "publish", err);
}

static struct waiter *
wait_for(struct audit *a, struct chan *c)
{
	if (a->waiting_n == AUDIT_WAITERS_MAX)
		run_commit(a);
	struct waiter *w = &a->waiting[a->waiting_n++];
	*w = (struct waiter){ .to = c };
	/* Last in the queue: the loop runs it after the channels that are readable now. */
	event_active(&a->commit, EV_TIMEOUT, 0);
	return w;
}

/* ---- messages ---- */

static void
refuse_append(struct chan *c, uint64_t token, int err)
{
	struct msg_appended m = { .token = token, .err = err };
	if (token)
		chan_send(c, MSG_APPENDED, &m, NULL, 0);
}

static void
on_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_append *m = msg;
	struct entry e = {
		.ev = (enum entry_event)m->event,
		.sev = m->severity & 7,
		.out = view_str(m->out),
		.act = view_str(m->act),
		.obj = view_str(m->obj),
		.have_dev = m->have_dev,
		.refs = m->refs_n,
		.doc = m->doc,
		.msg = view_str(m->msg),
	};
	uint64_t index;
	uint8_t leaf[DIGEST_SHA256_LEN];
	(void)frame;
	if (!rights_may_append(chan_peer_role(c), e.ev)) {
		oplog(OPLOG_ERR, "%s may not append %s", msg_role_name(chan_peer_role(c)), entry_event_name(e.ev));
		refuse_append(c, m->token, FG_EPERM);
		return;
	}
	memcpy(e.dev, m->dev, sizeof e.dev);
	for (uint32_t i = 0; i < m->refs_n; i++) {
		const struct msg_ref *r = &m->refs[i];
		e.ref[i] = (struct entry_ref){ view_str(r->key), r->is_number, r->number, view_str(r->text) };
	}
	int err = put(a, c, &e, &index, leaf);
	if (err) {
		if (usable(a)) /* else it has been said, once */
			oplog(OPLOG_ERR, "%s of %s was not appended: %s", entry_event_name(e.ev),
			    msg_role_name(chan_peer_role(c)), err_name(err));
		refuse_append(c, m->token, err);
		return;
	}
	struct waiter *w = wait_for(a, m->token ? c : NULL);
	w->token = m->token;
	w->index = index;
	memcpy(w->leaf, leaf, sizeof w->leaf);
}

/*
 * Remembered as soon as it is in the batch: an identical one that comes before
 * the commit waits for the same entry. Should the commit fail, nobody is told yes.
 */
static int
put_grant(struct audit *a, struct chan *c, const struct msg_grant *g, uint64_t generation, uint64_t *ret_index)
{
	char release[2 * MSG_ID + 16], hex[2 * MSG_ID + 1];
	uint8_t leaf[DIGEST_SHA256_LEN];
	hex_encode(g->release, MSG_ID, hex);
	snprintf(release, sizeof release, "release:%s", hex);
	struct entry e = {
		.ev = ENTRY_DEVICE_GRANT,
		.sev = entry_event_severity(ENTRY_DEVICE_GRANT),
		.out = view_str("ok"),
		.obj = view_str(release),
		.have_dev = true,
		.refs = 1,
	};
	memcpy(e.dev, g->module, sizeof e.dev);
	e.ref[0] = (struct entry_ref){ view_str("table"), true, generation, { 0 } };
	int err = granted_room(a->granted);
	if (!err)
		err = put(a, c, &e, ret_index, leaf);
	return err ? err : granted_add(a->granted, g->module, g->release, *ret_index);
}

static void
on_grant_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_grant_append *m = msg;
	(void)frame;
	for (uint32_t i = 0; i < m->grants_n; i++) {
		const struct msg_grant *g = &m->grants[i];
		uint64_t index = 0;
		int err = usable(a) ? FG_OK : FG_EIO;
		if (!err && !granted_find(a->granted, g->module, g->release, &index))
			err = put_grant(a, c, g, m->generation, &index);
		if (err) {
			struct msg_grant_appended no = { .granted_n = 1, .granted = { { g->token, err, 0 } } };
			chan_send(c, MSG_GRANT_APPENDED, &no, NULL, 0);
			continue;
		}
		struct waiter *w = wait_for(a, c);
		w->grant = true;
		w->token = g->token;
		w->index = index;
	}
}

static void
on_head_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_head_ask *ask = msg;
	struct msg_head m = { .token = ask->token, .state = (uint8_t)a->opened.state };
	(void)frame;
	if (a->failed)
		m.state = MSG_LOG_FAILED;
	if (a->ledger) {
		struct view note = ledger_checkpoint(a->ledger);
		m.size = ledger_size(a->ledger);
		m.published = ledger_published(a->ledger);
		if (ledger_root(a->ledger, m.root))
			m.state = MSG_LOG_FAILED;
		snprintf(m.checkpoint, sizeof m.checkpoint, "%.*s", (int)note.n, note.p ? (const char *)note.p : "");
	}
	chan_send(c, MSG_HEAD, &m, NULL, 0);
}

static void
on_root_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_root_ask *ask = msg;
	struct msg_root m = { .token = ask->token, .size = ask->size };
	(void)frame;
	m.err = a->failed ? FG_EIO : ledger_root_at(a->ledger, ask->size, m.root);
	chan_send(c, MSG_ROOT, &m, NULL, 0);
}

static void
on_log_open(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_log_open *ask = msg;
	struct msg_log_opened m = { .token = ask->token };
	(void)frame;
	int fd = ledger_file(a->ledger, ask->name);
	m.err = fd < 0 ? fd : FG_OK;
	chan_send(c, MSG_LOG_OPENED, &m, &fd, fd < 0 ? 0 : 1);
	if (fd >= 0)
		close(fd);
}

static void
on_proof_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_proof_ask *ask = msg;
	struct msg_proof m = { .token = ask->token };
	struct writer receipt, entry;
	(void)frame;
	writer_init(&receipt, sizeof m.receipt - 1);
	writer_init(&entry, ENTRY_MAX);
	m.err = ledger_receipt(a->ledger, ask->index, &receipt, &entry);
	if (!m.err && entry.n > MSG_ENTRY_MAX)
		m.err = FG_ELIMIT; /* none of ours */
	if (!m.err) {
		memcpy(m.receipt, receipt.p, receipt.n);
		m.entry = writer_view(&entry);
	}
	chan_send(c, MSG_PROOF, &m, NULL, 0);
	writer_free(&receipt);
	writer_free(&entry);
}

/* ---- the role ---- */

static int
read_all(int fd, size_t max, uint8_t **ret, size_t *ret_n)
{
	uint8_t *p = malloc(max + 1);
	if (!p)
		return FG_ENOMEM;
	ssize_t n = pread(fd, p, max + 1, 0);
	if (n < 0 || (size_t)n > max) {
		free(p);
		return n < 0 ? FG_EIO : FG_ELIMIT;
	}
	*ret = p;
	*ret_n = (size_t)n;
	return FG_OK;
}

/* Kept as bytes: nothing is parsed outside the jail. After the start nobody may change them. */
static int
on_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct audit *a = ctx;
	int err = FG_OK;
	(void)r;
	if (what->kind == MSG_FD_LOG_KEY)
		err = a->key_text ? FG_ESTATE : read_all(fd, AUDIT_KEY_MAX, &a->key_text, &a->key_n);
	else if (what->kind == MSG_FD_GENESIS)
		err = a->genesis ? FG_ESTATE : read_all(fd, GENESIS_BYTES_MAX, &a->genesis, &a->genesis_n);
	close(fd);
	return err;
}

static enum entry_clk
clock_quality(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);
	return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC) ? ENTRY_CLK_NTP : ENTRY_CLK_FREE;
}

static int
prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	struct audit *a = ctx;
	a->role = r;
	a->clk = clock_quality();
	snprintf(a->dir, sizeof a->dir, "%s/audit", role_boot(r)->data_dir);
	paths->n = 1;
	paths->at[0] = (struct jail_path){ .slot = JAIL_SLOT_AUDIT, .path = a->dir };
	return FG_OK;
}

static int
open_dir(const char *dir, const char *name)
{
	char path[MSG_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (mkdir(path, 0755) && errno != EEXIST)
		return FG_EIO;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? FG_EIO : fd;
}

static void
remember_grant(void *ctx, uint64_t index, struct view line)
{
	struct audit *a = ctx;
	static const char mark[] = "\"ev\":\"device.grant\"";
	if (!line.n || !memmem(line.p, line.n, mark, sizeof mark - 1))
		return;
	struct json *doc = NULL;
	struct entry e;
	uint8_t release[MSG_ID];
	if (entry_parse(line, &doc, &e, NULL))
		return;
	if (e.ev == ENTRY_DEVICE_GRANT && e.have_dev && e.obj.n == 8 + 2 * MSG_ID && !memcmp(e.obj.p, "release:", 8) &&
	    hex_decode(view_of(e.obj.p + 8, 2 * MSG_ID), release, MSG_ID) &&
	    granted_add(a->granted, e.dev, release, index))
		a->forgetful = true;
	json_free(doc);
}

/* First lines of a new log, or of a new life. */
static int
open_entries(struct audit *a)
{
	char text[160];
	int err = FG_OK;
	if (a->opened.state != MSG_LOG_OPEN_OK)
		return FG_OK;
	if (a->opened.size == 0) {
		err = put_own(a, ENTRY_AUTHORITY_GENESIS, view_str("this log begins here"), view_of(a->genesis, a->genesis_n));
	} else if (a->opened.dropped_bytes) {
		snprintf(text, sizeof text, "a write that was never acknowledged was cut off: %llu bytes",
		    (unsigned long long)a->opened.dropped_bytes);
		err = put_own(a, ENTRY_LOG_RECOVERED, view_str(text), (struct view){ 0 });
	}
	if (!err)
		err = put_own(a, ENTRY_LOG_OPENED, view_str(role_jail(a->role)->text), (struct view){ 0 });
	if (!err)
		err = ledger_commit(a->ledger);
	return err ? err : ledger_publish(a->ledger);
}

/* The key must be the one that the genesis names: nobody outside would believe another. */
static int
check_identity(struct audit *a)
{
	struct note_key named;
	char why[160] = "";
	if (!a->key_n || !a->genesis_n) {
		oplog(OPLOG_ERR, "no log key or no genesis: run fotagate init");
		return FG_ENOTFOUND;
	}
	struct genesis *g = calloc(1, sizeof *g);
	int err = g ? note_signer_parse(view_of(a->key_text, a->key_n), &a->key) : FG_ENOMEM;
	wipe(a->key_text, a->key_n);
	if (!err)
		err = genesis_parse(view_of(a->genesis, a->genesis_n), g, why, sizeof why);
	if (!err && (note_key_parse(view_str(g->log_vkey), &named) || !note_key_equal(&named, &a->key.key))) {
		snprintf(why, sizeof why, "the log key is not the one genesis names");
		err = FG_EPERM;
	}
	if (err)
		oplog(OPLOG_ERR, "log key and genesis do not hold: %s", why[0] ? why : err_name(err));
	free(g);
	return err;
}

static int
start(void *ctx, struct role *r)
{
	struct audit *a = ctx;
	char hex[9];
	hex_encode(role_boot(r)->instance, 4, hex);
	snprintf(a->host, sizeof a->host, "gw-%s", hex);
	int err = check_identity(a);
	if (err)
		return err;
	a->waldir = open_dir(a->dir, "wal");
	a->logdir = open_dir(a->dir, "log");
	a->waiting = calloc(AUDIT_WAITERS_MAX, sizeof a->waiting[0]);
	a->granted = granted_new();
	event_assign(&a->commit, role_base(r), -1, 0, on_commit, a);
	event_assign(&a->publish, role_base(r), -1, EV_PERSIST, on_publish, a);
	if (a->waldir < 0 || a->logdir < 0)
		return FG_EIO;
	if (!a->waiting || !a->granted)
		return FG_ENOMEM;
	/* Two processes on one log would sign two trees of one size. */
	if (flock(a->waldir, LOCK_EX | LOCK_NB)) {
		oplog(OPLOG_ERR, "another process has this log open");
		return FG_ESTATE;
	}
	err = ledger_open(a->waldir, a->logdir, &a->key, remember_grant, a, &a->ledger, &a->opened);
	if (!err && a->forgetful)
		err = FG_ENOMEM;
	if (err)
		return err;
	if (a->opened.state != MSG_LOG_OPEN_OK)
		oplog(OPLOG_ERR, "TAMPERED: %s; nothing new is permitted", a->opened.why);
	err = open_entries(a);
	if (err) /* most often a full disk: say so, the supervisor tries again */
		oplog(OPLOG_ERR, "the log in %s could not be written (%s, %s): nothing is permitted until it can", a->dir,
		    err_name(err), strerror(errno));
	struct timeval tick = { AUDIT_PUBLISH_S, 0 };
	event_add(&a->publish, &tick);
	return err;
}

#define APPEND_RULE { MSG_APPEND, CHAN_ALWAYS, on_append }
#define HEAD_RULE { MSG_HEAD_ASK, CHAN_ALWAYS, on_head_ask }

static const struct chan_rule edge_rules[] = {
	APPEND_RULE,
	{ MSG_GRANT_APPEND, CHAN_ALWAYS, on_grant_append },
};
static const struct chan_rule control_rules[] = {
	APPEND_RULE,
	HEAD_RULE,
	{ MSG_ROOT_ASK, CHAN_ALWAYS, on_root_ask },
	{ MSG_LOG_OPEN, CHAN_ALWAYS, on_log_open },
	{ MSG_PROOF_ASK, CHAN_ALWAYS, on_proof_ask },
};
static const struct chan_rule warden_rules[] = {
	APPEND_RULE,
	HEAD_RULE,
	{ MSG_ROOT_ASK, CHAN_ALWAYS, on_root_ask },
};
static const struct chan_rule supervisor_rules[] = { APPEND_RULE };

static const struct chan_ops *
peer_ops(void *ctx, enum msg_role peer)
{
	static const struct chan_ops edge = { edge_rules, 2, NULL };
	static const struct chan_ops control = { control_rules, 5, NULL };
	static const struct chan_ops warden = { warden_rules, 3, NULL };
	(void)ctx;
	switch (peer) {
	case MSG_ROLE_EDGE:
		return &edge;
	case MSG_ROLE_CONTROL:
		return &control;
	case MSG_ROLE_WARDEN:
		return &warden;
	default:
		return NULL;
	}
}

static void
peer_down(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why)
{
	struct audit *a = ctx;
	(void)peer;
	(void)index;
	(void)why;
	for (size_t i = 0; i < a->waiting_n; i++) {
		if (a->waiting[i].to == c)
			a->waiting[i].to = NULL;
	}
}

static void
stop(void *ctx, unsigned grace_ms)
{
	struct audit *a = ctx;
	(void)grace_ms;
	if (usable(a))
		run_commit(a);
	if (usable(a) && ledger_publish(a->ledger))
		fail(a, "publish", FG_EIO);
	role_exit(a->role, a->failed ? ROLE_EXIT_FAILED : 0);
}

int
audit_main(const struct clock_source *clock)
{
	static const struct role_ops ops = {
		.role = MSG_ROLE_AUDIT,
		.jail = JAIL_AUDIT,
		.boot_fd = on_boot_fd,
		.prepare = prepare,
		.start = start,
		.peer_ops = peer_ops,
		.peer_down = peer_down,
		.stop = stop,
		.supervisor_rules = supervisor_rules,
		.supervisor_rules_n = sizeof supervisor_rules / sizeof supervisor_rules[0],
	};
	struct audit a = { .clock = clock, .waldir = -1, .logdir = -1 };
	int status = role_run(&ops, &a, clock);
	ledger_close(a.ledger);
	if (a.waldir >= 0)
		close(a.waldir);
	if (a.logdir >= 0)
		close(a.logdir);
	if (a.key_text)
		wipe(a.key_text, a.key_n);
	free(a.key_text);
	granted_free(a.granted);
	note_signer_wipe(&a.key);
	free(a.waiting);
	free(a.genesis);
	return status;
}
