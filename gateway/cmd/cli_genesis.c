/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_genesis.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/checkpoint.h"
#include "crypto/err.h"
#include "crypto/genesis.h"
#include "gateway/audit/tilestore.h"
#include "gateway/cmd/cli_chain.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/file/wholefile.h"

#define NOTE_BYTES (NOTE_SIZE_MAX / 8)

/* One that lies somewhere. */
struct paper {
	struct cli_parcel p;
	struct genesis *g;
	bool holds;      /* and those whom it names have signed it */
	bool begins;     /* the log that is here begins with it */
	char why[256];   /* why it does not hold */
};

struct mending {
	const struct cli_common *c;
	char authority_path[CLI_OPT_PATH_MAX], there_path[CLI_OPT_PATH_MAX], audit_path[CLI_OPT_PATH_MAX];
	int authority, log, papers; /* folders; -1 */
	struct paper here, there;
};

/* ---- one genesis ---- */

/* FG_ENOMEM, FG_ECRYPTO; what is wrong with the files is in ret. */
static int
read_paper(int folder, struct paper *ret)
{
	ret->g = calloc(1, sizeof *ret->g);
	int err = ret->g ? cli_parcel_read(folder, "genesis", GENESIS_BYTES_MAX, &ret->p) : FG_ENOMEM;
	const struct succession_bundle *b = &ret->p.b;
	if (!err)
		err = genesis_parse(b->text, ret->g, ret->why, sizeof ret->why);
	/* The keys had to be valid when it was made. */
	if (!err)
		err = genesis_check(ret->g, b->text, b->sig, b->n, ret->g->set.time, ret->why, sizeof ret->why);
	ret->holds = !err;
	if (err == FG_ENOMEM || err == FG_ECRYPTO)
		return err;
	if (err && !ret->why[0])
		snprintf(ret->why, sizeof ret->why, "%s", err == FG_ENOTFOUND ? "missing" : err_why(err));
	return FG_OK;
}

static void
free_paper(struct paper *p)
{
	cli_parcel_free(&p->p);
	free(p->g);
}

/* ---- the log that is here ---- */

/* What its own key signed last. FG_ENOTFOUND: nothing that can be read. */
static int
signed_head(int log, const struct genesis *g, struct checkpoint *ret)
{
	struct checkpoint_opened opened;
	struct note_key key;
	uint8_t *note = NULL;
	size_t n = 0;
	int err = note_key_parse(view_str(g->log_vkey), &key);
	if (!err)
		err = wholefile_read(log, TILESTORE_CHECKPOINT, NOTE_BYTES, &note, &n);
	if (!err)
		err = checkpoint_open(view_of(note, n), g->origin, &key, NULL, 0, 0, &opened);
	free(note);
	if (err)
		return err;
	*ret = opened.head;
	return opened.outcome == CHECKPOINT_VERIFIED && opened.head.size > 0 ? FG_OK : FG_ENOTFOUND;
}

/* line is the first of the tree of that size and root. */
static int
is_first(struct merkle *m, struct tilestore *t, const struct checkpoint *head, struct view line, bool *ret)
{
	struct merkle_proof proof;
	uint8_t leaf[MERKLE_HASH_LEN];
	struct tile_tree *tree = tile_tree_new(m, head->size, tilestore_read, t);
	int err = tree ? merkle_leaf(m, line, leaf) : FG_ENOMEM;
	if (!err)
		err = tile_tree_inclusion(tree, 0, head->size, &proof);
	if (!err)
		err = merkle_verify_inclusion(m, 0, head->size, leaf, &proof, head->root, ret);
	tile_tree_free(tree);
	return err;
}

static bool
says_genesis(struct view line, struct view text)
{
	struct json *doc = NULL;
	struct entry e;
	bool same = entry_parse(line, &doc, &e, NULL) == FG_OK && e.ev == ENTRY_AUTHORITY_GENESIS && view_equal(e.doc, text);
	json_free(doc);
	return same;
}

/* FG_ENOMEM, FG_ECRYPTO; a log that cannot be read proves nothing. */
static int
look_begins(int log, struct paper *p)
{
	struct merkle *m = merkle_new();
	struct tilestore *t = NULL;
	struct checkpoint head;
	struct writer line;
	bool first = false;
	writer_init(&line, TILE_BUNDLE_MAX);
	int err = m ? signed_head(log, p->g, &head) : FG_ENOMEM;
	if (!err)
		err = tilestore_open(log, m, head.size, &t);
	if (!err)
		err = tilestore_entry(t, 0, &line);
	if (!err)
		err = is_first(m, t, &head, writer_view(&line), &first);
	p->begins = !err && first && says_genesis(writer_view(&line), p->p.b.text);
	writer_free(&line);
	tilestore_close(t);
	merkle_free(m);
	return err == FG_ENOMEM || err == FG_ECRYPTO ? err : FG_OK;
}

/* ---- putting it back ---- */

/* A signature that nobody counts is not kept. */
static int
sift(struct paper *p)
{
	struct succession_bundle *b = &p->p.b;
	unsigned kept = 0, n = b->n;
	for (unsigned i = 0; i < n; i++) {
		unsigned counts = 0;
		int err = signers_count(&p->g->set, b->text, SIGNERS_NAMESPACE, p->g->set.time, &b->sig[i], 1, NULL, 0,
		    &counts, NULL, NULL);
		if (err)
			return err;
		if (counts)
			b->sig[kept++] = b->sig[i];
	}
	b->n = kept;
	return FG_OK;
}

/*
 * Signatures first: a genesis without them is one that has lost them, and this is run again. Written by whoever runs this,
 * and not as the folder's owner: genesis counts only as a file that no role could have written.
 */
static int
write_all(const struct mending *m)
{
	const struct succession_bundle *b = &m->there.p.b;
	char name[32];
	int err = FG_OK;
	for (unsigned i = 0; i < SIGNERS_MAX && !err; i++) {
		snprintf(name, sizeof name, "genesis.sig.%u", i);
		if (i < b->n)
			err = wholefile_replace(m->authority, name, b->sig[i].armour, 0644);
		else if (unlinkat(m->authority, name, 0) && errno != ENOENT)
			err = FG_EIO;
	}
	return err ? err : wholefile_replace(m->authority, "genesis.json", b->text, 0644);
}

static int
local(const struct mending *m, int err)
{
	return cli_opt_fail(m->c, CLI_COULD_NOT, "LOCAL", "Run it again before the next start; root may write there.",
	    "%s/genesis.json: %s", m->authority_path, err_why(err));
}

static int
put_back(struct mending *m, bool *ret_put)
{
	int err = sift(&m->there);
	if (!err)
		err = write_all(m);
	*ret_put = !err;
	return err ? local(m, err) : 0;
}

static int
lost(const struct mending *m)
{
	char why[400];
	if (m->there.holds)
		snprintf(why, sizeof why, "it is not proven to be what the log begins with: %s is not whole, or another's",
		    m->audit_path);
	else
		snprintf(why, sizeof why, "%s", m->there.why);
	return cli_opt_fail(m->c, CLI_COULD_NOT, "GENESIS",
	    "Give another export, if the log here is whole. Else restore a backup (fotagate restore), and repair that with the "
	    "newest export.",
	    "%s/genesis.json: %s. In %s: %s", m->authority_path, m->here.why, m->there_path, why);
}

static int
run(struct mending *m, bool *ret_put)
{
	int err = read_paper(m->authority, &m->here);
	if (!err && m->here.holds)
		err = look_begins(m->log, &m->here);
	if (err || m->here.begins)
		return err ? local(m, err) : 0;
	err = read_paper(m->papers, &m->there);
	if (!err && m->there.holds)
		err = look_begins(m->log, &m->there);
	if (err)
		return local(m, err);
	if (m->there.begins)
		return put_back(m, ret_put);
	/* One that holds may be the log's, which is damaged: whoever makes that anew will see. */
	return m->here.holds ? 0 : lost(m);
}

static int
folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int
cli_genesis_mend(const struct cli_common *c, const char *data, const char *from, bool *ret_put)
{
	struct mending m = { .c = c };
	*ret_put = false;
	if (!cli_place_path(data, "authority", m.authority_path) || !cli_place_path(data, "audit/log", m.audit_path) ||
	    !cli_place_path(from, "signers", m.there_path))
		return CLI_USAGE;
	m.authority = folder(m.authority_path);
	m.log = folder(m.audit_path);
	m.papers = folder(m.there_path);
	int status = m.authority < 0 ? 0 : run(&m, ret_put);
	const int fds[] = { m.authority, m.log, m.papers };
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free_paper(&m.here);
	free_paper(&m.there);
	return status;
}
