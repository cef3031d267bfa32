/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_scan - reads a configuration text before libconfig does.
 * libconfig 1.5 opens files for @include, wraps integers that do not fit, stops at
 * a NUL byte and at the first duplicate. This pass accepts a strict subset of its
 * grammar, so that what libconfig then sees has one meaning: names in lower case,
 * no octal-looking, floating or wrapping numbers, strings of printable ASCII with
 * the escapes \" \\ \n \r \t, nesting at most CONFIG_SCAN_DEPTH_MAX.
 */
#ifndef FG_POLICY_CONFIG_SCAN_H
#define FG_POLICY_CONFIG_SCAN_H

#include "crypto/view.h"
#include "policy/config_problem.h"

#define CONFIG_SCAN_DEPTH_MAX 8      /* our deepest key has five parts */
#define CONFIG_SCAN_LINES_MAX 20000  /* libconfig counts lines in 16 bits */
#define CONFIG_SCAN_NAMES_MAX 256    /* settings in one group */
#define CONFIG_SCAN_STRING_MAX 4096  /* longest value of ours is 1024 */

/*
 * Checks text and adds to problems. *ret_text becomes a NUL-terminated copy for
 * libconfig (free()), with duplicates and unfit integers blanked out so that
 * the rest can still be checked; NULL when the text cannot be read further. 0 or
 * FG_ENOMEM.
 */
int config_scan(const char *file, struct view text, struct config_problems *problems, char **ret_text);

#endif
