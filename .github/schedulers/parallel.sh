#!/bin/sh
# GNU parallel: 64 shards over the hosts of a file, which share the folder of this script's caller. A shard that
# fails is tried twice more; to run the script again does only what is missing.
#
#   sh parallel.sh hosts.txt     (a host a line; ":" is this machine)
set -eu
parallel --sshloginfile "$1" --workdir . --jobs 1 --retries 3 --joblog parallel.log \
  icebox extract --quiet --offline --manifest m --shard {}/64 --parts parts ::: $(seq 0 63)
icebox cache merge parts --manifest m --cache features.db
