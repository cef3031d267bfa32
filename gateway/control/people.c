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
	uint8_t *set_text;
	size_t set_text_n;
	struct signers counting;
	struct signers_suspended suspended[SIGNERS_MAX];
	unsigned suspended_n;
	struct people_past *past;
	size_t past_n;
	char data_dir[400];
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

static int
note_past(struct people *p)
{
	struct people_past *more = reallocarray(p->past, p->past_n + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	p->past = more;
	struct people_past *one = &p->past[p->past_n];
	*one = (struct people_past){ .number = p->set.number, .keys = p->set.n, .persons = signers_persons(&p->set),
		.threshold = p->set.threshold, .time = p->set.time };
	int err = digest_sha256(view_of(p->set_text, p->set_text_n), one->digest);
	if (!err)
		p->past_n++;
	return err;
}

/* The set after the one in force. */
static int
follow(struct people *p, int dirfd, char *why, size_t cap)
{
	char name[48];
	uint8_t *text = NULL, *sig[SIGS_MAX] = { 0 };
	struct signers_signature sigs[SIGS_MAX];
	size_t text_n = 0, n = 0;
	uint32_t number = p->set.number + 1;
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
		err = signers_check_next(&p->set, view_of(p->set_text, p->set_text_n), next, view_of(text, text_n), sigs,
		    (unsigned)n, next->time, why, cap);
	if (!err) {
		p->set = *next;
		p->counting = *next;
		p->suspended_n = 0;
		free(p->set_text);
		p->set_text = text;
		p->set_text_n = text_n;
		text = NULL;
		err = note_past(p);
	}
	for (size_t i = 0; i < n; i++)
		free(sig[i]);
	free(text);
	free(next);
	return err;
}

static int
follow_all(struct people *p, char *why, size_t cap)
{
	char path[512];
	snprintf(path, sizeof path, "%s/authority", p->data_dir);
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = FG_OK;
	while (dirfd >= 0 && !err && p->set.number < SIGNERS_CHAIN_MAX)
		err = follow(p, dirfd, why, cap);
	if (dirfd >= 0)
		close(dirfd);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

int
people_reload(struct people *p, bool *ret_new, char *ret_why, size_t cap)
{
	uint32_t before = p->set.number;
	ret_why[0] = '\0';
	int err = follow_all(p, ret_why, cap);
	if (err && !ret_why[0])
		snprintf(ret_why, cap, "%s", err_name(err));
	*ret_new = p->set.number != before;
	return err;
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
	if (!err && snprintf(p->data_dir, sizeof p->data_dir, "%s", data_dir) >= (int)sizeof p->data_dir)
		err = FG_ELIMIT;
	if (!err) {
		p->set = p->counting = p->genesis.set;
		p->set_text = malloc(p->text_n);
		err = p->set_text ? FG_OK : FG_ENOMEM;
	}
	if (!err) {
		memcpy(p->set_text, p->text, p->text_n);
		p->set_text_n = p->text_n;
		err = note_past(p);
	}
	if (!err)
		err = follow_all(p, ret_why, cap);
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
	free(p->set_text);
	free(p->past);
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

struct view
people_set_text(const struct people *p)
{
	return view_of(p->set_text, p->set_text_n);
}

const struct signers *
people_counting(const struct people *p)
{
	return &p->counting;
}

const struct signers_suspended *
people_suspended(const struct people *p, unsigned *ret_n)
{
	*ret_n = p->suspended_n;
	return p->suspended;
}

int64_t
people_suspended_at(const struct people *p, const struct sshkey *key)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	if (sshkey_digest(key, digest))
		return 0;
	for (unsigned i = 0; i < p->suspended_n; i++)
		if (!memcmp(p->suspended[i].key, digest, sizeof digest))
			return p->suspended[i].at;
	return 0;
}

int
people_suspend(struct people *p, const uint8_t key[DIGEST_SHA256_LEN], int64_t at)
{
	bool listed = false;
	for (unsigned i = 0; i < p->suspended_n; i++)
		if (!memcmp(p->suspended[i].key, key, DIGEST_SHA256_LEN)) {
			if (at > p->suspended[i].at)
				p->suspended[i].at = at;
			return FG_OK;
		}
	for (uint32_t i = 0; i < p->set.n; i++) {
		uint8_t digest[DIGEST_SHA256_LEN];
		int err = sshkey_digest(&p->set.signer[i].key, digest);
		if (err)
			return err;
		listed |= !memcmp(digest, key, sizeof digest);
	}
	if (!listed)
		return FG_OK;
	struct signers_suspended *one = &p->suspended[p->suspended_n++]; /* as many as the set has keys, at most */
	memcpy(one->key, key, sizeof one->key);
	one->at = at;
	return signers_without(&p->set, p->suspended, p->suspended_n, &p->counting);
}

const struct people_past *
people_history(const struct people *p, size_t *ret_n)
{
	*ret_n = p->past_n;
	return p->past;
}

bool
people_knows(const struct people *p, const char *principal)
{
	for (uint32_t i = 0; i < p->set.n; i++)
		if (strcmp(p->set.signer[i].principal, principal) == 0)
			return true;
	return false;
}
