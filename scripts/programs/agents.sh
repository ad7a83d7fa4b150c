# Agents and what serves them.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

# mcp SERVER ARGUMENT… -- CALL…: speaks to an MCP server over its standard input; each CALL is
# a tool and its arguments.
mcp() {
  python3 - "$@" <<'P'
import json, subprocess, sys
split = sys.argv.index('--')
server = subprocess.Popen(sys.argv[1:split], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
def ask(id, method, params):
    server.stdin.write(json.dumps({'jsonrpc': '2.0', 'id': id, 'method': method, 'params': params}) + '\n'); server.stdin.flush()
    while True:
        answer = json.loads(server.stdout.readline())
        if answer.get('id') == id: return answer
ask(1, 'initialize', {'protocolVersion': '2024-11-05', 'capabilities': {}, 'clientInfo': {'name': 'campaign', 'version': '1'}})
server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n'); server.stdin.flush()
calls = sys.argv[split + 1:]
for i in range(0, len(calls), 2):
    answer = ask(i + 2, 'tools/call', {'name': calls[i], 'arguments': json.loads(calls[i + 1])})
    print(calls[i], 'error' if 'error' in answer or answer['result'].get('isError') else 'ok', json.dumps(answer.get('result', {}).get('content')))
server.stdin.close(); server.wait(20)
P
}

program server-filesystem npm:
server_filesystem_version() { jq -r .version "$CACHE/node_modules/@modelcontextprotocol/server-filesystem/package.json"; }
server_filesystem_alone() {
  mcp mcp-server-filesystem "$PWD" -- write_file "{\"path\":\"$PWD/a.json\",\"content\":\"{\\\"a\\\":1}\"}" \
    edit_file "{\"path\":\"$PWD/a.json\",\"edits\":[{\"oldText\":\"1\",\"newText\":\"2\"}]}" \
    read_text_file "{\"path\":\"$PWD/a.json\"}" move_file "{\"source\":\"$PWD/a.json\",\"destination\":\"$PWD/b.json\"}" \
    write_file "{\"path\":\"$PWD/b.json\",\"content\":\"{\\\"a\\\":3}\"}" list_directory "{\"path\":\"$PWD\"}"
}

program server-memory npm:
server_memory_version() { jq -r .version "$CACHE/node_modules/@modelcontextprotocol/server-memory/package.json"; }
server_memory_call() { MEMORY_FILE_PATH=$PWD/$1 mcp mcp-server-memory -- create_entities "{\"entities\":[{\"name\":\"$2\",\"entityType\":\"t\",\"observations\":[\"o\"]}]}" read_graph '{}'; }
server_memory_alone() { server_memory_call memory.jsonl a; server_memory_call memory.jsonl b; }
notes[server-memory]='its file is JSON lines; `MEMORY_FILE_PATH` must name a `*.jsonl`, which is a plain file'

# Agents for the terminal; their settings are below HOME.
for agent in gemini:@google/gemini-cli qwen:@qwen-code/qwen-code; do
  package=${agent#*:} agent=${agent%%:*}
  program "${package#*/}" npm:
  f=${package#*/} f=${f//-/_}
  eval "${f}_version() { jq -r .version \"\$CACHE/node_modules/$package/package.json\"; }
    ${f}_add() { HOME=\$PWD $agent mcp add --scope user \"\$1\" /bin/true; }
    ${f}_alone() { for n in a b c; do ${f}_add \$n; echo \"\$?\"; done; HOME=\$PWD $agent mcp remove --scope user b; ${f}_add b; cat .$agent/settings.json; rm -rf .$agent/{projects.json,projects.json.lock,history,tmp}; }
    ${f}_count() { jq '.mcpServers | keys | length' .$agent/settings.json; }"
done
notes[gemini-cli]='it ends while it still registers the folder, so that `projects.json.lock` may be left, in a bare directory on a slow disk, too; ten seconds later it counts as stale'
notes[qwen-code]='loses: all processes write one temporary file (`settings.json.tmp`) and move the file aside to one name: one `mcp add` at a time, in a bare directory, too'
