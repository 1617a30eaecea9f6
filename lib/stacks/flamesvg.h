/* SPDX-License-Identifier: MIT */
/*
 * A flame graph as an SVG that needs nothing else: it shows as a picture anywhere, and where its script runs
 * (a browser's page of its own, or inline, in a frame or as an object of another page) it answers the mouse
 * and the keys: flame.js, whose looks are in flame.css.
 *
 * Names are data: whatever bytes they hold they come out as text, what XML cannot hold or nobody can see as \xHH.
 */
#ifndef WEIR_FLAMESVG_H
#define WEIR_FLAMESVG_H

#include "records/writer.h"
#include "stacks/flame.h"

enum flamesvg_colors {
	FLAMESVG_WARM, FLAMESVG_COOL, FLAMESVG_GREEN,
	FLAMESVG_KIND,		/* by what the frame is: `_[k]`, `_[i]`, `_[j]`, C++ and Rust, others */
};

struct flamesvg {
	const char *title;
	const char *unit;	/* of the weights: ns, us, ms, s and bytes are shown with a prefix */
	enum flamesvg_colors colors;
	bool icicle;		/* the root on top */
	bool diff;		/* colours by the difference to the weights in `base`, as shares unless: */
	bool absolute;
	uint64_t width;		/* 0: as wide as its place; 1200 where no script runs */
	double min_width;	/* pixels at this width: narrower frames are left out */
};

struct flamesvg_sum {
	size_t frames, narrow;	/* drawn; left out */
	uint64_t gone;		/* of base: what weighs in frames that are not in the stacks at all */
};

/* Writes it. O(n log n) for n nodes; its size: 300 bytes for each frame that is drawn, and its name twice. */
struct flamesvg_sum flamesvg_write(struct flame *flame, const struct flamesvg *options, struct writer *out);

#endif
