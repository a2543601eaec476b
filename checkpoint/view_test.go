package checkpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFloats(t *testing.T) {
	want := []float32{1, -2.5, 3e-40}
	m, err := NewMemory(Tensor{Name: "x", Shape: []int{3}, Data: want})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(context.Background(), path, m, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := file.Raw("x")
	if err != nil {
		t.Fatal(err)
	}
	got, ok := Floats(raw)
	if ok != littleEndian() || ok && !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, ok, want)
	}
	file.Forget()
	if ok && !slices.Equal(got, want) {
		t.Errorf("after Forget: %v, want %v", got, want)
	}
	if _, ok := Floats(raw[:7]); ok {
		t.Error("a view of 7 bytes")
	}
	if _, ok := Floats(raw[1:9]); ok {
		t.Error("a view of bytes that are not aligned")
	}
	if view, ok := Floats(nil); !ok || len(view) != 0 {
		t.Errorf("of nothing: %v, %v", view, ok)
	}
	file.Close()
	file.Forget() // nothing is left to give back
}

// A sum over a file that was cut short after it was opened is an error.
func TestSum(t *testing.T) {
	data := make([]float32, 1<<20)
	data[5] = 7
	m, err := NewMemory(Tensor{Name: "x", Shape: []int{len(data)}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(context.Background(), path, m, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, want := sha256.New(), sha256.New()
	if err := file.Sum("x", got); err != nil {
		t.Fatal(err)
	}
	raw, err := m.Raw("x")
	if err != nil {
		t.Fatal(err)
	}
	want.Write(raw)
	if !slices.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Error("another sum than that of the bytes in memory")
	}
	if err := file.Sum("y", got); !errors.Is(err, ErrInvalid) {
		t.Errorf("of a tensor that is not there: %v", err)
	}
	file.Forget()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if err := file.Sum("x", got); mapped && !errors.Is(err, ErrInvalid) {
		t.Errorf("of a file cut short: got %v, want ErrInvalid", err)
	}
}

// Bytes of a file that was cut short are an error where they are touched by Touch, and everything else that happens there passes.
func TestTouch(t *testing.T) {
	data := make([]float32, 1<<20)
	m, err := NewMemory(Tensor{Name: "x", Shape: []int{len(data)}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(context.Background(), path, m, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := file.Raw("x")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	add := func() error {
		for _, b := range raw {
			sum += int(b)
		}
		return nil
	}
	if err := Touch("x", add); err != nil || sum != 0 {
		t.Errorf("sum %d, %v", sum, err)
	}
	if err := Touch("x", func() error { return os.ErrExist }); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v, want what the function returned", err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if err := Touch("x", add); mapped && !errors.Is(err, ErrInvalid) {
		t.Errorf("of a file cut short: got %v, want ErrInvalid", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic of another kind was lost")
		}
	}()
	_ = Touch("x", func() error { panic("mine") })
}
