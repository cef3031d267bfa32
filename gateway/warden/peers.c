/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"

struct parcel {
	struct parcel *next;
	unsigned type;
	struct writer body;
	int fds[WIRE_FDS_MAX];
	unsigned fds_n;
};

struct peer {
	enum msg_role role;
	unsigned index;
	int fd; /* -1: free place */
	struct parcel *head, **tail;
	unsigned waiting;
	bool dead; /* to be reported once */
};

struct peers {
	struct peer at[PEERS_MAX];
	unsigned next; /* where the last look ended, so that nobody starves */
	uint8_t buf[WIRE_FRAME_MAX];
};

static void
parcel_free(struct parcel *q)
{
	for (unsigned i = 0; i < q->fds_n; i++)
		close(q->fds[i]);
	writer_free(&q->body);
	free(q);
}

static void
empty_outbox(struct peer *one)
{
	while (one->head) {
		struct parcel *q = one->head;
		one->head = q->next;
		parcel_free(q);
	}
	one->tail = &one->head;
	one->waiting = 0;
}

static void
shut(struct peer *one)
{
	if (one->fd >= 0)
		close(one->fd);
	one->fd = -1;
	empty_outbox(one);
}

struct peers *
peers_new(void)
{
	struct peers *p = calloc(1, sizeof *p);
	for (unsigned i = 0; p && i < PEERS_MAX; i++) {
		p->at[i].fd = -1;
		p->at[i].tail = &p->at[i].head;
	}
	return p;
}

void
peers_free(struct peers *p)
{
	for (unsigned i = 0; p && i < PEERS_MAX; i++)
		shut(&p->at[i]);
	free(p);
}

static struct peer *
find(const struct peers *p, enum msg_role role, unsigned index)
{
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		const struct peer *one = &p->at[i];
		if (one->fd >= 0 && one->role == role && one->index == index)
			return (struct peer *)(uintptr_t)one;
	}
	return NULL;
}

int
peers_add(struct peers *p, enum msg_role role, unsigned index, int fd)
{
	struct peer *one = find(p, role, index);
	for (unsigned i = 0; !one && i < PEERS_MAX; i++) {
		if (p->at[i].fd < 0 && !p->at[i].dead)
			one = &p->at[i];
	}
	int flags = fcntl(fd, F_GETFL);
	if (!one || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(fd);
		return one ? FG_EIO : FG_ELIMIT;
	}
	shut(one);
	one->role = role;
	one->index = index;
	one->fd = fd;
	one->dead = false;
	return FG_OK;
}

bool
peers_up(const struct peers *p, enum msg_role role, unsigned index)
{
	return find(p, role, index) != NULL;
}

static void
drop(struct peer *one)
{
	shut(one);
	one->dead = true;
}

void
peers_drop(struct peers *p, enum msg_role role, unsigned index)
{
	struct peer *one = find(p, role, index);
	if (one)
		drop(one);
}

/* Keeps one encoded message for later; the descriptors are duplicated. */
static int
keep(struct peer *one, unsigned type, struct writer *body, const int *fds, unsigned fds_n)
{
	if (one->waiting >= PEERS_OUTBOX_MAX)
		return FG_ELIMIT;
	struct parcel *q = calloc(1, sizeof *q);
	if (!q)
		return FG_ENOMEM;
	q->type = type;
	for (unsigned i = 0; i < fds_n; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (copy < 0) {
			parcel_free(q);
			return FG_EIO;
		}
		q->fds[q->fds_n++] = copy;
	}
	q->body = *body;
	writer_init(body, 0);
	*one->tail = q;
	one->tail = &q->next;
	one->waiting++;
	return FG_OK;
}

static void
flush(struct peer *one)
{
	while (one->head) {
		struct parcel *q = one->head;
		int err = wire_send(one->fd, (uint16_t)q->type, writer_view(&q->body), q->fds, q->fds_n);
		if (err == FG_EAGAIN)
			return;
		if (err) {
			drop(one);
			return;
		}
		one->head = q->next;
		if (!one->head)
			one->tail = &one->head;
		one->waiting--;
		parcel_free(q);
	}
}

static int
send_to(struct peer *one, unsigned type, const void *msg, const int *fds, unsigned fds_n)
{
	struct writer body;
	writer_init(&body, WIRE_BODY_MAX);
	msg_encode(type, msg, &body);
	int err = writer_err(&body);
	if (!err && !one->head)
		err = wire_send(one->fd, (uint16_t)type, writer_view(&body), fds, fds_n);
	else if (!err)
		err = FG_EAGAIN;
	if (err == FG_EAGAIN)
		err = keep(one, type, &body, fds, fds_n);
	writer_free(&body);
	if (err)
		drop(one);
	return err;
}

int
peers_send(struct peers *p, enum msg_role role, unsigned index, unsigned type, const void *msg, const int *fds,
    unsigned fds_n)
{
	struct peer *one = find(p, role, index);
	return one ? send_to(one, type, msg, fds, fds_n) : FG_EAGAIN;
}

void
peers_send_edges(struct peers *p, unsigned type, const void *msg, const int *fds, unsigned fds_n)
{
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		if (p->at[i].fd >= 0 && p->at[i].role == MSG_ROLE_EDGE)
			send_to(&p->at[i], type, msg, fds, fds_n);
	}
}

/* A peer that was dropped since the last look: reported before anything new. */
static bool
report_dead(struct peers *p, struct peers_event *ret)
{
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		struct peer *one = &p->at[i];
		if (!one->dead)
			continue;
		one->dead = false;
		*ret = (struct peers_event){ .role = one->role, .index = one->index, .closed = true };
		return true;
	}
	return false;
}

/* Reads one frame of one peer; false when there was nothing after all. */
static bool
take(struct peers *p, struct peer *one, struct peers_event *ret)
{
	struct wire_frame frame;
	int err = wire_recv(one->fd, p->buf, &frame);
	if (err == FG_EAGAIN)
		return false;
	if (err) {
		drop(one);
		return report_dead(p, ret);
	}
	*ret = (struct peers_event){ .role = one->role, .index = one->index, .frame = frame };
	return true;
}

int
peers_wait(struct peers *p, int timeout_ms, struct peers_event *ret)
{
	if (report_dead(p, ret))
		return 1;
	struct pollfd set[PEERS_MAX];
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		set[i].fd = p->at[i].fd;
		set[i].events = (short)(POLLIN | (p->at[i].head ? POLLOUT : 0));
		set[i].revents = 0;
	}
	int n = poll(set, PEERS_MAX, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : FG_EIO;
	for (unsigned k = 0; n > 0 && k < PEERS_MAX; k++) {
		unsigned i = (p->next + k) % PEERS_MAX;
		if (set[i].fd >= 0 && set[i].fd == p->at[i].fd && set[i].revents & POLLOUT)
			flush(&p->at[i]);
	}
	for (unsigned k = 0; n > 0 && k < PEERS_MAX; k++) {
		unsigned i = (p->next + k) % PEERS_MAX;
		if (set[i].fd < 0 || set[i].fd != p->at[i].fd || !(set[i].revents & ~POLLOUT))
			continue;
		if (take(p, &p->at[i], ret)) {
			p->next = (i + 1) % PEERS_MAX;
			return 1;
		}
	}
	return report_dead(p, ret) ? 1 : 0;
}
