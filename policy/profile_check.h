/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_check - what the table of keys cannot say about one profile: how its
 * fields must fit each other and the rest of the configuration.
 * Role: called by config once a profile's fields are loaded; fills the resolved
 * half of struct profile.
 */
#ifndef FG_POLICY_PROFILE_CHECK_H
#define FG_POLICY_PROFILE_CHECK_H

#include "policy/config.h"

/* Where problems of a key go. line() answers 0 for a key that is not in the file. */
struct profile_check {
	const struct config *config;
	const char *file;
	struct config_problems *problems;
	unsigned (*line)(void *arg, const char *key); /* key below profile: "not_now.status" */
	void *arg;
	bool cross; /* listeners and suppliers are known: fotagate.conf was readable */
};

/* Adds every problem there is; resolves what can be resolved. */
void profile_check(const struct profile_check *k, struct profile *p);

#endif
