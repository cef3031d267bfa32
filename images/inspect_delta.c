/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_delta - the delta stage: what a patch makes of a base, and which bytes these were. */
#include <stdio.h>

#include "crypto/err.h"
#include "images/entail.h"
#include "images/inspect.h"

static int
choose(const struct inspect_delta *job, enum format_id *ret)
{
	struct format_result found;
	int err = 0;
	*ret = job->format;
	if (*ret == FORMAT_NONE && !(err = format_recognise(job->patch, &found)))
		*ret = found.format;
	return err;
}

static int
apply(const struct inspect_delta *job, enum format_id format, struct delta_result *ret)
{
	if (delta_of(format))
		return delta_apply_within(format, job->patch, job->base, job->out, job->target_max, ret);
	*ret = (struct delta_result){ .outcome = DELTA_OPAQUE };
	snprintf(ret->detail, sizeof ret->detail, "format %s has no applier", format_name(format));
	return 0;
}

int
inspect_delta(const struct inspect_delta *job, struct report *ret)
{
	struct report *r = report_new(REPORT_DELTA);
	enum format_id format;
	if (!r)
		return FG_ENOMEM;
	struct report_delta *d = &r->delta;
	d->patch_size = job->patch->size;
	d->base_size = job->base->size;
	int err = source_digest(job->patch, d->patch_sha256);
	if (!err)
		err = source_digest(job->base, d->base_sha256);
	if (!err)
		err = choose(job, &format);
	if (!err)
		err = apply(job, format, &d->result);
	r->have_delta = !err;
	if (!err)
		err = entail_raise(r, false);
	if (!err)
		*ret = *r;
	report_free(r);
	return err;
}
