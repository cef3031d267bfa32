/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_log.h"

#include <stdio.h>

#include "crypto/err.h"

#define CHECKPOINT "checkpoint"

void
cli_log_init(struct cli_log *l, const struct cli_common *c, struct cli_call *call)
{
	*l = (struct cli_log){ .common = c, .call = call };
	writer_init(&l->note, NOTE_SIZE_MAX);
}

void
cli_log_end(struct cli_log *l)
{
	writer_free(&l->note);
}

int
cli_log_file(struct cli_log *l, const char *name, size_t max, struct writer *w)
{
	struct cli_request r;
	struct cli_reply reply;
	writer_reset(w);
	cli_call_begin(&r);
	cli_call_text(&r, "name", name);
	if (cli_call_do(l->call, "audit.open", &r, NULL, 0, &reply))
		return FG_EIO; /* said */
	int err = 0;
	if (cli_call_is(&reply, "NOT-FOUND")) {
		err = FG_ENOTFOUND;
	} else if (reply.status != CLI_DONE) {
		cli_call_refused(l->common, &reply);
		err = FG_EIO;
	} else if (reply.file < 0 || cli_call_slurp(reply.file, max, w)) {
		cli_opt_fail(l->common, CLI_COULD_NOT, "LOCAL", NULL, "%s: could not be read", name);
		err = FG_EIO;
	}
	cli_reply_free(&reply);
	return err;
}

/* The three lines before the signatures. */
bool
cli_log_parse(struct view note, struct checkpoint *ret)
{
	const uint8_t *blank = note.n ? memmem(note.p, note.n, "\n\n", 2) : NULL;
	return blank && checkpoint_parse(view_of(note.p, (size_t)(blank - note.p) + 1), 0, ret) == FG_OK;
}

int
cli_log_head(struct cli_log *l)
{
	int err = cli_log_file(l, CHECKPOINT, NOTE_SIZE_MAX, &l->note);
	if (err == FG_ENOTFOUND)
		return cli_opt_fail(l->common, CLI_COULD_NOT, "NOT-FOUND",
		    "The first is signed within a minute of the first start.",
		    "there is no checkpoint yet");
	if (err)
		return CLI_COULD_NOT;
	if (cli_log_parse(writer_view(&l->note), &l->head))
		return 0;
	return cli_opt_fail(l->common, CLI_COULD_NOT, "LOG", "fotagate status tells what is known about the log.",
	    "the checkpoint is malformed");
}

int
cli_log_bundle(struct cli_log *l, uint64_t index, struct writer *w, unsigned *ret_width)
{
	char path[TILE_PATH_CAP];
	struct tile t = { .level = TILE_ENTRIES, .index = index, .width = tile_width(TILE_ENTRIES, index, l->head.size) };
	if (!t.width)
		return FG_ENOTFOUND;
	tile_path(&t, path);
	int err = cli_log_file(l, path, TILE_BUNDLE_MAX, w);
	if (!err)
		*ret_width = t.width;
	return err;
}
