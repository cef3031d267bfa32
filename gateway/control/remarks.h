/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remarks - what people say about a review, and what they lay beside it (the results
 * of a laboratory), by digest. Used by requests. Guarantees: decides nothing and
 * changes no review; text and digest are in the log once it is answered, the bytes
 * are kept under their digest and handed out as they came.
 */
#ifndef FG_GATEWAY_CONTROL_REMARKS_H
#define FG_GATEWAY_CONTROL_REMARKS_H

#include "crypto/jsonw.h"
#include "gateway/state/candidate.h"

#define REMARKS_MAX 32                /* of one review: beyond it is a forum */
#define REMARKS_TEXT_MAX 400          /* characters: an entry of the log holds it whole */
#define REMARKS_NAME_MAX 63
#define REMARKS_FILE_MAX (1024u * 1024) /* a paper with figures; logs of a week belong elsewhere */

struct call;
struct control;

/* Requests review.comment, review.attach. */
void remarks_comment(struct control *c, struct call *call);
void remarks_attach(struct control *c, struct call *call);
/* Key and array of all there are about the candidate. */
void remarks_put(struct control *c, const struct db_candidate *cand, struct jsonw *j, const char *key);

#endif
