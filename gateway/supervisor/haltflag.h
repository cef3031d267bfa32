/* SPDX-License-Identifier: Apache-2.0 */
/*
 * haltflag - a halt outlives the daemon: a small file "halted" in run_dir and
 * data_dir says since when and by whom. One of them is enough to stay halted;
 * an unreadable one counts as well.
 */
#ifndef FG_GATEWAY_SUPERVISOR_HALTFLAG_H
#define FG_GATEWAY_SUPERVISOR_HALTFLAG_H

#include <stdbool.h>
#include <stdint.h>

struct haltflag {
	bool halted;
	int64_t at;
	uint32_t by_uid;
};

/* Looks in both folders; the later halt wins. now stands in where a file cannot be read. */
void haltflag_load(const char *run_dir, const char *data_dir, int64_t now, struct haltflag *ret);
/* Written durably in that folder. May wait for the disk: see supervisor_halt.c. */
bool haltflag_save(const char *dir, const struct haltflag *f);
/* False when a file is still there: the next start will be halted. */
bool haltflag_clear(const char *run_dir, const char *data_dir);

#endif
