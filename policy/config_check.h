/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check - what the table of keys cannot say about fotagate.conf and an
 * imported list: how listeners, suppliers, plans, windows and entities must fit
 * each other.
 * Role: called by config once a file's fields are loaded; fills in what is resolved
 * from several of them. Rules and profiles have checks of their own.
 */
#ifndef FG_POLICY_CONFIG_CHECK_H
#define FG_POLICY_CONFIG_CHECK_H

#include "policy/config.h"

/* Where problems go. line() answers 0 for a key that is not in the file. */
struct config_check {
	const char *file;
	struct config_problems *problems;
	/* key below what is checked: "limits.bytes_per_second", "listeners.[2]", "" for itself */
	unsigned (*line)(void *arg, const char *key);
	void *arg;
};

/* Rates, listeners, suppliers and rollout plans of fotagate.conf; notes the lines that rules_check() speaks of. */
void config_check_main(const struct config_check *k, struct config *c);
/* Its windows and blackouts; resolves each. */
void config_check_windows(const struct config_check *k, struct config *c);
/* The list that c->lists[c->lists_n] is to become: its entities, and its name among those before it. */
void config_check_list(const struct config_check *k, const struct config *c);

#endif
