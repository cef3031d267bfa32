/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cmsbox.h"

#include "crypto/err.h"

/* What lies around the content: lengths, certificates, signatures, attributes. */
static void
envelope(struct walk *w, struct sig_range content)
{
	uint64_t end = content.offset + content.length;
	walk_structure(w, 0, content.offset);
	walk_structure(w, end, w->image->size - end);
}

int
cmsbox_walk(struct walk *w)
{
	struct walk_signed by = { 0 };
	struct cms *c = NULL;
	bool lean = false;
	if (w->image->size > CMS_ATTACHED_MAX) {
		walk_settle(w, "cms-attached", SIG_OPAQUE, "attached signatures are read up to 16 MiB");
		return 0;
	}
	int err = walk_cms_attached(w, "cms-attached", (struct sig_range){ 0, w->image->size }, &c, &by, &lean);
	if (err || !c)
		return err;
	struct walk_member content = { .name = view_str("content"),
		.at = cms_content_range(c),
		.size = UINT64_MAX,
		.by = by,
		.inside = true };
	/* A stranger's signature beside a verified one is that stranger's to choose. */
	if (lean)
		envelope(w, content.at);
	cms_free(c);
	return walk_member(w, &content, NULL);
}
