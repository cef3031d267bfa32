/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"

struct bytes {
	uint8_t *p;
	size_t n;
};

struct authority {
	struct genesis genesis;
	struct bytes genesis_text;
	struct bytes sig[AUTHORITY_SIGS_MAX];
	unsigned sigs_n;
	struct signers *later; /* sets 1.., in order */
	uint32_t later_n;
	struct bytes text; /* of the set in force */
	struct signers counting;
};

static int
no(char *ret_why, size_t cap, int err, const char *what, uint32_t number)
{
	if (cap)
		snprintf(ret_why, cap, "signer set %u: %s", number, what);
	return err;
}

/* All of fd from its start; owned bytes. */
static int
slurp(int fd, size_t max, struct bytes *ret)
{
	uint8_t *p = malloc(max + 1);
	size_t n = 0;
	if (!p)
		return FG_ENOMEM;
	for (;;) {
		ssize_t r = pread(fd, p + n, max + 1 - n, (off_t)n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 || n + (size_t)r > max) {
			free(p);
			return r < 0 ? FG_EIO : FG_ELIMIT;
		}
		if (r == 0)
			break;
		n += (size_t)r;
	}
	free(ret->p);
	*ret = (struct bytes){ p, n };
	return FG_OK;
}

static int
slurp_at(int dirfd, const char *name, size_t max, struct bytes *ret)
{
	/* Not blocking: whoever else may write there must not hold us with a FIFO. */
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = slurp(fd, max, ret);
	close(fd);
	return err;
}

struct authority *
authority_new(void)
{
	return calloc(1, sizeof(struct authority));
}

void
authority_free(struct authority *a)
{
	if (!a)
		return;
	free(a->genesis_text.p);
	for (unsigned i = 0; i < a->sigs_n; i++)
		free(a->sig[i].p);
	free(a->later);
	free(a->text.p);
	free(a);
}

int
authority_genesis(struct authority *a, int fd)
{
	return slurp(fd, GENESIS_BYTES_MAX, &a->genesis_text);
}

int
authority_genesis_sig(struct authority *a, int fd)
{
	if (a->sigs_n == AUTHORITY_SIGS_MAX)
		return FG_ELIMIT;
	int err = slurp(fd, SSHSIG_ARMOR_MAX, &a->sig[a->sigs_n]);
	if (!err)
		a->sigs_n++;
	return err;
}

static unsigned
borrow(const struct bytes *sigs, unsigned n, struct signers_signature *ret)
{
	for (unsigned i = 0; i < n; i++)
		ret[i].armour = view_of(sigs[i].p, sigs[i].n);
	return n;
}

static int
check_genesis(struct authority *a, char *ret_why, size_t cap)
{
	struct signers_signature sigs[AUTHORITY_SIGS_MAX];
	struct view text = view_of(a->genesis_text.p, a->genesis_text.n);
	int err = genesis_parse(text, &a->genesis, ret_why, cap);
	if (err)
		return err;
	/* The keys had to be valid when it was made, not for ever after. */
	return genesis_check(&a->genesis, text, sigs, borrow(a->sig, a->sigs_n, sigs), a->genesis.set.time, ret_why, cap);
}

/* Set number below dirfd with its signatures; FG_ENOTFOUND when the chain ends here. */
static int
follow(struct authority *a, int dirfd, uint32_t number, struct bytes *previous, char *ret_why, size_t cap)
{
	char name[64];
	struct bytes text = { 0 }, sig[AUTHORITY_SIGS_MAX] = { 0 };
	struct signers_signature sigs[AUTHORITY_SIGS_MAX];
	struct signers *next = calloc(1, sizeof *next);
	unsigned n = 0;
	snprintf(name, sizeof name, "signers/%u.json", number);
	int err = next ? slurp_at(dirfd, name, SIGNERS_SET_BYTES_MAX, &text) : FG_ENOMEM;
	if (err)
		goto out;
	while (n < AUTHORITY_SIGS_MAX) {
		snprintf(name, sizeof name, "signers/%u.sig.%u", number, n);
		err = slurp_at(dirfd, name, SSHSIG_ARMOR_MAX, &sig[n]);
		if (err)
			break;
		n++;
	}
	err = signers_parse(view_of(text.p, text.n), a->genesis.origin, next, ret_why, cap);
	if (err)
		goto out;
	err = signers_check_next(authority_current(a), view_of(previous->p, previous->n), next, view_of(text.p, text.n),
	    sigs, borrow(sig, n, sigs), next->time, ret_why, cap);
	if (err)
		goto out;
	struct signers *more = reallocarray(a->later, a->later_n + 1, sizeof *more);
	if (!more) {
		err = FG_ENOMEM;
		goto out;
	}
	a->later = more;
	a->later[a->later_n++] = *next;
	free(previous->p);
	*previous = text;
	text = (struct bytes){ 0 };
out:
	free(text.p);
	for (unsigned i = 0; i < n; i++)
		free(sig[i].p);
	free(next);
	return err;
}

int
authority_load(struct authority *a, int dirfd, char *ret_why, size_t cap)
{
	if (!a->genesis_text.n)
		return no(ret_why, cap, FG_ENOTFOUND, "there is no genesis: run fotagate init", 0);
	int err = check_genesis(a, ret_why, cap);
	if (err)
		return err;
	struct bytes previous = { malloc(a->genesis_text.n), a->genesis_text.n };
	if (!previous.p)
		return FG_ENOMEM;
	memcpy(previous.p, a->genesis_text.p, previous.n);
	for (uint32_t number = 1; !err && number <= SIGNERS_CHAIN_MAX; number++)
		err = follow(a, dirfd, number, &previous, ret_why, cap);
	free(a->text.p);
	a->text = previous;
	a->counting = *authority_current(a);
	if (err == FG_ENOTFOUND)
		return FG_OK;
	return err ? err : no(ret_why, cap, FG_ELIMIT, "the chain of signer sets is too long", SIGNERS_CHAIN_MAX);
}

const struct genesis *
authority_genesis_get(const struct authority *a)
{
	return &a->genesis;
}

struct view
authority_genesis_text(const struct authority *a)
{
	return view_of(a->genesis_text.p, a->genesis_text.n);
}

const struct signers *
authority_current(const struct authority *a)
{
	return a->later_n ? &a->later[a->later_n - 1] : &a->genesis.set;
}

struct view
authority_text(const struct authority *a)
{
	return view_of(a->text.p, a->text.n);
}

int
authority_adopt(struct authority *a, const struct signers *next, struct view text)
{
	if (next->number != authority_current(a)->number + 1)
		return FG_ESTATE;
	struct bytes own = { malloc(text.n), text.n };
	struct signers *more = own.p ? reallocarray(a->later, a->later_n + 1, sizeof *more) : NULL;
	if (!more) {
		free(own.p);
		return FG_ENOMEM;
	}
	memcpy(own.p, text.p, text.n);
	free(a->text.p);
	a->text = own;
	a->later = more;
	a->later[a->later_n++] = *next;
	a->counting = *next;
	return FG_OK;
}

int
authority_suspend(struct authority *a, const struct signers_suspended *gone, unsigned n)
{
	int err = signers_without(authority_current(a), gone, n, &a->counting);
	if (err)
		a->counting.n = 0; /* nobody counts rather than one too many */
	return err;
}

const struct signers *
authority_counting(const struct authority *a)
{
	return &a->counting;
}

const struct signers *
authority_set(const struct authority *a, uint32_t number)
{
	if (number == 0)
		return &a->genesis.set;
	return number <= a->later_n ? &a->later[number - 1] : NULL;
}
