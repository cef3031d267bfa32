/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate policy whatif: what a changed configuration would decide over what is stored. */
#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_profile.h"
#include "gateway/cmd/cli_whatif.h"

int
cli_policy_whatif(int argc, char **argv)
{
	struct cli_args args;
	struct config *c = NULL;
	struct cli_call *call = NULL;
	int status = cli_opt_parse(argc, argv, NULL, "policy whatif FILE [--json]", 1, 1, &args);
	if (status)
		return cli_opt_end(status);
	int err = cli_profile_config(args.at[0], &c);
	if (err)
		return cli_opt_fail(&args.common, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG", NULL,
		    "%s: the daemon would refuse this configuration", args.at[0]);
	status = cli_call_open(&args.common, &call);
	if (!status)
		status = cli_whatif(&args.common, call, c, args.common.json, stdout);
	if (call)
		cli_call_close(call);
	config_free(c);
	return status;
}
