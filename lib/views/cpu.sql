-- SPDX-License-Identifier: MIT
-- What each CPU did: slices of threads and the time of these (busy_ns), interrupts and soft interrupts
-- and the time in them (ns). Interrupts run on top of threads or of the idle thread, and within each
-- other, so their times do not add up with busy_ns.
--   SELECT cpu, 100.0 * busy_ns / (last_ts - first_ts) AS percent FROM cpu;
SELECT run, cpu, min(first_ts) AS first_ts, max(last_ts) AS last_ts, sum(slices) AS slices,
	sum(busy_ns) AS busy_ns, sum(irqs) AS irqs, sum(irq_ns) AS irq_ns, sum(softirqs) AS softirqs,
	sum(softirq_ns) AS softirq_ns
FROM (
	SELECT run, cpu, min(ts - dur_ns) AS first_ts, max(ts) AS last_ts, count(*) AS slices,
		sum(dur_ns) AS busy_ns, NULL AS irqs, NULL AS irq_ns, NULL AS softirqs, NULL AS softirq_ns
	FROM @oncpu GROUP BY run, cpu
	UNION ALL
	SELECT run, cpu, min(ts - dur_ns), max(ts), NULL, NULL, count(*), sum(dur_ns), NULL, NULL
	FROM @irq GROUP BY run, cpu
	UNION ALL
	SELECT run, cpu, min(ts - dur_ns), max(ts), NULL, NULL, NULL, NULL, count(*), sum(dur_ns)
	FROM @softirq GROUP BY run, cpu
)
WHERE cpu IS NOT NULL
GROUP BY run, cpu
