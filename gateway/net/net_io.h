/* SPDX-License-Identifier: Apache-2.0 */
/* net_io - how one attempt to move bytes over a non-blocking stream ended. */
#ifndef FG_NET_NET_IO_H
#define FG_NET_NET_IO_H

enum net_io {
	NET_IO_FAILED = 0, /* the stream is of no further use */
	NET_IO_DONE,       /* at least one byte moved, or the step is complete */
	NET_IO_WANT_READ,  /* nothing moved: try again when readable */
	NET_IO_WANT_WRITE, /* nothing moved: try again when writable, with the same bytes */
	NET_IO_EOF,        /* the peer will send nothing more */
};

#endif
