#!/usr/bin/env bash
# The paper's pair qwen2.5-32b / qwen2.5-7b on its tasks, its own settings. NOT RUN BY US: it needs
# one GPU of 141 GB, and the models from the hub.
# Usage: runs/paper_qwen_32b_7b_gpu.sh FOLDER, the datasets/ of github.com/USTC-StarTeam/CoSteer.
exec "$(dirname "$0")/paper_gpu.sh" qwen_32b_7b qwen2.5-32b qwen2.5-7b "$@"
