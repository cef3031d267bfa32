/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect_scheme - the words for a job, for those who only ask for inspections:
 * a file of its own, so that they are not linked with everything that reads images.
 */
#include "images/inspect.h"

static const char *const scheme_names[INSPECT_SCHEME_LIMIT] = {
	[INSPECT_SCHEME_NONE] = "none",
	[INSPECT_AUTO] = "auto",
	[INSPECT_CMS_DETACHED] = "cms-detached",
	[INSPECT_CMS_ATTACHED] = "cms-attached",
	[INSPECT_EMBEDDED] = "embedded",
	[INSPECT_MINISIGN] = "minisign",
	[INSPECT_SIGNIFY] = "signify",
	[INSPECT_SSHSIG] = "sshsig",
	[INSPECT_OPENPGP] = "openpgp",
	[INSPECT_JCAT] = "jcat",
	[INSPECT_TUF] = "tuf",
	[INSPECT_UPTANE] = "uptane",
	[INSPECT_RAW] = "raw",
};

void
inspect_defaults(struct inspect_job *job)
{
	job->scheme = INSPECT_AUTO;
	job->policy =
	    (struct trust_policy){ .purpose = TRUST_PURPOSE_FIRMWARE, .allow_leaf_anchor = true };
}

const char *
inspect_scheme_name(enum inspect_scheme scheme)
{
	return (unsigned)scheme < INSPECT_SCHEME_LIMIT ? scheme_names[scheme] : "none";
}

enum inspect_scheme
inspect_scheme_parse(const char *word)
{
	for (unsigned i = INSPECT_AUTO; i < INSPECT_SCHEME_LIMIT; i++)
		if (strcmp(word, scheme_names[i]) == 0)
			return (enum inspect_scheme)i;
	return INSPECT_SCHEME_NONE;
}
