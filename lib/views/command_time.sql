-- SPDX-License-Identifier: MIT
-- How long commands ran (ns): processes that ended, by their full command (argv; else the path of the
-- program; else the name), from their last exec, or their fork where there was none, to their end. Where
-- neither is in the trace the time is not known: such a process is counted in ended, but not in timed.
--   SELECT command, timed, mean_ns FROM command_time ORDER BY mean_ns DESC;
SELECT run, command, count(*) AS ended, count(dur_ns) AS timed, avg(dur_ns) AS mean_ns,
	min(dur_ns) AS min_ns, max(dur_ns) AS max_ns, sum(dur_ns) AS sum_ns
FROM (
	SELECT x.run, coalesce(e.argv, x.argv, e.path, x.comm) AS command,
		x.ts - coalesce(e.ts, x.ts - x.dur_ns) AS dur_ns
	FROM @exit AS x
	LEFT JOIN @exec AS e ON e.run = x.run AND e.tid = x.tid AND e.ts = (
		SELECT max(n.ts) FROM @exec AS n
		WHERE n.run = x.run AND n.tid = x.tid AND n.ts <= x.ts
			AND n.ts >= x.ts - coalesce(x.dur_ns, x.ts)
	)
	WHERE x.tid = coalesce(x.pid, x.tid)
)
GROUP BY run, command
