local library = arg[2]
local json = require(library)
local decode, encode = json.decode, json.encode
local h = io.open(arg[1]); local value = decode(h:read 'a'); h:close()
print 'ready'; io.stdout:flush(); io.read()
value.added = 1
local w = io.open(arg[1], 'w'); w:write(encode(value)); assert(w:close())
