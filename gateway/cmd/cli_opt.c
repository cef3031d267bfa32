/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_opt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/jsonw.h"
#include "gateway/cmd/cli_print.h"

#define RUN_DIR "/run/fotagate"
#define DATA_DIR "/var/lib/fotagate"
#define CONFIG "/etc/fotagate/fotagate.conf"
#define DIR_VARIABLE "FOTAGATE_DIR"
#define TEXT_MAX 1024 /* one sentence */
#define WHY_BYTES 96

/* ---- how a verb ends ---- */

static void
print_error(const char *id, const char *text, const char *cure)
{
	struct writer w;
	struct jsonw j;
	char *plain = cli_print_plain(text); /* a path may hold anything */
	writer_init(&w, 16 * TEXT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_key(&j, "error");
	jsonw_object(&j);
	jsonw_kcstr(&j, "cure", cure ? cure : "");
	jsonw_kcstr(&j, "id", id);
	jsonw_kcstr(&j, "text", plain ? plain : "");
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	if (!writer_err(&w))
		cli_print_json(stdout, writer_view(&w));
	free(plain);
	writer_free(&w);
}

int
cli_opt_fail(const struct cli_common *c, enum cli_exit status, const char *id, const char *cure, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (c->json) {
		print_error(id, text, cure);
	} else {
		fprintf(stderr, "fotagate: %s\n", text);
		if (cure && cure[0])
			fprintf(stderr, "          %s\n", cure);
	}
	return (int)status;
}

int
cli_opt_end(int parsed)
{
	return parsed < 0 ? CLI_DONE : parsed;
}

/* ---- options ---- */

static int
bad(const char *usage, const char *option, const char *why)
{
	fprintf(stderr, "fotagate: %s: %s\nusage: fotagate %s\n", option, why, usage);
	return CLI_USAGE;
}

static bool
number(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	errno = 0;
	long long v = s[0] >= '0' && s[0] <= '9' ? strtoll(s, &end, 10) : -1;
	if (v < 0 || errno || *end || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

/* Everything a row needs from the command line. */
struct cursor {
	int argc;
	char **argv;
	int at; /* next argument */
};

static const char *
next(struct cursor *c)
{
	return c->at < c->argc ? c->argv[c->at++] : NULL;
}

static const char *
add_pair(struct cli_opt_list *l, const char *value, struct cursor *c)
{
	const char *blank = strchr(value, ' ');
	l->at[l->n] = value;
	l->with[l->n] = blank ? blank + 1 : next(c);
	if (!l->with[l->n] || !l->with[l->n][0])
		return "needs two words";
	l->n++;
	return NULL;
}

/* NULL, or what is wrong, perhaps in why. */
static const char *
store(const struct cli_opt *o, const char *value, struct cursor *c, char why[WHY_BYTES])
{
	struct cli_opt_list *list = o->dst;
	switch (o->kind) {
	case CLI_OPT_TEXT:
		*(const char **)o->dst = value;
		return NULL;
	case CLI_OPT_NUMBER:
		if (number(value, o->min, o->max, o->dst))
			return NULL;
		snprintf(why, WHY_BYTES, "a whole number from %lld to %lld is wanted", (long long)o->min, (long long)o->max);
		return why;
	case CLI_OPT_LIST:
	case CLI_OPT_PAIRS:
		if (list->n == CLI_OPT_LIST_MAX)
			return "given too often";
		if (o->kind == CLI_OPT_PAIRS)
			return add_pair(list, value, c);
		list->at[list->n++] = value;
		return NULL;
	case CLI_OPT_FLAG:
	case CLI_OPT_END:
		break;
	}
	abort();
}

/* The row that arg ("--name", "--name=value", "-n") names; *ret_value is what follows "=", or NULL. */
static const struct cli_opt *
find(const struct cli_opt *o, const char *arg, const char **ret_value)
{
	*ret_value = NULL;
	for (; o && o->kind; o++) {
		size_t n = strlen(o->name);
		if (arg[1] != '-') {
			if (o->letter && arg[1] == o->letter && !arg[2])
				return o;
		} else if (n && strncmp(arg + 2, o->name, n) == 0 && (!arg[2 + n] || arg[2 + n] == '=')) {
			*ret_value = arg[2 + n] ? arg + 3 + n : NULL;
			return o;
		}
	}
	return NULL;
}

static int
take(const struct cli_opt *rows, const struct cli_opt *shared, const char *arg, struct cursor *c, const char *usage)
{
	const char *value;
	const struct cli_opt *o = find(rows, arg, &value);
	if (!o)
		o = find(shared, arg, &value);
	if (!o)
		return bad(usage, arg, "no such option here");
	if (o->kind == CLI_OPT_FLAG) {
		if (value)
			return bad(usage, arg, "takes no value");
		*(bool *)o->dst = true;
		return 0;
	}
	if (!value)
		value = next(c);
	if (!value)
		return bad(usage, arg, "needs a value");
	char range[WHY_BYTES];
	const char *why = store(o, value, c, range);
	return why ? bad(usage, arg, why) : 0;
}

int
cli_opt_parse(int argc, char **argv, const struct cli_opt *opts, const char *usage, unsigned min, unsigned max,
    struct cli_args *ret)
{
	struct cursor c = { argc, argv, 1 };
	bool options = true;
	*ret = (struct cli_args){ .common = { .dir = getenv(DIR_VARIABLE) } };
	if (ret->common.dir && !ret->common.dir[0])
		ret->common.dir = NULL;
	const struct cli_opt shared[] = {
		{ "json", CLI_OPT_FLAG, &ret->common.json, 0, 0, 0 },
		{ "dir", CLI_OPT_TEXT, &ret->common.dir, 0, 0, 0 },
		{ "run-dir", CLI_OPT_TEXT, &ret->common.run_dir, 0, 0, 'C' },
		{ "config", CLI_OPT_TEXT, &ret->common.config, 0, 0, 'c' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	for (const char *arg; (arg = next(&c));) {
		if (options && strcmp(arg, "--") == 0) {
			options = false;
		} else if (options && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
			printf("usage: fotagate %s\n", usage);
			return -1;
		} else if (options && arg[0] == '-' && arg[1]) {
			int err = take(opts, shared, arg, &c, usage);
			if (err)
				return err;
		} else if (ret->n == CLI_OPT_OPERANDS_MAX) {
			return bad(usage, arg, "too many arguments");
		} else {
			ret->at[ret->n++] = c.argv[c.at - 1];
		}
	}
	if (ret->n > max)
		return bad(usage, ret->at[max], "one argument too many");
	if (ret->n < min)
		return bad(usage, argv[0], "an argument is missing");
	return 0;
}

/* ---- where the gateway is ---- */

static bool
join(const char *dir, const char *middle, const char *name, char dst[CLI_OPT_PATH_MAX])
{
	if (snprintf(dst, CLI_OPT_PATH_MAX, "%s%s/%s", dir, middle, name) < CLI_OPT_PATH_MAX)
		return true;
	fprintf(stderr, "fotagate: %s: a path cannot be that long\n", dir);
	return false;
}

bool
cli_opt_run_path(const struct cli_common *c, const char *name, char dst[CLI_OPT_PATH_MAX])
{
	if (c->run_dir || !c->dir)
		return join(c->run_dir ? c->run_dir : RUN_DIR, "", name, dst);
	return join(c->dir, "/run", name, dst);
}

bool
cli_opt_data_path(const struct cli_common *c, const char *name, char dst[CLI_OPT_PATH_MAX])
{
	if (c->dir)
		return join(c->dir, "/data", name, dst);
	/* With only the sockets' folder known: beside it, where `init --dir` puts both. */
	if (c->run_dir && (!join(c->run_dir, "/../data", name, dst) || access(dst, F_OK) == 0))
		return dst[0];
	return join(DATA_DIR, "", name, dst);
}

bool
cli_opt_config_path(const struct cli_common *c, char dst[CLI_OPT_PATH_MAX])
{
	if (c->dir && !c->config)
		return join(c->dir, "", "fotagate.conf", dst);
	return snprintf(dst, CLI_OPT_PATH_MAX, "%s", c->config ? c->config : CONFIG) < CLI_OPT_PATH_MAX;
}

/* ---- verbs ---- */

static bool
takes_value(const char *option)
{
	return strcmp(option, "-C") == 0 || strcmp(option, "-c") == 0 || strcmp(option, "--dir") == 0 ||
	    strcmp(option, "--run-dir") == 0 || strcmp(option, "--config") == 0;
}

void
cli_opt_verb_first(int argc, char **argv)
{
	int at = 1;
	while (at < argc && argv[at][0] == '-')
		at += takes_value(argv[at]) ? 2 : 1;
	if (at >= argc)
		return;
	char *verb = argv[at];
	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof argv[0]);
	argv[1] = verb;
}

static void
list(FILE *out, const char *noun, const struct cli_sub *subs, size_t n)
{
	fprintf(out, "usage: fotagate %s VERB ...\n\n", noun);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-12s %s\n", subs[i].name, subs[i].help);
}

int
cli_opt_sub(const char *noun, const struct cli_sub *subs, size_t n, int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		list(stdout, noun, subs, n);
		return CLI_DONE;
	}
	cli_opt_verb_first(argc, argv);
	for (size_t i = 0; argc >= 2 && i < n; i++)
		if (strcmp(argv[1], subs[i].name) == 0)
			return subs[i].run(argc - 1, argv + 1);
	if (argc >= 2)
		fprintf(stderr, "fotagate: %s knows no \"%s\"\n", noun, argv[1]);
	list(stderr, noun, subs, n);
	return CLI_USAGE;
}
