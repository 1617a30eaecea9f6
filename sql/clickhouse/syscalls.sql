-- SPDX-License-Identifier: MIT
-- How long system calls took, by program and call: those with most time first.
-- Quantiles are exact, between two values by linear interpolation, as stats(1) has them; for billions of rows,
-- quantilesTDigest(0.5, 0.95, 0.99)(dur_ns) takes less memory.
SELECT
	comm, name, length(d) AS calls, arraySum(d) AS sum_ns, d[1] AS min_ns, d[length(d)] AS max_ns,
	arrayMap(q -> d[toUInt32(floor((length(d) - 1) * q)) + 1] + ((length(d) - 1) * q - floor((length(d) - 1) * q)) *
		(d[toUInt32(ceil((length(d) - 1) * q)) + 1] - d[toUInt32(floor((length(d) - 1) * q)) + 1]), [0.5, 0.95, 0.99]) AS p50_p95_p99_ns
FROM (
	SELECT comm, name, arraySort(groupArray(dur_ns)) AS d
	FROM syscall
	WHERE dur_ns IS NOT NULL AND run GLOBAL IN (SELECT run FROM runs)
	GROUP BY comm, name
)
ORDER BY sum_ns DESC, comm, name
LIMIT 25;
