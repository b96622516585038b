#!/usr/bin/env bash
# The paper's pair llama-3.1-8b / llama-3.2-1b on its tasks, its own settings. NOT RUN BY US: it needs
# one GPU of 24 GB, and the models from the hub.
# Usage: runs/paper_llama_8b_1b_gpu.sh FOLDER, the datasets/ of github.com/USTC-StarTeam/CoSteer.
exec "$(dirname "$0")/paper_gpu.sh" llama_8b_1b llama-3.1-8b llama-3.2-1b "$@"
