/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendornotes - what a vendor says that a version changes, as a person brought it or as it was fetched with the
 * image (notesfetch.h), to stand in the image's report beside what was measured (images/notes.h). Used by
 * requests, notesfetch and judging. Guarantees: they are given for bytes, by their digest, and once; the log has that before any
 * report has them; whoever has signed for a report without them has signed for another report, so an open review is
 * judged again.
 */
#ifndef FG_GATEWAY_CONTROL_VENDORNOTES_H
#define FG_GATEWAY_CONTROL_VENDORNOTES_H

#include "images/notes.h"

/*
 * In all, before more are taken for bytes that are in no review: those of others are as many as images, and
 * what is yet to come could be anything. At most 256 MiB.
 */
#define VENDORNOTES_MAX 1024

struct call;
struct control;

/* Request notes.add: of a review's image, or of one that is still to come; waits for its entry. */
void vendornotes_add(struct control *c, struct call *call);
/*
 * The text that came from url for a candidate's image, in fd, which is only read here: laid beside it once the log has
 * that. The candidate is judged whatever becomes of it.
 */
void vendornotes_came(struct control *c, uint64_t candidate, const uint8_t image[DIGEST_SHA256_LEN], int fd,
    const char *url);
/* 0, also where there are none (ret->have false); FG_EIO, FG_ENOMEM, FG_ECRYPTO. */
int vendornotes_of(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], struct notes *ret);

#endif
