// Prober is the workload of the lab and the probe inside a pod, in one program.
//
//	prober serve --listen :8080 --answer TEXT   answers every request with TEXT
//	prober probe                                asks the API server through the kubernetes Service,
//	                                            one line an attempt: START_MS DURATION_MS ok|fail STATUS
//	prober get URL                              asks once and prints the answer
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: prober serve|probe|get"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var err error
	switch verb := os.Args[1]; verb {
	case "serve":
		err = serve(ctx, os.Args[2:])
	case "probe":
		err = probe(ctx, os.Args[2:])
	case "get":
		err = get(ctx, os.Args[2:])
	default:
		err = fmt.Errorf("no verb %s", verb)
	}
	if err != nil {
		fail(err)
	}
}

func serve(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", ":8080", "address to listen on")
	answer := flags.String("answer", "hello from the lab", "what to answer every request with")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server := &http.Server{
		Addr:              *listen,
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, *answer)
		}),
	}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func probe(ctx context.Context, args []string) error {
	address := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	flags := flag.NewFlagSet("probe", flag.ExitOnError)
	url := flags.String("url", "https://"+address+"/readyz", "what to ask")
	interval := flags.Duration("interval", 100*time.Millisecond, "from one start to the next")
	timeout := flags.Duration("timeout", time.Second, "how long an attempt may take")
	out := flags.String("out", "", "file to append to, beside standard output")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sink := io.Writer(os.Stdout)
	if *out != "" {
		file, err := os.OpenFile(*out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		sink = io.MultiWriter(os.Stdout, file)
	}
	authorities := x509.NewCertPool()
	bundle, err := os.ReadFile(serviceAccount + "ca.crt")
	if err != nil {
		return err
	}
	authorities.AppendCertsFromPEM(bundle)
	client := &http.Client{
		Timeout: *timeout,
		// A new connection for every attempt: an old one would hide that new ones fail.
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
		},
	}
	for ctx.Err() == nil {
		start := time.Now()
		status, err := attempt(client, *url)
		duration := time.Since(start).Milliseconds()
		word := "ok"
		if err != nil || status != http.StatusOK {
			word = "fail"
		}
		fmt.Fprintf(sink, "%d %d %s %d\n", start.UnixMilli(), duration, word, status)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(start.Add(*interval))):
		}
	}
	return nil
}

func get(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: prober get URL")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// The token is read each time: kubelet renews it.
func attempt(client *http.Client, url string) (int, error) {
	token, err := os.ReadFile(serviceAccount + "token")
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
