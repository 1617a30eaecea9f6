-- SPDX-License-Identifier: MIT
-- What interrupts cost, by handler.
SELECT ev, name, count() AS calls, sum(dur_ns) AS sum_ns, max(dur_ns) AS max_ns
FROM (
	SELECT ev, name, dur_ns FROM irq WHERE run GLOBAL IN (SELECT run FROM runs)
	UNION ALL
	SELECT ev, name, dur_ns FROM softirq WHERE run GLOBAL IN (SELECT run FROM runs)
)
GROUP BY ev, name
ORDER BY sum_ns DESC, ev, name
LIMIT 15;
