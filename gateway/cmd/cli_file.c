/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

static int
slurp(int fd, size_t max, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	if (fstat(fd, &st))
		return FG_EIO;
	if (!S_ISREG(st.st_mode))
		return FG_EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return FG_ELIMIT;
	size_t size = (size_t)st.st_size, n = 0;
	uint8_t *p = malloc(size ? size : 1);
	if (!p)
		return FG_ENOMEM;
	while (n < size) {
		ssize_t got = read(fd, p + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (n < size) {
		free(p);
		return FG_EIO;
	}
	*ret = p;
	*ret_n = n;
	return 0;
}

int
cli_file_read(const char *dir, const char *name, size_t max, uint8_t **ret, size_t *ret_n)
{
	int at = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	if (dir && at < 0)
		return FG_EIO;
	/* Without O_NONBLOCK a FIFO of that name would hold us for ever. */
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = fd < 0 ? FG_EIO : slurp(fd, max, ret, ret_n), saved = errno;
	if (fd >= 0)
		close(fd);
	if (at >= 0)
		close(at);
	errno = saved;
	return err;
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
cli_file_list(const char *dir, struct cli_file_names *ret)
{
	struct cli_file_names names = { 0 };
	int err = 0;
	DIR *d = opendir(dir);
	if (!d)
		return FG_EIO;
	names.name = calloc(CLI_FILE_NAMES_MAX, sizeof *names.name);
	if (!names.name)
		err = FG_ENOMEM;
	for (struct dirent *e; !err && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (names.n == CLI_FILE_NAMES_MAX)
			err = FG_ELIMIT;
		else if (!(names.name[names.n] = strdup(e->d_name)))
			err = FG_ENOMEM;
		else
			names.n++;
	}
	closedir(d);
	if (err) {
		cli_file_names_free(&names);
		return err;
	}
	qsort(names.name, names.n, sizeof *names.name, by_bytes);
	*ret = names;
	return 0;
}

void
cli_file_names_free(struct cli_file_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct cli_file_names){ 0 };
}
