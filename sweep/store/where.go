package store

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// ErrPlace marks what names no database: a URL of another kind, or one that cannot be read.
var ErrPlace = errors.New("not the place of a study")

// A place is what a user names a database by, taken apart.
type place struct {
	path  string // of the SQLite file; empty for PostgreSQL
	url   string // of PostgreSQL, with its password
	shown string // for people: without a password
}

// postgresScheme is PostgreSQL's scheme, in either spelling, with the driver that SQLAlchemy lets follow.
var postgresScheme = regexp.MustCompile(`^(?i:postgres(?:ql)?(?:\+[a-z0-9_]+)?)://`)

// anyScheme is the beginning of a URL.
var anyScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// parsePlace reads a path, sqlite:///PATH (four slashes for an absolute one, as SQLAlchemy has it), or a URL of PostgreSQL.
func parsePlace(where string) (place, error) {
	shown := Redact(where)
	if scheme := postgresScheme.FindString(where); scheme != "" {
		plain := "postgres://" + where[len(scheme):]
		if _, err := url.Parse(plain); err != nil { // which may quote a piece of the password
			return place{}, fmt.Errorf("%s: %w: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %%-escapes for :/?#[]@%% in USER and PASSWORD", shown, ErrPlace)
		}
		return place{url: plain, shown: shown}, nil
	}
	scheme := anyScheme.FindString(where)
	switch {
	case scheme == "":
		return place{path: where, shown: where}, pathError(where)
	case !strings.EqualFold(scheme, "sqlite://"):
		return place{}, fmt.Errorf("%s: %w: want a path, sqlite:///PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE", shown, ErrPlace)
	}
	path, ok := strings.CutPrefix(where[len(scheme):], "/")
	if !ok {
		return place{}, fmt.Errorf("%s: %w: sqlite:// has no host: want sqlite:///PATH, with four slashes where PATH is absolute", shown, ErrPlace)
	}
	return place{path: path, shown: path}, pathError(path)
}

func pathError(path string) error {
	if path == "" || path == ":memory:" {
		return fmt.Errorf("%w: a study needs the path of a file, or a URL", ErrPlace)
	}
	return nil
}

var (
	// userinfo is what stands before the host: everything up to the last @ ahead of the path, also where an unescaped password
	// makes the URL invalid.
	userinfo = regexp.MustCompile(`://([^@/:]*):.*@`)
	// passwordParameter is a password among the parameters.
	passwordParameter = regexp.MustCompile(`(?i)([?&](?:ssl)?password=)[^&#]*`)
)

// Redact returns a database's URL without its password, for errors, logs and listings. Anything that is no URL stays as it is.
func Redact(where string) string {
	if !anyScheme.MatchString(where) {
		return where
	}
	return passwordParameter.ReplaceAllString(userinfo.ReplaceAllString(where, "://$1:***@"), "$1***")
}
