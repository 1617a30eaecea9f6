// SPDX-License-Identifier: MIT
#include "charts/axis.h"

#include <math.h>
#include <time.h>

#include "base/number.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)

struct scale {
	double from;		/* values from here on are in this unit */
	double is;
	const char *name;
};

static const struct scale durations[] = {
	{ 3600e9, 3600e9, "h" }, { 600e9, 60e9, "min" }, { 1e9, 1e9, "s" }, { 1e6, 1e6, "ms" },
	{ 1e3, 1e3, "\302\265s" }, { 0, 1, "ns" },
};
/* Tics that stand together on a logarithmic axis are powers of ten up to the end. */
static const struct scale decimal_durations[] = {
	{ 1e9, 1e9, "s" }, { 1e6, 1e6, "ms" }, { 1e3, 1e3, "\302\265s" }, { 0, 1, "ns" },
};
static const struct scale sizes[] = {
	{ 0x1p60, 0x1p60, "EiB" }, { 0x1p50, 0x1p50, "PiB" }, { 0x1p40, 0x1p40, "TiB" },
	{ 0x1p30, 0x1p30, "GiB" }, { 0x1p20, 0x1p20, "MiB" }, { 0x1p10, 0x1p10, "KiB" }, { 0, 1, "B" },
};
static const struct scale plain[] = {
	{ 1e15, 0, "" }, { 1e12, 1e12, "T" }, { 1e9, 1e9, "G" }, { 1e6, 1e6, "M" }, { 1e4, 1e3, "k" },
	{ 0, 1, "" },
};

static bool ends_in(struct slice key, const char *end)
{
	size_t n = strlen(end);

	return key.len >= n && memcmp(key.at + key.len - n, end, n) == 0;
}

enum unit axis_unit(struct slice key)
{
	if (slice_equal(key, SLICE("ts")) || ends_in(key, "_ts"))
		return UNIT_TIME;
	return ends_in(key, "_ns") ? UNIT_NS : ends_in(key, "bytes") ? UNIT_BYTES : UNIT_NONE;
}

static const struct scale *scale_of(enum unit unit, double value)
{
	const struct scale *scale = unit == UNIT_NS ? durations : unit == UNIT_BYTES ? sizes : plain;

	for (value = fabs(value) * (1 + 1e-12); value < scale->from; scale++)
		;
	return scale;
}

/* At most 24 bytes with the NUL. */
static void put_text(double value, const struct scale *scale, int digits, char *text)
{
	if (scale->is == 0)
		snprintf(text, 24, "%.*g", digits, value);
	else
		snprintf(text, 24, "%.*g%s%s", digits, value / scale->is, *scale->name ? " " : "", scale->name);
}

const char *axis_text(double value, enum unit unit, char *text)
{
	const struct scale *scale = scale_of(unit, value);

	put_text(value, scale, 4, text);
	return text;
}

const char *axis_estimate(double value, enum unit unit, char *text)
{
	static const char about[] = "\u2248";
	const struct scale *scale = scale_of(unit, value);

	memcpy(text, about, sizeof about - 1);
	/* Three digits of 1.0 to 1023. */
	put_text(value, scale, scale->is != 0 && fabs(value / scale->is) >= 1000 ? 4 : 3, text + sizeof about - 1);
	return text;
}

const char *axis_count(uint64_t count, char *text)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), to = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			text[to++] = ',';
		text[to++] = digits[i];
	}
	text[to] = '\0';
	return text;
}

/* The place of 0 on a logarithmic axis is this far below the least value. */
static double zero_gap(const struct axis *axis)
{
	return 0.09 * (log10(axis->high) - log10(axis->low));
}

double axis_place(const struct axis *axis, double value)
{
	if (!axis->log)
		return value;
	return value > 0 ? log10(value) : log10(axis->low) - zero_gap(axis);
}

struct axis axis_for(enum unit unit, double min, double max, double least, bool zeros, bool from_zero)
{
	struct axis axis = { .unit = unit, .low = min, .high = max, .tics = 7 };

	/* Values may be as large as a double: halves, so that no difference is infinite. */
	if (min >= 0 && least > 0 && max / AXIS_DECADES_RATIO >= least) {
		double span = log10(max) - log10(least);

		axis.log = true;
		axis.zero = zeros;
		axis.low = fmax(least * pow(10, -0.02 * span), 1e-307);
		axis.high = fmin(max * pow(10, 0.04 * span), 1e308);
		return axis;
	}
	if (min >= 0 && from_zero)
		axis.low = 0;
	if (axis.high / 2 - axis.low / 2 <= 1e-12 * fmax(fabs(axis.high), fabs(axis.low))) {
		double pad = axis.high == 0 ? 1 : fabs(axis.high) * 0.1;

		axis.low -= pad;
		axis.high += pad;
	} else {
		double pad = (axis.high / 2 - axis.low / 2) * 0.1;

		axis.high = fmin(axis.high + pad, 1e308);
		if (axis.low != 0 || !from_zero)
			axis.low = fmax(axis.low - pad, -1e308);
	}
	return axis;
}

struct axis axis_of_x(enum unit unit, int64_t min, int64_t max, int tics)
{
	struct axis axis = { .unit = unit, .tics = tics };
	double span = (double)((uint64_t)max - (uint64_t)min);

	if (unit == UNIT_TIME) {
		axis.origin = min;
		span /= 1e9;
		axis.low = -0.01 * span;
		axis.high = 1.01 * span;
	} else {
		axis.low = (double)min - 0.01 * span;
		axis.high = (double)max + 0.01 * span;
	}
	if (axis.low >= axis.high) {
		double pad = unit == UNIT_TIME ? 0.5 : fmax(fabs(axis.low) * 1e-3, 1);

		axis.low -= pad;
		axis.high += pad;
	}
	return axis;
}

void axis_write_x(FILE *script, const struct axis *axis, int64_t x, uint64_t half)
{
	char text[NUMBER_TEXT];

	if (axis->unit == UNIT_TIME) {
		__int128 ns = (__int128)x + half / 2 - axis->origin;
		uint64_t size = (uint64_t)(ns < 0 ? -ns : ns);

		fprintf(script, "%s%llu.%09llu", ns < 0 ? "-" : "", (unsigned long long)(size / SECOND),
			(unsigned long long)(size % SECOND));
		return;
	}
	fwrite(text, 1, number_put_i64(text, (int64_t)((uint64_t)x + half / 2)), script);
}

/* 1, 2 or 5 times a power of ten, not below STEP. */
static double nice(double step)
{
	double power = pow(10, floor(log10(step)));
	double digit = step / power;

	return power * (digit <= 1.0000001 ? 1 : digit <= 2.0000001 ? 2 : digit <= 5.0000001 ? 5 : 10);
}

/* One tic: `"TEXT" PLACE`. Texts are ours, but for the micro sign plain ASCII. */
static void tic(FILE *script, bool *first, const char *text, double place)
{
	fprintf(script, "%s\"%s\" %.15g", *first ? "" : ", ", text, place);
	*first = false;
}

static void linear_tics(FILE *script, const struct axis *axis)
{
	double largest = fmax(fabs(axis->low), fabs(axis->high));
	const struct scale *scale = scale_of(axis->unit, largest);
	double is = scale->is != 0 ? scale->is : 1;
	double step = nice((axis->high / is - axis->low / is) / axis->tics);
	int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
	bool first = true;

	for (double n = ceil(axis->low / is / step); n * step <= axis->high / is; n++) {
		char text[64];

		if (n == 0 || axis->unit == UNIT_NONE || axis->unit == UNIT_COUNT) {
			if (n != 0 && (fabs(n * step) >= 1e6 || decimals > 6))
				snprintf(text, sizeof text, "%.10g%s%s", n * step, *scale->name ? " " : "",
					 scale->name);
			else
				snprintf(text, sizeof text, "%.*f%s%s", n == 0 ? 0 : decimals, n * step + 0.0,
					 n != 0 && *scale->name ? " " : "", n != 0 ? scale->name : "");
		} else {
			snprintf(text, sizeof text, "%.*f %s", decimals, n * step, scale->name);
		}
		tic(script, &first, text, axis_place(axis, n * step * is));
		if (n > 1e15)		/* n + 1 == n: the range is narrower than a double tells apart */
			break;
	}
}

static void decimal_text(const struct axis *axis, double value, char *text)
{
	const struct scale *scale = decimal_durations;

	if (axis->unit != UNIT_NS) {
		axis_text(value, axis->unit, text);
		return;
	}
	while (value * (1 + 1e-12) < scale->from)
		scale++;
	snprintf(text, AXIS_TEXT, "%.4g %s", value / scale->is, scale->name);
}

static void log_tics(FILE *script, const struct axis *axis)
{
	/* Bytes go by powers of two, all else by powers of ten. */
	double base = axis->unit == UNIT_BYTES ? 2 : 10;
	double low = log(axis->low) / log(base), high = log(axis->high) / log(base);
	static const int strides[] = { 1, 2, 3, 5, 10, 20, 50, 100, 500 };
	int stride = 0;
	char text[AXIS_TEXT];
	bool first = true;

	while ((high - low) / strides[stride] > axis->tics + 2)
		stride++;
	if (axis->zero)
		tic(script, &first, "0", axis_place(axis, 0));
	if (base > 2 && high - low < 1.5) {
		linear_tics(script, axis);
		return;
	}
	for (double k = floor(low); k <= high; k++) {
		if (k >= low && fmod(k, strides[stride]) == 0) {
			decimal_text(axis, pow(base, k), text);
			tic(script, &first, text, log10(pow(base, k)));
		}
		for (int minor = 2; base > 2 && strides[stride] == 1 && minor < 10; minor++) {
			double value = pow(base, k) * minor;
			bool labelled = high - low < 3 && (minor == 2 || minor == 5);

			if (value < axis->low || value > axis->high)
				continue;
			decimal_text(axis, value, text);
			tic(script, &first, labelled ? text : "", log10(value));
			if (!labelled)
				fputs(" 1", script);
		}
	}
}

static int64_t time_step(double seconds)
{
	static const int64_t steps[] = {
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
		2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 182 * 86400, 365 * 86400,
	};

	if (seconds < 0.5)
		return (int64_t)llround(fmax(nice(fmax(seconds * 1e9, 1)), 1));
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if ((double)steps[i] >= seconds)
			return steps[i] * SECOND;
	return (int64_t)(nice(seconds / (365 * 86400)) * 365 * 86400) * SECOND;
}

static int64_t floor_to(int64_t x, int64_t unit)
{
	int64_t rest = x % unit;

	return x - (rest < 0 ? rest + unit : rest);
}

/* Steps below a tenth of a second are told from a moment that the note names. */
static int64_t offset_unit(int64_t step)
{
	return step >= SECOND / 10 ? 0 : step >= 1000000 ? SECOND : step >= 1000 ? 1000000 : 1000;
}

static void time_text(char *text, size_t size, const char *format, int64_t ns)
{
	time_t seconds = (time_t)(floor_to(ns, SECOND) / SECOND);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, size, format, &tm) == 0)
		snprintf(text, size, "%lld", (long long)seconds);
}

static void time_tic_text(char *text, size_t size, int64_t at, int64_t step, int64_t origin)
{
	int64_t unit = offset_unit(step), base = unit ? floor_to(origin, unit) : 0;
	size_t n;

	if (unit) {
		snprintf(text, size, "%+lld %s", (long long)((at - base) / (unit / 1000)),
			 unit == SECOND ? "ms" : unit == 1000000 ? "\302\265s" : "ns");
		return;
	}
	if (step >= DAY || (floor_to(at, DAY) == at && step >= 3600 * SECOND))
		time_text(text, size, step >= 28 * DAY ? "%Y-%m-%d" : "%m-%d", at);
	else
		time_text(text, size, step >= 60 * SECOND ? "%H:%M" : "%H:%M:%S", at);
	n = strlen(text);
	if (step < SECOND)
		snprintf(text + n, size - n, ".%lld", (long long)((at - floor_to(at, SECOND)) / (SECOND / 10)));
}

static int64_t time_step_of(const struct axis *axis)
{
	return time_step((axis->high - axis->low) / axis->tics);
}

/* A moment on a time axis; cut where its margins leave what an int64 holds. */
static int64_t moment(const struct axis *axis, double seconds)
{
	double at = (double)axis->origin + seconds * 1e9;

	if (at >= 9.2e18)
		return 9200000000000000000;
	return at <= 0 ? 0 : axis->origin + (int64_t)(seconds * 1e9);
}

static void time_tics(FILE *script, const struct axis *axis)
{
	int64_t step = time_step_of(axis), from = moment(axis, axis->low), to = moment(axis, axis->high);
	bool first = true;

	for (int64_t at = floor_to(from, step); at <= to; at += step) {
		char text[64];

		if (at >= from) {
			time_tic_text(text, sizeof text, at, step, axis->origin);
			tic(script, &first, text, (double)(at - axis->origin) / 1e9);
		}
		if (at > INT64_MAX - step)
			break;
	}
}

const char *axis_note(const struct axis *axis, char *text)
{
	char from[32], to[32], base[32] = "";
	int64_t step, unit;

	*text = '\0';
	if (axis->unit != UNIT_TIME)
		return text;
	step = time_step_of(axis);
	unit = offset_unit(step);
	time_text(from, sizeof from, "%Y-%m-%d", axis->origin);
	time_text(to, sizeof to, "%Y-%m-%d", moment(axis, axis->high / 1.01));
	if (unit) {
		int64_t at = floor_to(axis->origin, unit), fraction = at - floor_to(at, SECOND);

		time_text(base, sizeof base, "%H:%M:%S", at);
		if (unit == 1000000)
			snprintf(base + strlen(base), 8, ".%03u", (unsigned)(fraction / 1000000) % 1000);
		else if (unit == 1000)
			snprintf(base + strlen(base), 8, ".%06u", (unsigned)(fraction / 1000) % 1000000);
		snprintf(text, AXIS_NOTE, "after %s %s UTC", from, base);
	} else if (strcmp(from, to) == 0 || step >= 28 * DAY) {
		snprintf(text, AXIS_NOTE, step >= 28 * DAY ? "UTC" : "UTC, %s", from);
	} else {
		snprintf(text, AXIS_NOTE, "UTC, %s to %s", from, to);
	}
	return text;
}

void axis_write(FILE *script, const char *which, const struct axis *axis)
{
	double low = axis->log ? log10(axis->low) : axis->low, high = axis->log ? log10(axis->high) : axis->high;

	if (axis->log && axis->zero)
		low = axis_place(axis, 0) - zero_gap(axis) / 3;
	fprintf(script, "set %srange [%.15g:%.15g]\nset %stics (", which, low, high, which);
	if (axis->unit == UNIT_TIME)
		time_tics(script, axis);
	else if (axis->log)
		log_tics(script, axis);
	else
		linear_tics(script, axis);
	fputs(")\n", script);
	if (axis->log)
		fprintf(script, "at_%s(v) = v > 0 ? log10(v) : v == 0 ? %.15g : NaN\n", which,
			axis_place(axis, 0));
	else
		fprintf(script, "at_%s(v) = v\n", which);
}
