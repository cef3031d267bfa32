/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/warden.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/witness.h"
#include "gateway/warden/spent.h"
#include "unit/crypto/small_log.h"
#include "unit/gateway/warden_rig.h"

/* ---- tests ---- */

static void
test_issue(void **state)
{
	struct fixture *f = *state;
	uint8_t own[RELEASE_ID];
	char obj[64] = "release:";
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	/* Nothing takes effect before audit's word. */
	assert_true(silent(f, f->edge[0]));
	assert_true(silent(f, f->control));
	release_id(f->append.doc, own);
	hex_encode(own, RELEASE_ID, obj + 8);
	assert_string_equal(f->append.obj, obj);
	assert_true(f->append.token != 0);
	acknowledge(f, 0);
	struct msg_issued m = answer(f);
	assert_true(m.ok);
	assert_int_equal(m.counted, 2);
	assert_int_equal(m.needed, 2);
	assert_memory_equal(m.release, own, RELEASE_ID);
	assert_true(view_equal(m.record, f->append.doc));
	edge_has(f, 0, own);
	edge_has(f, 1, own);
	/* An edge that comes back is told again; control, too. */
	cut(&f->edge[1]);
	f->edge[1] = rig_peer(&f->rig, MSG_ROLE_EDGE, 1);
	edge_has(f, 1, own);
	cut(&f->control);
	f->control = rig_peer(&f->rig, MSG_ROLE_CONTROL, 0);
	assert_int_equal(listed(f), 1);
	rig_say(f->rig.sup, MSG_STOP, &(struct msg_stop){ .grace_ms = 5 });
	assert_int_equal(rig_wait(&f->rig), 0);
}

static void
test_refusals(void **state)
{
	struct fixture *f = *state;
	const struct person *one[] = { &f->alice }, *twice[] = { &f->alice, &f->alice };
	ask_with(f, quarantine(f), statements(f, &f->terms, one, 1));
	roots(f, 1, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	ask_with(f, quarantine(f), statements(f, &f->terms, twice, 2));
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "signed twice");
	/* Bytes that are not those signed for, under the right name. */
	f->image[100] ^= 1;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "not those that were signed for");
	f->image[100] ^= 1;
	/* A descriptor that is none to read an image from. */
	ask_with(f, open("/dev/null", O_RDONLY | O_CLOEXEC), both(f));
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "no regular file");
	ask_with(f, open(scratch_path(&f->tmp, "quarantined"), O_WRONLY | O_CLOEXEC), both(f));
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "could not be copied");
	/* Bundles that are not sealed, or are no bundle. */
	ask_with(f, quarantine(f), quarantine(f));
	refused(f, "sealed bundle");
	ask_with(f, quarantine(f), memfd_sealed("x", view_str("\0\0\0\1junk")));
	refused(f, "sealed bundle");
	struct writer w;
	writer_init(&w, 100);
	writer_u32(&w, 1);
	writer_cstr(&w, "{}");
	writer_cstr(&w, "sig");
	ask_with(f, quarantine(f), memfd_sealed("x", writer_view(&w)));
	refused(f, "statement");
	writer_free(&w);
	assert_true(silent(f, f->edge[0]));
	/* No trace is left. */
	DIR *d = opendir(scratch_path(&f->tmp, "images/approved"));
	for (struct dirent *e; (e = readdir(d));)
		assert_true(e->d_name[0] == '.' || !strcmp(e->d_name, "restrictions") ||
		    !strcmp(e->d_name, "suspended") || !strcmp(e->d_name, "clock") ||
		    !strcmp(e->d_name, "signers") || !strcmp(e->d_name, "standing"));
	closedir(d);
	uint8_t id[RELEASE_ID];
	release(f, id); /* and it still works */
}

static void
test_audit(void **state)
{
	struct fixture *f = *state;
	struct msg_head_ask h;
	struct msg_root_ask r;
	ask(f);
	roots(f, 2, MSG_LOG_TAMPERED);
	refused(f, "not in order");
	/* A root that is not the one the approver saw, and a size beyond the log. */
	ask(f);
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	for (unsigned i = 0; i < 2; i++) {
		rig_hear(&f->rig, f->audit, MSG_ROOT_ASK, &r);
		struct msg_root m = { .token = r.token, .size = r.size, .err = i ? FG_ENOTFOUND : 0 };
		memset(m.root, 1, 32);
		rig_say(f->audit, MSG_ROOT, &m);
		rig_say(f->audit, MSG_ROOT, &m); /* told twice counts once */
	}
	struct msg_head m = { .token = h.token, .state = MSG_LOG_OPEN_OK, .size = LOG_SIZE };
	rig_say(f->audit, MSG_HEAD, &m);
	refused(f, "not in our log");
	/* It could not write. */
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
	/* It says nothing: the wall clock may jump as it likes, ten real seconds are the limit. */
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	clocks->now += 250; /* short of a step, which would be an affair of its own */
	assert_true(silent(f, f->control));
	clocks->now -= 500;
	mono_passes(f, 11);
	refused(f, "in time");
	clocks->now = NOW;
	/* What may be in the log already is taken back there, and a late answer changes nothing. */
	struct msg_append late = f->append;
	hear_append(f, ENTRY_RELEASE_REFUSED);
	assert_string_equal(f->append.obj, late.obj);
	assert_int_equal(f->append.token, 0);
	f->append = late;
	acknowledge(f, 0);
	assert_true(silent(f, f->edge[0]));
	assert_true(silent(f, f->control));
	/* Answers for the job before do not count for the one now. */
	ask(f);
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	for (unsigned i = 0; i < 2; i++)
		rig_hear(&f->rig, f->audit, MSG_ROOT_ASK, &r);
	mono_passes(f, 11);
	refused(f, "in time");
	ask(f);
	m.token = h.token;
	rig_say(f->audit, MSG_HEAD, &m);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	/* Gone in the middle, then replaced in the middle. */
	cut(&f->audit);
	refused(f, "went away");
	ask(f);
	refused(f, "away");
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	ask(f);
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	int old = f->audit;
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	refused(f, "went away");
	close(old);
	uint8_t id[RELEASE_ID];
	release(f, id);
}

/* Control holds the file open and scribbles while the warden copies: the signed bytes, or nothing. */
static void
test_source_changes(void **state)
{
	struct fixture *f = *state;
	free(f->image);
	f->image_n = 30u << 20;
	f->image = malloc(f->image_n);
	for (size_t i = 0; i < f->image_n; i++)
		f->image[i] = (uint8_t)(i >> 12);
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	unsigned released = 0, refusals = 0;
	struct msg_clock told; /* once, and out of the way of poll below */
	rig_say(f->audit, MSG_HEAD, &(struct msg_head){ .state = MSG_LOG_OPEN_OK });
	rig_hear(&f->rig, f->audit, MSG_CLOCK, &told);
	rig_hear(&f->rig, f->control, MSG_CLOCK, &told);
	for (unsigned round = 0; round < 6; round++) {
		int image = quarantine(f), mine = dup(image);
		ask_with(f, image, both(f));
		roots(f, 2, MSG_LOG_OPEN_OK);
		for (unsigned i = 0; round && i < 40u * round; i++)
			assert_int_equal(pwrite(mine, "?", 1, (off_t)((i * 7919u * 4096u) % f->image_n)), 1);
		close(mine);
		struct pollfd p[2] = { { .fd = f->audit, .events = POLLIN }, { .fd = f->control, .events = POLLIN } };
		assert_true(poll(p, 2, RIG_PATIENCE_MS) >= 1);
		if (p[1].revents) {
			refused(f, "not those that were signed for");
			refusals++;
			continue;
		}
		hear_append(f, ENTRY_RELEASE_ISSUED);
		acknowledge(f, 0);
		assert_true(answer(f).ok);
		released++;
		for (unsigned e = 0; e < 2; e++) {
			struct msg_release m;
			uint8_t *back = malloc(f->image_n);
			rig_hear(&f->rig, f->edge[e], MSG_RELEASE, &m);
			assert_int_equal(pread(f->rig.frame.fds[0], back, f->image_n, 0), f->image_n);
			assert_memory_equal(back, f->image, f->image_n);
			wire_close_fds(&f->rig.frame);
			free(back);
		}
	}
	assert_true(released >= 1); /* the round in which nobody scribbled */
	assert_int_equal(released + refusals, 6);
}

static void
restrict_image(struct fixture *f, const uint8_t *release, uint64_t log_size, unsigned withdrawn)
{
	struct msg_restrict m = { .token = 77, .kind = MSG_RESTRICT_REVOKE, .log_size = log_size };
	struct msg_restricted done;
	memcpy(m.image, f->terms.image, 32);
	if (release)
		memcpy(m.release, release, MSG_ID);
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	assert_int_equal(done.token, 77);
	assert_int_equal(done.err, 0);
	assert_int_equal(done.withdrawn, withdrawn);
}

static void
withdrawn(struct fixture *f, const uint8_t id[RELEASE_ID])
{
	for (unsigned i = 0; i < 2; i++) {
		struct msg_withdraw m;
		rig_hear(&f->rig, f->edge[i], MSG_WITHDRAW, &m);
		assert_memory_equal(m.release, id, RELEASE_ID);
	}
}

static void
test_restrict(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	release(f, id);
	int bundle = both(f), again = dup(bundle); /* signed before the revocation, kept for later */
	restrict_image(f, NULL, 0, 1); /* control says the log was empty: the warden knows better */
	withdrawn(f, id);
	ask_with(f, quarantine(f), bundle);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "latest restriction");
	start(f);
	assert_int_equal(listed(f), 0);
	ask_with(f, quarantine(f), again);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "latest restriction");
	/* Statements that have seen it may permit again. */
	const struct person *who[] = { &f->alice, &f->bob };
	struct writer w, text, sig;
	char why[160];
	writer_init(&w, 1 << 20);
	writer_u32(&w, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct approval *a = people_statement(who[i], &f->terms, NOW, (uint8_t)(0xe0 + i), LOG_SIZE + 2, root);
		writer_init(&text, APPROVAL_BYTES_MAX);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		assert_int_equal(approval_encode(a, &text, why, sizeof why), 0);
		people_sign(who[i], APPROVAL_NAMESPACE, writer_view(&text), &sig);
		writer_blob(&w, writer_view(&text));
		writer_blob(&w, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(a);
	}
	ask_with(f, quarantine(f), memfd_sealed("x", writer_view(&w)));
	writer_free(&w);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
}

/* Said again it is the word of then: told that it was forgotten, and not against what people decided since. */
static void
test_restrict_again(void **state)
{
	struct fixture *f = *state;
	struct msg_restrict m = { .token = 5, .kind = MSG_RESTRICT_REVOKE, .again = true };
	struct msg_restricted done;
	uint8_t id[RELEASE_ID];
	release(f, id);
	memcpy(m.image, f->terms.image, 32);
	const struct { uint64_t log_size; bool lost; unsigned withdrawn; } row[] = {
		{ LOG_SIZE - 1, true, 0 },
		{ LOG_SIZE - 1, false, 0 },
		{ LOG_SIZE - 2, false, 0 },
		{ LOG_SIZE, true, 1 },
		{ LOG_SIZE, false, 0 },
	};
	for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
		m.log_size = row[i].log_size;
		rig_say(f->control, MSG_RESTRICT, &m);
		rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
		if (done.err || done.lost != row[i].lost || done.withdrawn != row[i].withdrawn)
			fail_msg("row %u: err %d, lost %d, withdrawn %u", i, (int)done.err, done.lost, done.withdrawn);
	}
	withdrawn(f, id);
	start(f);
	assert_int_equal(listed(f), 0);
	/* A release of its own keeps one word, every release another. */
	m.release[0] = 1;
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	assert_false(done.lost);
}

static void
test_restrict_during_issue(void **state)
{
	struct fixture *f = *state;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	struct msg_append issued = f->append;
	struct msg_restrict m = { .token = 5, .kind = MSG_RESTRICT_REJECT, .log_size = 900 };
	struct msg_restricted done;
	memcpy(m.image, f->terms.image, 32);
	rig_say(f->control, MSG_RESTRICT, &m);
	refused(f, "restricted meanwhile");
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	hear_append(f, ENTRY_RELEASE_REFUSED);
	assert_string_equal(f->append.obj, issued.obj);
	f->append = issued;
	acknowledge(f, 0);
	assert_true(silent(f, f->edge[0]));
	/* Waiting for the log's states it is the same. */
	f->terms.image[0] ^= 1;
	struct msg_head_ask h;
	ask(f);
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	memcpy(m.image, f->terms.image, 32);
	rig_say(f->control, MSG_RESTRICT, &m);
	refused(f, "restricted meanwhile");
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	start(f);
	assert_int_equal(listed(f), 0);
}

/* One release restricted by its name leaves the others of the image. */
static void
test_restrict_one(void **state)
{
	struct fixture *f = *state;
	uint8_t first[RELEASE_ID], second[RELEASE_ID];
	release(f, first);
	clocks->now++;
	release(f, second);
	assert_memory_not_equal(first, second, RELEASE_ID);
	restrict_image(f, first, LOG_SIZE, 1);
	withdrawn(f, first);
	restrict_image(f, first, LOG_SIZE, 0);
	assert_true(silent(f, f->edge[0]));
	start(f);
	assert_int_equal(listed(f), 1);
	edge_has(f, 0, second);
}

static void
test_statement_counts_once(void **state)
{
	struct fixture *f = *state;
	int bundle = both(f), again = dup(bundle);
	ask_with(f, quarantine(f), bundle);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	clocks->now += 5;
	ask_with(f, quarantine(f), dup(again));
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "used");
	start(f);
	assert_int_equal(listed(f), 1);
	ask_with(f, quarantine(f), again);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "used");
}

/* One place is left, and two statements would be used: one that is forgotten would open a second scope. */
static void
test_no_place_for_what_is_used(void **state)
{
	struct fixture *f = *state;
	const size_t record = DIGEST_SHA256_LEN + RELEASE_ID;
	uint8_t *all = calloc(SPENT_MAX - 1, record);
	hang_up(f);
	for (uint32_t i = 0; i < SPENT_MAX - 1; i++)
		memcpy(all + i * record, &i, sizeof i);
	scratch_write(scratch_path(&f->tmp, "images/approved/standing"), all, (SPENT_MAX - 1) * record);
	free(all);
	start(f);
	assert_int_equal(listed(f), 0);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "more statements were used");
}

static void
stored(const struct fixture *f, const uint8_t id[RELEASE_ID], const char *suffix, char *dst, size_t cap)
{
	char hex[2 * RELEASE_ID + 1];
	hex_encode(id, RELEASE_ID, hex);
	snprintf(dst, cap, "%s/images/approved/%s.%s", f->tmp.dir, hex, suffix);
}

static void
test_restart(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	char path[3][300], hex[DIGEST_HEX_LEN + 1];
	release(f, id);
	stored(f, id, "json", path[0], sizeof path[0]);
	stored(f, id, "signed", path[1], sizeof path[1]);
	hex_encode(f->terms.image, 32, hex);
	snprintf(path[2], sizeof path[2], "%s/images/approved/%s.img", f->tmp.dir, hex);
	start(f);
	assert_int_equal(listed(f), 1);
	edge_has(f, 0, id);
	edge_has(f, 1, id);
	/* One bit anywhere in what it keeps: not served. */
	for (unsigned i = 0; i < 3; i++) {
		static const off_t at[] = { 20, 300, 900 };
		for (unsigned k = 0; k < 3; k++) {
			assert_int_equal(chmod(path[i], 0644), 0);
			assert_true(scratch_flip(path[i], at[k], 1));
			start(f);
			assert_int_equal(listed(f), 0);
			assert_true(silent(f, f->edge[0]));
			assert_true(scratch_flip(path[i], at[k], 1));
		}
	}
	/* Bytes added to the image, the statements gone, the image gone. */
	assert_int_equal(truncate(path[2], IMAGE + 1), 0);
	start(f);
	assert_int_equal(listed(f), 0);
	assert_int_equal(truncate(path[2], IMAGE), 0);
	start(f);
	assert_int_equal(listed(f), 1);
	for (unsigned i = 1; i < 3; i++) {
		char away[320];
		snprintf(away, sizeof away, "%s.away", path[i]);
		assert_int_equal(rename(path[i], away), 0);
		start(f);
		assert_int_equal(listed(f), 0);
		assert_int_equal(rename(away, path[i]), 0);
	}
	start(f);
	assert_int_equal(listed(f), 1);
	/* Run out: withdrawn while it runs, and gone at the next start. */
	pass(f->terms.not_after - clocks->now);
	heard(f);
	edge_has(f, 0, id);
	edge_has(f, 1, id);
	withdrawn(f, id);
	start(f);
	assert_int_equal(listed(f), 0);
	assert_int_equal(access(path[0], F_OK), -1);
	assert_int_equal(access(path[2], F_OK), -1);
}

/* A record in the vault that names other statements than those that carry it, though each part is well-formed. */
static void
test_forged_record(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID], other[RELEASE_ID];
	char path[2][300], forged[2][300], why[160];
	struct release *r = calloc(1, sizeof *r);
	release(f, id);
	stored(f, id, "json", path[0], sizeof path[0]);
	stored(f, id, "signed", path[1], sizeof path[1]);
	size_t n, m;
	uint8_t *text = scratch_read(path[0], &n), *bundle = scratch_read(path[1], &m);
	assert_int_equal(unlink(path[0]), 0);
	for (unsigned what = 0; what < 6; what++) {
		struct writer w;
		assert_int_equal(release_parse(view_of(text, n), r, why, sizeof why), 0);
		if (what == 0)
			r->terms.max_devices = 5000;
		else if (what == 1)
			r->terms.not_after += PEOPLE_DAY;
		else if (what == 2)
			r->quorum = 1; /* below the floor: judged by it all the same */
		else if (what == 3)
			r->statement[0].key[0] ^= 1;
		else if (what == 4)
			r->issued = r->terms.not_after - 1; /* statements would be days old */
		else
			approval_list_add(&r->terms.groups, "*");
		writer_init(&w, RELEASE_RECORD_MAX);
		assert_int_equal(release_encode(r, &w), 0);
		release_id(writer_view(&w), other);
		stored(f, other, "json", forged[0], sizeof forged[0]);
		stored(f, other, "signed", forged[1], sizeof forged[1]);
		scratch_write(forged[0], w.p, w.n);
		scratch_write(forged[1], bundle, m);
		writer_free(&w);
		start(f);
		if (what == 2) {
			/* Two did sign; the record only understates what was needed. */
			assert_int_equal(listed(f), 1);
		} else {
			assert_int_equal(listed(f), 0);
		}
		assert_int_equal(unlink(forged[0]), 0);
		assert_int_equal(unlink(forged[1]), 0);
	}
	free(text);
	free(bundle);
	free(r);
}

static void
test_resume(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct approval_terms t = { .decision = APPROVAL_RESUME, .halted_at = NOW - 500 };
	struct msg_resume m = { .token = 3, .halted_at = NOW - 500, .now = NOW };
	struct msg_resumed done;
	struct msg_unhalt un;
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	int fd = statements(f, &t, who, 1);
	assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
	close(fd);
	roots(f, 1, MSG_LOG_OPEN_OK);
	rig_hear(&f->rig, f->control, MSG_RESUMED, &done);
	assert_false(done.ok);
	/* Of another halt. */
	fd = statements(f, &t, who, 2);
	m.halted_at++;
	assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
	roots(f, 2, MSG_LOG_OPEN_OK);
	rig_hear(&f->rig, f->control, MSG_RESUMED, &done);
	assert_false(done.ok);
	m.halted_at--;
	assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
	close(fd);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_true(silent(f, f->rig.sup));
	acknowledge(f, 0);
	rig_hear(&f->rig, f->rig.sup, MSG_UNHALT, &un);
	assert_int_equal(un.at, NOW - 500); /* that halt and no later one */
	rig_hear(&f->rig, f->control, MSG_RESUMED, &done);
	assert_true(done.ok);
	assert_int_equal(done.token, 3);
}

/* The terms of a release in force that stopped at that time. */
static struct approval_terms
going(const uint8_t id[RELEASE_ID], uint32_t modules)
{
	struct approval_terms t = { .decision = APPROVAL_CONTINUE, .step = APPROVAL_STEP_RESUME, .halted_at = NOW - 500,
		.have_plan = true, .plan = { 9 }, .max_devices = modules, .ring = "half" };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	memcpy(t.release, id, RELEASE_ID);
	assert_int_equal(approval_list_add(&t.over, "canary: 3 failed, 0 silent"), 0);
	return t;
}

/* Asked to let it go on as m says, with n statements over t; what it says before the log has anything. */
static void
ask_going(struct fixture *f, const struct approval_terms *t, const struct msg_continue *m, unsigned n)
{
	const struct person *who[] = { &f->alice, &f->bob };
	int fd = statements(f, t, who, n);
	assert_int_equal(msg_send(f->control, MSG_CONTINUE, m, &fd, 1), 0);
	close(fd);
	roots(f, n, MSG_LOG_OPEN_OK);
}

static void
test_rollout_goes_on(void **state)
{
	struct fixture *f = *state;
	struct msg_continue m = { .token = 3, .step = APPROVAL_STEP_RESUME, .ring = "half", .since = NOW - 500, .over_n = 1 };
	struct msg_continued done;
	snprintf(m.over[0].text, sizeof m.over[0].text, "canary: 3 failed, 0 silent");
	f->terms.have_plan = true;
	f->terms.plan[0] = 9;
	release(f, m.release);
	const struct approval_terms t = going(m.release, f->terms.max_devices);
	for (unsigned i = 0; i < 8; i++) {
		struct msg_continue other = m;
		struct approval_terms says = t;
		f->seen = i < 7 ? LOG_SIZE : 0; /* at the end: before the release was */
		switch (i) {
		case 0: /* one person, where two are asked for */
			break;
		case 1:
			other.since++;
			break;
		case 2:
			other.step = APPROVAL_STEP_UNHOLD;
			break;
		case 3:
			snprintf(other.ring, sizeof other.ring, "rest");
			break;
		case 4:
			other.over_n = 0;
			break;
		case 5: /* not in force */
			other.release[0] ^= 1;
			says.release[0] ^= 1;
			break;
		case 6: /* another plan than was signed with it */
			says.plan[0] = 8;
			break;
		default:
			break;
		}
		ask_going(f, &says, &other, i ? 2 : 1);
		rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
		assert_false(done.ok);
		assert_int_equal(done.token, 3);
	}
	f->seen = LOG_SIZE;
	ask_going(f, &t, &m, 2);
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	assert_true(silent(f, f->control));
	assert_non_null(strstr(f->append.msg, "over canary: 3 failed, 0 silent"));
	assert_int_equal(f->append.refs_n, 6);
	assert_string_equal(f->append.refs[2].key, "step");
	assert_string_equal(f->append.refs[2].text, "resume");
	assert_string_equal(f->append.refs[5].key, "statement.1");
	acknowledge(f, 0);
	rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
	assert_true(done.ok);
	/* Once, also after a start. */
	for (unsigned i = 0; i < 2; i++) {
		f->nonce -= 2; /* the same statements */
		ask_going(f, &t, &m, 2);
		rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
		assert_false(done.ok);
		assert_non_null(strstr(done.why, "before"));
		start(f);
		assert_int_equal(listed(f), 1);
	}
	/* The log did not take it: nothing goes on. */
	ask_going(f, &t, &m, 2);
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	acknowledge(f, FG_EIO);
	rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
	assert_false(done.ok);
	/* It may have taken it: the log is told that it had no effect. */
	ask_going(f, &t, &m, 2);
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	mono_passes(f, 11);
	rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
	assert_false(done.ok);
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	assert_string_equal(f->append.out, "denied");
	assert_string_equal(f->append.act, "warden");
	assert_int_equal(f->append.refs_n, 3);
	assert_string_equal(f->append.refs[0].key, "since");
	assert_int_equal(f->append.refs[0].number, NOW - 500);
	assert_string_equal(f->append.refs[1].text, "resume");
	assert_string_equal(f->append.refs[2].text, "half");
	/* Taken back while its entry was written: likewise. */
	struct msg_restrict gone = { .token = 9, .kind = MSG_RESTRICT_REVOKE, .log_size = LOG_SIZE };
	struct msg_restricted said;
	ask_going(f, &t, &m, 2);
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	memcpy(gone.image, f->terms.image, sizeof gone.image);
	rig_say(f->control, MSG_RESTRICT, &gone);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &said);
	assert_int_equal(said.withdrawn, 1);
	acknowledge(f, 0);
	rig_hear(&f->rig, f->control, MSG_CONTINUED, &done);
	assert_false(done.ok);
	assert_non_null(strstr(done.why, "taken back"));
	hear_append(f, ENTRY_ROLLOUT_RESUMED);
	assert_string_equal(f->append.out, "denied");
}

/* The log has it, or will, and the halt stands: it is told so until it has that as well. */
static void
test_resume_without_effect(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct approval_terms t = { .decision = APPROVAL_RESUME, .halted_at = NOW - 500 };
	struct msg_resume m = { .token = 3, .halted_at = NOW - 500, .now = NOW };
	struct msg_suspend suspend = { .token = 41 };
	struct msg_resumed done;
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	for (unsigned row = 0; row < 4; row++) {
		int fd = statements(f, &t, who, 2);
		assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
		close(fd);
		roots(f, 2, MSG_LOG_OPEN_OK);
		hear_append(f, ENTRY_RESTRICT_RESUME);
		assert_string_equal(f->append.out, "ok");
		assert_string_equal(f->append.refs[1].key, "halted_at");
		assert_int_equal(f->append.refs[1].number, NOW - 500);
		if (row == 0) {
			answer_time_passes(f);
		} else if (row == 1) {
			acknowledge(f, FG_EIO);
		} else if (row == 2) { /* with it goes what it was told, and the next one is not ready at once */
			cut(&f->audit);
			heard(f);
			f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
		} else {
			sshkey_digest(&f->bob.key, suspend.key);
			rig_say(f->control, MSG_SUSPEND, &suspend);
		}
		rig_hear(&f->rig, f->control, MSG_RESUMED, &done);
		assert_false(done.ok);
		if (row == 2)
			answer_time_passes(f);
		hear_append(f, ENTRY_RESTRICT_RESUME);
		assert_string_equal(f->append.out, "denied");
		assert_string_equal(f->append.obj, "halt");
		assert_int_equal(f->append.refs[1].number, NOW - 500);
		acknowledge(f, FG_EIO);
		answer_time_passes(f);
		hear_append(f, ENTRY_RESTRICT_RESUME);
		assert_string_equal(f->append.out, "denied");
		acknowledge(f, 0);
		answer_time_passes(f);
		assert_true(silent(f, f->audit));
		assert_true(silent(f, f->rig.sup));
	}
}

/* Requests queue; one too many is told so, and each of the others gets its answer in turn. */
static void
test_queue(void **state)
{
	struct fixture *f = *state;
	const struct person *one[] = { &f->alice };
	struct msg_issued m;
	f->image_n = 10;
	for (unsigned i = 0; i < 18; i++)
		ask_with(f, quarantine(f), statements(f, &f->terms, one, 1));
	/* The first is being worked on and waits for audit, sixteen wait behind it. */
	rig_hear(&f->rig, f->control, MSG_ISSUED, &m);
	assert_int_equal(m.token, 18);
	assert_false(m.ok);
	for (unsigned i = 1; i < 18; i++) {
		roots(f, 1, MSG_LOG_OPEN_OK);
		rig_hear(&f->rig, f->control, MSG_ISSUED, &m);
		assert_int_equal(m.token, i);
		assert_false(m.ok);
	}
}

/* What a peer may not say ends its channel and nothing else; what the supervisor may not ends the process. */
static void
test_contract(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	rig_say(f->edge[0], MSG_RESTRICT, &(struct msg_restrict){ .token = 1 });
	assert_false(rig_frame(&f->rig, f->edge[0]));
	rig_say(f->audit, MSG_UNHALT, &(struct msg_unhalt){ .at = 1 });
	assert_false(rig_frame(&f->rig, f->audit));
	cut(&f->audit);
	cut(&f->edge[0]);
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	f->edge[0] = rig_peer(&f->rig, MSG_ROLE_EDGE, 0);
	release(f, id);
	rig_say(f->edge[0], MSG_RELEASE_TAKEN, &(struct msg_release_taken){ .err = FG_EPEER });
	rig_say(f->control, MSG_UNHALT, &(struct msg_unhalt){ .at = 1 });
	assert_false(rig_frame(&f->rig, f->control));
	rig_say(f->rig.sup, MSG_READY, &(struct msg_ready){ .netns = true });
	assert_int_equal(rig_wait(&f->rig), 70);
	start(f);
	assert_int_equal(listed(f), 1);
	rig_give(&f->rig, MSG_FD_GENESIS, view_str("{}")); /* after the jail */
	assert_int_equal(rig_wait(&f->rig), 70);
}

static void
test_no_authority(void **state)
{
	struct fixture *f = *state;
	struct msg_boot boot = { .role = MSG_ROLE_WARDEN, .unsafe_sandbox = true, .edges = 2 };
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", f->tmp.dir);
	hang_up(f);
	rig_start(&f->rig, run, NULL);
	rig_say(f->rig.sup, MSG_BOOT, &boot);
	rig_say(f->rig.sup, MSG_START, NULL);
	assert_int_equal(rig_wait(&f->rig), 72); /* no genesis */
	hang_up(f);
	rig_start(&f->rig, run, NULL);
	rig_say(f->rig.sup, MSG_BOOT, &boot);
	struct writer text;
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	rig_give(&f->rig, MSG_FD_GENESIS, writer_view(&text)); /* signed by nobody */
	writer_free(&text);
	rig_say(f->rig.sup, MSG_START, NULL);
	assert_int_equal(rig_wait(&f->rig), 72);
}

/* A log that is shorter than what was vouched for gets nothing, in whatever state it says it is. */
static void
test_a_log_that_was_longer(void **state)
{
	struct fixture *f = *state;
	struct small_log log = small_log_new();
	struct writer note, body;
	struct merkle_proof none = { .n = 0 };
	struct msg_cosigned m;
	log.key = people_log_key();
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&body, MSG_COSIGN_MAX);
	small_log_checkpoint(&log, LOG_SIZE + 1, &note);
	assert_int_equal(witness_request_write(0, &none, writer_view(&note), &body), 0);
	struct msg_cosign_ask show = { .token = 9, .request = writer_view(&body) };
	rig_say(f->audit, MSG_COSIGN_ASK, &show);
	rig_hear(&f->rig, f->audit, MSG_COSIGNED, &m);
	assert_true(m.token == 9 && m.err == 0 && m.outcome == WITNESS_COSIGN);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "shorter than a checkpoint");
	start(f);
	assert_int_equal(listed(f), 0);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "shorter than a checkpoint");
	writer_free(&note);
	writer_free(&body);
	merkle_free(log.m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_issue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_log_that_was_longer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restrict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restrict_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restrict_during_issue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restrict_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_statement_counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_place_for_what_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume_without_effect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rollout_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contract, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_authority, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
