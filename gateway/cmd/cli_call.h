/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_call - one connection to control, calls one after the other. What comes
 * back is another process's word: frames, JSON and descriptors are checked
 * here, and a wrong one is an error, never a guess.
 */
#ifndef FG_GATEWAY_CMD_CLI_CALL_H
#define FG_GATEWAY_CMD_CLI_CALL_H

#include "crypto/json.h"
#include "crypto/jsonw.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/wire/msg.h"

#define CLI_CALL_WAIT_MS 60000 /* an approval copies, seals and hashes a whole image */

struct cli_call;

/* Arguments of a request: begin, write members in ascending order of key, call. */
struct cli_request {
	struct writer w;
	struct jsonw j;
};

struct cli_reply {
	unsigned status;      /* enum cli_exit */
	struct json *doc;     /* always an object */
	struct view text;     /* of doc; owned */
	int file;             /* read-only regular file, or -1; owned unless taken */
};

/* Says what is wrong and returns the exit status; 0 with *ret. */
int cli_call_open(const struct cli_common *c, struct cli_call **ret);
void cli_call_close(struct cli_call *call);

void cli_call_begin(struct cli_request *r);
/* A member a person typed; NULL is left out, and what is not UTF-8 fails the call. */
void cli_call_text(struct cli_request *r, const char *key, const char *text);
/* The same for a list; an empty one is left out. */
void cli_call_list(struct cli_request *r, const char *key, const struct cli_opt_list *list);
/* A number; below 0 is left out. */
void cli_call_number(struct cli_request *r, const char *key, int64_t n);
/*
 * Ends r (NULL: no arguments) and sends it with n descriptors, which stay the
 * caller's. 0 with *ret, which may be a refusal (status not 0, "error" inside);
 * else an exit status after saying why.
 */
int cli_call_do(struct cli_call *call, const char *request, struct cli_request *r, const int *fds, unsigned n,
    struct cli_reply *ret);
void cli_reply_free(struct cli_reply *r);

/* Says a reply's error; returns its status. */
int cli_call_refused(const struct cli_common *c, const struct cli_reply *r);
/* Whether a refusal has that id. */
bool cli_call_is(const struct cli_reply *r, const char *id);

/*
 * The common case: open, one call, close. With --json the document is printed, and
 * *ret_show is false: nothing is left to show. Without, *ret_show says that
 * reply is there to be shown. Returns the exit status; always cli_reply_free.
 */
int cli_call_once(const struct cli_common *c, const char *request, struct cli_request *r, const int *fds, unsigned n,
    struct cli_reply *ret, bool *ret_show);
/* Opens a file to be handed over; -1 after saying why. */
int cli_call_file(const struct cli_common *c, const char *path);
/* All of a reply's file, at most max bytes, into w. 0 or a negative fg_err. */
int cli_call_slurp(int fd, size_t max, struct writer *w);

#endif
