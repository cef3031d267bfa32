/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine - forgets the bytes of what is decided or was never looked at, after the configured time. */
#ifndef FG_GATEWAY_CONTROL_QUARANTINE_H
#define FG_GATEWAY_CONTROL_QUARANTINE_H

struct control;

/* Every minute. Rows, reports and provenance stay; a file goes when no candidate needs it. */
void quarantine_tidy(struct control *c);

#endif
