package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func TestRepositoryNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"web": true, "team/web": true, "a1/b-2/c.3_d": true, "ab": true, strings.Repeat("a", 256): true,
		"a": false, "Web": false, "team//web": false, "/web": false, "web/": false, "we..b": false, "-web": false, "wéb": false, "we b": false,
		strings.Repeat("a", 257): false,
	} {
		if err := checkRepositoryName(name); (err == nil) != ok {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestRepositoryLife(t *testing.T) {
	d := newDepot(t)
	in := &ecr.CreateRepositoryInput{
		RepositoryName: aws.String("team/api"), ImageTagMutability: types.ImageTagMutabilityImmutable,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
		Tags:                       []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	}
	made, err := d.api.CreateRepository(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	r := made.Repository
	if *r.RepositoryArn != "arn:aws:ecr:us-east-1:000000000000:repository/team/api" || *r.RepositoryUri != strings.TrimPrefix(d.s.URL(), "http://")+"/team/api" ||
		*r.RegistryId != account || !r.CreatedAt.Equal(d.clock.Now()) || r.ImageTagMutability != types.ImageTagMutabilityImmutable ||
		!r.ImageScanningConfiguration.ScanOnPush || r.EncryptionConfiguration.EncryptionType != types.EncryptionTypeAes256 {
		t.Errorf("%+v", r)
	}
	_, err = d.api.CreateRepository(t.Context(), in)
	wantError[*types.RepositoryAlreadyExistsException](t, err, "The repository with name 'team/api' already exists in the registry with id '000000000000'")
	_, err = d.api.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("enc"), EncryptionConfiguration: &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeKms}})
	wantError[*types.InvalidParameterException](t, err, "The sandbox does not emulate repositories that are encrypted with KMS.")
	_, err = d.api.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"web", "none"}})
	wantError[*types.RepositoryNotFoundException](t, err, "The repository with name 'none' does not exist in the registry with id '000000000000'")

	d.push("web", "1", "layer")
	_, err = d.api.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("web")})
	wantError[*types.RepositoryNotEmptyException](t, err, "The repository with name 'web' in registry with id '000000000000' cannot be deleted because it still contains images")
	if _, err := d.api.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("web"), Force: true}); err != nil {
		t.Error(err)
	}
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 404, "NAME_UNKNOWN")
	createRepository(t, d.api, "web")
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 404, "MANIFEST_UNKNOWN")
	d.send("HEAD", "/v2/web/blobs/"+digestOf("layer"), nil).want(t, 404, "")
}

func TestRepositoriesArePaged(t *testing.T) {
	d := newDepot(t)
	for _, name := range []string{"zz", "aa", "mm"} {
		createRepository(t, d.api, name)
	}
	var names []string
	for p := ecr.NewDescribeRepositoriesPaginator(d.api, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(3)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Repositories {
			names = append(names, *r.RepositoryName)
		}
		names = append(names, "|")
	}
	if got := strings.Join(names, " "); got != "web zz aa | mm |" {
		t.Errorf("pages %s", got)
	}
	for _, in := range []*ecr.DescribeRepositoriesInput{
		{MaxResults: aws.Int32(1001)}, {MaxResults: aws.Int32(0)}, {NextToken: aws.String("made up")}, {RepositoryNames: []string{"web"}, MaxResults: aws.Int32(5)},
	} {
		_, err := d.api.DescribeRepositories(t.Context(), in)
		wantCode(t, err, "InvalidParameterException")
	}
}

func TestImagesAreListedAndDescribed(t *testing.T) {
	d := newDepot(t)
	first := d.push("web", "1", "old layer")
	d.clock.Advance(time.Hour)
	d.push("web", "1", "new layer") // takes the tag
	second := d.push("web", "latest", "new layer")
	if got, want := d.images("web", types.TagStatusAny), first[:12]+" 1 latest"; got != want {
		t.Errorf("all %q, want %q", got, want)
	}
	if got := d.images("web", types.TagStatusTagged); got != "1 latest" {
		t.Errorf("tagged %q", got)
	}
	if got := d.images("web", types.TagStatusUntagged); got != first[:12] {
		t.Errorf("untagged %q", got)
	}
	i := describeImage(t, d.api, "web", "latest")
	size := int64(len("new layer") + len(`{"os":"linux","about":["new layer"]}`))
	if *i.ImageDigest != second || strings.Join(i.ImageTags, " ") != "1 latest" || *i.ImageSizeInBytes != size ||
		*i.ImageManifestMediaType != imageType || *i.ArtifactMediaType != "application/vnd.oci.image.config.v1+json" ||
		!i.ImagePushedAt.Equal(d.clock.Now()) || i.ImageScanStatus != nil || i.ImageScanFindingsSummary != nil {
		t.Errorf("%+v, want size %d", i, size)
	}
	all, err := d.api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web"), Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusUntagged}})
	if err != nil || len(all.ImageDetails) != 1 || *all.ImageDetails[0].ImageDigest != first {
		t.Errorf("untagged: %v, %+v", err, all)
	}
	_, err = d.api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{idOf("2")}})
	wantError[*types.ImageNotFoundException](t, err, "The image with imageId {imageDigest:'null', imageTag:'2'} does not exist within the repository with name 'web' in the registry with id '000000000000'")
	_, err = d.api.DescribeImageScanFindings(t.Context(), &ecr.DescribeImageScanFindingsInput{RepositoryName: aws.String("web"), ImageId: &types.ImageIdentifier{ImageTag: aws.String("1")}})
	wantError[*types.ScanNotFoundException](t, err, "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'1'}' in the repository with name 'web' in the registry with id '000000000000'")
}

func TestIndexHoldsItsImages(t *testing.T) {
	d := newDepot(t)
	amd, arm := d.manifest("web", "amd64"), d.manifest("web", "arm64 is larger")
	describe := func(text, architecture string) object {
		return object{"mediaType": imageType, "size": len(text), "digest": digestOf(text), "platform": object{"os": "linux", "architecture": architecture}}
	}
	index := spell(t, object{"schemaVersion": 2, "mediaType": indexType, "manifests": []object{describe(amd, "amd64"), describe(arm, "arm64")}})
	d.send("PUT", "/v2/web/manifests/multi", strings.NewReader(index), "Content-Type", indexType).want(t, 404, "Images with digests '["+digestOf(amd)+", "+digestOf(arm)+"]' required")
	d.put("web", "", imageType, amd)
	d.put("web", "", imageType, arm)
	d.put("web", "multi", indexType, index)
	largest := d.s.ecr.repositories["web"].images[digestOf(arm)].bytes
	if i := describeImage(t, d.api, "web", "multi"); *i.ImageSizeInBytes != largest || *i.ImageManifestMediaType != indexType || i.ArtifactMediaType != nil {
		t.Errorf("%+v, want the size %d", i, largest)
	}
	got, err := d.api.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{idOf("multi"), idOf("none")}})
	if err != nil || len(got.Images) != 1 || *got.Images[0].ImageManifest != index || len(got.Failures) != 1 || *got.Failures[0].FailureReason != "Requested image not found" {
		t.Errorf("%v, %+v", err, got)
	}
	if said := d.remove("web", digestOf(amd)); !strings.HasSuffix(said, "!ImageReferencedByManifestList") {
		t.Errorf("removing a part of an index: %s", said)
	}
	if said := d.remove("web", "multi", digestOf(amd)); said != "multi "+digestOf(amd)[:12] {
		t.Errorf("removing the index and a part: %s", said)
	}
}

func TestImagesAreRemoved(t *testing.T) {
	d := newDepot(t)
	shared := d.push("web", "1", "base", "one")
	d.put("web", "one", imageType, d.manifest("web", "base", "one"))
	d.push("web", "2", "base", "two")
	d.layer("web", "sent, and then left")
	d.clock.Advance(layerGrace)
	d.layer("web", "of a push under way")
	if said := d.remove("web", "1", "9"); said != "1 9!ImageNotFound" {
		t.Errorf("by tag: %s", said)
	}
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 404, "Requested image not found")
	d.send("GET", "/v2/web/manifests/"+shared, nil).want(t, 200, "layers")
	if said := d.remove("web", "one"); said != "one" {
		t.Errorf("the last tag: %s", said)
	}
	d.send("GET", "/v2/web/manifests/"+shared, nil).want(t, 404, "MANIFEST_UNKNOWN")
	layers, err := d.api.BatchCheckLayerAvailability(t.Context(), &ecr.BatchCheckLayerAvailabilityInput{
		RepositoryName: aws.String("web"), LayerDigests: []string{digestOf("base"), digestOf("of a push under way"), digestOf("one"), digestOf("sent, and then left"), "nonsense"},
	})
	if err != nil || len(layers.Layers) != 4 || len(layers.Failures) != 1 || *layers.Layers[0].LayerSize != int64(len("base")) {
		t.Fatalf("%v, %+v", err, layers)
	}
	for i, want := range []types.LayerAvailability{"AVAILABLE", "AVAILABLE", "UNAVAILABLE", "UNAVAILABLE"} {
		if got := layers.Layers[i].LayerAvailability; got != want {
			t.Errorf("layer %d is %s, want %s", i, got, want)
		}
	}
	d.push("web", "3", "base", "two")
	if said := d.remove("web", describeOnly(t, d, "2")); said != "2 3" {
		t.Errorf("by digest: %s", said)
	}
	mismatch := types.ImageIdentifier{ImageTag: aws.String("4"), ImageDigest: aws.String(d.push("web", "5", "five"))}
	d.push("web", "4", "four")
	out, err := d.api.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{mismatch, {}}})
	if err != nil || len(out.Failures) != 2 || out.Failures[0].FailureCode != types.ImageFailureCodeImageTagDoesNotMatchDigest || out.Failures[1].FailureCode != types.ImageFailureCodeMissingDigestAndTag {
		t.Errorf("%v, %+v", err, out)
	}
}

func describeOnly(t *testing.T, d *depot, tag string) (digest string) {
	t.Helper()
	return *describeImage(t, d.api, "web", tag).ImageDigest
}

func TestPutImageTagsAnew(t *testing.T) {
	d := newDepot(t)
	digest := d.push("web", "1", "layer")
	got, err := d.api.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{idOf("1")}})
	if err != nil {
		t.Fatal(err)
	}
	in := &ecr.PutImageInput{RepositoryName: aws.String("web"), ImageManifest: got.Images[0].ImageManifest, ImageTag: aws.String("stable")}
	if _, err := d.api.PutImage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if i := describeImage(t, d.api, "web", "stable"); *i.ImageDigest != digest || strings.Join(i.ImageTags, " ") != "1 stable" {
		t.Errorf("%+v", i)
	}
	d.send("GET", "/v2/web/manifests/stable", nil).want(t, 200, *in.ImageManifest)
	_, err = d.api.PutImage(t.Context(), in)
	wantError[*types.ImageAlreadyExistsException](t, err, "Image with digest '"+digest+"' and tag 'stable' already exists in the repository with name 'web' in registry with id '000000000000'")
	in.ImageManifest = aws.String(strings.Replace(*in.ImageManifest, digestOf("layer"), digestOf("nowhere"), 1))
	_, err = d.api.PutImage(t.Context(), in)
	wantCode(t, err, "LayersNotFoundException")
	in.ImageManifest = aws.String("{")
	_, err = d.api.PutImage(t.Context(), in)
	wantCode(t, err, "InvalidParameterException")
}

func TestTagsAreImmutableAsTheRepositorySays(t *testing.T) {
	d := newDepot(t)
	set := func(m types.ImageTagMutability, filters ...string) {
		t.Helper()
		in := &ecr.PutImageTagMutabilityInput{RepositoryName: aws.String("web"), ImageTagMutability: m}
		for _, f := range filters {
			in.ImageTagMutabilityExclusionFilters = append(in.ImageTagMutabilityExclusionFilters,
				types.ImageTagMutabilityExclusionFilter{FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard, Filter: aws.String(f)})
		}
		if _, err := d.api.PutImageTagMutability(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	d.push("web", "v1", "one")
	d.push("web", "dev-a", "one")
	other := d.manifest("web", "two")
	taken := func(tag string) bool {
		a := d.send("PUT", "/v2/web/manifests/"+tag, strings.NewReader(other), "Content-Type", imageType)
		return a.status == 400 && strings.Contains(a.body, "TAG_INVALID") && strings.Contains(a.body, "The image tag '"+tag+"' already exists in the 'web' repository and cannot be overwritten because the ")
	}
	set(types.ImageTagMutabilityImmutable)
	if !taken("v1") || !taken("dev-a") {
		t.Error("an immutable tag moved")
	}
	d.push("web", "v1", "one") // the same again
	set(types.ImageTagMutabilityImmutableWithExclusion, "dev-*")
	if !taken("v1") || taken("dev-a") {
		t.Error("all but dev-* should be immutable")
	}
	d.push("web", "dev-a", "one")
	set(types.ImageTagMutabilityMutableWithExclusion, "v*")
	if !taken("v1") || taken("dev-a") {
		t.Error("only v* should be immutable")
	}
	_, err := d.api.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{RepositoryName: aws.String("web"), ImageTagMutability: types.ImageTagMutabilityMutableWithExclusion})
	wantCode(t, err, "InvalidParameterException")
}

func TestPoliciesAndTagsAreKept(t *testing.T) {
	d := newDepot(t)
	web := aws.String("web")
	_, err := d.api.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: web})
	wantError[*types.LifecyclePolicyNotFoundException](t, err, "Lifecycle policy does not exist for the repository with name 'web' in the registry with id '000000000000'")
	const lifecycle = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}`
	if _, err := d.api.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: web, LifecyclePolicyText: aws.String(lifecycle)}); err != nil {
		t.Fatal(err)
	}
	if got, err := d.api.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: web}); err != nil || *got.LifecyclePolicyText != lifecycle {
		t.Errorf("%v, %+v", err, got)
	}
	_, err = d.api.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: web, LifecyclePolicyText: aws.String(`{"rules":[]}`)})
	wantCode(t, err, "InvalidParameterException")
	if got, err := d.api.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: web}); err != nil || *got.LifecyclePolicyText != lifecycle {
		t.Errorf("%v, %+v", err, got)
	}

	_, err = d.api.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: web})
	wantError[*types.RepositoryPolicyNotFoundException](t, err, "Repository policy does not exist for the repository with name 'web' in the registry with id '000000000000'")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}`
	if _, err := d.api.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: web, PolicyText: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	if got, err := d.api.DeleteRepositoryPolicy(t.Context(), &ecr.DeleteRepositoryPolicyInput{RepositoryName: web}); err != nil || *got.PolicyText != policy {
		t.Errorf("%v, %+v", err, got)
	}

	arn := aws.String(repositoryARN + "web")
	if _, err := d.api.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.api.UntagResource(t.Context(), &ecr.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	if got, err := d.api.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: arn}); err != nil || len(got.Tags) != 1 || *got.Tags[0].Key != "a" {
		t.Errorf("%v, %+v", err, got)
	}
	_, err = d.api.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("1")}}})
	wantError[*types.InvalidTagParameterException](t, err, "Tag keys must not begin with 'aws:'.")
	_, err = d.api.StartImageScan(t.Context(), &ecr.StartImageScanInput{RepositoryName: web, ImageId: &types.ImageIdentifier{ImageTag: aws.String("1")}})
	wantCode(t, err, "UnknownOperationException")
}
