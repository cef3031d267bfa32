/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call - one request from the control socket, from its arrival to its one
 * answer. It outlives its connection: what was set in motion goes on when the
 * person hangs up, and the answer is then dropped.
 */
#ifndef FG_GATEWAY_CONTROL_CALL_H
#define FG_GATEWAY_CONTROL_CALL_H

#include "crypto/jsonw.h"
#include "gateway/control/callers.h"
#include "gateway/role/chan.h"

#define CALL_DOC_MAX (8u << 20) /* the largest answer: a list of everything */

enum call_status { CALL_DONE = 0, CALL_REFUSED = 1, CALL_USAGE = 2, CALL_COULD_NOT = 3 };

struct call; /* owned by whoever is to answer it */

/* Sends m with its descriptors where the call came from; reports end of life once. */
struct call_line {
	void *ctx;
	void (*reply)(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n);
	void (*over)(void *ctx, struct call *c);
};

/*
 * Takes the descriptors of frame. 0 and *ret; FG_EFORMAT when the arguments
 * are not one JSON object, FG_ENOMEM.
 */
int call_new(const struct msg_call *m, struct wire_frame *frame, const struct caller *who,
    const struct call_line *line, struct call **ret);
/* The connection is gone: nothing is sent any more. */
void call_hang_up(struct call *c);

const struct caller *call_who(const struct call *c);
const char *call_request(const struct call *c);
unsigned call_fds(const struct call *c);
/* Borrowed; -1 if there is none. */
int call_fd(const struct call *c, unsigned i);
int call_take_fd(struct call *c, unsigned i);

/* The object with all arguments. */
const struct json_value *call_args(const struct call *c);
/* Arguments; NULL or a default when absent. The schema was checked before. */
const struct json_value *call_arg(const struct call *c, const char *key);
/* Text of at most cap-1 bytes; "" when absent. False: too long (already refused by the schema's limit). */
bool call_text(const struct call *c, const char *key, char *dst, size_t cap);
uint64_t call_number(const struct call *c, const char *key, uint64_t absent);
bool call_flag(const struct call *c, const char *key);

/* ---- the answer: exactly one of these, after which c is gone ---- */

/* doc is freed here; a failed writer becomes an answer of its own. */
void call_answer(struct call *c, enum call_status status, struct writer *doc);
/* With a read-only file; fd is taken. */
void call_answer_file(struct call *c, struct writer *doc, int fd);
/* {"error":{...}}; cure may be "". */
void call_fail(struct call *c, enum call_status status, const char *id, const char *cure, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* For a local failure: status 3 and what err_name says. */
void call_fail_err(struct call *c, int err);

/* A document that is begun: writer and canonical JSON in one. */
struct call_doc {
	struct writer w;
	struct jsonw j;
};
void call_doc_begin(struct call_doc *d);
void call_doc_end(struct call *c, struct call_doc *d, enum call_status status);

#endif
