package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// errSilent ends with 1 after everything was said already.
var errSilent = errors.New("")

// usage marks errors of whoever called: they end with 2.
type usage struct{ error }

// Run carries out one command line and answers the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "badge-engine",
		Short:         "Issue, bake and verify Open Badges 3.0",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	root.AddCommand(serveCommand(), demoCommand(), migrateCommand(), tokenCommand(), clientCommand(), keysCommand(), issueCommand(), importCommand(), bakeCommand(), extractCommand(),
		verifyCommand(), auditCommand(), scimCommand(), routesCommand(), configCommand(), healthcheckCommand())
	root.AddCommand(doctorCommand(), backupCommand(), restoreCommand())
	ran := false
	watch(root, &ran)

	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintln(stderr, "badge-engine: "+explain(err))
	}
	var wrong usage
	if errors.As(err, &wrong) || !ran {
		fmt.Fprintln(stderr, "Run badge-engine --help, or --help after a command, for how to call it.")
		return 2
	}
	return 1
}

// watch notes when a command begins: errors before that are the caller's.
func watch(cmd *cobra.Command, ran *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*ran = true
			return run(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		watch(child, ran)
	}
}

// explain puts a fault the way a person at a terminal reads it.
func explain(err error) string {
	f, ok := fault.From(err)
	if !ok {
		return err.Error()
	}
	text := f.Message()
	if f.Detail() != "" {
		text += " " + f.Detail()
	}
	for _, v := range f.Violations() {
		text += fmt.Sprintf("\n  %s: %s %s (%s)", v.Pointer, v.Detail, v.Remedy, v.Rule)
	}
	if cause := errors.Unwrap(f); cause != nil && (f.Kind() == fault.Unavailable || f.Kind() == fault.Internal) {
		text += "\n  " + cause.Error()
	}
	return text
}

// configured reads the environment and the file .env here.
func configured() (engine.Config, error) {
	environ, err := config.Environment(".")
	if err != nil {
		return engine.Config{}, err
	}
	return engine.Load(environ)
}

// tools opens the database for a command that does not serve. Its log goes to
// standard error, so that standard output holds the result alone.
func tools(cmd *cobra.Command, run func(ctx context.Context, cfg engine.Config, t *engine.Tools) error) error {
	cfg, err := configured()
	if err != nil {
		return err
	}
	if cmd.CommandPath() != migrateUp { // somebody waits at a terminal
		cfg.Database.Wait, cfg.Migrations.Wait = 0, 0
	}
	if cfg.Log.Level == logging.Default().Level {
		cfg.Log.Level = "warn"
	}
	log, closer, err := logging.NewOn(cmd.ErrOrStderr(), cfg.Log)
	if err != nil {
		return err
	}
	defer closer.Close()
	ctx := cmd.Context()
	t, err := engine.OpenTools(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer t.Close()
	return run(ctx, cfg, t)
}
