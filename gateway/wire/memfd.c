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
