package main

import (
	"math"
	"testing"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "5000000000": 5e9, "5GB": 5e9, "5gb": 5e9, "5G": 5e9, "5B": 5e9, "5b": 5e9, "500MB": 5e8, "500M": 5e8, "10KB": 1e4, "10k": 1e4, "2TB": 2e12,
		"5GiB": 5 << 30, "1KiB": 1024, "1.5GB": 15e8, "0.5MiB": 1 << 19, "1e3": 1000, "1e3MB": 1e9, "9223372036854775807": math.MaxInt64, "9223372036GB": 9223372036e9,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1", "-5GB", "5XB", "5 GB", "5GBB", "5BB", "5iB", "5BiB", "5Gi", "five", "nan", "inf", "0x10", "1_000", "9223372036854775808", "9300000000GB", "1e400", "5GB5"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestShowBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1550: "1.6 kB", 999949: "999.9 kB", 999950: "1.0 MB", 377486848: "377.5 MB", 5e9: "5.0 GB", 2e15: "2000.0 TB"} {
		if got := showBytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
