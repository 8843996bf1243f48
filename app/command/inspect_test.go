package command

import (
	"os"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
)

func TestTheReadmeListsEveryVariable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- configuration -->\n")
	got, _, ok := strings.Cut(rest, "<!-- /configuration -->")
	defaults := engine.Default()
	if want := configTable(config.Describe(&defaults)); !ok || got != want {
		t.Errorf("the table in README.md is not that of `badge-engine config --markdown`:\n%s", want)
	}
}

func TestTheExampleOfTheEnvironmentExplainsEveryVariable(t *testing.T) {
	got, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	defaults := engine.Default()
	if want := envExample(config.Describe(&defaults)); string(got) != want {
		t.Errorf(".env.example is not what `badge-engine config --env` prints:\n%s", want)
	}
}
