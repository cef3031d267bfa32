/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/enact.h"
#include "crypto/err.h"
#include "gateway/cmd/cli_chain.h"
#include "gateway/file/inforce.h"
#include "gateway/warden/policychain.h"
#include "gateway/warden/successor.h"

struct mending {
	struct cli_chain h;
	struct policychain *p;         /* what is here, as far as it holds */
	uint32_t last;                 /* the newest policy that the log has; 0: none but genesis' */
	uint8_t (*digest)[DIGEST_SHA256_LEN]; /* of their statements, POLICYSET_CHAIN_MAX + 1; owned */
	struct cli_policies *ret;
};

/* ---- what the log has ---- */

static int
take_entry(void *ctx, const struct entry *e)
{
	struct mending *m = ctx;
	uint32_t number = e->ev == ENTRY_AUTHORITY_POLICY ? cli_chain_number(e, "policy:", POLICYSET_CHAIN_MAX) : 0;
	if (number > m->last)
		m->last = number;
	return number ? digest_sha256(e->doc, m->digest[number]) : FG_OK;
}

/* ---- what is here ---- */

/* Genesis and the signer sets: cli_sets_mend() was there before, and said what they lack. */
static int
load_authority(struct mending *m)
{
	char why[256] = "";
	int err = cli_chain_genesis(&m->h);
	if (!err)
		err = authority_load(m->h.a, m->h.authority, why, sizeof why);
	return err ? cli_opt_fail(m->h.c, CLI_COULD_NOT, "AUTHORITY",
	    "Put that right first, and run this again before the next start.", "%s: what policies rest on: %s", m->h.authority_path,
	    why[0] ? why : err_why(err)) : 0;
}

/* As far as it holds; one behind it that does not is as good as missing, for the log has the right one. */
static int
load(struct mending *m)
{
	snprintf(m->h.why_here, sizeof m->h.why_here, "missing");
	policychain_free(m->p);
	m->p = policychain_new();
	int err = m->p ? policychain_load(m->p, m->h.a, m->h.authority, m->h.why_here, sizeof m->h.why_here) : FG_ENOMEM;
	if (err == FG_EFORMAT || err == FG_EPERM || err == FG_ELIMIT)
		err = FG_OK;
	return err ? cli_chain_local(&m->h, m->h.authority_path, err) : 0;
}

/* ---- one policy ---- */

/* What does not count is not kept. */
static int
sift(const struct policyset *next, const struct signers *set, struct succession_bundle *b)
{
	unsigned kept = 0, n = b->n;
	for (unsigned i = 0; i < n; i++) {
		unsigned counts = 0;
		int err = signers_count(set, b->text, POLICYSET_NAMESPACE, next->time, &b->sig[i], 1, NULL, 0, &counts, NULL, NULL);
		if (err)
			return err;
		if (counts)
			b->sig[kept++] = b->sig[i];
	}
	b->n = kept;
	return FG_OK;
}

/* Whether it is the log's, and people put it in force. */
static int
judge(struct mending *m, uint32_t number, struct succession_bundle *b, struct policyset *next)
{
	const struct genesis *g = authority_genesis_get(m->h.a);
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = digest_sha256(b->text, digest);
	if (!err && memcmp(digest, m->digest[number], sizeof digest) != 0) {
		snprintf(m->h.why_there, sizeof m->h.why_there, "it is another statement than the log's");
		return FG_EPERM;
	}
	if (!err)
		err = policyset_parse(b->text, g->origin, next, m->h.why_there, sizeof m->h.why_there);
	const struct signers *set = err ? NULL : authority_set(m->h.a, next->signers);
	if (!err && !set) {
		snprintf(m->h.why_there, sizeof m->h.why_there, "there is no signer set %u", next->signers);
		return FG_EPERM;
	}
	if (!err)
		err = sift(next, set, b);
	return err ? err : enact_check_next(g, policychain_now(m->p), policychain_text(m->p), next, b->text, set, b->sig, b->n,
	    m->h.why_there, sizeof m->h.why_there);
}

struct writing {
	const struct mending *m;
	uint32_t number;
	const struct succession_bundle *b; /* NULL: the memory of what is in force */
	const struct inforce *in;
};

static int
write_one(void *ctx)
{
	const struct writing *w = ctx;
	return w->b ? successor_settle(w->m->h.authority, SUCCESSOR_POLICY, w->number, w->b) :
	    inforce_write(w->m->h.approved, w->in);
}

/* The next of the chain, from the export. 0; an exit status; negative when it was not, with why_there. */
static int
fetch(struct mending *m, uint32_t number)
{
	char stem[32];
	struct cli_parcel p;
	struct policyset *next = calloc(1, sizeof *next);
	int status;
	m->h.why_there[0] = '\0';
	snprintf(stem, sizeof stem, "policy-%u", number);
	int err = cli_parcel_read(m->h.papers, stem, POLICYSET_BYTES_MAX, &p);
	if (!next)
		err = FG_ENOMEM;
	if (!err)
		err = judge(m, number, &p.b, next);
	if (!err) {
		struct writing w = { m, number, &p.b, NULL };
		err = cli_chain_as_owner(m->h.authority, write_one, &w);
		status = err ? cli_chain_local(&m->h, m->h.authority_path, err) : 0;
	} else {
		if (!m->h.why_there[0])
			snprintf(m->h.why_there, sizeof m->h.why_there, "%s", err == FG_ENOTFOUND ? "missing" : err_why(err));
		status = err;
	}
	cli_parcel_free(&p);
	free(next);
	return status;
}

/* ---- the chain ---- */

static bool
is_logged(const struct mending *m)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	uint32_t number = policychain_now(m->p)->number;
	return !number || (digest_sha256(policychain_text(m->p), digest) == FG_OK &&
	    memcmp(digest, m->digest[number], sizeof digest) == 0);
}

static void
lack(struct mending *m, uint32_t first)
{
	m->ret->first = first;
	m->ret->lacking = m->last - first + 1;
	fprintf(stderr, "fotagate: %s/policy/%u.json: the log has this policy. Here: %s. In %s: %s.\n" CLI_POLICIES_CURE "\n",
	    m->h.authority_path, first, m->h.why_here, m->h.there, m->h.why_there);
}

/* What was put is read again like everything: by the warden's code, from the disk. */
static int
follow(struct mending *m)
{
	uint32_t number = policychain_now(m->p)->number;
	int status = 0;
	if (!is_logged(m)) {
		snprintf(m->h.why_here, sizeof m->h.why_here, "another statement");
		snprintf(m->h.why_there, sizeof m->h.why_there, "not looked at");
		lack(m, number);
		return 0;
	}
	while (!status && number < m->last) {
		status = fetch(m, number + 1);
		if (status)
			break;
		m->ret->put++;
		status = load(m);
		if (!status && policychain_now(m->p)->number <= number)
			status = cli_chain_local(&m->h, m->h.authority_path, FG_EFORMAT); /* somebody else writes there */
		number = policychain_now(m->p)->number;
	}
	if (status < 0)
		lack(m, number + 1);
	return status > 0 ? status : 0;
}

/* The warden starts on no folder that goes on behind what it remembers: this one may, for the log proves it. */
static int
remember(struct mending *m)
{
	const struct policyset *now = policychain_now(m->p);
	struct inforce in = { .number = now->number };
	struct writing w = { m, now->number, NULL, &in };
	memcpy(in.config, now->config, sizeof in.config);
	int err = digest_sha256(policychain_text(m->p), in.statement);
	if (!err)
		err = cli_chain_as_owner(m->h.approved, write_one, &w);
	return err ? cli_chain_local(&m->h, "images/approved/" INFORCE_FILE, err) : 0;
}

static int
mend(struct mending *m, const struct rebuild *log)
{
	struct inforce known = { .number = 0 };
	int err = m->h.approved < 0 ? FG_ENOTFOUND : inforce_read(m->h.approved, &known);
	if (err && err != FG_ENOTFOUND && err != FG_EFORMAT) /* that, the warden will say */
		return cli_chain_local(&m->h, "images/approved/" INFORCE_FILE, err);
	bool remembers = err == FG_OK;
	uint32_t here = policychain_now(m->p)->number;
	/* Entries behind the signed ones may hold it, and are not read here. */
	if (here > m->last || (remembers && known.number > m->last))
		return log->kept ? 0 : cli_chain_refuse(&m->h, log->size, here > known.number ? here : known.number);
	int status = follow(m);
	if (status || m->ret->lacking || !remembers || known.number == m->last)
		return status;
	bool same = !known.number || memcmp(known.statement, m->digest[known.number], sizeof known.statement) == 0;
	return same ? remember(m) : 0;
}

/* ---- all of it ---- */

static int
run(struct mending *m, const struct rebuild *log)
{
	if (!authority_genesis_get(m->h.a)->signed_policy)
		return 0;
	int status = load(m);
	int err = status ? FG_OK : cli_chain_entries(m->h.audit, log->size, take_entry, m);
	if (err)
		status = cli_chain_local(&m->h, "audit/log", err);
	return status ? status : mend(m, log);
}

int
cli_policies_mend(const struct cli_common *c, const char *data, const char *from, const struct rebuild *log,
    struct cli_policies *ret)
{
	struct mending m = { .ret = ret, .digest = calloc(POLICYSET_CHAIN_MAX + 1, sizeof *m.digest) };
	*ret = (struct cli_policies){ 0 };
	if (!m.digest)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	int status = cli_chain_open(&m.h, c, "policy", "policies", data, from);
	if (!status)
		status = load_authority(&m);
	if (!status)
		status = run(&m, log);
	policychain_free(m.p);
	cli_chain_close(&m.h);
	free(m.digest);
	return status;
}
