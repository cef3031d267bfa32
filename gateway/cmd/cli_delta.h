/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_delta - what a delta makes of its base, and the target judged as a full
 * image: the delta stage, then verify and explain over what it wrote, each in a
 * fresh inspector.
 * Role: `fotagate inspect --base`. Guarantees: the target is written into a memfd
 * of ours that is sealed before anybody reads it, and every word about it is
 * about these sealed bytes. It may have 64 MiB and eight times what patch and base have, at
 * most DELTA_TARGET_MAX; more is the outcome "limit".
 */
#ifndef FG_GATEWAY_CMD_CLI_DELTA_H
#define FG_GATEWAY_CMD_CLI_DELTA_H

#include "gateway/cmd/cli_job.h"

/* What is known before; descriptors are borrowed, -1 = not given. */
struct cli_delta_asked {
	const struct msg_inspect *verify;   /* how the delta itself is verified: profile, trust, time */
	const struct report_asked *asked;   /* of the delta; base and base's digest are filled */
	int patch_fd, base_fd, trust_fd;
	int signature_fd;                   /* of the target, detached */
	int full_fd;                        /* the full image that the target should be */
	enum format_id format;              /* FORMAT_NONE: by its bytes */
	int aids_fd;                        /* for the comparison with the base; -1: none */
	unsigned timeout;                   /* seconds a stage; 0: by size */
};

struct cli_delta {
	struct report_applied applied; /* for report_merge(); borrows from the others */
	struct cli_job stage;
	struct report *target;         /* its own report; NULL: nothing was made */
	struct writer text;            /* of that one, canonical */
	int fd;                        /* the target itself, sealed; -1: nothing was made */
};

/* 0 with ret filled (cli_delta_end() either way); errors of cli_job_run(), FG_EIO, FG_ENOMEM. */
int cli_delta_run(const struct cli_delta_asked *q, struct cli_delta *ret);
void cli_delta_end(struct cli_delta *d);
/* SHA-256 of a whole file. 0, FG_EINVAL when it is no regular file, FG_EIO, FG_ENOMEM. */
int cli_delta_digest(int fd, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
