# A child that outlives the opener's own descriptor finishes the document.
exec 3> f.json
printf '{"a":' >&3
{ sleep 0.2; printf '1}\n' >&3; } &
exec 3>&-
wait
