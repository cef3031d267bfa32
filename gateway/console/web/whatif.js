// SPDX-License-Identifier: Apache-2.0
// whatif - what another text of a configuration file would have decided of what is stored. The gateway judges, by the
// functions that decide; the text is kept nowhere and nothing changes.
import { el, table, row, time, badge, field, problem, announce, count, command } from "/dom.js";
import { post } from "/api.js";
import { state, may, ACT } from "/words.js";

const MOST = 40960; // bytes, as the gateway takes them

function outcome(v) {
	if (v.decision === "deny")
		return [badge("block", "deny"), el("small", {}, v.rule, ": ", v.says)];
	return [badge(v.decision === "review" ? "good" : "warning", v.decision),
		v.need === null ? "" : ` by ${count(v.need, "person", "people")}`, v.earliest ? [", from ", time(v.earliest)] : "",
		el("small", {}, v.rule === "none" ? "no rule" : v.rule, ": ", v.says)];
}

function drawn(all) {
	return [table("What comes out otherwise", ["Review", "State", "Update", "Now", "Then"], all.changes.map((c) => [
		row(`/policy/${c.review}`, c.review), state(c.state), [`${c.product} ${c.target}`, el("small", {}, c.profile)],
		outcome(c.now), outcome(c.then)]), "Nothing would be decided otherwise."),
	el("p", { class: "dim" }, `${count(all.changes.length, "review")} otherwise, ${all.same} as now, `,
		`${all.unjudged} without a report. Nothing was written.`)];
}

const PAUSE = 1500; // milliseconds: the gateway answers one a second where many are asked for

// Page by page, as the gateway hands them out; over() ends it.
async function tried(file, text, over, told) {
	const all = { changes: [], same: 0, unjudged: 0 };
	for (let after = 0; after !== null && !over();) {
		let d;
		try {
			d = await post("/policy/whatif", { after, file, text });
		} catch (err) {
			if (err.id !== "LIMIT" || !after) // what has begun goes on
				throw err;
			await new Promise((on) => setTimeout(on, PAUSE));
			continue;
		}
		all.changes.push(...d.changes);
		all.same += d.same;
		all.unjudged += d.unjudged;
		after = d.next;
		told(all);
	}
	return all;
}

export function whatif(page) {
	const head = [el("h2", {}, "What if"), el("p", {}, "What another text would decide of every update that waits, is blocked ",
		"or is released. It is judged and thrown away: nothing changes, and nobody else sees it.")];
	const outside = el("details", { id: "whatif-outside" }, el("summary", {}, "Try a whole folder"),
		command("fotagate policy whatif fotagate.conf.new"));
	if (!may(page.session, ...ACT))
		return [head, el("p", { class: "dim" }, "It takes an operator, approver or administrator."), outside];
	const name = el("input", { id: "whatif-file", value: "fotagate.conf", required: true, maxlength: "127", autocomplete: "off",
		spellcheck: "false" });
	const text = el("textarea", { id: "whatif-text", rows: "8", required: true, spellcheck: "false", autocomplete: "off" });
	const out = el("div", { id: "whatif-out", role: "status" });
	// Choosing the same file again reads it again: it may have been mended meanwhile.
	const load = el("input", { type: "file", id: "whatif-load", onclick: () => { load.value = ""; }, onchange: async () => {
		const file = load.files[0];
		if (!file)
			return;
		if (file.size > MOST) {
			out.replaceChildren(el("p", { class: "stop", role: "alert" }, `That is no such file: it has over ${MOST} bytes.`));
			return;
		}
		text.value = await file.text();
		out.replaceChildren();
	} });
	const go = el("button", { type: "submit", class: "primary" }, "Try it");
	return [head, el("form", { class: "stack", onsubmit: async (ev) => {
		ev.preventDefault();
		go.disabled = true;
		out.replaceChildren(el("p", {}, "Judging\u2026"));
		try {
			const all = await tried(name.value.trim(), text.value, () => page.over, (so) => out.replaceChildren(drawn(so)[1]));
			out.replaceChildren(...drawn(all));
			announce(`${count(all.changes.length, "review")} would be decided otherwise.`);
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			go.disabled = false;
		}
	} }, field("In place of the file", name,
		"fotagate.conf, profiles.d/NAME.conf or lists.d/NAME.conf; one that is not there is added."),
	field("Load a text", load), field("Its whole text", text, "As it would lie there."), el("p", { class: "buttons" }, go)), out,
	outside];
}
