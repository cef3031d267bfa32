/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/hook.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

_Static_assert(HOOK_REASON_MAX < DECIDE_SENTENCE_MAX - 40, "a sentence holds a reason");

static const char *const outcomes[HOOK_OUTCOMES] = {
	[HOOK_DENY] = "deny", [HOOK_HOLD] = "hold", [HOOK_PASS] = "pass",
};

const char *
hook_outcome_name(enum hook_outcome outcome)
{
	return outcomes[(unsigned)outcome < HOOK_OUTCOMES ? outcome : HOOK_DENY];
}

/* ---- an answer ---- */

__attribute__((format(printf, 2, 3))) static int
refuse(char why[HOOK_WHY_MAX], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, HOOK_WHY_MAX, fmt, ap);
	va_end(ap);
	return FG_EFORMAT;
}

/* The members of an answer; in a record they stand without the schema. */
static int
check_members(const struct json_value *v, bool with_schema, char why[HOOK_WHY_MAX])
{
	static const char *const members[] = { "outcome", "quorum", "reasons", "schema" };
	for (size_t i = 0; i < json_count(v); i++) {
		struct view key = json_key_at(v, i);
		char seen[64];
		bool known = false;
		for (size_t m = 0; m < sizeof members / sizeof members[0] - !with_schema; m++)
			known = known || view_is(key, members[m]);
		visible_cstr(view_of(key.p, key.n < 32 ? key.n : 32), seen, sizeof seen);
		if (!known)
			return refuse(why, "%s is no member of an answer", seen);
	}
	return FG_OK;
}

static int
read_outcome(const struct json_value *v, struct hook_answer *ret, char why[HOOK_WHY_MAX])
{
	struct view word;
	if (!json_string(json_get(v, "outcome"), &word))
		return refuse(why, "it says no outcome");
	for (unsigned i = 0; i < HOOK_OUTCOMES; i++) {
		if (view_is(word, outcomes[i])) {
			ret->outcome = (enum hook_outcome)i;
			return FG_OK;
		}
	}
	return refuse(why, "its outcome is none of pass, hold and deny");
}

static int
read_quorum(const struct json_value *v, struct hook_answer *ret, char why[HOOK_WHY_MAX])
{
	const struct json_value *quorum = json_get(v, "quorum");
	if (!quorum)
		return FG_OK;
	if (ret->outcome != HOOK_HOLD)
		return refuse(why, "a quorum comes with hold alone");
	if (!jsonf_u32(quorum, &ret->quorum) || ret->quorum < 1 || ret->quorum > RULES_QUORUM_MAX)
		return refuse(why, "its quorum is not 1 to %d", RULES_QUORUM_MAX);
	return FG_OK;
}

/* What was made visible once stays as it is. */
static bool
is_kept(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return true;
}

static int
read_reasons(const struct json_value *v, bool kept, struct hook_answer *ret, char why[HOOK_WHY_MAX])
{
	const struct json_value *list = json_get(v, "reasons");
	size_t n = json_count(list);
	if (!list)
		return FG_OK;
	if (json_type(list) != JSON_ARRAY || n > HOOK_REASONS_MAX)
		return refuse(why, "its reasons are no list, or more than %d", HOOK_REASONS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct view text;
		if (!json_string(json_at(list, i), &text) || text.n == 0 || text.n > HOOK_REASON_MAX)
			return refuse(why, "reason %zu is no text of 1 to %d bytes", i + 1, HOOK_REASON_MAX);
		char *to = ret->reason[ret->reasons_n++];
		/* What does not fit when it is made visible is cut there: it is for people to read. */
		if (!kept)
			visible_cstr(text, to, sizeof ret->reason[0]);
		else if (is_kept(text))
			memcpy(to, text.p, text.n);
		else
			return refuse(why, "reason %zu is not as it was kept", i + 1);
	}
	return FG_OK;
}

static int
read_answer(const struct json_value *v, bool with_schema, struct hook_answer *ret, char why[HOOK_WHY_MAX])
{
	int err = json_type(v) == JSON_OBJECT ? check_members(v, with_schema, why) : refuse(why, "it is no JSON object");
	*ret = (struct hook_answer){ .outcome = HOOK_DENY };
	if (!err)
		err = read_outcome(v, ret, why);
	if (!err)
		err = read_quorum(v, ret, why);
	if (!err)
		err = read_reasons(v, !with_schema, ret, why);
	if (err)
		*ret = (struct hook_answer){ .outcome = HOOK_DENY };
	return err;
}

int
hook_answer_read(struct view text, struct hook_answer *ret, char why[HOOK_WHY_MAX])
{
	struct json *doc = NULL;
	struct view schema;
	*ret = (struct hook_answer){ .outcome = HOOK_DENY };
	if (text.n > HOOK_ANSWER_MAX)
		return refuse(why, "it is longer than %u bytes", HOOK_ANSWER_MAX);
	int err = json_parse(text, &doc, NULL);
	if (err)
		return err == FG_ENOMEM ? err : refuse(why, text.n ? "it is no JSON" : "it is empty");
	const struct json_value *root = json_root(doc);
	if (json_type(root) == JSON_OBJECT && (!json_string(json_get(root, "schema"), &schema) ||
	    !view_is(schema, HOOK_ANSWER_SCHEMA)))
		err = refuse(why, "its schema is not %s", HOOK_ANSWER_SCHEMA);
	if (!err)
		err = read_answer(root, true, ret, why);
	json_free(doc);
	return err;
}

/* ---- what is kept ---- */

static void
put_answer(struct jsonw *j, const struct hook_answer *a)
{
	jsonw_object(j);
	jsonw_kcstr(j, "outcome", hook_outcome_name(a->outcome));
	if (a->quorum)
		jsonw_kuint(j, "quorum", a->quorum);
	jsonw_key(j, "reasons");
	jsonw_array(j);
	for (unsigned i = 0; i < a->reasons_n; i++)
		jsonw_cstr(j, a->reason[i]);
	jsonw_array_end(j);
	jsonw_object_end(j);
}

int
hook_record_write(const struct hook_record *r, struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_key(&j, "answer");
	put_answer(&j, &r->answer);
	jsonw_khex(&j, "asked", r->asked, sizeof r->asked);
	jsonf_put_time(&j, "at", r->at);
	jsonw_khex(&j, "program", r->program, sizeof r->program);
	jsonw_khex(&j, "report", r->report, sizeof r->report);
	jsonw_kcstr(&j, "schema", HOOK_RECORD_SCHEMA);
	jsonw_object_end(&j);
	return writer_err(w);
}

int
hook_record_read(struct view text, struct hook_record *ret)
{
	char why[HOOK_WHY_MAX];
	struct json *doc = NULL;
	struct writer again;
	int err = text.n > HOOK_RECORD_MAX ? FG_EFORMAT : json_parse(text, &doc, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_EFORMAT;
	const struct json_value *root = json_root(doc);
	*ret = (struct hook_record){ .at = 0 };
	writer_init(&again, HOOK_RECORD_MAX);
	err = read_answer(json_get(root, "answer"), false, &ret->answer, why);
	if (!err && !(jsonf_time(json_get(root, "at"), &ret->at) && jsonf_hex(json_get(root, "asked"), ret->asked, sizeof ret->asked) &&
	    jsonf_hex(json_get(root, "program"), ret->program, sizeof ret->program) &&
	    jsonf_hex(json_get(root, "report"), ret->report, sizeof ret->report)))
		err = FG_EFORMAT;
	if (!err && (hook_record_write(ret, &again) || !view_equal(writer_view(&again), text)))
		err = FG_EFORMAT;
	writer_free(&again);
	json_free(doc);
	return err;
}

/* ---- what comes of it ---- */

void
hook_said_of(const struct hook_record *r, const uint8_t *program, const uint8_t report[DIGEST_SHA256_LEN],
    struct hook_said *ret)
{
	*ret = (struct hook_said){ .state = program ? HOOK_UNANSWERED : HOOK_NONE };
	if (!program || !r || memcmp(r->program, program, sizeof r->program) != 0 ||
	    memcmp(r->report, report, sizeof r->report) != 0)
		return;
	ret->state = HOOK_ANSWERED;
	ret->answer = r->answer;
}

void
hook_tighten_fixed(const struct hook_said *s, struct decide_result *d)
{
	char sentence[DECIDE_SENTENCE_MAX];
	if (s->state == HOOK_NONE)
		return;
	if (s->state != HOOK_ANSWERED) {
		decide_add(d, DECIDE_HOOK_UNANSWERED, "The decision hook has not answered for this report yet.");
	} else if (s->answer.outcome != HOOK_HOLD && s->answer.outcome != HOOK_PASS) {
		snprintf(sentence, sizeof sentence, "The decision hook denies it%s%s", s->answer.reasons_n ? ": " : ".",
		    s->answer.reasons_n ? s->answer.reason[0] : "");
		decide_add(d, DECIDE_HOOK_DENIES, sentence);
	}
}

void
hook_tighten_rules(const struct hook_said *s, struct rules_result *r)
{
	if (s->state == HOOK_NONE)
		return;
	if (s->state == HOOK_ANSWERED && s->answer.outcome == HOOK_PASS)
		return;
	/* Of a denial, too: the fixed checks say it, and nobody can sign against it. */
	r->hook_never = s->state != HOOK_ANSWERED || s->answer.outcome != HOOK_HOLD;
	r->hook_holds = true;
	r->hook_quorum = s->answer.quorum;
}

bool
hook_is_wanted(const struct hook_said *s, const struct decide_result *d, const struct rules_result *r)
{
	return s->state == HOOK_UNANSWERED && d->reasons_n == 1 && d->because[0].reason == DECIDE_HOOK_UNANSWERED &&
	    r->outcome != RULES_DENY;
}
