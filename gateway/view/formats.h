/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats - the views by name. Role: the command line's --format. JSON Lines
 * are no view but the record itself: the exact bytes that are hashed.
 */
#ifndef FG_GATEWAY_VIEW_FORMATS_H
#define FG_GATEWAY_VIEW_FORMATS_H

#include "gateway/view/record.h"

#define FORMATS_TEXT_MAX (512u << 10) /* of one entry in any view: every byte escaped, in a field of its own */

enum formats { FORMATS_NONE = 0, FORMATS_JSONL, FORMATS_RFC5424, FORMATS_CEF, FORMATS_OCSF, FORMATS_JOURNAL, FORMATS_LIMIT };

const char *formats_name(enum formats f);
/* FORMATS_NONE for no name of ours. */
enum formats formats_parse(const char *name);
/*
 * Appends one entry and what ends it: a line end, and after the fields of the
 * journal an empty line. line is what r was read from. 0 or a negative fg_err.
 */
int formats_put(enum formats f, const struct record *r, struct view line, const struct record_frame *frame,
    struct writer *w);

#endif
