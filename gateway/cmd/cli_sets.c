/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/succession.h"
#include "gateway/cmd/cli_chain.h"
#include "gateway/warden/lastset.h"
#include "gateway/warden/successor.h"

#define SET_NAME_MAX 32

struct mending {
	struct cli_chain h;
	uint32_t last;                /* the newest set that the log has */
	uint8_t digest[SIGNERS_CHAIN_MAX + 1][DIGEST_SHA256_LEN]; /* of their statements; [0] the genesis */
	struct cli_sets *ret;
};

/* ---- what the log has ---- */

static int
take_entry(void *ctx, const struct entry *e)
{
	struct mending *m = ctx;
	uint32_t number = e->ev == ENTRY_AUTHORITY_SIGNERS ? cli_chain_number(e, "signers:", SIGNERS_CHAIN_MAX) : 0;
	if (number > m->last)
		m->last = number;
	return number || e->ev == ENTRY_AUTHORITY_GENESIS ? digest_sha256(e->doc, m->digest[number]) : FG_OK;
}

static int
read_log(struct mending *m, uint64_t size)
{
	int err = cli_chain_entries(m->h.audit, size, take_entry, m);
	return err ? cli_chain_local(&m->h, "audit/log", err) : 0;
}

/* ---- what is here ---- */

/* As far as the chain holds. A set behind it that does not is as good as missing: the log has the right one. */
static int
load(struct mending *m)
{
	m->h.why_here[0] = '\0';
	int err = cli_chain_genesis(&m->h);
	if (!err)
		err = authority_load(m->h.a, m->h.authority, m->h.why_here, sizeof m->h.why_here);
	bool begins = m->h.a && authority_text(m->h.a).n;
	if (!err)
		snprintf(m->h.why_here, sizeof m->h.why_here, "missing");
	else if (begins && (err == FG_EFORMAT || err == FG_EPERM || err == FG_ELIMIT))
		err = FG_OK;
	return err ? cli_opt_fail(m->h.c, CLI_COULD_NOT, "AUTHORITY",
	    "Put it there from a backup, and run this again before the next start.", "%s: what the sets rest on: %s",
	    m->h.authority_path, m->h.why_here[0] ? m->h.why_here : err_why(err)) : 0;
}

/* ---- one set ---- */

static int
read_there(const struct mending *m, uint32_t number, struct cli_parcel *p)
{
	char stem[SET_NAME_MAX];
	snprintf(stem, sizeof stem, "%u", number);
	return cli_parcel_read(m->h.papers, stem, SIGNERS_SET_BYTES_MAX, p);
}

/* What does not count is not kept: everyone who reads the chain later would stumble over it. */
static int
sift(const struct signers *old, const struct signers *next, struct succession_bundle *b)
{
	unsigned kept = 0, n = b->n;
	const struct signers *sets[] = { old, next };
	for (unsigned i = 0; i < n; i++) {
		unsigned counts = 0;
		for (unsigned k = 0; k < 2 && !counts; k++) {
			int err = signers_count(sets[k], b->text, SIGNERS_NAMESPACE, next->time, &b->sig[i], 1, NULL, 0, &counts,
			    NULL, NULL);
			if (err)
				return err;
		}
		if (counts)
			b->sig[kept++] = b->sig[i];
	}
	b->n = kept;
	return FG_OK;
}

/* Whether it is the log's, and people put it in force. */
static int
judge(struct mending *m, uint32_t number, struct succession_bundle *b, struct signers *next)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	const struct signers *old = authority_current(m->h.a);
	int err = digest_sha256(b->text, digest);
	if (err)
		return err;
	if (memcmp(digest, m->digest[number], sizeof digest) != 0) {
		snprintf(m->h.why_there, sizeof m->h.why_there, "it is another statement than the log's");
		return FG_EPERM;
	}
	err = signers_parse(b->text, authority_genesis_get(m->h.a)->origin, next, m->h.why_there, sizeof m->h.why_there);
	if (!err)
		err = sift(old, next, b);
	return err ? err : signers_check_next(old, authority_text(m->h.a), next, b->text, b->sig, b->n, next->time,
	    m->h.why_there, sizeof m->h.why_there);
}

struct writing {
	const struct mending *m;
	uint32_t number;
	const struct succession_bundle *b;
};

static int
write_one(void *ctx)
{
	const struct writing *w = ctx;
	return w->b ? successor_settle(w->m->h.authority, SUCCESSOR_SIGNERS, w->number, w->b) :
	    lastset_write(w->m->h.approved, w->number, w->m->digest[w->number]);
}

/* The set with what b holds, or (NULL) the warden's memory of it. */
static int
write_as_owner(const struct mending *m, uint32_t number, const struct succession_bundle *b)
{
	struct writing w = { m, number, b };
	return cli_chain_as_owner(b ? m->h.authority : m->h.approved, write_one, &w);
}

/* The next of the chain, from the export. 0; an exit status; negative when it was not, with why_there. */
static int
fetch(struct mending *m, uint32_t number)
{
	struct cli_parcel p = { .b = { .n = 0 } };
	struct signers *next = calloc(1, sizeof *next);
	int status;
	m->h.why_there[0] = '\0';
	int err = next ? read_there(m, number, &p) : FG_ENOMEM;
	if (!err)
		err = judge(m, number, &p.b, next);
	if (!err) {
		err = write_as_owner(m, number, &p.b);
		status = err ? cli_chain_local(&m->h, m->h.authority_path, err) : 0;
	} else {
		if (!m->h.why_there[0])
			snprintf(m->h.why_there, sizeof m->h.why_there, "%s", err == FG_ENOTFOUND ? "missing" :
			    err_why(err));
		status = err;
	}
	cli_parcel_free(&p);
	free(next);
	return status;
}

/* ---- the chain ---- */

static void
lack(struct mending *m, uint32_t number)
{
	fprintf(stderr, "fotagate: %s/signers/%u.json: the log has this signer set", m->h.authority_path, number);
	if (m->ret->lacking++) {
		fprintf(stderr, " too.\n");
		return;
	}
	m->ret->first = number;
	fprintf(stderr, ". Here: %s. In %s: %s.\n" CLI_SETS_CURE "\n", m->h.why_here, m->h.there, m->h.why_there);
}

/* Whether the set that the folder ends with is the log's: then so are all before it, each names the digest of the other. */
static bool
is_logged(const struct mending *m)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	return digest_sha256(authority_text(m->h.a), digest) == FG_OK &&
	    memcmp(digest, m->digest[authority_current(m->h.a)->number], sizeof digest) == 0;
}

/* What was put is read again like everything: by the warden's code, from the disk. */
static int
follow(struct mending *m)
{
	uint32_t number = authority_current(m->h.a)->number;
	int status = 0;
	if (!is_logged(m)) {
		snprintf(m->h.why_here, sizeof m->h.why_here, "another statement");
		snprintf(m->h.why_there, sizeof m->h.why_there, "not looked at");
		status = FG_EPERM;
	}
	while (!status && number < m->last) {
		status = fetch(m, number + 1);
		if (status)
			break;
		m->ret->put++;
		status = load(m);
		if (!status && authority_current(m->h.a)->number <= number)
			status = cli_chain_local(&m->h, m->h.authority_path, FG_EFORMAT); /* somebody else writes there */
		number = authority_current(m->h.a)->number;
	}
	for (uint32_t i = number + (is_logged(m) ? 1 : 0); status < 0 && i <= m->last; i++)
		lack(m, i);
	return status > 0 ? status : 0;
}

static int
mend(struct mending *m, const struct rebuild *log)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint32_t known = 0, ends = authority_current(m->h.a)->number;
	int err = m->h.approved < 0 ? FG_ENOTFOUND : lastset_read(m->h.approved, &known, sha256);
	if (err && err != FG_ENOTFOUND && err != FG_EFORMAT) /* that, the warden will say */
		return cli_chain_local(&m->h, "images/approved/signers", err);
	bool remembers = err == FG_OK;
	/* Entries behind the signed ones may hold it, and are not read here; control compares with all of them. */
	if (ends > m->last || known > m->last)
		return log->kept ? 0 : cli_chain_refuse(&m->h, log->size, ends > known ? ends : known);
	int status = follow(m);
	/* The warden starts on no folder that goes on behind what it knows: this one may, for the log proves it. */
	if (status || m->ret->lacking || !remembers || known == m->last || memcmp(sha256, m->digest[known], sizeof sha256) != 0)
		return status;
	err = write_as_owner(m, m->last, NULL);
	return err ? cli_chain_local(&m->h, "images/approved/signers", err) : 0;
}

/* ---- all of it ---- */

int
cli_sets_mend(const struct cli_common *c, const char *data, const char *from, const struct rebuild *log,
    struct cli_sets *ret)
{
	struct mending *m = calloc(1, sizeof *m);
	*ret = (struct cli_sets){ 0 };
	if (!m)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	m->ret = ret;
	int status = cli_chain_open(&m->h, c, "signer set", "signer sets", data, from);
	if (!status)
		status = read_log(m, log->size);
	if (!status)
		status = load(m);
	if (!status)
		status = mend(m, log);
	cli_chain_close(&m->h);
	free(m);
	return status;
}
