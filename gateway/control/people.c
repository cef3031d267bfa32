/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/people.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/state/files.h"

#define SIGS_MAX SIGNERS_MAX

struct people {
	struct genesis genesis;
	uint8_t digest[DIGEST_SHA256_LEN];
	uint8_t *text;
	size_t text_n;
	struct signers set; /* in force */
};

static int
slurp(int fd, size_t max, uint8_t **ret, size_t *ret_n)
{
	struct writer w;
	writer_init(&w, max);
	int err = files_read(fd, max, &w);
	if (!err) {
		*ret = writer_take(&w, ret_n);
		err = *ret ? FG_OK : FG_ENOMEM;
	}
	writer_free(&w);
	return err;
}

static int
slurp_at(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return FG_ENOTFOUND;
	int err = slurp(fd, max, ret, ret_n);
	close(fd);
	return err;
}

/* The set of that number; *previous is its predecessor's text and becomes its own. */
static int
follow(struct people *p, int dirfd, uint32_t number, uint8_t **previous, size_t *previous_n, char *why, size_t cap)
{
	char name[48];
	uint8_t *text = NULL, *sig[SIGS_MAX] = { 0 };
	struct signers_signature sigs[SIGS_MAX];
	size_t text_n = 0, n = 0;
	struct signers *next = calloc(1, sizeof *next);
	snprintf(name, sizeof name, "signers/%u.json", number);
	int err = next ? slurp_at(dirfd, name, SIGNERS_SET_BYTES_MAX, &text, &text_n) : FG_ENOMEM;
	for (; !err && n < SIGS_MAX; n++) {
		size_t len = 0;
		snprintf(name, sizeof name, "signers/%u.sig.%zu", number, n);
		if (slurp_at(dirfd, name, SSHSIG_ARMOR_MAX, &sig[n], &len))
			break;
		sigs[n].armour = view_of(sig[n], len);
	}
	if (!err)
		err = signers_parse(view_of(text, text_n), p->genesis.origin, next, why, cap);
	if (!err)
		err = signers_check_next(&p->set, view_of(*previous, *previous_n), next, view_of(text, text_n), sigs,
		    (unsigned)n, next->time, why, cap);
	if (!err) {
		p->set = *next;
		free(*previous);
		*previous = text;
		*previous_n = text_n;
		text = NULL;
	}
	for (size_t i = 0; i < n; i++)
		free(sig[i]);
	free(text);
	free(next);
	return err;
}

static int
follow_all(struct people *p, const char *data_dir, char *why, size_t cap)
{
	char path[512];
	uint8_t *previous = malloc(p->text_n);
	size_t previous_n = p->text_n;
	snprintf(path, sizeof path, "%s/authority", data_dir);
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = previous ? FG_OK : FG_ENOMEM;
	if (!err)
		memcpy(previous, p->text, p->text_n);
	for (uint32_t number = 1; dirfd >= 0 && !err && number <= SIGNERS_CHAIN_MAX; number++)
		err = follow(p, dirfd, number, &previous, &previous_n, why, cap);
	if (dirfd >= 0)
		close(dirfd);
	free(previous);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

int
people_load(int genesis_fd, const char *data_dir, struct people **ret, char *ret_why, size_t cap)
{
	struct people *p = calloc(1, sizeof *p);
	if (!p)
		return FG_ENOMEM;
	ret_why[0] = '\0';
	int err = genesis_fd < 0 ? FG_ENOTFOUND : slurp(genesis_fd, GENESIS_BYTES_MAX, &p->text, &p->text_n);
	if (!err)
		err = genesis_parse(view_of(p->text, p->text_n), &p->genesis, ret_why, cap);
	if (!err)
		err = digest_sha256(view_of(p->text, p->text_n), p->digest);
	if (!err) {
		p->set = p->genesis.set;
		err = follow_all(p, data_dir, ret_why, cap);
	}
	if (err) {
		if (!ret_why[0])
			snprintf(ret_why, cap, "%s", err == FG_ENOTFOUND ? "run fotagate init" : err_name(err));
		people_free(p);
		return err;
	}
	*ret = p;
	return FG_OK;
}

void
people_free(struct people *p)
{
	if (!p)
		return;
	free(p->text);
	free(p);
}

const struct genesis *
people_genesis(const struct people *p)
{
	return &p->genesis;
}

const uint8_t *
people_genesis_digest(const struct people *p)
{
	return p->digest;
}

struct view
people_genesis_text(const struct people *p)
{
	return view_of(p->text, p->text_n);
}

const struct signers *
people_set(const struct people *p)
{
	return &p->set;
}

bool
people_knows(const struct people *p, const char *principal)
{
	for (uint32_t i = 0; i < p->set.n; i++)
		if (strcmp(p->set.signer[i].principal, principal) == 0)
			return true;
	return false;
}
