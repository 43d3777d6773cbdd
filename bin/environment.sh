# Sourced by the scripts beside it, with $root set: makes the virtual environment when it is missing or out of date.

venv=${AGENTPANE_VENV:-$root/.venv}
python=$venv/bin/python

# prepare LOCK: afterwards $python has what the lock file names. Costs two milliseconds when nothing changed.
prepare() {
    if cmp -s "$root/$1" "$venv/installed-$1" && [ -x "$python" ]; then
        return
    fi
    found=$(find_python) || return 1
    "$found" -I "$root/bin/bootstrap.py" "$root" "$venv" "$1"
}

# A name in PATH is not enough: version managers leave programs there that only complain.
find_python() {
    for candidate in ${AGENTPANE_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -I -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "AgentPane needs Python 3.11, 3.12, 3.13 or 3.14; name one in AGENTPANE_PYTHON." >&2
    return 1
}
