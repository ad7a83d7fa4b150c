require "json"
value = JSON.parse(File.read(ARGV[0])).as_h
puts "ready"; STDOUT.flush; gets
value["added"] = JSON::Any.new(1_i64)
File.write(ARGV[0], value.to_pretty_json)
