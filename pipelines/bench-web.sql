-- SPDX-License-Identifier: MIT
-- What `report` shows of bench-nginx and bench-apache. In a recording by eBPF a socket has no address, so a
-- connection is a descriptor from its accept to the next one; servers are the processes that accept.
WITH load AS (SELECT min(ts - dur_ns) AS begin_ts, max(ts) AS end_ts, sum(dur_ns) AS dur_ns FROM phase WHERE name = 'load'),
call AS MATERIALIZED (
	SELECT s.ts - s.dur_ns AS begin_ts, s.ts, s.dur_ns, s.pid, s.tid, s.comm, s.fd, s.bytes, CASE
		WHEN s.name IN ('accept', 'accept4') THEN 'accept'
		WHEN s.name IN ('close', 'shutdown') THEN s.name
		WHEN s.name IN ('read', 'readv', 'recvfrom', 'recvmsg') THEN 'receive'
		ELSE 'send' END AS does
	FROM syscall AS s, load
	WHERE s.ts BETWEEN load.begin_ts AND load.end_ts AND s.path GLOB 'tcp:*' AND (
		s.ret > 0 AND s.name IN ('accept', 'accept4', 'read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev',
			'sendto', 'sendmsg', 'sendfile', 'sendfile64')
		OR s.ret = 0 AND s.name IN ('close', 'shutdown'))
),
server AS MATERIALIZED (SELECT DISTINCT pid FROM call WHERE does = 'accept'),
step AS MATERIALIZED (
	SELECT *, lag(does) OVER w AS before, lag(ts) OVER w AS before_ts, lag(begin_ts) OVER w AS before_begin_ts,
		count(*) FILTER (WHERE does = 'accept') OVER w AS connection, pid IN server AS serves
	FROM call WHERE does <> 'shutdown' WINDOW w AS (PARTITION BY pid, fd ORDER BY ts)
)

--# Web: requests, as the program that made them counted
--> list -f program,test,requests,failed,rate,mean_ns,p50_ns,p99_ns
SELECT * FROM generator

--# Web: requests, as the sockets show them
--: A request is an answer that begins after the server has received.
--> list -f comm,connections,requests,rate,rx_bytes,tx_bytes
SELECT comm, count(*) FILTER (WHERE does = 'accept') AS connections, count(*) FILTER (WHERE does = 'send' AND before = 'receive') AS requests,
	round(count(*) FILTER (WHERE does = 'send' AND before = 'receive') * 1e9 / load.dur_ns, 2) AS rate,
	sum(iif(does = 'receive', bytes, 0)) AS rx_bytes, sum(iif(does = 'send', bytes, 0)) AS tx_bytes
FROM step, load WHERE serves GROUP BY comm ORDER BY requests DESC

--# Web: latency on the sockets
--: first byte: the client begins to send a request until it receives the first of the answer. service: the server has
--: read the request until it begins to answer.
--> stats -g of,comm -a count,mean,p50,p95,p99,max dur_ns
SELECT 'first byte' AS of, comm, ts - before_begin_ts AS dur_ns FROM step
WHERE does = 'receive' AND before = 'send' AND NOT serves
UNION ALL
SELECT 'service', comm, begin_ts - before_ts FROM step WHERE does = 'send' AND before = 'receive' AND serves

--# Web: connections, from accept to close
--> stats -g comm -a count,mean,p50,p99,max dur_ns requests
SELECT comm, max(iif(does = 'close', ts, NULL)) - min(iif(does = 'accept', ts, NULL)) AS dur_ns,
	count(*) FILTER (WHERE does = 'send' AND before = 'receive') AS requests
FROM step WHERE serves GROUP BY pid, fd, connection HAVING dur_ns NOT NULL

--# Web: files that were opened to be served
--> list -n 15 -f path,opens,failed,open_ns,max_open_ns
SELECT path, count(*) AS opens, sum(ret < 0) AS failed, sum(s.dur_ns) AS open_ns, max(s.dur_ns) AS max_open_ns
FROM syscall AS s, load WHERE s.pid IN server AND s.name IN ('open', 'openat', 'openat2')
	AND s.ts BETWEEN load.begin_ts AND load.end_ts
GROUP BY path ORDER BY opens DESC, path

--# Web: each worker's share
--> list -f comm,pid,connections,requests,percent,tx_bytes,cpu_ns,runq_ns
SELECT w.*, (SELECT sum(o.dur_ns) FROM oncpu AS o, load WHERE o.pid = w.pid AND o.ts BETWEEN load.begin_ts AND load.end_ts) AS cpu_ns,
	(SELECT sum(q.dur_ns) FROM runq AS q, load WHERE q.pid = w.pid AND q.ts BETWEEN load.begin_ts AND load.end_ts) AS runq_ns
FROM (SELECT comm, pid, count(*) FILTER (WHERE does = 'accept') AS connections, count(*) FILTER (WHERE does = 'send' AND before = 'receive') AS requests,
	round(100.0 * count(*) FILTER (WHERE does = 'send' AND before = 'receive') / sum(count(*) FILTER (WHERE does = 'send' AND before = 'receive')) OVER (), 1) AS percent,
	sum(iif(does = 'send', bytes, 0)) AS tx_bytes FROM step WHERE serves GROUP BY pid) AS w ORDER BY requests DESC, pid
