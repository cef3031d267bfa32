/* SPDX-License-Identifier: Apache-2.0 */
/* part - words about one part; apart from the tree (parts.c), so that whoever prints a report needs none of the openers. */
#include "images/part.h"

bool
part_is_leaf(const struct part *p)
{
	return p->bytes.size > 0 && p->children == 0;
}

const char *
part_form(const struct part *p)
{
	return p->form ? p->form : format_name(p->format);
}

const char *
part_kind_name(enum part_kind kind)
{
	static const char *const names[] = {
		[PART_NONE] = "none",	  [PART_REGION] = "region", [PART_STREAM] = "stream",
		[PART_FILE] = "file",	  [PART_FOLDER] = "folder", [PART_LINK] = "link",
		[PART_DEVICE] = "device", [PART_FIFO] = "fifo",	    [PART_SECTION] = "section",
	};
	return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "none";
}

const char *
part_look_name(enum part_look look)
{
	static const char *const names[] = {
		[PART_LOOK_NONE] = "not-looked-at", [PART_LOOK_OPAQUE] = "opaque",
		[PART_LOOK_DATA] = "data",	    [PART_LOOK_ERASED] = "erased",
		[PART_LOOK_KNOWN] = "known",	    [PART_LOOK_OPENED] = "opened",
	};
	return (unsigned)look < sizeof names / sizeof names[0] ? names[look] : "not-looked-at";
}
