/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_policies - after a repair of the log: policies that people put in force, that the log has and
 * data_dir/authority/policy has not, or has otherwise. The warden starts on no folder that ends before the last policy
 * that was in force here, so without them the gateway stays shut.
 * Offline, after cli_sets_mend(): policies rest on signer sets. The folder is read by the warden's own code; what is put
 * in place from an export are the very bytes that the log has, with signatures that make a chain from genesis.
 */
#ifndef FG_GATEWAY_CMD_CLI_POLICIES_H
#define FG_GATEWAY_CMD_CLI_POLICIES_H

#include "gateway/audit/rebuild.h"
#include "gateway/cmd/cli_opt.h"

#define CLI_POLICIES_CURE \
	"Put them there with their signatures, from a newer export, before the next start: the gateway does not start without."

struct cli_policies {
	unsigned put;     /* in place now */
	unsigned lacking; /* still; the first was named on stderr, with the cure */
	uint32_t first;   /* of those, which go to the last that the log has */
};

/*
 * As cli_sets_mend(). CLI_REFUSED: a policy was in force here that the log does not have, so that going on would be
 * with a log that is older than what it decided; it is condemned again. Where policy is not signed nothing is done.
 */
int cli_policies_mend(const struct cli_common *c, const char *data, const char *from, const struct rebuild *log,
    struct cli_policies *ret);

#endif
