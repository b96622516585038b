#!/usr/bin/env bash
# CoGenesis (context-aware, dev, 150 rows) on the default pair, on a CPU.
# Usage: runs/cogenesis_cpu.sh data/context-aware/dev.json
# Likelihoods of all rows under every method, and texts of 40 rows under those that matter most.
# About two hours on two cores; stop it whenever you like, it goes on where it was.
data=$(realpath "${1:?Give data/context-aware/dev.json of github.com/TsinghuaC3I/CoGenesis.}")
source "$(dirname "$0")/common.sh"
need_file "$data" "give the file of the benchmark."
out=results/cogenesis_cpu
mkdir -p "$out"

methods=llm-without,llm-with,slm-without,slm-with,light-costeer,costeer:gain=0.5,costeer:gain=0.75,costeer:gain=1,costeer,adacosteer,mixture,contrastive-decoding,context-steering,context-steering:model=slm,linear-alignment,amulet
in_shards "$out/scores" --tasks cogenesis --data "$data" --methods "$methods"
in_shards "$out/texts" --tasks cogenesis --data "$data" --kind generate --limit 40 \
  --max-tokens 200 --methods copy-query,copy-first-record,llm-without,llm-with,slm-without,slm-with,light-costeer,costeer:gain=1,costeer,mixture

"$costeer" eval table $(files "$out/scores") > "$out/scores.md"
"$costeer" eval table $(files "$out/scores") --format csv > "$out/scores.csv"
"$costeer" eval table $(files "$out/texts") > "$out/texts.md"
"$costeer" eval table $(files "$out/texts") --paper 3 > "$out/speed.md"
"$costeer" eval compare llm-without light-costeer $(files "$out/scores") > "$out/compare.md"
"$costeer" eval plot $(files "$out/scores") --out "$out/scores.png"
"$costeer" eval plot $(files "$out/texts") --methods llm-without,llm-with,slm-without,slm-with,light-costeer,mixture --out "$out/texts.png"
