/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/clockwatch.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/stamp.h"

/* Names go on counting from here when a clock reads the end of time: none is ever given twice. */
#define NAME_READ_MAX (STAMP_MAX - 1000000000)

static const char magic[] = "FGCLOCK1";

/* ---- arithmetic that stays at the end of its range ---- */

static int64_t
add(int64_t a, int64_t b)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return b < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

static int64_t
sub(int64_t a, int64_t b)
{
	int64_t difference;
	if (__builtin_sub_overflow(a, b, &difference))
		return a < b ? INT64_MIN : INT64_MAX;
	return difference;
}

static bool
is_slack(int64_t us)
{
	return us >= -CLOCKWATCH_SLACK_US && us <= CLOCKWATCH_SLACK_US;
}

int64_t
clockwatch_seconds(int64_t us)
{
	return us / 1000000 - (us % 1000000 < 0);
}

/* ---- readings ---- */

static int64_t
expected(const struct clockwatch *cw, int64_t boot)
{
	return add(cw->base_wall, sub(boot, cw->base_boot));
}

/* The base says where the clock must be now. */
static bool
knows_better(const struct clockwatch *cw, int64_t boot)
{
	return cw->based && boot >= cw->base_boot;
}

static bool
floor_counts(const struct clockwatch *cw)
{
	return cw->floor > cw->forgiven;
}

/* How far the wall clock is from where the base puts it; 0 without one. */
static int64_t
off_base(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	if (!cw->based)
		return 0;
	if (boot < cw->base_boot)
		return INT64_MIN; /* no such clock: whatever this is, it is not sure */
	return sub(wall, expected(cw, boot));
}

/* And from the floor, where the base has nothing against it: within the slack when nothing has. */
static int64_t
off_by(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	int64_t off = off_base(cw, wall, boot);
	if (is_slack(off) && floor_counts(cw) && sub(wall, cw->floor) < -CLOCKWATCH_SLACK_US)
		return sub(wall, cw->floor);
	return off;
}

static void
take_base(struct clockwatch *cw, int64_t wall, int64_t boot)
{
	cw->based = true;
	cw->base_wall = wall;
	cw->base_boot = boot;
}

void
clockwatch_begin(struct clockwatch *cw, const uint8_t boot_id[CLOCKWATCH_BOOT_ID])
{
	static const uint8_t unknown[CLOCKWATCH_BOOT_ID];
	bool same = memcmp(boot_id, unknown, sizeof unknown) != 0 && memcmp(boot_id, cw->boot_id, sizeof unknown) == 0;
	memcpy(cw->boot_id, boot_id, sizeof cw->boot_id);
	if (same)
		return;
	/* A clock that was only behind the floor is measured against the floor again. */
	cw->kept = cw->held && (cw->based || cw->kept);
	cw->held = cw->kept;
	cw->based = false;
	cw->base_wall = cw->base_boot = cw->off = 0;
}

void
clockwatch_floor(struct clockwatch *cw, int64_t us)
{
	if (us > cw->floor)
		cw->floor = us;
}

enum clockwatch_state
clockwatch_judge(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	bool in_place = is_slack(off_by(cw, wall, boot));
	if (cw->held)
		return in_place && !cw->kept ? CLOCKWATCH_BACK : CLOCKWATCH_HELD;
	if (!in_place)
		return CLOCKWATCH_HELD;
	return cw->based ? CLOCKWATCH_SURE : CLOCKWATCH_UNKNOWN;
}

/* Names are moments, for a person to recognise, but only have to differ. */
static void
begin_hold(struct clockwatch *cw, int64_t off, int64_t wall, int64_t boot, int64_t above)
{
	int64_t name = clockwatch_seconds(cw->based ? expected(cw, boot) : wall);
	if (name > NAME_READ_MAX)
		name = NAME_READ_MAX;
	if (name <= cw->name)
		name = add(cw->name, 1);
	if (name <= above && above < NAME_READ_MAX)
		name = above + 1;
	else if (name == above)
		name = add(name, 1);
	if (name < 1)
		name = 1;
	cw->name = name < STAMP_MAX ? name : STAMP_MAX;
	cw->held = true;
	cw->logged = false;
	cw->step = off;
	cw->off = off_base(cw, wall, boot);
}

enum clockwatch_state
clockwatch_see(struct clockwatch *cw, int64_t wall, int64_t boot, int64_t above)
{
	int64_t off = off_by(cw, wall, boot);
	if (is_slack(off) && !cw->based && (!cw->held || cw->kept) && boot >= 0)
		take_base(cw, wall, boot);
	/* Against the floor alone there is no second step: there the distance shrinks with every second. */
	bool first = cw->held ? cw->name == 0 : !is_slack(off);
	bool another = cw->held && !is_slack(off) && !is_slack(sub(off_base(cw, wall, boot), cw->off));
	if (first || another)
		begin_hold(cw, off, wall, boot, above); /* kept stays as it is */
	return clockwatch_judge(cw, wall, boot);
}

void
clockwatch_confirm(struct clockwatch *cw, int64_t wall, int64_t boot)
{
	int64_t said = cw->floor;
	if (knows_better(cw, boot) && expected(cw, boot) > said)
		said = expected(cw, boot);
	/* Stamps stand up to the slack from the base; as much again for those being written now. */
	said = add(said, 2 * CLOCKWATCH_SLACK_US);
	if (said > wall && said > cw->forgiven)
		cw->forgiven = said;
	take_base(cw, wall, boot);
	cw->held = cw->kept = cw->logged = false;
	cw->step = cw->off = 0;
}

void
clockwatch_release(struct clockwatch *cw, int64_t wall, int64_t boot)
{
	if (clockwatch_judge(cw, wall, boot) != CLOCKWATCH_BACK)
		abort();
	if (!cw->based)
		take_base(cw, wall, boot);
	cw->held = cw->logged = false;
	cw->step = cw->off = 0;
}

int
clockwatch_adopt(struct clockwatch *cw, int64_t base_wall, int64_t base_boot, int64_t forgiven)
{
	if (base_wall < 0 || base_boot < 0 || forgiven < 0)
		return FG_EINVAL;
	take_base(cw, base_wall, base_boot);
	cw->forgiven = forgiven;
	return FG_OK;
}

/* ---- times to judge by ---- */

int64_t
clockwatch_earliest(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	if (!knows_better(cw, boot))
		return INT64_MIN;
	int64_t must = expected(cw, boot);
	/* The floor does not raise it: an entry of a clock that ran ahead would let a wait end early. */
	return wall < must ? wall : must;
}

int64_t
clockwatch_latest(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	if (!knows_better(cw, boot))
		return INT64_MAX;
	int64_t must = expected(cw, boot);
	int64_t latest = wall > must ? wall : must;
	return floor_counts(cw) && cw->floor > latest ? cw->floor : latest;
}

int64_t
clockwatch_earliest_confirming(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	int64_t must = knows_better(cw, boot) ? expected(cw, boot) : wall;
	return wall < must ? wall : must;
}

int64_t
clockwatch_latest_confirming(const struct clockwatch *cw, int64_t wall, int64_t boot)
{
	int64_t must = knows_better(cw, boot) ? expected(cw, boot) : wall;
	return wall > must ? wall : must;
}

int64_t
clockwatch_stamp(const struct clockwatch *cw, int64_t wall, int64_t boot, int64_t last)
{
	int64_t t = wall;
	if (knows_better(cw, boot)) {
		int64_t must = expected(cw, boot);
		t = is_slack(sub(wall, must)) ? wall : must;
	}
	return t > last ? t : last;
}

/* ---- as kept ---- */

int
clockwatch_encode(const struct clockwatch *cw, struct writer *w)
{
	const int64_t numbers[] = { cw->base_wall, cw->base_boot, cw->floor, cw->forgiven, cw->name, cw->step, cw->off };
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view all = writer_view(w);
	size_t start = all.n;
	writer_text(w, magic);
	writer_bytes(w, view_of(cw->boot_id, sizeof cw->boot_id));
	writer_u8(w, cw->based);
	writer_u8(w, cw->held);
	writer_u8(w, cw->kept);
	writer_u8(w, cw->logged);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		writer_u64(w, (uint64_t)numbers[i]);
	if (writer_err(w))
		return writer_err(w);
	all = writer_view(w);
	int err = digest_sha256(view_of(all.p + start, all.n - start), digest);
	if (err)
		return err;
	writer_bytes(w, view_of(digest, sizeof digest));
	return writer_err(w);
}

int
clockwatch_parse(struct view bytes, struct clockwatch *ret)
{
	struct clockwatch cw = { 0 };
	uint8_t digest[DIGEST_SHA256_LEN], said[DIGEST_SHA256_LEN], head[sizeof magic - 1];
	struct reader r;
	if (bytes.n != CLOCKWATCH_BYTES)
		return FG_EFORMAT;
	reader_init(&r, bytes);
	reader_copy(&r, head, sizeof head);
	reader_copy(&r, cw.boot_id, sizeof cw.boot_id);
	cw.based = reader_bool(&r);
	cw.held = reader_bool(&r);
	cw.kept = reader_bool(&r);
	cw.logged = reader_bool(&r);
	int64_t *numbers[] = { &cw.base_wall, &cw.base_boot, &cw.floor, &cw.forgiven, &cw.name, &cw.step, &cw.off };
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		*numbers[i] = (int64_t)reader_u64(&r);
	size_t n = r.off;
	reader_copy(&r, said, sizeof said);
	if (!reader_end(&r) || memcmp(head, magic, sizeof head) || (cw.based && cw.base_boot < 0))
		return FG_EFORMAT;
	int err = digest_sha256(view_of(bytes.p, n), digest);
	if (err)
		return err;
	if (memcmp(said, digest, sizeof digest))
		return FG_EFORMAT;
	*ret = cw;
	return FG_OK;
}

void
clockwatch_lost(struct clockwatch *cw)
{
	*cw = (struct clockwatch){ .held = true, .kept = true };
}
