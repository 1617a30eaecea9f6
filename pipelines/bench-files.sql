-- SPDX-License-Identifier: MIT
-- What `report` shows of bench-fileops and bench-custom.
WITH load AS (SELECT min(ts - dur_ns) AS begin_ts, max(ts) AS end_ts, sum(dur_ns) AS dur_ns FROM phase WHERE name = 'load'),
call AS MATERIALIZED (
	SELECT c.* FROM io_call AS c, load WHERE c.end_ts BETWEEN load.begin_ts AND load.end_ts
		AND c.comm NOT GLOB 'bench-*' AND c.dur_ns NOT NULL
)

--# Files: calls by program and operation
--> stats -g comm,operation -a count,sum,mean,p50,p99,max -s sum -n 25 dur_ns
SELECT comm, operation, dur_ns FROM call WHERE type IS NULL OR type = 'file'

--# Files: bytes by program
--> list -n 20 -f comm,reads,read_bytes,writes,written_bytes,syncs,errors
SELECT comm, count(*) FILTER (WHERE operation = 'read') AS reads, sum(iif(operation = 'read', bytes, 0)) AS read_bytes,
	count(*) FILTER (WHERE operation = 'write') AS writes, sum(iif(operation = 'write', bytes, 0)) AS written_bytes,
	count(*) FILTER (WHERE operation = 'sync') AS syncs, sum(failed) AS errors
FROM call WHERE type IS NULL OR type = 'file' GROUP BY comm ORDER BY read_bytes + written_bytes DESC, comm

--# Files: those that took most time
--> list -n 15 -f path,calls,read_bytes,written_bytes,dur_ns,max_ns
SELECT path, count(*) AS calls, sum(iif(operation = 'read', bytes, 0)) AS read_bytes,
	sum(iif(operation = 'write', bytes, 0)) AS written_bytes, sum(dur_ns) AS dur_ns, max(dur_ns) AS max_ns
FROM call WHERE type = 'file' GROUP BY path ORDER BY sum(dur_ns) DESC, path

--# Files: programs that were run
--> list -n 25 -f path,runs
SELECT s.path, count(*) AS runs FROM syscall AS s, load WHERE s.ts BETWEEN load.begin_ts AND load.end_ts
	AND s.name IN ('execve', 'execveat') AND s.ret = 0 AND s.path NOT GLOB '*/setpriv' AND s.path NOT GLOB '*/date'
GROUP BY s.path ORDER BY runs DESC, s.path
