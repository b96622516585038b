#!/usr/bin/env bash
# The four preference sets on the default pair, on a CPU: how the texts look under each method.
# Usage: runs/preferences_cpu.sh FOLDER [QUESTIONS]
# FOLDER holds {helpsteer,truthfulqa,ultrachat,personal_preference_eval}.jsonl (or .dev.jsonl), the
# datasets/ of github.com/USTC-StarTeam/CoSteer. QUESTIONS of each, with four preferences (default
# 10). The paper rates these texts with a reward model of 8B parameters, which this does not run:
# --keep-texts keeps them for it. It goes on where it was stopped.
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
  "${data[@]}" --kind generate --limit "${2:-10}" --max-tokens 200 --keep-texts \
  --methods llm-without,llm-with,slm-without,slm-with,light-costeer,costeer
"$costeer" eval table $(files "$out/texts") > "$out/texts.md"
