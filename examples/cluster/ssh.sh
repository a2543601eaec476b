#!/usr/bin/env bash
# Starts a worker of one sweep on each of several machines that share no scheduler. Each claims trials from the study until none is
# left, and goes on when this machine is switched off.
#
#     examples/cluster/ssh.sh postgres://me@db/sweeps alpha beta gamma
#
# Needs: syncretic on every machine's PATH; models and corpora under the paths at which the study was made; a password in ~/.pgpass.
# It prints how each worker is stopped: by SIGTERM, after which it gives its trial back. Workers write ~/sweep-work.log.
set -eu

study=${1:?"want STUDY MACHINE..."}
shift
for machine; do
  worker=$(ssh "$machine" "nohup syncretic sweep work $(printf %q "$study") >>sweep-work.log 2>&1 </dev/null & echo \$!" </dev/null)
  echo "ssh $machine kill $worker"
done
