/* SPDX-License-Identifier: Apache-2.0 */
/* swdesc_internal - between swdesc.c (an entry) and swdesc_select.c (where entries are). */
#ifndef FG_IMAGES_SWDESC_INTERNAL_H
#define FG_IMAGES_SWDESC_INTERNAL_H

#include "images/swdesc.h"

/* One description being read. */
struct swdesc_reading {
	struct walk *w;
	uint64_t at; /* of the text in w->image */
	struct walk_signed by;
	const struct conf *c;
	struct swdesc *out;
	char selection[CONTENTS_VALUE_MAX]; /* the one being gathered, for sentences */
	bool wrong;       /* something was told as malformed */
	bool installable; /* the selection gives an updater something to do */
	unsigned visited; /* elements of lists so far: links may lead to one list again and again */
	bool full;        /* a bound was met, and told: nothing more is looked at */
	unsigned facts_n; /* told so far: selections that share a list repeat what it says */
	struct {
		enum contents_fact_id id;
		char value[CONTENTS_VALUE_MAX];
	} fact[CONTENTS_FACTS_MAX];
};

/* Raises FMT-MALFORMED about the description. */
void swdesc_wrong(struct swdesc_reading *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Tells a fact once. value is text of ours or escaped already. */
void swdesc_fact(struct swdesc_reading *d, enum contents_fact_id id, const char *value);
/* Tells that more than SWDESC_ENTRIES_MAX elements would have to be looked at, and ends the reading. */
void swdesc_full(struct swdesc_reading *d, const char *what);
/* The index-th element of list, a group without "ref", as an entry of the selection at hand. */
void swdesc_entry_read(struct swdesc_reading *d, enum swdesc_list list,
    const struct conf_node *node, size_t index);
/* The names under which a list is looked for; NULL ends them. */
const char *swdesc_list_word(enum swdesc_list list, unsigned i);

#endif
