/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate-verify - checks an exported log, a receipt or an approval without
 * the gateway and without trusting it. Crypto only; see fotagate-verify(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/verify_dir.h"
#include "gateway/cmd/verify_module.h"
#include "gateway/cmd/verify_one.h"
#include "gateway/cmd/verify_trust.h"

#define WORDS_MAX 3

static const char usage_text[] =
    "usage: fotagate-verify DIR [--trust FILE]... [--seen FILE]... [--evidence FOLDER] [--json]\n"
    "       fotagate-verify DIR --module PSEUDONYM [--receipt FILE]... [--trust FILE]... [--json]\n"
    "       fotagate-verify receipt FILE --trust FILE [--json]\n"
    "       fotagate-verify approval STATEMENT SIGNATURE --genesis FILE [--export DIR] [--json]\n"
    "       fotagate-verify --version\n";

struct asked {
	const char *word[WORDS_MAX];
	unsigned words;
	const char *genesis, *export, *module;
	bool version, help;
	struct verify_dir dir;
	const char **seen; /* as many as there are arguments */
	bool *receipt;
	struct verify_trust *trust;
	struct verify_say say;
};

static int
usage(const char *what, const char *why)
{
	fprintf(stderr, "fotagate-verify: %s: %s\n%s", what, why, usage_text);
	return VERIFY_ONE_USAGE;
}

/* One option and what follows it; how many words that took, 0 for none known, -1 after saying why. */
static int
option(struct asked *a, const char *name, const char *value)
{
	if (!strcmp(name, "--json")) {
		a->say.json = true;
		return 1;
	}
	if (!value)
		return 0;
	if (!strcmp(name, "--trust"))
		return verify_trust_read(value, a->trust) ? -1 : 2;
	if (!strcmp(name, "--seen") || !strcmp(name, "--receipt")) {
		a->receipt[a->dir.seen_n] = !strcmp(name, "--receipt");
		a->seen[a->dir.seen_n++] = value;
	} else if (!strcmp(name, "--evidence"))
		a->dir.evidence = value;
	else if (!strcmp(name, "--module"))
		a->module = value;
	else if (!strcmp(name, "--genesis"))
		a->genesis = value;
	else if (!strcmp(name, "--export"))
		a->export = value;
	else
		return 0;
	return 2;
}

static int
parse(struct asked *a, int argc, char **argv)
{
	for (int i = 1; i < argc;) {
		if (argv[i][0] != '-') {
			if (a->words == WORDS_MAX)
				return usage(argv[i], "one word too many");
			a->word[a->words++] = argv[i++];
			continue;
		}
		if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "--help")) {
			*(argv[i][2] == 'v' ? &a->version : &a->help) = true;
			return VERIFY_ONE_OK;
		}
		int took = option(a, argv[i], argv[i + 1]);
		if (took < 0)
			return VERIFY_ONE_COULD_NOT;
		if (!took)
			return usage(argv[i], argv[i + 1] ? "no such option" : "no such option, or its value is missing");
		i += took;
	}
	return VERIFY_ONE_OK;
}

static int
run(struct asked *a)
{
	if (a->version)
		return puts("fotagate-verify " FG_VERSION) < 0;
	if (a->help)
		return fputs(usage_text, stdout) < 0;
	if (a->words == 2 && !strcmp(a->word[0], "receipt"))
		return a->trust->policy.logs ? (int)verify_one_receipt(a->word[1], a->trust, &a->say) :
		    usage("receipt", "--trust with a line 'log KEY' is missing");
	if (a->words == 3 && !strcmp(a->word[0], "approval"))
		return a->genesis ? (int)verify_one_approval(a->word[1], a->word[2], a->genesis, a->export, &a->say) :
		    usage("approval", "--genesis is missing");
	if (a->words != 1)
		return a->words ? usage(a->word[1], "not understood there") : usage("DIR", "missing");
	a->dir.dir = a->word[0];
	a->dir.trust = a->trust;
	a->dir.seen = a->seen;
	a->dir.receipt = a->receipt;
	a->dir.have_module = a->module != NULL;
	if (a->module && !verify_module_parse(a->module, a->dir.module)) {
		fprintf(stderr, "fotagate-verify: --module wants the 32 hex digits of a pseudonym\n");
		return VERIFY_ONE_USAGE;
	}
	return verify_dir_run(&a->dir, &a->say);
}

int
main(int argc, char **argv)
{
	struct asked a = { .seen = calloc((size_t)argc + 1, sizeof *a.seen), .trust = calloc(1, sizeof *a.trust),
		.receipt = calloc((size_t)argc + 1, sizeof *a.receipt) };
	int status = VERIFY_ONE_COULD_NOT;
	if (a.seen && a.receipt && a.trust)
		status = parse(&a, argc, argv);
	if (status == VERIFY_ONE_OK)
		status = run(&a);
	verify_say_free(&a.say);
	free(a.seen);
	free(a.receipt);
	free(a.trust);
	return status;
}
