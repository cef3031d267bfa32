/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert - certificates and private keys anywhere in an image: as PEM, as DER, in files of
 * their own or inside programs.
 * Role: the explain stage puts every leaf of both images into one set each; an authority
 * that is new or gone, and a key that came, are lines of the page wherever they lie.
 * Guarantees: linear in the bytes but for CERT_TRIES_MAX attempts to decode, which are
 * bounded for a whole image; what is over a limit is counted and told.
 */
#ifndef FG_IMAGES_CERT_H
#define FG_IMAGES_CERT_H

#include "crypto/credential.h"
#include "images/page.h"
#include "images/source.h"

#define CERT_SET_MAX 8192        /* of one image: a distribution's bundle has 150, twice */
#define CERT_TRIES_MAX (16u << 10) /* a millisecond each at worst */
#define CERT_LEN_MAX (32u << 10) /* bytes of one object, in DER or in PEM; certificates have 1 to 3 KiB */

struct cert_set;

struct cert_set *cert_set_new(void); /* NULL without memory */
void cert_set_free(struct cert_set *c);
/* Adds all of one leaf; path in visible form, copied. 0, FG_EIO, FG_ENOMEM. */
int cert_set_scan(struct cert_set *c, const char *path, const struct source *s);
size_t cert_set_count(const struct cert_set *c);
/* Lines for what came and went, and for limits. 0 or FG_ENOMEM. */
int cert_page(const struct cert_set *old, const struct cert_set *new, struct page *page);

#endif
