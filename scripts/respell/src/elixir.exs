# Elixir of this age has no JSON of its own; jiffy is Erlang's.
[file] = System.argv()
value = :jiffy.decode(File.read!(file), [:return_maps, :use_nil])
IO.puts("ready"); IO.gets("")
File.write!(file, :jiffy.encode(Map.put(value, "added", 1), [:use_nil]))
