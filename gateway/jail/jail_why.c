/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jail/jail_why.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/err.h"

int
jail_why(char *why, size_t cap, const char *format, ...)
{
	if (cap > 0) {
		va_list ap;
		va_start(ap, format);
		vsnprintf(why, cap, format, ap);
		va_end(ap);
	}
	return FG_ESANDBOX;
}
