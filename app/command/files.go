package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/modules/baking"
)

// maxFile bounds what the commands read, as the server bounds an upload.
const maxFile = 32 << 20

// read takes a file, or standard input for "-".
func read(cmd *cobra.Command, name string) ([]byte, error) {
	var from io.Reader = cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return data, err
}

// write puts a result into a file, or on standard output where none is named. A
// file that is there already is not overwritten.
func write(cmd *cobra.Command, name string, data []byte) error {
	if name == "" || name == "-" {
		_, err := cmd.OutOrStdout().Write(data)
		return err
	}
	return writeNew(name, data, 0o644)
}

func writeNew(name string, data []byte, mode os.FileMode) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage{fmt.Errorf("give %s", what)}
		}
		return nil
	}
}

func bakeCommand() *cobra.Command {
	var credential, picture, out, version string
	var overwrite bool
	bake := &cobra.Command{
		Use:   "bake --credential FILE --image FILE [--out FILE]",
		Short: "Bake a credential into a PNG or SVG; every other byte stays",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			document, err := read(cmd, credential)
			if err != nil {
				return err
			}
			plain, err := read(cmd, picture)
			if err != nil {
				return err
			}
			baked, err := baking.New().Bake(cmd.Context(), plain, document, overwrite, version)
			if err != nil {
				return err
			}
			return write(cmd, out, baked)
		},
	}
	bake.Flags().StringVar(&credential, "credential", "", "the signed credential: JSON, compact JWS or a baked picture; - reads standard input")
	bake.Flags().StringVar(&picture, "image", "", "the PNG or SVG to bake into")
	bake.Flags().StringVarP(&out, "out", "o", "", "where the badge goes; standard output when not given")
	bake.Flags().BoolVar(&overwrite, "overwrite", false, "replace a credential that the picture holds already")
	bake.Flags().StringVar(&version, "version", "", "3.0 or 2.0; what the credential says of itself when not given")
	_ = bake.MarkFlagRequired("credential") // fails only for a flag that does not exist
	_ = bake.MarkFlagRequired("image")
	return bake
}

func extractCommand() *cobra.Command {
	var out string
	extract := &cobra.Command{
		Use:   "extract FILE [--out FILE]",
		Short: "Take the credential out of a baked PNG or SVG",
		Args:  exactly(1, "one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := read(cmd, args[0])
			if err != nil {
				return err
			}
			found, err := baking.New().Extract(cmd.Context(), data)
			if err != nil {
				return err
			}
			for _, warning := range found.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+warning)
			}
			return write(cmd, out, found.Payload)
		},
	}
	extract.Flags().StringVarP(&out, "out", "o", "", "where the credential goes; standard output when not given")
	return extract
}

// marshal shows a value as indented JSON.
func marshal(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}
