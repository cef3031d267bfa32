/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_try - what an edge would make of its listeners' files, said for a person
 * and done with: fotagated -n. In the edge's jail and by the edge's own code, so
 * that what is found good there is good when it starts.
 */
#include <stdio.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/edge/edge_private.h"

/* Not a reason to refuse: it starts with these, and modules stay away or out. */
static void
note_ends(const char *listener, const struct tls *tls, int64_t now)
{
	static const char *const what[TLS_RUNOUTS] = { [TLS_RUNOUT_CERT] = "its certificate",
		[TLS_RUNOUT_CLIENT_CA] = "a certificate in client_ca", [TLS_RUNOUT_CRL] = "a list in client_crl" };
	struct tls_span spans[TLS_RUNOUTS];
	char when[STAMP_CAP];
	tls_runouts(tls, spans);
	for (unsigned k = 0; k < TLS_RUNOUTS; k++) {
		if (!spans[k].until || spans[k].until > now || stamp_format(spans[k].until, when))
			continue;
		fprintf(stderr, "note: listener %s: %s ran out at %s: put a newer one in its place\n", listener, what[k], when);
	}
}

int
edge_try(void *ctx, struct role *r)
{
	struct edge *e = ctx;
	unsigned problems = 0;
	int err = e->bundle_fd < 0 ? FG_ENOTFOUND : edge_parse_bundle(e->bundle_fd, &e->bundle, &e->config);
	if (err)
		return err;
	for (unsigned i = 0; i < e->config->listeners_n; i++) {
		const char *name = e->config->listeners[i].name;
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		if (!e->config->listeners[i].tls)
			continue;
		err = edge_tls_make(e, e->config, i, &tls, why);
		if (err) {
			problems++;
			fprintf(stderr, "listener %s: %s\n", name, why[0] ? why : err_name(err));
		} else {
			note_ends(name, tls, clock_wall_s(e->clock));
		}
		tls_free(tls);
	}
	edge_tls_forget(e);
	role_exit(r, problems ? ROLE_EXIT_PROBLEMS : 0);
	return FG_OK;
}
