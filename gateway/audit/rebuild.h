/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebuild - the way out of a log that is damaged or shorter than it was: tiles,
 * checkpoint and WAL made anew from an export (or a copy of audit/log), so that the
 * log goes on where its newest known checkpoint ended. It signs nothing: what it puts
 * in place was signed before. It refuses where that would fork the log: when anything
 * here that was signed says otherwise, or is longer than the export and its end is lost.
 * Used offline by fotagate(1); the daemon must be stopped.
 */
#ifndef FG_GATEWAY_AUDIT_REBUILD_H
#define FG_GATEWAY_AUDIT_REBUILD_H

#include "crypto/note.h"

struct rebuild {
	uint64_t size;  /* signed entries of the log that is in place now */
	uint64_t kept;  /* entries behind them that were durable here and not yet signed */
	char aside[32]; /* suffix under which the old log/ and wal/ are kept: ".replaced-<epoch>" */
	char why[256];  /* why not, one line */
};

/*
 * auditdir is data_dir/audit, fromdir holds checkpoint and tile/. key is the log's by its
 * genesis; now is epoch seconds. 0: done, and a marker of a condemned log is gone. FG_EPERM:
 * refused, nothing changed, ret->why says why. FG_ESTATE: the daemon runs. Other fg_err:
 * local failure; the log is condemned then and this can be run again.
 */
int rebuild_log(int auditdir, int fromdir, const struct note_key *key, int64_t now, struct rebuild *ret);

#endif
