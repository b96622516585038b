#!/usr/bin/env bash
# One of the paper's pairs on its tasks: greedy, at most 1,024 new tokens, 200 rows of each task.
# NOT RUN BY US. Called by the scripts paper_*_gpu.sh.
# Usage: runs/paper_gpu.sh NAME LLM SLM FOLDER
name=$1 llm=$2 slm=$3
folder=$(realpath "${4:?Give datasets/ of github.com/USTC-StarTeam/CoSteer.}")
source "$(dirname "$0")/common.sh"
out=results/paper_${name}_gpu
mkdir -p "$out"
"$costeer" models fetch "$llm" "$slm"

run() { # run OUT TASKS ARGUMENTS...: the four baselines and both CoSteers
  local file=$1 tasks=$2
  shift 2
  "$costeer" eval run --out "$out/$file" --tasks "$tasks" --llm "$llm" --slm "$slm" \
    --device cuda --context 8192 --kind generate --max-tokens 1024 --keep-texts "$@" \
    --methods slm-without,slm-with,llm-without,light-costeer,costeer,llm-with,copy-first-record
}
run cogenesis.jsonl cogenesis --data "$folder/cogenesis.jsonl"
run longlamp.jsonl longlamp-abstract,longlamp-review,longlamp-topic --limit 200 \
  --data "longlamp-abstract=$folder/longlamp_abstract.jsonl" \
  --data "longlamp-review=$folder/longlamp_review.jsonl" \
  --data "longlamp-topic=$folder/longlamp_writing.jsonl"
preferences=()
for task in helpsteer truthfulqa ultrachat personal_preference_eval; do
  preferences+=(--data "$task=$folder/$task.jsonl")
done
run preferences.jsonl helpsteer,truthfulqa,ultrachat,personal_preference_eval "${preferences[@]}"
"$costeer" eval table "$out"/{cogenesis,longlamp,preferences}.jsonl > "$out/texts.md"
"$costeer" eval table "$out/longlamp.jsonl" --paper 1 --paper 2 --paper 3 > "$out/paper.md"
