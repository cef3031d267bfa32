/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sbom - which components an image says that it is made of, and in which versions.
 * Role: explain stage; one set an image, their difference on the page. Always a hint: these
 * are the image's own words (package databases, os-release, banners in programs), which
 * nobody vouches for. Guarantees: bounded; a component is older only where each image has
 * exactly one version of it.
 */
#ifndef FG_IMAGES_SBOM_H
#define FG_IMAGES_SBOM_H

#include "images/leaf.h"
#include "images/page.h"

#define SBOM_MAX 16384 /* pairs of name and version of one image: a large distribution has 3,000 */
#define SBOM_NAME_MAX 64
#define SBOM_VERSION_MAX 48

struct sbom;

struct sbom *sbom_new(void); /* NULL without memory */
void sbom_free(struct sbom *b);
/* Adds what one leaf says. 0, FG_EIO or FG_ENOMEM. */
int sbom_scan(struct sbom *b, const struct leaf *l);
size_t sbom_count(const struct sbom *b);
/* Of two spellings of versions: below, equal (0) or above; numbers by value, "~" and "-rc" before the end. */
int sbom_order(const char *a, const char *b);
/* 0 or FG_ENOMEM. Sorts both. */
int sbom_page(struct sbom *old, struct sbom *new, struct page *page);

#endif
