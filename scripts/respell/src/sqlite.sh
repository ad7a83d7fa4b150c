sqlite3 :memory: "SELECT json_set(CAST(readfile('/dev/stdin') AS TEXT), '\$.added', 1)"
