/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/witness/keeper.h"

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
#include "gateway/file/wholefile.h"

#define FILE_NAME_MAX (KEEPER_NAME_LEN + 8)
#define FILE_MODE 0644 /* what it says is public */
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

/* ---- opening ---- */

/* A file counts only as what this witness wrote: the log's checkpoint with the witness's own line. */
static int
load(struct keeper *k, size_t i, char why[KEEPER_WHY_MAX])
{
	struct kept *kept = &k->kept[i];
	struct checkpoint_opened o;
	uint8_t *bytes = NULL;
	size_t n = 0;
	uint8_t sha256[DIGEST_SHA256_LEN];
	int err = digest_sha256(view_str(k->log[i].name), sha256);
	if (err)
		return err;
	hex_encode(sha256, sizeof sha256, kept->name);
	writer_init(&kept->note, NOTE_SIZE_MAX);
	err = wholefile_read(k->dirfd, kept->name, NOTE_SIZE_MAX, &bytes, &n);
	if (err == FG_ENOTFOUND)
		return 0;
	if (!err) {
		writer_bytes(&kept->note, view_of(bytes, n));
		free(bytes);
		err = writer_err(&kept->note);
	}
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
		err = wholefile_replace(k->dirfd, kept->name, writer_view(&note), FILE_MODE);
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
		wholefile_replace(k->dirfd, name, writer_view(&note), FILE_MODE);
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
