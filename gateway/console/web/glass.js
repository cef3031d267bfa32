// SPDX-License-Identifier: Apache-2.0
// glass - break-glass: what genesis lets one person do alone, what was done so and can still be stopped, and the after-review
// that the others owe. The statement that breaks the glass is a review's, and is written there.
import { el, command, count, digest, facts, field, question, quoted, reason, said, span, table, time } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { may, ACT, SIGN } from "/words.js";
import { hashed } from "/log.js";
import { day, hex, moment, number, read, sha256 as digested, word, PREDICATE, SKEW, TYPE } from "/statement.js";
import { exact, handed, handedIn, pasted, refusing, stock, withPasskey, writing, APPROVAL } from "/signing.js";

const LASTS = 86400000;    // milliseconds that break-glass lasts at most, from its statement
const IN_FORCE_MAX = 1024; // releases, the warden's own limit
const OUTCOMES = { justified: "it was justified", unjustified: "it was not justified" };

const FORM = {
	_type: (v) => TYPE.test(v), predicateType: (v) => v === PREDICATE, subject: [{ ...digested, name: word }],
	predicate: { approver: word, decision: (v) => v === "afterreview", gateway: word, log: { root: hex(64), size: number },
		nonce: hex(32), outcome: (v) => Object.hasOwn(OUTCOMES, v), reason: word, release: hex(32), time: moment },
};

// ---- what is owed ----

// In words, each way in which these bytes are not the after-review that was asked for.
function differs(bytes, owed, body, gateway) {
	const doc = read(bytes, FORM);
	if (!doc)
		return ["has another form than such a statement has"];
	const p = doc.predicate;
	return [
		[p.release !== owed.release, "is about another release"], [p.gateway !== gateway, "names another gateway"],
		[p.outcome !== body.outcome, "comes to something else"], [p.approver !== body.approver, "names another person"],
		[p.reason !== body.reason, "gives another reason"],
		[!(Math.abs(new Date(p.time) - Date.now()) < SKEW), "is dated more than five minutes from this machine's clock"],
	].filter(([bad]) => bad).map(([, what]) => what);
}

async function statement(page, doc, body) {
	const { owed, people, gateway } = page.shown, own = await hashed(doc.statement);
	const wrong = differs(doc.statement, owed, body, gateway);
	if (own !== doc.sha256)
		wrong.push("is not the one whose digest the gateway names");
	if (wrong.length)
		return [refusing(wrong)];
	const p = read(doc.statement, FORM).predicate;
	const handIn = async (signature) => {
		const done = await post("/breakglass/submit", { statement: doc.statement, signature });
		await handedIn(page, "owed", done);
	};
	return [el("h3", {}, "This is what you sign"), el("p", {}, "In words that this browser made of its bytes:"),
		el("ul", { id: "says" }, [`you have looked at the release ${p.release} of ${p.gateway}, which one person alone let through`,
			OUTCOMES[p.outcome], `signed by ${p.approver} on ${day(p.time)}: ${p.reason}`,
			`when the log had ${p.log.size} entries and the root ${p.log.root}`].map((line) => el("li", {}, line))),
		facts(["Its SHA-256, reckoned by this browser", digest(own, 64)], ["Signatures with yours",
			`${owed.have + 1} of ${owed.need}`]), exact(doc), el("h3", {}, "Sign on your own machine"),
		command(["fotagate", "breakglass", "statement", "--outcome", body.outcome, "--approver", body.approver, "--reason",
			body.reason].map(quoted).join(" ") + " --sign ~/.ssh/id_ed25519"),
		stock(APPROVAL, doc.name), pasted(handIn), el("h3", {}, "Or here, with a passkey"),
		withPasskey(people, body.approver, doc.statement, handIn, "One of those who sign has to use the command instead.")];
}

function owing(page, owed) {
	const head = [el("h2", {}, "To be looked at"), handed(page)];
	if (!owed)
		return [head, el("p", {}, "Nothing: no after-review is owed.")];
	head.push(el("p", { class: "stop" }, `One person alone released ${owed.release}. ${count(owed.need, "person")} have to look `,
		`at it, ${owed.have} did; before that nobody can break the glass again.`),
	facts(["Image", digest(owed.image)]));
	if (!may(page.session, ...SIGN))
		return [head, el("p", { class: "dim" }, "It takes an approver or administrator.")];
	return [head, writing(page, page.shown.people, "owed-reason", field("You come to this", el("select", { name: "outcome",
		id: "outcome" }, Object.entries(OUTCOMES).map(([v, w]) => el("option", { value: v }, w)))),
	(v, body) => {
		body.outcome = v.get("outcome");
		return post("/breakglass/statement", body);
	}, (doc, body) => statement(page, doc, body))];
}

// ---- what was let through so ----

function stopping(page, r) {
	return page.act(question({ title: `Stop ${r.product} ${r.target}`, danger: true, button: "Stop it", text: [
		"It ends at once, and nobody gets it by this. One person is enough; that it was tried has to be looked at all the same."],
	fields: [reason()], ask: (v) => post(`/releases/${seg(r.id)}/revoke`, { reason: said(v) }) }), "It is stopped.");
}

function under(page, list) {
	return [el("h2", {}, "Let through by one person"), table("Releases of one person alone, the latest first", ["Review", "Version",
		"At most", "First module", "Until", "By", "Stop it"], list.map((r) => {
		const left = (new Date(r.not_before) - Date.now()) / 1000;
		return [el("a", { href: `/reviews/${r.review}` }, r.review), [el("strong", {}, `${r.product} ${r.target}`),
			el("small", {}, r.profile)], count(r.max_devices, "module"),
		[time(r.not_before), left > 0 ? el("small", {}, `in ${span(left)}: it can be stopped before`) : null], time(r.not_after),
		r.signed_by.join(", "), el("button", { type: "button", class: "danger", disabled: !may(page.session, ...ACT),
			"aria-label": `Stop ${r.product} ${r.target}`, onclick: () => stopping(page, r) }, "Stop it\u2026")];
	}), "Nothing that is in force now.")];
}

// Releases of as long as one by one person alone may last, or as many as can be in force: the youngest come first.
async function recent() {
	const rows = [], from = Date.now() - LASTS - SKEW;
	for (let after = null; rows.length < IN_FORCE_MAX; ) {
		const got = await get("/releases", { after, limit: 200 });
		rows.push(...got.releases);
		after = got.next;
		if (!after || new Date(rows.at(-1).issued) < from)
			break;
	}
	return rows;
}

export async function load(page) {
	page.title("Break-glass");
	const [g, releases, people, status] = await Promise.all([get("/breakglass"), recent(), maybe("/people"), maybe("/status")]);
	const list = releases.filter((r) => r.breakglass && r.in_force), minute = Math.floor(Date.now() / 60000);
	page.shown = { owed: g.owed, people, gateway: status ? status.genesis.origin : null }; // what a statement is held against
	page.part("head", [g.allowed, g.why_not], () => [el("h1", {}, "Break-glass"), g.allowed ? [
		el("p", {}, "One person alone lets an image through where waiting for the others does more harm, later and for a short ",
			"time: anybody can stop it until then, and the others have to look at it."),
		facts(["At most", count(g.max_devices, "module")], ["The first module gets it after", span(g.delay)],
			["Never", "over a finding that blocks, and not for longer than a day"], ["Not now", g.why_not || null]),
		el("p", {}, "It is done on the page of a review, under Approve. By command:"),
		command("fotagate review statement R-1 --break-glass --reason '...' --sign ~/.ssh/id_ed25519")] :
		el("p", {}, "The genesis of this gateway does not let one person release anything alone, and nothing changes that.")],
	"plain");
	page.part("under", g.allowed ? [list, minute] : null, () => under(page, list));
	page.part("owed", g.allowed || g.owed ? [g.owed, page.handed] : null, () => owing(page, g.owed));
}
