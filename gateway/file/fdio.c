/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/file/fdio.h"

#include <errno.h>
#include <unistd.h>

#include "crypto/err.h"

int
fdio_write(int fd, struct view bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* nothing taken and nothing said: not to be tried for ever */
		if (n <= 0)
			return FG_EIO;
		bytes = view_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return FG_OK;
}
