/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_papers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/verify_file.h"

#define PAPER_PATH 128

static int
check_named(struct verify_log *l, const char *path, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	uint8_t own[DIGEST_SHA256_LEN];
	struct view text;
	int err = verify_file_read(l->dir, path, VERIFY_SMALL_MAX, &text);
	if (err) {
		verify_log_problem(l, "%s: %s", path, err_why(err));
		return err == FG_ENOMEM ? err : FG_OK;
	}
	err = digest_sha256(text, own);
	verify_file_free(text);
	if (!err && memcmp(own, sha256, sizeof own))
		verify_log_problem(l, "%s: its bytes are not those its name says", path);
	return err;
}

/* What its signer saw of the log is a beginning of this one: or there are two. */
static void
check_memory(struct verify_log *l, const char *path, const struct approval *a)
{
	uint8_t root[MERKLE_HASH_LEN];
	if (a->log_size > l->n)
		verify_log_problem(l, "%s: ROLLED BACK or cut: %s saw a log of %llu entries", path, a->approver,
		    (unsigned long long)a->log_size);
	else if (verify_log_root(l, a->log_size, root) || memcmp(root, a->log_root, sizeof root))
		verify_log_problem(l, "%s: FORK: %s signed over another log of %llu entries than this one", path, a->approver,
		    (unsigned long long)a->log_size);
}

/* Signed, when it was written, by a key that its approver had in some set of this gateway. */
static int
signed_by_approver(struct verify_log *l, const struct verify_signers *s, const char *path, struct view text,
    struct view sig, bool *ret)
{
	char why[160];
	struct signers_signature one = { sig };
	struct approval *a = calloc(1, sizeof *a);
	int err = a ? approval_parse(text, a, why, sizeof why) : FG_ENOMEM;
	for (uint32_t i = 0; !err && !*ret && i <= s->later_n; i++) {
		const struct signers *set = verify_signers_set(s, i);
		unsigned persons = 0, who[SIGNERS_MAX], n = 0;
		err = signers_count(set, text, APPROVAL_NAMESPACE, a->time, &one, 1, NULL, 0, &persons, who, &n);
		*ret = !err && n == 1 && !strcmp(set->signer[who[0]].principal, a->approver);
	}
	if (!err && *ret)
		check_memory(l, path, a);
	free(a);
	return err == FG_ENOMEM || err == FG_ECRYPTO ? err : FG_OK;
}

/* Its bytes are those the log names, or the only ones that say what they say. */
static bool
is_covered(const struct verify_story *story, struct view sig)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	uint64_t at;
	if (verify_signers_is_canonical(sig))
		return true;
	return !digest_sha256(sig, digest) && verify_index_get(story->signatures, digest, &at);
}

static int
check_signature(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story, const char *path)
{
	char statement[PAPER_PATH];
	struct view text = { 0 }, sig = { 0 };
	bool good = false;
	snprintf(statement, sizeof statement, "%.*sjson", (int)(strlen(path) - 3), path);
	int err = verify_file_read(l->dir, statement, APPROVAL_BYTES_MAX, &text);
	if (!err)
		err = verify_file_read(l->dir, path, SSHSIG_ARMOR_MAX, &sig);
	if (!err)
		err = signed_by_approver(l, s, path, text, sig, &good);
	if (!err && good && !is_covered(story, sig))
		verify_log_problem(l, "%s: not spelled as ssh-keygen does, and the log does not name it", path);
	verify_file_free(text);
	verify_file_free(sig);
	if (err == FG_ENOMEM || err == FG_ECRYPTO)
		return err;
	if (!good)
		verify_log_problem(l, "%s: no good signature of the statement's approver", path);
	return FG_OK;
}

/* A statement goes with its signature. */
static void
check_is_signed(struct verify_log *l, const char *path)
{
	char sig[PAPER_PATH];
	size_t size;
	int fd;
	snprintf(sig, sizeof sig, "%.*ssig", (int)(strlen(path) - 4), path);
	if (verify_file_open(l->dir, sig, SSHSIG_ARMOR_MAX, &fd, &size))
		verify_log_problem(l, "%s: its signature is not in the export", path);
	else
		close(fd);
}

static int
check_folder(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story, const char *folder,
    const char *ends, bool signatures)
{
	char path[VERIFY_FILE_PATH];
	if (snprintf(path, sizeof path, "%s/%s", l->dir, folder) >= (int)sizeof path)
		return FG_ELIMIT;
	DIR *d = opendir(path);
	if (!d)
		return FG_OK; /* what is missing from it, verify_story misses */
	int err = FG_OK;
	for (struct dirent *e; !err && (e = readdir(d));) {
		uint8_t sha256[DIGEST_SHA256_LEN];
		char name[PAPER_PATH];
		size_t n = strlen(e->d_name);
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		bool named = n > DIGEST_HEX_LEN && n < 80 &&
		    hex_decode(view_of(e->d_name, DIGEST_HEX_LEN), sha256, sizeof sha256);
		const char *suffix = named ? e->d_name + DIGEST_HEX_LEN : "";
		snprintf(name, sizeof name, "%s/%.80s", folder, e->d_name);
		if (!strcmp(suffix, ends)) {
			err = check_named(l, name, sha256);
			if (signatures)
				check_is_signed(l, name);
		} else if (signatures && !strcmp(suffix, ".sig"))
			err = check_signature(l, s, story, name);
		else
			verify_log_problem(l, "%s: a file with a strange name", folder);
	}
	closedir(d);
	return err;
}

int
verify_papers_check(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story)
{
	int err = check_folder(l, s, story, "statements", ".json", true);
	if (!err)
		err = check_folder(l, s, story, "reports", ".json", false);
	if (!err)
		err = check_folder(l, s, story, "provenance", ".json", false);
	if (!err)
		err = check_folder(l, s, story, "attachments", ".bin", false);
	return err ? err : check_folder(l, s, story, "policies", ".json", false);
}
