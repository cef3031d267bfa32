/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

static const uint8_t root[32] = { 7 };

struct fixture {
	struct approval *a, *back;
	struct writer w, w2;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct person alice = people_make("alice@example.com", 1);
	struct approval_terms t = people_terms(PEOPLE_T0, 10);
	f->a = people_statement(&alice, &t, PEOPLE_T0, 0x5a, 70000, root);
	f->back = calloc(1, sizeof *f->back);
	writer_init(&f->w, APPROVAL_BYTES_MAX);
	writer_init(&f->w2, APPROVAL_BYTES_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->w);
	writer_free(&f->w2);
	free(f->a);
	free(f->back);
	free(f);
	return 0;
}

static struct view
encoded(struct fixture *f)
{
	writer_reset(&f->w);
	assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), 0);
	return writer_view(&f->w);
}

static void
round_trip(struct fixture *f)
{
	struct view text = encoded(f);
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	assert_true(json_is_canonical(doc, text));
	json_free(doc);
	assert_int_equal(approval_parse(text, f->back, f->why, sizeof f->why), 0);
	assert_null(approval_terms_differ(&f->back->terms, &f->a->terms));
	assert_string_equal(f->back->approver, f->a->approver);
	assert_int_equal(f->back->log_size, f->a->log_size);
	writer_reset(&f->w2);
	assert_int_equal(approval_encode(f->back, &f->w2, f->why, sizeof f->why), 0);
	assert_true(view_equal(writer_view(&f->w2), text));
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	round_trip(f);
	struct approval_terms resume = { .decision = APPROVAL_RESUME, .halted_at = PEOPLE_T0 - 5 };
	snprintf(resume.gateway, sizeof resume.gateway, "%s", PEOPLE_ORIGIN);
	f->a->terms = resume;
	round_trip(f);
}

static struct approval_terms
go_on(void)
{
	struct approval_terms t = { .decision = APPROVAL_CONTINUE, .halted_at = PEOPLE_T0 - 5, .step = APPROVAL_STEP_RESUME,
		.release = { 7, 7 }, .have_plan = true, .plan = { 9 }, .max_devices = 500 };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	snprintf(t.ring, sizeof t.ring, "half");
	return t;
}

static void
test_continue(void **state)
{
	struct fixture *f = *state;
	const struct approval_terms a = go_on();
	for (int i = APPROVAL_STEP_NONE + 1; i < APPROVAL_STEP_LIMIT; i++) {
		f->a->terms = a;
		f->a->terms.step = (enum approval_step)i;
		round_trip(f);
	}
	f->a->terms = a;
	assert_int_equal(approval_list_add(&f->a->terms.over, "canary: 3 failed, 0 silent"), 0);
	round_trip(f);
#define NOBODY(change)                                                                            \
	do {                                                                                      \
		struct approval_terms *t = &f->a->terms;                                          \
		*t = a;                                                                           \
		change;                                                                           \
		writer_reset(&f->w);                                                              \
		assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), FG_EINVAL); \
	} while (0)
	NOBODY(t->halted_at = 0);
	NOBODY(t->step = APPROVAL_STEP_NONE);
	NOBODY(t->step = APPROVAL_STEP_LIMIT);
	NOBODY(t->have_plan = false);
	NOBODY(t->ring[0] = '\0');
	NOBODY(t->ring[0] = '\n');
	NOBODY(t->max_devices = 0);
	NOBODY(t->step = APPROVAL_STEP_OPEN; approval_list_add(&t->over, "canary: 3 failed, 0 silent"));
	NOBODY(t->over.n = 1); /* an empty word */
	NOBODY(approval_list_add(&t->over, "whatever fails"));
	NOBODY(approval_list_add(&t->over, "canary: 3 failed, 0 silent"); approval_list_add(&t->over, "canary: 4 failed, 0 silent"));
	NOBODY(approval_list_add(&t->over, "canary: 3 failed, 8 silent"); t->max_devices = 10); /* more than there can be */
#define OTHER(word, change)                                                  \
	do {                                                                 \
		struct approval_terms b = a;                                 \
		change;                                                      \
		assert_string_equal(approval_terms_differ(&a, &b), word);    \
	} while (0)
	OTHER("decision", b.decision = APPROVAL_RESUME);
	OTHER("halt", b.halted_at++);
	OTHER("step", b.step = APPROVAL_STEP_OPEN);
	OTHER("release", b.release[15] = 1);
	OTHER("ring", b.ring[0] = 'H');
	OTHER("plan", b.plan[31] = 1);
	OTHER("max_devices", b.max_devices++);
	OTHER("failures gone on over", approval_list_add(&b.over, "x"));
	assert_int_equal(approval_step_parse(view_str("")), APPROVAL_STEP_NONE);
	assert_int_equal(approval_step_parse(view_str("skip")), APPROVAL_STEP_NONE);
}

/* A changed byte is no statement, or one that says something else: never the same one. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	uint8_t *copy = malloc(text.n);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] ^= 0x01;
		if (approval_parse(view_of(copy, text.n), f->back, f->why, sizeof f->why))
			continue;
		writer_reset(&f->w2);
		assert_int_equal(approval_encode(f->back, &f->w2, f->why, sizeof f->why), 0);
		assert_true(view_equal(writer_view(&f->w2), view_of(copy, text.n)));
	}
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(approval_parse(view_of(text.p, n), f->back, f->why, sizeof f->why), FG_EFORMAT);
	free(copy);
}

static void
refused_text(struct fixture *f, const char *from, const char *to)
{
	struct view text = encoded(f);
	char *at = memmem(text.p, text.n, from, strlen(from)), *out = malloc(text.n + strlen(to) + 1);
	assert_non_null(at);
	size_t before = (size_t)(at - (const char *)text.p), n = text.n - strlen(from) + strlen(to);
	memcpy(out, text.p, before);
	memcpy(out + before, to, strlen(to));
	memcpy(out + before + strlen(to), at + strlen(from), text.n - before - strlen(from));
	f->why[0] = '\0';
	assert_int_equal(approval_parse(view_of(out, n), f->back, f->why, sizeof f->why), FG_EFORMAT);
	assert_true(f->why[0] != '\0');
	free(out);
}

static void
test_one_form(void **state)
{
	struct fixture *f = *state;
	refused_text(f, "{\"_type\"", " {\"_type\"");
	refused_text(f, "\"max_devices\":10", "\"max_devices\": 10");
	refused_text(f, "\"max_devices\":10", "\"max_devices\":10,\"max_devices\":10");
	refused_text(f, "\"max_devices\":10", "\"max_devices\":10,\"more\":1");
	refused_text(f, "\"max_devices\":10", "\"max_devices\":1e1");
	refused_text(f, "\"max_devices\":10", "\"max_devices\":4294967296");
	refused_text(f, "\"max_devices\":10,", "");
	refused_text(f, "\"product\":\"EC25\",\"profile\":\"quectel\"", "\"profile\":\"quectel\",\"product\":\"EC25\"");
	refused_text(f, "SIG-NONE", "SIG\\u002dNONE");
	refused_text(f, "[\"SIG-NONE\"]", "[\"SIG-NONE\",\"SIG-NONE\"]");
	refused_text(f, "[\"SIG-NONE\"]", "[\"Z\",\"A\"]");
	refused_text(f, "[\"SIG-NONE\"]", "[\"\"]");
	refused_text(f, "[\"SIG-NONE\"]", "{}");
	refused_text(f, "\"decision\":\"approve\"", "\"decision\":\"revoke\"");
	refused_text(f, "\"decision\":\"approve\"", "\"decision\":\"resume\"");
	refused_text(f, "\"alice@example.com\"", "\"alice@example.com\\u0000\"");
	refused_text(f, "\"alice@example.com\"", "\"\xc3\xa4lice\"");
	refused_text(f, "urn:fotagate:approval:v1", "urn:fotagate:signers:v1");
	refused_text(f, "5a5a5a", "5A5a5a");
}

/* Quorum and plan came later: what does not name them is what it always was, what does has one form. */
static void
test_quorum_and_plan(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	assert_null(memmem(text.p, text.n, "\"quorum\"", 8));
	assert_null(memmem(text.p, text.n, "\"plan\"", 6));
	refused_text(f, "\"reason\":", "\"quorum\":0,\"reason\":");
	f->a->terms.quorum = 3;
	f->a->terms.have_plan = true;
	memset(f->a->terms.plan, 0x66, sizeof f->a->terms.plan);
	assert_int_equal(approval_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
	assert_int_equal(f->back->terms.quorum, 3);
	assert_true(f->back->terms.have_plan);
	assert_null(approval_terms_differ(&f->back->terms, &f->a->terms));
	refused_text(f, "\"quorum\":3", "\"quorum\":17");
	refused_text(f, "\"quorum\":3", "\"quorum\":\"3\"");
	refused_text(f, "\"quorum\":3", "\"quorum\":0");
	refused_text(f, "\"plan\":{\"digest\":{\"sha256\":\"66", "\"plan\":{\"digest\":{\"sha256\":\"6");
	refused_text(f, "\"plan\":{\"digest\":", "\"plan\":{\"digest2\":");
}

/* What was done before, and what somebody answers for: in the text, or no member at all. */
static void
test_checklist_and_waived(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *t = &f->a->terms;
	struct view text = encoded(f);
	assert_null(memmem(text.p, text.n, "\"checklist\"", 11));
	assert_null(memmem(text.p, text.n, "\"waived\"", 8));
	refused_text(f, "\"decision\":", "\"checklist\":[],\"decision\":");
	assert_int_equal(approval_list_add(&t->checklist, "boots on the bench"), 0);
	assert_int_equal(approval_list_add(&t->checklist, "SMS still works"), 0);
	assert_int_equal(approval_list_add(&t->waived, "URL-NEW 0123456789abcdef0123456789abcdef"), 0);
	round_trip(f);
	assert_int_equal(f->back->terms.checklist.n, 2);
	assert_string_equal(f->back->terms.checklist.word[0], "SMS still works");
	assert_string_equal(f->back->terms.waived.word[0], "URL-NEW 0123456789abcdef0123456789abcdef");
	refused_text(f, "\"SMS still works\",\"boots on the bench\"", "\"boots on the bench\",\"SMS still works\"");
	refused_text(f, "\"boots on the bench\"", "\"SMS still works\"");
	refused_text(f, "\"waived\":[\"URL-NEW 0123456789abcdef0123456789abcdef\"]", "\"waived\":[1]");
	char item[8];
	for (unsigned i = t->checklist.n; i <= APPROVAL_CHECKLIST_MAX; i++) {
		snprintf(item, sizeof item, "item %u", i);
		assert_int_equal(approval_list_add(&t->checklist, item), 0);
	}
	writer_reset(&f->w);
	assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), FG_EINVAL);
	assert_non_null(strstr(f->why, "checklist"));
}

/* What became of a delta stands in the text itself, with base and target; in one of three forms, or not at all. */
static void
test_delta(void **state)
{
	struct fixture *f = *state;
	struct approval_delta *d = &f->a->terms.delta;
	assert_null(memmem(encoded(f).p, encoded(f).n, "\"delta\"", 7));
	d->made = APPROVAL_MADE_UNSEEN;
	struct view text = encoded(f);
	assert_non_null(memmem(text.p, text.n, "{\"made\":\"not seen: integrity by digest only, origin unverified\"}", 64));
	assert_int_equal(approval_parse(text, f->back, f->why, sizeof f->why), 0);
	assert_null(approval_terms_differ(&f->back->terms, &f->a->terms));
	refused_text(f, "\"made\":\"not seen", "\"made\":\"seen");
	refused_text(f, "{\"made\":", "{\"applier\":\"x\",\"made\":");
	for (d->made = APPROVAL_MADE_RECONSTRUCTED; d->made < APPROVAL_MADE_LIMIT; d->made++) {
		snprintf(d->applier, sizeof d->applier, "bsdiff40/1");
		memset(d->base, 0x66, sizeof d->base);
		memset(d->target, 0x77, sizeof d->target);
		assert_int_equal(approval_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
		assert_null(approval_terms_differ(&f->back->terms, &f->a->terms));
		assert_int_equal(f->back->terms.delta.made, d->made);
		refused_text(f, "\"applier\":\"bsdiff40/1\"", "\"applier\":\"\"");
		refused_text(f, "\"base\":\"66", "\"base\":\"6");
		refused_text(f, "\"target\":\"77", "\"target\":\"7");
	}
	d->made = APPROVAL_MADE_PROVED;
	refused_text(f, "\"made\":\"proved\"", "\"made\":\"\"");
}

static void
test_what_nobody_may_sign(void **state)
{
	struct fixture *f = *state;
	struct approval good = *f->a;
#define REFUSED(change)                                                                           \
	do {                                                                                      \
		*f->a = good;                                                                     \
		change;                                                                           \
		writer_reset(&f->w);                                                              \
		f->why[0] = '\0';                                                                 \
		assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), FG_EINVAL); \
		assert_true(f->why[0] != '\0');                                                   \
	} while (0)
	struct approval_terms *t = &f->a->terms;
	REFUSED(t->decision = APPROVAL_NONE);
	REFUSED(t->decision = APPROVAL_RESUME); /* of no halt */
	REFUSED(t->halted_at = 5);
	REFUSED(t->review[0] = '\0');
	REFUSED(t->subject[0] = '\0');
	REFUSED(t->profile[0] = '\0');
	REFUSED(t->product[0] = '\n');
	REFUSED(t->target[0] = '\x1b');
	REFUSED(t->subject[0] = '\xff');
	REFUSED(t->from_versions.n = 0);
	REFUSED(t->groups.n = 0);
	REFUSED(t->max_devices = 0);
	REFUSED(t->not_before = 0);
	REFUSED(t->not_after = t->not_before);
	REFUSED(t->not_after = t->not_before + 30 * PEOPLE_DAY + 1);
	REFUSED(t->not_before = INT64_C(253402300800); t->not_after = t->not_before + 5);
	REFUSED(t->quorum = APPROVAL_QUORUM_MAX + 1);
	REFUSED(t->delta.made = APPROVAL_MADE_PROVED);
	REFUSED(t->delta.made = APPROVAL_MADE_LIMIT; t->delta.applier[0] = 'x');
	REFUSED(t->delta.applier[0] = 'x');
	REFUSED(t->delta.made = APPROVAL_MADE_PROVED; t->delta.applier[0] = '\n');
	REFUSED(t->gateway[0] = '\0');
	REFUSED(f->a->approver[0] = '\0');
	REFUSED(f->a->reason[9] = '\0');
	REFUSED(f->a->reason[2] = '\t');
	REFUSED(f->a->time = 0);
	REFUSED(f->a->time = INT64_MAX);
	REFUSED(memcpy(t->findings.word[1], "A", 2); t->findings.n = 2); /* out of order */
	REFUSED(memcpy(t->findings.word[1], "SIG-NONE", 9); t->findings.n = 2);
	*f->a = good;
	t->not_after = t->not_before + 30 * PEOPLE_DAY;
	encoded(f);
}

/* Each term makes another decision. */
static void
test_terms_differ(void **state)
{
	struct fixture *f = *state;
	struct approval_terms a = f->a->terms, b;
	uint8_t key_a[32], key_b[32];
	assert_int_equal(approval_key(&a, key_a), 0);
#define DIFFERS(word, change)                                                                  \
	do {                                                                                   \
		b = a;                                                                         \
		change;                                                                        \
		assert_string_equal(approval_terms_differ(&a, &b), word);                      \
		assert_string_equal(approval_terms_differ(&b, &a), word);                      \
		if (b.decision == APPROVAL_APPROVE && !b.halted_at) {                          \
			assert_int_equal(approval_key(&b, key_b), 0);                          \
			assert_memory_not_equal(key_a, key_b, 32);                             \
		}                                                                              \
	} while (0)
	DIFFERS("decision", b.decision = APPROVAL_RESUME);
	DIFFERS("gateway", b.gateway[0] = 'x');
	DIFFERS("review", b.review[2] = '8');
	DIFFERS("subject", b.subject[0] = 'x');
	DIFFERS("image digest", b.image[31] ^= 1);
	DIFFERS("report digest", b.report[0] ^= 1);
	DIFFERS("policy digest", b.policy[9] ^= 1);
	DIFFERS("findings acknowledged", approval_list_add(&b.findings, "URL-NEW"));
	DIFFERS("findings acknowledged", b.findings.n = 0);
	DIFFERS("checklist", approval_list_add(&b.checklist, "done"));
	DIFFERS("findings waived", approval_list_add(&b.waived, "URL-NEW 01"));
	DIFFERS("product", b.product[0] = 'x');
	DIFFERS("target version", b.target[0] = 'x');
	DIFFERS("profile", b.profile[0] = 'x');
	DIFFERS("resource", b.resource[15] ^= 1);
	DIFFERS("from-versions", approval_list_add(&b.from_versions, "*"));
	DIFFERS("groups", b.groups.word[0][0] = 'x');
	DIFFERS("max_devices", b.max_devices++);
	DIFFERS("not_before", b.not_before++);
	DIFFERS("not_after", b.not_after--);
	DIFFERS("quorum", b.quorum = 2);
	DIFFERS("plan", b.have_plan = true);
	DIFFERS("what the delta makes", b.delta.made = APPROVAL_MADE_UNSEEN);
	a.delta = (struct approval_delta){ .made = APPROVAL_MADE_RECONSTRUCTED, .applier = "bsdiff40/1" };
	DIFFERS("what the delta makes", b.delta.target[31] = 1);
	DIFFERS("what the delta makes", b.delta.base[0] = 1);
	DIFFERS("what the delta makes", b.delta.applier[0] = 'B');
	DIFFERS("what the delta makes", b.delta.made = APPROVAL_MADE_PROVED);
	a.delta = (struct approval_delta){ 0 };
	DIFFERS("halt", b.halted_at = 1);
	assert_null(approval_terms_differ(&a, &a));
}

static void
test_time(void **state)
{
	struct fixture *f = *state;
	struct approval *a = f->a;
#define AT(now, newer) approval_check_time(a, (now), (newer), f->why, sizeof f->why)
	assert_int_equal(AT(PEOPLE_T0, 69999), 0);
	assert_int_equal(AT(PEOPLE_T0, 70000), FG_EPERM); /* the log as it was then is not newer */
	assert_int_equal(AT(PEOPLE_T0, UINT64_MAX), FG_EPERM);
	assert_int_equal(AT(PEOPLE_T0 - APPROVAL_SKEW, 0), 0);
	assert_int_equal(AT(PEOPLE_T0 - APPROVAL_SKEW - 1, 0), FG_EPERM);
	assert_int_equal(AT(PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW, 0), 0);
	assert_int_equal(AT(PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW + 1, 0), FG_EPERM);
	a->time = PEOPLE_T0 + 10 * PEOPLE_DAY;
	assert_int_equal(AT(a->terms.not_after - 1, 0), 0);
	assert_int_equal(AT(a->terms.not_after, 0), FG_EPERM);
	/* Not more than 30 days ahead, even when it begins later. */
	a->time = PEOPLE_T0;
	a->terms.not_before = PEOPLE_T0 + 25 * PEOPLE_DAY;
	a->terms.not_after = PEOPLE_T0 + 31 * PEOPLE_DAY;
	assert_int_equal(AT(PEOPLE_T0, 0), FG_EPERM);
	a->terms = (struct approval_terms){ .decision = APPROVAL_RESUME };
	assert_int_equal(AT(PEOPLE_T0, 0), 0);
	assert_int_equal(AT(PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW + 1, 0), FG_EPERM);
	a->terms = go_on();
	assert_int_equal(AT(PEOPLE_T0, 0), 0);
	assert_int_equal(AT(PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW + 1, 0), FG_EPERM);
	a->log_size = 0;
	assert_int_equal(AT(PEOPLE_T0, 0), FG_EPERM);
	a->terms.decision = APPROVAL_NONE;
	a->log_size = 70000;
	assert_int_equal(AT(PEOPLE_T0, 0), FG_EPERM);
}

static void
test_list(void **state)
{
	(void)state;
	struct approval_list l = { 0 };
	char word[APPROVAL_WORD_MAX + 1];
	assert_int_equal(approval_list_add(&l, "b"), 0);
	assert_int_equal(approval_list_add(&l, "a"), 0);
	assert_int_equal(approval_list_add(&l, "b"), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.word[0], "a");
	assert_true(approval_list_has(&l, "b"));
	assert_false(approval_list_has(&l, "c"));
	assert_int_equal(approval_list_add(&l, ""), FG_ELIMIT);
	memset(word, 'x', APPROVAL_WORD_MAX);
	word[APPROVAL_WORD_MAX] = '\0';
	assert_int_equal(approval_list_add(&l, word), FG_ELIMIT);
	for (unsigned i = 2; i < APPROVAL_LIST_MAX; i++) {
		snprintf(word, sizeof word, "w%u", i);
		assert_int_equal(approval_list_add(&l, word), 0);
	}
	assert_int_equal(approval_list_add(&l, "one more"), FG_ELIMIT);
	assert_int_equal(approval_list_add(&l, "w7"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_continue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quorum_and_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checklist_and_waived, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delta, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_nobody_may_sign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terms_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
