/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/err.h"

#include <errno.h>
#include <string.h>

const char *
err_name(int err)
{
	switch ((enum fg_err)err) {
	case FG_OK:
		return "ok";
	case FG_ENOMEM:
		return "no memory";
	case FG_EIO:
		return "input/output failed";
	case FG_EFORMAT:
		return "malformed";
	case FG_ELIMIT:
		return "limit exceeded";
	case FG_ENOTFOUND:
		return "not found";
	case FG_ECRYPTO:
		return "cryptographic library failed";
	case FG_EINVAL:
		return "invalid argument";
	case FG_ESTATE:
		return "not legal in this state";
	case FG_EPERM:
		return "not permitted";
	case FG_EAGAIN:
		return "not now";
	case FG_EPEER:
		return "peer broke the contract";
	case FG_ESANDBOX:
		return "sandbox not available";
	case FG_EEXIST:
		return "exists with other content";
	}
	return "unknown error";
}

const char *
err_why(int err)
{
	return err == FG_EIO && errno ? strerror(errno) : err_name(err);
}
