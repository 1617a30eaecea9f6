-- SPDX-License-Identifier: MIT
-- What each thread did: when it was first and last seen; its time on CPUs, waiting for one (runq_ns; of that,
-- held back by a CPU quota: throttled_ns) and asleep (blocked_ns); its system calls and the time in them; what it read and wrote, sockets included;
-- who made it; what it gave to exit. Times are ns, comm is its last name. A number that the kernel used
-- twice is one row.
--   SELECT tid, comm, cpu_ns, runq_ns, blocked_ns FROM thread ORDER BY cpu_ns DESC LIMIT 10;
WITH part(run, pid, tid, comm, first_ts, last_ts, what, n, amount) AS (
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'oncpu', count(*), sum(dur_ns)
	FROM @oncpu GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'runq', count(*), sum(dur_ns)
	FROM @runq GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, pid, tid, comm, min(ts), max(ts), 'throttled', NULL, sum(throttled_ns)
	FROM @runq GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, pid, tid, comm, min(ts - dur_ns), max(ts), 'blocked', count(*), sum(dur_ns)
	FROM @blocked GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, pid, tid, comm, min(ts - ifnull(dur_ns, 0)), max(ts), 'syscall', count(*), sum(dur_ns)
	FROM @syscall GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, pid, tid, comm, min(begin_ts), max(end_ts), 'io',
		sum(iif(operation IN ('read', 'socket_recv'), bytes, NULL)),
		sum(iif(operation IN ('write', 'socket_send'), bytes, NULL))
	FROM @io_call GROUP BY run, tid, pid, comm
	UNION ALL
	SELECT run, child_pid, child_tid, child_comm, ts, ts, 'fork', tid, pid FROM @fork
	UNION ALL
	SELECT run, pid, tid, comm, ts, ts, 'exec', NULL, NULL FROM @exec
	UNION ALL
	SELECT run, pid, tid, comm, ts, ts, 'exit', code, cpu_ns FROM @exit
),
last_name AS (SELECT run, tid, comm, max(last_ts) FROM part WHERE comm IS NOT NULL GROUP BY run, tid)
SELECT run, max(pid) AS pid, tid, max(last_name.comm) AS comm,
	min(first_ts) AS first_ts, max(last_ts) AS last_ts,
	coalesce(sum(iif(what = 'oncpu', amount, NULL)), sum(iif(what = 'exit', amount, NULL))) AS cpu_ns,
	sum(iif(what = 'oncpu', n, NULL)) AS slices,
	sum(iif(what = 'runq', amount, NULL)) AS runq_ns,
	sum(iif(what = 'throttled', amount, NULL)) AS throttled_ns,
	sum(iif(what = 'blocked', amount, NULL)) AS blocked_ns,
	sum(iif(what = 'syscall', n, NULL)) AS syscalls,
	sum(iif(what = 'syscall', amount, NULL)) AS syscall_ns,
	sum(iif(what = 'io', n, NULL)) AS read_bytes,
	sum(iif(what = 'io', amount, NULL)) AS written_bytes,
	max(iif(what = 'fork', amount, NULL)) AS creator_pid,
	max(iif(what = 'fork', n, NULL)) AS creator_tid,
	max(iif(what = 'exit', n, NULL)) AS exit_code
FROM part LEFT JOIN last_name USING (run, tid)
WHERE tid IS NOT NULL
GROUP BY run, tid
