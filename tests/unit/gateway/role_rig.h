/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_rig - a role in a forked child with its channel on descriptor 3; the test
 * is its supervisor and its peers, message by message. After cmocka.h.
 */
#ifndef FG_TESTS_UNIT_GATEWAY_ROLE_RIG_H
#define FG_TESTS_UNIT_GATEWAY_ROLE_RIG_H

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/wire/memfd.h"
#include "gateway/wire/msg.h"

#define RIG_PATIENCE_MS 30000

struct rig {
	int sup;
	pid_t pid;
	uint8_t buf[WIRE_FRAME_MAX];
	struct wire_frame frame; /* last one heard; its descriptors are the test's */
};

/* run() is the child's life; what it says on stderr goes to /dev/null unless FG_RIG_LOUD is set. */
static inline void
rig_start(struct rig *r, int (*run)(void *ctx), void *ctx)
{
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	r->pid = fork();
	if (r->pid == 0) {
		int high = fcntl(pair[1], F_DUPFD, 10), null = open("/dev/null", O_WRONLY);
		dup2(high, 3);
		close(high);
		if (!getenv("FG_RIG_LOUD"))
			dup2(null, 2);
		for (int fd = 4; fd < 1024; fd++)
			close(fd);
		_exit(run(ctx));
	}
	close(pair[1]);
	r->sup = pair[0];
}

static inline int
rig_wait(struct rig *r)
{
	int status = 0;
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void
rig_kill(struct rig *r)
{
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	r->pid = 0;
	if (r->sup >= 0)
		close(r->sup);
	r->sup = -1;
}

static inline void
rig_say(int chan, unsigned type, const void *msg)
{
	assert_int_equal(msg_send(chan, type, msg, NULL, 0), 0);
}

/*
 * The warden tells its clock to everybody, whenever it changes: what a test does not
 * ask for by name is not heard. True when the next frame is one, which is then gone.
 */
static inline bool
rig_skip_clock(int chan)
{
	uint8_t head[4] = { 0 };
	if (recv(chan, head, sizeof head, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)sizeof head ||
	    (head[2] << 8 | head[3]) != MSG_CLOCK)
		return false;
	return recv(chan, head, sizeof head, MSG_DONTWAIT) > 0;
}

/* The next frame on that channel within the rig's patience; true, or false at its end. */
static inline bool
rig_frame(struct rig *r, int chan)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	assert_int_equal(poll(&p, 1, RIG_PATIENCE_MS), 1);
	return wire_recv(chan, r->buf, &r->frame) == 0;
}

/* The next frame, which must be of that type, decoded. */
static inline void
rig_hear(struct rig *r, int chan, unsigned type, void *msg)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	do
		assert_int_equal(poll(&p, 1, RIG_PATIENCE_MS), 1);
	while (type != MSG_CLOCK && rig_skip_clock(chan));
	assert_true(rig_frame(r, chan));
	assert_string_equal(msg_type_name(r->frame.type), msg_type_name(type));
	assert_int_equal(msg_decode(&r->frame, msg, msg_size(type)), 0);
}

/* Nothing is there, and nothing comes in a moment in which it would have. */
static inline bool
rig_silent(int chan)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	int n;
	while ((n = poll(&p, 1, 300)) == 1 && rig_skip_clock(chan))
		continue;
	return n == 0;
}

/* The role waits for somebody to say something: it neither runs nor writes to a disk. */
static inline bool
rig_sleeps(const struct rig *r)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", (int)r->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	const char *name_end = strrchr(text, ')');
	return name_end && strncmp(name_end, ") S", 3) == 0;
}

/* Has the other end read all that was sent over it, or closed it? */
static inline bool
rig_is_read(int chan)
{
	int unread = 0;
	return chan < 0 || (ioctl(chan, SIOCOUTQ, &unread) == 0 && unread == 0);
}

static inline void
rig_give(struct rig *r, unsigned kind, struct view bytes)
{
	const struct msg_boot_fd m = { .kind = (uint8_t)kind };
	int fd = memfd_sealed("boot", bytes);
	assert_true(fd >= 0);
	assert_int_equal(msg_send(r->sup, MSG_BOOT_FD, &m, &fd, 1), 0);
	close(fd);
}

/* Wires a peer; our end. */
static inline int
rig_peer(struct rig *r, enum msg_role role, unsigned index)
{
	const struct msg_peer m = { .role = (uint8_t)role, .index = (uint16_t)index };
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(msg_send(r->sup, MSG_PEER, &m, &pair[1], 1), 0);
	close(pair[1]);
	return pair[0];
}

#endif
