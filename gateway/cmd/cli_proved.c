/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_proved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define LIES "Keep what you have as evidence; fotagate status tells what the gateway knows."

static int
lie(const struct cli_proved *p, const char *what)
{
	return cli_opt_fail(p->log.common, CLI_REFUSED, "LOG", LIES, "%s", what);
}

static int
local(const struct cli_proved *p, int err)
{
	if (err == FG_ENOTFOUND)
		return CLI_PROVED_AGAIN;
	if (err == FG_EIO)
		return CLI_COULD_NOT; /* cli_log said why */
	return cli_opt_fail(p->log.common, CLI_COULD_NOT, "LOCAL", NULL, "the log cannot be read: %s", err_name(err));
}

/* ---- the key ---- */

static int
genesis_key(struct cli_proved *p, const struct cli_common *c, struct cli_call *call)
{
	struct cli_request r;
	struct cli_reply reply;
	struct writer text;
	char why[256] = "";
	struct genesis *g = calloc(1, sizeof *g);
	writer_init(&text, GENESIS_BYTES_MAX);
	cli_call_begin(&r);
	cli_call_text(&r, "kind", "genesis");
	int status = g ? cli_call_do(call, "file.open", &r, NULL, 0, &reply) : CLI_COULD_NOT;
	if (!status && reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	if (!status && (reply.file < 0 || cli_call_slurp(reply.file, GENESIS_BYTES_MAX, &text) ||
	    genesis_parse(writer_view(&text), g, why, sizeof why)))
		status = cli_opt_fail(c, CLI_REFUSED, "GENESIS", NULL, "the gateway's genesis cannot be read%s%s",
		    why[0] ? ": " : "", why);
	if (!status)
		snprintf(p->vkey, sizeof p->vkey, "%s", g->log_vkey);
	if (g)
		cli_reply_free(&reply);
	writer_free(&text);
	free(g);
	return status;
}

int
cli_proved_open(struct cli_proved *p, const struct cli_common *c, struct cli_call *call, const char *vkey)
{
	*p = (struct cli_proved){ .m = merkle_new() };
	cli_log_init(&p->log, c, call);
	writer_init(&p->bundle, TILE_BUNDLE_MAX);
	writer_init(&p->tile, TILE_BYTES_MAX);
	if (!p->m)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	int status = 0;
	if (vkey)
		snprintf(p->vkey, sizeof p->vkey, "%s", vkey);
	else
		status = genesis_key(p, c, call);
	if (!status && ((vkey && strlen(vkey) >= sizeof p->vkey) || note_key_parse(view_str(p->vkey), &p->key)))
		status = cli_opt_fail(c, vkey ? CLI_USAGE : CLI_REFUSED, "USAGE", "A verifier key looks like NAME+HASH+BASE64.",
		    "%s: is not the key of a log", p->vkey);
	return status;
}

void
cli_proved_close(struct cli_proved *p)
{
	tile_tree_free(p->tree);
	cli_log_end(&p->log);
	writer_free(&p->bundle);
	writer_free(&p->tile);
	merkle_free(p->m);
	*p = (struct cli_proved){ 0 };
}

/* ---- the tree ---- */

static int
read_tile(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	struct cli_proved *p = ctx;
	char path[TILE_PATH_CAP];
	struct tile t = { .level = level, .index = index, .width = tile_width(level, index, p->log.head.size) };
	if (t.width < width)
		return FG_EINVAL;
	tile_path(&t, path);
	int err = cli_log_file(&p->log, path, TILE_BYTES_MAX, &p->tile);
	if (err)
		return err;
	if (p->tile.n != (size_t)t.width * MERKLE_HASH_LEN)
		return FG_EFORMAT;
	memcpy(hashes, p->tile.p, (size_t)width * MERKLE_HASH_LEN);
	return 0;
}

/* Is before the beginning of the log that log.head signs? */
static int
continues(struct cli_proved *p, const struct checkpoint *before, bool *ret)
{
	const struct checkpoint *head = &p->log.head;
	struct merkle_proof proof;
	*ret = false;
	if (!before->size || before->size >= head->size) {
		*ret = !before->size || (before->size == head->size && !memcmp(before->root, head->root, sizeof head->root));
		return 0;
	}
	int err = tile_tree_consistency(p->tree, before->size, head->size, &proof);
	if (!err)
		err = merkle_verify_consistency(p->m, before->size, head->size, before->root, head->root, &proof, ret);
	return err;
}

int
cli_proved_head(struct cli_proved *p, const struct checkpoint *before)
{
	struct checkpoint_opened opened;
	bool good;
	int status = cli_log_head(&p->log);
	if (status)
		return status;
	int err = checkpoint_open(writer_view(&p->log.note), NULL, &p->key, NULL, 0, 0, &opened);
	if (err)
		return local(p, err);
	if (opened.outcome != CHECKPOINT_VERIFIED)
		return lie(p, "the checkpoint is not signed by the log's key");
	p->log.head = opened.head;
	tile_tree_free(p->tree);
	p->tree = tile_tree_new(p->m, p->log.head.size, read_tile, p);
	if (!p->tree)
		return local(p, FG_ENOMEM);
	err = continues(p, before, &good);
	/* A tile of a wrong length proves nothing: that is a lie as well. */
	if (err && err != FG_EFORMAT)
		return local(p, err);
	return !err && good ? 0 :
	    lie(p, "the signed checkpoint does not continue the one seen before: the log was cut, rolled back or forked");
}

/* ---- entries ---- */

static int
prove(struct cli_proved *p, uint64_t index, struct view line, bool *ret)
{
	uint8_t leaf[MERKLE_HASH_LEN];
	struct merkle_proof proof;
	const struct checkpoint *head = &p->log.head;
	*ret = false;
	int err = merkle_leaf(p->m, line, leaf);
	if (!err)
		err = tile_tree_inclusion(p->tree, index, head->size, &proof);
	if (!err)
		err = merkle_verify_inclusion(p->m, index, head->size, leaf, &proof, head->root, ret);
	return err == FG_EFORMAT ? 0 : err;
}

int
cli_proved_some(struct cli_proved *p, uint64_t *from, cli_proved_each each, void *ctx)
{
	struct tile_bundle b;
	struct view line;
	unsigned width;
	uint64_t at = *from / TILE_WIDTH * TILE_WIDTH;
	int err = cli_log_bundle(&p->log, *from / TILE_WIDTH, &p->bundle, &width), more, status;
	if (err)
		return local(p, err);
	tile_bundle_begin(&b, writer_view(&p->bundle), width);
	for (; (more = tile_bundle_next(&b, &line)) > 0; at++) {
		bool proven;
		if (at < *from)
			continue;
		if ((err = prove(p, at, line, &proven)))
			return local(p, err);
		if (!proven)
			return cli_opt_fail(p->log.common, CLI_REFUSED, "LOG", LIES,
			    "entry %" PRIu64 " is not what the log signed", at);
		if ((status = each(ctx, at, line)))
			return status;
		*from = at + 1;
	}
	return more < 0 ? lie(p, "a bundle of entries is malformed") : 0;
}
