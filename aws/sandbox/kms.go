package sandbox

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"gantry/aws/sandbox/wire"
)

// The sandbox has one key. A cluster whose executeCommandConfiguration names it
// gets encrypted Exec sessions.
const (
	keyAlias  = "alias/gantry"
	keyID     = "6a9f4b1e-0c57-4d1b-9d2e-5b8c0e3f7a21"
	keyPrefix = "arn:aws:kms:" + region + ":" + account + ":"
	keyARN    = keyPrefix + "key/" + keyID
)

// maxDataKey is the longest data key that KMS makes, in bytes.
const maxDataKey = 1024

// kmsBackend is AWS KMS as far as data keys: real ones, wrapped by AES-256-GCM
// with a master key that lives as long as the sandbox.
type kmsBackend struct{ master cipher.AEAD }

func newKMS() *kmsBackend {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never returns an error
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM needs
	}
	return &kmsBackend{gcm}
}

func (k *kmsBackend) operations() []wire.Operation {
	return []wire.Operation{wire.Op(k.GenerateDataKey), wire.Op(k.Decrypt)}
}

// GenerateDataKey makes a random key, plain and wrapped together with its
// encryption context.
func (k *kmsBackend) GenerateDataKey(_ context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if err := checkKey(aws.ToString(in.KeyId)); err != nil {
		return nil, err
	}
	size, err := dataKeySize(in)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // it never returns an error
	return &kms.GenerateDataKeyOutput{
		KeyId:          aws.String(keyARN),
		Plaintext:      plain,
		CiphertextBlob: k.master.Seal(nil, nil, plain, contextBytes(in.EncryptionContext)), //nolint:gosec // it makes the nonce itself
	}, nil
}

// Decrypt unwraps what GenerateDataKey wrapped, given the same encryption
// context.
func (k *kmsBackend) Decrypt(_ context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if in.KeyId != nil {
		if err := checkKey(*in.KeyId); err != nil {
			return nil, err
		}
	}
	plain, err := k.master.Open(nil, nil, in.CiphertextBlob, contextBytes(in.EncryptionContext))
	if err != nil {
		return nil, &types.InvalidCiphertextException{}
	}
	return &kms.DecryptOutput{
		KeyId: aws.String(keyARN), Plaintext: plain, EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault,
	}, nil
}

// decryptForTask is Decrypt as an Exec agent calls it with its task role,
// which meets the faults of the API as well.
func (k *kmsBackend) decryptForTask(faults *Faults) func(context.Context, []byte, map[string]string) ([]byte, error) {
	return func(ctx context.Context, blob []byte, encryptionContext map[string]string) ([]byte, error) {
		if err := faults.before(ctx, wire.Call{Service: "kms", Operation: "Decrypt"}); err != nil {
			return nil, err
		}
		out, err := k.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: encryptionContext})
		if err != nil {
			return nil, err
		}
		return out.Plaintext, nil
	}
}

func checkKey(ref string) error {
	switch ref {
	case keyID, keyARN, keyAlias, keyPrefix + keyAlias:
		return nil
	case "":
		return validation("1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null")
	}
	return &types.NotFoundException{Message: aws.String(fmt.Sprintf("Key %s does not exist. The only key of the sandbox is %s.", quote(ref), keyAlias))}
}

// dataKeySize is how long a data key is to be, in bytes.
func dataKeySize(in *kms.GenerateDataKeyInput) (int, error) {
	switch {
	case (in.NumberOfBytes == nil) == (in.KeySpec == ""):
		return 0, validation("Please specify either number of bytes or key spec.")
	case in.KeySpec == types.DataKeySpecAes128:
		return 16, nil
	case in.KeySpec == types.DataKeySpecAes256:
		return 32, nil
	case in.KeySpec != "":
		return 0, validation("1 validation error detected: Value at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]")
	case *in.NumberOfBytes < 1 || *in.NumberOfBytes > maxDataKey:
		return 0, validation("1 validation error detected: Value at 'numberOfBytes' failed to satisfy constraint: Member must be between 1 and 1024")
	}
	return int(*in.NumberOfBytes), nil
}

func validation(message string) error {
	return &wire.Error{Code: "ValidationException", Message: message, Status: http.StatusBadRequest}
}

// contextBytes writes an encryption context in the one way that equal contexts
// share: sorted, each text behind its length.
func contextBytes(encryptionContext map[string]string) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(encryptionContext)) {
		for _, text := range []string{name, encryptionContext[name]} {
			out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) //nolint:gosec // a request has 1 MiB at most
			out.WriteString(text)
		}
	}
	return out.Bytes()
}
