/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/cli_export_papers.h"
#include "gateway/cmd/cli_log.h"
#include "gateway/cmd/cli_manifest.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_text.h"
#include "gateway/file/fdio.h"

#define RETRIES 10 /* times the log may replace the tiles of its right edge while we copy */
#define AUTHORITY "authority"
#define WAIT_TRIES 200       /* for the checkpoint over our own entry: it is signed within a second */
#define WAIT_NS 50000000     /* between two of them */

struct export {
	const struct cli_common *c;
	struct cli_call *call;
	const char *dir;
	bool made;     /* by us */
	bool evidence; /* a log that shows what it did not sign */
	struct cli_log log;
	struct cli_papers papers;
	uint64_t announced; /* log size after our entry */
	struct merkle *m;
	struct merkle_range range; /* over entries.jsonl as it is written */
	FILE *entries;
	struct writer w; /* one file at a time */
};

static int
io(const struct export *x, const char *path)
{
	return cli_opt_fail(x->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
}

/* ---- the folder ---- */

static int
make_dir(struct export *x)
{
	x->made = mkdir(x->dir, 0755) == 0;
	if (!x->made && errno != EEXIST)
		return io(x, x->dir);
	DIR *d = opendir(x->dir);
	unsigned n = 0;
	if (!d)
		return io(x, x->dir);
	while (n < 3 && readdir(d))
		n++;
	closedir(d);
	return n < 3 ? 0 : cli_opt_fail(x->c, CLI_REFUSED, "EXISTS", "Nothing is overwritten: name a new folder.",
	    "%s: is not empty", x->dir);
}

/* name may hold folders, which are made; partial tiles of an older try are replaced. */
static int
write_file(const struct export *x, const char *name, struct view bytes)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_place_path(x->dir, name, path))
		return CLI_USAGE;
	for (char *p = path + strlen(x->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		int r = mkdir(path, 0755);
		if (r && errno != EEXIST)
			return io(x, path);
		*p = '/';
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return io(x, path);
	int status = fdio_write(fd, bytes) ? io(x, path) : 0;
	if (close(fd) && !status)
		status = io(x, path);
	return status;
}

static int
put(void *ctx, const char *name, struct view bytes)
{
	return write_file(ctx, name, bytes);
}

/* ---- tiles ---- */

static bool
have_file(const struct export *x, const char *name)
{
	char path[CLI_OPT_PATH_MAX];
	return cli_place_path(x->dir, name, path) && access(path, F_OK) == 0;
}

/* 0, FG_ENOTFOUND when it is gone, another fg_err after saying why. Full tiles never change: once is enough. */
static int
copy_tile(struct export *x, const struct tile *t)
{
	char path[TILE_PATH_CAP];
	tile_path(t, path);
	if (t->width == TILE_WIDTH && have_file(x, path))
		return 0;
	int err = cli_log_file(&x->log, path, t->level == TILE_ENTRIES ? TILE_BUNDLE_MAX : TILE_BYTES_MAX, &x->w);
	if (err)
		return err;
	return write_file(x, path, writer_view(&x->w)) ? FG_EIO : 0;
}

static int
copy_tiles(struct export *x, bool full)
{
	struct tile_iter it;
	struct tile t;
	int err = 0;
	tile_iter_init(&it, 0, x->log.head.size);
	while (!err && tile_iter_next(&it, &t)) {
		if ((t.width == TILE_WIDTH) != full)
			continue;
		err = copy_tile(x, &t);
		if (!err && t.level == 0) {
			t.level = TILE_ENTRIES;
			err = copy_tile(x, &t);
		}
	}
	return err;
}

static void
forget_partial(const struct export *x)
{
	struct tile_iter it;
	struct tile t;
	char name[TILE_PATH_CAP], path[CLI_OPT_PATH_MAX];
	tile_iter_init(&it, 0, x->log.head.size);
	while (tile_iter_next(&it, &t)) {
		for (unsigned i = 0; i < 2 && t.width < TILE_WIDTH; i++) {
			tile_path(&t, name);
			if (cli_place_path(x->dir, name, path) && unlink(path) == 0) {
				*strrchr(path, '/') = '\0';
				rmdir(path); /* the folder "NNN.p" */
			}
			if (t.level)
				break;
			t.level = TILE_ENTRIES;
		}
	}
}

/* A checkpoint that covers our own entry: what goes along for readers is vouched for by it. */
static int
wait_head(struct export *x)
{
	const struct timespec pause = { .tv_nsec = WAIT_NS };
	for (unsigned tries = 0; tries < WAIT_TRIES; tries++) {
		int status = cli_log_head(&x->log);
		if (status || x->log.head.size >= x->announced)
			return status;
		nanosleep(&pause, NULL);
	}
	return cli_opt_fail(x->c, CLI_COULD_NOT, "LOG", "fotagate status tells what is known about the log.",
	    "the log is not signed any more: its newest checkpoint does not cover this export");
}

/* The tree of one checkpoint, whole; a newer one when its right edge is replaced meanwhile. */
static int
copy_log(struct export *x)
{
	for (unsigned tries = 0; tries < RETRIES; tries++) {
		int status = wait_head(x);
		if (status)
			return status;
		int err = copy_tiles(x, true);
		if (!err)
			err = copy_tiles(x, false);
		if (!err)
			return write_file(x, "checkpoint", writer_view(&x->log.note));
		if (err != FG_ENOTFOUND)
			return CLI_COULD_NOT;
		forget_partial(x);
	}
	return cli_opt_fail(x->c, CLI_COULD_NOT, "LOG", "fotagate status tells what is known about the log.",
	    "tiles of the published log are missing");
}

/* ---- entries ---- */

static int
take_entry(struct export *x, struct view line)
{
	uint8_t leaf[MERKLE_HASH_LEN];
	int err = merkle_leaf(x->m, line, leaf);
	if (!err)
		err = merkle_range_push(x->m, &x->range, leaf);
	if (!err && (fwrite(line.p, 1, line.n, x->entries) != line.n || fputc('\n', x->entries) == EOF))
		err = FG_EIO;
	if (!err)
		err = cli_papers_entry(&x->papers, line);
	return err;
}

static int
take_bundle(struct export *x, uint64_t index)
{
	struct tile t = { .level = TILE_ENTRIES, .index = index, .width = tile_width(TILE_ENTRIES, index, x->log.head.size) };
	char name[TILE_PATH_CAP], path[CLI_OPT_PATH_MAX];
	struct tile_bundle b;
	struct view line;
	tile_path(&t, name);
	if (!cli_place_path(x->dir, name, path))
		return FG_ELIMIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return FG_EIO;
	writer_reset(&x->w);
	int err = cli_call_slurp(fd, TILE_BUNDLE_MAX, &x->w);
	close(fd);
	tile_bundle_begin(&b, writer_view(&x->w), t.width);
	for (int more = 1; !err && (more = tile_bundle_next(&b, &line)) != 0;)
		err = more < 0 ? more : take_entry(x, line);
	return err;
}

/* What was copied is not what the log's key signs. */
static int
keep_evidence(struct export *x, const char *what, const char *why)
{
	x->evidence = true;
	return cli_opt_fail(x->c, CLI_REFUSED, "LOG", "Keep this folder as evidence; fotagate status tells what the gateway knows.",
	    "%s: %s", what, why);
}

static int
write_entries(struct export *x)
{
	char path[CLI_OPT_PATH_MAX];
	uint8_t root[MERKLE_HASH_LEN];
	if (!cli_place_path(x->dir, "entries.jsonl", path))
		return CLI_USAGE;
	x->entries = fopen(path, "wxe");
	if (!x->entries)
		return io(x, path);
	int err = 0;
	for (uint64_t at = 0; !err && at < x->log.head.size; at += TILE_WIDTH)
		err = take_bundle(x, at / TILE_WIDTH);
	if (!err)
		err = merkle_range_root(x->m, &x->range, root);
	if (fclose(x->entries) && !err)
		err = FG_EIO;
	x->entries = NULL;
	if (err)
		return cli_opt_fail(x->c, CLI_COULD_NOT, "LOG", NULL, "%s: %s", path, err_why(err));
	if (x->range.size == x->log.head.size && memcmp(root, x->log.head.root, sizeof root) == 0)
		return 0;
	return keep_evidence(x, path, "the entries do not hash to the root that the checkpoint signs");
}

/* The log's own key, as genesis names it, must have signed what we copied. */
static int
check_signature(struct export *x)
{
	struct note_key key;
	struct checkpoint_opened opened;
	int err = note_key_parse(view_str(x->papers.genesis->log_vkey), &key);
	if (!err)
		err = checkpoint_open(writer_view(&x->log.note), x->papers.genesis->origin, &key, NULL, 0, 0, &opened);
	if (!err && opened.outcome == CHECKPOINT_VERIFIED)
		return 0;
	return keep_evidence(x, "the checkpoint is not signed by the log key that genesis names",
	    err ? err_name(err) : checkpoint_outcome_name(opened.outcome));
}

/* ---- all of it ---- */

/* What goes along for readers. */
static const struct {
	const char *name;
	const uint8_t *bytes;
	const size_t *n;
} texts[] = {
	{ "VERIFY.md", cli_text_verify_md, &cli_text_verify_md_n },
	{ "verify40.py", cli_text_verify40_py, &cli_text_verify40_py_n },
	{ "base40.py", cli_text_base40_py, &cli_text_base40_py_n },
	{ "files40.py", cli_text_files40_py, &cli_text_files40_py_n },
	{ "glass40.py", cli_text_glass40_py, &cli_text_glass40_py_n },
	{ "people40.py", cli_text_people40_py, &cli_text_people40_py_n },
	{ "policy40.py", cli_text_policy40_py, &cli_text_policy40_py_n },
	{ "releases40.py", cli_text_releases40_py, &cli_text_releases40_py_n },
	{ "rollouts40.py", cli_text_rollouts40_py, &cli_text_rollouts40_py_n },
	{ "served40.py", cli_text_served40_py, &cli_text_served40_py_n },
	{ "standing40.py", cli_text_standing40_py, &cli_text_standing40_py_n },
};
#define TEXTS (sizeof texts / sizeof texts[0])

/* The log says first that somebody took it away, and what the texts in it are. */
static int
announce(struct export *x)
{
	struct cli_request r;
	struct cli_reply reply;
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = 0;
	cli_call_begin(&r);
	jsonw_key(&r.j, "texts");
	jsonw_array(&r.j);
	for (size_t i = 0; !err && i < TEXTS; i++) {
		err = digest_sha256(view_of(texts[i].bytes, *texts[i].n), digest);
		jsonw_hex(&r.j, digest, sizeof digest);
	}
	jsonw_array_end(&r.j);
	int status = cli_call_do(x->call, "audit.export", &r, NULL, 0, &reply);
	if (err && !status)
		status = cli_opt_fail(x->c, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_name(err));
	if (!status && reply.status != CLI_DONE)
		status = cli_call_refused(x->c, &reply);
	if (!status)
		(void)json_uint(json_get(json_root(reply.doc), "size"), &x->announced);
	cli_reply_free(&reply);
	return status;
}

static void
say(const struct export *x)
{
	char root[2 * MERKLE_HASH_LEN + 1];
	hex_encode(x->log.head.root, MERKLE_HASH_LEN, root);
	if (x->c->json) {
		struct writer w;
		struct jsonw j;
		writer_init(&w, 4096);
		jsonw_init(&j, &w);
		jsonw_object(&j);
		jsonw_kuint(&j, "entries", x->log.head.size);
		jsonw_kuint(&j, "missing", x->papers.missing);
		jsonw_kcstr(&j, "origin", x->papers.genesis->origin);
		jsonw_kuint(&j, "reports", x->papers.reports);
		jsonw_kcstr(&j, "root", root);
		jsonw_kuint(&j, "sets", x->papers.sets);
		jsonw_kuint(&j, "statements", x->papers.statements);
		jsonw_object_end(&j);
		cli_print_json(stdout, writer_view(&w));
		writer_free(&w);
		return;
	}
	cli_print_line(stdout, "exported", "%s", x->papers.genesis->origin);
	cli_print_line(stdout, "entries", "%llu", (unsigned long long)x->log.head.size);
	cli_print_line(stdout, "root", "%s", root);
	cli_print_line(stdout, "statements", "%u", x->papers.statements);
	cli_print_line(stdout, "reports", "%u", x->papers.reports);
	cli_print_line(stdout, "signer sets", "%u", x->papers.sets);
	printf("\nVERIFY.md in it says how to check all this with and without fotagate.\n");
}

static int
run(struct export *x, const char *authority)
{
	char folder[CLI_OPT_PATH_MAX];
	if (authority ? snprintf(folder, sizeof folder, "%s", authority) >= (int)sizeof folder :
			!cli_opt_data_path(x->c, AUTHORITY, folder))
		return CLI_USAGE;
	int status = cli_papers_open(&x->papers, x->c, x->call, put, x);
	if (!status)
		status = make_dir(x);
	if (!status)
		status = cli_papers_genesis(&x->papers, folder);
	if (!status)
		status = announce(x);
	if (!status)
		status = copy_log(x);
	if (!status)
		status = check_signature(x);
	if (!status)
		status = write_entries(x);
	if (!status)
		status = cli_papers_signers(&x->papers, folder);
	if (!status)
		status = cli_papers_policies(&x->papers, folder);
	if (!status)
		status = cli_papers_write(&x->papers);
	for (size_t i = 0; !status && i < TEXTS; i++)
		status = write_file(x, texts[i].name, view_of(texts[i].bytes, *texts[i].n));
	return status;
}

static int
export(const struct cli_common *c, const char *dir, const char *authority, unsigned *ret_missing)
{
	struct export x = { .c = c, .dir = dir, .m = merkle_new() };
	int status = x.m ? cli_call_open(c, &x.call) : cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	writer_init(&x.w, TILE_BUNDLE_MAX);
	cli_log_init(&x.log, c, x.call);
	if (!status)
		status = run(&x, authority);
	/* Half an export looks like one, and stands in the way of the next try. */
	if (status && x.made && !x.evidence)
		cli_manifest_remove(dir);
	if (!status && ret_missing)
		*ret_missing = x.papers.missing;
	else if (!status)
		say(&x);
	if (!status && !ret_missing && x.papers.missing)
		status = CLI_REFUSED;
	cli_papers_close(&x.papers);
	cli_log_end(&x.log);
	writer_free(&x.w);
	cli_call_close(x.call);
	merkle_free(x.m);
	return status;
}

int
cli_export_run(const struct cli_common *c, const char *dir, const char *authority)
{
	return export(c, dir, authority, NULL);
}

int
cli_export_part(const struct cli_common *c, const char *dir, const char *authority, unsigned *ret_missing)
{
	return export(c, dir, authority, ret_missing);
}
