/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role - a whole role in a forked child whose storage fails or that is killed at
 * its Nth change; the driver is its supervisor and its peers. What is on the medium
 * after a cut of power at that moment lies in "cut0".. for the driver to judge.
 * After cmocka.h and unit/gateway/role_rig.h.
 */
#ifndef FG_TESTS_FAULT_ROLE_H
#define FG_TESTS_FAULT_ROLE_H

#include <stdio.h>
#include <sys/mman.h>

#include "fault/fault.h"

#define ROLE_CUTS 8

struct role_run_shared {
	volatile bool struck;
	volatile unsigned cuts; /* images that were made */
};

struct role_case {
	struct rig rig;
	int (*main)(void *ctx); /* the role's life */
	void *ctx;
	const char *root;       /* the role's folder, watched */
	struct disk_plan plan;
	unsigned cuts;          /* how many images to make when the fault comes */
	struct disk *d;         /* in the child */
	struct role_run_shared *shared;
};

static inline const char *
role_cut_path(unsigned i)
{
	static const char *const name[ROLE_CUTS] = { "cut0", "cut1", "cut2", "cut3", "cut4", "cut5", "cut6", "cut7" };
	return fault_path(name[i]);
}

static inline void
role_cut(void *ctx)
{
	struct role_case *c = ctx;
	for (unsigned i = 0; i < c->cuts; i++) {
		unsigned kind = i < 2 ? i : i == 2 ? DISK_CUT_LAST : DISK_CUT_RANDOM + fault_mix(c->plan.at, i) % 100000;
		disk_image(c->d, kind, role_cut_path(i));
		c->shared->cuts = i + 1;
	}
	c->shared->struck = true;
}

static inline int
role_live(void *ctx)
{
	struct role_case *c = ctx;
	c->d = disk_new(c->root);
	disk_set_plan(c->d, &c->plan);
	if (c->plan.mode == DISK_KILL)
		disk_set_last_words(c->d, role_cut, c);
	disk_watch(c->d);
	int status = c->main(c->ctx);
	disk_watch(NULL);
	if (disk_struck(c->d))
		role_cut(c); /* it lived on after the fault: what it said until its end must hold */
	return status;
}

/* Starts a life; plan NULL: nothing goes wrong. */
static inline void
role_start(struct role_case *c, const char *root, const struct disk_plan *plan, unsigned cuts)
{
	if (!c->shared) {
		c->shared = mmap(NULL, sizeof *c->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (c->shared == MAP_FAILED)
			abort();
	}
	c->shared->struck = false;
	c->shared->cuts = 0;
	c->root = root;
	c->plan = plan ? *plan : (struct disk_plan){ 0 };
	c->cuts = cuts;
	rig_start(&c->rig, role_live, c);
}

/* Waits for the child to end by itself; its status, negative a signal's number. */
static inline int
role_end(struct role_case *c)
{
	int status = 0;
	if (c->rig.sup >= 0)
		close(c->rig.sup);
	c->rig.sup = -1;
	if (c->rig.pid > 0)
		waitpid(c->rig.pid, &status, 0);
	c->rig.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* As their like in role_rig.h, for a role that may be dead: false then. */
static inline bool
role_say(int chan, unsigned type, const void *msg, const int *fds, unsigned fds_n)
{
	return chan >= 0 && msg_send(chan, type, msg, fds, fds_n) == 0;
}

static inline bool
role_hear(struct role_case *c, int chan, unsigned type, void *msg)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	do {
		if (chan < 0 || !fault_check(poll(&p, 1, RIG_PATIENCE_MS) == 1, "the role is silent") ||
		    wire_recv(chan, c->rig.buf, &c->rig.frame))
			return false;
	} while (c->rig.frame.type == MSG_CLOCK && type != MSG_CLOCK); /* told whenever it changes */
	return fault_check(c->rig.frame.type == type, "%s instead of %s", msg_type_name(c->rig.frame.type), msg_type_name(type)) &&
	    fault_check(msg_decode(&c->rig.frame, msg, msg_size(type)) == 0, "%s does not decode", msg_type_name(type));
}

static inline bool
role_give(struct role_case *c, unsigned kind, struct view bytes)
{
	const struct msg_boot_fd m = { .kind = (uint8_t)kind };
	int fd = memfd_sealed("boot", bytes);
	bool ok = role_say(c->rig.sup, MSG_BOOT_FD, &m, &fd, 1);
	close(fd);
	return ok;
}

static inline int
role_wire(struct role_case *c, enum msg_role role, unsigned index)
{
	const struct msg_peer m = { .role = (uint8_t)role, .index = (uint16_t)index };
	int pair[2];
	if (wire_pair(pair))
		abort();
	role_say(c->rig.sup, MSG_PEER, &m, &pair[1], 1);
	close(pair[1]);
	return pair[0];
}

static inline void
role_hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#endif
