#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live process life, against wait4, /proc and programs with known numbers of children, failures, threads.

load helper

setup() {
	need_bpf collect-proc
	lives=$(build lives)
	# Not a wrapper that starts programs of its own.
	python=$(python3 -c 'import sys; print(sys.executable)')
}

count() {
	where -f "$T/r" "$@" | wc -l
}

# value KEY EXPRESSION...: that field of the only record.
value() {
	where -f "$T/r" "${@:2}" | grep -oP "\t$1=\K[^\t]*"
}

@test "exactly the forks, execs, failures, threads and ends that there are" {
	try collect-proc -o "$T/r" -- "$lives" 101 53 31 17
	[ "$status" = 0 ]
	[[ $err == *" 0 lost;"* ]]
	[ "$(count ev=fork)" = $((101 + 53 + 17)) ]
	[ "$(where -f "$T/r" ev=fork | awk -F'\t' '{ for (i in f) delete f[i]; for (i = 1; i <= NF; i++) { split($i, p, "="); f[p[1]] = p[2] } n += f["child_pid"] == f["child_tid"] } END { print n }')" = 154 ]
	[ "$(count ev=exec '!errno')" = 54 ]
	[ "$(count ev=exec errno=ENOENT path=/nonexistent/program)" = 15 ]
	[ "$(count ev=exec errno=EACCES path=/etc/passwd "argv=missing 'one two'")" = 16 ]
	[ "$(count ev=exit code=7)" = 101 ]
	[ "$(count ev=exit code=5 "argv=$lives exit 5")" = 53 ]
	[ "$(count ev=exit)" = $((1 + 101 + 53 + 17)) ]
	[ "$(count ev=exit maxrss_bytes)" = $((1 + 101 + 53)) ]
	# A fork runs what its parent does.
	[ "$(count ev=exit code=7 "argv=$lives 101 53 31 17")" = 101 ]
	# What is not asked for is not there.
	collect-proc -e exec,exit -o "$T/r" -- "$lives" 3 5 7 2 2>/dev/null
	[ "$(grep -oP '\tev=\K[^\t]*' "$T/r" | sort -u | tr '\n' ' ')" = "exec exit " ]
	try collect-proc -e exec,fro
	expect 2 "" "collect-proc: cannot record 'fro': there are fork, exec, exit and rss; see 'collect-proc --help'"
}

@test "status, signal, CPU time, wall time and memory are what wait4 says" {
	cat >"$T/run.py" <<-'E'
	import os, resource, sys, time
	lives, out = sys.argv[1], open(sys.argv[2], "w")
	for args in (["exit", "0"], ["exit", "113"], ["burn", "3"], ["burn", "150"], ["hold", "67"], ["signal", "9"], ["signal", "6"]):
	    start = time.monotonic_ns()
	    pid = os.fork()
	    if pid == 0:
	        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
	        if args[0] == "signal":
	            os.kill(os.getpid(), int(args[1]))
	        os.execv(lives, [lives] + args)
	    _, status, use = os.wait4(pid, 0)
	    wall = time.monotonic_ns() - start
	    print(pid, status, wall, int((use.ru_utime + use.ru_stime) * 1e9), use.ru_maxrss * 1024, file=out)
	E
	collect-proc -o "$T/r" -- "$python" "$T/run.py" "$lives" "$T/waited" 2>"$T/err"
	[ "$(wc -l <"$T/waited")" = 7 ]
	python3 - "$T/r" "$T/waited" <<-'E'
	import os, sys
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1])]
	ends = {int(r["pid"]): r for r in rows if r["ev"] == "exit"}
	for line in open(sys.argv[2]):
	    pid, status, wall, cpu, maxrss = map(int, line.split())
	    r = ends[pid]
	    if os.WIFSIGNALED(status):
	        assert "code" not in r and int(r["signal"]) == os.WTERMSIG(status), r
	    else:
	        assert "signal" not in r and int(r["code"]) == os.WEXITSTATUS(status), r
	    assert int(r["maxrss_bytes"]) == maxrss, (r, maxrss)
	    assert 0 < int(r["process_ns"]) <= wall, (r, wall)
	    # Between the record and wait4 its memory is given back; the kernel's clocks differ a little.
	    assert cpu * 0.8 - 1e6 < int(r["process_cpu_ns"]) < cpu * 1.1 + 3e6, (r, cpu)
	    assert r["dur_ns"] == r["process_ns"]
	    # The same sum, looked at twice: a tick may add to it in between.
	    assert 0 < int(r["cpu_ns"]) <= int(r["process_cpu_ns"]) < int(r["cpu_ns"]) + 5e6, r
	E
}

@test "a command lives from when it was let go, not from when it was made to wait" {
	collect-proc -e exec,exit -o "$T/r" -- "$python" -c 'if True:
		import time
		boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
		print(boot + int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]) * 10000000)' >"$T/made" 2>/dev/null
	python3 - "$T/r" "$(cat "$T/made")" <<-'E'
	import sys
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1])]
	end = next(r for r in rows if r["ev"] == "exit" and r["pid"] == rows[0]["pid"])
	began = int(end["ts"]) - int(end["process_ns"])
	# It was made before the programs were loaded, as the kernel says in hundredths of a second.
	assert int(sys.argv[2]) + 10_000_000 < began < int(rows[0]["ts"]), (began - int(sys.argv[2]), rows)
	assert end["dur_ns"] == end["process_ns"]
	E
}

@test "CPU time of threads adds up to that of their process, however they end" {
	cat >"$T/threads.py" <<-'E'
	import hashlib, os, threading
	data = bytes(20_000_000)
	def work():
	    hashlib.sha256(data).digest()
	threads = [threading.Thread(target=work) for _ in range(5)]
	[t.start() for t in threads]
	[t.join() for t in threads]
	for _ in range(11):
	    threading.Thread(target=threading.Event().wait, daemon=True).start()
	os._exit(23)
	E
	collect-proc -o "$T/r" -- sh -c "$python $T/threads.py; exit 3" 2>/dev/null || [ $? = 3 ]
	python3 - "$T/r" <<-'E'
	import sys
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1])]
	ends = [r for r in rows if r["ev"] == "exit" and "threads.py" in r.get("argv", "")
	        and r.get("code") == "23"]
	assert len(ends) == 1
	threads = [r for r in rows if r["ev"] == "exit" and r["pid"] == ends[0]["pid"]]
	assert len(threads) == 17
	total = sum(int(r["cpu_ns"]) for r in threads)
	whole = int(ends[0]["process_cpu_ns"])
	# What threads do after their own record, until they are gone, is in the process' only.
	assert total * 0.95 - 2e6 < whole < total * 1.1 + 5e6, (total, whole)
	assert whole > 5 * 10e6
	E
}

@test "every byte of the arguments, told apart as a shell does; what is cut says so" {
	cat >"$T/argv.py" <<-'E'
	import os, random, sys
	lives, out = sys.argv[1], open(sys.argv[2], "wb")
	random.seed(20261121)
	def words():
	    yield [b"", b"'", b"''", b"it's", b"a b", b"\t", b"\n", b"\\", b"\\n", b'"', b"$(x)", b"`x`", b"*", b"\x1b[31m", b"\x7f", b"=", b"ev=lost", "\u00e9".encode(), b"\xff"]
	    yield [b"x" * 7000]
	    yield [b"a" * 9000, b"b"]
	    yield [b"%d" % i for i in range(1000)]
	    for _ in range(50):
	        yield [bytes(random.choice(range(1, 256)) for _ in range(random.randrange(40))) for _ in range(random.randrange(20))]
	for args in words():
	    args = [lives.encode(), b"exit", b"41"] + args
	    pid = os.fork()
	    if pid == 0: os.execv(lives, args)
	    os.waitpid(pid, 0)
	    out.write(b"%d " % pid + b"".join(a + b"\0" for a in args).hex().encode() + b"\n")
	E
	collect-proc -e exec,exit -o "$T/r" -- "$python" "$T/argv.py" "$lives" "$T/sent" 2>/dev/null
	python3 - "$T/r" "$T/sent" <<-'E'
	import re, shlex, sys
	raw = open(sys.argv[1], "rb").read()
	rows = [dict(f.split(b"=", 1) for f in l.split(b"\t")) for l in raw.split(b"\n")[:-1]]
	plain = lambda v: re.sub(rb"\\(x..|.)", lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" and len(m[1]) == 3 else {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"0": b"\0"}.get(m[1], m[1]), v, flags=re.S)
	n = cut = 0
	for line in open(sys.argv[2]):
	    pid, sent = line.split()
	    sent = bytes.fromhex(sent)
	    whole = len(sent) <= 8192
	    want = sent[:8192].split(b"\0")
	    if want[-1] == b"": want.pop()
	    split = lambda v: [a.encode("latin-1") for a in shlex.split(plain(v).decode("latin-1"))]
	    mine = [r for r in rows if r[b"pid"].decode() == pid]
	    assert [r[b"ev"] for r in mine] == [b"exec", b"exit"], mine
	    for r in mine:
	        assert split(r[b"argv"]) == want, (r[b"argv"][:200], want[:20])
	        assert (r.get(b"argv_truncated") == b"1") == (not whole)
	    n += 1; cut += not whole
	assert n == 54 and cut == 1
	E
}

@test "exec from a thread, by a descriptor, of a script; exec after exec" {
	printf '#!%s by-script\n' "$lives" >"$T/script" && chmod +x "$T/script"
	collect-proc -o "$T/r" -- "$lives" from-thread "$lives" by-descriptor "$lives" exit 37 2>/dev/null || [ $? = 37 ]
	[ "$(count ev=exec)" = 3 ]
	[ "$(count ev=exit)" = 2 ]	# the first thread gave way to the one that executed
	[ "$(value code ev=exit maxrss_bytes)" = 37 ]
	[ "$(value argv ev=exit maxrss_bytes)" = "$lives exit 37" ]
	[[ $(value path ev=exit maxrss_bytes) == /dev/fd/* ]]
	collect-proc -o "$T/r" -- "$T/script" x 2>/dev/null || true
	[ "$(value path ev=exec)" = "$T/script" ]
	[ "$(value argv ev=exec)" = "$lives by-script $T/script x" ]
}

@test "memory: changes are told at the asked pace, the last one always; usage is what /proc says" {
	cat >"$T/grow.py" <<-'E'
	import os, re, time
	kept = []
	for _ in range(20):
	    kept.append(bytearray(5_000_000))
	    time.sleep(0.02)
	time.sleep(0.35)
	del kept
	time.sleep(0.3)
	E
	cat >"$T/look.py" <<-'E'
	import os, subprocess, sys, time
	child = subprocess.Popen([sys.executable, sys.argv[1]])
	def read(name): return open(f"/proc/{child.pid}/{name}").read().split()
	seen = open(sys.argv[2], "w")
	while child.poll() is None:
	    try: print(time.time_ns(), child.pid, int(read("statm")[1]) * os.sysconf("SC_PAGESIZE"), read("schedstat")[0], file=seen)
	    except (OSError, IndexError): break
	    time.sleep(0.01)
	E
	collect-proc --usage 0.1 --rss-interval 50ms -o "$T/r" -- "$python" "$T/look.py" "$T/grow.py" "$T/seen" 2>/dev/null
	python3 - "$T/r" "$T/seen" <<-'E'
	import sys
	seen = [tuple(map(int, l.split())) for l in open(sys.argv[2])]
	pid = seen[0][1]
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1])]
	rows = [r for r in rows if r.get("pid") == str(pid)]
	rss = [(int(r["ts"]), int(r["bytes"])) for r in rows if r["ev"] == "rss"]
	end = next(int(r["ts"]) for r in rows if r["ev"] == "exit")
	assert max(b for _, b in rss) > 100e6
	assert len(rss) <= (end - rss[0][0]) / 50e6 + 3, len(rss)
	# The memory before and after it was given back stood still: the last value told is the one that /proc has.
	for at in (end - 80_000_000, end - 450_000_000):
	    told = [b for t, b in rss if t <= at][-1]
	    near = min(seen, key=lambda s: abs(s[0] - at))
	    assert abs(told - near[2]) < 1e6, (told, near)
	usage = [(int(r["ts"]), int(r["cpu_ns"]), int(r["rss_bytes"])) for r in rows if r["ev"] == "usage"]
	assert 6 <= len(usage) and all(a[1] <= b[1] for a, b in zip(usage, usage[1:]))
	for ts, cpu, bytes in usage:
	    near = min(seen, key=lambda s: abs(s[0] - ts))
	    assert abs(cpu - near[3]) < 30e6 + abs(near[0] - ts), (ts, cpu, near)
	E
}

@test "pages taken and given back: as many as perf counts, to the last one" {
	need perf
	perf record -q -a -m 4096 -o "$T/perf" -e kmem:mm_page_alloc,kmem:mm_page_free -- \
		collect-proc -e exit --pages 0.05 -o "$T/r" -- dd if=/dev/zero of=/dev/null bs=40M count=9 status=none 2>"$T/err" ||
		skip "perf cannot record kmem tracepoints"
	run ! grep -q lost "$T/r"
	pid=$(value pid ev=exit)
	perf script -i "$T/perf" -F comm,pid,event,trace >"$T/seen" 2>/dev/null
	python3 - "$pid" "$T/r" "$T/seen" <<-'E'
	import re, sys
	pid, rows = sys.argv[1], [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[2])]
	whole, own = {"alloc": 0, "free": 0}, {"alloc": 0, "free": 0}
	for line in open(sys.argv[3]):
	    comm, of, event, order = re.match(r"\s*(.*?)\s+(\d+)\s+kmem:mm_page_(\w+): .*order=(\d+)", line).groups()
	    if of == pid:
	        whole[event] += 1 << int(order)
	        own[event] += (1 << int(order)) * (comm == "dd")
	for event in own:
	    told = sum(int(r[event + "_pages"]) for r in rows if r["ev"] == "pages" and r["pid"] == pid)
	    # perf was there before the collector, which was there before the exec; interrupts may not be counted.
	    assert 10000 < own[event] * 0.999 <= told <= whole[event], (event, own, told, whole)
	E
	memtop pages --live -- dd if=/dev/zero of=/dev/null bs=40M count=1 status=none 2>/dev/null | grep -qE '^[0-9]+ +dd +1[0-9]{4} '
}

@test "the role, the exit status, a process that was there before: its command line is known" {
	# It ends while the job runs.
	mkfifo "$T/go"
	sh -c 'read _ <"$0"; exit 19' "$T/go" &
	try collect-proc --all -o "$T/r" -- sh -c 'echo >"$0"; sleep 0.6; kill -15 $$' "$T/go"
	wait $! || true
	[ "$status" = 143 ]
	[ "$(value role ev=exit code=19)" = background ]
	[ "$(value argv ev=exit code=19)" = "sh -c 'read _ <\"\$0\"; exit 19' $T/go" ]
	# Other tests may end programs by signals meanwhile.
	[ "$(value argv ev=exit signal=15 role=job)" = "sh -c 'echo >\"\$0\"; sleep 0.6; kill -15 \$\$' $T/go" ]
	try collect-proc -p sleep -o "$T/r" -- sh -c 'sleep 0.01; true; sleep 0.02'
	[ "$(grep -oP '\tcomm=\K[^\t]*' "$T/r" | sort -u)" = sleep ]
	[ "$(count ev=exit)" = 2 ]
}

@test "a tiny ring: what is lost is said, no command line is that of another program" {
	collect-proc --ring 4096 -e exec,exit -P $$ --children -o "$T/r" 2>"$T/err" &
	until [ -s "$T/r" ] || [ -s "$T/err" ]; do
		/bin/true
		sleep 0.05
	done
	kill -STOP $!
	for i in $(seq 101); do sh -c "exit $((i % 100))" || true; done
	kill -CONT $!
	# Until it has caught up.
	for _ in $(seq 50); do
		"$lives" exit 97 || true
		[ "$(where -f "$T/r" ev=exit code=97 2>/dev/null | wc -l)" = 0 ] || break
		sleep 0.1
	done
	kill -INT $!
	wait $!
	lost=$(where -f "$T/r" ev=lost | grep -oP '\tn=\K[0-9]*' | awk '{ n += $1 } END { print n + 0 }')
	[ "$lost" -gt 100 ]
	grep -q "^collect-proc: $lost events were lost: " "$T/err"
	where -f "$T/r" ev=exit code=97 | grep -q "argv=$lives exit 97"
	# `sh -c 'exit N'` ended with N.
	where -f "$T/r" ev=exit argv | grep -P "\targv=sh -c 'exit " | grep -vP "\tcode=(\d+)\t.*\targv=sh -c 'exit \1'" >"$T/wrong" || true
	[ ! -s "$T/wrong" ]
}

@test "killed -9, what it had written is there, and nothing of it stays behind" {
	need bpftool
	collect-proc -o "$T/r" 2>/dev/null &
	for _ in {1..200}; do [ ! -s "$T/r" ] || break; sh -c :; sleep 0.05; done
	sh -c 'exit 61' || true
	sleep 0.2
	kill -9 $!
	wait $! || true
	[ "$(count ev=exit code=61)" = 1 ]
	# The kernel takes its time; other tests may run collectors of their own.
	for _ in $(seq 50); do
		[ "$(bpftool prog list | grep -c 'name on_call_failed')" -gt "$(pgrep -c -x collect-proc)" ] || return 0
		sleep 0.1
	done
	false
}
