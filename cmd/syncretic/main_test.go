package main

import (
	"context"
	"encoding/json"
	"os"
	"testing"
)

// childLine is the environment variable that makes the test binary the command itself, with its arguments as JSON: for tests
// that send it signals.
const childLine = "SYNCRETIC_TEST_COMMAND"

func TestMain(m *testing.M) {
	if text := os.Getenv(childLine); text != "" {
		var line []string
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			os.Exit(exitUsage)
		}
		os.Exit(run(context.Background(), line, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}
