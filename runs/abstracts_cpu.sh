#!/usr/bin/env bash
# CoGenesis abstracts (dev, the first 48 rows) on the default pair, on a CPU.
# Usage: runs/abstracts_cpu.sh data/ablation/paper_dev.json [ROWS]
# Only likelihoods. No rule was chosen on these rows: they show how the rules chosen on the other task
# do here. Takes half an hour on two cores; a stopped run continues where it was. LOGPROBS names a
# folder to keep the log-probabilities in.
data=$(realpath "${1:?Give data/ablation/paper_dev.json of github.com/TsinghuaC3I/CoGenesis.}")
source "$(dirname "$0")/common.sh"
need_file "$data" "give the file of the benchmark."
out=results/abstracts_cpu
mkdir -p "$out"

gains=costeer:gain=0.25,light-costeer,costeer:gain=0.5,costeer:gain=0.75,costeer:gain=1,costeer
methods=llm-without,llm-with,slm-without,slm-with,$gains,own-words,own-words:run=999,floored,adacosteer,adacosteer:gain=0.5,mixture
guided=guided-llm-without,guided-light-costeer,guided-own-words,guided-floored
in_shards "$out/scores" --tasks cogenesis-abstracts --data "$data" --limit "${2:-48}" \
  --methods "$methods,$guided" ${LOGPROBS:+--logprob-store "$LOGPROBS"}

"$costeer" eval table $(files "$out/scores") > "$out/scores.md"
"$costeer" eval table $(files "$out/scores") --format csv > "$out/scores.csv"
"$costeer" eval table $(files "$out/scores") --without-twins > "$out/without_twins.md"
for other in guided-llm-without light-costeer costeer:gain=0.75 adacosteer:gain=0.5 own-words; do
  "$costeer" eval compare "$other" guided-own-words $(files "$out/scores")
done > "$out/compare.md"
"$costeer" eval plot $(files "$out/scores") --methods "$gains,llm-without,llm-with" --out "$out/gains.png"
