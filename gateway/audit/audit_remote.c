/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Witnesses elsewhere: what is set back on this machine is not set back on theirs.
 * A witness cosigns only what continues the last checkpoint it has seen, so its
 * signature over the checkpoint that lies on the disk, made after this start, is
 * the comparison. Until the policy's quorum has made it, nothing is appended or signed. Who
 * carries question and answer (fotagate audit witness, through control) is not
 * trusted: lines are judged here, by the policy read at start.
 */
#include "gateway/audit/audit_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/witness.h"

#define POLICY_NAME "witnesses"
#define LOG_EVERY_S 3600 /* an entry per witness: more would only make the log grow by being watched */
#define AHEAD_MAX_S 300  /* of a witness's clock: further, and a line could have been made to be kept for later */

_Static_assert(sizeof((struct msg_witness_said){ 0 }.name) == WITNESS_POLICY_NAME_MAX + 1, "a policy's name fits");
_Static_assert(WITNESS_POLICY_WITNESSES_MAX <= UINT8_MAX, "msg_head's count");

/* ---- the policy ---- */

static int
read_policy(int fd, struct writer *w)
{
	uint8_t buf[4096];
	ssize_t n;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		writer_bytes(w, view_of(buf, (size_t)n));
	return n < 0 ? FG_EIO : writer_err(w);
}

/* What the format allows and would not do here. */
static const char *
unfit(const struct audit *a, const struct witness_policy *p)
{
	bool ours = false;
	for (size_t i = 0; i < p->logs; i++)
		ours = ours || note_key_equal(&p->log[i], &a->key.key);
	if (!ours)
		return "no log line has this log's key";
	for (size_t i = 0; i < p->witnesses; i++) {
		if (strcmp(p->witness[i].name, a->key.key.name) == 0)
			return "a witness's key has the name of the log"; /* its line would take the place of the log's */
	}
	return NULL;
}

int
audit_remote_open(struct audit *a)
{
	char path[MSG_PATH_MAX + 32];
	struct witness_policy_problem problem = { 0 };
	struct writer text;
	snprintf(path, sizeof path, "%s/%s", a->authority, POLICY_NAME);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return FG_OK;
	if (fd < 0) {
		oplog(OPLOG_ERR, "%s: %s", path, strerror(errno));
		return FG_EIO;
	}
	writer_init(&text, WITNESS_POLICY_SIZE_MAX);
	struct witness_policy *p = malloc(sizeof *p);
	int err = p ? read_policy(fd, &text) : FG_ENOMEM;
	if (!err)
		err = witness_policy_parse(writer_view(&text), p, &problem);
	if (!err && (problem.why = unfit(a, p)))
		err = FG_EFORMAT;
	if (err) {
		char line[16] = ""; /* none for the file as a whole */
		if (problem.line)
			snprintf(line, sizeof line, ":%u", problem.line);
		oplog(OPLOG_ERR, "%s%s: %s", path, line, problem.why ? problem.why : err_name(err));
		free(p);
		p = NULL;
	}
	a->remote.policy = p;
	a->remote.started = clock_wall_s(a->clock);
	writer_free(&text);
	close(fd);
	return err;
}

void
audit_remote_close(struct audit *a)
{
	free(a->remote.policy);
}

unsigned
audit_remote_count(const struct audit *a)
{
	return a->remote.policy ? (unsigned)a->remote.policy->witnesses : 0;
}

/* ---- what they have cosigned ---- */

static bool
is_quorum(const struct audit *a, uint64_t size)
{
	const struct audit_remote *r = &a->remote;
	bool has[WITNESS_POLICY_WITNESSES_MAX] = { false };
	for (size_t i = 0; i < r->policy->witnesses; i++)
		has[i] = r->size[i] && r->size[i] >= size;
	return witness_policy_satisfied(r->policy, has);
}

uint64_t
audit_remote_size(const struct audit *a)
{
	uint64_t best = 0;
	if (!a->remote.policy || a->remote.policy->quorum != WITNESS_POLICY_QUORUM_NODE)
		return 0;
	for (size_t i = 0; i < a->remote.policy->witnesses; i++) {
		if (a->remote.size[i] > best && is_quorum(a, a->remote.size[i]))
			best = a->remote.size[i];
	}
	return best;
}

static void
put_witnessed(struct audit *a, size_t i)
{
	struct audit_remote *r = &a->remote;
	struct entry e = {
		.ev = ENTRY_LOG_WITNESSED,
		.sev = entry_event_severity(ENTRY_LOG_WITNESSED),
		.out = view_str("ok"),
		.act = view_str("audit"),
		.obj = view_str("log"),
		.refs = 2,
		.ref = { { view_str("size"), true, r->size[i], { 0 } },
		    { view_str("witness"), false, 0, view_str(r->policy->witness_name[i]) } },
	};
	uint64_t index;
	int64_t now = clock_wall_s(a->clock);
	bool due = !r->said_at[i] || now - r->said_at[i] >= LOG_EVERY_S;
	if (!r->size[i] || !due || !audit_room_admits(a, e.ev) || audit_put(a, NULL, &e, &index))
		return;
	r->said_at[i] = now;
	audit_run_commit(a);
}

/* ---- the start ---- */

/* Lines that were there before this start compare nothing: the newest of each must be surpassed. */
static void
recall_times(struct audit *a)
{
	struct audit_remote *r = &a->remote;
	struct checkpoint_opened *o = calloc(1, sizeof *o);
	int err = o ? checkpoint_open(ledger_checkpoint(a->ledger), NULL, &a->key.key, r->policy->witness,
	    (unsigned)r->policy->witnesses, 0, o) : FG_ENOMEM;
	for (size_t i = 0; !err && i < r->policy->witnesses; i++)
		r->time[i] = o->witnessed[i] ? (uint64_t)o->witnessed_at[i] : 0;
	if (err)
		oplog(OPLOG_WARNING, "the lines under the checkpoint could not be read: %s", err_name(err));
	free(o);
}

bool
audit_remote_hold(struct audit *a)
{
	struct audit_remote *r = &a->remote;
	if (!r->policy || r->policy->quorum != WITNESS_POLICY_QUORUM_NODE || !audit_is_usable(a) ||
	    !ledger_published(a->ledger))
		return false;
	recall_times(a);
	r->waiting = true;
	oplog(OPLOG_NOTICE, "waiting until the witnesses of %s/" POLICY_NAME " have cosigned the checkpoint of %" PRIu64
	    " entries: nothing is permitted until then", a->authority, ledger_published(a->ledger));
	return true;
}

/* ---- a line ---- */

/* Replayed, it would be the proof of an earlier day. */
static bool
is_fresh(const struct audit *a, size_t i, uint64_t time)
{
	const struct audit_remote *r = &a->remote;
	return !r->waiting || (time > r->time[i] && time >= (uint64_t)r->started &&
	    time <= (uint64_t)clock_wall_s(a->clock) + AHEAD_MAX_S);
}

static int
take(struct audit *a, size_t i, struct view said)
{
	struct audit_remote *r = &a->remote;
	struct witness_answered answer = { WITNESS_ANSWER_UNKNOWN, 0, 0 };
	uint64_t size = ledger_published(a->ledger);
	struct writer line;
	if (!size || (!audit_is_usable(a) && !r->waiting))
		return FG_EPERM; /* nothing is put under the checkpoint of a log that is not in order */
	writer_init(&line, sizeof((struct msg_witness_said){ 0 }.line));
	/* As the answer to what a log would have asked; of what was said only the line that verifies is kept. */
	int err = witness_answer_judge(200, said, size, ledger_checkpoint(a->ledger), &r->policy->witness[i], &line, &answer);
	if (!err && answer.answer != WITNESS_ANSWER_COSIGNED)
		err = FG_EPERM;
	if (!err && !is_fresh(a, i, answer.time))
		err = FG_ESTATE;
	if (!err) {
		int put = ledger_cosigned(a->ledger, size, &r->policy->witness[i], writer_view(&line));
		if (put) /* as good a comparison without */
			oplog(OPLOG_WARNING, "the line of %s was not put under the checkpoint: %s", r->policy->witness_name[i],
			    err_name(put));
		r->size[i] = size;
		r->time[i] = answer.time;
	}
	writer_free(&line);
	return err;
}

static void
go_on(struct audit *a)
{
	struct audit_remote *r = &a->remote;
	if (r->waiting && is_quorum(a, ledger_published(a->ledger))) {
		r->waiting = false;
		oplog(OPLOG_NOTICE, "the witnesses have cosigned the log of %" PRIu64 " entries: it goes on",
		    ledger_published(a->ledger));
		audit_witness_go_on(a);
	}
	for (size_t i = 0; !r->waiting && i < r->policy->witnesses; i++)
		put_witnessed(a, i);
}

void
audit_on_witness_said(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	struct audit_remote *r = &a->remote;
	const struct msg_witness_said *said = msg;
	struct msg_witness_taken m = { .token = said->token, .err = FG_ENOTFOUND };
	int i = r->policy ? witness_policy_find_witness(r->policy, view_str(said->name)) : -1;
	(void)frame;
	if (i >= 0) {
		m.err = said->line[0] ? take(a, (size_t)i, view_str(said->line)) : FG_OK;
		m.size = r->size[i];
		m.time = r->size[i] ? r->time[i] : 0;
	}
	bool heard = i >= 0 && said->line[0] && !m.err;
	chan_send(c, MSG_WITNESS_TAKEN, &m, NULL, 0);
	if (heard)
		go_on(a);
}
