#!/bin/sh
# The deep autoencoder on curves: tunes SGD with momentum, Adam and MBF, then gives each of the best the same time.
#
#   swift build -c release && Benchmarks/curves.sh tune OUT
#   Benchmarks/curves.sh final OUT SECONDS
#
# Writes the JSON Lines of every run to the folder OUT and prints a line a run: epochs, seconds, final training loss.
# A run whose loss stops being finite ends there.

set -eu
command=${1:?tune or final}
out=${2:?a folder for the runs}
fisher=${FISHER:-.build/release/fisher}
model=autoencoder:784-400-200-100-50-25-6-25-50-100-200-400-784
mkdir -p "$out"

# Usage: run NAME OPTIMIZER OPTION…
run() {
  name=$1
  optimizer=$2
  shift 2
  "$fisher" train --dataset curves --model $model --batch 1000 --schedule constant --seed 1 \
    --optimizer "$optimizer" "$@" --json "$out/$name.jsonl" > "$out/$name.txt" 2>&1 || true
  last=$(grep '"event":"epoch"' "$out/$name.jsonl" | tail -1)
  field() { printf '%s' "$last" | sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"; }
  ended=$(grep -q '"event":"failure"' "$out/$name.jsonl" && echo ' not finite' || true)
  echo "$name: epoch $(field epoch), $(field seconds) s, training $(field trainLoss), test $(field testLoss)$ended"
}

tune() {
  for clip in none 10 1; do
    limit=$([ $clip = none ] || echo "--clip-norm $clip")
    for lr in 0.003 0.01 0.03 0.1 0.3 1; do
      # shellcheck disable=SC2086
      run "sgd-$lr-$clip" sgd --set lr=$lr --set momentum=0.9 --epochs 40 $limit
    done
    for lr in 0.0003 0.001 0.002 0.003 0.006 0.01; do
      # shellcheck disable=SC2086
      run "adam-$lr-$clip" adam --set lr=$lr --epochs 40 $limit
    done
  done
  # Without a bound of the gradients MBF needs a damping that slows it down.
  for clip in 1 3 10; do
    for damping in 1e-6 3e-6 1e-5; do
      for lr in 3e-6 5e-6 1e-5 2e-5 3e-5; do
        run "mbf-$lr-$damping-$clip" mbf --set lr=$lr --set damping=$damping --set warmStart=20 \
          --clip-norm $clip --epochs 40
      done
    done
  done
}

final() {
  seconds=${1:?seconds of training}
  # Epochs that no machine completes in that time.
  limit="--seconds $seconds --epochs 100000"
  # shellcheck disable=SC2086
  {
    run sgd sgd --set lr=0.01 --set momentum=0.9 $limit
    run adam adam --set lr=3e-3 $limit
    run mbf mbf --set lr=3e-6 --set damping=1e-5 --set warmStart=20 --clip-norm 10 $limit
  }
}

case $command in
  tune) tune ;;
  final) final "${3:-}" ;;
  *) echo "curves.sh: '$command' is neither tune nor final" >&2; exit 2 ;;
esac
