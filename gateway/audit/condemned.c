/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/condemned.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/wholefile.h"

#define MAGIC "fotagate-condemned 1"
#define PARDON "pardoned"
#define FILE_MAX 1024
#define FILE_MODE 0644 /* root may have written it, audit reads it */

static const enum msg_log_state states[] = { MSG_LOG_TAMPERED, MSG_LOG_ROLLED_BACK, MSG_LOG_CLONED };

/* ---- reading ---- */

/* The rest of the line after "key ". */
static bool
take_line(struct view *rest, const char *key, struct view *ret)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->n);
	size_t k = strlen(key), n = end ? (size_t)(end - rest->p) : 0;
	if (!end || n < k || memcmp(rest->p, key, k))
		return false;
	*ret = view_of(rest->p + k, n - k);
	*rest = view_of(end + 1, rest->n - n - 1);
	return true;
}

static bool
take_number(struct view *rest, const char *key, uint64_t *ret)
{
	struct view v;
	uint64_t n = 0;
	if (!take_line(rest, key, &v) || !v.n)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v.p[i] - '0'), &n))
			return false;
	}
	*ret = n;
	return n <= INT64_MAX;
}

static bool
parse(struct view text, struct condemned *ret)
{
	struct view magic, state, why;
	uint64_t since = 0;
	struct condemned c = { 0 };
	if (!take_line(&text, MAGIC, &magic) || magic.n || !take_line(&text, "state ", &state) ||
	    !take_number(&text, "known ", &c.known) || !take_number(&text, "since ", &since) ||
	    !take_line(&text, "why ", &why) || text.n || why.n >= sizeof c.why)
		return false;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (view_is(state, msg_log_state_name(states[i])))
			c.state = states[i];
	}
	for (size_t i = 0; i < why.n; i++)
		c.why[i] = (char)(why.p[i] >= 0x20 && why.p[i] < 0x7f ? why.p[i] : '?');
	c.since = (int64_t)since;
	if (c.state == MSG_LOG_UNKNOWN)
		return false;
	*ret = c;
	return true;
}

int
condemned_read(int dirfd, struct condemned *ret)
{
	uint8_t buf[FILE_MAX];
	*ret = (struct condemned){ 0 };
	int fd = openat(dirfd, CONDEMNED_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return FG_OK;
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);
	if (fd >= 0)
		close(fd);
	if (n < 0 && errno != ELOOP)
		return FG_EIO;
	if (n < 0 || !parse(view_of(buf, (size_t)n), ret)) {
		ret->state = MSG_LOG_TAMPERED;
		snprintf(ret->why, sizeof ret->why, "the marker of a condemned log cannot be read");
	}
	return FG_OK;
}

/* ---- writing ---- */

int
condemned_write(int dirfd, const struct condemned *c)
{
	char text[FILE_MAX];
	int n = snprintf(text, sizeof text, MAGIC "\nstate %s\nknown %" PRIu64 "\nsince %" PRId64 "\nwhy %s\n",
	    msg_log_state_name(c->state), c->known, c->since > 0 ? c->since : 0, c->why);
	if (n < 0 || (size_t)n >= sizeof text)
		abort(); /* why has a bound */
	return wholefile_replace(dirfd, CONDEMNED_FILE, view_of(text, (size_t)n), FILE_MODE);
}

int
condemned_clear(int dirfd)
{
	if (unlinkat(dirfd, CONDEMNED_FILE, 0) && errno != ENOENT)
		return FG_EIO;
	return fsync(dirfd) == 0 ? FG_OK : FG_EIO;
}

/* ---- pardon ---- */

int
condemned_pardon(int dirfd, const char *how)
{
	int err = wholefile_replace(dirfd, PARDON, view_str(how), FILE_MODE);
	return err ? err : condemned_clear(dirfd);
}

int
condemned_pardoned(int dirfd, char how[CONDEMNED_HOW])
{
	int fd = openat(dirfd, PARDON, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : FG_EIO;
	ssize_t n = read(fd, how, CONDEMNED_HOW - 1);
	close(fd);
	if (n < 0)
		return FG_EIO;
	for (ssize_t i = 0; i < n; i++)
		how[i] = (char)(how[i] >= 0x20 && how[i] < 0x7f ? how[i] : '?');
	how[n] = '\0';
	return 1;
}

int
condemned_pardon_end(int dirfd)
{
	return unlinkat(dirfd, PARDON, 0) || fsync(dirfd) ? FG_EIO : FG_OK;
}
