package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// The errors of studies. ErrInvalid is a database that holds no study of ours.
var (
	ErrInvalid = store.ErrInvalid
	// ErrPlace is what can name no database.
	ErrPlace = store.ErrPlace
	// ErrName is a database of studies without the one that is asked for.
	ErrName = errors.New("no study")
	// ErrChanged also wraps ErrConfig: the study was made with another configuration, and its trials would not compare.
	ErrChanged = fmt.Errorf("%w: the study was made with another configuration", ErrConfig)
)

// DefaultName is the name of a study that is given none.
const DefaultName = "syncretic"

// The studies beside a study, in the same database: one trial for each reference model, and one for the test.
const (
	referencesSuffix = "/references"
	testSuffix       = "/test"
)

// Setup is what a study is about. Everything but Version counts: a study reopens only with an equal Setup.
type Setup struct {
	Space   Space             `json:"space"`
	Rule    Rule              `json:"rule"`
	Sampler SamplerConfig     `json:"sampler,omitzero"` // the zero value is a grid
	Halving HalvingConfig     `json:"halving,omitzero"` // without parts, every trial is measured in full
	Multi   bool              `json:"multi,omitempty"`  // a multi-culture model is among the references
	Seed    uint64            `json:"seed"`
	Inputs  map[string]string `json:"inputs,omitempty"` // sha-256 of base, vectors, manifests, by any name
	Config  any               `json:"config,omitempty"` // what else decides scores; anything JSON can write
	// Version of the tool, kept with every trial.
	Version string `json:"-"`
	// Folder is where relative paths of Config begin; workers elsewhere may say another.
	Folder string `json:"-"`
}

// Check returns an error that wraps [ErrConfig].
func (s Setup) Check() error {
	if err := errors.Join(s.Space.Check(), s.Rule.Check()); err != nil {
		return err
	}
	_, err := s.sampler()
	return err
}

// directions are those of the study's objectives: the rule's value, and for NSGA-II the Western mean.
func (s Setup) directions() []search.Direction {
	d := search.Maximize
	if s.Rule.smaller() {
		d = search.Minimize
	}
	if s.Sampler.Kind == search.NSGA2 {
		return []search.Direction{d, d}
	}
	return []search.Direction{d}
}

// sampler proposes the points.
func (s Setup) sampler() (search.Sampler, error) {
	kind := s.Sampler.Kind
	if kind == "" {
		kind = search.Grid
	}
	sampler, err := search.New(search.Config{Kind: kind, Space: s.Space.Params(), Directions: s.directions(), Seed: s.Seed,
		Trials: s.Sampler.Trials, Startup: s.Sampler.Startup, Population: s.Sampler.Population})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return sampler, nil
}

// Total is how many trials the study is to have.
func (s Setup) Total() int {
	if s.Sampler.Kind == "" || s.Sampler.Kind == search.Grid {
		n := int(s.Space.Params().GridSize())
		if t := s.Sampler.Trials; t > 0 {
			return min(n, t)
		}
		return n
	}
	return s.Sampler.Trials
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

// Study is a sweep's trials in a database. It is safe for concurrent use. Beside trials it holds the user attributes
// config_hash, setup, seed, version and folder.
type Study struct {
	db         *store.DB
	inner      *store.Study
	references *store.Study
	tests      *store.Study
	setup      Setup
}

// Open opens the study of a name in the database at where, a path or a postgres:// URL, making what is not there. A study made with
// another setup is [ErrChanged], and the error names what differs.
func Open(ctx context.Context, where, name string, setup Setup, options ...store.Option) (*Study, error) {
	if err := setup.Check(); err != nil {
		return nil, err
	}
	if name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%w: study name %q, want some characters, and no slash among them", ErrConfig, name)
	}
	db, err := store.Create(ctx, where, options...)
	if err != nil {
		return nil, err
	}
	s := &Study{db: db, setup: setup}
	if err := s.create(ctx, name); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// create makes the three studies, the main one last: whoever finds it finds all.
func (s *Study) create(ctx context.Context, name string) error {
	document, hash, err := s.setup.encode()
	if err != nil {
		return err
	}
	if s.inner, err = s.db.Study(ctx, name); err == nil {
		if err := s.matches(ctx, document, hash); err != nil {
			return err
		}
		return s.beside(ctx)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.references, _, err = s.db.CreateStudy(ctx, name+referencesSuffix, s.setup.directions()[:1], nil); err != nil {
		return err
	}
	space := s.setup.referenceSpace()
	err = s.references.Enqueue(ctx, space, func(existing []store.Trial) ([]store.Entry, error) {
		var entries []store.Entry
		for i := len(existing); i < len(space[0].Choices); i++ {
			entries = append(entries, store.Entry{Point: search.Point{referenceParam: float64(i)}})
		}
		return entries, nil
	})
	if err != nil {
		return err
	}
	if s.tests, _, err = s.db.CreateStudy(ctx, name+testSuffix, []search.Direction{search.Maximize}, nil); err != nil {
		return err
	}
	inner, created, err := s.db.CreateStudy(ctx, name, s.setup.directions(), map[string]any{
		"config_hash": hash, "setup": document, "seed": s.setup.Seed, "version": s.setup.Version, "folder": s.setup.Folder,
	})
	if err != nil {
		return err
	}
	s.inner = inner
	if created {
		return nil
	}
	return s.matches(ctx, document, hash)
}

// beside finds the studies beside the main one.
func (s *Study) beside(ctx context.Context) (err error) {
	if s.references, err = s.db.Study(ctx, s.inner.Name()+referencesSuffix); err == nil {
		s.tests, err = s.db.Study(ctx, s.inner.Name()+testSuffix)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return s.foreign()
	}
	return err
}

// foreign is the error for a study that is not of this package.
func (s *Study) foreign() error {
	return fmt.Errorf("%s: study %q was made by another program or an earlier version: %w", s.Where(), s.inner.Name(), ErrInvalid)
}

// Load opens an existing study, whatever its setup: to look at it, to work for it or to test its winner. The name "" is [DefaultName],
// or that of the only study there is. A missing file wraps fs.ErrNotExist; a database without a study of ours wraps [ErrInvalid], one without
// a study of that name [ErrName].
func Load(ctx context.Context, where, name string, options ...store.Option) (*Study, error) {
	db, err := store.Open(ctx, where, options...)
	if err != nil {
		return nil, err
	}
	s := &Study{db: db}
	if err := s.load(ctx, name); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Study) load(ctx context.Context, name string) error {
	names, err := s.db.Studies(ctx)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.Contains(n, "/") })
	if name == "" {
		name = DefaultName
		if len(names) == 1 {
			name = names[0]
		}
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("%s: %w named %q, it has %q", s.Where(), ErrName, name, names)
	}
	if s.inner, err = s.db.Study(ctx, name); err != nil {
		return err
	}
	attributes, err := s.inner.Attributes(ctx)
	if err != nil {
		return err
	}
	if attributes["setup"] == nil {
		return s.foreign()
	}
	for key, into := range map[string]any{"setup": &s.setup, "version": &s.setup.Version, "folder": &s.setup.Folder} {
		if err := json.Unmarshal(attributes[key], into); err != nil {
			return fmt.Errorf("%s: study attribute %q: %w: %v", s.Where(), key, ErrInvalid, err)
		}
	}
	var document struct {
		Config json.RawMessage `json:"config"` // as it is: a seed has more digits than a float64
	}
	if err := json.Unmarshal(attributes["setup"], &document); err != nil {
		return fmt.Errorf("%s: study attribute %q: %w: %v", s.Where(), "setup", ErrInvalid, err)
	}
	s.setup.Config = nil
	if len(document.Config) > 0 {
		s.setup.Config = document.Config
	}
	if err := s.setup.Check(); err != nil {
		return fmt.Errorf("%s: study attribute %q: %w: %v", s.Where(), "setup", ErrInvalid, err)
	}
	return s.beside(ctx)
}

// matches compares the stored hash with the setup's.
func (s *Study) matches(ctx context.Context, document json.RawMessage, hash string) error {
	attributes, err := s.inner.Attributes(ctx)
	if err != nil {
		return err
	}
	var stored string
	if err := json.Unmarshal(attributes["config_hash"], &stored); err != nil {
		return fmt.Errorf("%s: study attribute %q: %w: %v", s.Where(), "config_hash", ErrInvalid, err)
	}
	if stored == hash {
		return nil
	}
	return fmt.Errorf("%s: %w%s", s.Where(), ErrChanged, differences(attributes["setup"], document))
}

// Close releases the database.
func (s *Study) Close() error { return s.db.Close() }

// Where is the path or URL of the database, without a password.
func (s *Study) Where() string { return s.db.Where() }

// Name is the study's name in its database.
func (s *Study) Name() string { return s.inner.Name() }

// Setup is what the study was opened with. After [Load] its Config is a json.RawMessage.
func (s *Study) Setup() Setup { return s.setup }
