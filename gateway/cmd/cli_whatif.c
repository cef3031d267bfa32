/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_whatif.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/jsonf.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_update.h"

#define PAGES_MAX 1000000 /* of some reviews each, a thousand at most */
#define PAGE 1000

struct asking {
	const struct cli_common *common;
	struct cli_call *call;
	FILE *out;
	bool json;
	const struct config *config;
	struct cli_table table;
	struct writer doc; /* with json */
	struct jsonw j;
	uint64_t after;
	unsigned same, changed, unjudged;
};

/* ---- one review ---- */

static bool
differ(const struct cli_verdict *a, const struct cli_verdict *b)
{
	if (strcmp(a->decision, b->decision) != 0)
		return true;
	if (strcmp(a->decision, "deny") == 0)
		return strcmp(a->rule, b->rule) != 0;
	return a->need != b->need || a->earliest != b->earliest || strcmp(a->rule, b->rule) != 0;
}

static void
brief(const struct cli_verdict *v, char *out, size_t cap)
{
	char when[STAMP_CAP];
	size_t n = (size_t)snprintf(out, cap, "%s", v->decision);
	if (strcmp(v->decision, "deny") != 0 && v->need != SCOPE_QUORUM_NEVER)
		n += (size_t)snprintf(out + n, cap - n, " by %" PRIu32, v->need);
	if (strcmp(v->decision, "deny") != 0 && v->earliest && !stamp_format(v->earliest, when))
		n += (size_t)snprintf(out + n, cap - n, " from %.16sZ", when);
	snprintf(out + n, cap - n, " (%s)", v->rule);
}

static void
put_verdict(struct jsonw *j, const char *key, const struct cli_verdict *v)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kcstr(j, "decision", v->decision);
	if (v->earliest > 0 && jsonf_is_time(v->earliest))
		jsonf_put_time(j, "earliest", v->earliest);
	else
		jsonw_knull(j, "earliest");
	if (v->need == SCOPE_QUORUM_NEVER)
		jsonw_knull(j, "need");
	else
		jsonw_kuint(j, "need", v->need);
	jsonw_kcstr(j, "rule", v->rule);
	jsonw_kcstr(j, "says", v->says);
	jsonw_object_end(j);
}

static void
tell(struct asking *a, const struct cli_update *u, const char *review, const struct cli_verdict *now,
    const struct cli_verdict *then)
{
	char one[120], other[120], state[32] = "?";
	(void)json_cstr(json_get(u->said, "state"), state, sizeof state);
	if (a->json) {
		jsonw_object(&a->j);
		put_verdict(&a->j, "now", now);
		jsonw_kcstr(&a->j, "product", u->product);
		jsonw_kcstr(&a->j, "review", review);
		jsonw_kcstr(&a->j, "state", state);
		jsonw_kcstr(&a->j, "target", u->target);
		put_verdict(&a->j, "then", then);
		jsonw_object_end(&a->j);
		return;
	}
	brief(now, one, sizeof one);
	brief(then, other, sizeof other);
	cli_table_cell(&a->table, "%s", review);
	cli_table_cell(&a->table, "%s", state);
	cli_table_cell(&a->table, "%s", u->product);
	cli_table_cell(&a->table, "%s", u->target);
	cli_table_cell(&a->table, "%s", one);
	cli_table_cell(&a->table, "%s", other);
}

/* 0 or an exit status. */
static int
judge(struct asking *a, const char *review)
{
	struct cli_update *u = calloc(1, sizeof *u);
	struct cli_verdict now, then;
	int err = u ? cli_update_open(a->call, a->common, review, u) : FG_ENOMEM;
	if (err == FG_ESTATE) { /* never judged, or nothing judges it: no policy changes that */
		a->unjudged++;
		free(u);
		return 0;
	}
	if (err) {
		free(u);
		return CLI_COULD_NOT;
	}
	err = cli_update_now(u, &now) ? cli_update_under(u, a->config, u->at, &then) : FG_EPEER;
	if (err == FG_ENOTFOUND) {
		then = (struct cli_verdict){ .decision = "hold", .rule = "none", .need = SCOPE_QUORUM_NEVER };
		snprintf(then.says, sizeof then.says, "its profile is not configured");
		err = FG_OK;
	}
	if (!err && differ(&now, &then)) {
		tell(a, u, review, &now, &then);
		a->changed++;
	} else if (!err) {
		a->same++;
	}
	cli_update_free(u);
	free(u);
	return err ? cli_opt_fail(a->common, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", review, err_name(err)) : 0;
}

/* ---- all of them ---- */

/* What could be let through, or is. */
static bool
matters(const struct json_value *row)
{
	static const char *const states[] = { "review", "blocked", "judging", "approved" };
	char state[32];
	if (!json_cstr(json_get(row, "state"), state, sizeof state))
		return false;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	return false;
}

/* *ret_n: how many there were. */
static int
judge_page(struct asking *a, size_t *ret_n)
{
	struct cli_request r;
	struct cli_reply reply;
	cli_call_begin(&r);
	cli_call_number(&r, "after", (int64_t)a->after);
	cli_call_number(&r, "limit", PAGE);
	int status = cli_call_do(a->call, "review.list", &r, NULL, 0, &reply);
	if (status)
		return status;
	if (reply.status != CLI_DONE)
		status = cli_call_refused(a->common, &reply);
	const struct json_value *rows = json_get(json_root(reply.doc), "reviews");
	*ret_n = json_count(rows);
	for (size_t i = 0; !status && i < json_count(rows); i++) {
		char review[32];
		unsigned long long id = 0;
		if (!json_cstr(json_get(json_at(rows, i), "id"), review, sizeof review) || sscanf(review, "R-%llu", &id) != 1 ||
		    id <= a->after)
			status = cli_opt_fail(a->common, CLI_COULD_NOT, "PEER", NULL, "the gateway's list cannot be read");
		a->after = id;
		if (!status && matters(json_at(rows, i)))
			status = judge(a, review);
	}
	cli_reply_free(&reply);
	return status;
}

static int
judge_all(struct asking *a)
{
	size_t n = 1;
	int status = 0;
	for (unsigned page = 0; !status && n > 0 && page < PAGES_MAX; page++)
		status = judge_page(a, &n);
	return status;
}

static int
show(struct asking *a)
{
	if (!a->json) {
		cli_table_print(&a->table, a->out, "Nothing would be decided otherwise.");
		if (a->config->hook.program[0])
			fprintf(a->out, "the decision hook was not run: of what it said before, the kept answer counts\n");
		fprintf(a->out, "%u changed, %u as now, %u without a report; nothing was written\n", a->changed, a->same, a->unjudged);
		return CLI_DONE;
	}
	jsonw_array_end(&a->j);
	jsonw_kuint(&a->j, "same", a->same);
	jsonw_kuint(&a->j, "unjudged", a->unjudged);
	jsonw_object_end(&a->j);
	if (writer_err(&a->doc))
		return cli_opt_fail(a->common, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(writer_err(&a->doc)));
	cli_print_json(a->out, writer_view(&a->doc));
	return CLI_DONE;
}

int
cli_whatif(const struct cli_common *c, struct cli_call *call, const struct config *config, bool json, FILE *out)
{
	static const char *const heads[] = { "review", "state", "product", "to", "now", "then", NULL };
	struct asking a = { .common = c, .call = call, .config = config, .json = json, .out = out };
	cli_table_init(&a.table, heads);
	writer_init(&a.doc, JSON_TEXT_MAX);
	jsonw_init(&a.j, &a.doc);
	jsonw_object(&a.j);
	jsonw_key(&a.j, "changes");
	jsonw_array(&a.j);
	int status = judge_all(&a);
	if (status)
		cli_table_drop(&a.table);
	else
		status = show(&a);
	writer_free(&a.doc);
	return status;
}
