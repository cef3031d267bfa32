/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetches - one fetch at a time for a resource, whoever and however many ask.
 * Orders the job, gives it inodes of the quarantine to write, and has arrivals
 * find out for itself what the bytes are when it ended.
 * Limits: back-off per resource, fetches an hour and bytes per profile, bytes of
 * the whole quarantine and what the disk must keep free.
 */
#ifndef FG_GATEWAY_CONTROL_FETCHES_H
#define FG_GATEWAY_CONTROL_FETCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCHES_SLICE (2u << 20)        /* bytes hashed in one turn of the loop: 4 ms */
#define FETCHES_BACKOFF_FIRST 30        /* seconds after the first failure; doubles, and up to a quarter more by chance */
#define FETCHES_BACKOFF_MAX (6 * 3600)
#define FETCHES_TRIES 5                 /* more of them within one fetch, after failures in a row: a minute of trouble */
#define FETCHES_RECHECK (24 * 3600)     /* a resource still asked for is looked at again: other bytes are an incident */
#define FETCHES_PROVENANCE_MAX 262144   /* gateway/upstream/provenance.h */
#define FETCHES_SIGNATURE_MAX 65536     /* more is no detached signature */

struct control;
struct fetches;

struct fetches *fetches_new(struct control *c);
/* Running ones are forgotten; what they were known to have is kept for the next start. */
void fetches_free(struct fetches *f);
/* A module asked (asker: its pseudonym, or NULL). Orders a fetch if one is due and allowed; else does nothing. */
void fetches_want(struct fetches *f, const uint8_t resource[16], const uint8_t *asker);
/* A person orders it, whatever the back-off says. FG_ESTATE, FG_EAGAIN (limits), FG_ENOTFOUND with ret_why. */
int fetches_order(struct fetches *f, const uint8_t resource[16], const char *person, char *ret_why, size_t cap);
/* Ends the candidate's fetch, which nobody wants any more; no-op when there is none. */
void fetches_cancel(struct fetches *f, uint64_t candidate);
/* After start: what was under way when we died has failed, and is tried again. */
void fetches_resume(struct fetches *f);
/* A fetch of it is under way. f may be NULL: none is. */
bool fetches_busy(const struct fetches *f, const uint8_t resource[16]);
unsigned fetches_running(const struct fetches *f);

#endif
