/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quarantine - the room that images have before anybody has approved them: how
 * much is left for fetches and imports, and whose bytes are forgotten.
 */
#ifndef FG_GATEWAY_CONTROL_QUARANTINE_H
#define FG_GATEWAY_CONTROL_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct profile;

/* Every minute. Rows, reports and provenance stay; a file goes when no candidate needs it. */
void quarantine_tidy(struct control *c);
/*
 * Bytes an image of the profile may still have, by its own cap, its quota, the quarantine's and the
 * disk's; 0: ret_why, and *ret_shared (or NULL) says whether it is room that all profiles share:
 * dropping parts helps then, and else never.
 */
uint64_t quarantine_room(struct control *c, const struct profile *p, bool *ret_shared, char *ret_why, size_t cap);
/* Bytes that a scratch file may take of the disk, and of what the quarantine may have; 0: none now. */
uint64_t quarantine_scratch(struct control *c);

#endif
