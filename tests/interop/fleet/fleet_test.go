// A tailnet of real nodes on this machine: Tailscale's own daemons and command, its test control server,
// and our programs. TLOCK and ACLC name them as built. Everything stays on loopback; daemons end with
// the test, by their process.
//
//	TLOCK=../../../target/debug/tlock ACLC=../../../target/debug/aclc go test -count=1 .
//
// FLEET_PROGRAMS may name a folder where the daemon and the command are kept between runs.
package fleet

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Everything that a run shares.
type fleet struct {
	t           *testing.T
	control     *control
	folder      string
	programs    string
	tlockPath   string
	environment []string
	nodes       []*node
}

// Where the built program is that a variable names; without it the test is skipped.
func built(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skip(variable + " does not name the built program")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func newFleet(t *testing.T) *fleet {
	// A path of a socket has a hundred bytes at most; the test's own folder may be longer.
	folder, err := os.MkdirTemp("", "fleet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	f := &fleet{t: t, folder: folder, programs: os.Getenv("FLEET_PROGRAMS")}
	if f.programs == "" {
		f.programs = filepath.Join(folder, "programs")
	}
	started := time.Now()
	build := exec.Command("go", "build", "-o", f.programs+"/", "tailscale.com/cmd/tailscaled", "tailscale.com/cmd/tailscale")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("built the daemon and the command in %v", time.Since(started).Round(time.Millisecond))
	f.control = startControl(t)
	f.environment = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + folder,
		"XDG_STATE_HOME=" + folder,
		"TS_NO_LOGS_NO_SUPPORT=true",
		"TS_LOGS_DIR=" + folder,
		"TS_DISABLE_PORTMAPPER=true",
		"TS_PANIC_IF_HIT_MAIN_CONTROL=1",
		"TS_ASSUME_NETWORK_UP_FOR_TEST=1",
		"TS_NETCHECK_GENERATE_204_URL=" + f.control.url + "/generate_204",
	}
	return f
}

func (f *fleet) program(name string) string {
	return filepath.Join(f.programs, name)
}

func (f *fleet) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(f.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
