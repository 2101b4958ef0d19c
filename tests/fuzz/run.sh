#!/bin/sh
# Fuzzes one target for HEARTH_FUZZ_SECONDS (default 10): run.sh PROGRAM SEEDS_DIR WORK_DIR.
# What breaks it is left in WORK_DIR/crash-*; run the program with that file to see it again.
set -eu
program=$1 seeds=$2 work=$3
mkdir -p "$work/corpus"
[ -d "$seeds" ] || seeds=""
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
# An unreasonable allocation is a fault of the reader and must show, so it is not turned into a null pointer.
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=0}"
exec "$program" -max_total_time="${HEARTH_FUZZ_SECONDS:-10}" -seed="${HEARTH_FUZZ_SEED:-1}" -timeout=10 -max_len=65536 \
  -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" ${seeds:+"$seeds"}
