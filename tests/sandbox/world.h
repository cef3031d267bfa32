/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - what there is to attack, and to work with, outside a jail.
 *
 * Role: made once by probe.c before any jail. As root it lies in network and mount
 * namespaces of its own (loopback up, a DNS server that resolv.conf names), so the
 * test touches nothing of the machine's and needs no network.
 */
#ifndef FG_TESTS_SANDBOX_WORLD_H
#define FG_TESTS_SANDBOX_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/jail/jail.h"

/* A user and group that own nothing. */
#define WORLD_NOBODY 65534

struct world {
	char dir[64];      /* all of it, mode 0755 */
	char data[70];     /* data_dir, with one directory a slot, mode 0777 */
	char run[70];      /* run_dir */
	char bin[70];      /* a copy of this program, reachable by any user */
	char outside[72];  /* a directory of mode 0777 that no role was given */
	char beside[128];  /* a file of mode 0666 in it */
	char unix_path[96];
	char abstract[32]; /* without the leading zero byte */
	uint16_t port;     /* TCP on 127.0.0.1: answers any request with WORLD_BODY */
	bool dns;          /* any name ends in 127.0.0.1 */
	bool root;         /* roles are to be started as root and drop to WORLD_NOBODY */
	pid_t sibling;     /* sleeps; same user as the roles */
	int true_memfd;    /* a copy of /bin/true */
	pid_t servers[8];
	unsigned nservers;
};

#define WORLD_BODY "these bytes and no others"

/* Memory of the sibling worth reading. */
extern const char world_secret[16];

/* Build it. Exits with a message when it cannot. */
void world_make(struct world *w);

/* Start the sibling as the user that roles will have. */
void world_sibling(struct world *w);

/* Stop and remove everything. */
void world_end(struct world *w);

/* The places a role of that kind is given in this world. */
struct jail_paths world_paths(const struct world *w, enum jail_role role);

/* The options it enters its jail with. */
struct jail_options world_options(const struct world *w, enum jail_role role);

#endif
