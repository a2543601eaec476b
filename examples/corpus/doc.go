// Package corpus synthesises music of five cultures, labelled, as audio files
// that the rest of the toolkit reads like any recordings: western,
// turkish-makam, hindustani, carnatic and greek.
//
// The demonstration needs corpora that can be shipped in a source tree, take
// seconds to make, and still differ in the ways real ones do. So each clip is
// composed and then played. To write a corpus call [Write]; for samples in
// memory call [Culture.Clip]; [Cultures] lists what there is.
//
// # What is in a clip
//
// A clip draws a mode, a rhythm and a leading instrument, which are its tags,
// and ornaments or none, which are tags as well ([Culture.Tags]). Then, all from
// one seeded stream: the recording's tuning, a tempo, where in the cycle the clip
// begins, a drum part in the rhythm's pattern, a melody that walks over the mode's
// degrees along its customary path, and an accompaniment: chords (western,
// greek), a tanpura (both Indian corpora), a doubling kanun (makam). Instruments
// are wave tables summed from harmonics, with plucked decays or bow and breath noise,
// body resonances or vowel formants; drums are sums of modes with noise. Each
// clip has its own player, room, microphone colour, background noise and level.
//
// The sources of each scale and pattern stand with its table: [western], [makam],
// [hindustani], [carnatic], [greek]; simplifications are named there. In short:
// the tables are those of music theory, intonation is near theirs, phrases are
// random walks and not the phrases of the tradition, and nothing here replaces a
// recording. A model that does well on these corpora has learnt to hear commas,
// cycles and timbres of synthesised sound, no more.
//
// # What they are built to show
//
// Cultures differ in what a small encoder can learn quickly: drones, glides, the
// spectra of drums, density, timbre; greek is nearest to western, with tempered
// intervals and chords. Within a culture the tuning varies by 0.3 semitone only, so
// that modes can be told from absolute pitch (the perdes of makam keep their
// places within one ahenk, hence its modes end on different notes). Tags are
// balanced: of any run of clips each mode makes a fifth, each rhythm a third, each
// leading instrument a quarter, and all combinations occur.
//
// Difficulty was set so that logistic regression on the mean and standard deviation
// over time of a log constant-Q spectrum, trained on 200 clips, reaches a macro
// ROC-AUC of about .87 to .95 over the twelve balanced tags on 140 test clips: modes
// and instruments are mostly there in that summary, rhythms partly, ornaments
// hardly. testdata/measure.py repeats the measurement.
//
// # Determinism
//
// A clip depends on culture, seed, index and length alone, and a corpus on its
// options alone, whatever the number of threads. Between processor
// architectures the last bit of a sample may differ, since compilers may fuse a
// multiplication and an addition.
package corpus
