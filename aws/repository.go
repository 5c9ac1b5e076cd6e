package aws

import "time"

// Repository is a place for images in a private ECR registry.
type Repository struct {
	Scope
	ARN, Name string
	// URI is what docker calls it: HOST[:PORT]/NAME. Host and port are taken from
	// here, never made from account and region.
	URI           string
	Created       time.Time
	TagMutability string // MUTABLE, IMMUTABLE, or either _WITH_EXCLUSION
	ScanOnPush    bool
	Encryption    string // AES256, KMS …
	KMSKey        string // "" unless Encryption is KMS with a key of one's own

	// Images and Size are known only after a describe: Counted says so.
	Counted bool
	Images  int
	Size    int64 // bytes of all images, layers that they share counted each time

	// Failure says why the repository could not be described; then only its
	// names are known.
	Failure string
}

// Immutable reports whether a tag, once given, stays with its image. A
// repository with exclusions is not: some of its tags move.
func (r *Repository) Immutable() bool { return r.TagMutability == "IMMUTABLE" }

// RepositoryImage is an image in a repository: one manifest, or one index of
// several platforms.
type RepositoryImage struct {
	Scope
	Repository string // name
	URI        string // of the repository
	Digest     string // sha256:…
	Tags       []string
	Pushed     time.Time
	LastPulled time.Time // zero if never, and where ECR does not record it
	Size       int64     // bytes, compressed
	MediaType  string    // of the manifest

	// Platforms is known only after a describe: "linux/amd64", several for an
	// index; empty for what is no image.
	Platforms []string
	// Manifests are the digests of the images that an index joins, one for each
	// platform; known only after a describe, empty for a single image. A task
	// names the one that it runs, its tag names the index.
	Manifests []string

	ScanStatus string         // COMPLETE, IN_PROGRESS …; "" where it was never scanned
	Findings   map[string]int // by severity: CRITICAL, HIGH …

	// Failure says why the image could not be described; then only its digest is
	// known.
	Failure string
}

// Reference is what names exactly this image in a command or a task definition:
// URI@DIGEST.
func (i *RepositoryImage) Reference() string { return i.URI + "@" + i.Digest }

// RegistryLogin is an account at a registry for some hours. It stays in memory:
// it is written nowhere, logged nowhere and in no argument of a command.
type RegistryLogin struct {
	Host     string // HOST[:PORT] of proxyEndpoint
	Username string
	Password string
	Expires  time.Time
}
