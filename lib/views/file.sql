-- SPDX-License-Identifier: MIT
-- Which files were used: from when to when, calls of all kinds, opens, reads and writes and the bytes
-- these moved, calls that failed, and the time in all of them (ns). type is file, or pipe, eventfd ...
--   SELECT path, read_bytes, written_bytes FROM file WHERE type = 'file' ORDER BY written_bytes DESC;
SELECT run, path, type, min(begin_ts) AS first_ts, max(end_ts) AS last_ts, count(*) AS calls,
	sum(operation = 'open') AS opens,
	sum(operation = 'read') AS reads, sum(operation = 'write') AS writes,
	sum(iif(operation = 'read', bytes, NULL)) AS read_bytes,
	sum(iif(operation = 'write', bytes, NULL)) AS written_bytes,
	sum(failed) AS errors, sum(dur_ns) AS dur_ns
FROM @io_call
WHERE path IS NOT NULL AND type <> 'socket'
GROUP BY run, path, type
