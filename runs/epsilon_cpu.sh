#!/usr/bin/env bash
# What the cap of --epsilon leaves of the gain in likelihood, on the default pair, on a CPU.
# Usage: runs/epsilon_cpu.sh data/context-aware/dev.json
# The first 100 tokens of LIMIT references of CoGenesis (default 10) under each method, without a cap
# and with an epsilon of 1, 4 and 8. Twenty minutes on two cores; a stopped run continues where it
# was. The models' log-probabilities are kept in LOGPROBS (2 GB, default: logprobs/ here), so that
# other methods are scored in minutes.
data=$(realpath "${1:?Give data/context-aware/dev.json of github.com/TsinghuaC3I/CoGenesis.}")
source "$(dirname "$0")/common.sh"
need_file "$data" "give the file of the benchmark."
out=results/epsilon_cpu
mkdir -p "$out"

methods=llm-without,llm-with,guided-llm-without
for rule in guided-light-costeer guided-auto; do
  methods+=,$rule
  for epsilon in 1 4 8; do methods+=,capped-$epsilon-$rule,capped-$epsilon-of-4096-$rule; done
done
# What choosing among the first tokens alone costs, without a cap that matters.
methods+=,capped-1000-guided-light-costeer,capped-1000-of-4096-guided-light-costeer
in_shards "$out/scores" --tasks cogenesis --data "$data" --limit "${LIMIT:-10}" \
  --reference-tokens 100 --no-kl --methods "$methods" --logprob-store "${LOGPROBS:-logprobs}"
"$costeer" eval table $(files "$out/scores") > "$out/scores.md"
cat "$out/scores.md"
