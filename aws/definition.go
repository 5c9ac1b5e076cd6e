package aws

import "time"

// Definition is one revision of a task definition, as far as a screen or a
// deployment needs it.
type Definition struct {
	Scope
	ARN, Family     string
	Revision        int
	Status          string // ACTIVE, INACTIVE, DELETE_IN_PROGRESS
	CPU, Memory     string // in CPU units and MiB, "" where only containers say
	NetworkMode     string // awsvpc, bridge …
	Compatibilities []string
	// Platform is os/architecture as images name it: linux/amd64, linux/arm64,
	// windows/amd64. ECS takes linux/amd64 where a definition names none.
	Platform      string
	ExecutionRole string // ARN, "" if none
	TaskRole      string // ARN, "" if none
	Containers    []DefinedContainer
	Registered    time.Time
}

// Name is family:revision.
func (d *Definition) Name() string { return nameOf(d.ARN) }

// DefinedContainer is one container of a task definition.
type DefinedContainer struct {
	Name, Image string
	Essential   bool
	Ports       []int // that it says to listen on, TCP
	Log         LogConfig
}

// NewDefinition says what to register as the first revision of a family, or
// the next of one that exists: one container that listens on one port.
type NewDefinition struct {
	Family, Container, Image string
	Port                     int    // 0: none
	CPU, Memory              string // a size that Fargate offers: "256", "512"
	Platform                 string // linux/amd64 …; "" leaves it to ECS
	ExecutionRole, TaskRole  string // ARNs, "" for none
	LogGroup                 string // awslogs group, made if missing; "" for no logs
}

// NewService says what service to create, on Fargate with awsvpc.
type NewService struct {
	Cluster        string // ARN or name
	Name           string
	Definition     string // family:revision or ARN
	Desired        int
	Subnets        []string
	SecurityGroups []string
	PublicIP       bool
	ExecEnabled    bool
}

// NewTask says what to run once, on Fargate with awsvpc.
type NewTask struct {
	Cluster        string // ARN or name
	Definition     string // family, family:revision or ARN
	Count          int    // 1 to 10
	Subnets        []string
	SecurityGroups []string
	PublicIP       bool
	ExecEnabled    bool
}

// Subnet is a subnet of a VPC in this account and region.
type Subnet struct {
	ID, VPC, AZ, CIDR, Name string
	PublicIP                bool // new interfaces in it get one by default
}

// SecurityGroup is a security group of a VPC.
type SecurityGroup struct{ ID, VPC, Name, Description string }

// Role is an IAM role that tasks of ECS may take.
type Role struct{ ARN, Name, Description string }
