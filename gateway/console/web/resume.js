// SPDX-License-Identifier: Apache-2.0
// resume - ending a halt, or the hold of a clock, from a page: the statement, held against what stands, and who signs it how.
// The warden counts the signatures and ends it; a production floor of them takes one that was made off the console.
import { el, command, digest, facts, quoted, time, visible } from "/dom.js";
import { post } from "/api.js";
import { hashed } from "/log.js";
import { may, ACT, SIGN } from "/words.js";
import { exact, handed, handedIn, pasted, refusing, stock, withPasskey, writing, APPROVAL } from "/signing.js";

const PREDICATE = "urn:fotagate:approval:v1";
const MEMBERS = ["approver", "decision", "gateway", "halted_at", "log", "nonce", "reason", "time"];
const SKEW = 300000; // milliseconds between its clock and this machine's

// What statements are about now: while the clock is held that comes first, as the gateway has it.
const standing = (status) => status.clock_hold || status.halt;
const word = (status) => (status.clock_hold ? "the hold of the clock" : "the halt");

// In words, each way in which these bytes are not the statement that was asked for.
function differs(doc, own, body, status) {
	let p;
	try {
		const s = JSON.parse(doc.statement);
		p = s.predicateType === PREDICATE ? s.predicate : null;
	} catch {
		p = null;
	}
	if (!p || Object.keys(p).sort().join() !== MEMBERS.join())
		return [null, ["has another form than such a statement has"]];
	return [p, [
		[visible(doc.statement) !== doc.statement, "has characters that cannot be seen"],
		[own !== doc.sha256, "is not the one whose digest the gateway names"],
		[p.decision !== "resume", "decides something else"], [p.gateway !== status.genesis.origin, "names another gateway"],
		[p.halted_at !== standing(status).at, `is about another halt, or about ${status.clock_hold ? "a halt" : "the clock"}`],
		[p.approver !== body.approver, "names another person"], [p.reason !== body.reason, "gives another reason"],
		[!(Math.abs(new Date(p.time) - Date.now()) < SKEW), "is dated more than five minutes from this machine's clock"],
	].filter(([bad]) => bad).map(([, what]) => what)];
}

async function statement(page, doc, body, status, people) {
	const own = await hashed(doc.statement);
	const [p, wrong] = differs(doc, own, body, status);
	if (wrong.length)
		return [refusing(wrong)];
	const handIn = async (signature) => {
		const done = await post("/resume/submit", { statement: doc.statement, signature });
		await handedIn(page, "resume", done);
	};
	return [el("h3", {}, "This is what you sign"), facts(
		["It ends", [`${word(status)} of `, time(p.halted_at), ` of ${p.gateway}`]],
		["It confirms", status.clock_hold ? [time(status.time), " as the gateway's time: look at a clock you trust"] : null],
		["Signed by", `${p.approver}: ${p.reason}`], ["Its SHA-256, reckoned by this browser", digest(own, 64)]),
	exact(doc), el("h3", {}, "Sign on your own machine"),
	command(["fotagate", "resume", "statement", "--approver", body.approver, "--reason", body.reason].map(quoted).join(" ") +
		" --sign ~/.ssh/id_ed25519"),
	stock(APPROVAL, doc.name), pasted(handIn), el("h3", {}, "Or here, with a passkey"),
	withPasskey(people, body.approver, doc.statement, handIn,
		"One of those who sign has to use the command instead.")];
}

// status: that of a gateway that is halted, or whose clock is held.
export function resume(page, status, people) {
	const head = [el("h2", {}, `End ${word(status)}`),
		status.clock_hold ? el("p", { class: "stop" }, status.clock_hold.text, " What people sign confirms the clock as it stands" +
			(status.halt ? "; the halt takes a second round." : ".")) : null,
		handed(page),
		el("p", {}, `Signatures end it: of ${status.signers.threshold} people, one of them at least made off the console, `,
			"where the statement is written anew. Passkeys alone do not.")];
	if (!may(page.session, ...SIGN) || !may(page.session, ...ACT))
		return [head, el("p", { class: "dim" }, "It takes an approver or administrator, or the command:"),
			command("fotagate resume statement --reason '...' --sign ~/.ssh/id_ed25519")];
	return [head, writing(page, people, "resume-reason", null, (v, body) => post("/resume/statement", body),
		(doc, body) => statement(page, doc, body, status, people))];
}
