/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role - how every event-loop role of fotagated lives: boot dialogue with the
 * supervisor on descriptor 3, jail, channels to peers, reload, stop.
 * Order, the same for all: BOOT -> BOOT_FD... -> prepare() -> jail -> PEER... ->
 * START -> start() -> READY -> loop. No byte from outside the gateway is read
 * before the jail is closed (configuration and keys, too, are parsed in start(),
 * not in boot_fd()). The supervisor's channel broken = exit: a role
 * without its parent does not go on.
 */
#ifndef FG_GATEWAY_ROLE_ROLE_H
#define FG_GATEWAY_ROLE_ROLE_H

#include <event2/event.h>

#include "gateway/jail/jail.h"
#include "gateway/role/chan.h"
#include "gateway/role/clock.h"
#include "gateway/role/oplog.h"

#define ROLE_FD 3             /* the supervisor's channel in a new process */
#define ROLE_EXIT_PROBLEMS 1  /* of one that only tries something: it has said what is wrong */
#define ROLE_EXIT_CONTRACT 70 /* the peer's message was not permitted */
#define ROLE_EXIT_SANDBOX 71  /* the jail could not be entered */
#define ROLE_EXIT_FAILED 72   /* local failure; why is in the operational log */

struct role; /* the running role; owned by role_run */

struct role_ops {
	enum msg_role role;
	enum jail_role jail;
	/* One descriptor of the boot dialogue; fd is taken, also on failure. An error ends the process. */
	int (*boot_fd)(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd);
	/* Before the jail: directories the role may use (absolute), from role_boot(). May be NULL. */
	int (*prepare)(void *ctx, struct role *r, struct jail_paths *paths);
	/* After START, inside the jail: set up and register events. Negative fg_err ends the process. */
	int (*start)(void *ctx, struct role *r);
	/* By role, the rules for a channel to such a peer, at start and after its restart. NULL = not expected: fatal. */
	const struct chan_ops *peers[MSG_ROLE_LIMIT];
	/* The channel is up (those from before START: after start() returned). It lives until peer_down. */
	void (*peer_up)(void *ctx, struct chan *c, enum msg_role peer, unsigned index);
	/* It is gone (why as in chan_ops.on_close, or 0: replaced). Forget the pointer. */
	void (*peer_down)(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why);
	/*
	 * A checked bundle; fd is taken. 0 = in force, and ret_why says what of it could
	 * not be had ("" before the call); else the old one stays in force and ret_why
	 * says why. May be NULL.
	 */
	int (*reload)(void *ctx, int bundle_fd, char *ret_why, size_t cap);
	/* One that is only shown, because people have not signed its policy; fd is taken. May be NULL. */
	void (*held)(void *ctx, int bundle_fd);
	/* Wind down; call role_exit() when done; after grace_ms the supervisor kills. */
	void (*stop)(void *ctx, unsigned grace_ms);
	/*
	 * Stop serving before returning: the runner then echoes MSG_HALT, and an edge
	 * that does not echo within a second is killed. May be NULL. A role started
	 * while halted gets this after start(), before its loop runs.
	 */
	void (*halt)(void *ctx, const struct msg_halt *m);
	void (*unhalt)(void *ctx, const struct msg_unhalt *m); /* may be NULL */
	/*
	 * The loop is over, channels and base are still there: free what hangs on them.
	 * Also after a failed start; not when the boot dialogue failed. May be NULL.
	 */
	void (*end)(void *ctx);
	/* Further messages from the supervisor (JOB_EXIT, ROLE_EXIT for control; APPEND for audit). May be NULL. */
	const struct chan_rule *supervisor_rules;
	unsigned supervisor_rules_n;
};

/*
 * Runs the role until it ends; returns the process's exit status. ctx is the
 * role's own struct, owned by the caller (cmd/).
 */
int role_run(const struct role_ops *ops, void *ctx, const struct clock_source *clock);

const struct msg_boot *role_boot(const struct role *r);
struct event_base *role_base(const struct role *r);
const struct clock_source *role_clock(const struct role *r);
struct chan *role_supervisor(const struct role *r);
/* The channel to a peer, or NULL while it is away. */
struct chan *role_peer(const struct role *r, enum msg_role peer, unsigned index);
/* Ends the loop after the current callbacks. */
void role_exit(struct role *r, int status);
const struct jail_status *role_jail(const struct role *r);

#endif
