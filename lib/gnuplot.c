// SPDX-License-Identifier: MIT
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "message.h"

enum {
	PICTURE_BYTES_MAX = 512 << 20,
	STATUS_NO_WINDOW = 77,	/* the script's own: this gnuplot cannot open windows */
};

/* Black last: on white it is the strongest, and it is the colour of labels. */
const char *const gnuplot_colours[GNUPLOT_COLOURS] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c7a00", "#000000",
};

/*
 * The character at P: its bytes when it is well-formed UTF-8 (Unicode 15, table 3-7) and no control
 * character, else U+FFFD for one byte. *LEN is how many bytes it takes of the text.
 */
static struct slice character(const char *p, const char *end, size_t *len)
{
	static const struct slice replacement = { "\357\277\275", 3 };
	const unsigned char *b = (const unsigned char *)p;
	size_t left = (size_t)(end - p), n;
	uint32_t code;

	*len = 1;
	if (b[0] < 0x80)
		return b[0] < 0x20 || b[0] == 0x7f ? replacement : (struct slice){ p, 1 };
	n = b[0] >= 0xf0 && b[0] <= 0xf4 ? 4 : b[0] >= 0xe0 && b[0] < 0xf0 ? 3 :
	    b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : 0;
	if (n == 0 || left < n)
		return replacement;
	code = b[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return replacement;
		code = code << 6 | (b[i] & 0x3fu);
	}
	if ((n == 3 && code < 0x800) || (n == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code < 0xe000))
		return replacement;
	*len = n;
	/* C1 controls, marks that turn the direction of writing, and what XML refuses. */
	if (code < 0xa0 || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || (code & 0xfffe) == 0xfffe)
		return replacement;
	return (struct slice){ p, n };
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(" .,:;/+-=_()<>", c)) || (unsigned char)c >= 0x80;
}

static void write_string(FILE *script, struct slice text, size_t limit, bool format)
{
	const char *end = text.at + text.len, *cut = end;
	size_t len, n = 0;

	/* Where the ellipsis goes, if the text is too long. */
	for (const char *p = text.at; p < end; p += len, n++) {
		character(p, end, &len);
		if (n + 1 == limit)
			cut = p;
	}
	if (n <= limit)
		cut = end;
	fputc('"', script);
	for (const char *p = text.at; p < cut; p += len) {
		struct slice c = character(p, end, &len);

		if (format && *c.at == '%')
			fputs("\\045", script);
		if (is_plain(*c.at))
			fwrite(c.at, 1, c.len, script);
		else
			fprintf(script, "\\%03o", (unsigned)(unsigned char)*c.at);
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

size_t gnuplot_fits(const struct canvas *canvas, double width)
{
	double character_width = canvas->picture == PICTURE_TEXT ? 1 : 8.5 * scale(canvas);
	double fits = width * canvas->width / character_width;

	return fits < 8 ? 8 : (size_t)fits;
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
			canvas->height / 100.0, 10 * larger, larger);
		break;
	case PICTURE_TEXT:
		fprintf(script, "set terminal dumb noenhanced nofeed size %d,%d\n", canvas->width, canvas->height);
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
		      "set key outside right top vertical Left reverse samplen 2 spacing 1.25\n"
		      "set style fill solid 1 noborder\n", script);
}

void gnuplot_palette(FILE *script)
{
	/* Pale ones first would be lost on white, so the scale begins a little above its dark end. */
	fputs("set palette defined (0 \"#00224e\", 0.125 \"#123570\", 0.25 \"#3b496c\", 0.375 \"#575d6d\", "
	      "0.5 \"#707173\", 0.625 \"#8a8678\", 0.75 \"#a59c74\", 0.875 \"#c3b369\", 1 \"#e1cc55\")\n",
	      script);
}

bool gnuplot_run(struct slice script, bool window, struct process_output *output)
{
	char program[] = "gnuplot", defaults[] = "-d", persist[] = "-persist", standard_input[] = "-";
	char *argv[] = { program, defaults, window ? persist : standard_input,
			 window ? standard_input : NULL, NULL };
	int error = process_run(argv, script, PICTURE_BYTES_MAX, output);
	char reason[64];

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
