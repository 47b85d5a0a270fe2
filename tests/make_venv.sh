#!/bin/sh
# Make the virtual environment and install the package with its development tools: make_venv.sh PYTHON FOLDER [REQUIREMENT]
set -eu
python=$1 venv=$2 requirement=${3:-}

usable() { [ -n "$1" ] && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if command -v uv >/dev/null; then tool=uv; else tool=pip; fi
if ! usable "$python"; then
  if [ -n "$python" ]; then
    echo "make: $python is not Python 3.11 or later" >&2; exit 1
  elif [ "$tool" = pip ]; then
    echo "make: no Python 3.11 or later on PATH; name one: make PYTHON=/path/to/python3.12" >&2; exit 1
  fi
  python='>=3.11'
fi

if ! usable "$venv/bin/python"; then
  echo "Making the virtual environment $(basename "$venv") with $tool ..."
  if [ "$tool" = uv ]; then uv venv -q --clear --python "$python" "$venv"; else "$python" -m venv --clear "$venv"; fi
fi
echo "Installing the package and its development tools ..."
if [ "$tool" = uv ]; then
  uv pip install -q --python "$venv/bin/python" --group dev -e . ${requirement:+"$requirement"}
else
  # dependency groups came with pip 25.1; -qq leaves errors only
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check --group dev -e . ${requirement:+"$requirement"}
fi
