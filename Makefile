# The lint version is pinned here alone; .ci/run reads it from here.
GOLANGCI_VERSION := v2.15.0
BIN := bin
# Modules that wait for the network all their life: 1.2 MB less without inlining.
SMALL := -gcflags=github.com/aws/...=-l -gcflags=github.com/moby/...=-l -gcflags=github.com/docker/...=-l \
	-gcflags=github.com/containerd/...=-l -gcflags=github.com/tonistiigi/...=-l -gcflags=github.com/google/...=-l \
	-gcflags=google.golang.org/...=-l

.PHONY: build test lint bench shots cross

build:
	CGO_ENABLED=0 go build -tags=grpcnotrace -trimpath -ldflags="-s -w" $(SMALL) -o $(BIN)/gantry .

test:
	go test -race ./...

lint:
	golangci-lint run ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Draws the README's pictures. Needs fonts-dejavu-core and fonts-vlgothic.
shots:
	GANTRY_SHOTS=$(CURDIR)/screenshots go test -count=1 -run 'Shot' ./ui/...

cross:
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -o /dev/null . || exit 1; \
	done; done
