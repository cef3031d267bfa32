/* SPDX-License-Identifier: Apache-2.0 */
/* What others may read of the log. A condemned one can be read as well: that is how a person finds out. */
#include "gateway/audit/audit_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"

void
audit_on_head_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)frame;
	audit_tell_head(ctx, c, ((const struct msg_head_ask *)msg)->token);
}

void
audit_on_head_ask_to_read(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	if (!a->witness.comparing && !a->remote.waiting)
		audit_publish_for_reader(a);
	audit_on_head_ask(ctx, c, msg, frame);
}

void
audit_tell_head(struct audit *a, struct chan *c, uint64_t token)
{
	struct msg_head m = { .token = token, .state = (uint8_t)audit_state(a), .last_us = a->last_us };
	m.used_pct = (uint8_t)a->reserve.used_pct;
	if (a->ledger) {
		struct view note = ledger_checkpoint(a->ledger);
		m.size = ledger_size(a->ledger);
		m.published = ledger_published(a->ledger);
		m.witnessed = a->witness.known;
		m.remotes = (uint8_t)audit_remote_count(a);
		m.remote_size = audit_remote_size(a);
		if (ledger_root(a->ledger, m.root))
			m.state = MSG_LOG_FAILED;
		snprintf(m.checkpoint, sizeof m.checkpoint, "%.*s", (int)note.n, note.p ? (const char *)note.p : "");
	}
	chan_send(c, MSG_HEAD, &m, NULL, 0);
}

void
audit_on_root_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_root_ask *ask = msg;
	struct msg_root m = { .token = ask->token, .size = ask->size };
	(void)frame;
	if (a->failed)
		m.err = FG_EIO;
	else if (a->witness.comparing)
		m.err = FG_EAGAIN;
	else if (a->remote.waiting)
		m.err = ledger_root_unsigned(a->ledger, ask->size, m.root);
	else
		m.err = ledger_root_at(a->ledger, ask->size, m.root);
	chan_send(c, MSG_ROOT, &m, NULL, 0);
}

void
audit_on_log_open(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
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

void
audit_on_proof_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct audit *a = ctx;
	const struct msg_proof_ask *ask = msg;
	struct msg_proof m = { .token = ask->token };
	struct writer receipt, entry;
	(void)frame;
	writer_init(&receipt, sizeof m.receipt - 1);
	writer_init(&entry, ENTRY_MAX);
	/* It may publish, and nothing is signed before the comparisons. */
	bool early = a->witness.comparing || (a->remote.waiting && ask->index >= ledger_published(a->ledger));
	m.err = early ? FG_EAGAIN : ledger_receipt(a->ledger, ask->index, &receipt, &entry);
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
