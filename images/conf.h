/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf - a hostile description in libconfig's syntax or in JSON, as one tree.
 * Role: sw-description (swdesc.c). libconfig itself reads the first form, since
 * the updater does, but only after conf_scan() went over the text: no @include,
 * no integer that libconfig would wrap, bounded depth and number. JSON is read
 * by crypto/json, which refuses what json-c forgives (two equal keys, comments,
 * fractions).
 *
 * A text is JSON when its first character that is no blank is "{", which no text
 * of libconfig's can start with: one text never means two things.
 */
#ifndef FG_IMAGES_CONF_H
#define FG_IMAGES_CONF_H

#include "crypto/view.h"

#define CONF_TEXT_MAX (1u << 20) /* genuine ones have a few KiB, with embedded scripts some tens */
#define CONF_DEPTH_MAX 16        /* brackets in brackets; swupdate's deepest own structure has 8 */
#define CONF_SETTINGS_MAX 8192   /* libconfig looks through a group's for every one that it adds */
#define CONF_NODES_MAX 65536     /* settings and elements */

/* Zero is what no rule asks for. */
enum conf_type {
	CONF_NONE = 0,
	CONF_GROUP,
	CONF_LIST, /* and libconfig's arrays */
	CONF_STRING,
	CONF_INT,
	CONF_BOOL,
	CONF_OTHER, /* a fraction, JSON's null */
};

struct conf_node {
	enum conf_type type;
	struct view name;   /* of a setting; empty for elements */
	struct view string; /* CONF_STRING; may hold NUL in JSON */
	int64_t number;     /* CONF_INT, and 0 or 1 for CONF_BOOL */
	size_t first, count; /* of a group's or list's children; see conf_child() */
};

struct conf; /* the tree with what its strings point into */

/* Why a text was refused; line is 0 where it is not known. */
struct conf_fault {
	unsigned line;
	char what[96]; /* plain ASCII */
};

/*
 * text need not outlive the call. FG_EFORMAT or FG_ELIMIT with *ret_fault
 * filled, or FG_ENOMEM.
 */
int conf_parse(struct view text, struct conf **ret, struct conf_fault *ret_fault);
void conf_free(struct conf *c);
/* The group of everything. */
const struct conf_node *conf_root(const struct conf *c);
/* NULL for an index that is none. */
const struct conf_node *conf_child(const struct conf *c, const struct conf_node *parent, size_t i);
/* NULL when parent is NULL, no group, or has none of that name. */
const struct conf_node *conf_get(const struct conf *c, const struct conf_node *parent, struct view name);

#endif
