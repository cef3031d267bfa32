/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers send to a witness, what a witness answers, and policy files.
 * Nothing is cosigned but what the log signed and what extends the memory; what
 * parses writes itself back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/witness.h"
#include "crypto/witness_policy.h"
#include "unit/crypto/small_log.h"

#define REMEMBERED 5 /* what the seeds extend */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
requests(const struct small_log *log, struct view in)
{
	struct witness_request r;
	struct witness_verdict v;
	struct witness_memory memory = { .size = REMEMBERED };
	struct writer w;
	if (witness_request_parse(in, &r) != 0)
		return;
	writer_init(&w, WITNESS_REQUEST_MAX);
	must(witness_request_write(r.old, &r.proof, r.checkpoint, &w) == 0 && view_equal(writer_view(&w), in));
	writer_free(&w);
	small_log_hash(log, 0, REMEMBERED, memory.root);
	must(witness_judge(log->m, &r, &log->key.key, &memory, &v) == 0 && v.outcome != WITNESS_UNKNOWN);
	must((v.outcome == WITNESS_COSIGN) == (v.text.n > 0));
	if (v.outcome == WITNESS_COSIGN) /* the seeds are genuine: only what the log itself became */ {
		uint8_t root[MERKLE_HASH_LEN];
		must(r.old == REMEMBERED && v.head.size >= REMEMBERED && v.head.size < 64);
		small_log_hash(log, 0, v.head.size, root);
		must(memcmp(root, v.head.root, sizeof root) == 0);
	}
}

static void
answers(const struct small_log *log, struct view in)
{
	static const unsigned status[] = { 200, 403, 409, 422 };
	struct witness_answered a;
	struct writer note, line;
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&line, WITNESS_ANSWER_MAX);
	small_log_checkpoint(log, 9, &note);
	for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
		must(witness_answer_judge(status[i], in, REMEMBERED, writer_view(&note), &log->key.key, &line, &a) == 0);
		must(a.answer != WITNESS_ANSWER_UNKNOWN);
		must((a.answer == WITNESS_ANSWER_COSIGNED) == (line.n > 0));
		must(a.answer != WITNESS_ANSWER_AHEAD || a.size > 9);
		must(a.answer != WITNESS_ANSWER_BEHIND || a.size <= 9);
		writer_reset(&line);
	}
	writer_free(&note);
	writer_free(&line);
}

static void
policies(struct view in)
{
	struct witness_policy *p = calloc(1, sizeof *p);
	struct witness_policy_problem problem = { .why = NULL };
	bool witnessed[WITNESS_POLICY_WITNESSES_MAX] = { false };
	must(p);
	int rc = witness_policy_parse(in, p, &problem);
	must(rc == 0 || (rc == FG_EFORMAT && problem.why));
	if (rc == 0) {
		must(p->quorum != WITNESS_POLICY_QUORUM_ABSENT);
		bool none = witness_policy_satisfied(p, witnessed);
		must(none == (p->quorum == WITNESS_POLICY_QUORUM_NONE));
		memset(witnessed, true, sizeof witnessed);
		must(witness_policy_satisfied(p, witnessed));
	}
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct small_log log = small_log_new();
	requests(&log, view_of(data, size));
	answers(&log, view_of(data, size));
	policies(view_of(data, size));
	merkle_free(log.m);
	return 0;
}
