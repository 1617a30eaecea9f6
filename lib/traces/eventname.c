// SPDX-License-Identifier: MIT
#include "traces/eventname.h"

/*
 * LTTng up to 2.5 gave events the names of the kernel's tracepoints; since 2.6 the group goes before
 * those that did not say it. perf writes GROUP:NAME, with the kernel's names.
 */
static const struct {
	const char *old, *today;
} renamed[] = {
	{ "exit_syscall", "syscall_exit" },	/* which one is known from the entry only */
	{ "sys_enter", "syscall_entry" },	/* perf's raw_syscalls */
	{ "sys_exit", "syscall_exit" },
	{ "softirq_entry", "irq_softirq_entry" },
	{ "softirq_exit", "irq_softirq_exit" },
	{ "softirq_raise", "irq_softirq_raise" },
	{ "hrtimer_init", "timer_hrtimer_init" },
	{ "hrtimer_start", "timer_hrtimer_start" },
	{ "hrtimer_expire_entry", "timer_hrtimer_expire_entry" },
	{ "hrtimer_expire_exit", "timer_hrtimer_expire_exit" },
	{ "hrtimer_cancel", "timer_hrtimer_cancel" },
	{ "itimer_state", "timer_itimer_state" },
	{ "itimer_expire", "timer_itimer_expire" },
	{ "kmalloc", "kmem_kmalloc" },
	{ "kmalloc_node", "kmem_kmalloc_node" },
	{ "kfree", "kmem_kfree" },
	{ "mm_page_free", "kmem_mm_page_free" },
	{ "mm_page_free_batched", "kmem_mm_page_free_batched" },
	{ "mm_page_alloc", "kmem_mm_page_alloc" },
	{ "mm_page_alloc_zone_locked", "kmem_mm_page_alloc_zone_locked" },
	{ "mm_page_pcpu_drain", "kmem_mm_page_pcpu_drain" },
	{ "mm_page_alloc_extfrag", "kmem_mm_page_alloc_extfrag" },
	{ "kfree_skb", "skb_kfree" },
	{ "consume_skb", "skb_consume" },
	{ "cpu_idle", "power_cpu_idle" },
	{ "cpu_frequency", "power_cpu_frequency" },
	{ "machine_suspend", "power_machine_suspend" },
	{ "console", "printk_console" },
};

/* System calls: prefixes, the longer first. */
static const struct {
	const char *old, *today;
} prefixes[] = {
	{ "compat_sys_", "compat_syscall_entry_" },
	{ "sys_enter_", "syscall_entry_" },	/* perf's syscalls */
	{ "sys_exit_", "syscall_exit_" },
	{ "sys_", "syscall_entry_" },
};

static const char *const perf_groups[] = {
	"sched", "irq", "timer", "syscalls", "raw_syscalls", "block", "net", "skb", "kmem", "power", "signal",
	"workqueue", "printk", "task",
};

static struct slice without_group(struct slice name)
{
	const char *colon = memchr(name.at, ':', name.len);
	struct slice group = { name.at, colon ? (size_t)(colon - name.at) : 0 };

	for (size_t i = 0; colon && i < sizeof perf_groups / sizeof *perf_groups; i++)
		if (slice_equal(group, slice_of(perf_groups[i])))
			return (struct slice){ colon + 1, name.len - group.len - 1 };
	return name;
}

struct slice eventname_today(struct slice name, char to[EVENTNAME_ROOM])
{
	if (name.len > 255)
		return name;
	name = without_group(name);
	for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
		if (slice_equal(name, slice_of(renamed[i].old)))
			return slice_of(renamed[i].today);
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		struct slice old = slice_of(prefixes[i].old), today = slice_of(prefixes[i].today);

		if (name.len > old.len && memcmp(name.at, old.at, old.len) == 0) {
			memcpy(to, today.at, today.len);
			memcpy(to + today.len, name.at + old.len, name.len - old.len);
			return (struct slice){ to, today.len + name.len - old.len };
		}
	}
	return name;
}
