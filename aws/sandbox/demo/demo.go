// Package demo is the program that runs in the sandbox's containers when they
// are processes: gantry's own executable, started again under another name. It
// is to a task what an image is in ECS.
package demo

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

// Image is the name of the one image that the process runtime has.
const Image = "gantry/demo"

// marker begins the first argument of an executable that is to be a container.
const marker = "gantry-demo:"

// OwnerFD is the descriptor of the pipe that a container inherits. It is never
// written to; it closes when the owner dies, however that happens.
const OwnerFD = 3

// Exit statuses, as a shell and a container engine use them.
const (
	exitOK       = 0
	exitNotFound = 127
	exitKilled   = 128 + 9
)

// Requested reports whether this process was started as a container. main
// checks it before anything else and then calls Main.
func Requested() bool { return len(os.Args) > 1 && strings.HasPrefix(os.Args[1], marker) }

// Args are the arguments, without the program's name, that make the executable
// run a container's command. The name identifies the container in a process
// list. Ports lists the container ports whose listeners the process inherits:
// the first as descriptor OwnerFD+1, and so on.
func Args(name string, ports []int32, command []string) []string {
	listed := make([]string, len(ports))
	for i, p := range ports {
		listed[i] = strconv.Itoa(int(p))
	}
	return append([]string{marker + name, strings.Join(listed, ",")}, command...)
}

// Main runs the container's command and ends the process with its status.
func Main() {
	if !Requested() || len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "this is how gantry's sandbox starts its containers; it is of no use by hand")
		os.Exit(exitNotFound)
	}
	go endWithOwner()
	if os.Args[1] == shellMarker {
		os.Exit(confineShell(readShell(os.Args[2:])))
	}
	a := app{env: os.Getenv, out: os.Stdout, err: os.Stderr, ports: strings.Split(os.Args[2], ",")}
	os.Exit(a.run(os.Args[3:]))
}

// app is a container's surroundings.
type app struct {
	env      func(string) string
	out, err io.Writer
	ports    []string
}

// run runs a command and returns its exit status.
func (a app) run(command []string) int {
	name := "serve" // what the image does if nothing is said, like a CMD
	var args []string
	if len(command) > 0 {
		name, args = command[0], command[1:]
	}
	switch name {
	case "serve":
		return a.serve()
	case "work":
		return a.work()
	case "batch":
		return a.batch(args)
	case "crash":
		return a.crash(args)
	case "stubborn":
		return a.stubborn()
	}
	fmt.Fprintf(a.err, "exec: %q: executable file not found in $PATH\n", name)
	return exitNotFound
}

// listener is the inherited one for a container port, or a new one on a free
// loopback port if the definition does not map it: then nobody outside needs it.
func (a app) listener(port string) (net.Listener, error) {
	for i, p := range a.ports {
		if p == port {
			file := os.NewFile(uintptr(OwnerFD+1+i), "port "+port)
			defer file.Close()
			return net.FileListener(file)
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// status reads an exit status from the first argument.
func status(args []string, fallback int) int {
	if len(args) == 0 {
		return fallback
	}
	code, err := strconv.Atoi(args[0])
	if err != nil || code < 0 || code > 255 {
		return fallback
	}
	return code
}
