package checkpoint

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the writer that crash tests start and kill.
func TestMain(m *testing.M) {
	if task := os.Getenv(victimTask); task != "" {
		os.Exit(victim(task))
	}
	os.Exit(m.Run())
}
