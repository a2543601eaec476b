package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe"
)

// probed is an encoder with what identifies its features.
type probed struct {
	*mert.Encoder
	path     string
	hash     string            // SHA-256 of its weights
	identity map[string]string // probe.ExtractOptions.Encoder
}

// openProbed opens the encoder of a probe. normalize, unless it is nil, overrules its preprocessor_config.json.
func openProbed(path string, normalize *bool) (*probed, error) {
	enc, err := mert.Open(path)
	if err != nil {
		return nil, err
	}
	return identify(enc, path, normalize)
}

// identify is openProbed for an encoder that is open.
func identify(enc *mert.Encoder, path string, normalize *bool) (_ *probed, err error) {
	if err := setNormalize(enc, normalize); err != nil {
		return nil, err
	}
	p := &probed{Encoder: enc, path: path}
	if p.hash, err = checkpoint.Hash(enc); err != nil {
		return nil, err
	}
	config := sha256.Sum256(enc.Config().JSON())
	p.identity = map[string]string{"model_sha256": p.hash, "config_sha256": hex.EncodeToString(config[:]), "normalize": strconv.FormatBool(enc.Normalises())}
	return p, nil
}

// setNormalize has the encoder bring each window to mean 0 and variance 1, or leave it as it is; nil does what the model's preprocessor says.
func setNormalize(enc *mert.Encoder, normalize *bool) error {
	if normalize == nil {
		return nil
	}
	return enc.SetPreprocessor(fmt.Appendf(nil, `{"do_normalize": %t}`, *normalize))
}

// options are those of extracting the features of a dataset; cache is what [featureCache] returned.
func (p *probed) options(cfg probe.Config, cache string, bar *progress) probe.ExtractOptions {
	o := cfg.ExtractOptions()
	o.Cache, o.Encoder, o.Model, o.InFlight = cache, p.identity, p.path, clipsInFlight()
	o.Progress = func(done, total int) { bar.set(done, total, "") }
	return o
}

// featureCache is the folder that keeps features: the configuration's, or by default one in the user's cache folder, as Hugging Face
// tools keep what can be made again: trying another head then costs no encoding. "" keeps nothing.
func featureCache(cfg probe.Config) (string, error) {
	switch cfg.Cache {
	case "":
		return defaultFeatureCache()
	case probe.NoCache:
		return "", nil
	}
	return cfg.Cache, nil
}

func defaultFeatureCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: cache is left out, and this system has no folder for one (%w): name one, or %s", probe.ErrConfig, err, probe.NoCache)
	}
	return filepath.Join(dir, "syncretic", "features"), nil
}
