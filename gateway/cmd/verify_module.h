/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_module - everything the log says about one module: its grants and what
 * was logged as sent to it, each with the release behind it and who signed for
 * that. Complete, because the log has no gap and every line was read.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_MODULE_H
#define FG_GATEWAY_CMD_VERIFY_MODULE_H

#include "gateway/cmd/verify_story.h"

struct verify_module {
	uint8_t dev[ENTRY_DEV_LEN];
	uint64_t releases, grants, served, broken; /* broken: downloads that ended early */
	uint64_t *entry; /* indices of those, ascending, owned */
	uint64_t n;
};

/* 32 hex digits. */
bool verify_module_parse(const char *text, uint8_t ret[ENTRY_DEV_LEN]);
/* Whether that entry of the log is about the module. */
bool verify_module_has(const struct verify_module *m, uint64_t entry);
/* Goes through the whole log. FG_OK or FG_ENOMEM. Ended with verify_module_free. */
int verify_module_find(const struct verify_log *l, const uint8_t dev[ENTRY_DEV_LEN], struct verify_module *ret);
void verify_module_free(struct verify_module *m);
/* A line an entry, and the sentence that follows from them; only when nothing was wrong. */
void verify_module_tell(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s);
/* The same as a member "module". */
void verify_module_put(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s,
    struct jsonw *j);
/* The sentence; empty when there were problems. */
void verify_module_sentence(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s,
    struct writer *w);

#endif
