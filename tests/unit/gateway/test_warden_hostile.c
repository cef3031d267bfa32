/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control that is not ours any more, and an audit, against the real warden:
 * whatever they say, bytes come out only for a quorum. Each test begins with
 * the honest form of what it tries (setup releases once), so that a refusal is
 * for the reason it names.
 */
#include "gateway/warden/warden.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/crypto/token.h"
#include "unit/gateway/warden_rig.h"

/* ---- statements as somebody hostile would bundle them ---- */

struct vote {
	struct approval *says;
	const struct person *signs;
	void (*edit)(struct writer *text); /* what is done to the bytes before they are signed; NULL: nothing */
	const char *ns;                    /* NULL: that of approvals */
	const struct token *passkey;       /* in place of the person's key */
};

/* What that person honestly says now; a nonce and a log state of its own. */
static struct vote
vote(struct fixture *f, const struct person *who)
{
	f->nonce++;
	return (struct vote){ people_statement(who, &f->terms, clocks->now - 30, f->nonce, 500u + f->nonce, root), who, NULL,
		NULL, NULL };
}

/* Bytes of a bundle; the statements are freed. */
static void
bundle_bytes(struct vote *v, unsigned n, struct writer *w)
{
	struct writer text, sig;
	char why[160];
	writer_init(w, 1 << 20);
	writer_u32(w, n);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&text, APPROVAL_BYTES_MAX + 64);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		if (approval_encode(v[i].says, &text, why, sizeof why))
			fail_msg("%s", why);
		if (v[i].edit)
			v[i].edit(&text);
		if (v[i].passkey)
			token_passkey(v[i].passkey, writer_view(&text), &sig);
		else
			people_sign(v[i].signs, v[i].ns ? v[i].ns : APPROVAL_NAMESPACE, writer_view(&text), &sig);
		writer_blob(w, writer_view(&text));
		writer_blob(w, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(v[i].says);
	}
}

static int
bundle(struct vote *v, unsigned n)
{
	struct writer w;
	bundle_bytes(v, n, &w);
	int fd = memfd_sealed("bundle", writer_view(&w));
	assert_true(fd >= 0);
	writer_free(&w);
	return fd;
}

/* Asks with them; audit answers as it should. */
static void
ask_votes(struct fixture *f, struct vote *v, unsigned n)
{
	ask_with(f, quarantine(f), bundle(v, n));
	roots(f, n, MSG_LOG_OPEN_OK);
}

/* The request last asked is permitted and takes effect. */
static void
permitted(struct fixture *f, uint8_t id[RELEASE_ID])
{
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	struct msg_issued m = answer(f);
	if (!m.ok)
		fail_msg("refused: %s", m.why);
	memcpy(id, m.release, RELEASE_ID);
	for (unsigned e = 0; e < 2; e++) {
		struct msg_release r;
		rig_hear(&f->rig, f->edge[e], MSG_RELEASE, &r);
		assert_memory_equal(r.release, id, RELEASE_ID);
		wire_close_fds(&f->rig.frame);
	}
}

/* No edge has heard of anything. */
static void
nothing_came_out(struct fixture *f)
{
	assert_true(silent(f, f->edge[0]));
	assert_true(silent(f, f->edge[1]));
}

static int
hostile_setup(void **state)
{
	setup(state);
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	permitted(f, id);
	return 0;
}

/* ---- who signed ---- */

static void
test_k_minus_1(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->bob) };
	ask_votes(f, v, 1);
	refused(f, "1 of 2 persons");
	nothing_came_out(f);
}

static void
test_same_key_twice(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->alice) };
	ask_votes(f, v, 2);
	refused(f, "1 of 2 persons have signed; one person signed twice");
	nothing_came_out(f);
}

static void
test_same_statement_twice(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->alice) };
	*v[1].says = *v[0].says;
	ask_votes(f, v, 2);
	refused(f, "nonce was used before");
}

static void
test_one_person_with_two_keys(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	struct person second = people_make(f->alice.name, 9);
	people_add(&f->g->set, &second);
	forget_set(f);
	start(f);
	assert_int_equal(listed(f), 1);
	/* That key of hers is good. */
	struct vote good[] = { vote(f, &second), vote(f, &f->bob) };
	ask_votes(f, good, 2);
	for (unsigned e = 0; e < 2; e++) { /* told of the first at the start */
		struct msg_release r;
		rig_hear(&f->rig, f->edge[e], MSG_RELEASE, &r);
		wire_close_fds(&f->rig.frame);
	}
	permitted(f, id);
	struct vote v[] = { vote(f, &f->alice), vote(f, &second) };
	ask_votes(f, v, 2);
	refused(f, "1 of 2 persons have signed; one person signed twice");
}

static void
test_in_the_name_of_another(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[1].signs = &f->alice; /* bob's words, alice's key */
	ask_votes(f, v, 2);
	refused(f, "not a good one by a current key of the approver it names");
}

static void
test_key_of_nobody(void **state)
{
	struct fixture *f = *state;
	struct person mallory = people_make("mallory@example.com", 66), as_bob = people_make(f->bob.name, 66);
	struct vote v[] = { vote(f, &f->alice), vote(f, &mallory), vote(f, &as_bob) };
	ask_votes(f, v, 3);
	refused(f, "1 of 2 persons have signed; signature is not a good one");
}

static void
test_signature_for_another_purpose(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[1].ns = SIGNERS_NAMESPACE;
	ask_votes(f, v, 2);
	refused(f, "not a good one");
}

/* A third person whose key is good, too early, run out. */
static void
test_expired_and_early_key(void **state)
{
	static const struct {
		int64_t after, before;
		bool good;
	} lives[] = { { NOW - 10, NOW + 10, true }, { NOW - PEOPLE_DAY, NOW - 1, false }, { NOW + 5, NOW + PEOPLE_DAY, false } };
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	people_add(&f->g->set, &carol);
	for (unsigned i = 0; i < 3; i++) {
		f->g->set.signer[2].valid_after = lives[i].after;
		f->g->set.signer[2].valid_before = lives[i].before;
		forget_set(f);
		start(f);
		assert_int_equal(listed(f), 1); /* under another genesis what carol signed does not hold */
		struct vote v[] = { vote(f, &f->alice), vote(f, &carol) };
		ask_votes(f, v, 2);
		if (!lives[i].good) {
			refused(f, "not a good one by a current key");
			continue;
		}
		hear_append(f, ENTRY_RELEASE_ISSUED);
		acknowledge(f, 0);
		assert_true(answer(f).ok);
	}
}

/* Set 1 below authority/, which names previous and is signed by those. */
static void
write_set(struct fixture *f, const struct signers *s, const struct person *const *who, unsigned n)
{
	char name[64];
	struct writer text, sig;
	close(scratch_dir(&f->tmp, "authority/signers"));
	writer_init(&text, SIGNERS_SET_BYTES_MAX);
	assert_int_equal(signers_encode(s, PEOPLE_ORIGIN, &text), 0);
	snprintf(name, sizeof name, "authority/signers/%u.json", s->number);
	scratch_write(scratch_path(&f->tmp, name), text.p, text.n);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		snprintf(name, sizeof name, "authority/signers/%u.sig.%u", s->number, i);
		scratch_write(scratch_path(&f->tmp, name), sig.p, sig.n);
		writer_free(&sig);
	}
	writer_free(&text);
}

static void
genesis_digest(struct fixture *f, uint8_t digest[32])
{
	struct writer text;
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	digest_sha256(writer_view(&text), digest);
	writer_free(&text);
}

static void
test_revoked_key(void **state)
{
	struct fixture *f = *state;
	struct person carol = people_make("carol@example.com", 3);
	const struct person *both_of[] = { &f->alice, &f->bob };
	struct signers *next = calloc(1, sizeof *next);
	/* While all three are in the set, two of them are enough. */
	people_add(&f->g->set, &carol);
	forget_set(f);
	start(f);
	assert_int_equal(listed(f), 1);
	struct vote good[] = { vote(f, &f->alice), vote(f, &carol) };
	ask_votes(f, good, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	next->number = 1;
	next->threshold = 2;
	next->time = NOW - 100;
	genesis_digest(f, next->previous);
	people_add(next, &f->alice);
	people_add(next, &f->bob);
	write_set(f, next, both_of, 2);
	forget_set(f);
	start(f);
	assert_int_equal(listed(f), 2); /* what stands was signed when she was still there */
	struct vote v[] = { vote(f, &f->alice), vote(f, &carol) };
	ask_votes(f, v, 2);
	refused(f, "1 of 2 persons have signed; signature is not a good one by a current key");
	free(next);
}

static void
test_wildcard_principal(void **state)
{
	struct fixture *f = *state;
	struct person any = people_make("*@example.com", 7);
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	snprintf(v[1].says->approver, sizeof v[1].says->approver, "*");
	char why[160] = "";
	ask_votes(f, v, 2);
	refused(f, "not a good one by a current key of the approver it names");
	/* Nor can a set say it. */
	struct genesis *g = calloc(1, sizeof *g);
	*g = *f->g;
	people_add(&g->set, &any);
	struct writer text;
	writer_init(&text, GENESIS_BYTES_MAX);
	int err = genesis_encode(g, &text);
	if (!err)
		err = genesis_parse(writer_view(&text), g, why, sizeof why);
	assert_int_not_equal(err, 0);
	writer_free(&text);
	free(g);
}

/* ---- what was signed ---- */

static void
twice_the_key(struct writer *text)
{
	/* {"_type": ... becomes {"_type":"x","_type": ... */
	char *copy = malloc(text->n + 32);
	int n = snprintf(copy, text->n + 32, "{\"_type\":\"x\",%.*s", (int)text->n - 1, (const char *)text->p + 1);
	writer_reset(text);
	writer_bytes(text, view_of(copy, (size_t)n));
	free(copy);
}

static void
with_a_space(struct writer *text)
{
	writer_text(text, " ");
}

static void
with_a_field(struct writer *text)
{
	char *copy = malloc(text->n + 64);
	int n = snprintf(copy, text->n + 64, "%.*s,\"zz\":1}", (int)text->n - 1, (const char *)text->p);
	writer_reset(text);
	writer_bytes(text, view_of(copy, (size_t)n));
	free(copy);
}

static void
test_duplicate_json_keys(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[1].edit = twice_the_key;
	ask_with(f, quarantine(f), bundle(v, 2));
	refused(f, "statement");
	nothing_came_out(f);
}

static void
test_not_canonical(void **state)
{
	struct fixture *f = *state;
	void (*const edits[])(struct writer *) = { with_a_space, with_a_field };
	for (unsigned i = 0; i < 2; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		v[0].edit = edits[i];
		ask_with(f, quarantine(f), bundle(v, 2));
		refused(f, "statement");
	}
}

/* Each term in turn: signed for one thing, asked for another. */
static void
test_asked_for_more_than_was_signed(void **state)
{
	static const char *const what[] = { "gateway", "review", "image", "report", "policy", "from", "groups", "findings",
		"number", "begins", "ends", "product", "target", "profile", "resource", "checklist", "waived", "subject" };
	struct fixture *f = *state;
	approval_list_add(&f->terms.checklist, "boots on the bench");
	approval_list_add(&f->terms.waived, "URL-NEW 0123456789abcdef0123456789abcdef");
	for (unsigned i = 0; i < sizeof what / sizeof what[0]; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		for (unsigned k = 0; k < 2; k++) {
			struct approval_terms *t = &v[k].says->terms;
			switch (i) {
			case 0: snprintf(t->gateway, sizeof t->gateway, "other.example.com/fotagate"); break;
			case 1: snprintf(t->review, sizeof t->review, "R-8"); break;
			case 2: t->image[0] ^= 1; break;
			case 3: t->report[31] ^= 1; break;
			case 4: t->policy[0] ^= 1; break;
			case 5: approval_list_add(&t->from_versions, "EC25EFAR06A06M4G"); break;
			case 6: t->groups.n = 0; approval_list_add(&t->groups, "bench"); break;
			case 7: approval_list_add(&t->findings, "VERSION-DOWNGRADE"); break;
			case 8: t->max_devices--; break;
			case 9: t->not_before++; break;
			case 10: t->not_after--; break;
			case 11: snprintf(t->product, sizeof t->product, "EC20"); break;
			case 12: snprintf(t->target, sizeof t->target, "EC25EFAR06A09M4G"); break;
			case 13: snprintf(t->profile, sizeof t->profile, "telit"); break;
			case 14: t->resource[15] ^= 1; break;
			case 15: t->checklist.n = 0; break;
			case 16: t->waived.n = 0; break;
			default: snprintf(t->subject, sizeof t->subject, "quectel/EC25/A->B/other.bin"); break;
			}
		}
		ask_votes(f, v, 2);
		struct msg_issued m = answer(f);
		if (m.ok || !strstr(m.why, "is about something else"))
			fail_msg("%s: %s", what[i], m.ok ? "permitted" : m.why);
	}
	nothing_came_out(f);
}

/* Alice signs for ten modules, bob for fifty: nobody signed for either twice. */
static void
test_two_halves_of_two_scopes(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[0].says->terms.max_devices = 10;
	ask_votes(f, v, 2);
	refused(f, "1 of 2 persons have signed; statement of alice@example.com is about something else");
}

static void
test_resume_is_no_approval(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	for (unsigned k = 0; k < 2; k++) {
		v[k].says->terms = (struct approval_terms){ .decision = APPROVAL_RESUME, .halted_at = NOW - 50 };
		snprintf(v[k].says->terms.gateway, sizeof v[k].says->terms.gateway, "%s", PEOPLE_ORIGIN);
	}
	ask_votes(f, v, 2);
	refused(f, "is about something else");
}

/* ---- when ---- */

static void
test_stale_log_state(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[0].says->log_size = v[1].says->log_size = 400; /* the review opened at 400 */
	ask_votes(f, v, 2);
	refused(f, "log state older than the review");
}

/* Control says that the review was opened before the log began; the warden's own restriction stands. */
static void
test_opened_at_nothing(void **state)
{
	struct fixture *f = *state;
	struct vote kept[] = { vote(f, &f->alice), vote(f, &f->bob) };
	int before = bundle(kept, 2);
	struct msg_restrict m = { .token = 5, .kind = MSG_RESTRICT_REJECT, .log_size = 0 };
	struct msg_restricted done;
	memcpy(m.image, f->terms.image, 32);
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	assert_int_equal(done.withdrawn, 1);
	f->lie.opened_at = true;
	ask_with(f, quarantine(f), before);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "its latest restriction");
}

static void
test_log_state_of_another_log(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	v[1].says->log_root[0] ^= 1;
	ask_votes(f, v, 2);
	refused(f, "1 of 2 persons have signed; the log state the approver saw is not in our log");
}

/* Control's clock does not matter, in either direction. */
static void
test_lies_about_now(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	f->lie.now = clocks->now - 80 * 3600;
	struct vote old[] = { vote(f, &f->alice), vote(f, &f->bob) };
	old[0].says->time = old[1].says->time = clocks->now - 73 * 3600;
	ask_votes(f, old, 2);
	refused(f, "more than 72 hours ago");
	f->lie.now = clocks->now + 80 * 3600;
	struct vote ahead[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ahead[0].says->time = ahead[1].says->time = clocks->now + 3600;
	ask_votes(f, ahead, 2);
	refused(f, "lies in the future");
	struct vote good[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, good, 2);
	permitted(f, id);
}

static void
test_what_it_permits_is_over(void **state)
{
	struct fixture *f = *state;
	f->terms.not_after = clocks->now + 60;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	int kept = bundle(v, 2);
	clocks->now += 61;
	ask_with(f, quarantine(f), kept);
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "already expired");
}

/* ---- what control tells of the rest ---- */

static void
test_quorum_of_zero(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	f->lie.quorum_zero = true;
	struct vote v[] = { vote(f, &f->alice) };
	ask_votes(f, v, 1);
	refused(f, "1 of 2 persons");
	struct vote good[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, good, 2);
	permitted(f, id);
}

static void
named(const struct fixture *f, const char *key, const char *text, uint64_t number)
{
	for (unsigned i = 0; i < f->append.refs_n; i++) {
		const struct msg_ref *r = &f->append.refs[i];
		if (strcmp(r->key, key) != 0)
			continue;
		if (text)
			assert_string_equal(r->text, text);
		else
			assert_int_equal(r->number, number);
		return;
	}
	fail_msg("the entry does not say %s", key);
}

/* Who asked for it never counts; when control keeps them back, the log shows that nobody was named. */
static void
test_requesters(void **state)
{
	struct fixture *f = *state;
	f->lie.requester = f->bob.name;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	refused(f, "bob@example.com asked for this and does not count");
	f->lie.requester = "carol@example.com";
	struct vote other[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, other, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	named(f, "requesters", NULL, 1);
	named(f, "requester.0", "carol@example.com", 0);
	named(f, "quorum.asked", NULL, 2);
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
	f->lie.requester = NULL;
	struct vote none[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, none, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	named(f, "requesters", NULL, 0);
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
}

/* The same request twice at once: one release. */
static void
test_issue_twice(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	int first = bundle(v, 2), again = dup(first);
	ask_with(f, quarantine(f), first);
	ask_with(f, quarantine(f), again);
	f->token--; /* the answer to the first comes first */
	roots(f, 2, MSG_LOG_OPEN_OK);
	permitted(f, id);
	f->token++;
	roots(f, 2, MSG_LOG_OPEN_OK);
	refused(f, "used for a release already");
	nothing_came_out(f);
}

/* One signature of an earlier release beside a new one of another person. */
static void
test_half_of_it_used(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	struct approval *again = malloc(sizeof *again);
	*again = *v[0].says;
	ask_votes(f, v, 2);
	permitted(f, id);
	struct vote mixed[] = { { again, &f->alice, NULL, NULL, NULL }, vote(f, &f->bob) };
	ask_votes(f, mixed, 2);
	refused(f, "used for a release already");
}

static void
restarted(struct fixture *f, unsigned releases)
{
	struct msg_release m;
	start(f);
	assert_int_equal(listed(f), releases);
	for (unsigned i = 0; i < 2 * releases; i++) {
		rig_hear(&f->rig, f->edge[i % 2], MSG_RELEASE, &m);
		wire_close_fds(&f->rig.frame);
	}
}

/* The release is gone, in whatever way, and its statements are not three days old: they have had their effect. */
static void
test_used_by_what_is_gone(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	char name[2 * RELEASE_ID + 1], path[100];
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	int first = bundle(v, 2), again[] = { dup(first), dup(first), dup(first) };
	ask_with(f, quarantine(f), first);
	roots(f, 2, MSG_LOG_OPEN_OK);
	/* What the log did not take has used up nothing. */
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
	ask_with(f, quarantine(f), again[0]);
	roots(f, 2, MSG_LOG_OPEN_OK);
	permitted(f, id);
	/* Whoever empties the file of what was used has not emptied the folder of what is in force. */
	hang_up(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "images/approved/standing")), 0);
	restarted(f, 2);
	hang_up(f);
	hex_encode(id, sizeof id, name);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "images/approved/%s.%s", name, i ? "signed" : "json");
		assert_int_equal(unlink(scratch_path(&f->tmp, path)), 0);
	}
	for (unsigned i = 1; i < 3; i++) {
		restarted(f, 1);
		ask_with(f, quarantine(f), again[i]);
		roots(f, 2, MSG_LOG_OPEN_OK);
		refused(f, "used for a release already");
		nothing_came_out(f);
	}
}

/* ---- how many modules ---- */

/* Ten modules need one person here; ten and ten of the same bytes need two. */
static void
test_canary_by_canary(void **state)
{
	struct fixture *f = *state;
	uint8_t first[RELEASE_ID], id[RELEASE_ID];
	f->lie.quorum_zero = true;
	for (size_t i = 0; i < 16; i++)
		f->image[i] ^= 0x5a; /* bytes that nobody has released yet */
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->terms.max_devices = 6;
	struct vote one[] = { vote(f, &f->alice) };
	ask_votes(f, one, 1);
	permitted(f, first);
	f->terms.max_devices = 5;
	struct vote beyond[] = { vote(f, &f->alice) };
	ask_votes(f, beyond, 1);
	refused(f, "1 of 2 persons");
	/* Under another product, review and resource they are the same bytes. */
	snprintf(f->terms.product, sizeof f->terms.product, "EC20");
	snprintf(f->terms.review, sizeof f->terms.review, "R-99");
	f->terms.resource[0] ^= 1;
	struct vote renamed[] = { vote(f, &f->alice) };
	ask_votes(f, renamed, 1);
	refused(f, "1 of 2 persons");
	f->terms.max_devices = 4;
	struct vote within[] = { vote(f, &f->alice) };
	ask_votes(f, within, 1);
	permitted(f, id);
	f->terms.max_devices = 1;
	struct vote both_of[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, both_of, 2);
	permitted(f, id);
	/* What was revoked is no longer in force. */
	struct msg_restrict m = { .token = 5, .kind = MSG_RESTRICT_REVOKE };
	struct msg_restricted done;
	memcpy(m.image, f->terms.image, 32);
	rig_say(f->control, MSG_RESTRICT, &m);
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	assert_int_equal(done.withdrawn, 3);
	for (unsigned i = 0; i < 6; i++) {
		struct msg_withdraw gone;
		rig_hear(&f->rig, f->edge[i % 2], MSG_WITHDRAW, &gone);
	}
	f->terms.max_devices = 10;
	struct vote anew[] = { vote(f, &f->alice) };
	anew[0].says->log_size = LOG_SIZE + 50;
	ask_votes(f, anew, 1);
	permitted(f, id);
}

/* Other bytes than before, and what they are; then one person alone asks to release them. */
static void
ask_other(struct fixture *f, const struct approval_delta *d)
{
	f->image[0]++;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->terms.delta = *d;
	struct vote one[] = { vote(f, &f->alice) };
	ask_votes(f, one, 1);
}

/* Two deltas that make the same image, or one that makes what was released whole, are two ways to one canary. */
static void
test_canary_delta_by_delta(void **state)
{
	struct fixture *f = *state;
	struct approval_delta d = { .made = APPROVAL_MADE_RECONSTRUCTED, .applier = "bsdiff40/1" };
	const struct approval_delta whole = { .made = APPROVAL_MADE_WHOLE }, unseen = { .made = APPROVAL_MADE_UNSEEN };
	uint8_t id[RELEASE_ID];
	f->lie.quorum_zero = true;
	f->terms.max_devices = 6;
	memset(d.base, 0x71, sizeof d.base);
	memset(d.target, 0x72, sizeof d.target);
	ask_other(f, &d);
	permitted(f, id);
	d.made = APPROVAL_MADE_PROVED;
	ask_other(f, &d);
	refused(f, "1 of 2 persons");
	d.target[0]++;
	ask_other(f, &d);
	permitted(f, id);
	ask_other(f, &whole);
	permitted(f, id);
	memcpy(d.target, f->terms.image, sizeof d.target);
	ask_other(f, &d);
	refused(f, "1 of 2 persons");
	/* What nobody saw through is known by itself alone: zeros are no target. */
	ask_other(f, &unseen);
	permitted(f, id);
	ask_other(f, &unseen);
	permitted(f, id);
}

/* The first so many of alice and bob, with passkeys where there are some. */
static void
ask_persons(struct fixture *f, unsigned persons, const struct token *passkeys)
{
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	for (unsigned i = 0; passkeys && i < 2; i++)
		v[i].passkey = &passkeys[i];
	if (persons < 2)
		free(v[1].says);
	ask_votes(f, v, persons);
}

/* The same on disk: records that each hold, put side by side by somebody who can write there. */
static void
side_by_side(struct fixture *f, unsigned persons, const struct token *passkeys)
{
	uint8_t id[RELEASE_ID];
	char hex[2 * RELEASE_ID + 1], name[2][128];
	uint8_t *kept[2];
	size_t n[2];
	for (size_t i = 0; i < 16; i++)
		f->image[i] ^= 0x5a;
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	f->lie.quorum_zero = true;
	f->terms.max_devices = 8;
	ask_persons(f, persons, passkeys);
	permitted(f, id);
	hex_encode(id, RELEASE_ID, hex);
	snprintf(name[0], sizeof name[0], "images/approved/%s.json", hex);
	snprintf(name[1], sizeof name[1], "images/approved/%s.signed", hex);
	for (unsigned i = 0; i < 2; i++)
		kept[i] = scratch_read(scratch_path(&f->tmp, name[i]), &n[i]);
	/* Taken away while the warden is down, so that a second one is issued; then both are there. */
	hang_up(f);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(unlink(scratch_path(&f->tmp, name[i])), 0);
	start(f);
	assert_int_equal(listed(f), 1);
	clocks->now++;
	ask_persons(f, persons, passkeys);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	hang_up(f);
	start(f);
	assert_int_equal(listed(f), 2);
	hang_up(f);
	for (unsigned i = 0; i < 2; i++) {
		scratch_write(scratch_path(&f->tmp, name[i]), kept[i], n[i]);
		free(kept[i]);
	}
	start(f);
	assert_int_equal(listed(f), 1); /* the first release of this fixture; neither of those that are too much together */
}

static void
test_canary_by_canary_on_disk(void **state)
{
	side_by_side(*state, 1, NULL);
}

/* Both are enough for that many modules, but not both in a browser. */
static void
test_passkeys_by_passkeys_on_disk(void **state)
{
	struct fixture *f = *state;
	struct token passkey[] = { token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID) };
	const struct person *who[] = { &f->alice, &f->bob };
	for (unsigned i = 0; i < 2; i++) {
		struct person p = *who[i];
		p.key = passkey[i].key;
		people_add(&f->g->set, &p);
	}
	snprintf(f->g->set.console, sizeof f->g->set.console, "%s", TOKEN_SITE);
	hang_up(f);
	forget_set(f); /* another genesis, as if it had been that from the beginning */
	start(f);
	assert_int_equal(listed(f), 1);
	for (unsigned e = 0; e < 2; e++) {
		struct msg_release r;
		rig_hear(&f->rig, f->edge[e], MSG_RELEASE, &r);
		wire_close_fds(&f->rig.frame);
	}
	side_by_side(f, 2, passkey);
	for (unsigned i = 0; i < 2; i++)
		EVP_PKEY_free(passkey[i].p256);
}

/* ---- descriptors ---- */

/* Statements in a memory file that could still change. */
static void
test_bundle_not_sealed(void **state)
{
	struct fixture *f = *state;
	static const int seals[] = { 0, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK };
	for (unsigned i = 0; i < sizeof seals / sizeof seals[0]; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		struct writer w;
		bundle_bytes(v, 2, &w);
		int fd = memfd_open("bundle");
		assert_int_equal(write(fd, w.p, w.n), w.n);
		if (seals[i])
			assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		writer_free(&w);
		ask_with(f, quarantine(f), fd);
		refused(f, "sealed bundle");
	}
}

/* A seal against writes to come leaves a mapping made before writable: it is no seal. */
static void
test_bundle_still_mapped(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	struct writer w;
	bundle_bytes(v, 2, &w);
	int fd = memfd_open("bundle");
	assert_int_equal(write(fd, w.p, w.n), w.n);
	void *map = mmap(NULL, w.n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1); /* the kernel's own answer */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	ask_with(f, quarantine(f), fd);
	refused(f, "sealed bundle");
	munmap(map, w.n);
	writer_free(&w);
}

static void
test_bundle_is_no_memory_file(void **state)
{
	struct fixture *f = *state;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	ask_with(f, quarantine(f), pipes[0]);
	refused(f, "sealed bundle");
	close(pipes[1]);
	ask_with(f, quarantine(f), open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	refused(f, "sealed bundle");
	ask_with(f, quarantine(f), memfd_sealed("empty", view_of("", 0)));
	refused(f, "sealed bundle");
}

static void
test_image_is_no_file(void **state)
{
	struct fixture *f = *state;
	int pair[2], pipes[2];
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(pipe(pipes), 0);
	const int odd[] = { pipes[0], open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), open("/dev/zero", O_RDONLY | O_CLOEXEC),
		pair[0] };
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		ask_with(f, odd[i], bundle(v, 2));
		roots(f, 2, MSG_LOG_OPEN_OK);
		refused(f, "no regular file");
	}
	close(pipes[1]);
	close(pair[1]);
}

static void
test_other_bytes_under_the_name(void **state)
{
	struct fixture *f = *state;
	f->image[f->image_n - 1] ^= 1;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	refused(f, "not those that were signed for");
	nothing_came_out(f);
}

/* More, or fewer, bytes than were signed for. */
static void
test_longer_and_shorter(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 2; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		int image = quarantine(f);
		assert_int_equal(ftruncate(image, (off_t)f->image_n + (i ? 1 : -1)), 0);
		ask_with(f, image, bundle(v, 2));
		roots(f, 2, MSG_LOG_OPEN_OK);
		refused(f, "not those that were signed for");
	}
}

/*
 * Control keeps the file writable, by descriptor and by mapping: what edges get is the
 * warden's copy, whatever happens to the file afterwards.
 */
static void
test_kept_write_fd_and_mapping(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	int image = quarantine(f), mine = dup(image);
	uint8_t *map = mmap(NULL, f->image_n, PROT_READ | PROT_WRITE, MAP_SHARED, mine, 0), *back = malloc(f->image_n);
	assert_ptr_not_equal(map, MAP_FAILED);
	ask_with(f, image, bundle(v, 2));
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED); /* copied, sealed and hashed by now */
	memset(map, 0xff, f->image_n);
	assert_int_equal(pwrite(mine, "evil", 4, 4096), 4);
	assert_int_equal(ftruncate(mine, 100), 0);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	for (unsigned e = 0; e < 2; e++) {
		struct msg_release m;
		rig_hear(&f->rig, f->edge[e], MSG_RELEASE, &m);
		assert_true(memfd_is_sealed(f->rig.frame.fds[0]));
		assert_int_equal(pread(f->rig.frame.fds[0], back, f->image_n, 0), f->image_n);
		assert_memory_equal(back, f->image, f->image_n);
		wire_close_fds(&f->rig.frame);
	}
	free(back);
	munmap(map, f->image_n);
	close(mine);
}

/* Grows and shrinks while it is copied: the size of the beginning counts, and then the digest. */
static void
test_changes_while_copied(void **state)
{
	struct fixture *f = *state;
	free(f->image);
	f->image_n = 24u << 20;
	f->image = malloc(f->image_n);
	for (size_t i = 0; i < f->image_n; i++)
		f->image[i] = (uint8_t)(i >> 10);
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	for (unsigned i = 0; i < 4; i++) {
		struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
		int image = quarantine(f), mine = dup(image);
		ask_with(f, image, bundle(v, 2));
		roots(f, 2, MSG_LOG_OPEN_OK);
		assert_int_equal(ftruncate(mine, i % 2 ? (off_t)f->image_n + (64 << 20) : 1 << 20), 0);
		close(mine);
		struct pollfd p[2] = { { .fd = f->audit, .events = POLLIN }, { .fd = f->control, .events = POLLIN } };
		assert_true(poll(p, 2, RIG_PATIENCE_MS) >= 1);
		if (p[1].revents) {
			refused(f, "not those that were signed for");
			continue;
		}
		/* It was quicker than we: then these are the signed bytes, and their size. */
		uint8_t id[RELEASE_ID];
		permitted(f, id);
	}
}

/* ---- audit's answers, mixed up ---- */

static void
test_acknowledged_for_another_token(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	for (int64_t d = -20; d < 20; d++) {
		const struct msg_appended m = { .token = f->append.token + (uint64_t)d, .index = LOG_SIZE + 3 };
		if (d)
			rig_say(f->audit, MSG_APPENDED, &m);
	}
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = 0, .index = LOG_SIZE });
	nothing_came_out(f);
	assert_true(silent(f, f->control));
	acknowledge(f, 0);
	assert_true(answer(f).ok);
}

/* The acknowledgement of the request before, late; then one twice. */
static void
test_acknowledged_late_and_twice(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	struct msg_append before = f->append;
	acknowledge(f, FG_EIO);
	refused(f, "could not write");
	struct vote more[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, more, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	struct msg_append now = f->append;
	f->append = before;
	acknowledge(f, 0);
	nothing_came_out(f);
	f->append = now;
	acknowledge(f, 0);
	acknowledge(f, 0);
	assert_true(answer(f).ok);
	assert_true(silent(f, f->control));
}

/* Durable at a place that the log had passed already: it is not this entry that was written. */
static void
test_acknowledged_at_a_smaller_index(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	ask_votes(f, v, 2);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = f->append.token, .index = LOG_SIZE - 1 });
	refused(f, "older entry");
	nothing_came_out(f);
	hear_append(f, ENTRY_RELEASE_REFUSED);
}

/* Answered before it was asked, and roots for other sizes than were asked. */
static void
test_roots_mixed_up(void **state)
{
	struct fixture *f = *state;
	struct vote v[] = { vote(f, &f->alice), vote(f, &f->bob) };
	struct msg_head_ask h;
	struct msg_root_ask r[2];
	ask_with(f, quarantine(f), bundle(v, 2));
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	for (unsigned i = 0; i < 2; i++)
		rig_hear(&f->rig, f->audit, MSG_ROOT_ASK, &r[i]);
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = h.token, .index = LOG_SIZE });
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = h.token + 1, .index = LOG_SIZE });
	for (unsigned i = 0; i < 2; i++) { /* each gets the other's size */
		struct msg_root m = { .token = r[i].token, .size = r[1 - i].size };
		memcpy(m.root, root, 32);
		rig_say(f->audit, MSG_ROOT, &m);
	}
	rig_say(f->audit, MSG_HEAD, &(struct msg_head){ .token = h.token, .state = MSG_LOG_OPEN_OK, .size = LOG_SIZE });
	refused(f, "not in our log");
	nothing_came_out(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, hostile_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_k_minus_1),
		T(test_same_key_twice),
		T(test_same_statement_twice),
		T(test_one_person_with_two_keys),
		T(test_in_the_name_of_another),
		T(test_key_of_nobody),
		T(test_signature_for_another_purpose),
		T(test_expired_and_early_key),
		T(test_revoked_key),
		T(test_wildcard_principal),
		T(test_duplicate_json_keys),
		T(test_not_canonical),
		T(test_asked_for_more_than_was_signed),
		T(test_two_halves_of_two_scopes),
		T(test_resume_is_no_approval),
		T(test_stale_log_state),
		T(test_opened_at_nothing),
		T(test_log_state_of_another_log),
		T(test_lies_about_now),
		T(test_what_it_permits_is_over),
		T(test_quorum_of_zero),
		T(test_requesters),
		T(test_issue_twice),
		T(test_half_of_it_used),
		T(test_used_by_what_is_gone),
		T(test_canary_by_canary),
		T(test_canary_delta_by_delta),
		T(test_canary_by_canary_on_disk), T(test_passkeys_by_passkeys_on_disk),
		T(test_bundle_not_sealed),
		T(test_bundle_still_mapped),
		T(test_bundle_is_no_memory_file),
		T(test_image_is_no_file),
		T(test_other_bytes_under_the_name),
		T(test_longer_and_shorter),
		T(test_kept_write_fd_and_mapping),
		T(test_changes_while_copied),
		T(test_acknowledged_for_another_token),
		T(test_acknowledged_late_and_twice),
		T(test_acknowledged_at_a_smaller_index),
		T(test_roots_mixed_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
