package lineage

import "strings"

// Reference is the name of an image as people write it, in its parts.
type Reference struct {
	Repository string // with its registry, if one is named
	Tag        string // "latest" where neither tag nor digest is named
	Digest     string // sha256:…, "" if none
}

// Parse takes a reference apart. It checks nothing: what a definition says is
// shown as it is.
func Parse(s string) Reference {
	name, digest, _ := strings.Cut(s, "@")
	r := Reference{Repository: name, Digest: digest}
	// A colon before the last slash belongs to the registry's port.
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		r.Repository, r.Tag = name[:i], name[i+1:]
	}
	if r.Tag == "" && r.Digest == "" {
		r.Tag = "latest"
	}
	return r
}

// Name is REPOSITORY:TAG.
func (r Reference) Name() string { return r.Repository + ":" + r.Tag }

// Short is twelve digits of a digest, as docker shows them.
func Short(digest string) string {
	_, hex, ok := strings.Cut(digest, ":")
	if !ok {
		hex = digest
	}
	return hex[:min(len(hex), 12)]
}

// digestOf is the digest in NAME@DIGEST.
func digestOf(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

// Path is a repository without its registry: a first part with a dot or a port.
func Path(repository string) string {
	if host, rest, found := strings.Cut(repository, "/"); found && strings.ContainsAny(host, ".:") {
		return rest
	}
	return repository
}

// Base is the last part of a repository's name.
func Base(repository string) string {
	return repository[strings.LastIndexByte(repository, '/')+1:]
}
