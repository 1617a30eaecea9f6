// SPDX-License-Identifier: MIT
// Says whether head, foot and root of a flame graph taller than the window are in sight.
(function () {
	const svg = document.documentElement;
	const box = (part) => svg.querySelector(part).getBoundingClientRect();
	const root = box('.frame');
	svg.setAttribute('data-said', [
		svg.getBoundingClientRect().height > innerHeight + 500,
		box('.head').top === 0, box('.foot').bottom === innerHeight,
		root.top >= box('.head').bottom && root.bottom <= box('.foot').top,
	].join('|'));
})();
