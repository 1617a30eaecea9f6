/* SPDX-License-Identifier: MIT */
/*
 * Scripts for gnuplot, and running it.
 *
 * No text in a script can evaluate: a string is written in double quotes with every byte that is not a
 * letter, a digit, a blank or one of `.,:;/+-=_()<>…` as an octal escape, which gnuplot turns back after it
 * has looked for backquotes and macros; enhanced text is off everywhere.
 */
#ifndef WEIR_GNUPLOT_H
#define WEIR_GNUPLOT_H

#include <stdio.h>

#include "base/process.h"

enum picture { PICTURE_PNG, PICTURE_SVG, PICTURE_PDF, PICTURE_TEXT, PICTURE_WINDOW };

struct canvas {
	enum picture picture;
	int width, height;	/* pixels, or characters for PICTURE_TEXT */
};

/* Colours: those of Okabe and Ito (2008), which the colour-blind tell apart. */
enum { GNUPLOT_COLOURS = 8 };
extern const char *const gnuplot_colours[GNUPLOT_COLOURS];
#define GNUPLOT_GREY "#999999"

/*
 * Writes TEXT as a string of at most LIMIT columns (East Asian characters take two; the last is an ellipsis
 * when there is more). What is not UTF-8, control characters, and those that no font has are written as U+FFFD.
 */
void gnuplot_text(FILE *script, struct slice text, size_t limit);

/* The same for the label of a tic, which gnuplot would take for a format. */
void gnuplot_tic(FILE *script, struct slice text, size_t limit);

/* How many columns TEXT takes when it is cut to LIMIT. */
size_t gnuplot_columns(struct slice text, size_t limit);

/* How many characters of the usual font fit into WIDTH, a part of the canvas from 0 to 1; and the reverse. */
size_t gnuplot_fits(const struct canvas *canvas, double width);
double gnuplot_part(const struct canvas *canvas, double characters);

/* Which part of the canvas's height so many lines of text take. */
double gnuplot_lines(const struct canvas *canvas, double lines);

/*
 * Terminal, fonts, colours and borders; the first call, since it also says for which picture texts are
 * written from now on. FILE (may be NULL: stdout) is where gnuplot writes the picture.
 */
void gnuplot_begin(FILE *script, const struct canvas *canvas, const char *file);

/* The colours of a heat map: viridis (Smith and van der Walt 2015), which is even to the eye, dark for many. */
void gnuplot_palette(FILE *script);

/*
 * Runs gnuplot with SCRIPT. Reports on stderr why it could not draw, and returns false. On success
 * OUTPUT->at has the picture; free() it.
 */
bool gnuplot_run(struct slice script, bool window, struct process_output *output);

#endif
