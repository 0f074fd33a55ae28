package features

import (
	"testing"
	"testing/fstest"
)

func TestAvailableMemory(t *testing.T) {
	const meminfo = "MemTotal:       24683748 kB\nMemFree:        21774256 kB\nMemAvailable:   2000 kB\n"
	type files map[string]string
	for name, c := range map[string]struct {
		files files
		want  int64
	}{
		"nothing is known": {files{}, 0},
		"no control group": {files{"proc/meminfo": meminfo}, 2000 << 10},
		"version 2, its own limit": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "1000\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 1000},
		"version 2, a limit above it": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "700\n"}, 700},
		"version 2, seen from inside a container": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../x\n",
			"sys/fs/cgroup/memory.max": "900\n"}, 900},
		"version 1": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/\n4:memory:/a\n0::/\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "800\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 800},
		"version 1, the path outside a container": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "4:cpu,memory:/docker/1\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "800\n"}, 800},
		"a limit above what is left": {files{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "99000000\n"}, 2000 << 10},
		"files that make no sense":   {files{"proc/meminfo": "MemAvailable: many kB\n", "proc/self/cgroup": "x\n0::/\n", "sys/fs/cgroup/memory.max": "-5\n"}, 0},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := AvailableMemory(root); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}
