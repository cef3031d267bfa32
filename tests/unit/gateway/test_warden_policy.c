/* SPDX-License-Identifier: Apache-2.0 */
/* The warden and the policy that people sign: what it takes, what it releases under, at every moment a crash can choose. */
#include "gateway/warden/warden.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "crypto/enact.h"
#include "gateway/file/inforce.h"
#include "unit/gateway/warden_rig.h"

/* The rig's setup, over a genesis that says that policy is signed; with no profile in it, nothing is released. */
static int
setup_signed(void **state)
{
	int err = setup(state);
	struct fixture *f = *state;
	struct msg_policy_taken told;
	f->g->signed_policy = true;
	memset(f->g->policy.bundle, 1, DIGEST_SHA256_LEN);
	memset(f->g->policy.config, 2, DIGEST_SHA256_LEN);
	forget_set(f);
	start(f);
	struct msg_signers_taken set;
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &set);
	rig_hear(&f->rig, f->control, MSG_POLICY_TAKEN, &told);
	assert_true(told.ok);
	assert_int_equal(told.number, 0);
	struct msg_warden_state none;
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &none);
	assert_true(none.last);
	return err;
}

/* Policy 1: releases of that profile under the policy that the rig's terms name. */
static void
next_policy(struct fixture *f, struct policyset *ret)
{
	struct writer text;
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	*ret = (struct policyset){ .number = 1, .time = clocks->now, .n = 1 };
	memset(ret->bundle, 3, DIGEST_SHA256_LEN);
	memset(ret->config, 4, DIGEST_SHA256_LEN);
	assert_int_equal(digest_sha256(writer_view(&text), ret->previous), 0);
	snprintf(ret->profile[0].name, POLICYSET_NAME_MAX, "%s", "quectel");
	memcpy(ret->profile[0].sha256, f->terms.policy, DIGEST_SHA256_LEN);
	writer_free(&text);
}

static void
statement_of(const struct policyset *s, const char *origin, struct writer *text)
{
	writer_init(text, POLICYSET_BYTES_MAX);
	assert_int_equal(policyset_encode(s, origin, text), 0);
}

static void
hand_in_as(struct fixture *f, const struct policyset *s, const char *origin, const char *ns, const struct person *const *who,
    unsigned n)
{
	struct writer text, sig[4], bundle;
	struct succession_bundle b = { .n = n };
	struct msg_policy m = { .token = ++f->token };
	statement_of(s, origin, &text);
	b.text = writer_view(&text);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&sig[i], SSHSIG_ARMOR_MAX);
		people_sign(who[i], ns, b.text, &sig[i]);
		b.sig[i].armour = writer_view(&sig[i]);
	}
	writer_init(&bundle, SUCCESSION_BUNDLE_MAX);
	assert_int_equal(succession_bundle_write(&b, &bundle), 0);
	int fd = memfd_sealed("policy", writer_view(&bundle));
	assert_int_equal(msg_send(f->control, MSG_POLICY, &m, &fd, 1), 0);
	close(fd);
	writer_free(&bundle);
	for (unsigned i = 0; i < n; i++)
		writer_free(&sig[i]);
	writer_free(&text);
}

static void
hand_in(struct fixture *f, const struct policyset *s)
{
	const struct person *who[] = { &f->alice, &f->bob };
	hand_in_as(f, s, PEOPLE_ORIGIN, POLICYSET_NAMESPACE, who, 2);
}

static struct msg_policy_taken
said(struct fixture *f)
{
	struct msg_policy_taken m;
	rig_hear(&f->rig, f->control, MSG_POLICY_TAKEN, &m);
	assert_int_equal(m.token, f->token);
	return m;
}

static void
not_taken(struct fixture *f, const char *word)
{
	struct msg_policy_taken m = said(f);
	assert_false(m.ok);
	if (!strstr(m.why, word))
		fail_msg("\"%s\" does not say \"%s\"", m.why, word);
}

static void
supervisor_is_told(struct fixture *f, uint32_t number)
{
	struct msg_policy_taken m;
	rig_hear(&f->rig, f->rig.sup, MSG_POLICY_TAKEN, &m);
	assert_true(m.ok);
	assert_int_equal(m.token, 0);
	assert_int_equal(m.number, number);
}

/* Numbers of signer set and policy that control is told of at the start. */
static uint32_t
told(struct fixture *f)
{
	struct msg_signers_taken set;
	struct msg_policy_taken m;
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &set);
	rig_hear(&f->rig, f->control, MSG_POLICY_TAKEN, &m);
	assert_true(m.ok);
	return m.number;
}

static bool
is_there(struct fixture *f, const char *name)
{
	char path[96];
	snprintf(path, sizeof path, "authority/policy/%s", name);
	return access(scratch_path(&f->tmp, path), F_OK) == 0;
}

static struct inforce
memory(struct fixture *f)
{
	struct inforce in = { 0 };
	int dir = open(scratch_path(&f->tmp, "images/approved"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(inforce_read(dir, &in), FG_OK);
	close(dir);
	return in;
}

static void
put_in_force(struct fixture *f, const struct policyset *s)
{
	hand_in(f, s);
	roots(f, 0, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_AUTHORITY_POLICY);
	acknowledge(f, 0);
	assert_true(said(f).ok);
	supervisor_is_told(f, s->number);
}

/* Nothing is released under a policy that is not in force, whoever signed for it; and everything as before under one that is. */
static void
test_decides(void **state)
{
	struct fixture *f = *state;
	struct policyset *s = calloc(1, sizeof *s), *second = calloc(1, sizeof *second);
	struct writer text;
	uint8_t id[RELEASE_ID];
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "not the one that people signed");
	next_policy(f, s);
	hand_in(f, s);
	roots(f, 0, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_AUTHORITY_POLICY);
	statement_of(s, PEOPLE_ORIGIN, &text);
	assert_true(view_equal(f->append.doc, writer_view(&text)));
	assert_string_equal(f->append.obj, "policy:1");
	assert_string_equal(f->append.refs[3].key, "signed_by");
	assert_int_equal(f->append.refs[3].number, 2);
	assert_true(is_there(f, "1.pending"));
	assert_false(is_there(f, "1.json"));
	assert_int_equal(memory(f).number, 0);
	assert_true(silent(f, f->rig.sup)); /* the log first */
	acknowledge(f, 0);
	assert_true(said(f).ok);
	supervisor_is_told(f, 1);
	assert_true(is_there(f, "1.json") && is_there(f, "1.sig.1"));
	assert_false(is_there(f, "1.pending"));
	assert_int_equal(memory(f).number, 1);
	assert_memory_equal(memory(f).config, s->config, DIGEST_SHA256_LEN);
	release(f, id);
	/* The same profile under another policy, and another profile under this one. */
	f->terms.policy[0] ^= 1;
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "not the one that people signed");
	f->terms.policy[0] ^= 1;
	snprintf(f->terms.profile, sizeof f->terms.profile, "acme");
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "not the one that people signed");
	snprintf(f->terms.profile, sizeof f->terms.profile, "quectel");
	/* A policy that lets nothing pass takes its place; what was released stands, and a restart forgets none of it. */
	*second = *s;
	second->number = 2;
	second->n = 0;
	assert_int_equal(digest_sha256(writer_view(&text), second->previous), 0);
	put_in_force(f, second);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "not the one that people signed");
	start(f);
	assert_int_equal(told(f), 2);
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	struct msg_warden_state one;
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &one);
	assert_memory_equal(one.release, id, RELEASE_ID);
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &one);
	refused(f, "not the one that people signed");
	/* The first one again, as it was signed: it is over. */
	hand_in(f, s);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, "number 2");
	writer_free(&text);
	free(second);
	free(s);
}

static void
refuse_change(struct fixture *f, const struct policyset *s, const char *word)
{
	hand_in(f, s);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, word);
	assert_true(silent(f, f->audit));
	assert_int_equal(memory(f).number, 0);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	const struct person *twice[] = { &f->alice, &f->alice }, *both[] = { &f->alice, &f->bob };
	struct policyset *good = calloc(1, sizeof *good), *s = calloc(1, sizeof *s);
	struct msg_policy m = { .token = ++f->token };
	int fd = memfd_sealed("x", view_str("junk"));
	assert_int_equal(msg_send(f->control, MSG_POLICY, &m, &fd, 1), 0);
	close(fd);
	not_taken(f, "sealed");
	next_policy(f, good);
	hand_in_as(f, good, PEOPLE_ORIGIN, POLICYSET_NAMESPACE, both, 1);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, "1 of 2");
	hand_in_as(f, good, PEOPLE_ORIGIN, POLICYSET_NAMESPACE, twice, 2);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, "1 of 2");
	hand_in_as(f, good, PEOPLE_ORIGIN, APPROVAL_NAMESPACE, both, 2);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, "0 of 2");
	hand_in_as(f, good, "other.example.com/fotagate", POLICYSET_NAMESPACE, both, 2);
	roots(f, 0, MSG_LOG_OPEN_OK);
	not_taken(f, "another gateway");
	*s = *good;
	s->number = 2;
	refuse_change(f, s, "number 0");
	*s = *good;
	s->previous[7] ^= 1;
	refuse_change(f, s, "follow");
	*s = *good;
	s->signers = 1;
	refuse_change(f, s, "signer set 1");
	*s = *good;
	s->time = clocks->now + ENACT_SKEW + 1;
	refuse_change(f, s, "future");
	/* A suspended key counts for nothing. */
	struct msg_suspend suspend = { .token = 41 };
	struct msg_suspended done;
	assert_int_equal(sshkey_digest(&f->bob.key, suspend.key), 0);
	rig_say(f->control, MSG_SUSPEND, &suspend);
	rig_hear(&f->rig, f->control, MSG_SUSPENDED, &done);
	refuse_change(f, good, "1 of 2");
	free(s);
	free(good);
}

static void
test_log_refuses(void **state)
{
	struct fixture *f = *state;
	struct policyset *s = calloc(1, sizeof *s);
	next_policy(f, s);
	hand_in(f, s);
	roots(f, 0, MSG_LOG_TAMPERED);
	not_taken(f, "not in order");
	hand_in(f, s);
	roots(f, 0, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_AUTHORITY_POLICY);
	acknowledge(f, FG_EIO);
	not_taken(f, "could not write");
	assert_int_equal(memory(f).number, 0);
	free(s);
}

/* Audit's answer when it is asked for one entry: the policy, or something else. */
static void
entry(struct fixture *f, uint64_t index, enum entry_event ev, struct view doc)
{
	struct msg_proof_ask ask_;
	struct msg_proof m = { .receipt = "" };
	struct writer w;
	const char *why = "";
	struct entry e = { .seq = index, .t_us = 1767261600000000, .clk = ENTRY_CLK_FREE, .src = view_str("gw-abab/warden"),
		.ev = ev, .sev = 4, .out = view_str("ok"), .doc = doc };
	rig_hear(&f->rig, f->audit, MSG_PROOF_ASK, &ask_);
	assert_int_equal(ask_.index, index);
	writer_init(&w, ENTRY_MAX);
	if (entry_encode(&e, &w, &why))
		fail_msg("%s", why);
	m.token = ask_.token;
	m.entry = writer_view(&w);
	rig_say(f->audit, MSG_PROOF, &m);
	writer_free(&w);
}

static void
head(struct fixture *f, uint64_t size)
{
	struct msg_head_ask h;
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	struct msg_head m = { .token = h.token, .state = MSG_LOG_OPEN_OK, .size = size };
	rig_say(f->audit, MSG_HEAD, &m);
}

/* Killed after the request went to the log: the log decides, and nothing is released before it has. */
static void
crash(struct fixture *f, bool logged)
{
	struct policyset *s = calloc(1, sizeof *s);
	struct writer text;
	next_policy(f, s);
	statement_of(s, PEOPLE_ORIGIN, &text);
	hand_in(f, s);
	head(f, LOG_SIZE);
	hear_append(f, ENTRY_AUTHORITY_POLICY);
	start(f); /* kills it */
	assert_int_equal(told(f), 0);
	struct msg_warden_state none;
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &none);
	ask(f);
	head(f, LOG_SIZE + 2);
	entry(f, LOG_SIZE, ENTRY_AUTHORITY_POLICY, view_str("{\"another\":1}"));
	if (logged) {
		entry(f, LOG_SIZE + 1, ENTRY_AUTHORITY_POLICY, writer_view(&text));
		struct msg_policy_taken now;
		rig_hear(&f->rig, f->control, MSG_POLICY_TAKEN, &now);
		assert_int_equal(now.number, 1);
		supervisor_is_told(f, 1);
	} else {
		entry(f, LOG_SIZE + 1, ENTRY_SVC_EXIT, view_of(NULL, 0));
	}
	roots(f, 2, MSG_LOG_OPEN_OK);
	if (logged) {
		hear_append(f, ENTRY_RELEASE_ISSUED);
		acknowledge(f, 0);
		assert_true(answer(f).ok);
	} else {
		refused(f, "not the one that people signed");
	}
	assert_int_equal(is_there(f, "1.json"), logged);
	assert_false(is_there(f, "1.pending"));
	assert_int_equal(memory(f).number, logged);
	start(f);
	assert_int_equal(told(f), logged);
	writer_free(&text);
	free(s);
}

static void
test_crash_logged(void **state)
{
	crash(*state, true);
}

static void
test_crash_not_logged(void **state)
{
	crash(*state, false);
}

/* The process does not start; nobody is told anything. */
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
	(void)msg_send(f->rig.sup, MSG_START, NULL, NULL, 0);
	assert_int_equal(rig_wait(&f->rig), 72);
}

/* A folder that ends before the policy that was in force, or holds one that nobody signed, is not believed. */
static void
test_folder(void **state)
{
	struct fixture *f = *state;
	struct policyset *s = calloc(1, sizeof *s);
	struct writer text;
	next_policy(f, s);
	put_in_force(f, s);
	assert_int_equal(rename(scratch_path(&f->tmp, "authority/policy/1.json"), scratch_path(&f->tmp, "away")), 0);
	does_not_start(f);
	memset(s->bundle, 9, sizeof s->bundle);
	statement_of(s, PEOPLE_ORIGIN, &text);
	scratch_write(scratch_path(&f->tmp, "authority/policy/1.json"), text.p, text.n);
	does_not_start(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/policy/1.json")), 0);
	assert_int_equal(rename(scratch_path(&f->tmp, "away"), scratch_path(&f->tmp, "authority/policy/1.json")), 0);
	start(f);
	assert_int_equal(told(f), 1);
	writer_free(&text);
	free(s);
}

/* A release of the folder rests on a policy that people put in force, or is none: what a folder is without that policy. */
static void
test_stored(void **state)
{
	static const char *const gone[] = { "authority/policy/1.json", "authority/policy/1.sig.0", "authority/policy/1.sig.1",
		"images/approved/policy" };
	struct fixture *f = *state;
	struct policyset *s = calloc(1, sizeof *s);
	struct msg_warden_state one;
	uint8_t id[RELEASE_ID];
	next_policy(f, s);
	put_in_force(f, s);
	release(f, id);
	start(f);
	assert_int_equal(told(f), 1);
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &one);
	assert_memory_equal(one.release, id, RELEASE_ID);
	hang_up(f);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(unlink(scratch_path(&f->tmp, gone[i])), 0);
	start(f);
	assert_int_equal(told(f), 0);
	rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &one);
	assert_true(one.last);
	free(s);
}

/* Where genesis says nothing of it, policy is not signed, and nobody can begin to. */
static void
test_legacy(void **state)
{
	struct fixture *f = *state;
	struct policyset *s = calloc(1, sizeof *s);
	uint8_t id[RELEASE_ID];
	next_policy(f, s);
	hand_in(f, s);
	not_taken(f, "genesis does not say so");
	assert_false(is_there(f, "1.pending"));
	release(f, id);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_decides, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_log_refuses, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_crash_logged, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_crash_not_logged, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_stored, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
