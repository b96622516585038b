#!/usr/bin/env bash
# Everyday requests on the default pair, on a CPU: does the answer respect the person?
# Usage: runs/everyday_cpu.sh [PREFEVAL.jsonl]
# The 72 requests that the project ships, and its 32 of people about whom several facts are known. With
# a file of PrefEval (arXiv 2502.09597, github.com/amazon-science/PrefEval) in the form that
# docs/experiments.md gives, also its first ROWS rows (default 42). Takes an hour or two on two cores;
# a stopped run continues where it was. OUT names another folder for the results.
source "$(dirname "$0")/common.sh"
out=${OUT:-results/everyday_cpu}
mkdir -p "$out"

in_shards "$out/texts" --tasks everyday --kind generate --max-tokens 90 --keep-texts \
  --methods llm-without,llm-with,slm-with,guided-auto,guided-auto:calm=0.4,guided-auto:gain=1.25,guided-auto:gain=3.75
"$costeer" eval table $(files "$out/texts") > "$out/texts.md"
"$costeer" eval compare llm-with guided-auto $(files "$out/texts") > "$out/compare.md"
# Calm 0.4 is the rule as it was before, and nothing fades over 1e9 nats: that before it.
in_shards "$out/people" --tasks people --kind generate --max-tokens 60 --keep-texts \
  --methods llm-without,llm-with,slm-with,guided-auto,guided-auto:gain=3.75,guided-auto:calm=0.4,guided-auto:calm=0.4:fade=1e9
"$costeer" eval table $(files "$out/people") > "$out/people.md"
# The same twelve people, who send how they want to be answered.
in_shards "$out/sent" --tasks sent --kind generate --max-tokens 90 --keep-texts \
  --methods llm-without,guided-auto
"$costeer" eval table $(files "$out/sent") > "$out/sent.md"
in_shards "$out/itself" --slm qwen2.5-coder-1.5b --tasks everyday --kind generate --max-tokens 90 \
  --keep-texts --methods llm-with,guided-auto
"$costeer" eval table $(files "$out/itself") > "$out/itself.md"
if [ -n "${1:-}" ]; then
  need_file "$1" "give the file of PrefEval."
  in_shards "$out/prefeval" --tasks prefeval --data "$1" --limit "${ROWS:-42}" \
    --methods llm-without,llm-with,slm-with,light-costeer,costeer:gain=1,costeer,auto
  "$costeer" eval table $(files "$out/prefeval") > "$out/prefeval.md"
  in_shards "$out/prefeval_itself" --slm qwen2.5-coder-1.5b --tasks prefeval --data "$1" \
    --limit "${ROWS:-42}" --methods llm-without,llm-with,light-costeer,costeer:gain=1,costeer,auto
  "$costeer" eval table $(files "$out/prefeval_itself") > "$out/prefeval_itself.md"
fi
