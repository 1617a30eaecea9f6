// SPDX-License-Identifier: MIT
#include "stacks/flamesvg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/display.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"

static const char style[] =
#include "stacks/flame.css.inc"
;
static const char script[] =
#include "stacks/flame.js.inc"
;

enum {
	DEFAULT_WIDTH = 1200,
	ROW = 17,
	TOP = 64, LEGEND = 22, BOTTOM = 30,
	NAME_COLUMNS = 1000,	/* of a name; longer ones are cut */
	DIGITS = 100000,	/* of a share in percent: five behind the point */
};
static const double column = 7.3;	/* pixels of a character, until the script has measured it */

struct drawing {
	const struct flamesvg *o;
	struct flame *flame;
	struct writer *out;
	uint64_t total, base_total;
	double width, delta_max;	/* the largest difference, as a share or in units */
	uint32_t depth;			/* of the deepest frame that is drawn */
	int top;
	char *text;
	size_t room;
};

static void put(struct drawing *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct drawing *d, const char *format, ...)
{
	va_list arguments;
	char *to = writer_room(d->out, 1024);
	int n;

	va_start(arguments, format);
	n = vsnprintf(to, 1024, format, arguments);
	va_end(arguments);
	d->out->at += n < 1024 ? n : 1023;
}

/* Text of XML, also within quotes. */
static void put_text(struct drawing *d, struct slice text)
{
	for (const char *p = text.at, *end = p + text.len; p < end; p++) {
		const char *entity = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '>' ? "&gt;" :
				     *p == '"' ? "&quot;" : *p == '\'' ? "&#39;" : NULL;

		if (entity)
			writer_bytes(d->out, entity, strlen(entity));
		else if (end - p >= 3 && memcmp(p, "\xef\xbf", 2) == 0 && (unsigned char)p[2] >= 0xbe)
			put(d, "\\xef\\xbf\\x%02x", (unsigned char)*(p += 2));
		else
			writer_bytes(d->out, p, 1);
	}
}

/* TEXT as it can be shown in COLUMNS; nothing where that is too little for any. */
static void put_fitting(struct drawing *d, struct slice text, double columns)
{
	size_t taken;

	if (columns < 3)
		return;
	d->text = memory_grow(d->text, &d->room, 4 * text.len + 4, 1);
	put_text(d, (struct slice){ d->text, display_text(d->text, text, columns < NAME_COLUMNS ? (size_t)columns :
							  NAME_COLUMNS, &taken) });
}

/* 1234567 as 1,234,567. */
static size_t grouped(char *to, uint64_t value)
{
	char digits[NUMBER_TEXT];
	size_t n = number_put_u64(digits, value), len = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			to[len++] = ',';
		to[len++] = digits[i];
	}
	to[len] = '\0';
	return len;
}

/* A weight for people: `12.3 ms`, `1,234 samples`. */
static void put_weight(struct drawing *d, double sign, uint64_t weight)
{
	static const struct { const char *unit; double ns; } times[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
	};
	char text[2 * DISPLAY_NUMBER];

	put(d, "%s", sign < 0 ? "\u2212" : "");
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (strcmp(d->o->unit, times[i].unit) == 0) {
			put_text(d, (struct slice){ text, display_duration(text, (double)weight * times[i].ns) });
			return;
		}
	if (strcmp(d->o->unit, "bytes") == 0) {
		put_text(d, (struct slice){ text, display_size(text, (double)weight) });
		return;
	}
	put_text(d, (struct slice){ text, grouped(text, weight) });
	put(d, " ");
	put_fitting(d, slice_of(d->o->unit), 40);
}

/* PART of the total in percent, rounded once. */
static void put_percent(struct drawing *d, uint64_t part)
{
	unsigned __int128 scaled = (unsigned __int128)part * 100 * DIGITS;
	uint64_t share = (uint64_t)((scaled + d->total / 2) / d->total);
	char *to = writer_room(d->out, 40), digits[NUMBER_TEXT];
	int n = 5;

	to += number_put_u64(to, share / DIGITS);
	number_put_nine(digits, (uint32_t)(share % DIGITS));
	while (n && digits[3 + n] == '0')
		n--;
	if (n) {
		*to++ = '.';
		memcpy(to, digits + 4, (size_t)n);
		to += n;
	}
	d->out->at = to;
}

static double share(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

static double delta_of(const struct drawing *d, const struct flame_node *node)
{
	return d->o->absolute ? (double)node->weight - (double)node->base :
				share(node->weight, d->total) - share(node->base, d->base_total);
}

/* The colours */

static uint32_t rgb(double hue, double saturation, double lightness)
{
	uint32_t color = 0;
	double a = saturation * fmin(lightness, 1 - lightness);

	for (int i = 0; i < 3; i++) {
		static const int shift[] = { 0, 8, 4 };
		double k = fmod(shift[i] + hue / 30, 12);

		color = color << 8 | (uint32_t)lround(255 * (lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1))));
	}
	return color;
}

static bool ends(struct slice name, const char *with)
{
	return name.len >= strlen(with) && memcmp(name.at + name.len - strlen(with), with, strlen(with)) == 0;
}

struct hues {
	double from, range, saturation;
};

/* What kind of code the name is of, where the marks of fold-stacks --kinds tell it, or `::`. */
static struct hues hues_by_kind(struct slice name)
{
	if (ends(name, "_[k]"))
		return (struct hues){ 26, 12, .90 };
	if (ends(name, "_[i]"))
		return (struct hues){ 168, 14, .52 };
	if (ends(name, "_[j]"))
		return (struct hues){ 96, 30, .50 };
	if (memmem(name.at, name.len, "::", 2))
		return (struct hues){ 46, 10, .88 };
	return (struct hues){ 4, 14, .78 };
}

/* The same name has the same colour in every graph: a hue of the range by a hash of the name. */
static uint32_t name_color(struct slice name, enum flamesvg_colors colors)
{
	static const struct hues all[] = {
		[FLAMESVG_WARM] = { 12, 36, .85 }, [FLAMESVG_COOL] = { 190, 40, .62 },
		[FLAMESVG_GREEN] = { 84, 56, .52 },
	};
	uint64_t hash = slice_hash(name);
	double first = (double)(hash & 0xffff) / 0xffff, second = (double)(hash >> 16 & 0xffff) / 0xffff;
	struct hues hues;

	if (name.len && name.at[0] == '[' && ends(name, "]"))
		return rgb(220, .06, .72 + .1 * second);
	hues = colors == FLAMESVG_KIND ? hues_by_kind(name) : all[colors];
	return rgb(hues.from + hues.range * first, hues.saturation, .62 + .12 * second);
}

/* From grey, no difference, to red, more than in BASE, or blue, less. PART is from -1 to 1. */
static uint32_t delta_color(double part)
{
	static const int none[] = { 0xe4, 0xe4, 0xe4 }, more[] = { 0xee, 0x5a, 0x4a }, less[] = { 0x5b, 0x90, 0xf0 };
	uint32_t color = 0;

	for (int i = 0; i < 3; i++)
		color = color << 8 | (uint32_t)lround(none[i] + fabs(part) * ((part < 0 ? less : more)[i] - none[i]));
	return color;
}

static uint32_t color_of(const struct drawing *d, const struct flame_node *node)
{
	struct slice name = intern_text(d->flame->names, node->name);

	if (d->o->diff)
		return delta_color(d->delta_max > 0 ? delta_of(d, node) / d->delta_max : 0);
	return node->depth ? name_color(name, d->o->colors) : rgb(220, .10, .78);
}

/* The parts of the picture */

static void put_delta(struct drawing *d, double delta)
{
	if (d->o->absolute)
		put_weight(d, delta, (uint64_t)fabs(delta));
	else
		put(d, "%s%.2f points", delta < 0 ? "\u2212" : "+", fabs(delta));
}

/* The name, and on the next line the figures. */
static void put_title(struct drawing *d, const struct flame_node *node)
{
	put(d, "<title>");
	put_fitting(d, intern_text(d->flame->names, node->name), NAME_COLUMNS);
	put(d, "\n");
	put_weight(d, 1, node->weight);
	put(d, ", %.2f %%", share(node->weight, d->total));
	if (d->o->diff) {
		put(d, "\n");
		put_delta(d, delta_of(d, node));
		put(d, ": it was ");
		put_weight(d, 1, node->base);
		put(d, ", %.2f %%", share(node->base, d->base_total));
	}
	put(d, "</title>");
}

static void put_frame(struct drawing *d, const struct flame_node *node)
{
	double columns = (d->width * (double)node->weight / (double)d->total - 6) / column;

	put(d, "<g class=\"frame\" data-x=\"%llu\" data-w=\"%llu\">", (unsigned long long)node->x,
	    (unsigned long long)node->weight);
	put_title(d, node);
	put(d, "<rect x=\"");
	put_percent(d, node->x);
	put(d, "%%\" width=\"");
	put_percent(d, node->weight);
	put(d, "%%\" height=\"%d\" fill=\"#%06x\"/><text x=\"", ROW - 1, color_of(d, node));
	put_percent(d, node->x);
	put(d, "%%\" dx=\"3\" y=\"12\">");
	put_fitting(d, intern_text(d->flame->names, node->name), columns);
	put(d, "</text></g>\n");
}

static void put_opening(struct drawing *d, int height)
{
	put(d, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"weir-flame\" width=\"%.0f\" height=\"%d\"%s%s>\n<style>\n",
	    d->width, height, d->o->width ? "" : " data-fluid=\"\"", d->o->icicle ? " data-icicle=\"\"" : "");
	writer_bytes(d->out, style, sizeof style - 1);
	put(d, "</style>\n<rect class=\"ground\" width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
}

/* From as much less as more, in steps. */
static void put_legend(struct drawing *d)
{
	enum { STEPS = 41, WIDTH = 6, LEFT = -STEPS * WIDTH / 2 };

	put(d, "<svg class=\"legend\" x=\"50%%\" y=\"%d\" overflow=\"visible\">", TOP - 6);
	for (int i = 0; i < STEPS; i++)
		put(d, "<rect x=\"%d\" width=\"%d\" height=\"10\" fill=\"#%06x\"/>", LEFT + i * WIDTH, WIDTH,
		    delta_color(2.0 * i / (STEPS - 1) - 1));
	put(d, "<text class=\"dim\" x=\"%d\" y=\"9\" text-anchor=\"end\">less than before, ", LEFT - 6);
	put_delta(d, -d->delta_max);
	put(d, "</text><text class=\"dim\" x=\"%d\" y=\"9\">", LEFT + STEPS * WIDTH + 6);
	put_delta(d, d->delta_max);
	put(d, "%s, more</text></svg>\n", d->o->absolute ? "" : " of the whole");
}

static void put_subtitle(struct drawing *d, const struct flamesvg_sum *sum)
{
	char count[2 * NUMBER_TEXT];

	put(d, "<text class=\"dim\" x=\"50%%\" y=\"48\" text-anchor=\"middle\">");
	put_weight(d, 1, d->total);
	grouped(count, sum->frames - 1);
	put(d, ", %s frames", count);
	if (sum->narrow) {
		grouped(count, sum->narrow);
		put(d, " (%s narrower than %g px are left out)", count, d->o->min_width);
	}
	if (d->o->diff && sum->gone)
		put(d, "; %.2f %% of before was in frames that are gone", share(sum->gone, d->base_total));
	put(d, "</text>\n");
}

/* Above the frames, and over them where the script keeps it in sight. */
static void put_head(struct drawing *d, const struct flamesvg_sum *sum)
{
	put(d, "<g class=\"head\"><rect class=\"ground\" width=\"100%%\" height=\"%d\" fill=\"#fff\"/>\n"
	    "<text class=\"title\" x=\"50%%\" y=\"26\" text-anchor=\"middle\">", d->top - 2);
	put_fitting(d, slice_of(d->o->title), 120);
	put(d, "</text>\n<text class=\"button reset out\" x=\"10\" y=\"48\">reset zoom</text>\n"
	    "<text class=\"button search out\" x=\"100%%\" dx=\"-10\" y=\"48\" text-anchor=\"end\">search (/)</text>\n");
	if (d->total) {
		put_subtitle(d, sum);
		if (d->o->diff)
			put_legend(d);
	}
	put(d, "<text class=\"matched\" x=\"100%%\" dx=\"-10\" y=\"26\" text-anchor=\"end\"> </text></g>\n");
}

/* What is wide enough to be drawn: a frame whose descendants are not may be. */
static bool shows(const struct drawing *d, const struct flame_node *node)
{
	return node->weight && d->width * (double)node->weight >= d->o->min_width * (double)d->total;
}

static void survey(struct drawing *d, struct flamesvg_sum *sum)
{
	for (size_t i = 0; i < d->flame->nodes; i++) {
		const struct flame_node *node = &d->flame->node[i];

		if (node->weight == 0 && d->flame->node[node->parent].weight)
			sum->gone += node->base;
		if (!shows(d, node)) {
			sum->narrow += node->weight > 0;
			continue;
		}
		sum->frames++;
		if (node->depth > d->depth)
			d->depth = node->depth;
		if (d->o->diff)
			d->delta_max = fmax(d->delta_max, fabs(delta_of(d, node)));
	}
}

static void put_rows(struct drawing *d)
{
	uint32_t *rows = flame_lay_out(d->flame), row = UINT32_MAX;

	for (size_t i = 0; i < d->flame->nodes; i++) {
		const struct flame_node *node = &d->flame->node[rows[i]];
		uint32_t down = d->o->icicle ? node->depth : d->depth - node->depth;

		if (!shows(d, node))
			continue;
		if (node->depth != row)
			put(d, "%s<g class=\"row\" transform=\"translate(0,%u)\">\n", row == UINT32_MAX ? "" : "</g>\n",
			    (unsigned)d->top + down * ROW);
		row = node->depth;
		put_frame(d, node);
	}
	if (row != UINT32_MAX)
		put(d, "</g>\n");
	free(rows);
}

struct flamesvg_sum flamesvg_write(struct flame *flame, const struct flamesvg *options, struct writer *out)
{
	struct flamesvg_sum sum = { 0 };
	struct drawing d = {
		.o = options,
		.flame = flame,
		.out = out,
		.total = flame->node[0].weight,
		.base_total = flame->node[0].base,
		.width = options->width ? (double)options->width : DEFAULT_WIDTH,
		.top = TOP + (options->diff ? LEGEND : 0),
	};
	int height;

	if (d.total)
		survey(&d, &sum);
	height = d.top + (int)(d.depth + 1) * ROW + BOTTOM;
	put_opening(&d, height);
	if (d.total)
		put_rows(&d);
	else
		put(&d, "<text x=\"50%%\" y=\"%d\" text-anchor=\"middle\">no stacks</text>\n", TOP + 12);
	put_head(&d, &sum);
	put(&d, "<g class=\"foot\"><rect class=\"ground\" width=\"100%%\" y=\"%d\" height=\"%d\" fill=\"#fff\"/>"
	    "<text class=\"details\" x=\"10\" y=\"%d\"> </text></g>\n", height - BOTTOM, BOTTOM, height - 10);
	put(&d, "<script><![CDATA[\n");
	writer_bytes(out, script, sizeof script - 1);
	put(&d, "]]></script>\n</svg>\n");
	free(d.text);
	return sum;
}
