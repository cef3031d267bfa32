/* SPDX-License-Identifier: Apache-2.0 */
/* fdio - all the bytes through a descriptor, however many calls that takes. Every room of the gateway and its programs. */
#ifndef FG_GATEWAY_FILE_FDIO_H
#define FG_GATEWAY_FILE_FDIO_H

#include "crypto/view.h"

/* From where the descriptor stands. 0, or FG_EIO with errno: then some of them may be written. */
int fdio_write(int fd, struct view bytes);

#endif
