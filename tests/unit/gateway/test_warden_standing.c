/* SPDX-License-Identifier: Apache-2.0 */
/* The warden and what nobody signs for: releases under a standing statement, as a table of what it lets and what not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "crypto/approval_standing.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/warden_rig.h"

static struct approval_terms standing; /* what people sign; f->terms is the release */

static int
setup_standing(void **state)
{
	int err = setup(state);
	struct fixture *f = *state;
	standing = people_standing(PEOPLE_T0);
	standing.bounds.max_releases = 2;
	f->type = MSG_ISSUE_STANDING;
	return err;
}

static int
signed_by(struct fixture *f, const struct person *const *who, unsigned n)
{
	return statements(f, &standing, who, n);
}

static int
signed_by_both(struct fixture *f)
{
	const struct person *who[] = { &f->alice, &f->bob };
	return signed_by(f, who, 2);
}

static void
asked(struct fixture *f, int bundle)
{
	ask_with(f, quarantine(f), bundle);
	roots(f, 2, MSG_LOG_OPEN_OK);
}

/* Another image each time: one release of each is enough. */
static void
next_image(struct fixture *f)
{
	f->image[5]++;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
}

static void
is_released(struct fixture *f, int bundle)
{
	struct release *r = calloc(1, sizeof *r);
	uint8_t key[32];
	char why[160], text[80] = "sha256:";
	asked(f, bundle);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	assert_int_equal(release_parse(f->append.doc, r, why, sizeof why), 0);
	assert_int_equal(approval_key(&standing, key), 0);
	assert_true(r->by_standing);
	assert_int_equal(r->as_of, clocks->now - 31); /* when the first of them wrote it */
	assert_memory_equal(r->standing, key, 32);
	assert_int_equal(r->statements_n, 2);
	hex_encode(key, 32, text + 7);
	assert_string_equal(f->append.refs[5].key, "standing");
	assert_string_equal(f->append.refs[5].text, "S-3");
	assert_string_equal(f->append.refs[6].key, "standing.key");
	assert_string_equal(f->append.refs[6].text, text);
	acknowledge(f, 0);
	struct msg_issued m = answer(f);
	assert_true(m.ok);
	edge_has(f, 0, m.release);
	edge_has(f, 1, m.release);
	free(r);
}

static void
is_refused(struct fixture *f, const char *word)
{
	asked(f, signed_by_both(f));
	refused(f, word);
	standing = people_standing(PEOPLE_T0);
	standing.bounds.max_releases = 2;
	struct approval_terms t = people_terms(PEOPLE_T0, 50);
	memcpy(t.image, f->terms.image, sizeof t.image);
	f->terms = t;
}

static void
say_revoked(struct fixture *f)
{
	struct msg_restrict m = { .token = 9, .kind = MSG_RESTRICT_REVOKE, .log_size = 700 };
	assert_int_equal(approval_key(&standing, m.image), 0);
	rig_say(f->control, MSG_RESTRICT, &m);
}

static void
hear_revoked(struct fixture *f)
{
	struct msg_restricted said;
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &said);
	assert_int_equal(said.err, 0);
	assert_int_equal(said.withdrawn, 0); /* what was released stays: it is revoked by its own name */
}

static void
restart(struct fixture *f, unsigned releases)
{
	start(f);
	assert_int_equal(listed(f), releases);
	struct msg_release m;
	for (unsigned edge = 0; edge < 2; edge++) {
		for (unsigned i = 0; i < releases; i++) {
			rig_hear(&f->rig, f->edge[edge], MSG_RELEASE, &m);
			wire_close_fds(&f->rig.frame);
		}
	}
}

/* The same statements twice, and no third time; not after a start either, nor with the file of the count gone. */
static void
test_as_many_as_it_says(void **state)
{
	struct fixture *f = *state;
	is_released(f, signed_by_both(f));
	next_image(f);
	restart(f, 1);
	is_released(f, signed_by_both(f));
	next_image(f);
	asked(f, signed_by_both(f));
	refused(f, "they were issued");
	restart(f, 2);
	asked(f, signed_by_both(f));
	refused(f, "they were issued");
	hang_up(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "images/approved/standing")), 0);
	restart(f, 2);
	asked(f, signed_by_both(f));
	refused(f, "they were issued");
}

/* A release that is gone was one; so was one whose entry the log did not take. */
static void
test_what_is_gone_counts(void **state)
{
	struct fixture *f = *state;
	struct msg_restrict m = { .token = 9, .kind = MSG_RESTRICT_REVOKE, .log_size = 700 };
	struct msg_restricted said;
	is_released(f, signed_by_both(f));
	memcpy(m.image, f->terms.image, sizeof m.image);
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &said);
	assert_int_equal(said.withdrawn, 1);
	/* The image that was revoked is not let in again by what was signed before. */
	asked(f, signed_by_both(f));
	refused(f, "older than");
	next_image(f);
	asked(f, signed_by_both(f));
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
	next_image(f);
	asked(f, signed_by_both(f));
	refused(f, "they were issued");
}

static void
test_outside(void **state)
{
	struct fixture *f = *state;
	f->terms.max_devices = 51;
	is_refused(f, "more modules");
	f->terms.policy[0] ^= 1;
	is_refused(f, "another policy");
	snprintf(f->terms.product, sizeof f->terms.product, "EC21");
	is_refused(f, "another product");
	snprintf(f->terms.profile, sizeof f->terms.profile, "other");
	is_refused(f, "another profile");
	f->terms.findings.n = 0;
	approval_list_add(&f->terms.findings, "URL-NEW");
	is_refused(f, "a finding that is not listed");
	f->terms.groups.n = 0;
	approval_list_add(&f->terms.groups, "*");
	is_refused(f, "a group");
	f->terms.delta.made = APPROVAL_MADE_UNSEEN;
	is_refused(f, "too little is known");
	standing.bounds.worst = APPROVAL_MADE_PROVED;
	f->terms.delta.made = APPROVAL_MADE_UNSEEN;
	is_refused(f, "too little is known");
	approval_list_add(&f->terms.waived, "SIG-NONE x");
	is_refused(f, "a waiver");
	approval_list_add(&f->terms.checklist, "bench");
	is_refused(f, "checklist");
	f->terms.not_after = standing.not_after + 1;
	is_refused(f, "a time outside");
	standing.not_after = NOW - 1;
	is_refused(f, "expired");
	standing.not_before = NOW + 60;
	is_refused(f, "not begun");
	snprintf(standing.gateway, sizeof standing.gateway, "other.example/f");
	is_refused(f, "another gateway");
	standing = f->terms; /* an approval of one release is none of many */
	is_refused(f, "about something else");
	assert_true(silent(f, f->audit));
	assert_true(silent(f, f->edge[0]));
	is_released(f, signed_by_both(f));
	/* Nor does a standing statement do for a release that people sign. */
	next_image(f);
	f->type = MSG_ISSUE;
	asked(f, signed_by_both(f));
	refused(f, "about something else");
}

/* By whom the vendor's image is signed: what nobody, or another, signed for is outside; the record has who did. */
static void
test_signer(void **state)
{
	struct fixture *f = *state;
	struct release *r = calloc(1, sizeof *r);
	char why[160];
	const char key[] = "5555555555555555555555555555555555555555555555555555555555555555";
	approval_list_add(&standing.bounds.signers, key);
	is_refused(f, "another signer");
	approval_list_add(&standing.bounds.signers, key);
	f->terms.have_signer = true;
	memset(f->terms.signer, 0x54, sizeof f->terms.signer);
	is_refused(f, "another signer");
	approval_list_add(&standing.bounds.signers, key);
	f->terms.have_signer = true;
	memset(f->terms.signer, 0x55, sizeof f->terms.signer);
	is_released(f, signed_by_both(f));
	assert_int_equal(release_parse(f->append.doc, r, why, sizeof why), 0);
	assert_true(r->terms.have_signer);
	assert_memory_equal(r->terms.signer, f->terms.signer, sizeof r->terms.signer);
	restart(f, 1);
	/* For what people sign each time nobody says it. */
	next_image(f);
	f->type = MSG_ISSUE;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	assert_int_equal(release_parse(f->append.doc, r, why, sizeof why), 0);
	assert_false(r->terms.have_signer);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	free(r);
}

/* Who signs: as many as all its modules together need, none of them who wished for the image, and each once. */
static void
test_who(void **state)
{
	struct fixture *f = *state;
	const struct person *one[] = { &f->alice }, *twice[] = { &f->alice, &f->alice };
	ask_with(f, quarantine(f), signed_by(f, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	asked(f, signed_by(f, twice, 2));
	refused(f, "signed twice");
	f->lie.requester = "bob@example.com";
	asked(f, signed_by_both(f));
	refused(f, "asked for this");
	f->lie.requester = NULL;
	/* Five modules are a canary's and one person's; five modules five times are not. */
	f->lie.quorum_zero = true;
	f->terms.max_devices = standing.max_devices = 5;
	standing.bounds.max_releases = 5;
	ask_with(f, quarantine(f), signed_by(f, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	standing.bounds.max_releases = 2;
	ask_with(f, quarantine(f), signed_by(f, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
}

/* Revoked by one person: not from then on, nor after a start; said anew by people who know of it, it holds. */
static void
test_revoked(void **state)
{
	struct fixture *f = *state;
	is_released(f, signed_by_both(f));
	next_image(f);
	say_revoked(f);
	hear_revoked(f);
	asked(f, signed_by_both(f));
	refused(f, "older than");
	restart(f, 1);
	asked(f, signed_by_both(f));
	refused(f, "older than");
	/* While one is on its way, too: copied already, and in the log. */
	snprintf(standing.review, sizeof standing.review, "S-4");
	asked(f, signed_by_both(f));
	hear_append(f, ENTRY_RELEASE_ISSUED);
	say_revoked(f);
	refused(f, "revoked meanwhile");
	hear_revoked(f);
	hear_append(f, ENTRY_RELEASE_REFUSED);
	assert_true(silent(f, f->edge[0]));
}

/* Keys: suspended, or their person gone from the set, since. */
static void
test_keys(void **state)
{
	struct fixture *f = *state;
	struct msg_suspend m = { .token = 3 };
	struct msg_suspended said;
	is_released(f, signed_by_both(f));
	next_image(f);
	sshkey_digest(&f->bob.key, m.key);
	rig_say(f->control, MSG_SUSPEND, &m);
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &said);
	assert_int_equal(said.err, 0);
	asked(f, signed_by_both(f));
	refused(f, "1 of 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_as_many_as_it_says, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_gone_counts, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_signer, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_who, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_revoked, setup_standing, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup_standing, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
