-- SPDX-License-Identifier: MIT
-- What `report` shows of bench-postgresql and bench-mysql. A backend is a thread: PostgreSQL has a process for
-- each connection, MariaDB and MySQL a thread. What is given to the kernel by io_submit or io_uring is seen as that
-- call: it names no file.
WITH load AS (SELECT min(ts - dur_ns) AS begin_ts, max(ts) AS end_ts, sum(dur_ns) AS dur_ns FROM phase WHERE name = 'load'),
call AS MATERIALIZED (
	SELECT s.ts - s.dur_ns AS begin_ts, s.ts, s.dur_ns, s.pid, s.tid, s.comm, s.name, s.fd, s.path, s.bytes, s.ret, CASE
		WHEN s.name IN ('read', 'readv', 'pread64', 'preadv', 'preadv2', 'recvfrom', 'recvmsg') THEN 'read'
		WHEN s.name IN ('write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendto', 'sendmsg') THEN 'write'
		WHEN s.name IN ('fsync', 'fdatasync', 'sync_file_range', 'msync') THEN 'sync'
		WHEN s.name IN ('io_submit', 'io_getevents', 'io_uring_enter') THEN 'asynchronous'
		WHEN s.name = 'futex' THEN 'futex'
		END AS does, CASE
		WHEN s.path GLOB 'unix:*' OR s.path GLOB 'tcp:*' OR s.path GLOB 'socket:*' THEN 'client'
		WHEN s.path GLOB '*pg_wal/*' OR s.path GLOB '*ib_logfile*' OR s.path GLOB '*ib_redo*' OR s.path GLOB '*aria_log*'
			OR s.path GLOB '*-bin.[0-9]*' THEN 'log'
		WHEN s.path GLOB '*base/*' OR s.path GLOB '*global/*' OR s.path GLOB '*.ibd' OR s.path GLOB '*ibdata*'
			OR s.path GLOB '*undo*' OR s.path GLOB '*.MA[DI]' OR s.path GLOB '*.MY[DI]' THEN 'data'
		WHEN s.path GLOB '*/*' THEN 'other file'
		ELSE 'no file' END AS kind
	FROM syscall AS s, load WHERE s.ts BETWEEN load.begin_ts AND load.end_ts
		AND (s.comm GLOB 'postgres*' OR s.comm GLOB 'mariadbd*' OR s.comm GLOB 'mysqld*' OR s.pid IN
			(SELECT pid FROM exec WHERE path GLOB '*/postgres' OR path GLOB '*/mariadbd' OR path GLOB '*/mysqld'))
),
step AS MATERIALIZED (
	SELECT *, lag(does) OVER w AS before, lag(ts) OVER w AS before_ts
	FROM call WHERE kind = 'client' AND ret > 0 AND does IN ('read', 'write') WINDOW w AS (PARTITION BY pid, fd ORDER BY ts)
)

--# Database: what the load generator counted
--> list -f program,test,requests,failed,rate,mean_ns
SELECT * FROM generator

--# Database: messages of clients, and commits
--: answers: sent after something was received. log_syncs: syncs of the log (WAL, redo), one of which may serve many
--: commits. MariaDB reads a message in two parts.
--> list -f comm,received,answers,answers_rate,log_syncs,log_syncs_rate
SELECT c.comm, count(*) FILTER (WHERE kind = 'client' AND does = 'read' AND ret > 0) AS received,
	(SELECT count(*) FROM step WHERE step.comm = c.comm AND does = 'write' AND before = 'read') AS answers,
	round((SELECT count(*) FROM step WHERE step.comm = c.comm AND does = 'write' AND before = 'read') * 1e9 / load.dur_ns, 2) AS answers_rate,
	count(*) FILTER (WHERE kind = 'log' AND does = 'sync') AS log_syncs,
	round(count(*) FILTER (WHERE kind = 'log' AND does = 'sync') * 1e9 / load.dur_ns, 2) AS log_syncs_rate
FROM call AS c, load GROUP BY c.comm HAVING received OR log_syncs ORDER BY received DESC, c.comm

--# Database: service, from the message received to the answer sent
--> stats -g comm -a count,mean,p50,p95,p99,max dur_ns
SELECT comm, ts - before_ts AS dur_ns FROM step WHERE does = 'write' AND before = 'read'

--# Database: reads, writes and syncs, by kind of file
--: log: WAL, redo log, binary log. data: tables and indexes.
--> stats -g kind,does -a count,sum,mean,p50,p99,max -s sum dur_ns
SELECT kind, does, dur_ns FROM call WHERE does IN ('read', 'write', 'sync', 'asynchronous') AND kind <> 'client'

--# Database: files
--> list -n 15 -f kind,path,reads,read_bytes,writes,written_bytes,syncs,dur_ns,max_ns
SELECT kind, path, count(*) FILTER (WHERE does = 'read') AS reads, sum(iif(does = 'read', bytes, 0)) AS read_bytes,
	count(*) FILTER (WHERE does = 'write') AS writes, sum(iif(does = 'write', bytes, 0)) AS written_bytes, count(*) FILTER (WHERE does = 'sync') AS syncs,
	sum(dur_ns) AS dur_ns, max(dur_ns) AS max_ns
FROM call WHERE does IN ('read', 'write', 'sync') AND kind IN ('log', 'data', 'other file')
GROUP BY path ORDER BY sum(dur_ns) DESC, path

--# Database: backends
--: The time of each within the load. futex: waits for locks, of rows too.
--> list -n 20 -f comm,tid,received,reads,read_ns,writes,write_ns,syncs,sync_ns,futexes,futex_ns,cpu_ns,runq_ns
SELECT b.*, (SELECT sum(o.dur_ns) FROM oncpu AS o, load WHERE o.tid = b.tid AND o.ts BETWEEN load.begin_ts AND load.end_ts) AS cpu_ns,
	(SELECT sum(q.dur_ns) FROM runq AS q, load WHERE q.tid = b.tid AND q.ts BETWEEN load.begin_ts AND load.end_ts) AS runq_ns
FROM (SELECT max(comm) AS comm, tid, count(*) FILTER (WHERE kind = 'client' AND does = 'read' AND ret > 0) AS received,
	count(*) FILTER (WHERE kind <> 'client' AND does = 'read') AS reads, sum(iif(kind <> 'client' AND does = 'read', dur_ns, 0)) AS read_ns,
	count(*) FILTER (WHERE kind <> 'client' AND does = 'write') AS writes, sum(iif(kind <> 'client' AND does = 'write', dur_ns, 0)) AS write_ns,
	count(*) FILTER (WHERE does = 'sync') AS syncs, sum(iif(does = 'sync', dur_ns, 0)) AS sync_ns,
	count(*) FILTER (WHERE does = 'futex') AS futexes, sum(iif(does = 'futex', dur_ns, 0)) AS futex_ns
	FROM call GROUP BY tid) AS b
ORDER BY received DESC, sync_ns DESC, tid
