package exec

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/aws/exec/wire"
	"gantry/aws/sandbox/agent"
)

// keyring is KMS: a data key can be had back only with the context it was
// made with.
type keyring struct {
	mu   sync.Mutex
	keys map[string]dataKey
	deny error
}

type dataKey struct {
	plain   []byte
	context map[string]string
}

func (k *keyring) generate(_ context.Context, _ string, encryptionContext map[string]string) (plain, sealed []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deny != nil {
		return nil, nil, k.deny
	}
	if k.keys == nil {
		k.keys = make(map[string]dataKey)
	}
	plain, sealed = make([]byte, wire.DataKeySize), random(32)
	rand.Read(plain)
	k.keys[string(sealed)] = dataKey{bytes.Clone(plain), maps.Clone(encryptionContext)}
	return plain, sealed, nil
}

func (k *keyring) decrypt(_ context.Context, sealed []byte, encryptionContext map[string]string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[string(sealed)]
	if !ok || !maps.Equal(key.context, encryptionContext) {
		return nil, errors.New("InvalidCiphertextException")
	}
	return bytes.Clone(key.plain), nil
}

func encrypted(k *keyring, p agent.Process) agent.Open {
	o := shell(p)
	o.KMS = &agent.KMS{
		KeyID: "arn:aws:kms:us-east-1:000000000000:key/exec", Target: "ecs:cluster_task_runtime",
		Decrypt: k.decrypt, RequireChallenge: true,
	}
	return o
}

func TestEncryptedSession(t *testing.T) {
	for name, faults := range lossy {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, k := newGateway(t), new(keyring)
			g.SetFaults(faults)
			cfg := g.config(t, encrypted(k, echo()))
			cfg.DataKey, cfg.Handshake = k.generate, HandshakeExpected
			s := connect(t, cfg)
			text := strings.Repeat("secret ", 1000)
			if _, err := s.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			readUntil(t, s, text)
			st := s.Status()
			if !st.Encrypted || !strings.Contains(st.Message, "KMS") || st.AgentVersion == "" {
				t.Errorf("status is %+v", st)
			}
		})
	}
}

func TestEncryptedSessionFails(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*Config, *keyring)
		want    string
	}{
		"denied":        {func(_ *Config, k *keyring) { k.deny = refused{"AccessDeniedException"} }, "kms:GenerateDataKey"},
		"not supported": {func(c *Config, _ *keyring) { c.DataKey = nil }, "cannot use KMS"},
		"wrong target":  {func(c *Config, _ *keyring) { c.Target = "ecs:cluster_task_other" }, "kms:Decrypt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, k := newGateway(t), new(keyring)
			cfg := g.config(t, encrypted(k, echo()))
			cfg.DataKey = k.generate
			c.prepare(&cfg, k)
			s := connect(t, cfg)
			d := ending(t, s)
			if d == nil || !strings.Contains(d.Error(), c.want) {
				t.Errorf("ended with %v, want %q", d, c.want)
			}
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("wrote to a session that never opened")
			}
		})
	}
}

// KMS may take its time without the connection being thought dead.
func TestKMSThatHangs(t *testing.T) {
	g, k := newGateway(t), new(keyring)
	cfg := g.config(t, encrypted(k, echo()))
	cfg.DataKey = func(ctx context.Context, _ string, _ map[string]string) ([]byte, []byte, error) {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	cfg.timing = timing{dataKey: 50 * time.Millisecond, pingAfter: 20 * time.Millisecond, pongWithin: time.Minute}
	d := ending(t, connect(t, cfg))
	if d == nil || !strings.Contains(d.Cause, "deadline") {
		t.Errorf("ended with %v", d)
	}
}

// A program that prints nothing must still get what is typed.
func TestSilentProgramGetsInput(t *testing.T) {
	g := newGateway(t)
	in := newSink(5)
	cfg := g.config(t, shell(run(in, in)))
	cfg.timing = timing{silence: 20 * time.Millisecond}
	s := connect(t, cfg)
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	wait(t, "input", in.full)
}

func TestExpectedHandshakeThatNeverComes(t *testing.T) {
	g := newGateway(t)
	in := newSink(1)
	cfg := g.config(t, shell(run(in, in)))
	cfg.Handshake = HandshakeExpected
	cfg.timing = timing{handshake: 50 * time.Millisecond}
	d := ending(t, connect(t, cfg))
	if d == nil || !strings.Contains(d.Cause, "handshake") {
		t.Errorf("ended with %v", d)
	}
}

func TestSizeIsToldFirstAndOnChange(t *testing.T) {
	g := newGateway(t)
	p := echo()
	cfg := g.config(t, shell(p))
	cfg.Cols, cfg.Rows = 111, 37
	s := connect(t, cfg)
	readUntil(t, s, "$ ")
	size := func(want [2]int) {
		t.Helper()
		select {
		case got := <-p.sizes:
			if got != want {
				t.Fatalf("size %v, want %v", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("size %v was not told", want)
		}
	}
	size([2]int{111, 37})
	resize := func(cols, rows int) {
		t.Helper()
		if err := s.Resize(cols, rows); err != nil {
			t.Fatal(err)
		}
	}
	resize(0, -5)
	size([2]int{1, 1})
	for n := range 100 {
		resize(80+n, 24)
	}
	var last [2]int
	eventually(t, "last of many sizes", func() bool {
		select {
		case last = <-p.sizes:
		default:
		}
		return last == [2]int{179, 24}
	})
}

func TestUnableToStart(t *testing.T) {
	g := newGateway(t)
	cfg := g.config(t, agent.Open{Start: func(context.Context, int, int) (agent.Process, error) {
		return nil, errors.New("Failed to start pty: exec: \"bash\": \x1b[31mexecutable file not found in $PATH")
	}})
	s := connect(t, cfg)
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Fatal(err)
	}
	d := ending(t, s)
	if d == nil || !strings.Contains(d.Cause, `"bash": executable`) || !strings.Contains(d.Do, "sh") {
		t.Errorf("ended with %v", d)
	}
}
