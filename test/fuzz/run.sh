#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for SECONDS (default 60) on its corpus. Exits non-zero on a finding; what was found
# is in build-fuzz/findings/, new inputs worth keeping are in build-fuzz/corpus/.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
directory=build-fuzz
status=0

if [ ! -e $directory/build.ninja ]; then
    CC="$(command -v ccache || true) clang" meson setup $directory -Dfuzz=true -Db_lundef=false >/dev/null
fi
ninja -C $directory --quiet fuzzers

for source in test/fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    program=$directory/test/fuzz/${name}_fuzz
    [ -x "$program" ] || continue # not a target of its own
    mkdir -p $directory/findings "$directory/corpus/$name" "test/fuzz/corpus/$name"
    echo "== $name: $seconds s"
    # DPDK keeps what it allocates to the end: leaks are looked for by the targets themselves.
    VGW_YANG_DIR=yang ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len=16384 -timeout=30 \
        -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix="$directory/findings/$name-" \
        "$directory/corpus/$name" "test/fuzz/corpus/$name" >"$directory/findings/$name.log" 2>&1 || {
        status=1
        echo "== $name: a finding; the log's end:"
        tail -n 40 "$directory/findings/$name.log"
    }
    grep -E 'number_of_executed_units|average_exec_per_sec' "$directory/findings/$name.log" || true
done
exit $status
