#!/bin/bash
# An array of 200 tasks, then a merge that waits for all of them:
#
#   id=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterok:"$id" --wrap 'icebox cache merge parts --manifest m --cache features.db'
#
# The array begins at 0. A task that a node takes down is queued again.
#SBATCH --job-name=icebox
#SBATCH --array=0-199%50
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --open-mode=append

icebox extract --offline --manifest m --shard /200 --parts parts
code=$?
case $code in
0) ;;
2 | 3 | 4 | 5 | 7) echo "shard $SLURM_ARRAY_TASK_ID: a retry cannot help (exit code $code)" >&2 ;;
*) [ "${SLURM_RESTART_COUNT:-0}" -ge 4 ] || scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
esac
exit $code
