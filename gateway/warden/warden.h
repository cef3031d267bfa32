/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warden - the authority: the one role that turns signatures into bytes edges
 * may send. Own program, own uid, crypto only: no event loop, no SQL, no
 * configuration parser. What it keeps and guarantees stands in PRIVSEP.md.
 */
#ifndef FG_GATEWAY_WARDEN_WARDEN_H
#define FG_GATEWAY_WARDEN_WARDEN_H

#include <stdint.h>

struct warden_clock {
	int64_t (*now_s)(void);  /* epoch seconds: what statements and records are judged by */
	int64_t (*mono_s)(void); /* CLOCK_BOOTTIME: never stepped, counts suspend; what now_s is held against */
	uint8_t boot_id[16];     /* the kernel's name for this boot; zero: not known, every start is another boot */
};

/* The program: boot dialogue on fd 3, jail, loop. Returns the exit status. */
int warden_main(const struct warden_clock *clock);

#endif
