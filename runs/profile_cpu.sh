#!/usr/bin/env bash
# Does a profile find what matters among 200 unrelated records? On the default pair, on a CPU.
# Usage: runs/profile_cpu.sh COGENESIS_DEV.json
# The everyday requests that the project ships, and rows of CoGenesis; see runs/profile_datasets.py.
# An hour on two cores. CoGenesis needs NLTK's data (docs/experiments.md). OUT names another folder
# for the results.
source "$(dirname "$0")/common.sh"
need_file "${1:-}" "give the file of CoGenesis, from which the unrelated records are taken."
out=${OUT:-results/profile_cpu}
mkdir -p "$out"

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
python=$(dirname "$costeer")/python
"$python" runs/profile_datasets.py "$1" "$data" > "$out/read.md"
cat "$out/read.md"
for name in alone among; do
  in_shards "$out/$name" --tasks everyday --data "$data/$name.jsonl" --kind generate \
    --max-tokens 90 --methods guided-auto
  { echo "## $name"; "$costeer" eval table $(files "$out/$name"); } >> "$out/respected.md"
done
for name in alone among; do
  in_shards "$out/cogenesis_$name" --tasks cogenesis --data "$data/$name.json" \
    --methods guided-llm-without,guided-auto
  in_shards "$out/cogenesis_texts_$name" --tasks cogenesis --data "$data/$name.json" \
    --kind generate --max-tokens 150 --methods guided-auto
  { echo "## CoGenesis, $name"
    "$costeer" eval table $(files "$out/cogenesis_$name") $(files "$out/cogenesis_texts_$name")
  } >> "$out/scores.md"
done
