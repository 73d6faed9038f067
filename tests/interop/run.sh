#!/usr/bin/env bash
# The official clients against the emulator. See README.md.
#
#   tests/interop/run.sh [DIRECTORY]
#
# DIRECTORY keeps the clients from one run to the next; without it they are installed anew and removed.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD

if [ $# -gt 0 ]; then
  mkdir -p "$1" && work=$(cd "$1" && pwd)
else
  work=$(mktemp -d)
fi
emulators=()
cleanup() {
  for pid in "${emulators[@]}"; do kill "$pid" 2>/dev/null || true; done
  [ $# -gt 0 ] || rm -rf "$work"
}
trap 'cleanup "$@"' EXIT

if [ ! -e "$work/python.done" ]; then
  echo "== installing the Python SDK and ax"
  python3 -m venv "$work/venv"
  # Without what only uploads and traces need: half a gigabyte less.
  "$work/venv/bin/pip" install --quiet --no-deps arize==8.61.0 arize-ax-cli==0.39.0
  "$work/venv/bin/pip" install --quiet pytest --requirement "$here/requirements.txt"
  touch "$work/python.done"
fi
if [ ! -e "$work/node.done" ]; then
  echo "== installing the JavaScript SDK"
  (mkdir -p "$work/node" && cd "$work/node" && npm init -y >/dev/null 2>&1 &&
    npm install --silent --no-audit --no-fund @arizeai/ax-client@1.28.0)
  touch "$work/node.done"
fi

program=${ARIZE_KEYS:-}
if [ -z "$program" ]; then
  echo "== building arize-keys"
  program=$(cd "$here/../.." && cargo build --quiet -p arize-keys --message-format=json |
    sed -n 's/.*"executable":"\([^"]*arize-keys\)".*/\1/p')
fi

# start NAME OPTIONS…: the line that it prints goes to NAME.sh
start() {
  local name=$1
  shift
  rm -f "$work/$name.sh"
  "$program" emulator --account "$here/account.json" "$@" >"$work/$name.sh" 2>"$work/$name.log" &
  emulators+=($!)
  for _ in $(seq 200); do
    [ -s "$work/$name.sh" ] && return
    sleep 0.05
  done
  echo "the emulator does not start:" && cat "$work/$name.log" && exit 1
}
port() { (. "$work/$1.sh" && echo "$ARIZE_API_PORT"); }

rm -f "$work/state"
start main --state "$work/state"
start capped --max-key-lifetime 30d
start faulty --fault 'create:429,retry-after=1s*10'
start limited --rate-limit 2
start alpha --stage alpha
CAPPED_PORT=$(port capped) FAULTY_PORT=$(port faulty) LIMITED_PORT=$(port limited) ALPHA_PORT=$(port alpha)
export CAPPED_PORT FAULTY_PORT LIMITED_PORT ALPHA_PORT
. "$work/main.sh"
export ARIZE_LOG_ENABLE=false DISABLE_PRERELEASE_WARNING=true PYTHONDONTWRITEBYTECODE=1

failed=0
echo "== Python SDK"
"$work/venv/bin/python" python_sdk.py || failed=1
echo "== JavaScript SDK"
cp javascript_sdk.mjs "$work/node/" && node "$work/node/javascript_sdk.mjs" || failed=1
echo "== ax"
"$work/venv/bin/python" ax_cli.py || failed=1
echo "== fixtures"
export ARIZE_KEYS=$program
"$work/venv/bin/python" -m pytest -q -p no:cacheprovider fixtures || failed=1
cp fixtures/*.mjs "$work/node/" && (cd "$work/node" && node --test lost_answer.test.mjs >/dev/null) || failed=1
if command -v go >/dev/null; then
  mkdir -p "$work/go" && cp fixtures/*.go "$work/go/" && (cd "$work/go" && { [ -e go.mod ] || go mod init fixtures; } &&
    go mod tidy && go test ./...) || failed=1
else
  echo "not run: the fixture for Go, for there is no go"
fi
echo "== $([ $failed = 0 ] && echo 'all cases passed' || echo 'some cases failed')"
exit $failed
