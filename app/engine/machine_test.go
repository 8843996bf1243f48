package engine

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// files are what a machine says of control groups.
func files(content map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, there := content[name]; there {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
}

func TestTheLimitOfTheContainerIsHeeded(t *testing.T) {
	const two, one = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for _, row := range []struct {
		name  string
		files map[string]string
		kept  int64
		said  string
		want  int64
	}{
		{"version 2", map[string]string{two: "2147483648\n"}, math.MaxInt64, "", 2147483648 / 10 * 9},
		{"version 1", map[string]string{one: "536870912\n"}, math.MaxInt64, "", 536870912 / 10 * 9},
		{"no limit in version 2", map[string]string{two: "max\n"}, math.MaxInt64, "", 0},
		{"no limit in version 1", map[string]string{one: "9223372036854771712\n"}, math.MaxInt64, "", 0},
		{"no control groups", nil, math.MaxInt64, "", 0},
		{"nonsense", map[string]string{two: "a lot"}, math.MaxInt64, "", 0},
		{"GOMEMLIMIT wins", map[string]string{two: "2147483648\n"}, 1 << 30, "1GiB", 0},
		{"also where it says off", map[string]string{two: "2147483648\n"}, math.MaxInt64, "off", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := heeded(cgroupLimit(files(row.files)), row.kept, row.said); got != row.want {
				t.Errorf("it keeps to %d, not to %d", got, row.want)
			}
		})
	}
}

func TestTheDoctorComparesTheContainerWithTheRuntime(t *testing.T) {
	const gigabyte = 1 << 30
	for _, row := range []struct {
		name          string
		allowed, kept int64
		status, says  string
	}{
		{"neither", 0, math.MaxInt64, diagnosis.OK, "Neither"},
		{"no container", 0, gigabyte, diagnosis.OK, "has no limit"},
		{"not set, from outside of the server", gigabyte, math.MaxInt64, diagnosis.OK, "by itself"},
		{"as a server keeps to it", gigabyte, gigabyte / 10 * 9, diagnosis.OK, "921"},
		{"set to more than there is", gigabyte, 2 * gigabyte, diagnosis.Warning, "Unset GOMEMLIMIT"},
		{"set to all there is", gigabyte, gigabyte, diagnosis.Warning, "Unset GOMEMLIMIT"},
		{"very little", 64 << 20, math.MaxInt64, diagnosis.Warning, "128 MiB or more"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := diagnosis.Examine(t.Context(), examinationLimit, diagnosis.Examination(func(_ context.Context, n *diagnosis.Notes) { examineMemory(row.allowed, row.kept, n) }))
			if f := r.Findings[0]; f.Status != row.status || !strings.Contains(f.Found+f.Remedy, row.says) {
				t.Errorf("%+v", f)
			}
		})
	}
}
