#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# A directory with traces of every form, one of them twice and one cut: $T/traces.
setup_file() {
	traces=$BATS_FILE_TMPDIR/traces
	mkdir -p "$traces/made/kernel" "$traces/sub"
	cp "$TESTS/data/contend.tar.zst" "$TESTS/data/contend-quiet.tar.zst" "$traces"
	cp -r "$(trace smoke)/trace/kernel/." "$traces/made/kernel"
	lttng-convert "$(trace smoke)/trace" | head -n 30000 | zstd -q -o "$traces/sub/some.tskv.zst"
	head -c 150000 "$TESTS/data/smoke.tar.zst" >"$traces/cut.tar.zst"
	mkdir "$BATS_FILE_TMPDIR/run"
	cd "$BATS_FILE_TMPDIR/run" || return 1
	PARALLEL_HOME=$BATS_FILE_TMPDIR/parallel
	export PARALLEL_HOME
	command -v parallel >/dev/null || return 0
	status=0
	batch "$traces" >out 2>err || status=$?
	echo "$status" >status
}

setup() {
	need parallel
	traces=$BATS_FILE_TMPDIR/traces
	B=$BATS_FILE_TMPDIR/run/batch
	export PARALLEL_HOME=$BATS_FILE_TMPDIR/parallel
	last="batch: 1 of 5 traces failed; batch --resume tries them again"
}

# same A B: two batches of the same traces have the same results, down to the rows of the databases, but for times.
same() {
	diff -r -x joblog -x '*.db' -x list -x slurm.sh "$1" "$2" || return 1
	local db
	for db in all.db traces/made/trace.db traces/contend/trace.db; do
		cmp <(from-sqlite "$1/$db" 2>/dev/null) <(from-sqlite "$2/$db" 2>/dev/null) || return 1
	done
}

@test "every trace is found, one that is cut is reported, the rest are complete: status 1" {
	[ "$(cat "$B/../status")" = 1 ]
	[ "$(cat "$B/../out")" = "$B/index.html" ]
	[ "$(cat "$B/../err")" = "batch: cut failed: status 1: batch-one: cannot unpack cut.tar.zst: $traces/cut.tar.zst
$last" ]
	[ "$(cd "$B/traces" && echo *)" = 'contend contend-quiet cut made some' ]
	[ "$(cat "$B"/traces/*/status | tr '\n' ' ')" = '0 0 1 0 0 ' ]
	[ "$(tail -n +2 "$B/joblog" | wc -l)" = 5 ]
}

@test "each result is what report gives" {
	report -o "$T/report" "$traces/made" >/dev/null
	for file in cpu-usage.png runq-latency.png states/runq.tskv states/io.tskv; do
		cmp "$T/report/$file" "$B/traces/made/$file"
	done
	diff <(sed '/^trace:/d' "$T/report/summary.txt") <(sed '/^trace:/d' "$B/traces/made/summary.txt")
	cmp <(from-sqlite "$T/report/trace.db") <(from-sqlite "$B/traces/made/trace.db")
}

@test "one database has the spans of all, a run for each" {
	need sqlite3
	[ "$(sqlite3 "$B/all.db" 'select id, source, complete from runs')" = '1|contend|1
2|contend-quiet|1
3|made|1
4|some|1' ]
	for name in contend contend-quiet made some; do from-sqlite "$B/traces/$name/trace.db"; done >"$T/each"
	from-sqlite "$B/all.db" >"$T/all"
	[ -s "$T/all" ]
	cmp "$T/each" "$T/all"
	sqlite3 "$B/all.db" 'select name from sqlite_schema where tbl_name = "runq"' | grep -q ts
}

@test "the merged percentiles are those of all spans" {
	from-sqlite "$B/all.db" >"$T/all"
	for question in 'runq comm' 'oncpu comm' 'syscall comm,name'; do
		read -r ev keys <<<"$question"
		case $ev in runq) state=runq ;; oncpu) state=cpu ;; *) state=syscalls ;; esac
		stats -o csv -g "$keys" -a count,sum,min,max,p50,p95,p99 dur_ns < <(where "ev=$ev" <"$T/all") | cut -d, -f2- >"$T/want"
		stats -o csv --merge -g "$keys" -a count,sum,min,max,p50,p95,p99 dur_ns <"$B/states/$state.tskv" | cut -d, -f2- >"$T/got"
		[ "$(wc -l <"$T/want")" -gt 10 ]
		diff "$T/want" "$T/got"
	done
	# And the summary shows them.
	stats -o table --merge -g comm -a count,sum,mean,p50,p95,p99,max -s sum -n 15 dur_ns <"$B/states/runq.tskv" >"$T/table" 2>/dev/null
	grep -qFf <(sed -n 2p "$T/table") "$B/summary.txt"
}

@test "the page has a row for each trace with its figures, pictures and links" {
	need python3
	python3 - "$B" <<'EOF'
import html.parser, os, re, sys
dir = sys.argv[1]
class Page(html.parser.HTMLParser):
	rows, cell, links, pictures = [], None, [], []
	def handle_starttag(self, tag, attrs):
		attrs = dict(attrs)
		if tag == "tr": self.rows.append([])
		if tag in ("td", "th"): self.rows[-1].append("")
		if tag == "a": self.links.append(attrs["href"])
		if tag == "img": self.pictures.append(attrs["src"])
	def handle_data(self, data):
		if self.rows and self.rows[-1]: self.rows[-1][-1] += data
page = Page()
page.feed(open(dir + "/index.html").read())
assert len(page.rows) == 6 and {len(r) for r in page.rows} == {11}, page.rows
assert len(page.pictures) == 12
for name in page.links + page.pictures: assert os.path.exists(dir + "/" + name), name
rows = {r[0].split("/")[0]: [cell.strip() for cell in r] for r in page.rows}
text = open(dir + "/traces/contend/summary.txt").read()
row = rows["contend"]
assert row[2] == re.search(r"events:  ([0-9,]+) ", text)[1] and row[3] == "0", row
assert row[4].split()[0] == re.search(r"CPUs that were (\d+) %", text)[1], row
assert row[7] == "contended" + re.search(r"score ([0-9.]+)", text)[1] and rows["made"][7].startswith("calm"), row
assert rows["cut"][1:8] == ["-"] * 4 + ["--", "--", "-"] and "cannot unpack" in rows["cut"][0], rows["cut"]
EOF
}

@test "killed in the middle and resumed: the same result, and nothing is done twice" {
	mkfifo "$T/gone"
	setsid bash -c 'exec batch -j 1 -o "$0" "$1" 2>/dev/null >"$2"' "$T/batch" "$traces" "$T/gone" &
	pid=$!
	exec 7<"$T/gone"
	for _ in $(seq 200); do [ "$(cat "$T"/batch/traces/*/status 2>/dev/null | wc -l)" -lt 2 ] || break; sleep 0.05; done
	kill -KILL -- "-$pid"
	# What kept the pipe open is gone with the last of the processes, which parallel puts into groups of their own.
	pkill -KILL -g "$pid" 2>/dev/null || true
	before=$(cat "$T"/batch/traces/*/status | wc -l)
	[ "$before" -ge 2 ] && [ "$before" -lt 5 ] && [ ! -e "$T/batch/index.html" ]
	try batch -o "$T/batch" "$traces"
	expect 1 '' "batch: cannot write $T/batch: it holds a batch already; go on with --resume, remove it, or name another with -o"
	touch "$T/now"
	try batch --resume -o "$T/batch" "$traces"
	[ "$status" = 1 ] && [ "$out" = "$T/batch/index.html" ] && [[ $err == *"$last" ]]
	[ "$(find "$T/batch" -name status ! -newer "$T/now" | wc -l)" -ge "$((before - 1))" ]
	same "$B" "$T/batch"
}

@test "two at one trace, as after a kill and --resume at once: a whole result" {
	batch-one contend report "$traces/contend.tar.zst" "$T/contend" 3>&- &
	first=$!
	for _ in $(seq 200); do pgrep -f "report --title contend .*$T/" >/dev/null && break; sleep 0.02; done
	batch-one contend report "$traces/contend.tar.zst" "$T/contend" || [ "$?" = 1 ]	# the other has just written it
	wait "$first" || [ "$?" = 1 ]
	[ "$(cat "$T/contend/status")" = 0 ]
	diff -r -x '*.db' "$T/contend" "$B/traces/contend"
	cmp <(from-sqlite "$T/contend/trace.db" 2>/dev/null) <(from-sqlite "$B/traces/contend/trace.db" 2>/dev/null)
	[ "$(cd "$T" && echo .[!.]*)" = '.[!.]*' ]
}

@test "ended by a signal: no process and no half result is left" {
	setsid batch -o "$T/batch" "$traces" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 100); do pgrep -f "batch-one .*$T/batch" >/dev/null && break; sleep 0.02; done
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	for _ in $(seq 100); do pgrep -f "$T/batch" >/dev/null || break; sleep 0.05; done
	run ! pgrep -f "$T/batch"
	for dir in "$T"/batch/traces/*; do [[ ! -d $dir || -e $dir/status ]]; done
	[ -z "$(find "$T/batch/traces" -name '.*')" ]
}

@test "--resume adds traces, tries again what failed, and refuses another pipeline" {
	mkdir "$T/few"
	head -c 1000 "$TESTS/data/contend.tar.zst" >"$T/few/a.tar.zst"
	try batch -o "$T/batch" "$T/few"
	[ "$status" = 1 ] && [ "$(cat "$T/batch/summary.txt")" = 'weir batch: no trace could be read' ]
	cp "$TESTS/data/contend.tar.zst" "$T/few/a.tar.zst"
	mkdir "$T/few/a"
	cp "$TESTS/data/contend-quiet.tar.zst" "$T/few/a/a.tar.zst"
	try batch -o "$T/batch" --resume "$T/few"
	expect 0 "$T/batch/index.html" ''
	[ "$(cd "$T/batch/traces" && echo *)" = 'a a-2' ]
	try batch -o "$T/batch" --resume schedstats "$T/few"
	expect 1 '' "batch: cannot resume $T/batch: it was made by 'report'"
}

@test "another pipeline, with options: what it writes, for each trace" {
	cd "$T"
	try batch 'syscallstats --by name --top 2' "$traces/contend.tar.zst" "$traces/made"
	[ "$status" = 0 ] && [ "$out" = "$T/batch/index.html" ]
	syscallstats --by name --top 2 "$traces/made" >"$T/want" 2>/dev/null
	[ -s "$T/want" ]
	diff "$T/want" batch/traces/made/output.txt
	grep -qFf <(sed -n 2p "$T/want") batch/index.html
	try batch-one x syscallstats "$traces/contend.tar.zst" "$T/one"
	[ "$status" = 0 ] && [ "$(cat "$T/one/status")" = 0 ] && [ -s "$T/one/output.txt" ]
}

@test "sessions: kernel and user space together, chunks of a rotation together, no results, no link" {
	need python3
	kernel=$(trace smoke)/trace/kernel
	for dir in one/kernel one/ust/uid/0/64-bit two/archives/20261121T014123+0000-20261121T014124+0000-0/kernel \
		two/archives/20261121T014124+0000-20261121T014125+0000-1/kernel three/trace/kernel archives/four/kernel five; do
		mkdir -p "$T/t/$(dirname "$dir")"
		cp -r "$kernel" "$T/t/$dir"
	done
	ln -s one "$T/t/latest"
	cd "$T/t"
	try batch process-info .
	[ "$status" = 0 ] || { echo "$err"; false; }
	[ "$(cd batch/traces && echo *)" = 'five four one three two' ]
	# The results are no traces.
	try batch -o again process-info .
	[ "$(tr '\0' '\n' <again/list | sed -n 2~2p | sort)" = "$T/t/archives/four
$T/t/five
$T/t/one
$T/t/three/trace
$T/t/two" ]
}

@test "hostile names of traces reach no shell and no page" {
	cd "$T"
	name=$'$(touch x1)`touch x2`;touch x3 \'"<script>\e[31m\n{}'
	mkdir "$T/t"
	cp "$TESTS/data/contend-quiet.tar.zst" "$T/t/$name.tar.zst"
	try batch "$T/t"
	[ "$status" = 0 ] || { echo "$err"; false; }
	[ "$(echo batch/traces/*)" = 'batch/traces/__touch_x1__touch_x2__touch_x3____script___31m___' ]
	run ! grep -rqaP '<script>|\x1b' batch/index.html
	[ -z "$(find . -name 'x[0-9]')" ]
	rm -f "$T/t/"*
	printf 'no trace' >"$T/t/$name.tar.zst"
	try batch -o "$T/bad" "$T/t"
	[ "$status" = 1 ]
	run ! grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$T/try.err"
}

@test "wrong usage" {
	cd "$T"
	for wrong in '' '--frobnicate x' '-j 0 x' '-j x x' '--retries 0 x' '--slurm --sshlogin a x' '-o' report 'batch-one x' 'batch x'; do
		# shellcheck disable=SC2086
		try batch $wrong
		[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "batch: "*"--help'" ]] ||
			{ echo "$wrong: $status $err"; false; }
	done
	try batch -o "$T/batch" "$T/none"
	expect 1 '' "batch: cannot open $T/none: No such file or directory"
	mkdir "$T/empty"
	try batch -o "$T/batch" "$T/empty"
	expect 1 '' "batch: cannot find a trace in $T/empty: it has neither CTF traces nor records (.tskv) nor archives"
	[ ! -e "$T/batch" ]
	for name in batch batch-one; do
		try "$name" --help
		[ "$status" = 0 ] && [[ $out == "$name: "*"usage: $name"*examples:* ]]
		try "$name" --version
		[ "$status" = 0 ] && [[ $out == "$name (weir) "* ]]
	done
	for wrong in 'a' '../a report x y' 'a ../report x y' 'a none x y'; do
		# shellcheck disable=SC2086
		try batch-one $wrong
		[ "$status" = 2 ]
	done
}

@test "on two other hosts, over ssh: the same as here" {
	need ip sshd ssh ssh-keygen rsync
	[ "$(id -u)" = 0 ] || skip "making network namespaces needs root"
	net=weir$$
	ip netns add "${net}c" 2>/dev/null || skip "network namespaces are refused here"
	pids=()
	ssh-keygen -q -t ed25519 -N '' -f "$T/host-key"
	ssh-keygen -q -t ed25519 -N '' -f "$T/key"
	cp "$T/key.pub" "$T/authorized_keys"
	home=$(getent passwd root | cut -d: -f6)
	for i in 1 2; do
		ip netns add "$net$i"
		ip -n "${net}c" link add "v$i" type veth peer name eth0 netns "$net$i"
		ip -n "${net}c" addr add "10.99.$i.1/24" dev "v$i"
		ip -n "${net}c" link set "v$i" up
		ip -n "$net$i" addr add "10.99.$i.2/24" dev eth0
		ip -n "$net$i" link set eth0 up
		cat >"$T/sshd-$i" <<-E
		Port 22
		ListenAddress 10.99.$i.2
		HostKey $T/host-key
		PidFile $T/pid-$i
		AuthorizedKeysFile $T/authorized_keys
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PermitRootLogin prohibit-password
		SetEnv PATH=$WEIR_BIN:/usr/bin:/bin
		E
		printf 'Host host-%s\nHostName 10.99.%s.2\nUser root\nIdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nStrictHostKeyChecking accept-new\nLogLevel ERROR\n' \
			"$i" "$i" "$T/key" "$T/known_hosts" >>"$T/ssh_config"
		# In a mount namespace of its own, sshd has its directory under /run, and root a home of its own.
		mkdir "$T/home-$i"
		case $(realpath "$WEIR_BIN")/$T in *"$home"/*) over=: ;; *) over="mount --bind '$T/home-$i' '$home'" ;; esac
		ip netns exec "$net$i" sh -c "mount -t tmpfs none /run && mkdir /run/sshd && $over && exec '$(command -v sshd)' -D -e -f '$T/sshd-$i'" \
			2>"$T/log-$i" 3>&- &
		pids+=($!)
	done
	for i in 1 2; do
		for _ in $(seq 100); do [ ! -e "$T/pid-$i" ] || break; sleep 0.05; done
	done
	export PARALLEL_SSH="ssh -F $T/ssh_config"
	try ip netns exec "${net}c" batch -j 1 --retries 1 --sshlogin host-1,host-2 -o "$T/batch" "$traces"
	kill "${pids[@]}" || true
	for i in c 1 2; do ip netns del "$net$i"; done
	[ "$status" = 1 ] && [ "$out" = "$T/batch/index.html" ] && [[ $err == *"$last" ]] || { echo "$err"; cat "$T"/log-?; false; }
	[ "$(tail -n +2 "$T/batch/joblog" | cut -f2 | sort -u | tr '\n' ' ')" = 'host-1 host-2 ' ]
	same "$B" "$T/batch"
	# Nothing is left on the hosts.
	[ -z "$(find "$T/home-1" "$T/home-2" -type f)" ]
}

@test "as a job array: what sbatch is given does it, task by task" {
	mkdir "$T/bin"
	# What sbatch(1) documents: the job's id at once, --wait until all tasks have ended, 1 when one failed.
	cat >"$T/bin/sbatch" <<-'E'
	#!/bin/bash
	printf '%s\n' "$*" >>"$SBATCH_CALLS"
	while [[ $1 == -* ]]; do
		case $1 in --array=*) array=${1#--array=} ;; esac
		shift
	done
	[[ $array =~ ^1-([0-9]+)(%1)?$ ]] || exit 9
	cp "$1" "$1.spooled"
	echo 41
	for ((i = 1; i <= BASH_REMATCH[1]; i++)); do
		SLURM_ARRAY_TASK_ID=$i bash "$1.spooled" "${@:2}" >"41_$i.log" 2>&1 || status=1
	done
	rm "$1.spooled"
	exit ${status:-0}
	E
	chmod +x "$T/bin/sbatch"
	export SBATCH_CALLS=$T/calls
	PATH=$T/bin:$PATH try batch --slurm -j 1 -o "$T/batch" "$traces"
	[ "$status" = 1 ] && [[ $err == *"$last" ]] || { echo "$err"; false; }
	same "$B" "$T/batch"
	# The one that failed was tried again, alone.
	[ "$(grep -o 'array=[^ ]*' "$T/calls" | tr '\n' ' ')" = 'array=1-5%1 array=1-1%1 ' ]
}

@test "as a job array of a real Slurm" {
	need slurmctld slurmd sbatch sinfo
	[ "$(id -u)" = 0 ] || skip "Slurm's daemons want root here"
	[ -e "$(dirname "$(find /usr/lib* -name select_cons_res.so -print -quit 2>/dev/null)")/auth_none.so" ] ||
		skip "this Slurm has no auth/none"
	ports=$(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(x.getsockname()[1] for x in s))')
	host=$(hostname -s)
	mkdir "$T/spool" "$T/state"
	export SLURM_CONF=$T/slurm.conf
	cat >"$SLURM_CONF" <<-E
	ClusterName=weir
	SlurmctldHost=$host(127.0.0.1)
	SlurmctldPort=${ports% *}
	SlurmdPort=${ports#* }
	AuthType=auth/none
	CredType=cred/none
	SlurmUser=root
	StateSaveLocation=$T/state
	SlurmdSpoolDir=$T/spool
	SlurmctldPidFile=$T/slurmctld.pid
	SlurmdPidFile=$T/slurmd.pid
	SlurmctldLogFile=$T/slurmctld.log
	SlurmdLogFile=$T/slurmd.log
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	SelectType=select/cons_res
	SelectTypeParameters=CR_Core
	JobAcctGatherType=jobacct_gather/none
	MpiDefault=none
	NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
	PartitionName=all Nodes=ALL Default=YES State=UP
	E
	slurmctld -D -i >/dev/null 2>&1 3>&- &
	controller=$!
	slurmd -D >/dev/null 2>&1 3>&- &
	node=$!
	for _ in $(seq 100); do ! sinfo -h 2>/dev/null | grep -q idle || break; sleep 0.1; done
	try timeout 180 batch --slurm --retries 1 -o "$T/batch" "$traces"
	kill "$controller" "$node"
	wait "$controller" "$node" || true
	[ "$status" = 1 ] && [[ $err == *"$last" ]] || { echo "$status $err"; tail -n 5 "$T"/slurm*.log; false; }
	same "$B" "$T/batch"
}
