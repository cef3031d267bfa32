/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_verb - the two shapes that most verbs have: something that is named, perhaps with
 * a reason, and a list. A verb says what is asked for and how the answer is shown.
 */
#ifndef FG_GATEWAY_CMD_CLI_VERB_H
#define FG_GATEWAY_CMD_CLI_VERB_H

#include "crypto/json.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_print.h"

/* "NOUN VERB THING [--reason TEXT]" */
struct cli_verb_one {
	const char *request, *usage;
	const char *key; /* what the thing is called in the request */
	bool reason;     /* there has to be one */
	void (*show)(const struct json_value *answer);
};
int cli_verb_one(int argc, char **argv, const struct cli_verb_one *v);

/* "NOUN list [--FILTER TEXT] [--csv]" */
struct cli_verb_list {
	const char *request, *usage;
	const char *filter; /* name of an option that is handed on; NULL: none */
	const char *rows;   /* member of the answer */
	const struct cli_column *columns;
	unsigned n;
	const char *empty;  /* said instead of no row */
	enum { CLI_PAGE_NONE = 0, CLI_PAGE_NUMBER, CLI_PAGE_TEXT } page; /* --after and --limit, and what the first of them is */
};
int cli_verb_list(int argc, char **argv, const struct cli_verb_list *v);

/* 0, or CLI_USAGE after saying that an answer has one form. */
int cli_verb_form(const struct cli_common *c, bool csv);
/* 0, or CLI_USAGE after saying that a reason is missing. */
int cli_verb_reason(const struct cli_common *c, const char *reason);

#endif
