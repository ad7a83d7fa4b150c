file, library = ARGV
text = File.read(file)
value, print_it =
  case library
  when 'json' then require 'json'; [JSON.parse(text), ->(v) { JSON.pretty_generate(v) }]
  when 'oj' then require 'oj'; [Oj.load(text, mode: :compat), ->(v) { Oj.dump(v, mode: :compat) }]
  when 'oj-strict' then require 'oj'; [Oj.load(text, mode: :strict), ->(v) { Oj.dump(v, mode: :strict) }]
  when 'oj-default' then require 'oj'; [Oj.load(text), ->(v) { Oj.dump(v, mode: :compat) }]
  when 'yajl' then require 'yajl'; [Yajl::Parser.parse(text), ->(v) { Yajl::Encoder.encode(v) }]
  end
puts 'ready'; $stdout.flush; $stdin.gets
value['added'] = 1
File.write(file, print_it.(value))
