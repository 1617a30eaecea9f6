-- SPDX-License-Identifier: MIT
-- A heat map of the waits for a CPU: for each run, second and power of two of the time waited, how many, with a bar.
-- A wait of 2^n up to 2^(n+1) ns is in the row of from_ns = 2^n.
SELECT
	run, toDateTime(intDiv(ts, 1000000000), 'UTC') AS second,
	bitShiftLeft(toUInt64(1), arrayCount(n -> bitShiftRight(assumeNotNull(dur_ns), n + 1) > 0, range(62))) AS from_ns,
	count() AS waits, bar(log2(count() + 1), 0, 16, 32) AS heat
FROM runq
WHERE dur_ns > 0 AND run GLOBAL IN (SELECT run FROM runs)
GROUP BY run, second, from_ns
ORDER BY run, second, from_ns;
