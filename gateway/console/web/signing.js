// SPDX-License-Identifier: Apache-2.0
// signing - the exact statement, how stock OpenSSH signs it, and the field that takes the signature: for whatever people sign.
import { el, badge, command, copier, field, problem, quoted, reason, said, save } from "/dom.js";
import { available, sign } from "/passkey.js";

export const APPROVAL = "fotagate-approval@v1", SIGNERS = "fotagate-signers@v1";

// doc: { statement, name } as the gateway writes it.
export function exact(doc) {
	return el("details", { id: "exact", open: true }, el("summary", {}, "The exact statement"),
		el("pre", { tabindex: "0", "aria-label": "the exact statement" }, el("code", {}, doc.statement)),
		el("p", { class: "buttons" }, copier(doc.statement, "Copy", "the statement"), save(doc.name, [doc.statement])));
}

export function stock(namespace, name) {
	return [el("p", {}, "Or save the statement above, sign it with stock OpenSSH, and paste the signature:"),
		command(`ssh-keygen -Y sign -n ${namespace} -f ~/.ssh/id_ed25519 ${quoted(name)}`), command(`cat ${quoted(name)}.sig`)];
}

// handIn(armour) hands it in, and throws what is wrong.
export function pasted(handIn) {
	const armour = el("textarea", { id: "signature", rows: "6", required: true, spellcheck: "false", autocomplete: "off",
		placeholder: "-----BEGIN SSH SIGNATURE-----" });
	const said = el("div", { role: "status" });
	const go = el("button", { type: "submit", class: "primary" }, "Hand it in");
	return el("form", { class: "stack", onsubmit: async (ev) => {
		ev.preventDefault();
		go.disabled = true;
		said.replaceChildren();
		try {
			await handIn(armour.value.trim() + "\n");
		} catch (err) {
			said.replaceChildren(problem(err));
			go.disabled = false;
		}
	} }, field("Signature", armour, "The whole text of the .sig file, from BEGIN to END SSH SIGNATURE."), said,
	el("p", { class: "buttons" }, go));
}

export function refusing(wrong) {
	return el("div", { class: "stop", role: "alert" }, el("p", {}, el("strong", {}, "Do not sign. "),
		`The statement that came ${wrong.join(", ")}.`),
	el("p", {}, "Look again; if this stays, the gateway may not be what it was: ask its administrators."));
}

// Who has a key that counts.
export function principals(people) {
	return ((people && people.people) ||
		[]).filter((p) => p.keys.some((k) => k.state === "counts")).map((p) => p.principal);
}

// What a gateway said of what was handed in: done, whose part of the page is then drawn anew.
export async function handedIn(page, part, done) {
	page.handed = done.text || "Handed in.";
	page.drop(part);
	await page.act(done, page.handed);
}

export function handed(page) {
	return page.handed ? el("p", { class: "hint", role: "status" }, badge("good", "handed in"), " ", page.handed) : null;
}

// The form by which somebody has a statement written. more: fields of its own, before the reason, whose id is given.
// ask(values, body) resolves to what the gateway wrote, shown(doc, body, values) to what is drawn of it.
export function writing(page, people, id, more, ask, shown) {
	const out = el("div", { id: "statement" }), me = page.session.principal;
	const go = el("button", { type: "submit", class: "primary" }, "Write the statement");
	return [el("form", { class: "stack", onsubmit: async (ev) => {
		ev.preventDefault();
		const v = new FormData(ev.target), body = { approver: v.get("approver"), reason: said(v) };
		go.disabled = true;
		try {
			out.replaceChildren(...(await shown(await ask(v, body), body, v)).flat(Infinity).filter(Boolean));
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			go.disabled = false;
		}
	} }, more, reason("Printable ASCII; it is part of what you sign, and stays in the log.", id),
	field("Approver", el("select", { name: "approver", id: "approver" },
		[...(me ? [me] : []), ...principals(people).filter((p) => p !== me)].map((p) => el("option", { value: p }, p))),
	"Whoever's key will sign."),
	el("p", { class: "buttons" }, go)), out];
}

// With the authenticator of this machine, where the signer set says that its origin may; else what stands in the way.
// note: where a passkey does not suffice.
export function withPasskey(people, approver, statement, handIn, note) {
	const at = window.location, person = ((people && people.people) || []).find((p) => p.principal === approver);
	const lines = person ? person.keys.filter((k) => k.state === "counts" && k.line).map((k) => k.line) : [];
	if (!people || people.console !== at.origin || !available())
		return [el("p", { class: "hint" }, people && people.console && people.console !== at.origin ?
			`Passkeys sign at ${people.console} only.` : "Passkeys do not sign here: see People.")];
	const said = el("div", { role: "status" });
	const go = el("button", { type: "button", id: "passkey", onclick: async () => {
		go.disabled = true;
		said.replaceChildren();
		try {
			await handIn(await sign(statement, lines, at.hostname));
		} catch (err) {
			said.replaceChildren(problem(err.id ? err : { id: "PASSKEY", detail: err.message,
				cure: "try again, or sign with the command above" }));
			go.disabled = false;
		}
	} }, "Sign with a passkey");
	return [el("p", {}, "A passkey signs what this page shows. ", note), el("p", { class: "buttons" }, go), said];
}
