/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message decoder: two bytes choose the type, the rest is a body. What
 * decodes must encode to the same bytes, so no two bodies mean one message.
 */
#include <stdlib.h>

#include "gateway/wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct wire_frame frame = {
		.type = (uint16_t)(data[0] << 8 | data[1]),
		.body = view_of(data + 2, size - 2),
		.fds = { -1, -1, -1, -1 },
	};
	size_t n = msg_size(frame.type);
	void *msg = calloc(1, n + 1);
	if (!msg)
		abort();
	/* Descriptors are counted, never used, so any count may be tried. */
	for (frame.fds_n = 0; frame.fds_n <= WIRE_FDS_MAX; frame.fds_n++) {
		if (msg_decode(&frame, msg, n))
			continue;
		struct writer w;
		writer_init(&w, size);
		msg_encode(frame.type, n ? msg : NULL, &w);
		if (writer_err(&w) || !view_equal(writer_view(&w), frame.body))
			abort();
		if (msg_fds(frame.type, msg) != frame.fds_n)
			abort();
		writer_free(&w);
	}
	free(msg);
	return 0;
}
