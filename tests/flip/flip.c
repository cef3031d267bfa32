/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_export DIR TRUST - every byte of an export is changed by one bit, one after the
 * other, and the verifier is asked each time, in this process: fifty thousand times would
 * be long with a program started for each. It has to refuse the export and to name the
 * file that was changed. What may be changed without effect is in a table, with its
 * reason, and is counted. DIR is the caller's copy; it ends as it was, with two witnesses more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/note.h"
#include "gateway/cmd/verify_dir.h"
#include "gateway/cmd/verify_trust.h"
#include "flip/memo.h"

#define FILES_MAX 256
#define PATH_CAP 1024
#define TOLD_MAX 40 /* failures told one by one */
#define RULES 1
#define COULD_NOT 2

struct file {
	char *name;
	uint8_t *bytes;
	size_t n;
};

struct export {
	const char *dir;
	struct verify_trust trust;
	struct file file[FILES_MAX];
	size_t files;
	struct verify_say said; /* the latest word */
	unsigned long changes, failed, spared[RULES];
	size_t witness; /* where in the checkpoint the line of the witness that TRUST names here begins */
};

static bool
is_of_strange_witness(const struct export *x, const struct file *f, size_t at)
{
	if (strcmp(f->name, "checkpoint"))
		return false;
	const uint8_t *lines = memmem(f->bytes, f->n, "\n\n", 2), *origin_end = memchr(f->bytes, '\n', f->n);
	size_t first = (size_t)(lines + 2 - f->bytes), origin = (size_t)(origin_end - f->bytes), begin = at;
	if (at < first || at >= x->witness)
		return false;
	while (f->bytes[begin - 1] != '\n')
		begin--;
	const uint8_t *name = f->bytes + begin + strlen("\xe2\x80\x94 ");
	return f->bytes[at] != '\n' && (memcmp(name, f->bytes, origin) || name[origin] != ' ');
}

/* What may say ok although it was changed; a rule that spares nothing is a failure. */
static const struct rule {
	bool (*covers)(const struct export *x, const struct file *f, size_t at);
	const char *why;
} rules[RULES] = {
	{ is_of_strange_witness, "a witness that the auditor does not name proves nothing to him, and nothing covers its line" },
};

static void
die(const char *what)
{
	perror(what);
	exit(COULD_NOT);
}

static void
path_of(const struct export *x, const char *name, char ret[PATH_CAP])
{
	if (snprintf(ret, PATH_CAP, "%s/%s", x->dir, name) >= PATH_CAP)
		exit(COULD_NOT);
}

static uint8_t *
slurp(const char *path, size_t *ret_n)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die(path);
	uint8_t *p = malloc((size_t)st.st_size + 1);
	if (!p || read(fd, p, (size_t)st.st_size) != st.st_size)
		die(path);
	close(fd);
	*ret_n = (size_t)st.st_size;
	return p;
}

static void
collect(struct export *x, const char *folder)
{
	char path[PATH_CAP], name[PATH_CAP];
	path_of(x, folder, path);
	DIR *d = opendir(path);
	if (!d)
		die(path);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof name, "%s%s%s", folder, *folder ? "/" : "", e->d_name) >= PATH_CAP)
			exit(COULD_NOT);
		if (e->d_type == DT_DIR) {
			collect(x, name);
			continue;
		}
		if (x->files == FILES_MAX)
			exit(COULD_NOT);
		struct file *f = &x->file[x->files++];
		f->name = strdup(name);
		path_of(x, name, path);
		f->bytes = slurp(path, &f->n);
	}
	closedir(d);
}

static void
cosign(const char *name, struct view text, struct writer *lines, struct writer *ret_vkey)
{
	struct note_signer w;
	if (note_signer_generate(name, NOTE_TYPE_COSIGNATURE, &w) || note_cosign(text, &w, 1800000000, lines))
		exit(COULD_NOT);
	note_key_write(&w.key, ret_vkey);
	note_signer_wipe(&w);
}

/* Two more lines under the checkpoint, the last by a witness that the auditor does name. */
static void
add_witnesses(struct export *x)
{
	char path[PATH_CAP], line[2 * NOTE_VKEY_MAX];
	const char *why = "";
	struct writer lines, strange, vkey;
	size_t n;
	path_of(x, "checkpoint", path);
	uint8_t *note = slurp(path, &n);
	const uint8_t *end = memmem(note, n, "\n\n", 2);
	if (!end)
		exit(COULD_NOT);
	struct view text = view_of(note, (size_t)(end + 1 - note));
	writer_init(&lines, NOTE_SIZE_MAX);
	writer_init(&strange, NOTE_VKEY_MAX);
	writer_init(&vkey, NOTE_VKEY_MAX);
	cosign("witness.example/strange", text, &lines, &strange);
	x->witness = n + lines.n;
	cosign("witness.example/one", text, &lines, &vkey);
	snprintf(line, sizeof line, "witness one %.*s", (int)vkey.n, (const char *)vkey.p);
	if (writer_err(&lines) || witness_policy_line(&x->trust.policy, view_str(line), &why)) {
		fprintf(stderr, "%s: %s\n", line, why);
		exit(COULD_NOT);
	}
	FILE *f = fopen(path, "ae");
	if (!f || fwrite(lines.p, 1, lines.n, f) != lines.n || fclose(f))
		die(path);
	writer_free(&lines);
	writer_free(&strange);
	writer_free(&vkey);
	free(note);
}

static enum verify_one
judge(struct export *x)
{
	const struct verify_dir d = { .dir = x->dir, .trust = &x->trust };
	verify_say_free(&x->said);
	x->said.json = true; /* problems are kept; the document goes to /dev/null */
	return verify_dir_run(&d, &x->said);
}

static bool
names(const struct verify_say *said, const char *file)
{
	for (unsigned i = 0; i < said->problems && i < VERIFY_SAY_PROBLEMS; i++) {
		if (said->problem[i] && strstr(said->problem[i], file))
			return true;
	}
	return false;
}

static bool
is_spared(struct export *x, const struct file *f, size_t at)
{
	for (size_t i = 0; i < RULES; i++) {
		if (rules[i].covers(x, f, at)) {
			x->spared[i]++;
			return true;
		}
	}
	return false;
}

static void
change(struct export *x, const struct file *f, int fd, size_t at, unsigned bit)
{
	uint8_t other = f->bytes[at] ^ (uint8_t)(1u << bit);
	if (pwrite(fd, &other, 1, (off_t)at) != 1)
		die(f->name);
	enum verify_one word = judge(x);
	if (pwrite(fd, &f->bytes[at], 1, (off_t)at) != 1)
		die(f->name);
	x->changes++;
	if (word == VERIFY_ONE_BAD && names(&x->said, f->name))
		return;
	if (word == VERIFY_ONE_OK && is_spared(x, f, at))
		return;
	if (x->failed++ < TOLD_MAX)
		fprintf(stderr, "%s, bit %u of byte %zu: %s: %s\n", f->name, bit, at,
		    word == VERIFY_ONE_OK ? "said to be ok" : word == VERIFY_ONE_BAD ? "refused without its name" : "not judged",
		    x->said.problems && x->said.problem[0] ? x->said.problem[0] : "");
}

/* The last letter before a line's end or "=" of base64 may have bits that mean nothing: all of them there. */
static bool
is_last_of_line(const struct file *f, size_t at)
{
	return at + 1 == f->n || f->bytes[at + 1] == '\n' || f->bytes[at + 1] == '=' || f->bytes[at] == '=';
}

static void
change_all(struct export *x, const struct file *f)
{
	char path[PATH_CAP];
	path_of(x, f->name, path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	for (size_t at = 0; at < f->n; at++) {
		bool all = is_last_of_line(f, at);
		for (unsigned bit = 0; bit < 8; bit++) {
			if (all || bit == at % 8)
				change(x, f, fd, at, bit);
		}
	}
	close(fd);
}

/* What was tried, in one line and one for each rule; the exit status. */
static int
tell(const struct export *x, int out)
{
	size_t bytes = 0;
	unsigned long spared = 0;
	bool idle = false;
	for (size_t i = 0; i < x->files; i++)
		bytes += x->file[i].n;
	for (size_t i = 0; i < RULES; i++) {
		spared += x->spared[i];
		idle |= x->spared[i] == 0;
	}
	dprintf(out, "%zu bytes of %zu files, %lu changes: %lu refused by name, %lu not\n", bytes, x->files, x->changes,
	    x->changes - spared - x->failed, x->failed);
	for (size_t i = 0; i < RULES; i++)
		dprintf(out, "%lu without effect: %s\n", x->spared[i], rules[i].why);
	return x->failed || idle;
}

int
main(int argc, char **argv)
{
	struct export *x = calloc(1, sizeof *x);
	int out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	if (argc != 3 || !x || out < 0 || !freopen("/dev/null", "we", stdout) || verify_trust_read(argv[2], &x->trust))
		return COULD_NOT;
	x->dir = argv[1];
	add_witnesses(x);
	collect(x, "");
	memo_learn(true);
	enum verify_one before = judge(x);
	memo_learn(false);
	for (size_t i = 0; i < x->files && before == VERIFY_ONE_OK; i++)
		change_all(x, &x->file[i]);
	memo_free();
	if (judge(x) != VERIFY_ONE_OK) {
		fprintf(stderr, "not ok with every byte as it was: %s\n", x->said.problem[0] ? x->said.problem[0] : "");
		return COULD_NOT;
	}
	int status = tell(x, out);
	verify_say_free(&x->said);
	for (size_t i = 0; i < x->files; i++) {
		free(x->file[i].name);
		free(x->file[i].bytes);
	}
	free(x);
	return status;
}
