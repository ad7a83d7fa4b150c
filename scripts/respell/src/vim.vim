let value = json_decode(join(readfile($FILE), "\n"))
call writefile(['ready'], '/dev/stdout')
call system('head -n 1 <&3 3<&-')
let value.added = 1
call writefile([json_encode(value)], $FILE)
qall!
