#!/usr/bin/env bash
# What answers tell about the context that steered them, on the default pair, on a CPU: an attacker
# who knows everything but which of twenty people asked, beside how often answers respect the person.
# Usage: runs/leakage_cpu.sh [EVERYDAY.jsonl]
# The argument, or the variable EVERYDAY, names requests of twenty people or more in the form of
# src/costeer_evals/data/README.md; without it the 72 that the project ships are used. LIMIT is the
# number of people who are attacked (default: all), ARMS a list of ways to answer (default: all).
# A person takes five to ten minutes on two cores, so 24 people take two to four hours; a stopped
# run continues where it was. OUT names another folder. The answers (*.texts.jsonl in it) are as
# private as the data; rows and tables hold no text.
source "$(dirname "$0")/common.sh"
out=${OUT:-results/leakage_cpu}
data=${1:-${EVERYDAY:-}}
if [ -n "$data" ]; then
  need_file "$data" "give a file of everyday requests, or nothing for the set that ships."
else
  echo "$0: no file given: using the 72 requests that the project ships." >&2
fi
mkdir -p "$out"

command=leakage in_shards "$out/rows" ${data:+--data "$data"} ${LIMIT:+--limit "$LIMIT"} \
  ${ARMS:+--arms "$ARMS"}
"$costeer" eval leakage-table $(files "$out/rows") > "$out/leakage.md"
"$costeer" eval leakage-table --json $(files "$out/rows") > "$out/leakage.json"
cat "$out/leakage.md"
