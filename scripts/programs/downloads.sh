# Programs that fetch a file.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

# with_downloads COMMAND…: while a server listens that breaks the first answer for each path
# off in the middle. Its address is URL.
with_downloads() {
  local pid
  rm -f "$HOME/port"
  python3 -c 'import http.server, os, sys
body, begun = b"[\"" + b"item" * 50000 + b"\"]\n", set()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        range = self.headers.get("Range")
        start = int(range.split("=")[1].split("-")[0]) if range else 0
        if start >= len(body):
            self.send_response(416); self.send_header("Content-Length", "0"); self.end_headers(); return
        self.send_response(206 if range else 200)
        if range: self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        for name, value in (("Accept-Ranges", "bytes"), ("ETag", "\"one\""), ("Content-Length", str(len(body) - start))):
            self.send_header(name, value)
        self.end_headers()
        whole = self.path in begun
        begun.add(self.path)
        self.wfile.write(body[start:] if whole else body[start:len(body) // 2])
        self.close_connection = not whole
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1] + ".new", "w").write(str(server.server_port)); os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()' "$HOME/port" &
  pid=$!
  for _ in $(seq 100); do [ -s "$HOME/port" ] && break; sleep 0.1; done
  URL=http://127.0.0.1:$(cat "$HOME/port")
  "$@"
  kill "$pid"
  wait "$pid" 2>/dev/null
  return 0
}
# download CONTINUE ANEW: it is broken off, continued, and fetched once more.
download() {
  for n in 1 2; do $1 "$URL/a"; echo "$?"; done
  sha256sum <a.json
  $2 "$URL/a"; echo "$?"
}

program curl curl
curl_version() { curl --version | head -n 1; }
curl_alone() { with_downloads download 'curl -sS -C - -o a.json' 'curl -sS -o a.json'; }
notes[curl]='what was broken off holds nothing: `curl -C -` fetches all of it again'

program wget wget
wget_version() { wget --version | head -n 1; }
wget_alone() { with_downloads download 'wget -q -t 1 -c -O a.json' 'wget -q -t 1 -O a.json'; }

program aria2 aria2
aria2_version() { aria2c --version | head -n 1; }
aria2_alone() { with_downloads download 'aria2c -q -m 1 -c -o a.json' 'aria2c -q -m 1 --allow-overwrite=true -o a.json'; }
notes[wget]='differs: broken off it exits with 3 (the file was refused) in place of 4. `wget -c` goes on within a minute; later it fetches all again'
notes[aria2]='`aria2c -c` goes on within a minute; later it writes the rest only, which is refused, and says all the same that it is complete: `rm FILE`, and fetch it anew'
