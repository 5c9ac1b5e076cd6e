package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// BenchmarkDescribeImages reads a repository of 2,000 images, without the wire.
func BenchmarkDescribeImages(b *testing.B) {
	backend := newECR("127.0.0.1:1", b.TempDir(), newManualClock(), discardLog(nil))
	if _, err := backend.CreateRepository(b.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("web")}); err != nil {
		b.Fatal(err)
	}
	const index = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","annotations":{"n":"%d"},"manifests":[]}`
	for i := range 2000 {
		m, err := readManifest(fmt.Appendf(nil, index, i), "")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := backend.put(backend.repositories["web"], m, fmt.Sprintf("v%d", i)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		in := &ecr.DescribeImagesInput{RepositoryName: aws.String("web"), MaxResults: aws.Int32(1000), Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusTagged}}
		for {
			out, err := backend.DescribeImages(b.Context(), in)
			if err != nil {
				b.Fatal(err)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
}

// BenchmarkLogLine writes the output of a container that says a lot.
func BenchmarkLogLine(b *testing.B) {
	logs := newLogs(newManualClock())
	s := logs.addStream(logs.addGroup("g"), "s")
	line := LogLine{At: logs.clock.Now(), Text: strings.Repeat("x", 120)}
	for b.Loop() {
		logs.write(s, line)
	}
}

// BenchmarkFilterLogEvents searches 200 full streams for what few lines have.
func BenchmarkFilterLogEvents(b *testing.B) {
	logs := newLogs(newManualClock())
	g := logs.addGroup("g")
	for i := range 200 {
		s := logs.addStream(g, fmt.Sprintf("s/%d", i))
		for n := range 1000 {
			logs.add(s, int64(n), fmt.Sprintf("line %d of %d", n, i))
		}
	}
	for b.Loop() {
		out, err := logs.FilterLogEvents(b.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(`"line 999 "`)})
		if err != nil || len(out.Events) != 200 {
			b.Fatal(err, len(out.Events))
		}
	}
}
