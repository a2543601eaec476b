package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"syncretic/adapt/kernel"
)

// verbs are all verbs that do something, as paths without the program's name.
func verbs(c *cobra.Command) []string {
	var all []string
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if sub.HasSubCommands() {
			all = append(all, verbs(sub)...)
			if !strings.Contains(sub.Use, " ") { // without arguments of its own it only shows its help
				continue
			}
		}
		all = append(all, strings.TrimPrefix(sub.CommandPath(), "syncretic "))
	}
	return all
}

func TestVerbs(t *testing.T) {
	got := strings.Join(verbs(newRoot(&app{})), ", ")
	if want := "adapt eval, adapt report, adapt, apply, compare, convert, demo, embed, extract-lora, inspect, merge, probe cache, probe datasets, probe features, probe fit, probe matrix, probe score, probe similarity, sweep report, sweep run, sweep status, sweep submit, sweep trials, sweep work, tokens, vector, verify, version"; got != want {
		t.Errorf("verbs %s, want %s", got, want)
	}
}

func TestHelpListsExitCodesAndAnExample(t *testing.T) {
	w := newWorkshop(t)
	for _, verb := range verbs(newRoot(&app{})) {
		t.Run(verb, func(t *testing.T) {
			o := workshop{t}.succeed(verb + " --help")
			for _, want := range []string{"Exit codes:", "0    done", "1    failed", "2    wrong usage", "3    bad input", "4    the output exists",
				"130  interrupted", "Environment:\n  SYNCRETIC_KERNEL", "Examples:\n  syncretic " + verb, "--json", "--quiet", "--force", "--threads"} {
				if !strings.Contains(o.stdout, want) {
					t.Errorf("the help has no %q:\n%s", want, o.stdout)
				}
			}
			if o.stderr != "" {
				t.Errorf("standard error has %q", o.stderr)
			}
			for line := range strings.Lines(o.stdout) {
				if len([]rune(line)) > 130 && !strings.Contains(line, "--") {
					t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
				}
			}
		})
	}
	w.unchanged(map[string]string{".": "directory"})
}

func TestWithoutAVerb(t *testing.T) {
	w := newWorkshop(t)
	for _, line := range []string{"", "--help", "help", "probe", "sweep", "help embed"} {
		if o := w.succeed(line); !strings.Contains(o.stdout, "Usage:") || o.stderr != "" {
			t.Errorf("%q: standard output %q, standard error %q; want the help on the former", line, o.stdout, o.stderr)
		}
	}
	w.refuse([]refusal{
		{"unknown verb, near one", "vektor a b c", exitUsage, `no verb "vektor"; the nearest is "vector"`, "`syncretic --help`"},
		{"unknown verb", "transmogrify", exitUsage, `no verb "transmogrify"`, "`syncretic --help`"},
		{"unknown flag", "--colour", exitUsage, "unknown flag: --colour", "`syncretic --help`"},
		{"unknown letter", "version -x", exitUsage, "unknown shorthand flag: 'x'", "`syncretic version --help`"},
		{"argument of a verb without any", "version please", exitUsage, "version takes no arguments; got 1: please", "`syncretic version --help`"},
	})
}

func TestVersion(t *testing.T) {
	w := newWorkshop(t)
	got := w.result("version")
	kernels, ok := got["kernels"].([]any)
	if !strings.HasPrefix(got["version"].(string), release) || !strings.HasPrefix(got["go"].(string), "go") || !ok || kernels[len(kernels)-1] != "portable" {
		t.Errorf("got %v, want version, Go and kernels down to the portable one", got)
	}
	if got["kernel_set"] != string(kernel.InUse()) || len(got["kernel_sets"].([]any)) != len(kernel.Usable()) {
		t.Errorf("got %v, want %s in use of %v", got, kernel.InUse(), kernel.Usable())
	}
	if text := w.succeed("version").stdout; !strings.HasPrefix(text, "syncretic "+release) || strings.Count(text, "\n") != 1 {
		t.Errorf("text %q, want one line", text)
	}
}

func TestCompletion(t *testing.T) {
	w := newWorkshop(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if o := w.succeed("completion " + shell); !strings.Contains(o.stdout, "syncretic") {
			t.Errorf("%s: no completion script", shell)
		}
	}
}

// failing is a standard output that takes nothing, as a full disk does.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestResultThatCannotBePrinted(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"vector", "base", "tuned", "x.safetensors", "--quiet"}, failing{bytes.ErrTooLarge}, &stderr)
	if code != exitFailed || !strings.Contains(stderr.String(), "all is done, but the result could not be printed") {
		t.Errorf("exit code %d, standard error %q", code, stderr.String())
	}
	if len(w.weights("x.safetensors")) == 0 {
		t.Error("the vector is not there")
	}
}
