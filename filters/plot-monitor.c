// SPDX-License-Identifier: MIT
/*
 * plot-monitor: what a probe found, as one picture of four panels.
 *
 *	$ probe-http -d 60 http://localhost:5000/process | plot-monitor >monitor_plots.png
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "http/dashboard.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

static const char *const formats[] = { "png", "svg", "pdf", "text", "summary", NULL };
enum { SUMMARY = PICTURE_TEXT + 1 };

static struct canvas choose_canvas(int format, const char *size)
{
	struct canvas canvas = { (enum picture)format, 1600, 1000 };
	uint64_t width, height;
	const char *x = size ? strchr(size, 'x') : NULL;

	if (format == PICTURE_TEXT)
		canvas = (struct canvas){ PICTURE_TEXT, 79, 20 };
	if (!size)
		return canvas;
	if (!x || !number_u64((struct slice){ size, (size_t)(x - size) }, &width) ||
	    !number_u64(slice_of(x + 1), &height) || width < 40 || height < 15 || width > 10000 || height > 10000 ||
	    (format == PICTURE_TEXT && (width > 500 || height > 200)))
		message_usage("cannot use '%.200s' for --size: it takes WIDTHxHEIGHT, 40x15 to 10000x10000 pixels, to "
			      "500x200 characters for text", size);
	canvas.width = (int)width;
	canvas.height = (int)height;
	return canvas;
}

/* What is written by a FILE, as memory. */
static struct slice written(void write(FILE *, struct monitor *, const struct canvas *, const char *),
			    struct monitor *monitor, const struct canvas *canvas, const char *title)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		message_die("cannot write the picture: %m");
	write(to, monitor, canvas, title);
	if (ferror(to) || fclose(to))
		message_die("cannot write the picture: %m");
	return (struct slice){ text, size };
}

static void write_table(FILE *to, struct monitor *monitor, const struct canvas *canvas, const char *title)
{
	(void)canvas;
	(void)title;
	dashboard_table(to, monitor);
}

static void put(struct writer *out, struct slice bytes, bool text)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (!text || bytes.at[i] != '\f')	/* gnuplot ends a page with one */
			writer_bytes(out, &bytes.at[i], 1);
	free((char *)(uintptr_t)bytes.at);
}

/* False: gnuplot failed, which was reported. */
static bool draw(struct monitor *monitor, int format, const struct canvas *canvas, const char *title,
		 struct writer *out)
{
	struct process_output picture;
	struct slice script;
	bool drawn = true;

	if (format != SUMMARY) {
		script = written(dashboard_write, monitor, canvas, title);
		drawn = gnuplot_run(script, false, &picture);
		free((char *)(uintptr_t)script.at);
		if (drawn)
			put(out, (struct slice){ picture.at, picture.len }, format == PICTURE_TEXT);
	}
	if (drawn && format >= PICTURE_TEXT)
		put(out, written(write_table, monitor, canvas, title), true);
	return drawn;
}

int main(int argc, char **argv)
{
	const char *title = "HTTP latency", *size = NULL;
	int format = PICTURE_PNG, status;
	bool strict = false;
	const struct option options[] = {
		{ 0, "title", "TEXT", "the title", OPTION_TEXT, .to = &title },
		{ 0, "format", "FORMAT", "png (default), svg, pdf, text, or summary: the figures only", OPTION_CHOICE,
		  .to = &format, .choices = formats },
		{ 0, "size", "WxH", "pixels (default: 1600x1000), or characters of text", OPTION_TEXT, .to = &size },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "plot-monitor",
		.does = "draw what a probe found as one picture of four panels, with gnuplot",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  probe-http -d 60 http://localhost:5000/process | plot-monitor >monitor_plots.png\n"
			    "  plot-monitor --format summary monitor.tskv\n",
	};
	char **files = options_parse(&program, argv);
	struct canvas canvas = choose_canvas(format, size);
	static struct monitor monitor;
	const struct record *record;
	struct loss loss = LOSS;
	struct writer *out;
	struct reader *in;

	(void)argc;
	out = writer_stdout();
	monitor_start(&monitor);
	in = reader_open(files, NULL);
	while ((record = reader_next(in)))
		if (!loss_is(&loss, record))
			monitor_add(&monitor, record);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	monitor_finish(&monitor);
	if (!draw(&monitor, format, &canvas, title, out))
		status = EXIT_FAILED;
	if (loss_report(&loss, "the picture is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	monitor_free(&monitor);
	writer_close(out);
	return status;
}
