package sandbox

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"gantry/aws/sandbox/demo"
)

// TestMain makes the test binary what gantry is to the process runtime: the
// executable of the containers, and the owner that the tests kill.
func TestMain(m *testing.M) {
	if demo.Requested() {
		demo.Main()
	}
	if os.Getenv(ownerEnv) != "" {
		ownUntilKilled()
		return
	}
	goleak.VerifyTestMain(m)
}
