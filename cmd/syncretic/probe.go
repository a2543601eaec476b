package main

import "github.com/spf13/cobra"

func newProbe(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Fit and score taggers on an encoder's frozen features",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProbeFit(a), newProbeScore(a), newProbeMatrix(a), newProbeDatasets(a), newProbeFeatures(a), newProbeCache(a), newProbeSimilarity(a))
	return cmd
}
