# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What bench-nginx and bench-apache share: the pages, and who asks for them. Each of the files is asked for
# --requests times.

. "$(dirname "${BASH_SOURCE[0]}")/bench.sh"

sections=(bench-web.sql)
own[--requests]=requests own[--clients]=clients own[--by]=by own[--keepalive]=keepalive
requests=2000 clients=8 by='' keepalive=yes
pages=(page.html style.css picture.bin)

# Which program asks: the first that is installed, if none is named.
check() {
	local one
	whole --requests "$requests" 1 100000000
	whole --clients "$clients" 1 10000
	[[ $keepalive =~ ^(yes|no)$ ]] || usage_error "--keepalive is yes or no, not '$keepalive'"
	[[ $by =~ ^(ab|wrk|curl|)$ ]] || usage_error "--by is ab, wrk or curl, not '$by'"
	[ -n "$by" ] || for one in ab wrk curl; do
		if command -v "$one" >/dev/null; then
			by=$one
			break
		fi
	done
	case ${by:=ab} in
	ab) programs+=(ab:apache2-utils) ;;
	*) programs+=("$by:$by") ;;
	esac
}

put_pages() {
	port=$(free_port)
	run mkdir -p "$home/www" "$home/logs" "$home/tmp"
	run dd if=/dev/zero of="$home/www/page.html" bs=4000 count=1 status=none
	run dd if=/dev/zero of="$home/www/style.css" bs=20000 count=1 status=none
	run dd if=/dev/zero of="$home/www/picture.bin" bs=300000 count=1 status=none
}

ready() {
	told curl -s "http://127.0.0.1:$port/" && return
	# shellcheck disable=SC2188
	(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

load() {
	local page ab_keepalive=() each=1s
	[ "$keepalive" = no ] || ab_keepalive=(-k)
	[ -n "$dry" ] || echo "by $by"
	for page in "${pages[@]}"; do
		case $by in
		ab) run ab -q "${ab_keepalive[@]}" -n "$requests" -c "$clients" "http://127.0.0.1:$port/$page" ;;
		wrk) run wrk -t 1 -c "$clients" -d "$each" --latency "http://127.0.0.1:$port/$page" ;;
		curl)
			run curl -sS -o /dev/null -w '%{stderr}%{http_code} %{time_total}\n' \
				"http://127.0.0.1:$port/$page?[1-$requests]"
			;;
		esac || return
	done
}

# By ab and wrk, latencies are told in ms or with a unit.
counts() {
	awk -v requests="$requests" '
	function ns(text) {
		if (text ~ /us$/) return text * 1e3
		if (text ~ /[0-9]s$/) return text * 1e9
		return text * 1e6
	}
	function row() {
		if (n == "") return
		printf "program=%s\ttest=%s\trequests=%s\tfailed=%d\trate=%s", by, test, n, failed, rate
		if (mean != "") printf "\tmean_ns=%.0f", ns(mean)
		if (p50 != "") printf "\tp50_ns=%.0f\tp99_ns=%.0f", ns(p50), ns(p99)
		print ""
		n = failed = mean = p50 = p99 = rate = ""
	}
	$1 == "by" { by = $2 }
	by == "ab" && /^Document Path:/ { row(); test = $3 }
	by == "ab" && /^Complete requests:/ { n = $3 }
	by == "ab" && /^(Failed requests|Non-2xx responses):/ { failed += $3 }
	by == "ab" && /^Requests per second:/ { rate = $4 }
	by == "ab" && /^Time per request:.*\(mean\)$/ { mean = $4 }
	by == "ab" && $1 == "50%" { p50 = $2 }
	by == "ab" && $1 == "99%" { p99 = $2 }
	by == "wrk" && /^Running/ { row(); test = $NF; sub(/^.*:[0-9]+/, "", test) }
	by == "wrk" && / requests in / { n = $1 }
	by == "wrk" && /Non-2xx/ { failed += $NF }
	by == "wrk" && /^Requests.sec:/ { rate = $2 }
	by == "wrk" && $1 == "Latency" && NF == 5 { mean = $2 }
	by == "wrk" && $1 == "50%" { p50 = $2 }
	by == "wrk" && $1 == "99%" { p99 = $2 }
	by == "curl" && NF == 2 && $1 ~ /^[0-9][0-9][0-9]$/ {
		test = "all"
		n++
		failed += $1 != 200
		total += $2
		rate = sprintf("%.2f", n / total)
		mean = total / n * 1e3 "ms"
	}
	END { row() }'
}
