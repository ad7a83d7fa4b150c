# Subshells that inherit the descriptor end, and flush, in the middle.
( echo '['; ( echo 1 ); echo ','; ( ( echo 2 ) ; true ); /bin/echo ']' ) > f.json
