package aws

import "time"

// Service is an ECS service as its cluster runs it.
type Service struct {
	Scope
	ARN, Name           string
	Cluster, ClusterARN string
	Status              string // ACTIVE, DRAINING, INACTIVE

	Desired, Running, Pending int // tasks

	TaskDefinition  string // family:revision that it wants
	LaunchType      string // EC2, FARGATE, EXTERNAL …, or its capacity providers
	PlatformVersion string
	ExecEnabled     bool // of tasks started from now on
	Role            string

	Deployments            []Deployment // the primary first
	Events                 []Event      // the newest first, at most 100
	Created                time.Time
	CircuitBreaker         bool // a failing deployment is given up …
	Rollback               bool // … and taken back
	MinPercent, MaxPercent int  // of desired, while deploying

	LoadBalancers  []string // names of target groups
	Subnets        []string
	SecurityGroups []string
	PublicIP       bool
	Tags           map[string]string

	// Failure says why the service could not be described; then only its
	// names are known.
	Failure string
}

// Deployment is one version of a service on its way in or out.
type Deployment struct {
	ID             string // ecs-svc/…
	Status         string // PRIMARY, ACTIVE (going), INACTIVE
	TaskDefinition string // family:revision

	Desired, Running, Pending int
	Failed                    int // tasks in a row; back to 0 once one runs

	RolloutState  string // IN_PROGRESS, COMPLETED, FAILED; "" where ECS tracks none
	RolloutReason string
	Created       time.Time
	Updated       time.Time
}

// Event is one line of what ECS says about a service.
type Event struct {
	ID      string
	At      time.Time
	Message string
}

// The words of Service.Rollout.
const (
	RolloutSteady      = "steady"       // runs what it should
	RolloutMoving      = "moving"       // tasks are coming or going
	RolloutFailing     = "failing"      // moving, and tasks of the new version fail
	RolloutRollingBack = "rolling back" // the circuit breaker returns to the old version
	RolloutFailed      = "failed"       // the deployment was given up
	RolloutDraining    = "draining"     // the service is being deleted
	RolloutInactive    = "inactive"     // the service is deleted
	RolloutUnknown     = "unknown"      // it could not be described
)

// Primary is the deployment that the service is going to, nil if ECS names
// none.
func (r *Service) Primary() *Deployment {
	for i := range r.Deployments {
		if r.Deployments[i].Status == "PRIMARY" {
			return &r.Deployments[i]
		}
	}
	return nil
}

// Rollout is the state of the service in one word.
func (r *Service) Rollout() string {
	switch {
	case r.Failure != "":
		return RolloutUnknown
	case r.Status == "DRAINING":
		return RolloutDraining
	case r.Status == "INACTIVE":
		return RolloutInactive
	}
	p := r.Primary()
	switch {
	case p != nil && p.RolloutState == "FAILED":
		return RolloutFailed
	case p != nil && p.RolloutState == "IN_PROGRESS" && r.gaveUp():
		return RolloutRollingBack
	case p != nil && p.RolloutState == "IN_PROGRESS" && p.Failed > 0:
		return RolloutFailing
	case r.Moving():
		return RolloutMoving
	}
	return RolloutSteady
}

// Moving reports whether the service is on its way to another state: a
// deployment is in progress, or its counts differ from what is desired. Such a
// row is worth reading more often.
func (r *Service) Moving() bool {
	switch {
	case r.Failure != "" || r.Status == "INACTIVE":
		return false
	case r.Status == "DRAINING":
		return true
	case r.Running != r.Desired || r.Pending != 0 || len(r.Deployments) > 1:
		return true
	}
	p := r.Primary()
	return p != nil && p.RolloutState == "IN_PROGRESS"
}

// FailedTasks is how many tasks of the deployment under way have failed.
func (r *Service) FailedTasks() int {
	if p := r.Primary(); p != nil {
		return p.Failed
	}
	return 0
}

// gaveUp reports whether a deployment beside the primary one has failed.
func (r *Service) gaveUp() bool {
	for i := range r.Deployments {
		if d := &r.Deployments[i]; d.Status != "PRIMARY" && d.RolloutState == "FAILED" {
			return true
		}
	}
	return false
}
