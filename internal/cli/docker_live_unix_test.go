//go:build unix

package cli_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTasksAreContainers(t *testing.T) {
	w := newEngineWorld(t)
	for name, test := range map[string]func(*engineWorld){
		"a published port":   testPublishedPort,
		"settings":           testSettings,
		"a sidecar":          testSidecar,
		"stop":               testStop,
		"dependencies":       testDependencies,
		"order fails":        testOrderFails,
		"a second container": testNotEssential,
		"a volume":           testVolume,
		"an architecture":    testArchitecture,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(w.of(t))
		})
	}
	t.Run("reasons", func(t *testing.T) { testReasons(t, w) })
	t.Run("refusals", func(t *testing.T) { testRefusedSettings(t, w) })
}

// of is the world in another test.
func (w *engineWorld) of(t *testing.T) *engineWorld {
	other := *w
	other.t, other.tb = t, t
	return &other
}

func testPublishedPort(w *engineWorld) {
	c := w.busyboxWith("web", "")
	c.PortMappings = []types.PortMapping{{ContainerPort: sdk.Int32(8080)}}
	task := w.until(w.runTask(w.family(nil, c)), "RUNNING")
	web := containerOf(task, "web")
	if len(web.NetworkBindings) != 1 || *web.NetworkBindings[0].BindIP != "127.0.0.1" || *web.NetworkBindings[0].ContainerPort != 8080 {
		w.tb.Fatalf("bindings: %+v", web.NetworkBindings)
	}
	if sdk.ToString(web.ImageDigest) != w.digest {
		w.tb.Errorf("digest %s, the registry has %s", sdk.ToString(web.ImageDigest), w.digest)
	}
	w.waitFor("an answer", func() bool {
		return w.get(*web.NetworkBindings[0].HostPort) == "hello from a container"
	})
	if ip := *web.NetworkInterfaces[0].PrivateIpv4Address; strings.HasPrefix(ip, "10.0.") {
		w.tb.Errorf("the address %s is not the container's", ip)
	}
}

// get is what answers at a port, empty if nothing does.
func (w *engineWorld) get(port int32) string {
	answer, err := lonely.Get(fmt.Sprintf("http://127.0.0.1:%d/index.html", port))
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	return string(text)
}

// testSettings lets the container look at itself: its exit code is the number
// of the first thing that is not as it should be.
func testSettings(w *engineWorld) {
	c := w.busyboxWith("look", strings.Join([]string{
		`test "$A" = b -a "$PATH" = /bin || exit 10`,
		`test "$(id -u):$(id -g)" = 1000:1000 || exit 11`,
		`test "$PWD" = /tmp || exit 12`,
		`touch /file 2>/dev/null && exit 13`,
		`test "$(ulimit -n)" = 321 || exit 14`,
		`grep -q docker-init /proc/1/cmdline || exit 15`,
		`test "$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null)" = 67108864 || exit 16`,
		`grep -q '^tmpfs /tmp ' /proc/mounts || exit 17`,
		`test "$1" = argument || exit 18`,
		`exit 42`,
	}, "\n"))
	c.EntryPoint, c.Command = c.Command, []string{"sh", "argument"}
	c.Environment = []types.KeyValuePair{{Name: sdk.String("A"), Value: sdk.String("b")}}
	c.User, c.WorkingDirectory, c.ReadonlyRootFilesystem, c.Memory = sdk.String("1000:1000"), sdk.String("/tmp"), sdk.Bool(true), sdk.Int32(64)
	c.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 321, HardLimit: 400}}
	c.LinuxParameters = &types.LinuxParameters{
		InitProcessEnabled: sdk.Bool(true),
		Tmpfs:              []types.Tmpfs{{ContainerPath: sdk.String("/tmp"), Size: 1, MountOptions: []string{"mode=1777"}}},
	}
	c.DockerLabels = map[string]string{"team": "shop"}
	arn := w.runTask(w.family(nil, c))
	task := w.until(arn, "STOPPED")
	if code := sdk.ToInt32(task.Containers[0].ExitCode); code != 42 {
		w.tb.Errorf("exit code %d: %s, %s", code, sdk.ToString(task.StoppedReason), sdk.ToString(task.Containers[0].Reason))
	}
	if got := sdk.ToString(task.StoppedReason); got != "Essential container in task exited" || task.StopCode != types.TaskStopCodeEssentialContainerExited {
		w.tb.Errorf("%s: %s", task.StopCode, got)
	}
}

func testSidecar(w *engineWorld) {
	side := w.busyboxWith("side", "while ! wget -qO- http://localhost:8080/index.html | grep hello; do sleep 0.1; done; exit 7")
	task := w.until(w.runTask(w.family(nil, w.busyboxWith("web", ""), side)), "STOPPED")
	if code := sdk.ToInt32(containerOf(task, "side").ExitCode); code != 7 {
		w.tb.Errorf("the sidecar ended with %d: %s", code, sdk.ToString(task.StoppedReason))
	}
	if code := containerOf(task, "web").ExitCode; sdk.ToInt32(code) != 0 || code == nil {
		w.tb.Errorf("the server did not end well at SIGTERM: %v", code)
	}
}

func testStop(w *engineWorld) {
	w.tb.Helper()
	deaf := w.busyboxWith("deaf", "trap '' TERM; while :; do sleep 1; done")
	deaf.StopTimeout = sdk.Int32(1)
	arn := w.runTask(w.family(nil, w.busyboxWith("good", ""), deaf))
	w.until(arn, "RUNNING")
	_, err := w.ecs.StopTask(w.tb.Context(), &ecs.StopTaskInput{Cluster: sdk.String("live"), Task: &arn, Reason: sdk.String("enough")})
	w.must(err)
	task := w.until(arn, "STOPPED")
	if good, killed := containerOf(task, "good").ExitCode, containerOf(task, "deaf").ExitCode; sdk.ToInt32(good) != 0 || sdk.ToInt32(killed) != 137 {
		w.tb.Errorf("exit codes %v and %v", good, killed)
	}
	if sdk.ToString(task.StoppedReason) != "enough" || task.StopCode != types.TaskStopCodeUserInitiated {
		w.tb.Errorf("%s: %s", task.StopCode, sdk.ToString(task.StoppedReason))
	}
	early := w.runTask(w.family(nil, w.busyboxWith("web", "")))
	w.until(early, "PENDING")
	_, err = w.ecs.StopTask(w.tb.Context(), &ecs.StopTaskInput{Cluster: sdk.String("live"), Task: &early})
	w.must(err)
	w.until(early, "STOPPED")
}

// testDependencies has a container that starts third: it runs only if the first
// has succeeded and the second is healthy, which needs the first.
func testDependencies(w *engineWorld) {
	first := w.busyboxWith("first", "sleep 0.5")
	second := w.busyboxWith("second", "")
	second.DependsOn = []types.ContainerDependency{{ContainerName: sdk.String("first"), Condition: types.ContainerConditionSuccess}}
	second.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "wget -qO- http://localhost:8080/index.html"}, Interval: sdk.Int32(5)}
	third := w.busyboxWith("third", "wget -qO- http://localhost:8080/index.html && exit 3; exit 4")
	third.DependsOn = []types.ContainerDependency{
		{ContainerName: sdk.String("first"), Condition: types.ContainerConditionComplete},
		{ContainerName: sdk.String("second"), Condition: types.ContainerConditionHealthy},
	}
	first.Essential, third.Essential = sdk.Bool(false), sdk.Bool(true)
	arn := w.runTask(w.family(nil, third, second, first))
	task := w.until(arn, "STOPPED")
	if code := sdk.ToInt32(containerOf(task, "third").ExitCode); code != 3 {
		w.tb.Errorf("the third ended with %d: %s", code, sdk.ToString(task.StoppedReason))
	}
	if code := containerOf(task, "first").ExitCode; code == nil || *code != 0 {
		w.tb.Errorf("the first ended with %v", code)
	}
}

func testOrderFails(w *engineWorld) {
	setup := w.busyboxWith("setup", "exit 5")
	setup.Essential = sdk.Bool(false)
	app := w.busyboxWith("app", "")
	app.DependsOn = []types.ContainerDependency{{ContainerName: sdk.String("setup"), Condition: types.ContainerConditionSuccess}}
	task := w.until(w.runTask(w.family(nil, app, setup)), "STOPPED")
	if got := sdk.ToString(task.StoppedReason); !strings.Contains(got, "as dependency did not exit successfully") || task.StopCode != types.TaskStopCodeTaskFailedToStart {
		w.tb.Errorf("%s: %s", task.StopCode, got)
	}
	if code := sdk.ToInt32(containerOf(task, "setup").ExitCode); code != 5 {
		w.tb.Errorf("the setup ended with %d", code)
	}
}

func testNotEssential(w *engineWorld) {
	extra := w.busyboxWith("extra", "exit 9")
	extra.Essential = sdk.Bool(false)
	arn := w.runTask(w.family(nil, w.busyboxWith("web", ""), extra))
	w.waitFor("the end of the second container", func() bool { return sdk.ToInt32(containerOf(w.task(arn), "extra").ExitCode) == 9 })
	if task := w.until(arn, "RUNNING"); *task.DesiredStatus != "RUNNING" || *containerOf(task, "web").LastStatus != "RUNNING" {
		w.tb.Errorf("the task is %s", *task.LastStatus)
	}
}

func testReasons(t *testing.T, w *engineWorld) {
	big := w.busyboxWith("c", "tail /dev/zero")
	big.Memory = sdk.Int32(16)
	bad := w.busyboxWith("c", "")
	bad.Command = []string{"no-such-program"}
	image := func(ref string) types.ContainerDefinition {
		c := w.busyboxWith("c", "")
		c.Image = &ref
		return c
	}
	for name, test := range map[string]struct {
		container types.ContainerDefinition
		reason    []string // of the task
		code      int32
		inside    string // reason of the container
	}{
		"out of memory":      {big, []string{"Essential container in task exited"}, 137, "OutOfMemoryError: Container killed due to memory usage"},
		"missing command":    {bad, []string{"CannotStartContainerError: ", `exec: "no-such-program": executable file not found in $PATH`}, 0, "CannotStartContainerError: "},
		"missing tag":        {image(strings.TrimSuffix(w.image, "1") + "2"), []string{"CannotPullContainerError: ", "busybox:2"}, 0, "CannotPullContainerError: "},
		"missing repository": {image(w.host() + "/nowhere:1"), []string{"CannotPullContainerError: ", "/nowhere:1", "does not exist"}, 0, "CannotPullContainerError: "},
		"another registry":   {image("registry.invalid/app:1"), []string{"CannotPullContainerError: ", "registry.invalid/app:1"}, 0, "CannotPullContainerError: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.of(t)
			task := w.until(w.runTask(w.family(nil, test.container)), "STOPPED")
			for _, part := range test.reason {
				if !strings.Contains(sdk.ToString(task.StoppedReason), part) {
					t.Errorf("reason %q lacks %q", sdk.ToString(task.StoppedReason), part)
				}
			}
			c := task.Containers[0]
			if sdk.ToInt32(c.ExitCode) != test.code || !strings.HasPrefix(sdk.ToString(c.Reason), test.inside) {
				t.Errorf("exit code %d, reason %q", sdk.ToInt32(c.ExitCode), sdk.ToString(c.Reason))
			}
		})
	}
}

// testVolume has two containers meet in a volume, one of which may only read.
func testVolume(w *engineWorld) {
	writer := w.busyboxWith("writer", "echo written > /out/file; sleep 1000")
	reader := w.busyboxWith("reader", "touch /in/other 2>/dev/null && exit 2; while ! grep -q written /in/file; do sleep 0.1; done; exit 6")
	writer.Essential = sdk.Bool(false)
	writer.MountPoints = []types.MountPoint{{SourceVolume: sdk.String("shared"), ContainerPath: sdk.String("/out")}}
	reader.MountPoints = []types.MountPoint{{SourceVolume: sdk.String("shared"), ContainerPath: sdk.String("/in"), ReadOnly: sdk.Bool(true)}}
	arn := w.runTask(w.family(func(in *ecs.RegisterTaskDefinitionInput) {
		in.Volumes = []types.Volume{{Name: sdk.String("shared"), Host: &types.HostVolumeProperties{}}}
	}, writer, reader))
	task := w.until(arn, "STOPPED")
	if code := sdk.ToInt32(containerOf(task, "reader").ExitCode); code != 6 {
		w.tb.Errorf("the reader ended with %d: %s", code, sdk.ToString(task.StoppedReason))
	}
}

// testArchitecture runs an image on a platform that it is not made for.
func testArchitecture(w *engineWorld) {
	other := types.CPUArchitectureArm64
	if runtime.GOARCH == "arm64" {
		other = types.CPUArchitectureX8664
	}
	arn := w.runTask(w.family(func(in *ecs.RegisterTaskDefinitionInput) {
		in.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: other, OperatingSystemFamily: types.OSFamilyLinux}
	}, w.busyboxWith("web", "")))
	task := w.until(arn, "STOPPED")
	if got := sdk.ToString(task.StoppedReason); !strings.HasPrefix(got, "CannotPullContainerError: ") || !strings.Contains(got, "platform") {
		w.tb.Error(got)
	}
}

func testRefusedSettings(t *testing.T, w *engineWorld) {
	for name, change := range map[string]func(*ecs.RegisterTaskDefinitionInput){
		"privileged": func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Privileged = sdk.Bool(true) },
		"linuxParameters.devices": func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].LinuxParameters = &types.LinuxParameters{Devices: []types.Device{{HostPath: sdk.String("/dev/mem")}}}
		},
		"linuxParameters.capabilities.add": func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Add: []string{"SYS_ADMIN"}}}
		},
		"host.sourcePath of the volume v": func(in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{Name: sdk.String("v"), Host: &types.HostVolumeProperties{SourcePath: sdk.String("/")}}}
		},
		"pidMode host": func(in *ecs.RegisterTaskDefinitionInput) { in.PidMode = types.PidModeHost },
		"ipcMode host": func(in *ecs.RegisterTaskDefinitionInput) { in.IpcMode = types.IpcModeHost },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.of(t)
			task := w.until(w.runTask(w.family(change, w.busyboxWith("c", ""))), "STOPPED")
			if got := sdk.ToString(task.StoppedReason); !strings.Contains(got, "it refuses "+name) || task.StopCode != types.TaskStopCodeTaskFailedToStart {
				t.Errorf("%s: %s", task.StopCode, got)
			}
		})
	}
}
