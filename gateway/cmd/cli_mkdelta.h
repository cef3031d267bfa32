/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_mkdelta - the noun `fotagate delta`: a delta out of two full images, for
 * modules that take one. It is made by one fotagate-inspect and applied back by
 * another, both in their jail; only then does it get its name.
 */
#ifndef FG_GATEWAY_CMD_CLI_MKDELTA_H
#define FG_GATEWAY_CMD_CLI_MKDELTA_H

/* argv[0] is "delta". Returns the exit status. */
int cli_mkdelta(int argc, char **argv);

#endif
