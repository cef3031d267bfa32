/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sightings - what modules ask for, as edges report it: into the inventory, the
 * list of resources and, for requests no profile knows, the list to learn from.
 * Orders a fetch where the profile allows; however many modules ask, there is
 * one at a time for a resource (fetches.h).
 * Guarantees: an edge is not believed about where to fetch: the URL must be the
 * profile's own template and the resource that of the URL. Memory and writes
 * are bounded by resources, not by requests.
 */
#ifndef FG_GATEWAY_CONTROL_SIGHTINGS_H
#define FG_GATEWAY_CONTROL_SIGHTINGS_H

#include "gateway/wire/msg.h"

#define SIGHTINGS_RESOURCES_MAX 65536 /* remembered between two writes */
#define SIGHTINGS_MEET_MAX 128        /* new ones a second: each waits for the disk, and so does everybody else */
#define SIGHTINGS_LOG_SECONDS 300     /* one entry a resource at most that often */
#define SIGHTINGS_LOG_MAX 64          /* resources named in one round; the rest is counted */

struct control;
struct sightings;

struct sightings *sightings_new(struct control *c);
void sightings_free(struct sightings *s);
void sightings_take(struct sightings *s, unsigned edge, const struct msg_sighting *m);
/* Every second: writes what was counted. Every minute: tells the log, when it is time. */
void sightings_flush(struct sightings *s);
void sightings_report(struct sightings *s);

#endif
