/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_export - the folder an auditor takes away (ARCHITECTURE.md section 5):
 * checkpoint, tile/, entries.jsonl, statements/, reports/, provenance/,
 * policies/, signers/, VERIFY.md, verify40.py. What is written was checked on the
 * way: entries hash to the signed root, documents to their names.
 */
#ifndef FG_GATEWAY_CMD_CLI_EXPORT_H
#define FG_GATEWAY_CMD_CLI_EXPORT_H

#include "gateway/cmd/cli_opt.h"

/*
 * dir must be missing or empty. authority: the folder with genesis.json, its
 * signatures and later signer sets; NULL: data_dir's. Returns the exit status: 1 when
 * something that was signed cannot be shown any more.
 */
int cli_export_run(const struct cli_common *c, const char *dir, const char *authority);
/* The same as part of something else: shows nothing, and counts what is missing. */
int cli_export_part(const struct cli_common *c, const char *dir, const char *authority, unsigned *ret_missing);

#endif
