let () =
  let file = Sys.argv.(1) in
  let value = Yojson.Safe.from_file file in
  print_endline "ready"; ignore (read_line ());
  match value with
  | `Assoc l -> Yojson.Safe.to_file file (`Assoc (l @ [ ("added", `Int 1) ]))
  | _ -> exit 2
