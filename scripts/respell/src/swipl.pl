:- use_module(library(http/json)). :- use_module(library(readutil)).
:- initialization(main, main).
main([File]) :-
    setup_call_cleanup(open(File, read, In, [encoding(utf8)]), json_read_dict(In, V, [default_tag(json)]), close(In)),
    format("ready~n"), flush_output, read_line_to_string(user_input, _), write_it(File, V).
write_it(File, V) :-
    put_dict(added, V, 1, W),
    setup_call_cleanup(open(File, write, Out, [encoding(utf8)]), json_write_dict(Out, W), close(Out)).
