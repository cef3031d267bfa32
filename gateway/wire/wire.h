/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - one message over one SOCK_SEQPACKET pair, with descriptors.
 * Role: all traffic between roles, and between the command line and control.
 * No event loop here (the warden and jobs use it with poll); gateway/role adds
 * queues and the permitted-now table on libevent. Guarantees: a message is
 * whole or an error; descriptors of a refused message are closed; every
 * descriptor arrives close-on-exec; nothing blocks unless the socket does.
 *
 * Frame: u8 version, u8 zero, u16 type (big-endian), body.
 */
#ifndef FG_GATEWAY_WIRE_WIRE_H
#define FG_GATEWAY_WIRE_WIRE_H

#include "crypto/view.h"

#define WIRE_VERSION 1
#define WIRE_FRAME_MAX (64u << 10) /* fits the default socket buffer with room for three more */
#define WIRE_HEAD 4
#define WIRE_BODY_MAX (WIRE_FRAME_MAX - WIRE_HEAD)
#define WIRE_FDS_MAX 7 /* what an inspection can name: image, signature, trust, old image, base, target, aids */

struct wire_frame {
	uint16_t type;
	struct view body; /* borrowed from the caller's buffer */
	int fds[WIRE_FDS_MAX]; /* owned by whoever received the frame */
	unsigned fds_n;
};

/*
 * Sends one frame; fds stay the caller's. FG_EAGAIN when the socket is full,
 * FG_EIO when the peer is gone, FG_ELIMIT over the caps.
 */
int wire_send(int sock, uint16_t type, struct view body, const int *fds, unsigned fds_n);
/*
 * Receives one frame into buf (WIRE_FRAME_MAX bytes). FG_EAGAIN when none is
 * there, FG_ENOTFOUND at end of file, FG_EPEER for truncation, a wrong version,
 * or more descriptors than WIRE_FDS_MAX (all are closed), FG_EIO.
 */
int wire_recv(int sock, uint8_t *buf, struct wire_frame *ret);
/* Closes and forgets the descriptors that nobody took. */
void wire_close_fds(struct wire_frame *f);
/* Takes the i-th descriptor out of the frame; -1 if there is none. */
int wire_take_fd(struct wire_frame *f, unsigned i);
/* A connected pair, close-on-exec and non-blocking. 0 or FG_EIO. */
int wire_pair(int ret[2]);

#endif
