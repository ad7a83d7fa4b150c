# What is no regular file is no registry, whatever its name.
mkfifo pipe.json
echo 'not json' > pipe.json & cat pipe.json; wait
"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket.json")'
