#!/bin/sh
# Run a stage with the project's Python, however DVC was started: `sh stages/run.sh resize human`.
# DVC removes a stage's outputs before it runs the command, so a wrong `python` on PATH would cost them.
stage=$1
shift

run_with() {  # Run the stage and do not return if this Python has the packages.
    if "$1" -c '
import importlib.util, sys
sys.exit(any(importlib.util.find_spec(name) is None for name in ("dvc", "torch", "pydantic", "resvg_py")))
' 2>/dev/null; then
        python=$1
        shift
        exec "$python" -m "stages.$stage" "$@"
    fi
}

# The Python that runs DVC. A shell may be between it and this script.
process=$PPID
for _ in 1 2 3; do
    if [ -r "/proc/$process/cmdline" ]; then
        caller=$(tr '\0' '\n' <"/proc/$process/cmdline" | head -n 1)
        process=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$process/status")
    else
        caller=$(ps -o args= -p "$process" 2>/dev/null | sed 's/ .*//')
        process=$(ps -o ppid= -p "$process" 2>/dev/null | tr -d ' ')
    fi
    case $caller in *python*) run_with "$caller" "$@" ;; esac
done

# An active environment, uv's environment.
run_with python "$@"
[ -n "$UV_PROJECT_ENVIRONMENT" ] && run_with "$UV_PROJECT_ENVIRONMENT/bin/python" "$@"

# The nearest .venv: experiments of `dvc exp run --temp` run in a folder below the project.
folder=$PWD
while [ -n "$folder" ]; do
    [ -x "$folder/.venv/bin/python" ] && run_with "$folder/.venv/bin/python" "$@"
    folder=${folder%/*}
done

echo "error: found no Python with the packages of this project. Run \`uv sync\`, then \`uv run dvc repro\`;" \
    "\`uv run dvc checkout\` restores the outputs that DVC removed." >&2
exit 1
