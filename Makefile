# The lint version is pinned here alone; .ci/run reads it from here.
GOLANGCI_VERSION := v2.15.0
BIN := bin
# Packages that wait for a network or a person all their life are not inlined:
# 2 MB less.
SLOW := github.com/aws/... github.com/moby/... github.com/docker/... github.com/containerd/... github.com/tonistiigi/... \
	github.com/google/... google.golang.org/... golang.org/x/... net/http/... crypto/tls crypto/x509 \
	gantry/aws/... gantry/docker gantry/internal/... gantry/ui

.PHONY: build test lint bench shots cross

build:
	CGO_ENABLED=0 go build -tags=grpcnotrace,nethttpomithttp2 -trimpath -ldflags="-s -w" $(SLOW:%=-gcflags=%=-l) -o $(BIN)/gantry .

test:
	go test -race ./...

lint:
	golangci-lint run ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Draws the README's pictures. Needs fonts-dejavu-core and fonts-vlgothic.
shots:
	GANTRY_SHOTS=$(CURDIR)/screenshots go test -count=1 -run 'Shot|Journey' . ./ui/...

# Whether it builds at all; unoptimized, which halves the time.
cross:
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -gcflags="all=-N -l" -o /dev/null . || exit 1; \
	done; done
