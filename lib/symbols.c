// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf zlib
// library: iberty
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "demangle.h"
#include "intern.h"
#include "kallsyms.h"
#include "memory.h"
#include "message.h"
#include "space.h"
#include "table.h"
#include "writer.h"

enum { MANGLED = 4096 };	/* bytes of a name that are looked at; those of C++ can be long */

/* What an address of a file was found to be. */
struct found {
	uint32_t text;		/* number of its frames in `texts` */
	bool known, replaced;
};

struct buffer {
	char *at;
	size_t len, room;
};

struct symbols {
	struct images *images;
	struct kallsyms *kernel;
	struct table *spaces;		/* pid -> struct space * */
	struct space **saved;
	size_t n_saved, saved_room;
	uint64_t uses;
	struct table *found;		/* image and address -> struct found */
	struct intern *texts;
	size_t text_bytes;
	struct buffer stack, frame;
	struct symbols_counts counts;
};

struct symbols *symbols_new(void)
{
	struct symbols *symbols = memory_zeroed(sizeof *symbols);

	symbols->images = images_new();
	symbols->spaces = table_new(sizeof(struct space *));
	symbols->found = table_new(sizeof(struct found));
	symbols->texts = intern_new();
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	uint64_t *pids;

	if (!symbols)
		return;
	pids = table_keys(symbols->spaces);
	for (size_t i = 0, n = table_count(symbols->spaces); i < n; i++)
		space_free(*(struct space **)table_find(symbols->spaces, pids[i]));
	free(pids);
	for (size_t i = 0; i < symbols->n_saved; i++)
		space_free(symbols->saved[i]);
	free(symbols->saved);
	images_free(symbols->images);
	kallsyms_free(symbols->kernel);
	table_free(symbols->spaces);
	table_free(symbols->found);
	intern_free(symbols->texts);
	free(symbols->stack.at);
	free(symbols->frame.at);
	free(symbols);
}

bool symbols_kernel(struct symbols *symbols, const char *file)
{
	const char *path = file ? file : "/proc/kallsyms";

	kallsyms_free(symbols->kernel);
	symbols->kernel = kallsyms_read(path);
	if (symbols->kernel)
		return true;
	if (errno == EPERM)
		message("cannot name the kernel's functions: %s shows no addresses; %s", path, file ?
			"copy it as root" : "run as root, or have kernel.kptr_restrict=1 or 0");
	else
		message("cannot read %s: %s", path, errno == EINVAL ? "it is no list of kernel symbols" : strerror(errno));
	if (file)
		exit(EXIT_FAILED);
	return false;
}

/* Room for one more: the process not asked for for longest goes. */
static void forget_oldest(struct symbols *symbols)
{
	uint64_t *pids = table_keys(symbols->spaces);
	struct space *oldest = NULL;

	for (size_t i = 0, n = table_count(symbols->spaces); i < n; i++) {
		struct space *space = *(struct space **)table_find(symbols->spaces, pids[i]);

		if (!oldest || space->used < oldest->used)
			oldest = space;
	}
	free(pids);
	symbols_exec(symbols, oldest->pid);
}

struct space *symbols_process(struct symbols *symbols, int64_t pid)
{
	struct space **at = table_find(symbols->spaces, (uint64_t)pid);

	if (at && !space_is_current(*at)) {
		symbols_exec(symbols, pid);
		at = NULL;
	}
	if (!at) {
		struct space *space = space_new(symbols->images, pid);

		if (table_count(symbols->spaces) >= SYMBOLS_SPACES)
			forget_oldest(symbols);
		at = table_at(symbols->spaces, (uint64_t)pid);
		*at = space;
	}
	(*at)->used = ++symbols->uses;
	return *at;
}

void symbols_exec(struct symbols *symbols, int64_t pid)
{
	struct space **at = table_find(symbols->spaces, (uint64_t)pid);

	if (at) {
		space_free(*at);
		table_remove(symbols->spaces, (uint64_t)pid);
	}
}

struct space *symbols_saved(struct symbols *symbols, const char *maps)
{
	struct space *space = space_saved();
	size_t line;
	int fd, error;

	symbols->saved = memory_grow(symbols->saved, &symbols->saved_room, symbols->n_saved + 1,
				     sizeof(struct space *));
	symbols->saved[symbols->n_saved++] = space;
	if (!maps)
		return space;
	fd = open(maps, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		message_die("cannot open %s: %s", maps, strerror(errno));
	error = space_saved_maps(space, symbols->images, fd, &line);
	close(fd);
	if (error == EINVAL)
		message_die("%s, line %zu: no line of /proc/PID/maps", maps, line);
	if (error)
		message_die("cannot read %s: %s", maps, strerror(error));
	return space;
}

void symbols_saved_elf(struct symbols *symbols, struct space *space, const char *elf, uint64_t base)
{
	int error = space_saved_elf(space, symbols->images, elf, base);

	if (error)
		message_die("cannot read %s: %s", elf,
			    error == ENOEXEC ? "it is no ELF program or library" : strerror(error));
}

static void append(struct buffer *buffer, const char *at, size_t len)
{
	buffer->at = memory_grow(buffer->at, &buffer->room, buffer->len + len + 1, 1);
	memcpy(buffer->at + buffer->len, at, len);
	buffer->len += len;
}

/* NAME as a part of a frame: escaped, and what would end the frame too. */
static void append_name(struct buffer *buffer, struct slice name)
{
	buffer->at = memory_grow(buffer->at, &buffer->room, buffer->len + 4 * name.len + 1, 1);
	while (name.len) {
		const char *semicolon = memchr(name.at, ';', name.len);
		size_t n = semicolon ? (size_t)(semicolon - name.at) : name.len;

		buffer->len += writer_escape(buffer->at + buffer->len, (struct slice){ name.at, n });
		if (semicolon) {
			append(buffer, "\\x3b", 4);
			n++;
		}
		name = (struct slice){ name.at + n, name.len - n };
	}
}

/* A frame of its own, with the name as people know it. */
static void append_function(struct buffer *buffer, struct slice name)
{
	char mangled[MANGLED + 1], plain[SYMBOLS_FRAME];
	size_t len = name.len < MANGLED ? name.len : MANGLED;
	bool cut;

	memcpy(mangled, name.at, len);
	mangled[len] = '\0';
	len = demangle(mangled, plain, sizeof plain);
	if (len)
		name = (struct slice){ plain, len };
	cut = name.len >= SYMBOLS_FRAME;
	if (cut)
		for (name.len = SYMBOLS_FRAME - 3; name.len && (name.at[name.len] & 0xc0) == 0x80; name.len--)
			;
	if (buffer->len)
		append(buffer, ";", 1);
	append_name(buffer, name);
	if (cut)
		append(buffer, "...", 3);
}

static void append_unknown(struct buffer *buffer, struct slice module, uint64_t offset)
{
	char text[32];

	append(buffer, "[", 1);
	append_name(buffer, module);
	append(buffer, text, (size_t)snprintf(text, sizeof text, "+0x%" PRIx64 "]", offset));
}

/* `[anon]`, `[stack]`, or the name of the file without its directory. */
static struct slice module_name(const struct mapping *mapping)
{
	struct slice path = mapping->path;

	if (path.len == 0)
		return SLICE("anon");
	if (path.at[0] == '[' && path.at[path.len - 1] == ']')
		return (struct slice){ path.at + 1, path.len - 2 };
	return maps_base_name(path);
}

/* All texts go when there are too many: the numbers of texts go with them. */
static void make_room(struct symbols *symbols)
{
	if (table_count(symbols->found) < SYMBOLS_CACHED && symbols->text_bytes < SYMBOLS_TEXT)
		return;
	table_free(symbols->found);
	intern_free(symbols->texts);
	symbols->found = table_new(sizeof(struct found));
	symbols->texts = intern_new();
	symbols->text_bytes = 0;
}

/* Writes what OFFSET of the mapped file is to `frame`; false: it has no name. */
static bool look_up(struct symbols *symbols, const struct mapping *mapping, uint64_t offset, bool *replaced)
{
	struct image *image = images_at(symbols->images, mapping->image, replaced);
	const char *names[IMAGE_INLINED];
	uint64_t address;
	size_t n = image && image_address(image, offset, &address) ? image_functions(image, address, names) : 0;

	/* Without the version of a symbol: `name@@VERSION`. */
	for (size_t i = 0; i < n; i++)
		append_function(&symbols->frame, (struct slice){ names[i], strcspn(names[i], "@") });
	return n > 0;
}

static void remember(struct symbols *symbols, uint64_t key, bool known, bool replaced)
{
	struct slice text = { symbols->frame.at, symbols->frame.len };
	struct found *found;
	uint32_t before;

	make_room(symbols);
	before = intern_count(symbols->texts);
	found = table_at(symbols->found, key);
	*found = (struct found){ intern_id(symbols->texts, text), known, replaced };
	if (intern_count(symbols->texts) > before)
		symbols->text_bytes += text.len;
}

static void count(struct symbols *symbols, bool known, bool replaced)
{
	symbols->counts.frames++;
	symbols->counts.unknown += !known;
	symbols->counts.replaced += replaced;
}

/* An address of a file. The frames of a return address are those of the call, which lies before it. */
static struct slice file_address(struct symbols *symbols, const struct mapping *mapping, uint64_t address,
				 bool returns)
{
	uint64_t offset = address - mapping->start + mapping->offset, place = offset - returns;
	bool cached = place >> 47 == 0, known, replaced;
	uint64_t key = (uint64_t)mapping->image << 48 | place << 1 | returns;
	const struct found *found = cached ? table_find(symbols->found, key) : NULL;

	if (found) {
		count(symbols, found->known, found->replaced);
		return intern_text(symbols->texts, found->text);
	}
	known = look_up(symbols, mapping, place, &replaced);
	if (!known)
		append_unknown(&symbols->frame, module_name(mapping), offset);
	if (cached)
		remember(symbols, key, known, replaced);
	count(symbols, known, replaced);
	return (struct slice){ symbols->frame.at, symbols->frame.len };
}

static struct slice user_address(struct symbols *symbols, struct space *space, uint64_t address, bool returns)
{
	const struct mapping *mapping = maps_find(&space->maps, address - returns);
	struct slice name;
	bool known;

	if (!mapping && space_again(space, symbols->images))
		mapping = maps_find(&space->maps, address - returns);
	if (mapping && mapping->image != IMAGES_NONE)
		return file_address(symbols, mapping, address, returns);
	known = mapping && space_made(space, address - returns, &name);
	if (known) {
		append_function(&symbols->frame, name);
	} else if (mapping) {
		append_unknown(&symbols->frame, module_name(mapping), address - mapping->start + mapping->offset);
	} else {
		append_unknown(&symbols->frame, SLICE("unmapped"), address);
	}
	count(symbols, known, false);
	return (struct slice){ symbols->frame.at, symbols->frame.len };
}

static struct slice kernel_address(struct symbols *symbols, uint64_t address, bool returns)
{
	struct slice name;
	bool known = symbols->kernel && kallsyms_find(symbols->kernel, address - returns, &name);

	if (known)
		append_function(&symbols->frame, name);
	else
		append_unknown(&symbols->frame, SLICE("kernel"), address);
	count(symbols, known, false);
	return (struct slice){ symbols->frame.at, symbols->frame.len };
}

struct slice symbols_address(struct symbols *symbols, struct space *space, uint64_t address, bool returns)
{
	symbols->frame.len = 0;
	return space ? user_address(symbols, space, address, returns && address) :
		       kernel_address(symbols, address, returns && address);
}

struct slice symbols_stack(struct symbols *symbols, struct space *space, const struct stack *stack)
{
	struct buffer *text = &symbols->stack;
	size_t n = stack->users + stack->kernels;

	text->len = 0;
	if (stack->truncated)
		append(text, "[truncated]", 11);
	for (size_t i = n; i-- > 0;) {
		bool kernel = i < stack->kernels;
		uint64_t address = kernel ? stack->kernel[i] : stack->user[i - stack->kernels];
		/* The innermost of the user's too is where it went into the kernel: no call. */
		bool returns = stack->leaf_returns || (i != 0 && i != stack->kernels);
		struct slice frames = symbols_address(symbols, kernel ? NULL : space, address, returns);

		if (text->len)
			append(text, ";", 1);
		append(text, frames.at, frames.len);
	}
	symbols->counts.stacks++;
	symbols->counts.truncated += stack->truncated;
	return (struct slice){ text->at ? text->at : "", text->len };
}

const struct symbols_counts *symbols_counts(const struct symbols *symbols)
{
	return &symbols->counts;
}

static double percent(uint64_t part, uint64_t whole)
{
	return 100.0 * (double)part / (double)whole;
}

void symbols_report(const struct symbols *symbols)
{
	const struct symbols_counts *c = &symbols->counts;

	if (c->unknown)
		message("%" PRIu64 " of %" PRIu64 " frames (%.1f %%) have no name",
			c->unknown, c->frames, percent(c->unknown, c->frames));
	if (c->replaced)
		message("%" PRIu64 " frames have no name because their file was replaced", c->replaced);
	if (c->truncated)
		message("%" PRIu64 " of %" PRIu64 " stacks (%.1f %%) are truncated", c->truncated, c->stacks,
			percent(c->truncated, c->stacks));
}
