package docker

// permit is how this user gets to open a socket. Docker Desktop guards its pipe
// by a group of its own.
func permit(string) string {
	return "add this user to the group docker-users, then log in again"
}
