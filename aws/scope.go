package aws

import "strings"

// Scope is where a row lives. Each row carries its own, so that an action on
// it never depends on what is selected by then.
type Scope struct {
	Profile string // name in the shared configuration, "" for fixed keys
	Account string // twelve digits
	Region  string // such as "eu-central-1"
}

// scopeOf reads account and region off an ARN, which is
// arn:partition:service:region:account:resource.
func scopeOf(profile, arn string) Scope {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return Scope{Profile: profile}
	}
	return Scope{Profile: profile, Account: parts[4], Region: parts[3]}
}

// nameOf is what stands after the last slash: the name of a cluster or service,
// the id of a task, family:revision of a task definition.
func nameOf(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// clusterOf is the cluster's name in the ARN of a service or task
// (…:task/cluster/id); "" in the old form that left it out (…:task/id).
func clusterOf(arn string) string {
	parts := strings.Split(arn[strings.LastIndexByte(arn, ':')+1:], "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[1]
}

// clusterARN is the ARN of the cluster that a service or task ARN names.
func clusterARN(arn, cluster string) string {
	if strings.HasPrefix(cluster, "arn:") {
		return cluster
	}
	prefix := arn[:strings.LastIndexByte(arn, ':')+1]
	if prefix == "" {
		return cluster
	}
	return prefix + "cluster/" + cluster
}
