/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonf.h"

#define HEX_CAP (2 * DIGEST_SHA256_LEN + 1)

static int
wrong(const struct cli_common *c, const char *what)
{
	cli_opt_fail(c, CLI_COULD_NOT, "PEER", NULL, "the gateway's answer cannot be used: %s", what);
	return FG_EPEER;
}

int
cli_update_document(struct cli_call *call, const char *kind, const char *digest, size_t max, struct writer *w)
{
	struct cli_request r;
	struct cli_reply reply;
	uint8_t named[DIGEST_SHA256_LEN], is[DIGEST_SHA256_LEN];
	writer_reset(w);
	cli_call_begin(&r);
	cli_call_text(&r, "digest", digest);
	cli_call_text(&r, "kind", kind);
	if (cli_call_do(call, "file.open", &r, NULL, 0, &reply))
		return FG_EIO; /* said */
	int err = FG_OK;
	if (reply.status != CLI_DONE)
		err = FG_ENOTFOUND;
	else if (reply.file < 0 || cli_call_slurp(reply.file, max, w) || !hex_decode(view_str(digest), named, sizeof named) ||
	    digest_sha256(writer_view(w), is) || memcmp(named, is, sizeof is) != 0)
		err = FG_EPEER;
	cli_reply_free(&reply);
	return err;
}

/* ---- one update ---- */

static unsigned
read_list(const struct json_value *v, char (*list)[PROFILE_TEXT_MAX + 1], const char **at, bool *good)
{
	size_t n = json_count(v);
	*good = *good && n <= EVIDENCE_LIST_MAX;
	for (size_t i = 0; *good && i < n; i++) {
		*good = json_cstr(json_at(v, i), list[i], sizeof list[i]);
		at[i] = list[i];
	}
	return *good ? (unsigned)n : 0;
}

static bool
read_said(struct cli_update *u)
{
	const struct json_value *x = json_get(u->said, "update"), *scope = json_get(u->said, "scope");
	char kind[16];
	bool good = json_cstr(json_get(x, "product"), u->product, sizeof u->product) &&
	    json_cstr(json_get(x, "target"), u->target, sizeof u->target) &&
	    json_cstr(json_get(x, "from"), u->from, sizeof u->from) &&
	    json_cstr(json_get(u->said, "profile"), u->profile, sizeof u->profile) &&
	    json_cstr(json_get(u->said, "kind"), kind, sizeof kind) && jsonf_u32(json_get(u->said, "floor"), &u->floor) &&
	    jsonf_time(json_get(u->said, "at"), &u->at) && json_bool(json_get(u->said, "clock_sure"), &u->clock_sure);
	u->update = (struct evidence_update){ .product = u->product, .target = u->target, .from = u->from,
		.scoped = json_type(scope) == JSON_OBJECT };
	uint32_t attested = 0;
	good = good && jsonf_u32(json_get(x, "attested"), &attested) && json_bool(json_get(x, "full_held"), &u->update.full_held) &&
	    json_bool(json_get(x, "only_one"), &u->update.only_one);
	u->update.attested = attested;
	/* What is not there is null, and then unknown. */
	if (jsonf_hex(json_get(u->said, "image"), u->image, sizeof u->image))
		u->update.image = u->image;
	(void)jsonf_time(json_get(x, "arrived"), &u->update.arrived);
	if (json_type(json_get(x, "refused")) != JSON_NULL) {
		good = good && json_cstr(json_get(x, "refused"), u->refused, sizeof u->refused);
		u->update.refused = u->refused;
	}
	u->update.groups_n = read_list(json_get(scope, "groups"), u->list, u->update.group, &good);
	u->update.versions_n = read_list(json_get(scope, "from"), u->list + EVIDENCE_LIST_MAX, u->update.versions, &good);
	u->kind = good && strcmp(kind, "canary") == 0 ? SCOPE_CANARY : SCOPE_PRODUCTION;
	return good;
}

int
cli_update_hook(struct cli_call *call, const char *digest, struct hook_record *ret)
{
	struct writer w;
	writer_init(&w, HOOK_RECORD_MAX);
	int err = cli_update_document(call, "hook", digest, HOOK_RECORD_MAX, &w);
	if (!err)
		err = hook_record_read(writer_view(&w), ret);
	writer_free(&w);
	return err;
}

/* What control has of it. Whether it is about this report and of that program it has seen to. */
static int
read_hook(struct cli_update *u, struct cli_call *call, const struct cli_common *c)
{
	const struct json_value *hook = json_get(u->said, "hook");
	char digest[HEX_CAP];
	struct hook_record *r = NULL;
	int err = FG_OK;
	u->hook = (struct hook_said){ .state = json_type(hook) == JSON_OBJECT ? HOOK_UNANSWERED : HOOK_NONE };
	if (!json_cstr(json_get(hook, "answer"), digest, sizeof digest))
		return FG_OK;
	r = calloc(1, sizeof *r);
	err = r ? cli_update_hook(call, digest, r) : FG_ENOMEM;
	if (!err)
		u->hook = (struct hook_said){ .state = HOOK_ANSWERED, .answer = r->answer };
	free(r);
	return err && err != FG_EIO ? wrong(c, "the decision hook's answer is not kept, or is not what its digest says") : err;
}

static int
read_report(struct cli_update *u, struct cli_call *call, const struct cli_common *c)
{
	struct report_refusal why;
	char digest[HEX_CAP];
	struct writer w;
	if (!json_cstr(json_get(u->said, "report"), digest, sizeof digest))
		return wrong(c, "no report is named");
	writer_init(&w, REPORT_MAX);
	int err = cli_update_document(call, "report", digest, REPORT_MAX, &w);
	u->report = err ? NULL : report_new(REPORT_WHOLE);
	if (err && err != FG_EIO)
		err = wrong(c, "the report is not kept, or is not what its digest says");
	else if (!err && (!u->report || report_parse(writer_view(&w), REPORT_WHOLE, u->report, &why)))
		err = wrong(c, "the report cannot be read");
	writer_free(&w);
	return err;
}

int
cli_update_open(struct cli_call *call, const struct cli_common *c, const char *review, struct cli_update *ret)
{
	struct cli_request r;
	memset(ret, 0, sizeof *ret);
	ret->reply.file = -1;
	cli_call_begin(&r);
	cli_call_text(&r, "review", review);
	if (cli_call_do(call, "policy.explain", &r, NULL, 0, &ret->reply))
		return FG_EIO; /* said */
	int err = FG_OK;
	ret->said = json_root(ret->reply.doc);
	if (cli_call_is(&ret->reply, "STATE"))
		err = FG_ESTATE;
	else if (ret->reply.status != CLI_DONE)
		err = cli_call_refused(c, &ret->reply) == CLI_REFUSED ? FG_ENOTFOUND : FG_EIO;
	else if (!read_said(ret))
		err = wrong(c, "a member is missing, or too long");
	else
		err = read_report(ret, call, c);
	if (!err)
		err = read_hook(ret, call, c);
	if (err)
		cli_update_free(ret);
	return err;
}

void
cli_update_free(struct cli_update *u)
{
	report_free(u->report);
	cli_reply_free(&u->reply);
	memset(u, 0, sizeof *u);
	u->reply.file = -1;
}

/* ---- verdicts ---- */

bool
cli_update_now(const struct cli_update *u, struct cli_verdict *ret)
{
	const struct json_value *need = json_get(u->said, "need"), *rules = json_get(u->said, "rules");
	*ret = (struct cli_verdict){ .need = SCOPE_QUORUM_NEVER };
	for (size_t i = 0; i < json_count(rules); i++) {
		bool is = false;
		ret->matches += json_bool(json_get(json_at(rules, i), "matches"), &is) && is;
	}
	(void)jsonf_time(json_get(u->said, "earliest"), &ret->earliest);
	return json_cstr(json_get(u->said, "decision"), ret->decision, sizeof ret->decision) &&
	    json_cstr(json_get(u->said, "rule"), ret->rule, sizeof ret->rule) &&
	    json_cstr(json_get(u->said, "says"), ret->says, sizeof ret->says) &&
	    (json_type(need) == JSON_NULL || jsonf_u32(need, &ret->need));
}

int
cli_update_under(struct cli_update *u, const struct config *c, int64_t at, struct cli_verdict *ret)
{
	const struct profile *p = config_profile(c, view_str(u->profile));
	struct evidence *e = calloc(1, sizeof *e);
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *r = calloc(1, sizeof *r);
	int err = !p ? FG_ENOTFOUND : e && d && r ? FG_OK : FG_ENOMEM;
	/* It would be judged again by then: that the report is of the policy of before is no reason. */
	u->update.policy = u->report->inputs.profile_sha256;
	u->update.now = at;
	if (!err)
		err = evidence_make(u->report, c, p, &u->update, e);
	if (!err) {
		decide(&e->decide, p, at, u->clock_sure, d);
		rules_decide(c->rules, c->rules_n, &c->raise, &e->rules, at, r);
		if (c->hook.program[0]) {
			hook_tighten_fixed(&u->hook, d);
			hook_tighten_rules(&u->hook, r);
		}
		*ret = (struct cli_verdict){ .need = rules_quorum(r, u->kind, p, u->floor), .earliest = r->earliest,
			.matches = r->matches_n };
		snprintf(ret->decision, sizeof ret->decision, "%s", decide_verdict_name(evidence_verdict(d, r)));
		snprintf(ret->rule, sizeof ret->rule, "%s", rules_decider(r));
		evidence_describe(d, r, ret->says);
	}
	free(r);
	free(d);
	free(e);
	return err;
}
