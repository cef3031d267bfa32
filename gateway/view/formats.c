/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/formats.h"

#include "crypto/err.h"
#include "gateway/view/cef.h"
#include "gateway/view/journal.h"
#include "gateway/view/ocsf.h"
#include "gateway/view/rfc5424.h"

static const char *const names[FORMATS_LIMIT] = {
	[FORMATS_NONE] = "", [FORMATS_JSONL] = "jsonl", [FORMATS_RFC5424] = "rfc5424", [FORMATS_CEF] = "cef",
	[FORMATS_OCSF] = "ocsf", [FORMATS_JOURNAL] = "journal",
};

const char *
formats_name(enum formats f)
{
	return (unsigned)f < FORMATS_LIMIT ? names[f] : "";
}

enum formats
formats_parse(const char *name)
{
	for (unsigned i = FORMATS_NONE + 1; i < FORMATS_LIMIT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum formats)i;
	return FORMATS_NONE;
}

int
formats_put(enum formats f, const struct record *r, struct view line, const struct record_frame *frame, struct writer *w)
{
	int err = FG_EINVAL;
	switch (f) {
	case FORMATS_JSONL:
		writer_bytes(w, line);
		err = writer_err(w);
		break;
	case FORMATS_RFC5424:
		err = rfc5424_put(r, frame, w);
		break;
	case FORMATS_CEF:
		err = cef_put(r, w);
		break;
	case FORMATS_OCSF:
		err = ocsf_put(r, w);
		break;
	case FORMATS_JOURNAL:
		err = journal_put(r, w);
		break;
	case FORMATS_NONE:
	case FORMATS_LIMIT:
		break;
	}
	if (!err)
		writer_u8(w, '\n');
	return err ? err : writer_err(w);
}
