/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_nextset - what the next signer set must be, before anybody signs it: the set in force, and what a person
 * asked to change in it, made here again.
 * Caller: fotagate people propose. Control proposes the statement, and control may be taken over; of its word only
 * this is believed: which keys are suspended, so that they leave. The set in force is not its word: the statement
 * names the set's digest, and the warden takes no statement that names another than the one in force.
 */
#ifndef FG_GATEWAY_CMD_CLI_NEXTSET_H
#define FG_GATEWAY_CMD_CLI_NEXTSET_H

#include "crypto/signers.h"
#include "gateway/cmd/cli_call.h"

#define CLI_NEXTSET_WHY_MAX 512
#define CLI_NEXTSET_NO_CONSOLE "none"
#define CLI_NEXTSET_DAYS 730 /* that a key runs unless said otherwise, as control has it */

/* What the person said on the command line. */
struct cli_nextset_asked {
	struct cli_opt_list add, remove, replace, renew, restore;
	struct sshkey added[CLI_OPT_LIST_MAX], put[CLI_OPT_LIST_MAX]; /* the keys of add and of replace, in their order */
	int64_t threshold, days; /* -1: not said */
	const char *console;     /* NULL: not said; CLI_NEXTSET_NO_CONSOLE */
	bool require_uv;
};

/* Says whether the gateway calls the key of that fingerprint suspended. */
typedef bool (*cli_nextset_suspended)(const void *ctx, const char *fingerprint);

/*
 * The set that next names as its predecessor, read from control: *ret. 0; an exit status after saying why; or negative
 * with ret_why, the end of a sentence about the statement, when control has no such set to show.
 */
int cli_nextset_before(const struct cli_common *c, struct cli_call *call, const struct signers *next,
    const char *gateway, struct signers *ret, char ret_why[CLI_NEXTSET_WHY_MAX]);
/*
 * Whether next is, but for the order of its keys, what comes of now by what was asked, written at next's own time. False
 * with ret_why, the end of a sentence about the statement: the first difference, by name.
 */
bool cli_nextset_is(const struct signers *now, const struct cli_nextset_asked *asked, cli_nextset_suspended suspended,
    const void *ctx, const struct signers *next, char ret_why[CLI_NEXTSET_WHY_MAX]);
/* The line of that key, or NULL. */
const struct signer *cli_nextset_find(const struct signers *set, const struct sshkey *key);
/* Whether two lines of one key say the same in every field. */
bool cli_nextset_same(const struct signer *a, const struct signer *b);

#endif
