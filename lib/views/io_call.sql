-- SPDX-License-Identifier: MIT
-- Every system call that works on a file, a socket, a pipe ...: the operation (read write open close
-- socket socket_send socket_recv mmap sync other), its target (a path, an address, or fd:N where neither
-- is known) and the type of that (file, socket, pipe, eventfd ...; NULL: not known), the bytes moved, and
-- failed, 1 or 0.
--   SELECT operation, type, count(*), sum(bytes) FROM io_call GROUP BY operation, type;
SELECT seq, run, begin_ts, end_ts, dur_ns, pid, tid, comm, name, operation,
	coalesce(path, 'fd:' || fd) AS target,
	coalesce(type, iif(operation GLOB 'socket*', 'socket', NULL)) AS type,
	CASE WHEN operation IN ('read', 'write', 'socket_send', 'socket_recv') THEN
		coalesce(bytes,
			iif(typeof(ret) = 'integer' AND ret >= 0 AND name NOT GLOB '*mmsg', ret, NULL))
	END AS bytes, failed, path
FROM (
	SELECT seq, run, begin_ts, end_ts, dur_ns, pid, tid, comm, name, ret, fd, path, type, bytes,
		failed, CASE
		WHEN name IN ('read', 'readv', 'pread64', 'preadv', 'preadv2')
			THEN iif(type = 'socket', 'socket_recv', 'read')
		WHEN name IN ('write', 'writev', 'pwrite64', 'pwritev', 'pwritev2',
			'sendfile', 'sendfile64')
			THEN iif(type = 'socket', 'socket_send', 'write')
		WHEN name IN ('recv', 'recvfrom', 'recvmsg', 'recvmmsg') THEN 'socket_recv'
		WHEN name IN ('send', 'sendto', 'sendmsg', 'sendmmsg') THEN 'socket_send'
		WHEN name IN ('open', 'openat', 'openat2', 'creat') THEN 'open'
		WHEN name = 'close' THEN 'close'
		WHEN name IN ('socket', 'socketpair', 'bind', 'listen', 'connect', 'accept', 'accept4')
			THEN 'socket'
		WHEN name IN ('mmap', 'mmap2') THEN 'mmap'
		WHEN name IN ('fsync', 'fdatasync', 'sync_file_range', 'syncfs') THEN 'sync'
		WHEN path IS NOT NULL THEN 'other'
		END AS operation
	FROM (
		SELECT seq, run, ts - coalesce(dur_ns, 0) AS begin_ts, ts AS end_ts, dur_ns, pid, tid,
			comm, name, ret, fd, path, bytes,
			typeof(ret) = 'integer' AND ret BETWEEN -4095 AND -1 AS failed,
			CASE
			WHEN path GLOB '/*' OR path NOT GLOB '[a-z]*:*' OR path GLOB '*/*:*' THEN 'file'
			WHEN substr(path, 1, instr(path, ':') - 1) IN ('tcp', 'udp', 'unix', 'inet',
				'sctp', 'mptcp', 'udplite', 'raw', 'netlink', 'packet', 'alg', 'vsock', 'xdp',
				'socket') THEN 'socket'
			ELSE substr(path, 1, instr(path, ':') - 1)
			END AS type
		FROM @syscall
	)
)
WHERE operation IS NOT NULL
