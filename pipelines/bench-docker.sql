-- SPDX-License-Identifier: MIT
-- What `report` shows of bench-docker. Records name threads, not containers: programs stand for these.
WITH load AS (SELECT min(ts - dur_ns) AS begin_ts, max(ts) AS end_ts, sum(dur_ns) AS dur_ns FROM phase WHERE name = 'load'),
call AS MATERIALIZED (
	SELECT s.* FROM syscall AS s, load WHERE s.ts BETWEEN load.begin_ts AND load.end_ts AND s.dur_ns NOT NULL
)

--# Docker: programs that were run
--> list -n 25 -f path,runs
SELECT path, count(*) AS runs FROM call WHERE name IN ('execve', 'execveat') AND ret = 0
GROUP BY path ORDER BY runs DESC, path

--# Docker: how long they ran
--: From the last exec of a process to its end: docker's commands, runc, the shims, what was in the containers.
--> stats -g path -a count,mean,min,max -s mean -n 25 dur_ns
SELECT e.path, x.ts - max(e.ts) AS dur_ns FROM exec AS e, exit AS x, load
WHERE x.tid = e.pid AND x.ts > e.ts AND e.ts BETWEEN load.begin_ts AND load.end_ts GROUP BY x.seq

--# Docker: namespaces and mounts
--> stats -g comm,name -a count,sum,mean,p99,max -s sum -n 25 dur_ns
SELECT comm, name, dur_ns FROM call WHERE name IN ('unshare', 'setns', 'clone3', 'mount', 'umount', 'umount2', 'pivot_root',
	'move_mount', 'open_tree', 'fsopen', 'fsmount', 'mount_setattr', 'sethostname')

--# Docker: reads, writes and syncs by program
--> list -n 20 -f comm,reads,read_bytes,writes,written_bytes,syncs,dur_ns
SELECT comm, count(*) FILTER (WHERE operation = 'read') AS reads, sum(iif(operation = 'read', bytes, 0)) AS read_bytes,
	count(*) FILTER (WHERE operation = 'write') AS writes, sum(iif(operation = 'write', bytes, 0)) AS written_bytes,
	count(*) FILTER (WHERE operation = 'sync') AS syncs, sum(c.dur_ns) AS dur_ns
FROM io_call AS c, load WHERE c.end_ts BETWEEN load.begin_ts AND load.end_ts AND c.type = 'file'
GROUP BY comm ORDER BY read_bytes + written_bytes DESC, comm

--# Docker: storage: images, layers and volumes
--> list -n 20 -f comm,operation,place,calls,bytes,dur_ns
SELECT comm, operation, CASE WHEN path GLOB '*/overlay2/*' OR path GLOB '*snapshotter*' THEN 'layers'
	WHEN path GLOB '*/image/*' OR path GLOB '*/content/*' THEN 'images' WHEN path GLOB '*/volumes/*' THEN 'volumes'
	ELSE 'containers' END AS place, count(*) AS calls, sum(bytes) AS bytes, sum(c.dur_ns) AS dur_ns
FROM io_call AS c, load WHERE c.end_ts BETWEEN load.begin_ts AND load.end_ts
	AND (path GLOB '*/docker/*' OR path GLOB '*/containerd/*')
GROUP BY 1, 2, 3 ORDER BY sum(c.dur_ns) DESC, 1, 2, 3
