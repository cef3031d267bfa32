/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_sets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/succession.h"
#include "gateway/audit/condemned.h"
#include "gateway/cmd/cli_chain.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/warden/authority.h"
#include "gateway/warden/lastset.h"
#include "gateway/warden/successor.h"

#define SET_PREFIX "signers:"
#define SET_NAME_MAX 32

struct mending {
	const struct cli_common *c;
	char authority_path[CLI_OPT_PATH_MAX];
	char there[CLI_OPT_PATH_MAX]; /* signers/ of the export */
	int authority, approved, audit, sets; /* folders: three of data_dir's, and there; -1 */
	struct authority *a;          /* what is here, as far as it holds */
	uint32_t last;                /* the newest set that the log has */
	uint8_t digest[SIGNERS_CHAIN_MAX + 1][DIGEST_SHA256_LEN]; /* of their statements; [0] the genesis */
	char why_here[256], why_there[256];
	struct cli_sets *ret;
};

static int
local(const struct mending *m, const char *path, int err)
{
	return cli_opt_fail(m->c, CLI_COULD_NOT, "LOCAL",
	    "The log itself is whole, the signer sets may not be: run it again before the next start.", "%s: %s", path,
	    err_why(err));
}

/* ---- what the log has ---- */

static int
take_entry(void *ctx, const struct entry *e)
{
	struct mending *m = ctx;
	uint64_t number;
	const size_t n = sizeof SET_PREFIX - 1;
	int err = e->ev == ENTRY_AUTHORITY_GENESIS ? digest_sha256(e->doc, m->digest[0]) : FG_OK;
	if (e->ev == ENTRY_AUTHORITY_SIGNERS && e->obj.n > n && !memcmp(e->obj.p, SET_PREFIX, n) &&
	    decimal_parse(view_of(e->obj.p + n, e->obj.n - n), SIGNERS_CHAIN_MAX, &number) && number) {
		err = digest_sha256(e->doc, m->digest[number]);
		if (number > m->last)
			m->last = (uint32_t)number;
	}
	return err;
}

static int
read_log(struct mending *m, uint64_t size)
{
	int err = cli_chain_entries(m->audit, size, take_entry, m);
	return err ? local(m, "audit/log", err) : 0;
}

/* ---- what is here ---- */

static int
give(struct mending *m, const char *name, int (*take)(struct authority *a, int fd))
{
	int fd = openat(m->authority, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = take(m->a, fd);
	close(fd);
	return err;
}

/* As far as the chain holds. A set behind it that does not is as good as missing: the log has the right one. */
static int
load(struct mending *m)
{
	char name[SET_NAME_MAX];
	m->why_here[0] = '\0';
	authority_free(m->a);
	m->a = authority_new();
	int err = m->a ? give(m, "genesis.json", authority_genesis) : FG_ENOMEM;
	for (unsigned i = 0; !err && i < AUTHORITY_SIGS_MAX; i++) {
		snprintf(name, sizeof name, "genesis.sig.%u", i);
		err = give(m, name, authority_genesis_sig);
	}
	if (!err || err == FG_ENOTFOUND)
		err = authority_load(m->a, m->authority, m->why_here, sizeof m->why_here);
	bool begins = m->a && authority_text(m->a).n;
	if (!err)
		snprintf(m->why_here, sizeof m->why_here, "missing");
	else if (begins && (err == FG_EFORMAT || err == FG_EPERM || err == FG_ELIMIT))
		err = FG_OK;
	return err ? cli_opt_fail(m->c, CLI_COULD_NOT, "AUTHORITY",
	    "Put it there from a backup, and run this again before the next start.", "%s: what the sets rest on: %s",
	    m->authority_path, m->why_here[0] ? m->why_here : err_why(err)) : 0;
}

/* ---- one set ---- */

static int
read_there(const struct mending *m, uint32_t number, struct cli_parcel *p)
{
	char stem[SET_NAME_MAX];
	snprintf(stem, sizeof stem, "%u", number);
	return cli_parcel_read(m->sets, stem, SIGNERS_SET_BYTES_MAX, p);
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
	const struct signers *old = authority_current(m->a);
	int err = digest_sha256(b->text, digest);
	if (err)
		return err;
	if (memcmp(digest, m->digest[number], sizeof digest) != 0) {
		snprintf(m->why_there, sizeof m->why_there, "it is another statement than the log's");
		return FG_EPERM;
	}
	err = signers_parse(b->text, authority_genesis_get(m->a)->origin, next, m->why_there, sizeof m->why_there);
	if (!err)
		err = sift(old, next, b);
	return err ? err : signers_check_next(old, authority_text(m->a), next, b->text, b->sig, b->n, next->time,
	    m->why_there, sizeof m->why_there);
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
	return w->b ? successor_settle(w->m->authority, SUCCESSOR_SIGNERS, w->number, w->b) :
	    lastset_write(w->m->approved, w->number, w->m->digest[w->number]);
}

/* The set with what b holds, or (NULL) the warden's memory of it. */
static int
write_as_owner(const struct mending *m, uint32_t number, const struct succession_bundle *b)
{
	struct writing w = { m, number, b };
	return cli_chain_as_owner(b ? m->authority : m->approved, write_one, &w);
}

/* The next of the chain, from the export. 0; an exit status; negative when it was not, with why_there. */
static int
fetch(struct mending *m, uint32_t number)
{
	struct cli_parcel p = { .b = { .n = 0 } };
	struct signers *next = calloc(1, sizeof *next);
	int status;
	m->why_there[0] = '\0';
	int err = next ? read_there(m, number, &p) : FG_ENOMEM;
	if (!err)
		err = judge(m, number, &p.b, next);
	if (!err) {
		err = write_as_owner(m, number, &p.b);
		status = err ? local(m, m->authority_path, err) : 0;
	} else {
		if (!m->why_there[0])
			snprintf(m->why_there, sizeof m->why_there, "%s", err == FG_ENOTFOUND ? "missing" :
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
	fprintf(stderr, "fotagate: %s/signers/%u.json: the log has this signer set", m->authority_path, number);
	if (m->ret->lacking++) {
		fprintf(stderr, " too.\n");
		return;
	}
	m->ret->first = number;
	fprintf(stderr, ". Here: %s. In %s: %s.\n" CLI_SETS_CURE "\n", m->why_here, m->there, m->why_there);
}

/* Whether the set that the folder ends with is the log's: then so are all before it, each names the digest of the other. */
static bool
is_logged(const struct mending *m)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	return digest_sha256(authority_text(m->a), digest) == FG_OK &&
	    memcmp(digest, m->digest[authority_current(m->a)->number], sizeof digest) == 0;
}

/* What was put is read again like everything: by the warden's code, from the disk. */
static int
follow(struct mending *m)
{
	uint32_t number = authority_current(m->a)->number;
	int status = 0;
	if (!is_logged(m)) {
		snprintf(m->why_here, sizeof m->why_here, "another statement");
		snprintf(m->why_there, sizeof m->why_there, "not looked at");
		status = FG_EPERM;
	}
	while (!status && number < m->last) {
		status = fetch(m, number + 1);
		if (status)
			break;
		m->ret->put++;
		status = load(m);
		if (!status && authority_current(m->a)->number <= number)
			status = local(m, m->authority_path, FG_EFORMAT); /* somebody else writes there */
		number = authority_current(m->a)->number;
	}
	for (uint32_t i = number + (is_logged(m) ? 1 : 0); status < 0 && i <= m->last; i++)
		lack(m, i);
	return status > 0 ? status : 0;
}

/*
 * A set is put in force when the log has it. If it is known here and not in the log, the log was longer once, and
 * what follows from here would be a fork.
 */
static int
refuse(struct mending *m, uint64_t size, uint32_t known)
{
	struct condemned c = { .state = MSG_LOG_ROLLED_BACK, .known = size + 1, .since = (int64_t)time(NULL) };
	snprintf(c.why, sizeof c.why, "signer set %u was put in force here, and the log ends before it", known);
	int err = condemned_write(m->audit, &c);
	return err ? local(m, "audit/" CONDEMNED_FILE, err) :
	    cli_opt_fail(m->c, CLI_REFUSED, "LOG", "The log stays condemned. Repair it with a newer export.", "%s", c.why);
}

static int
mend(struct mending *m, const struct rebuild *log)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint32_t known = 0, ends = authority_current(m->a)->number;
	int err = m->approved < 0 ? FG_ENOTFOUND : lastset_read(m->approved, &known, sha256);
	if (err && err != FG_ENOTFOUND && err != FG_EFORMAT) /* that, the warden will say */
		return local(m, "images/approved/signers", err);
	bool remembers = err == FG_OK;
	/* Entries behind the signed ones may hold it, and are not read here; control compares with all of them. */
	if (ends > m->last || known > m->last)
		return log->kept ? 0 : refuse(m, log->size, ends > known ? ends : known);
	int status = follow(m);
	/* The warden starts on no folder that goes on behind what it knows: this one may, for the log proves it. */
	if (status || m->ret->lacking || !remembers || known == m->last || memcmp(sha256, m->digest[known], sizeof sha256) != 0)
		return status;
	err = write_as_owner(m, m->last, NULL);
	return err ? local(m, "images/approved/signers", err) : 0;
}

/* ---- all of it ---- */

static int
open_below(const struct mending *m, const char *data, const char *name, int *ret)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_place_path(data, name, path))
		return CLI_USAGE;
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? local(m, path, FG_EIO) : 0;
}

static int
begin(struct mending *m, const char *data, const char *from, uint64_t size)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_place_path(data, "authority", m->authority_path) || !cli_place_path(from, "signers", m->there) ||
	    !cli_place_path(data, "images/approved", path))
		return CLI_USAGE;
	int status = open_below(m, data, "audit", &m->audit);
	if (!status)
		status = open_below(m, data, "authority", &m->authority);
	/* Of a gateway that never started there is none. */
	if (!status && access(path, F_OK) == 0)
		status = open_below(m, data, "images/approved", &m->approved);
	if (!status)
		status = read_log(m, size);
	if (!status)
		status = load(m);
	m->sets = status ? -1 : open(m->there, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return status;
}

int
cli_sets_mend(const struct cli_common *c, const char *data, const char *from, const struct rebuild *log,
    struct cli_sets *ret)
{
	struct mending *m = calloc(1, sizeof *m);
	*ret = (struct cli_sets){ 0 };
	if (!m)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	m->c = c;
	m->ret = ret;
	m->authority = m->approved = m->audit = m->sets = -1;
	int status = begin(m, data, from, log->size);
	if (!status)
		status = mend(m, log);
	int fds[] = { m->authority, m->approved, m->audit, m->sets };
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	authority_free(m->a);
	free(m);
	return status;
}
