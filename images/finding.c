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
#define NOTICE_OR_WARN(id_, by_, m, c) { id_, FINDING_WARNING, FINDING_NOTICE, by_, m, c }
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
	[FINDING_CONT_CERT_ENDS] = NOTICE("CONT-CERT-ENDS", MERGE,
	    "The signer's certificate ends within ninety days: the next release will need another one.",
	    "Ask the vendor for the next certificate now, and enrol it by another way."),
	[FINDING_CONT_COUNTER_BACK] = BLOCK("CONT-COUNTER-BACK", MERGE,
	    "A security counter is lower than that of a release approved before: an old version, with its weaknesses.",
	    "Obtain the vendor's current version; to go back on purpose, release the earlier image that was approved."),
	[FINDING_CONT_DATE_BACK] = WARN("CONT-DATE-BACK", MERGE,
	    "The image says that it was made before a release that was approved earlier.",
	    "Learn from the vendor why an older build is offered now."),
	[FINDING_CONT_FIRST] = NOTICE("CONT-FIRST", MERGE,
	    "No release of this product was approved before, so signer, counter and date cannot be compared.",
	    "Nothing to clear: check the vendor's key by another way, once."),
	[FINDING_CONT_NEW_SIGNER] = WARN("CONT-NEW-SIGNER", MERGE,
	    "The image is signed, but by no key that signed the releases before it.",
	    "Have the vendor confirm the new key by another way; a stolen anchor looks like this."),
	[FINDING_CONT_SIGNATURE_LOST] = WARN("CONT-SIGNATURE-LOST", MERGE,
	    "Releases before it had a verified signature, this one has none.",
	    "Obtain the signed form from the vendor."),
	[FINDING_CONT_WEAKER] = WARN("CONT-WEAKER", MERGE,
	    "Its signature is weaker than that of the release before.",
	    "Learn from the vendor why; a downgrade of the algorithm is how old keys come back."),
	[FINDING_COV_ENVELOPE] = NOTICE("COV-ENVELOPE", VERIFY,
	    "Bytes of the container's own structure (headers, padding, envelopes of signatures) are not signed.",
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
	[FINDING_FMT_CONFLICT] = BLOCK("FMT-CONFLICT", VERIFY,
	    "Two places of the container say different things about the same part, so two readers may see two updates.",
	    "Ask the vendor for an image made by the format's own tool; report this one to them."),
	[FINDING_FMT_DELTA] = WARN("FMT-DELTA", VERIFY,
	    "The image is a delta: what it does depends on what the module already holds.",
	    "Obtain the full image of the target version from the vendor and inspect that."),
	[FINDING_FMT_DUPLICATE] = BLOCK("FMT-DUPLICATE", VERIFY,
	    "A name or an element that must be there once is there twice: which one counts depends on the reader.",
	    "Ask the vendor for an image made by the format's own tool; report this one to them."),
	[FINDING_FMT_ENCRYPTED] = WARN("FMT-ENCRYPTED", VERIFY,
	    "A part is encrypted: whether it fits its digest can be told, what it holds cannot.",
	    "Inspect the form before encryption, where the vendor offers it."),
	[FINDING_FMT_HIDDEN_BYTES] = BLOCK("FMT-HIDDEN-BYTES", VERIFY,
	    "Bytes lie in the container that belong to none of its parts: a reader that looks elsewhere finds them.",
	    "Ask the vendor what they are, and for an image without them."),
	[FINDING_FMT_INTEGRITY] = BLOCK("FMT-INTEGRITY", VERIFY,
	    "A checksum of the format itself does not fit: the image is damaged, or was changed by somebody in a hurry.",
	    "Fetch the image again, from the vendor's own place."),
	[FINDING_FMT_MALFORMED] = BLOCK("FMT-MALFORMED", VERIFY,
	    "The container breaks the rules of its format, so nobody can say what a module makes of it.",
	    "Fetch the image again; where it stays so, the vendor's packaging is at fault."),
	[FINDING_FMT_NOT_WALKED] = NOTICE("FMT-NOT-WALKED", VERIFY,
	    "A container was recognised but not opened: signatures and files inside it were not looked at.",
	    "Nothing yet: this version judges containers of this kind as one run of bytes."),
	[FINDING_FMT_RAW] = NOTICE("FMT-RAW", VERIFY,
	    "The format was not recognised; the image was taken as raw bytes.",
	    "Nothing to clear when the product's images are known to be raw."),
	[FINDING_FMT_TRAILING_BYTES] = BLOCK("FMT-TRAILING-BYTES", VERIFY,
	    "Bytes follow the end of the container, where no signature of its own reaches.",
	    "Ask the vendor for an image without them."),
	[FINDING_FMT_UNKNOWN_PART] = WARN("FMT-UNKNOWN-PART", VERIFY,
	    "The container holds an element that this version does not know; a module may act on it.",
	    "Learn from the format's specification or the vendor what it does."),
	[FINDING_FMT_WALK_LIMIT] = WARN("FMT-WALK-LIMIT", VERIFY,
	    "A limit was reached, and not everything was looked into: the analysis is incomplete.",
	    "Inspect what the detail names by itself, as a file of its own."),
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
	[FINDING_MEMBER_DIGEST] = BLOCK("MEMBER-DIGEST", VERIFY,
	    "A member is not the one that the container's own list describes.",
	    "Fetch the image again, from the vendor's own place."),
	[FINDING_MEMBER_MISSING] = BLOCK("MEMBER-MISSING", VERIFY,
	    "The container's list names a member that is not there.",
	    "Fetch the image again; where it stays so, the vendor's packaging is at fault."),
	[FINDING_MEMBER_NO_DIGEST] = BLOCK("MEMBER-NO-DIGEST", VERIFY,
	    "A member is named in the signed list without a digest: the signature says nothing about its bytes.",
	    "Ask the vendor to give a digest for every member."),
	[FINDING_MEMBER_PRIVILEGED] = NOTICE("MEMBER-PRIVILEGED", VERIFY,
	    "A file lends rights to whoever runs it: set-user-id, set-group-id or file capabilities.",
	    "Nothing to clear where the product needs it; one that was not there before is worth a question."),
	[FINDING_MEMBER_RUNS] = WARN("MEMBER-RUNS", VERIFY,
	    "A script, hook or handler in the container is run by the module while it installs.",
	    "Read it: it can do whatever the installer can."),
	[FINDING_MEMBER_SPECIAL] = NOTICE_OR_WARN("MEMBER-SPECIAL", VERIFY,
	    "A member is no plain file: a device, a pipe, a socket, or a link where none belongs.",
	    "Ask the vendor what it is for; a root file system may hold a few devices."),
	[FINDING_MEMBER_UNLISTED] = WARN("MEMBER-UNLISTED", VERIFY,
	    "A member is shipped that the container's signed list does not name.",
	    "Ask the vendor what it is for; no signature stands behind it."),
	[FINDING_MEMBER_UNSAFE_NAME] = BLOCK("MEMBER-UNSAFE-NAME", VERIFY,
	    "A member has a name that leads out of its folder, or that no file can have.",
	    "Nothing: such a name is an attack, or comes from a broken tool."),
	[FINDING_META_DOWNGRADE] = WARN("META-DOWNGRADE", VERIFY,
	    "The container asks the module to take an older version than it has, or to skip the check for it.",
	    "Learn from the vendor why, and whether old weaknesses come back with it."),
	[FINDING_META_EXPIRED] = BLOCK("META-EXPIRED", VERIFY,
	    "What the container says about itself was valid until a time that has passed.",
	    "Fetch the current metadata; a vendor, or somebody between, may be holding back the newer one."),
	[FINDING_META_ROLLBACK] = BLOCK("META-ROLLBACK", VERIFY,
	    "One part of the metadata is older than another part says that it must be.",
	    "Fetch all parts again at once; a mix of two versions is an attack."),
	[FINDING_META_TARGETED] = WARN("META-TARGETED", VERIFY,
	    "The container names single devices: it would do something to them that it does not do to others.",
	    "Ask the vendor why these devices are named, and treat the update as aimed at them until you know."),
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
	[FINDING_SIG_THRESHOLD] = BLOCK("SIG-THRESHOLD", VERIFY,
	    "Fewer different keys signed than the format's own rules ask for.",
	    "Fetch the metadata again; a key that is missing has not agreed."),
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
