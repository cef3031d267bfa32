/* SPDX-License-Identifier: Apache-2.0 */
/* verify_dir - a whole export, against what the auditor brought along, and what is said of it. */
#ifndef FG_GATEWAY_CMD_VERIFY_DIR_H
#define FG_GATEWAY_CMD_VERIFY_DIR_H

#include "crypto/entry.h"
#include "gateway/cmd/verify_one.h"

struct verify_dir { /* all borrowed */
	const char *dir;
	const struct verify_trust *trust;
	const char *const *seen; /* remembered states and receipts */
	const bool *receipt;     /* which of them were given as receipts: of the module, when there is one */
	size_t seen_n;
	const char *evidence;    /* folder for proofs of a fork, or NULL */
	bool have_module;
	uint8_t module[ENTRY_DEV_LEN];
};

enum verify_one verify_dir_run(const struct verify_dir *d, struct verify_say *say);

#endif
