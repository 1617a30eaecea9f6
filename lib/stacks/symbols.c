// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf zlib
// library: iberty
#include "stacks/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "records/writer.h"
#include "stacks/demangle.h"
#include "stacks/kallsyms.h"
#include "stacks/space.h"
#include "stacks/stack.h"
#include "stacks/unwind.h"

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

/* A program as symbols_note() has captured it. */
struct noted {
	struct space *space;
	uint64_t exec;
};

struct symbols {
	struct images *images;
	struct kallsyms *kernel;
	struct table *spaces;		/* pid and exec -> struct space * */
	struct table *last_exec;	/* pid -> the exec that was seen last */
	struct space **saved;
	size_t n_saved, saved_room;
	uint64_t uses;
	struct table *found;		/* image and address -> struct found */
	struct intern *texts;
	size_t text_bytes;
	struct buffer stack, frame;
	struct symbols_counts counts;

	struct intern *sent;		/* files that symbols_note() has told of; its thread's */
	pthread_mutex_t lock;		/* for the next */
	struct noted *noted;
	_Atomic size_t n_noted;		/* also looked at without the lock: is there any? */
	size_t noted_room;
};

struct symbols *symbols_new(void)
{
	struct symbols *symbols = memory_zeroed(sizeof *symbols);

	symbols->images = images_new();
	symbols->spaces = table_new(sizeof(struct space *));
	symbols->last_exec = table_new(sizeof(uint64_t));
	symbols->found = table_new(sizeof(struct found));
	symbols->texts = intern_new();
	pthread_mutex_init(&symbols->lock, NULL);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	uint64_t *keys;

	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->n_noted; i++)
		space_free(symbols->noted[i].space);
	free(symbols->noted);
	keys = table_keys(symbols->spaces);
	for (size_t i = 0, n = table_count(symbols->spaces); i < n; i++)
		space_free(*(struct space **)table_find(symbols->spaces, keys[i]));
	free(keys);
	for (size_t i = 0; i < symbols->n_saved; i++)
		space_free(symbols->saved[i]);
	free(symbols->saved);
	images_free(symbols->images);
	kallsyms_free(symbols->kernel);
	table_free(symbols->spaces);
	table_free(symbols->last_exec);
	table_free(symbols->found);
	intern_free(symbols->texts);
	intern_free(symbols->sent);
	pthread_mutex_destroy(&symbols->lock);
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
		message("cannot read %s: %s", path,
			errno == EINVAL ? "it is no list of kernel symbols" : strerror(errno));
	if (file)
		exit(EXIT_FAILED);
	return false;
}

static uint64_t program_key(int64_t pid, uint64_t exec)
{
	return (uint64_t)pid << 32 | (exec & UINT32_MAX);
}

static void forget(struct symbols *symbols, uint64_t key)
{
	struct space **at = table_find(symbols->spaces, key);

	if (at)
		space_free(*at);
	table_remove(symbols->spaces, key);
}

/* Room for one more: the program not asked for for longest goes. */
static void forget_oldest(struct symbols *symbols)
{
	uint64_t *keys = table_keys(symbols->spaces), oldest = 0, used = UINT64_MAX;

	for (size_t i = 0, n = table_count(symbols->spaces); i < n; i++) {
		const struct space *space = *(struct space **)table_find(symbols->spaces, keys[i]);

		if (space->used < used) {
			used = space->used;
			oldest = keys[i];
		}
	}
	free(keys);
	forget(symbols, oldest);
}

/* A program as it was captured; the one before in the same process is not looked at any more. */
static struct space **add_program(struct symbols *symbols, struct space *space, uint64_t exec)
{
	uint64_t key = program_key(space->pid, exec), *last;
	struct space **at = table_find(symbols->spaces, key);

	space_adopt(space, symbols->images);
	/* It may be that nothing is to be seen of it any more. */
	if (at && space->maps.n == 0) {
		space_free(space);
		return at;
	}
	forget(symbols, key);
	if (table_count(symbols->spaces) >= SYMBOLS_SPACES)
		forget_oldest(symbols);
	if (table_count(symbols->last_exec) >= SYMBOLS_SPACES) {
		table_free(symbols->last_exec);
		symbols->last_exec = table_new(sizeof(uint64_t));
	}
	last = table_at(symbols->last_exec, (uint64_t)space->pid);
	at = table_find(symbols->spaces, program_key(space->pid, *last));
	if (at && *last != exec)
		space_settle(*at);
	*last = exec;
	space->used = ++symbols->uses;
	at = table_at(symbols->spaces, key);
	*at = space;
	return at;
}

void symbols_note(struct symbols *symbols, int64_t pid, uint64_t exec)
{
	struct space *space;

	if (!symbols->sent)
		symbols->sent = intern_new();
	space = space_new(pid, symbols->sent);
	pthread_mutex_lock(&symbols->lock);
	if (symbols->n_noted < SYMBOLS_NOTED) {
		symbols->noted = memory_grow(symbols->noted, &symbols->noted_room, symbols->n_noted + 1,
					     sizeof *symbols->noted);
		symbols->noted[symbols->n_noted++] = (struct noted){ space, exec };
		space = NULL;
	}
	pthread_mutex_unlock(&symbols->lock);
	space_free(space);
}

static void take_noted(struct symbols *symbols)
{
	struct noted *noted;
	size_t n;

	if (!symbols->n_noted)
		return;
	pthread_mutex_lock(&symbols->lock);
	noted = symbols->noted;
	n = symbols->n_noted;
	symbols->noted = NULL;
	symbols->n_noted = symbols->noted_room = 0;
	pthread_mutex_unlock(&symbols->lock);
	for (size_t i = 0; i < n; i++)
		add_program(symbols, noted[i].space, noted[i].exec);
	free(noted);
}

struct space *symbols_program(struct symbols *symbols, int64_t pid, uint64_t exec)
{
	struct space **at;

	take_noted(symbols);
	at = table_find(symbols->spaces, program_key(pid, exec));
	if (at && !space_is_current(*at)) {
		forget(symbols, program_key(pid, exec));
		at = NULL;
	}
	if (!at)
		at = add_program(symbols, space_new(pid, NULL), exec);
	(*at)->used = ++symbols->uses;
	return *at;
}

struct space *symbols_process(struct symbols *symbols, int64_t pid)
{
	return symbols_program(symbols, pid, 0);
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

/* NAME as a part of a frame, and that as it stands in a record: two escapes. */
static void append_name(struct buffer *buffer, struct slice name)
{
	char *part = memory_get(4 * name.len + 1);
	size_t len = stack_escape(part, name, true);

	buffer->at = memory_grow(buffer->at, &buffer->room, buffer->len + 4 * len + 1, 1);
	buffer->len += writer_escape(buffer->at + buffer->len, (struct slice){ part, len });
	free(part);
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

size_t symbols_unwind(struct symbols *symbols, struct space *space, const struct unwind *unwind,
		      uint64_t *addresses, size_t max, bool *whole)
{
	return unwind_stack(unwind, symbols->images, space, addresses, max, whole);
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
