<?php
[, $file, $how] = $argv;
$value = json_decode(file_get_contents($file), $how === 'arrays');
echo "ready\n"; fgets(STDIN);
if ($how === 'arrays') $value['added'] = 1; else $value->added = 1;
file_put_contents($file, json_encode($value, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE));
