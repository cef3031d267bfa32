/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_scan - goes over a text before libconfig (1.5) reads it.
 * Role: conf.c only. Refuses what libconfig would read as something else than
 * is written there (integers are wrapped, a NUL ends the text), what would make
 * it open files (@include), what would cost more than it is worth, and all that
 * is not its syntax: libconfig loses the memory of a string that it trips over,
 * and nothing hostile needs to reach its error paths.
 */
#ifndef FG_IMAGES_CONF_SCAN_H
#define FG_IMAGES_CONF_SCAN_H

#include "images/conf.h"

/* 0, or FG_EFORMAT or FG_ELIMIT with *ret_fault filled. */
int conf_scan(struct view text, struct conf_fault *ret_fault);

#endif
