/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/logbook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/role/oplog.h"

enum pending_kind { PENDING_APPEND = 1, PENDING_HEAD, PENDING_OPEN, PENDING_PROOF, PENDING_ROOT, PENDING_WITNESS };

struct pending {
	TAILQ_ENTRY(pending) link;
	uint64_t token;
	enum pending_kind kind;
	union {
		logbook_appended appended;
		logbook_head head;
		logbook_opened opened;
		logbook_proof proof;
		logbook_root_at root;
		logbook_witness witness;
	} done;
	uint64_t size; /* asked of a root */
	void *ctx;
};
TAILQ_HEAD(pending_list, pending);

struct note {
	STAILQ_ENTRY(note) link;
	struct msg_append m;
	uint8_t doc[];
};

/* How far the comparison with what we remember has come on this channel. */
enum check { CHECK_NONE = 0, CHECK_HEAD, CHECK_ROOT, CHECK_DONE };

struct logbook {
	struct logbook_memory memory;
	struct chan *audit;
	uint64_t token;
	struct pending_list pending;
	unsigned pending_n;
	STAILQ_HEAD(, note) notes;
	unsigned notes_n;
	uint64_t notes_lost;
	enum check check;
	uint64_t check_token;
	struct msg_head head;    /* as last said */
	bool have_head;
	uint64_t remembered;     /* size in the database */
	uint64_t size;           /* largest seen */
	enum msg_log_state bad;  /* MSG_LOG_TAMPERED or _ROLLED_BACK: for good */
};

struct logbook *
logbook_new(const struct logbook_memory *memory)
{
	struct logbook *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	uint8_t root[DIGEST_SHA256_LEN];
	l->memory = *memory;
	TAILQ_INIT(&l->pending);
	STAILQ_INIT(&l->notes);
	if (memory->recall(memory->ctx, &l->remembered, root))
		l->size = l->remembered;
	return l;
}

void
logbook_free(struct logbook *l)
{
	if (!l)
		return;
	struct pending *p;
	while ((p = TAILQ_FIRST(&l->pending))) {
		TAILQ_REMOVE(&l->pending, p, link);
		free(p);
	}
	struct note *n;
	while ((n = STAILQ_FIRST(&l->notes))) {
		STAILQ_REMOVE_HEAD(&l->notes, link);
		free(n);
	}
	free(l);
}

/* ---- state ---- */

static bool
is_full(const struct logbook *l)
{
	return l->have_head && l->head.state == MSG_LOG_FULL;
}

/* It takes nothing at all, and what it does not take would be lost. */
static bool
is_waiting(const struct logbook *l)
{
	return l->audit && (!l->have_head || l->head.state == MSG_LOG_WAITING);
}

static void
changed(struct logbook *l)
{
	if (l->memory.changed)
		l->memory.changed(l->memory.ctx);
}

bool
logbook_permits(const struct logbook *l)
{
	return l->audit && !l->bad && l->check == CHECK_DONE && l->have_head && l->head.state == MSG_LOG_OPEN_OK;
}

const char *
logbook_state(const struct logbook *l)
{
	if (l->bad)
		return msg_log_state_name(l->bad);
	if (!l->audit)
		return "away";
	return msg_log_state_name(l->check == CHECK_DONE && l->have_head ? l->head.state : MSG_LOG_UNKNOWN);
}

bool
logbook_condemned(const struct logbook *l)
{
	if (l->bad)
		return true;
	if (!l->audit)
		return false;
	if (l->check != CHECK_DONE || !l->have_head)
		return true;
	return l->head.state != MSG_LOG_OPEN_OK && l->head.state != MSG_LOG_FAILED && l->head.state != MSG_LOG_FULL;
}

unsigned
logbook_used_pct(const struct logbook *l)
{
	return l->have_head ? l->head.used_pct : 0;
}

uint64_t
logbook_size(const struct logbook *l)
{
	return l->size;
}

uint64_t
logbook_head_size(const struct logbook *l)
{
	return l->have_head ? l->head.size : 0;
}

uint64_t
logbook_witnessed(const struct logbook *l)
{
	return l->have_head ? l->head.witnessed : 0;
}

unsigned
logbook_remotes(const struct logbook *l)
{
	return l->have_head ? l->head.remotes : 0;
}

uint64_t
logbook_remote_size(const struct logbook *l)
{
	return l->have_head ? l->head.remote_size : 0;
}

const uint8_t *
logbook_root(const struct logbook *l)
{
	return l->head.root;
}

static void
condemn(struct logbook *l, enum msg_log_state how, const char *why)
{
	if (l->bad)
		return;
	l->bad = how;
	oplog(OPLOG_ERR, "%s: %s; nothing is permitted until a person has looked",
	    how == MSG_LOG_ROLLED_BACK ? "ROLLED BACK" : "TAMPERED", why);
	changed(l);
}

/* ---- asking ---- */

/* A place for an answer; NULL when too many are owed. */
static struct pending *
expect(struct logbook *l, enum pending_kind kind, void *ctx)
{
	struct pending *p = l->pending_n < LOGBOOK_PENDING_MAX ? calloc(1, sizeof *p) : NULL;
	if (!p)
		return NULL;
	*p = (struct pending){ .token = ++l->token, .kind = kind, .ctx = ctx };
	TAILQ_INSERT_TAIL(&l->pending, p, link);
	l->pending_n++;
	return p;
}

static void
forget(struct logbook *l, struct pending *p)
{
	TAILQ_REMOVE(&l->pending, p, link);
	l->pending_n--;
	free(p);
}

/* Sends the question of p; on failure p is gone and its callback will not run. */
static int
ask(struct logbook *l, struct pending *p, unsigned type, const void *msg)
{
	int err = chan_send(l->audit, type, msg, NULL, 0);
	if (!err)
		return FG_OK;
	forget(l, p);
	return FG_EAGAIN;
}

int
logbook_append(struct logbook *l, struct msg_append *m, logbook_appended done, void *ctx)
{
	if (!logbook_permits(l))
		return FG_EAGAIN;
	struct pending *p = expect(l, PENDING_APPEND, ctx);
	if (!p)
		return FG_ELIMIT;
	p->done.appended = done;
	m->token = p->token;
	return ask(l, p, MSG_APPEND, m);
}

int
logbook_ask_head(struct logbook *l, logbook_head done, void *ctx)
{
	struct pending *p = l->audit ? expect(l, PENDING_HEAD, ctx) : NULL;
	if (!p)
		return FG_EAGAIN;
	p->done.head = done;
	return ask(l, p, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = p->token });
}

int
logbook_ask_root(struct logbook *l, uint64_t size, logbook_root_at done, void *ctx)
{
	struct pending *p = l->audit ? expect(l, PENDING_ROOT, ctx) : NULL;
	if (!p)
		return FG_EAGAIN;
	p->done.root = done;
	p->size = size;
	return ask(l, p, MSG_ROOT_ASK, &(struct msg_root_ask){ .token = p->token, .size = size });
}

int
logbook_open(struct logbook *l, const char *name, logbook_opened done, void *ctx)
{
	struct msg_log_open m = { 0 };
	if (strlen(name) >= sizeof m.name)
		return FG_ELIMIT;
	struct pending *p = l->audit ? expect(l, PENDING_OPEN, ctx) : NULL;
	if (!p)
		return FG_EAGAIN;
	p->done.opened = done;
	m.token = p->token;
	snprintf(m.name, sizeof m.name, "%s", name);
	return ask(l, p, MSG_LOG_OPEN, &m);
}

int
logbook_ask_proof(struct logbook *l, uint64_t index, logbook_proof done, void *ctx)
{
	struct pending *p = l->audit ? expect(l, PENDING_PROOF, ctx) : NULL;
	if (!p)
		return FG_EAGAIN;
	p->done.proof = done;
	return ask(l, p, MSG_PROOF_ASK, &(struct msg_proof_ask){ .token = p->token, .index = index });
}

int
logbook_tell_witness(struct logbook *l, struct msg_witness_said *m, logbook_witness done, void *ctx)
{
	struct pending *p = l->audit ? expect(l, PENDING_WITNESS, ctx) : NULL;
	if (!p)
		return FG_EAGAIN;
	p->done.witness = done;
	m->token = p->token;
	return ask(l, p, MSG_WITNESS_SAID, m);
}

/* ---- notes ---- */

static void
keep(struct logbook *l, const struct msg_append *m)
{
	struct note *n = l->notes_n < LOGBOOK_NOTES_MAX ? malloc(sizeof *n + m->doc.n) : NULL;
	if (!n) {
		if (!l->notes_lost++)
			oplog(OPLOG_ERR, "entries for the log are being lost: audit is away for too long");
		return;
	}
	n->m = *m;
	if (m->doc.n)
		memcpy(n->doc, m->doc.p, m->doc.n);
	n->m.doc = view_of(n->doc, m->doc.n);
	STAILQ_INSERT_TAIL(&l->notes, n, link);
	l->notes_n++;
}

void
logbook_note(struct logbook *l, struct msg_append *m)
{
	bool first = !l->notes_n && !is_full(l);
	m->token = 0;
	/* On a full disk what is vital does not wait for what audit would not take. */
	if (is_full(l) && entry_event_is_vital(m->event))
		first = true;
	if (!l->audit || !first || is_waiting(l) || chan_send(l->audit, MSG_APPEND, m, NULL, 0))
		keep(l, m);
}

static void
send_notes(struct logbook *l)
{
	struct note *n;
	while (l->audit && (n = STAILQ_FIRST(&l->notes))) {
		if (chan_send(l->audit, MSG_APPEND, &n->m, NULL, 0))
			return;
		STAILQ_REMOVE_HEAD(&l->notes, link);
		l->notes_n--;
		free(n);
	}
	if (!l->notes_lost)
		return;
	struct msg_append *m = logbook_entry(ENTRY_DISK_WARN, "failed", "control", "log");
	if (!m)
		return;
	logbook_say(m, "%llu entries could not be kept while the log was away", (unsigned long long)l->notes_lost);
	l->notes_lost = 0;
	logbook_tell(l, m);
}

/* ---- the channel ---- */

void
logbook_up(struct logbook *l, struct chan *audit)
{
	l->audit = audit;
	l->have_head = false;
	l->check = CHECK_HEAD;
	l->check_token = ++l->token;
	chan_send(audit, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = l->check_token }, NULL, 0);
	changed(l);
}

static void
fail_one(const struct pending *p, int err)
{
	switch (p->kind) {
	case PENDING_APPEND:
		p->done.appended(p->ctx, err, 0);
		break;
	case PENDING_HEAD:
		p->done.head(p->ctx, err, NULL);
		break;
	case PENDING_OPEN:
		p->done.opened(p->ctx, err, -1);
		break;
	case PENDING_PROOF:
		p->done.proof(p->ctx, err, NULL);
		break;
	case PENDING_ROOT:
		p->done.root(p->ctx, err, NULL);
		break;
	case PENDING_WITNESS:
		p->done.witness(p->ctx, err, NULL);
		break;
	}
}

void
logbook_down(struct logbook *l)
{
	/* Off the list first: a callback may ask again, and is refused with FG_EAGAIN. */
	l->audit = NULL;
	l->check = CHECK_NONE;
	struct pending *p;
	while ((p = TAILQ_FIRST(&l->pending))) {
		struct pending one = *p;
		forget(l, p);
		fail_one(&one, FG_EAGAIN);
	}
	changed(l);
}

void
logbook_tick(struct logbook *l)
{
	if (!l->audit || l->check != CHECK_DONE)
		return;
	l->check_token = ++l->token;
	chan_send(l->audit, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = l->check_token }, NULL, 0);
}

static struct pending *
find(struct logbook *l, uint64_t token, enum pending_kind kind)
{
	struct pending *p;
	TAILQ_FOREACH(p, &l->pending, link) {
		if (p->token == token)
			return p->kind == kind ? p : NULL;
	}
	return NULL;
}

/* ---- answers ---- */

void
logbook_on_appended(struct logbook *l, const struct msg_appended *m)
{
	struct pending *p = find(l, m->token, PENDING_APPEND);
	if (!p)
		return;
	struct pending one = *p;
	forget(l, p);
	if (!m->err && m->index + 1 > l->size)
		l->size = m->index + 1;
	one.done.appended(one.ctx, m->err ? FG_EAGAIN : FG_OK, m->index);
}

static void
remember(struct logbook *l, const struct msg_head *m)
{
	if (l->bad || (m->state != MSG_LOG_OPEN_OK && m->state != MSG_LOG_FULL) || m->size <= l->remembered)
		return;
	l->remembered = m->size;
	l->memory.remember(l->memory.ctx, m->size, m->root);
}

static void
checked(struct logbook *l)
{
	l->check = CHECK_DONE;
	remember(l, &l->head);
	changed(l);
}

static void
compare_head(struct logbook *l, const struct msg_head *m)
{
	l->head = *m;
	l->have_head = true;
	if (!is_full(l) && !is_waiting(l))
		send_notes(l);
	if (m->state != MSG_LOG_OPEN_OK && m->state != MSG_LOG_FULL) {
		/* Audit says so itself. */
		l->check = CHECK_DONE;
		changed(l);
		return;
	}
	if (m->size < l->remembered) {
		condemn(l, MSG_LOG_ROLLED_BACK, "the log is shorter than it was");
		return;
	}
	if (!l->remembered) {
		checked(l);
		return;
	}
	l->check = CHECK_ROOT;
	l->check_token = ++l->token;
	const struct msg_root_ask ask = { .token = l->check_token, .size = l->remembered };
	chan_send(l->audit, MSG_ROOT_ASK, &ask, NULL, 0);
}

void
logbook_on_head(struct logbook *l, const struct msg_head *m)
{
	if (m->token == l->check_token && l->check != CHECK_NONE) {
		if (m->size > l->size)
			l->size = m->size;
		if (l->check == CHECK_HEAD) {
			compare_head(l, m);
		} else if (l->check == CHECK_DONE && l->head.state == MSG_LOG_WAITING && m->state != MSG_LOG_WAITING) {
			compare_head(l, m); /* a log that waited was not compared yet */
		} else if (l->check == CHECK_DONE) {
			bool was = logbook_permits(l);
			l->head = *m;
			if ((m->state == MSG_LOG_OPEN_OK || m->state == MSG_LOG_FULL) && m->size < l->remembered)
				condemn(l, MSG_LOG_ROLLED_BACK, "the log became shorter");
			remember(l, m);
			if (!is_full(l))
				send_notes(l);
			if (was != logbook_permits(l))
				changed(l);
		}
		return;
	}
	struct pending *p = find(l, m->token, PENDING_HEAD);
	if (!p)
		return;
	struct pending one = *p;
	forget(l, p);
	if (l->check == CHECK_DONE && l->head.state != MSG_LOG_WAITING) {
		l->head = *m;
		if (m->size > l->size)
			l->size = m->size;
	}
	one.done.head(one.ctx, FG_OK, m);
}

void
logbook_on_root(struct logbook *l, const struct msg_root *m)
{
	uint64_t size = 0;
	uint8_t root[DIGEST_SHA256_LEN];
	struct pending *p = find(l, m->token, PENDING_ROOT);
	if (p) {
		struct pending one = *p;
		forget(l, p);
		int err = m->err ? m->err : m->size == one.size ? FG_OK : FG_EPEER;
		one.done.root(one.ctx, err, err ? NULL : m->root);
		return;
	}
	if (l->check != CHECK_ROOT || m->token != l->check_token)
		return;
	bool have = l->memory.recall(l->memory.ctx, &size, root);
	if (m->err == FG_ENOTFOUND || m->size != l->remembered)
		condemn(l, MSG_LOG_ROLLED_BACK, "the log does not reach what is remembered of it");
	else if (m->err || !have)
		l->check = CHECK_NONE; /* not known: nothing is permitted until audit is back in order */
	else if (memcmp(root, m->root, sizeof root))
		condemn(l, MSG_LOG_TAMPERED, "the log has other entries than it had");
	else
		checked(l);
}

void
logbook_on_opened(struct logbook *l, const struct msg_log_opened *m, struct wire_frame *frame)
{
	struct pending *p = find(l, m->token, PENDING_OPEN);
	if (!p)
		return;
	struct pending one = *p;
	forget(l, p);
	one.done.opened(one.ctx, m->err, m->err ? -1 : wire_take_fd(frame, 0));
}

void
logbook_on_proof(struct logbook *l, const struct msg_proof *m)
{
	struct pending *p = find(l, m->token, PENDING_PROOF);
	if (!p)
		return;
	struct pending one = *p;
	forget(l, p);
	one.done.proof(one.ctx, m->err, m->err ? NULL : m);
}

void
logbook_on_witness(struct logbook *l, const struct msg_witness_taken *m)
{
	struct pending *p = find(l, m->token, PENDING_WITNESS);
	if (!p)
		return;
	struct pending one = *p;
	forget(l, p);
	one.done.witness(one.ctx, m->err, m);
}

/* ---- making entries ---- */

struct msg_append *
logbook_entry(enum entry_event event, const char *out, const char *act, const char *obj)
{
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m) {
		oplog(OPLOG_ERR, "no memory for an entry of the log");
		return NULL;
	}
	m->event = (uint16_t)event;
	m->severity = (uint8_t)entry_event_severity(event);
	visible_cstr(view_str(out), m->out, sizeof m->out);
	visible_cstr(view_str(act), m->act, sizeof m->act);
	visible_cstr(view_str(obj), m->obj, sizeof m->obj);
	return m;
}

void
logbook_say(struct msg_append *m, const char *fmt, ...)
{
	char text[2 * MSG_TEXT_MAX];
	va_list ap;
	if (!m)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	visible_cstr(view_str(text), m->msg, sizeof m->msg);
}

static struct msg_ref *
next_ref(struct msg_append *m, const char *key)
{
	if (!m || m->refs_n == MSG_REFS_MAX)
		return NULL;
	struct msg_ref *r = &m->refs[m->refs_n++];
	snprintf(r->key, sizeof r->key, "%s", key);
	return r;
}

void
logbook_ref(struct msg_append *m, const char *key, const char *text)
{
	struct msg_ref *r = next_ref(m, key);
	if (r)
		visible_cstr(view_str(text), r->text, sizeof r->text);
}

void
logbook_ref_number(struct msg_append *m, const char *key, uint64_t number)
{
	struct msg_ref *r = next_ref(m, key);
	if (!r)
		return;
	r->is_number = true;
	r->number = number;
}

void
logbook_ref_sha256(struct msg_append *m, const char *key, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	struct msg_ref *r = next_ref(m, key);
	if (!r)
		return;
	memcpy(r->text, "sha256:", 7);
	hex_encode(sha256, DIGEST_SHA256_LEN, r->text + 7);
}

void
logbook_dev(struct msg_append *m, const uint8_t dev[MSG_ID])
{
	if (!m)
		return;
	m->have_dev = true;
	memcpy(m->dev, dev, MSG_ID);
}

void
logbook_tell(struct logbook *l, struct msg_append *m)
{
	if (!m)
		return;
	logbook_note(l, m);
	free(m);
}
