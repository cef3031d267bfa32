/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_place - where an installation lies, and the making of its files: nothing
 * is ever overwritten, and what a failed `fotagate init` made is taken away again.
 */
#ifndef FG_GATEWAY_CMD_CLI_PLACE_H
#define FG_GATEWAY_CMD_CLI_PLACE_H

#include <sys/types.h>

#include "crypto/view.h"
#include "gateway/cmd/cli_opt.h"
#include "policy/config.h"

#define CLI_PLACE_MADE_MAX 128

struct cli_place {
	bool system;                        /* /etc, /var/lib, /run; else all below one directory */
	char root[CONFIG_DIR_MAX + 1];      /* the one directory, or where the configuration is */
	char data[CONFIG_DIR_MAX + 1];
	char keys[CONFIG_DIR_MAX + 1];
	char run[CONFIG_DIR_MAX + 1];
	char config[CLI_OPT_PATH_MAX];
	bool have_config;                   /* was there before; it said the directories above */
	bool config_demo;
	unsigned made_n;
	char *made[CLI_PLACE_MADE_MAX];     /* in order; for cli_place_undo */
};

/*
 * Finds where things are or will be; dir NULL: the system's places, and then a
 * run_dir that was named has to be theirs. create: makes dir if it is missing. 0, or an
 * exit status after saying why. cli_place_end in any case.
 */
int cli_place_find(const struct cli_common *c, const char *dir, bool create, struct cli_place *ret);
void cli_place_end(struct cli_place *p);
/* Whether control answers there; true also when that cannot be told. */
bool cli_place_is_running(const struct cli_place *p);
/* dir/name in dst; false and said when it does not fit. */
bool cli_place_path(const char *dir, const char *name, char dst[CLI_OPT_PATH_MAX]);
/* A folder that may be there already; user NULL or unknown: ours. 0 or an exit status after saying why. */
int cli_place_folder(const struct cli_common *c, struct cli_place *p, const char *path, mode_t mode, const char *user);
/* A file that may not be there; written and synced. */
int cli_place_file(const struct cli_common *c, struct cli_place *p, const char *path, mode_t mode, struct view bytes);
/* Another program made path: take it away too if this fails. */
void cli_place_note(struct cli_place *p, const char *path);
/* Takes away what was made here, last first. */
void cli_place_undo(struct cli_place *p);
/* The folders of data_dir, keys_dir and run_dir, as the daemon expects them. */
int cli_place_folders(const struct cli_common *c, struct cli_place *p);

#endif
