# tool.sh FILE COMMAND…: a tool that reads the document and prints it with the member.
file=$1; shift
"$@" <"$file" >"$file.new" && echo ready && read -r _ && mv "$file.new" "$file"
