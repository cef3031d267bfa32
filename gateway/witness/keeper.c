/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/witness/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"

#define FILE_NAME_MAX (KEEPER_NAME_LEN + 8)
#define TEXT_TYPE "text/plain; charset=utf-8"

struct kept { /* what is remembered of one log */
	char name[KEEPER_NAME_LEN + 1];
	struct witness_memory memory;
	struct writer note; /* as the file holds it */
};

struct keeper {
	int dirfd;
	struct merkle *m;
	struct note_signer signer;
	size_t logs;
	struct note_key log[WITNESS_POLICY_LOGS_MAX];
	struct kept kept[WITNESS_POLICY_LOGS_MAX];
};

/* ---- files ---- */

static int
write_all(int fd, struct view v)
{
	while (v.n) {
		ssize_t n = write(fd, v.p, v.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FG_EIO;
		v = view_of(v.p + n, v.n - (size_t)n);
	}
	return 0;
}

/* Replaces a file, durably. After FG_EIO it holds the old or the new bytes, never others. */
static int
keep_file(int dirfd, const char *name, struct view bytes)
{
	char aside[FILE_NAME_MAX];
	snprintf(aside, sizeof aside, "%s.new", name);
	int fd = openat(dirfd, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return FG_EIO;
	int err = write_all(fd, bytes);
	if (!err && fsync(fd))
		err = FG_EIO;
	if (close(fd) && !err)
		err = FG_EIO;
	if (!err && renameat(dirfd, aside, dirfd, name))
		err = FG_EIO;
	if (err) {
		int why = errno; /* of the failure, not of the cleaning up */
		unlinkat(dirfd, aside, 0);
		errno = why;
		return err;
	}
	return fsync(dirfd) ? FG_EIO : 0;
}

/* Appends a whole file. FG_ENOTFOUND when there is none. */
static int
read_file(int dirfd, const char *name, struct writer *w)
{
	uint8_t buf[4096];
	ssize_t n;
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	while ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			writer_bytes(w, view_of(buf, (size_t)n));
	}
	close(fd);
	return n < 0 ? FG_EIO : writer_err(w);
}

/* ---- opening ---- */

/* A file counts only as what this witness wrote: the log's checkpoint with the witness's own line. */
static int
load(struct keeper *k, size_t i, char why[KEEPER_WHY_MAX])
{
	struct kept *kept = &k->kept[i];
	struct checkpoint_opened o;
	uint8_t sha256[DIGEST_SHA256_LEN];
	int err = digest_sha256(view_str(k->log[i].name), sha256);
	if (err)
		return err;
	hex_encode(sha256, sizeof sha256, kept->name);
	writer_init(&kept->note, NOTE_SIZE_MAX);
	err = read_file(k->dirfd, kept->name, &kept->note);
	if (err == FG_ENOTFOUND)
		return 0;
	if (!err)
		err = checkpoint_open(writer_view(&kept->note), NULL, &k->log[i], &k->signer.key, 1,
		    CHECKPOINT_EXTENSIONS_MAX, &o);
	if (!err && (o.outcome != CHECKPOINT_VERIFIED || !o.witnessed[0])) {
		snprintf(why, KEEPER_WHY_MAX, "%s, the memory of %s: %s", kept->name, k->log[i].name,
		    o.outcome == CHECKPOINT_VERIFIED ? "not cosigned by this witness" :
						       checkpoint_outcome_name(o.outcome));
		return FG_EFORMAT;
	}
	if (!err) {
		kept->memory.size = o.head.size;
		memcpy(kept->memory.root, o.head.root, sizeof kept->memory.root);
	}
	return err;
}

int
keeper_open(int dirfd, const struct witness_policy *logs, const struct note_signer *signer, struct keeper **ret,
    char why[KEEPER_WHY_MAX])
{
	struct keeper *k = calloc(1, sizeof *k);
	int err = k ? 0 : FG_ENOMEM;
	why[0] = '\0';
	if (err) {
		close(dirfd);
		return err;
	}
	k->dirfd = dirfd;
	k->signer = *signer;
	k->logs = logs->logs;
	memcpy(k->log, logs->log, sizeof k->log);
	if (!(k->m = merkle_new()))
		err = FG_ENOMEM;
	if (!err && flock(dirfd, LOCK_EX | LOCK_NB)) {
		snprintf(why, KEEPER_WHY_MAX, "another process keeps this directory");
		err = FG_ESTATE;
	}
	for (size_t i = 0; !err && i < k->logs; i++)
		err = load(k, i, why);
	if (err) {
		if (!why[0])
			snprintf(why, KEEPER_WHY_MAX, "%s", err_name(err));
		keeper_close(k);
		return err;
	}
	*ret = k;
	return 0;
}

void
keeper_close(struct keeper *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->logs; i++)
		writer_free(&k->kept[i].note);
	merkle_free(k->m);
	note_signer_wipe(&k->signer);
	close(k->dirfd);
	free(k);
}

/* ---- submissions ---- */

static struct kept *
find(struct keeper *k, struct view origin, const struct note_key **ret_key)
{
	for (size_t i = 0; i < k->logs; i++) {
		if (view_is(origin, k->log[i].name)) {
			*ret_key = &k->log[i];
			return &k->kept[i];
		}
	}
	*ret_key = NULL;
	return NULL;
}

/* Keeps the checkpoint with our line over it, then gives the line out. */
static int
cosign(struct keeper *k, struct kept *kept, const struct witness_request *r, const struct note_key *log,
    const struct witness_verdict *v, uint64_t now_s, struct writer *w)
{
	struct writer note;
	struct writer line;
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&line, WITNESS_ANSWER_MAX);
	int err = note_cosign(v->text, &k->signer, now_s, &line);
	if (!err)
		err = note_keep(r->checkpoint, log, 1, &note);
	writer_bytes(&note, writer_view(&line));
	if (!err)
		err = writer_err(&note);
	if (!err)
		err = keep_file(k->dirfd, kept->name, writer_view(&note));
	if (!err) {
		kept->memory.size = v->head.size;
		memcpy(kept->memory.root, v->head.root, sizeof kept->memory.root);
		writer_free(&kept->note);
		kept->note = note;
		writer_init(&note, 0);
		writer_bytes(w, writer_view(&line));
		err = writer_err(w);
	}
	writer_free(&note);
	writer_free(&line);
	return err;
}

/* Both halves of what convicts a log, once. Best effort: the answer is the same without it. */
static void
keep_fork(const struct keeper *k, const struct kept *kept, const struct witness_request *r, const struct note_key *log)
{
	char name[FILE_NAME_MAX];
	struct stat st;
	struct writer note;
	snprintf(name, sizeof name, "%s.fork", kept->name);
	if (fstatat(k->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	writer_init(&note, NOTE_SIZE_MAX);
	if (note_keep(r->checkpoint, log, 1, &note) == 0)
		keep_file(k->dirfd, name, writer_view(&note));
	writer_free(&note);
}

void
keeper_submit(struct keeper *k, struct view body, uint64_t now_s, struct writer *w, struct keeper_answer *ret)
{
	struct witness_request r;
	struct witness_verdict v = { .outcome = WITNESS_MALFORMED };
	const struct note_key *log = NULL;
	struct kept *kept = NULL;
	static const struct witness_memory nothing;
	int err = witness_request_parse(body, &r);
	if (!err) {
		kept = find(k, r.origin, &log);
		err = witness_judge(k->m, &r, log, kept ? &kept->memory : &nothing, &v);
	} else if (err == FG_EFORMAT) {
		err = 0;
	}
	struct keeper_answer a = { .origin = log ? log->name : NULL, .size = v.head.size };
	if (!err && v.outcome == WITNESS_COSIGN)
		err = cosign(k, kept, &r, log, &v, now_s, w);
	if (!err && v.outcome == WITNESS_FORK)
		keep_fork(k, kept, &r, log);
	if (!err && (v.outcome == WITNESS_CONFLICT || v.outcome == WITNESS_FORK)) {
		writer_textf(w, "%" PRIu64 "\n", kept->memory.size);
		err = writer_err(w);
	}
	a.err = err;
	a.outcome = err ? WITNESS_UNKNOWN : v.outcome;
	a.status = witness_outcome_status(a.outcome);
	if (!err && w->n)
		a.type = v.outcome == WITNESS_COSIGN ? TEXT_TYPE : WITNESS_SIZE_TYPE;
	*ret = a;
}

bool
keeper_get(const struct keeper *k, size_t i, struct keeper_log *ret)
{
	if (i >= k->logs)
		return false;
	*ret = (struct keeper_log){
		.origin = k->log[i].name,
		.memory = k->kept[i].memory,
		.note = writer_view(&k->kept[i].note),
	};
	memcpy(ret->name, k->kept[i].name, sizeof ret->name);
	return true;
}
