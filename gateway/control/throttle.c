/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/throttle.h"

#include "crypto/err.h"
#include "gateway/role/oplog.h"

#define ADDRESS 16
#define NAME_MAX_HASHED 128 /* longer ones are one: no account has such a name */

static const uint8_t v4_prefix[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static int64_t
max_of(enum throttle_kind kind)
{
	/* An account's is short: whoever fails for it in somebody's stead shall not keep them out for long. */
	return kind == THROTTLE_ACCOUNT ? 60 : 900;
}

/* How long the wait after that many failures is. */
static int64_t
delay(enum throttle_kind kind, uint32_t count)
{
	if (count < THROTTLE_FREE)
		return 0;
	uint32_t doubled = count - THROTTLE_FREE;
	int64_t max = max_of(kind), s = doubled < 16 ? INT64_C(1) << doubled : max;
	return s < max ? s : max;
}

/* The database holds no name and no address: what people type there by mistake are passwords. */
static int
key_of(enum throttle_kind kind, struct view who, uint8_t key[DIGEST_SHA256_LEN])
{
	uint8_t input[1 + NAME_MAX_HASHED] = { (uint8_t)kind };
	size_t n = who.n < NAME_MAX_HASHED ? who.n : NAME_MAX_HASHED;
	if (n)
		memcpy(input + 1, who.p, n);
	bool address = kind == THROTTLE_SOURCE || kind == THROTTLE_SETUP;
	if (address && n == ADDRESS && memcmp(who.p, v4_prefix, sizeof v4_prefix) != 0)
		n = ADDRESS / 2;
	return digest_sha256(view_of(input, 1 + n), key);
}

/* What is held against them now. */
static int
get(struct db *db, enum throttle_kind kind, struct view who, int64_t now, struct db_failure *f)
{
	*f = (struct db_failure){ .last = now };
	int err = key_of(kind, who, f->key);
	if (!err) {
		uint8_t key[DIGEST_SHA256_LEN];
		memcpy(key, f->key, sizeof key);
		err = db_failure_get(db, key, f);
	}
	if (err == FG_ENOTFOUND)
		err = FG_OK;
	if (f->last < 0)
		f->last = 0; /* nobody wrote that here */
	if (!err && (f->last > now || now - f->last >= THROTTLE_FORGET_S)) {
		/* A clock that was set back: they may try once, and the next wait is as long as it was. */
		if (f->last > now)
			f->last = now - max_of(kind);
		else
			f->count = 0;
	}
	return err;
}

int64_t
throttle_wait(struct db *db, enum throttle_kind kind, struct view who, int64_t now)
{
	struct db_failure f;
	if (get(db, kind, who, now, &f))
		return max_of(kind);
	int64_t until = f.last + delay(kind, f.count);
	return until > now ? until - now : 0;
}

int
throttle_charge(struct db *db, enum throttle_kind kind, struct view who, int64_t now)
{
	struct db_failure f;
	int err = get(db, kind, who, now, &f);
	if (err)
		return err;
	f.count += f.count < 1000;
	f.last = now;
	return db_failure_put(db, &f);
}

void
throttle_refund(struct db *db, enum throttle_kind kind, struct view who)
{
	struct db_failure f = { .count = 0 };
	uint8_t key[DIGEST_SHA256_LEN];
	if (key_of(kind, who, key) || db_failure_get(db, key, &f))
		return;
	if (f.count > 0)
		f.count--;
	/* It was waited for: what comes next, as a code after a password, is not made to wait for the same again. */
	if (f.last >= 0)
		f.last -= delay(kind, f.count);
	if (f.count ? db_failure_put(db, &f) : db_failure_drop(db, key))
		oplog(OPLOG_WARNING, "a failure that was none stays counted: %s", db_why(db));
}

void
throttle_clear(struct db *db, enum throttle_kind kind, struct view who)
{
	uint8_t key[DIGEST_SHA256_LEN];
	if (key_of(kind, who, key) || db_failure_drop(db, key))
		oplog(OPLOG_WARNING, "failures stay counted: %s", db_why(db));
}
