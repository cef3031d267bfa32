/* SPDX-License-Identifier: Apache-2.0 */
/* The warden and break-glass: what one person alone lets through, when, what stops it, and what has to come after. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "crypto/approval_glass.h"
#include "gateway/wire/memfd.h"
#include "unit/crypto/token.h"
#include "unit/gateway/warden_rig.h"

#define DELAY 600
#define RECORD 61 /* bytes, of what is remembered */
#define MODULES 8 /* no more than a canary's, which one passkey may do */

static struct approval_terms said; /* what the person signs; f->terms is what control asks for */

static void
reset(struct fixture *f)
{
	uint8_t image[32];
	memcpy(image, f->terms.image, sizeof image);
	f->terms = people_terms(NOW, MODULES);
	f->terms.not_after = NOW + APPROVAL_GLASS_MAX - 60;
	memcpy(f->terms.image, image, sizeof image);
	said = f->terms;
	said.decision = APPROVAL_BREAKGLASS;
	said.not_before = 0;
	said.delay = DELAY;
}

static struct msg_glass
told(struct fixture *f)
{
	struct msg_glass m;
	rig_hear(&f->rig, f->control, MSG_GLASS, &m);
	return m;
}

/* How many releases control is told of; whether an after-review is owed. */
static unsigned
started(struct fixture *f, bool *ret_owed)
{
	struct msg_warden_state m;
	struct msg_signers_taken set;
	start(f);
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &set);
	*ret_owed = told(f).owed;
	for (unsigned n = 0;; n++) {
		rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &m);
		if (m.last)
			return n;
	}
}

static int
setup_glass(void **state)
{
	int err = setup(state);
	struct fixture *f = *state;
	bool owed;
	hang_up(f);
	forget_set(f);
	f->g->glass = (struct genesis_glass){ .delay = DELAY, .max_devices = 10 };
	assert_int_equal(started(f, &owed), 0);
	assert_false(owed);
	reset(f);
	return err;
}

static void
next_image(struct fixture *f)
{
	f->image[5]++;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	memcpy(said.image, f->terms.image, sizeof said.image);
}

static void
asked(struct fixture *f)
{
	const struct person *one[] = { &f->alice };
	ask_with(f, quarantine(f), statements(f, &said, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
}

/* Said loudly, then released, and on no edge. */
static struct msg_issued
is_released_by(struct fixture *f, uint32_t need)
{
	static struct release r;
	char why[160];
	asked(f);
	hear_append(f, ENTRY_APPROVAL_BREAKGLASS);
	assert_int_equal(f->append.severity, 1);
	assert_string_equal(f->append.act, "alice@example.com");
	assert_int_equal(f->append.token, 0);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	assert_int_equal(release_parse(f->append.doc, &r, why, sizeof why), 0);
	assert_int_equal(r.glass, DELAY);
	assert_int_equal(r.quorum, 1);
	assert_int_equal(r.terms.not_before, clocks->now + DELAY);
	acknowledge(f, 0);
	struct msg_glass m = told(f);
	struct msg_issued issued = answer(f);
	assert_true(issued.ok);
	assert_true(m.owed);
	assert_int_equal(m.need, need);
	assert_memory_equal(m.release, issued.release, MSG_ID);
	assert_true(silent(f, f->edge[0]));
	return issued;
}

static struct msg_issued
is_released(struct fixture *f)
{
	return is_released_by(f, 2);
}

/* Records in the warden's own file. */
static long
remembered(struct fixture *f)
{
	size_t n = 0;
	free(scratch_read(scratch_path(&f->tmp, "images/approved/breakglass"), &n));
	assert_int_equal(n % RECORD, 0);
	return (long)(n / RECORD);
}

/* Of one person's release edge_has() would say that it lacks another. */
static void
edges_have(struct fixture *f, const uint8_t id[MSG_ID])
{
	for (unsigned i = 0; i < 2; i++) {
		struct msg_release m;
		rig_hear(&f->rig, f->edge[i], MSG_RELEASE, &m);
		assert_memory_equal(m.release, id, MSG_ID);
		assert_int_equal(f->rig.frame.fds_n, 2);
		wire_close_fds(&f->rig.frame);
	}
}

static void
is_refused(struct fixture *f, const char *word)
{
	asked(f);
	refused(f, word);
	assert_true(silent(f, f->audit));
	reset(f);
}

static unsigned
restricted(struct fixture *f)
{
	struct msg_restrict m = { .token = 9, .kind = MSG_RESTRICT_REVOKE, .log_size = LOG_SIZE };
	struct msg_restricted answer;
	memcpy(m.image, f->terms.image, sizeof m.image);
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &answer);
	assert_int_equal(answer.err, 0);
	return answer.withdrawn;
}

static void
hear_withdraw(struct fixture *f, const uint8_t id[MSG_ID])
{
	for (unsigned i = 0; i < 2; i++) {
		struct msg_withdraw m;
		rig_hear(&f->rig, f->edge[i], MSG_WITHDRAW, &m);
		assert_memory_equal(m.release, id, MSG_ID);
	}
}

/* By those persons, of that release; the warden's answer. */
static struct msg_glass
reviewed_at(struct fixture *f, const uint8_t release[MSG_ID], const struct person *const *who, unsigned n, bool before)
{
	struct approval_terms t = { .decision = APPROVAL_AFTERREVIEW, .outcome = APPROVAL_UNJUSTIFIED };
	struct msg_afterreview m = { .token = 77, .outcome = APPROVAL_UNJUSTIFIED };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	memcpy(t.release, release, sizeof t.release);
	memcpy(m.release, release, sizeof m.release);
	/* The first of them of the very state that it was judged at, or the next one. */
	f->seen = LOG_SIZE - f->nonce - before;
	int fd = statements(f, &t, who, n);
	f->seen = 0;
	assert_int_equal(msg_send(f->control, MSG_AFTERREVIEW, &m, &fd, 1), 0);
	close(fd);
	roots(f, n, MSG_LOG_OPEN_OK);
	struct pollfd p = { .fd = f->audit, .events = POLLIN };
	if (!silent(f, f->audit) && poll(&p, 1, 0) == 1) {
		hear_append(f, ENTRY_APPROVAL_AFTERREVIEW);
		acknowledge(f, 0);
	}
	struct msg_glass answer = told(f);
	assert_int_equal(answer.token, 77);
	return answer;
}

static struct msg_glass
reviewed(struct fixture *f, const uint8_t release[MSG_ID], const struct person *const *who, unsigned n)
{
	return reviewed_at(f, release, who, n, false);
}

/* A release that nobody signs for, of another image, under a statement of both. */
static void
standing_release(struct fixture *f)
{
	const struct person *two[] = { &f->alice, &f->bob };
	struct approval_terms standing = people_standing(PEOPLE_T0);
	f->image[6]++;
	f->terms = people_terms(PEOPLE_T0, 50);
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->type = MSG_ISSUE_STANDING;
	ask_with(f, quarantine(f), statements(f, &standing, two, 2));
	f->type = 0;
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
}

/* ---- */

/* Without a word of it in genesis there is none, for one person's eight modules as for all. */
static void
test_off(void **state)
{
	struct fixture *f = *state;
	hang_up(f);
	forget_set(f);
	f->g->glass = (struct genesis_glass){ 0 };
	start(f);
	assert_int_equal(listed(f), 0);
	is_refused(f, "no break-glass: the genesis");
}

/* No edge has it before its wait is over, by a clock that can be believed; then both have, and a start changes nothing of that. */
static void
test_waits(void **state)
{
	struct fixture *f = *state;
	bool owed;
	struct msg_issued m = is_released(f);
	pass(DELAY - 1);
	assert_true(silent(f, f->edge[0]));
	assert_int_equal(started(f, &owed), 1);
	assert_true(owed);
	assert_true(silent(f, f->edge[0]));
	pass(1);
	heard(f);
	edges_have(f, m.release);
	assert_int_equal(started(f, &owed), 1);
	edges_have(f, m.release);
}

/* The wall clock alone jumps over the end of the wait: it is not believed. */
static void
test_clock(void **state)
{
	struct fixture *f = *state;
	is_released(f);
	heard(f);
	clocks->now += 2 * DELAY;
	assert_true(silent(f, f->edge[0]));
	pass(1);
	assert_true(silent(f, f->edge[0]));
}

/* The log tells how late it was: by that the warden takes its clock for good. */
static void
say_head(struct fixture *f)
{
	struct msg_head m = { .state = MSG_LOG_OPEN_OK, .size = LOG_SIZE + 2, .published = LOG_SIZE + 2,
		.last_us = (clocks->now - 5) * 1000000 };
	rig_say(f->audit, MSG_HEAD, &m);
	heard(f);
}

/* A wall clock that is a little behind when it begins makes the wait no shorter when it is set right, nor one that is ahead. */
static void
test_clock_behind(void **state)
{
	struct fixture *f = *state;
	const struct person *one[] = { &f->alice };
	say_head(f);
	clocks->now -= 290;
	f->terms.not_after = said.not_after = clocks->now + APPROVAL_GLASS_MAX - 60;
	ask_with(f, quarantine(f), statements(f, &said, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_APPROVAL_BREAKGLASS);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(told(f).owed);
	struct msg_issued m = answer(f);
	assert_true(m.ok);
	clocks->now += 290;
	pass(DELAY - 1);
	assert_true(silent(f, f->edge[0]));
	clocks->now += 60;
	assert_true(silent(f, f->edge[0]));
	pass(1);
	heard(f);
	edges_have(f, m.release);
}

/* After a start of the machine its time is not believed before the log has said how late it was. */
static void
test_clock_unknown(void **state)
{
	struct fixture *f = *state;
	bool owed;
	struct msg_issued m = is_released(f);
	hang_up(f);
	clocks->boot++;
	clocks->now += 2 * DELAY;
	assert_int_equal(started(f, &owed), 1);
	assert_true(silent(f, f->edge[0]));
	say_head(f);
	edges_have(f, m.release);
}

static void
test_expires(void **state)
{
	struct fixture *f = *state;
	struct msg_issued m = is_released(f);
	pass(DELAY);
	heard(f);
	edges_have(f, m.release);
	pass(APPROVAL_GLASS_MAX);
	heard(f);
	hear_withdraw(f, m.release);
}

/* One person stops it during the wait; the same statement does not bring it back, nor does a start. */
static void
test_veto(void **state)
{
	struct fixture *f = *state;
	bool owed;
	struct msg_issued m = is_released(f);
	assert_int_equal(restricted(f), 1);
	hear_withdraw(f, m.release);
	pass(DELAY);
	assert_true(silent(f, f->edge[0]));
	assert_int_equal(started(f, &owed), 0);
	assert_true(owed);
	assert_true(silent(f, f->edge[0]));
}

/* So does a halt, for good: what was there then does not come back with the end of it. */
static void
test_halt(void **state)
{
	struct fixture *f = *state;
	struct msg_halt h = { .at = clocks->now + 1 };
	bool owed;
	struct msg_issued m = is_released(f);
	pass(2);
	rig_say(f->rig.sup, MSG_HALT, &h);
	hear_withdraw(f, m.release);
	pass(DELAY);
	assert_true(silent(f, f->edge[0]));
	assert_int_equal(started(f, &owed), 0);
	assert_true(owed);
}

/* It is a veto of all that is there, whatever time the wall clock shows by then. */
static void
test_halt_by_a_clock_that_went_back(void **state)
{
	struct fixture *f = *state;
	struct msg_issued m = is_released(f);
	clocks->now -= 200;
	struct msg_halt h = { .at = clocks->now };
	heard(f);
	rig_say(f->rig.sup, MSG_HALT, &h);
	hear_withdraw(f, m.release);
}

static void resumed(struct fixture *f, int64_t halted_at);

/* What was signed for it before the halt is no way to it when the halt is over. */
static void
test_halt_ends_statements(void **state)
{
	struct fixture *f = *state;
	const struct person *two[] = { &f->alice, &f->bob };
	struct msg_halt h = { .at = clocks->now };
	struct msg_issued m = is_released(f);
	rig_say(f->rig.sup, MSG_HALT, &h);
	hear_withdraw(f, m.release);
	resumed(f, h.at);
	assert_true(reviewed(f, m.release, two, 2).ok);
	is_refused(f, "older than");
}

/* A warden that comes when the gateway is halted is told before it starts; what it had stored is not there then. */
static void
test_halted_at_the_start(void **state)
{
	struct fixture *f = *state;
	struct msg_halt h = { .at = clocks->now };
	bool owed;
	is_released(f);
	f->halt = &h;
	assert_int_equal(started(f, &owed), 0);
	f->halt = NULL;
	assert_true(owed);
	assert_int_equal(started(f, &owed), 0);
}

/* Each holds, and together they are for more modules than one person may let in: put side by side by whoever can write there. */
static void
test_two_on_disk(void **state)
{
	struct fixture *f = *state;
	const struct person *two[] = { &f->alice, &f->bob };
	char hex[2 * RELEASE_ID + 1], name[2][128];
	uint8_t *kept[2];
	size_t n[2];
	bool owed;
	struct msg_issued m = is_released(f);
	hang_up(f);
	hex_encode(m.release, RELEASE_ID, hex);
	snprintf(name[0], sizeof name[0], "images/approved/%s.json", hex);
	snprintf(name[1], sizeof name[1], "images/approved/%s.signed", hex);
	for (unsigned i = 0; i < 2; i++) {
		kept[i] = scratch_read(scratch_path(&f->tmp, name[i]), &n[i]);
		assert_int_equal(unlink(scratch_path(&f->tmp, name[i])), 0);
	}
	clocks->now++;
	assert_int_equal(started(f, &owed), 0);
	assert_true(reviewed(f, m.release, two, 2).ok);
	is_released(f);
	assert_int_equal(started(f, &owed), 1);
	hang_up(f);
	for (unsigned i = 0; i < 2; i++) {
		scratch_write(scratch_path(&f->tmp, name[i]), kept[i], n[i]);
		free(kept[i]);
	}
	assert_int_equal(started(f, &owed), 0);
}

/* Also what is on its way then, and what is asked for while it stands, whatever control says; it ends by people's word. */
static void
test_halt_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct msg_halt h = { .at = clocks->now + 1 };
	bool owed;
	asked(f);
	hear_append(f, ENTRY_APPROVAL_BREAKGLASS);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	assert_true(told(f).owed);
	pass(2);
	rig_say(f->rig.sup, MSG_HALT, &h);
	hear_append(f, ENTRY_RELEASE_REFUSED);
	refused(f, "halted meanwhile");
	acknowledge(f, 0);
	pass(DELAY);
	assert_true(silent(f, f->edge[0]));
	assert_int_equal(started(f, &owed), 0);
	assert_true(owed);
}

static void
resumed(struct fixture *f, int64_t halted_at)
{
	struct approval_terms t = { .decision = APPROVAL_RESUME, .halted_at = halted_at };
	struct msg_resume m = { .token = 5, .halted_at = halted_at };
	const struct person *who[] = { &f->alice, &f->bob };
	struct msg_resumed answer;
	struct msg_unhalt end;
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	int fd = statements(f, &t, who, 2);
	assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
	close(fd);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	acknowledge(f, 0);
	rig_hear(&f->rig, f->control, MSG_RESUMED, &answer);
	assert_true(answer.ok);
	rig_hear(&f->rig, f->rig.sup, MSG_UNHALT, &end);
	assert_int_equal(end.at, halted_at);
}

static void
test_halted(void **state)
{
	struct fixture *f = *state;
	struct msg_halt h = { .at = clocks->now + 1 };
	pass(2);
	rig_say(f->rig.sup, MSG_HALT, &h);
	is_refused(f, "halted");
	/* The end of an earlier one is none of this. */
	resumed(f, h.at - 1);
	is_refused(f, "halted");
	resumed(f, h.at);
	is_released(f);
}

static void
test_bounds(void **state)
{
	struct fixture *f = *state;
	f->terms.max_devices = said.max_devices = 11;
	is_refused(f, "more modules than genesis allows");
	said.delay = DELAY - 1;
	is_refused(f, "veto delay differs");
	f->terms.not_after = said.not_after = NOW + APPROVAL_GLASS_MAX + 1;
	is_refused(f, "more than 24 hours");
	f->terms.not_after = said.not_after = NOW + DELAY;
	is_refused(f, "before its veto delay");
	said.findings.n = 0;
	is_refused(f, "findings acknowledged differs");
	f->lie.requester = "alice@example.com";
	is_refused(f, "asked for this");
	f->lie.requester = NULL;
	assert_int_equal(restricted(f), 0);
	is_refused(f, "older than");
	/* One person's approval is none the more because she could have broken the glass. */
	f->terms.max_devices = 50;
	said = f->terms;
	next_image(f);
	is_refused(f, "1 of 2");
	next_image(f);
	is_released(f);
}

/* What one person stopped since was not released before. */
static void
test_stopped_before(void **state)
{
	struct fixture *f = *state;
	bool owed;
	f->terms = people_terms(PEOPLE_T0, 50);
	f->terms.not_after = NOW + 60;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	reset(f);
	assert_int_equal(restricted(f), 1);
	assert_int_equal(started(f, &owed), 0);
	f->seen = LOG_SIZE + 20;
	f->terms.max_devices = said.max_devices = 50;
	is_refused(f, "never released by enough");
	is_released(f); /* for as many as genesis has she may */
}

/* An image that enough people let to fifty may go to as many by one person's word, and to no more; not once it was stopped. */
static void
test_released_before(void **state)
{
	struct fixture *f = *state;
	bool owed;
	f->terms = people_terms(PEOPLE_T0, 50);
	f->terms.not_after = NOW + 60;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	struct msg_issued first = answer(f);
	assert_true(first.ok);
	edge_has(f, 0, first.release);
	edge_has(f, 1, first.release);
	reset(f);
	/* While that one is in force the two together are for more. */
	f->terms.max_devices = said.max_devices = 50;
	is_refused(f, "than its image was released for");
	pass(120); /* it ends */
	heard(f);
	hear_withdraw(f, first.release);
	assert_int_equal(started(f, &owed), 0);
	reset(f);
	f->terms.max_devices = said.max_devices = 51;
	is_refused(f, "than its image was released for");
	f->terms.max_devices = said.max_devices = 50;
	is_released(f);
	assert_int_equal(started(f, &owed), 1);
	assert_true(owed);
	assert_int_equal(restricted(f), 1);
	assert_int_equal(started(f, &owed), 0);
}

/* The second one waits for the after-review: of two, neither whoever broke the glass alone nor anybody else alone. */
static void
test_after_review(void **state)
{
	struct fixture *f = *state;
	const struct person *alone[] = { &f->alice }, *two[] = { &f->alice, &f->bob }, *twice[] = { &f->bob, &f->bob };
	const uint8_t other[MSG_ID] = { 1 };
	bool owed;
	struct msg_issued m = is_released(f);
	next_image(f);
	is_refused(f, "before its after-review");
	/* A start does not forget it. */
	assert_int_equal(started(f, &owed), 1);
	assert_true(owed);
	is_refused(f, "before its after-review");
	assert_false(reviewed(f, m.release, alone, 1).ok);
	assert_false(reviewed(f, m.release, twice, 2).ok);
	assert_false(reviewed(f, other, two, 2).ok);
	struct msg_glass done = reviewed(f, m.release, two, 2);
	assert_true(done.ok);
	assert_false(done.owed);
	assert_int_equal(started(f, &owed), 1);
	assert_false(owed);
	is_released(f);
}

/* Nor is it forgotten with the file, as long as the release is there. */
static void
test_file_gone(void **state)
{
	struct fixture *f = *state;
	bool owed;
	is_released(f);
	hang_up(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "images/approved/breakglass")), 0);
	assert_int_equal(started(f, &owed), 1);
	next_image(f);
	is_refused(f, "before its after-review");
}

/* People in full number sign for the same image: they have looked at it. */
static void
test_approved_after(void **state)
{
	struct fixture *f = *state;
	struct msg_issued m = is_released(f);
	f->terms = people_terms(PEOPLE_T0, 50);
	f->terms.not_after = NOW + 60;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->seen = LOG_SIZE + 20;
	ask(f);
	f->seen = 0;
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_false(told(f).owed);
	struct msg_issued second = answer(f);
	assert_true(second.ok);
	edge_has(f, 0, second.release);
	edge_has(f, 1, second.release);
	assert_memory_not_equal(m.release, second.release, MSG_ID);
	reset(f);
	next_image(f);
	is_released(f);
}

/* What they had signed before the glass was broken says nothing of that. */
static void
test_approved_before(void **state)
{
	struct fixture *f = *state;
	bool owed;
	is_released(f);
	f->terms = people_terms(PEOPLE_T0, 50);
	f->terms.not_after = NOW + 60;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->seen = LOG_SIZE - f->nonce - 1; /* the first of them the very state that it was judged at */
	ask(f);
	f->seen = 0;
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	reset(f);
	next_image(f);
	is_refused(f, "before its after-review");
	(void)started(f, &owed);
	assert_true(owed);
}

/* A record with another wait than genesis has is none of this warden's, whoever signed for it. */
static void
test_stored_with_another_delay(void **state)
{
	struct fixture *f = *state;
	bool owed;
	is_released(f);
	hang_up(f);
	forget_set(f);
	f->g->glass.delay = DELAY + 1;
	assert_int_equal(started(f, &owed), 0);
	assert_true(owed);
}

/* As many persons as policy asked for, where that is more, and of a state of the log behind it. */
static void
test_after_review_counts(void **state)
{
	struct fixture *f = *state;
	const struct person *two[] = { &f->alice, &f->bob };
	struct msg_issued m = is_released(f);
	assert_false(reviewed_at(f, m.release, two, 2, true).ok);
	assert_true(reviewed(f, m.release, two, 2).ok);
	next_image(f);
	f->terms.quorum = said.quorum = 3;
	m = is_released_by(f, 3);
	struct msg_glass answer = reviewed(f, m.release, two, 2);
	assert_false(answer.ok);
	if (!strstr(answer.why, "2 of 3"))
		fail_msg("\"%s\"", answer.why);
}

/* The same as statements(), by the passkeys of those persons. */
static int
in_browsers(struct fixture *f, const struct person *const *who, unsigned n, const struct token *passkey)
{
	struct writer bundle, text, sig;
	char why[160];
	writer_init(&bundle, 1 << 20);
	writer_u32(&bundle, n);
	for (unsigned i = 0; i < n; i++) {
		f->nonce++;
		struct approval *a = people_statement(who[i], &f->terms, clocks->now - 30, f->nonce, f->seen + f->nonce, root);
		writer_init(&text, APPROVAL_BYTES_MAX);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		assert_int_equal(approval_encode(a, &text, why, sizeof why), 0);
		token_passkey(&passkey[i], writer_view(&text), &sig);
		writer_blob(&bundle, writer_view(&text));
		writer_blob(&bundle, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(a);
	}
	int fd = memfd_sealed("bundle", writer_view(&bundle));
	writer_free(&bundle);
	assert_true(fd >= 0);
	return fd;
}

/* A release that people signed for since, of that image or of another one, by those persons or by one. */
static void
let(struct fixture *f, uint32_t modules, const struct person *const *who, unsigned n, const struct token *passkey)
{
	f->terms = people_terms(PEOPLE_T0, modules);
	f->terms.not_after = NOW + 60;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->lie.quorum_zero = true;
	f->seen = LOG_SIZE + 20;
	ask_with(f, quarantine(f), passkey ? in_browsers(f, who, n, passkey) : statements(f, &f->terms, who, n));
	f->seen = 0;
	f->lie.quorum_zero = false;
	roots(f, n, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
}

static void
let_and_still_owed(struct fixture *f, uint32_t modules, const struct person *const *who, unsigned n,
    const struct token *passkey)
{
	let(f, modules, who, n, passkey);
	assert_true(answer(f).ok);
	reset(f);
	f->image[7]++;
	next_image(f);
	is_refused(f, "before its after-review");
}

static void
test_another_is_approved(void **state)
{
	struct fixture *f = *state;
	const struct person *two[] = { &f->alice, &f->bob };
	is_released(f);
	next_image(f);
	let_and_still_owed(f, 50, two, 2, NULL);
}

/* For two modules more one person is enough, and has then not looked at it with anybody. */
static void
test_approved_by_one(void **state)
{
	struct fixture *f = *state;
	const struct person *one[] = { &f->bob };
	is_released(f);
	let_and_still_owed(f, 2, one, 1, NULL);
}

/* Nor have two in browsers, who read what the console showed. */
static void
test_approved_in_browsers(void **state)
{
	struct fixture *f = *state;
	struct token passkey[] = { token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID) };
	const struct person *who[] = { &f->alice, &f->bob };
	bool owed;
	hang_up(f);
	forget_set(f);
	for (unsigned i = 0; i < 2; i++) {
		struct person p = *who[i];
		p.key = passkey[i].key;
		people_add(&f->g->set, &p);
	}
	snprintf(f->g->set.console, sizeof f->g->set.console, "%s", TOKEN_SITE);
	assert_int_equal(started(f, &owed), 0);
	is_released(f);
	let_and_still_owed(f, 2, who, 2, passkey);
	for (unsigned i = 0; i < 2; i++)
		EVP_PKEY_free(passkey[i].p256);
}

/* Of what people in full number release the number is remembered, and of nothing else. */
static void
test_remembered(void **state)
{
	struct fixture *f = *state;
	const struct person *two[] = { &f->alice, &f->bob };
	struct msg_issued m;
	is_released(f);
	assert_int_equal(remembered(f), 1); /* that it was used */
	let(f, 50, two, 2, NULL);
	assert_false(told(f).owed);
	m = answer(f);
	assert_true(m.ok);
	assert_int_equal(remembered(f), 3); /* and looked at */
	standing_release(f);
	assert_int_equal(remembered(f), 3);
}

/* The log does not take it: nothing begins, and it is owed all the same. */
static void
test_log_away(void **state)
{
	struct fixture *f = *state;
	asked(f);
	hear_append(f, ENTRY_APPROVAL_BREAKGLASS);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, FG_EIO);
	assert_true(told(f).owed);
	refused(f, "could not write");
	pass(DELAY);
	assert_true(silent(f, f->edge[0]));
	reset(f);
	next_image(f);
	is_refused(f, "before its after-review");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_off, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_clock, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_expires, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_veto, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halt, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halt_by_a_clock_that_went_back, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_clock_behind, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_clock_unknown, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halt_ends_statements, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halted_at_the_start, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_two_on_disk, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halt_meanwhile, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_halted, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_released_before, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_after_review, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_file_gone, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_approved_after, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_approved_before, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_stored_with_another_delay, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_after_review_counts, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_another_is_approved, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_approved_by_one, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_approved_in_browsers, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_remembered, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_before, setup_glass, teardown),
		cmocka_unit_test_setup_teardown(test_log_away, setup_glass, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
