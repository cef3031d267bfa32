/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oplog - operational log: one line per call on stderr, "<priority>role: text"
 * as journald reads it. Apart from the audit log and never a substitute for it.
 * Callers pass untrusted text through visible_cstr first; control characters
 * that slip by are replaced. No secrets, no identities in clear.
 */
#ifndef FG_GATEWAY_ROLE_OPLOG_H
#define FG_GATEWAY_ROLE_OPLOG_H

enum oplog_level { OPLOG_ERR = 3, OPLOG_WARNING = 4, OPLOG_NOTICE = 5, OPLOG_INFO = 6, OPLOG_DEBUG = 7 };

/* Lines above level are dropped; OPLOG_INFO unless FOTAGATE_LOG_LEVEL (3..7) says otherwise. Preserves errno. */
void oplog(enum oplog_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
