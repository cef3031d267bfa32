/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_sets - after a repair of the log: signer sets that the log has and
 * data_dir/authority has not, for nothing is permitted under an older set than the log's.
 * Offline. The folder is read by the warden's own code. What is put in place from an export
 * are the very bytes that the log has, with signatures that make a chain from genesis: a set
 * that nobody put in force, or that the warden would not start with, stays outside.
 */
#ifndef FG_GATEWAY_CMD_CLI_SETS_H
#define FG_GATEWAY_CMD_CLI_SETS_H

#include "gateway/audit/rebuild.h"
#include "gateway/cmd/cli_opt.h"

#define CLI_SETS_CURE \
	"Put them there with their signatures, from a newer export, before the next start: nothing is permitted without."

struct cli_sets {
	unsigned put;     /* in place now */
	unsigned lacking; /* still; each was named on stderr, with the cure */
	uint32_t first;   /* of those, which go to the last that the log has */
};

/*
 * data is data_dir, whose log was made anew as log says; from is an export, or a copy of
 * audit/log, which has no sets. 0 or an exit status after saying why. CLI_REFUSED: a set was
 * in force here that the log does not have, so that going on would fork it; it is condemned again.
 */
int cli_sets_mend(const struct cli_common *c, const char *data, const char *from, const struct rebuild *log,
    struct cli_sets *ret);

#endif
