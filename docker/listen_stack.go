package docker

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gantry/internal/pattern"
)

// Stack is the framework that an app in a container is likely made with, as far
// as its way of listening goes.
type Stack struct {
	Name string // "Spring Boot"; "" when nothing was recognised
	// Env is an environment entry that makes the app listen everywhere, "" when
	// there is none. A container run again with it needs no new image.
	Env string
	// Setting is the change in the app or its command; "{port}" stands for the
	// container's port.
	Setting string
}

// Fix says what makes the app listen on all addresses.
func (s Stack) Fix(port int) string {
	setting := strings.ReplaceAll(s.Setting, "{port}", strconv.Itoa(port))
	env := ""
	if s.Env != "" {
		env = "run it with -e " + s.EnvFor(port)
	}
	switch {
	case env != "" && setting != "":
		return fmt.Sprintf("%s: %s, or %s", s.Name, env, setting)
	case s.Name != "" && env+setting != "":
		return s.Name + ": " + env + setting
	case env+setting != "":
		return env + setting
	}
	return "make the app listen on 0.0.0.0 instead of 127.0.0.1 or localhost"
}

// EnvFor is Env with the container's port put in.
func (s Stack) EnvFor(port int) string {
	return strings.ReplaceAll(s.Env, "{port}", strconv.Itoa(port))
}

// StackHints are what a stack is recognised by.
type StackHints struct {
	Image   string
	Command []string // entrypoint and arguments
	Env     []string // NAME=value
	Labels  map[string]string
}

// stackRule recognises a stack. Empty patterns do not count; of the others one
// must match.
type stackRule struct {
	stack   Stack
	command string // in the command line
	image   string // in the image's name, without registry and tag
	env     string // the name of a variable
}

// stackRules are asked in this order: what names a framework stands before what
// names only a language. The settings are from each project's documentation.
var stackRules = []stackRule{
	{Stack{"Quarkus", "QUARKUS_HTTP_HOST=0.0.0.0", "quarkus.http.host=0.0.0.0"}, `quarkus`, `quarkus`, `^QUARKUS_`},
	{Stack{"Micronaut", "MICRONAUT_SERVER_HOST=0.0.0.0", "micronaut.server.host: 0.0.0.0"}, `micronaut`, `micronaut`, `^MICRONAUT_`},
	{Stack{"Spring Boot", "SERVER_ADDRESS=0.0.0.0", "remove server.address from application.properties, or set server.address=0.0.0.0"}, `spring|\bjava\b.*-jar|JarLauncher`, `spring`, `^(SPRING_|SERVER_ADDRESS$)`},
	{Stack{"Tomcat", "", `remove address="127.0.0.1" from <Connector> in conf/server.xml`}, `catalina`, `tomcat`, `^CATALINA_`},
	{Stack{"Next.js", "HOSTNAME=0.0.0.0", "next start -H 0.0.0.0"}, `\bnext\b`, `next\.?js`, `^NEXT_`},
	{Stack{"Nuxt", "HOST=0.0.0.0", "nuxt --host 0.0.0.0"}, `\bnuxi?t?\b|\.output/server`, `nuxt`, `^(NUXT|NITRO)_`},
	{Stack{"Vite", "", "vite --host 0.0.0.0, or server.host: true in vite.config"}, `\bvite\b`, `\bvite\b`, `^VITE_`},
	{Stack{"Angular", "", "ng serve --host 0.0.0.0"}, `\bng serve\b`, `angular`, ``},
	{Stack{"webpack-dev-server", "", "webpack serve --host 0.0.0.0"}, `webpack(-dev-server)?\b`, ``, ``},
	{Stack{"Flask", "FLASK_RUN_HOST=0.0.0.0", "flask run --host=0.0.0.0, or app.run(host='0.0.0.0')"}, `\bflask\b`, `\bflask\b`, `^FLASK_`},
	{Stack{"Django", "", "python manage.py runserver 0.0.0.0:{port}"}, `manage\.py|django`, `django`, `^DJANGO_`},
	{Stack{"uvicorn", "UVICORN_HOST=0.0.0.0", "uvicorn --host 0.0.0.0"}, `\buvicorn\b|fastapi`, `uvicorn|fastapi`, `^UVICORN_`},
	{Stack{"gunicorn", "GUNICORN_CMD_ARGS=--bind=0.0.0.0:{port}", "gunicorn --bind 0.0.0.0:{port}"}, `\bgunicorn\b`, `gunicorn`, `^GUNICORN_`},
	{Stack{"hypercorn", "", "hypercorn --bind 0.0.0.0:{port}"}, `\bhypercorn\b`, ``, ``},
	{Stack{"Streamlit", "STREAMLIT_SERVER_ADDRESS=0.0.0.0", "streamlit run --server.address=0.0.0.0"}, `\bstreamlit\b`, `streamlit`, `^STREAMLIT_`},
	{Stack{"Jupyter", "", "jupyter lab --ip=0.0.0.0"}, `\bjupyter`, `jupyter`, `^JUPYTER_`},
	{Stack{"MkDocs", "", "mkdocs serve --dev-addr 0.0.0.0:{port}"}, `\bmkdocs\b`, `mkdocs`, ``},
	{Stack{"Jekyll", "", "jekyll serve --host 0.0.0.0"}, `\bjekyll\b`, `jekyll`, `^JEKYLL_`},
	{Stack{"Hugo", "", "hugo server --bind 0.0.0.0"}, `\bhugo\b`, `hugo`, `^HUGO_`},
	{Stack{"Rails", "BINDING=0.0.0.0", "rails server -b 0.0.0.0"}, `\brails\b`, `rails`, `^RAILS_`},
	{Stack{"Puma", "", "puma -b tcp://0.0.0.0:{port}"}, `\bpuma\b`, ``, `^PUMA_`},
	{Stack{"Sinatra or Rack", "", "rackup -o 0.0.0.0, or set :bind, '0.0.0.0'"}, `\brackup\b|sinatra`, ``, `^RACK_`},
	{Stack{"Laravel", "", "php artisan serve --host=0.0.0.0"}, `artisan serve`, `laravel`, ``},
	{Stack{"PHP's own server", "", "php -S 0.0.0.0:{port}"}, `php.* -S `, ``, ``},
	{Stack{"ASP.NET Core", "ASPNETCORE_URLS=http://+:{port}", "UseUrls(\"http://+:{port}\")"}, `\bdotnet\b`, `aspnet|dotnet`, `^(ASPNETCORE|DOTNET)_`},
	{Stack{"Rocket", "ROCKET_ADDRESS=0.0.0.0", "address = \"0.0.0.0\" in Rocket.toml"}, ``, `rocket`, `^ROCKET_`},
	{Stack{"Phoenix", "", "http: [ip: {0, 0, 0, 0}] in config/runtime.exs"}, `\bphx\.server\b`, `phoenix`, `^PHX_`},
	{Stack{"PostgreSQL", "", "listen_addresses = '*' (postgres -c listen_addresses='*')"}, `\bpostgres\b`, `postgres`, `^PGDATA$`},
	{Stack{"Redis", "", "redis-server --bind 0.0.0.0 --protected-mode no"}, `\bredis-server\b`, `redis`, `^REDIS_`},
	{Stack{"MySQL", "", "bind-address = 0.0.0.0 (mysqld --bind-address=0.0.0.0)"}, `\bmysqld\b|\bmariadbd\b`, `mysql|mariadb`, `^MYSQL_`},
	{Stack{"MongoDB", "", "mongod --bind_ip_all"}, `\bmongod\b`, `mongo`, `^MONGO_`},
	{Stack{"nginx", "", "listen {port}; instead of listen 127.0.0.1:{port}; in its configuration"}, `\bnginx\b`, `nginx`, `^NGINX_`},
	{Stack{"Apache httpd", "", "Listen {port} instead of Listen 127.0.0.1:{port} in httpd.conf"}, `\bhttpd|apache2`, `httpd|apache`, `^HTTPD_`},
	{Stack{"Caddy", "", "bind 0.0.0.0, or an address without localhost, in the Caddyfile"}, `\bcaddy\b`, `caddy`, `^CADDY_`},
	{Stack{"Deno", "", "Deno.serve({ hostname: '0.0.0.0', port: {port} }, …)"}, `\bdeno\b`, `deno`, `^DENO_`},
	{Stack{"Node.js", "", "server.listen({port}, '0.0.0.0')"}, `\bnode\b|\bnpm\b|\byarn\b|\bpnpm\b|\bbun\b`, `\bnode\b|\bbun\b`, `^(NODE|NPM|YARN)_`},
	{Stack{"Java", "", "bind to 0.0.0.0 (for Spring Boot -e SERVER_ADDRESS=0.0.0.0)"}, `\bjava\b`, `java|jdk|jre|temurin|corretto`, `^JAVA_`},
	{Stack{"Python", "", "bind to 0.0.0.0: python -m http.server --bind 0.0.0.0, app.run(host='0.0.0.0')"}, `\bpython3?\b`, `python`, `^PYTHON`},
	{Stack{"Ruby", "", "bind to 0.0.0.0: -b 0.0.0.0"}, `\b(ruby|bundle)\b`, `ruby`, `^(RUBY|GEM|BUNDLE)_`},
	{Stack{"Go", "", `http.ListenAndServe(":{port}", …) instead of "localhost:{port}"`}, `\bgo run\b`, `golang`, `^(GOLANG|GOPATH)`},
}

// DetectStack recognises the stack. What the user wrote himself tells most: an
// address of the loopback in the environment or in the command is the very
// thing to change, whatever the framework.
func DetectStack(h StackHints) Stack {
	s := ruledStack(h)
	if name := loopbackVariable(h.Env); name != "" {
		s.Env = name
		return s
	}
	if word := loopbackArgument(h.Command); word != "" {
		s.Env, s.Setting = "", "change the argument "+clean(word)+" to "+clean(anywhere(word))
	}
	return s
}

func ruledStack(h StackHints) Stack {
	command := strings.Join(h.Command, " ")
	image := imagePath(h.Image)
	for _, label := range []string{"org.opencontainers.image.title", "org.opencontainers.image.base.name"} {
		image += " " + h.Labels[label]
	}
	for _, r := range compiledRules() {
		named := slices.ContainsFunc(h.Env, func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			return matches(r.env, name)
		})
		if named || matches(r.command, command) || matches(r.image, image) {
			return r.stack
		}
	}
	return Stack{}
}

// imagePath is an image's name without registry, tag and digest: words in
// those say nothing about what is inside.
func imagePath(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if host, path, found := strings.Cut(image, "/"); found && strings.ContainsAny(host, ".:") {
		image = path
	}
	repository, _, _ := strings.Cut(image, ":")
	return repository
}

type compiledRule struct {
	stack               Stack
	command, image, env *regexp.Regexp
}

// compiledRules waits for its first use: a hundred expressions are no part of a
// quick start.
var compiledRules = sync.OnceValue(compileRules)

func compileRules() []compiledRule {
	compile := func(pattern string) *regexp.Regexp {
		if pattern == "" {
			return nil
		}
		return regexp.MustCompile(`(?i)` + pattern)
	}
	rules := make([]compiledRule, 0, len(stackRules))
	for _, r := range stackRules {
		rules = append(rules, compiledRule{r.stack, compile(r.command), compile(r.image), compile(r.env)})
	}
	return rules
}

func matches(pattern *regexp.Regexp, text string) bool {
	return pattern != nil && pattern.MatchString(text)
}

// bindVariable are names under which apps are told where to listen.
var bindVariable = pattern.Late(`(?i)^(.*_)?(HOST|HOSTNAME|ADDRESS|ADDR|BIND|BINDING|BIND_ADDRESS|LISTEN|LISTEN_ADDR|LISTEN_ADDRESS|LISTEN_HOST|URLS)$`)

// loopbackVariable is the environment entry that tells the app to listen on the
// loopback, changed to all addresses. Variables that name another server, such
// as DB_HOST, are not meant.
func loopbackVariable(env []string) string {
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if bindVariable().MatchString(name) && !clientVariable().MatchString(name) && anywhere(value) != value {
			return name + "=" + anywhere(value)
		}
	}
	return ""
}

var clientVariable = pattern.Late(`(?i)(DB|DATABASE|REDIS|MYSQL|POSTGRES|PG|MONGO|KAFKA|SMTP|MAIL|PROXY|RABBITMQ|AMQP|ELASTIC\w*|REMOTE|UPSTREAM|BACKEND|API)_?`)

// loopbackArgument is the word of a command that holds a loopback address.
func loopbackArgument(command []string) string {
	for _, word := range command {
		if !strings.ContainsAny(word, " \n") && anywhere(word) != word {
			return word
		}
	}
	return ""
}

var loopbackAddress = pattern.Late(`(^|[=/@])(127\.0\.0\.1|localhost|\[::1\])(:\d+|/|$)`)

// anywhere changes a loopback address in a word to all addresses.
func anywhere(word string) string {
	return loopbackAddress().ReplaceAllString(word, "${1}"+netip.IPv4Unspecified().String()+"${3}")
}
