/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links - the short URLs that are out (edge/link.h), in memory over the database.
 * Role: an operator's `fotagate module url` adds one, the decision table takes
 * all of them. Guarantees: a link is in the log and in the database before it is
 * in a table; one whose module was erased is in none.
 */
#ifndef FG_GATEWAY_CONTROL_LINKS_H
#define FG_GATEWAY_CONTROL_LINKS_H

#include "gateway/state/link.h"

#define LINKS_MAX 262144u              /* TABLE_LINKS_MAX */
#define LINKS_KEEP_S (30 * 86400)      /* after its end: its module still gets its profile's "not now" */
#define LINKS_DAYS_MAX 30u             /* as long as what people sign may be valid */
#define LINKS_DAYS_DEFAULT 7u

struct inventory;
struct links;

/* Loads what is there. db is borrowed. */
int links_new(struct db *db, struct links **ret);
void links_free(struct links *l);
size_t links_count(const struct links *l);
/* In order of module; NULL past the end. Borrowed until the next change. */
const struct db_link *links_at(const struct links *l, size_t i);
/* Written before it returns. FG_ELIMIT (too many are out), FG_EEXIST, FG_ENOMEM, FG_EIO. */
int links_add(struct links *l, const struct db_link *link);
/* Forgets those that ended LINKS_KEEP_S ago, and those of modules that are no more. */
void links_prune(struct links *l, const struct inventory *inv, int64_t now);

#endif
