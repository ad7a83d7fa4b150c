# Logins at container registries.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

# with_registry COMMAND…: while a registry that knows every user listens; REGISTRY is its address.
with_registry() {
  local pid
  rm -f "$HOME/port"
  python3 -c 'import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ok = "Authorization" in self.headers
        self.send_response(200 if ok else 401)
        if not ok: self.send_header("WWW-Authenticate", "Basic realm=\"r\"")
        self.send_header("Content-Length", "0"); self.end_headers()
    do_HEAD = do_GET
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1] + ".new", "w").write(str(server.server_port)); os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()' "$HOME/port" &
  pid=$!
  for _ in $(seq 100); do [ -s "$HOME/port" ] && break; sleep 0.1; done
  REGISTRY=localhost:$(cat "$HOME/port")
  "$@"
  set -- "$?"
  kill "$pid"
  wait "$pid" 2>/dev/null
  return "$1"
}
for tool in podman skopeo buildah; do
  program $tool $tool
  eval "${tool}_version() { $tool --version; }
    ${tool}_login() { $tool login --authfile auth.json --tls-verify=false -u user -p word \"\$REGISTRY/\$1\"; }
    ${tool}_steps() { for n in a b c; do ${tool}_login \$n; echo \$?; done; $tool logout --authfile auth.json \"\$REGISTRY/b\"; ${tool}_login b; echo \$?; }
    ${tool}_alone() { with_registry ${tool}_steps; }
    ${tool}_add() { with_registry ${tool}_login \"\$1\"; }
    ${tool}_count() { jq '.auths | keys | length' auth.json; }"
  masks[$tool]='s/localhost:[0-9]+/REGISTRY/g'
done
