/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers - what the documents of /api/v1 hold, member by member: the one table from which the OpenAPI document has
 * its schemas. Callers: openapi.c, and the stories that hold real answers against what is served.
 * Pure. A table that is wrongly written aborts: its test reads all of it.
 *
 * Of a view all is told; of what changes something that which is not is told to be an object.
 * Written so: s text, n number, b truth, t time, d digest or id in hex, * anything; [x] a list of them;
 * {key:x,...} with exactly these members in the order of their bytes, {*:x} with members that are named by data;
 * a name in capitals another row of the table; x? or null; key~ may be missing.
 */
#ifndef FG_GATEWAY_CONSOLE_ANSWERS_H
#define FG_GATEWAY_CONSOLE_ANSWERS_H

#include "crypto/jsonw.h"

/* Whether the document of that request is told. */
bool answers_has(const char *request);
/* The schema of its document, as a value. */
void answers_put(struct jsonw *j, const char *request);
/* Members of components/schemas with names behind `after` and before `before` in the order of bytes; NULL: no matter. */
void answers_put_named(struct jsonw *j, const char *after, const char *before);

#endif
