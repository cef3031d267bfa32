// SPDX-License-Identifier: Apache-2.0
// page - one page on the screen: parts that are drawn again only when what they show has changed, with the focus,
// what is folded out and what was typed left where it was.
import { el, problem, announce } from "/dom.js";

export class Page {
	// root: where it is drawn. load(page): asks, and calls part().
	constructor(root, load, session) {
		this.root = root;
		this.load = load;
		this.session = session;
		this.parts = new Map();
		this.over = false;
		this.busy = false;
		this.again = false;
	}

	title(text) {
		document.title = `${text} \u00b7 fotagate`;
	}

	// seen: anything that JSON tells apart. make() gives the nodes. null takes the part away.
	part(key, seen, make, kind = "") {
		if (this.over)
			return;
		let part = this.parts.get(key);
		if (!part) {
			part = { node: el("section", { id: "part-" + key, class: kind || null }), seen: undefined };
			this.parts.set(key, part);
			this.root.append(part.node);
		}
		const now = seen === null ? null : JSON.stringify(seen);
		part.node.hidden = now === null;
		if (now === part.seen)
			return;
		part.seen = now;
		redraw(part.node, now === null ? [] : [make()].flat(Infinity).filter((n) => n));
	}

	drop(key) {
		const part = this.parts.get(key);
		if (part)
			part.seen = undefined;
	}

	async reload() {
		if (this.busy) {
			this.again = true;
			return;
		}
		this.busy = true;
		this.root.setAttribute("aria-busy", "true");
		try {
			await this.load(this);
			this.wrong(null, true);
		} catch (err) {
			if (!(err && "status" in err))
				console.error(err);
			this.wrong(err, true);
		} finally {
			this.busy = false;
			this.root.removeAttribute("aria-busy");
		}
		if (this.again && !this.over) {
			this.again = false;
			await this.reload();
		}
	}

	// What an act was refused for stays until the next one: a page is read again whenever something changes, and
	// that reading went well takes away only what reading ran into.
	wrong(err, reading = false) {
		if (this.over)
			return;
		for (const box of this.root.querySelectorAll(":scope > .problem"))
			if (!reading || box === this.unread)
				box.remove();
		if (!err)
			return;
		const box = problem(err);
		if (reading)
			this.unread = box;
		this.root.prepend(box);
	}

	// An act of the person at the keyboard: does it, says so, looks again.
	async act(what, done) {
		this.wrong(null);
		const value = await what;
		if (value !== null && value !== undefined) {
			if (done)
				announce(done);
			await this.reload();
		}
		return value;
	}

	end() {
		this.over = true;
	}
}

// How a control is found again after its part was drawn anew.
function place(node, within) {
	if (node.id)
		return `#${CSS.escape(node.id)}`;
	const same = [...within.querySelectorAll(node.tagName)];
	return same.indexOf(node);
}

const TYPED = "input[id]:not([type=checkbox]), textarea[id], select[id]";

function redraw(node, kids) {
	const active = node.contains(document.activeElement) ? document.activeElement : null;
	const where = active && place(active, node);
	const open = new Map([...node.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
	const typed = new Map([...node.querySelectorAll(TYPED)].map((i) => [i.id, i.value]));
	node.replaceChildren(...kids);
	for (const d of node.querySelectorAll("details[id]"))
		if (open.has(d.id))
			d.open = open.get(d.id);
	for (const i of node.querySelectorAll(TYPED))
		if (typed.has(i.id) && !i.dataset.mine)
			i.value = typed.get(i.id);
	if (active) {
		const next = typeof where === "string" ? node.querySelector(where) : node.querySelectorAll(active.tagName)[where];
		if (next)
			next.focus({ preventScroll: true });
	}
}
