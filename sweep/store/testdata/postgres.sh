#!/usr/bin/env bash
# A private PostgreSQL server for tests, of Debian's package, in DIR: listens on the loopback interface and a free port, with fsync on.
#
#     postgres.sh start DIR     makes the cluster where there is none, starts it and prints its URL
#     postgres.sh kill DIR      SIGKILL to the postmaster, as a machine that fails; then starts it again on the same port
#     postgres.sh stop DIR      stops it and removes DIR
#
# As root it runs the server as user postgres, since PostgreSQL refuses root.
set -euo pipefail

verb=${1:-} dir=${2:-}
[ -n "$dir" ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/pg_ctl | sort -V | tail -n 1)")
run() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }

# launch starts the server and waits till it answers; after a kill it replays its log first.
launch() {
  if ! (cd "$dir" && run "$bin/pg_ctl" -s -w -t 60 -D "$dir/data" -l "$dir/log" start) >&2; then
    tail -n 20 "$dir/log" >&2
    exit 1
  fi
}

# gone tells whether a process has ended, or is a zombie that nobody has waited for.
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:\s*Z' "/proc/$1/status" 2>/dev/null; }

case $verb in
start)
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  if [ ! -e "$dir/data" ]; then
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    echo secret >"$dir/password"
    chmod a+r "$dir/password"
    (cd "$dir" && run "$bin/initdb" -D "$dir/data" -U syncretic --auth=scram-sha-256 --pwfile="$dir/password" -E UTF8 --locale=C >/dev/null)
    port=$(shuf -i 20000-32000 -n 1)
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$(shuf -i 20000-32000 -n 1); done
    echo "$port" >"$dir/port"
    cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
fsync = on
max_connections = 100
restart_after_crash = on
CONF
  fi
  launch
  echo "postgres://syncretic:$(cat "$dir/password")@127.0.0.1:$(cat "$dir/port")/postgres?sslmode=disable"
  ;;
kill)
  dir=$(cd "$dir" && pwd)
  server=$(head -n 1 "$dir/data/postmaster.pid")
  children=$(cat "/proc/$server/task/$server/children")
  kill -KILL "$server"
  # Its children end by themselves once they notice. Only then may the lock file be removed, which a zombie would keep.
  for process in "$server" $children; do
    for _ in $(seq 200); do
      gone "$process" && break
      sleep 0.02
    done
  done
  rm -f "$dir/data/postmaster.pid"
  launch
  ;;
stop)
  dir=$(cd "$dir" && pwd)
  (cd "$dir" && run "$bin/pg_ctl" -s -m immediate -D "$dir/data" stop) || true
  rm -rf "$dir"
  ;;
*)
  echo "postgres.sh: unknown verb '$verb'" >&2
  exit 2
  ;;
esac
