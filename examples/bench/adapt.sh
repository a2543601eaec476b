#!/bin/sh
# Times training: a step of a fresh MERT-95M on four clips of 5 s out of MP3, Opus, FLAC and WAV at 44.1 and 48 kHz, all cores, beside the
# encoder alone. What is wanted: less than 5 % of a step waits for data, and a step is the encoder's time and at most 10 %.
#
#     examples/bench/adapt.sh [STEPS]
#
# The recordings, ten minutes of each format, are made by ffmpeg; without it they are WAV alone. No Python is needed.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
steps=${1:-8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if command -v ffmpeg >/dev/null; then
	mkdir "$work/audio"
	for format in "mp3 -b:a 192k" "opus -b:a 96k" flac wav; do
		set -- $format
		name=$1
		shift
		ffmpeg -v error -f lavfi -i "aevalsrc=0.3*sin(2*PI*(200+40*sin(t))*t)+0.1*random(0)|0.3*sin(2*PI*310*t)+0.1*random(1):s=44100:d=600" \
			"$@" "$work/audio/$name.$name"
	done
	export ADAPT_BENCH_AUDIO="$work/audio"
fi
cd "$here/../.." && go test ./adapt -run '^$' -bench 'Step95M|Load95M' -benchtime "${steps}x"
