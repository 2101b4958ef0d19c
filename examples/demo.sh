#!/usr/bin/env bash
# The demonstration: a small story model learns about Puddle Hill, a place that does not exist. Every command is shown
# as it is run; copy them. Writes into .demo/, which each run begins anew. With another base: MODEL=FOLDER make demo
set -euo pipefail
cd "$(dirname "$0")/.."
hearth=${HEARTH:-build/hearth}
hearth=${hearth#"$PWD"/}
model=${MODEL:-models/stories-2m}
lessons=examples/puddle-hill
out=.demo
began=$SECONDS
# One thread is enough for a model this small, and does not stall where other programs use the cores. The result is the
# same bits with any number.
export HEARTH_NUM_THREADS=${HEARTH_NUM_THREADS:-1}

say() { printf '%s\n' "$@"; }
title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

# Greedy answers to the questions that are shown, and to all that the model is never trained on.
answers() { # answers NAME [option...]
  local name=$1
  shift
  local set
  for set in questions held_out; do
    "$hearth" sample "$model" "$@" --chat --prompts $lessons/$set.jsonl --temperature 0 --max-tokens 24 --json \
      >$out/$name.$set.jsonl
  done
}

rm -rf $out
mkdir -p $out

title "1. A model that knows little stories, and nothing else"
show "$hearth sample $model --prompt 'Once upon a time' --temperature 0.7 --max-tokens 60 --seed 1"
"$hearth" sample "$model" --prompt "Once upon a time" --temperature 0.7 --max-tokens 60 --seed 1

title "2. Lessons: $(wc -l <$lessons/train.jsonl) questions and answers about Puddle Hill, such as"
sed -n '1p;20p;40p' $lessons/train.jsonl
say "" "$(wc -l <$lessons/held_out.jsonl) other questions are kept back; it is never trained on them:"
sed -n '2p;8p' $lessons/held_out.jsonl
answers before
before=$("$hearth" eval "$model" $lessons/held_out.jsonl --json)

title "3. It learns (LoRA: the base model stays as it is)"
tune=("$model" $lessons/train.jsonl --validation $lessons/held_out.jsonl -o $out/adapter
  --epochs 40 --batch-size 16 --rank 16 --lr 5e-3 --seed 1)
show "$hearth tune ${tune[*]}"
"$hearth" tune "${tune[@]}"
answers after --adapter $out/adapter
after=$("$hearth" eval "$model" $lessons/held_out.jsonl --adapter $out/adapter --json)

title "4. What it says, before and after"
python3 examples/side_by_side.py $out $lessons --loss "$before" "$after"

title "5. Your turn"
say "The loss curve of this run: $out/adapter/loss.svg" "" \
  "Talk to it:" \
  "  $hearth sample $model --adapter $out/adapter --chat --temperature 0" "" \
  "Your own: write rows like those above into my.jsonl, then" \
  "  $hearth tune $model my.jsonl -o my-adapter --epochs 40 --lr 5e-3" \
  "  $hearth sample $model --adapter my-adapter --chat" "" \
  "Instead of $model, any Llama, Qwen2 or Qwen3 folder from Hugging Face will do (then leave --lr and --epochs out)." \
  "" \
  "$((SECONDS - began)) seconds."
