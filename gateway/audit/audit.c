/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/audit_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"

#define AUDIT_PUBLISH_S 1 /* a checkpoint at least this often while entries come */
#define AUDIT_KEY_MAX 512

/* ---- boot ---- */

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
	snprintf(a->path, sizeof a->path, "%s/audit", role_boot(r)->data_dir);
	snprintf(a->authority, sizeof a->authority, "%s/authority", role_boot(r)->data_dir);
	paths->n = 2;
	paths->at[0] = (struct jail_path){ .slot = JAIL_SLOT_AUDIT, .path = a->path };
	paths->at[1] = (struct jail_path){ .slot = JAIL_SLOT_AUTHORITY, .path = a->authority };
	return FG_OK;
}

static int
open_dir(int dir, const char *name)
{
	if (mkdirat(dir, name, 0755) && errno != EEXIST)
		return FG_EIO;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? FG_EIO : fd;
}

/* First lines of a new log, or of a new life. */
static int
open_entries(struct audit *a)
{
	char text[160];
	bool pardoned = false;
	if (!audit_is_usable(a))
		return FG_OK;
	int err = audit_host_entries(a, &pardoned);
	if (!err && a->opened.size == 0) {
		err = audit_put_own(a, ENTRY_AUTHORITY_GENESIS, view_str("this log begins here"),
		    view_of(a->genesis, a->genesis_n));
	} else if (!err && a->opened.dropped_bytes) {
		snprintf(text, sizeof text, "a write that was never acknowledged was cut off: %llu bytes",
		    (unsigned long long)a->opened.dropped_bytes);
		err = audit_put_own(a, ENTRY_LOG_RECOVERED, view_str(text), (struct view){ 0 });
	}
	if (!err)
		err = audit_put_own(a, ENTRY_LOG_OPENED, view_str(role_jail(a->role)->text), (struct view){ 0 });
	if (!err && a->level == RESERVE_FULL)
		err = audit_put_own(a, ENTRY_DISK_FULL,
		    view_str("the log opens without room for its reserve: nothing is permitted"), (struct view){ 0 });
	if (!err)
		err = ledger_commit(a->ledger);
	if (!err)
		err = audit_host_settle(a);
	if (!err && pardoned && condemned_pardon_end(a->dir))
		oplog(OPLOG_WARNING, "what was done to the log will be said again");
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
open_dirs(struct audit *a)
{
	a->dir = open(a->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0)
		return FG_EIO;
	a->waldir = open_dir(a->dir, "wal");
	a->logdir = open_dir(a->dir, "log");
	/* Their names, too, must outlive a cut of power: everything acknowledged lies below them. */
	if (a->waldir < 0 || a->logdir < 0 || fsync(a->dir))
		return FG_EIO;
	/* Two processes on one log would sign two trees of one size. */
	if (flock(a->waldir, LOCK_EX | LOCK_NB)) {
		oplog(OPLOG_ERR, "another process has this log open");
		return FG_ESTATE;
	}
	return FG_OK;
}

/* A log rests on its own genesis: under another, made later over lower floors say, it is somebody else's. */
static bool
holds_genesis(const struct audit *a, struct view line)
{
	struct json *doc = NULL;
	struct entry e;
	bool same = entry_parse(line, &doc, &e, NULL) == FG_OK && e.ev == ENTRY_AUTHORITY_GENESIS &&
	    view_equal(e.doc, view_of(a->genesis, a->genesis_n));
	json_free(doc);
	return same;
}

static void
on_entry(void *ctx, uint64_t index, struct view line)
{
	struct audit *a = ctx;
	if (index == 0)
		a->stranger = !holds_genesis(a, line);
	audit_remember(a, index, line);
}

static int
open_log(struct audit *a)
{
	int err = audit_recall(a);
	if (!err)
		err = audit_room_open(a);
	if (!err)
		err = ledger_open(a->waldir, a->logdir, &a->key, on_entry, a, &a->ledger, &a->opened);
	if (!err && a->forgetful)
		err = FG_ENOMEM;
	if (!err)
		err = audit_host_look(a);
	if (err)
		return err;
	clockwatch_floor(&a->watch, a->last_us);
	(void)clockwatch_see(&a->watch, clock_wall_us(a->clock), clock_mono_ms(a->clock) * 1000, 0);
	if (a->opened.state != MSG_LOG_OPEN_OK)
		audit_condemn(a, a->opened.state, a->opened.published, a->opened.why);
	else if (a->stranger)
		audit_condemn(a, MSG_LOG_TAMPERED, 0, "the log begins with another genesis than the one in the authority folder");
	if (a->condemned.state != MSG_LOG_UNKNOWN)
		ledger_end(a->ledger);
	return FG_OK;
}

int
audit_begin(struct audit *a)
{
	int err = open_entries(a);
	if (err) /* the supervisor tries again */
		audit_fail(a, a->path, err);
	return err;
}

static void
on_publish(evutil_socket_t fd, short what, void *ctx)
{
	struct audit *a = ctx;
	(void)fd;
	(void)what;
	if (a->witness.comparing || a->remote.waiting)
		return;
	audit_room_look(ctx);
	audit_flood_look(ctx);
	audit_publish_tick(ctx);
}

static int
start(void *ctx, struct role *r)
{
	struct audit *a = ctx;
	char hex[9];
	hex_encode(role_boot(r)->instance, 4, hex);
	snprintf(a->host, sizeof a->host, "gw-%s", hex);
	int err = check_identity(a);
	audit_witness_start(a);
	if (!err)
		err = audit_remote_open(a);
	event_assign(&a->publish, role_base(r), -1, EV_PERSIST, on_publish, a);
	if (!err)
		err = audit_append_open(a);
	if (!err)
		err = open_dirs(a);
	if (!err)
		err = open_log(a);
	if (err)
		return err;
	struct timeval tick = { AUDIT_PUBLISH_S, 0 };
	return event_add(&a->publish, &tick) ? FG_ENOMEM : FG_OK;
}

#define APPEND_RULE { MSG_APPEND, CHAN_ALWAYS, audit_on_append }
#define HEAD_RULE { MSG_HEAD_ASK, CHAN_ALWAYS, audit_on_head_ask }

static const struct chan_rule edge_rules[] = {
	APPEND_RULE,
	{ MSG_GRANT_APPEND, CHAN_ALWAYS, audit_on_grant_append },
};
static const struct chan_rule control_rules[] = {
	APPEND_RULE,
	{ MSG_HEAD_ASK, CHAN_ALWAYS, audit_on_head_ask_to_read },
	{ MSG_ROOT_ASK, CHAN_ALWAYS, audit_on_root_ask },
	{ MSG_LOG_OPEN, CHAN_ALWAYS, audit_on_log_open },
	{ MSG_PROOF_ASK, CHAN_ALWAYS, audit_on_proof_ask },
	{ MSG_WITNESS_SAID, CHAN_ALWAYS, audit_on_witness_said },
};
static const struct chan_rule warden_rules[] = {
	APPEND_RULE,
	HEAD_RULE,
	{ MSG_ROOT_ASK, CHAN_ALWAYS, audit_on_root_ask },
	{ MSG_PROOF_ASK, CHAN_ALWAYS, audit_on_proof_ask }, /* whether a signer set reached the log */
	{ MSG_COSIGNED, CHAN_ALWAYS, audit_on_cosigned },
	{ MSG_CLOCK, CHAN_ALWAYS, audit_on_clock },
};
static const struct chan_rule supervisor_rules[] = { APPEND_RULE };

static const struct chan_ops edge_ops = { edge_rules, sizeof edge_rules / sizeof edge_rules[0], NULL };
static const struct chan_ops control_ops = { control_rules, sizeof control_rules / sizeof control_rules[0], NULL };
static const struct chan_ops warden_ops = { warden_rules, sizeof warden_rules / sizeof warden_rules[0], NULL };

static void
peer_up(void *ctx, struct chan *c, enum msg_role peer, unsigned index)
{
	(void)index;
	if (peer == MSG_ROLE_WARDEN)
		audit_tell_head(ctx, c, 0);
	audit_witness_up(ctx, c, peer);
}

static void
peer_down(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why)
{
	(void)peer;
	(void)index;
	(void)why;
	audit_forget(ctx, c);
	audit_witness_down(ctx, c);
}

static void
stop(void *ctx, unsigned grace_ms)
{
	struct audit *a = ctx;
	(void)grace_ms;
	audit_flood_count(a);
	if (audit_is_usable(a))
		audit_run_commit(a);
	audit_publish(a);
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
		.peers = {
			[MSG_ROLE_EDGE] = &edge_ops,
			[MSG_ROLE_CONTROL] = &control_ops,
			[MSG_ROLE_WARDEN] = &warden_ops,
		},
		.peer_up = peer_up,
		.peer_down = peer_down,
		.stop = stop,
		.supervisor_rules = supervisor_rules,
		.supervisor_rules_n = sizeof supervisor_rules / sizeof supervisor_rules[0],
	};
	struct audit a = { .clock = clock, .dir = -1, .waldir = -1, .logdir = -1 };
	int status = role_run(&ops, &a, clock);
	ledger_close(a.ledger);
	for (size_t i = 0; i < 3; i++) {
		int fd = (const int[]){ a.waldir, a.logdir, a.dir }[i];
		if (fd >= 0)
			close(fd);
	}
	if (a.key_text)
		wipe(a.key_text, a.key_n);
	free(a.key_text);
	note_signer_wipe(&a.key);
	audit_append_close(&a);
	audit_witness_close(&a);
	audit_remote_close(&a);
	free(a.genesis);
	return status;
}
