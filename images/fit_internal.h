/* SPDX-License-Identifier: Apache-2.0 */
/* fit_internal - what the files of the FIT walker share: fit.c, fit_image.c, fit_sign.c. */
#ifndef FG_IMAGES_FIT_INTERNAL_H
#define FG_IMAGES_FIT_INTERNAL_H

#include "images/fdtree.h"
#include "images/fit.h"

#define FIT_TEXT_MAX 4096 /* a value read as text: lists of names */
#define FIT_SHOWN_MAX 160 /* a node's name, escaped */
#define FIT_TOLD_MAX 24   /* words that every configuration repeats: tool, key, types */

/* One node under /images. */
struct fit_image {
	unsigned node;
	bool placed;            /* its data is there, once */
	bool external;          /* behind the tree */
	struct sig_range data;
	enum digest_alg alg;    /* the strongest of its hashes that fit its data or were not computed yet */
	uint8_t digest[DIGEST_LEN_MAX];
	bool listed;            /* a configuration names it */
	struct walk_signed by;  /* the first verified configuration that does */
	struct walk_signed own; /* its own signatures */
};

/* One node under /configurations. */
struct fit_config {
	unsigned node;
	bool signed_; /* it has signatures */
	struct walk_signed by;
};

struct fit {
	struct walk *w;
	struct fdtree t;
	bool suffixed; /* a node's name has an '@': nothing is verified then */
	unsigned images_node, configs_node; /* FDTREE_NONE: not there */
	struct fit_image *image;
	unsigned images;
	struct fit_config *config;
	unsigned configs;
	struct walk_signed by; /* all that vouch for a configuration, verified or not */
	struct {
		enum contents_fact_id id;
		char text[CONTENTS_VALUE_MAX];
	} told[FIT_TOLD_MAX];
	unsigned told_n;
};

/* A node's name, fit to be shown. */
const char *fit_name(const struct fit *f, unsigned node, char ret[FIT_SHOWN_MAX]);
/*
 * A property's value that is one text, or a list of them, each with its NUL: into
 * buf, *ret the bytes with all NULs. FG_EFORMAT when it is none, holds a byte that
 * is no printable ASCII, or is longer than cap.
 */
int fit_text(const struct fit *f, const struct fdtree_prop *p, char *buf, size_t cap, struct view *ret);
/* The same of a property that holds a single text. */
int fit_string(const struct fit *f, const struct fdtree_prop *p, char *buf, size_t cap);
/* A cell. FG_EFORMAT when it is none. */
int fit_u32(const struct fit *f, const struct fdtree_prop *p, uint32_t *ret);
/* A claim, told once whoever repeats it. False when there was no room to tell it. */
bool fit_tell(struct fit *f, enum contents_fact_id id, struct walk_signed by, const char *text);
/* All of a property's token is structure; its padding too, of which mkimage leaves some as it was. */
void fit_structure(struct fit *f, const struct fdtree_prop *p);

/* ---- fit_image.c ---- */

/* Reads what /images holds: where data lies, and hashes; what is weak is compared here. */
int fit_image_read(struct fit *f);
/* Hands each image to walk_member(), when all signatures are judged. */
int fit_image_members(struct fit *f);
/* What lies behind the tree and is no image's data. */
int fit_image_rest(struct fit *f);
/* The image of that name; NULL. */
struct fit_image *fit_image_find(struct fit *f, struct view name);

/* ---- fit_sign.c ---- */

/* Judges the signatures of images and of configurations. */
int fit_sign_judge(struct fit *f);

#endif
