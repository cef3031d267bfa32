/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_rig - control without its process: database, files, configuration and
 * parts as they are, the supervisor, the jobs and the clock played by the test. After cmocka.h.
 */
#ifndef FG_TESTS_CONTROL_RIG_H
#define FG_TESTS_CONTROL_RIG_H

#include <fcntl.h>

#include "gateway/control/control_private.h"
#include "gateway/role/bundle.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/loop_rig.h"
#include "unit/gateway/scratch.h"
#include "unit/policy/sample.h"

struct control_rig {
	struct control c;
	struct scratch s;
	struct clock_source clock;
	int64_t now; /* seconds */
	struct chan *supervisor;
	int fd;      /* the supervisor's end */
};

static inline int64_t
control_rig_wall(void *ctx)
{
	return ((struct control_rig *)ctx)->now * 1000000;
}

static inline int64_t
control_rig_mono(void *ctx)
{
	return ((struct control_rig *)ctx)->now * 1000;
}

static inline bool
control_rig_recall(void *ctx, uint64_t *size, uint8_t root[DIGEST_SHA256_LEN])
{
	(void)ctx;
	(void)size;
	(void)root;
	return false;
}

static inline void
control_rig_remember(void *ctx, uint64_t size, const uint8_t root[DIGEST_SHA256_LEN])
{
	(void)ctx;
	(void)size;
	(void)root;
}

/* more: of the main file, behind the sample. */
static inline void
control_rig_configure(struct control_rig *r, const char *more, const char *profile)
{
	char *main = NULL;
	assert_true(asprintf(&main, SAMPLE_MAIN "quarantine = { reserve_bytes = 0; };\n%s", more) > 0);
	const struct bundle_file files[] = {
		{ "fotagate.conf", view_str(main) },
		{ "profiles.d/a.conf", view_str(profile) },
	};
	const struct msg_boot_fd anchor = { .kind = MSG_FD_ANCHOR, .name = "ca.pem" };
	char why[MSG_TEXT_MAX] = "";
	int bundle = bundle_write(files, 2);
	assert_true(bundle >= 0);
	assert_int_equal(policies_file(r->c.policies, &anchor, memfd_sealed("ca", view_str("an anchor"))), 0);
	if (policies_load(r->c.policies, bundle, why, sizeof why))
		fail_msg("%s", why);
	close(bundle);
	free(main);
}

static inline struct control_rig *
control_rig_new(void)
{
	static const struct chan_ops none = { NULL, 0, NULL };
	struct control_rig *r = calloc(1, sizeof *r);
	struct control *c = &r->c;
	const struct logbook_memory memory = { c, control_rig_recall, control_rig_remember, NULL };
	char why[256] = "";
	int pair[2];
	scratch_open(&r->s);
	r->now = 1800000000;
	r->clock = (struct clock_source){ control_rig_wall, control_rig_mono, r };
	c->clock = &r->clock;
	c->timekeep.said.state = MSG_CLOCK_SURE;
	assert_int_equal(clockwatch_adopt(&c->timekeep.watch, r->now * 1000000, r->now * 1000000, 0), 0);
	c->base = event_base_new();
	assert_int_equal(wire_pair(pair), 0);
	r->supervisor = chan_new(c->base, pair[0], &none, r);
	r->fd = pair[1];
	assert_int_equal(db_open(scratch_path(&r->s, "state.db"), &c->db, why, sizeof why), 0);
	assert_int_equal(files_open(r->s.dir, &c->files), 0);
	c->policies = policies_new();
	control_rig_configure(r, "learn = true;\n", SAMPLE_PROFILE);
	assert_int_equal(inventory_new(c->db, view_str("an epoch key of thirty-two bytes"), &c->inventory), 0);
	assert_int_equal(links_new(c->db, &c->links), 0);
	assert_int_equal(grants_new(c->db, &c->grants), 0);
	c->logbook = logbook_new(&memory);
	c->jobs = jobs_new(c->base, r->supervisor);
	c->refusals = refusals_new(c);
	assert_int_equal(refusals_recall(c->refusals), 0);
	c->rollouts = rollouts_new(c);
	c->releases = releases_new(c);
	c->judging = judging_new(c);
	c->fetches = fetches_new(c);
	c->sightings = sightings_new(c);
	return r;
}

static inline void
control_rig_free(struct control_rig *r)
{
	struct control *c = &r->c;
	sightings_free(c->sightings);
	fetches_free(c->fetches);
	judging_free(c->judging);
	releases_free(c->releases);
	rollouts_free(c->rollouts);
	refusals_free(c->refusals);
	jobs_free(c->jobs);
	logbook_free(c->logbook);
	grants_free(c->grants);
	links_free(c->links);
	inventory_free(c->inventory);
	policies_free(c->policies);
	files_close(c->files);
	db_close(c->db);
	chan_free(r->supervisor);
	close(r->fd);
	event_base_free(c->base);
	scratch_close(&r->s);
	free(r);
}

/* Counts the starts the supervisor was asked for since the last look; the last one's channel in *ret_fd (closed when NULL). */
static inline unsigned
control_rig_spawns(struct control_rig *r, struct msg_spawn *ret, int *ret_fd)
{
	struct wire_frame f;
	unsigned n = 0;
	loop_pump(r->c.base);
	if (ret_fd)
		*ret_fd = -1;
	while (wire_recv(r->fd, loop_buf, &f) == 0) {
		if (f.type == MSG_SPAWN) {
			n++;
			assert_int_equal(msg_decode(&f, ret, sizeof *ret), 0);
			if (ret_fd) {
				if (*ret_fd >= 0)
					close(*ret_fd);
				*ret_fd = wire_take_fd(&f, 0);
			}
		}
		wire_close_fds(&f);
	}
	return n;
}

#endif
