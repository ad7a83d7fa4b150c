# mv of an empty file, and of a document, onto the name that a symbolic link or a fifo has.
n=0
for make in 'ln -s nowhere' mkfifo; do
  for from in t t.json; do
    n=$((n + 1))
    $make "empty$n.json"
    : > $from
    mv -f $from "empty$n.json"
    stat -c '%F' "empty$n.json"
    echo "{\"n\":$n}" > "empty$n.json"
    $make "whole$n.json"
    echo '{"m":1}' > $from
    mv -f $from "whole$n.json"
    stat -c '%F' "whole$n.json"
    cat "empty$n.json" "whole$n.json"
  done
done
