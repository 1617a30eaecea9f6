-- SPDX-License-Identifier: MIT
-- Who woke whom: how often, and the time asleep (ns) that this ended, in all, in the mean and at most.
-- Without waker and with irq = 1: an interrupt did it, a device or a timer.
--   SELECT waker_comm, irq, comm, wakeups, slept_ns FROM wake_edges ORDER BY wakeups DESC LIMIT 10;
SELECT run, iif(irq, NULL, waker_tid) AS waker_tid, iif(irq, NULL, waker_comm) AS waker_comm, irq, tid,
	comm,
	count(*) AS wakeups, sum(dur_ns) AS slept_ns, avg(dur_ns) AS mean_ns, max(dur_ns) AS max_ns
FROM (
	SELECT run, waker_tid, waker_comm, ifnull(waker_irq = 1, 0) AS irq, tid, comm, dur_ns
	FROM @blocked WHERE waker_tid IS NOT NULL OR waker_irq = 1
)
GROUP BY run, 2, 3, irq, tid, comm
