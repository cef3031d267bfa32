/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The warden's folder (gateway/warden: vault, suspensions, intake, lastset) under every fault. Held: a restriction or a
 * key's suspension that was acknowledged is never lost, nor a release that was kept,
 * with its image; a release that was withdrawn does not come back into force; no
 * name ever stands for half a file; what is remembered of log, clock and signer sets
 * never goes back behind what was acknowledged.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "fault/campaign.h"
#include "gateway/warden/intake.h"
#include "gateway/warden/lastset.h"
#include "gateway/warden/suspensions.h"
#include "gateway/warden/vault.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/scratch.h"

#define IMAGES 2
#define RELEASES 3
#define RELEASED_AT 100 /* log size every release was issued at */

struct tale {
	uint8_t bytes[IMAGES][5000], image[IMAGES][DIGEST_SHA256_LEN];
	char record[RELEASES][600], bundle[RELEASES][900];
	uint8_t id[RELEASES][RELEASE_ID];
	struct vault *v;
	struct suspensions *s;
	struct signers set; /* of one key, which is suspended */
	bool suspended;     /* acknowledged */
	bool kept[RELEASES];      /* acknowledged, and nobody has begun to withdraw it */
	bool withdrawn[RELEASES]; /* acknowledged */
	uint64_t restricted[IMAGES][2]; /* [1]: of release 0 alone; acknowledged */
	unsigned told[RELEASES];  /* while judging: how often it was seen */
};

static const unsigned image_of[RELEASES] = { 0, 1, 0 };

static void
fill(char *p, size_t n, const char *what, unsigned i)
{
	memset(p, '.', n);
	snprintf(p, n, "%s %u", what, i);
	p[n - 1] = '\n';
}

static void
tale_init(struct tale *t)
{
	for (unsigned i = 0; i < IMAGES; i++) {
		for (size_t k = 0; k < sizeof t->bytes[i]; k++)
			t->bytes[i][k] = (uint8_t)fault_mix(i, k);
		digest_sha256(view_of(t->bytes[i], sizeof t->bytes[i]), t->image[i]);
	}
	for (unsigned i = 0; i < RELEASES; i++) {
		fill(t->record[i], sizeof t->record[i], "record", i);
		fill(t->bundle[i], sizeof t->bundle[i], "statements", i);
		memset(t->id[i], (int)i + 1, RELEASE_ID);
	}
	t->set.n = 1;
	t->set.signer[0].key = (struct sshkey){ .type = SSHKEY_ED25519, .point = { 1 } };
}

static void
base(void *ctx, const char *dir)
{
	(void)ctx;
	if (mkdir(dir, 0755))
		abort();
}

static void
begin(void *ctx)
{
	struct tale *t = ctx;
	memset(t->kept, 0, sizeof t->kept);
	memset(t->withdrawn, 0, sizeof t->withdrawn);
	memset(t->restricted, 0, sizeof t->restricted);
	t->suspended = false;
}

/* ---- the story ---- */

static int
bring(struct tale *t, unsigned i)
{
	char name[80], copy[96];
	struct intake_result got = { .image_fd = -1, .blocks_fd = -1 };
	int err, source = memfd_sealed("source", view_of(t->bytes[i], sizeof t->bytes[i]));
	vault_image_name(t->image[i], name, sizeof name);
	snprintf(copy, sizeof copy, "%s.copy", name);
	struct intake *in = intake_new(source, sizeof t->bytes[i], vault_dir(t->v), copy, false, &err);
	while (in && (err = intake_step(in)) == FG_EAGAIN)
		;
	if (in && err)
		intake_abort(in);
	else if (in)
		err = intake_finish(in, &got);
	if (!err)
		err = vault_keep_image(t->v, copy, got.sha256);
	if (got.image_fd >= 0)
		close(got.image_fd);
	if (got.blocks_fd >= 0)
		close(got.blocks_fd);
	close(source);
	return err;
}

static int
keep(struct tale *t, unsigned i)
{
	if (t->withdrawn[i])
		return FG_OK;
	int err = bring(t, image_of[i]);
	if (!err)
		err = vault_keep_release(t->v, t->id[i], view_of(t->record[i], sizeof t->record[i]),
		    view_of(t->bundle[i], sizeof t->bundle[i]));
	if (!err && campaign_alive())
		t->kept[i] = true;
	return err;
}

static int
restrict_image(struct tale *t, unsigned image, bool only_first, uint64_t size)
{
	struct vault_restriction r = { .kind = 1, .log_size = size };
	memcpy(r.image, t->image[image], sizeof r.image);
	if (only_first)
		memcpy(r.release, t->id[0], sizeof r.release);
	int err = vault_restrict(t->v, &r);
	uint64_t *held = &t->restricted[image][only_first];
	if (!err && campaign_alive() && size > *held)
		*held = size;
	return err;
}

/* In every life the same word, as control says it again at each start. */
static int
suspend(struct tale *t)
{
	uint8_t key[DIGEST_SHA256_LEN];
	if (sshkey_digest(&t->set.signer[0].key, key))
		abort();
	int err = suspensions_add(t->s, 1, key, 1000);
	if (!err && campaign_alive())
		t->suspended = true;
	return err;
}

/* As the warden does: the effect first, then the note of it. */
static int
withdraw(struct tale *t, unsigned i)
{
	t->kept[i] = false;
	vault_drop_release(t->v, t->id[i]);
	vault_drop_image(t->v, t->image[image_of[i]]);
	int err = restrict_image(t, image_of[i], false, RELEASED_AT + 50);
	if (!err && campaign_alive())
		t->withdrawn[i] = true;
	return err;
}

static bool
is_needed(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	const struct tale *t = ctx;
	for (unsigned i = 0; i < RELEASES; i++) {
		if (t->told[i] && !memcmp(t->image[image_of[i]], sha256, DIGEST_SHA256_LEN))
			return true;
	}
	return false;
}

static void
note(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle)
{
	struct tale *t = ctx;
	(void)record;
	(void)bundle;
	if (id[0] >= 1 && id[0] <= RELEASES)
		t->told[id[0] - 1]++;
}

static int
tell(void *ctx, const char *dir, unsigned life)
{
	struct tale *t = ctx;
	t->v = NULL;
	t->s = NULL;
	memset(t->told, 0, sizeof t->told);
	int err = vault_open(dir, &t->v);
	if (!err)
		err = suspensions_open(vault_dir(t->v), &t->s);
	if (!err)
		err = suspend(t);
	if (!err)
		err = restrict_image(t, 1, true, RELEASED_AT); /* in every life the same word */
	if (!err)
		err = vault_each(t->v, note, t);
	if (!err)
		vault_sweep_images(t->v, is_needed, t);
	if (!err)
		err = restrict_image(t, 0, true, 10 * life); /* before its release: no matter to that */
	for (unsigned i = 0; !err && i < RELEASES; i++)
		err = keep(t, i);
	if (!err)
		err = withdraw(t, 1);
	if (!err)
		err = restrict_image(t, 0, true, 20 * life);
	suspensions_close(t->s);
	vault_close(t->v);
	return err;
}

/* ---- what must hold ---- */

static void
one(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle)
{
	struct tale *t = ctx;
	if (!fault_check(id[0] >= 1 && id[0] <= RELEASES, "a release nobody made"))
		return;
	unsigned i = id[0] - 1u;
	t->told[i]++;
	fault_check(view_equal(record, view_of(t->record[i], sizeof t->record[i])), "half a record under a release's name");
	if (!bundle.n) {
		fault_check(!t->kept[i], "a kept release has lost its statements");
		return;
	}
	fault_check(view_equal(bundle, view_of(t->bundle[i], sizeof t->bundle[i])), "half the statements of a release");
	if (t->withdrawn[i])
		fault_check(vault_restricted(t->v, t->image[image_of[i]], id) >= RELEASED_AT, "a withdrawn release is in force again");
}

static void
judge_images(struct tale *t, const char *dir)
{
	uint8_t named[DIGEST_SHA256_LEN], own[DIGEST_SHA256_LEN];
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		size_t n = strlen(e->d_name);
		fault_check(n < 5 || (strcmp(e->d_name + n - 4, ".new") && strcmp(e->d_name + n - 5, ".copy")),
		    "%s is left over", e->d_name);
		if (n != DIGEST_HEX_LEN + 4 || strcmp(e->d_name + DIGEST_HEX_LEN, ".img"))
			continue;
		char path[256];
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		uint8_t *p = scratch_read(path, &n);
		hex_decode(view_of(e->d_name, DIGEST_HEX_LEN), named, sizeof named);
		digest_sha256(view_of(p, n), own);
		fault_check(!memcmp(named, own, sizeof own), "half an image under its name");
		free(p);
	}
	if (d)
		closedir(d);
	for (unsigned i = 0; i < RELEASES; i++) {
		int fd = t->kept[i] ? vault_image(t->v, t->image[image_of[i]]) : -1;
		fault_check(!t->kept[i] || fd >= 0, "the image of a kept release is gone");
		if (fd >= 0)
			close(fd);
	}
}

static void
judge_keys(const struct tale *t)
{
	struct suspensions *s = NULL;
	struct signers_suspended gone[SIGNERS_MAX];
	int err = suspensions_open(vault_dir(t->v), &s);
	if (!fault_check(err == 0, "the suspended keys cannot be read: %s", err_name(err)))
		return;
	int n = suspensions_of(s, &t->set, gone);
	fault_check(!t->suspended || (n == 1 && gone[0].at == 1000), "a suspended key counts again");
	suspensions_close(s);
}

static void
judge(void *ctx, const char *dir)
{
	struct tale *t = ctx;
	struct vault *before = t->v;
	memset(t->told, 0, sizeof t->told);
	int err = vault_open(dir, &t->v);
	if (fault_check(err == 0, "the vault does not open: %s", err_name(err))) {
		for (unsigned i = 0; i < IMAGES; i++) {
			fault_check(vault_restricted(t->v, t->image[i], t->id[1]) >= t->restricted[i][0], "a restriction is lost");
			fault_check(vault_restricted(t->v, t->image[i], t->id[0]) >= t->restricted[i][1],
			    "a restriction of one release is lost");
		}
		err = vault_each(t->v, one, t);
		fault_check(err == 0, "the vault cannot be read: %s", err_name(err));
		for (unsigned i = 0; i < RELEASES; i++)
			fault_check(!t->kept[i] || t->told[i] == 1, "a kept release is gone");
		judge_images(t, dir);
		judge_keys(t);
		vault_close(t->v);
	}
	t->v = before;
}

/* ---- what only ever moves on: a witness that forgot could vouch for a fork, a clock's hold end by a restart ---- */

#define STEPS 4

enum memory { MEMORY_HEAD, MEMORY_CLOCK, MEMORY_SET, MEMORY_LIMIT };
static const char *const memory_name[MEMORY_LIMIT] = { "checkpoint", "clock", "signer set" };

struct memories {
	uint32_t acknowledged[MEMORY_LIMIT], tried[MEMORY_LIMIT];
};

static void
forget(void *ctx)
{
	memset(ctx, 0, sizeof(struct memories));
}

/* Of another length each time, so that a part of an older one would show. */
static size_t
text_of(uint32_t n, char *dst, size_t cap)
{
	size_t len = 100 + n % 7 * 90;
	memset(dst, '.', cap);
	snprintf(dst, cap, "number %u", n);
	dst[len - 1] = '\n';
	return len;
}

static void
digest_of(uint32_t n, uint8_t sha256[DIGEST_SHA256_LEN])
{
	if (digest_sha256(view_of(&n, sizeof n), sha256))
		abort();
}

static int
remember(struct vault *v, enum memory which, uint32_t n)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	char text[1000];
	struct view bytes = view_of(text, text_of(n, text, sizeof text));
	if (which == MEMORY_HEAD)
		return vault_keep_head(v, bytes);
	if (which == MEMORY_CLOCK)
		return vault_keep_clock(v, bytes);
	digest_of(n, sha256);
	return lastset_write(vault_dir(v), n, sha256);
}

static int
move_on(void *ctx, const char *dir, unsigned life)
{
	struct memories *m = ctx;
	struct vault *v = NULL;
	int err = vault_open(dir, &v);
	for (uint32_t i = 0; !err && i < STEPS * MEMORY_LIMIT; i++) {
		enum memory which = i % MEMORY_LIMIT;
		uint32_t n = life * 100 + i;
		m->tried[which] = n;
		err = remember(v, which, n);
		if (!err && campaign_alive())
			m->acknowledged[which] = n;
	}
	vault_close(v);
	return err;
}

/* 0 with *ret the number that is remembered, 0 for none. */
static int
recall(struct vault *v, enum memory which, uint32_t *ret)
{
	uint8_t sha256[DIGEST_SHA256_LEN], own[DIGEST_SHA256_LEN], *p = NULL;
	char text[1000];
	struct writer w;
	size_t n = 0;
	int err;
	*ret = 0;
	if (which == MEMORY_SET) {
		err = lastset_read(vault_dir(v), ret, sha256);
		digest_of(*ret, own);
		fault_check(err || !memcmp(sha256, own, sizeof own), "half a signer set is remembered");
		return err == FG_ENOTFOUND ? FG_OK : err;
	}
	writer_init(&w, sizeof text);
	err = which == MEMORY_HEAD ? vault_head(v, &p, &n) : vault_clock(v, &w);
	struct view got = which == MEMORY_HEAD ? view_of(p, n) : writer_view(&w);
	if (!err) {
		char head[32] = "";
		memcpy(head, got.p, got.n < sizeof head - 1 ? got.n : sizeof head - 1);
		bool whole = sscanf(head, "number %u", ret) == 1 &&
		    view_equal(got, view_of(text, text_of(*ret, text, sizeof text)));
		fault_check(whole, "half a %s is remembered", memory_name[which]);
	}
	writer_free(&w);
	free(p);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static void
judge_memories(void *ctx, const char *dir)
{
	const struct memories *m = ctx;
	struct vault *v = NULL;
	uint32_t n;
	int err = vault_open(dir, &v);
	if (!fault_check(err == 0, "the vault does not open: %s", err_name(err)))
		return;
	for (unsigned i = 0; i < MEMORY_LIMIT; i++) {
		err = recall(v, i, &n);
		fault_check(err == 0, "the %s cannot be read: %s", memory_name[i], err_name(err));
		fault_check(n >= m->acknowledged[i], "the %s went back from %u to %u", memory_name[i], m->acknowledged[i], n);
		fault_check(n <= m->tried[i], "a %s that nobody told of", memory_name[i]);
	}
	vault_close(v);
}

int
main(void)
{
	struct tale *t = calloc(1, sizeof *t);
	struct memories m;
	if (!t)
		abort();
	fault_begin("vault");
	tale_init(t);
	campaign_run(&(struct campaign){ .name = "releases and restrictions", .ctx = t, .base = base, .begin = begin, .tell = tell,
	    .judge = judge, .lots = 8 });
	free(t);
	campaign_run(&(struct campaign){ .name = "memories", .ctx = &m, .base = base, .begin = forget,
	    .tell = move_on, .judge = judge_memories, .lots = 8 });
	return fault_end();
}
