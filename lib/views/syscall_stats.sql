-- SPDX-License-Identifier: MIT
-- System calls by thread name and call: how many, how many failed, and their time (ns). For quantiles:
--   from-sqlite DATABASE 'SELECT ts, ev, comm, name, dur_ns FROM syscall' | stats -g comm,name dur_ns
--   SELECT name, count, sum_ns, mean_ns FROM syscall_stats WHERE comm = 'nginx' ORDER BY sum_ns DESC;
SELECT run, comm, name, count(*) AS count,
	sum(typeof(ret) = 'integer' AND ret BETWEEN -4095 AND -1) AS errors,
	sum(dur_ns) AS sum_ns, avg(dur_ns) AS mean_ns, min(dur_ns) AS min_ns, max(dur_ns) AS max_ns
FROM @syscall
GROUP BY run, comm, name
