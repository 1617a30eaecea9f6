-- SPDX-License-Identifier: MIT
-- Which sockets were used, by process and address, where that is known: from when to when, calls of all
-- kinds, sends and receives and the bytes these moved, calls that failed, and the time in all of them
-- (ns).
--   SELECT address, received_bytes, sent_bytes FROM socket ORDER BY received_bytes DESC;
SELECT run, pid, path AS address, min(begin_ts) AS first_ts, max(end_ts) AS last_ts, count(*) AS calls,
	sum(operation = 'socket_send') AS sends, sum(operation = 'socket_recv') AS receives,
	sum(iif(operation = 'socket_send', bytes, NULL)) AS sent_bytes,
	sum(iif(operation = 'socket_recv', bytes, NULL)) AS received_bytes,
	sum(failed) AS errors, sum(dur_ns) AS dur_ns
FROM @io_call
WHERE path IS NOT NULL AND type = 'socket'
GROUP BY run, pid, path
