// SPDX-License-Identifier: MIT
// Drives a flame graph as a person would, and writes what came of it into the title of the picture.
(function () {
	const svg = document.querySelector('svg.weir-flame'), said = [];
	const alone = svg === document.documentElement;
	const frame = (name) => [...svg.querySelectorAll('.frame')].find((g) =>
		g.querySelector('title').textContent.split('\n')[0] === name);
	const rect = (name) => frame(name).querySelector('rect');
	const mouse = (type, target) => target.dispatchEvent(new MouseEvent(type, { bubbles: true }));
	const key = (name, target) => (target || svg).dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
	const say = (what, value) => said.push(`${what}=${value}`);
	const text = (part) => svg.querySelector('.' + part).textContent;
	const out = (name) => frame(name).classList.contains('out');

	mouse('mouseover', rect('beta'));
	say('hover', text('details'));
	mouse('click', rect('beta'));
	say('zoomed', `${rect('beta').getAttribute('width')} main ${rect('main').getAttribute('width')}`);
	say('inside', `${rect('gamma').getAttribute('x')} ${rect('gamma').getAttribute('width')}`);
	say('others', `${out('delta')} ${frame('main').classList.contains('parent')}`);
	key('Escape');
	say('reset', `${rect('beta').getAttribute('width')} ${out('delta')}`);
	key('/');
	const input = svg.querySelector('input');
	input.value = 'gam|delta';
	input.dispatchEvent(new Event('input', { bubbles: true }));
	say('found', `${text('matched')} ${svg.querySelectorAll('.hit').length}`);
	input.value = 'op(';
	input.dispatchEvent(new Event('input', { bubbles: true }));
	say('literal', text('matched'));
	key('Escape', input);
	say('cleared', `${text('matched')}${svg.querySelectorAll('.hit').length}`);
	// From beta, which was clicked, down to its parent, up to its widest child, and back to the left.
	for (const name of ['ArrowDown', 'ArrowUp'])
		key(name);
	say('selected', text('details'));
	key('ArrowLeft');
	say('beside', text('details'));
	key('Enter');
	say('entered', svg.dataset.zoomed);
	key('Home');
	say('pwned', document.title.includes('pwned') || window.pwned === true);
	say('alone', alone);
	svg.setAttribute('data-said', said.join('|'));
})();
