/* SPDX-License-Identifier: Apache-2.0 */
/* incident - what a person should look at: other bytes under a known URL, a role killed by its jail. */
#ifndef FG_GATEWAY_STATE_INCIDENT_H
#define FG_GATEWAY_STATE_INCIDENT_H

#include "gateway/state/db.h"

#define DB_INCIDENTS_MAX 10000 /* the newest are kept; the log has them all */
#define DB_INCIDENT_KIND_MAX 32

struct db_incident {
	uint64_t id; /* set by the database */
	int64_t at;
	char kind[DB_INCIDENT_KIND_MAX];
	bool have_resource;
	uint8_t resource[DB_ID];
	char detail[DB_TEXT_MAX];
};

int db_incident_add(struct db *db, const struct db_incident *i);
/* Newest first, those before id `before` (0: from the newest), at most limit. */
int db_incident_list(struct db *db, uint64_t before, unsigned limit,
    int (*each)(void *arg, const struct db_incident *i), void *arg);

/* Newest first, at most limit of each kind: one kind cannot push out the others. */
int db_incident_latest(struct db *db, unsigned limit, int (*each)(void *arg, const struct db_incident *i), void *arg);

#endif
