package main

import "github.com/spf13/cobra"

func newSweep(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Choose scaling coefficients lambda against probe results",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSweepRun(a), newSweepWork(a), newSweepSubmit(a), newSweepStatus(a), newSweepTrials(a), newSweepReport(a))
	return cmd
}
