/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/receipt.h"
#include "gateway/cmd/verify_file.h"

#define RECEIPT_BEGINS "c2sp.org/tlog-proof@"
#define EVIDENCE_MAX (64u << 10)

static bool
is_local(int err)
{
	return err == FG_ENOMEM || err == FG_ECRYPTO;
}

/* ---- reading what is remembered ---- */

static int
read_note(struct verify_log *l, const struct verify_memory *m, struct verify_seen *s)
{
	struct checkpoint_opened opened;
	int err = checkpoint_open(s->note, NULL, m->key, NULL, 0, 0, &opened);
	if (err)
		return err;
	if (opened.outcome != CHECKPOINT_VERIFIED) {
		verify_log_problem(l, "%s: no checkpoint of this log: %s", s->path, checkpoint_outcome_name(opened.outcome));
		return FG_OK;
	}
	s->size = opened.head.size;
	memcpy(s->root, opened.head.root, sizeof s->root);
	s->usable = s->by_log = true;
	return FG_OK;
}

/* A receipt's own proof, and that this log has the same entry there. */
static int
check_receipt(struct verify_log *l, const struct verify_memory *m, struct verify_seen *s, const struct receipt *r)
{
	struct receipt_checked checked = { 0 };
	struct view entry = r->extra;
	s->has_entry = true;
	s->entry = r->index;
	if (!entry.n && r->index < l->n)
		entry = verify_log_line(l, r->index);
	int err = receipt_verify(l->m, r, entry, NULL, m->key, NULL, 0, &checked);
	if (err)
		return err;
	if (checked.outcome != RECEIPT_VERIFIED)
		verify_log_problem(l, "%s: %s", s->path, receipt_outcome_name(checked.outcome));
	else if (r->index < l->n && !view_equal(entry, verify_log_line(l, r->index)))
		verify_log_problem(l, "%s: entry %llu of this log is another one", s->path, (unsigned long long)r->index);
	return FG_OK;
}

static int
read_receipt(struct verify_log *l, const struct verify_memory *m, struct verify_seen *s)
{
	struct writer store;
	struct receipt r;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	s->kind = "receipt";
	int err = receipt_parse(s->file, &store, &r);
	if (err == FG_OK) {
		s->note = r.note;
		err = read_note(l, m, s);
		if (!err && s->usable)
			err = check_receipt(l, m, s, &r);
	} else if (!is_local(err)) {
		verify_log_problem(l, "%s: no receipt", s->path);
		err = FG_OK;
	}
	writer_free(&store);
	return err;
}

/* Whose it is does not matter: the auditor believes what he brought along. */
static int
read_statement(struct verify_log *l, struct verify_seen *s)
{
	char why[160] = "";
	struct approval *a = calloc(1, sizeof *a);
	s->kind = "statement";
	int err = a ? approval_parse(s->file, a, why, sizeof why) : FG_ENOMEM;
	if (!err) {
		s->size = a->log_size;
		memcpy(s->root, a->log_root, sizeof s->root);
		s->usable = true;
	} else if (!is_local(err)) {
		verify_log_problem(l, "%s: %s", s->path, why);
		err = FG_OK;
	}
	free(a);
	return err;
}

static int
read_seen(struct verify_log *l, const struct verify_memory *m, const char *path, struct verify_seen *s)
{
	struct stat st;
	bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	*s = (struct verify_seen){ .path = path, .kind = "checkpoint" };
	int err = verify_file_read(folder ? path : NULL, folder ? "checkpoint" : path, VERIFY_SMALL_MAX, &s->file);
	if (err == FG_ENOMEM)
		return err;
	if (err) {
		verify_log_problem(l, "%s: %s", path, err_why(err));
		return FG_OK;
	}
	size_t n = sizeof RECEIPT_BEGINS - 1;
	if (s->file.n >= n && !memcmp(s->file.p, RECEIPT_BEGINS, n))
		return read_receipt(l, m, s);
	if (s->file.n && s->file.p[0] == '{')
		return read_statement(l, s);
	s->note = s->file;
	return read_note(l, m, s);
}

/* ---- evidence ---- */

static int
write_text(const char *dir, const char *name, struct view bytes)
{
	char path[VERIFY_FILE_PATH];
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return FG_ELIMIT;
	FILE *f = fopen(path, "wxe");
	if (!f)
		return errno == EEXIST ? FG_EEXIST : FG_EIO;
	bool good = fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
	good = fclose(f) == 0 && good;
	return good ? FG_OK : FG_EIO;
}

/* That our head of n entries has this root at size, for who does not have the export. */
static void
put_consistency(const struct verify_log *l, uint64_t size, const uint8_t ours[MERKLE_HASH_LEN], struct writer *w)
{
	struct merkle_proof proof;
	char hex[2 * MERKLE_HASH_LEN + 1];
	if (!size || tile_tree_consistency(l->tree, size, l->n, &proof))
		return;
	hex_encode(ours, MERKLE_HASH_LEN, hex);
	writer_textf(w, "\nThe second note's tree of %llu entries begins with one of %llu whose root is\n%s;\n"
	    "the RFC 9162 consistency proof of that, one hash a line:\n", (unsigned long long)l->n, (unsigned long long)size, hex);
	for (size_t i = 0; i < proof.n; i++) {
		hex_encode(proof.hash[i], MERKLE_HASH_LEN, hex);
		writer_textf(w, "%s\n", hex);
	}
}

static void
write_evidence(struct verify_log *l, struct verify_memory *m, const struct verify_seen *a, struct view other,
    const uint8_t *ours)
{
	char name[64], hex[2 * MERKLE_HASH_LEN + 1];
	struct writer w;
	if (!m->evidence)
		return;
	if (mkdir(m->evidence, 0755) && errno != EEXIST) {
		fprintf(stderr, "fotagate-verify: %s: %s\n", m->evidence, strerror(errno));
		return;
	}
	writer_init(&w, EVIDENCE_MAX);
	hex_encode(a->root, MERKLE_HASH_LEN, hex);
	writer_textf(&w, "One log key signed two trees of %llu entries. Nobody but the log has that key.\n\n"
	    "fork-%u.first.note signs the root\n%s.\n", (unsigned long long)a->size, m->forks, hex);
	if (ours)
		put_consistency(l, a->size, ours, &w);
	else
		writer_textf(&w, "fork-%u.second.note signs another.\n", m->forks);
	snprintf(name, sizeof name, "fork-%u.txt", m->forks);
	int err = write_text(m->evidence, name, writer_view(&w));
	snprintf(name, sizeof name, "fork-%u.first.note", m->forks);
	if (!err)
		err = write_text(m->evidence, name, a->note);
	snprintf(name, sizeof name, "fork-%u.second.note", m->forks);
	if (!err)
		err = write_text(m->evidence, name, other);
	if (err)
		fprintf(stderr, "fotagate-verify: %s/%s: %s\n", m->evidence, name, err_name(err));
	writer_free(&w);
}

/* ---- comparing ---- */

static void
tell_fork(struct verify_log *l, struct verify_memory *m, const struct verify_seen *a, const char *where,
    const uint8_t root[MERKLE_HASH_LEN], struct view other, const uint8_t *ours)
{
	char theirs[2 * MERKLE_HASH_LEN + 1], mine[2 * MERKLE_HASH_LEN + 1];
	hex_encode(a->root, MERKLE_HASH_LEN, theirs);
	hex_encode(root, MERKLE_HASH_LEN, mine);
	m->forks++;
	verify_log_problem(l, "FORK: the log's key signed two trees of size %llu: %s in %s, %s in %s",
	    (unsigned long long)a->size, theirs, a->path, mine, where);
	write_evidence(l, m, a, other, ours);
}

/* One remembered state against this log. */
static int
compare(struct verify_log *l, struct verify_memory *m, const struct verify_seen *s)
{
	uint8_t ours[MERKLE_HASH_LEN];
	struct view head = { 0 };
	if (s->size > l->n) {
		verify_log_problem(l, "ROLLED BACK or cut: %s remembers %llu entries, this log has %llu", s->path,
		    (unsigned long long)s->size, (unsigned long long)l->n);
		return FG_OK;
	}
	int err = verify_log_root(l, s->size, ours);
	if (err || !memcmp(ours, s->root, sizeof ours))
		return err;
	if (!s->by_log) {
		verify_log_problem(l, "FORK: %s was signed over another log of %llu entries than this one", s->path,
		    (unsigned long long)s->size);
		return FG_OK;
	}
	(void)verify_file_read(l->dir, "checkpoint", VERIFY_SMALL_MAX, &head);
	tell_fork(l, m, s, "this export", ours, head, s->size < l->n ? ours : NULL);
	verify_file_free(head);
	return FG_OK;
}

/* Two that are remembered against each other: conviction needs no export. */
static void
compare_pairs(struct verify_log *l, struct verify_memory *m)
{
	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct verify_seen *a = &m->seen[i], *b = &m->seen[k];
			if (a->usable && b->usable && a->size == b->size && a->size && a->by_log && b->by_log &&
			    memcmp(a->root, b->root, sizeof a->root))
				tell_fork(l, m, a, b->path, b->root, b->note, NULL);
		}
	}
}

int
verify_seen_check(struct verify_log *l, struct verify_memory *m, const char *const *paths, size_t n)
{
	int err = FG_OK;
	m->seen = calloc(n ? n : 1, sizeof m->seen[0]);
	if (!m->seen)
		return FG_ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		struct verify_seen *s = &m->seen[m->n++];
		err = read_seen(l, m, paths[i], s);
		if (!err && s->usable)
			err = compare(l, m, s);
	}
	if (!err)
		compare_pairs(l, m);
	return err;
}

void
verify_seen_free(struct verify_memory *m)
{
	for (size_t i = 0; i < m->n; i++)
		verify_file_free(m->seen[i].file);
	free(m->seen);
	m->seen = NULL;
	m->n = 0;
}
