package adapt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"syncretic/checkpoint"
)

// freshHeads is what a recipe says for heads that are drawn.
const freshHeads = "fresh"

// openHeads opens the file with the heads that a recipe names, nil for fresh ones. A base's own are heads.safetensors of a
// directory, or in the training checkpoint itself; a base can be without.
func openHeads(cfg Config) (*checkpoint.Model, error) {
	path, own := cfg.Heads, cfg.Heads == ""
	if own {
		path = cfg.Base
	}
	if path == "" || path == freshHeads {
		return nil, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, headsFile)
	}
	m, err := checkpoint.Open(path)
	switch {
	case err != nil && own && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil && errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("heads: %w (want fresh, a model directory that adapt wrote, or a training checkpoint of fairseq)", err)
	case err != nil:
		return nil, fmt.Errorf("heads: %w", err)
	}
	if _, ok := checkpoint.Find(m, "final_proj.weight"); !ok && own && path == cfg.Base {
		return nil, m.Close() // the encoder alone
	}
	return m, nil
}

// headsIn shows the heads of a file with the names and the order that Heads have. In a training checkpoint of fairseq they
// stand among the encoder and the constant kernels of its spectra, and the rows of its embeddings follow its dictionaries.
func headsIn(m *checkpoint.Model, t *Teacher) (checkpoint.Source, error) {
	var names []string
	for _, h := range new(Heads).names(headSizes{}) {
		names = append(names, h.name)
	}
	src := checkpoint.Select(m, func(name string) bool { return slices.Contains(names, name) })
	training := false
	for _, info := range m.Tensors() {
		training = training || info.Name == "mask_emb"
		if strings.HasPrefix(info.Name, "target_glu.") || info.Name == "logit_temp_list" {
			return nil, fmt.Errorf("%w: tensor %q: such a head is not part of this objective", checkpoint.ErrInvalid, info.Name)
		}
	}
	if !training {
		return src, nil
	}
	if t.cfg.LogFloor != 0 || t.cfg.Normalize {
		return nil, fmt.Errorf("%w: its spectrum head gives plain magnitudes, but the teacher's are otherwise: teacher.log_floor %g, want 0; teacher.normalize %t, want false",
			ErrConfig, t.cfg.LogFloor, t.cfg.Normalize)
	}
	if t.tokens == nil {
		return nil, fmt.Errorf("%w: its code embeddings are of EnCodec's codes, but the teacher's codes are a k-means's: name EnCodec's in teacher.tokens", ErrConfig)
	}
	info, ok := checkpoint.Find(src, embeddingsName)
	if !ok || len(info.Shape) != 2 {
		return src, nil // Heads say what is missing
	}
	symbols, raw, err := m.Labels()
	if err != nil {
		return nil, err
	}
	books, size := t.Codebooks()
	rows, err := codeRows(symbols, raw, info.Shape[0], books, size)
	if err != nil {
		return nil, fmt.Errorf("%w: tensor %q: %w", checkpoint.ErrInvalid, embeddingsName, err)
	}
	if rows == nil {
		return src, nil
	}
	return picked{src, rows, info.Shape[1]}, nil
}

// specials is the number of symbols that fairseq puts before a dictionary's own: <s>, <pad>, </s>, <unk>.
const specials = 4

// codeRows finds the row of each code in the tables of all codebooks, one after the other: that of the code's symbol, or
// where labels are raw that of its number. nil where they are in order already. Without dictionaries a table has its codes
// alone, or the special symbols too, in front of them.
func codeRows(symbols [][]string, raw bool, rows, books, size int) ([]int, error) {
	if symbols == nil {
		if rows != books*(specials+size) {
			return nil, nil // as many as the codes, or an error of the shape
		}
		table := make([]string, specials, specials+size)
		for c := range size {
			table = append(table, strconv.Itoa(c))
		}
		symbols = slices.Repeat([][]string{table}, books)
	}
	if len(symbols) != books {
		return nil, fmt.Errorf("made for %d dictionaries, want %d: one for each of the teacher's codebooks", len(symbols), books)
	}
	var found []int
	first := 0
	for i, table := range symbols {
		at, err := rowsByCode(table, size)
		if err != nil {
			return nil, fmt.Errorf("dictionary %d: %w", i, err)
		}
		for code, row := range at {
			if raw {
				row = code
			}
			found = append(found, first+row)
		}
		first += len(table)
	}
	if first != rows {
		return nil, fmt.Errorf("%d rows, want the %d of its dictionaries' symbols", rows, first)
	}
	return found, nil
}

// rowsByCode inverts a dictionary: the places of "0" to size-1 in it. Symbols that are no numbers stand for no code.
func rowsByCode(symbols []string, size int) ([]int, error) {
	at := make(map[int]int, size)
	for row, s := range symbols {
		code, err := strconv.Atoi(s)
		if err != nil || strconv.Itoa(code) != s {
			continue
		}
		if _, twice := at[code]; twice {
			return nil, fmt.Errorf("code %d appears twice", code)
		}
		at[code] = row
	}
	if len(at) != size {
		return nil, fmt.Errorf("%d codes, want the %d of the teacher's codebooks", len(at), size)
	}
	rows := make([]int, size)
	for code := range rows {
		row, ok := at[code]
		if !ok {
			return nil, fmt.Errorf("no symbol for code %d", code)
		}
		rows[code] = row
	}
	return rows, nil
}

// picked shows heads with chosen rows of their embeddings, in the given order.
type picked struct {
	checkpoint.Source
	rows []int
	dim  int
}

func (p picked) Tensors() []checkpoint.Info {
	infos := slices.Clone(p.Source.Tensors())
	for i := range infos {
		if infos[i].Name == embeddingsName {
			infos[i].Shape = []int{len(p.rows), p.dim}
		}
	}
	return infos
}

func (p picked) Read(name string, offset int, dst []float32) error {
	if name != embeddingsName {
		return p.Source.Read(name, offset, dst)
	}
	if offset < 0 || offset > len(p.rows)*p.dim-len(dst) {
		return fmt.Errorf("%w: tensor %q: elements %d to %d, want a range within 0 to %d", checkpoint.ErrInvalid, name, offset, offset+len(dst), len(p.rows)*p.dim)
	}
	for len(dst) > 0 {
		row, column := offset/p.dim, offset%p.dim
		n := min(len(dst), p.dim-column)
		if err := p.Source.Read(name, p.rows[row]*p.dim+column, dst[:n]); err != nil {
			return err
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}
