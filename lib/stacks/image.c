// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/image.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "stacks/inlined.h"

struct function {
	uint64_t start, end;	/* while they are read, end is the section's where it is not sized */
	const char *name;
	bool sized;
	uint8_t binding;
};

struct image {
	Dwfl *dwfl;
	Dwfl_Module *module;
	uint64_t bias;			/* of addresses that libdwfl tells */
	struct segment segments[IMAGE_SEGMENTS];
	size_t n_segments;
	bool fixed, looked;		/* looked: symbols and debug information were looked for */
	struct function *functions;	/* by start */
	size_t n_functions;
	struct inlined *inlined;
};

/* Nobody can change it but root and who runs this. */
static bool is_ours(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (status.st_uid == 0 || status.st_uid == geteuid()) &&
	       (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int copy(int from, off_t size)
{
	int to = memfd_create("image", MFD_CLOEXEC);
	off_t at = 0;

	while (to >= 0 && at < size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(size - at));

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		close(to);
		return -1;
	}
	return to;
}

/* A descriptor for what FD has, that stays as it is. Closes FD. */
static int settle(int fd)
{
	struct stat status;
	int settled = -1;

	if (is_ours(fd))
		return fd;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		errno = EFBIG;
		if (status.st_size <= IMAGE_COPY_MAX)
			settled = copy(fd, status.st_size);
	}
	close(fd);
	return settled;
}

static int find_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word crc, char **debug_file)
{
	int fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, debug_file);

	return fd < 0 ? fd : settle(fd);
}

static char *beside_and_system = ":.debug:/usr/lib/debug", *system_only = "/usr/lib/debug";
static const Dwfl_Callbacks anywhere = {
	.find_elf = dwfl_build_id_find_elf, .find_debuginfo = find_debug_file,
	.section_address = dwfl_offline_section_address, .debuginfo_path = &beside_and_system,
};
static const Dwfl_Callbacks system_debug = {
	.find_elf = dwfl_build_id_find_elf, .find_debuginfo = find_debug_file,
	.section_address = dwfl_offline_section_address, .debuginfo_path = &system_only,
};

static bool read_segments(struct image *image)
{
	GElf_Addr bias;
	GElf_Ehdr header;
	GElf_Phdr segment;
	Elf *elf = dwfl_module_getelf(image->module, &bias);
	size_t n;

	if (!elf || !gelf_getehdr(elf, &header) || (header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
	    elf_getphdrnum(elf, &n) != 0)
		return false;
	image->bias = bias;
	image->fixed = header.e_type == ET_EXEC;
	for (size_t i = 0; i < n && image->n_segments < IMAGE_SEGMENTS; i++)
		if (gelf_getphdr(elf, (int)i, &segment) &&
		    segment.p_type == PT_LOAD && segment.p_flags & PF_X &&
		    segment.p_offset + segment.p_filesz >= segment.p_offset &&
		    segment.p_vaddr + segment.p_filesz >= segment.p_vaddr)
			image->segments[image->n_segments++] =
				(struct segment){ segment.p_offset, segment.p_filesz, segment.p_vaddr };
	return image->n_segments > 0;
}

struct image *image_open(int fd, const char *path)
{
	const Dwfl_Callbacks *callbacks = is_ours(fd) ? &anywhere : &system_debug;
	struct image *image;
	char magic[SELFMAG];

	/* Nothing but ELF: libdwfl would take an archive or a compressed file apart. */
	if (pread(fd, magic, SELFMAG, 0) != SELFMAG || memcmp(magic, ELFMAG, SELFMAG) != 0) {
		close(fd);
		errno = ENOEXEC;
		return NULL;
	}
	fd = settle(fd);
	if (fd < 0)
		return NULL;
	image = memory_zeroed(sizeof *image);
	image->dwfl = dwfl_begin(callbacks);
	if (image->dwfl)
		image->module = dwfl_report_offline(image->dwfl, path, path, fd);
	if (!image->module)
		close(fd);
	if (!image->module || dwfl_report_end(image->dwfl, NULL, NULL) != 0 || !read_segments(image)) {
		image_close(image);
		errno = ENOEXEC;
		return NULL;
	}
	return image;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	inlined_free(image->inlined);
	free(image->functions);
	dwfl_end(image->dwfl);
	free(image);
}

size_t image_segments(const struct image *image, const struct segment **segments)
{
	*segments = image->segments;
	return image->n_segments;
}

bool image_is_fixed(const struct image *image)
{
	return image->fixed;
}

bool image_address(const struct image *image, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];

		if (offset >= segment->offset && offset - segment->offset < segment->size) {
			*address = offset - segment->offset + segment->address;
			return true;
		}
	}
	return false;
}

static bool in_segment(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->n_segments; i++)
		if (address >= image->segments[i].address &&
		    address - image->segments[i].address < image->segments[i].size)
			return true;
	return false;
}

static int rank(uint8_t binding)
{
	return binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
}

/* By address; of several names for one, first the one that people know best. */
static int compare(const void *left, const void *right)
{
	const struct function *a = left, *b = right;
	size_t a_under = strspn(a->name, "_"), b_under = strspn(b->name, "_");

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->sized != b->sized)
		return a->sized ? -1 : 1;
	if (a_under != b_under)
		return a_under < b_under ? -1 : 1;
	if (a->binding != b->binding)
		return rank(a->binding) - rank(b->binding);
	return strcmp(a->name, b->name);
}

static bool is_function(const GElf_Sym *symbol, const char *name)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	/* `$x` and the like mark code and data on some machines. */
	return name && *name && *name != '$' &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

/*
 * One name for each address; a label without a size within a function that has one is not a function, any
 * other reaches to the next, but not beyond its section.
 */
static void tidy(struct image *image)
{
	struct function *at = image->functions;
	uint64_t end = 0;
	size_t n = 0;

	if (image->n_functions)
		qsort(at, image->n_functions, sizeof *at, compare);
	for (size_t i = 0; i < image->n_functions; i++) {
		if ((n && at[i].start == at[n - 1].start) || (!at[i].sized && at[i].start < end))
			continue;
		if (n && !at[n - 1].sized && at[n - 1].end > at[i].start)
			at[n - 1].end = at[i].start;
		if (at[i].sized && at[i].end > end)
			end = at[i].end;
		at[n++] = at[i];
	}
	image->n_functions = n;
}

/* How far it is from SYMBOL to the end of its section. */
static uint64_t to_section_end(Elf *elf, GElf_Word index, const GElf_Sym *symbol)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_getscn(elf, index);

	/* In the file's own addresses, as the symbol's are. */
	return section && gelf_getshdr(section, &header) && symbol->st_value >= header.sh_addr ?
		header.sh_size - (symbol->st_value - header.sh_addr) : 0;
}

static void read_symbols(struct image *image)
{
	int n = dwfl_module_getsymtab(image->module);
	size_t room = 0;

	for (int i = 0; i < n && image->n_functions < IMAGE_SYMBOLS_MAX; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		GElf_Word section;
		Elf *elf;
		const char *name = dwfl_module_getsym_info(image->module, i, &symbol, &address, &section,
							   &elf, NULL);
		uint64_t start = address - image->bias, end;

		if (!is_function(&symbol, name) || !in_segment(image, start))
			continue;
		end = start + (symbol.st_size ? symbol.st_size : to_section_end(elf, section, &symbol));
		if (end <= start)
			continue;
		image->functions = memory_grow(image->functions, &room, image->n_functions + 1,
					       sizeof *image->functions);
		image->functions[image->n_functions++] = (struct function){
			start, end, name, symbol.st_size > 0, (uint8_t)GELF_ST_BIND(symbol.st_info) };
	}
	tidy(image);
}

static const char *find_symbol(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->n_functions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* It may lie behind a function within another. */
	for (size_t i = low; i > 0 && low - i < 16; i--)
		if (address < image->functions[i - 1].end)
			return image->functions[i - 1].name;
	return NULL;
}

size_t image_functions(struct image *image, uint64_t address, const char *names[IMAGE_INLINED])
{
	const char *symbol;
	size_t n;

	if (!image->looked) {
		image->looked = true;
		read_symbols(image);
		image->inlined = inlined_new(image->module);
	}
	symbol = find_symbol(image, address);
	n = inlined_find(image->inlined, address + image->bias, names, IMAGE_INLINED);
	if (symbol) {
		names[0] = symbol;
		return n ? n : 1;
	}
	return n;
}

Dwarf_Frame *image_frame(struct image *image, uint64_t address)
{
	Dwarf_Addr bias;
	Dwarf_CFI *cfi = dwfl_module_eh_cfi(image->module, &bias);
	Dwarf_Frame *frame;

	if (cfi && dwarf_cfi_addrframe(cfi, address + image->bias - bias, &frame) == 0)
		return frame;
	cfi = dwfl_module_dwarf_cfi(image->module, &bias);
	return cfi && dwarf_cfi_addrframe(cfi, address + image->bias - bias, &frame) == 0 ? frame : NULL;
}
