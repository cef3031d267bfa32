/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rivals - whether one update is one image: the bytes that a profile, product,
 * starting version and target version have given, under whatever URL, and which
 * modules asked for and were granted which.
 * Role: where the profile says that there is one image (profile.one_image) arrivals
 * and imports suspect a second one, judging holds it once it was looked at,
 * standing withholds what was released for the same update until people decide,
 * reviews show them side by side. Guarantees: only what people released counts against
 * what comes later: anybody may ask for any name, and that must not hold the genuine
 * image. Nor does it freeze a release: what a server sends for a name that somebody
 * made up has to pass inspection first, as an image of that update.
 */
#ifndef FG_GATEWAY_CONTROL_RIVALS_H
#define FG_GATEWAY_CONTROL_RIVALS_H

#include "crypto/release.h"
#include "gateway/state/candidate.h"
#include "gateway/state/resource.h"

struct control;
struct jsonw;

#define RIVALS_MODULES_MAX 100 /* named of those that were granted one image; the rest is counted */

/*
 * The image that was released for the same update as r, by another URL or (own) by r's too, if it is not these
 * bytes: true and *ret, and *ret_granted modules had it. Always false where the profile
 * lets an update have several. FG_OK, FG_ENOMEM, FG_EIO in *ret_err.
 */
bool rivals_other(struct control *c, const struct db_resource *r, const uint8_t image[DIGEST_SHA256_LEN], bool own,
    struct db_candidate *ret, uint32_t *ret_granted, int *ret_err);
/* "R-1 has other bytes for the same update, which 3 modules were granted". */
void rivals_say(const struct db_candidate *other, uint32_t granted, char *dst, size_t cap);
/*
 * It was judged and not denied. Where it is suspected of being a second image, and still is one, it becomes an
 * incident, and what was released for the same update is offered to nobody: that takes effect first, and is
 * written and logged after. True: so it was. FG_OK, FG_ENOMEM, FG_EIO in *ret_err.
 */
bool rivals_judged(struct control *c, struct db_candidate *cand, int *ret_err);
/*
 * Whether a second image of its update waits for people: then why says which. What cannot be read freezes too.
 */
bool rivals_freeze(struct control *c, const struct release *record, char *why, size_t cap);
/* Key and array of all other images of cand's update: review, digest, state, who asked first, who was granted it. */
void rivals_put(struct control *c, const struct db_candidate *cand, const struct db_resource *r, struct jsonw *j,
    const char *key);

#endif
