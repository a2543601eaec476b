#!/bin/sh
# Measures what re-warming and replay are worth: adapts the demonstration's base by variants of compare.yml, each from several seeds,
# and prints the masked losses of held-out clips, of the culture and of Western music, as Markdown tables.
#
#     examples/adapt/compare.sh [CULTURE...]
#     DEMO=../demo WORK=../compare SEEDS="1 2 3" JOBS=2 examples/adapt/compare.sh turkish-makam hindustani
#
# Without arguments it is turkish-makam alone. DEMO (out/demo) is where the demonstration is, or is made; WORK (out/compare) gets
# recipes, models and scores. A model that WORK holds is not trained again. JOBS trainings run side by side on a thread each; the
# numbers do not depend on it. A culture takes about 12 minutes of one core. Needs Go, and Python 3 for the tables.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
demo=${DEMO:-out/demo}
work=${WORK:-out/compare}
seeds=${SEEDS:-1 2 3}
[ $# -gt 0 ] || set -- turkish-makam

mkdir -p "$work"
work=$(CDPATH= cd -- "$work" && pwd)
syncretic=$work/syncretic
(cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$syncretic" ./cmd/syncretic)
[ -e "$demo/models/base" ] || "$syncretic" demo "$demo"

# NAME | the lr of both stages | replay in the first stage | in the second
#
# The base's rate went from a peak of 3e-3 to 0 in 1,500 steps. `last-rate` goes on at the last rate that was not 0; `tenth` at a tenth
# of the peak, where pre-training is commonly ended; `peak` at the recipe's own peak; `decay` lacks the warm-up alone.
variants() {
	cat <<-END
		rewarm|peak: 1.5e-3, warmup: 0.1|0.2|0
		last-rate|peak: 2.2e-6, shape: constant|0.2|0
		tenth|peak: 3e-4, shape: constant|0.2|0
		peak|peak: 1.5e-3, shape: constant|0.2|0
		decay|peak: 1.5e-3, warmup: 0|0.2|0
		replay-none|peak: 1.5e-3, warmup: 0.1|0|0
		replay-both|peak: 1.5e-3, warmup: 0.1|0.2|0.2
	END
}

# recipe CULTURE LR REPLAY REPLAY: compare.yml with these.
recipe() {
	awk -v demo="$demo" -v culture="$1" -v lr="$2" -v first="$3" -v second="$4" '
		/^    replay:/ { print "    replay: " (stage++ ? second : first); next }
		/^    lr:/ { print "    lr: {" lr "}"; next }
		{ gsub("out/demo", demo); gsub("turkish-makam", culture); print }
	' "$here/compare.yml"
}

for culture; do
	mkdir -p "$work/$culture"
	variants | while IFS='|' read -r name lr first second; do
		recipe "$culture" "$lr" "$first" "$second" >"$work/$culture/$name.yml"
		for seed in $seeds; do
			[ -e "$work/$culture/$name-$seed" ] || echo "$work/$culture/$name.yml $work/$culture/$name-$seed $seed"
		done
	done | xargs -n 3 -P "${JOBS:-2}" sh -c '
		[ $# -eq 0 ] || exec "$0" adapt "$1" "$2" --seed "$3" --threads 1 --quiet --resume >&2' "$syncretic"
	"$syncretic" adapt eval "$demo/models/base" $(variants | while IFS='|' read -r name _; do
		for seed in $seeds; do echo "$work/$culture/$name-$seed"; done
	done) "$culture" --corpus western --split test --recipe "$work/$culture/rewarm.yml" --quiet --json >"$work/$culture/scores.json"
	python3 "$here/compare.py" "$work/$culture/scores.json"
done
