/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - the one set of local failure codes.
 * Role: every room returns 0 or one of these; findings about the input are
 * data (struct finding, struct sig_result), never an error code, and a
 * programmer's mistake is an abort.
 */
#ifndef FG_CRYPTO_ERR_H
#define FG_CRYPTO_ERR_H

enum fg_err {
	FG_OK = 0,
	FG_ENOMEM = -1,    /* allocation failed */
	FG_EIO = -2,       /* read, write, sync or socket failed; errno says why */
	FG_EFORMAT = -3,   /* bytes are not of the form the caller asked for */
	FG_ELIMIT = -4,    /* a named maximum would be exceeded */
	FG_ENOTFOUND = -5, /* nothing under that name, key or index */
	FG_ECRYPTO = -6,   /* OpenSSL failed for a reason that is not the input's */
	FG_EINVAL = -7,    /* an argument from configuration or a person is unusable */
	FG_ESTATE = -8,    /* not legal in this state */
	FG_EPERM = -9,     /* the caller may not */
	FG_EAGAIN = -10,   /* not now: would block, queue full, peer away */
	FG_EPEER = -11,    /* another role broke the message contract */
	FG_ESANDBOX = -12, /* the jail could not be entered */
	FG_EEXIST = -13,   /* already there, and different */
};

/* Short text for logs ("no memory", "malformed", ...). Never NULL. */
const char *err_name(int err);
/* The same for a person who called: of FG_EIO what errno says, so before anything else sets it. */
const char *err_why(int err);

#endif
