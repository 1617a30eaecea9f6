// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "views.h"

#include <stdio.h>

#include "message.h"

enum { SOURCES_MAX = 8, LIST_ROOM = 400 };

/* A table or view that a view reads: @NAME in its text. Each has run and seq besides its COLUMNS. */
struct source {
	const char *name;
	const char *columns;	/* NULL stands for a missing one; one marked ! must be there */
	bool needed;		/* no view without it; else any one of the sources suffices */
};

struct view {
	const char *name;
	struct source sources[SOURCES_MAX];
	const char *sql;
};

static const struct {
	const char *name, *value, *meaning;
} settings[] = {
	{ "sequence_gap_ns", "100000000", "sequences: the longest gap between two calls of one" },
	{ "socket_gap_ns", "50000000", "sequences: the same on sockets" },
	{ "critical_run", "NULL", "critical_path: the run (NULL: the last)" },
	{ "critical_tid", "NULL", "critical_path: the thread (NULL: the one with the most CPU time)" },
	{ "critical_begin", "NULL", "critical_path: from this ts (NULL: the first of the thread)" },
	{ "critical_end", "NULL", "critical_path: to this ts (NULL: the last of the thread)" },
	{ "critical_depth", "32", "critical_path: follow so many wakers in a row" },
};

/* Each comes after those that it reads. */
static const struct view views[] = {

{ "io_call", {
	{ "syscall", "ts pid tid comm name! dur_ns ret fd path bytes", true },
}, "\
-- Every system call that works on a file, a socket, a pipe ...: the operation (read write open close\n\
-- socket socket_send socket_recv mmap sync other), its target (a path, an address, or fd:N where neither\n\
-- is known) and the type of that (file, socket, pipe, eventfd ...; NULL: not known), the bytes moved, and\n\
-- failed, 1 or 0.\n\
--   SELECT operation, type, count(*), sum(bytes) FROM io_call GROUP BY operation, type;\n\
SELECT seq, run, begin_ts, end_ts, dur_ns, pid, tid, comm, name, operation,\n\
	coalesce(path, 'fd:' || fd) AS target,\n\
	coalesce(type, iif(operation GLOB 'socket*', 'socket', NULL)) AS type,\n\
	CASE WHEN operation IN ('read', 'write', 'socket_send', 'socket_recv') THEN\n\
		coalesce(bytes,\n\
			iif(typeof(ret) = 'integer' AND ret >= 0 AND name NOT GLOB '*mmsg', ret, NULL))\n\
	END AS bytes, failed, path\n\
FROM (\n\
	SELECT seq, run, begin_ts, end_ts, dur_ns, pid, tid, comm, name, ret, fd, path, type, bytes,\n\
		failed, CASE\n\
		WHEN name IN ('read', 'readv', 'pread64', 'preadv', 'preadv2')\n\
			THEN iif(type = 'socket', 'socket_recv', 'read')\n\
		WHEN name IN ('write', 'writev', 'pwrite64', 'pwritev', 'pwritev2',\n\
			'sendfile', 'sendfile64')\n\
			THEN iif(type = 'socket', 'socket_send', 'write')\n\
		WHEN name IN ('recv', 'recvfrom', 'recvmsg', 'recvmmsg') THEN 'socket_recv'\n\
		WHEN name IN ('send', 'sendto', 'sendmsg', 'sendmmsg') THEN 'socket_send'\n\
		WHEN name IN ('open', 'openat', 'openat2', 'creat') THEN 'open'\n\
		WHEN name = 'close' THEN 'close'\n\
		WHEN name IN ('socket', 'socketpair', 'bind', 'listen', 'connect', 'accept', 'accept4')\n\
			THEN 'socket'\n\
		WHEN name IN ('mmap', 'mmap2') THEN 'mmap'\n\
		WHEN name IN ('fsync', 'fdatasync', 'sync_file_range', 'syncfs') THEN 'sync'\n\
		WHEN path IS NOT NULL THEN 'other'\n\
		END AS operation\n\
	FROM (\n\
		SELECT seq, run, ts - coalesce(dur_ns, 0) AS begin_ts, ts AS end_ts, dur_ns, pid, tid,\n\
			comm, name, ret, fd, path, bytes,\n\
			typeof(ret) = 'integer' AND ret BETWEEN -4095 AND -1 AS failed,\n\
			CASE\n\
			WHEN path GLOB '/*' OR path NOT GLOB '[a-z]*:*' OR path GLOB '*/*:*' THEN 'file'\n\
			WHEN substr(path, 1, instr(path, ':') - 1) IN ('tcp', 'udp', 'unix', 'inet',\n\
				'sctp', 'mptcp', 'udplite', 'raw', 'netlink', 'packet', 'alg', 'vsock', 'xdp',\n\
				'socket') THEN 'socket'\n\
			ELSE substr(path, 1, instr(path, ':') - 1)\n\
			END AS type\n\
		FROM @syscall\n\
	)\n\
)\n\
WHERE operation IS NOT NULL" },

{ "thread", {
	{ "oncpu", "ts pid tid! comm dur_ns!", false }, { "runq", "ts pid tid! comm dur_ns!", false },
	{ "blocked", "ts pid tid! comm dur_ns!", false },
	{ "syscall", "ts pid tid! comm dur_ns name!", false },
	{ "io_call", "begin_ts end_ts pid tid comm operation bytes", false },
	{ "fork", "ts pid tid child_pid child_tid! child_comm", false },
	{ "exec", "ts pid tid! comm", false }, { "exit", "ts pid tid! comm cpu_ns code", false },
}, "\
-- What each thread did: when it was first and last seen; its time on CPUs, waiting for one (runq_ns) and\n\
-- asleep (blocked_ns); its system calls and the time in them; what it read and wrote, sockets included;\n\
-- who made it; what it gave to exit. Times are ns, comm is its last name. A number that the kernel used\n\
-- twice is one row.\n\
--   SELECT tid, comm, cpu_ns, runq_ns, blocked_ns FROM thread ORDER BY cpu_ns DESC LIMIT 10;\n\
WITH part(run, pid, tid, comm, first_ts, last_ts, what, n, amount) AS (\n\
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'oncpu', count(*), sum(dur_ns)\n\
	FROM @oncpu GROUP BY run, tid, pid, comm\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'runq', count(*), sum(dur_ns)\n\
	FROM @runq GROUP BY run, tid, pid, comm\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'blocked', count(*), sum(dur_ns)\n\
	FROM @blocked GROUP BY run, tid, pid, comm\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, min(ts - ifnull(dur_ns, 0)), max(ts), 'syscall', count(*), sum(dur_ns)\n\
	FROM @syscall GROUP BY run, tid, pid, comm\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, min(begin_ts), max(end_ts), 'io',\n\
		sum(iif(operation IN ('read', 'socket_recv'), bytes, NULL)),\n\
		sum(iif(operation IN ('write', 'socket_send'), bytes, NULL))\n\
	FROM @io_call GROUP BY run, tid, pid, comm\n\
	UNION ALL\n\
	SELECT run, child_pid, child_tid, child_comm, ts, ts, 'fork', tid, pid FROM @fork\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, ts, ts, 'exec', NULL, NULL FROM @exec\n\
	UNION ALL\n\
	SELECT run, pid, tid, comm, ts, ts, 'exit', code, cpu_ns FROM @exit\n\
),\n\
last_name AS (SELECT run, tid, comm, max(last_ts) FROM part WHERE comm IS NOT NULL GROUP BY run, tid)\n\
SELECT run, max(pid) AS pid, tid, max(last_name.comm) AS comm,\n\
	min(first_ts) AS first_ts, max(last_ts) AS last_ts,\n\
	coalesce(sum(iif(what = 'oncpu', amount, NULL)), sum(iif(what = 'exit', amount, NULL))) AS cpu_ns,\n\
	sum(iif(what = 'oncpu', n, NULL)) AS slices,\n\
	sum(iif(what = 'runq', amount, NULL)) AS runq_ns,\n\
	sum(iif(what = 'blocked', amount, NULL)) AS blocked_ns,\n\
	sum(iif(what = 'syscall', n, NULL)) AS syscalls,\n\
	sum(iif(what = 'syscall', amount, NULL)) AS syscall_ns,\n\
	sum(iif(what = 'io', n, NULL)) AS read_bytes,\n\
	sum(iif(what = 'io', amount, NULL)) AS written_bytes,\n\
	max(iif(what = 'fork', amount, NULL)) AS creator_pid,\n\
	max(iif(what = 'fork', n, NULL)) AS creator_tid,\n\
	max(iif(what = 'exit', n, NULL)) AS exit_code\n\
FROM part LEFT JOIN last_name USING (run, tid)\n\
WHERE tid IS NOT NULL\n\
GROUP BY run, tid" },

{ "process", {
	{ "thread", "pid tid comm first_ts last_ts cpu_ns syscalls read_bytes written_bytes creator_pid "
	  "exit_code", true },
	{ "exec", "ts pid path argv", false }, { "exit", "ts pid argv", false },
}, "\
-- What each process did, all its threads together: when it was first and last seen, how many threads it\n\
-- had, CPU time (ns), system calls, bytes read and written. comm is the name of its first thread; path\n\
-- and argv are those of its last exec. In the row without pid are the threads of which the process is not\n\
-- known.\n\
--   SELECT pid, comm, threads, cpu_ns, read_bytes FROM process ORDER BY cpu_ns DESC LIMIT 10;\n\
WITH program AS (SELECT run, pid, path, argv, max(ts) FROM @exec GROUP BY run, pid),\n\
ended AS (SELECT run, pid, argv, max(ts) FROM @exit WHERE argv IS NOT NULL GROUP BY run, pid)\n\
SELECT t.run, t.pid, coalesce(max(iif(t.tid = t.pid, t.comm, NULL)), max(t.comm)) AS comm,\n\
	min(t.first_ts) AS first_ts, max(t.last_ts) AS last_ts, count(*) AS threads,\n\
	sum(t.cpu_ns) AS cpu_ns, sum(t.syscalls) AS syscalls,\n\
	sum(t.read_bytes) AS read_bytes, sum(t.written_bytes) AS written_bytes,\n\
	max(iif(t.tid = t.pid, t.creator_pid, NULL)) AS parent_pid,\n\
	max(iif(t.tid = t.pid, t.exit_code, NULL)) AS exit_code,\n\
	max(program.path) AS path, coalesce(max(program.argv), max(ended.argv)) AS argv\n\
FROM @thread AS t\n\
LEFT JOIN program ON program.run = t.run AND program.pid = t.pid\n\
LEFT JOIN ended ON ended.run = t.run AND ended.pid = t.pid\n\
GROUP BY t.run, t.pid" },

{ "cpu", {
	{ "oncpu", "ts cpu! dur_ns!", false }, { "irq", "ts cpu! dur_ns!", false },
	{ "softirq", "ts cpu! dur_ns!", false },
}, "\
-- What each CPU did: slices of threads and the time of these (busy_ns), interrupts and soft interrupts\n\
-- and the time in them (ns). Interrupts run on top of threads or of the idle thread, and within each\n\
-- other, so their times do not add up with busy_ns.\n\
--   SELECT cpu, 100.0 * busy_ns / (last_ts - first_ts) AS percent FROM cpu;\n\
SELECT run, cpu, min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(slices) AS slices,\n\
	sum(busy_ns) AS busy_ns, sum(irqs) AS irqs, sum(irq_ns) AS irq_ns, sum(softirqs) AS softirqs,\n\
	sum(softirq_ns) AS softirq_ns\n\
FROM (\n\
	SELECT run, cpu, min(ts - dur_ns) AS first_ts, max(ts) AS last_ts, count(*) AS slices,\n\
		sum(dur_ns) AS busy_ns, NULL AS irqs, NULL AS irq_ns, NULL AS softirqs, NULL AS softirq_ns\n\
	FROM @oncpu GROUP BY run, cpu\n\
	UNION ALL\n\
	SELECT run, cpu, min(ts - dur_ns), max(ts), NULL, NULL, count(*), sum(dur_ns), NULL, NULL\n\
	FROM @irq GROUP BY run, cpu\n\
	UNION ALL\n\
	SELECT run, cpu, min(ts - dur_ns), max(ts), NULL, NULL, NULL, NULL, count(*), sum(dur_ns)\n\
	FROM @softirq GROUP BY run, cpu\n\
)\n\
WHERE cpu IS NOT NULL\n\
GROUP BY run, cpu" },

{ "file", {
	{ "io_call", "begin_ts end_ts dur_ns operation type bytes failed path", true },
	{ "syscall", "path!", true },
}, "\
-- Which files were used: from when to when, calls of all kinds, opens, reads and writes and the bytes\n\
-- these moved, calls that failed, and the time in all of them (ns). type is file, or pipe, eventfd ...\n\
--   SELECT path, read_bytes, written_bytes FROM file WHERE type = 'file' ORDER BY written_bytes DESC;\n\
SELECT run, path, type, min(begin_ts) AS first_ts, max(end_ts) AS last_ts, count(*) AS calls,\n\
	sum(operation = 'open') AS opens,\n\
	sum(operation = 'read') AS reads, sum(operation = 'write') AS writes,\n\
	sum(iif(operation = 'read', bytes, NULL)) AS read_bytes,\n\
	sum(iif(operation = 'write', bytes, NULL)) AS written_bytes,\n\
	sum(failed) AS errors, sum(dur_ns) AS dur_ns\n\
FROM @io_call\n\
WHERE path IS NOT NULL AND type <> 'socket'\n\
GROUP BY run, path, type" },

{ "socket", {
	{ "io_call", "begin_ts end_ts dur_ns pid operation type bytes failed path", true },
	{ "syscall", "path!", true },
}, "\
-- Which sockets were used, by process and address, where that is known: from when to when, calls of all\n\
-- kinds, sends and receives and the bytes these moved, calls that failed, and the time in all of them\n\
-- (ns).\n\
--   SELECT address, received_bytes, sent_bytes FROM socket ORDER BY received_bytes DESC;\n\
SELECT run, pid, path AS address, min(begin_ts) AS first_ts, max(end_ts) AS last_ts, count(*) AS calls,\n\
	sum(operation = 'socket_send') AS sends, sum(operation = 'socket_recv') AS receives,\n\
	sum(iif(operation = 'socket_send', bytes, NULL)) AS sent_bytes,\n\
	sum(iif(operation = 'socket_recv', bytes, NULL)) AS received_bytes,\n\
	sum(failed) AS errors, sum(dur_ns) AS dur_ns\n\
FROM @io_call\n\
WHERE path IS NOT NULL AND type = 'socket'\n\
GROUP BY run, pid, path" },

{ "io_by_file", {
	{ "io_call", "dur_ns comm operation type target path bytes failed", true },
	{ "syscall", "path!", true },
}, "\
-- Who did what on which file, socket or pipe: calls, those that failed, bytes, and time (ns), in all, in\n\
-- the mean and at most, by thread name, operation and target.\n\
--   SELECT comm, operation, target, calls, bytes, dur_ns FROM io_by_file ORDER BY dur_ns DESC LIMIT 10;\n\
SELECT run, comm, operation, target, type, count(*) AS calls, sum(failed) AS errors, sum(bytes) AS bytes,\n\
	sum(dur_ns) AS dur_ns, avg(dur_ns) AS mean_ns, max(dur_ns) AS max_ns\n\
FROM @io_call\n\
WHERE path IS NOT NULL\n\
GROUP BY run, comm, operation, target, type" },

{ "sequences", {
	{ "io_call", "begin_ts end_ts dur_ns pid tid comm operation type target bytes failed", true },
	{ "settings", "name value", true },
}, "\
-- Runs of one operation on one target by one thread, with gaps of at most the setting sequence_gap_ns (on\n\
-- sockets: socket_gap_ns) between the end of a call and the begin of the next; each open, close and\n\
-- socket is one of its own. seq is that of the first record, busy_ns the time in the calls, bytes what\n\
-- they moved.\n\
--   SELECT operation, count(*), sum(bytes), avg(dur_ns) FROM sequences GROUP BY operation;\n\
SELECT min(seq) AS seq, run, pid, tid, max(comm) AS comm, operation, target, type,\n\
	min(begin_ts) AS begin_ts, max(end_ts) AS end_ts, max(end_ts) - min(begin_ts) AS dur_ns,\n\
	count(*) AS calls, sum(dur_ns) AS busy_ns, sum(bytes) AS bytes, sum(failed) AS errors\n\
FROM (\n\
	SELECT *, sum(first) OVER (PARTITION BY run, tid, operation, target ORDER BY begin_ts, seq) AS nth\n\
	FROM (\n\
		SELECT seq, run, pid, tid, comm, operation, target, type, begin_ts, end_ts, dur_ns, bytes,\n\
			failed, operation IN ('open', 'close', 'socket') OR\n\
			ifnull(begin_ts - lag(end_ts) OVER (PARTITION BY run, tid, operation, target\n\
				ORDER BY begin_ts, seq) > gap, 1) AS first\n\
		FROM @io_call JOIN (\n\
			SELECT 'socket' AS gap_of, coalesce((SELECT value FROM @settings\n\
				WHERE name = 'socket_gap_ns'), 50000000) AS gap\n\
			UNION ALL\n\
			SELECT 'file', coalesce((SELECT value FROM @settings\n\
				WHERE name = 'sequence_gap_ns'), 100000000)\n\
		) ON gap_of = iif(operation GLOB 'socket_*', 'socket', 'file')\n\
		WHERE operation <> 'other'\n\
	)\n\
)\n\
GROUP BY run, tid, operation, target, nth" },

{ "syscall_stats", {
	{ "syscall", "comm name! dur_ns! ret", true },
}, "\
-- System calls by thread name and call: how many, how many failed, and their time (ns). For quantiles:\n\
--   from-sqlite DATABASE 'SELECT ts, ev, comm, name, dur_ns FROM syscall' | stats -g comm,name dur_ns\n\
--   SELECT name, count, sum_ns, mean_ns FROM syscall_stats WHERE comm = 'nginx' ORDER BY sum_ns DESC;\n\
SELECT run, comm, name, count(*) AS count,\n\
	sum(typeof(ret) = 'integer' AND ret BETWEEN -4095 AND -1) AS errors,\n\
	sum(dur_ns) AS sum_ns, avg(dur_ns) AS mean_ns, min(dur_ns) AS min_ns, max(dur_ns) AS max_ns\n\
FROM @syscall\n\
GROUP BY run, comm, name" },

{ "command_time", {
	{ "exit", "ts pid tid! comm dur_ns argv", true },
	{ "exec", "ts tid! path argv", false },
}, "\
-- How long commands ran (ns): processes that ended, by their full command (argv; else the path of the\n\
-- program; else the name), from their last exec, or their fork where there was none, to their end. Where\n\
-- neither is in the trace the time is not known: such a process is counted in ended, but not in timed.\n\
--   SELECT command, timed, mean_ns FROM command_time ORDER BY mean_ns DESC;\n\
SELECT run, command, count(*) AS ended, count(dur_ns) AS timed, avg(dur_ns) AS mean_ns,\n\
	min(dur_ns) AS min_ns, max(dur_ns) AS max_ns, sum(dur_ns) AS sum_ns\n\
FROM (\n\
	SELECT x.run, coalesce(e.argv, x.argv, e.path, x.comm) AS command,\n\
		x.ts - coalesce(e.ts, x.ts - x.dur_ns) AS dur_ns\n\
	FROM @exit AS x\n\
	LEFT JOIN @exec AS e ON e.run = x.run AND e.tid = x.tid AND e.ts = (\n\
		SELECT max(n.ts) FROM @exec AS n\n\
		WHERE n.run = x.run AND n.tid = x.tid AND n.ts <= x.ts\n\
			AND n.ts >= x.ts - coalesce(x.dur_ns, x.ts)\n\
	)\n\
	WHERE x.tid = coalesce(x.pid, x.tid)\n\
)\n\
GROUP BY run, command" },

{ "command_cpu", {
	{ "process", "comm path argv cpu_ns", true },
}, "\
-- CPU time (ns) by full command (argv; else the path of the program; else the name), of all processes of\n\
-- that command together and in the mean. Of a process that ran several programs, all time is that of the\n\
-- last.\n\
--   SELECT command, processes, cpu_ns FROM command_cpu ORDER BY cpu_ns DESC LIMIT 3;\n\
SELECT run, coalesce(argv, path, comm) AS command, count(*) AS processes, sum(cpu_ns) AS cpu_ns,\n\
	avg(cpu_ns) AS mean_ns\n\
FROM @process\n\
WHERE cpu_ns IS NOT NULL\n\
GROUP BY run, command" },

{ "wake_edges", {
	{ "blocked", "tid! comm dur_ns! waker_tid! waker_comm waker_irq", true },
}, "\
-- Who woke whom: how often, and the time asleep (ns) that this ended, in all, in the mean and at most.\n\
-- Without waker and with irq = 1: an interrupt did it, a device or a timer.\n\
--   SELECT waker_comm, irq, comm, wakeups, slept_ns FROM wake_edges ORDER BY wakeups DESC LIMIT 10;\n\
SELECT run, iif(irq, NULL, waker_tid) AS waker_tid, iif(irq, NULL, waker_comm) AS waker_comm, irq, tid,\n\
	comm,\n\
	count(*) AS wakeups, sum(dur_ns) AS slept_ns, avg(dur_ns) AS mean_ns, max(dur_ns) AS max_ns\n\
FROM (\n\
	SELECT run, waker_tid, waker_comm, ifnull(waker_irq = 1, 0) AS irq, tid, comm, dur_ns\n\
	FROM @blocked WHERE waker_tid IS NOT NULL OR waker_irq = 1\n\
)\n\
GROUP BY run, 2, 3, irq, tid, comm" },

{ "critical_path", {
	{ "oncpu", "ts tid! comm dur_ns!", true },
	{ "blocked", "ts tid! comm dur_ns! waker_tid! waker_comm waker_irq", true },
	{ "runq", "ts tid! comm dur_ns! by_tid by_comm", false },
	{ "syscall", "ts tid! dur_ns! name!", false },
	{ "fork", "ts tid child_tid!", false }, { "settings", "name value", true },
}, "\
-- What a thread's time went to, and while it slept, that of the thread that was to wake it, and so on:\n\
-- rows that fill the time between the settings critical_begin and critical_end (ts; NULL: all that is\n\
-- known of the thread) of thread critical_tid (NULL: the one with the most CPU time) in critical_run\n\
-- (NULL: the last), without overlap. state: running; runq (waited for a CPU; by: who ran there);\n\
-- interrupt (asleep until a device or a timer woke it); blocked (asleep; by: who woke it, of whom no more\n\
-- is known, or deeper than critical_depth); wakeup (it had woken waiting_tid, which did not know yet);\n\
-- unknown (the thread has no spans there). depth counts the wakers between; waiting_tid is the thread\n\
-- that slept meanwhile; call the system call that the thread was in all that time.\n\
--   UPDATE settings SET value = 323 WHERE name = 'critical_tid';\n\
--   SELECT comm, state, call, sum(dur_ns) FROM critical_path GROUP BY 1, 2, 3 ORDER BY 4 DESC;\n\
WITH RECURSIVE\n\
chosen_run(run) AS (\n\
	SELECT coalesce((SELECT value FROM @settings WHERE name = 'critical_run'),\n\
		(SELECT max(run) FROM @oncpu))\n\
),\n\
chosen(run, tid) AS (\n\
	SELECT run, coalesce((SELECT value FROM @settings WHERE name = 'critical_tid'), (\n\
		SELECT o.tid FROM @oncpu AS o WHERE o.run = chosen_run.run\n\
		GROUP BY o.tid ORDER BY sum(o.dur_ns) DESC, o.tid LIMIT 1\n\
	)) FROM chosen_run\n\
),\n\
span(run, tid, lo, hi) AS (\n\
	SELECT run, tid,\n\
		coalesce((SELECT value FROM @settings WHERE name = 'critical_begin'), min(lo)),\n\
		coalesce((SELECT value FROM @settings WHERE name = 'critical_end'), max(hi))\n\
	FROM (\n\
		SELECT run, tid, min(s.ts - s.dur_ns) AS lo, max(s.ts) AS hi\n\
		FROM chosen JOIN @oncpu AS s USING (run, tid)\n\
		UNION ALL\n\
		SELECT run, tid, min(s.ts - s.dur_ns), max(s.ts)\n\
		FROM chosen JOIN @runq AS s USING (run, tid)\n\
		UNION ALL\n\
		SELECT run, tid, min(s.ts - s.dur_ns), max(s.ts)\n\
		FROM chosen JOIN @blocked AS s USING (run, tid)\n\
	)\n\
),\n\
-- What thread tid did from lo to hi; state NULL: that is still to be looked up. cut: hi is the end of the\n\
-- window, not that of a sleep.\n\
path(state, run, tid, comm, lo, hi, cut, depth, deepest, waiting_tid, by_tid, by_comm) AS (\n\
	SELECT NULL, run, tid, NULL, lo, hi, 1, 0,\n\
		coalesce((SELECT value FROM @settings WHERE name = 'critical_depth'), 32),\n\
		NULL, NULL, NULL\n\
	FROM span WHERE lo < hi\n\
	UNION ALL\n\
	SELECT 'running', p.run, s.tid, s.comm, max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts),\n\
		p.cut, p.depth, p.deepest, p.waiting_tid, NULL, NULL\n\
	FROM path AS p JOIN @oncpu AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo\n\
		AND s.ts <= coalesce((SELECT n.ts FROM @oncpu AS n WHERE n.run = p.run AND n.tid = p.tid\n\
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)\n\
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0\n\
	UNION ALL\n\
	SELECT iif(s.ts > p.hi AND NOT p.cut, 'wakeup', 'runq'), p.run, s.tid, s.comm,\n\
		max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts),\n\
		p.cut, p.depth, p.deepest, p.waiting_tid, s.by_tid, s.by_comm\n\
	FROM path AS p JOIN @runq AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo\n\
		AND s.ts <= coalesce((SELECT n.ts FROM @runq AS n WHERE n.run = p.run AND n.tid = p.tid\n\
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)\n\
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0\n\
	UNION ALL\n\
	SELECT CASE\n\
		WHEN s.ts > p.hi AND NOT p.cut THEN 'wakeup'\n\
		WHEN s.waker_irq = 1 THEN 'interrupt'\n\
		WHEN p.depth < p.deepest AND s.waker_tid <> s.tid AND (\n\
			SELECT w.ts - w.dur_ns FROM @oncpu AS w\n\
			WHERE w.run = p.run AND w.tid = s.waker_tid AND w.ts > max(p.lo, s.ts - s.dur_ns)\n\
			ORDER BY w.ts LIMIT 1\n\
		) < min(p.hi, s.ts) THEN 'follow'\n\
		ELSE 'blocked' END, p.run, s.tid, s.comm, max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts),\n\
		p.cut AND s.ts > p.hi, p.depth, p.deepest, p.waiting_tid,\n\
		iif(s.waker_irq = 1, NULL, s.waker_tid), iif(s.waker_irq = 1, NULL, s.waker_comm)\n\
	FROM path AS p JOIN @blocked AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo\n\
		AND s.ts <= coalesce((SELECT n.ts FROM @blocked AS n WHERE n.run = p.run AND n.tid = p.tid\n\
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)\n\
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0\n\
	UNION ALL\n\
	SELECT NULL, run, by_tid, NULL, lo, hi, cut, depth + 1, deepest, tid, NULL, NULL\n\
	FROM path WHERE state = 'follow'\n\
	UNION ALL\n\
	-- It was not born yet: who made it.\n\
	SELECT NULL, p.run, f.tid, NULL, p.lo, min(p.hi, coalesce((\n\
			SELECT r.ts - r.dur_ns FROM @runq AS r\n\
			WHERE r.run = p.run AND r.tid = p.tid AND r.ts > f.ts ORDER BY r.ts LIMIT 1\n\
		), f.ts)), 0, p.depth + 1, p.deepest, p.waiting_tid, NULL, NULL\n\
	FROM path AS p JOIN @fork AS f ON f.run = p.run AND f.child_tid = p.tid AND f.ts > p.lo\n\
		AND f.ts < p.hi\n\
	WHERE p.state IS NULL AND p.depth < p.deepest\n\
	LIMIT 5000000\n\
),\n\
found AS (\n\
	SELECT state, run, tid, comm, lo, hi, depth, waiting_tid, by_tid, by_comm\n\
	FROM path WHERE state <> 'follow'\n\
	UNION ALL\n\
	SELECT 'end', run, NULL, NULL, hi, hi, NULL, NULL, NULL, NULL FROM span\n\
)\n\
SELECT run, lo AS begin_ts, hi AS end_ts, hi - lo AS dur_ns, tid, comm, state, (\n\
		SELECT iif(c.ts - c.dur_ns <= lo, c.name, NULL) FROM @syscall AS c\n\
		WHERE c.run = found.run AND c.tid = found.tid AND c.ts >= hi ORDER BY c.ts LIMIT 1\n\
	) AS call, depth, waiting_tid, by_tid, by_comm\n\
FROM found WHERE state <> 'end'\n\
UNION ALL\n\
SELECT run, before, lo, lo - before, NULL, NULL, 'unknown', NULL, NULL, NULL, NULL, NULL\n\
FROM (SELECT run, lo, ifnull(lag(hi) OVER (ORDER BY lo, hi), (SELECT lo FROM span)) AS before FROM found)\n\
WHERE before < lo\n\
ORDER BY begin_ts" },
};
enum { VIEWS = sizeof views / sizeof *views, SETTINGS = sizeof settings / sizeof *settings };

#define MARK " AS -- of to-sqlite\n"	/* VIEWS_OTHER_NAMES knows it */
#define SETTINGS_TABLE \
	"CREATE TABLE settings(name TEXT PRIMARY KEY, value NUMERIC, meaning TEXT) WITHOUT ROWID"

/* TAKEN: the name is that of something else. */
enum presence { ABSENT, PRESENT, TAKEN };

struct making {
	sqlite3 *db;
	sqlite3_stmt *table, *column, *schema;
	enum presence view[VIEWS];
};

/* Whether there is a row; its columns stay until the statement is reset. */
static bool find(struct making *m, sqlite3_stmt *q, const char *a, struct slice b)
{
	sqlite3_reset(q);
	database_bind_text(q, 1, slice_of(a));
	if (b.at)
		database_bind_text(q, 2, b);
	return database_step(m->db, q);
}

/* What made the object called NAME in the schema, or NULL; valid until the next call. */
static const char *schema_sql(struct making *m, const char *name)
{
	if (!find(m, m->schema, name, (struct slice){ 0 }))
		return NULL;
	if (sqlite3_column_type(m->schema, 0) != SQLITE_TEXT)
		return "";
	return (const char *)sqlite3_column_text(m->schema, 0);
}

/* The next name in a list of columns; false at its end. */
static bool next_column(const char **list, struct slice *column, bool *must)
{
	size_t n;

	*list += strspn(*list, " ");
	n = strcspn(*list, " !");
	*column = (struct slice){ *list, n };
	*must = (*list)[n] == '!';
	*list += n + *must;
	return n > 0;
}

/* Whether the table of an ev is there, with the columns that it must have; appends the others to MISSING. */
static enum presence table_presence(struct making *m, const struct source *source, sqlite3_str *missing)
{
	const char *list = source->columns;
	struct slice column;
	bool must;

	if (!find(m, m->table, source->name, (struct slice){ 0 }))
		return ABSENT;
	if (!sqlite3_column_int(m->table, 0))
		return TAKEN;
	while (next_column(&list, &column, &must)) {
		if (find(m, m->column, source->name, column)) {
			if (!sqlite3_column_int(m->column, 0))
				return TAKEN;
		} else if (must) {
			return ABSENT;
		} else {
			sqlite3_str_appendf(missing, ", NULL AS %.*s", (int)column.len, column.at);
		}
	}
	return PRESENT;
}

static enum presence presence(struct making *m, const struct source *source, sqlite3_str *missing)
{
	if (strcmp(source->name, "settings") == 0) {
		const char *sql = schema_sql(m, "settings");

		return sql && strcmp(sql, SETTINGS_TABLE) == 0 ? PRESENT : TAKEN;
	}
	for (size_t i = 0; i < VIEWS; i++)
		if (strcmp(source->name, views[i].name) == 0)
			return m->view[i];
	return table_presence(m, source, missing);
}

/* Appends what stands for the source. */
static void put_source(struct making *m, const struct source *source, sqlite3_str *text)
{
	sqlite3_str *missing = sqlite3_str_new(m->db);
	enum presence is = presence(m, source, missing);
	char *nulls = sqlite3_str_finish(missing);

	if (is == PRESENT && nulls) {
		sqlite3_str_appendf(text, "(SELECT *%s FROM %s)", nulls, source->name);
	} else if (is == PRESENT) {
		sqlite3_str_appendall(text, source->name);
	} else {
		const char *list = source->columns;
		struct slice column;
		bool must;

		sqlite3_str_appendall(text, "(SELECT NULL AS seq, NULL AS run");
		while (next_column(&list, &column, &must))
			sqlite3_str_appendf(text, ", NULL AS %.*s", (int)column.len, column.at);
		sqlite3_str_appendall(text, " WHERE 0)");
	}
	sqlite3_free(nulls);
}

static const struct source *source_named(const struct view *view, struct slice name)
{
	const struct source *source = view->sources;

	while (!slice_equal(slice_of(source->name), name))
		source++;
	return source;
}

/* The statement that makes the view, with what is there for each @NAME. */
static char *text_of(struct making *m, const struct view *view)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	sqlite3_str *text = sqlite3_str_new(m->db);
	const char *p = view->sql, *at;
	char *sql;

	sqlite3_str_appendf(text, "CREATE VIEW %s" MARK, view->name);
	while ((at = strchr(p, '@'))) {
		size_t n = strspn(at + 1, letters);

		sqlite3_str_append(text, p, (int)(at - p));
		put_source(m, source_named(view, (struct slice){ at + 1, n }), text);
		p = at + 1 + n;
	}
	sqlite3_str_appendall(text, p);
	sql = sqlite3_str_finish(text);
	if (!sql)
		message_die("cannot make the view %s: out of memory", view->name);
	return sql;
}

static enum presence sources_presence(struct making *m, const struct view *view)
{
	enum presence result = ABSENT;

	for (size_t i = 0; i < SOURCES_MAX && view->sources[i].name; i++) {
		const struct source *source = &view->sources[i];
		sqlite3_str *missing = sqlite3_str_new(m->db);
		enum presence is = presence(m, source, missing);

		sqlite3_free(sqlite3_str_finish(missing));
		if (is == ABSENT && source->needed)
			return ABSENT;
		if (is > result)
			result = is;
	}
	return result;
}

/* Creates it, and tries it: an SQLite that is too old for it shall not leave a view that fails. */
static bool create(sqlite3 *db, const char *name, const char *sql, bool say)
{
	char query[64];
	sqlite3_stmt *q = NULL;
	bool good;

	database_run(db, "SAVEPOINT making");
	snprintf(query, sizeof query, "SELECT * FROM %s", name);
	good = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_prepare_v2(db, query, -1, &q, NULL) == SQLITE_OK;
	if (!good && sqlite3_errcode(db) != SQLITE_ERROR)
		database_die(db, "use");
	if (!good && say)
		message("cannot make the view %s: %s", name, sqlite3_errmsg(db));
	sqlite3_finalize(q);
	database_run(db, good ? "RELEASE making" : "ROLLBACK TO making; RELEASE making");
	return good;
}

static enum presence make(struct making *m, const struct view *view, bool say)
{
	const char *old = schema_sql(m, view->name);
	bool ours = old && strstr(old, MARK), same;
	enum presence is = sources_presence(m, view);
	char *sql;

	if (is == PRESENT && old && !ours)
		is = TAKEN;
	sql = is == PRESENT ? text_of(m, view) : NULL;
	old = schema_sql(m, view->name);
	same = sql && old && strcmp(old, sql) == 0;
	sqlite3_reset(m->schema);
	if (ours && !same)
		database_run(m->db, "DROP VIEW %s", view->name);
	if (sql && !same && !create(m->db, view->name, sql, say))
		is = ABSENT;
	sqlite3_free(sql);
	return is;
}

void views_settings(sqlite3 *db)
{
	if (database_number(db, "SELECT count(*) FROM sqlite_schema WHERE lower(name) = 'settings'") == 0)
		database_run(db, SETTINGS_TABLE);
	if (database_number(db, "SELECT count(*) FROM sqlite_schema WHERE sql = '" SETTINGS_TABLE "'") == 0)
		return;
	for (size_t i = 0; i < SETTINGS; i++)
		database_run(db, "INSERT OR IGNORE INTO settings VALUES(%Q, %s, %Q)", settings[i].name,
			     settings[i].value, settings[i].meaning);
}

void views_give_way(sqlite3 *db, const char *name)
{
	for (size_t i = 0; i < VIEWS; i++)
		if (strcasecmp(name, views[i].name) == 0)
			database_run(db, "DROP VIEW IF EXISTS %s", views[i].name);
}

void views_make(sqlite3 *db, bool say)
{
	struct making m = {
		.db = db,
		.table = database_prepare(db, "SELECT name = ?1 FROM tables WHERE ev = ?1"),
		.column = database_prepare(db, "SELECT \"column\" = ?2 AND key = ?2 FROM columns WHERE "
					       "\"table\" = ?1 AND \"column\" = ?2 COLLATE NOCASE"),
		.schema = database_prepare(db, "SELECT sql FROM sqlite_schema WHERE lower(name) = ?1"),
	};
	char list[LIST_ROOM] = "";

	for (size_t i = 0, n = 0; i < VIEWS; i++) {
		m.view[i] = make(&m, &views[i], say);
		if (m.view[i] == TAKEN)
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
					      views[i].name);
		sqlite3_reset(m.table);
		sqlite3_reset(m.column);
		sqlite3_reset(m.schema);
	}
	sqlite3_finalize(m.table);
	sqlite3_finalize(m.column);
	sqlite3_finalize(m.schema);
	if (say && *list)
		message("cannot make the views %s: names that they need are those of other records", list);
}
