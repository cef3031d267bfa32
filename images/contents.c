/* SPDX-License-Identifier: Apache-2.0 */
#include "images/contents.h"

#include "crypto/err.h"

static const char *const vouch_names[CONTENTS_VOUCH_LIMIT] = {
	[CONTENTS_VOUCH_NONE] = "none",
	[CONTENTS_VOUCH_MISMATCH] = "mismatch",
	[CONTENTS_VOUCH_CHECKED] = "checked",
	[CONTENTS_VOUCH_INSIDE] = "inside",
	[CONTENTS_VOUCH_DIGEST] = "digest",
};

static const char *const fact_names[CONTENTS_FACT_LIMIT] = {
	[CONTENTS_FACT_NONE] = "none",
	[CONTENTS_FACT_VERSION] = "version",
	[CONTENTS_FACT_BUILD] = "build",
	[CONTENTS_FACT_COMPATIBLE] = "compatible",
	[CONTENTS_FACT_SECURITY_COUNTER] = "security-counter",
	[CONTENTS_FACT_TIMESTAMP] = "timestamp",
	[CONTENTS_FACT_EXPIRES] = "expires",
	[CONTENTS_FACT_REQUIRES] = "requires",
	[CONTENTS_FACT_TARGET] = "target",
	[CONTENTS_FACT_TYPE] = "type",
	[CONTENTS_FACT_DIGEST] = "digest",
	[CONTENTS_FACT_KEY_HINT] = "key-hint",
	[CONTENTS_FACT_NOTE] = "note",
	[CONTENTS_FACT_ROLLBACK_INDEX] = "rollback-index",
	[CONTENTS_FACT_LEAST_VERSION] = "least-version",
};

const char *
contents_vouch_name(enum contents_vouch vouch)
{
	return (unsigned)vouch < CONTENTS_VOUCH_LIMIT ? vouch_names[vouch] : "none";
}

enum contents_vouch
contents_vouch_parse(struct view word)
{
	unsigned i = 0;
	while (i < CONTENTS_VOUCH_LIMIT && !view_is(word, vouch_names[i]))
		i++;
	return (enum contents_vouch)i;
}

const char *
contents_fact_name(enum contents_fact_id id)
{
	return (unsigned)id < CONTENTS_FACT_LIMIT ? fact_names[id] : "none";
}

enum contents_fact_id
contents_fact_parse(struct view word)
{
	for (unsigned i = CONTENTS_FACT_NONE + 1; i < CONTENTS_FACT_LIMIT; i++)
		if (view_is(word, fact_names[i]))
			return (enum contents_fact_id)i;
	return CONTENTS_FACT_NONE;
}

int
contents_add_structure(struct contents *c, struct sig_range range)
{
	uint64_t start = range.offset, end = range.offset + range.length;
	unsigned first = 0;
	if (range.length == 0)
		return 0;
	while (first < c->structure_n &&
	       c->structure[first].offset + c->structure[first].length < start)
		first++;
	unsigned last = first;
	for (; last < c->structure_n && c->structure[last].offset <= end; last++) {
		uint64_t its_end = c->structure[last].offset + c->structure[last].length;
		start = c->structure[last].offset < start ? c->structure[last].offset : start;
		end = its_end > end ? its_end : end;
	}
	if (first == last && c->structure_n == CONTENTS_STRUCTURE_MAX)
		return FG_ELIMIT;
	memmove(&c->structure[first + 1], &c->structure[last],
	    (c->structure_n - last) * sizeof c->structure[0]);
	c->structure_n = c->structure_n - (last - first) + 1;
	c->structure[first] = (struct sig_range){ start, end - start };
	return 0;
}
