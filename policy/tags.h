/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tags - words that an operator puts on a module: where it is, what it hangs on, whose it is.
 * Role: imports write them, lists and the rules of groups read them. Guarantees: pure;
 * one spelling for each set of tags: a-z, 0-9 and "-", sorted, each once, a blank between.
 */
#ifndef FG_POLICY_TAGS_H
#define FG_POLICY_TAGS_H

#include "crypto/view.h"

#define TAGS_MAX 128    /* bytes of all tags of a module, with the blanks and NUL: a dozen words; memory is a million times that */
#define TAGS_WORD_MAX 48 /* PROFILE_WORD_MAX: a rule of groups names one */

/*
 * Words with blanks or ";" between, as people write them; "-" alone is none. False for what is no
 * tag, or too much; text of any bytes.
 */
bool tags_canonical(struct view text, char dst[TAGS_MAX]);
/* tags canonical. False for an empty tag. */
bool tags_has(const char *tags, const char *tag);

#endif
