#!/usr/bin/env bash
# Runs once, when the container is new: the course in an environment that VS Code finds by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

python -m venv .venv
.venv/bin/python -m pip install --quiet torch torchvision --index-url https://download.pytorch.org/whl/cpu
.venv/bin/python -m pip install --quiet --editable ".[course]"
echo 'source "$(git rev-parse --show-toplevel 2> /dev/null)/.venv/bin/activate" 2> /dev/null || true' >> ~/.bashrc
.venv/bin/cnnviz check 11_grad_cam --submission solutions  # a broken container fails here
.venv/bin/python -c "from autograder.isolated.rungs import offered; print('student code is confined by:', offered()[0])"
