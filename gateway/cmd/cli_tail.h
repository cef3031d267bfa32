/* SPDX-License-Identifier: Apache-2.0 */
/* cli_tail - fotagate audit tail, and audit export --format: entries for people and, as a view, for programs. */
#ifndef FG_GATEWAY_CMD_CLI_TAIL_H
#define FG_GATEWAY_CMD_CLI_TAIL_H

#include "gateway/cmd/cli_opt.h"
#include "gateway/view/formats.h"

/* The verb; argv[0] is its word. */
int cli_tail(int argc, char **argv);
/* The view of that name, FORMATS_NONE for NULL; false, and said, for no name of ours. */
bool cli_tail_format(const struct cli_common *c, const char *name, enum formats *ret);
/* All entries, proven, in one view, into a new file. Exit status. */
int cli_tail_export(const struct cli_common *c, enum formats format, int64_t pen, const char *path);

#endif
