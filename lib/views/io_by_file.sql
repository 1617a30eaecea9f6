-- SPDX-License-Identifier: MIT
-- Who did what on which file, socket or pipe: calls, those that failed, bytes, and time (ns), in all, in
-- the mean and at most, by thread name, operation and target.
--   SELECT comm, operation, target, calls, bytes, dur_ns FROM io_by_file ORDER BY dur_ns DESC LIMIT 10;
SELECT run, comm, operation, target, type, count(*) AS calls, sum(failed) AS errors, sum(bytes) AS bytes,
	sum(dur_ns) AS dur_ns, avg(dur_ns) AS mean_ns, max(dur_ns) AS max_ns
FROM @io_call
WHERE path IS NOT NULL
GROUP BY run, comm, operation, target, type
