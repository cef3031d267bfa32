/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clockwatch - how far the wall clock can be believed.
 * Role: warden (the authority on it), control, audit and edges, which are told
 * the warden's base. Pure: every time is a parameter, microseconds since 1970
 * (wall) or since boot with suspend counted (CLOCK_BOOTTIME, "boot").
 *
 * A base is one pair of readings taken together; by it the wall clock must now
 * stand at base_wall + (boot - base_boot). More than five minutes off, either way
 * and in however many small steps, is a hold: nothing new is permitted until
 * people confirm the clock as it is or it comes back to where it was. Before the
 * first base of a boot only the floor (time of the last log entry) can be asked.
 *
 * Expiry asks the latest plausible time, waits ask the earliest: the further the
 * readings lie apart, the less is permitted. Sums that overflow stay at the end
 * of their range, which is never the permitting end.
 */
#ifndef FG_CRYPTO_CLOCKWATCH_H
#define FG_CRYPTO_CLOCKWATCH_H

#include "crypto/reader.h"
#include "crypto/writer.h"

#define CLOCKWATCH_SLACK_US INT64_C(300000000) /* five minutes: what NTP mends by itself and people do not notice */
#define CLOCKWATCH_BOOT_ID 16
#define CLOCKWATCH_BYTES 116 /* of the encoding */

struct clockwatch {
	uint8_t boot_id[CLOCKWATCH_BOOT_ID]; /* of the boot that base and hold are of; zero: not known */
	bool based;
	int64_t base_wall, base_boot;
	int64_t floor;    /* 0: not known */
	int64_t forgiven; /* people have said that it is earlier than this: floors up to here do not count */
	bool held;
	bool kept;        /* the hold is of an earlier boot: no reading can end it, people must */
	bool logged;      /* the hold stands in the log; for its owner */
	int64_t name;     /* of the hold or the last one: seconds, no two have the same, never back */
	int64_t step;     /* how far off the clock was when the hold was named; negative: behind */
	int64_t off;      /* the same, as this boot's base sees it */
};

enum clockwatch_state {
	CLOCKWATCH_UNKNOWN = 0, /* no base: permits nothing */
	CLOCKWATCH_SURE,
	CLOCKWATCH_HELD,
	CLOCKWATCH_BACK, /* still held, but the clock stands where it must: clockwatch_release may follow */
	CLOCKWATCH_STATE_LIMIT
};

/*
 * After clockwatch_parse or on a zeroed one: this boot's id. A base of another
 * boot is forgotten; a hold of another boot stays and only people end it. An
 * unknown id (zero) is another boot.
 */
void clockwatch_begin(struct clockwatch *cw, const uint8_t boot_id[CLOCKWATCH_BOOT_ID]);
/* The last log entry's time; only ever raises the floor. */
void clockwatch_floor(struct clockwatch *cw, int64_t us);
/*
 * One pair of readings, taken together. Takes the base if there is none and the
 * wall clock is not behind the floor; begins a hold, with a name after `above`
 * (seconds) and after every earlier one. A hold whose clock steps again becomes
 * another hold: what was signed for the first does not confirm the second.
 */
enum clockwatch_state clockwatch_see(struct clockwatch *cw, int64_t wall, int64_t boot, int64_t above);
/* Judges without beginning anything: for readers, who hold nothing. */
enum clockwatch_state clockwatch_judge(const struct clockwatch *cw, int64_t wall, int64_t boot);
/*
 * People confirm that the wall clock is right as it stands: new base, no hold. What
 * the log may say until its writer has heard of it is forgiven: the floor, and where
 * the old base puts the clock, by which entries were stamped meanwhile.
 */
void clockwatch_confirm(struct clockwatch *cw, int64_t wall, int64_t boot);
/* Ends a hold that clockwatch_see called BACK; aborts without one. */
void clockwatch_release(struct clockwatch *cw, int64_t wall, int64_t boot);
/*
 * For readers: another's base, of the same machine and boot. FG_EINVAL, nothing
 * changed, for readings no clock gives (below 0).
 */
int clockwatch_adopt(struct clockwatch *cw, int64_t base_wall, int64_t base_boot, int64_t forgiven);

/* Times by which to judge; microseconds. Without a base every wait is endless and everything has expired. */
int64_t clockwatch_earliest(const struct clockwatch *cw, int64_t wall, int64_t boot);
int64_t clockwatch_latest(const struct clockwatch *cw, int64_t wall, int64_t boot);
/*
 * The same for what confirms the clock as it stands: by it and, in the boot that
 * knows better, by where it must be. Neither the floor nor a missing base counts,
 * or a log with times to come could not be overruled by anybody.
 */
int64_t clockwatch_earliest_confirming(const struct clockwatch *cw, int64_t wall, int64_t boot);
int64_t clockwatch_latest_confirming(const struct clockwatch *cw, int64_t wall, int64_t boot);
/*
 * Time to write beside an entry: the wall clock while it is where it must be,
 * else where it must be, so that a step cannot carry the log's time away; not
 * before last (the entry before). Without a base: the wall clock.
 */
int64_t clockwatch_stamp(const struct clockwatch *cw, int64_t wall, int64_t boot, int64_t last);

/* As kept on disk, with a digest. clockwatch_parse: FG_EFORMAT, *ret untouched; its owner then holds (clockwatch_lost). */
int clockwatch_encode(const struct clockwatch *cw, struct writer *w);
int clockwatch_parse(struct view bytes, struct clockwatch *ret);
/* What was kept cannot be read: held, until people confirm. Named when it is next seen. */
void clockwatch_lost(struct clockwatch *cw);

/* Whole seconds, rounded down, as everything that is signed counts. */
int64_t clockwatch_seconds(int64_t us);

#endif
