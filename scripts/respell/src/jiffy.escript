#!/usr/bin/env escript
main([File]) ->
    {ok, Text} = file:read_file(File),
    Value = jiffy:decode(Text, [return_maps]),
    io:format("ready~n"), io:get_line(""),
    ok = file:write_file(File, jiffy:encode(Value#{<<"added">> => 1}, [pretty])).
