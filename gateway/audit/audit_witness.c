/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The witness in the house: the warden remembers the last checkpoint it vouched
 * for. At start the log is compared with that before anything is appended,
 * acknowledged or signed; afterwards each published checkpoint is shown to it,
 * and its line put under it. A warden that is away holds up a start, because
 * nobody knows then whether this is the whole log; later it holds up nothing.
 */
#include "gateway/audit/audit_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/witness.h"

#define HELD_MAX 256 /* entries of the supervisor's until the comparison is over; it keeps as many itself */

struct held {
	struct held *next;
	struct msg_append m; /* without its document: the supervisor sends none */
};

/* ---- what waits for the comparison ---- */

static void
listen_again(struct audit *a, enum msg_role peer, unsigned index)
{
	struct chan *c = role_peer(a->role, peer, index);
	if (c)
		chan_pause(c, false);
}

static void
listen_to_all(struct audit *a)
{
	listen_again(a, MSG_ROLE_CONTROL, 0);
	for (unsigned i = 0; i < role_boot(a->role)->edges; i++)
		listen_again(a, MSG_ROLE_EDGE, i);
}

bool
audit_witness_hold(struct audit *a, const struct msg_append *m)
{
	if (!a->witness.comparing && !a->remote.waiting)
		return false;
	struct held *h = a->witness.held_n < HELD_MAX ? calloc(1, sizeof *h) : NULL;
	if (!h)
		return false; /* refused, as by a log that cannot be written just now */
	h->m = *m;
	h->m.doc = view_of(NULL, 0);
	h->next = NULL;
	*a->witness.held_tail = h;
	a->witness.held_tail = &h->next;
	a->witness.held_n++;
	return true;
}

static void
release_held(struct audit *a)
{
	struct held *h = a->witness.held;
	a->witness.held = NULL;
	a->witness.held_tail = &a->witness.held;
	a->witness.held_n = 0;
	while (h) {
		struct held *next = h->next;
		audit_on_append(a, role_supervisor(a->role), &h->m, NULL);
		free(h);
		h = next;
	}
}

/* ---- asking ---- */

static void
ask(struct audit *a, struct view request, uint64_t size)
{
	struct msg_cosign_ask m = { .token = ++a->witness.token, .request = request };
	a->witness.asked = chan_send(a->witness.chan, MSG_COSIGN_ASK, &m, NULL, 0) == FG_OK;
	a->witness.asked_size = size;
}

void
audit_witness_published(struct audit *a)
{
	struct audit_witness *w = &a->witness;
	uint64_t size = a->ledger ? ledger_published(a->ledger) : 0;
	struct merkle_proof proof = { .n = 0 };
	struct writer request;
	if (!w->chan || w->asked || w->comparing || w->quiet || !audit_is_usable(a) || size == w->vouched)
		return;
	int err = w->known ? ledger_consistency(a->ledger, w->known, &proof) : FG_OK;
	writer_init(&request, MSG_COSIGN_MAX);
	if (!err)
		err = witness_request_write(w->known, &proof, ledger_checkpoint(a->ledger), &request);
	if (!err)
		ask(a, writer_view(&request), size);
	else
		oplog(OPLOG_WARNING, "the warden was not asked to vouch for the checkpoint: %s", err_name(err));
	writer_free(&request);
}

/* ---- judging what it remembers ---- */

/*
 * A checkpoint that somebody holds, signed by this log's own key, against the
 * log. Whoever brings it: the signature makes it a proof. Condemns when it does
 * not fit; true when it does.
 */
static bool
compare(struct audit *a, const char *who, struct view note, uint64_t *ret_size)
{
	struct checkpoint_opened o;
	uint8_t root[MERKLE_HASH_LEN];
	char why[CONDEMNED_WHY];
	*ret_size = 0;
	if (!note.n)
		return true;
	int err = checkpoint_open(note, NULL, &a->key.key, NULL, 0, 0, &o);
	if (err || o.outcome != CHECKPOINT_VERIFIED) {
		oplog(OPLOG_ERR, "%s remembers a checkpoint that this log's key did not sign", who);
		return false;
	}
	*ret_size = o.head.size;
	if (!a->ledger || a->opened.state != MSG_LOG_OPEN_OK) {
		/* Condemned for what it is already; a repair must reach as far as anybody knows. */
		if (a->condemned.state != MSG_LOG_UNKNOWN)
			audit_condemn(a, a->condemned.state, o.head.size, "");
		return true;
	}
	if (o.head.size > ledger_size(a->ledger)) {
		snprintf(why, sizeof why, "%s holds a checkpoint of size %" PRIu64 ", this log has %" PRIu64 " entries", who,
		    o.head.size, ledger_size(a->ledger));
		audit_condemn(a, MSG_LOG_ROLLED_BACK, o.head.size, why);
		return true;
	}
	err = ledger_root_unsigned(a->ledger, o.head.size, root);
	if (err) {
		oplog(OPLOG_ERR, "the log could not be compared with what %s remembers: %s", who, err_name(err));
		return false;
	}
	if (memcmp(root, o.head.root, sizeof root) != 0) {
		snprintf(why, sizeof why, "%s holds another tree of size %" PRIu64 ", signed by this log's key", who, o.head.size);
		audit_condemn(a, MSG_LOG_TAMPERED, o.head.size, why);
	}
	return true;
}

void
audit_witness_go_on(struct audit *a)
{
	if (audit_begin(a))
		return; /* it has said why, and ends */
	release_held(a);
	listen_to_all(a);
	audit_witness_published(a);
}

/* The first answer: only now is it known that this is the whole log. */
static void
compared(struct audit *a, const struct msg_cosigned *m)
{
	uint64_t size;
	/* Not comparable: the start stays held, and says so; the next warden, or a person, helps. */
	if (m->err || !compare(a, "the warden", m->note, &size))
		return;
	a->witness.known = size;
	a->witness.comparing = false;
	if (audit_remote_hold(a))
		listen_to_all(a); /* those who ask are answered, those who write are refused */
	else
		audit_witness_go_on(a);
}

static void
take_line(struct audit *a, const struct msg_cosigned *m)
{
	struct audit_witness *w = &a->witness;
	w->known = w->vouched = w->asked_size;
	w->at = clock_wall_s(a->clock);
	if (!m->line[0] || ledger_published(a->ledger) != w->asked_size)
		return; /* it has no key, or there is a newer checkpoint by now */
	struct view line = view_str(m->line);
	struct note_key witness = { .type = NOTE_TYPE_NONE };
	/* " name " of the line: an older one of the same name goes. */
	const uint8_t *from = memchr(line.p, ' ', line.n);
	const uint8_t *to = from ? memchr(from + 1, ' ', line.n - (size_t)(from + 1 - line.p)) : NULL;
	if (!to || (size_t)(to - from - 1) >= sizeof witness.name)
		return;
	memcpy(witness.name, from + 1, (size_t)(to - from - 1));
	int err = ledger_cosigned(a->ledger, w->asked_size, &witness, line);
	if (err)
		oplog(OPLOG_WARNING, "the warden's line was not put under the checkpoint: %s", err_name(err));
}

void
audit_on_cosigned(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	struct audit_witness *w = &a->witness;
	const struct msg_cosigned *m = msg;
	uint64_t size;
	(void)c;
	(void)frame;
	if (!w->asked || m->token != w->token)
		return;
	w->asked = false;
	if (w->comparing) {
		compared(a, m);
		return;
	}
	if (!m->err && m->outcome == WITNESS_COSIGN) {
		take_line(a, m);
	} else if (m->err || !compare(a, "the warden", m->note, &size) || size == w->known) {
		/* It could not write, or says no to a log that fits what it remembers: not asked again for ever. */
		oplog(OPLOG_ERR, "the warden does not vouch for the log (%s): its checkpoints are without its line",
		    m->err ? err_name(m->err) : witness_outcome_name((enum witness_outcome)m->outcome));
		w->quiet = true;
	} else {
		w->known = size;
	}
	audit_witness_published(a);
}

/* ---- its coming and going ---- */

void
audit_witness_start(struct audit *a)
{
	a->witness.comparing = true;
	a->witness.held_tail = &a->witness.held;
}

void
audit_witness_up(struct audit *a, struct chan *c, enum msg_role peer)
{
	if (peer != MSG_ROLE_WARDEN) {
		if (a->witness.comparing)
			chan_pause(c, true);
		return;
	}
	a->witness.chan = c;
	a->witness.quiet = false;
	if (a->witness.comparing)
		ask(a, view_of(NULL, 0), 0);
	else
		audit_witness_published(a);
}

void
audit_witness_down(struct audit *a, const struct chan *c)
{
	if (a->witness.chan != c)
		return;
	a->witness.chan = NULL;
	a->witness.asked = false;
}

void
audit_witness_close(struct audit *a)
{
	while (a->witness.held) {
		struct held *h = a->witness.held;
		a->witness.held = h->next;
		free(h);
	}
}
