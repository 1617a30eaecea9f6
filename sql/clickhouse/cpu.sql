-- SPDX-License-Identifier: MIT
-- Which processes used the CPUs: by run, because a pid means nothing beyond it.
SELECT run, pid, comm, count() AS slices, sum(dur_ns) AS cpu_ns, max(dur_ns) AS max_ns
FROM oncpu
WHERE run GLOBAL IN (SELECT run FROM runs)
GROUP BY run, pid, comm
ORDER BY cpu_ns DESC, run, pid, comm
LIMIT 15;
