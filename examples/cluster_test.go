package examples

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestKubernetesJob: what makes the job safe for trials and for the password is there.
func TestKubernetesJob(t *testing.T) {
	text, err := os.ReadFile("cluster/sweep-job.yml")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Spec       struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
			PodFailurePolicy         struct {
				Rules []struct {
					Action      string
					OnExitCodes struct{ Values []int } `yaml:"onExitCodes"`
				}
			} `yaml:"podFailurePolicy"`
			Template struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Grace         int    `yaml:"terminationGracePeriodSeconds"`
					Containers    []struct {
						Command, Args []string
						Env           []struct {
							Name, Value string
							ValueFrom   struct {
								SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
							} `yaml:"valueFrom"`
						}
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	spec, pod := job.Spec, job.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || spec.CompletionMode != "Indexed" || spec.Completions < 2 || spec.Completions != spec.Parallelism {
		t.Errorf("%s %s, %s, %d completions of which %d at once", job.APIVersion, job.Kind, spec.CompletionMode, spec.Completions, spec.Parallelism)
	}
	if pod.RestartPolicy != "Never" || pod.Grace < 10 {
		t.Errorf("restart policy %s, %d s from SIGTERM to SIGKILL", pod.RestartPolicy, pod.Grace)
	}
	ignored := false
	for _, rule := range spec.PodFailurePolicy.Rules {
		ignored = ignored || rule.Action == "Ignore" && slices.Equal(rule.OnExitCodes.Values, []int{130})
	}
	if !ignored {
		t.Error("a worker that put its trial back counts as failed")
	}
	if len(pod.Containers) != 1 || !slices.Equal(pod.Containers[0].Args, []string{"sweep", "work", "$(STUDY)"}) || !slices.Equal(pod.Containers[0].Command, []string{"/syncretic"}) {
		t.Fatalf("containers %+v", pod.Containers)
	}
	password := regexp.MustCompile(`://[^/@]*:[^/@]*@`)
	secret := false
	for _, e := range pod.Containers[0].Env {
		secret = secret || e.Name == "PGPASSWORD" && e.Value == "" && e.ValueFrom.SecretKeyRef.Name != "" && e.ValueFrom.SecretKeyRef.Key != ""
		if password.MatchString(e.Value) {
			t.Errorf("%s shows a password", e.Name)
		}
	}
	if !secret {
		t.Error("the password comes from no Secret")
	}
}

// TestClusterScripts: each calls the worker once, and nothing in them would show a password.
func TestClusterScripts(t *testing.T) {
	for path, wants := range map[string][]string{
		"slurm/sweep.sbatch": {"#     sbatch --array=0-7%4 examples/slurm/sweep.sbatch postgres://", "#SBATCH --requeue\n", ` sweep work "$study" --threads `},
		"cluster/sweep.pbs":  {"#     STUDY=postgres://me@db/sweeps qsub -v STUDY -J 0-7 examples/cluster/sweep.pbs\n", "#PBS -r y\n", `exec "${SYNCRETIC:-syncretic}" sweep work "$STUDY" --threads `},
		"cluster/ssh.sh":     {"#     examples/cluster/ssh.sh postgres://", "nohup syncretic sweep work "},
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(wants, "\nset -eu\n") {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
		if head, body, _ := strings.Cut(string(text), "\nset -eu\n"); strings.Count(body, " sweep work ") != 1 || !strings.HasPrefix(head, "#!/") ||
			strings.Contains(body, "#PBS") || regexp.MustCompile(`://[^/@\s]*:[^/@\s]*@`).Match(text) {
			t.Errorf("%s: want options first, one worker, and no password", path)
		}
	}
}
