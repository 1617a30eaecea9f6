-- SPDX-License-Identifier: MIT
-- What `report` shows of bench-redis. In a recording by eBPF a socket has no address, so a connection is a
-- descriptor from its accept to the next one.
WITH load AS (SELECT min(ts - dur_ns) AS begin_ts, max(ts) AS end_ts, sum(dur_ns) AS dur_ns FROM phase WHERE name = 'load'),
-- What moved bytes on sockets, or began a connection.
call AS MATERIALIZED (
	SELECT s.ts - s.dur_ns AS begin_ts, s.ts, s.dur_ns, s.pid, s.comm, s.fd, s.bytes, CASE
		WHEN s.name IN ('accept', 'accept4') THEN 'accept'
		WHEN s.name IN ('read', 'readv', 'recvfrom', 'recvmsg') THEN 'receive'
		ELSE 'send' END AS does
	FROM syscall AS s, load
	WHERE s.ts BETWEEN load.begin_ts AND load.end_ts AND s.ret > 0 AND s.path GLOB 'tcp:*'
		AND s.name IN ('accept', 'accept4', 'read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev', 'sendto', 'sendmsg')
),
step AS MATERIALIZED (
	SELECT *, lag(does) OVER w AS before, lag(begin_ts) OVER w AS before_begin_ts, lag(ts) OVER w AS before_ts,
		count(*) FILTER (WHERE does = 'accept') OVER w AS connection
	FROM call WINDOW w AS (PARTITION BY pid, fd ORDER BY ts)
)

--# Redis: requests, as redis-benchmark counted them
--> list -f test,requests,rate,mean_ns,p50_ns,p99_ns,max_ns
SELECT * FROM generator

--# Redis: requests, as the sockets show them
--: A request is an answer that the server sends after it has received; with pipelines, many are one. Beside those
--: of redis-benchmark's tests there are its questions for the configuration.
--> list -f comm,connections,requests,rate,rx_bytes,tx_bytes
SELECT comm, count(*) FILTER (WHERE does = 'accept') AS connections, count(*) FILTER (WHERE does = 'send' AND before = 'receive') AS requests,
	round(count(*) FILTER (WHERE does = 'send' AND before = 'receive') * 1e9 / load.dur_ns, 2) AS rate,
	sum(iif(does = 'receive', bytes, 0)) AS rx_bytes, sum(iif(does = 'send', bytes, 0)) AS tx_bytes
FROM step, load WHERE comm GLOB 'redis-server*' GROUP BY comm

--# Redis: latency on the sockets
--: answer: the client begins to send a request until it has the answer. service: the server has read the request until
--: the answer is sent. The rest is time on the way, and waiting for the server to come round to it.
--> stats -g of,comm -a count,mean,p50,p95,p99,max dur_ns
SELECT 'answer' AS of, comm, ts - before_begin_ts AS dur_ns FROM step
WHERE does = 'receive' AND before = 'send' AND comm = 'redis-benchmark'
UNION ALL
SELECT 'service', comm, ts - before_ts FROM step WHERE does = 'send' AND before = 'receive' AND comm GLOB 'redis-server*'

--# Redis: bytes by connection
--: The ten that moved most. fd is that of the server.
--> list -n 10 -f fd,connection,requests,rx_bytes,tx_bytes
SELECT fd, connection, count(*) FILTER (WHERE does = 'send' AND before = 'receive') AS requests,
	sum(iif(does = 'receive', bytes, 0)) AS rx_bytes, sum(iif(does = 'send', bytes, 0)) AS tx_bytes
FROM step WHERE comm GLOB 'redis-server*' GROUP BY pid, fd, connection ORDER BY rx_bytes + tx_bytes DESC, fd, connection

--# Redis: pages of memory, taken from the kernel and given back
--> list -f comm,pid,alloc_pages,free_pages,net_pages
SELECT comm, pid, sum(alloc_pages) AS alloc_pages, sum(free_pages) AS free_pages, sum(alloc_pages - free_pages) AS net_pages
FROM pages WHERE comm GLOB 'redis-*' GROUP BY comm, pid ORDER BY alloc_pages DESC, pid

--# Redis: forks, for saving
--: call_ns: how long the fork kept the server from answering.
--> list -f comm,child_pid,call_ns,child_ns,child_cpu_ns
SELECT f.comm, f.child_pid,
	(SELECT s.dur_ns FROM syscall AS s WHERE s.ret = f.child_pid AND s.pid = f.pid AND s.name IN ('fork', 'vfork', 'clone', 'clone3')
		AND s.ts >= f.ts ORDER BY s.ts LIMIT 1) AS call_ns,
	(SELECT e.ts - f.ts FROM exit AS e WHERE e.tid = f.child_pid AND e.ts > f.ts ORDER BY e.ts LIMIT 1) AS child_ns,
	(SELECT sum(o.dur_ns) FROM oncpu AS o WHERE o.tid = f.child_pid) AS child_cpu_ns
FROM fork AS f WHERE f.comm GLOB 'redis-server*' AND f.child_pid <> f.pid

--# Redis: what the save wrote
--> list -f comm,name,path,calls,bytes,dur_ns,max_ns
SELECT comm, name, path, count(*) AS calls, sum(bytes) AS bytes, sum(dur_ns) AS dur_ns, max(dur_ns) AS max_ns FROM syscall
WHERE comm GLOB 'redis-*' AND path GLOB '*.rdb' GROUP BY comm, name, path ORDER BY sum(dur_ns) DESC, name
