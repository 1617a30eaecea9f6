// SPDX-License-Identifier: MIT
/*
 * plot-data: a picture of the records, drawn by gnuplot.
 *
 *	$ where ev=syscall < spans.tskv | plot-data --kind histogram -y dur_ns -o syscalls.png
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "base/progress.h"
#include "charts/chart.h"
#include "charts/gather.h"
#include "records/loss.h"
#include "records/outfile.h"
#include "records/reader.h"
#include "records/writer.h"

/* What the command line asks for. */
struct task {
	int kind, format;
	const char *x, *y, *group, *title, *file, *size;
	struct writer *out;	/* stdout, where something goes there */
	bool format_seen, show, script, strict;
};

/* In the order of enum kind and enum picture. */
static const char *const kinds[] = {
	"timeseries", "histogram", "cdf", "heatmap", "usage", "bar", "pie", "table", "dashboard", "timeline",
	NULL,
};
static const char *const formats[] = { "png", "svg", "pdf", "text", NULL };

static bool is_standard_output(const struct task *task)
{
	return !task->file || strcmp(task->file, "-") == 0;
}

static void check_keys(struct task *task)
{
	int kind = task->kind;
	bool over_x = kind == TIMESERIES || kind == HEATMAP || kind == USAGE || kind == DASHBOARD ||
		      kind == TIMELINE;

	if (task->x && !over_x)
		message_usage("--kind %s has no -x", kinds[kind]);
	if (task->group && (kind == HISTOGRAM || kind == HEATMAP))
		message_usage("--kind %s has no -g: it shows all values together", kinds[kind]);
	if (!task->group && (kind == BAR || kind == PIE || kind == TIMELINE))
		message_usage("--kind %s wants -g KEY, whose values are compared", kinds[kind]);
	if (!task->y && (kind == USAGE || kind == TIMELINE))
		task->y = "dur_ns";
	if (!task->y && kind != TIMESERIES && kind != BAR && kind != PIE)
		message_usage("--kind %s wants -y FIELD, whose values are drawn", kinds[kind]);
	if (!task->x)
		task->x = "ts";
	if ((kind == USAGE || kind == TIMELINE) && axis_unit(slice_of(task->x)) != UNIT_TIME)
		message_usage("--kind %s wants a time for -x: ts, or a key that ends in _ts", kinds[kind]);
}

/* Which kind of picture: what --format says, what FILE's name ends in, what stdout is. */
static enum picture choose_picture(const struct task *task)
{
	const char *dot = task->file ? strrchr(task->file, '.') : NULL;

	if (task->format_seen)
		return (enum picture)task->format;
	if (is_standard_output(task))
		return isatty(STDOUT_FILENO) && !task->script ? PICTURE_TEXT : PICTURE_SVG;
	if (dot && strcmp(dot, ".txt") == 0)
		return PICTURE_TEXT;
	for (int i = 0; dot && formats[i]; i++)
		if (strcmp(dot + 1, formats[i]) == 0)
			return (enum picture)i;
	message_usage("cannot tell the format of '%.200s': its name ends in none of .png .svg .pdf .txt; "
		      "use --format", task->file);
}

static int bounded(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static struct canvas choose_canvas(const struct task *task, enum picture picture)
{
	struct canvas canvas = { picture, 1200, 800 };
	struct winsize window;
	uint64_t width, height;
	const char *x;

	if (picture == PICTURE_TEXT) {
		canvas.width = 79;
		canvas.height = 24;
		if (is_standard_output(task) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
		    window.ws_col && window.ws_row) {
			/* The last column and line stay free: the shell's prompt comes behind. */
			canvas.width = bounded(window.ws_col - 1, 40, 500);
			canvas.height = bounded(window.ws_row - 1, 15, 200);
		}
	}
	if (!task->size)
		return canvas;
	x = strchr(task->size, 'x');
	if (!x || !number_u64((struct slice){ task->size, (size_t)(x - task->size) }, &width) ||
	    !number_u64(slice_of(x + 1), &height) || width < 40 || height < 15 || width > 10000 ||
	    height > 10000 || (picture == PICTURE_TEXT && (width > 500 || height > 200)))
		message_usage("cannot use '%.200s' for --size: it takes WIDTHxHEIGHT, 40x15 to 10000x10000 "
			      "pixels, to 500x200 characters for text", task->size);
	canvas.width = (int)width;
	canvas.height = (int)height;
	return canvas;
}

/* What the picture shows and what it does not, in one line: it stands below the title. */
static void describe(char *text, size_t size, const struct task *task, const struct sample *sample,
		     const struct gather_misses *misses, const struct loss *loss)
{
	char count[AXIS_TEXT];
	size_t n;

	n = (size_t)snprintf(text, size, "%s %s%s", axis_count(sample->count, count),
			     task->y ? "value" : "event", sample->count == 1 ? "" : "s");
	if (misses->not_number)
		n += (size_t)snprintf(text + n, size - n, ", %s not drawn (no number)",
				      axis_count(misses->not_number, count));
	if (misses->no_x)
		n += (size_t)snprintf(text + n, size - n, ", %s not drawn (no %.40s)",
				      axis_count(misses->no_x, count), task->x);
	if (loss->records)
		snprintf(text + n, size - n, ", %s%s lost", loss->unknown ? "at least " : "",
			 axis_count(loss->events, count));
}

static struct slice write_script(const struct chart *chart, const char *file)
{
	char *script = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&script, &size);

	if (!to)
		message_die("cannot write the script: %m");
	chart_write(to, chart, file);
	if (ferror(to) || fclose(to))
		message_die("cannot write the script: %m");
	return (struct slice){ script, size };
}

/* gnuplot ends each page of text with a form feed, which is nothing for a terminal. */
static size_t without_form_feeds(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '\f')
			text[n++] = text[i];
	return n;
}

/* Draws, and hands on what gnuplot has written. False when that failed, which was reported. */
static bool draw(const struct task *task, struct chart *chart)
{
	struct process_output picture;
	struct slice script;
	bool drawn;

	if (task->script) {
		script = write_script(chart, is_standard_output(task) ? NULL : task->file);
		outfile_put(task->out, script);
		free((char *)(uintptr_t)script.at);
		return true;
	}
	script = write_script(chart, NULL);
	drawn = gnuplot_run(script, chart->canvas.picture == PICTURE_WINDOW, &picture);
	free((char *)(uintptr_t)script.at);
	if (drawn && chart->canvas.picture != PICTURE_WINDOW) {
		struct slice bytes = { picture.at, picture.len };

		if (chart->canvas.picture == PICTURE_TEXT)
			bytes.len = without_form_feeds(picture.at, picture.len);
		if (is_standard_output(task))
			outfile_put(task->out, bytes);
		else
			outfile_write(task->file, bytes);
	}
	free(picture.at);
	return drawn;
}

static bool has_display(void)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	if ((x && *x) || (wayland && *wayland))
		return true;
	message("cannot open a window: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); "
		"use -o FILE");
	return false;
}

static void say_what_is_partial(const struct sample *sample)
{
	if (sample->late && (sample->wants & ~(unsigned)SAMPLE_FIRST))
		message("more than %d groups: %d of the largest %d grew late and are drawn with the others",
			COLUMNS_SERIES - 1, sample->late, SAMPLE_DRAWN);
	for (int s = 0; s < sample->n_series; s++)
		if (sample->series[s].partial)
			message("more than %d groups: the first values of '%.*s' are drawn with the others",
				COLUMNS_SERIES - 1, sample->series[s].name.len > 60 ? 60 :
				(int)sample->series[s].name.len, sample->series[s].name.at);
}

int main(int argc, char **argv)
{
	struct task task = { 0 };
	struct gather gather = { 0 };
	const struct option options[] = {
		{ 0, "kind", "KIND", "timeseries (default), histogram, cdf, heatmap, usage, bar, pie, table, "
		  "dashboard, timeline", OPTION_CHOICE, .to = &task.kind, .choices = kinds },
		{ 'x', NULL, "KEY", "what time is; a whole number (default: ts)", OPTION_TEXT,
		  .to = &task.x },
		{ 'y', NULL, "FIELD", "the values; without it, events are counted", OPTION_TEXT,
		  .to = &task.y },
		{ 'g', NULL, "KEY", "draw each value of KEY by itself, the 8 largest and the rest",
		  OPTION_TEXT, .to = &task.group },
		{ 0, "title", "TEXT", "the title", OPTION_TEXT, .to = &task.title },
		{ 'o', NULL, "FILE", "write FILE, a .png, .svg, .pdf or .txt; - is stdout", OPTION_TEXT,
		  .to = &task.file },
		{ 0, "format", "FORMAT", "png, svg, pdf or text, whatever FILE is called", OPTION_CHOICE,
		  .to = &task.format, .choices = formats, .seen = &task.format_seen },
		{ 0, "size", "WxH", "pixels (default: 1200x800), or characters of text", OPTION_TEXT,
		  .to = &task.size },
		{ 0, "show", NULL, "open a window with the picture", OPTION_FLAG, .to = &task.show },
		{ 0, "script", NULL, "write the gnuplot script with its data to stdout instead", OPTION_FLAG,
		  .to = &task.script },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG,
		  .to = &task.strict },
		PROGRESS_OPTIONS(gather.progress, gather.no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "plot-data",
		.does = "draw records as a picture, with gnuplot",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  plot-data -y dur_ns -g comm -o durations.png spans.tskv\n"
			    "  where ev=oncpu <spans.tskv | plot-data --kind usage -g comm -o cpu.svg\n"
			    "  where ev=syscall <spans.tskv | plot-data --kind histogram -y dur_ns\n",
	};
	char **files = options_parse(&program, argv), note[300];
	struct gather_misses misses = { 0 };
	struct loss loss = LOSS;
	struct sample sample;
	struct chart chart;
	struct reader *in;
	bool drawn = true;
	int status;

	(void)argc;
	check_keys(&task);
	gather.x = slice_of(task.x);
	if (task.y)
		gather.y = slice_of(task.y);
	if (task.group)
		gather.group = slice_of(task.group);
	chart = (struct chart){
		.kind = (enum kind)task.kind,
		.title = task.title,
		.x = gather.x,
		.y = slice_of(task.y ? task.y : ""),
		.group = slice_of(task.group ? task.group : ""),
		.note = note,
		.sample = &sample,
		.canvas = choose_canvas(&task, choose_picture(&task)),
	};
	if (task.show && !has_display())
		return EXIT_FAILED;
	if ((is_standard_output(&task) && !task.show) || task.script)	/* a closed stdout is said at once */
		task.out = writer_stdout();
	sample_init(&sample, chart_wants(chart.kind, task.y != NULL), task.group != NULL,
		    task.y && (chart.kind == BAR || chart.kind == PIE || chart.kind == USAGE ||
			       chart.kind == TIMELINE));
	in = reader_open(files, NULL);
	gather_records(&gather, in, &sample, &loss, &misses);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	sample_finish(&sample);
	say_what_is_partial(&sample);
	describe(note, sizeof note, &task, &sample, &misses, &loss);

	if (misses.records && sample.count == 0) {
		message("nothing to draw: of %llu records none has %s%s%s",
			(unsigned long long)misses.records, task.y ? "a number in " : "the time ",
			task.y ? task.y : task.x, task.y && misses.no_x ? ", or a time" : "");
		status = EXIT_FAILED;
	} else if (misses.not_number || misses.no_x) {
		message("not drawn: %llu records without a number in %s, %llu without %s",
			(unsigned long long)misses.not_number, task.y ? task.y : "-y",
			(unsigned long long)misses.no_x, task.x);
	}
	if (!task.show || task.file || task.script)
		drawn = draw(&task, &chart);
	if (task.show && drawn && !task.script) {
		chart.canvas.picture = PICTURE_WINDOW;
		drawn = draw(&task, &chart);
	}
	if (!drawn)
		status = EXIT_FAILED;
	if (loss_report(&loss, "the picture is", task.strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	sample_free(&sample);
	return status;
}
