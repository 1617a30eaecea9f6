-- SPDX-License-Identifier: MIT
-- How long runnable threads waited for a CPU, by program: those with most waiting first.
-- Quantiles as in syscalls.sql.
SELECT
	comm, length(d) AS waits, arraySum(d) AS sum_ns, d[1] AS min_ns, d[length(d)] AS max_ns,
	arrayMap(q -> d[toUInt32(floor((length(d) - 1) * q)) + 1] + ((length(d) - 1) * q - floor((length(d) - 1) * q)) *
		(d[toUInt32(ceil((length(d) - 1) * q)) + 1] - d[toUInt32(floor((length(d) - 1) * q)) + 1]), [0.5, 0.95, 0.99]) AS p50_p95_p99_ns
FROM (
	SELECT comm, arraySort(groupArray(dur_ns)) AS d
	FROM runq
	WHERE dur_ns IS NOT NULL AND run GLOBAL IN (SELECT run FROM runs)
	GROUP BY comm
)
ORDER BY sum_ns DESC, comm
LIMIT 15;
