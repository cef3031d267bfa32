/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console - the role that people's browsers and their scripts speak HTTPS with.
 * It decides nothing: a request becomes one message to control, with the secret
 * that the caller showed, and control's reply an HTTP answer. It holds the TLS
 * key of its own listener and the pages, which are part of the program; no file,
 * no database, no log, no channel but control's. Away, it takes nothing along:
 * modules are served and fotagate(1) works as before.
 */
#ifndef FG_GATEWAY_CONSOLE_CONSOLE_H
#define FG_GATEWAY_CONSOLE_CONSOLE_H

#include "gateway/role/clock.h"

/* Runs the role until it ends; the process's exit status. */
int console_main(const struct clock_source *clock);
/* Says on standard error what is wrong with its certificate and key, and ends: for fotagated -n. */
int console_try_main(const struct clock_source *clock);

#endif
