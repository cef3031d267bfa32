/* SPDX-License-Identifier: Apache-2.0 */
#include "images/finding.h"

#include <stdlib.h>

#define VERIFY FINDING_BY_VERIFY
#define EXPLAIN FINDING_BY_EXPLAIN
#define MERGE FINDING_BY_MERGE

/* Findings of one weight, and those that weigh less when something better stands beside them. */
#define NOTICE(id_, by_, m, c) { id_, FINDING_NOTICE, FINDING_NOTICE, by_, m, c }
#define WARN(id_, by_, m, c) { id_, FINDING_WARNING, FINDING_WARNING, by_, m, c }
#define BLOCK(id_, by_, m, c) { id_, FINDING_BLOCK, FINDING_BLOCK, by_, m, c }
#define WARN_OR_BLOCK(id_, by_, m, c) { id_, FINDING_BLOCK, FINDING_WARNING, by_, m, c }

static const struct finding_info table[FINDING_LIMIT] = {
	[FINDING_CHG_FORMAT] = WARN("CHG-FORMAT", EXPLAIN,
	    "The new image is of another format than the old one.",
	    "Compare with an image of the same product, or learn from the vendor why the packaging changed."),
	[FINDING_CHG_IDENTICAL] = NOTICE("CHG-IDENTICAL", EXPLAIN,
	    "The new image is byte for byte the old one.",
	    "Compare with the version that is to be replaced."),
	[FINDING_CHG_NEARLY_ALL] = WARN("CHG-NEARLY-ALL", EXPLAIN,
	    "Less than a hundredth of the new image is in the old one: comparing bytes says next to nothing.",
	    "Compare with an image that is neither encrypted nor compressed as a whole."),
	[FINDING_CHG_NO_OLD] = NOTICE("CHG-NO-OLD", MERGE,
	    "No earlier version was there to compare with, so nothing is known about what changed.",
	    "Give the version that the modules run now (--against)."),
	[FINDING_CHG_SHRUNK] = WARN("CHG-SHRUNK", EXPLAIN,
	    "The new image is less than half as long as the old one.",
	    "Make sure that it was fetched whole and is meant for this product."),
	[FINDING_COV_ENVELOPE] = NOTICE("COV-ENVELOPE", VERIFY,
	    "Bytes of the signature's own envelope (lengths, certificates, unsigned attributes) are not signed.",
	    "Nothing to clear: it belongs to a signature that travels in the image; a detached one has none."),
	[FINDING_COV_UNSIGNED_BYTES] = WARN("COV-UNSIGNED-BYTES", VERIFY,
	    "Bytes of the image are under no verified signature: whoever handled it could have changed them.",
	    "A verified signature over the whole image."),
	[FINDING_DELTA_NOT_APPLIED] = WARN("DELTA-NOT-APPLIED", MERGE,
	    "A base was given, but this version does not apply deltas: the result was not seen.",
	    "Obtain the vendor's full image of the target version and inspect that."),
	[FINDING_ENT_CLASS_SHIFT] = WARN("ENT-CLASS-SHIFT", EXPLAIN,
	    "A tenth or more of the image looks random now and did not before.",
	    "Learn from the vendor what was encrypted or embedded; a new encrypted part cannot be reviewed."),
	[FINDING_ENT_OPAQUE] = NOTICE("ENT-OPAQUE", EXPLAIN,
	    "More than half of the image looks random: encrypted, or compressed very well.",
	    "Inspect the image in the form before encryption, where the vendor offers it."),
	[FINDING_FMT_AMBIGUOUS] = WARN("FMT-AMBIGUOUS", VERIFY,
	    "The bytes fit more than one format, so the module may see something else than was looked at.",
	    "Ask the vendor for an image without a second format in it."),
	[FINDING_FMT_DELTA] = WARN("FMT-DELTA", VERIFY,
	    "The image is a delta: what it does depends on what the module already holds.",
	    "Obtain the full image of the target version from the vendor and inspect that."),
	[FINDING_FMT_NOT_WALKED] = NOTICE("FMT-NOT-WALKED", VERIFY,
	    "The container was recognised but not opened: signatures and files inside it were not looked at.",
	    "Nothing yet: this version judges containers as one run of bytes."),
	[FINDING_FMT_RAW] = NOTICE("FMT-RAW", VERIFY,
	    "The format was not recognised; the image was taken as raw bytes.",
	    "Nothing to clear when the product's images are known to be raw."),
	[FINDING_IMG_EMPTY] = BLOCK("IMG-EMPTY", VERIFY,
	    "The image has no bytes.",
	    "Fetch it again; a vendor that serves empty files has a fault."),
	[FINDING_INSPECT_CRASHED] = BLOCK("INSPECT-CRASHED", MERGE,
	    "The inspector was killed by a signal while it read this image: it may have been made to.",
	    "Treat the image as hostile; report it to the maintainers with the stage and the signal."),
	[FINDING_INSPECT_DISAGREES] = BLOCK("INSPECT-DISAGREES", MERGE,
	    "The inspector's reply does not fit what it was asked, or two stages saw different images.",
	    "Inspect again; if it stays, the inspector is broken or the image file changed while it was read."),
	[FINDING_INSPECT_FAILED] = BLOCK("INSPECT-FAILED", MERGE,
	    "The inspector ended without a report: it could not start, could not be jailed, or could not read.",
	    "Mend what the detail names and inspect again."),
	[FINDING_INSPECT_FOREIGN_FIELD] = BLOCK("INSPECT-FOREIGN-FIELD", MERGE,
	    "The inspector's reply holds a field or finding that is not its stage's to fill.",
	    "Treat the image as hostile: an inspector that oversteps has been taken over."),
	[FINDING_INSPECT_MALFORMED] = BLOCK("INSPECT-MALFORMED", MERGE,
	    "The inspector's reply is not a report.",
	    "Treat the image as hostile: an inspector that talks nonsense may have been taken over."),
	[FINDING_INSPECT_OVERLONG] = BLOCK("INSPECT-OVERLONG", MERGE,
	    "The inspector's reply is longer than a report may be.",
	    "Treat the image as hostile: an inspector that oversteps may have been taken over."),
	[FINDING_INSPECT_TIMEOUT] = BLOCK("INSPECT-TIMEOUT", MERGE,
	    "The inspector did not end in time and was killed.",
	    "Inspect again with more time; an image that cannot be read in time is not to be trusted."),
	[FINDING_INSPECT_TRAILING] = BLOCK("INSPECT-TRAILING", MERGE,
	    "The inspector said more than its one report.",
	    "Treat the image as hostile: an inspector that oversteps may have been taken over."),
	[FINDING_REPORT_CUT] = BLOCK("REPORT-CUT", VERIFY | EXPLAIN | MERGE,
	    "The report grew past its limit and details were left out; warnings and blocks are all there.",
	    "Nobody can approve what was not shown: inspect a smaller part, or report it to the maintainers."),
	[FINDING_SIG_ABSENT] = WARN_OR_BLOCK("SIG-ABSENT", VERIFY,
	    "No signature was found.",
	    "Fetch the vendor's detached signature (--signature), or learn where it is kept."),
	[FINDING_SIG_DUPLICATE_SIGNER] = WARN("SIG-DUPLICATE-SIGNER", VERIFY,
	    "One key signed more than once; it counts once.",
	    "Nothing to clear when one signature is enough."),
	[FINDING_SIG_EXPIRED] = WARN_OR_BLOCK("SIG-EXPIRED", VERIFY,
	    "The signer's certificate, or one above it, is not valid at the verification time.",
	    "An image signed with a current certificate, or a profile that pins this key regardless of dates."),
	[FINDING_SIG_INVALID] = BLOCK("SIG-INVALID", VERIFY,
	    "A signature is malformed or was not made over these bytes.",
	    "Fetch image and signature again, from the vendor's own place."),
	[FINDING_SIG_KEY_PUBLISHED] = BLOCK("SIG-KEY-PUBLISHED", VERIFY,
	    "The private half of the signing key is published: anyone could have signed this.",
	    "An image signed with a key of the vendor's own."),
	[FINDING_SIG_MANY] = BLOCK("SIG-MANY", VERIFY,
	    "There are more signatures than are looked at.",
	    "An image with at most sixteen signatures."),
	[FINDING_SIG_OPAQUE] = WARN_OR_BLOCK("SIG-OPAQUE", VERIFY,
	    "The image is signed in a way that only the module can check.",
	    "A digest from the vendor by another way, or a trial on a module that may be lost."),
	[FINDING_SIG_REVOCATION_NOT_CHECKED] = NOTICE("SIG-REVOCATION-NOT-CHECKED", VERIFY,
	    "Whether the signer's certificate was revoked is not known: no revocation list was given.",
	    "Put the issuer's current CRL beside the anchors."),
	[FINDING_SIG_REVOCATION_STALE] = WARN("SIG-REVOCATION-STALE", VERIFY,
	    "A revocation list is missing for a part of the signer's chain, or is past its next update.",
	    "Put current CRLs of every issuer of the chain beside the anchors."),
	[FINDING_SIG_REVOKED] = BLOCK("SIG-REVOKED", VERIFY,
	    "The signer's certificate, or one above it, was revoked.",
	    "An image signed with a certificate that stands."),
	[FINDING_SIG_UNSUPPORTED_SCHEME] = WARN_OR_BLOCK("SIG-UNSUPPORTED-SCHEME", VERIFY,
	    "The signature is of a kind that this version cannot check.",
	    "A signature of a supported kind, or a newer version of this program."),
	[FINDING_SIG_UNTRUSTED] = WARN_OR_BLOCK("SIG-UNTRUSTED", VERIFY,
	    "The signature is sound, but no anchor vouches for its key, or not for this purpose.",
	    "Add the vendor's certificate or key to the trust set, after checking it by another way."),
	[FINDING_SIG_WEAK] = WARN_OR_BLOCK("SIG-WEAK", VERIFY,
	    "The signature rests on a digest, a key size or a curve that no longer holds.",
	    "An image signed with SHA-256 or better and a key of today's size."),
	[FINDING_TRUST_EMPTY] = NOTICE("TRUST-EMPTY", VERIFY,
	    "No anchor was given, so no signature can be vouched for.",
	    "Name the folder with the vendor's certificates and keys (--trust)."),
	[FINDING_TRUST_REFUSED] = BLOCK("TRUST-REFUSED", VERIFY,
	    "The trust set holds something that may never be an anchor, so none of it was used.",
	    "Take out what the detail names: a private, weak or damaged key."),
};

const struct finding_info *
finding_get(enum finding_id id)
{
	if ((unsigned)id >= FINDING_LIMIT)
		abort();
	return &table[id];
}

enum finding_id
finding_find(struct view word)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (view_is(word, table[i].id))
			return (enum finding_id)i;
	return FINDING_LIMIT;
}

static const char *const severity_names[FINDING_SEVERITY_LIMIT] = {
	[FINDING_NONE] = "none",
	[FINDING_INFO] = "info",
	[FINDING_NOTICE] = "notice",
	[FINDING_WARNING] = "warning",
	[FINDING_BLOCK] = "block",
};

const char *
finding_severity_name(enum finding_severity severity)
{
	return (unsigned)severity < FINDING_SEVERITY_LIMIT ? severity_names[severity] : "none";
}

enum finding_severity
finding_severity_parse(struct view word)
{
	for (unsigned i = FINDING_INFO; i < FINDING_SEVERITY_LIMIT; i++)
		if (view_is(word, severity_names[i]))
			return (enum finding_severity)i;
	return FINDING_NONE;
}
