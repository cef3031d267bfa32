/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control keeps as files (gateway/state/files.c), the folders the supervisor
 * makes and its flag of a halt, from an empty disk on, under every fault. Held: what
 * was put is there with its bytes, what was removed stays away, a halt that was
 * acknowledged is still one, and no name stands for half a file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "fault/campaign.h"
#include "gateway/state/files.h"
#include "gateway/supervisor/dirs.h"
#include "gateway/supervisor/haltflag.h"
#include "unit/gateway/scratch.h"

#define DOCS 5
#define IMAGES 3
#define NOW 1767261600

struct tale {
	char doc[DOCS][700], image[IMAGES][3000];
	uint8_t doc_name[DOCS][DIGEST_SHA256_LEN], image_name[IMAGES][DIGEST_SHA256_LEN];
	struct files *f;
	bool put[DOCS], sealed[IMAGES], removed[IMAGES];
	bool halted; /* acknowledged, and nobody has begun to end it */
};

static const enum files_doc kind_of[DOCS] = { FILES_REPORT, FILES_PROVENANCE, FILES_POLICY, FILES_STATEMENT,
	FILES_STATEMENT_SIG };

static void
tale_init(struct tale *t)
{
	for (unsigned i = 0; i < DOCS; i++) {
		memset(t->doc[i], '.', sizeof t->doc[i]);
		snprintf(t->doc[i], sizeof t->doc[i], "document %u", i);
		/* A signature has the name of what it signs. */
		digest_sha256(view_of(t->doc[i], sizeof t->doc[i]), t->doc_name[i]);
	}
	memcpy(t->doc_name[4], t->doc_name[3], DIGEST_SHA256_LEN);
	for (unsigned i = 0; i < IMAGES; i++) {
		memset(t->image[i], 'a' + (int)i, sizeof t->image[i]);
		digest_sha256(view_of(t->image[i], sizeof t->image[i]), t->image_name[i]);
	}
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
	memset(t->put, 0, sizeof t->put);
	memset(t->sealed, 0, sizeof t->sealed);
	memset(t->removed, 0, sizeof t->removed);
	t->halted = false;
}

/* ---- the story ---- */

static int
put_doc(struct tale *t, unsigned i)
{
	int err = files_doc_put(t->f, kind_of[i], t->doc_name[i], view_of(t->doc[i], sizeof t->doc[i]));
	if (!err && campaign_alive())
		t->put[i] = true;
	return err;
}

static int
bring(struct tale *t, unsigned i)
{
	struct files_part part;
	int err = files_part_new(t->f, &part);
	if (err)
		return err;
	for (size_t done = 0; !err && done < sizeof t->image[i];) {
		ssize_t n = write(part.fd, t->image[i] + done, sizeof t->image[i] - done);
		err = n > 0 ? 0 : FG_EIO;
		done += n > 0 ? (size_t)n : 0;
	}
	close(part.fd);
	t->removed[i] = false;
	if (!err)
		err = files_part_seal(t->f, part.name, FILES_IMAGE, t->image_name[i]);
	if (err)
		files_part_drop(t->f, part.name);
	else if (campaign_alive())
		t->sealed[i] = true;
	return err;
}

static int
take_away(struct tale *t, unsigned i)
{
	t->sealed[i] = false;
	int err = files_image_remove(t->f, FILES_IMAGE, t->image_name[i]);
	if (!err && campaign_alive())
		t->removed[i] = true;
	return err;
}

static int
halt(struct tale *t, const char *dir, int64_t at)
{
	if (!haltflag_save(dir, &(struct haltflag){ .halted = true, .at = at, .by_uid = 1000 }))
		return FG_EIO;
	if (campaign_alive())
		t->halted = true;
	return 0;
}

static int
resume(struct tale *t, const char *dir)
{
	t->halted = false;
	return haltflag_clear(dir, dir) ? 0 : FG_EIO;
}

static int
tell(void *ctx, const char *dir, unsigned life)
{
	struct tale *t = ctx;
	char why[200];
	unsigned swept;
	struct dirs_owner nobody[MSG_ROLE_LIMIT] = { { 0 } };
	t->f = NULL;
	int err = dirs_prepare(dir, dir, false, nobody, why, sizeof why);
	if (!err)
		err = files_open(dir, &t->f);
	if (!err)
		err = files_parts_sweep(t->f, NULL, NULL, &swept);
	if (!err)
		err = halt(t, dir, NOW + life);
	for (unsigned i = 0; !err && i < DOCS; i++)
		err = put_doc(t, i);
	for (unsigned i = 0; !err && i < IMAGES; i++)
		err = bring(t, i);
	if (!err)
		err = put_doc(t, 0); /* the same again */
	if (!err)
		err = bring(t, 1);
	if (!err)
		err = take_away(t, 2);
	if (!err)
		err = resume(t, dir);
	if (!err)
		err = halt(t, dir, NOW + 10 + life);
	files_close(t->f);
	return err;
}

/* ---- what must hold ---- */

static void
judge_docs(const struct tale *t, struct files *f)
{
	for (unsigned i = 0; i < DOCS; i++) {
		struct writer w;
		writer_init(&w, FILES_DOC_MAX);
		int err = files_doc_get(f, kind_of[i], t->doc_name[i], &w);
		fault_check(err == 0 || (err == FG_ENOTFOUND && !t->put[i]), "document %u: %s", i, err_name(err));
		fault_check(err || view_equal(writer_view(&w), view_of(t->doc[i], sizeof t->doc[i])), "half of document %u", i);
		writer_free(&w);
	}
}

static void
judge_images(const struct tale *t, struct files *f)
{
	for (unsigned i = 0; i < IMAGES; i++) {
		uint8_t own[DIGEST_SHA256_LEN];
		uint64_t size;
		int fd = files_image_open(f, FILES_IMAGE, t->image_name[i]);
		fault_check(fd >= 0 || (fd == FG_ENOTFOUND && !t->sealed[i]), "image %u: %s", i, err_name(fd));
		if (fd < 0)
			continue;
		fault_check(!t->removed[i], "image %u was removed and is there", i);
		fault_check(files_digest(fd, own, &size) == 0 && !memcmp(own, t->image_name[i], sizeof own), "half of image %u", i);
		close(fd);
	}
}

static unsigned
left_over(const char *dir, const char *folder)
{
	char path[256];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/%s", dir, folder);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += strstr(e->d_name, ".part") != NULL;
	if (d)
		closedir(d);
	return n;
}

static void
judge(void *ctx, const char *dir)
{
	const struct tale *t = ctx;
	struct haltflag flag;
	struct files *f = NULL;
	unsigned n;
	haltflag_load(dir, dir, NOW, &flag);
	fault_check(flag.halted || !t->halted, "a halt is lost");
	int err = files_open(dir, &f);
	if (!fault_check(err == 0, "the files do not open: %s", err_name(err)))
		return;
	err = files_parts_sweep(f, NULL, NULL, &n);
	fault_check(err == 0, "no sweep: %s", err_name(err));
	fault_check(!left_over(dir, "images/quarantine") && !left_over(dir, "reports") && !left_over(dir, "statements"),
	    "parts are left over");
	judge_docs(t, f);
	judge_images(t, f);
	files_close(f);
}

int
main(void)
{
	struct tale *t = calloc(1, sizeof *t);
	if (!t)
		abort();
	fault_begin("files");
	tale_init(t);
	campaign_run(&(struct campaign){ .name = "documents, images, halts", .ctx = t, .base = base, .begin = begin, .tell = tell,
	    .judge = judge, .lots = 8 });
	free(t);
	return fault_end();
}
