/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_opt - arguments of a verb: one table of options each, operands anywhere
 * between them, and what every verb understands (--json and where the gateway
 * is). Also how a verb ends: one sentence, its cure, and an exit status.
 */
#ifndef FG_GATEWAY_CMD_CLI_OPT_H
#define FG_GATEWAY_CMD_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_OPT_LIST_MAX 64 /* signers of a set, versions of a statement: no list of ours is longer */
#define CLI_OPT_OPERANDS_MAX 72
#define CLI_OPT_PATH_MAX 4096

enum cli_exit { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_COULD_NOT = 3 };

enum cli_opt_kind {
	CLI_OPT_END = 0,
	CLI_OPT_FLAG,   /* bool */
	CLI_OPT_TEXT,   /* const char * */
	CLI_OPT_NUMBER, /* int64_t in min..max */
	CLI_OPT_LIST,   /* struct cli_opt_list, given once for each */
	CLI_OPT_PAIRS,  /* the same with two words each: "A B" in one argument, or in two */
};

struct cli_opt_list {
	unsigned n;
	const char *at[CLI_OPT_LIST_MAX];
	const char *with[CLI_OPT_LIST_MAX]; /* second word of a pair; in "A B" it follows the blank */
};

struct cli_opt {
	const char *name; /* "max-devices" */
	enum cli_opt_kind kind;
	void *dst;
	int64_t min, max;
	char letter; /* 0: none */
};

/* Where the gateway is and how to answer. Zero: the system's, for a person. */
struct cli_common {
	bool json;
	const char *dir;     /* --dir: everything below one directory, as `init --dir` makes it */
	const char *run_dir; /* -C: where the sockets are */
	const char *config;  /* -c */
};

struct cli_args {
	struct cli_common common;
	unsigned n;
	char *at[CLI_OPT_OPERANDS_MAX];
};

/*
 * Reads argv[1..]; usage is the line after "usage: fotagate ". 0, or CLI_USAGE
 * after saying on stderr what is wrong, or -1 when --help was asked for and given
 * (the caller then ends with CLI_DONE). At least min and at most max operands.
 */
int cli_opt_parse(int argc, char **argv, const struct cli_opt *opts, const char *usage, unsigned min, unsigned max,
    struct cli_args *ret);
/* What a verb returns for cli_opt_parse's answer, which is not 0. */
int cli_opt_end(int parsed);

/* Paths; false (and said) when they do not fit in CLI_OPT_PATH_MAX. */
bool cli_opt_run_path(const struct cli_common *c, const char *name, char dst[CLI_OPT_PATH_MAX]);
bool cli_opt_data_path(const struct cli_common *c, const char *name, char dst[CLI_OPT_PATH_MAX]);
bool cli_opt_config_path(const struct cli_common *c, char dst[CLI_OPT_PATH_MAX]);

/*
 * Options that say where the gateway is may stand before a verb: makes argv[1]
 * the verb, with them behind it.
 */
void cli_opt_verb_first(int argc, char **argv);
/* A verb below a noun. */
struct cli_sub {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};
int cli_opt_sub(const char *noun, const struct cli_sub *subs, size_t n, int argc, char **argv);

/*
 * Says why a verb ends, on stderr as a sentence and its cure (NULL: none), or
 * with --json as {"error":{"cure","id","text"}} on stdout. Returns status.
 */
int cli_opt_fail(const struct cli_common *c, enum cli_exit status, const char *id, const char *cure, const char *fmt,
    ...) __attribute__((format(printf, 5, 6)));

#endif
