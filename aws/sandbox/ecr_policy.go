package sandbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Policies are kept and shown. No image expires by one, and nobody but the
// account's own user is there to be let in or kept out.

// PutLifecyclePolicy keeps the rules by which ECR would expire images.
func (b *ecrBackend) PutLifecyclePolicy(_ context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text := aws.ToString(in.LifecyclePolicyText)
	var policy struct {
		Rules []struct {
			RulePriority *int
			Selection    map[string]any
			Action       map[string]any
		}
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, invalidLifecycle("not a valid JSON document of a lifecycle policy: " + err.Error())
	}
	if len(policy.Rules) == 0 {
		return nil, invalidLifecycle("a policy needs at least one rule")
	}
	for _, rule := range policy.Rules {
		if rule.RulePriority == nil || *rule.RulePriority < 1 || rule.Selection == nil || rule.Action == nil {
			return nil, invalidLifecycle("a rule needs a rulePriority of 1 or more, a selection and an action")
		}
	}
	r.lifecycle = text
	return &ecr.PutLifecyclePolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), LifecyclePolicyText: aws.String(text),
	}, nil
}

func invalidLifecycle(why string) error {
	return ecrConstraint("LifecyclePolicyText", "Lifecycle policy validation failure: "+why)
}

// GetLifecyclePolicy shows the lifecycle policy of a repository that has one.
func (b *ecrBackend) GetLifecyclePolicy(_ context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.withLifecycle(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &ecr.GetLifecyclePolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), LifecyclePolicyText: aws.String(r.lifecycle),
	}, nil
}

// DeleteLifecyclePolicy removes the lifecycle policy of a repository that has one.
func (b *ecrBackend) DeleteLifecyclePolicy(_ context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.withLifecycle(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.DeleteLifecyclePolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), LifecyclePolicyText: aws.String(r.lifecycle),
	}
	r.lifecycle = ""
	return out, nil
}

func (b *ecrBackend) withLifecycle(registry, name *string) (*repository, error) {
	r, err := b.find(registry, name)
	if err == nil && r.lifecycle == "" {
		return nil, &types.LifecyclePolicyNotFoundException{Message: aws.String(fmt.Sprintf(
			"Lifecycle policy does not exist for %s", r.within()))}
	}
	return r, err
}

// SetRepositoryPolicy keeps who may use the repository.
func (b *ecrBackend) SetRepositoryPolicy(_ context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text := aws.ToString(in.PolicyText)
	var policy struct{ Statement any }
	if err := json.Unmarshal([]byte(text), &policy); err != nil || policy.Statement == nil {
		return nil, ecrConstraint("PolicyText", "Invalid repository policy provided")
	}
	r.policy = text
	return &ecr.SetRepositoryPolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), PolicyText: aws.String(text),
	}, nil
}

// GetRepositoryPolicy shows the policy of a repository that has one.
func (b *ecrBackend) GetRepositoryPolicy(_ context.Context, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.withPolicy(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &ecr.GetRepositoryPolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), PolicyText: aws.String(r.policy),
	}, nil
}

// DeleteRepositoryPolicy removes the policy of a repository that has one.
func (b *ecrBackend) DeleteRepositoryPolicy(_ context.Context, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.withPolicy(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.DeleteRepositoryPolicyOutput{
		RegistryId: aws.String(account), RepositoryName: aws.String(r.name), PolicyText: aws.String(r.policy),
	}
	r.policy = ""
	return out, nil
}

func (b *ecrBackend) withPolicy(registry, name *string) (*repository, error) {
	r, err := b.find(registry, name)
	if err == nil && r.policy == "" {
		return nil, &types.RepositoryPolicyNotFoundException{Message: aws.String(fmt.Sprintf(
			"Repository policy does not exist for %s", r.within()))}
	}
	return r, err
}
