// SPDX-License-Identifier: MIT
#include "charts/gnuplot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"

enum {
	PICTURE_BYTES_MAX = 512 << 20,
	STATUS_NO_WINDOW = 77,	/* the script's own: this gnuplot cannot open windows */
};

/* Black last: on white it is the strongest, and it is the colour of labels. */
const char *const gnuplot_colours[GNUPLOT_COLOURS] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c7a00", "#000000",
};

/* Whether texts go through Pango, which draws a character that no font has as a box as large as the picture. */
static bool wants_fonts;
/* A bit for each character that an installed font has, made when the first one beyond Latin is met. */
static unsigned char *in_fonts;
static bool fonts_known;

enum { CHARACTERS = 0x110000 };

static void learn_fonts(void)
{
	char program[] = "fc-list", format[] = "--format=%{charset} ", all[] = ":";
	char *argv[] = { program, format, all, NULL };
	struct process_output output;
	unsigned long from, to;

	in_fonts = memory_zeroed(CHARACTERS / 8);
	fonts_known = process_run(argv, SLICE(""), 64 << 20, &output) == 0 && output.status == 0;
	if (fonts_known && output.len) {
		/* `20-7e a0-17f 2c6`: ranges in hexadecimal. The last byte is a blank. */
		output.at[output.len - 1] = '\0';
		for (char *p = output.at, *end; *p; p = end) {
			from = to = strtoul(p, &end, 16);
			if (end > p && *end == '-')
				to = strtoul(end + 1, &end, 16);
			else if (end == p)
				end = p + 1;
			for (; end > p + 1 && from <= to && from < CHARACTERS; from++)
				in_fonts[from / 8] |= (unsigned char)(1u << from % 8);
		}
	}
	free(output.at);
}

/* Latin is taken for granted. */
static bool has_glyph(uint32_t code)
{
	if (!wants_fonts || code < 0x180 || code == 0x2026)
		return true;
	if (!in_fonts)
		learn_fonts();
	return in_fonts[code / 8] >> code % 8 & 1;
}

struct character {
	struct slice bytes;	/* as it is to be written */
	size_t len;		/* how many bytes of the text it takes */
	size_t columns;
};

/*
 * The character at P: its bytes when it is well-formed UTF-8 (Unicode 15, table 3-7) and can be shown, else
 * U+FFFD for one byte.
 */
static struct character character(const char *p, const char *end)
{
	struct character c = { { "\357\277\275", 3 }, 1, 2 };
	const unsigned char *b = (const unsigned char *)p;
	size_t left = (size_t)(end - p), n;
	uint32_t code;

	if (!has_glyph(0xfffd))
		c.bytes = SLICE("?");
	if (b[0] < 0x80) {
		if (b[0] >= 0x20 && b[0] != 0x7f)
			c = (struct character){ { p, 1 }, 1, 1 };
		return c;
	}
	n = b[0] >= 0xf0 && b[0] <= 0xf4 ? 4 : b[0] >= 0xe0 && b[0] < 0xf0 ? 3 :
	    b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : 0;
	if (n == 0 || left < n)
		return c;
	code = b[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return c;
		code = code << 6 | (b[i] & 0x3fu);
	}
	if ((n == 3 && code < 0x800) || (n == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code < 0xe000))
		return c;
	c.len = n;
	/* C1 controls, marks that turn the direction of writing, and what XML refuses. */
	if (code < 0xa0 || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || (code & 0xfffe) == 0xfffe ||
	    !has_glyph(code))
		return c;
	c.bytes = (struct slice){ p, n };
	c.columns = code >= 0x1100 && (code < 0x2000 || code > 0x2e7f) ? 2 : 1;
	return c;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(" .,:;/+-=_()<>", c)) || (unsigned char)c >= 0x80;
}

/* Where TEXT is cut to take no more than LIMIT columns: the end, or where the ellipsis goes. */
static const char *cut_at(struct slice text, size_t limit, size_t *columns)
{
	const char *end = text.at + text.len, *cut = NULL;
	size_t n = 0, before = 0;

	for (const char *p = text.at; p < end; ) {
		struct character c = character(p, end);

		if (!cut && n + c.columns + 1 > limit) {	/* good only if it is the last */
			cut = p;
			before = n;
		}
		n += c.columns;
		p += c.len;
		if (n > limit) {
			*columns = before + 1;
			return cut;
		}
	}
	*columns = n;
	return end;
}

size_t gnuplot_columns(struct slice text, size_t limit)
{
	size_t columns;

	cut_at(text, limit, &columns);
	return columns;
}

static void write_string(FILE *script, struct slice text, size_t limit, bool format)
{
	size_t columns;
	const char *end = text.at + text.len, *cut = cut_at(text, limit, &columns);
	bool octal = false;	/* gnuplot takes all digits behind that for a part of it */

	fputc('"', script);
	for (const char *p = text.at; p < cut; ) {
		struct character c = character(p, end);

		if (format && *c.bytes.at == '%')
			fputs("\\045", script);
		octal = !is_plain(*c.bytes.at) || (octal && *c.bytes.at >= '0' && *c.bytes.at <= '9');
		if (!octal)
			fwrite(c.bytes.at, 1, c.bytes.len, script);
		else
			fprintf(script, "\\%03o", (unsigned)(unsigned char)*c.bytes.at);
		p += c.len;
	}
	fputs(cut < end ? "\342\200\246\"" : "\"", script);
}

void gnuplot_text(FILE *script, struct slice text, size_t limit)
{
	write_string(script, text, limit, false);
}

void gnuplot_tic(FILE *script, struct slice text, size_t limit)
{
	write_string(script, text, limit, true);
}

/* Fonts and lines grow with a picture that is larger than what they are made for. */
static double scale(const struct canvas *canvas)
{
	double x = canvas->width / 1200.0, y = canvas->height / 800.0, least = x < y ? x : y;

	return least > 1 ? least : least < 0.75 ? 0.75 : 1;
}

static double character_width(const struct canvas *canvas)
{
	return canvas->picture == PICTURE_TEXT ? 1 : 7.9 * scale(canvas);
}

size_t gnuplot_fits(const struct canvas *canvas, double width)
{
	double fits = width * canvas->width / character_width(canvas);

	return fits < 8 ? 8 : (size_t)fits;
}

double gnuplot_part(const struct canvas *canvas, double characters)
{
	return characters * character_width(canvas) / canvas->width;
}

double gnuplot_lines(const struct canvas *canvas, double lines)
{
	return lines * (canvas->picture == PICTURE_TEXT ? 1 : 20 * scale(canvas)) / canvas->height;
}

static void terminal(FILE *script, const struct canvas *canvas)
{
	double larger = scale(canvas);

	switch (canvas->picture) {
	case PICTURE_PNG:
		fprintf(script, "set terminal pngcairo noenhanced size %d,%d background \"#ffffff\" "
				"font \"sans,%.3g\" linewidth %.3g\n", canvas->width, canvas->height,
			10.5 * larger, larger);
		break;
	case PICTURE_SVG:
		fprintf(script, "set terminal svg noenhanced size %d,%d background \"#ffffff\" "
				"font \"sans-serif,%.3g\" linewidth %.3g\n", canvas->width, canvas->height,
			13.5 * larger, larger);
		break;
	case PICTURE_PDF:	/* a hundred pixels are an inch */
		fprintf(script, "set terminal pdfcairo noenhanced size %.4gin,%.4gin background \"#ffffff\" "
				"font \"sans,%.3g\" linewidth %.3g\n", canvas->width / 100.0,
			canvas->height / 100.0, 13 * larger, larger);
		break;
	case PICTURE_TEXT:
		fprintf(script, "set terminal dumb noenhanced size %d,%d\n", canvas->width, canvas->height);
		break;
	case PICTURE_WINDOW:
		fputs("window = \"\"\n"
		      "do for [t in \"qt wxt x11\"] { if (strlen(window) == 0 && "
		      "strstrt(GPVAL_TERMINALS, \" \".t.\" \")) { window = t } }\n", script);
		fprintf(script, "if (strlen(window) == 0) { exit status %d }\n"
				"set terminal @window noenhanced size %d,%d persist\n", STATUS_NO_WINDOW,
			canvas->width, canvas->height);
	}
}

void gnuplot_begin(FILE *script, const struct canvas *canvas, const char *file)
{
	wants_fonts = canvas->picture != PICTURE_TEXT && canvas->picture != PICTURE_SVG;
	fputs("set encoding utf8\n", script);
	terminal(script, canvas);
	if (file) {
		fputs("set output ", script);
		/* gnuplot would take `|` for a command to run, and `~` for somebody's home. */
		fputs(*file == '/' ? "\"" : "\"./", script);
		for (const char *p = file; *p; p++)
			fprintf(script, is_plain(*p) && (unsigned char)*p < 0x80 ? "%c" : "\\%03o",
				(unsigned)(unsigned char)*p);
		fputs("\"\n", script);
	}
	if (canvas->picture == PICTURE_TEXT)
		fputs("set tics nomirror\nset border 3\nset key outside below center\n", script);
	else
		fputs("set border 3 linecolor rgb \"#666666\" linewidth 0.8\n"
		      "set tics nomirror out scale 0.5 textcolor rgb \"#222222\"\n"
		      "set grid xtics ytics linetype 1 linecolor rgb \"#e4e4e4\" linewidth 0.6\n"
		      "set key at graph 1.015, graph 1 left top vertical Left reverse samplen 2 spacing 1.25\n"
		      "set style fill solid 1 noborder\n", script);
}

void gnuplot_palette(FILE *script)
{
	/* More is darker, as on paper; its palest end would be lost on white, so the scale begins within. */
	fputs("set palette defined (0 \"#c8e020\", 0.125 \"#8bd646\", 0.25 \"#5ec962\", 0.375 \"#28ae80\", "
	      "0.5 \"#21918c\", 0.625 \"#2c728e\", 0.75 \"#3b528b\", 0.875 \"#472d7b\", 1 \"#440154\")\n",
	      script);
}

bool gnuplot_run(struct slice script, bool window, struct process_output *output)
{
	char program[] = "gnuplot", defaults[] = "-d", persist[] = "-persist", standard_input[] = "-";
	char *argv[] = { program, defaults, window ? persist : standard_input,
			 window ? standard_input : NULL, NULL };
	char reason[64];
	size_t last;
	int error;

	if (wants_fonts && !in_fonts)
		learn_fonts();
	if (wants_fonts && fonts_known && !(in_fonts['A' / 8] >> 'A' % 8 & 1))
		message("no font is installed: the picture has no text (install fonts-dejavu-core, or write .svg)");
	/* Texts are UTF-8, numbers have a dot; in another locale gnuplot would warn, or differ. */
	setenv("LC_ALL", "C.UTF-8", 1);
	error = process_run(argv, script, PICTURE_BYTES_MAX, output);
	last = strlen(output->error);

	while (last > 0 && strchr(" \n", output->error[last - 1]))
		output->error[--last] = '\0';

	if (error == ENOENT)
		message("cannot run gnuplot: it is not installed, or not in PATH; install gnuplot-nox (Debian), "
			"gnuplot (Fedora)");
	else if (error)
		message("cannot run gnuplot: %s", strerror(error));
	else if (output->status == STATUS_NO_WINDOW << 8)
		message("cannot open a window: this gnuplot has none (install gnuplot-qt or gnuplot-x11), "
			"or use -o FILE");
	else if (output->status)
		message("cannot draw: gnuplot ended with %s: %.500s",
			process_reason(output->status, reason, sizeof reason), output->error);
	else if (*output->error)
		message("gnuplot says: %.500s", output->error);
	return !error && output->status == 0;
}
