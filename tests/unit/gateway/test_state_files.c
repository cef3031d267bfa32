/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/state/files.h"

struct rig {
	char dir[64];
	struct files *files;
};

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	snprintf(r->dir, sizeof r->dir, "/tmp/fg-files-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(files_open(r->dir, &r->files), 0);
	*state = r;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	files_close(r->files);
	nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(r);
	return 0;
}

static bool
exists(const struct rig *r, const char *folder, const uint8_t *sha256, const char *suffix, mode_t *ret_mode)
{
	char digits[65], path[256];
	struct stat st;
	hex_encode(sha256, 32, digits);
	snprintf(path, sizeof path, "%s/%s/%s%s", r->dir, folder, digits, suffix);
	if (lstat(path, &st))
		return false;
	if (ret_mode)
		*ret_mode = st.st_mode & 07777;
	return true;
}

static struct files_part
part_with(struct rig *r, const char *text, uint8_t sha256[32])
{
	struct files_part p;
	assert_int_equal(files_part_new(r->files, &p), 0);
	assert_int_equal(write(p.fd, text, strlen(text)), (ssize_t)strlen(text));
	close(p.fd);
	assert_int_equal(digest_sha256(view_str(text), sha256), 0);
	return p;
}

static void
test_files_image_from_part_to_name(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32], found[32];
	uint64_t size = 0;
	mode_t mode = 0;
	struct files_part p = part_with(r, "firmware", sha256);
	int fd = files_part_read(r->files, p.name);
	assert_true(fd >= 0);
	assert_int_equal(files_digest(fd, found, &size), 0);
	assert_memory_equal(found, sha256, 32);
	assert_int_equal(size, 8);
	assert_int_equal(write(fd, "x", 1), -1); /* for reading */
	close(fd);
	assert_int_equal(files_image_open(r->files, FILES_IMAGE, sha256), FG_ENOTFOUND);
	assert_int_equal(files_part_seal(r->files, p.name, FILES_IMAGE, sha256), 0);
	assert_true(exists(r, "images/quarantine", sha256, ".img", &mode));
	assert_int_equal(mode, 0400);
	assert_int_equal(files_part_read(r->files, p.name), FG_ENOTFOUND);
	fd = files_image_open(r->files, FILES_IMAGE, sha256);
	assert_true(fd >= 0);
	assert_int_equal(files_digest(fd, found, &size), 0);
	assert_memory_equal(found, sha256, 32);
	close(fd);
	assert_int_equal(files_image_open(r->files, FILES_SIGNATURE, sha256), FG_ENOTFOUND);
	assert_int_equal(files_image_remove(r->files, FILES_IMAGE, sha256), 0);
	assert_int_equal(files_image_remove(r->files, FILES_IMAGE, sha256), 0);
	assert_int_equal(files_image_open(r->files, FILES_IMAGE, sha256), FG_ENOTFOUND);
}

/* The same bytes come again: one file. Other bytes under a known digest: somebody lies. */
static void
test_files_seal_never_replaces(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32], other[32], raw[16];
	struct files_part a = part_with(r, "firmware", sha256), b = part_with(r, "firmware", sha256);
	struct files_part c = part_with(r, "something longer", other);
	assert_int_equal(files_part_seal(r->files, a.name, FILES_IMAGE, sha256), 0);
	assert_int_equal(files_part_seal(r->files, b.name, FILES_IMAGE, sha256), 0);
	assert_int_equal(files_part_read(r->files, b.name), FG_ENOTFOUND);
	assert_int_equal(files_part_seal(r->files, c.name, FILES_IMAGE, sha256), FG_EEXIST);
	int fd = files_part_read(r->files, c.name); /* still there to be looked at */
	assert_true(fd >= 0);
	close(fd);
	fd = files_image_open(r->files, FILES_IMAGE, sha256);
	assert_int_equal(read(fd, raw, sizeof raw), 8);
	close(fd);
	files_part_drop(r->files, c.name);
	files_part_drop(r->files, c.name);
	assert_int_equal(files_part_seal(r->files, c.name, FILES_IMAGE, sha256), FG_ENOTFOUND);
}

static void
test_files_part_names_cannot_be_paths(void **state)
{
	static const char *const bad[] = { "", "../../state.db", "0123456789abcdef0123456789abcdef.img",
		"0123456789ABCDEF0123456789abcdef.part", "../3456789abcdef0123456789abcdef00.part",
		"0123456789abcdef0123456789abcdef.part/", "/123456789abcdef0123456789abcdef.part" };
	struct rig *r = *state;
	uint8_t sha256[32] = { 0 };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(files_part_read(r->files, bad[i]), FG_ENOTFOUND);
		assert_int_equal(files_part_seal(r->files, bad[i], FILES_IMAGE, sha256), FG_ENOTFOUND);
		files_part_drop(r->files, bad[i]);
	}
}

/* Whoever can write into the folder still cannot point a name elsewhere. */
static void
test_files_links_and_fifos_are_refused(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32];
	char path[256], digits[65];
	struct files_part p = part_with(r, "firmware", sha256);
	hex_encode(sha256, 32, digits);
	snprintf(path, sizeof path, "%s/images/quarantine/%s.img", r->dir, digits);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(files_image_open(r->files, FILES_IMAGE, sha256), FG_EIO);
	assert_int_equal(files_part_seal(r->files, p.name, FILES_IMAGE, sha256), FG_EEXIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(files_image_open(r->files, FILES_IMAGE, sha256), FG_EIO); /* and does not wait for a writer */
}

struct seen {
	unsigned n;
	uint64_t bytes;
};

static int
see(void *arg, const uint8_t sha256[32], uint64_t size)
{
	struct seen *s = arg;
	(void)sha256;
	s->n++;
	s->bytes += size;
	return s->n == 100 ? 5 : 0;
}

static void
test_files_sweep_usage_and_walk(void **state)
{
	struct rig *r = *state;
	uint8_t a[32], b[32], c[32];
	uint64_t bytes = 0;
	unsigned n = 0;
	struct seen s = { 0 };
	struct files_part p = part_with(r, "one", a), q = part_with(r, "three", b);
	(void)part_with(r, "left over by a crash", c);
	assert_int_equal(files_part_seal(r->files, p.name, FILES_IMAGE, a), 0);
	assert_int_equal(files_part_seal(r->files, q.name, FILES_SIGNATURE, b), 0);
	assert_int_equal(files_usage(r->files, &bytes), 0);
	assert_int_equal(bytes, 3 + 5 + 20);
	assert_int_equal(files_parts_sweep(r->files, NULL, NULL, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(files_usage(r->files, &bytes), 0);
	assert_int_equal(bytes, 3 + 5);
	assert_int_equal(files_image_each(r->files, see, &s), 0);
	assert_int_equal(s.n, 1); /* signatures are not images */
	assert_int_equal(s.bytes, 3);
	s.n = 99;
	assert_int_equal(files_image_each(r->files, see, &s), 5);
	assert_int_equal(files_space(r->files, &bytes), 0);
	assert_true(bytes > 0);
}

static void
test_files_documents_are_written_once(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32], wrong[32] = { 1 };
	struct view text = view_str("{\"schema\":\"fotagate-report/1\"}");
	mode_t mode = 0;
	struct writer w;
	assert_int_equal(digest_sha256(text, sha256), 0);
	assert_int_equal(files_doc_put(r->files, FILES_REPORT, wrong, text), FG_EINVAL);
	assert_int_equal(files_doc_put(r->files, FILES_REPORT, sha256, text), 0);
	assert_int_equal(files_doc_put(r->files, FILES_REPORT, sha256, text), 0);
	assert_int_equal(files_doc_put(r->files, FILES_PROVENANCE, sha256, text), 0); /* another name */
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT, sha256, text), 0);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT_SIG, sha256, view_str("-----BEGIN")), 0);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT_SIG, sha256, view_str("-----BEGIN")), 0);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT_SIG, sha256, view_str("-----begin")), FG_EEXIST);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT_SIG, sha256, view_str("-----BEGIN more")), FG_EEXIST);
	assert_true(exists(r, "reports", sha256, ".json", &mode));
	assert_int_equal(mode, 0400);
	assert_true(exists(r, "reports", sha256, ".provenance.json", NULL));
	assert_true(exists(r, "statements", sha256, ".json", NULL));
	assert_true(exists(r, "statements", sha256, ".sig", NULL));
	writer_init(&w, FILES_DOC_MAX);
	writer_text(&w, ">");
	assert_int_equal(files_doc_get(r->files, FILES_REPORT, sha256, &w), 0);
	assert_int_equal(writer_view(&w).n, text.n + 1);
	writer_reset(&w);
	assert_int_equal(files_doc_get(r->files, FILES_STATEMENT_SIG, sha256, &w), 0);
	assert_true(view_is(writer_view(&w), "-----BEGIN"));
	assert_int_equal(files_doc_get(r->files, FILES_POLICY, sha256, &w), FG_ENOTFOUND);
	writer_free(&w);
	writer_init(&w, 5);
	assert_int_equal(files_doc_get(r->files, FILES_REPORT, sha256, &w), FG_ELIMIT);
	writer_free(&w);
	/* Three documents and a signature, and nothing left aside. */
	unsigned n = 0;
	const char *const folders[] = { "reports", "statements" };
	for (unsigned i = 0; i < 2; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", r->dir, folders[i]);
		DIR *d = opendir(path);
		for (const struct dirent *e; (e = readdir(d)) != NULL;)
			n += e->d_name[0] != '.';
		closedir(d);
	}
	assert_int_equal(n, 4);
}

/* A document changed on disk is not handed out as what its name says. */
static void
test_files_document_rot_is_noticed(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32];
	char path[256], digits[65];
	struct writer w;
	struct view text = view_str("{\"a\":1}");
	assert_int_equal(digest_sha256(text, sha256), 0);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT, sha256, text), 0);
	hex_encode(sha256, 32, digits);
	snprintf(path, sizeof path, "%s/statements/%s.json", r->dir, digits);
	assert_int_equal(chmod(path, 0600), 0);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "2", 1, 5), 1);
	close(fd);
	writer_init(&w, FILES_DOC_MAX);
	assert_int_equal(files_doc_get(r->files, FILES_STATEMENT, sha256, &w), FG_EFORMAT);
	writer_free(&w);
	assert_int_equal(files_doc_put(r->files, FILES_STATEMENT, sha256, text), FG_EEXIST);
}

static void
test_files_read_is_bounded(void **state)
{
	struct rig *r = *state;
	uint8_t sha256[32];
	struct writer w;
	struct files_part p = part_with(r, "0123456789", sha256);
	int fd = files_part_read(r->files, p.name);
	writer_init(&w, 100);
	assert_int_equal(files_read(fd, 9, &w), FG_ELIMIT);
	writer_reset(&w);
	assert_int_equal(files_read(fd, 10, &w), 0);
	assert_true(view_is(writer_view(&w), "0123456789"));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	writer_free(&w);
	close(fd);
	struct files *f = NULL;
	assert_int_equal(files_open("/nonexistent", &f), FG_EIO);
	assert_null(f);
	files_close(NULL);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_files_image_from_part_to_name),
		T(test_files_seal_never_replaces),
		T(test_files_part_names_cannot_be_paths),
		T(test_files_links_and_fifos_are_refused),
		T(test_files_sweep_usage_and_walk),
		T(test_files_documents_are_written_once),
		T(test_files_document_rot_is_noticed),
		T(test_files_read_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
