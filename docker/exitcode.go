package docker

import "fmt"

// signals are the names of the signals that end containers, by their number on
// Linux, where containers run.
var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
	10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}

// ExitMeaning says in a few words what an exit code tells. Codes above 128 are
// 128 + the signal that ended the process; 125 to 127 come from the engine and
// the shell: https://docs.docker.com/engine/containers/run/#exit-status
func ExitMeaning(code int, oomKilled bool) string {
	switch {
	case oomKilled:
		return "out of memory: killed by the kernel"
	case code == 0:
		return "ended well"
	case code == 1:
		return "the program failed"
	case code == 2:
		return "the program failed, often by wrong arguments"
	case code == 125:
		return "the engine could not run it"
	case code == 126:
		return "the command is not executable"
	case code == 127:
		return "the command does not exist"
	case code == 134:
		return "the program gave up (SIGABRT)"
	case code == 137:
		return "killed (SIGKILL): by docker kill, after the grace of docker stop, or out of memory"
	case code == 139:
		return "the program crashed (SIGSEGV)"
	case code == 143:
		return "asked to end (SIGTERM), as docker stop does"
	case code > 128 && code < 255:
		return signalMeaning(code - 128)
	}
	return fmt.Sprintf("the program said %d", code)
}

func signalMeaning(n int) string {
	if name := signals[n]; name != "" {
		return "ended by " + name
	}
	return fmt.Sprintf("ended by signal %d", n)
}
