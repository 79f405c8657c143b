#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for SECONDS (default 60) on its corpus. Exits non-zero on a finding; what was found
# is in build-fuzz/findings/, new inputs worth keeping are in build-fuzz/corpus/.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
build=build-fuzz
status=0

if [ ! -e $build/build.ninja ]; then
    CC="$(command -v ccache || true) clang" meson setup $build -Dfuzz=true -Db_lundef=false >/dev/null
fi
ninja -C $build --quiet

for source in test/fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    program=$build/test/fuzz/${name}_fuzz
    [ -x "$program" ] || continue # not a target of its own
    mkdir -p $build/findings "$build/corpus/$name" "test/fuzz/corpus/$name"
    echo "== $name: $seconds s"
    # DPDK keeps what it allocates to the end: leaks are looked for by the targets themselves.
    VGW_YANG_DIR=yang ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len=16384 -timeout=30 \
        -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/findings/$name-" \
        "$build/corpus/$name" "test/fuzz/corpus/$name" >"$build/findings/$name.log" 2>&1 || {
        status=1
        echo "== $name: a finding; the log's end:"
        tail -n 40 "$build/findings/$name.log"
    }
    grep -E 'number_of_executed_units|average_exec_per_sec' "$build/findings/$name.log" || true
done
exit $status
