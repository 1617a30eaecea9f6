-- SPDX-License-Identifier: MIT
-- What a thread's time went to, and while it slept, that of the thread that was to wake it, and so on:
-- rows that fill the time between the settings critical_begin and critical_end (ts; NULL: all that is
-- known of the thread) of thread critical_tid (NULL: the one with the most CPU time) in critical_run
-- (NULL: the last), without overlap. state: running; runq (waited for a CPU; by: who ran there); throttled
-- (the same, but for more than half of that wait a CPU quota held it back); interrupt (asleep until a device
-- or a timer woke it); blocked (asleep; by: who woke it, of whom no more is known, or deeper than
-- critical_depth); wakeup (it had woken waiting_tid, which did not know yet); unknown (the thread has no spans
-- there). depth counts the wakers between; waiting_tid is the thread that slept meanwhile; call the system
-- call that the thread was in all that time.
--   UPDATE settings SET value = 323 WHERE name = 'critical_tid';
--   SELECT comm, state, call, sum(dur_ns) FROM critical_path GROUP BY 1, 2, 3 ORDER BY 4 DESC;
WITH RECURSIVE
chosen_run(run) AS (
	SELECT coalesce((SELECT value FROM @settings WHERE name = 'critical_run'),
		(SELECT max(run) FROM @oncpu))
),
chosen(run, tid) AS (
	SELECT run, coalesce((SELECT value FROM @settings WHERE name = 'critical_tid'), (
		SELECT o.tid FROM @oncpu AS o WHERE o.run = chosen_run.run
		GROUP BY o.tid ORDER BY sum(o.dur_ns) DESC, o.tid LIMIT 1
	)) FROM chosen_run
),
span(run, tid, lo, hi) AS (
	SELECT run, tid,
		coalesce((SELECT value FROM @settings WHERE name = 'critical_begin'), min(lo)),
		coalesce((SELECT value FROM @settings WHERE name = 'critical_end'), max(hi))
	FROM (
		SELECT run, tid, min(s.ts - s.dur_ns) AS lo, max(s.ts) AS hi
		FROM chosen JOIN @oncpu AS s USING (run, tid)
		UNION ALL
		SELECT run, tid, min(s.ts - s.dur_ns), max(s.ts)
		FROM chosen JOIN @runq AS s USING (run, tid)
		UNION ALL
		SELECT run, tid, min(s.ts - s.dur_ns), max(s.ts)
		FROM chosen JOIN @blocked AS s USING (run, tid)
	)
),
-- What thread tid did from lo to hi; state NULL: that is still to be looked up. cut: hi is the end of the
-- window, not that of a sleep.
path(state, run, tid, comm, lo, hi, cut, depth, deepest, waiting_tid, by_tid, by_comm) AS (
	SELECT NULL, run, tid, NULL, lo, hi, 1, 0,
		coalesce((SELECT value FROM @settings WHERE name = 'critical_depth'), 32),
		NULL, NULL, NULL
	FROM span WHERE lo < hi
	UNION ALL
	SELECT 'running', p.run, s.tid, s.comm, max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts),
		p.cut, p.depth, p.deepest, p.waiting_tid, NULL, NULL
	FROM path AS p JOIN @oncpu AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo
		AND s.ts <= coalesce((SELECT n.ts FROM @oncpu AS n WHERE n.run = p.run AND n.tid = p.tid
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0
	UNION ALL
	SELECT CASE WHEN s.throttled_ns > s.dur_ns / 2 THEN 'throttled'
		WHEN s.ts > p.hi AND NOT p.cut THEN 'wakeup' ELSE 'runq' END, p.run, s.tid, s.comm,
		max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts), p.cut, p.depth, p.deepest, p.waiting_tid,
		iif(s.throttled_ns > s.dur_ns / 2, NULL, s.by_tid),
		iif(s.throttled_ns > s.dur_ns / 2, NULL, s.by_comm)
	FROM path AS p JOIN @runq AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo
		AND s.ts <= coalesce((SELECT n.ts FROM @runq AS n WHERE n.run = p.run AND n.tid = p.tid
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0
	UNION ALL
	SELECT CASE
		WHEN s.ts > p.hi AND NOT p.cut THEN 'wakeup'
		WHEN s.waker_irq = 1 THEN 'interrupt'
		WHEN p.depth < p.deepest AND s.waker_tid <> s.tid AND (
			SELECT w.ts - w.dur_ns FROM @oncpu AS w
			WHERE w.run = p.run AND w.tid = s.waker_tid AND w.ts > max(p.lo, s.ts - s.dur_ns)
			ORDER BY w.ts LIMIT 1
		) < min(p.hi, s.ts) THEN 'follow'
		ELSE 'blocked' END, p.run, s.tid, s.comm, max(p.lo, s.ts - s.dur_ns), min(p.hi, s.ts),
		p.cut AND s.ts > p.hi, p.depth, p.deepest, p.waiting_tid,
		iif(s.waker_irq = 1, NULL, s.waker_tid), iif(s.waker_irq = 1, NULL, s.waker_comm)
	FROM path AS p JOIN @blocked AS s ON s.run = p.run AND s.tid = p.tid AND s.ts > p.lo
		AND s.ts <= coalesce((SELECT n.ts FROM @blocked AS n WHERE n.run = p.run AND n.tid = p.tid
			AND n.ts >= p.hi ORDER BY n.ts LIMIT 1), p.hi)
	WHERE p.state IS NULL AND s.ts - s.dur_ns < p.hi AND s.dur_ns > 0
	UNION ALL
	SELECT NULL, run, by_tid, NULL, lo, hi, cut, depth + 1, deepest, tid, NULL, NULL
	FROM path WHERE state = 'follow'
	UNION ALL
	-- It was not born yet: who made it.
	SELECT NULL, p.run, f.tid, NULL, p.lo, min(p.hi, coalesce((
			SELECT r.ts - r.dur_ns FROM @runq AS r
			WHERE r.run = p.run AND r.tid = p.tid AND r.ts > f.ts ORDER BY r.ts LIMIT 1
		), f.ts)), 0, p.depth + 1, p.deepest, p.waiting_tid, NULL, NULL
	FROM path AS p JOIN @fork AS f ON f.run = p.run AND f.child_tid = p.tid AND f.ts > p.lo
		AND f.ts < p.hi
	WHERE p.state IS NULL AND p.depth < p.deepest
	LIMIT 5000000
),
found AS (
	SELECT state, run, tid, comm, lo, hi, depth, waiting_tid, by_tid, by_comm
	FROM path WHERE state <> 'follow'
	UNION ALL
	SELECT 'end', run, NULL, NULL, hi, hi, NULL, NULL, NULL, NULL FROM span
)
SELECT run, lo AS begin_ts, hi AS end_ts, hi - lo AS dur_ns, tid, comm, state, (
		SELECT iif(c.ts - c.dur_ns <= lo, c.name, NULL) FROM @syscall AS c
		WHERE c.run = found.run AND c.tid = found.tid AND c.ts >= hi ORDER BY c.ts LIMIT 1
	) AS call, depth, waiting_tid, by_tid, by_comm
FROM found WHERE state <> 'end'
UNION ALL
SELECT run, before, lo, lo - before, NULL, NULL, 'unknown', NULL, NULL, NULL, NULL, NULL
FROM (SELECT run, lo, ifnull(lag(hi) OVER (ORDER BY lo, hi), (SELECT lo FROM span)) AS before FROM found)
WHERE before < lo
ORDER BY begin_ts
