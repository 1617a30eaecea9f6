// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/unwind.h"

#include <dwarf.h>
#include <stdlib.h>

/*
 * What calls keep: the registers that a function must give back as they were. The others are of no use for
 * finding callers.
 */
#if defined(__x86_64__)
enum { FRAME_POINTER = 6, STACK_POINTER = 7, COUNT = 17, BITS = 64 };
static const uint8_t kept[] = { 3, 6, 12, 13, 14, 15, 16 };
#elif defined(__aarch64__)
enum { FRAME_POINTER = 29, STACK_POINTER = 31, COUNT = 33, BITS = 48 };
static const uint8_t kept[] = { 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 };
#else
enum { FRAME_POINTER, STACK_POINTER, COUNT, BITS = 64 };
static const uint8_t kept[] = { 0 };
#endif
enum { KEPT = sizeof kept / sizeof *kept, EXPRESSION_DEPTH = 16 };

struct walk {
	const struct unwind *unwind;
	uint64_t registers[UNWIND_REGISTERS];
	uint64_t pc, cfa;
	uint64_t stack;		/* the address of the copy's first byte */
};

bool unwind_registers(struct unwind *unwind, const uint64_t *words)
{
#if defined(__x86_64__)
	/* r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss */
	static const uint8_t from[] = { 10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16 };
#elif defined(__aarch64__)
	static const uint8_t from[] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
					17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32 };
#else
	static const uint8_t from[] = { 0 };
#endif
	for (size_t i = 0; i < sizeof from; i++)
		unwind->registers[i] = words[from[i]];
	return sizeof from > 1;
}

static bool read_word(const struct walk *walk, uint64_t address, uint64_t *value)
{
	uint64_t at = address - walk->stack;

	if (address < walk->stack || at > walk->unwind->stack_bytes ||
	    walk->unwind->stack_bytes - at < sizeof *value)
		return false;
	memcpy(value, walk->unwind->stack + at, sizeof *value);
	return true;
}

struct values {
	uint64_t at[EXPRESSION_DEPTH];
	size_t n;
};

static bool push(struct values *values, uint64_t value)
{
	if (values->n == EXPRESSION_DEPTH)
		return false;
	values->at[values->n++] = value;
	return true;
}

static bool push_register(const struct walk *walk, struct values *values, uint64_t number, uint64_t offset)
{
	return number < COUNT && push(values, walk->registers[number] + offset);
}

/* Those with two operands: what compilers and the entries of the procedure linkage table use. */
static bool combine(struct values *values, uint8_t op)
{
	uint64_t a, b, *to;

	if (values->n < 2)
		return false;
	b = values->at[--values->n];
	to = &values->at[values->n - 1];
	a = *to;
	switch (op) {
	case DW_OP_plus: *to = a + b; return true;
	case DW_OP_minus: *to = a - b; return true;
	case DW_OP_mul: *to = a * b; return true;
	case DW_OP_and: *to = a & b; return true;
	case DW_OP_or: *to = a | b; return true;
	case DW_OP_shl: *to = b < 64 ? a << b : 0; return true;
	case DW_OP_shr: *to = b < 64 ? a >> b : 0; return true;
	case DW_OP_ge: *to = (int64_t)a >= (int64_t)b; return true;
	case DW_OP_gt: *to = (int64_t)a > (int64_t)b; return true;
	case DW_OP_le: *to = (int64_t)a <= (int64_t)b; return true;
	case DW_OP_lt: *to = (int64_t)a < (int64_t)b; return true;
	case DW_OP_eq: *to = a == b; return true;
	case DW_OP_ne: *to = a != b; return true;
	default: return false;
	}
}

static bool step(const struct walk *walk, struct values *values, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(values, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(walk, values, op->atom - DW_OP_breg0, op->number);
	switch (op->atom) {
	case DW_OP_bregx: return push_register(walk, values, op->number, op->number2);
	case DW_OP_call_frame_cfa: return push(values, walk->cfa);
	case DW_OP_addr:
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts: return push(values, op->number);
	case DW_OP_plus_uconst:
		if (values->n)
			values->at[values->n - 1] += op->number;
		return values->n > 0;
	case DW_OP_dup: return values->n && push(values, values->at[values->n - 1]);
	case DW_OP_deref:
		return values->n && read_word(walk, values->at[values->n - 1], &values->at[values->n - 1]);
	case DW_OP_nop: return true;
	default: return combine(values, op->atom);
	}
}

/*
 * The value of an expression; one that ends with a value, not a place (DW_OP_stack_value), is not read from
 * the stack. Others of a register say where it was saved (PLACE).
 */
static bool evaluate(const struct walk *walk, const Dwarf_Op *ops, size_t n, bool place, uint64_t *value)
{
	struct values values = { .n = 0 };

	/* It is in another register. */
	if (n == 1 && ((ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31) || ops->atom == DW_OP_regx)) {
		uint64_t number = ops->atom == DW_OP_regx ? ops->number : (uint64_t)(ops->atom - DW_OP_reg0);

		*value = number < COUNT ? walk->registers[number] : 0;
		return number < COUNT;
	}
	for (size_t i = 0; i < n; i++) {
		if (ops[i].atom == DW_OP_stack_value && i + 1 == n)
			place = false;
		else if (!step(walk, &values, &ops[i]))
			return false;
	}
	if (!values.n)
		return false;
	*value = values.at[values.n - 1];
	return !place || read_word(walk, *value, value);
}

/* What becomes of a register: false, it is not known in the caller. */
static bool recover(const struct walk *walk, Dwarf_Frame *frame, int number, uint64_t *value)
{
	Dwarf_Op memory[3], *ops;
	size_t n;

	if (dwarf_frame_register(frame, number, memory, &ops, &n) != 0)
		return false;
	if (n == 0) {
		*value = walk->registers[number];
		return ops == NULL;	/* as it is; else it is said to be lost */
	}
	return evaluate(walk, ops, n, true, value);
}

/* Without the signature that arm64 may put above the bits of an address. */
static uint64_t address_of(uint64_t pc)
{
	return pc << (64 - BITS) >> (64 - BITS);
}

/* To the caller, by call frame information. *WHOLE: there is none. */
static bool call_by_frame(struct walk *walk, Dwarf_Frame *frame, bool *signal, bool *whole)
{
	uint64_t registers[UNWIND_REGISTERS] = { 0 }, before = walk->cfa, pc;
	Dwarf_Op *ops;
	size_t n;
	int column = dwarf_frame_info(frame, NULL, NULL, signal);

	if (column < 0 || dwarf_frame_cfa(frame, &ops, &n) != 0 || n == 0 ||
	    !evaluate(walk, ops, n, false, &walk->cfa))
		return false;
	if (!recover(walk, frame, column, &pc)) {
		Dwarf_Op memory[3];

		*whole = dwarf_frame_register(frame, column, memory, &ops, &n) == 0 && n == 0;
		return false;
	}
	/* Stacks grow downwards: nothing goes round in circles. (What only began may have no frame: it has no caller.) */
	if (walk->cfa <= before)
		return false;
	for (size_t i = 0; i < KEPT; i++)
		recover(walk, frame, kept[i], &registers[kept[i]]);
	memcpy(walk->registers, registers, sizeof registers);
	walk->registers[STACK_POINTER] = walk->cfa;
	walk->pc = address_of(pc);
	*whole = walk->pc == 0;
	return walk->pc != 0;
}

/* To the caller, by frame pointers. */
static bool call_by_pointer(struct walk *walk)
{
	uint64_t at = walk->registers[FRAME_POINTER], pointer, pc;

	if (at <= walk->cfa || !read_word(walk, at, &pointer) || !read_word(walk, at + 8, &pc) || !pc)
		return false;
	walk->cfa = at + 16;
	walk->registers[FRAME_POINTER] = pointer;
	walk->registers[STACK_POINTER] = walk->cfa;
	walk->pc = address_of(pc);
	return true;
}

static Dwarf_Frame *find_frame(struct images *images, struct space *space, uint64_t pc)
{
	const struct mapping *mapping = maps_find(&space->maps, pc);
	struct image *image;
	uint64_t address;
	bool replaced;

	if (!mapping && space_again(space, images))
		mapping = maps_find(&space->maps, pc);
	if (!mapping || mapping->image == IMAGES_NONE)
		return NULL;
	image = images_at(images, mapping->image, &replaced);
	if (!image || !image_address(image, pc - mapping->start + mapping->offset, &address))
		return NULL;
	return image_frame(image, address);
}

size_t unwind_stack(const struct unwind *unwind, struct images *images, struct space *space,
		    uint64_t *addresses, size_t max, bool *whole)
{
	struct walk walk = { .unwind = unwind, .stack = unwind->registers[STACK_POINTER] };
	bool goes_on = true, exact = true;
	size_t n = 0;

	memcpy(walk.registers, unwind->registers, sizeof walk.registers);
	walk.pc = unwind->registers[COUNT - 1];
	walk.cfa = walk.stack ? walk.stack - 1 : 0;
	*whole = false;
	while (goes_on && n < max) {
		/* A return address may be that of the next function: the call lies before it. */
		Dwarf_Frame *frame = find_frame(images, space, walk.pc - !exact);

		addresses[n++] = walk.pc;
		exact = false;
		goes_on = frame ? call_by_frame(&walk, frame, &exact, whole) : call_by_pointer(&walk);
		free(frame);
	}
	return n;
}
