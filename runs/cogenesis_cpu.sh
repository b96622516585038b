#!/usr/bin/env bash
# CoGenesis (context-aware, dev, 150 rows) on the default pair, on a CPU.
# Usage: runs/cogenesis_cpu.sh data/context-aware/dev.json
# Likelihoods of all rows under every method, and texts of 40 rows under those that matter most.
# Takes about three and a half hours on two cores; a stopped run continues where it was.
# The models' log-probabilities are kept in LOGPROBS (42 GB, default: logprobs/ here) for the study of
# rules, runs/strength_study.py. With STUDY=1 it runs that too, which needs torch.
data=$(realpath "${1:?Give data/context-aware/dev.json of github.com/TsinghuaC3I/CoGenesis.}")
source "$(dirname "$0")/common.sh"
need_file "$data" "give the file of the benchmark."
out=results/cogenesis_cpu
logprobs=${LOGPROBS:-logprobs}
mkdir -p "$out"

gains=costeer:gain=0.25,light-costeer,costeer:gain=0.5,costeer:gain=0.75,costeer:gain=1,costeer
guided=guided-llm-without,guided-light-costeer,guided-costeer:gain=1,guided-own-words
methods=$guided,guided-costeer:gain=0.25,guided-costeer:gain=0.5,guided-costeer:gain=0.75,guided-costeer,guided-floored,llm-without,llm-with,slm-without,slm-with,$gains,own-words,floored,adacosteer,adacosteer:gain=0.5,mixture,contrastive-decoding,context-steering,context-steering:model=slm,linear-alignment,amulet
written=copy-query,copy-first-record,llm-without,llm-with,slm-without,slm-with,light-costeer,costeer:gain=1,costeer,own-words,mixture,$guided
in_shards "$out/scores" --tasks cogenesis --data "$data" --methods "$methods" --logprob-store "$logprobs"
in_shards "$out/texts" --tasks cogenesis --data "$data" --kind generate --limit 40 \
  --max-tokens 200 --methods "$written"
# The rule with the largest likelihood, on fewer rows: enough to see that it does not write better.
in_shards "$out/tried" --tasks cogenesis --data "$data" --kind generate --limit "${TRIED:-12}" \
  --max-tokens 200 --methods floored

"$costeer" eval table $(files "$out/scores") > "$out/scores.md"
"$costeer" eval table $(files "$out/scores") --half test > "$out/scores_test.md"
"$costeer" eval table $(files "$out/scores") --format csv > "$out/scores.csv"
"$costeer" eval table $(files "$out/texts") > "$out/texts.md"
"$costeer" eval table $(files "$out/texts") --half test > "$out/texts_test.md"
"$costeer" eval table $(files "$out/texts") $(files "$out/tried") \
  --methods llm-without,llm-with,light-costeer,costeer:gain=1,own-words,floored,guided-own-words > "$out/tried.md"
"$costeer" eval table $(files "$out/texts") --paper 3 > "$out/speed.md"
for other in llm-without guided-llm-without light-costeer costeer:gain=1 costeer \
  adacosteer:gain=0.5 guided-light-costeer guided-costeer:gain=1 own-words; do
  "$costeer" eval compare "$other" guided-own-words $(files "$out/scores") --half test
  [ "$other" = adacosteer:gain=0.5 ] || "$costeer" eval compare "$other" guided-own-words $(files "$out/texts")
done > "$out/compare.md"
"$costeer" eval compare light-costeer costeer:gain=1 $(files "$out/texts") >> "$out/compare.md"
"$costeer" eval plot $(files "$out/scores") --methods "$gains,llm-without,llm-with" --out "$out/gains.png"
"$costeer" eval plot $(files "$out/scores") --methods llm-without,llm-with,light-costeer,costeer:gain=1,own-words,floored,mixture,guided-llm-without,guided-light-costeer,guided-own-words --out "$out/scores.png"
"$costeer" eval plot $(files "$out/texts") --methods "llm-without,llm-with,slm-with,light-costeer,costeer:gain=1,costeer,own-words,mixture,$guided" --out "$out/texts.png"
[ -z "${STUDY:-}" ] || "${PYTHON:-python}" runs/strength_study.py "$data" --logprob-store "$logprobs" > "$out/study.md"
