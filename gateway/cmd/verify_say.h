/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_say - what is told: problems as they are found, or all of it as one
 * JSON document at the end. Nothing but printable ASCII leaves: texts of an export
 * are hostile.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_SAY_H
#define FG_GATEWAY_CMD_VERIFY_SAY_H

#include <stdarg.h>
#include <stdbool.h>

#include "crypto/jsonw.h"

#define VERIFY_SAY_PROBLEMS 20 /* told one by one; more are counted */
#define VERIFY_SAY_MAX 1024    /* bytes of one */

struct verify_say {
	bool json;
	unsigned problems;
	char *problem[VERIFY_SAY_PROBLEMS]; /* owned; NULL where memory ran out */
};

void verify_say_free(struct verify_say *s);
/* "not ok: ..." now, unless JSON was asked for. */
void verify_say_problem(struct verify_say *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* A line for people; nothing with JSON. */
void verify_say_line(const struct verify_say *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "problem_count" and "problems", for the end of a document. */
void verify_say_put(const struct verify_say *s, struct jsonw *j);
/* A finished document and a line end on stdout. */
void verify_say_print(const struct writer *w);

#endif
