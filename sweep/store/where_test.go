package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParsePlace(t *testing.T) {
	for where, want := range map[string]place{
		"study.sqlite":                            {path: "study.sqlite", shown: "study.sqlite"},
		"/a/b c?#.sqlite":                         {path: "/a/b c?#.sqlite", shown: "/a/b c?#.sqlite"},
		"sqlite:///study.sqlite":                  {path: "study.sqlite", shown: "study.sqlite"},
		"sqlite:////a/b.sqlite":                   {path: "/a/b.sqlite", shown: "/a/b.sqlite"},
		"postgres://u:p@h/d":                      {url: "postgres://u:p@h/d", shown: "postgres://u:***@h/d"},
		"postgresql://h/d":                        {url: "postgres://h/d", shown: "postgresql://h/d"},
		"postgresql+psycopg2://u:p%40@h:5432/d":   {url: "postgres://u:p%40@h:5432/d", shown: "postgresql+psycopg2://u:***@h:5432/d"},
		"PostgreSQL+psycopg://u@h/d?password=abc": {url: "postgres://u@h/d?password=abc", shown: "PostgreSQL+psycopg://u@h/d?password=***"},
	} {
		if got, err := parsePlace(where); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", where, got, err, want)
		}
	}
	for where, says := range map[string]string{
		"":                               "needs the path",
		"sqlite://":                      "sqlite:///PATH",
		"sqlite:///":                     "needs the path",
		"sqlite:///:memory:":             "needs the path",
		"mysql://root:secret@h/d":        "postgres://USER",
		"postgres://u:secret/x@h/d":      "%-escapes",
		"postgres://u:secret@h:port/d":   "%-escapes",
		"postgres://u:sec%zzret@h/d":     "%-escapes",
		"postgres://u:sec ret@h:54 32/d": "%-escapes",
	} {
		_, err := parsePlace(where)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "ret@") {
			t.Errorf("%s: error %v", where, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for where, want := range map[string]string{
		"study.sqlite":                             "study.sqlite",
		"a:b@c.sqlite":                             "a:b@c.sqlite",
		"postgres://u:p@h/d":                       "postgres://u:***@h/d",
		"postgres://u@h/d":                         "postgres://u@h/d",
		"postgres://u:p@q:r/s@h/d":                 "postgres://u:***@h/d",
		"postgres://u:p?q#r@h/d":                   "postgres://u:***@h/d",
		"postgres://h/d?user=u&PASSWORD=p&sslmode": "postgres://h/d?user=u&PASSWORD=***&sslmode",
		"postgres://h/d?sslpassword=p":             "postgres://h/d?sslpassword=***",
		"postgres://:p@h/d":                        "postgres://:***@h/d",
	} {
		if got := Redact(where); got != want {
			t.Errorf("Redact(%q) = %q, want %q", where, got, want)
		}
	}
}

func TestOnNetworkFileSystem(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "new.sqlite"), "/none/at/all"} {
		if OnNetworkFileSystem(path) {
			t.Errorf("%s is said to be on the network", path)
		}
	}
	if _, err := os.Stat("/proc/self"); err == nil && OnNetworkFileSystem("/proc/self") {
		t.Error("/proc is said to be on the network")
	}
}
