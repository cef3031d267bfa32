/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rivals - whether one update is one image: the bytes that a profile, product,
 * starting version and target version have given, under whatever URL, and which
 * modules asked for and were granted which.
 * Role: arrivals and imports hold a second image where the profile says that there
 * is one (profile.one_image), reviews show them side by side. Guarantees: writes
 * nothing. Only what people released counts against what comes later: anybody may
 * ask for any name, and that must not hold the genuine image.
 */
#ifndef FG_GATEWAY_CONTROL_RIVALS_H
#define FG_GATEWAY_CONTROL_RIVALS_H

#include "gateway/state/candidate.h"
#include "gateway/state/resource.h"

struct control;
struct jsonw;

#define RIVALS_MODULES_MAX 100 /* named of those that were granted one image; the rest is counted */

/*
 * The image that was released for the same update as r, if it is not these
 * bytes: true and *ret, and *ret_granted modules had it. Always false where the profile
 * lets an update have several. FG_OK, FG_ENOMEM, FG_EIO in *ret_err.
 */
bool rivals_other(struct control *c, const struct db_resource *r, const uint8_t image[DIGEST_SHA256_LEN],
    struct db_candidate *ret, uint32_t *ret_granted, int *ret_err);
/* Key and array of all other images of cand's update: review, digest, state, who asked first, who was granted it. */
void rivals_put(struct control *c, const struct db_candidate *cand, const struct db_resource *r, struct jsonw *j,
    const char *key);

#endif
