package sandbox

const ownerEnv = "GANTRY_TEST_OWNER"

// ownUntilKilled has nothing to own: there are no process tasks on Windows.
func ownUntilKilled() {}
