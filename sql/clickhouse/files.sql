-- SPDX-License-Identifier: MIT
-- Which files moved how many bytes, and took how long, by program.
SELECT comm, path, count() AS calls, sum(bytes) AS moved_bytes, sum(dur_ns) AS sum_ns, max(dur_ns) AS max_ns
FROM syscall
WHERE path IS NOT NULL AND bytes IS NOT NULL AND run GLOBAL IN (SELECT run FROM runs)
GROUP BY comm, path
ORDER BY sum_ns DESC, comm, path
LIMIT 15;
