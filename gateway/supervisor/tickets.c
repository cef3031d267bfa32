/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/tickets.h"

#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/wire/memfd.h"

static int
draw(uint8_t secret[TICKETS_SECRET])
{
	return getrandom(secret, TICKETS_SECRET, 0) == TICKETS_SECRET ? 0 : FG_EIO;
}

int
tickets_make(struct tickets *t)
{
	int err = draw(t->secret[0]);
	return err ? err : draw(t->secret[1]); /* nobody has a ticket of it: it opens nothing */
}

int
tickets_roll(struct tickets *t)
{
	uint8_t next[TICKETS_SECRET];
	int err = draw(next);
	if (!err) {
		memcpy(t->secret[1], t->secret[0], TICKETS_SECRET);
		memcpy(t->secret[0], next, TICKETS_SECRET);
	}
	wipe(next, sizeof next);
	return err;
}

int
tickets_file(const struct tickets *t)
{
	return memfd_sealed("tickets", view_of(t->secret, sizeof t->secret));
}

void
tickets_wipe(struct tickets *t)
{
	wipe(t, sizeof *t);
}
