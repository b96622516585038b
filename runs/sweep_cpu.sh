#!/usr/bin/env bash
# Figure 2 of the paper, on CoGenesis likelihoods and the default pair: the likelihood at each gain.
# Usage: runs/sweep_cpu.sh data/context-aware/dev.json [ROWS]
# Reads 40 rows by default and takes about 40 minutes on one core; a stopped run continues where it was.
data=$(realpath "${1:?Give data/context-aware/dev.json of github.com/TsinghuaC3I/CoGenesis.}")
source "$(dirname "$0")/common.sh"
need_file "$data" "give the file of the benchmark."
out=results/sweep_cpu
mkdir -p "$out"
"$costeer" eval sweep --tasks cogenesis --data "$data" --limit "${2:-40}" --figure-2 \
  --out "$out/sweep.jsonl" > "$out/sweep.md"
"$costeer" eval plot "$out/sweep.jsonl" --out "$out/sweep.png"
