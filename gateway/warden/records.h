/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records - a file of records of one length, which grows at its end. Used by vault.c and suspensions.c for what
 * restricts: a record is on disk when records_append() has said so, and none of those is ever lost to a later one.
 */
#ifndef FG_GATEWAY_WARDEN_RECORDS_H
#define FG_GATEWAY_WARDEN_RECORDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "crypto/view.h"

struct records {
	int dir;          /* borrowed */
	const char *name; /* borrowed */
	size_t len;       /* of one record */
	int fd;
	off_t end;        /* of the last whole record: a failed write never shifts the next */
};

/* Nothing open: records_close() may follow. */
#define RECORDS_NONE ((struct records){ .dir = -1, .fd = -1 })

/*
 * Opens the file, making it if it is missing, and tells every record; another error than 0 of each() ends it. A torn
 * last record is cut off: whoever spoke it was not answered, and says it again. FG_EIO, or each()'s. records_close()
 * in any case.
 */
int records_open(struct records *r, int dir, const char *name, size_t len, int (*each)(void *ctx, struct view record),
    void *ctx);
void records_close(struct records *r);
/*
 * Once, after records_open(): puts all in the file's place, each record once. What was read may be known only to the
 * page cache, and a sync that failed in another process is not repeated by one that does not: written anew it is on
 * disk, *ret_sure says. With no room for that the file stays as it is, and what it held has to be appended again when
 * it is spoken again. FG_EIO: neither the one nor the other is sure to be there after a cut of power.
 */
int records_settle(struct records *r, struct view all, bool *ret_sure);
/* Durable when 0 is returned; FG_EIO. */
int records_append(struct records *r, struct view record);

#endif
