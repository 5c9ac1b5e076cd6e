package docker

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkPush pushes 3 layers of 16 MB to a registry that has none of them,
// with gantry and with the docker command in turns, so that what else this
// machine does meets both. It reports the medians and how much more gantry
// takes: the claim is 5 % at most. A second push is to take a second at most.
func BenchmarkPush(b *testing.B) {
	c := live(b)
	if _, err := exec.LookPath("docker"); err != nil {
		b.Skip("no docker command: ", err)
	}
	config := b.TempDir()
	b.Setenv("DOCKER_CONFIG", config)
	image := built(b, c, BuildOptions{Dir: layers(b, 3, 16<<20)})
	var ours, again, theirs []time.Duration
	both := func() {
		offered(b, c, image, func(ref string) {
			ours = append(ours, gantryPush(b, c, ref))
			again = append(again, gantryPush(b, c, ref))
		})
		offered(b, c, image, func(ref string) { theirs = append(theirs, dockerPush(b, config, ref)) })
	}
	both() // the first push of a layer looks for it elsewhere too
	ours, again, theirs = nil, nil, nil
	for b.Loop() {
		both()
	}
	b.ReportMetric(median(ours).Seconds()*1000, "gantry-ms")
	b.ReportMetric(median(theirs).Seconds()*1000, "docker-ms")
	b.ReportMetric(median(again).Seconds()*1000, "again-ms")
	b.ReportMetric(100*(median(ours).Seconds()/median(theirs).Seconds()-1), "%more")
}

// offered names an image for a registry of its own, which is empty, and which
// goes with all that was pushed to it.
func offered(b *testing.B, c *Client, image string, push func(ref string)) {
	b.Helper()
	server := newRegistry(nil)
	defer server.Close()
	ref := hostOf(server) + "/web:1"
	if err := c.Tag(b.Context(), image, ref); err != nil {
		b.Fatal(err)
	}
	untagged(b, c, ref)
	push(ref)
}

func gantryPush(b *testing.B, c *Client, ref string) time.Duration {
	b.Helper()
	start := time.Now()
	if _, err := c.Push(b.Context(), ref, me, func(TransferProgress) {}); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// dockerPush pushes with the docker command, which is told the account before.
func dockerPush(b *testing.B, config, ref string) time.Duration {
	b.Helper()
	account := base64.StdEncoding.EncodeToString([]byte(me.Username + ":" + me.Password))
	host := ref[:len(ref)-len("/web:1")]
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(`{"auths":{"`+host+`":{"auth":"`+account+`"}}}`), 0o600); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if out, err := exec.CommandContext(b.Context(), "docker", "push", ref).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
