/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml - the small part of XML that metadata of updates is written in: elements,
 * attributes, text, comments.
 * Role: metainfo.c. A tokenizer of its own because no XML library is part of the
 * inspector, and because what this one does not know it refuses: document
 * types, entities that are defined, sections of CDATA, processing
 * instructions. Guarantees: never reads outside the text, allocates nothing,
 * linear time, depth bounded, every element closed by its own name, nothing but
 * white space and comments around the one root.
 */
#ifndef FG_IMAGES_XML_H
#define FG_IMAGES_XML_H

#include "crypto/view.h"

#define XML_DEPTH_MAX 24 /* metainfo has about eight */
#define XML_ATTRS_MAX 16

enum xml_kind { XML_NONE = 0, XML_OPEN, XML_CLOSE, XML_TEXT };

struct xml_attr {
	struct view name, value; /* as they are spelt */
};

struct xml {
	struct view all, rest;
	unsigned depth;
	struct view open[XML_DEPTH_MAX]; /* names of the elements that are open */
	bool closing; /* of an empty element, whose end is to be given yet */
	bool rooted;
	const char *why; /* after FG_EFORMAT: static text */
};

struct xml_token {
	enum xml_kind kind;
	struct view name; /* of the element opened or closed */
	struct view text; /* trimmed of white space, as it is spelt; never empty */
	unsigned attrs_n;
	struct xml_attr attr[XML_ATTRS_MAX];
};

/* FG_EFORMAT (x->why) for text that is not UTF-8. text is borrowed. */
int xml_begin(struct xml *x, struct view text);
/* The next token: 1, 0 at the end, FG_EFORMAT (x->why). */
int xml_next(struct xml *x, struct xml_token *ret);
/* An attribute's value; empty where there is none, or where it holds a reference ("&amp;"). */
struct view xml_attr(const struct xml_token *t, const char *name);
/* Free of references: what is spelt is what is meant. */
bool xml_is_plain(struct view v);

#endif
