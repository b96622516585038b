#!/usr/bin/env bash
# The four preference sets on the default pair, on a CPU: how the texts look under each method.
# Usage: runs/preferences_cpu.sh FOLDER [QUESTIONS]
# FOLDER holds {helpsteer,truthfulqa,ultrachat,personal_preference_eval}.jsonl (or .dev.jsonl), the
# datasets/ of github.com/USTC-StarTeam/CoSteer. QUESTIONS of each, with four preferences (default
# 1). The paper rates these texts with a reward model of 8B parameters. This measures their
# length instead, and how likely each text is to the LLM with the preference.
folder=$(realpath "${1:?Give the folder of the preference sets.}")
source "$(dirname "$0")/common.sh"
out=results/preferences_cpu
mkdir -p "$out"

data=()
for name in helpsteer truthfulqa ultrachat personal_preference_eval; do
  file=$folder/$name.jsonl
  [ -e "$file" ] || file=$folder/$name.dev.jsonl
  need_file "$file" "give the folder of the preference sets."
  data+=(--data "$name=$file")
done
in_shards "$out/texts" --tasks helpsteer,truthfulqa,ultrachat,personal_preference_eval \
  "${data[@]}" --kind generate --limit "${2:-1}" --max-tokens 200 --llm-with-nll \
  --methods llm-without,llm-with,light-costeer,costeer:gain=1,costeer,own-words,guided-own-words
"$costeer" eval table $(files "$out/texts") > "$out/texts.md"
for preference in concise verbose creative uplifting; do
  echo "## $preference"
  "$costeer" eval table $(files "$out/texts") --pooled --preference "$preference"
done > "$out/by_preference.md"
