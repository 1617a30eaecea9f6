-- SPDX-License-Identifier: MIT
-- CPU time (ns) by full command (argv; else the path of the program; else the name), of all processes of
-- that command together and in the mean. Of a process that ran several programs, all time is that of the
-- last.
--   SELECT command, processes, cpu_ns FROM command_cpu ORDER BY cpu_ns DESC LIMIT 3;
SELECT run, coalesce(argv, path, comm) AS command, count(*) AS processes, sum(cpu_ns) AS cpu_ns,
	avg(cpu_ns) AS mean_ns
FROM @process
WHERE cpu_ns IS NOT NULL
GROUP BY run, command
