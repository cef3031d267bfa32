/* SPDX-License-Identifier: Apache-2.0 */
/* people_rig - who may sign, for a control_rig: a genesis of two, and no set after it. After cmocka.h. */
#ifndef FG_TESTS_PEOPLE_RIG_H
#define FG_TESTS_PEOPLE_RIG_H

#define people_genesis sample_genesis /* control's people has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
#include "unit/gateway/control_rig.h"

/*
 * Alice, of that seed, and Bob, both of whom it takes, or one within those bounds, with passkeys at that console ("": nowhere).
 * people_free() them before the rig goes.
 */
static inline void
people_rig_give_of(struct control_rig *r, uint8_t seed, struct genesis_glass glass, const char *console)
{
	const struct person alice = people_make("alice@example.com", seed), bob = people_make("bob@example.com", 2);
	struct genesis *g = sample_genesis((const struct person *const[]){ &alice, &bob }, 2, 2);
	struct writer text;
	char why[200];
	g->glass = glass;
	snprintf(g->set.console, sizeof g->set.console, "%s", console);
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(g, &text), 0);
	int fd = memfd_sealed("genesis", writer_view(&text));
	if (people_load(fd, r->s.dir, &r->c.people, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	writer_free(&text);
	free(g);
}

static inline void
people_rig_give_all(struct control_rig *r, struct genesis_glass glass, const char *console)
{
	people_rig_give_of(r, 1, glass, console);
}

static inline void
people_rig_give(struct control_rig *r)
{
	people_rig_give_all(r, (struct genesis_glass){ .delay = 0 }, "");
}

static inline void
people_rig_give_glass(struct control_rig *r, struct genesis_glass glass)
{
	people_rig_give_all(r, glass, "");
}

static inline void
people_rig_give_at(struct control_rig *r, const char *console)
{
	people_rig_give_all(r, (struct genesis_glass){ .delay = 0 }, console);
}

#endif
