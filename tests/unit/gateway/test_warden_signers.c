/* SPDX-License-Identifier: Apache-2.0 */
/* What the warden does with the next signer set, at every moment a crash can choose, and with suspended keys. */
#include "gateway/warden/warden.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "crypto/succession.h"
#include "unit/gateway/warden_rig.h"

#define KEY_RECORD 48

/* Next set: alice and bob, with carol. */
static void
next_set(struct fixture *f, const struct person *third, struct signers *ret)
{
	struct writer text;
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	people_successor(&f->g->set, writer_view(&text), clocks->now, ret);
	if (third)
		people_add(ret, third);
	writer_free(&text);
}

static void
statement_of(const struct signers *s, struct writer *text)
{
	writer_init(text, SIGNERS_SET_BYTES_MAX);
	assert_int_equal(signers_encode(s, PEOPLE_ORIGIN, text), 0);
}

static void
hand_in(struct fixture *f, const struct signers *s, const struct person *const *who, unsigned n)
{
	struct writer text, sig[4], bundle;
	struct succession_bundle b = { .n = n };
	struct msg_signers m = { .token = ++f->token };
	statement_of(s, &text);
	b.text = writer_view(&text);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&sig[i], SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, b.text, &sig[i]);
		b.sig[i].armour = writer_view(&sig[i]);
	}
	writer_init(&bundle, SUCCESSION_BUNDLE_MAX);
	assert_int_equal(succession_bundle_write(&b, &bundle), 0);
	int fd = memfd_sealed("set", writer_view(&bundle));
	assert_int_equal(msg_send(f->control, MSG_SIGNERS, &m, &fd, 1), 0);
	close(fd);
	writer_free(&bundle);
	for (unsigned i = 0; i < n; i++)
		writer_free(&sig[i]);
	writer_free(&text);
}

static struct msg_signers_taken
said(struct fixture *f)
{
	struct msg_signers_taken m;
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &m);
	assert_int_equal(m.token, f->token);
	return m;
}

static void
not_taken(struct fixture *f, const char *word)
{
	struct msg_signers_taken m = said(f);
	assert_false(m.ok);
	if (!strstr(m.why, word))
		fail_msg("\"%s\" does not say \"%s\"", m.why, word);
}

static void
head(struct fixture *f, uint64_t size)
{
	struct msg_head_ask h;
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	struct msg_head m = { .token = h.token, .state = MSG_LOG_OPEN_OK, .size = size };
	rig_say(f->audit, MSG_HEAD, &m);
}

/* Number of the set that control is told of at the start. */
static uint32_t
told(struct fixture *f)
{
	struct msg_signers_taken m;
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &m);
	assert_int_equal(m.token, 0);
	assert_true(m.ok);
	return m.number;
}

static bool
is_there(struct fixture *f, const char *name)
{
	char path[96];
	snprintf(path, sizeof path, "authority/signers/%s", name);
	return access(scratch_path(&f->tmp, path), F_OK) == 0;
}

/* Up to the moment at which audit was asked to write. */
static void
up_to_log(struct fixture *f, const struct signers *s)
{
	const struct person *who[] = { &f->alice, &f->bob };
	hand_in(f, s, who, 2);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	assert_true(is_there(f, "1.pending"));
	assert_false(is_there(f, "1.json"));
	assert_true(silent(f, f->control));
}

/* Audit's answer when it is asked for one entry: the set, or something else. */
static void
entry(struct fixture *f, uint64_t index, enum entry_event ev, struct view doc)
{
	struct msg_proof_ask ask;
	struct msg_proof m = { .receipt = "" };
	struct writer w;
	const char *why = "";
	struct entry e = { .seq = index, .t_us = 1767261600000000, .clk = ENTRY_CLK_FREE, .src = view_str("gw-abab/warden"),
		.ev = ev, .sev = 4, .out = view_str("ok"), .doc = doc };
	rig_hear(&f->rig, f->audit, MSG_PROOF_ASK, &ask);
	assert_int_equal(ask.index, index);
	writer_init(&w, ENTRY_MAX);
	if (entry_encode(&e, &w, &why))
		fail_msg("%s", why);
	m.token = ask.token;
	m.entry = writer_view(&w);
	rig_say(f->audit, MSG_PROOF, &m);
	writer_free(&w);
}

static void
test_taken(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3), mallory = people_make("bob@example.com", 66);
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	char path[96], obj[32] = "signers:1";
	next_set(f, &carol, s);
	const struct person *who[] = { &f->alice, &mallory, &f->bob, &carol };
	hand_in(f, s, who, 2);
	head(f, LOG_SIZE);
	not_taken(f, "1 of 2");
	hand_in(f, s, who, 4);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	statement_of(s, &text);
	assert_true(view_equal(f->append.doc, writer_view(&text)));
	assert_string_equal(f->append.obj, obj);
	assert_string_equal(f->append.refs[0].key, "number");
	assert_int_equal(f->append.refs[0].number, 1);
	assert_string_equal(f->append.refs[2].key, "signed_by");
	assert_int_equal(f->append.refs[2].number, 2);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	assert_true(is_there(f, "1.json"));
	assert_false(is_there(f, "1.pending"));
	/* Three signatures count and are kept, and the stranger's is not. */
	assert_true(is_there(f, "1.sig.2"));
	assert_false(is_there(f, "1.sig.3"));
	size_t n;
	snprintf(path, sizeof path, "authority/signers/1.json");
	uint8_t *kept = scratch_read(scratch_path(&f->tmp, path), &n);
	assert_true(view_equal(view_of(kept, n), writer_view(&text)));
	free(kept);
	/* The same once more follows nothing; at the next start it is still in force. */
	hand_in(f, s, who, 4);
	head(f, LOG_SIZE + 1);
	not_taken(f, "number 1");
	start(f);
	assert_int_equal(told(f), 1);
	writer_free(&text);
	free(s);
}

/* Who may release is decided by the set in force, and what was released stays. */
static void
test_decides(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3), fresh = people_make("bob@example.com", 22);
	struct signers *s = calloc(1, sizeof *s);
	uint8_t id[RELEASE_ID];
	release(f, id);
	next_set(f, &carol, s);
	s->signer[1].key = fresh.key; /* bob has a new key */
	hand_in(f, s, (const struct person *const[]){ &f->alice, &f->bob, &carol, &fresh }, 4);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	assert_true(silent(f, f->edge[0])); /* nothing is withdrawn */
	ask(f); /* alice, and bob with the key of old */
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	const struct person *now[] = { &carol, &fresh };
	ask_with(f, quarantine(f), statements(f, &f->terms, now, 2));
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	start(f);
	assert_int_equal(listed(f), 2);
	free(s);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct msg_signers m = { .token = ++f->token };
	int fd = memfd_sealed("x", view_str("junk"));
	assert_int_equal(msg_send(f->control, MSG_SIGNERS, &m, &fd, 1), 0);
	close(fd);
	not_taken(f, "sealed");
	next_set(f, NULL, s);
	s->n = 1;
	s->threshold = 1;
	hand_in(f, s, who, 2);
	head(f, LOG_SIZE);
	not_taken(f, "genesis");
	next_set(f, &carol, s);
	s->time = NOW - SUCCESSION_WINDOW - 1;
	s->time = s->time < PEOPLE_T0 ? PEOPLE_T0 : s->time;
	int64_t late = s->time + SUCCESSION_WINDOW + 1 - clocks->now;
	pass(late);
	hand_in(f, s, who, 2);
	head(f, LOG_SIZE);
	not_taken(f, "72 hours");
	pass(-late);
	/* It cannot be written down: nothing goes to the log. */
	next_set(f, &carol, s);
	assert_int_equal(symlink("/nowhere", scratch_path(&f->tmp, "authority/signers")), 0);
	hand_in(f, s, who, 2);
	head(f, LOG_SIZE);
	not_taken(f, "written down");
	assert_true(silent(f, f->audit));
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/signers")), 0);
	/* The log is not in order. */
	hand_in(f, s, who, 2);
	roots(f, 0, MSG_LOG_TAMPERED);
	not_taken(f, "not in order");
	free(s);
}

/* Killed after the request went to the log: it is in there, so it holds, whatever else stands before and after it. */
static void
test_crash_logged(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	next_set(f, &carol, s);
	statement_of(s, &text);
	up_to_log(f, s);
	start(f); /* kills it */
	assert_int_equal(told(f), 0);
	/* Nothing is permitted before that is settled. */
	ask(f);
	head(f, LOG_SIZE + 3);
	entry(f, LOG_SIZE, ENTRY_SVC_EXIT, view_of(NULL, 0));
	entry(f, LOG_SIZE + 1, ENTRY_AUTHORITY_SIGNERS, view_str("{\"another\":1}"));
	entry(f, LOG_SIZE + 2, ENTRY_AUTHORITY_SIGNERS, writer_view(&text));
	struct msg_warden_state none;
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &none);
	assert_int_equal(told(f), 1);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	assert_true(is_there(f, "1.json"));
	assert_false(is_there(f, "1.pending"));
	start(f);
	assert_int_equal(told(f), 1);
	writer_free(&text);
	free(s);
}

static void
test_crash_not_logged(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	next_set(f, &carol, s);
	up_to_log(f, s);
	start(f);
	assert_int_equal(listed(f), 0);
	/* Audit is not in order, then in order: only then is it known. */
	roots(f, 0, MSG_LOG_FAILED);
	ask(f);
	refused(f, "not known yet");
	mono_passes(f, 2);
	head(f, LOG_SIZE + 1);
	entry(f, LOG_SIZE, ENTRY_SVC_EXIT, view_of(NULL, 0));
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	struct msg_issued first = answer(f);
	assert_true(first.ok);
	edge_has(f, 0, first.release);
	edge_has(f, 1, first.release);
	assert_false(is_there(f, "1.pending"));
	/* It may be handed in again; what was said before it was written and is said again holds under the set of then. */
	up_to_log(f, s);
	struct msg_suspend m = { .token = 41, .again = true, .at = s->time - 1 };
	struct msg_suspended done;
	sshkey_digest(&f->bob.key, m.key);
	rig_say(f->control, MSG_SUSPEND, &m);
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &done);
	assert_int_equal(done.err, 0);
	assert_int_equal(done.number, 0);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	clocks->now++;
	uint8_t id[RELEASE_ID];
	release(f, id);
	free(s);
}

/* A log that cannot be read through: the next try goes on where this one ended, and a stop does not wait for it. */
static void
test_scan_goes_on(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct msg_proof_ask ask;
	next_set(f, &carol, s);
	up_to_log(f, s);
	start(f);
	assert_int_equal(listed(f), 0);
	head(f, LOG_SIZE + 9);
	entry(f, LOG_SIZE, ENTRY_SVC_EXIT, view_of(NULL, 0));
	entry(f, LOG_SIZE + 1, ENTRY_SVC_EXIT, view_of(NULL, 0));
	rig_hear(&f->rig, f->audit, MSG_PROOF_ASK, &ask);
	assert_int_equal(ask.index, LOG_SIZE + 2);
	rig_say(f->audit, MSG_PROOF, &(struct msg_proof){ .token = ask.token, .err = FG_EIO, .receipt = "" });
	mono_passes(f, 2);
	head(f, LOG_SIZE + 9);
	entry(f, LOG_SIZE + 2, ENTRY_SVC_EXIT, view_of(NULL, 0));
	rig_say(f->rig.sup, MSG_STOP, &(struct msg_stop){ 0 });
	/* Its channel may be read before or after the next entry. */
	while (rig_frame(&f->rig, f->audit)) {
		assert_int_equal(f->rig.frame.type, MSG_PROOF_ASK);
		assert_int_equal(msg_decode(&f->rig.frame, &ask, sizeof ask), 0);
		assert_true(ask.index < LOG_SIZE + 8);
		rig_say(f->audit, MSG_PROOF, &(struct msg_proof){ .token = ask.token, .receipt = "", .entry = view_str("x") });
	}
	assert_int_equal(rig_wait(&f->rig), 0);
	free(s);
}

/* No log is as long as that: audit is taken over, and hears so. */
static void
test_a_log_too_long(void **state)
{
	struct fixture *f = *state;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = f->append.token, .index = UINT64_MAX });
	assert_false(rig_frame(&f->rig, f->audit)); /* closed */
	assert_false(answer(f).ok);
	cut(&f->audit);
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	struct msg_head_ask h;
	ask(f);
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	rig_say(f->audit, MSG_HEAD, &(struct msg_head){ .token = h.token, .state = MSG_LOG_OPEN_OK, .size = UINT64_MAX });
	assert_false(answer(f).ok);
}

/* Between the log's word and the last name: each of the names missing. */
static void
test_crash_half_named(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	size_t n;
	next_set(f, &carol, s);
	statement_of(s, &text);
	up_to_log(f, s);
	uint8_t *pending = scratch_read(scratch_path(&f->tmp, "authority/signers/1.pending"), &n);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	static const char *const gone[] = { "1.json", "1.sig.0", "1.sig.1" };
	for (unsigned i = 1; i <= 3; i++) {
		hang_up(f);
		for (unsigned k = 0; k < i; k++) {
			char path[96];
			snprintf(path, sizeof path, "authority/signers/%s", gone[k]);
			assert_int_equal(unlink(scratch_path(&f->tmp, path)), 0);
		}
		scratch_write(scratch_path(&f->tmp, "authority/signers/1.pending"), pending, n);
		start(f);
		assert_int_equal(listed(f), 0);
		head(f, LOG_SIZE + 1);
		entry(f, LOG_SIZE, ENTRY_AUTHORITY_SIGNERS, writer_view(&text));
		assert_int_equal(told(f), 1);
		for (unsigned k = 0; k < 3; k++)
			assert_true(is_there(f, gone[k]));
		assert_false(is_there(f, "1.pending"));
	}
	/* All names are there and only the pending file was not removed. */
	hang_up(f);
	scratch_write(scratch_path(&f->tmp, "authority/signers/1.pending"), pending, n);
	start(f);
	assert_int_equal(told(f), 1);
	assert_false(is_there(f, "1.pending"));
	/* A pending file that nobody signed, or that is none, is no way in. */
	hang_up(f);
	scratch_write(scratch_path(&f->tmp, "authority/signers/2.pending"), pending, n);
	start(f);
	assert_int_equal(listed(f), 0);
	uint8_t id[RELEASE_ID];
	release(f, id);
	assert_false(is_there(f, "2.pending"));
	hang_up(f);
	scratch_write(scratch_path(&f->tmp, "authority/signers/2.pending"), pending, 7);
	start(f);
	assert_int_equal(listed(f), 1);
	edge_has(f, 0, id);
	edge_has(f, 1, id);
	clocks->now++;
	release(f, id);
	assert_false(is_there(f, "2.pending"));
	free(pending);
	writer_free(&text);
	free(s);
}

/* Audit is slow, gone, or could not write: the log decides, and until it has nothing is permitted. */
static void
test_audit(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	next_set(f, &carol, s);
	statement_of(s, &text);
	/* Silent: while its answer may still come, nobody knows. */
	up_to_log(f, s);
	mono_passes(f, 11);
	not_taken(f, "in time");
	mono_passes(f, 11);
	ask(f);
	refused(f, "not known yet");
	assert_true(silent(f, f->audit));
	acknowledge(f, FG_EIO);
	head(f, LOG_SIZE); /* it was not written */
	up_to_log(f, s);
	/* It fails: perhaps after the write. */
	acknowledge(f, FG_EIO);
	not_taken(f, "could not write");
	mono_passes(f, 2);
	head(f, LOG_SIZE);
	/* It answers for an entry that was there before: its word is not taken, the log itself is read. */
	mono_passes(f, 2);
	hand_in(f, s, (const struct person *const[]){ &f->alice, &f->bob }, 2);
	head(f, LOG_SIZE + 1);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	acknowledge(f, 0);
	not_taken(f, "older entry");
	mono_passes(f, 2);
	head(f, LOG_SIZE + 1);
	/* Gone, and the next one has it. */
	up_to_log(f, s);
	cut(&f->audit);
	not_taken(f, "went away");
	ask(f);
	refused(f, "not known yet");
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	mono_passes(f, 2);
	head(f, LOG_SIZE + 1);
	entry(f, LOG_SIZE, ENTRY_AUTHORITY_SIGNERS, writer_view(&text));
	assert_int_equal(told(f), 1);
	writer_free(&text);
	free(s);
}

/* The log has it, but its names cannot be made: it is in force, and nothing else is permitted until they are. */
static void
test_disk_full(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	next_set(f, &carol, s);
	up_to_log(f, s);
	char from[300], to[300];
	snprintf(from, sizeof from, "%s", scratch_path(&f->tmp, "authority/signers"));
	snprintf(to, sizeof to, "%s", scratch_path(&f->tmp, "authority/away"));
	assert_int_equal(rename(from, to), 0);
	scratch_write(from, "x", 1);
	acknowledge(f, 0);
	struct msg_signers_taken m = said(f);
	assert_true(m.ok);
	assert_int_equal(m.number, 1);
	assert_non_null(strstr(m.why, "written down"));
	ask(f);
	refused(f, "not known yet");
	assert_int_equal(unlink(from), 0);
	assert_int_equal(rename(to, from), 0);
	mono_passes(f, 2);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	assert_true(is_there(f, "1.json"));
	start(f);
	assert_int_equal(told(f), 1);
	free(s);
}

/* Up to where it ends for want of the authority it had. */
static void
does_not_start(struct fixture *f)
{
	struct msg_boot boot = { .role = MSG_ROLE_WARDEN, .unsafe_sandbox = true, .edges = 2 };
	const struct person *who[] = { &f->alice, &f->bob };
	struct writer text, sig;
	hang_up(f);
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", f->tmp.dir);
	rig_start(&f->rig, run, NULL);
	rig_say(f->rig.sup, MSG_BOOT, &boot);
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	rig_give(&f->rig, MSG_FD_GENESIS, writer_view(&text));
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		rig_give(&f->rig, MSG_FD_GENESIS_SIG, writer_view(&sig));
		writer_free(&sig);
	}
	writer_free(&text);
	rig_say(f->rig.sup, MSG_START, NULL);
	assert_int_equal(rig_wait(&f->rig), 72);
}

/* That set in the folder, signed by alice and bob, with no word of the log. */
static void
write_set(struct fixture *f, const struct signers *s)
{
	const struct person *who[] = { &f->alice, &f->bob };
	struct writer text, sig;
	char name[64];
	statement_of(s, &text);
	close(scratch_dir(&f->tmp, "authority/signers"));
	snprintf(name, sizeof name, "authority/signers/%u.json", s->number);
	unlink(scratch_path(&f->tmp, name));
	scratch_write(scratch_path(&f->tmp, name), text.p, text.n);
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		snprintf(name, sizeof name, "authority/signers/%u.sig.%u", s->number, i);
		unlink(scratch_path(&f->tmp, name));
		scratch_write(scratch_path(&f->tmp, name), sig.p, sig.n);
		writer_free(&sig);
	}
	writer_free(&text);
}

/* The folder is held against the set that was put in force last: shorter, longer and other do not start. */
static void
test_folder_changed(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3), mallory = people_make("mallory@example.com", 66);
	struct signers *s = calloc(1, sizeof *s), *other = calloc(1, sizeof *other);
	const char *set = "authority/signers/1.json", *kept = "images/approved/signers";
	/* Signed by enough of genesis, but never in the log. */
	next_set(f, &mallory, other);
	write_set(f, other);
	does_not_start(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, set)), 0);
	start(f);
	assert_int_equal(listed(f), 0);
	next_set(f, &carol, s);
	up_to_log(f, s);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	assert_int_equal(unlink(scratch_path(&f->tmp, set)), 0);
	does_not_start(f);
	write_set(f, other);
	does_not_start(f);
	/* What is kept of it in shreds is no first start. */
	write_set(f, s);
	start(f);
	assert_int_equal(told(f), 1);
	assert_int_equal(truncate(scratch_path(&f->tmp, kept), 35), 0);
	does_not_start(f);
	assert_int_equal(truncate(scratch_path(&f->tmp, kept), 36), 0);
	does_not_start(f);
	free(other);
	free(s);
}

/* In force here, its names missing, and the log set back to before it: that is not a set that never was. */
static void
test_log_without_the_set(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	size_t n;
	next_set(f, &carol, s);
	up_to_log(f, s);
	uint8_t *pending = scratch_read(scratch_path(&f->tmp, "authority/signers/1.pending"), &n);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	hang_up(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/signers/1.json")), 0);
	scratch_write(scratch_path(&f->tmp, "authority/signers/1.pending"), pending, n);
	start(f);
	assert_int_equal(listed(f), 0);
	head(f, LOG_SIZE);
	ask(f);
	refused(f, "not known yet");
	assert_true(is_there(f, "1.pending"));
	free(pending);
	free(s);
}

/* ---- suspended keys ---- */

static int
suspend_at(struct fixture *f, const struct person *p, bool again, uint32_t number, int64_t at)
{
	struct msg_suspend m = { .token = 41, .again = again, .number = number, .at = at };
	struct msg_suspended done;
	sshkey_digest(&p->key, m.key);
	rig_say(f->control, MSG_SUSPEND, &m);
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &done);
	assert_int_equal(done.token, 41);
	assert_memory_equal(done.key, m.key, sizeof m.key);
	return done.err;
}

static int
suspend(struct fixture *f, const struct person *p, bool again, uint32_t number)
{
	return suspend_at(f, p, again, number, 0);
}

/*
 * Spoken while the warden was away, with a set that lists the key in the log but not in force: written before the
 * word, it has not decided about it. The word may come before or after the set; a set written after it is another matter.
 */
static void
test_suspend_while_away(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	next_set(f, &carol, s);
	statement_of(s, &text);
	for (unsigned row = 0; row < 2; row++) {
		up_to_log(f, s);
		start(f);
		assert_int_equal(listed(f), 0);
		if (row == 0)
			assert_int_equal(suspend_at(f, &f->bob, true, 0, s->time), 0);
		head(f, LOG_SIZE + 1);
		entry(f, LOG_SIZE, ENTRY_AUTHORITY_SIGNERS, writer_view(&text));
		assert_int_equal(told(f), 1);
		if (row == 1) {
			assert_int_equal(suspend_at(f, &f->bob, true, 0, s->time - 1), FG_ESTATE);
			assert_int_equal(suspend_at(f, &f->bob, true, 0, s->time), 0);
		}
		clocks->now++;
		ask(f);
		roots(f, 2, MSG_LOG_OPEN_OK);
		refused(f, "1 of 2");
		/* Who asks whether it was heard is told of it, at the next start too. */
		start(f);
		struct msg_suspended one;
		assert_int_equal(told(f), 1);
		rig_hear(&f->rig, f->control, MSG_SUSPENDED, &one);
		assert_int_equal(one.at, s->time);
		ask(f);
		roots(f, 2, MSG_LOG_OPEN_OK);
		struct msg_warden_state none;
		rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &none);
		refused(f, "1 of 2");
		if (row == 0) { /* all of it once more, the other way round */
			teardown(state);
			setup(state);
			f = *state;
			next_set(f, &carol, s);
		}
	}
	/* No clock of control's makes it later than now: a set written later brings the key back. */
	struct signers *second = calloc(1, sizeof *second);
	assert_int_equal(suspend_at(f, &carol, true, 1, INT64_MAX), 0);
	clocks->now++;
	people_successor(s, writer_view(&text), clocks->now, second);
	hand_in(f, second, (const struct person *const[]){ &f->alice, &f->bob }, 2);
	head(f, LOG_SIZE + 1);
	not_taken(f, "1 of 2"); /* not "suspended after" */
	writer_free(&text);
	free(second);
	free(s);
}

static void
test_suspend(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s);
	struct msg_signers_taken set;
	struct msg_suspended one;
	uint8_t id[RELEASE_ID];
	release(f, id);
	next_set(f, &carol, s); /* lists bob; written before */
	assert_int_equal(suspend(f, &carol, false, 0), FG_ENOTFOUND);
	/* With audit gone, too. */
	cut(&f->audit);
	assert_int_equal(suspend(f, &f->bob, false, 0), 0);
	assert_true(silent(f, f->edge[0])); /* what is released stays */
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	clocks->now++;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	/* And it stays so over a restart, of which control is told. */
	start(f);
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &set);
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &one);
	assert_int_equal(one.token, 0);
	assert_int_equal(one.at, NOW);
	edge_has(f, 0, id);
	edge_has(f, 1, id);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	struct msg_warden_state listing;
	do
		rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &listing);
	while (!listing.last);
	refused(f, "1 of 2");
	/* Said twice it is one record. */
	struct stat st;
	assert_int_equal(suspend(f, &f->bob, true, 0), 0);
	assert_int_equal(stat(scratch_path(&f->tmp, "images/approved/suspended"), &st), 0);
	assert_int_equal(st.st_size, KEY_RECORD);
	/* A set that was signed before cannot bring it back, nor can his own voice. */
	hand_in(f, s, (const struct person *const[]){ &f->alice, &f->bob, &carol }, 3);
	head(f, LOG_SIZE);
	not_taken(f, "suspended after");
	next_set(f, &carol, s);
	hand_in(f, s, (const struct person *const[]){ &f->alice, &f->bob, &carol }, 3);
	head(f, LOG_SIZE);
	not_taken(f, "1 of 2");
	free(s);
}

/* Three persons, two needed: one key is suspended, and two others bring it back. */
static void
test_restore(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s), *second = calloc(1, sizeof *second);
	struct writer text;
	next_set(f, &carol, s);
	up_to_log(f, s);
	/* Suspended while the set that lists him is on its way: it stays so under that set. */
	assert_int_equal(suspend(f, &f->bob, false, 0), 0);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	clocks->now++;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	statement_of(s, &text);
	people_successor(s, writer_view(&text), clocks->now, second);
	hand_in(f, second, (const struct person *const[]){ &f->alice, &f->bob }, 2);
	head(f, LOG_SIZE + 1);
	not_taken(f, "1 of 2");
	hand_in(f, second, (const struct person *const[]){ &f->alice, &carol }, 2);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	uint8_t id[RELEASE_ID];
	release(f, id);
	/* What control remembers of before is over; spoken anew it holds again. */
	assert_int_equal(suspend(f, &f->bob, true, 1), FG_ESTATE);
	clocks->now++;
	release(f, id);
	assert_int_equal(suspend(f, &f->bob, true, 2), 0);
	clocks->now++;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	writer_free(&text);
	free(second);
	free(s);
}

/* A set that is to bring the key back is being signed, and somebody says no once more: it stays out. */
static void
test_suspended_again(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	struct signers *s = calloc(1, sizeof *s), *second = calloc(1, sizeof *second);
	struct writer text;
	next_set(f, &carol, s);
	up_to_log(f, s);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	clocks->now++;
	assert_int_equal(suspend(f, &f->bob, false, 1), 0);
	clocks->now += 10;
	statement_of(s, &text);
	people_successor(s, writer_view(&text), clocks->now, second);
	clocks->now += 10;
	assert_int_equal(suspend(f, &f->bob, false, 1), 0);
	hand_in(f, second, (const struct person *const[]){ &f->alice, &carol }, 2);
	head(f, LOG_SIZE);
	not_taken(f, "suspended after");
	clocks->now++;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	/* One that was written since then does bring it back. */
	people_successor(s, writer_view(&text), clocks->now, second);
	hand_in(f, second, (const struct person *const[]){ &f->alice, &carol }, 2);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_SIGNERS);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	clocks->now++;
	uint8_t id[RELEASE_ID];
	release(f, id);
	writer_free(&text);
	free(second);
	free(s);
}

/* It takes the ground from under a release that waits for the log. */
static void
test_suspend_during_issue(void **state)
{
	struct fixture *f = *state;
	struct msg_suspend m = { .token = 41 };
	struct msg_suspended done;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	sshkey_digest(&f->alice.key, m.key);
	rig_say(f->control, MSG_SUSPEND, &m);
	refused(f, "suspended meanwhile");
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &done);
	assert_int_equal(done.err, 0);
	struct msg_append issued = f->append;
	hear_append(f, ENTRY_RELEASE_REFUSED);
	assert_string_equal(f->append.obj, issued.obj);
	f->append = issued;
	acknowledge(f, 0);
	assert_true(silent(f, f->edge[0]));
}

/* It holds although it cannot be written down, and is written once it can. */
static void
test_suspend_unwritten(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[300];
	snprintf(path, sizeof path, "%s", scratch_path(&f->tmp, "images/approved/suspended"));
	/* A start with a torn record cuts it off. */
	hang_up(f);
	scratch_write(path, "torn", 4);
	start(f);
	assert_int_equal(listed(f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	struct rlimit none = { 0, 0 }, old;
	assert_int_equal(prlimit(f->rig.pid, RLIMIT_FSIZE, NULL, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(prlimit(f->rig.pid, RLIMIT_FSIZE, &none, NULL), 0);
	assert_int_equal(suspend(f, &f->bob, false, 0), FG_EIO);
	ask(f);
	assert_int_equal(prlimit(f->rig.pid, RLIMIT_FSIZE, &old, NULL), 0);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	assert_int_equal(suspend(f, &f->bob, true, 0), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, KEY_RECORD);
}

/* A key that has run out counts for nothing, from that second on and without anybody doing anything. */
static void
test_expired(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	f->g->set.signer[1].valid_before = NOW + 100;
	forget_set(f);
	start(f);
	assert_int_equal(listed(f), 0);
	clocks->now = NOW + 99;
	release(f, id);
	clocks->now = NOW + 100;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "1 of 2");
	assert_true(silent(f, f->edge[0])); /* what was released stays */
	start(f);
	assert_int_equal(listed(f), 1);
}

/* Alice, and a person with a security key whose flags are said. */
static int
touched(struct fixture *f, const struct person *sk, uint8_t flags)
{
	const struct person *who[] = { &f->alice, sk };
	struct writer bundle, text, sig;
	char why[160];
	writer_init(&bundle, 1 << 20);
	writer_u32(&bundle, 2);
	for (unsigned i = 0; i < 2; i++) {
		f->nonce++;
		struct approval *a = people_statement(who[i], &f->terms, clocks->now - 30, f->nonce, 500u + f->nonce, root);
		writer_init(&text, APPROVAL_BYTES_MAX);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		assert_int_equal(approval_encode(a, &text, why, sizeof why), 0);
		people_sign_with(who[i], APPROVAL_NAMESPACE, writer_view(&text), flags, &sig);
		writer_blob(&bundle, writer_view(&text));
		writer_blob(&bundle, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(a);
	}
	int fd = memfd_sealed("bundle", writer_view(&bundle));
	writer_free(&bundle);
	return fd;
}

/* A set that asks a security key for its owner's PIN takes no bare touch, in releases as in its successor. */
static void
test_user_verification(void **state)
{
	struct fixture *f = *state;
	struct person sven = people_sk("sven@example.com", 4);
	struct signers *s = calloc(1, sizeof *s);
	next_set(f, &sven, s);
	s->signer[2].require_uv = true;
	up_to_log(f, s);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	static const uint8_t not_enough[] = { 0x00, 0x01, 0x04 };
	for (unsigned i = 0; i < sizeof not_enough; i++) {
		ask_with(f, quarantine(f), touched(f, &sven, not_enough[i]));
		roots(f, 2, MSG_LOG_OPEN_OK);
		refused(f, "1 of 2");
	}
	ask_with(f, quarantine(f), touched(f, &sven, 0x05));
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	free(s);
}

int
main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_logged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_not_logged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scan_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_log_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_half_named, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_without_the_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspend_while_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspended_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspend_during_issue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspend_unwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_verification, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
