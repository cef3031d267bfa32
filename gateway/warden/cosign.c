/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/cosign.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"

#define KEY_MAX 512

struct cosign {
	uint8_t key_text[KEY_MAX + 1]; /* until it is parsed, in the jail */
	size_t key_n;
	bool have_key;
	struct note_signer key;
	struct note_key log;
	struct vault *vault;
	struct merkle *m;
	struct witness_memory memory;
	struct writer note; /* the log's own checkpoint, as remembered */
};

struct cosign *
cosign_new(void)
{
	struct cosign *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	writer_init(&c->note, MSG_CHECKPOINT_MAX);
	if (!(c->m = merkle_new())) {
		cosign_free(c);
		return NULL;
	}
	return c;
}

void
cosign_free(struct cosign *c)
{
	if (!c)
		return;
	writer_free(&c->note);
	merkle_free(c->m);
	wipe(c->key_text, sizeof c->key_text);
	note_signer_wipe(&c->key);
	free(c);
}

int
cosign_key(struct cosign *c, int fd)
{
	ssize_t n = pread(fd, c->key_text, sizeof c->key_text, 0);
	if (n < 0 || n > KEY_MAX)
		return n < 0 ? FG_EIO : FG_ELIMIT;
	c->key_n = (size_t)n;
	return FG_OK;
}

static int
read_key(struct cosign *c, char *ret_why, size_t cap)
{
	if (!c->key_n)
		return FG_OK;
	int err = note_signer_parse(view_of(c->key_text, c->key_n), &c->key);
	wipe(c->key_text, sizeof c->key_text);
	c->key_n = 0;
	if (!err && c->key.key.type != NOTE_TYPE_COSIGNATURE)
		err = FG_EFORMAT;
	if (err)
		snprintf(ret_why, cap, "the co-signing key is none");
	c->have_key = !err;
	return err;
}

int
cosign_open(struct cosign *c, struct vault *v, const struct note_key *log, char *ret_why, size_t cap)
{
	struct checkpoint_opened o;
	uint8_t *p = NULL;
	size_t n = 0;
	c->vault = v;
	c->log = *log;
	int err = read_key(c, ret_why, cap);
	if (err)
		return err;
	err = vault_head(v, &p, &n);
	if (err)
		return err == FG_ENOTFOUND ? FG_OK : err;
	err = checkpoint_open(view_of(p, n), NULL, log, NULL, 0, 0, &o);
	if (!err && o.outcome != CHECKPOINT_VERIFIED) {
		snprintf(ret_why, cap, "the remembered checkpoint is no longer one of this log (%s)",
		    checkpoint_outcome_name(o.outcome));
		err = FG_EFORMAT;
	}
	if (!err) {
		writer_bytes(&c->note, view_of(p, n));
		err = writer_err(&c->note);
	}
	if (!err) {
		c->memory.size = o.head.size;
		memcpy(c->memory.root, o.head.root, sizeof c->memory.root);
	}
	free(p);
	return err;
}

uint64_t
cosign_size(const struct cosign *c)
{
	return c->memory.size;
}

/* Remembers first, durably; only then is there a line. */
static int
vouch(struct cosign *c, const struct witness_request *r, const struct witness_verdict *v, int64_t now_s,
    char line[static 512])
{
	struct writer note;
	struct writer signed_line;
	writer_init(&note, MSG_CHECKPOINT_MAX);
	writer_init(&signed_line, 511);
	int err = note_keep(r->checkpoint, &c->log, 1, &note);
	if (!err && c->have_key)
		err = now_s < 0 ? FG_EINVAL : note_cosign(v->text, &c->key, (uint64_t)now_s, &signed_line);
	if (!err)
		err = vault_keep_head(c->vault, writer_view(&note));
	if (!err) {
		c->memory.size = v->head.size;
		memcpy(c->memory.root, v->head.root, sizeof c->memory.root);
		writer_free(&c->note);
		c->note = note;
		writer_init(&note, 0);
		snprintf(line, 512, "%.*s", (int)signed_line.n, signed_line.n ? (const char *)signed_line.p : "");
	}
	writer_free(&note);
	writer_free(&signed_line);
	return err;
}

void
cosign_ask(struct cosign *c, const struct msg_cosign_ask *ask, int64_t now_s, struct msg_cosigned *ret)
{
	struct witness_request r;
	struct witness_verdict v = { .outcome = WITNESS_UNKNOWN };
	*ret = (struct msg_cosigned){ .token = ask->token };
	if (ask->request.n) {
		ret->err = witness_request_parse(ask->request, &r);
		if (ret->err == FG_EFORMAT) {
			ret->err = FG_OK;
			v.outcome = WITNESS_MALFORMED;
		} else if (!ret->err) {
			ret->err = witness_judge(c->m, &r, &c->log, &c->memory, &v);
		}
		/* Our own log has no business with extension lines: checkpoint_open would not take them back. */
		if (!ret->err && v.outcome == WITNESS_COSIGN && v.head.extensions)
			v.outcome = WITNESS_MALFORMED;
		if (!ret->err && v.outcome == WITNESS_COSIGN)
			ret->err = vouch(c, &r, &v, now_s, ret->line);
	}
	ret->outcome = ret->err ? WITNESS_UNKNOWN : (uint8_t)v.outcome;
	ret->note = writer_view(&c->note);
}
