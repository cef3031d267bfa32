/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_export_papers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/approval.h"
#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "gateway/cmd/cli_file.h"

#define PAPER_MAX (4u << 20)      /* a report has at most 2 MiB */
#define SET_TRIES 100             /* for the file of a set that the log has: it is made right afterwards */
#define SET_NS 50000000           /* between two of them */
#define SIGS_MAX 64               /* of one set: a board of people */
#define ALLOWED_MAX (4u << 20)
#define BOTH_NAMESPACES APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE
#define ALL_NAMESPACES APPROVAL_NAMESPACE "," POLICYSET_NAMESPACE "," SIGNERS_NAMESPACE

static const struct {
	const char *ref;    /* key in an entry */
	const char *kind;   /* as control calls it */
	const char *folder, *suffix; /* in the export */
	enum entry_event ev; /* the only one in which that key means it; UNKNOWN: in all */
} kinds[] = {
	[CLI_PAPER_STATEMENT] = { "statement", "statement", "statements", ".json", ENTRY_EV_UNKNOWN },
	[CLI_PAPER_REPORT] = { "report", "report", "reports", ".json", ENTRY_EV_UNKNOWN },
	[CLI_PAPER_PROVENANCE] = { "provenance", "provenance", "provenance", ".json", ENTRY_EV_UNKNOWN },
	[CLI_PAPER_POLICY] = { "policy", "policy", "policies", ".json", ENTRY_EV_UNKNOWN },
	[CLI_PAPER_ATTACHMENT] = { "file", "attachment", "attachments", ".bin", ENTRY_REVIEW_REMARKED },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

int
cli_papers_open(struct cli_papers *p, const struct cli_common *c, struct cli_call *call, cli_papers_put put, void *ctx)
{
	*p = (struct cli_papers){ .c = c, .call = call, .put = put, .ctx = ctx };
	return 0;
}

void
cli_papers_close(struct cli_papers *p)
{
	free(p->list);
	free(p->genesis);
	free((void *)(uintptr_t)p->text.p);
	*p = (struct cli_papers){ 0 };
}

/* ---- what entries refer to ---- */

static int
note(struct cli_papers *p, enum cli_paper_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN], const uint8_t *signature,
    bool signed_for)
{
	for (size_t i = 0; i < p->n; i++) {
		struct cli_paper *one = &p->list[i];
		if (one->kind == kind && memcmp(one->sha256, sha256, sizeof one->sha256) == 0) {
			one->signed_for |= signed_for;
			return 0;
		}
	}
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct cli_paper *more = reallocarray(p->list, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		p->list = more;
		p->cap = cap;
	}
	p->list[p->n] = (struct cli_paper){ .kind = kind, .signed_for = signed_for };
	memcpy(p->list[p->n].sha256, sha256, DIGEST_SHA256_LEN);
	if (signature)
		memcpy(p->list[p->n].signature, signature, DIGEST_SHA256_LEN);
	p->n++;
	return 0;
}

/* "sha256:<hex>" or the digits alone. */
static bool
digest_of(struct view text, uint8_t out[DIGEST_SHA256_LEN])
{
	if (text.n == 7 + DIGEST_HEX_LEN && memcmp(text.p, "sha256:", 7) == 0)
		text = view_of(text.p + 7, DIGEST_HEX_LEN);
	return hex_decode(text, out, DIGEST_SHA256_LEN);
}

static int
note_refs(struct cli_papers *p, const struct entry *e)
{
	uint8_t sha256[DIGEST_SHA256_LEN], signature[DIGEST_SHA256_LEN];
	bool have_signature = false, decided = e->ev == ENTRY_APPROVAL_SIGNED || e->ev == ENTRY_RELEASE_ISSUED;
	int err = 0;
	for (unsigned i = 0; i < e->refs; i++)
		if (view_is(e->ref[i].key, "signature") && digest_of(e->ref[i].text, signature))
			have_signature = true;
	for (unsigned i = 0; i < e->refs && !err; i++)
		for (enum cli_paper_kind k = CLI_PAPER_STATEMENT; k < KINDS && !err; k++)
			if (view_is(e->ref[i].key, kinds[k].ref) && (kinds[k].ev == ENTRY_EV_UNKNOWN || kinds[k].ev == e->ev) &&
			    digest_of(e->ref[i].text, sha256))
				err = note(p, k, sha256, have_signature && k == CLI_PAPER_STATEMENT ? signature : NULL, decided);
	return err;
}

/* No further set or policy than the log names: one that came into force since would stand without its entry. */
static void
note_number(const struct entry *e, uint32_t most, uint32_t *last)
{
	for (unsigned i = 0; i < e->refs; i++)
		if (view_is(e->ref[i].key, "number") && e->ref[i].is_number && e->ref[i].number > *last &&
		    e->ref[i].number <= most)
			*last = (uint32_t)e->ref[i].number;
}

/* A release record names every statement that carried it. */
static int
note_release(struct cli_papers *p, struct view record)
{
	struct release *r = calloc(1, sizeof *r);
	char why[128];
	int err = r ? release_parse(record, r, why, sizeof why) : FG_ENOMEM;
	for (uint32_t i = 0; !err && i < r->statements_n; i++)
		err = note(p, CLI_PAPER_STATEMENT, r->statement[i].statement, r->statement[i].signature, true);
	if (!err)
		err = note(p, CLI_PAPER_REPORT, r->terms.report, NULL, true);
	if (!err)
		err = note(p, CLI_PAPER_POLICY, r->terms.policy, NULL, true);
	free(r);
	return err == FG_ENOMEM ? err : 0;
}

int
cli_papers_entry(struct cli_papers *p, struct view line)
{
	struct json *doc = NULL;
	struct entry e;
	int err = entry_parse(line, &doc, &e, NULL);
	if (err)
		return err == FG_ENOMEM ? err : 0; /* verified all the same: as bytes */
	err = note_refs(p, &e);
	if (!err && e.ev == ENTRY_AUTHORITY_SIGNERS)
		note_number(&e, SIGNERS_CHAIN_MAX, &p->last_set);
	if (!err && e.ev == ENTRY_AUTHORITY_POLICY)
		note_number(&e, POLICYSET_CHAIN_MAX, &p->last_policy);
	if (!err && e.ev == ENTRY_RELEASE_ISSUED)
		err = note_release(p, e.doc);
	json_free(doc);
	return err;
}

/* ---- fetching ---- */

/* 0 with w filled, FG_ENOTFOUND, or another error after saying why. */
static int
fetch(struct cli_papers *p, const char *kind, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w)
{
	struct cli_request r;
	struct cli_reply reply;
	writer_reset(w);
	cli_call_begin(&r);
	jsonw_khex(&r.j, "digest", sha256, DIGEST_SHA256_LEN);
	jsonw_kcstr(&r.j, "kind", kind);
	if (cli_call_do(p->call, "file.open", &r, NULL, 0, &reply))
		return FG_EIO;
	int err = cli_call_is(&reply, "NOT-FOUND") ? FG_ENOTFOUND : 0;
	if (!err && reply.status != CLI_DONE) {
		cli_call_refused(p->c, &reply);
		err = FG_EIO;
	}
	if (!err)
		err = reply.file < 0 ? FG_EPEER : cli_call_slurp(reply.file, PAPER_MAX, w);
	cli_reply_free(&reply);
	return err;
}

static bool
is_named(struct view bytes, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	uint8_t have[DIGEST_SHA256_LEN];
	return digest_sha256(bytes, have) == 0 && memcmp(have, sha256, sizeof have) == 0;
}

static int
write_paper(struct cli_papers *p, const char *folder, const uint8_t sha256[DIGEST_SHA256_LEN], const char *suffix,
    struct view bytes)
{
	char hex[DIGEST_HEX_LEN + 1], name[128];
	hex_encode(sha256, DIGEST_SHA256_LEN, hex);
	snprintf(name, sizeof name, "%s/%s%s", folder, hex, suffix);
	return p->put(p->ctx, name, bytes);
}

static int
missing(struct cli_papers *p, const struct cli_paper *one, const char *what)
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(one->sha256, DIGEST_SHA256_LEN, hex);
	fprintf(stderr, "fotagate: %s %s: %s\n", kinds[one->kind].kind, hex, what);
	p->missing += one->signed_for;
	return 0;
}

static int
write_signature(struct cli_papers *p, const struct cli_paper *one, struct writer *w)
{
	static const uint8_t none[DIGEST_SHA256_LEN];
	int err = fetch(p, "signature", one->sha256, w);
	if (err == FG_ENOTFOUND && memcmp(one->signature, none, sizeof none))
		err = fetch(p, "signature", one->signature, w);
	if (err == FG_ENOTFOUND)
		return missing(p, one, "its signature is not kept any more");
	return err ? CLI_COULD_NOT : write_paper(p, "statements", one->sha256, ".sig", writer_view(w));
}

/* A statement names what it rests on. */
static int
note_statement(struct cli_papers *p, struct view text)
{
	struct approval *a = calloc(1, sizeof *a);
	char why[128];
	int err = a ? approval_parse(text, a, why, sizeof why) : FG_ENOMEM;
	if (!err && a->terms.decision == APPROVAL_APPROVE) {
		err = note(p, CLI_PAPER_REPORT, a->terms.report, NULL, true);
		if (!err)
			err = note(p, CLI_PAPER_POLICY, a->terms.policy, NULL, false);
	}
	free(a);
	return err == FG_ENOMEM ? err : 0;
}

static int
write_one(struct cli_papers *p, size_t i, struct writer *w)
{
	const struct cli_paper one = p->list[i]; /* the list may grow */
	int err = fetch(p, kinds[one.kind].kind, one.sha256, w);
	if (err == FG_ENOTFOUND)
		return missing(p, &one, "is not kept any more");
	if (err)
		return CLI_COULD_NOT;
	if (!is_named(writer_view(w), one.sha256))
		return missing(p, &one, "the gateway handed out other bytes under this name");
	int status = write_paper(p, kinds[one.kind].folder, one.sha256, kinds[one.kind].suffix, writer_view(w));
	p->reports += one.kind == CLI_PAPER_REPORT;
	if (status || one.kind != CLI_PAPER_STATEMENT)
		return status;
	p->statements++;
	if (note_statement(p, writer_view(w)))
		return cli_opt_fail(p->c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	return write_signature(p, &one, w);
}

int
cli_papers_write(struct cli_papers *p)
{
	struct writer w;
	int status = 0;
	writer_init(&w, PAPER_MAX);
	for (size_t i = 0; i < p->n && !status; i++)
		status = write_one(p, i, &w);
	writer_free(&w);
	return status;
}

/* ---- signers ---- */

/* authority/from as signers/to. 0 with bytes for the caller to free, FG_ENOTFOUND, or an error after saying why. */
static int
copy(struct cli_papers *p, const char *authority, const char *from, const char *to, uint8_t **ret, size_t *ret_n)
{
	char name[128];
	int err = cli_file_read(authority, from, GENESIS_BYTES_MAX, ret, ret_n);
	if (err == FG_EIO && errno == ENOENT)
		return FG_ENOTFOUND;
	if (err) {
		cli_opt_fail(p->c, CLI_COULD_NOT, "LOCAL", "Say with --authority where genesis.json lies.", "%s/%s: %s", authority,
		    from, err_why(err));
		return err;
	}
	snprintf(name, sizeof name, "signers/%s", to);
	if (p->put(p->ctx, name, view_of(*ret, *ret_n)) == 0)
		return 0;
	free(*ret);
	return FG_EIO;
}

/* The signatures beside a set: from.0, from.1, ... 0, or an error after saying why. */
static int
copy_sigs(struct cli_papers *p, const char *authority, const char *from, const char *to, struct signers_signature *sigs,
    unsigned *ret_n)
{
	char source[64], target[64];
	unsigned n = 0;
	int err = 0;
	for (; n < SIGS_MAX; n++) {
		uint8_t *bytes = NULL;
		size_t length = 0;
		snprintf(source, sizeof source, "%s.%u", from, n);
		snprintf(target, sizeof target, "%s.%u", to, n);
		err = copy(p, authority, source, target, &bytes, &length);
		if (err)
			break;
		sigs[n].armour = view_of(bytes, length);
	}
	*ret_n = n;
	return err == FG_ENOTFOUND ? 0 : err;
}

static void
free_sigs(struct signers_signature *sigs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free((void *)(uintptr_t)sigs[i].armour.p);
}

static int
take_genesis(struct cli_papers *p, const char *authority, struct view *ret_text)
{
	struct signers_signature sigs[SIGS_MAX];
	uint8_t *bytes = NULL;
	size_t length = 0;
	unsigned n = 0;
	char why[256] = "";
	p->genesis = calloc(1, sizeof *p->genesis);
	int err = p->genesis ? copy(p, authority, "genesis.json", "genesis.json", &bytes, &length) : FG_ENOMEM;
	if (err == FG_ENOTFOUND)
		return cli_opt_fail(p->c, CLI_COULD_NOT, "NOT-FOUND", "Say with --authority where genesis.json lies.",
		    "%s/genesis.json: is not there", authority);
	if (err)
		return CLI_COULD_NOT;
	*ret_text = view_of(bytes, length);
	err = copy_sigs(p, authority, "genesis.sig", "genesis.sig", sigs, &n);
	if (!err)
		err = genesis_parse(*ret_text, p->genesis, why, sizeof why);
	if (!err)
		err = genesis_check(p->genesis, *ret_text, sigs, n, p->genesis->set.time, why, sizeof why);
	free_sigs(sigs, n);
	if (!err)
		return 0;
	return cli_opt_fail(p->c, CLI_REFUSED, "GENESIS", "Without a genesis that counts, nothing in the log can be checked.",
	    "%s/genesis.json: %s", authority, why[0] ? why : err_name(err));
}

/* A later set. -1 when there is none of that number, 0, or an exit status after saying why. */
static int
take_set(struct cli_papers *p, const char *authority, uint32_t number, struct signers *current, struct view *text)
{
	struct signers_signature sigs[SIGS_MAX];
	char from[64], to[64], why[256] = "";
	uint8_t *bytes = NULL;
	size_t length = 0;
	unsigned n = 0;
	snprintf(from, sizeof from, "signers/%u.json", number);
	snprintf(to, sizeof to, "%u.json", number);
	int err = copy(p, authority, from, to, &bytes, &length);
	if (err)
		return err == FG_ENOTFOUND ? -1 : CLI_COULD_NOT;
	snprintf(from, sizeof from, "signers/%u.sig", number);
	snprintf(to, sizeof to, "%u.sig", number);
	struct signers *next = calloc(1, sizeof *next);
	err = next ? copy_sigs(p, authority, from, to, sigs, &n) : FG_ENOMEM;
	if (!err)
		err = signers_parse(view_of(bytes, length), p->genesis->origin, next, why, sizeof why);
	if (!err)
		err = signers_check_next(current, *text, next, view_of(bytes, length), sigs, n, next->time, why, sizeof why);
	free_sigs(sigs, n);
	if (!err) {
		*current = *next;
		free((void *)(uintptr_t)text->p);
		*text = view_of(bytes, length);
		bytes = NULL;
	}
	free(next);
	free(bytes);
	return err ? cli_opt_fail(p->c, CLI_REFUSED, "SIGNERS", NULL, "signer set %u: %s", number,
	    why[0] ? why : err_name(err)) : 0;
}

/* The folder is a guess or a person's word: it must be this gateway's. */
static int
check_whose(struct cli_papers *p, const char *authority, struct view text)
{
	struct cli_reply reply;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view said = { 0 };
	int status = cli_call_do(p->call, "status", NULL, NULL, 0, &reply);
	if (status)
		return status;
	if (reply.status != CLI_DONE)
		status = cli_call_refused(p->c, &reply);
	else if (!json_string(json_get(json_get(json_root(reply.doc), "genesis"), "digest"), &said) ||
	    !digest_of(said, digest) || !is_named(text, digest))
		status = cli_opt_fail(p->c, CLI_REFUSED, "GENESIS", "Say with --authority where this gateway's genesis.json lies.",
		    "%s/genesis.json: is not the genesis of the gateway that answers", authority);
	cli_reply_free(&reply);
	return status;
}

int
cli_papers_genesis(struct cli_papers *p, const char *authority)
{
	int status = take_genesis(p, authority, &p->text);
	return status ? status : check_whose(p, authority, p->text);
}

/* The log has a set before its file has its name, for a moment. -1 when it has none. */
static int
wait_set(struct cli_papers *p, const char *authority, uint32_t number, struct signers *current)
{
	const struct timespec pause = { .tv_nsec = SET_NS };
	int status = take_set(p, authority, number, current, &p->text);
	for (unsigned tries = 0; status < 0 && tries < SET_TRIES; tries++) {
		nanosleep(&pause, NULL);
		status = take_set(p, authority, number, current, &p->text);
	}
	return status;
}

int
cli_papers_signers(struct cli_papers *p, const char *authority)
{
	struct signers *current = calloc(1, sizeof *current);
	const char *namespaces = p->genesis->signed_policy ? ALL_NAMESPACES : BOTH_NAMESPACES;
	struct writer allowed;
	writer_init(&allowed, ALLOWED_MAX);
	int status = current ? 0 : cli_opt_fail(p->c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (!status)
		*current = p->genesis->set;
	for (uint32_t number = 0; !status && number <= p->last_set; number++) {
		if (number)
			status = wait_set(p, authority, number, current);
		if (!status && signers_allowed(current, namespaces, &allowed))
			status = cli_opt_fail(p->c, CLI_COULD_NOT, "SIGNERS", NULL,
			    "signer set %u cannot be written for ssh-keygen", number);
		if (status < 0) {
			fprintf(stderr, "fotagate: signer set %u: is in the log and not in %s\n", number, authority);
			p->missing++;
		}
		p->sets += !status;
	}
	if (status <= 0)
		status = p->put(p->ctx, "signers/allowed_signers", writer_view(&allowed));
	writer_free(&allowed);
	free(current);
	return status;
}

/* A policy's statement and the signatures beside it; whether they hold is whoever verifies' to say. As take_set(). */
static int
take_policy(struct cli_papers *p, const char *authority, uint32_t number)
{
	struct signers_signature sigs[SIGS_MAX];
	char from[64], to[64];
	uint8_t *bytes = NULL;
	size_t length = 0;
	unsigned n = 0;
	snprintf(from, sizeof from, "policy/%u.json", number);
	snprintf(to, sizeof to, "policy-%u.json", number);
	int err = copy(p, authority, from, to, &bytes, &length);
	free(bytes);
	if (err)
		return err == FG_ENOTFOUND ? -1 : CLI_COULD_NOT;
	snprintf(from, sizeof from, "policy/%u.sig", number);
	snprintf(to, sizeof to, "policy-%u.sig", number);
	err = copy_sigs(p, authority, from, to, sigs, &n);
	free_sigs(sigs, n);
	return err ? CLI_COULD_NOT : 0;
}

int
cli_papers_policies(struct cli_papers *p, const char *authority)
{
	const struct timespec pause = { .tv_nsec = SET_NS };
	int status = 0;
	for (uint32_t number = 1; status <= 0 && number <= p->last_policy; number++) {
		status = take_policy(p, authority, number);
		for (unsigned tries = 0; status < 0 && tries < SET_TRIES; tries++) {
			nanosleep(&pause, NULL);
			status = take_policy(p, authority, number);
		}
		if (status < 0) {
			fprintf(stderr, "fotagate: policy %u: is in the log and not in %s\n", number, authority);
			p->missing++;
		}
	}
	return status > 0 ? status : 0;
}
