package sandbox

import (
	"net/http"

	"gantry/aws/sandbox/agent"
	"gantry/aws/sandbox/wire"
)

// streamService is the service that clients sign the request of a data
// channel for.
const streamService = "ssmmessages"

// mountStreams serves the data channels of sessions. A client shows its
// single-use token in the first message; newer ones sign the request too
// (session-manager-plugin 1.2.764), and then the signature has to be good.
func (s *Server) mountStreams(g *guard) {
	s.Mount(agent.StreamPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			if err := g.checkStream(w, r); err != nil {
				wire.WriteError(w, r, err)
				return
			}
		}
		s.exec.agents.SetFaults(s.faults.connectionFaults())
		s.exec.agents.ServeHTTP(w, r)
	}))
}

// checkStream verifies the signature of a data channel's request.
func (g *guard) checkStream(w http.ResponseWriter, r *http.Request) error {
	if _, err := g.authenticate(w, r); err != nil {
		return err
	}
	auth, err := readAuthorization(r)
	if err != nil {
		return err
	}
	if auth.Service != streamService {
		return invalidSignature("Credential should be scoped to correct service: '%s'.", streamService)
	}
	return nil
}
