// SPDX-License-Identifier: Apache-2.0
// inforce - the policy that people put in force, what on disk differs from it, and how the next one comes: its statement is
// made, held against the files and signed where those lie; here it is looked at, with who has signed, and handed in.
import { el, badge, command, count, digest, facts, field, problem, table, time } from "/dom.js";
import { file, get, maybe, post } from "/api.js";
import { may, ACT } from "/words.js";
import { back, hashed } from "/log.js";
import { document as kept } from "/bundle.js";
import { handed, handedIn, principals } from "/signing.js";

const NAMESPACE = "fotagate-policy@v1", PREDICATE = "urn:fotagate:policy:v1";
const CHANGES = { new: ["warning", "new"], changed: ["warning", "changed"], gone: ["block", "gone"] };

// ---- a statement and signatures that somebody brings ----

// The keys of so many armours, as their blobs say: who that is, a signature's check is the warden's.
function signers(armours, people) {
	const known = ((people && people.people) || []).flatMap((p) => p.keys.filter((k) => k.line).map((k) => [k.line.split(" ")[1],
		p.principal]));
	return (armours.match(/-----BEGIN SSH SIGNATURE-----[^]*?-----END SSH SIGNATURE-----/g) || []).map((one) => {
		try {
			const b = atob(one.split("\n").slice(1, -1).join(""));
			const n = [10, 11, 12, 13].reduce((sum, at) => sum * 256 + b.charCodeAt(at), 0), key = btoa(b.slice(14, 14 + n));
			return (known.find(([k]) => k === key) || [])[1] || "a key that is not in the signer set";
		} catch {
			return "something that is no signature";
		}
	});
}

// [kind, sentence] about a statement, as its bytes have it.
function looked(text, p) {
	let s;
	try {
		s = JSON.parse(text);
	} catch {
		return [["block", "That is no statement: not JSON."]];
	}
	const q = (s && s.predicateType === PREDICATE && s.predicate) || null;
	if (!q)
		return [["block", "That is no statement about a policy."]];
	const set = { ...q, ...(q.policy || {}) };
	return [
		[set.number === p.number + 1 ? "good" : "block", `It is for policy ${set.number}; the next one is ${p.number + 1}.`],
		[q.gateway === p.gateway ? "good" : "block", `It is for the gateway ${q.gateway}.`],
		[set.previous === p.sha256 ? "good" : "block", set.previous === p.sha256 ? "It follows the one in force." :
			"It does not follow the one in force."],
		[set.bundle === p.disk ? "good" : "block", set.bundle === p.disk ? "Its files are those on the gateway's disk now." :
			"Its files are not those on the gateway's disk now."],
	];
}

function handing(page) {
	const box = (id, rows, placeholder) => el("textarea", { id, rows, required: true, spellcheck: "false", autocomplete: "off",
		placeholder });
	const statement = box("policy-statement", "4", "{\"_type\":\u2026"), sigs = box("policy-signatures", "6",
		"-----BEGIN SSH SIGNATURE-----"), seen = el("div", { id: "policy-seen", role: "status" }), said = el("div", {});
	const look = () => {
		const { p, people } = page.shown, who = signers(sigs.value, people);
		const persons = new Set(who.filter((w) => principals(people).includes(w)));
		seen.replaceChildren(...(statement.value.trim() ? [el("ul", { class: "plain" },
			looked(statement.value.trim(), p).map(([kind, text]) => el("li", {}, badge(kind, kind === "good" ? "good" : "WRONG"),
				" ", text)),
			el("li", {}, badge(persons.size >= p.need ? "good" : "wait", `${persons.size} of ${p.need}`), " Signed so far by: ",
				who.join(", ") || "nobody"))] : []));
	};
	statement.addEventListener("input", look);
	sigs.addEventListener("input", look);
	const go = el("button", { type: "submit", class: "primary", disabled: !may(page.session, ...ACT) }, "Hand it in");
	return [el("form", { class: "stack", onsubmit: async (ev) => {
		ev.preventDefault();
		go.disabled = true;
		said.replaceChildren();
		try {
			const done = await post("/policy/submit", { statement: statement.value.trim(), signature: sigs.value.trim() + "\n" });
			statement.value = sigs.value = "";
			await handedIn(page, "next", done);
		} catch (err) {
			said.replaceChildren(problem(err));
			go.disabled = false;
		}
	} }, field("Statement", statement, "The whole text of the file that people signed."),
	field("Signatures", sigs, "All of them, one after the other, as cat *.sig writes them."), seen, said,
	el("p", { class: "buttons" }, go)),
	may(page.session, ...ACT) ? null : el("p", { class: "dim" }, "It takes an operator, approver or administrator.")];
}

// ---- parts of the page ----

let held = { digest: "", doc: null }; // a bundle does not change while its digest does not

// What it is of, by name and digest; null where it is not kept.
async function bundleOf(digestOf) {
	if (held.digest !== digestOf) {
		const bytes = await kept("policy", digestOf);
		held = { digest: digestOf, doc: bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null };
	}
	return held.doc;
}

let genesis = null; // it never changes

// Whether people sign the policy here, as the genesis has it for ever.
async function isSigned() {
	genesis ||= JSON.parse(new TextDecoder().decode(await file("/files/genesis"))).predicate;
	return Boolean(genesis.policy);
}

// The entry of the log by which it is in force.
async function since(number) {
	const found = await back({ want: 1, bundles: 40, take: (e) => e.ev === "authority.policy" && e.ref &&
		e.ref.number === number });
	return found.entries[0] || null;
}

export async function draw(page) {
	if (!await isSigned()) {
		page.part("inforce", "unsigned", () => [el("h2", {}, "Who says what the policy is"), el("p", {},
			"Policy is not signed at this gateway: its files are followed as they lie on its disk, and whoever may write them " +
			"says what it is. That was decided when it was made, by ", el("code", {}, "fotagate init"), ".")]);
		page.part("next", null);
		return;
	}
	const p = await get("/policy"), own = await hashed(p.statement);
	const [bundle, entry, people] = await Promise.all([bundleOf(p.bundle), p.number ? since(p.number) : null,
		maybe("/people")]);
	page.shown = { p, people };
	const files = bundle ? [...bundle.config, ...bundle.files] : [];
	page.part("inforce", [p, entry && entry.seq, files.length], () => [el("h2", {}, "The policy in force"),
		own === p.sha256 ? null : el("p", { class: "stop" }, "Its statement is not the one whose digest the gateway names."),
		p.lost ? el("p", { class: "stop" }, badge("block", "lost"), " What was signed is not here: nothing is granted.") : null,
		facts(["Number", p.number ? String(p.number) : "0: that of the genesis"],
			["In force since", p.number ? [time(p.time), entry ? [", ", el("a", { href: `/audit/${entry.seq}` },
				`entry ${entry.seq}`)] : ""] : "the gateway was made"],
			["Digest of its bundle", digest(p.bundle)], ["Digest of its statement, reckoned here", digest(own)],
			["A next one takes", `${count(p.need, "signature")}, of people of signer set ${p.signers}`]),
		el("h3", {}, "On the disk"), p.lacks ? el("p", { class: "stop" }, badge("warning", "not followed"),
			" What lies there is no policy: ", p.lacks) : p.disk ? [el("p", { class: "stop" }, badge("warning", "not followed"),
			" What lies there is something else, and nobody signed it: bundle ", digest(p.disk)),
		table("What differs", ["What", "Name", "How"], p.differs.map((d) => [d.kind, d.name,
			badge(...(CHANGES[d.change] || ["notice", d.change]))]), "Only the order differs.")] :
			el("p", {}, badge("good", "the same"), " What lies there is what was signed."),
		el("details", { id: "bundle" }, el("summary", {}, `What it is of: ${count(files.length, "part")}`),
			table("Parts of the bundle", ["Name", "What", "Digest"], files.map((f) => [f.name, f.kind, digest(f.sha256)]),
				"It is not kept here.")),
		el("details", { id: "policy-exact" }, el("summary", {}, "The exact statement"), el("pre", { tabindex: "0",
			"aria-label": "the statement in force" }, el("code", {}, p.statement)))]);
	const name = `policy-${p.number + 1}.json`;
	page.part("next", [p.number, p.need, page.handed], () => [el("h2", {}, "The next policy"),
		handed(page),
		el("p", {}, "It is proposed where its files lie. Each of those who sign holds it against files of their own; the " +
			"gateway gathers no signatures, so that they are handed in together."),
		command(`fotagate policy propose -c fotagate.conf -o ${name}`),
		command(`fotagate policy sign ${name} --key ~/.ssh/id_ed25519 -c fotagate.conf -o NAME.sig`),
		command(`fotagate policy submit ${name} NAME.sig ...`),
		el("p", {}, "Or with stock OpenSSH, of what was read before:"),
		command(`ssh-keygen -Y sign -n ${NAMESPACE} -f ~/.ssh/id_ed25519 ${name}`),
		el("p", { class: "hint" }, "Passkeys never count for it: what is policy is not decided in a browser."),
		el("h3", {}, "Hand it in here"), handing(page)]);
}
