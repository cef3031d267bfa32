/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_update - an update that the gateway stores, taken out to be judged here by
 * another configuration: what control says of it, its report by digest, and what
 * both come to as evidence. Nothing is changed on the other side.
 */
#ifndef FG_GATEWAY_CMD_CLI_UPDATE_H
#define FG_GATEWAY_CMD_CLI_UPDATE_H

#include "gateway/cmd/cli_call.h"
#include "policy/evidence.h"
#include "policy/hook.h"
#include "policy/rules.h"

struct cli_update { /* from cli_update_open(); not to be copied */
	struct cli_reply reply;  /* of policy.explain */
	const struct json_value *said;
	struct report *report;
	struct evidence_update update;
	char product[PROFILE_TEXT_MAX + 1], target[PROFILE_TEXT_MAX + 1], from[PROFILE_TEXT_MAX + 1], profile[PROFILE_WORD_MAX + 1];
	char refused[DECIDE_SENTENCE_MAX];
	char list[2 * EVIDENCE_LIST_MAX][PROFILE_TEXT_MAX + 1];
	uint8_t image[DIGEST_SHA256_LEN];
	struct hook_said hook; /* kept, by the program in force; what another configuration would make of it rests on the same */
	enum scope_kind kind;
	uint32_t floor;
	int64_t at;
	bool clock_sure;
};

struct cli_verdict { /* the same for a configuration: as control would say it */
	char decision[8], rule[PROFILE_WORD_MAX + 1], says[RULES_SENTENCE_MAX];
	uint32_t need;    /* SCOPE_QUORUM_NEVER: nobody can sign enough, or it is denied */
	int64_t earliest; /* 0: any */
	unsigned matches;
};

/* Asks for a review, and reads its report. 0; FG_ESTATE: it has none, or no profile; else after saying why. */
int cli_update_open(struct cli_call *call, const struct cli_common *c, const char *review, struct cli_update *ret);
void cli_update_free(struct cli_update *u);
/*
 * A kept document onto w (emptied first). 0; FG_ENOTFOUND: it is not kept any more; FG_EPEER: it is not what
 * its digest says, or cannot be read; FG_EIO after saying that the gateway went away.
 */
int cli_update_document(struct cli_call *call, const char *kind, const char *digest, size_t max, struct writer *w);
/* What control says of it, by the policy in force. False: it says something else. */
bool cli_update_now(const struct cli_update *u, struct cli_verdict *ret);
/* A kept answer of the decision hook; errors as of cli_update_document(), FG_EFORMAT, FG_ENOMEM. */
int cli_update_hook(struct cli_call *call, const char *digest, struct hook_record *ret);
/* What that configuration would say, at that time, judging the report as it is. 0, FG_ENOTFOUND: no such profile; or an error. */
int cli_update_under(struct cli_update *u, const struct config *c, int64_t at, struct cli_verdict *ret);

#endif
