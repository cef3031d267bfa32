/* SPDX-License-Identifier: Apache-2.0 */
/* cli_notify - fotagate audit notify: what people should look at, to a webhook or by mail, for as long as it runs. */
#ifndef FG_GATEWAY_CMD_CLI_NOTIFY_H
#define FG_GATEWAY_CMD_CLI_NOTIFY_H

/* The verb; argv[0] is its word. */
int cli_notify(int argc, char **argv);

#endif
