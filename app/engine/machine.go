package engine

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

const (
	fewBytes = 1 << 30   // below this a disk is nearly full
	noBytes  = 100 << 20 // below this nothing more should be written

	fewMemory = 128 << 20 // with less a server is busy freeing memory
)

// examineMachine looks at disks and memory.
func examineMachine(folders []string) diagnosis.Examination {
	return func(_ context.Context, n *diagnosis.Notes) {
		for _, folder := range folders {
			free, ok := freeSpace(folder)
			text := fmt.Sprintf("%d MiB are free.", free>>20)
			switch {
			case !ok:
				n.Skip("machine.disk", folder, "Its free space cannot be told.")
			case free < noBytes:
				n.Fail("machine.disk", folder, text, "Make room: nothing can be stored when it is full. What was acknowledged stays.")
			case free < fewBytes:
				n.Warn("machine.disk", folder, text, "Make room, or a larger disk.")
			default:
				n.OK("machine.disk", folder, "%s", text)
			}
		}
		examineMemory(cgroupLimit(os.ReadFile), debug.SetMemoryLimit(-1), n)
	}
}

// HeedContainer has the runtime keep to nine tenths of what the container may have, as
// GOMEMLIMIT would, unless that is set, be it to off: memory is then freed before the
// container is killed for it, whatever its limit is changed to.
func HeedContainer(environ map[string]string) {
	if limit := heeded(cgroupLimit(os.ReadFile), debug.SetMemoryLimit(-1), environ["GOMEMLIMIT"]); limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

// heeded is the limit to set, or 0 where none is to be.
func heeded(allowed, kept int64, said string) int64 {
	if kept != math.MaxInt64 || said == "off" {
		return 0
	}
	return allowed / 10 * 9
}

// examineMemory compares what the container allows with what the Go runtime keeps to.
func examineMemory(allowed, kept int64, n *diagnosis.Notes) {
	const looked = "the memory limit of the container and GOMEMLIMIT"
	switch {
	case allowed == 0 && kept == math.MaxInt64:
		n.OK("machine.memory", looked, "Neither is set.")
	case allowed == 0:
		n.OK("machine.memory", looked, "GOMEMLIMIT is %d MiB; the container has no limit.", kept>>20)
	case allowed < fewMemory:
		n.Warn("machine.memory", looked, fmt.Sprintf("The container may have %d MiB.", allowed>>20), "Give it 128 MiB or more; under load a server takes twice that.")
	case kept == math.MaxInt64:
		n.OK("machine.memory", looked, "The container may have %d MiB; GOMEMLIMIT is not set, and a server keeps to nine tenths of it by itself.", allowed>>20)
	case kept > allowed/20*19:
		n.Warn("machine.memory", looked, fmt.Sprintf("The container may have %d MiB, GOMEMLIMIT is %d MiB.", allowed>>20, kept>>20),
			"Unset GOMEMLIMIT: a server keeps to nine tenths of the container's limit by itself. Or set it to less than that limit.")
	default:
		n.OK("machine.memory", looked, "The container may have %d MiB, of which the runtime keeps to %d.", allowed>>20, kept>>20)
	}
}

// cgroupLimit is what the container may have, in version 2 or 1 of control groups;
// 0 where there is no limit.
func cgroupLimit(read func(string) ([]byte, error)) int64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := read(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil || limit > 1<<50 { // "max", or the number that means it
			return 0
		}
		return limit
	}
	return 0
}
