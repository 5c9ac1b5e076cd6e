// Command server stands in for a Spring application in tests: it listens on
// 127.0.0.1 unless SERVER_ADDRESS says otherwise, on SERVER_PORT or 8080, and
// answers every request with hello.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	address, port := os.Getenv("SERVER_ADDRESS"), os.Getenv("SERVER_PORT")
	if address == "" {
		address = "127.0.0.1"
	}
	if port == "" {
		port = "8080"
	}
	if address == "none" {
		fmt.Println("not listening")
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", l.Addr())
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		return
	}
	fmt.Fprint(conn, "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
}
