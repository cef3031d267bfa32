/* SPDX-License-Identifier: Apache-2.0 */
/* loop_rig - an event loop and both ends of a channel, for tests that play the other role. After cmocka.h. */
#ifndef FG_TESTS_LOOP_RIG_H
#define FG_TESTS_LOOP_RIG_H

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/chan.h"

/* Runs whatever is ready, until nothing is for a moment. */
static inline void
loop_pump(struct event_base *base)
{
	for (int quiet = 0; quiet < 3; quiet++) {
		for (int i = 0; i < 50; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
		poll(NULL, 0, 1);
	}
}

static uint8_t loop_buf[WIRE_FRAME_MAX];

/* The next message at our end, decoded; false when there is none. The caller closes the frame's descriptors. */
static inline bool
loop_next(int fd, unsigned type, void *msg, struct wire_frame *frame)
{
	int err = wire_recv(fd, loop_buf, frame);
	if (err)
		return false;
	assert_int_equal(frame->type, type);
	assert_int_equal(msg_decode(frame, msg, msg_size(type)), 0);
	return true;
}

#endif
