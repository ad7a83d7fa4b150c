# Several programs write to one descriptor that they inherit.
{ printf '{"a":'; printf 1; /bin/echo ',"b":'; cat <<<2; printf '}\n'; } > f.json
