package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// The errors of studies. ErrInvalid is a file that holds no study of ours; ErrInUse a study that another process runs.
var (
	ErrInvalid = store.ErrInvalid
	ErrInUse   = store.ErrLocked
	// ErrChanged also wraps ErrConfig: the study was made with another configuration, and its trials would not compare.
	ErrChanged = fmt.Errorf("%w: the study was made with another configuration", ErrConfig)
)

// studyName is the name of the one study that a file of ours holds.
const studyName = "syncretic"

// Setup is what a study is about. Everything but Version counts: a study reopens only with an equal Setup.
type Setup struct {
	Space  Space             `json:"space"`
	Rule   Rule              `json:"rule"`
	Seed   uint64            `json:"seed"`
	Inputs map[string]string `json:"inputs,omitempty"` // sha-256 of base, vectors, manifests, by any name
	Config any               `json:"config,omitempty"` // what else decides scores; anything JSON can write
	// Version of the tool, kept with every trial.
	Version string `json:"-"`
}

// Setup is the setup of a config; Inputs and Version are the caller's to add.
func (c Config) Setup() Setup {
	return Setup{Space: c.Space(), Rule: c.Rule(), Seed: c.Seed, Config: c}
}

// Study is a sweep's trials on disk. It is safe for concurrent use. Beside trials it holds the user attributes
// config_hash, setup, seed, version and, once tested, test.
type Study struct {
	db    *store.DB
	inner *store.Study
	setup Setup
}

// Open opens the study at path, making it where there is none. A study made with another setup is [ErrChanged], and
// the error names what differs.
func Open(ctx context.Context, path string, setup Setup) (*Study, error) {
	if err := errors.Join(setup.Space.Check(), setup.Rule.Check()); err != nil {
		return nil, err
	}
	document, hash, err := setup.encode()
	if err != nil {
		return nil, err
	}
	db, err := store.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	direction := search.Maximize
	if setup.Rule.Metric == MaskedLoss {
		direction = search.Minimize
	}
	inner, created, err := db.CreateStudy(ctx, studyName, []search.Direction{direction}, map[string]any{
		"config_hash": hash, "setup": document, "seed": setup.Seed, "version": setup.Version,
	})
	s := &Study{db: db, inner: inner, setup: setup}
	if err == nil && !created {
		err = s.matches(ctx, document, hash)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// Load opens an existing study, whatever its setup, to look at it or to test its winner. A missing file wraps
// fs.ErrNotExist; a database without a study of ours wraps [ErrInvalid].
func Load(ctx context.Context, path string) (*Study, error) {
	db, err := store.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &Study{db: db}
	if s.inner, err = db.Study(ctx, studyName); errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: no study named %q: %w", path, studyName, ErrInvalid)
	}
	var attributes map[string]json.RawMessage
	if err == nil {
		attributes, err = s.inner.Attributes(ctx)
	}
	if err == nil {
		err = s.decode(attributes)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Study) decode(attributes map[string]json.RawMessage) error {
	for key, into := range map[string]any{"setup": &s.setup, "version": &s.setup.Version} {
		if err := json.Unmarshal(attributes[key], into); err != nil {
			return fmt.Errorf("%s: study attribute %q: %w: %v", s.db.Where(), key, ErrInvalid, err)
		}
	}
	s.setup.Space.MaxTrials = math.MaxInt // the limit was checked when the study was made
	if err := errors.Join(s.setup.Space.Check(), s.setup.Rule.Check()); err != nil {
		return fmt.Errorf("%s: study attribute %q: %w: %v", s.db.Where(), "setup", ErrInvalid, err)
	}
	return nil
}

// matches compares the stored hash with the setup's.
func (s *Study) matches(ctx context.Context, document json.RawMessage, hash string) error {
	attributes, err := s.inner.Attributes(ctx)
	if err != nil {
		return err
	}
	var stored string
	if err := json.Unmarshal(attributes["config_hash"], &stored); err != nil {
		return fmt.Errorf("%s: study attribute %q: %w: %v", s.db.Where(), "config_hash", ErrInvalid, err)
	}
	if stored == hash {
		return nil
	}
	return fmt.Errorf("%s: %w%s", s.db.Where(), ErrChanged, differences(attributes["setup"], document))
}

// encode is the setup as JSON and the sha-256 of it.
func (s Setup) encode() (document json.RawMessage, hash string, err error) {
	document, err = json.Marshal(s)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %v", ErrConfig, err)
	}
	sum := sha256.Sum256(document)
	return document, hex.EncodeToString(sum[:]), nil
}

// Close releases the file.
func (s *Study) Close() error { return s.db.Close() }

// Path is the path of the study's file.
func (s *Study) Path() string { return s.db.Where() }

// Setup is what the study was opened with. After [Load] its Config is a tree of plain JSON values.
func (s *Study) Setup() Setup { return s.setup }
