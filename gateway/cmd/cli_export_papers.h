/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_export_papers - the documents beside an exported log: what the entries
 * refer to by digest, and whose signatures count. Every document is hashed before
 * it gets its name; nothing is taken on the gateway's word.
 */
#ifndef FG_GATEWAY_CMD_CLI_EXPORT_PAPERS_H
#define FG_GATEWAY_CMD_CLI_EXPORT_PAPERS_H

#include "crypto/digest.h"
#include "crypto/genesis.h"
#include "gateway/cmd/cli_call.h"

enum cli_paper_kind { CLI_PAPER_NONE = 0, CLI_PAPER_STATEMENT, CLI_PAPER_REPORT, CLI_PAPER_PROVENANCE, CLI_PAPER_POLICY,
	CLI_PAPER_ATTACHMENT /* laid beside a review: of any format */ };

struct cli_paper {
	enum cli_paper_kind kind;
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint8_t signature[DIGEST_SHA256_LEN]; /* of a statement, where the entry names it */
	bool signed_for;                      /* a signature rests on it: it may not be missing */
};

/* Writes a file of the export; 0 or an exit status after saying why. */
typedef int (*cli_papers_put)(void *ctx, const char *name, struct view bytes);

/* Zero is closed. */
struct cli_papers {
	const struct cli_common *c;
	struct cli_call *call; /* borrowed */
	cli_papers_put put;
	void *ctx;
	struct cli_paper *list;
	size_t n, cap;
	struct genesis *genesis; /* after cli_papers_genesis */
	struct view text;        /* of the newest set written; owned */
	uint32_t last_set;       /* the highest number that an entry names */
	uint32_t last_policy;
	unsigned statements, reports, sets, missing;
};

/* All with an exit status: 0, or another after saying why. */
int cli_papers_open(struct cli_papers *p, const struct cli_common *c, struct cli_call *call, cli_papers_put put,
    void *ctx);
void cli_papers_close(struct cli_papers *p);
/* signers/: genesis and its signatures, from the folder authority; held against the gateway that answers. */
int cli_papers_genesis(struct cli_papers *p, const char *authority);
/*
 * The later sets with their signatures, as far as the noted entries name them (after all
 * of these, so that no set goes along without its entry); allowed_signers for ssh-keygen.
 */
int cli_papers_signers(struct cli_papers *p, const char *authority);
/* The same of the policies that people put in force: signers/policy-<n>.json and their signatures. */
int cli_papers_policies(struct cli_papers *p, const char *authority);
/* Notes what an entry refers to. 0 or a negative fg_err. */
int cli_papers_entry(struct cli_papers *p, struct view line);
/* Fetches, checks and writes what was noted; what is missing is said, and counted if signatures rest on it. */
int cli_papers_write(struct cli_papers *p);

#endif
