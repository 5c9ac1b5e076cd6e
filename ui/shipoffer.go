package ui

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
)

// shipOffer is what a new service can be made of. A list that could not be read
// leaves its field to be typed, and says why.
type shipOffer struct {
	networkOffer
	cluster string
	ports   []int // that the image exposes
	roles   []aws.Role

	missing []string // what could not be listed, and why
}

// readOffer reads what exists, all at the same time.
func (s *ship) readOffer(cluster string) tea.Cmd {
	cloud, engine, order := s.cloud, s.engine, s.order
	return s.offer.Start(cluster, func(ctx context.Context, _ func(shipOffer)) (shipOffer, error) {
		o := shipOffer{cluster: cluster}
		reads := []struct {
			what string
			read func() error
		}{
			{"the cluster's services", func() (err error) { o.services, err = neighbours(ctx, cloud, cluster); return err }},
			{"subnets", func() (err error) { o.subnets, err = cloud.Subnets(ctx); return err }},
			{"security groups", func() (err error) { o.groups, err = cloud.SecurityGroups(ctx); return err }},
			{"task roles", func() (err error) { o.roles, err = cloud.TaskRoles(ctx); return err }},
			{"the image's ports", func() (err error) { o.ports, err = portsOf(ctx, engine, order); return err }},
		}
		why := make([]string, len(reads))
		atOnce(len(reads), func(i int) {
			if err := reads[i].read(); err != nil {
				why[i] = fmt.Sprintf("%s could not be listed: %s", reads[i].what, causeOf(err))
			}
		})
		o.missing = slices.DeleteFunc(why, func(w string) bool { return w == "" })
		return o, ctx.Err()
	})
}

// portsOf are the ports that an image exposes; of one that is still to be
// built, those that its Dockerfile names.
func portsOf(ctx context.Context, engine shipEngine, o shipOrder) ([]int, error) {
	switch {
	case o.build != nil:
		path := o.build.Dockerfile
		if !filepath.IsAbs(path) {
			path = filepath.Join(o.build.Dir, cmp.Or(path, "Dockerfile"))
		}
		text, err := os.ReadFile(path) //nolint:gosec // the user chose it
		return exposedBy(string(text)), err
	case o.image != "":
		facts, err := engine.ImageFacts(ctx, o.image)
		return facts.Ports, err
	}
	return nil, nil
}

// exposedBy are the TCP ports that a Dockerfile says to expose as numbers.
func exposedBy(dockerfile string) []int {
	var ports []int
	for line := range strings.Lines(dockerfile) {
		words := strings.Fields(line)
		if len(words) == 0 || !strings.EqualFold(words[0], "EXPOSE") {
			continue
		}
		for _, w := range words[1:] {
			number, proto, _ := strings.Cut(w, "/")
			if port, err := strconv.Atoi(number); err == nil && (proto == "" || proto == "tcp") {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// fargateSizes are the CPU units that Fargate offers, with the memory that
// goes with them in MiB (ECS developer guide, "Task definition parameters for
// Fargate": task size).
var fargateSizes = []struct{ cpu, from, to, step int }{
	{256, 512, 512, 512},
	{256, 1024, 2048, 1024},
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
}

// fargateSize is a size as the form writes it.
func fargateSize(cpu, memory int) string { return fmt.Sprintf("%d/%d", cpu, memory) }

// sizesOf are all sizes of Fargate as CPU/MEMORY, the smallest first.
func sizesOf() []string {
	var sizes []string
	for _, s := range fargateSizes {
		for memory := s.from; memory <= s.to; memory += s.step {
			sizes = append(sizes, fargateSize(s.cpu, memory))
		}
	}
	return sizes
}

// sizeText is a size in the words of a person.
func sizeText(size string) string {
	var cpu, memory float64
	if _, err := fmt.Sscanf(size, "%f/%f", &cpu, &memory); err != nil {
		return ""
	}
	return fmt.Sprintf("%g vCPU · %g GB", cpu/1024, memory/1024)
}
