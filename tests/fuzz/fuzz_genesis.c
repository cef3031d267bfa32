/* SPDX-License-Identifier: Apache-2.0 */
/* Genesis and signer sets: what is read is a set somebody may use, and writes to the very bytes it came from. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ORIGIN "gate.example.com/fotagate"

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
one_genesis(struct view text, struct writer *w)
{
	char why[256] = "";
	struct genesis *g = malloc(sizeof *g);
	must(g != NULL);
	memset(g, 0x5a, sizeof *g);
	int err = genesis_parse(text, g, why, sizeof why);
	must(err == 0 || (err == FG_EFORMAT && why[0]));
	if (err) {
		must(g->origin[0] == 0x5a && g->set.n == 0x5a5a5a5a);
	} else {
		must(genesis_encode(g, w) == 0 && view_equal(writer_view(w), text));
		must(signers_check(&g->set, why, sizeof why) == 0);
		must(g->set.threshold >= 1 && g->set.threshold <= signers_persons(&g->set));
		must(g->floor_canary >= 1 && g->floor_production >= g->floor_canary);
		must(genesis_floor(g, UINT32_MAX) >= 1);
		must(genesis_check(g, text, NULL, 0, g->set.time, why, sizeof why) == FG_EPERM);
	}
	free(g);
}

static void
one_set(struct view text, struct writer *w)
{
	char why[256] = "";
	struct signers *s = malloc(sizeof *s);
	must(s != NULL);
	memset(s, 0x5a, sizeof *s);
	int err = signers_parse(text, ORIGIN, s, why, sizeof why);
	must(err == 0 || (err == FG_EFORMAT && why[0]));
	if (err) {
		must(s->n == 0x5a5a5a5a);
	} else {
		must(signers_encode(s, ORIGIN, w) == 0 && view_equal(writer_view(w), text));
		must(signers_check_next(s, text, s, text, NULL, 0, s->time, why, sizeof why) == FG_EPERM);
		writer_reset(w);
		must(signers_allowed(s, SIGNERS_NAMESPACE, w) == 0 && w->n > 0);
	}
	free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w;
	writer_init(&w, 1u << 20);
	one_genesis(view_of(data, size), &w);
	writer_reset(&w);
	one_set(view_of(data, size), &w);
	writer_free(&w);
	return 0;
}
