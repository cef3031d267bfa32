/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rfc5424 - an entry as a syslog message: facility 13 (log audit), MSGID the
 * event, the facts as structured data.
 *
 *   <109>1 2026-01-01T00:00:00.000123Z gw-7f3a fotagate control approval.signed
 *   [fg@32473 seq="41234" leaf="<hex>" out="ok" act="alice" obj="R-12" ...][ref@32473 image="sha256:.."] sentence
 *
 * Guarantees: one line of 0x20-0x7e in the grammar of RFC 5424 section 6 whatever
 * the entry holds, at most RFC5424_MAX bytes (what RFC 5425 section 4.3.1 says receivers
 * should take): a longer one loses its references, then its sentence, and
 * says so (cut="1"). seq and leaf are always there, so that a collector can tell
 * a gap, and can later be asked for what it got.
 */
#ifndef FG_GATEWAY_VIEW_RFC5424_H
#define FG_GATEWAY_VIEW_RFC5424_H

#include "crypto/checkpoint.h"
#include "gateway/view/record.h"

#define RFC5424_MAX 8192
#define RFC5424_FACILITY 13 /* log audit */
#define RFC5424_PEN_DOC 32473 /* for documentation (RFC 5612): an installation gives its own */

/* Appends the message without line end. 0 or what the writer says. */
int rfc5424_put(const struct record *r, const struct record_frame *f, struct writer *w);
/* The same header and an MSG of another format (CEF travels so); text is one line of 0x20-0x7e. */
int rfc5424_wrap(const struct record *r, struct view text, struct writer *w);
/*
 * A signed checkpoint as a message of its own, event log.checkpoint: note="<base64>"
 * is the whole note, so that whoever keeps it can convict the log. head is what
 * the note says; t_us when it was seen.
 */
int rfc5424_put_checkpoint(struct view note, const struct checkpoint *head, int64_t t_us, const struct record_frame *f,
    struct writer *w);

#endif
