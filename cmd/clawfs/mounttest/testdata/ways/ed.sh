# ex, as scripts use it.
printf '%s\n' '%s/"a"/"ex"/' w q | ex -s -u NONE -i NONE f.json
