-- SPDX-License-Identifier: MIT
-- What each process did, all its threads together: when it was first and last seen, how many threads it
-- had, CPU time (ns), system calls, bytes read and written. comm is the name of its first thread; path
-- and argv are those of its last exec. In the row without pid are the threads of which the process is not
-- known.
--   SELECT pid, comm, threads, cpu_ns, read_bytes FROM process ORDER BY cpu_ns DESC LIMIT 10;
WITH program AS (SELECT run, pid, path, argv, max(ts) FROM @exec GROUP BY run, pid),
ended AS (SELECT run, pid, argv, max(ts) FROM @exit WHERE argv IS NOT NULL GROUP BY run, pid)
SELECT t.run, t.pid, coalesce(max(iif(t.tid = t.pid, t.comm, NULL)), max(t.comm)) AS comm,
	min(t.first_ts) AS first_ts, max(t.last_ts) AS last_ts, count(*) AS threads,
	sum(t.cpu_ns) AS cpu_ns, sum(t.syscalls) AS syscalls,
	sum(t.read_bytes) AS read_bytes, sum(t.written_bytes) AS written_bytes,
	max(iif(t.tid = t.pid, t.creator_pid, NULL)) AS parent_pid,
	max(iif(t.tid = t.pid, t.exit_code, NULL)) AS exit_code,
	max(program.path) AS path, coalesce(max(program.argv), max(ended.argv)) AS argv
FROM @thread AS t
LEFT JOIN program ON program.run = t.run AND program.pid = t.pid
LEFT JOIN ended ON ended.run = t.run AND ended.pid = t.pid
GROUP BY t.run, t.pid
