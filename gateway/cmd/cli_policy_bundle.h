/* SPDX-License-Identifier: Apache-2.0 */
/* cli_policy_bundle - what the configuration and the files that it names come to, read from this machine's disk. */
#ifndef FG_GATEWAY_CMD_CLI_POLICY_BUNDLE_H
#define FG_GATEWAY_CMD_CLI_POLICY_BUNDLE_H

#include "policy/policy_bundle.h"

/*
 * path: fotagate.conf. Problems are said on stderr, those of text with file:line. 0 with *ret, and in *ret_config (NULL is
 * fine; config_free) the very configuration that it is of; or a negative fg_err.
 */
int cli_policy_bundle(const char *path, struct policy_bundle **ret, struct config **ret_config);

#endif
