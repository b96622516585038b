#!/usr/bin/env bash
# The paper's pair qwen2.5-7b / qwen2.5-1.5b on its tasks, its own settings. NOT RUN BY US: it needs
# one GPU of 24 GB, and the models from the hub.
# Usage: runs/paper_qwen_7b_1.5b_gpu.sh FOLDER, the datasets/ of github.com/USTC-StarTeam/CoSteer.
exec "$(dirname "$0")/paper_gpu.sh" qwen_7b_1.5b qwen2.5-7b qwen2.5-1.5b "$@"
