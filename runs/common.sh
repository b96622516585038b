# Functions that the scripts of this folder share; to be sourced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
costeer=${COSTEER:-$([ -x .venv/bin/costeer ] && echo .venv/bin/costeer || echo costeer)}

need_file() { [ -e "$1" ] || { echo "$0: there is no $1; $2" >&2; exit 2; }; }

# Divide a run into SHARDS processes of one thread each (default: one per core), and wait for them.
# Usage: [command=NAME] in_shards OUT_PREFIX ARGUMENTS... ; the files are OUT_PREFIX.INDEX.jsonl, and
# the command of `costeer eval` is "run" unless it is named.
in_shards() {
  local prefix=$1 index failed=0 evaluate=("$costeer" eval "${command:-run}")
  shift
  pids=()
  # Background processes of a script ignore Ctrl-C.
  trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM
  for ((index = 0; index < shards; index++)); do
    "${evaluate[@]}" "$@" --shards "$shards" --shard "$index" --threads 1 \
      --out "$prefix.$index.jsonl" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  trap - INT TERM
  return "$failed"
}
shards=${SHARDS:-$(getconf _NPROCESSORS_ONLN)}

# The files of in_shards. Change SHARDS only for a new run: another division repeats samples.
files() { for ((i = 0; i < shards; i++)); do echo "$1.$i.jsonl"; done; }
