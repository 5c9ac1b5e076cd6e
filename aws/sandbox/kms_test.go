package sandbox

import (
	"bytes"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

func dataKey(t *testing.T, k *kmsBackend, encryptionContext map[string]string) *kms.GenerateDataKeyOutput {
	t.Helper()
	out, err := k.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{
		KeyId: aws.String(keyAlias), NumberOfBytes: aws.Int32(64), EncryptionContext: encryptionContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDataKeysGoWithTheirContext(t *testing.T) {
	k := newKMS()
	session := map[string]string{"aws:ssm:SessionId": "s-1", "aws:ssm:TargetId": "ecs:a_b_c"}
	key := dataKey(t, k, session)
	if len(key.Plaintext) != 64 || bytes.Contains(key.CiphertextBlob, key.Plaintext) || *key.KeyId != keyARN {
		t.Fatalf("no wrapped key of 64 bytes: %+v", key)
	}
	if bytes.Equal(key.Plaintext, dataKey(t, k, session).Plaintext) {
		t.Error("two data keys are the same")
	}
	out, err := k.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob, EncryptionContext: session, KeyId: aws.String(keyARN)})
	if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) {
		t.Errorf("unwrapped: %v", err)
	}
	forged := bytes.Clone(key.CiphertextBlob)
	forged[len(forged)-1] ^= 1
	for name, in := range map[string]*kms.DecryptInput{
		"no context":      {CiphertextBlob: key.CiphertextBlob},
		"another context": {CiphertextBlob: key.CiphertextBlob, EncryptionContext: map[string]string{"aws:ssm:SessionId": "s-2", "aws:ssm:TargetId": "ecs:a_b_c"}},
		"shifted context": {CiphertextBlob: key.CiphertextBlob, EncryptionContext: map[string]string{"aws:ssm:SessionId": "s-1aws:ssm:TargetId", "ecs:a_b_c": ""}},
		"forged":          {CiphertextBlob: forged, EncryptionContext: session},
		"short":           {CiphertextBlob: []byte("x"), EncryptionContext: session},
		"empty":           {EncryptionContext: session},
	} {
		if _, err := k.Decrypt(t.Context(), in); !errors.As(err, new(*types.InvalidCiphertextException)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newKMS().Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob, EncryptionContext: session}); err == nil {
		t.Error("another sandbox's master key unwraps it")
	}
}

func TestDataKeyRequests(t *testing.T) {
	k := newKMS()
	for name, tt := range map[string]struct {
		in   kms.GenerateDataKeyInput
		size int
		code string
	}{
		"AES-128":     {kms.GenerateDataKeyInput{KeyId: aws.String(keyID), KeySpec: types.DataKeySpecAes128}, 16, ""},
		"AES-256":     {kms.GenerateDataKeyInput{KeyId: aws.String(keyPrefix + keyAlias), KeySpec: types.DataKeySpecAes256}, 32, ""},
		"no size":     {kms.GenerateDataKeyInput{KeyId: aws.String(keyID)}, 0, "ValidationException"},
		"two sizes":   {kms.GenerateDataKeyInput{KeyId: aws.String(keyID), KeySpec: types.DataKeySpecAes128, NumberOfBytes: aws.Int32(1)}, 0, "ValidationException"},
		"other spec":  {kms.GenerateDataKeyInput{KeyId: aws.String(keyID), KeySpec: "AES_1"}, 0, "ValidationException"},
		"too long":    {kms.GenerateDataKeyInput{KeyId: aws.String(keyID), NumberOfBytes: aws.Int32(1025)}, 0, "ValidationException"},
		"negative":    {kms.GenerateDataKeyInput{KeyId: aws.String(keyID), NumberOfBytes: aws.Int32(-1)}, 0, "ValidationException"},
		"no key":      {kms.GenerateDataKeyInput{NumberOfBytes: aws.Int32(1)}, 0, "ValidationException"},
		"unknown key": {kms.GenerateDataKeyInput{KeyId: aws.String("alias/x"), NumberOfBytes: aws.Int32(1)}, 0, "NotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := k.GenerateDataKey(t.Context(), &tt.in)
			var api smithy.APIError
			switch {
			case tt.code == "" && (err != nil || len(out.Plaintext) != tt.size):
				t.Errorf("got %v", err)
			case tt.code != "" && (!errors.As(err, &api) || api.ErrorCode() != tt.code):
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
}
