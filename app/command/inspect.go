package command

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
)

func routesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "routes", Short: "List every URL and who may call it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configured()
			if err != nil {
				return err
			}
			routes, err := engine.Routes(cfg)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "METHOD\tPATH\tWHO MAY CALL\tWHAT IT DOES")
			for _, r := range routes {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Method, r.Path, r.Access, r.Summary)
			}
			return w.Flush()
		},
	}
}

func configCommand() *cobra.Command {
	var markdown, dotenv bool
	list := &cobra.Command{
		Use: "config", Short: "List every variable of the environment and its default", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defaults := engine.Default()
			if markdown {
				fmt.Fprint(cmd.OutOrStdout(), configTable(config.Describe(&defaults)))
				return nil
			}
			if dotenv {
				fmt.Fprint(cmd.OutOrStdout(), envExample(config.Describe(&defaults)))
				return nil
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "VARIABLE\tDEFAULT\tMEANING")
			for _, v := range config.Describe(&defaults) {
				fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.Default, v.Help)
			}
			return w.Flush()
		},
	}
	list.Flags().BoolVar(&dotenv, "env", false, "as .env.example")
	list.Flags().BoolVar(&markdown, "markdown", false, "as the table of the README")
	return list
}

// configTable is the table that the README holds.
func configTable(variables []config.Variable) string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range variables {
		shown := v.Default
		if shown != "" {
			shown = "`" + shown + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, shown, strings.ReplaceAll(v.Help, "|", "\\|"))
	}
	return b.String()
}

// envExample is the file .env.example: every variable, explained, with its default.
func envExample(variables []config.Variable) string {
	var b strings.Builder
	b.WriteString(envPreface)
	for _, v := range variables {
		fmt.Fprintf(&b, "\n# %s\n# %s=%s\n", v.Help, v.Name, v.Default)
	}
	return b.String()
}

const envPreface = `# Copy this file to .env and take away the # before what you set. The program reads .env
# in its working folder; what stands in the environment wins. badge-engine doctor says
# what is wrong with it.

# What docker-compose.yml alone reads: the password of the database, without : / @ and the like.
# POSTGRES_PASSWORD=
`
