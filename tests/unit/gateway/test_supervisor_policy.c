/* SPDX-License-Identifier: Apache-2.0 */
/* Which configuration the supervisor hands out where people sign the policy: by digests and files, whatever became of these. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/file/inforce.h"
#include "gateway/role/bundle.h"
#include "gateway/supervisor/supervisor_internal.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/full_rig.h"
#include "unit/gateway/scratch.h"

enum { GENESIS = 1, ONE, TWO, THREE }; /* configurations, by the byte that their digest is of */

struct place {
	struct scratch s;
	struct plan *plan;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	scratch_open(&p->s);
	close(scratch_dir(&p->s, "config"));
	close(scratch_dir(&p->s, "images"));
	close(scratch_dir(&p->s, "images/approved"));
	p->plan = calloc(1, sizeof *p->plan);
	snprintf(p->plan->main.data_dir, sizeof p->plan->main.data_dir, "%s", p->s.dir);
	p->plan->end.have_genesis = true;
	p->plan->end.signed_policy = true;
	memset(p->plan->end.first, GENESIS, DIGEST_SHA256_LEN);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	scratch_close(&p->s);
	free(p->plan);
	free(p);
	return 0;
}

/* The configuration at hand comes to that policy. */
static const struct plan *
comes_to(struct place *p, int which)
{
	memset(p->plan->end.policy, which, DIGEST_SHA256_LEN);
	return p->plan;
}

/* As the warden does it. */
static void
in_force(struct place *p, int which)
{
	struct inforce in = { .number = (uint32_t)which };
	int dir = scratch_dir(&p->s, "images/approved");
	memset(in.config, which, sizeof in.config);
	assert_int_equal(inforce_write(dir, &in), FG_OK);
	close(dir);
}

static const char *
text_of(int which)
{
	static char text[64];
	snprintf(text, sizeof text, "the configuration %d", which);
	return text;
}

static int
bundle(int which)
{
	int fd = memfd_sealed("bundle", view_str(text_of(which)));
	assert_true(fd >= 0);
	return fd;
}

static void
keep(struct place *p, int which)
{
	int fd = bundle(which);
	supervisor_policy_keep(comes_to(p, which), fd);
	close(fd);
}

/* What would be handed out is that one; 0: nothing. */
static void
kept(struct place *p, int which)
{
	struct view bytes;
	int fd = supervisor_policy_kept(p->plan);
	if (!which) {
		assert_true(fd < 0);
		return;
	}
	assert_true(fd >= 0);
	assert_int_equal(memfd_map(fd, BUNDLE_BYTES_MAX, &bytes), 0);
	assert_true(view_equal(bytes, view_str(text_of(which))));
	memfd_unmap(bytes);
	close(fd);
}

static unsigned
files(struct place *p)
{
	unsigned n = 0;
	DIR *d = opendir(scratch_path(&p->s, "config"));
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static const char *
name_of(struct place *p, int which)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1], name[DIGEST_HEX_LEN + 32];
	memset(digest, which, sizeof digest);
	hex_encode(digest, sizeof digest, hex);
	snprintf(name, sizeof name, "config/%s.bundle", hex);
	return scratch_path(&p->s, name);
}

static void
by_genesis_and_then_by_the_warden(void **state)
{
	struct place *p = *state;
	assert_true(supervisor_policy_is_in_force(comes_to(p, GENESIS)));
	assert_false(supervisor_policy_is_in_force(comes_to(p, ONE)));
	in_force(p, ONE);
	assert_false(supervisor_policy_is_in_force(comes_to(p, GENESIS))); /* an older one is none */
	assert_true(supervisor_policy_is_in_force(comes_to(p, ONE)));
	p->plan->end.signed_policy = false;
	assert_true(supervisor_policy_is_in_force(comes_to(p, TWO)));
}

/* Before the first start there is no folder yet: that is genesis'. All else means that nobody can say, and nothing is followed. */
static void
when_nobody_can_say_nothing_is_followed(void **state)
{
	struct place *p = *state;
	char file[128];
	const uint8_t junk[4 + 2 * DIGEST_SHA256_LEN + 1] = { 0 };
	snprintf(file, sizeof file, "%s", scratch_path(&p->s, "images/approved/" INFORCE_FILE));
	in_force(p, ONE);
	keep(p, ONE);
	kept(p, ONE);
	for (size_t n = 0; n <= sizeof junk; n++) {
		assert_int_equal(unlink(file), 0);
		scratch_write(file, junk, n);
		if (n == sizeof junk - 1)
			continue; /* that is one: of zeros */
		for (int which = GENESIS; which <= TWO; which++)
			assert_false(supervisor_policy_is_in_force(comes_to(p, which)));
		kept(p, 0);
		keep(p, TWO); /* nor is anything written, or taken away */
		assert_int_equal(files(p), 1);
	}
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_false(supervisor_policy_is_in_force(comes_to(p, GENESIS)));
	assert_int_equal(rmdir(file), 0);
	/* A link for the folder is not followed; that it is not there yet is another thing. */
	assert_int_equal(rename(scratch_path(&p->s, "images/approved"), scratch_path(&p->s, "elsewhere")), 0);
	assert_true(supervisor_policy_is_in_force(comes_to(p, GENESIS)));
	assert_int_equal(symlink(scratch_path(&p->s, "elsewhere"), scratch_path(&p->s, "images/approved")), 0);
	assert_false(supervisor_policy_is_in_force(comes_to(p, GENESIS)));
}

/* What is in force and what people may sign next lie there, and no third. */
static void
two_are_kept(void **state)
{
	struct place *p = *state;
	kept(p, 0);
	keep(p, GENESIS);
	kept(p, GENESIS);
	keep(p, ONE);
	kept(p, GENESIS); /* two proposals: the last one waits */
	keep(p, TWO);
	assert_int_equal(files(p), 2);
	assert_int_equal(access(name_of(p, ONE), F_OK), -1);
	kept(p, GENESIS);
	/* Killed between the log and the effect: the warden's file says two, and it is here. */
	in_force(p, TWO);
	kept(p, TWO);
	assert_false(supervisor_policy_is_in_force(comes_to(p, GENESIS)));
	keep(p, GENESIS); /* which the folder has again: it is the next that could be signed, and takes the place of none */
	kept(p, TWO);
	assert_int_equal(files(p), 2);
	/* One that is not here is not to be had: one of an older number is no substitute. */
	in_force(p, THREE);
	kept(p, 0);
	assert_int_equal(files(p), 2);
	p->plan->end.signed_policy = false;
	keep(p, ONE);
	assert_int_equal(files(p), 2);
}

static void
without_room_what_is_in_force_stays(void **state)
{
	struct place *p = *state;
	in_force(p, ONE);
	keep(p, ONE);
	keep(p, TWO);
	int one = bundle(ONE), three = bundle(THREE);
	struct rlimit room = full_rig_begin();
	supervisor_policy_keep(comes_to(p, THREE), three);
	supervisor_policy_keep(comes_to(p, ONE), one);
	full_rig_end(room);
	close(one);
	close(three);
	kept(p, ONE);
	in_force(p, TWO);
	kept(p, TWO);
	in_force(p, THREE);
	kept(p, 0);
	/* No folder, no room of another kind. */
	in_force(p, ONE);
	assert_int_equal(rename(scratch_path(&p->s, "config"), scratch_path(&p->s, "away")), 0);
	keep(p, ONE);
	kept(p, 0);
}

/* What lies under its name is handed to the config child, which says what it comes to; too much of it, or a link, is not. */
static void
cut_ones_are_for_the_child_to_judge(void **state)
{
	struct place *p = *state;
	struct view bytes;
	in_force(p, ONE);
	keep(p, ONE);
	assert_int_equal(chmod(name_of(p, ONE), 0600), 0);
	assert_int_equal(truncate(name_of(p, ONE), 5), 0);
	int fd = supervisor_policy_kept(p->plan);
	assert_int_equal(memfd_map(fd, BUNDLE_BYTES_MAX, &bytes), 0);
	assert_int_equal(bytes.n, 5);
	memfd_unmap(bytes);
	close(fd);
	assert_int_equal(truncate(name_of(p, ONE), (off_t)BUNDLE_BYTES_MAX + 1), 0);
	kept(p, 0);
	assert_int_equal(rename(name_of(p, ONE), scratch_path(&p->s, "away")), 0);
	assert_int_equal(symlink(scratch_path(&p->s, "away"), name_of(p, ONE)), 0);
	kept(p, 0);
}

/* One is held at a time, and what was held before is closed. */
static void
the_last_one_is_held(void **state)
{
	struct place *p = *state;
	struct supervisor s = { .held_fd = -1 };
	(void)p;
	int one = bundle(ONE), two = bundle(TWO);
	supervisor_policy_hold(&s, calloc(1, sizeof(struct plan)), one);
	assert_int_equal(s.held_fd, one);
	supervisor_policy_hold(&s, calloc(1, sizeof(struct plan)), two);
	assert_int_equal(s.held_fd, two);
	assert_int_equal(fcntl(one, F_GETFD), -1);
	supervisor_policy_hold(&s, NULL, -1);
	assert_null(s.held_plan);
	assert_int_equal(fcntl(two, F_GETFD), -1);
	supervisor_policy_show(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(by_genesis_and_then_by_the_warden),
		CASE(when_nobody_can_say_nothing_is_followed),
		CASE(two_are_kept),
		CASE(without_room_what_is_in_force_stays),
		CASE(cut_ones_are_for_the_child_to_judge),
		CASE(the_last_one_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
