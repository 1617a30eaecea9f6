// SPDX-License-Identifier: MIT
// A flame graph that answers: hover, zoom, search, keys. Frames are in rows, root first; each tells its
// begin and its weight (data-x, data-w) in whole units, and in its title the name and the figures.
(function () {
	'use strict';
	const svg = document.currentScript.closest('svg');
	const alone = svg === document.documentElement;
	const part = (name) => svg.querySelector('.' + name);
	const frames = [];
	svg.querySelectorAll('.row').forEach((row, depth) => row.querySelectorAll('.frame').forEach((g) => {
		const told = g.querySelector('title').textContent.split('\n');
		const frame = { g, depth, x: +g.dataset.x, w: +g.dataset.w, name: told[0], told: told.join('  ·  '),
			rect: g.querySelector('rect'), text: g.querySelector('text') };
		g.weirFrame = frame;
		frames.push(frame);
	}));
	if (!frames.length)
		return;
	const root = frames[0], up = svg.dataset.icicle === undefined ? 1 : -1;
	let zoomed = root, at = null, found = null, input = null;

	// One column of text; wide characters (from Hangul on) take two.
	const sample = part('details');
	sample.textContent = '0'.repeat(50);
	const column = sample.getComputedTextLength() / 50 || 7.3;
	sample.textContent = '';

	function fit(name, columns) {
		if (columns < 3)
			return '';
		let used = 0, text = '', last = '';
		for (const c of name) {
			used += c.codePointAt(0) >= 0x1100 ? 2 : 1;
			if (used > columns)
				return last + '\u2026';
			text += c;
			if (used < columns)
				last = text;
		}
		return text;
	}

	function width() {
		return svg.getBoundingClientRect().width || +svg.getAttribute('width') || 1200;
	}

	// Of a picture that is taller than the window, head and foot stay in sight.
	function follow() {
		const box = svg.getBoundingClientRect();
		const room = Math.max(0, box.height - part('head').getBBox().height - part('foot').getBBox().height);
		const head = Math.min(Math.max(0, -box.top), room), foot = Math.min(Math.max(0, box.bottom - innerHeight), room);
		part('head').setAttribute('transform', `translate(0,${head})`);
		part('foot').setAttribute('transform', `translate(0,${-foot})`);
	}

	function inside(inner, outer) {
		return inner.x >= outer.x && inner.x + inner.w <= outer.x + outer.w;
	}

	function place(frame, x, share, pixels) {
		frame.rect.setAttribute('x', 100 * x + '%');
		frame.rect.setAttribute('width', 100 * share + '%');
		frame.text.setAttribute('x', 100 * x + '%');
		frame.text.textContent = fit(frame.name, Math.floor((share * pixels - 6) / column));
	}

	function draw() {
		const pixels = width();
		for (const frame of frames) {
			const parent = frame.depth < zoomed.depth && inside(zoomed, frame);
			const child = frame.depth >= zoomed.depth && inside(frame, zoomed);
			frame.g.classList.toggle('out', !parent && !child);
			frame.g.classList.toggle('parent', parent);
			if (parent)
				place(frame, 0, 1, pixels);
			else if (child)
				place(frame, (frame.x - zoomed.x) / zoomed.w, frame.w / zoomed.w, pixels);
		}
		part('reset').classList.toggle('out', zoomed === root);
	}

	function tell(frame) {
		const columns = Math.floor((width() - 20) / column);
		part('details').textContent = frame ? fit(frame.told, columns) : '';
	}

	function select(frame) {
		if (at)
			at.g.classList.remove('at');
		at = frame;
		if (at)
			at.g.classList.add('at');
		tell(at);
	}

	function zoom(frame) {
		zoomed = frame;
		draw();
		if (at && at.g.classList.contains('out'))
			select(frame);
		svg.dataset.zoomed = frame.name;
	}

	// The share of what is matched, each stretch once however many of its frames match.
	function search(text) {
		let test = null, matched = 0, end = 0;
		try {
			test = text && new RegExp(text, 'i');
		} catch (e) {
			const lower = text.toLowerCase();
			test = { test: (name) => name.toLowerCase().includes(lower) };
		}
		found = test ? frames.filter((frame) => test.test(frame.name)) : [];
		for (const frame of frames)
			frame.g.classList.remove('hit');
		for (const frame of found.slice().sort((a, b) => a.x - b.x || b.w - a.w)) {
			frame.g.classList.add('hit');
			matched += Math.max(0, frame.x + frame.w - Math.max(end, frame.x));
			end = Math.max(end, frame.x + frame.w);
		}
		part('matched').textContent = test ?
			`matched: ${(100 * matched / root.w).toFixed(2)} % (${found.length} frames)` : '';
	}

	function ask() {
		if (!input) {
			const box = document.createElementNS('http://www.w3.org/2000/svg', 'foreignObject');
			input = document.createElementNS('http://www.w3.org/1999/xhtml', 'input');
			for (const [key, value] of Object.entries({ x: 10, y: 8, width: 240, height: 24 }))
				box.setAttribute(key, value);
			input.setAttribute('placeholder', 'search: text or regex');
			input.addEventListener('input', () => search(input.value));
			box.append(input);
			part('head').append(box);
		}
		input.parentNode.style.display = '';
		input.focus();
		input.select();
	}

	function clear() {
		if (input) {
			input.value = '';
			input.parentNode.style.display = 'none';
			input.blur();
		}
		search('');
	}

	// The frame next to the selected one: parent or child (the widest), or beside it in its row.
	function step(rows, beside) {
		const shown = frames.filter((frame) => !frame.g.classList.contains('out'));
		const row = shown.filter((frame) => frame.depth === at.depth + rows);
		if (beside)
			return row[row.indexOf(at) + beside];
		return rows < 0 ? row.find((frame) => inside(at, frame)) :
			row.filter((frame) => inside(frame, at)).sort((a, b) => b.w - a.w)[0];
	}

	function key(event) {
		const typing = input && event.target === input;
		const steps = { ArrowUp: [up, 0], ArrowDown: [-up, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key === 'Escape') {
			if (found && (found.length || (input && input.value)) || typing)
				clear();
			else
				zoom(root);
		} else if (typing) {
			if (event.key !== 'Enter')
				return;
			input.blur();
			svg.focus();
		} else if (event.key === '/') {
			ask();
		} else if (event.key === 'r' || event.key === 'Home') {
			zoom(root);
		} else if (event.key === 'Enter' && at) {
			zoom(at);
		} else if (steps[event.key]) {
			const next = at && !at.g.classList.contains('out') ? step(...steps[event.key]) : zoomed;
			if (next)
				select(next);
		} else {
			return;
		}
		event.preventDefault();
	}

	function frameOf(event) {
		const g = event.target.closest && event.target.closest('.frame');
		return g && g.weirFrame;
	}

	svg.addEventListener('mouseover', (event) => tell(frameOf(event) || at));
	svg.addEventListener('click', (event) => {
		const frame = frameOf(event);
		if (frame) {
			select(frame);
			zoom(frame);
		} else if (event.target === part('reset')) {
			zoom(root);
		} else if (event.target === part('search')) {
			ask();
		}
	});
	svg.setAttribute('tabindex', '0');
	(alone ? document : svg).addEventListener('keydown', key);
	if (svg.dataset.fluid !== undefined) {
		svg.setAttribute('width', '100%');
		addEventListener('resize', draw);
	}
	addEventListener('scroll', follow, { passive: true });
	addEventListener('resize', follow);
	part('search').classList.remove('out');
	draw();
	// It opens at its root.
	if (alone && up > 0)
		scrollTo(0, svg.getBoundingClientRect().height);
	follow();
})();
