/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/fdio.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int
memfd_open(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before 6.3 every memfd could be executed */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? FG_EIO : fd;
}

int
memfd_sealed(const char *name, struct view bytes)
{
	int fd = memfd_open(name);
	if (fd < 0)
		return fd;
	int r = fdio_write(fd, bytes);
	if (!r)
		r = memfd_seal(fd);
	if (!r)
		return fd;
	close(fd);
	return r;
}

/*
 * MADV_COLLAPSE asks no setting of the system's for leave, unlike everything else that makes
 * pages large; as it comes, Linux makes none of shared memory.
 */
bool
memfd_enlarge(int fd, uint64_t from, uint64_t end)
{
	uint64_t first = from - from % MEMFD_LARGE;
	size_t n = end > first ? (size_t)((end - first + MEMFD_LARGE / 4) / MEMFD_LARGE * MEMFD_LARGE) : 0;
	if (!n)
		return true;
	/* A large page must lie in memory as it does in the file. */
	size_t room = n + MEMFD_LARGE;
	uint8_t *p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	uint8_t *at = p + (MEMFD_LARGE - (uintptr_t)p % MEMFD_LARGE) % MEMFD_LARGE;
	bool done = mmap(at, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, (off_t)first) != MAP_FAILED &&
	    madvise(at, n, MADV_COLLAPSE) == 0;
	munmap(p, room);
	return done;
}

int
memfd_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, ALL_SEALS) ? FG_EIO : 0;
}

bool
memfd_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS;
}

int
memfd_map(int fd, size_t max, struct view *ret)
{
	if (!memfd_is_sealed(fd))
		return FG_EPEER;
	struct stat st;
	if (fstat(fd, &st))
		return FG_EIO;
	if (st.st_size <= 0 || (uint64_t)st.st_size > max)
		return FG_ELIMIT;
	/* MAP_PRIVATE: before Linux 6.7 a write seal forbids even a read-only shared mapping. */
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return FG_EIO;
	*ret = view_of(p, (size_t)st.st_size);
	return 0;
}

void
memfd_unmap(struct view v)
{
	if (v.p)
		munmap((void *)(uintptr_t)v.p, v.n);
}
