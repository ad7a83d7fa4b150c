# dies.sh HOW FILE: the same as dies.py. A redirection of a built-in would close a
# duplicate of the descriptor, which commits, and so would a subshell; so standard
# output is the file from the start, and the trace of a function on standard error
# says that it was written.
exec 5<> <(:) # a pipe that never has anything
exec 2>&1 1>"$2"
PS4=
written() { :; }
printf '{"models": []}'
set -x
written
{ set +x; } 2>/dev/null
if [ "$1" = itself ]; then kill -KILL $$; fi
read -r -t 60 -u 5
