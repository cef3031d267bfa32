/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is in force, as control sees it: whatever lies on disk, whatever is cut or missing, whoever hands what in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "unit/gateway/full_rig.h"
#include "unit/gateway/signedpolicy_rig.h"

/* ---- what lies on disk ---- */

static void
the_policy_of_genesis_is_in_force(void **state)
{
	struct desk *d = *state;
	struct policy_bundle *b = bundle_of(MAIN, ANCHOR);
	struct writer w;
	load(d, MAIN, ANCHOR);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	assert_string_equal(alerts(d), "");
	assert_int_equal(incidents(d), 0);
	shows(d, "\"number\":0");
	shows(d, "\"disk\":null");
	shows(d, "\"lacks\":null");
	shows(d, "{\"kind\":\"anchor\",\"name\":\"ca.pem\"");
	/* Kept, with its files. */
	writer_init(&w, FILES_DOC_MAX);
	assert_int_equal(files_doc_get(d->c->files, FILES_POLICY, b->sha256, &w), 0);
	writer_reset(&w);
	assert_int_equal(files_doc_get(d->c->files, FILES_POLICY, policy_bundle_find(b, POLICY_BUNDLE_ANCHOR, "ca.pem")->sha256, &w), 0);
	assert_true(view_equal(writer_view(&w), view_str(ANCHOR)));
	writer_free(&w);
	policy_bundle_free(b);
}

static void
trusts(struct desk *d, const uint8_t was[DIGEST_SHA256_LEN], bool same)
{
	uint8_t now[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(policies_find(d->c->policies, "acme-rtr")->trust, now), 0);
	assert_int_equal(memcmp(now, was, sizeof now) == 0, same);
}

/* One file more, one less, another one: what was signed counts, and each is told once. */
static void
a_file_counts_as_it_was_signed(void **state)
{
	struct desk *d = *state;
	uint8_t trust[DIGEST_SHA256_LEN];
	char told[MSG_TEXT_MAX];
	load(d, MAIN, ANCHOR);
	all_up(d);
	assert_int_equal(digest_sha256(policies_find(d->c->policies, "acme-rtr")->trust, trust), 0);
	for (unsigned again = 0; again < 3; again++) { /* already at the first reload of a first start */
		load(d, MAIN, "another anchor");
		says(alerts(d), "POLICY-UNSIGNED: the policy on disk is not signed and not followed (anchor ca.pem changed): fotagate");
		assert_false(signedpolicy_is_lost(d->c->signedpolicy));
		trusts(d, trust, true);
		assert_int_equal(incidents(d), 1);
	}
	assert_int_equal(logged(d, told, sizeof told), 1);
	assert_string_equal(told, "not signed, and not followed: anchor ca.pem changed");
	for (unsigned again = 0; again < 3; again++) {
		load(d, MAIN, NULL);
		says(alerts(d), "(the anchor ca.pem is not there): put the files back");
		assert_null(strstr(alerts(d), "propose"));
		assert_false(signedpolicy_is_lost(d->c->signedpolicy));
		trusts(d, trust, true);
		assert_int_equal(incidents(d), 2);
	}
	shows(d, "\"lacks\":\"the anchor ca.pem is not there\"");
	assert_int_equal(logged(d, told, sizeof told), 1);
	says(told, "the anchor ca.pem is not there");
	/* Put back, and once more another one: that is told again. */
	load(d, MAIN, ANCHOR);
	assert_string_equal(alerts(d), "");
	load(d, MAIN, "another anchor");
	assert_int_equal(incidents(d), 3);
	assert_int_equal(logged(d, told, sizeof told), 1);
	/* One that nobody names is no part of it. */
	hand(d, "more.pem", "one more");
	load(d, MAIN, ANCHOR);
	assert_string_equal(alerts(d), "");
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
}

static void
what_is_held_is_told_and_nothing_else(void **state)
{
	struct desk *d = *state;
	char *two = sample_profile_with("signature",
	    "signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\", \"second.pem\" ]; };");
	load(d, MAIN, ANCHOR);
	const struct policy_bundle *now = policies_bundle(d->c->policies);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	says(alerts(d), "(rule big new)");
	shows(d, "\"differs\":[{\"change\":\"new\",\"kind\":\"rule\",\"name\":\"big\"}");
	assert_int_equal(incidents(d), 1);
	/* A file that only that one names: there, and not there. */
	hand(d, "second.pem", "the second");
	held(d, MAIN, two, ANCHOR);
	says(alerts(d), "(profile acme-rtr changed, anchor second.pem new)");
	held(d, MAIN, two, ANCHOR);
	says(alerts(d), "(the anchor second.pem is not there): put");
	assert_int_equal(incidents(d), 3);
	/* No configuration, and no bundle: the disk differs all the same. */
	held(d, "rules = 5;\n", SAMPLE_PROFILE, ANCHOR);
	says(alerts(d), "(fotagate.conf:");
	signedpolicy_held(d->c->signedpolicy, memfd_sealed("junk", view_str("junk")));
	says(alerts(d), "(the bundle:");
	assert_int_equal(incidents(d), 5);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	assert_ptr_equal(policies_bundle(d->c->policies), now);
	held(d, MAIN, SAMPLE_PROFILE, ANCHOR);
	assert_string_equal(alerts(d), "");
	free(two);
}

/* Read although it is not in force: nothing is granted under it. */
static void
another_one_is_no_substitute(void **state)
{
	struct desk *d = *state;
	load(d, RULE, ANCHOR); /* at the first start, filled in after init */
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "POLICY-NONE");
	says(alerts(d), "POLICY-UNSIGNED");
	shows(d, "\"items\":null");
	load(d, MAIN, ANCHOR);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	assert_string_equal(alerts(d), "");
	load(d, RULE, ANCHOR);
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "POLICY-LOST");
	shows(d, "\"lost\":true");
}

/* ---- handing in ---- */

static void
what_does_not_count_goes_nowhere(void **state)
{
	struct desk *d = *state;
	uint64_t token;
	load(d, MAIN, ANCHOR);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	struct policyset *good = next_with(d, NULL, RULE), *s = next_with(d, NULL, LATE);
	answered(submit(d, good), CALL_COULD_NOT, "log"); /* nothing is permitted without it */
	all_up(d);
	answered(submit(d, s), CALL_REFUSED, "not seen the files");
	answered(submit_as(d, good, POLICYSET_NAMESPACE, 0), CALL_USAGE, "no signatures");
	answered(submit_as(d, good, POLICYSET_NAMESPACE, 1), CALL_REFUSED, "1 of 2");
	answered(submit_as(d, good, APPROVAL_NAMESPACE, 2), CALL_REFUSED, "0 of 2");
	answered(submit_bytes(d, view_str("{}"), view_str("none")), CALL_USAGE, "no signatures");
	*s = *good;
	s->previous[0] ^= 1;
	answered(submit(d, s), CALL_REFUSED, "follow");
	*s = *good;
	s->number = 2;
	answered(submit(d, s), CALL_REFUSED, "number 0");
	*s = *good;
	s->signers = 1;
	answered(submit(d, s), CALL_REFUSED, "signer set");
	*s = *good;
	s->time += ENACT_SKEW + 1;
	answered(submit(d, s), CALL_REFUSED, "future");
	assert_false(asked(d, &token));
	struct chan *warden = d->c->warden;
	d->c->warden = NULL;
	answered(submit(d, good), CALL_COULD_NOT, "WARDEN-AWAY");
	d->c->warden = warden;
	assert_false(asked(d, &token));
	free(good);
	free(s);
}

static void
one_at_a_time_and_the_warden_decides(void **state)
{
	struct desk *d = *state;
	uint64_t token = 0, next = 0;
	load(d, MAIN, ANCHOR);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	all_up(d);
	struct policyset *s = next_with(d, NULL, RULE);
	struct call_heard *h = submit(d, s);
	assert_int_equal(h->replies, 0);
	assert_true(asked(d, &token));
	answered(submit(d, s), CALL_COULD_NOT, "BUSY");
	taken(d, token + 1, false, 0); /* of another question */
	taken(d, 0, true, 0);
	assert_int_equal(h->replies, 0);
	taken(d, token, false, 0);
	answered(h, CALL_REFUSED, "the warden refuses: no");
	/* It goes away at work; a late answer is nobody's. */
	h = submit(d, s);
	assert_true(asked(d, &next) && next != token);
	signedpolicy_warden_down(d->c->signedpolicy);
	answered(h, CALL_COULD_NOT, "WARDEN-AWAY");
	taken(d, next, false, 0);
	h = submit(d, s);
	assert_true(asked(d, &token));
	name_it(d, 1, s, 0);
	taken(d, token, true, 1);
	answered(h, CALL_DONE, "the policy is in force\"");
	/* In force, and nothing is granted before the supervisor has handed out what it is of. */
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	load(d, RULE, ANCHOR);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	assert_string_equal(alerts(d), "");
	shows(d, "\"number\":1");
	free(s);
}

/* Two were signed after one and the same: the first that is handed in counts, the other follows nothing any more. */
static void
of_two_proposals_one_counts(void **state)
{
	struct desk *d = *state;
	uint64_t token;
	load(d, MAIN, ANCHOR);
	all_up(d);
	struct policyset *one = next_with(d, NULL, RULE), *other = next_with(d, NULL, LATE);
	held(d, LATE, SAMPLE_PROFILE, ANCHOR);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	answered(submit(d, other), CALL_REFUSED, "not seen the files"); /* it was there, and is not any more */
	struct call_heard *h = submit(d, one);
	assert_true(asked(d, &token));
	name_it(d, 1, one, 0);
	taken(d, token, true, 1);
	answered(h, CALL_DONE, "in-force");
	load(d, RULE, ANCHOR);
	held(d, LATE, SAMPLE_PROFILE, ANCHOR);
	answered(submit(d, other), CALL_REFUSED, "number 1");
	answered(submit(d, one), CALL_REFUSED, "number 1"); /* nor does the older one itself come back */
	held(d, MAIN, SAMPLE_PROFILE, ANCHOR);
	struct policyset *back = next_with(d, one, MAIN);
	h = submit(d, back);
	assert_int_equal(h->replies, 0); /* its bytes do, when they are signed anew */
	assert_true(asked(d, &token));
	signedpolicy_warden_down(d->c->signedpolicy);
	answered(h, CALL_COULD_NOT, "WARDEN-AWAY");
	free(back);
	free(other);
	free(one);
}

/* ---- the warden's folder ---- */

/* Its word without a file, with half a file, with another's: what was in force stays, until there is a whole one. */
static void
a_file_of_the_folder_is_whole_or_nothing(void **state)
{
	struct desk *d = *state;
	load(d, MAIN, ANCHOR);
	struct policyset *s = next_with(d, NULL, RULE), *wrong = calloc(1, sizeof *wrong);
	taken(d, 0, true, 1);
	size_t all = name_it(d, 1, s, 1);
	for (size_t n = 1; n < all; n += 13) {
		name_it(d, 1, s, n);
		taken(d, 0, true, 1);
		assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	}
	*wrong = *s;
	wrong->previous[5] ^= 1;
	name_it(d, 1, wrong, 0);
	taken(d, 0, true, 1);
	*wrong = *s;
	wrong->number = 2;
	name_it(d, 1, wrong, 0);
	taken(d, 0, true, 1);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	shows(d, "\"number\":0");
	name_it(d, 1, s, 0);
	taken(d, 0, true, 1);
	shows(d, "\"number\":1");
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	/* A lower number is no way back. */
	taken(d, 0, true, 0);
	shows(d, "\"number\":1");
	free(wrong);
	free(s);
}

static int
start_again(struct desk *d)
{
	signedpolicy_free(d->c->signedpolicy);
	d->c->signedpolicy = NULL;
	return signedpolicy_new(d->c, &d->c->signedpolicy);
}

/* Killed between the log and the effect: the folder has it, nobody was told, and the disk has the old one. */
static void
what_the_folder_has_is_in_force_at_a_start(void **state)
{
	struct desk *d = *state;
	load(d, MAIN, ANCHOR);
	held(d, RULE, SAMPLE_PROFILE, ANCHOR); /* which keeps it */
	struct policyset *one = next_with(d, NULL, RULE), *two = next_with(d, one, LATE);
	name_it(d, 1, one, 0);
	assert_int_equal(start_again(d), 0);
	load(d, MAIN, ANCHOR);
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "POLICY-LOST");
	says(alerts(d), "(rule big gone)");
	load(d, RULE, "another anchor"); /* its files come from among the documents */
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "(anchor ca.pem changed)");
	/* One more, whose files were never here. */
	name_it(d, 2, two, 0);
	assert_int_equal(start_again(d), 0);
	shows(d, "\"number\":2");
	load(d, RULE, ANCHOR);
	says(alerts(d), "all of it: what was signed is not here");
	load(d, LATE, ANCHOR);
	assert_string_equal(alerts(d), "");
	/* A folder that holds what is no policy is not worked around. */
	name_it(d, 2, two, 40);
	assert_int_equal(start_again(d), FG_EFORMAT);
	assert_null(d->c->signedpolicy);
	name_it(d, 2, one, 0); /* the older one under the newer one's name */
	assert_int_equal(start_again(d), FG_EFORMAT);
	free(two);
	free(one);
}

/* Of the bundle that was kept, a part: it counts as not there, and what is on disk must be what was signed. */
static void
a_kept_bundle_that_was_cut_is_none(void **state)
{
	struct desk *d = *state;
	struct policy_bundle *b = bundle_of(MAIN, ANCHOR);
	char name[2 * DIGEST_SHA256_LEN + 32], hex[2 * DIGEST_SHA256_LEN + 1];
	load(d, MAIN, ANCHOR);
	hex_encode(b->sha256, sizeof b->sha256, hex);
	snprintf(name, sizeof name, "reports/%s.policy.json", hex);
	assert_int_equal(chmod(scratch_path(&d->r->s, name), 0600), 0);
	assert_int_equal(truncate(scratch_path(&d->r->s, name), 100), 0);
	assert_int_equal(start_again(d), 0);
	load(d, MAIN, "another anchor");
	assert_true(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "all of it: what was signed is not here");
	load(d, MAIN, ANCHOR);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	/* It could not be put back under that name; what is in memory does for this life. */
	load(d, MAIN, "another anchor");
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	says(alerts(d), "(anchor ca.pem changed)");
	policy_bundle_free(b);
}

/* ---- no room ---- */

static void
held_without_room(struct desk *d, const char *anchor)
{
	int fd = bundle_fd(RULE, SAMPLE_PROFILE); /* the supervisor's, whose bytes are in memory */
	hand(d, "ca.pem", anchor);
	struct rlimit room = full_rig_begin();
	signedpolicy_held(d->c->signedpolicy, fd);
	full_rig_end(room);
}

static void
a_full_disk_hides_nothing_and_lets_nothing_in(void **state)
{
	struct desk *d = *state;
	uint64_t token;
	load(d, MAIN, ANCHOR);
	all_up(d);
	struct policyset *s = next_with(d, NULL, RULE);
	held_without_room(d, ANCHOR);
	says(alerts(d), "(rule big new)");
	answered(submit(d, s), CALL_REFUSED, "is the disk full?");
	assert_false(asked(d, &token));
	held(d, RULE, SAMPLE_PROFILE, ANCHOR);
	struct call_heard *h = submit(d, s);
	assert_true(asked(d, &token));
	signedpolicy_warden_down(d->c->signedpolicy);
	answered(h, CALL_COULD_NOT, "WARDEN-AWAY");
	/* A file of it alone that could not be kept is as bad. */
	struct policy_bundle *b = bundle_of(RULE, "a new anchor");
	struct policyset *other = next_of(d, NULL, b);
	held_without_room(d, "a new anchor");
	answered(submit(d, other), CALL_REFUSED, "is the disk full?");
	policy_bundle_free(b);
	free(other);
	free(s);
}

/* Followed without room to keep it: kept as soon as there is some, and until then as good as it can be. */
static void
what_is_in_force_is_kept_once_there_is_room(void **state)
{
	struct desk *d = *state;
	struct policy_bundle *b = bundle_of(MAIN, ANCHOR);
	struct writer w;
	int fd = bundle_fd(MAIN, SAMPLE_PROFILE);
	writer_init(&w, FILES_DOC_MAX);
	hand(d, "ca.pem", ANCHOR);
	struct rlimit room = full_rig_begin();
	load_fd(d, fd);
	full_rig_end(room);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	assert_int_equal(files_doc_get(d->c->files, FILES_POLICY, b->sha256, &w), FG_ENOTFOUND);
	load(d, MAIN, ANCHOR);
	assert_int_equal(files_doc_get(d->c->files, FILES_POLICY, b->sha256, &w), 0);
	load(d, MAIN, NULL);
	assert_false(signedpolicy_is_lost(d->c->signedpolicy));
	writer_free(&w);
	policy_bundle_free(b);
}

/* ---- a gateway whose genesis does not say so ---- */

static void
where_nobody_signs_it_nothing_happens(void **state)
{
	struct control_rig *r = control_rig_new();
	(void)state;
	people_rig_give(r);
	assert_int_equal(signedpolicy_new(&r->c, &r->c.signedpolicy), 0);
	assert_null(r->c.signedpolicy);
	signedpolicy_look(NULL);
	signedpolicy_held(NULL, memfd_sealed("x", view_str("x")));
	signedpolicy_on_taken(NULL, &(struct msg_policy_taken){ .ok = true, .number = 1 });
	signedpolicy_warden_down(NULL);
	assert_false(signedpolicy_is_lost(NULL));
	answered(call_rig_ask(&r->c, show, "{}"), CALL_REFUSED, "UNSIGNED");
	people_free(r->c.people);
	control_rig_free(r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_policy_of_genesis_is_in_force),
		CASE(a_file_counts_as_it_was_signed),
		CASE(what_is_held_is_told_and_nothing_else),
		CASE(another_one_is_no_substitute),
		CASE(what_does_not_count_goes_nowhere),
		CASE(one_at_a_time_and_the_warden_decides),
		CASE(of_two_proposals_one_counts),
		CASE(a_file_of_the_folder_is_whole_or_nothing),
		CASE(what_the_folder_has_is_in_force_at_a_start),
		CASE(a_kept_bundle_that_was_cut_is_none),
		CASE(a_full_disk_hides_nothing_and_lets_nothing_in),
		CASE(what_is_in_force_is_kept_once_there_is_room),
		cmocka_unit_test(where_nobody_signs_it_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
