/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate policy: what the operator's rules say, of examples, of one review, of everything under other rules. */
#include "gateway/cmd/cli_policy.h"

#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_verbs.h"

int
cli_policy(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "check", cli_policy_check, "what is wrong with the rules here, or how they are read (no daemon needed)" },
		{ "test", cli_policy_test, "what the rules here make of examples (no daemon needed)" },
		{ "explain", cli_policy_explain, "a review: what went in, each rule, what came out" },
		{ "whatif", cli_policy_whatif, "what a changed configuration would decide over what is stored" },
		{ "show", cli_policy_show, "the policy that people put in force, and what on disk is not it" },
		{ "propose", cli_policy_propose, "the statement that puts what is on disk in force (and with --sign, sign it)" },
		{ "sign", cli_policy_sign, "sign such a statement, after comparing it with the files here" },
		{ "submit", cli_policy_submit, "hand it in with everybody's signatures" },
	};
	return cli_opt_sub("policy", subs, sizeof subs / sizeof subs[0], argc, argv);
}
