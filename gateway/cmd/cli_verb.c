/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_verb.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cli_call.h"

int
cli_verb_reason(const struct cli_common *c, const char *reason)
{
	return reason ? 0 : cli_opt_fail(c, CLI_USAGE, "USAGE", "Say with --reason why; it stays in the log.",
	    "a reason is missing");
}

int
cli_verb_form(const struct cli_common *c, bool csv)
{
	return !(csv && c->json) ? 0 : cli_opt_fail(c, CLI_USAGE, "USAGE", "Leave one of them out.",
	    "--csv and --json are two forms of one answer");
}

int
cli_verb_one(int argc, char **argv, const struct cli_verb_one *v)
{
	struct cli_args a;
	const char *reason = NULL;
	const struct cli_opt opts[] = {
		{ v->reason ? "reason" : "", v->reason ? CLI_OPT_TEXT : CLI_OPT_END, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, v->usage, 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (v->reason && cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	bool first = strcmp(v->key, "reason") < 0; /* members ascend */
	cli_call_begin(&r);
	cli_call_text(&r, v->key, first ? a.at[0] : NULL);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, v->key, first ? NULL : a.at[0]);
	status = cli_call_once(&a.common, v->request, &r, NULL, 0, &reply, &shown);
	if (shown)
		v->show(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

int
cli_verb_list(int argc, char **argv, const struct cli_verb_list *v)
{
	struct cli_args a;
	const char *filter = NULL, *after = NULL;
	int64_t number = 0, limit = 0;
	char next[128] = "";
	bool csv = false;
	const bool numbered = v->page == CLI_PAGE_NUMBER;
	struct cli_opt opts[5] = { { "csv", CLI_OPT_FLAG, &csv, 0, 0, 0 } };
	unsigned n = 1;
	if (v->filter)
		opts[n++] = (struct cli_opt){ v->filter, CLI_OPT_TEXT, &filter, 0, 0, 0 };
	if (v->page)
		opts[n++] = (struct cli_opt){ "limit", CLI_OPT_NUMBER, &limit, 1, 1000, 0 };
	if (v->page)
		opts[n++] = (struct cli_opt){ "after", numbered ? CLI_OPT_NUMBER : CLI_OPT_TEXT,
			numbered ? (void *)&number : (void *)&after, 1, INT64_MAX, 0 };
	opts[n] = (struct cli_opt){ "", CLI_OPT_END, NULL, 0, 0, 0 };
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, v->usage, 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_form(&a.common, csv))
		return CLI_USAGE;
	cli_call_begin(&r);
	if (v->filter)
		cli_call_text(&r, v->filter, filter);
	cli_call_text(&r, "after", after);
	if (number)
		cli_call_number(&r, "after", number);
	if (limit)
		cli_call_number(&r, "limit", limit);
	status = cli_call_once(&a.common, v->request, &r, NULL, 0, &reply, &shown);
	const struct json_value *rows = shown ? json_get(json_root(reply.doc), v->rows) : NULL;
	if (shown && csv)
		cli_print_rows_csv(stdout, rows, v->columns, v->n);
	else if (shown)
		cli_print_rows(stdout, rows, v->columns, v->n, v->empty);
	if (shown && v->page && json_cstr(json_get(json_root(reply.doc), "next"), next, sizeof next))
		fprintf(stderr, "there are more: --after %s\n", next);
	cli_reply_free(&reply);
	return status;
}
