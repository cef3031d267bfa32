/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/hashing.h"

#include <errno.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"

struct job {
	STAILQ_ENTRY(job) link;
	bool make;
	bool nobody; /* checked against something, and never it */
	size_t n;
	uint8_t password[PASSWORD_BYTES_MAX];
	char phc[PASSWORD_PHC_CAP]; /* to check against, or what was made */
	unsigned cost;
	int err;
	bool is;
	hashing_done done;
	void *ctx;
};

STAILQ_HEAD(jobs, job);

struct hashing {
	unsigned cost;
	char dummy[PASSWORD_PHC_CAP]; /* of no password */
	int wake;                     /* eventfd: something is done */
	struct event *readable;
	pthread_t thread;
	bool running;
	unsigned n; /* under way: the loop's own count */
	/* Below: both threads'. */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct jobs todo, done;
	bool stop;
};

/* ---- the thread ---- */

static void
work(struct job *j)
{
	uint8_t salt[PASSWORD_SALT_LEN];
	struct view password = view_of(j->password, j->n);
	if (!j->make)
		j->err = password_check(password, j->phc, &j->is);
	else if (RAND_bytes(salt, sizeof salt) != 1)
		j->err = FG_ECRYPTO;
	else
		j->err = password_hash(password, j->cost, salt, j->phc);
	j->is = j->is && !j->nobody && !j->err;
	wipe(j->password, sizeof j->password);
}

static void
ring(int fd)
{
	const uint64_t one = 1;
	ssize_t n;
	do
		n = write(fd, &one, sizeof one);
	while (n < 0 && errno == EINTR); /* EAGAIN: it has rung often enough to be heard */
}

static void *
run(void *arg)
{
	struct hashing *h = arg;
	pthread_mutex_lock(&h->lock);
	for (;;) {
		struct job *j = STAILQ_FIRST(&h->todo);
		if (h->stop)
			break;
		if (!j) {
			pthread_cond_wait(&h->more, &h->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&h->todo, link);
		pthread_mutex_unlock(&h->lock);
		work(j);
		pthread_mutex_lock(&h->lock);
		STAILQ_INSERT_TAIL(&h->done, j, link);
		ring(h->wake);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* With the first password: most gateways wait long for it. Signals are the loop's. */
static int
start(struct hashing *h)
{
	sigset_t all, old;
	sigfillset(&all);
	if (pthread_sigmask(SIG_BLOCK, &all, &old))
		return FG_EIO;
	h->running = pthread_create(&h->thread, NULL, run, h) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return h->running ? FG_OK : FG_EIO;
}

/* ---- the loop ---- */

static void
end(struct job *j)
{
	wipe(j, sizeof *j);
	free(j);
}

static void
tell(struct job *j)
{
	j->done(j->ctx, j->err, j->is, j->make && !j->err ? j->phc : NULL);
	end(j);
}

static void
on_done(evutil_socket_t fd, short what, void *ctx)
{
	struct hashing *h = ctx;
	struct jobs done = STAILQ_HEAD_INITIALIZER(done);
	uint64_t rung;
	(void)what;
	if (read(fd, &rung, sizeof rung) < 0 && errno != EAGAIN && errno != EINTR)
		return;
	pthread_mutex_lock(&h->lock);
	STAILQ_CONCAT(&done, &h->done);
	pthread_mutex_unlock(&h->lock);
	while (!STAILQ_EMPTY(&done)) {
		struct job *j = STAILQ_FIRST(&done);
		STAILQ_REMOVE_HEAD(&done, link);
		h->n--;
		tell(j);
	}
}

static bool
make_dummy(struct hashing *h)
{
	uint8_t random[PASSWORD_SALT_LEN + PASSWORD_HASH_LEN];
	return RAND_bytes(random, sizeof random) == 1 && password_nobody(h->cost, random, h->dummy) == FG_OK;
}

struct hashing *
hashing_new(struct event_base *base, unsigned cost)
{
	struct hashing *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->cost = cost;
	STAILQ_INIT(&h->todo);
	STAILQ_INIT(&h->done);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->readable = h->wake < 0 ? NULL : event_new(base, h->wake, EV_READ | EV_PERSIST, on_done, h);
	if (!h->readable || event_add(h->readable, NULL) || !make_dummy(h)) {
		hashing_free(h);
		return NULL;
	}
	return h;
}

void
hashing_free(struct hashing *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	if (h->running)
		pthread_join(h->thread, NULL);
	STAILQ_CONCAT(&h->done, &h->todo);
	while (!STAILQ_EMPTY(&h->done)) {
		struct job *j = STAILQ_FIRST(&h->done);
		STAILQ_REMOVE_HEAD(&h->done, link);
		j->err = FG_EAGAIN;
		j->is = false;
		tell(j);
	}
	if (h->readable)
		event_free(h->readable);
	if (h->wake >= 0)
		close(h->wake);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	wipe(h->dummy, sizeof h->dummy);
	free(h);
}

bool
hashing_takes_strangers(const struct hashing *h)
{
	return h->n < HASHING_STRANGERS_MAX;
}

static int
order(struct hashing *h, const struct job *what, struct view password)
{
	if (h->n == HASHING_QUEUE_MAX)
		return FG_EAGAIN;
	if (!h->running && start(h))
		return FG_ENOMEM;
	struct job *j = malloc(sizeof *j);
	if (!j)
		return FG_ENOMEM;
	*j = *what;
	j->n = password.n;
	if (password.n)
		memcpy(j->password, password.p, password.n);
	j->cost = h->cost;
	h->n++;
	pthread_mutex_lock(&h->lock);
	STAILQ_INSERT_TAIL(&h->todo, j, link);
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	return FG_OK;
}

int
hashing_check(struct hashing *h, struct view password, const char *phc, hashing_done done, void *ctx)
{
	struct job j = { .nobody = !phc, .done = done, .ctx = ctx };
	snprintf(j.phc, sizeof j.phc, "%s", phc ? phc : h->dummy);
	if (password.n > PASSWORD_BYTES_MAX) { /* nobody's: it takes its time all the same */
		j.nobody = true;
		password.n = PASSWORD_BYTES_MAX;
	}
	return order(h, &j, password);
}

int
hashing_make(struct hashing *h, struct view password, hashing_done done, void *ctx)
{
	const struct job j = { .make = true, .done = done, .ctx = ctx };
	if (password.n == 0 || password.n > PASSWORD_BYTES_MAX)
		return FG_EINVAL;
	return order(h, &j, password);
}
