package exec

import (
	"errors"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"gantry/internal/diagnose"
)

// maxReason is how many runes of a foreign text are kept.
const maxReason = 600

// sanitise makes one line of a text that the other side chose: no escape
// sequence, no control or direction character, and not too long.
func sanitise(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, ansi.Strip(text))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxReason {
		text = string(runes[:maxReason]) + "…"
	}
	return text
}

// ErrNotStarted is the cause of a session whose command the container does not
// have, or cannot run.
var ErrNotStarted = errors.New("command not started")

// endings are the texts with which the service closes a channel, as AWS's
// agent words them; the first that occurs decides.
var endings = []struct {
	text, what, do string
	err            error
}{
	{
		"inactivity", "the session was ended by ECS after 20 minutes without input",
		"open a new session; the limit cannot be changed",
		nil,
	},
	{
		"Unable to start command", "start the command in the container",
		"the image may have no such program: try /bin/bash, /bin/sh or ash, or add a debug sidecar",
		ErrNotStarted,
	},
	{
		"Handshake timed out", "agree on encryption with the agent",
		"check that kms:GenerateDataKey answers within 15 s, then open a new session",
		nil,
	},
	{
		"KMSEncryption failed on client", "agree on encryption with the agent",
		"allow kms:GenerateDataKey on the cluster's Exec key",
		nil,
	},
	{
		"decrypting data key", "agree on encryption with the agent",
		"allow kms:Decrypt on the cluster's Exec key in the task role",
		nil,
	},
	{
		"Fetching data key failed", "agree on encryption with the agent",
		"allow kms:Decrypt on the cluster's Exec key in the task role",
		nil,
	},
	{
		"TargetNotConnected", "reach the agent in the container",
		"wait a few seconds if the task has just started; else check the task role's ssmmessages permissions and the route to that endpoint",
		nil,
	},
	{
		"Connection to destination port failed", "reach the port in the container",
		"check that a process listens on it",
		nil,
	},
}

// closedError tells why the service closed the channel; nil for a plain end.
func closedError(output string) error {
	text := sanitise(output)
	if text == "" {
		return nil
	}
	for _, e := range endings {
		if strings.Contains(text, e.text) {
			return &diagnose.Error{What: e.what, Cause: text, Do: e.do, Err: e.err}
		}
	}
	return &diagnose.Error{What: "the session was ended by the service", Cause: text, Do: "open a new session"}
}
