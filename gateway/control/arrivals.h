/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrivals - the files that a fetch has brought: what they are, and what they
 * mean for the resource. Used by fetches when the fetcher has ended well.
 * Nothing it said is taken for true: sizes and digests are those of the files,
 * read in slices so that the loop never stalls. What arrived is a new image, the
 * known one again, or other bytes under the same URL - an incident, both kept.
 */
#ifndef FG_GATEWAY_CONTROL_ARRIVALS_H
#define FG_GATEWAY_CONTROL_ARRIVALS_H

struct flight;

/* Keeps the record of how it was fetched, from the sealed memfd (borrowed). FG_EPEER: it is none. */
int arrivals_provenance(struct flight *fl, int fd);
/*
 * Begins to read the files; the flight is over, landed or failed, once that is
 * done. An error: nothing was begun, and the caller ends the flight.
 */
int arrivals_begin(struct flight *fl);

#endif
