/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_why - the sentence beside FG_ESANDBOX. Private to gateway/jail.
 */
#ifndef FG_GATEWAY_JAIL_JAIL_WHY_H
#define FG_GATEWAY_JAIL_JAIL_WHY_H

#include <stddef.h>

/* Write a sentence of at most cap bytes, terminator included (0: none). Returns FG_ESANDBOX. */
int jail_why(char *why, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
