// SPDX-License-Identifier: Apache-2.0
// proposal - the next set of who may sign: what changes by it, worked out here from the bytes to sign and from those of the
// set in force; the statement, and the field for a signature. Passkeys never count for it: no browser says who may sign.
import { el, badge, command, digest, facts, field, problem, quoted, time, visible } from "/dom.js";
import { file, post } from "/api.js";
import { hashed, hex, sha256 } from "/log.js";
import { may, ACT } from "/words.js";
import { exact, handed, handedIn, pasted, refusing, stock, SIGNERS } from "/signing.js";

const PREDICATE = "urn:fotagate:signers:v1";
const DAYS = 86400000;
const WINDOW = 3; // days from a set's own time until it must be in force

// ---- what changes ----

async function fingerprint(line) {
	const blob = Uint8Array.from(atob(line.split(" ")[1]), (c) => c.charCodeAt(0));
	return "SHA256:" + btoa(String.fromCharCode(...await sha256(blob))).replace(/=+$/, "");
}

const days = (s) => `${s.valid_after.slice(0, 10)} to ${s.valid_before.slice(0, 10)}`;

// [kind of badge, word, sentence] of each difference between two sets.
async function changes(old, next) {
	const before = new Map(old.signers.map((s) => [s.key, s])), after = new Map(next.signers.map((s) => [s.key, s]));
	const out = [];
	for (const s of next.signers) {
		const was = before.get(s.key), name = `${s.principal}, ${await fingerprint(s.key)}`;
		if (!was) {
			out.push(["warning", "new", `${name}: counts from ${days(s)}${s.user ? `, account ${s.user}` : ""}` +
				(s.require_uv ? ", asks for a PIN" : "")]);
			continue;
		}
		if (was.principal !== s.principal)
			out.push(["block", "another person", `${name}: was a key of ${was.principal}`]);
		if (days(was) !== days(s))
			out.push(["notice", "valid", `${name}: counts from ${days(s)}, before from ${days(was)}`]);
		if (was.user !== s.user)
			out.push(["notice", "account", `${name}: ${was.user || "none"} becomes ${s.user || "none"}`]);
		if (was.require_uv !== s.require_uv)
			out.push(["notice", "PIN", `${name}: ${s.require_uv ? "asks for it from now on" : "asks for none any more"}`]);
	}
	for (const s of old.signers)
		if (!after.has(s.key))
			out.push(["warning", "leaves", `${s.principal}, ${await fingerprint(s.key)}`]);
	if (old.threshold !== next.threshold)
		out.push(["warning", "threshold", `a new set takes ${next.threshold} signatures, before ${old.threshold}`]);
	if ((old.console || "") !== (next.console || ""))
		out.push(["warning", "passkeys", `may sign ${next.console ? `at ${next.console}` : "nowhere"}, before ` +
			(old.console ? `at ${old.console}` : "nowhere")]);
	return out;
}

// ---- what it is held against ----

// The statement's own set, and what is wrong with it.
function read(doc, own, force, want) {
	let s;
	try {
		s = JSON.parse(doc.statement);
	} catch {
		return [null, ["is no JSON"]];
	}
	const set = s && s.predicate && s.predicate.set;
	if (!set || s.predicateType !== PREDICATE || !Array.isArray(set.signers))
		return [null, ["has another form than such a statement has"]];
	return [set, [
		[visible(doc.statement) !== doc.statement, "has characters that cannot be seen"],
		[own !== want.sha256, "is not the one whose digest the gateway names"],
		[s.predicate.gateway !== want.gateway, "names another gateway"],
		[set.previous !== force.digest, "does not follow from the set in force"],
		[set.number !== force.set.number + 1, "has another number than the next"],
		[Math.abs(Date.now() - new Date(set.time)) > WINDOW * DAYS, "was not written within three days"],
	].filter(([bad]) => bad).map(([, what]) => what)];
}

async function inForce(number) {
	const bytes = await file(number ? `/files/signers?number=${number}` : "/files/genesis");
	return { digest: hex(await sha256(bytes)), set: JSON.parse(new TextDecoder().decode(bytes)).predicate.set };
}

async function handIn(page, statement, signature) {
	const done = await post("/people/submit", { statement, signature });
	await handedIn(page, "proposals", done);
}

// doc: of people.propose. cli: the command that does it all.
async function shown(page, p, doc, cli, gateway) {
	const own = await hashed(doc.statement), force = await inForce(p.number);
	const [set, wrong] = read(doc, own, force, { sha256: doc.sha256, gateway });
	if (wrong.length)
		return [refusing(wrong)];
	const list = await changes(force.set, set);
	return [el("h3", {}, `What set ${set.number} changes`),
		el("p", {}, "Worked out by this browser from the statement and from the set in force:"),
		el("ul", { class: "plain", id: "changes" }, list.map(([kind, word, text]) => el("li", {}, badge(kind, word), " ", text))),
		facts(["Written", time(set.time)], ["Signatures", `${doc.need} of those in force, ${doc.need_new} of the new set`],
			["Its SHA-256, reckoned by this browser", digest(own, 64)]),
		exact({ ...doc, name: `signers.${set.number}.json` }),
		el("h3", {}, "Sign on your own machine"),
		el("p", {}, "Best: the command works out the changes again by itself, shows them, signs and hands in."), command(cli),
		stock(SIGNERS, `signers.${set.number}.json`),
		el("p", { class: "hint" }, "Passkeys never count for it: who may sign is not decided in a browser."),
		pasted((signature) => handIn(page, doc.statement, signature))];
}

// ---- the part of the page ----

const KINDS = [["add", "Add a person or a key", "NAME and the key's line: ann@fleet.example ssh-ed25519 AAAA\u2026"],
	["remove", "Take out a person or a key", "The name, or the key's fingerprint."],
	["renew", "Let keys last longer", "The name, or the key's fingerprint: 730 days from today."],
	["threshold", "Change how many sign a new set", "A number."],
	["console", "Let passkeys sign approvals", "This console's origin, or: none."]];

function command_of(kind, value) {
	if (kind === "add") {
		const [who, ...key] = value.split(" ");
		return `printf '%s\\n' ${quoted(key.join(" "))} >new.pub && fotagate people propose --add ${quoted(`${who} new.pub`)} ` +
			"--sign ~/.ssh/id_ed25519";
	}
	return `fotagate people propose --${kind} ${quoted(value)} --sign ~/.ssh/id_ed25519`;
}

function writing(page, p, show) {
	const kind = el("select", { id: "propose-kind", onchange: () => {
		hint.textContent = KINDS.find(([k]) => k === kind.value)[2];
	} }, KINDS.map(([k, word]) => el("option", { value: k }, word)));
	const value = el("textarea", { id: "propose-value", rows: "2", required: true, maxlength: "2500", spellcheck: "false" });
	const hint = el("small", {}, KINDS[0][2]);
	return el("details", { id: "propose" }, el("summary", {}, "Propose a change"), el("form", { class: "stack",
		onsubmit: (ev) => {
			ev.preventDefault();
			const said = value.value.trim().replace(/\s+/g, " ");
			show(() => post("/people/propose", kind.value === "threshold" ? { threshold: Number(said) } :
				{ [kind.value]: kind.value === "console" ? said : [said] }), command_of(kind.value, said));
		} }, field("Change", kind), field("Whom or what", value), hint,
	el("p", { class: "buttons" }, el("button", { type: "submit", disabled: !may(page.session, ...ACT) },
		"Write the statement"))));
}

export function proposals(page, p, gateway) {
	const out = el("div", { id: "proposal" });
	const show = async (ask, cli) => {
		try {
			out.replaceChildren(...(await shown(page, p, await ask(), cli, gateway)).flat(Infinity).filter(Boolean));
		} catch (err) {
			out.replaceChildren(problem(err));
		}
		out.scrollIntoView({ block: "start" });
	};
	const can = may(page.session, ...ACT);
	return [el("h2", {}, "Proposed sets"),
		handed(page),
		p.proposals.length ? el("ul", { class: "plain" }, p.proposals.map((x) => {
			const cli = `fotagate people propose --proposal ${x.sha256} --sign ~/.ssh/id_ed25519`;
			const look = () => show(() => post("/people/propose", { proposal: x.sha256 }), cli);
			return el("li", {}, `Set ${x.number}, `, digest(x.sha256), el("small", {}, `${x.have} of ${x.need} of those in `,
				`force and ${x.have_new} of ${x.need_new} of the new set have signed: ${x.signed_by.join(", ") || "nobody"}; `,
				"until ", time(x.until), x.text ? `; ${x.text}` : ""),
			el("p", { class: "buttons" }, el("button", { type: "button", disabled: !can,
				"aria-label": `Set ${x.number}: what changes, and sign`, onclick: look }, "What changes, and sign")));
		})) : el("p", { class: "empty" }, "None. Signers change by signatures of those there are."),
		writing(page, p, show), can ? null : el("p", { class: "dim" }, "It takes an operator, approver or administrator."), out];
}
