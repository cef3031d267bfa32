/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem - what went wrong, as HTTP says it: a status by the stable id that
 * control or the console gave it, and an application/problem+json document
 * (RFC 9457) with that id. Role: the console's answers. Pure.
 */
#ifndef FG_GATEWAY_CONSOLE_PROBLEM_H
#define FG_GATEWAY_CONSOLE_PROBLEM_H

#include "crypto/json.h"

#define PROBLEM_TYPE "application/problem+json"
#define PROBLEM_MAX 4096 /* bytes of a document: a sentence, its cure, each byte written as six */

struct problem {
	unsigned status;    /* HTTP's */
	struct view id;     /* "DENIED" */
	struct view detail; /* UTF-8 */
	struct view cure;   /* UTF-8; may be empty */
};

/* Of a reply of control's: its own status (0 to 3) and the id of its error, which may be none. */
unsigned problem_status(unsigned status, struct view id);
/*
 * Out of {"error":{...}}, borrowed. What is not said so is COULD-NOT, 503: an answer
 * that went wrong in a way of its own is never a success.
 */
void problem_read(unsigned status, const struct json_value *doc, struct problem *ret);
/* Appends the document. */
void problem_write(const struct problem *p, struct writer *w);
/* "Not Found" */
const char *problem_title(unsigned http);

#endif
