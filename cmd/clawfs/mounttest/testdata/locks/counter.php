<?php
// Counts as PHP's manual shows it, under a lock on the registry itself: FILE ROUNDS WAY.
[, $path, $rounds, $way] = $argv;
for ($i = 0; $i < $rounds; $i++) {
    $f = fopen($path, 'r+');
    flock($f, LOCK_EX);
    if ($way === 'filesize') {
        clearstatcache();
        $text = fread($f, filesize($path));
    } elseif ($way === 'by-name') {
        $text = file_get_contents($path);
    } else {
        $text = stream_get_contents($f);
    }
    $d = json_decode($text, true);
    $d['hits']++;
    ftruncate($f, 0);
    rewind($f);
    fwrite($f, json_encode($d));
    fflush($f);
    flock($f, LOCK_UN);
    fclose($f);
}
