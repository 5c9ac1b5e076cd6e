package aws

import (
	"bufio"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// Profiles is the names of the profiles in the shared configuration and
// credentials files, sorted; empty where there are no such files.
func Profiles() []string {
	names := append(
		profilesIn(fileOr("AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()), "profile "),
		profilesIn(fileOr("AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()), "")...,
	)
	slices.Sort(names)
	return slices.Compact(names)
}

func fileOr(variable, otherwise string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return otherwise
}

// profilesIn reads the section headers of one file. In the configuration file
// they begin with "profile ", but for the one named default; sections of other
// kinds (sso-session, services) are no profiles.
func profilesIn(path, prefix string) []string {
	file, err := os.Open(path) //nolint:gosec // the user's own configuration file
	if err != nil {
		return nil
	}
	defer file.Close()
	var names []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		header, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "[")
		if !ok {
			continue
		}
		header, _, _ = strings.Cut(header, "]")
		header = strings.TrimSpace(header)
		name, isProfile := strings.CutPrefix(header, prefix)
		if isProfile || header == "default" {
			names = append(names, clean(name))
		}
	}
	return names
}
