package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

var errUsage = errors.New("wrong usage")

func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// explainUsage rewords cobra's complaints about the arguments and flags of a verb and of its sub-verbs.
func explainUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return argumentError(c, args)
			}
			return nil
		}
	}
	wanted := map[string]string{"ParseInt": "want a whole number", "ParseUint": "want a whole number, 0 or more", "ParseFloat": "want a number"}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		text := err.Error()
		if n := (*strconv.NumError)(nil); errors.As(err, &n) {
			text = strings.Replace(text, n.Error(), wanted[n.Func], 1)
		}
		return usageError("%s", text)
	})
	for _, sub := range c.Commands() {
		explainUsage(sub)
	}
}

// argumentError says what a verb takes, from its Use line.
func argumentError(c *cobra.Command, args []string) error {
	want, _ := strings.CutPrefix(c.Use, c.Name())
	if c.HasSubCommands() && want == "" {
		c.SuggestionsMinimumDistance = 2
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			return usageError("no verb %q; the nearest is %q", args[0], near[0])
		}
		return usageError("no verb %q", args[0])
	}
	got := "none"
	if len(args) > 0 {
		got = fmt.Sprintf("%d: %s", len(args), strings.Join(args, " "))
	}
	if want == "" {
		return usageError("%s takes no arguments; got %s", c.Name(), got)
	}
	return usageError("%s takes the arguments%s; got %s", c.Name(), want, got)
}
