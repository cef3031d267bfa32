/* SPDX-License-Identifier: Apache-2.0 */
/* state_rig - a database in a folder of its own, for the tests of gateway/state and of what stands on it. */
#ifndef FG_TESTS_STATE_RIG_H
#define FG_TESTS_STATE_RIG_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/state/candidate.h"
#include "gateway/state/db.h"
#include "gateway/state/resource.h"

struct rig {
	char dir[64];
	char path[96];
	struct db *db;
};

static inline int
rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
rig_open(struct rig *r)
{
	char why[256] = "";
	int err = db_open(r->path, &r->db, why, sizeof why);
	if (err)
		fail_msg("db_open: %s: %s", err_name(err), why);
}

static inline void
rig_again(struct rig *r)
{
	db_close(r->db);
	r->db = NULL;
	rig_open(r);
}

static inline int
rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	snprintf(r->dir, sizeof r->dir, "/tmp/fg-state-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof r->path, "%s/state.db", r->dir);
	rig_open(r);
	*state = r;
	return 0;
}

static inline int
rig_teardown(void **state)
{
	struct rig *r = *state;
	db_close(r->db);
	nftw(r->dir, rig_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(r);
	return 0;
}

static inline struct db_resource
rig_resource(uint8_t id, const char *profile)
{
	struct db_resource r = { .first_seen = 100, .last_seen = 100, .sightings = 1 };
	memset(r.id, id, sizeof r.id);
	snprintf(r.profile, sizeof r.profile, "%s", profile);
	snprintf(r.url, sizeof r.url, "https://vendor.example/%u.bin", id);
	snprintf(r.product, sizeof r.product, "EC25");
	snprintf(r.target, sizeof r.target, "A09");
	snprintf(r.state, sizeof r.state, "sighted");
	return r;
}

static inline void
rig_add_resource(struct rig *rig, uint8_t id, const char *profile)
{
	struct db_resource r = rig_resource(id, profile);
	bool fresh = false;
	assert_int_equal(db_resource_sight(rig->db, &r, &fresh), 0);
	assert_true(fresh);
}

static inline struct db_candidate
rig_candidate(uint8_t resource, uint8_t image)
{
	struct db_candidate c = { .size = 1000u * image, .have_image = true, .in_quarantine = true, .created = 200,
		.updated = 200 };
	memset(c.resource, resource, sizeof c.resource);
	memset(c.image, image, sizeof c.image);
	snprintf(c.state, sizeof c.state, "judging");
	return c;
}

static inline uint64_t
rig_add_candidate(struct rig *rig, uint8_t resource, uint8_t image)
{
	struct db_candidate c = rig_candidate(resource, image);
	uint64_t id = 0;
	assert_int_equal(db_candidate_new(rig->db, &c, &id), 0);
	assert_true(id > 0);
	return id;
}

#endif
