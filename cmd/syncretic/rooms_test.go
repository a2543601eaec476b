package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// room is what the packages at a path may import of this module, and why no more. A path ending in / stands for everything
// below it. The same bans stand in .golangci.yml, where editors show them.
type room struct {
	may []string
	why string
}

const everything = "/"

var rooms = map[string]room{
	"checkpoint":           {[]string{"checkpoint/half", "checkpoint/torchfile"}, "weights on disk are the ground that all other rooms stand on: reading a file must not need an encoder"},
	"checkpoint/half":      {nil, "kernels over slices know nothing of tensors"},
	"checkpoint/torchfile": {nil, "it parses files of unknown origin from bytes: it opens none and knows no model"},
	"checkpoint/recipe":    {nil, "it decodes any room's YAML, so it knows none of them"},
	"checkpoint/parquet":   {nil, "it writes any room's tables, so it knows none of them"},
	"checkpoint/chart":     {nil, "it draws any room's figures, so it knows none of them"},

	"arithmetic":           {[]string{"checkpoint", "arithmetic/vec"}, "a merge is arithmetic on any Source: it must work on models that no encoder here can run"},
	"arithmetic/vec":       {nil, "kernels over slices know nothing of tensors"},
	"arithmetic/spectra":   {[]string{"checkpoint", "arithmetic", "arithmetic/svd"}, "adds to a report what costs a decomposition of every matrix"},
	"arithmetic/svd":       {nil, "decompositions of matrices know nothing of models"},
	"arithmetic/lora":      {[]string{"checkpoint", "arithmetic/vec", "arithmetic/svd"}, "an adapter is applied to any Source, and taken from any two"},
	"arithmetic/method":    {[]string{"checkpoint", "arithmetic/vec", "arithmetic/svd"}, "a method sees the tensors of one name: where they are from and where they go is the recipe's matter"},
	"arithmetic/mergekit":  {[]string{"checkpoint", "checkpoint/recipe", "arithmetic", "arithmetic/method", "arithmetic/taskvector", "arithmetic/tokenizer", "arithmetic/vec"}, "a recipe joins models and methods, and is measured as task vectors are; what reads the merge is not its matter"},
	"arithmetic/tokenizer": {[]string{"checkpoint"}, "a vocabulary decides which rows stand together; what is computed from them is the method's matter"},

	"arithmetic/taskvector": {[]string{"checkpoint", "checkpoint/half", "arithmetic/method", "arithmetic/svd", "arithmetic/vec"}, "a file of a task vector is read as any Source: what it is added to is not its matter"},

	"adapt/kernel":  {nil, "which kernels a process runs depends on its processor and its user alone"},
	"adapt/gemm":    {[]string{"adapt/kernel"}, "kernels over slices know nothing of tensors"},
	"adapt/op/elem": {[]string{"adapt/kernel"}, "kernels over slices know nothing of tensors"},
	"adapt/op":      {[]string{"adapt/gemm", "adapt/op/elem"}, "an operator sees matrices, not models or files"},
	"adapt/optim":   {[]string{"adapt/kernel"}, "an optimiser sees parameters and gradients, not what they are part of"},
	"adapt/audio":   {[]string{"checkpoint", "adapt/op/elem"}, "audio files are written as atomically as weights, and resampling is products of vectors; nothing else is shared"},
	"adapt/cqt":     {[]string{"adapt/gemm"}, "a transform of samples needs no model"},
	"adapt/encodec": {[]string{"adapt/gemm", "adapt/op/elem", "checkpoint"}, "a codec's encoder only infers: it needs kernels and weights, no graph"},
	"adapt/tokens":  {[]string{"checkpoint"}, "codes on disk are weights of small integers: what made them and what learns them are other rooms' matter"},
	"adapt/kmeans":  {[]string{"adapt/gemm", "checkpoint"}, "a quantiser of frames needs no model, and is saved as weights"},
	"adapt/mert":    {[]string{"checkpoint", "adapt/op", "adapt/optim", "adapt/cqt"}, "the encoder can be used without the training that made it"},
	"adapt/mpi":     {[]string{"adapt", "adapt/audio", "adapt/cqt", "checkpoint"}, "it carries slices between processes, whatever they mean; its test trains a model"},
	"adapt":         {[]string{"checkpoint", "checkpoint/recipe", "adapt/"}, "training knows nothing of merges, probes and sweeps, which judge it"},

	"adapt/tensorboard": {nil, "event files hold named numbers, whatever they measure"},
	"adapt/summary":     {[]string{"checkpoint/chart"}, "a summary draws the logs that a run leaves: it needs no model, so it can be made of any run, also one in progress"},

	"probe":         {[]string{"checkpoint", "checkpoint/half", "checkpoint/recipe", "adapt/audio", "adapt/gemm", "adapt/op", "adapt/op/elem", "adapt/optim", "probe/dataset", "probe/metric"}, "probes see an encoder through their own Extractor only, so that any encoder can be probed"},
	"probe/dataset": {[]string{"adapt/audio", "checkpoint/recipe"}, "a dataset on disk is rows and recordings: what is learnt from them is the probe's matter"},
	"probe/metric":  {nil, "metrics take scores and labels, wherever they are from"},

	"probe/matrix":     {[]string{"adapt/audio", "adapt/cqt", "checkpoint", "checkpoint/chart", "checkpoint/parquet", "probe", "probe/metric"}, "a study's table joins what probes found: what encoders are is its caller's matter"},
	"probe/similarity": {[]string{"checkpoint/chart"}, "representations are compared and drawn, wherever their rows are from"},

	"sweep":            {[]string{"adapt/audio", "checkpoint", "checkpoint/parquet", "checkpoint/recipe", "probe", "probe/dataset", "sweep/search", "sweep/store"}, "a sweep gets its models and its evaluation as functions: of probes it knows the keys of their configuration"},
	"sweep/search":     {nil, "samplers see numbers: what a point stands for, and what judges it, must not matter to them"},
	"sweep/store":      {[]string{"sweep/search"}, "the study's schema is Optuna's: it knows trials, not merges"},
	"sweep/fuse":       {[]string{"adapt/mert", "arithmetic", "arithmetic/mergekit", "arithmetic/method", "arithmetic/taskvector", "checkpoint"}, "a trial's model is a merge like any other: what scores it, and what proposed it, must not matter; its tests load it into an encoder"},
	"sweep/importance": {[]string{"sweep/search"}, "what mattered is read off points and values: what they stand for must not matter"},
	"sweep/slurm":      {nil, "a job script runs any worker: what a study is does not matter to Slurm"},
	"sweep/report":     {[]string{"arithmetic", "checkpoint/chart", "sweep", "sweep/importance", "sweep/search"}, "a report draws what a study holds: it scores nothing and chooses nothing"},

	"examples":        {[]string{"adapt", "probe", "sweep", "examples/"}, "recipes are read by the rooms that own them"},
	"examples/corpus": {[]string{"adapt/audio", "checkpoint"}, "the corpora are audio files and manifests; what is learnt from them must not shape them"},
	"examples/":       {[]string{"checkpoint", "arithmetic", "arithmetic/", "adapt", "adapt/", "probe", "probe/", "sweep", "sweep/", "examples/"}, "an example shows the public rooms; the command is made of it, not the reverse"},

	"cmd/syncretic": {[]string{everything}, "the one place that joins the rooms"},
}

// visitors says who may import a module from elsewhere, and why nobody else. Tests may check with any of them.
var visitors = map[string]room{
	"github.com/spf13/cobra":            {[]string{"cmd/syncretic"}, "only the command reads command lines"},
	"github.com/spf13/pflag":            {[]string{"cmd/syncretic"}, "only the command reads command lines"},
	"github.com/schollz/progressbar/v3": {[]string{"cmd/syncretic"}, "libraries report through callbacks; only the command draws"},
	"golang.org/x/term":                 {[]string{"cmd/syncretic"}, "only the command knows that there may be a terminal"},
	"github.com/nlpodyssey/safetensors": {[]string{"checkpoint"}, "every file passes checkpoint's strict header check first"},
	"github.com/google/pprof":           {[]string{"cmd/syncretic"}, "only the command prints profiles"},
	"github.com/ebitengine/purego":      {[]string{"adapt/mpi"}, "it links the C library: only builds with the tag mpi have it"},
	"github.com/nlpodyssey/spago":       {[]string{"adapt", "adapt/op", "adapt/optim", "adapt/mert", "probe", "examples/"}, "only what trains sees the graph"},
	"gonum.org/v1/gonum":                {[]string{"probe", "probe/similarity", "sweep/search", "adapt/cqt", "arithmetic/spectra", "arithmetic/svd", "arithmetic/method", "arithmetic/lora", "arithmetic/taskvector"}, "float64 algebra is for heads, decompositions and spectra; encoders use adapt/gemm"},
	"github.com/mewkiz/flac":            {[]string{"adapt/audio"}, "the one place that decodes audio"},
	"github.com/hajimehoshi/go-mp3":     {[]string{"adapt/audio"}, "the one place that decodes audio"},
	"github.com/pion/opus":              {[]string{"adapt/audio"}, "the one place that decodes audio"},
	"modernc.org/sqlite":                {[]string{"sweep/store"}, "the one place that knows SQL"},
	"github.com/jackc/pgx/v5":           {[]string{"sweep/store"}, "the one place that knows SQL"},
	"go.yaml.in/yaml/v3":                {[]string{"checkpoint/recipe"}, "YAML is decoded strictly, in one way"},
	"golang.org/x/sys/cpu":              {[]string{"adapt/kernel", "arithmetic/vec", "checkpoint/half"}, "only kernels ask what the processor has"},
	"golang.org/x/sys/unix":             {[]string{"checkpoint"}, "mapping, locking and exchanging files is checkpoint's"},
	"golang.org/x/sys/windows":          {[]string{"checkpoint"}, "mapping, locking and exchanging files is checkpoint's"},
}

// unwanted are packages of the standard library that no file may import.
var unwanted = map[string]string{
	"math/rand": "use math/rand/v2 with a seed that the caller gives: the same seed gives the same bytes",
	"net/http":  "nothing here goes over the network",
	"os/exec":   "nothing here starts other programs",
	"plugin":    "one binary",
	"io/ioutil": "use io and os",
}

// starters are the files that may start other programs all the same: the one that asks ffmpeg for containers no library here reads, and
// its test, which looks for ffmpeg; and the one that gives jobs to Slurm, which has no other door than its programs.
var starters = []string{"adapt/audio/ffmpeg.go", "adapt/audio/ffmpeg_test.go", "sweep/slurm/exec.go"}

// covers reports whether one of the paths names pkg: exactly, or as a folder when it ends in /.
func covers(paths []string, pkg string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return p == everything || p == pkg || strings.HasSuffix(p, "/") && strings.HasPrefix(pkg, p)
	})
}

// roomOf returns the longest entry of the table that names pkg.
func roomOf(pkg string) (room, bool) {
	if r, ok := rooms[pkg]; ok {
		return r, true
	}
	for i := strings.LastIndex(pkg, "/"); i > 0; i = strings.LastIndex(pkg[:i], "/") {
		if r, ok := rooms[pkg[:i+1]]; ok {
			return r, true
		}
	}
	return room{}, false
}

// visitor returns the entry of the module that a path from elsewhere belongs to.
func visitor(path string) (room, bool) {
	for module, r := range visitors {
		if path == module || strings.HasPrefix(path, module+"/") {
			return r, true
		}
	}
	return room{}, false
}

// TestRoomsImportOnly holds the table above against every import of every file, tests included.
func TestRoomsImportOnly(t *testing.T) {
	files, at := goFiles(t)
	used, started := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		if f.nested {
			continue // generators are modules of their own, with their own go.mod
		}
		here, ok := roomOf(f.pkg)
		if !ok {
			t.Errorf("%s: package %s stands in no room: add it to the table with what it may import, and why", f.path, f.pkg)
			continue
		}
		used[f.pkg] = true
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			own, local := strings.CutPrefix(path, "syncretic/")
			switch {
			case local && own != f.pkg && !covers(here.may, own): // an external test imports its own package
				t.Errorf("%s: %s must not import %s: %s", at(spec), f.pkg, own, here.why)
			case !local && strings.Contains(strings.Split(path, "/")[0], "."):
				if v, ok := visitor(path); !ok {
					t.Errorf("%s: %s is not among the modules in use: add it to the table with who may import it, and why", at(spec), path)
				} else if !f.test && !covers(v.may, f.pkg) {
					t.Errorf("%s: %s must not import %s: %s", at(spec), f.pkg, path, v.why)
				}
			case path == "os/exec" && slices.ContainsFunc(starters, func(s string) bool { return strings.HasSuffix("/"+f.path, "/"+s) }):
				started[f.path] = true
			case unwanted[path] != "":
				t.Errorf("%s: %s: %s", at(spec), path, unwanted[path])
			case path == "log" && !f.test:
				t.Errorf("%s: log: libraries return errors and report through callbacks; the command prints", at(spec))
			}
		}
	}
	if len(started) != len(starters) {
		t.Errorf("%v start other programs, want exactly %v", started, starters)
	}
	for pkg := range rooms {
		if !strings.HasSuffix(pkg, "/") && !used[pkg] {
			t.Errorf("the table names %s, which is not there", pkg)
		}
	}
}

// TestRoomsSay: every ban has its reason.
func TestRoomsSay(t *testing.T) {
	for _, table := range []map[string]room{rooms, visitors} {
		for path, r := range table {
			if len(r.why) < 20 {
				t.Errorf("%s: no reason", path)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		paths []string
		pkg   string
		want  bool
	}{
		{nil, "checkpoint", false},
		{[]string{"checkpoint"}, "checkpoint", true},
		{[]string{"checkpoint"}, "checkpoint/recipe", false},
		{[]string{"adapt/"}, "adapt/op/elem", true},
		{[]string{"adapt/"}, "adapt", false},
		{[]string{"adapt/"}, "adaptive", false},
		{[]string{everything}, "sweep/store", true},
	} {
		if got := covers(test.paths, test.pkg); got != test.want {
			t.Errorf("covers(%q, %q) = %v, want %v", test.paths, test.pkg, got, test.want)
		}
	}
	if _, ok := roomOf("utils"); ok {
		t.Error("a package that no entry names has a room")
	}
	if r, ok := roomOf("examples/other/deep"); !ok || r.why != rooms["examples/"].why {
		t.Error("a package below examples/ has no room")
	}
}
