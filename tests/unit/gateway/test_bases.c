/* SPDX-License-Identifier: Apache-2.0 */
/* Which full images a delta is tried on. */
#include "gateway/control/bases.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>

#include "crypto/err.h"
#include "gateway/control/decisions.h"
#include "gateway/control/history.h"
#include "images/entail.h"
#include "images/report_terms.h"
#define people_genesis sample_genesis /* control's people has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
#include "gateway/state/db_private.h"
#include "unit/gateway/call_rig.h"
#include "unit/gateway/control_rig.h"

#define PROFILE "acme-rtr"
#define PRODUCT "EC25"

/* Bytes of their own in quarantine. */
static void
hold(struct control_rig *r, uint8_t fill, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct files_part part;
	uint8_t bytes[64];
	memset(bytes, fill, sizeof bytes);
	assert_int_equal(digest_sha256(view_of(bytes, sizeof bytes), ret), 0);
	assert_int_equal(files_part_new(r->c.files, &part), 0);
	assert_int_equal(write(part.fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
	close(part.fd);
	assert_int_equal(files_part_seal(r->c.files, part.name, FILES_IMAGE, ret), 0);
}

static void
name(struct control_rig *r, const char *version, uint8_t fill, int64_t added, uint64_t candidate)
{
	struct db_base b = { .size = 64, .added = added, .candidate = candidate };
	snprintf(b.profile, sizeof b.profile, PROFILE);
	snprintf(b.product, sizeof b.product, PRODUCT);
	snprintf(b.version, sizeof b.version, "%s", version);
	hold(r, fill, b.image);
	assert_int_equal(db_base_add(r->c.db, &b), 0);
}

/* A release of an image, or of a delta from a version ("": any) that makes made (0: a full image). */
static uint64_t
release_from(struct control_rig *r, const char *from, const char *version, uint8_t fill, uint8_t made, const char *state)
{
	struct db_resource res = { .sightings = 1 };
	struct db_candidate cand = { .have_image = true, .in_quarantine = true, .size = 64, .created = 1000 + fill,
		.have_report = true, .have_release = true };
	struct report *report = report_new(REPORT_WHOLE);
	struct writer w;
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, PROFILE);
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.product, sizeof res.product, PRODUCT);
	snprintf(res.target, sizeof res.target, "%s", version);
	snprintf(res.from, sizeof res.from, "%s", from);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(r->c.db, &res, &fresh), 0);
	memcpy(cand.resource, res.id, sizeof cand.resource);
	memset(cand.release, fill, sizeof cand.release);
	snprintf(cand.state, sizeof cand.state, "%s", state);
	hold(r, fill, cand.image);

	snprintf(report->inputs.inspector, sizeof report->inputs.inspector, "%s", REPORT_INSPECTOR);
	report->have_image = true;
	report->format = made ? FORMAT_BSDIFF : FORMAT_RAW;
	report->size = 64;
	memcpy(report->sha256, cand.image, sizeof report->sha256);
	if (made) {
		struct report_delta *d = &report->delta;
		report->have_delta = report->inputs.have_base = true;
		d->result = (struct delta_result){ .outcome = DELTA_APPLIED, .applier = "bsdiff40/1", .target_size = 64,
			.from_patch = 64 };
		hold(r, made, d->result.target_sha256);
		memcpy(d->patch_sha256, cand.image, sizeof d->patch_sha256);
		d->patch_size = 64;
		d->have_target = true;
		memset(d->target_report, made, sizeof d->target_report);
		d->target_verdict = REPORT_REVIEW;
	} else {
		report_raise(report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	}
	assert_int_equal(entail_raise(report, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(report, REPORT_MAX, &w), 0);
	assert_int_equal(report_digest(writer_view(&w), cand.report), 0);
	assert_int_equal(files_doc_put(r->c.files, FILES_REPORT, cand.report, writer_view(&w)), 0);
	struct report_refusal why = { 0 };
	if (report_parse(writer_view(&w), REPORT_WHOLE, report, &why))
		fail_msg("%s", why.text);
	writer_free(&w);
	report_free(report);
	assert_int_equal(db_candidate_new(r->c.db, &cand, &cand.id), 0);
	return cand.id;
}

static uint64_t
release(struct control_rig *r, const char *version, uint8_t fill, uint8_t made, const char *state)
{
	return release_from(r, "", version, fill, made, state);
}

static void
find(struct control_rig *r, const char *version, const char *but, const char *due)
{
	struct bases_list l;
	char got[BASES_TRIES * DB_VERSION_MAX] = "";
	assert_int_equal(bases_find(&r->c, PROFILE, PRODUCT, version, but, &l), 0);
	for (unsigned i = 0; i < l.n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s:%s", i ? " " : "", l.one[i].version,
		    bases_source_name(l.one[i].source));
	assert_string_equal(got, due);
}

static void
named_and_released_the_youngest_first(void **state)
{
	struct control_rig *r = *state;
	name(r, "1.0", 1, 500, 0);
	release(r, "1.1", 2, 0, "approved");
	release(r, "1.2", 3, 4, "approved");
	release(r, "1.3", 5, 0, "expired");
	find(r, "", "", "1.3:released 1.2:made 1.1:released 1.0:named");
	/* Of the version it is for, when that is known; and never what it leads to. */
	find(r, "1.0", "1.3", "1.0:named");
	find(r, "1.2", "", "1.2:made");
	find(r, "", "1.3", "1.2:made 1.1:released 1.0:named");
	find(r, "9.9", "", "");
}

static void
what_nobody_let_through_is_none(void **state)
{
	struct control_rig *r = *state;
	uint64_t waiting = release(r, "1.1", 2, 3, "review");
	name(r, "1.1", 3, 500, waiting); /* kept when the review opened */
	release(r, "1.2", 4, 0, "revoked");
	release(r, "1.3", 5, 0, "rejected");
	find(r, "", "", "");
}

static void
bytes_that_are_gone_are_none_and_the_list_is_bounded(void **state)
{
	struct control_rig *r = *state;
	struct bases_list l;
	uint8_t image[DIGEST_SHA256_LEN];
	char version[8];
	for (uint8_t i = 1; i <= BASES_TRIES + 2; i++) {
		snprintf(version, sizeof version, "1.%u", i);
		name(r, version, i, 100 + i, 0);
	}
	assert_int_equal(bases_find(&r->c, PROFILE, PRODUCT, "", "", &l), 0);
	assert_int_equal(l.n, BASES_TRIES);
	assert_string_equal(l.one[0].version, "1.6");
	assert_string_equal(l.one[BASES_TRIES - 1].version, "1.3");
	hold(r, 6, image);
	assert_int_equal(files_image_remove(r->c.files, FILES_IMAGE, image), 0);
	assert_int_equal(bases_find(&r->c, PROFILE, PRODUCT, "", "", &l), 0);
	assert_string_equal(l.one[0].version, "1.5");
}

/* Its report is another: of that format, and where delta is not NULL the finding that it is one. */
static void
report_again(struct control_rig *r, struct db_candidate *cand, enum format_id format, const char *delta)
{
	struct report *report = report_new(REPORT_WHOLE);
	struct approval_delta said;
	struct writer w;
	snprintf(report->inputs.inspector, sizeof report->inputs.inspector, "%s", REPORT_INSPECTOR);
	report->have_image = true;
	report->format = format;
	report->contents.walked = format != FORMAT_RAW;
	report->size = 64;
	memcpy(report->sha256, cand->image, sizeof report->sha256);
	report_raise(report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "no old image was given");
	report_terms_delta(report, &said);
	assert_int_equal(said.made, APPROVAL_MADE_WHOLE);
	if (delta) {
		report_raise(report, FINDING_FMT_DELTA, FINDING_WARNING, NULL, "%s", delta);
		report_terms_delta(report, &said);
		assert_int_equal(said.made, APPROVAL_MADE_UNSEEN);
	}
	assert_int_equal(entail_raise(report, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(report, REPORT_MAX, &w), 0);
	assert_int_equal(report_digest(writer_view(&w), cand->report), 0);
	assert_int_equal(files_doc_put(r->c.files, FILES_REPORT, cand->report, writer_view(&w)), 0);
	assert_int_equal(db_candidate_update(r->c.db, cand, cand->state), 0);
	writer_free(&w);
	report_free(report);
}

/* Bytes that do not tell what they are: the profile said that they are a delta, and its report says so. */
static void
known_by_its_profile(struct control_rig *r, struct db_candidate *cand)
{
	report_again(r, cand, FORMAT_RAW, "format detools, as the profile has it");
}

/* An Android payload is a full image or a delta: which, its walker says. */
static void
an_incremental_payload_is_no_full_image(void **state)
{
	struct control_rig *r = *state;
	struct bases_one b;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 2, 0, "approved"), cand), 0);
	report_again(r, cand, FORMAT_ANDROID_PAYLOAD, NULL);
	assert_int_equal(bases_result(&r->c, cand, &b), 0);
	assert_int_equal(b.source, BASES_RELEASED);
	report_again(r, cand, FORMAT_ANDROID_PAYLOAD, "1 of 1 partitions are made from the old ones");
	assert_int_equal(bases_result(&r->c, cand, &b), FG_ENOTFOUND);
	find(r, "", "", "");
	free(cand);
}

static void
a_delta_known_by_its_profile_alone_is_no_full_image(void **state)
{
	struct control_rig *r = *state;
	struct bases_one b;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 2, 0, "approved"), cand), 0);
	assert_int_equal(bases_result(&r->c, cand, &b), 0);
	known_by_its_profile(r, cand);
	assert_int_equal(bases_result(&r->c, cand, &b), FG_ENOTFOUND);
	find(r, "", "", "");
	free(cand);
}

/* Who signs, for what asks when the gateway was made. */
static void
people_up(struct control_rig *r)
{
	struct person alice = people_make("alice@example.com", 1), bob = people_make("bob@example.com", 2);
	struct genesis *g = sample_genesis((const struct person *const[]){ &alice, &bob }, 2, 2);
	struct writer text;
	char why[200];
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(g, &text), 0);
	close(scratch_dir(&r->s, "authority"));
	close(scratch_dir(&r->s, "authority/signers"));
	int fd = memfd_sealed("genesis", writer_view(&text));
	if (people_load(fd, r->s.dir, &r->c.people, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	writer_free(&text);
	free(g);
}

static bool
is_second(struct control_rig *r, const struct db_candidate *cand)
{
	struct decide_result d;
	struct report *report = NULL;
	bool second = false;
	assert_int_equal(decisions_report(&r->c, cand->report, &report), 0);
	assert_int_equal(decisions_make(&r->c, cand, report, policies_find(r->c.policies, PROFILE), &d), 0);
	assert_true(d.unseen);
	for (unsigned i = 0; i < d.reasons_n; i++)
		second |= d.because[i].reason == DECIDE_DELTA_SECOND;
	report_free(report);
	return second;
}

/* A page of the database is not all there is. */
static void
a_second_delta_for_a_step_is_seen_however_many_came_before(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate *cand = calloc(1, sizeof *cand), *other = calloc(1, sizeof *other);
	people_up(r);
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 2, 3, "review"), cand), 0);
	known_by_its_profile(r, cand);
	*other = (struct db_candidate){ .created = 2000 };
	memcpy(other->resource, cand->resource, sizeof other->resource);
	snprintf(other->state, sizeof other->state, "rejected");
	for (unsigned i = 0; i < DB_PAGE_MAX; i++)
		assert_int_equal(db_candidate_new(r->c.db, other, &other->id), 0);
	assert_false(is_second(r, cand));
	release(r, "1.1", 4, 5, "review");
	assert_true(is_second(r, cand));
	people_free(r->c.people);
	free(other);
	free(cand);
}

/* From any version is from that one too: a URL that leaves it out is no way around. */
static void
a_delta_that_names_no_version_it_is_from_is_second_to_all(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	people_up(r);
	assert_int_equal(db_candidate_get(r->c.db, release_from(r, "1.0", "1.1", 2, 3, "review"), cand), 0);
	known_by_its_profile(r, cand);
	release_from(r, "0.9", "1.1", 4, 5, "review");
	release_from(r, "", "1.2", 6, 7, "review");
	assert_false(is_second(r, cand));
	release_from(r, "", "1.1", 8, 9, "review");
	assert_true(is_second(r, cand));
	people_free(r->c.people);
	free(cand);
}

static void
note(void *arg, const struct db_candidate *other, enum decisions_other what)
{
	static const char *const words[] = { "none", "full", "second", "seen" };
	char *got = arg;
	snprintf(got + strlen(got), 200 - strlen(got), "%llu:%s ", (unsigned long long)other->id, words[what]);
}

/* A second delta takes no signature from a full image, nor from a delta that everybody can see through. */
static void
a_full_image_is_nobodys_second(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate *cand = calloc(1, sizeof *cand), *other = calloc(1, sizeof *other);
	char got[200] = "", due[200];
	release(r, "1.1", 2, 0, "review");
	uint64_t seen = release(r, "1.1", 4, 5, "review");
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 6, 7, "review"), cand), 0);
	known_by_its_profile(r, cand);
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 8, 9, "judging"), other), 0);
	known_by_its_profile(r, other);
	release(r, "1.1", 10, 0, "review");
	release(r, "1.1", 12, 13, "rejected");
	assert_int_equal(decisions_others(&r->c, cand, note, got), 0);
	snprintf(due, sizeof due, "%llu:seen %llu:second ", (unsigned long long)seen, (unsigned long long)other->id);
	assert_string_equal(got, due);
	free(other);
	free(cand);
}

static int
setup(void **state)
{
	*state = control_rig_new();
	return 0;
}

static int
teardown(void **state)
{
	control_rig_free(*state);
	return 0;
}

/* As when too many files are open. */
static void
without_descriptors(struct rlimit *ret_was)
{
	assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_was), 0);
	struct rlimit none = *ret_was;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Nor is it "nobody brought this base", or "there is no other delta". */
static void
what_cannot_be_looked_at_now_is_not_missing(void **state)
{
	struct control_rig *r = *state;
	struct bases_list l;
	struct rlimit was;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	char got[200] = "";
	name(r, "1.0", 1, 500, 0);
	without_descriptors(&was);
	int err = bases_find(&r->c, PROFILE, PRODUCT, "1.0", "", &l);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(err, FG_EIO);
	find(r, "1.0", "", "1.0:named");
	assert_int_equal(db_candidate_get(r->c.db, release(r, "1.1", 6, 7, "review"), cand), 0);
	release(r, "1.1", 8, 9, "review");
	without_descriptors(&was);
	err = decisions_others(&r->c, cand, note, got);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(err, FG_EIO);
	free(cand);
}

/* Too many open files is not "there was nothing before": that would open a review without a comparison. */
static void
what_cannot_be_opened_now_is_not_nothing(void **state)
{
	struct control_rig *r = *state;
	struct db_candidate cand;
	struct rlimit was;
	int fd = -1;
	(void)release_from(r, "", "1.0", 1, 0, "approved");
	assert_int_equal(db_candidate_get(r->c.db, release_from(r, "", "2.0", 2, 0, "judging"), &cand), 0);
	assert_int_equal(history_image(&r->c, &cand, &fd), 0);
	assert_true(fd >= 0);
	close(fd);
	without_descriptors(&was);
	int err = history_image(&r->c, &cand, &fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(err, FG_EIO);
	assert_int_equal(fd, -1);
}

static bool
lists(struct control_rig *r, const char *args, const char *what)
{
	struct call_heard *h = call_rig_ask(&r->c, bases_answer, args);
	assert_int_equal(h->status, CALL_DONE);
	bool has = strstr(h->json, what) != NULL;
	free(h);
	return has;
}

/* An answer has room for so many releases: those of other products take none of it. */
static void
one_product_is_listed_however_many_others_there_are(void **state)
{
	struct control_rig *r = *state;
	(void)release(r, "1.1", 1, 0, "approved");
	for (uint8_t i = 2; i <= BASES_LISTED_MAX + 2; i++)
		(void)release(r, "2.0", i, 0, "approved");
	assert_int_equal(db_exec(r->c.db, "UPDATE resource SET product = 'other' WHERE target = '2.0'"), 0);
	assert_false(lists(r, "{}", "\"version\":\"1.1\""));
	assert_true(lists(r, "{\"product\":\"" PRODUCT "\"}", "\"version\":\"1.1\""));
	assert_false(lists(r, "{\"product\":\"" PRODUCT "\"}", "\"version\":\"2.0\""));
	/* And what cannot be read now is not left out of it in silence. */
	struct rlimit was;
	without_descriptors(&was);
	struct call_heard *h = call_rig_ask(&r->c, bases_answer, "{}");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(h->status, CALL_COULD_NOT);
	free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(named_and_released_the_youngest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_let_through_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_that_are_gone_are_none_and_the_list_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delta_known_by_its_profile_alone_is_no_full_image, setup, teardown),
		cmocka_unit_test_setup_teardown(an_incremental_payload_is_no_full_image, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_delta_for_a_step_is_seen_however_many_came_before, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delta_that_names_no_version_it_is_from_is_second_to_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_image_is_nobodys_second, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_now_is_not_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_looked_at_now_is_not_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(one_product_is_listed_however_many_others_there_are, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
