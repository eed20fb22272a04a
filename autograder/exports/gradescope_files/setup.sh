#!/usr/bin/env bash
# Gradescope runs this once, when the container image is built.
set -euo pipefail
prefix="${CNNVIZ_PREFIX:-/autograder}"
source_="$prefix/source"

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv python3-pip bubblewrap
rm -rf /var/lib/apt/lists/*

python3 -m venv "$prefix/venv"
python="$prefix/venv/bin/python"
"$python" -m pip install --no-cache-dir --upgrade pip
# The CPU build of torch is a tenth of the size of the usual one.
"$python" -m pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r "$source_/requirements.txt"
if [ -d "$source_/wheel" ]; then
  "$python" -m pip install --no-cache-dir --no-deps "$source_"/wheel/*.whl
fi

# Nobody but root reads the answer key and the secret; student code is confined besides.
chmod -R go-rwx "$source_"
"$python" -I -B "$source_/start.py" "$prefix" --probe
