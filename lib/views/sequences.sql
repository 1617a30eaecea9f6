-- SPDX-License-Identifier: MIT
-- Runs of one operation on one target by one thread, with gaps of at most the setting sequence_gap_ns (on
-- sockets: socket_gap_ns) between the end of a call and the begin of the next; each open, close and
-- socket is one of its own. seq is that of the first record, busy_ns the time in the calls, bytes what
-- they moved.
--   SELECT operation, count(*), sum(bytes), avg(dur_ns) FROM sequences GROUP BY operation;
SELECT min(seq) AS seq, run, pid, tid, max(comm) AS comm, operation, target, type,
	min(begin_ts) AS begin_ts, max(end_ts) AS end_ts, max(end_ts) - min(begin_ts) AS dur_ns,
	count(*) AS calls, sum(dur_ns) AS busy_ns, sum(bytes) AS bytes, sum(failed) AS errors
FROM (
	SELECT *, sum(first) OVER (PARTITION BY run, tid, operation, target ORDER BY begin_ts, seq) AS nth
	FROM (
		SELECT seq, run, pid, tid, comm, operation, target, type, begin_ts, end_ts, dur_ns, bytes,
			failed, operation IN ('open', 'close', 'socket') OR
			ifnull(begin_ts - lag(end_ts) OVER (PARTITION BY run, tid, operation, target
				ORDER BY begin_ts, seq) > gap, 1) AS first
		FROM @io_call JOIN (
			SELECT 'socket' AS gap_of, coalesce((SELECT value FROM @settings
				WHERE name = 'socket_gap_ns'), 50000000) AS gap
			UNION ALL
			SELECT 'file', coalesce((SELECT value FROM @settings
				WHERE name = 'sequence_gap_ns'), 100000000)
		) ON gap_of = iif(operation GLOB 'socket_*', 'socket', 'file')
		WHERE operation <> 'other'
	)
)
GROUP BY run, tid, operation, target, nth
