/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/retry.h"

uint32_t
retry_wait_ms(unsigned failures, uint32_t random)
{
	uint32_t wait = RETRY_FIRST_MS;
	for (unsigned i = 1; i < failures && wait < RETRY_MOST_MS; i++)
		wait *= 2;
	if (wait > RETRY_MOST_MS)
		wait = RETRY_MOST_MS;
	return wait / 2 + random % (wait / 2 + 1);
}

bool
retry_helps(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_OPERATION_TIMEDOUT: /* while connecting; fetch knows the others */
		return true;
	default:
		return false;
	}
}

bool
retry_status(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}
