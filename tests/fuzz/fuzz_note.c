/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, keys, checkpoints and receipts: every text format of the log. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/receipt.h"

#define LOG_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* What parses has one spelling: writing it gives the input back. */
static void
keys(struct view in)
{
	struct note_key key;
	struct note_signer signer;
	struct writer w;
	writer_init(&w, 1024);
	if (note_key_parse(in, &key) == 0) {
		note_key_write(&key, &w);
		must(view_equal(writer_view(&w), in));
	}
	writer_reset(&w);
	if (note_signer_parse(in, &signer) == 0) {
		note_signer_write(&signer, &w);
		struct view out = writer_view(&w);
		must(view_equal(out, in) || (out.n + 1 == in.n && in.p[in.n - 1] == '\n'));
		note_signer_wipe(&signer);
	}
	writer_free(&w);
}

static void
checkpoints(struct view in)
{
	struct checkpoint c;
	struct writer w;
	writer_init(&w, CHECKPOINT_TEXT_MAX);
	if (checkpoint_parse(in, 0, &c) == 0 && checkpoint_encode(&c, &w) == 0)
		must(view_equal(writer_view(&w), in));
	writer_free(&w);
	if (checkpoint_parse(in, CHECKPOINT_EXTENSIONS_MAX, &c) == 0)
		must(c.extensions <= CHECKPOINT_EXTENSIONS_MAX);
}

static void
receipts(struct merkle *m, const struct note_key *log, struct view in)
{
	struct receipt r;
	struct receipt_checked checked;
	struct writer store, w;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	writer_init(&w, RECEIPT_SIZE_MAX);
	if (receipt_parse(in, &store, &r) == 0) {
		must(receipt_encode(&r, &w) == 0);
		must(view_equal(writer_view(&w), in));
		must(receipt_verify(m, &r, r.extra, NULL, log, NULL, 0, &checked) == 0);
		must(checked.outcome != RECEIPT_UNKNOWN);
	}
	writer_free(&w);
	writer_free(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct note_key log;
	struct note_opened note;
	struct checkpoint_opened head;
	struct merkle *m = merkle_new();
	must(m && note_key_parse(view_str(LOG_VKEY), &log) == 0);
	must(note_open(in, &log, 1, &note) == 0 && note.outcome != NOTE_UNKNOWN);
	must((note.outcome == NOTE_VERIFIED) == (note.text.n > 0));
	must(checkpoint_open(in, NULL, &log, NULL, 0, 1, &head) == 0);
	must(head.outcome != CHECKPOINT_UNKNOWN);
	keys(in);
	checkpoints(in);
	receipts(m, &log, in);
	merkle_free(m);
	return 0;
}
